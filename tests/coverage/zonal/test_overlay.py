"""Who is covered, who is not and why, against brute force, and parents as sums."""

import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from builders import HandmadeCoverage
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from ankang_coverage.coverage.zonal.overlay import (
    ClassLimits,
    summarise,
    summarise_region,
    update_summary,
)
from ankang_coverage.coverage.zonal.reasons import REASONS, why_not
from ankang_coverage.errors import DivisionError, RasterError

SITES = ("A", "B", "C")
PLACES_M = ((1013.0, 900.0), (2711.0, 3300.0), (4507.0, 4800.0))  # east and south of the corner
NEEDED_DBM = -90.0 + 0.6744897501960817 * 8.0  # Φ⁻¹(0.75) = 0.67449, any table of the normal law
RULE = {
    "id": "4g",
    "source": "made by hand for tests",
    "radio_layers": ["lte-b8"],
    "rsrp_threshold_dbm": -90.0,
    "edge_probability": 0.75,
    "sinr_threshold_db": -3.0,
    "uplink_mbps": 1.0,
}
RATES = {"downlink_mbps": 8.0, "uplink_mbps": 2.0}
EVERYTHING = {"complete": True, **RATES}


def as_coverage(region, variables):
    """A coverage as predict gives it, of three sites with one cell each."""
    figures = xr.Dataset(
        {
            name: (("y", "x"), values, {"grid_mapping": "spatial_ref"})
            for name, values in variables.items()
        },
        coords={
            **xr_coords(region.geobox),
            "cell": ("cell", [f"{site}-1" for site in SITES]),
            "site": ("cell", list(SITES)),
        },
    )
    return HandmadeCoverage(figures, RULE)


@pytest.fixture(scope="module")
def region(small_region):
    """The small region with a corner whose terrain is unknown."""
    rasters = small_region.rasters.copy(deep=True)
    rasters["elevation_m"][:6, :8] = np.nan
    return type(small_region)(
        **{
            name: getattr(small_region, name)
            for name in ("name", "counties", "townships", "villages", "sources")
        },
        rasters=rasters,
    )


@pytest.fixture(scope="module")
def coverage(region):
    """Half-covered on purpose, and for every reason there is."""
    rng = np.random.default_rng(11)
    shape = region.geobox.shape
    south, east = (np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5) * 90.0
    levels = [
        -60 - 40 * np.log10(np.hypot(east - x, south - y) / 300) + rng.normal(0, 4, shape)
        for x, y in PLACES_M
    ]
    rsrp = np.max(levels, axis=0).astype(np.float32)
    server = np.argmax(levels, axis=0).astype(np.int32)
    none = np.isnan(region.rasters["elevation_m"].to_numpy()) | (rsrp < -110)
    rsrp[none], server[none] = np.nan, -1
    sinr, uplink = rng.normal(3, 6, (2, *shape)).astype(np.float32)
    with np.errstate(invalid="ignore"):
        covered = (rsrp >= NEEDED_DBM) & (sinr >= -3) & (uplink >= 0)
    return as_coverage(
        region,
        {
            "rsrp_dbm": rsrp,
            "best_server": server,
            "covered": covered,
            "sinr_db": sinr,
            "uplink_margin_db": uplink,
            "obstacle_distance_m": np.where(
                rng.random(shape) < 0.5, rng.integers(1, 400, shape) * 10, 0
            ).astype(np.float32),
            "downlink_mbps": np.abs(sinr) * 2,
            "uplink_mbps": np.abs(uplink),
        },
    )


@pytest.fixture(scope="module")
def tables(region, coverage):
    return summarise_region(coverage, region, **EVERYTHING)


@pytest.fixture(scope="module")
def parts(region, coverage):
    """Every part of a pixel in a village, by shapely: its figures one by one."""
    t = region.geobox.transform
    rows, columns = region.geobox.shape
    reason = why_not(coverage, region).to_numpy()
    values = {name: coverage[name].to_numpy() for name in coverage}
    figures = ("rsrp_dbm", "obstacle_distance_m", "downlink_mbps", "uplink_mbps")
    found = []
    for code, village in region.villages.iterrows():
        people = region.shares.people[[region.villages.index.get_loc(code)]].toarray()
        for r in range(rows):
            for c in range(columns):
                x, y = t.c + t.a * c, t.f + t.e * r
                area = shapely.box(x, y + t.e, x + t.a, y).intersection(village.geometry).area
                if area > 1e-6:
                    server = values["best_server"][r, c]
                    found.append(
                        {
                            "village": code,
                            "township": village.township,
                            "county": village.county,
                            "area": area / 1e6,
                            "people": people[0, r * columns + c] / 1000,
                            "reason": REASONS[reason[r, c]],
                            "site": SITES[server] if server >= 0 else "",
                            **{name: values[name][r, c] for name in figures},
                        }
                    )
    return pd.DataFrame(found)


