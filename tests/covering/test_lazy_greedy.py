"""Lazy greedy against plain greedy and every possible choice."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from ankang_coverage.covering import Constraints, Problem, Selection, solve


def greedy(problem: Problem) -> Selection:
    return solve(problem, "greedy", bound=False)


def plain_greedy(
    covers: NDArray[np.bool_],
    weights: NDArray[np.int64],
    n_chosen: int,
    *,
    rivals: NDArray[np.bool_],
    forced: list[int],
    forbidden: list[int],
) -> tuple[list[int], list[int]]:
    """Evaluate every candidate every time."""
    chosen: list[int] = []
    gains: list[int] = []
    covered = np.zeros(len(weights), dtype=bool)
    available = np.ones(len(covers), dtype=bool)
    available[forbidden] = False
    while len(chosen) < n_chosen and available.any():
        all_gains = (covers & ~covered) @ weights
        if len(chosen) < len(forced):
            best = forced[len(chosen)]
        else:
            best = int(np.argmax(np.where(available, all_gains, -1)))
        chosen.append(best)
        gains.append(int(all_gains[best]))
        covered |= covers[best]
        available[best] = False
        available[rivals[best]] = False
    return chosen, gains


@pytest.mark.slow
@given(data=st.data())
def test_equals_plain_greedy(data: st.DataObject, cases: st.SearchStrategy[Any]) -> None:
    case = data.draw(cases)
    chosen, gains = plain_greedy(
        case.covers,
        case.weights,
        case.number,
        rivals=case.rivals,
        forced=case.forced,
        forbidden=case.forbidden,
    )

    selection = greedy(case.problem())

    assert selection.chosen.tolist() == chosen
    assert selection.gains.tolist() == gains
    assert selection.objective == sum(gains)
    np.testing.assert_array_equal(selection.covered, case.covers[chosen].any(axis=0))
    assert selection.n_forced == len(case.forced)
    assert selection.n_without_gain == gains.count(0)
    assert selection.stopped_by == ("number" if len(chosen) == case.number else "candidates")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("heaviest", [2, 1_000_000_000_000])
def test_equals_plain_greedy_on_larger_cases(seed: int, heaviest: int) -> None:
    rng = np.random.default_rng(seed)
    covers = rng.random((300, 1500)) < 0.02
    weights = rng.integers(0, heaviest, 1500)
    near = np.triu(rng.random((300, 300)) < 0.01, k=1)
    rivals = near | near.T
    free = np.flatnonzero(~rivals[7])
    forced, forbidden = [7, int(free[free != 7][0])], [20, 21, 22]

    constraints = Constraints(
        number=80, conflicts=csr_array(rivals), forced=forced, forbidden=forbidden
    )
    selection = greedy(Problem.from_matrix(csr_array(covers), weights, constraints))

    chosen, gains = plain_greedy(
        covers, weights, 80, rivals=rivals, forced=forced, forbidden=forbidden
    )
    assert selection.chosen.tolist() == chosen
    assert selection.gains.tolist() == gains


@pytest.mark.slow
@given(data=st.data())
def test_keeps_the_guarantee_without_conflicts(
    data: st.DataObject, free_cases: st.SearchStrategy[Any]
) -> None:
    case = data.draw(free_cases)
    best = case.optimum()

    objective = greedy(case.problem()).objective

    assert (1 - 1 / math.e) * best <= objective <= best


@pytest.mark.slow
@given(data=st.data())
def test_never_violates_a_constraint(data: st.DataObject, cases: st.SearchStrategy[Any]) -> None:
    case = data.draw(cases)

    selection = greedy(case.problem())

    chosen = selection.chosen
    assert not case.rivals[np.ix_(chosen, chosen)].any()
    assert np.unique(chosen).size == chosen.size <= case.number
    assert not np.isin(chosen, case.forbidden).any()
    assert chosen[: len(case.forced)].tolist() == case.forced
    assert selection.objective <= case.optimum()


def test_spacing_holds_between_points_in_the_plane() -> None:
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 10_000, (400, 2))
    people = rng.uniform(0, 10_000, (3000, 2))
    near = KDTree(places).query_ball_point(people, 1500)
    covers = np.zeros((400, 3000), dtype=bool)
    for person, candidates in enumerate(near):
        covers[candidates, person] = True
    spacing = KDTree(places).query_pairs(1200, output_type="ndarray")
    rivals = np.zeros((400, 400), dtype=bool)
    rivals[spacing[:, 0], spacing[:, 1]] = rivals[spacing[:, 1], spacing[:, 0]] = True

    constraints = Constraints(number=400, conflicts=csr_array(rivals))
    selection = greedy(Problem.from_matrix(csr_array(covers), np.ones(3000), constraints))

    chosen = places[selection.chosen]
    assert selection.stopped_by == "candidates"
    assert not KDTree(chosen).query_pairs(1200)
    # Nothing more fits: every place left is too close to a chosen one.
    others = np.delete(places, selection.chosen, axis=0)
    assert np.all(KDTree(chosen).query(others)[0] <= 1200)


def test_goes_on_without_gain_by_lowest_index() -> None:
    covers = np.array([[0, 0], [1, 1], [0, 1], [0, 0]], dtype=bool)

    selection = greedy(Problem.from_matrix(csr_array(covers), [1, 1], Constraints(number=4)))

    assert selection.chosen.tolist() == [1, 0, 2, 3]
    assert selection.gains.tolist() == [2, 0, 0, 0]
    assert selection.n_without_gain == 3


def test_weights_above_the_precision_of_floats_stay_exact() -> None:
    huge = 2**60

    problem = Problem.from_matrix(csr_array(np.eye(2)), [huge, huge + 1], Constraints(number=2))
    selection = greedy(problem)

    assert selection.chosen.tolist() == [1, 0]
    assert selection.objective == 2**61 + 1


@given(data=st.data())
def test_equals_plain_greedy_that_looks_ahead(
    data: st.DataObject, simple_variants: st.SearchStrategy[Any]
) -> None:
    """A candidate may be taken if some permitted choice holds it and all taken before."""
    variant = data.draw(simple_variants)
    permitted = [set(chosen) for chosen in variant.permitted()]
    assume(permitted)

    def plain(by_cost: bool) -> list[int]:
        chosen = list(variant.forced)
        while True:
            scores = {}
            factor = [1]
            for _, weights in reversed(variant.secondary):
                factor.insert(0, factor[0] * (int(weights.sum()) + 1))
            now = variant.objectives(chosen)
            for j in range(len(variant.covers)):
                if j in chosen or not any({*chosen, j} <= other for other in permitted):
                    continue
                then = variant.objectives([*chosen, j])
                gain = sum(f * (b - a) for f, a, b in zip(factor, now, then, strict=True))
                needed = any(
                    j in np.asarray(quota.candidates)
                    and np.isin(chosen, quota.candidates).sum() < quota.minimum
                    for quota in variant.quotas
                )
                if gain == 0 and variant.budget is not None and not needed:
                    continue
                cost = variant.cost([j])
                per_cost = gain / cost if cost else math.inf if gain else 0.0
                scores[(-per_cost, -gain, cost, j) if by_cost else (-gain, cost, j)] = j
            if not scores:
                return chosen
            chosen.append(scores[min(scores)])

    expected = plain(by_cost=False)
    if variant.budget is not None:
        other = plain(by_cost=True)
        if variant.rank(other) > variant.rank(expected):
            expected = other

    assert greedy(variant.problem()).chosen.tolist() == expected


def with_budget(weights: list[int], costs: list[int], budget: int) -> Problem:
    """Candidates that cover one demand each."""
    apart = csr_array(np.eye(len(weights), dtype=bool))
    return Problem.from_matrix(apart, weights, Constraints(costs=costs, budget=budget))


def test_takes_the_better_of_gain_and_gain_per_cost() -> None:
    """A cheap candidate misleads one, a dear one the other."""
    cheap_first = greedy(with_budget([2, 100, 0], [1, 100, 1], 100))
    dear_last = greedy(with_budget([60, 60, 100], [50, 50, 100], 100))

    assert cheap_first.chosen.tolist() == [1]
    assert dear_last.chosen.tolist() == [0, 1]


def test_ratios_are_compared_exactly() -> None:
    """The two gains per cost differ by less than floating point can tell."""
    large = 2**53

    selection = greedy(with_budget([large, large + 1], [large - 1, large], large))

    assert selection.chosen.tolist() == [1]  # alone it is worth more
    both = greedy(with_budget([large, large + 1], [large - 1, large], 2 * large))
    assert sorted(both.chosen.tolist()) == [0, 1]
