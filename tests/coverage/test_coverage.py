"""A coverage is a value: what it reads, what it keeps, and what its verbs give."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError

import numpy as np
import odc.geo.xr  # noqa: F401  (gives arrays their geobox)
import pytest
import xarray as xr
from builders import RMA, one_sector, predict, three_sites

from ankang_coverage import Work, service
from ankang_coverage.coverage import (
    ClassLimits,
    Store,
    judge,
    summarise_region,
    universal_service,
    why_not,
)
from ankang_coverage.coverage.coverage import COUNTED
from ankang_coverage.errors import RasterError


def test_tiles_outside_the_villages_stay_empty_and_reading_opens_only_what_is_asked(
    wide, make_network, store, monkeypatch
):
    coverage = predict(wide, three_sites(make_network, wide), "4g", work=Work(store))
    opened = []
    original = type(store).read_tile
    monkeypatch.setattr(
        type(store), "read_tile", lambda self, key: opened.append(key) or original(self, key)
    )
    assert opened == []
    assert coverage["rsrp_dbm"].shape == (300, 800)
    coverage["rsrp_dbm"].isel(y=slice(20, 40), x=slice(90, 110)).to_numpy()
    assert len(opened) == 1
    coverage["sinr_db"].isel(y=3, x=5).to_numpy()  # the same tile, at hand still
    assert len(opened) == 1
    # Villages end at row 150, so the second row of tiles is not there.
    assert np.isnan(coverage["rsrp_dbm"].isel(y=slice(256, 300)).to_numpy()).all()
    assert (coverage["best_server"].isel(y=slice(256, 300)).to_numpy() == -1).all()
    assert not coverage["covered"].isel(y=slice(256, 300)).to_numpy().any()
    assert len(opened) == 1
    assert np.isfinite(coverage["rsrp_dbm"].isel(y=60).to_numpy()).sum() > 200
    assert len(opened) == 3  # no site reaches the third column of tiles


def test_adding_sites_computes_only_the_tiles_they_touch(wide, make_network, store, written):
    two = three_sites(make_network, wide, omit=["MIDDLE"])
    before = predict(wide, two, "4g", work=Work(store))
    assert (len(written["loss"]), len(written["tiles"])) == (2, 2)
    added = three_sites(make_network, wide, omit=["WEST", "EAST"])
    grown = before.add(added)
    assert (len(written["loss"]), len(written["tiles"])) == (3, 3)
    together = predict(wide, two.plus(added), "4g", work=Work(store))
    assert (len(written["loss"]), len(written["tiles"])) == (3, 3)
    assert together.to_dataset().identical(grown.to_dataset())


def test_a_network_can_grow_from_nothing_by_the_rule_and_the_equipment_of_its_coverage(
    wide, make_network, store
):
    rule = service("4g").with_fields(rsrp_threshold_dbm=-95.0)
    network = three_sites(make_network, wide)
    empty = predict(wide, network.with_sites([]), rule, work=Work(store))
    assert empty.service.rsrp_threshold_dbm == -95.0
    grown = empty.add(network).to_dataset()
    assert grown.identical(predict(wide, network, rule, work=Work(store)).to_dataset())


def test_adding_sites_equals_predicting_all_at_once(small_region, small_network):
    first, rest = small_network.with_sites(["B"]), small_network.with_sites(["A", "C"])
    together = predict(small_region, first.plus(rest), "4g")
    grown = predict(small_region, first, "4g").add(rest)
    assert together.to_dataset().identical(grown.to_dataset())


def test_another_network_by_the_same_rule_is_a_fresh_prediction_of_it(wide, make_network, store):
    rule = service("4g").with_fields(rsrp_threshold_dbm=-95.0)
    before = predict(wide, three_sites(make_network, wide), rule, work=Work(store))
    moved = three_sites(make_network, wide, middle_x=410.0, omit=["EAST"])
    after = before.with_network(moved)
    fresh = predict(wide, moved, rule, work=Work(store))
    assert after.to_dataset().identical(fresh.to_dataset())
    assert after.network is moved
    assert before.network is not moved


def test_the_work_of_the_caller_is_that_of_every_verb(wide, make_network, tmp_path, monkeypatch):
    """The store with its limit, the executor and the progress; no other store is made."""

    def no_other():
        raise AssertionError("another store was made")

    monkeypatch.setattr(Store, "default", no_other)
    shown = []
    with ThreadPoolExecutor(1) as one:
        work = Work(
            Store(tmp_path, max_bytes=50_000_000),
            one,
            lambda ids, stage: shown.append(stage) or ids,
        )
        network = three_sites(make_network, wide)
        first = predict(wide, network.with_sites(["WEST"]), "4g", work=work)
        assert shown == ["path loss", "signals"]
        grown = first.add(network.with_sites(["MIDDLE"]))
        changed = first.with_network(network)
        assert shown == ["path loss", "signals"] * 3
        for coverage in (first, grown, changed, first.difference(changed).after):
            assert coverage.work is work
            assert coverage.work.store.max_bytes == 50_000_000
            assert coverage.predictor is first.predictor
            assert coverage.summarise()["counties"]["people_covered"].sum() > 0
    assert work.store.info().n_files["loss"] == 3


def test_a_coverage_knows_what_it_is_of(wide, make_network, store):
    network = three_sites(make_network, wide)
    coverage = predict(wide, network, "4g", work=Work(store))
    assert coverage.region is wide
    assert coverage.network is network
    assert coverage.catalogue is network.catalogue
    assert coverage.service == service("4g")
    assert coverage.propagation == RMA
    assert coverage.geobox == wide.geobox
    assert (coverage.terrain, coverage.land_cover) == ("none", "none")
    assert coverage.cells.index.tolist() == network.cells.index.tolist()
    assert set(coverage.counts) == set(COUNTED)
    with pytest.raises(FrozenInstanceError):
        coverage.network = network


FIGURES = (
    *("rsrp_dbm", "best_server", "second_rsrp_dbm", "second_server", "n_within_6_db", "sinr_db"),
    *("rsrq_db", "downlink_mbps", "uplink_mbps", "uplink_margin_db", "coverage_probability"),
    *("obstacle_distance_m", "covered"),
)


@pytest.fixture
def coverage(small_region, small_network):
    rule = service("4g").with_fields(rsrp_threshold_dbm=-86.0)
    return predict(small_region, small_network, rule)


def test_every_figure_is_there_by_attribute_and_by_name(coverage):
    figures = coverage.to_dataset()
    assert set(figures.data_vars) == set(FIGURES)
    for name in FIGURES:
        assert getattr(coverage, name).identical(figures[name])
        assert coverage[name].identical(figures[name])
        assert figures[name].attrs["long_name"]
        assert figures[name].odc.geobox == coverage.geobox
    with pytest.raises(KeyError):
        coverage["rsrp"]


def test_the_verbs_are_the_functions_of_the_same_name(coverage, small_region, small_network):
    limits = ClassLimits(covered_from=0.8, not_covered_under=0.4)
    options = {"limits": limits, "complete": True, "downlink_mbps": 5.0}
    tables = summarise_region(coverage, small_region, **options)
    for level, table in coverage.summarise(**options).items():
        assert table.equals(tables[level])
    assert coverage.why_not().identical(why_not(coverage, small_region))
    judged = judge(universal_service(), small_region, coverage, small_network)
    assert coverage.judge().equals(judged)
    other = coverage.with_network(small_network.with_sites(["A"]))
    change = coverage.difference(other)
    assert (change.before, change.after) == (coverage, other)


def test_what_changes_is_looked_for_on_one_grid(coverage, wide, make_network, store):
    assert coverage.changed_windows(coverage) == []
    other = predict(wide, three_sites(make_network, wide), "4g", work=Work(store))
    with pytest.raises(RasterError, match="60 × 60 and 300 × 800 pixels: predict both on one grid"):
        coverage.changed_windows(other)


def test_only_tiles_that_a_change_touches_may_differ(wide, make_network, store):
    before = predict(wide, three_sites(make_network, wide), "4g", work=Work(store))
    after = before.with_network(three_sites(make_network, wide, middle=one_sector(load=1.0)))
    assert before.changed_windows(after) == [(slice(0, 256), slice(256, 512))]
    strict = before.service.with_fields(rsrp_threshold_dbm=-90.0)
    judged_anew = predict(wide, before.network, strict, work=Work(store))
    assert len(before.changed_windows(judged_anew)) == 3  # every tile that a mast reaches


# On disk ------------------------------------------------------------------------------------------


def test_attributes_say_in_words_what_a_dataset_is_of(coverage):
    attributes = coverage.to_dataset().attrs
    assert attributes["service"] == "4g"
    assert attributes["rsrp_threshold_dbm"] == -86.0
    assert attributes["rule"].startswith("4g: RSRP ≥ -86 dBm with probability 0.75 (σ 8 dB), ")
    assert attributes["model"] == "rma"
    assert attributes["n_off_terrain"] == 0
    for value in attributes.values():
        assert isinstance(value, str | int | float | list)
        assert "{" not in str(value)  # for people, not for the program


def test_a_dataset_that_was_kept_as_netcdf_is_understood(coverage, tmp_path):
    figures = coverage.to_dataset()
    figures.to_netcdf(tmp_path / "coverage.nc")
    with xr.open_dataset(tmp_path / "coverage.nc") as again:
        for name in FIGURES:
            assert np.array_equal(again[name], figures[name], equal_nan=True), name
            assert again[name].attrs["long_name"] == figures[name].attrs["long_name"]
        assert again["rsrp_dbm"].attrs["units"] == "dBm"
        assert again.attrs["rule"] == figures.attrs["rule"]
        assert "lte-b8" in again.attrs["radio_layers"]
        assert again.odc.crs == coverage.geobox.crs
        names = [str(name) for name in again["cell"].to_numpy()]
        assert names == coverage.cells.index.tolist()
        assert np.array_equal(again["azimuth_deg"], coverage.cells["azimuth_deg"])


def test_attributes_as_version_0_1_had_them_are_deprecated(coverage):
    with pytest.warns(DeprecationWarning, match="use the properties, such as coverage.service"):
        assert coverage.attrs == coverage.to_dataset().attrs


def test_a_coverage_prints_in_one_line(coverage):
    assert repr(coverage) == (
        "Coverage(4g of 3 sites, 9 cells; small, 60 × 60 pixels of 90 m; rma)"
    )
    assert coverage._repr_html_() == f"<code>{coverage!r}</code>"
