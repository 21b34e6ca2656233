"""Rules for administrative villages: places by hand, and the algebra of rules."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import HandmadeCoverage
from odc.geo.xr import xr_coords
from pyproj import Transformer

from ankang_coverage.coverage.zonal.overlay import summarise_region
from ankang_coverage.coverage.zonal.universal_service import (
    KINDS_OF_POINTS,
    all_of,
    any_of,
    check_universal_service,
    judge,
    median_rsrp_at_least,
    people_share_at_least,
    signal_at_points,
    site_within,
    universal_service,
)
from ankang_coverage.errors import CatalogueError, DivisionError, OutOfRangeError, RasterError


@pytest.fixture(scope="module")
def coverage(small_region):
    """The western half is covered."""
    shape = small_region.geobox.shape
    covered = np.zeros(shape, bool)
    covered[:, :30] = True
    grid = {"grid_mapping": "spatial_ref"}
    figures = xr.Dataset(
        {
            "rsrp_dbm": (("y", "x"), np.where(covered, -90, -120).astype(np.float32), grid),
            "best_server": (("y", "x"), np.zeros(shape, np.int32), grid),
            "covered": (("y", "x"), covered, grid),
        },
        coords={
            **xr_coords(small_region.geobox),
            "cell": ("cell", ["A1"]),
            "site": ("cell", ["A"]),
        },
    )
    return HandmadeCoverage(figures, {"radio_layers": ("lte-b8", "lte-b3")})


@pytest.fixture(scope="module")
def judged(small_region):
    return small_region.villages.index[small_region.villages["kind"] == "village"]


@pytest.fixture(scope="module")
def points(small_region, judged):
    """Every village's committee, at the middle of its polygon."""
    middle = small_region.villages.geometry[judged].centroid
    return pd.DataFrame(
        {"village": judged, "kind": "committee", "x_m": middle.x, "y_m": middle.y}
    ).reset_index(drop=True)


def inside(region, village, east=0.5, south=0.5):
    """A place in a village's rectangle."""
    west, bottom, right, top = region.villages.geometry[village].bounds
    return {"x_m": west + east * (right - west), "y_m": top - south * (top - bottom)}


def test_only_administrative_villages_are_judged(small_region, coverage, small_network, judged):
    table = judge(universal_service(), small_region, coverage, small_network)
    assert table.equals(check_universal_service(coverage, small_region, small_network))
    assert table.index.equals(judged)
    assert 0 < len(judged) < len(small_region.villages)
    assert list(table) == [
        *("fulfilled", "reason", "nearest_site", "nearest_site_m", "committee_assumed"),
        *("points", "points_without_signal", "kinds_without_signal", "points_assumed"),
    ]


def test_distance_is_to_the_nearest_site(small_region, coverage, small_network, points, judged):
    table = judge(site_within(2000.0, points), small_region, coverage, small_network)
    sites = small_network.sites.geometry
    for row, code in enumerate(judged):
        away = np.hypot(sites.x - points.x_m[row], sites.y - points.y_m[row])
        found = table.loc[code]
        assert found.nearest_site == away.idxmin()
        assert found.nearest_site_m == pytest.approx(away.min(), abs=1e-6)
        assert found.fulfilled == (away.min() <= 2000.0)
        assert found.reason == ("site within 2 km" if found.fulfilled else "no site within 2 km")
        assert not found.committee_assumed
    assert set(table.fulfilled) == {True, False}


def test_only_sites_of_the_service_count(small_region, coverage, small_network, points):
    """Of three sites one is a candidate, one is indoor, and one has another service."""
    sites = small_network.sites.copy()
    sites.loc["B", "status"] = "candidate"
    sites.loc["C", "kind"] = "indoor"
    network = replace(small_network, sites=sites)
    near = judge(site_within(9000.0, points), small_region, coverage, network)
    assert set(near.nearest_site) == {"A"}
    without = network.with_cells(network.cells["radio_layer"] == "nr-n28")
    none = judge(site_within(9000.0, points), small_region, coverage, without)
    assert not none.fulfilled.any()
    assert np.isinf(none.nearest_site_m).all()
    assert (none.nearest_site == "").all()


