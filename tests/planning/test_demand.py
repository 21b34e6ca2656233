"""Everybody counts exactly once."""

import numpy as np
import pytest
from builders import predict

from ankang_coverage.planning.demand import demand_of, people_by_county, unserved_people
from ankang_coverage.planning.places import most_populated_pixels
from ankang_coverage.planning.target import Target


def test_without_coverage_demand_is_everybody(small_region, small_network):
    nothing = predict(small_region, small_network.with_sites([]), "4g")
    target = Target(
        id="t", kind="micro", number=1, service="4g", radio_layers=("lte-b8",), minimum_spacing_m=0
    )
    demand = unserved_people(small_region, nothing, target)
    assert demand.sum() == 1000 * small_region.villages["people"].sum()


def asks(**settings):
    return Target(
        id="t",
        kind="micro",
        number=1,
        service="4g",
        radio_layers=("lte-b8",),
        minimum_spacing_m=0,
        **settings,
    )


def test_each_objective_has_its_own_weights(small_region, small_network):
    nothing = predict(small_region, small_network.with_sites([]), "4g")
    target = asks(
        objectives=("people", "villages", "area", {"people": 1, "villages": 200}),
        serves=("village",),
    )
    demand = demand_of(small_region, nothing, target)
    people, villages, area, both = demand.objectives
    counted = small_region.villages[small_region.villages["kind"] == "village"]
    assert people.sum() == 1000 * counted["people"].sum()
    assert villages.sum() == 1000 * len(counted)
    assert area.sum() == pytest.approx(counted.area.sum() / 1e3, rel=0.1)  # rounded by pixel
    assert (both == people + 200 * villages).all()
    pixels = most_populated_pixels(small_region)[small_region.villages["kind"] == "village"]
    assert set(np.flatnonzero(villages)) == set(pixels)


def test_a_village_may_count_by_its_share_of_people(small_region, small_network):
    nothing = predict(small_region, small_network.with_sites([]), "4g")
    target = asks(objectives=("villages",), village_rule="share")
    weights = demand_of(small_region, nothing, target).objectives[0]
    assert weights.sum() == pytest.approx(1000 * len(small_region.villages), rel=0.05)


def test_covered_pixels_weigh_nothing(small_region, small_network):
    coverage = predict(small_region, small_network, "4g")
    covered = coverage.covered.to_numpy().ravel()
    demand = demand_of(small_region, coverage, asks(objectives=("area", "villages")))
    for weights in (demand.people, *demand.objectives):
        assert not weights[covered].any()


def test_counties_share_out_the_people(small_region):
    by_county = people_by_county(small_region, asks())
    assert by_county.sum(axis=1).tolist() == (1000 * small_region.counties["people"]).tolist()
