"""Exchanges: every step keeps the constraints and the count, and the end is a local optimum."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Problem, gains, solve
from ankang_coverage.covering.exchange import Exchanges
from ankang_coverage.covering.gains import covered_weight


@given(data=st.data())
def test_no_exchange_improves_what_swaps_have_settled(
    data: st.DataObject, variants: st.SearchStrategy[Any]
) -> None:
    variant = data.draw(variants)
    variant.floors = []  # an exchange that a floor forbids hides the second best
    permitted = [set(chosen) for chosen in variant.permitted()]
    assume(permitted)

    problem = variant.problem()
    best = solve(problem, "swap", bound=False)

    assert best.status == "local optimum"
    chosen = best.chosen.tolist()
    begun = solve(problem, "greedy", bound=False).chosen.tolist()
    assert variant.rank(chosen) >= variant.rank(begun)
    for out, into in itertools.product(chosen, range(len(variant.covers))):
        exchanged = [*(j for j in chosen if j != out), into]
        if out not in variant.forced and into not in chosen and set(exchanged) in permitted:
            assert variant.rank(exchanged) <= variant.rank(chosen)
    for into in set(range(len(variant.covers))) - set(chosen):
        if {*chosen, into} in permitted:
            assert variant.objectives([*chosen, into]) == variant.objectives(chosen)


def three_pairs() -> Problem:
    """Greedy begins in the middle; each exchange for an outer one gains."""
    covers = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool))
    return Problem.from_matrix(covers, [4, 5, 5, 4], Constraints(number=2))


def test_keeps_the_best_and_returns_to_it() -> None:
    reports: list[int] = []
    exchanges = Exchanges(three_pairs(), np.array([0, 1]), reports.append)
    assert exchanges.best_found.tolist() == [14, 0]

    assert exchanges.settle(np.inf)
    assert exchanges.members.tolist() == [0, 1]
    exchanges.keep_best()

    assert sorted(exchanges.members.tolist()) == [1, 2]
    assert exchanges.best_found.tolist() == [18, 0]
    assert reports[-1] == 18
    exchanges.return_to_best()
    assert int(exchanges.cover.objective[0]) == 18
    assert exchanges.held.role.tolist() == [0, 2, 2]


def test_without_time_nothing_is_exchanged() -> None:
    exchanges = Exchanges(three_pairs(), np.array([0, 1]), lambda _: None)

    assert not exchanges.settle(0.0)

    assert int(exchanges.cover.objective[0]) == 14


def test_room_that_an_exchange_makes_is_used() -> None:
    """The dear candidate gives way to a cheap one that covers the same; another fits then."""
    covers = csr_array(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=bool))
    constraints = Constraints(costs=[5, 2, 3], budget=5)
    problem = Problem.from_matrix(covers, [4, 4, 1], constraints)
    exchanges = Exchanges(problem, np.array([0]), lambda _: None)

    exchanges.settle(np.inf)
    exchanges.keep_best()

    assert sorted(exchanges.members.tolist()) == [1, 2]
    assert exchanges.best_found.tolist() == [9, 5]


def test_threads_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch, scattered: Any) -> None:
    problem = scattered(2)
    alone = solve(problem, bound=False)

    monkeypatch.setattr(gains, "WORTH_A_THREAD", 1)
    by_threads = solve(problem, bound=False)

    assert by_threads.chosen.tolist() == alone.chosen.tolist()
    assert covered_weight(problem, alone.chosen) == alone.objective
