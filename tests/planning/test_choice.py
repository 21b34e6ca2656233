"""What targets ask is what the solver is told, and what it answers keeps to it."""

from itertools import combinations

import numpy as np
import pytest
from builders import asked, greedy_target, posed
from hypothesis import given, settings, strategies as st

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning import Programme
from ankang_coverage.planning.choice import (
    Asked,
    covered_by,
    marginal_people,
    part_of,
    random_gains,
    solve,
)
from ankang_coverage.planning.explanation import (
    cost_of_constraints,
)


def brute_force(choice, keeps):
    """Return the best objective of all choices that keep the rules."""
    n = choice.matrix.shape[0]
    best = -1
    for size in range(n + 1):
        for rows in combinations(range(n), size):
            if keeps(np.array(rows, int)):
                covered = covered_by(choice.matrix, np.array(rows, int))
                best = max(best, int(choice.people[covered].sum()))
    return best


cases = st.integers(0, 2**32 - 1)


@given(cases)
@settings(max_examples=40)
def test_every_rule_of_a_target_is_kept_and_the_bound_holds(seed):
    rng = np.random.default_rng(seed)
    n, n_demand = 9, 14
    counties = rng.choice(["610901", "610902"], n)
    owners = rng.choice(["移动", "联通"], n)
    costs = rng.integers(1, 9, n)
    x_m = rng.permutation(n) * 100.0
    number = 4
    ask = greedy_target(
        number=number,
        improve="swap",
        minimum_spacing_m=150.0,
        quotas=[
            {"county": "甲县", "minimum": int(min((counties == "610901").sum(), 1)), "maximum": 3},
            {"owner": str(owners[0]), "maximum": 2},
        ],
        exclusive=[["t-0", "t-1", "t-2"]],
        forbidden=["t-3"],
    )
    one = asked(ask, x_m, county=counties, costs=costs, owners=owners)
    matrix = rng.random((n, n_demand)) < 0.3
    people = rng.integers(1, 50, n_demand)

    def keeps(rows):
        near = any(abs(x_m[a] - x_m[b]) < 150.0 for a, b in combinations(rows, 2))
        return (
            len(rows) == number
            and not near
            and ((counties == "610901").sum() == 0 or 1 <= (counties[rows] == "610901").sum() <= 3)
            and (owners[rows] == owners[0]).sum() <= 2
            and np.isin(rows, [0, 1, 2]).sum() <= 1
            and 3 not in rows
        )

    try:
        choice = posed([one], [matrix], people)
    except PlanningError:
        assert not any(keeps(np.array(rows)) for rows in combinations(range(n), number))
        return  # and where greedy runs out of sites, the choice finds another way below
    selection = solve(choice, choice.rules)
    assert keeps(selection.chosen)
    best = brute_force(choice, keeps)
    assert selection.objective <= best <= selection.upper_bound
    assert len(random_gains(choice, 0, seed=1)) == 20


@given(cases)
@settings(max_examples=25)
def test_joint_targets_keep_their_numbers_and_share_the_budget(seed):
    rng = np.random.default_rng(seed)
    costs = [rng.integers(1, 9, 5), rng.integers(1, 9, 4)]
    first = asked(greedy_target("a", number=2), np.arange(5) * 1e3, costs=costs[0])
    second = asked(
        greedy_target("b", number=2, service="5g", radio_layers=("nr-n28",)),
        np.arange(4) * 1e3,
        costs=costs[1],
    )
    budget = 12
    programme = Programme(targets=(first.target, second.target), order="joint", budget_yuan=budget)
    people = rng.integers(1, 50, 8)
    matrices = [rng.random((5, 8)) < 0.4, rng.random((4, 8)) < 0.4]
    choice = posed([first, second], matrices, people, programme)
    assert choice.matrix.shape == (9, 16)
    selection = solve(choice, choice.rules)
    all_costs = np.concatenate(costs)

    def keeps(rows):
        return (rows < 5).sum() <= 2 and (rows >= 5).sum() <= 2 and all_costs[rows].sum() <= budget

    assert keeps(selection.chosen)
    assert selection.objective <= brute_force(choice, keeps) <= selection.upper_bound
    parts = [part_of(choice, selection, n) for n in (0, 1)]
    assert sum(part.objective for part in parts) == selection.objective
    assert max(parts[0].chosen, default=0) < 5
    assert max(parts[1].chosen, default=0) < 4


