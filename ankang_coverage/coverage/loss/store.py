"""A store of path losses, tiles and grounds, in a folder on local or shared disk.

A file's name is a digest of all that its content depends on, so that a file which is there is the
right one, and none ever needs to be brought up to date. Rasters are GeoTIFFs that open in any GIS,
with their inputs as tags. `shelf` keeps the files whole, checked and bounded.
"""

import io
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import platformdirs
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pydantic import TypeAdapter
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, MemoryFile

from ankang_coverage.coverage.loss.geotiff import (
    GDAL_SETTINGS,
    OWN_TAGS,
    as_bytes,
    digest_of,
    input_tags,
    loss_pixels,
    own_window,
    pixel_flaw,
    raster_crs,
    read_raster,
)
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.loss_window import (
    BEYOND,
    FILE_BLOCK,
    LOSS_BANDS,
    UNKNOWN,
    LossWindow,
    common,
    length_of,
    widened,
    within,
)
from ankang_coverage.coverage.loss.shelf import (
    KINDS,
    TRAILER_BYTES,
    Bytes,
    Shelf,
    StoreWarning,
    shelf_of,
)
from ankang_coverage.errors import StoreError
from ankang_coverage.region.land_cover import LandCoverTable

__all__ = [
    "BEYOND",
    "UNKNOWN",
    "Damaged",
    "LossWindow",
    "Pruned",
    "Store",
    "StoreInfo",
    "StoreWarning",
]

FOLDER_VARIABLE = "ANKANG_COVERAGE_STORE"
"""Environment variable that names the default store."""

_GROUND_ARRAYS = ("elevation_m", "class_index")

T = TypeVar("T")


@dataclass(frozen=True)
class StoreInfo:
    """What a store holds.

    Attributes
    ----------
    folder : pathlib.Path
        Where it is.
    max_bytes : int
        What its files may take together.
    n_files, n_bytes : mapping of str to int
        Files and their size by kind: ``loss``, ``tiles``, ``ground``.
    n_unfinished : int
        Unfinished files that killed runs left behind.
    """

    folder: Path
    max_bytes: int
    n_files: Mapping[str, int]
    n_bytes: Mapping[str, int]
    n_unfinished: int


