"""One mast's window: geometry, clamping and free space as the floor."""

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage import Propagation, Store, predict
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.path_loss import Mast, mast_losses, window
from ankang_coverage.errors import OutOfRangeError, RasterError
from ankang_coverage.propagation import MODELS, DistanceModel, ModelRange, PathLossModel
from ankang_coverage.propagation.free_space import free_space_loss
from ankang_coverage.propagation.models import CalibrationTerm, PixelLoss
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


# A model of one's own --------------------------------------------------------------------------


@dataclass(frozen=True)
class LogDistance(DistanceModel):
    exponent: float = 3.5

    name = "log-distance"
    title_zh, title_en = "对数距离", "log distance"
    model_range = ModelRange("a test", (1.0, 1e5), (100.0, 6e3), (1.0, 500.0), (1.0, 10.0))

    def loss_db(self, paths):
        at_one_metre = free_space_loss(1.0, paths.frequency_mhz)
        return at_one_metre + 10.0 * self.exponent * np.log10(paths.distance_m)


@dataclass(frozen=True)
class Hollow(PathLossModel):
    """Returns too little."""

    returned: dict

    name = "hollow"
    title_zh, title_en = "空", "hollow"
    model_range = LogDistance.model_range
    looks_at_terrain = False
    terms = (CalibrationTerm("depth", 1.0),)

    def losses(self, around, conditions):
        del around, conditions
        return self.returned


def test_a_model_from_outside_the_package_predicts_a_region(small_region, small_network, tmp_path):
    propagation = Propagation(model=LogDistance(4.0), radius_m=4000.0)
    coverage = predict(
        small_region, small_network, "lte-b8", propagation=propagation, store=Store(tmp_path)
    )
    assert coverage.attrs["model"] == 'log-distance {"exponent": 4.0}'
    assert coverage.attrs["terrain"] == "none"
    mast = mast_loss(35.0, 941.5, model=LogDistance(4.0), radius_m=4000.0)
    x, y = (values[mast.rows, mast.columns] for values in centres())
    distance = np.hypot(x - X, y - Y)
    far = (distance > 500.0) & (distance <= 4000.0)
    expected = free_space_loss(1.0, 941.5) + 40.0 * np.log10(distance[far])
    assert mast.loss_db[far] == pytest.approx(expected, abs=1e-4)
    gentle = predict(
        small_region,
        small_network,
        "lte-b8",
        propagation=Propagation(model=LogDistance(3.0), radius_m=4000.0),
        store=Store(tmp_path),  # the same store: what was kept of the other exponent is not taken
    )
    assert float(gentle["rsrp_dbm"].mean()) > float(coverage["rsrp_dbm"].mean()) + 20.0


def test_a_model_of_ones_own_counts_in_the_key_by_parameters_and_version():
    @dataclass(frozen=True)
    class Second(LogDistance):
        version = 2

    keys = {
        Propagation(model=model).loss_settings(941.5)
        for model in ("rma", LogDistance(), LogDistance(4.0), Second())
    }
    assert len(keys) == 4


def test_settings_with_a_model_of_ones_own_travel_to_other_processes():
    propagation = Propagation(model=LogDistance(4.0))
    assert pickle.loads(pickle.dumps(propagation)) == propagation
    assert "log-distance" in propagation.model_dump_json()


def test_the_object_of_a_built_in_model_is_its_name():
    assert Propagation(model=MODELS["rma"]) == Propagation(model="rma")
    assert Propagation(model="rma").path_loss_model is MODELS["rma"]


@pytest.mark.parametrize("model", ["magic", 3, LogDistance])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(ValueError, match=r"no path-loss model .* choose one of p1812, "):
        Propagation(model=model)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({}, "at 941.5 MHz on a window of 100 × 100 pixels and returned nothing"),
        ({941.5: PixelLoss(np.zeros((3, 3)))}, r"returned an array of shape \(3, 3\)"),
        ({941.5: PixelLoss(np.zeros((100, 100)))}, r"returned no terms \['depth'\]"),
    ],
)
def test_a_model_that_returns_too_little_is_refused(returned, message):
    with pytest.raises(RasterError, match=message):
        mast_loss(35.0, 941.5, model=Hollow(returned), radius_m=50_000.0)
