"""Tiles of the grid: the parts that are predicted one by one, and arrays that read as one."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from xarray.backends import BackendArray
from xarray.core import indexing

from ankang_coverage.coverage.loss.ground import BLOCK
from ankang_coverage.region import Region

TILE = BLOCK
"""Rows and columns of a tile: one block of the stored path losses, so that each is read once."""


class Tile(NamedTuple):
    """Place of a tile among the tiles of a grid."""

    row: int
    column: int

    def window(self, shape: Sequence[int]) -> tuple[slice, slice]:
        """Return the tile's rows and columns.

        Parameters
        ----------
        shape : sequence of int
            Rows and columns of the grid.

        Returns
        -------
        tuple of slice
            Rows and columns; those of a tile at the edge end with the grid.
        """
        return (
            slice(self.row * TILE, min((self.row + 1) * TILE, shape[0])),
            slice(self.column * TILE, min((self.column + 1) * TILE, shape[1])),
        )


def tiles_of(region: Region) -> list[Tile]:
    """Return the tiles that the region's villages touch; others stay empty.

    Parameters
    ----------
    region : Region
        The region.

    Returns
    -------
    list of Tile
        Row by row.
    """
    geobox = region.geobox
    rows, columns = (-(-length // TILE) for length in geobox.shape)
    tiles = [Tile(row, column) for row in range(rows) for column in range(columns)]
    boxes = [shapely.box(*_bounds(tile, geobox)) for tile in tiles]
    tree = shapely.STRtree(region.villages.geometry.to_numpy())
    touched = np.unique(tree.query(boxes, predicate="intersects")[0])
    return [tiles[n] for n in touched]


def _bounds(tile: Tile, geobox: GeoBox) -> tuple[float, float, float, float]:
    rows, columns = tile.window(geobox.shape)
    west, north = geobox.transform * (columns.start, rows.start)
    east, south = geobox.transform * (columns.stop, rows.stop)
    return west, south, east, north


class TiledArray(BackendArray):
    """A raster that reads what is wanted of it tile by tile, and keeps nothing.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the whole raster.
    dtype : type
        Type of its values.
    empty : object
        Value where there is no tile.
    tiles : sequence of Tile
        The tiles there are.
    read : callable
        Returns the values of one tile.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        dtype: type[np.generic],
        empty: object,
        tiles: Sequence[Tile],
        read: Callable[[Tile], NDArray[Any]],
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._empty = empty
        self._tiles = frozenset(tiles)
        self._read = read

    def __getitem__(self, key: indexing.ExplicitIndexer) -> NDArray[Any]:
        """Return the values that a key selects, as xarray requires."""
        if isinstance(key, indexing.BasicIndexer):  # xarray stumbles over empty backward slices
            return self._window(key.tuple)
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._window
        )

    def _window(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Return a window, its steps taken at the end."""
        spans: list[slice] = []
        steps: list[slice | int] = []
        for part, length in zip(key, self.shape, strict=True):
            if isinstance(part, slice):
                chosen = range(length)[part]
                low, high = (min(chosen), max(chosen) + 1) if len(chosen) else (0, 0)
                spans.append(slice(low, high))
                steps.append(slice(None, None, chosen.step))
            else:
                place = range(length)[part]
                spans.append(slice(place, place + 1))
                steps.append(0)
        return self._assembled(*spans)[tuple(steps)]

    def _assembled(self, rows: slice, columns: slice) -> NDArray[Any]:
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        values = np.full(shape, self._empty, self.dtype)
        wanted = [
            tile
            for row in range(rows.start // TILE, -(-rows.stop // TILE))
            for column in range(columns.start // TILE, -(-columns.stop // TILE))
            if (tile := Tile(row, column)) in self._tiles
        ]

        def put(tile: Tile) -> None:
            own_rows, own_columns = tile.window(self.shape)
            top, bottom = max(rows.start, own_rows.start), min(rows.stop, own_rows.stop)
            left, right = max(columns.start, own_columns.start), min(columns.stop, own_columns.stop)
            here = self._read(tile)[
                top - own_rows.start : bottom - own_rows.start,
                left - own_columns.start : right - own_columns.start,
            ]
            values[
                top - rows.start : bottom - rows.start, left - columns.start : right - columns.start
            ] = here

        if len(wanted) < 2:
            for tile in wanted:
                put(tile)
        else:
            with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
                list(threads.map(put, wanted))
        return values
