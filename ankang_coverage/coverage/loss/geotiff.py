"""GeoTIFFs of the store: opened for their pixels and tags, and digested."""

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from ankang_coverage.coverage.loss.loss_window import LOSS_BANDS, block_start, length_of, span_of

OWN_TAGS = "STORE"
"""Domain of the tags that the store itself reads, beside the inputs in the default one."""
GDAL_SETTINGS = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}

T = TypeVar("T")


@lru_cache(maxsize=8)
def raster_crs(crs: str) -> rasterio.CRS:
    """Return a CRS as rasterio has it; parsing one takes as long as writing a file.

    Parameters
    ----------
    crs : str
        A code such as ``EPSG:32649``, or WKT.

    Returns
    -------
    rasterio.CRS
        The CRS.
    """
    return rasterio.CRS.from_user_input(crs)


class _Pixels(DatasetReader):  # type: ignore[misc]  # rasterio has no types
    """A raster opened for its pixels and tags alone.

    Reading its CRS would take six times as long as all the rest of opening it.
    """

    def read_crs(self) -> None:
        """Leave the CRS where it is."""


def read_raster(path: Path, take: Callable[[DatasetReader], T]) -> T:
    """Open a GeoTIFF and return what is taken of it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    take : callable
        Called with the open file.

    Returns
    -------
    object
        What `take` returns.
    """
    with (
        rasterio.Env(**GDAL_SETTINGS),
        # Not shared, for a handle belongs to one thread.
        _Pixels(path, driver="GTiff", sharing=False) as raster,
    ):
        return take(raster)


def input_tags(raster: DatasetReader) -> dict[str, str]:
    """Return the tags that say what a raster depends on.

    Parameters
    ----------
    raster : rasterio.io.DatasetReader
        The open file.

    Returns
    -------
    dict
        Texts by name.
    """
    return {name: value for name, value in raster.tags().items() if name != "AREA_OR_POINT"}


def own_window(raster: DatasetReader) -> tuple[slice, slice]:
    """Return the window of the grid that a path loss was given on.

    Parameters
    ----------
    raster : rasterio.io.DatasetReader
        The open file.

    Returns
    -------
    tuple of slice
        Rows and columns.
    """
    tags = raster.tags(ns=OWN_TAGS)
    return span_of(tags["rows"]), span_of(tags["columns"])


def loss_pixels(raster: DatasetReader, rows: slice, columns: slice) -> NDArray[np.int16]:
    """Return the bands of a path loss on a window of the grid that lies within its own.

    Parameters
    ----------
    raster : rasterio.io.DatasetReader
        The open file.
    rows, columns : slice
        The window.

    Returns
    -------
    numpy.ndarray
        (bands, rows, columns) int16 pixels.
    """
    own_rows, own_columns = own_window(raster)
    pixels = np.empty((len(LOSS_BANDS), length_of(rows), length_of(columns)), np.int16)
    if pixels.size:
        left = columns.start - block_start(own_columns.start)
        top = rows.start - block_start(own_rows.start)
        raster.read(out=pixels, window=Window(left, top, pixels.shape[2], pixels.shape[1]))
    return pixels


def pixel_flaw(path: Path) -> str | None:
    """Return what is wrong with the pixels of a file whose bytes are whole.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str or None
        The fault; None where there is none.
    """
    if path.suffix != ".tif":
        return None

    def is_as_written(raster: DatasetReader) -> bool:
        tags = raster.tags(ns=OWN_TAGS)
        pixels = loss_pixels(raster, *own_window(raster)) if "rows" in tags else raster.read()
        return tags["pixels"] == digest_of(pixels)

    try:
        return None if read_raster(path, is_as_written) else "pixels differ from their digest"
    except RasterioError as error:
        return str(error) if path.exists() else None


def digest_of(arrays: Iterable[NDArray[Any]], header: bytes = b"") -> str:
    """Return a digest of arrays.

    Parameters
    ----------
    arrays : iterable of numpy.ndarray
        The arrays.
    header : bytes
        What is digested before them.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    digest = hashlib.sha256(header)
    for array in arrays:
        digest.update(as_bytes(np.ascontiguousarray(array)))
    return digest.hexdigest()


def as_bytes(array: NDArray[Any]) -> memoryview:
    """Return the bytes of a contiguous array without copying them.

    Parameters
    ----------
    array : numpy.ndarray
        The array.

    Returns
    -------
    memoryview
        Its bytes.
    """
    return array.reshape(-1).view(np.uint8).data
