"""A region made ready for predictions: one ground, one path loss a mast."""

import dataclasses
from importlib.resources import files

import numpy as np
import pytest
from builders import RMA

from ankang_coverage.coverage import Predictor, Propagation, Store, Work, predict
from ankang_coverage.coverage.signal.cells import cells_of_network
from ankang_coverage.coverage.signal.tiles import Tile
from ankang_coverage.errors import RasterError
from ankang_coverage.propagation.models import over_terrain
from ankang_coverage.region.land_cover import LandCoverTable

NEAR = Propagation(radius_m=3000.0, micro_radius_m=3000.0)


def test_what_is_computed_together_is_traced_once_a_mast_and_found(
    small_region, small_network, tmp_path, monkeypatch
):
    """A, B and C with band 8, and A with n28 too: three masts in all."""
    traced = []
    sweep = over_terrain.sweep
    monkeypatch.setattr(
        over_terrain,
        "sweep",
        lambda *a, **k: traced.append(k["frequency_mhz"]) or sweep(*a, **k),
    )
    asked = [(small_network, ["lte-b8"]), (small_network, ["nr-n28"])]
    store = Store(tmp_path)
    Predictor(small_region, NEAR, Work(store)).prepare(asked)
    assert sorted(map(len, traced)) == [1, 1, 2]
    for layer in ("lte-b8", "nr-n28"):
        found = predict(small_region, small_network, layer, propagation=NEAR, work=Work(store))
        alone = predict(
            small_region,
            small_network,
            layer,
            propagation=NEAR,
            work=Work(Store(tmp_path / "other")),
        )
        assert np.array_equal(found["rsrp_dbm"], alone["rsrp_dbm"], equal_nan=True)
        assert found.to_dataset().attrs == alone.to_dataset().attrs
    assert len(traced) == 3 + 3 + 1


@pytest.fixture
def predictor(small_region, store):
    return Predictor(small_region, RMA, Work(store))


def test_the_ground_is_made_once_and_put_into_the_store(predictor, store):
    assert predictor.ground is predictor.ground
    assert store.info().n_files["ground"] == 0  # made, and not kept yet
    digest = predictor.losses.ground_digest
    assert store.info().n_files["ground"] == 3
    assert np.array_equal(store.read_ground(digest).elevation_m, predictor.ground.elevation_m)
    assert predictor.losses is predictor.losses
    assert predictor.shape == (60, 60)
    assert predictor.tiles == (Tile(0, 0),)


def test_a_table_of_land_cover_of_ones_own_is_that_of_the_ground(small_region, store, tmp_path):
    table = LandCoverTable.default()
    path = tmp_path / "cover.csv"
    text = (files("ankang_coverage.region") / "land_cover.csv").read_text("utf-8")
    path.write_text(text, "utf-8")
    settings = Propagation(land_cover_table=path)
    assert Predictor(small_region, settings, Work(store)).ground.table == table


def test_a_model_over_terrain_needs_some(small_region, store):
    unknown = small_region.rasters["elevation_m"] * np.nan
    flat = dataclasses.replace(
        small_region, rasters=small_region.rasters.assign(elevation_m=unknown)
    )
    with pytest.raises(RasterError, match="needs terrain and the region has none"):
        _ = Predictor(flat, NEAR, Work(store)).ground
    assert Predictor(flat, RMA, Work(store)).ground.terrain == "none"


def test_what_is_prepared_is_not_computed_again(predictor, small_network, written):
    predictor.prepare([(small_network, ["lte-b8"]), (small_network, ["nr-n28"])])
    assert (len(written["loss"]), len(written["tiles"])) == (4, 0)
    predictor.prepare([(small_network, ["lte-b8", "nr-n28"])])
    predict(predictor.region, small_network, "4g", propagation=RMA, work=predictor.work)
    assert (len(written["loss"]), len(written["tiles"])) == (4, 1)


def test_counts_of_a_path_loss_are_looked_up_once(predictor, small_network, monkeypatch):
    cells = cells_of_network(small_network, ["lte-b8"], predictor.ground.geobox)
    masts, n_off_terrain = predictor.masts(cells, small_network.catalogue)
    assert n_off_terrain == 0
    wanted = [mast.wanted for mast in masts["lte-b8"]]
    predictor.compute_losses(dict.fromkeys(wanted, "A"))
    asked = []
    tags = Store.tags
    monkeypatch.setattr(Store, "tags", lambda self, key: asked.append(key) or tags(self, key))
    own = [predictor.counts(each) for each in wanted]
    assert asked == []  # they came back with what was computed
    again = Predictor(predictor.region, RMA, predictor.work)
    assert [again.counts(each) for each in wanted] == own
    assert [again.counts(each) for each in wanted] == own
    assert asked == [each.key for each in wanted]