def test_every_point_needs_signal(small_region, coverage, small_network, judged):
    """The west is covered, the east is not."""
    west = [v for v in judged if v.startswith("610901")]
    east = [v for v in judged if v.startswith("610902")]
    points = pd.DataFrame(
        [
            {"village": west[0], "kind": "committee", **inside(small_region, west[0])},
            {"village": west[0], "kind": "school", **inside(small_region, west[0], 0.1)},
            # East of the border: a point may stand outside its village.
            {"village": west[1], "kind": "committee", **inside(small_region, west[1])},
            {"village": west[1], "kind": "clinic", **inside(small_region, east[0])},
            {"village": west[1], "kind": "school", **inside(small_region, east[0], 0.2)},
            {"village": east[0], "kind": "school", **inside(small_region, east[0])},
        ]
    )
    table = judge(signal_at_points(points), small_region, coverage, small_network)
    assert table.loc[west[0], ["fulfilled", "points", "points_without_signal"]].tolist() == [
        *(True, 2, 0)
    ]
    assert not table.fulfilled[west[1]]
    assert table.loc[west[1], ["points", "points_without_signal"]].tolist() == [3, 2]
    assert table.kinds_without_signal[west[1]] == "school; clinic"
    assert table.kinds_without_signal[east[0]] == "school"
    # Where no point is known the most populated pixel is one, in the west covered, else not.
    assumed = table.index.difference([west[0], west[1], east[0]])
    assert table.points_assumed[assumed].all()
    assert not table.points_assumed[[west[0], west[1], east[0]]].any()
    assert (table.points[assumed] == 1).all()
    assert table.fulfilled[assumed].tolist() == [code.startswith("610901") for code in assumed]


def test_small_clusters_do_not_count(small_region, coverage, small_network, judged):
    east = next(v for v in judged if v.startswith("610902"))
    west = next(v for v in judged if v.startswith("610901"))
    rows = [
        {"village": west, "kind": "committee", **inside(small_region, west), "households": np.nan},
        {"village": west, "kind": "cluster", **inside(small_region, east), "households": 19},
    ]
    small = judge(signal_at_points(pd.DataFrame(rows)), small_region, coverage, small_network)
    assert small.fulfilled[west]
    for households in (20, np.nan):  # a cluster of unknown size counts
        rows[1]["households"] = households
        table = judge(signal_at_points(pd.DataFrame(rows)), small_region, coverage, small_network)
        assert not table.fulfilled[west]
        assert table.kinds_without_signal[west] == "cluster"


def test_the_most_populated_pixel_stands_for_the_committee(
    small_region, coverage, small_network, judged
):
    table = judge(site_within(5000.0), small_region, coverage, small_network)
    assert table.committee_assumed.all()
    sites, t = small_network.sites.geometry, small_region.geobox.transform
    columns = small_region.geobox.shape[1]
    people = small_region.shares.people.toarray()
    for code in judged:
        row, column = divmod(people[small_region.villages.index.get_loc(code)].argmax(), columns)
        x, y = t.c + t.a * (column + 0.5), t.f + t.e * (row + 0.5)
        away = np.hypot(sites.x - x, sites.y - y).min()
        assert table.nearest_site_m[code] == pytest.approx(away, abs=1e-6)


def test_universal_service_is_either_branch(small_region, coverage, small_network, points):
    at = (small_region, coverage, small_network)
    near = judge(site_within(1500.0, points), *at)
    signal = judge(signal_at_points(points), *at)
    both = judge(universal_service(points, distance_m=1500.0), *at)
    assert both.fulfilled.equals(near.fulfilled | signal.fulfilled)
    for code, row in both.iterrows():
        said = set(row.reason.split("; "))
        if row.fulfilled:
            holding = {t.reason[code] for t in (near, signal) if t.fulfilled[code]}
        else:
            holding = {near.reason[code], signal.reason[code]}
        assert said == holding
    branches = set(map(tuple, np.column_stack([near.fulfilled, signal.fulfilled])))
    assert branches == {(True, True), (True, False), (False, True), (False, False)}


