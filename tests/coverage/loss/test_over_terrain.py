"""Coverage over terrain: the sweep reaches the pixels, mountains block, gaps stay gaps."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pytest

from ankang_coverage.coverage import Propagation, Work, predict
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.path_loss import Mast, mast_losses
from ankang_coverage.errors import NetworkError, OutOfRangeError, RasterError
from ankang_coverage.propagation import p1812_loss
from ankang_coverage.propagation.free_space import free_space_loss
from ankang_coverage.propagation.hata import okumura_hata_loss
from ankang_coverage.region import as_raster, profile_along
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import service

MODELS = ("p1812", "delta-bullington", "spm", "itm")
NEAR = Propagation(radius_m=3000.0, micro_radius_m=3000.0)


def with_rasters(region, **values):
    rasters = {name: as_raster(value, region.geobox, name) for name, value in values.items()}
    return dataclasses.replace(region, rasters=region.rasters.assign(rasters))


@pytest.fixture(scope="module")
def ridge(small_region):
    """A plain of grass with a wall of 200 m running north to south through its middle."""
    height = np.zeros(small_region.geobox.shape)
    height[:, 29:31] = 200.0
    return with_rasters(small_region, elevation_m=height, land_cover=np.full(height.shape, 30))


def west_of_the_wall(region, settings, frequency=941.5):
    west, _, _, north = region.geobox.boundingbox.bbox
    mast = Mast(west + 1525.0, north - 2735.0, 35.0, settings.radius_m)
    return mast_losses(Ground.of(region), mast, [frequency], settings)[frequency]


@pytest.mark.parametrize("model", MODELS)
def test_a_wall_shades_what_lies_behind_it(ridge, model):
    loss = west_of_the_wall(ridge, Propagation(model=model, radius_m=3000.0))
    row = 30 - loss.rows.start
    before, behind = (
        loss.loss_db[row, 26 - loss.columns.start],
        loss.loss_db[row, 40 - loss.columns.start],
    )
    assert behind - before > 20.0


@pytest.mark.parametrize("model", MODELS)
def test_loss_is_at_least_that_of_free_space_within_the_radius_only(small_region, model):
    loss = west_of_the_wall(small_region, Propagation(model=model, radius_m=2500.0))
    t = small_region.geobox.transform
    x = t.c + t.a * (np.arange(loss.columns.start, loss.columns.stop) + 0.5)
    y = t.f + t.e * (np.arange(loss.rows.start, loss.rows.stop) + 0.5)
    west, _, _, north = small_region.geobox.boundingbox.bbox
    distance = np.hypot(x[None, :] - west - 1525.0, y[:, None] - north + 2735.0)
    assert np.array_equal(np.isnan(loss.loss_db), distance > 2500.0)
    known = distance <= 2500.0
    free = free_space_loss(np.maximum(distance[known], 1.0), 941.5)
    assert (loss.loss_db[known] >= free - 1e-3).all()


def test_p1812_agrees_with_the_exact_path_to_single_pixels(small_region):
    """Over grass, against paths straight to the pixel by the module that follows the text."""
    grass = np.full(small_region.geobox.shape, 30)
    small_region = with_rasters(small_region, land_cover=grass)
    loss = west_of_the_wall(small_region, NEAR)
    ground, table = Ground.of(small_region), Ground.of(small_region).table
    west, _, _, north = small_region.geobox.boundingbox.bbox
    t = small_region.geobox.transform
    rng = np.random.default_rng(4)
    errors = []
    for row, column in rng.integers(2, 58, (60, 2)):
        x, y = t.c + t.a * (column + 0.5), t.f + t.e * (row + 0.5)
        if not 600.0 < np.hypot(x - west - 1525.0, y - north + 2735.0) < 2900.0:
            continue
        ends = gpd.GeoSeries.from_xy([west + 1525.0, x], [north - 2735.0, y], crs=32649).to_crs(
            4326
        )
        path = profile_along(small_region, *((p.x, p.y) for p in ends))
        exact = (
            p1812_loss(
                path.distance_m / 1e3,
                path.ground_m,
                path.clutter_height_m,
                frequency_mhz=941.5,
                transmitter_height_m=35.0,
                receiver_height_m=1.5,
                latitude_deg=ground.latitude_deg,
            ).lb_db
            + table.terminal_loss_db(941.5)[path.class_index[-1]]
        )
        errors.append(loss.loss_db[row - loss.rows.start, column - loss.columns.start] - exact)
    assert len(errors) > 25
    assert abs(np.mean(errors)) < 0.3
    assert np.sqrt(np.mean(np.square(errors))) < 1.0


def test_frequencies_share_a_sweep_without_mixing(small_region):
    west, _, _, north = small_region.geobox.boundingbox.bbox
    mast = Mast(west + 1525.0, north - 2735.0, 35.0, 3000.0)
    ground = Ground.of(small_region)
    together = mast_losses(ground, mast, [941.5, 1842.5], NEAR)
    for frequency in (941.5, 1842.5):
        alone = mast_losses(ground, mast, [frequency], NEAR)[frequency]
        assert np.array_equal(together[frequency].loss_db, alone.loss_db, equal_nan=True)


def test_threads_do_not_change_a_bit(small_region, small_network):
    alone = predict(small_region, small_network, "4g", propagation=NEAR)
    with ThreadPoolExecutor(8) as many:
        shared = predict(
            small_region, small_network, "4g", propagation=NEAR, work=Work(executor=many)
        )
    assert alone.to_dataset().identical(shared.to_dataset())
    assert alone.terrain == "dtm"
    assert alone.land_cover == "classes"


def test_adding_sites_equals_predicting_all_at_once(small_region, small_network):
    first, rest = small_network.with_sites(["B"]), small_network.with_sites(["A", "C"])
    together = predict(small_region, first.plus(rest), "4g", propagation=NEAR)
    grown = predict(small_region, first, "4g", propagation=NEAR).add(rest)
    assert together.to_dataset().identical(grown.to_dataset())


def test_mountains_cost_coverage(ridge, small_network):
    flat = with_rasters(ridge, elevation_m=np.zeros(ridge.geobox.shape))
    rule = [
        predict(r, small_network, "4g", propagation=NEAR).covered.to_numpy().sum()
        for r in (flat, ridge)
    ]
    assert rule[1] < rule[0]


def share_covered(region, network, layer="lte-b8"):
    stricter = service("4g").model_copy(
        update={"radio_layers": (layer,), "rsrp_threshold_dbm": -90.0}
    )
    return predict(region, network, stricter, propagation=NEAR).covered.to_numpy().mean()


def test_height_frequency_and_clutter_move_coverage_as_a_planner_expects(
    small_region, small_network
):
    def at(height_m):
        cells = small_network.cells.assign(height_m=height_m)
        return dataclasses.replace(small_network, cells=cells)

    shares = [share_covered(small_region, at(height)) for height in (10.0, 25.0, 60.0)]
    assert shares[0] < shares[1] < shares[2]

    def with_layer(layer):
        """The same power and antenna on another frequency."""
        return dataclasses.replace(
            small_network, cells=small_network.cells.assign(radio_layer=layer)
        )

    by_layer = [share_covered(small_region, with_layer(x), x) for x in ("lte-b8", "lte-b3")]
    assert by_layer[1] < by_layer[0]

    shape = small_region.geobox.shape
    by_class = [
        share_covered(with_rasters(small_region, land_cover=np.full(shape, code)), small_network)
        for code in (30, 40, 10)  # grass, crops, trees
    ]
    assert by_class[2] < by_class[1] < by_class[0]


def test_unknown_terrain_is_no_signal_and_counted(small_region, small_network):
    height = small_region.rasters["elevation_m"].to_numpy().copy()
    height[:, 45:] = np.nan  # C and beyond
    torn = with_rasters(small_region, elevation_m=height)
    coverage = predict(torn, small_network, "4g", propagation=NEAR)
    assert np.isnan(coverage["rsrp_dbm"].to_numpy()[:, 46:]).all()
    assert coverage.counts["n_off_terrain"] == 1
    assert coverage.counts["n_without_terrain"] > 0


def test_wrong_input_is_named(small_region, small_network):
    blind = with_rasters(small_region, elevation_m=np.full(small_region.geobox.shape, np.nan))
    with pytest.raises(RasterError, match="'p1812' needs terrain and the region has none"):
        predict(blind, small_network, "4g")
    far = Network(
        sites=small_network.sites.set_geometry(small_network.sites.translate(90_000, 0)),
        cells=small_network.cells,
        rejected=small_network.rejected,
    )
    with pytest.raises(NetworkError, match="none of 3 sites reaches region small"):
        predict(small_region, far, "4g")
    with pytest.raises(OutOfRangeError, match="frequency"):
        west_of_the_wall(small_region, NEAR, frequency=30_000.0)


@pytest.mark.parametrize("model", MODELS)
def test_beside_unknown_ground_every_model_answers(small_region, model):
    """Profiles that touch the gap take the nearest height, and what crosses it is no signal."""
    height = small_region.rasters["elevation_m"].to_numpy().copy()
    height[:, 30:32] = np.nan
    torn = with_rasters(small_region, elevation_m=height)
    loss = west_of_the_wall(torn, Propagation(model=model, radius_m=3000.0))
    known = np.isfinite(loss.loss_db)
    assert known[:, : 30 - loss.columns.start].any()
    assert not known[:, 30 - loss.columns.start :].any()
    assert loss.n_without_terrain > 0


@pytest.mark.parametrize(("east", "south"), [(10.0, 1500.0), (5399.0, 1500.0), (1500.0, 20.0)])
def test_a_mast_on_the_rim_of_the_rasters_is_counted_and_stops_nothing(
    small_region, small_network, east, south
):
    """Beyond the centres of the outermost pixels nothing can be interpolated."""
    west, _, _, north = small_region.geobox.boundingbox.bbox
    points = small_network.sites.geometry.copy()
    points["C"] = gpd.points_from_xy([west + east], [north - south])[0]
    moved = dataclasses.replace(small_network, sites=small_network.sites.set_geometry(points))
    coverage = predict(small_region, moved, "4g", propagation=NEAR)
    assert coverage.counts["n_off_terrain"] == 1
    assert coverage.covered.to_numpy().any()


def test_spm_over_open_plain_is_hata_for_open_country(ridge):
    """No obstacle, no loss by class: nothing may come on top."""
    plain = with_rasters(ridge, elevation_m=np.zeros(ridge.geobox.shape))
    loss = west_of_the_wall(plain, Propagation(model="spm", radius_m=3000.0))
    row = 30 - loss.rows.start
    t = plain.geobox.transform
    for column in (30, 40, 46):
        west, _, _, north = plain.geobox.boundingbox.bbox
        x, y = t.c + t.a * (column + 0.5) - west - 1525.0, t.f + t.e * 30.5 - north + 2735.0
        expected = okumura_hata_loss(np.hypot(x, y), 941.5, 35.0, 1.5, "open")
        found = loss.loss_db[row, column - loss.columns.start]
        assert found == pytest.approx(float(expected), abs=0.2)


def test_the_energy_leaves_towards_the_ridge(ridge):
    """Behind the wall a mast's antenna looks at its top, not down at the pixel."""
    loss = west_of_the_wall(ridge, NEAR)
    row = 30 - loss.rows.start
    behind = float(loss.elevation_deg[row, 40 - loss.columns.start])
    west = ridge.geobox.boundingbox.left
    t = ridge.geobox.transform
    to_wall = t.c + t.a * 29.5 - west - 1525.0
    assert behind == pytest.approx(np.degrees(np.arctan2(200.0 - 35.0, to_wall)), abs=0.5)
    before = float(loss.elevation_deg[row, 25 - loss.columns.start])
    assert before < 0.0


def test_short_range_is_counted_and_micro_sites_are_followed_less_far(small_region, small_network):
    near = predict(
        small_region,
        small_network,
        "lte-b8",
        propagation=Propagation(radius_m=3000.0, micro_radius_m=1000.0),
    )
    assert near.counts["n_short_range"] > 0
    poles = dataclasses.replace(small_network, sites=small_network.sites.assign(kind="micro"))
    less = predict(
        small_region,
        poles,
        "lte-b8",
        propagation=Propagation(radius_m=3000.0, micro_radius_m=1000.0),
    )
    assert np.isfinite(less["rsrp_dbm"]).sum() < np.isfinite(near["rsrp_dbm"]).sum()


def test_settings_reach_the_model(small_region):
    usual = west_of_the_wall(small_region, NEAR).loss_db
    for change in ({"time_percent": 1.0}, {"delta_n": 80.0}):
        other = west_of_the_wall(small_region, NEAR.model_copy(update=change)).loss_db
        assert not np.array_equal(usual, other, equal_nan=True)
