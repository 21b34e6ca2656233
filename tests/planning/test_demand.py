"""Everybody counts exactly once."""

from functools import partial

import ankang_coverage
from ankang_coverage.planning.demand import unserved_people
from ankang_coverage.planning.programme import Target

# By distance alone: fast, and every pixel can be computed again by hand.
RMA = ankang_coverage.Propagation(model="rma", radius_m=5000.0)
predict = partial(ankang_coverage.predict, propagation=RMA)


def test_without_coverage_demand_is_everybody(small_region, small_network):
    nothing = predict(small_region, small_network.with_sites([]), "4g")
    target = Target(
        id="t", kind="micro", number=1, service="4g", radio_layers=("lte-b8",), minimum_spacing_m=0
    )
    demand = unserved_people(small_region, nothing, target)
    assert demand.sum() == 1000 * small_region.villages["people"].sum()
