"""The search finds what exchanges miss, the same with every run, and comes near what is known."""

from typing import Any

import numpy as np
from hypothesis import given, strategies as st
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Problem, solve
from ankang_coverage.covering.exchange import Exchanges
from ankang_coverage.covering.search import search

METHODS = ("greedy", "swap", "search")


def test_improves_on_exchanges_and_repeats_to_the_byte(scattered: Any) -> None:
    problem = scattered(6)

    def chosen(seed: int) -> list[int]:
        return solve(problem, "search", rounds=50, seed=seed, bound=False).chosen.tolist()

    objectives = [solve(problem, m, rounds=50, bound=False).objective for m in METHODS]
    assert objectives[0] < objectives[1] < objectives[2]
    assert chosen(0) == chosen(0) != chosen(1)


def local_optimum() -> Problem:
    """No single exchange for the first two helps, but the other two cover more together."""
    covers = np.zeros((4, 6), dtype=bool)
    covers[0, [0, 1]], covers[1, [2, 3]] = True, True
    covers[2, [0, 2, 4]], covers[3, [1, 3, 5]] = True, True
    weights = [100, 100, 100, 100, 99, 99]
    return Problem.from_matrix(csr_array(covers), weights, Constraints(number=2))


@given(seed=st.integers(0, 2**32 - 1))
def test_ends_after_so_many_rounds_and_keeps_the_best(seed: int) -> None:
    problem = local_optimum()
    exchanges = Exchanges(problem, np.array([0, 1]), lambda _: None)

    search(exchanges, enough=10**6, until=np.inf, rounds=50, seed=seed)

    assert exchanges.best_found.tolist() == [598, 0]
    assert sorted(exchanges.members.tolist()) == [2, 3]


def test_without_rounds_nothing_is_tried() -> None:
    exchanges = Exchanges(local_optimum(), np.array([0, 1]), lambda _: None)

    search(exchanges, enough=10**6, until=np.inf, rounds=0, seed=0)

    assert exchanges.members.tolist() == [0, 1]


def test_ends_when_the_objective_is_enough() -> None:
    exchanges = Exchanges(local_optimum(), np.array([0, 1]), lambda _: None)

    search(exchanges, enough=598, until=np.inf, rounds=None, seed=0)  # nothing else would end it

    assert exchanges.objective == 598


def test_comes_close_to_the_best_known_of_published_instances(census_blocks: Any) -> None:
    shares: dict[str, list[float]] = {method: [] for method in METHODS}
    for _, problem, best_known in census_blocks:
        for method in METHODS:
            best = solve(problem, method, rounds=50, bound=False)
            shares[method].append(best.objective / best_known)

    assert min(shares["greedy"]) >= 0.95
    assert min(shares["swap"]) >= 0.975
    assert min(shares["search"]) >= 0.99
    assert np.mean(shares["search"]) >= 0.995
    assert max(shares["search"]) <= 1