def assert_reached(found, rows, value, weight, share, tolerance):
    """`found` is the highest value that a share of the weight has or exceeds; NaN is below all.

    Where the share falls on the border between two parts, either is right.
    """
    rows = rows.sort_values(value, ascending=False, na_position="last")
    running = rows[weight].cumsum() / rows[weight].sum()
    either = {int((running < share + slack).sum()) for slack in (-1e-6, 1e-6)}
    expected = rows[value].iloc[sorted(either)].to_numpy()
    near = np.abs(found - expected) <= tolerance
    assert near.any() or (np.isnan(found) and np.isnan(expected).any()), (found, expected)


@pytest.mark.parametrize(
    ("level", "key"), [("villages", "village"), ("townships", "township"), ("counties", "county")]
)
def test_figures_equal_brute_force(level, key, tables, parts, region):
    table = tables[level]
    assert table.index.equals(getattr(region, level).index)
    for code, own in parts.groupby(key):
        row = table.loc[code]
        covered = own[own.reason == "covered"]
        assert row.area_km2 == pytest.approx(own.area.sum(), abs=1e-5)
        assert row.area_covered_km2 == pytest.approx(covered.area.sum(), abs=1e-5)
        assert row.people_covered == pytest.approx(covered.people.sum(), abs=1e-9)
        assert row.people_share == pytest.approx(row.people_covered / row.people)
        assert row.area_share == pytest.approx(row.area_covered_km2 / row.area_km2)
        for column, weight, share in (
            ("median_rsrp_dbm", "area", 0.5),
            ("area_90_rsrp_dbm", "area", 0.9),
            ("people_90_rsrp_dbm", "people", 0.9),
        ):
            assert_reached(row[column], own, "rsrp_dbm", weight, share, 0.0051)
        for reason in REASONS[1:]:
            missing = own[own.reason == reason]
            assert row[f"people_{reason}"] == pytest.approx(missing.people.sum(), abs=1e-9)
            assert row[f"area_{reason}_km2"] == pytest.approx(missing.area.sum(), abs=1e-5)
        uncovered = own[own.reason != "covered"].groupby("reason").people.sum()
        assert row.main_reason == uncovered.idxmax()
        low = own[own.reason.isin(["blocked_by_terrain", "too_weak"])]
        level = NEEDED_DBM - row.median_shortfall_db
        assert_reached(level, low, "rsrp_dbm", "area", 0.5, 0.0101)
        blocked = own[own.reason == "blocked_by_terrain"]
        assert_reached(row.median_obstacle_m, blocked, "obstacle_distance_m", "area", 0.5, 0.0)
        assert row.best_site == covered.groupby("site").people.sum().idxmax()
        down, up = own.downlink_mbps >= 8.0, own.uplink_mbps >= 2.0
        assert row.people_downlink_met == pytest.approx(own.people[down].sum(), abs=1e-9)
        assert row.people_uplink_met == pytest.approx(own.people[up].sum(), abs=1e-9)
        assert row.people_rates_met == pytest.approx(own.people[down & up].sum(), abs=1e-9)


def test_the_scene_has_every_reason(parts, tables):
    assert set(parts.reason) == set(REASONS)
    assert tables["villages"].main_reason.nunique() > 1
    assert tables["villages"].best_site.nunique() == len(SITES)


def test_the_reasons_are_exactly_what_is_not_covered(tables):
    for table in tables.values():
        people = table[[f"people_{reason}" for reason in REASONS[1:]]].sum(axis=1)
        assert (table.people - table.people_covered).to_numpy() == pytest.approx(people, abs=1e-9)
        area = table[[f"area_{reason}_km2" for reason in REASONS[1:]]].sum(axis=1)
        assert (table.area_km2 - table.area_covered_km2).to_numpy() == pytest.approx(area)


