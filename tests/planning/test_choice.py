"""What targets ask is what the solver is told, and what it answers keeps to it."""

from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning import Programme, Target
from ankang_coverage.planning.candidates import Candidates, nothing_dropped
from ankang_coverage.planning.checks import check_asked
from ankang_coverage.planning.choice import (
    Block,
    covered_by,
    marginal_people,
    part_of,
    pose,
    random_gains,
    solve,
)
from ankang_coverage.planning.constraints import SPACING, Asked
from ankang_coverage.planning.demand import Demand
from ankang_coverage.planning.explanation import (
    cost_of_constraints,
    curve,
    knee,
    what_is_left,
)
from ankang_coverage.sites import Network, make_cells, no_rejections

COUNTIES = pd.Series({"610901": "甲县", "610902": "乙县"})


def target(id_="t", **asks):
    given = {
        "id": id_,
        "kind": "micro",
        "number": 3,
        "service": "4g",
        "radio_layers": ("lte-b8",),
        "minimum_spacing_m": 0.0,
        "improve": "greedy",
    }
    return Target.model_validate({**given, **asks})


def asked(target, x_m, *, county=None, costs=None, owners=None, construction="pole", forced=None):
    n = len(x_m)
    ids = [f"{target.id}-{i}" for i in range(n)]
    layer = target.radio_layers[0]
    sites = gpd.GeoDataFrame(
        {"name": ids, "status": "candidate", "kind": "micro", "source": "candidate"},
        index=pd.Index(ids, name="site"),
        geometry=gpd.points_from_xy(x_m, np.zeros(n)),
        crs=32649,
    )
    cells = make_cells(ids, layer, kind="micro", azimuths_deg=[0.0], height_m=12.0)
    table = pd.DataFrame(
        {
            "construction": construction,
            "cost_yuan": np.full(n, 10) if costs is None else costs,
            "owner": "" if owners is None else owners,
            "reason": "by hand",
        },
        index=sites.index,
    )
    codes = ["610901"] * n if county is None else county
    return Asked(
        target=target,
        candidates=Candidates(
            Network(sites=sites, cells=cells, rejected=no_rejections()), table, nothing_dropped()
        ),
        county=pd.Series(codes, index=sites.index),
        forced=target.forced if forced is None else forced,
    )


def code_of(county):
    return {name: code for code, name in COUNTIES.items()}.get(county, county)


