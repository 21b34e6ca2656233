"""Every method against every possible choice; interruption, time and repetition."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Problem, solve, solver, upper_bound
from ankang_coverage.errors import CoveringError


@pytest.mark.slow
@given(data=st.data())
@pytest.mark.parametrize("method", ["greedy", "swap", "search"])
def test_keeps_every_constraint_or_says_that_none_can(
    method: Any, data: st.DataObject, variants: st.SearchStrategy[Any]
) -> None:
    variant = data.draw(variants)
    permitted = list(variant.permitted())
    if not permitted:
        with pytest.raises(CoveringError):
            solve(variant.problem(), method, bound=False)
        return

    best = solve(variant.problem(), method, rounds=5, time_limit_s=100, bound=False)

    chosen = best.chosen.tolist()
    assert sorted(chosen) in permitted
    assert len(set(chosen)) == len(chosen)
    assert chosen[: best.n_forced] == variant.forced
    assert best.objective == variant.objectives(chosen)[0] == best.gains.sum()
    assert best.objective <= variant.optimum()
    np.testing.assert_array_equal(best.covered, variant.covers[chosen].any(axis=0))


@given(data=st.data())
@pytest.mark.parametrize("method", ["greedy", "swap", "search"])
def test_no_choice_is_above_the_bound(
    method: Any, data: st.DataObject, variants: st.SearchStrategy[Any]
) -> None:
    variant = data.draw(variants)
    if not any(True for _ in variant.permitted()):
        return

    best = solve(variant.problem(), method, rounds=5)

    assert best.objective <= variant.optimum() <= best.upper_bound
    assert (best.status == "optimal") == (best.objective == best.upper_bound)


def test_secondary_objectives_decide_between_equals_only() -> None:
    people = csr_array(np.array([[1, 0], [1, 0], [0, 1]]))
    villages = csr_array(np.array([[0], [1], [1]]))

    def best(weights: list[int]) -> Any:
        problem = Problem.from_matrix(people, weights, Constraints(number=1), [(villages, [1])])
        return solve(problem, bound=False)

    assert (best([5, 5]).chosen.tolist(), best([5, 5]).objective) == ([1], 5)
    assert (best([6, 5]).chosen.tolist(), best([6, 5]).objective) == ([1], 6)


@pytest.mark.parametrize(("method", "report"), [("swap", 1), ("search", 6)])
def test_an_interrupt_returns_the_best_so_far(
    method: Any, report: int, scattered: Callable[[int], Problem]
) -> None:
    problem = scattered(3)

    def interrupt(_seconds: float, objective: int, _bound: int | None) -> None:
        seen.append(objective)
        if len(seen) == report:
            raise KeyboardInterrupt

    seen: list[int] = []
    best = solve(problem, method, rounds=2000, progress=interrupt)

    assert best.status == "interrupted"
    assert (best.upper_bound is None) == (method == "swap")  # a search begins with it
    assert best.objective >= max(seen)
    assert best.objective == problem.weights[best.covered].sum()
    assert best.chosen.size == 30


def test_without_time_gives_greedy_and_a_bound(scattered: Callable[[int], Problem]) -> None:
    problem = scattered(4)

    best = solve(problem, "search", time_limit_s=1e-9)

    assert best.status == "time limit"
    assert best.chosen.tolist() == solve(problem, "greedy", bound=False).chosen.tolist()
    assert best.upper_bound is not None
    assert best.upper_bound > best.objective
    assert best.gap == (best.upper_bound - best.objective) / best.upper_bound


def one_of(n: int) -> Problem:
    """One of many candidates, of which the last covers most but not everything."""
    covers = csr_array(np.tri(n, n + 1, dtype=bool))
    return Problem.from_matrix(covers, np.ones(n + 1, np.int64), Constraints(number=1))


def test_a_search_does_not_begin_where_the_bound_is_reached() -> None:
    best = solve(one_of(324), "search", time_limit_s=600)  # a search would take all of it

    assert (best.chosen.tolist(), best.objective, best.upper_bound) == ([323], 324, 324)
    assert best.status == "optimal"
    assert list(best.seconds) == ["greedy", "swap", "bound"]


def test_a_search_ends_when_it_reaches_the_bound() -> None:
    # No exchange improves the first two, the last two cover everything but one demand.
    covers = np.zeros((4, 7), dtype=bool)
    covers[0, [0, 1]], covers[1, [2, 3]] = True, True
    covers[2, [0, 2, 4]], covers[3, [1, 3, 5]] = True, True
    weights = [100, 100, 100, 100, 99, 99, 50]
    problem = Problem.from_matrix(csr_array(covers), weights, Constraints(number=2))
    assert upper_bound(problem, 598).value == 598

    best = solve(problem, "search", time_limit_s=600)

    assert (best.objective, best.status) == (598, "optimal")


def lines_of_seven_points() -> Problem:
    """Two of the seven lines of the Fano plane cover 5 points; by halves they would cover 6."""
    lines = [(0, 1, 2), (0, 3, 4), (0, 5, 6), (1, 3, 5), (1, 4, 6), (2, 3, 6), (2, 4, 5)]
    covers = np.zeros((7, 7), dtype=bool)
    for line, points in enumerate(lines):
        covers[line, points] = True
    return Problem.from_matrix(csr_array(covers), np.ones(7, np.int64), Constraints(number=2))


def test_time_that_the_bound_does_not_need_goes_to_the_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left_s: list[float] = []

    def note_time(_exchanges: Any, *, until: float, **_others: Any) -> None:
        left_s.append(until - perf_counter())

    monkeypatch.setattr(solver, "search", note_time)
    best = solve(lines_of_seven_points(), "search", time_limit_s=600.0)

    assert (best.objective, best.upper_bound, best.status) == (5, 6, "time limit")
    assert left_s[0] > 0.9 * 600.0


def test_the_default_searches_where_there_is_a_time_limit(
    scattered: Callable[[int], Problem],
) -> None:
    problem = scattered(6)

    assert "search" not in solve(problem, bound=False).seconds
    assert "search" in solve(problem, time_limit_s=0.2, bound=False).seconds
    assert "search" not in solve(problem, "swap", time_limit_s=0.2, bound=False).seconds


def test_a_search_goes_on_for_the_secondary_objectives() -> None:
    everything = csr_array(np.ones((3, 1), dtype=bool))
    second = csr_array(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    problem = Problem.from_matrix(everything, [7], Constraints(number=1), [(second, [1, 3, 2])])

    best = solve(problem, "search", rounds=5)

    assert (best.chosen.tolist(), best.status) == ([1], "optimal")
    assert "search" in best.seconds


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method": "better"}, "method is 'better'"),
        ({"rounds": -1}, "rounds is -1"),
        ({"time_limit_s": 0}, "time_limit_s is 0"),
        ({"method": "exact", "time_limit_s": -1}, "time_limit_s is -1"),
        ({"time_limit_s": float("nan")}, "time_limit_s is nan"),
    ],
)
def test_refuses(changed: dict[str, Any], message: str) -> None:
    problem = Problem.from_matrix(csr_array(np.eye(2)), [1, 1], Constraints(number=1))
    with pytest.raises(CoveringError, match=message):
        solve(problem, **changed)


def test_refuses_ranked_weights_that_do_not_fit_together() -> None:
    two = csr_array(np.eye(2))
    problem = Problem.from_matrix(two, [2**30, 1], Constraints(number=1), [(two, [2**40, 2**40])])
    with pytest.raises(CoveringError, match="use coarser units"):
        solve(problem)


def test_san_francisco_stores_leave_21_tracts_uncovered(stores: Problem) -> None:
    assert np.count_nonzero(~solve(stores, bound=False).covered) == 21
