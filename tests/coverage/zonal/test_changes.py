"""Before and after: pixels and people against plain loops, whatever the order of the cells."""

import numpy as np
import pytest
import xarray as xr
from builders import HandmadeCoverage
from odc.geo.xr import xr_coords

from ankang_coverage.coverage.zonal.changes import (
    CHANGES,
    changed_villages,
    difference,
    people_changed,
)
from ankang_coverage.coverage.zonal.overlay import summarise_region
from ankang_coverage.errors import CatalogueError, DivisionError, RasterError

RULE = {"rsrp_threshold_dbm": -110.0, "edge_probability": 0.5}


def as_coverage(region, cells, rsrp, server, sinr):
    """A coverage as predict gives it; covered from −100 dBm."""
    with np.errstate(invalid="ignore"):
        variables = {
            "rsrp_dbm": (rsrp, "dBm"),
            "best_server": (server, "1"),
            "covered": (rsrp >= -100, "1"),
            "sinr_db": (sinr, "dB"),
        }
    figures = xr.Dataset(
        {
            name: (("y", "x"), values, {"units": unit, "grid_mapping": "spatial_ref"})
            for name, (values, unit) in variables.items()
        },
        coords={
            **xr_coords(region.geobox),
            "cell": ("cell", cells),
            "site": ("cell", [cell[0] for cell in cells]),
            "operator": ("cell", ["mobile"] * len(cells)),
        },
        attrs={"service": "4g"},
    )
    return HandmadeCoverage(figures, RULE)


@pytest.fixture(scope="module")
def before(small_region):
    rng = np.random.default_rng(3)
    shape = small_region.geobox.shape
    rsrp = rng.normal(-100, 6, shape).astype(np.float32)
    server = rng.integers(0, 3, shape).astype(np.int32)
    rsrp[:5], server[:5] = np.nan, -1
    sinr = np.where(np.isnan(rsrp), np.nan, rng.normal(3, 5, shape)).astype(np.float32)
    return as_coverage(small_region, ["A1", "B1", "C1"], rsrp, server, sinr)


@pytest.fixture(scope="module")
def after(small_region, before):
    """B1 is gone, D1 is new, A1 and C1 changed places; the south is as before."""
    rng = np.random.default_rng(4)
    rsrp = before["rsrp_dbm"].to_numpy().copy()
    rsrp[:25] = rng.normal(-99, 6, (25, rsrp.shape[1]))
    new_place = np.array([2, 1, 0, -1], np.int32)  # of A1, B1 (then D1's), C1 and none
    server = new_place[before["best_server"].to_numpy()]
    server[:5] = 1
    return as_coverage(small_region, ["C1", "D1", "A1"], rsrp, server, before["sinr_db"].to_numpy())


def test_pixels_equal_a_loop(before, after):
    change = difference(before, after)
    rows, columns = before["rsrp_dbm"].shape
    names = {state: [*c["cell"].to_numpy(), ""] for state, c in (("b", before), ("a", after))}
    b, a = ({name: coverage[name].to_numpy() for name in coverage} for coverage in (before, after))
    found = {name: change[name].to_numpy() for name in change}
    for r in range(rows):
        for c in range(columns):
            here = r, c
            old, new = bool(b["covered"][here]), bool(a["covered"][here])
            meaning = "gained" if new and not old else "lost" if old and not new else "same"
            assert found["change"][here] == CHANGES[meaning]
            old_cell, new_cell = (
                names["b"][b["best_server"][here]],
                names["a"][a["best_server"][here]],
            )
            assert found["server_changed"][here] == (old_cell != new_cell)
            expected = a["rsrp_dbm"][here] - b["rsrp_dbm"][here]
            assert found["rsrp_dbm_change"][here] == pytest.approx(expected, nan_ok=True)
    assert set(np.unique(found["change"])) == {-1, 0, 1}
    assert found["server_changed"].any()
    assert not found["server_changed"].all()


def test_a_difference_is_computed_when_it_is_read(before, after):
    change = difference(before.chunk({"y": 16, "x": 16}), after)
    assert all(change[name].chunks is not None for name in change)
    assert change["change"].chunksizes["y"][0] == 16
    assert change.compute().identical(difference(before, after).compute())


