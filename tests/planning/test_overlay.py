"""Tables of a plan: the chosen sites, and every division before and after."""

import dataclasses
from itertools import product

import geopandas as gpd
import pytest

from ankang_coverage.coverage import ClassLimits, summarise_region
from ankang_coverage.planning.overlay import FIGURES, LEVELS, chosen_sites, division_tables


def test_numbers_and_order_are_as_asked(planned):
    assert planned.chosen.groupby("programme").size().to_dict() == {"supporting": 1, "micro": 3}
    for _, sites in planned.chosen.groupby("programme"):
        assert sites["order"].tolist() == list(range(1, len(sites) + 1))
        assert sites["people_gained"].is_monotonic_decreasing
        assert sites["people_gained_total"].to_numpy() == pytest.approx(
            sites["people_gained"].cumsum()
        )


def test_people_gained_are_the_change_in_the_tables(planned):
    """The micro sites count 行政村 only; the table's change covers at least those."""
    villages = planned.villages
    gained = villages["people_covered_4g_after"] - villages["people_covered_4g_before"]
    rural = villages["kind"] == "village"
    total = planned.chosen.query("programme == 'micro'")["people_gained"].sum()
    assert gained[rural].sum() == pytest.approx(total, abs=1e-6)
    assert (gained >= 0).all()
    tables = summarise_region(planned.coverage_after["4g"], planned.region)
    for level, table in tables.items():
        after = getattr(planned, level)["people_covered_4g_after"]
        assert after.to_numpy() == pytest.approx(table["people_covered"].to_numpy())


def test_chosen_sites_say_where_they_stand(planned):
    chosen, region = planned.chosen, planned.region
    assert chosen.crs == region.villages.crs
    places = gpd.points_from_xy(chosen["longitude"], chosen["latitude"], crs=4326)
    back = gpd.GeoSeries(places, index=chosen.index).to_crs(chosen.crs)
    assert back.distance(chosen.geometry).max() < 0.2  # six decimals
    for level in ("county", "township"):
        table = region.counties if level == "county" else region.townships
        own = table.geometry.loc[chosen[level]]
        assert own.reset_index(drop=True).covers(chosen.geometry.reset_index(drop=True)).all()
        assert chosen[f"{level}_name"].tolist() == table["name"].loc[chosen[level]].tolist()


def test_sites_of_a_made_up_region_are_called_synthetic(planned):
    assert planned.region.is_synthetic
    assert set(chosen_sites(planned.results, planned.region)["source"]) == {"synthetic"}
    real = dataclasses.replace(planned.region, sources=())
    assert set(chosen_sites(planned.results, real)["source"]) == {"synthetic", "candidate"}


def test_each_division_has_every_figure_before_and_after(planned):
    tables = division_tables(planned.coverage_before, planned.coverage_after, {}, ClassLimits())
    assert set(tables) == set(LEVELS)
    for level, table in tables.items():
        assert table.index.equals(getattr(planned.region, level).index)
        assert table.crs == planned.region.villages.crs
        for service, state in product(planned.coverage_before, ("before", "after")):
            assert {f"{figure}_{service}_{state}" for figure in FIGURES} <= set(table)
        assert getattr(planned, level).equals(table)
