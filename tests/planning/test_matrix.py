"""A row of the matrix is what the site would cover if it were built."""

import numpy as np
import pytest
from builders import predict

from ankang_coverage.planning.demand import unserved_people
from ankang_coverage.planning.matrix import covering_matrix
from ankang_coverage.planning.target import Target
from ankang_coverage.sites.catalogue import service


@pytest.fixture
def target():
    return Target(
        id="t",
        kind="micro",
        number=1,
        service="4g",
        radio_layers=("lte-b8",),
        minimum_spacing_m=0,
        serves=("village",),
    )


@pytest.fixture
def rule():
    return service("4g").model_copy(update={"rsrp_threshold_dbm": -86.0})


def test_demand_is_the_people_of_the_right_villages_whom_nothing_covers(
    small_region, small_network, target, rule
):
    coverage = predict(small_region, small_network, rule)
    demand = unserved_people(small_region, coverage, target)
    covered = coverage.covered.to_numpy().ravel()
    assert not demand[covered].any()
    people = small_region.shares.people.toarray()
    rural = small_region.villages["kind"].eq("village").to_numpy()
    assert np.array_equal(demand, np.where(covered, 0, people[rural].sum(axis=0)))


def test_rows_are_what_each_site_would_cover(small_region, small_network, target, rule):
    nothing = predict(small_region, small_network.with_sites([]), rule)
    demand = unserved_people(small_region, nothing, target)
    matrix, weights = covering_matrix(nothing, small_network, demand)
    assert matrix.shape == (3, np.count_nonzero(demand))
    assert weights.sum() == demand.sum()
    for row, site in enumerate(small_network.sites.index):
        alone = (
            predict(small_region, small_network.with_sites([site]), rule).covered.to_numpy().ravel()
        )
        assert np.array_equal(matrix[[row]].toarray()[0] != 0, alone[demand > 0])
