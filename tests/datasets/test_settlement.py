"""Where people live: monotone in slope and height, crowded round centres."""

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from ankang_coverage.datasets.settlement import (
    BUILT,
    CROP,
    TREE,
    WATER,
    Centre,
    above_valley_m,
    crowd,
    habitability,
    land_cover,
    slope_deg,
)

PIXEL_M = 90.0
NONE = np.zeros((60, 60), bool)


def plane(degrees: float) -> np.ndarray:
    rise = np.tan(np.radians(degrees)) * PIXEL_M
    return (300.0 + rise * np.arange(60.0)[:, None] + np.zeros((60, 60))).astype(np.float32)


@pytest.mark.parametrize("degrees", [0.0, 5.0, 30.0])
def test_slope_of_a_plane(degrees):
    assert slope_deg(plane(degrees), PIXEL_M) == pytest.approx(np.full((60, 60), degrees), abs=1e-3)


def test_height_above_a_flat_valley():
    ground = np.full((60, 60), 300.0, np.float32)
    ground[30, 30] = 420.0
    above = above_valley_m(ground, PIXEL_M)
    assert above[30, 30] == pytest.approx(120.0)
    assert above[0, 0] == 0.0


def test_people_prefer_low_gentle_dry_ground():
    flat, gentle, steep = (habitability(plane(d), NONE, PIXEL_M)[30, 30] for d in (0, 8, 30))
    assert flat > gentle > steep > 0
    high = habitability(plane(0) + np.float32(1_500), NONE, PIXEL_M)[30, 30]
    assert high < flat / 5
    assert (habitability(plane(0), ~NONE, PIXEL_M) == 0).all()
    unknown = plane(0)
    unknown[3, 4] = np.nan
    ground = habitability(unknown, NONE, PIXEL_M)
    assert ground[3, 4] == 0
    assert np.isfinite(ground).all()


def test_crowd_is_a_bell_round_each_centre():
    grid = GeoBox.from_bbox((0, 0, 5_400, 5_400), crs="EPSG:32649", resolution=PIXEL_M)
    ground = np.ones((60, 60), np.float32)
    centre = Centre(x=30.5 * PIXEL_M, y=5_400 - 20.5 * PIXEL_M, draw=9.0, reach_m=300.0)
    crowded = crowd(ground, grid, [centre])
    assert np.unravel_index(crowded.argmax(), crowded.shape) == (20, 30)
    assert crowded[20, 30] == pytest.approx(10.0)
    away = 1 + 9 * np.exp(-((5 * PIXEL_M / 300.0) ** 2) / 2)
    assert crowded[20, 35] == pytest.approx(away, rel=1e-5)
    assert (ground == 1).all(), "the argument is left alone"


def test_land_cover_follows_ground_people_and_water():
    people = np.zeros((60, 60), np.float32)
    people[10, 10] = 100.0
    water = NONE.copy()
    water[20] = True
    low = land_cover(plane(0), water, people, PIXEL_M, 1)
    assert low[10, 10] == BUILT
    assert (low[20] == WATER).all()
    assert (low[30:] == CROP).mean() > 0.9
    steep = land_cover(plane(35), NONE, np.zeros_like(people), PIXEL_M, 1)
    assert (steep[5:25] == TREE).mean() > 0.8
    unknown = plane(0)
    unknown[:5] = np.nan
    assert (land_cover(unknown, NONE, people, PIXEL_M, 1)[:5] == 0).all()
