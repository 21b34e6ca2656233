"""One mast's window: geometry, clamping and free space as the floor."""

from dataclasses import replace

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage import Propagation
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.path_loss import Mast, mast_losses, window
from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.free_space import free_space_loss
from ankang_coverage.propagation.tr38901 import rma_loss
from ankang_coverage.region import LandCoverTable

GRID = GeoBox.from_bbox((500_040, 3_600_000, 509_040, 3_609_000), "EPSG:32649", resolution=90)
X, Y = 504_512.0, 3_604_391.0
TABLE = LandCoverTable.default()
BARE = Ground(
    geobox=GRID,
    terrain="none",
    elevation_m=np.full(GRID.shape, np.nan, np.float32),
    land_cover="default class",
    class_index=np.zeros(GRID.shape, np.uint8),
    table=TABLE,
    class_height_m=TABLE.height_m,
)


def mast_loss(height_m, frequency_mhz, ground=BARE, **settings):
    propagation = Propagation(**{"model": "rma", "radius_m": 5000.0, **settings})
    mast = Mast(X, Y, height_m, propagation.radius_m)
    return mast_losses(ground, mast, [frequency_mhz], propagation)[frequency_mhz]


def centres():
    x = 500_040 + 90 * (np.arange(100) + 0.5)
    y = 3_609_000 - 90 * (np.arange(100) + 0.5)
    return np.meshgrid(x, y)


def test_window_holds_every_pixel_within_the_radius_and_no_needless_row():
    rows, columns = window(GRID, X, Y, 1234.0)
    x, y = centres()
    within = np.hypot(x - X, y - Y) <= 1234.0
    outside = within.copy()
    outside[rows, columns] = False
    assert not outside.any()
    assert (abs(y[rows, columns] - Y) <= 1234.0).all()
    assert (abs(x[rows, columns] - X) <= 1234.0).all()


@pytest.mark.parametrize(
    ("x", "y"), [(500_010.0, 3_608_990.0), (499_000.0, 3_600_000.0), (1e6, 1e6)]
)
def test_window_ends_at_the_grid(x, y):
    rows, columns = window(GRID, x, y, 3000.0)
    assert 0 <= rows.start <= rows.stop <= 100
    assert 0 <= columns.start <= columns.stop <= 100


def test_loss_and_direction_are_those_of_each_pixel_centre():
    mast = mast_loss(35.0, 941.5, radius_m=4000.0)
    x, y = (values[mast.rows, mast.columns] for values in centres())
    distance = np.hypot(x - X, y - Y)
    assert np.array_equal(np.isnan(mast.loss_db), distance > 4000.0)
    inside = (distance <= 4000.0) & (distance >= 10.0)
    assert mast.loss_db[inside] == pytest.approx(
        rma_loss(distance[inside], 941.5, 35.0, 1.5), abs=1e-4
    )
    bearing = np.degrees(np.arctan2(x - X, y - Y)) % 360
    assert mast.azimuth_deg == pytest.approx(bearing, abs=1e-3)
    down = np.degrees(np.arctan2(33.5, distance))
    assert mast.elevation_deg[distance > 1] == pytest.approx(-down[distance > 1], abs=1e-3)


def test_pixels_beyond_the_model_are_clamped_and_counted():
    mast = mast_loss(35.0, 941.5, radius_m=6000.0)
    x, y = (values[mast.rows, mast.columns] for values in centres())
    distance = np.hypot(x - X, y - Y)
    beyond = (distance > 5000.0) & (distance <= 6000.0)
    assert mast.n_clamped == np.count_nonzero(beyond | (distance < 10.0))
    assert np.unique(mast.loss_db[beyond]) == pytest.approx(
        rma_loss(5000.0, 941.5, 35.0, 1.5), abs=1e-3
    )


def test_a_mast_lower_than_the_model_allows_is_clamped_and_counted():
    low = mast_loss(12.0, 941.5, model="okumura-hata")
    lowest = mast_loss(30.0, 941.5, model="okumura-hata")
    assert np.array_equal(low.loss_db, lowest.loss_db, equal_nan=True)
    assert low.n_clamped == np.count_nonzero(~np.isnan(low.loss_db)) > lowest.n_clamped


@pytest.mark.parametrize("model", ["rma", "uma", "okumura-hata", "free-space"])
def test_loss_is_never_below_free_space(model):
    mast = mast_loss(35.0, 941.5, model=model, radius_m=4500.0)
    x, y = (values[mast.rows, mast.columns] for values in centres())
    slant = np.hypot(np.hypot(x - X, y - Y), 33.5)
    known = ~np.isnan(mast.loss_db)
    assert (mast.loss_db[known] >= free_space_loss(slant[known], 941.5) - 1e-3).all()


def test_a_wall_is_the_obstacle_of_what_it_hides():
    elevation = np.full(GRID.shape, 300.0, np.float32)
    wall = 60  # column of the wall, east of the mast; its far side is hidden
    elevation[:, wall] = 600.0
    elevation[:10, :] = np.nan
    ground = replace(BARE, terrain="dtm", elevation_m=elevation, class_height_m=TABLE.height_m * 0)
    for model in ("p1812", "delta-bullington", "spm", "itm"):
        mast = mast_loss(30.0, 941.5, ground, model=model, radius_m=4400.0)
        x, y = (values[mast.rows, mast.columns] for values in centres())
        known = np.isfinite(mast.loss_db)
        assert mast.obstacle_distance_m.dtype == np.float32
        assert not mast.obstacle_distance_m[~known].any()
        hidden = known & (x > 500_040 + 90 * (wall + 1))
        sight = known & (x < 500_040 + 90 * wall)
        assert not mast.obstacle_distance_m[sight].any()
        east = mast.obstacle_distance_m * (x - X) / np.hypot(x - X, y - Y)
        assert east[hidden] == pytest.approx(500_040 + 90 * (wall + 0.5) - X, abs=90.0)


def test_models_by_distance_know_no_obstacle():
    mast = mast_loss(35.0, 941.5)
    assert mast.obstacle_distance_m.shape == mast.loss_db.shape
    assert not mast.obstacle_distance_m.any()


def test_a_frequency_outside_the_models_range_is_refused():
    with pytest.raises(OutOfRangeError, match="frequency_mhz"):
        mast_loss(35.0, 1842.5, model="okumura-hata")
