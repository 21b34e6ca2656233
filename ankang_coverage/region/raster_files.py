"""Opening rasters: which files are opened, and what is refused before a pixel is read.

GDAL opens some 150 formats, and many of them can name further files and servers to open. Here a
raster is a GeoTIFF, recognised by its first bytes, or a tile of SRTM (``.hgt``). It is opened by
the driver of its format only, and without the files beside it. A virtual raster is opened only
where ``[limits] allow_vrt`` permits it.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from types import TracebackType

import numpy as np
import rasterio
import rasterio.warp
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, MemoryFile

from ankang_coverage.errors import FileError, LimitError, RasterError
from ankang_coverage.inputs import reading, require_file, said
from ankang_coverage.limits import limits, require_within, use_limits
from ankang_coverage.region.tiff_tags import TIFF_STARTS, tag_bytes
from ankang_coverage.region.virtual_rasters import VRT_START, local_vrt

START_BYTES = 1000
"""First bytes of a file, from which its format is recognised."""
REAL_KINDS = "biuf"
"""Number types for heights, codes or people, without complex ones."""
MESH = 32
"""Parts of a grid's side, at whose ends the transformation into a raster is sampled."""
MOST_BLOCKS = 1_000_000
"""Most blocks in a region; checking more would take longer than reading them."""
WARP_UNIT = 4
"""Pixels of the grid for which GDAL always reads the source at once, however little memory it
has."""

_ENVIRONMENT = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no .aux.xml, .ovr, .msk, .tfw, metadata files
    "GDAL_PAM_ENABLED": "NO",
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_VRT_ENABLE_RAWRASTERBAND": "NO",
    "GDAL_CACHEMAX": 128_000_000,
}


@contextmanager
def open_raster(path: str | PathLike[str], name: str) -> Iterator[DatasetReader]:
    """Open a file as a raster of real numbers with a CRS and a place; call only GDAL inside.

    Parameters
    ----------
    path : str or os.PathLike
        GeoTIFF or ``.hgt``; a virtual raster where the limits allow one.
    name : str
        Kind of raster, for messages.

    Yields
    ------
    rasterio.io.DatasetReader
        The raster.

    Raises
    ------
    RasterError
        If the file is missing or damaged, or is not such a raster.
    LimitError
        If a block of it unpacks to more than ``block_bytes``.
    """
    try:
        file = require_file(path)
    except LimitError:
        raise
    except FileError as error:
        raise RasterError(f"{name}: {error}") from error
    with (
        reading(file, f"a raster of {name}", "export it again as a GeoTIFF", RasterError),
        warnings.catch_warnings(),
        ExitStack() as stack,
    ):
        warnings.simplefilter("ignore")
        stack.enter_context(_without_callbacks())
        stack.enter_context(rasterio.Env(**_ENVIRONMENT))
        try:
            source = stack.enter_context(_opened(file, name, stack))
            _require_usable(source, file, name)
            yield source
        except RasterioError as error:
            # "Chunk and warp failed" says less than its reason.
            raise RasterioError(said(error.__cause__ or error)) from error