def posed(many, matrices, people, programme=None):
    programme = programme or Programme(targets=tuple(one.target for one in many))
    rules = check_asked(many, programme, code_of)
    blocks = [
        Block(
            sparse.csr_array(np.asarray(matrix, np.int8)),
            np.arange(len(people)),
            Demand(people=np.asarray(people), objectives=(np.asarray(people),)),
        )
        for matrix in matrices
    ]
    halves = np.zeros((2, len(people)), np.int64)
    halves[0, ::2], halves[1, 1::2] = people[::2], people[1::2]
    return pose(many, blocks, rules, lambda _: sparse.csr_array(halves), COUNTIES, code_of)


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
    ask = target(
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
    first = asked(target("a", number=2), np.arange(5) * 1e3, costs=costs[0])
    second = asked(
        target("b", number=2, service="5g", radio_layers=("nr-n28",)),
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
    ask = target(number=2, improve=improve, time_limit_s=0.2)
    choice = posed([asked(ask, np.arange(7) * 1e3)], [matrix], np.ones(7, np.int64))

    selection = solve(choice, choice.rules)

    assert selection.objective == 5 < selection.upper_bound
    assert ("search" in selection.seconds) == is_searched


def test_joint_targets_of_one_service_do_not_count_anybody_twice():
    both = [asked(target(id_, number=1), [0.0, 5e3]) for id_ in "ab"]
    programme = Programme(targets=tuple(one.target for one in both), order="joint")
    choice = posed(both, [[[1, 1, 0], [0, 0, 1]]] * 2, np.array([5, 5, 3]), programme)
    assert choice.matrix.shape == (4, 3)
    assert solve(choice, choice.rules).objective == 13


def test_one_cell_is_not_built_by_two_joint_targets():
    one = asked(target("a", number=1), [0.0, 5e3])
    other = Asked(target("b", number=1), one.candidates, one.county, ())
    programme = Programme(targets=(one.target, other.target), order="joint")
    choice = posed([one, other], [[[1, 1], [0, 1]]] * 2, np.array([5, 4]), programme)
    chosen = solve(choice, choice.rules).chosen
    assert sorted(chosen % 2) == [0, 1]


def test_a_floor_counts_each_county_its_own_people():
    """Pixel 0 and 2 belong to 甲, pixel 1 and 3 to 乙; greedy alone would leave 乙 empty."""
    ask = target(number=1, floors=[{"county": "乙县", "people_share": 0.5}])
    choice = posed([asked(ask, [0.0, 1e3])], [[[1, 0, 1, 0], [0, 1, 0, 1]]], np.array([9, 2, 9, 2]))
    selection = solve(choice, choice.rules)
    assert selection.chosen.tolist() == [1]
    told = cost_of_constraints(choice, selection)
    assert told["constraint"].tolist() == ["floor 乙县 0.5"]
    assert told["difference"].tolist() == [0.014]


def test_a_floor_that_no_candidate_reaches_is_named():
    ask = target(number=1, floors=[{"county": "乙县", "people_share": 0.9}])
    with pytest.raises(PlanningError, match=r"floor 乙县 asks for 90\.0%.*would be 50\.0%"):
        posed([asked(ask, [0.0])], [[[1, 1, 0, 0]]], np.array([9, 2, 9, 2]))


def test_a_budget_counts_what_sites_cost():
    ask = target(number=None, budget_yuan=10)
    one = asked(ask, [0.0, 1e3, 2e3], costs=[10, 5, 5])
    choice = posed([one], [[[1, 1, 0], [1, 0, 0], [0, 0, 1]]], np.array([5, 4, 5]))
    assert sorted(solve(choice, choice.rules).chosen) == [1, 2]


def test_what_a_constraint_costs_is_what_is_gained_without_it():
    ask = target(number=2, minimum_spacing_m=50.0, forbidden=("t-3",))
    matrix = np.eye(4, dtype=int)
    choice = posed([asked(ask, [0.0, 10.0, 900.0, 2e3])], [matrix], np.array([9, 8, 1, 7]) * 1000)
    selection = solve(choice, choice.rules)
    told = cost_of_constraints(choice, selection).set_index("constraint")
    assert selection.objective == 10_000
    assert told["difference"].to_dict() == {SPACING: 7.0, "forbidden sites": 6.0}


def test_what_is_left_says_why_each_candidate_was_not_chosen():
    ask = target(number=2, minimum_spacing_m=50.0, forbidden=("t-3",))
    matrix = np.eye(5, dtype=int)
    one = asked(ask, [0.0, 10.0, 900.0, 2e3, 3e3])
    choice = posed([one], [matrix], np.array([9, 8, 3, 7, 1]))
    left = what_is_left(choice, solve(choice, choice.rules))
    assert left.why.tolist() == ["", "spacing", "", "forbidden", "outranked"]
    assert left.gains.tolist() == [0, 8, 0, 7, 1]


def test_the_knee_is_farthest_above_the_chord():
    gained = np.cumsum([50, 30, 10, 5, 5])
    assert knee([1, 2, 3, 4, 5], gained) == 1
    assert knee([1, 2, 3], [1, 2, 3]) is None
    assert knee([], []) is None
    by_cost = curve(
        pd.Index(["a", "b", "c"]), np.array([50_000, 40_000, 10_000]), np.array([1, 80, 19])
    )
    assert by_cost["knee"].tolist() == ["cost", "number", ""]
    assert by_cost["people_gained_total"].tolist() == [50.0, 90.0, 100.0]


def test_marginal_people_add_up_to_what_is_covered():
    choice = posed([asked(target(number=2), [0.0, 1e3])], [[[1, 1, 0], [0, 1, 1]]], np.arange(1, 4))
    assert marginal_people(choice, np.array([0, 1])).tolist() == [3, 3]


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        ({"number": 9}, "t asks for 9 sites, but only 4 candidates exist"),
        ({"forced": ["t-9"]}, "forced names 't-9', which is no candidate; did you mean t-"),
        (
            {"forced": ["t-0", "t-1"], "minimum_spacing_m": 50},
            "forced sites t-0 and t-1 are 10 m apart, closer than minimum_spacing_m = 50",
        ),
        (
            {"number": None, "budget_yuan": 15, "forced": ["t-0", "t-1"]},
            "the 2 forced sites cost 20 yuan, more than budget_yuan = 15",
        ),
        (
            {"forced": ["t-0", "t-1"], "quotas": [{"county": "甲县", "maximum": 1}]},
            "quota 甲县 allows at most 1, but 2 of its sites are forced",
        ),
        (
            {"quotas": [{"county": "乙县", "minimum": 1}]},
            "quota 'quota 乙县' asks for at least 1, but only 0 of its 0 candidates",
        ),
        (
            {"quotas": [{"owner": "移劝", "minimum": 1}]},
            "has owner '移劝'; did you mean 移动; owners are 移动",
        ),
        (
            {"quotas": [{"county": "甲县", "maximum": 2}]},
            "only 2 of 3 sites fit with the maxima of its quotas",
        ),
        ({"minimum_spacing_m": 5000}, "only 1 of 3 sites fit with a spacing of 5000 m"),
        (
            {
                "number": None,
                "budget_yuan": 15,
                "quotas": [{"county": "甲县", "minimum": 2}],
            },
            "budget is 15, but the minima of 1 quotas .* cost at least 20",
        ),
    ],
)
def test_what_cannot_be_met_is_named_before_any_search(asks, says):
    one = asked(target(**asks), [0.0, 10.0, 900.0, 2e3], owners="移动")
    with pytest.raises(PlanningError, match=says):
        check_asked([one], Programme(targets=(one.target,)), code_of)
