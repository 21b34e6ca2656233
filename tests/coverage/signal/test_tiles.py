"""Tiles: those the villages touch, and arrays that read like numpy's, from few of them."""

import threading

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings, strategies as st
from shapely import box
from xarray.core import indexing

from ankang_coverage.coverage.signal.tiles import TILE, Tile, TiledArray, tiles_of

SHAPE = (2 * TILE + 40, 3 * TILE + 1)
THERE = [Tile(0, 0), Tile(0, 3), Tile(1, 1), Tile(2, 2)]


class Source:
    """A raster that notes which of its tiles are read."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.whole = np.full(SHAPE, np.nan, np.float32)
        for tile in THERE:
            window = tile.window(SHAPE)
            part = self.whole[window]
            self.whole[window] = rng.normal(size=part.shape)
        self.read_tiles = []
        self._lock = threading.Lock()

    def read(self, tile):
        with self._lock:
            self.read_tiles.append(tile)
        return self.whole[tile.window(SHAPE)]

    @property
    def lazy(self):
        array = TiledArray(SHAPE, np.float32, np.nan, THERE, self.read)
        return xr.DataArray(xr.Variable(("y", "x"), indexing.LazilyIndexedArray(array)))


SOURCE = Source()


def indices(length):
    whole = st.integers(-length, length - 1)
    # Farther to the left, xarray itself takes a backward slice for another one.
    edge = st.none() | st.integers(-length, length + 5)
    steps = st.sampled_from([None, 1, 2, 3, 17, TILE, TILE + 1, -1, -2, -19, -TILE])
    return whole | st.builds(slice, edge, edge, steps)


@given(indices(SHAPE[0]), indices(SHAPE[1]))
@settings(max_examples=150)
def test_basic_indexing_is_numpys(rows, columns):
    found = SOURCE.lazy[rows, columns].to_numpy()
    expected = SOURCE.whole[rows, columns]
    assert found.dtype == np.float32
    assert np.array_equal(found, expected, equal_nan=True)


@given(indices(SHAPE[0]), indices(SHAPE[1]), st.integers(1, 5), st.integers(-7, 7).filter(bool))
@settings(max_examples=60)
def test_windows_of_windows_are_numpys(rows, columns, offset, step):
    found, expected = SOURCE.lazy[rows, columns], SOURCE.whole[rows, columns]
    if not expected.ndim:
        return
    assert np.array_equal(found[offset::step].to_numpy(), expected[offset::step], equal_nan=True)


@given(
    st.lists(st.integers(-SHAPE[0], SHAPE[0] - 1), max_size=6),
    st.lists(st.integers(-SHAPE[1], SHAPE[1] - 1), max_size=6),
)
@settings(max_examples=40)
def test_lists_of_rows_and_columns_are_numpys(rows, columns):
    found = SOURCE.lazy[np.array(rows, int), np.array(columns, int)].to_numpy()
    expected = SOURCE.whole[np.ix_(np.array(rows, int), np.array(columns, int))]
    assert np.array_equal(found, expected, equal_nan=True)
    if len(rows) == len(columns):
        points = SOURCE.lazy[xr.DataArray(np.array(rows, int), dims="p"),
                             xr.DataArray(np.array(columns, int), dims="p")].to_numpy()  # fmt: skip
        assert np.array_equal(
            points, SOURCE.whole[np.array(rows, int), np.array(columns, int)], equal_nan=True
        )


def test_a_mask_and_a_reduction_are_numpys():
    mask = np.random.default_rng(1).random(SHAPE[0]) < 0.1
    assert np.array_equal(SOURCE.lazy[mask].to_numpy(), SOURCE.whole[mask], equal_nan=True)
    assert float(SOURCE.lazy.sum()) == pytest.approx(float(np.nansum(SOURCE.whole)), rel=1e-4)


@pytest.mark.parametrize(
    ("window", "tiles"),
    [
        (np.s_[10:20, 10:20], [Tile(0, 0)]),
        (np.s_[TILE - 1, 0], [Tile(0, 0)]),
        (np.s_[TILE, TILE], [Tile(1, 1)]),
        (np.s_[0:TILE, TILE : 2 * TILE], []),
        (np.s_[0:TILE, -1], [Tile(0, 3)]),
        (np.s_[0:0, :], []),
        (np.s_[:, :], THERE),
        (np.s_[TILE - 1 : TILE + 1, TILE - 1 : TILE + 1], [Tile(0, 0), Tile(1, 1)]),
    ],
)
def test_a_window_reads_the_tiles_it_touches_once_each(window, tiles):
    source = Source()
    lazy = source.lazy
    assert source.read_tiles == []
    part = lazy[window]
    assert source.read_tiles == []
    part.to_numpy()
    assert sorted(source.read_tiles) == sorted(tiles)


def test_a_raster_too_large_for_memory_opens_and_gives_a_window():
    shape = (10**7, 10**7)
    array = TiledArray(
        shape, np.float32, np.nan, [Tile(1000, 1000)], lambda _: np.ones((TILE, TILE), np.float32)
    )
    lazy = xr.DataArray(xr.Variable(("y", "x"), indexing.LazilyIndexedArray(array)))
    corner = 1000 * TILE
    part = lazy[corner - 2 : corner + 2, corner - 2 : corner + 2].to_numpy()
    assert np.nansum(part) == 4
    assert np.isnan(part[:2]).all()


@pytest.mark.parametrize("seed", range(4))
def test_tiles_are_those_that_villages_touch(make_region, seed):
    rng = np.random.default_rng(seed)
    villages = []
    for _ in range(3):
        w, n = rng.uniform(0.0, 0.9, 2)
        villages.append((w, n, w + rng.uniform(0.01, 0.1), n + rng.uniform(0.01, 0.1)))
    region = make_region((700, 900), 30.0, villages=villages)
    t = region.geobox.transform
    expected = []
    for row in range(3):
        for column in range(4):
            rows, columns = Tile(row, column).window((700, 900))
            tile = box(*(t * (columns.start, rows.stop)), *(t * (columns.stop, rows.start)))
            if region.villages.geometry.intersects(tile).any():
                expected.append(Tile(row, column))
    assert tiles_of(region) == expected
    assert 0 < len(expected) < 12


def test_the_last_tile_ends_with_the_grid():
    assert Tile(2, 3).window(SHAPE) == (slice(2 * TILE, SHAPE[0]), slice(3 * TILE, SHAPE[1]))