@contextmanager
def _without_callbacks() -> Iterator[None]:
    """Hide rasterio's failure to log messages of GDAL that are not UTF-8.

    Cython reports an exception in a callback twice: as uncaught, and as ignored.
    """
    uncaught, ignored = sys.excepthook, sys.unraisablehook

    def on_uncaught(
        kind: type[BaseException], error: BaseException, where: TracebackType | None
    ) -> None:
        if kind is not UnicodeDecodeError:
            uncaught(kind, error, where)

    def on_ignored(unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_type is not UnicodeDecodeError:
            ignored(unraisable)

    sys.excepthook, sys.unraisablehook = on_uncaught, on_ignored
    try:
        yield
    finally:
        sys.excepthook, sys.unraisablehook = uncaught, ignored


def require_modest(source: DatasetReader, path: Path, geobox: GeoBox, name: str) -> None:
    """Refuse a raster where a grid needs more pixels than may be read.

    Parameters
    ----------
    source : rasterio.io.DatasetReader
        The raster.
    path : pathlib.Path
        Its file, for messages.
    geobox : odc.geo.geobox.GeoBox
        The grid.
    name : str
        Kind of raster, for messages.

    Raises
    ------
    RasterError
        If the grid cannot be transformed into its CRS.
    LimitError
        If more than ``raster_pixels`` of its pixels lie in the grid, or one pixel of the grid holds
        so many that they need more than ``block_bytes`` at once.
    """
    corners = _grid_in_source(source, geobox)
    if not np.isfinite(corners).all(axis=-1).any():
        raise RasterError(
            f"{name}: {path} is in a CRS in which the region cannot be placed: give it its true "
            f"CRS with gdal_edit.py -a_srs"
        )
    inside, whole = _spans(corners, (source.width, source.height))
    require_within(
        "raster_pixels", int(inside.sum()), f"{path} has too many pixels in the region for {name}"
    )
    mesh_pixels = geobox.shape[0] * geobox.shape[1] / inside.size
    at_once = np.minimum(inside, whole / mesh_pixels * WARP_UNIT).max()
    require_within(
        "block_bytes",
        int(at_once * np.dtype(source.dtypes[0]).itemsize),
        f"{path} is too fine for {name} on pixels of {geobox.resolution.x:g} m, and takes too "
        f"many bytes at once",
    )


def require_whole(source: DatasetReader, path: Path, geobox: GeoBox, name: str) -> None:
    """Refuse a GeoTIFF with blocks beyond its end within a grid, or with missing blocks of heights.

    GDAL reads a missing block as zeros where no no-data value is declared.

    Parameters
    ----------
    source : rasterio.io.DatasetReader
        The raster.
    path : pathlib.Path
        Its file, for messages.
    geobox : odc.geo.geobox.GeoBox
        The grid.
    name : str
        Kind of raster, for messages.

    Raises
    ------
    RasterError
        If a block is missing, or there are more than `MOST_BLOCKS`.
    """
    if source.driver != "GTiff":
        return
    end = path.stat().st_size
    is_ground = name == "elevation_m" and source.nodata is None
    for row, column in _blocks(source, path, geobox, name):
        place, n_bytes = (
            source.get_tag_item(f"BLOCK_{what}_{column}_{row}", "TIFF", bidx=1)
            for what in ("OFFSET", "SIZE")
        )
        where = f"of row {row}, column {column}"
        if place is None and is_ground:
            raise RasterError(
                f"{name}: {path} lacks the block of pixels {where}, and declares no no-data "
                f"value: declare one with gdal_edit.py -a_nodata, or export it again"
            )
        if place is not None and int(place) + int(n_bytes or 0) > end:
            raise RasterError(
                f"{name}: {path} is cut off or damaged: the block of pixels {where} lies beyond "
                f"its end: export it again"
            )


def _blocks(
    source: DatasetReader, path: Path, geobox: GeoBox, name: str
) -> Iterator[tuple[int, int]]:
    """Return row and column of the blocks of a raster in the rectangle around a grid."""
    corners = _grid_in_source(source, geobox).reshape(-1, 2)
    corners = corners[np.isfinite(corners).all(axis=1)]
    low, high, size = corners.min(axis=0), corners.max(axis=0), (source.width, source.height)
    if (high < 0).any() or (low > size).any():
        return
    height, width = source.block_shapes[0]
    left, top = (np.clip(low, 0, np.subtract(size, 1)) // (width, height)).astype(int)
    right, bottom = (np.clip(high, 0, np.subtract(size, 1)) // (width, height)).astype(int)
    if (right - left + 1) * (bottom - top + 1) > MOST_BLOCKS:
        raise RasterError(
            f"{name}: {path} has more than {MOST_BLOCKS:,} blocks of pixels in the region: rewrite "
            f"it with gdal_translate -co TILED=YES"
        )
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            yield row, column


def _opened(file: Path, name: str, stack: ExitStack) -> DatasetReader:
    with file.open("rb") as content:
        start = content.read(START_BYTES)
    place = str(file.absolute())
    if place.startswith("/vsi"):
        raise RasterError(f"{name}: {file} is an address of GDAL's: copy the file elsewhere")
    if start.startswith(TIFF_STARTS):
        require_within("block_bytes", tag_bytes(file), f"{file} has tags of too many bytes")
        return rasterio.open(place, driver="GTiff")
    if file.suffix.lower() == ".hgt":
        return rasterio.open(place, driver="SRTMHGT")
    if VRT_START in start:
        return _opened_vrt(file, name, stack)
    raise RasterError(
        f"cannot read {file} as a raster of {name}: it is neither a GeoTIFF nor an .hgt: export "
        f"it again as a GeoTIFF"
    )


def _opened_vrt(file: Path, name: str, stack: ExitStack) -> DatasetReader:
    if not limits().allow_vrt:
        raise RasterError(
            f"{name}: {file} is a virtual raster, which opens other files: give those, or set "
            f"allow_vrt = true under [limits] in the study, or use_limits(allow_vrt=True)"
        )
    xml, parts = local_vrt(file)
    with use_limits(allow_vrt=False):
        for part in parts:
            with open_raster(part, name):
                pass  # checks that it opens
    memory = stack.enter_context(MemoryFile(xml, ext=".vrt"))
    return memory.open(driver="VRT")


def _require_usable(source: DatasetReader, file: Path, name: str) -> None:
    if source.count < 1:
        raise RasterError(f"{name}: {file} has no band: export one image of it as a GeoTIFF")
    kind = source.dtypes[0]
    if kind.startswith("complex") or np.dtype(kind).kind not in REAL_KINDS:
        raise RasterError(f"{name}: {file} holds {kind} numbers: convert it with gdal_translate")
    if source.crs is None:
        by_points = bool(source.gcps[0]) or source.rpcs is not None
        remedy = "place it by its control points with gdalwarp" if by_points else ""
        raise RasterError(
            f"{name}: {file} has no CRS; {remedy or 'write one with gdal_edit.py -a_srs'}"
        )
    place = np.array(source.transform[:6])
    if not np.isfinite(place).all() or source.transform.is_degenerate:
        raise RasterError(
            f"{name}: {file} has pixels without a size: write its place with gdal_edit.py -a_ullr"
        )
    if source.transform.is_identity:
        raise RasterError(
            f"{name}: {file} has a CRS but no place: write it with gdal_edit.py -a_ullr"
        )
    rows, columns = source.block_shapes[0]
    bands = source.count if source.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL" else 1
    require_within(
        "block_bytes",
        rows * columns * bands * np.dtype(kind).itemsize,
        f"{file} has blocks of too many bytes for {name} (gdal_translate -co TILED=YES makes "
        f"smaller ones)",
    )


def _grid_in_source(source: DatasetReader, geobox: GeoBox) -> NDArray[np.float64]:
    """Return (rows, columns, 2) columns and rows in a raster of a mesh over a grid."""
    height, width = geobox.shape
    columns = np.linspace(0, width, min(MESH, width) + 1)
    rows = np.linspace(0, height, min(MESH, height) + 1)
    x, y = _placed(geobox.transform, *np.meshgrid(columns, rows))
    try:
        there = rasterio.warp.transform(str(geobox.crs), source.crs, x.ravel(), y.ravel())
    except Exception:  # any error of PROJ means that there is no transformation
        there = [np.full(x.size, np.nan)] * 2
    with np.errstate(all="ignore"):
        across, down = _placed(~source.transform, np.array(there[0]), np.array(there[1]))
    return np.stack([across, down], axis=-1).reshape(len(rows), len(columns), 2)


def _placed(
    transform: Affine, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b, c, d, e, f = transform[:6]
    return a * x + b * y + c, d * x + e * y + f


def _spans(
    corners: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pixels of a raster in each part of a mesh: within the raster, and in all."""
    around = np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, :-1], corners[1:, 1:]])
    known = np.isfinite(around).all(axis=(0, 3))
    low, high = around.min(axis=0)[known], around.max(axis=0)[known]
    inside = np.clip(high, 0, size) - np.clip(low, 0, size)
    return inside.prod(axis=-1), (high - low).prod(axis=-1)