def test_rules_combine(small_region, coverage, small_network):
    at = (small_region, coverage, small_network)
    people, level = people_share_at_least(0.95), median_rsrp_at_least(-100.0)
    near = site_within(1500.0)
    one, other, third = (judge(rule, *at).fulfilled for rule in (people, level, near))
    assert judge(all_of(people, near), *at).fulfilled.equals(one & third)
    assert judge(any_of(people, near), *at).fulfilled.equals(one | third)
    nested = judge(any_of(all_of(people, level), near), *at)
    assert nested.fulfilled.equals((one & other) | third)
    assert {"people_share", "median_rsrp_dbm", "nearest_site_m"} <= set(nested)
    # The same rule twice is the rule, with its figures once.
    twice = judge(all_of(near, near), *at)
    assert twice.columns.is_unique
    assert twice.fulfilled.equals(third)


def test_figures_are_those_of_the_summary(small_region, coverage, small_network, judged):
    villages = summarise_region(coverage, small_region)["villages"].loc[judged]
    people = judge(people_share_at_least(0.5), small_region, coverage, small_network)
    assert people.people_share.equals(villages.people_share)
    assert people.fulfilled.equals(villages.people_share.ge(0.5).rename("fulfilled"))
    level = judge(median_rsrp_at_least(-90.0), small_region, coverage, small_network)
    assert level.fulfilled.tolist() == (villages.median_rsrp_dbm >= -90.0).tolist()
    assert set(level.reason) == {"median RSRP of -90 dBm", "median RSRP under -90 dBm"}


def test_places_may_be_geographic(small_region, coverage, small_network, points):
    to_wgs84 = Transformer.from_crs(small_region.villages.crs, 4326, always_xy=True)
    longitude, latitude = to_wgs84.transform(points.x_m, points.y_m)
    geographic = points[["village", "kind"]].assign(longitude=longitude, latitude=latitude)
    tables = [
        judge(universal_service(p), small_region, coverage, small_network)
        for p in (points, geographic)
    ]
    pd.testing.assert_frame_equal(*tables, rtol=1e-9, atol=1e-3)


def test_points_of_communities_are_not_looked_at(
    small_region, coverage, small_network, points, judged
):
    community = small_region.villages.index.difference(judged)[0]
    more = pd.concat([points, points[:1].assign(village=community)], ignore_index=True)
    tables = [
        judge(universal_service(p), small_region, coverage, small_network) for p in (points, more)
    ]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"village": "610999999999"}, "row 3 of the points: '610999999999' is no village of small"),
        ({"kind": "shop"}, "row 3 of the points: 'shop' is no kind; known: committee, school"),
        ({"x_m": 0.0}, "row 3 of the points: .* has no place inside the region"),
        ({"y_m": np.nan}, "row 3 of the points: .* has no place inside the region"),
    ],
)
def test_wrong_points_are_named(small_region, coverage, small_network, points, change, complaint):
    wrong = points.copy()
    for column, value in change.items():
        wrong.loc[3, column] = value
    with pytest.raises(DivisionError, match=complaint):
        judge(universal_service(wrong), small_region, coverage, small_network)


def test_wrong_input_is_named(small_region, coverage, small_network, points):
    at = (small_region, coverage, small_network)
    with pytest.raises(DivisionError, match="no column 'kind'"):
        judge(universal_service(points.drop(columns="kind")), *at)
    with pytest.raises(DivisionError, match="no places: give x_m and y_m in EPSG:32649, or long"):
        judge(universal_service(points.drop(columns="x_m")), *at)
    of_5g = coverage.judged_by(id="5g", radio_layers=("nr-n28",))
    with pytest.raises(CatalogueError, match="about 4G, but the coverage is of 5g"):
        judge(universal_service(points), small_region, of_5g, small_network)
    with pytest.raises(RasterError, match="50 × 60 pixels"):
        judge(universal_service(), small_region, coverage.isel(y=slice(50)), small_network)
    with pytest.raises(OutOfRangeError, match="share = 95 must lie between 0 and 1"):
        people_share_at_least(95)
    with pytest.raises(OutOfRangeError, match="distance_m = nan"):
        site_within(np.nan)
    with pytest.raises(OutOfRangeError, match="rsrp_dbm = 100"):
        median_rsrp_at_least(100)
    with pytest.raises(OutOfRangeError, match="no rule is given"):
        any_of()


def test_kinds_are_those_of_the_rule():
    assert KINDS_OF_POINTS == ("committee", "school", "clinic", "cluster")
