"""Two plans side by side."""

import dataclasses

import numpy as np
import pytest
from builders import RULES, plan, programme

import ankang_coverage
from ankang_coverage.errors import PlanningError


def test_two_plans_are_compared(planned, small_region, small_network):
    other = plan(small_region, small_network, programme(micro=2), rules=RULES)
    told = ankang_coverage.compare(planned, other)
    assert told.targets.at["micro", "sites_a"] == 3
    assert told.targets.at["micro", "sites_b"] == 2
    assert told.sites.loc["micro"]["in_a"].sum() == 3
    assert told.targets.at["micro", "sites_in_both"] == 2  # greedy is a sequence
    change = told.counties.query("service == '4g'")["difference"].sum()
    assert change == pytest.approx(
        (
            other.counties["people_covered_4g_after"] - planned.counties["people_covered_4g_after"]
        ).sum()
    )


def test_a_plan_differs_in_nothing_from_itself(planned):
    told = ankang_coverage.compare(planned, planned)
    assert told.sites[["in_a", "in_b"]].all(axis=None)
    assert len(told.sites) == len(planned.chosen)
    assert told.targets["sites_in_both"].tolist() == told.targets["sites_a"].tolist()
    for figure in ("cost_yuan", "people_gained", "people_gained_net"):
        assert told.targets[f"{figure}_a"].tolist() == told.targets[f"{figure}_b"].tolist()
    assert set(told.counties["service"]) == {"4g", "5g"}
    assert not told.counties["difference"].any()


def test_a_site_of_one_plan_alone_gains_nothing_in_the_other(planned):
    one_less = dataclasses.replace(planned, chosen=planned.chosen.iloc[:-1])
    told = ankang_coverage.compare(planned, one_less).sites
    left_out = told.loc[("micro", planned.chosen.index[-1])]
    assert (left_out["in_a"], left_out["in_b"]) == (True, False)
    assert left_out["people_gained_a"] == planned.chosen["people_gained"].iloc[-1]
    assert np.isnan(left_out["people_gained_b"])
    assert left_out["county_name"] == planned.chosen["county_name"].iloc[-1]


def test_plans_of_other_counties_are_not_compared(planned):
    counties = planned.counties.rename(index={"610901": "610929"})
    region = dataclasses.replace(planned.region, name="elsewhere")
    other = dataclasses.replace(planned, region=region, counties=counties)
    with pytest.raises(PlanningError, match="plans of small and elsewhere are for different count"):
        ankang_coverage.compare(planned, other)
