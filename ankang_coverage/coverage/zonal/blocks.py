"""A coverage read block by block, so that memory does not grow with the region."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import CRS

from ankang_coverage.errors import RasterError
from ankang_coverage.region.rasters import crs_label

BLOCK_PIXELS = 512
"""Side of a block where the coverage does not say how large its tiles are."""
MOST_BLOCKS_AT_ONCE = 4
"""Blocks in memory at the same time, on however many cores."""

_DTYPES: Mapping[str, type[np.generic]] = {
    "best_server": np.int32,
    "second_server": np.int32,
    "n_within_6_db": np.uint8,
    "covered": np.bool_,
}
"""Types of the variables of a coverage that are not float32."""

Result = TypeVar("Result")


class Block(NamedTuple):
    """A window of the grid."""

    rows: slice
    columns: slice

    def meets(self, other: "Block") -> bool:
        """Return whether two blocks have a pixel in common.

        Parameters
        ----------
        other : Block
            The other block.

        Returns
        -------
        bool
            Whether they do.
        """
        return all(
            max(own.start, others.start) < min(own.stop, others.stop)
            for own, others in zip(self, other, strict=True)
        )


def blocks_of(coverage: xr.Dataset) -> list[Block]:
    """Cut the grid of a coverage where its tiles are cut.

    So a tile, which is computed or decoded when it is read, is read once for all its variables.

    Parameters
    ----------
    coverage : xarray.Dataset
        A Dataset of `predict`.

    Returns
    -------
    list of Block
        Row by row from the north-west.
    """
    rows, columns = (_cuts(coverage["rsrp_dbm"], dimension) for dimension in ("y", "x"))
    return [Block(down, across) for down in rows for across in columns]


def _cuts(variable: xr.DataArray, dimension: str) -> list[slice]:
    length = variable.sizes[dimension]
    chunks = variable.chunksizes.get(dimension)
    preferred = variable.encoding.get("preferred_chunks", {})
    side = int(chunks[0] if chunks else preferred.get(dimension, BLOCK_PIXELS))
    return [slice(start, min(start + side, length)) for start in range(0, length, side)]


def each_block(work: Callable[[Block], Result], blocks: Iterable[Block]) -> Iterator[Result]:
    """Do some work for every block, a few at a time, and yield the results in order.

    Parameters
    ----------
    work : callable
        What to do with one block; it reads what it needs.
    blocks : iterable of Block
        From `blocks_of`.

    Yields
    ------
    object
        What `work` returns.
    """
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_BLOCKS_AT_ONCE)) as pool:
        yield from pool.map(work, blocks)


def read_block(coverage: xr.Dataset, name: str, block: Block) -> NDArray[Any]:
    """Read one variable of a coverage in a block of its grid.

    Parameters
    ----------
    coverage : xarray.Dataset
        A Dataset of `predict`.
    name : str
        The variable.
    block : Block
        The window.

    Returns
    -------
    numpy.ndarray
        (rows, columns) contiguous array of the type that the variable always has.
    """
    window = coverage[name].isel(y=block.rows, x=block.columns)
    return np.ascontiguousarray(window.to_numpy(), _DTYPES.get(name, np.float32))


def require_variables(coverage: xr.Dataset, names: Iterable[str]) -> None:
    """Refuse a coverage that lacks a variable.

    Parameters
    ----------
    coverage : xarray.Dataset
        A Dataset of `predict`.
    names : iterable of str
        The variables.

    Raises
    ------
    RasterError
        If one of the names is missing.
    """
    missing = [name for name in names if name not in coverage]
    if missing:
        raise RasterError(
            f"the coverage has no variable {missing[0]!r}; it has {', '.join(map(str, coverage))}: "
            f"make it with predict"
        )


def require_same_grid(coverage: xr.Dataset, geobox: GeoBox, whose: str) -> None:
    """Refuse a coverage that is not on a grid.

    Parameters
    ----------
    coverage : xarray.Dataset
        A Dataset of `predict`.
    geobox : odc.geo.geobox.GeoBox
        The grid.
    whose : str
        Whose grid it is, for the message.

    Raises
    ------
    RasterError
        If the coverage has no grid or another.
    """
    own = grid_of(coverage)
    same = (
        own.crs == geobox.crs
        and own.shape == geobox.shape
        and own.transform.almost_equals(geobox.transform, 1e-6)
    )
    if not same:
        raise RasterError(
            f"the coverage is on a grid of {_described(own)}, {whose} on one of "
            f"{_described(geobox)}: predict both for the same region"
        )


def grid_of(coverage: xr.Dataset) -> GeoBox:
    """Return the pixel grid of a coverage.

    Parameters
    ----------
    coverage : xarray.Dataset
        A Dataset of `predict`.

    Returns
    -------
    odc.geo.geobox.GeoBox
        The grid.

    Raises
    ------
    RasterError
        If it has none.
    """
    require_variables(coverage, ["rsrp_dbm"])
    geobox = coverage["rsrp_dbm"].odc.geobox
    if geobox is None or geobox.crs is None:
        raise RasterError(
            "the coverage has no grid: keep its coordinates x, y and spatial_ref, and the "
            "attributes of its variables"
        )
    return geobox


def _described(geobox: GeoBox) -> str:
    rows, columns = geobox.shape
    left, _, _, top = geobox.boundingbox.bbox
    return (
        f"{rows} × {columns} pixels of {geobox.resolution.x:g} m from ({left:.0f}, {top:.0f}) "
        f"in {crs_label(CRS.from_user_input(str(geobox.crs)))}"
    )