@pytest.mark.parametrize(
    ("improve", "is_searched"), [(None, True), ("swap", False), ("search", True)]
)
def test_a_target_with_a_time_limit_is_searched_unless_it_says_otherwise(improve, is_searched):
    lines = [(0, 1, 2), (0, 3, 4), (0, 5, 6), (1, 3, 5), (1, 4, 6), (2, 3, 6), (2, 4, 5)]
    matrix = [[point in line for point in range(7)] for line in lines]  # the bound stays above
    ask = greedy_target(number=2, improve=improve, time_limit_s=0.2)
    choice = posed([asked(ask, np.arange(7) * 1e3)], [matrix], np.ones(7, np.int64))

    selection = solve(choice, choice.rules)

    assert selection.objective == 5 < selection.upper_bound
    assert ("search" in selection.seconds) == is_searched


def test_joint_targets_of_one_service_do_not_count_anybody_twice():
    both = [asked(greedy_target(id_, number=1), [0.0, 5e3]) for id_ in "ab"]
    programme = Programme(targets=tuple(one.target for one in both), order="joint")
    choice = posed(both, [[[1, 1, 0], [0, 0, 1]]] * 2, np.array([5, 5, 3]), programme)
    assert choice.matrix.shape == (4, 3)
    assert solve(choice, choice.rules).objective == 13


def test_one_cell_is_not_built_by_two_joint_targets():
    one = asked(greedy_target("a", number=1), [0.0, 5e3])
    other = Asked(greedy_target("b", number=1), one.candidates, one.county, ())
    programme = Programme(targets=(one.target, other.target), order="joint")
    choice = posed([one, other], [[[1, 1], [0, 1]]] * 2, np.array([5, 4]), programme)
    chosen = solve(choice, choice.rules).chosen
    assert sorted(chosen % 2) == [0, 1]


def test_a_floor_counts_each_county_its_own_people():
    """Pixel 0 and 2 belong to 甲, pixel 1 and 3 to 乙; greedy alone would leave 乙 empty."""
    ask = greedy_target(number=1, floors=[{"county": "乙县", "people_share": 0.5}])
    choice = posed([asked(ask, [0.0, 1e3])], [[[1, 0, 1, 0], [0, 1, 0, 1]]], np.array([9, 2, 9, 2]))
    selection = solve(choice, choice.rules)
    assert selection.chosen.tolist() == [1]
    told = cost_of_constraints(choice, selection)
    assert told["constraint"].tolist() == ["floor 乙县 0.5"]
    assert told["difference"].tolist() == [0.014]


def test_a_floor_that_no_candidate_reaches_is_named():
    ask = greedy_target(number=1, floors=[{"county": "乙县", "people_share": 0.9}])
    with pytest.raises(PlanningError, match=r"floor 乙县 asks for 90\.0%.*would be 50\.0%"):
        posed([asked(ask, [0.0])], [[[1, 1, 0, 0]]], np.array([9, 2, 9, 2]))


def test_a_budget_counts_what_sites_cost():
    ask = greedy_target(number=None, budget_yuan=10)
    one = asked(ask, [0.0, 1e3, 2e3], costs=[10, 5, 5])
    choice = posed([one], [[[1, 1, 0], [1, 0, 0], [0, 0, 1]]], np.array([5, 4, 5]))
    assert sorted(solve(choice, choice.rules).chosen) == [1, 2]


def test_marginal_people_add_up_to_what_is_covered():
    choice = posed(
        [asked(greedy_target(number=2), [0.0, 1e3])], [[[1, 1, 0], [0, 1, 1]]], np.arange(1, 4)
    )
    assert marginal_people(choice, np.array([0, 1])).tolist() == [3, 3]
