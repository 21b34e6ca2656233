"""Path losses of masts: what names them, what is computed, and what is kept of it."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.loss_window import BEYOND
from ankang_coverage.coverage.loss.masts import COUNTED, Keys, PathLosses, missing
from ankang_coverage.coverage.loss.path_loss import Mast, Propagation, mast_losses
from ankang_coverage.coverage.signal.tiles import tiles_of
from ankang_coverage.errors import StoreError

MODEL = Propagation(model="free-space")
RADIUS_M = 1_000.0


@pytest.fixture
def losses(small_region, store):
    return PathLosses(store, store.write_ground(Ground.of(small_region)), MODEL)


def mast_on(ground, row=20, column=30, height_m=30.0, radius_m=RADIUS_M):
    return Mast(*(ground.geobox.transform * (column + 0.5, row + 0.5)), height_m, radius_m)


# Keys ---------------------------------------------------------------------------------------------


def test_the_same_inputs_have_the_same_key_and_others_another(small_region):
    ground = Ground.of(small_region)
    mast = mast_on(ground)
    terrain = Propagation(model="p1812")

    def key(mast=mast, frequency_mhz=941.5, ground=ground, propagation=MODEL):
        return Keys(ground, propagation).wanted(mast, frequency_mhz).key

    assert key() == key()
    others = {
        key(),
        key(mast=replace(mast, height_m=31.0)),
        key(mast=replace(mast, x_m=mast.x_m + 1.0)),
        key(mast=replace(mast, radius_m=1_100.0)),
        key(frequency_mhz=942.0),
        key(propagation=terrain),
        key(propagation=terrain.model_copy(update={"terminal_height_m": 2.0})),
        key(ground=replace(ground, terrain="dsm")),
        key(ground=replace(ground, geobox=ground.geobox.translate_pix(1, 0))),
    }
    assert len(others) == 9


def test_only_terrain_that_a_model_looks_at_near_the_mast_counts(make_region):
    ground = Ground.of(make_region((300, 300), 100.0))
    changed = {}
    for name, pixel in (("near", (20, 30)), ("far", (290, 290))):
        elevation = ground.elevation_m.copy()
        elevation[pixel] += 1.0
        changed[name] = replace(ground, elevation_m=elevation)
    mast = mast_on(ground)
    for model, counts in (("p1812", True), ("free-space", False)):
        keys = {
            name: Keys(one, Propagation(model=model)).wanted(mast, 941.5).key
            for name, one in {"as it was": ground, **changed}.items()
        }
        assert keys["far"] == keys["as it was"]
        assert (keys["near"] != keys["as it was"]) == counts


# What is computed ---------------------------------------------------------------------------------


def test_what_is_missing_comes_by_mast_with_all_its_frequencies(losses):
    keys = Keys(losses.ground, MODEL)
    first, second = (mast_on(losses.ground, row=row) for row in (20, 40))
    asked = [keys.wanted(mast, f) for f in (941.5, 1840.0) for mast in (first, second)]
    units = list(missing(losses.store, [*asked, *asked]))
    assert [[(w.mast, w.frequency_mhz) for w in unit] for unit in units] == [
        [(first, 941.5), (first, 1840.0)],
        [(second, 941.5), (second, 1840.0)],
    ]
    losses.compute([asked[0]])
    losses.compute(units[1])
    assert list(missing(losses.store, asked)) == [[asked[2]]]


def test_what_is_kept_is_the_path_loss_to_a_hundredth(losses):
    mast = mast_on(losses.ground, height_m=40.0)
    wanted = Keys(losses.ground, MODEL).wanted(mast, 941.5)
    counts = losses.compute([wanted])[wanted.key]
    exact = mast_losses(losses.ground, mast, [941.5], MODEL)[941.5]
    kept = losses.read(wanted)
    assert (kept.rows, kept.columns) == (exact.rows, exact.columns)
    known = np.isfinite(exact.loss_db)
    assert np.array_equal(kept.loss_cdb == BEYOND, ~known)
    assert kept.loss_cdb[known] / 100.0 == pytest.approx(exact.loss_db[known], abs=0.0051)
    assert kept.elevation_cdeg[known] / 100.0 == pytest.approx(
        exact.elevation_deg[known], abs=0.0051
    )
    assert counts == {name: getattr(exact, name) for name in COUNTED} == losses.counts(wanted)
    part = losses.read(wanted, slice(18, 23), slice(25, 40))
    assert np.array_equal(
        part.loss_cdb,
        kept.loss_cdb[18 - kept.rows.start : 23 - kept.rows.start][
            :, 25 - kept.columns.start : 40 - kept.columns.start
        ],
    )


def test_what_the_store_has_lost_is_computed_anew(losses, written):
    mast = mast_on(losses.ground)
    wanted = [Keys(losses.ground, MODEL).wanted(mast, f) for f in (941.5, 1840.0)]
    first = losses.of(wanted)
    assert len(written["loss"]) == 2
    for file in losses.store.folder.glob("loss/*/*.tif"):
        file.unlink()
    again = [losses.read(wanted[0]), losses.of(wanted)[1]]
    assert len(written["loss"]) == 4
    for one, other in zip(first, again, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.bands, other.bands, strict=True))
    for file in losses.store.folder.glob("loss/*/*.tif"):
        file.unlink()
    assert losses.counts(wanted[0])["n_without_terrain"] == 0
    assert len(written["loss"]) == 5


def test_a_store_that_keeps_nothing_is_named(losses, monkeypatch):
    monkeypatch.setattr(type(losses.store), "write_loss", lambda *_: None)
    wanted = Keys(losses.ground, MODEL).wanted(mast_on(losses.ground), 941.5)
    with pytest.raises(StoreError, match="does not keep what is written to it: check its disk"):
        losses.read(wanted)


# What travels -------------------------------------------------------------------------------------


def test_path_losses_travel_without_their_ground(store, small_region):
    ground = Ground.of(small_region)
    losses = PathLosses(store, store.write_ground(ground), Propagation(model="rma"))
    assert losses.ground is losses.ground
    parcel = pickle.dumps(losses)
    assert len(parcel) < 2000
    assert pickle.loads(parcel).ground_digest == losses.ground_digest


def test_where_losses_come_from_travels_without_its_rasters(make_region, store):
    region = make_region((1000, 1000), 30.0)
    losses = PathLosses(store, store.write_ground(Ground.of(region)), MODEL)
    assert losses.ground.elevation_m.nbytes == 4_000_000
    assert len(pickle.dumps(losses)) < 2_000
    there = pickle.loads(pickle.dumps(losses))
    assert np.array_equal(there.ground.elevation_m, losses.ground.elevation_m)
    assert tiles_of(region)
