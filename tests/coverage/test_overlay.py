"""Who is covered, against a brute-force computation with shapely, and parents as sums."""

from functools import partial

import numpy as np
import pytest
import shapely

import ankang_coverage
from ankang_coverage.coverage import ClassLimits, is_covered, summarise, summarise_region
from ankang_coverage.errors import RasterError
from ankang_coverage.sites.catalogue import service

# By distance alone: fast, and every pixel can be computed again by hand.
RMA = ankang_coverage.Propagation(model="rma", radius_m=5000.0)
predict = partial(ankang_coverage.predict, propagation=RMA)


@pytest.fixture(scope="module")
def coverage(small_region, small_network):
    """Half-covered on purpose: a threshold in the middle of the RSRP found here."""
    rule = service("4g").model_copy(update={"rsrp_threshold_dbm": -86.0})
    return predict(small_region, small_network, rule)


@pytest.fixture(scope="module")
def brute_force(small_region, coverage):
    """Per village: total area, covered area, people covered, area by site, RSRP with weight."""
    t = small_region.geobox.transform
    rows, columns = small_region.geobox.shape
    density = small_region.rasters["population"].to_numpy().astype(float)
    covered, rsrp = is_covered(coverage), coverage["rsrp_dbm"].to_numpy()
    server, site = coverage["best_server"].to_numpy(), coverage["site"].to_numpy()
    result = {}
    for code, village in small_region.villages.iterrows():
        parts = []
        for r in range(rows):
            for c in range(columns):
                x, y = t.c + t.a * c, t.f + t.e * r
                area = shapely.box(x, y + t.e, x + t.a, y).intersection(village.geometry).area
                if area > 0:
                    parts.append((area, density[r, c], covered[r, c], rsrp[r, c], server[r, c]))
        area, dens, cov, level, serving = map(np.array, zip(*parts, strict=True))
        people = village.people * area * dens / (area * dens).sum()
        order = np.argsort(-level)
        half = np.searchsorted(np.cumsum(area[order]), area.sum() / 2)
        by_site = {s: people[cov & (site[serving] == s)].sum() for s in np.unique(site)}
        result[code] = (
            area.sum() / 1e6,
            area[cov].sum() / 1e6,
            people[cov].sum(),
            level[order][half],
            max(by_site, key=by_site.get) if cov.any() else "",
        )
    return result


def test_figures_of_villages_equal_brute_force(small_region, coverage, brute_force):
    table = summarise(coverage, small_region.villages, small_region.rasters["population"])
    assert table.index.equals(small_region.villages.index)
    for code, (area, area_covered, people_covered, median, best_site) in brute_force.items():
        row = table.loc[code]
        assert row.area_km2 == pytest.approx(area, abs=1e-6)
        assert row.area_covered_km2 == pytest.approx(area_covered, abs=1e-6)
        assert row.people_covered == pytest.approx(people_covered, abs=0.15)
        assert row.median_rsrp_dbm == pytest.approx(median, abs=1e-4)
        assert row.best_site == best_site
        assert row.people_share == pytest.approx(row.people_covered / row.people)


def test_the_scene_has_all_classes(small_region, coverage):
    table = summarise(coverage, small_region.villages, small_region.rasters["population"])
    limits = ClassLimits(covered_from=0.6, not_covered_under=0.3)
    mixed = summarise(
        coverage, small_region.villages, small_region.rasters["population"], limits=limits
    )
    assert set(mixed.coverage_class) == {"covered", "partly", "not covered"}
    for row in mixed.itertuples():
        expected = (
            "covered"
            if row.people_share >= 0.6
            else "not covered"
            if row.people_share < 0.3
            else "partly"
        )
        assert row.coverage_class == expected
    assert "partly" in set(table.coverage_class)


def test_parents_are_exact_sums_of_their_children(small_region, coverage):
    tables = summarise_region(coverage, small_region)
    villages = tables["villages"]
    for level, key in (("townships", "township"), ("counties", "county")):
        sums = villages.groupby(key)[
            ["people", "people_covered", "area_km2", "area_covered_km2"]
        ].sum()
        parents = tables[level]
        for column in ("people", "people_covered"):
            assert (
                (parents[column] * 1000)
                .round()
                .astype(int)
                .equals((sums[column] * 1000).round().astype(int))
            )
        for column in ("area_km2", "area_covered_km2"):
            assert parents[column].to_numpy() == pytest.approx(sums[column].to_numpy(), abs=1e-9)


def test_a_region_and_its_villages_alone_agree(small_region, coverage):
    whole = summarise_region(coverage, small_region)["villages"]
    alone = summarise(coverage, small_region.villages, small_region.rasters["population"])
    assert whole.equals(alone)


def test_without_people_area_decides(small_region, coverage):
    empty = summarise(coverage, small_region.villages.assign(people=0))
    assert empty.people_share.isna().all()
    for row in empty.itertuples():
        assert (row.coverage_class == "covered") == (row.area_share >= 0.95)


def test_no_signal_anywhere(small_region, small_network):
    nothing = predict(small_region, small_network.with_sites([]), "4g")
    table = summarise(nothing, small_region.villages)
    assert set(table.coverage_class) == {"not covered"}
    assert table.median_rsrp_dbm.isna().all()
    assert (table.best_site == "").all()
    assert (table.people_covered == 0).all()


def test_divisions_are_not_changed(small_region, coverage):
    before = small_region.villages.copy()
    summarise(coverage, small_region.villages)
    assert before.equals(small_region.villages)


def test_wrong_input_is_named(small_region, coverage):
    with pytest.raises(RasterError, match="divisions are in EPSG:4326"):
        summarise(coverage, small_region.villages.to_crs(4326))
    with pytest.raises(RasterError, match=r"shape \(30, 60\), the coverage \(60, 60\)"):
        summarise(coverage, small_region.villages, small_region.rasters["population"][:30])
    with pytest.raises(ValueError, match="must not exceed"):
        ClassLimits(covered_from=0.2, not_covered_under=0.4)