def test_a_difference_is_labelled(before, after):
    change = difference(before, after)
    assert set(change) == {"change", "server_changed", "rsrp_dbm_change", "sinr_db_change"}
    assert change["rsrp_dbm_change"].attrs["units"] == "dB"
    assert change["change"].attrs["flag_meanings"] == "lost same gained"
    assert change["change"].attrs["flag_values"].tolist() == [-1, 0, 1]
    assert change["change"].dtype == np.int8
    assert change["change"].odc.geobox == before["rsrp_dbm"].odc.geobox


def test_nothing_changes_against_oneself(before, small_region):
    change = difference(before, before)
    assert not change["change"].any()
    assert not change["server_changed"].any()
    assert (people_changed(before, before, small_region) == 0).all(axis=None)
    villages = summarise_region(before, small_region)["villages"]
    assert changed_villages(villages, villages).empty


def test_people_gained_and_lost_equal_a_loop(small_region, before, after):
    table = people_changed(before, after, small_region)
    was, now = (c["covered"].to_numpy().ravel() for c in (before, after))
    people = small_region.shares.people.toarray()
    assert table.index.equals(small_region.villages.index)
    for row, (_, found) in enumerate(table.iterrows()):
        assert found.people_gained == people[row][now & ~was].sum() / 1000
        assert found.people_lost == people[row][was & ~now].sum() / 1000
    assert (table.people_gained > 0).any()
    assert (table.people_lost > 0).any()


def test_gross_makes_net(small_region, before, after):
    villages = [summarise_region(c, small_region)["villages"] for c in (before, after)]
    net = villages[1].people_covered - villages[0].people_covered
    table = people_changed(before, after, small_region)
    assert table.people_net.to_numpy() == pytest.approx(net, abs=1e-9)
    assert table.people_net.to_numpy() == pytest.approx(
        table.people_gained - table.people_lost, abs=1e-9
    )


def test_changed_villages_are_those_that_changed(small_region, before, after):
    one, other = (summarise_region(c, small_region)["villages"] for c in (before, after))
    changed = changed_villages(one, other)
    still = one.index.difference(changed.index)
    assert 0 < len(changed) < len(one)
    assert one.people_covered[still].equals(other.people_covered[still])
    assert one.coverage_class[still].equals(other.coverage_class[still])
    for code, row in changed.iterrows():
        assert row.coverage_class_before == one.coverage_class[code]
        assert row.coverage_class_after == other.coverage_class[code]
        assert row.people_net == pytest.approx(
            other.people_covered[code] - one.people_covered[code], abs=1e-9
        )
        assert row.people_net != 0 or row.coverage_class_before != row.coverage_class_after
    assert changed.crs == one.crs


def test_a_class_alone_may_change(small_region, before):
    table = summarise_region(before, small_region)["villages"]
    other = table.assign(coverage_class=["covered", *table.coverage_class[1:]])
    assert list(changed_villages(table, other).index) == [table.index[0]]


def test_what_cannot_be_compared_is_refused(small_region, before, after):
    stricter = after.judged_by(rsrp_threshold_dbm=-105.0)
    with pytest.raises(CatalogueError, match=r"different rules: .*-110 dBm.* before.*-105 dBm"):
        difference(before, stricter)
    with pytest.raises(CatalogueError, match=r"4g: .* before, 5g: .* after"):
        difference(before, after.judged_by(id="5g"))
    with pytest.raises(CatalogueError, match=r"σ 8 dB.* before.*σ 6.5 dB.* after"):
        difference(before, after.judged_by(sigma_db=6.5))
    with pytest.raises(RasterError, match="50 × 60 pixels .* the one before on one of 60 × 60"):
        difference(before, after.isel(y=slice(50)))
    with pytest.raises(RasterError, match="no variable 'covered'"):
        difference(before, after.drop_vars("covered"))
    with pytest.raises(RasterError, match="50 × 60 pixels .* the region on one"):
        people_changed(*(c.isel(y=slice(50)) for c in (before, after)), small_region)
    difference(before, after.judged_by())  # an equal rule is the same rule


def test_tables_that_do_not_fit_are_refused(small_region, before):
    tables = summarise_region(before, small_region)
    with pytest.raises(DivisionError, match="of different divisions"):
        changed_villages(tables["villages"], tables["counties"])
    bare = small_region.villages
    with pytest.raises(DivisionError, match="no column 'people_covered'"):
        changed_villages(bare, tables["villages"])