def test_parents_are_exact_sums_of_their_children(tables):
    villages = tables["villages"]
    sums = [
        *(c for c in villages if c.startswith("people") and c != "people_share"),
        *(c for c in villages if c.startswith("area") and c.endswith("_km2")),
    ]
    sums = [column for column in sums if "rsrp" not in column]
    for level, key in (("townships", "township"), ("counties", "county")):
        children = villages.groupby(key)[sums].sum()
        for column in sums:
            scale = 1e6 if column.endswith("_km2") else 1e3
            parents = (tables[level][column] * scale).round().astype(int)
            assert parents.equals((children[column] * scale).round().astype(int)), column


def test_tiles_change_nothing(region, coverage, tables):
    tiled = coverage.chunk({"y": 17, "x": 23})
    for level, table in summarise_region(tiled, region, **EVERYTHING).items():
        assert table.equals(tables[level])


def test_brief_figures_are_the_first_of_the_complete(region, coverage, tables):
    for level, table in summarise_region(coverage, region).items():
        pd.testing.assert_frame_equal(table, tables[level][list(table)])
        assert list(table)[-8:] == [
            "area_km2",
            "people_covered",
            "people_share",
            "area_covered_km2",
            "area_share",
            "median_rsrp_dbm",
            "coverage_class",
            "best_site",
        ]


def test_a_region_and_its_villages_alone_agree(region, coverage, tables):
    population = region.rasters["population"]
    alone = summarise(coverage, region.villages, population, **RATES)
    pd.testing.assert_frame_equal(alone, tables["villages"][list(alone)])
    # The divisions do not say where terrain is unknown: there it is the range that ends.
    complete = summarise(coverage, region.villages, population, **EVERYTHING)
    both = ["people_no_terrain_data", "people_beyond_range"]
    assert (complete["people_no_terrain_data"] == 0).all()
    assert complete["people_beyond_range"].to_numpy() == pytest.approx(
        tables["villages"][both].sum(axis=1)
    )


def test_one_rate_alone_has_one_column(region, coverage):
    table = summarise_region(coverage, region, uplink_mbps=2.0)["villages"]
    assert [c for c in table if c.endswith("_met")] == ["people_uplink_met"]


def test_classes_follow_the_limits(region, coverage):
    limits = ClassLimits(covered_from=0.37, not_covered_under=0.1)
    table = summarise_region(coverage, region, limits=limits)["villages"]
    assert set(table.coverage_class) == {"covered", "partly", "not covered"}
    for row in table.itertuples():
        expected = (
            "covered"
            if row.people_share >= 0.37
            else "not covered"
            if row.people_share < 0.1
            else "partly"
        )
        assert row.coverage_class == expected


def test_without_people_area_decides(region, coverage):
    empty = summarise(coverage, region.villages.assign(people=0), complete=True)
    assert empty.people_share.isna().all()
    assert empty.people_90_rsrp_dbm.isna().all()
    for row in empty.itertuples():
        assert (row.coverage_class == "covered") == (row.area_share >= 0.95)
        areas = {reason: getattr(row, f"area_{reason}_km2") for reason in REASONS[1:]}
        assert row.main_reason == max(areas, key=areas.get)


def test_no_signal_anywhere(region, coverage):
    nothing = coverage.assign(
        rsrp_dbm=coverage["rsrp_dbm"] * np.nan,
        best_server=coverage["best_server"] * 0 - 1,
        covered=coverage["covered"] & False,
    ).isel(cell=slice(0, 0))
    table = summarise_region(nothing, region, complete=True)["villages"]
    assert set(table.coverage_class) == {"not covered"}
    for column in ("median_rsrp_dbm", "median_shortfall_db", "median_obstacle_m"):
        assert table[column].isna().all()
    assert (table.best_site == "").all()
    assert (table.people_covered == 0).all()
    assert set(table.main_reason) == {"beyond_range"}
    assert table.people_no_terrain_data.sum() > 0


def test_all_is_covered(region, coverage):
    everything = coverage.assign(covered=coverage["covered"] | True)
    table = summarise_region(everything, region, complete=True)["counties"]
    assert (table.people_covered == table.people).all()
    assert (table.main_reason == "").all()


def test_divisions_are_not_changed(region, coverage):
    before = region.villages.copy()
    summarise(coverage, region.villages, complete=True)
    assert before.equals(region.villages)