@dataclass(frozen=True)
class Damaged:
    """A file that is not as it was written, and what is wrong with it."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Pruned:
    """What was removed from a store: files with their size [bytes], and unfinished files."""

    n_files: int
    n_bytes: int
    n_unfinished: int


class Store:
    """A folder of path losses, tiles and grounds, each computed once.

    Threads and processes may share it. A file is whole or absent; one that was damaged is removed
    when it is read, with a `StoreWarning`, and counts as absent. Where the total passes
    `max_bytes`, the files used least recently go, but none that was used since this process began.

    Parameters
    ----------
    folder : str or os.PathLike
        Folder on local or shared disk; made when first written to.
    max_bytes : int
        What its files may take together [bytes].

    Raises
    ------
    StoreError
        If `max_bytes` is not positive. Every method raises it where the folder cannot be read or
        written.

    Examples
    --------
    >>> Store("losses").has("0123abcd")
    False
    """

    def __init__(self, folder: str | os.PathLike[str], *, max_bytes: int = 12 * 10**9) -> None:
        if max_bytes <= 0:
            raise StoreError(f"a store of {max_bytes} bytes holds nothing: allow it more")
        self.folder = Path(folder).expanduser().absolute()
        self.max_bytes = max_bytes

    @classmethod
    def default(cls) -> "Store":
        """Return the store that ``ANKANG_COVERAGE_STORE`` names, else that in the user's cache.

        Returns
        -------
        Store
            With the usual bound on its size.
        """
        named = os.environ.get(FOLDER_VARIABLE)
        return cls(named or platformdirs.user_cache_path("ankang-coverage", appauthor=False))

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r}, max_bytes={self.max_bytes})"

    @property
    def damaged(self) -> int:
        """How many files this process has found damaged."""
        return self._shelf.n_damaged

    def has(self, key: str) -> bool:
        """Return whether the path loss or the tile of a key is there; not whether it is whole.

        Parameters
        ----------
        key : str
            Digest of what the content depends on, hexadecimal.

        Returns
        -------
        bool
            Whether there is a file of this key.
        """
        return any(self._shelf.has(self._raster(kind, key)) for kind in ("loss", "tiles"))

    def tags(self, key: str) -> dict[str, str] | None:
        """Return the tags that a path loss or a tile was written with.

        Parameters
        ----------
        key : str
            As it was written under.

        Returns
        -------
        dict or None
            Texts by name; None where it is absent.
        """
        for kind in ("loss", "tiles"):
            path = self._raster(kind, key)
            if self._shelf.has(path):
                return self._read(path, input_tags)
        return None

    def write_loss(
        self, key: str, window: LossWindow, geobox: GeoBox, tags: Mapping[str, str]
    ) -> None:
        """Keep the path loss of one mast at one frequency.

        Parameters
        ----------
        key : str
            Digest of what it depends on, hexadecimal.
        window : LossWindow
            The path loss.
        geobox : odc.geo.geobox.GeoBox
            The region's grid.
        tags : mapping of str to str
            What it depends on, for people who open the file.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        rows, columns = (
            widened(span, length)
            for span, length in zip((window.rows, window.columns), geobox.shape, strict=True)
        )
        pixels = np.full((len(LOSS_BANDS), length_of(rows), length_of(columns)), BEYOND, np.int16)
        inside = within(window.rows, rows), within(window.columns, columns)
        for band, values in zip(pixels, window.bands, strict=True):
            band[inside] = values
        own_tags = {
            "rows": f"{window.rows.start} {window.rows.stop}",
            "columns": f"{window.columns.start} {window.columns.stop}",
            "pixels": digest_of(window.bands),
        }

        self._write_raster(
            self._raster("loss", key),
            pixels,
            geobox[rows, columns],
            LOSS_BANDS,
            tags,
            own_tags,
            nodata=BEYOND,
        )

    def read_loss(
        self, key: str, rows: slice | None = None, columns: slice | None = None
    ) -> LossWindow | None:
        """Read the path loss of one mast at one frequency, or the part of it in a window.

        Parameters
        ----------
        key : str
            As given to `write_loss`.
        rows, columns : slice, optional
            Window of the region's grid; all when omitted. A block that lies in it in part is
            decoded as a whole.

        Returns
        -------
        LossWindow or None
            What the window and the mast's own have in common, zero rows or columns where that is
            nothing; None where the file is absent, or was damaged and is now removed.
        """

        def take(raster: DatasetReader) -> LossWindow:
            own_rows, own_columns = own_window(raster)
            taken = common(own_rows, rows), common(own_columns, columns)
            return LossWindow(*taken, *loss_pixels(raster, *taken))

        return self._read(self._raster("loss", key), take)

    def write_tile(
        self,
        key: str,
        bands: Mapping[str, NDArray[np.float32]],
        geobox: GeoBox,
        tags: Mapping[str, str],
    ) -> None:
        """Keep figures of a tile of the grid.

        Parameters
        ----------
        key : str
            Digest of what they depend on, hexadecimal.
        bands : mapping of str to numpy.ndarray
            (rows, columns) float32 figures by name; NaN where there is none.
        geobox : odc.geo.geobox.GeoBox
            The tile's own grid.
        tags : mapping of str to str
            What they depend on, for people who open the file.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        pixels = np.stack([np.asarray(values, np.float32) for values in bands.values()])

        self._write_raster(
            self._raster("tiles", key),
            pixels,
            geobox,
            [(name, 1.0, "") for name in bands],
            tags,
            {"pixels": digest_of(pixels)},
            nodata=np.nan,
        )

    def read_tile(self, key: str) -> dict[str, NDArray[np.float32]] | None:
        """Read the figures of a tile.

        Parameters
        ----------
        key : str
            As given to `write_tile`.

        Returns
        -------
        dict or None
            (rows, columns) float32 figures by name; None where the file is absent, or was damaged
            and is now removed.
        """

        def take(raster: DatasetReader) -> dict[str, NDArray[np.float32]]:
            return dict(zip(raster.descriptions, raster.read(), strict=True))

        return self._read(self._raster("tiles", key), take)

    def write_ground(self, ground: Ground) -> str:
        """Keep the ground that path losses are computed over, for other processes to read.

        Parameters
        ----------
        ground : Ground
            Terrain and land cover.

        Returns
        -------
        str
            Digest of its content, under which `read_ground` finds it.

        Raises
        ------
        StoreError
            If the disk is full or the folder cannot be written.
        """
        header = _ground_header(ground)
        arrays = {name: np.ascontiguousarray(getattr(ground, name)) for name in _GROUND_ARRAYS}
        digest = digest_of(arrays.values(), header)
        contents: dict[str, list[Bytes]] = {
            f"{digest}.{name}.npy": [_npy_header(array), as_bytes(array)]
            for name, array in arrays.items()
        }
        for name, parts in (contents | {f"{digest}.json": [header]}).items():
            path = self._shelf.path("ground", name)
            if not self._shelf.holds(path):
                self._shelf.write(path, parts, self.max_bytes)
        return digest

    def read_ground(self, digest: str) -> Ground:
        """Read a ground, its arrays mapped into memory read-only.

        Parameters
        ----------
        digest : str
            As `write_ground` returned it.

        Returns
        -------
        Ground
            The ground.

        Raises
        ------
        StoreError
            If it is absent or was damaged.
        """
        paths = {
            name: self._shelf.path("ground", f"{digest}.{name}.npy") for name in _GROUND_ARRAYS
        }
        head = self._shelf.path("ground", f"{digest}.json")
        if not all(self._shelf.holds(path) for path in (head, *paths.values())):
            raise StoreError(
                f"the store {self.folder} has no whole ground {digest}: it was pruned or damaged. "
                f"Start the run again, which writes it"
            )
        arrays = {name: np.asarray(np.load(path, mmap_mode="r")) for name, path in paths.items()}
        return _ground_of(head.read_bytes()[:-TRAILER_BYTES], arrays)

    def write_note(self, text: str) -> Path:
        """Leave a short text in the store, for other processes to show that they see it.

        Parameters
        ----------
        text : str
            ASCII text.

        Returns
        -------
        pathlib.Path
            Where it is; the process that writes it removes it, or the next run if it is killed.

        Raises
        ------
        StoreError
            If the folder cannot be written.
        """
        return self._shelf.write_note(text)

    def info(self) -> StoreInfo:
        """Return what the store holds.

        Returns
        -------
        StoreInfo
            Its folder, its bound, and its files by kind.
        """
        contents = self._shelf.contents()
        files = contents.files
        sizes = {kind: [e.n_bytes for e in files if e.path.parts[-3] == kind] for kind in KINDS}
        return StoreInfo(
            folder=self.folder,
            max_bytes=self.max_bytes,
            n_files={kind: len(of_kind) for kind, of_kind in sizes.items()},
            n_bytes={kind: sum(of_kind) for kind, of_kind in sizes.items()},
            n_unfinished=len(contents.abandoned),
        )

    def verify(self) -> list[Damaged]:
        """Return the files that are not as they were written; none is removed.

        Reading checks the bytes of a file; this also decodes the pixels and compares them with
        their digest.

        Returns
        -------
        list of Damaged
            Path and fault of each.
        """
        contents = self._shelf.contents()
        flaws = (
            (entry.path, self._shelf.flaw(entry.path) or pixel_flaw(entry.path))
            for entry in contents.files
        )
        return [
            *(Damaged(path, "no file or folder of the store") for path in contents.in_the_way),
            *(Damaged(path, flaw) for path, flaw in flaws if flaw),
        ]

    def prune(self, max_bytes: int | None = None) -> Pruned:
        """Remove what killed runs left behind, and the files used least recently.

        A run under way computes again what it misses.

        Parameters
        ----------
        max_bytes : int, optional
            What may stay [bytes]; the store's own bound when omitted.

        Returns
        -------
        Pruned
            How much was removed.
        """
        bound = self.max_bytes if max_bytes is None else max_bytes
        contents = self._shelf.contents()
        excess = contents.n_bytes - bound
        gone = []
        for entry in contents.files:
            if excess <= 0:
                break
            excess -= entry.n_bytes
            gone.append(entry)
        self._shelf.remove([*contents.abandoned, *gone])
        for place in contents.in_the_way:
            self._shelf.clear(place)
        return Pruned(len(gone), sum(entry.n_bytes for entry in gone), len(contents.abandoned))

    @property
    def _shelf(self) -> Shelf:
        # Looked up, not held: a copy of this store in another process has that process's shelf.
        return shelf_of(self.folder)

    def _raster(self, kind: str, key: str) -> Path:
        return self._shelf.path(kind, f"{key}.tif")

    def _write_raster(
        self,
        path: Path,
        pixels: NDArray[Any],
        geobox: GeoBox,
        bands: Iterable[tuple[str, float, str]],
        tags: Mapping[str, str],
        own_tags: Mapping[str, str],
        *,
        nodata: float,
    ) -> None:
        with rasterio.Env(**GDAL_SETTINGS), MemoryFile() as file:
            with file.open(
                driver="GTiff",
                count=pixels.shape[0],
                height=pixels.shape[1],
                width=pixels.shape[2],
                dtype=pixels.dtype,
                crs=raster_crs(str(geobox.crs)),
                transform=geobox.transform,
                nodata=nodata,
                sparse_ok=True,
                tiled=True,
                blockxsize=FILE_BLOCK,
                blockysize=FILE_BLOCK,
                interleave="band",
                compress="zstd",
                zstd_level=1,
                predictor=2 if pixels.dtype.kind == "i" else 3,
            ) as raster:
                # Before the pixels, or the file's directory is written twice.
                raster.update_tags(**tags)
                raster.update_tags(ns=OWN_TAGS, **own_tags)
                raster.descriptions, raster.scales, raster.units = zip(*bands, strict=True)
                raster.write(pixels)
            self._shelf.write(path, [file.getbuffer()], self.max_bytes)

    def _read(self, path: Path, take: Callable[[DatasetReader], T]) -> T | None:
        if not self._shelf.holds(path):
            return None
        try:
            return read_raster(path, take)
        except RasterioError as error:
            # It was whole a moment ago: either it has been evicted, or the disk fails.
            if not path.exists():
                return None
            raise StoreError(f"cannot read {path}: {error}") from error


# Grounds ------------------------------------------------------------------------------------------

_TABLE = TypeAdapter(LandCoverTable)


def _ground_header(ground: Ground) -> bytes:
    return json.dumps(
        {
            "crs": str(ground.geobox.crs),
            "transform": list(ground.geobox.transform)[:6],
            "shape": list(ground.geobox.shape),
            "terrain": ground.terrain,
            "land_cover": ground.land_cover,
            "class_height_m": ground.class_height_m.tolist(),
            "table": _TABLE.dump_python(ground.table, mode="json"),
        },
        ensure_ascii=False,
    ).encode()


def _ground_of(header: bytes, arrays: Mapping[str, NDArray[Any]]) -> Ground:
    described = json.loads(header)
    class_height_m = np.array(described["class_height_m"], np.float64)
    class_height_m.flags.writeable = False
    return Ground(
        geobox=GeoBox(described["shape"], Affine(*described["transform"]), described["crs"]),
        terrain=described["terrain"],
        land_cover=described["land_cover"],
        table=_TABLE.validate_python(described["table"]),
        class_height_m=class_height_m,
        **arrays,
    )


def _npy_header(array: NDArray[Any]) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    return header.getvalue()
