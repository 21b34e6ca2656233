"""Integer programming against every possible choice and a published case."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Problem, solve


@given(data=st.data())
def test_equals_the_best_of_all_choices(
    data: st.DataObject, variants: st.SearchStrategy[Any]
) -> None:
    variant = data.draw(variants)
    assume(any(True for _ in variant.permitted()))

    best = solve(variant.problem(), "exact")

    chosen = best.chosen.tolist()
    assert variant.is_permitted(chosen)
    assert best.objective == variant.optimum() == best.upper_bound
    assert variant.objectives(chosen) == max(map(variant.objectives, variant.permitted()))
    assert best.status == "optimal"
    assert best.gap == 0
    assert best.objective == variant.weights[best.covered].sum() == best.gains.sum()
    assert (best.covered == variant.covers[chosen].any(axis=0)).all()
    assert chosen[: best.n_forced] == variant.forced


def test_secondary_objectives_decide_among_the_best() -> None:
    """Three pairs cover everyone; which of them covers most of the villages?"""
    covers = csr_array(np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]]))
    villages = csr_array(np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 1]]))

    problem = Problem.from_matrix(
        covers, [3, 3, 3, 3], Constraints(number=2), [(villages, [1, 1, 1])]
    )
    best = solve(problem, "exact")

    assert sorted(best.chosen.tolist()) == [2, 3]
    assert (best.objective, best.upper_bound, best.status) == (12, 12, "optimal")


def test_beats_greedy_where_greedy_is_misled() -> None:
    covers = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool))
    problem = Problem.from_matrix(covers, [4, 5, 5, 4], Constraints(number=2))

    best = solve(problem, "exact")

    assert solve(problem, "greedy", bound=False).objective == 14
    assert best.objective == best.upper_bound == 18
    assert set(best.seconds) == {"greedy", "exact"}


@pytest.mark.parametrize("seed", [1, 4])
def test_proves_the_last_unit(seed: int) -> None:
    """Cases that need branching: a relative gap left open would show as a missing proof."""
    rng = np.random.default_rng(seed)
    covers = csr_array(rng.random((30, 150)) < 0.1)
    problem = Problem.from_matrix(covers, rng.integers(1, 1_000_000, 150), Constraints(number=6))

    best = solve(problem, "exact")

    assert best.status == "optimal"
    assert best.objective == best.upper_bound
    assert best.objective > solve(problem, "greedy", bound=False).objective


def test_may_leave_the_number_when_conflicts_make_fewer_better() -> None:
    """A hub in conflict with two others is worth more than both."""
    hub = csr_array(np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]))

    constraints = Constraints(number=2, conflicts=hub)
    best = solve(Problem.from_matrix(csr_array(np.eye(3)), [9, 1, 1], constraints), "exact")

    assert best.chosen.tolist() == [0]
    assert best.stopped_by == "candidates"
    assert best.status == "optimal"


def test_orders_by_gain_and_fills_the_number() -> None:
    covers = csr_array(np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0], [0, 0, 1]], dtype=bool))

    best = solve(Problem.from_matrix(covers, [1, 1, 1], Constraints(number=4)), "exact")

    assert best.chosen.tolist() == [1, 0, 2, 3]
    assert best.gains.tolist() == [2, 1, 0, 0]
    assert best.n_without_gain == 2


def test_without_time_gives_a_valid_selection_and_bound() -> None:
    rng = np.random.default_rng(3)
    covers = csr_array(rng.random((120, 900)) < 0.03)
    problem = Problem.from_matrix(covers, rng.integers(1, 1000, 900), Constraints(number=25))

    best = solve(problem, "exact", time_limit_s=1e-9)

    assert best.status == "time limit"
    assert best.upper_bound is not None
    begun = solve(problem, "greedy", bound=False).objective
    assert begun <= best.objective < best.upper_bound
    assert best.upper_bound <= problem.weights.sum()


def test_san_francisco_stores_leave_21_tracts_uncovered(stores: Problem) -> None:
    best = solve(stores, "exact")

    assert best.status == "optimal"
    assert np.count_nonzero(~best.covered) == 21