# --- Only what changed --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def change(coverage):
    """The coverage with a stronger signal in one window."""
    window = (slice(8, 20), slice(3, 12))
    after = coverage.copy(deep=True)
    after["rsrp_dbm"][window] = after["rsrp_dbm"][window].fillna(-100) + 20
    after["covered"][window] = True
    after["best_server"][window] = 2
    return window, after


@pytest.mark.parametrize("options", [{}, EVERYTHING])
def test_an_update_equals_a_fresh_summary(region, coverage, change, options):
    window, after = change
    before = summarise_region(coverage, region, **options)
    fresh = summarise_region(after, region, **options)
    assert not fresh["counties"].equals(before["counties"])
    for level, table in update_summary(before, after, region, window, **options).items():
        pd.testing.assert_frame_equal(table, fresh[level])
        assert table.crs == fresh[level].crs


def test_an_update_of_villages_alone_looks_at_those_the_windows_touch(region, coverage, change):
    window, after = change
    before = {"villages": summarise_region(coverage, region)["villages"]}
    fresh = summarise_region(after, region)["villages"]
    halves = [(slice(8, 14), window[1]), (slice(14, 20), window[1])]
    updated = update_summary(before, after, region, *halves)
    assert set(updated) == {"villages"}
    assert updated["villages"].equals(fresh)
    # Elsewhere the old figures stay, whatever they are.
    wrong = before["villages"].assign(people_covered=-1.0)
    kept = update_summary({"villages": wrong}, after, region, *halves)["villages"]
    fresh_rows = kept.people_covered >= 0
    assert 1 <= fresh_rows.sum() <= 2
    assert kept[fresh_rows].equals(fresh[fresh_rows])


def test_an_update_without_a_window_changes_nothing(region, coverage, tables):
    same = update_summary(tables, coverage, region, **EVERYTHING)
    for level, table in same.items():
        pd.testing.assert_frame_equal(table, tables[level])


def test_an_update_refuses_what_does_not_fit(region, tables, change):
    window, after = change
    with pytest.raises(DivisionError, match="give complete, downlink_mbps and uplink_mbps"):
        update_summary(tables, after, region, window)
    with pytest.raises(DivisionError, match="a summary holds 'villages'"):
        update_summary({"counties": tables["counties"]}, after, region, window)
    with pytest.raises(DivisionError, match="villages of the summary are not those of small"):
        update_summary({"villages": tables["villages"][:3]}, after, region, window)


# --- Wrong input --------------------------------------------------------------------------------


def test_wrong_input_is_named(region, coverage):
    with pytest.raises(RasterError, match="divisions are in EPSG:4326"):
        summarise(coverage, region.villages.to_crs(4326))
    with pytest.raises(RasterError, match=r"shape \(30, 60\), the coverage \(60, 60\)"):
        summarise(coverage, region.villages, region.rasters["population"][:30])
    with pytest.raises(ValueError, match="must not exceed"):
        ClassLimits(covered_from=0.2, not_covered_under=0.4)


@pytest.mark.parametrize(
    ("missing", "options"),
    [
        ("covered", {}),
        ("best_server", {}),
        ("sinr_db", {"complete": True}),
        ("uplink_margin_db", {"complete": True}),
        ("obstacle_distance_m", {"complete": True}),
        ("downlink_mbps", {"downlink_mbps": 1.0}),
    ],
)
def test_a_missing_variable_is_named(region, coverage, missing, options):
    with pytest.raises(RasterError, match=f"no variable '{missing}'"):
        summarise_region(coverage.drop_vars(missing), region, **options)


def test_only_what_is_asked_for_is_needed(region, coverage, tables):
    least = coverage.drop_vars(set(coverage) - {"rsrp_dbm", "best_server", "covered"})
    brief = summarise_region(least, region)["villages"]
    pd.testing.assert_frame_equal(brief, tables["villages"][list(brief)])


def test_a_coverage_of_another_grid_is_refused(region, coverage):
    with pytest.raises(RasterError, match=r"grid of 30 × 60 pixels of 90 m .*, the region on one"):
        summarise_region(coverage.isel(y=slice(30)), region)
    moved = xr_coords(GeoBox(region.geobox.shape, region.geobox.affine, "EPSG:32648"))
    with pytest.raises(RasterError, match="in EPSG:32648, the region on one"):
        summarise_region(coverage.assign_coords(moved), region)
