"""Synthetic terrain: its range, its rivers, and whether it looks like mountains."""

import numpy as np
import pytest
from odc.geo.geobox import GeoBox
from scipy import ndimage

from ankang_coverage.datasets.facts import CRS, county_facts, seat_facts
from ankang_coverage.datasets.rivers import HAN, RIVERS, winding_course
from ankang_coverage.datasets.terrain import synthetic_terrain
from ankang_coverage.region import grid_around

PIXEL_M = 450.0


@pytest.fixture(scope="module")
def grid() -> GeoBox:
    return grid_around(county_facts(), PIXEL_M, 6_000.0)


@pytest.fixture(scope="module")
def terrain(grid):
    return synthetic_terrain(grid, 7)


def heights_at(elevation, grid, x, y):
    column = ((np.asarray(x) - grid.transform.c) / PIXEL_M).astype(int)
    row = ((grid.transform.f - np.asarray(y)) / PIXEL_M).astype(int)
    return elevation[row, column]


def test_range_of_heights(terrain):
    assert terrain.elevation_m.dtype == np.float32
    assert terrain.elevation_m.min() == 170.0
    assert terrain.elevation_m.max() == pytest.approx(2_965.0, abs=0.01)


def test_same_seed_same_bytes_other_seed_other_mountains(grid, terrain):
    again = synthetic_terrain(grid, 7)
    assert again.elevation_m.tobytes() == terrain.elevation_m.tobytes()
    assert again.water.tobytes() == terrain.water.tobytes()
    assert (synthetic_terrain(grid, 8).elevation_m != terrain.elevation_m).mean() > 0.9


@pytest.mark.parametrize("river", RIVERS, ids=lambda river: river.name)
def test_given_floors_fall_downstream(river):
    course = winding_course(river, np.random.default_rng(1), CRS)
    assert (np.diff(course[:, 2]) <= 0).all()


def test_the_han_never_rises_from_seat_to_seat(terrain, grid):
    seats = seat_facts()
    along = ["610922", "610924", "610902", "610981", "610929"]  # 石泉 … 白河
    heights = heights_at(terrain.elevation_m, grid, seats[along].x, seats[along].y)
    assert (np.diff(heights) < 0).all()
    assert heights == pytest.approx([370, 322, 242, 211, 172], abs=15)
    # Between them, along the course that the same seed draws.
    course = winding_course(HAN, np.random.default_rng([7, 1]), CRS)
    inside = (course[:, 0] > grid.transform.c) & (
        course[:, 0] < grid.transform.c + grid.shape[1] * PIXEL_M
    )
    lowest = ndimage.minimum_filter(terrain.elevation_m, 3)  # the course may cut a pixel's corner
    floor = heights_at(lowest, grid, *course[inside, :2].T)
    assert floor == pytest.approx(course[inside, 2], abs=8)


def test_every_seat_lies_low_in_its_surroundings(terrain, grid):
    size = round(10_000 / PIXEL_M)
    higher = ndimage.percentile_filter(terrain.elevation_m, 15, size=size)
    seats = seat_facts()
    assert (
        heights_at(terrain.elevation_m, grid, seats.x, seats.y)
        <= heights_at(higher, grid, seats.x, seats.y)
    ).all()


def test_mountains_stand_north_and_south_of_the_han(terrain):
    by_row = terrain.elevation_m.mean(axis=1)
    latitude_33_6, latitude_32_7, latitude_32_0 = 60, 285, 460
    assert by_row[latitude_33_6] > by_row[latitude_32_7] + 300
    assert by_row[latitude_32_0] > by_row[latitude_32_7] + 300


def test_no_pits_above_the_rivers(terrain):
    """Water finds its way: only smoothing of ridges may close a few pixels in."""
    elevation = terrain.elevation_m
    lowest_round = ndimage.minimum_filter(
        elevation, footprint=np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool), mode="nearest"
    )
    pits = (elevation < lowest_round) & ~terrain.water
    assert pits[1:-1, 1:-1].mean() < 0.002


def test_the_relief_is_that_of_the_real_land(terrain, shared):
    """Relief in 5 km windows against the real terrain (15 arc-seconds, ±15 m steps)."""
    import rasterio

    with rasterio.open(shared / "data/ankang/dem15s/ankang_dem15s_wgs84.tif") as file:
        real = file.read(1)[60:-60, 90:-90].astype(float)

    def relief(heights, size):
        return ndimage.maximum_filter(heights, size) - ndimage.minimum_filter(heights, size)

    made = np.percentile(relief(terrain.elevation_m, 11), [25, 50, 75])
    truth = np.percentile(relief(real, (11, 13)), [25, 50, 75])
    assert made == pytest.approx(truth, rel=0.25)
