"""The bound against integer and linear programming, and against published best-known values."""

import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import optimize
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from ankang_coverage.covering import (
    Bound,
    Constraints,
    Floor,
    Problem,
    Quota,
    bound,
    relaxation,
    solve,
    upper_bound,
)
from ankang_coverage.covering.integer_program import clauses_of, integer_program
from ankang_coverage.errors import CoveringError


def instance(seed: int, n_candidates: int = 40, n_demand: int = 200) -> tuple[Any, ...]:
    """Discs over points in the unit square: matrix, weights, candidates' places."""
    rng = np.random.default_rng(seed)
    places, points = rng.random((n_candidates, 2)), rng.random((n_demand, 2)) ** 1.5
    distance = np.linalg.norm(places[:, None] - points, axis=2)
    covers = distance < rng.uniform(0.1, 0.2, n_candidates)[:, None]
    return csr_array(covers), rng.integers(0, 1000, n_demand), places


def spacing(places: NDArray[np.float64], distance: float) -> csr_array:
    tree = KDTree(places)
    return csr_array(tree.sparse_distance_matrix(tree, distance))


def posed(seed: int, **constraints: Any) -> Problem:
    return Problem.from_matrix(*instance(seed)[:2], Constraints(**constraints))


def by_number(seed: int) -> Problem:
    return posed(seed, number=8)


def by_budget(seed: int, **constraints: Any) -> Problem:
    costs = np.random.default_rng(seed).integers(0, 30, 40)
    return posed(seed, costs=costs, budget=90, **constraints)


def by_number_and_budget(seed: int) -> Problem:
    return by_budget(seed, number=7)


def sides(seed: int) -> list[Quota]:
    west = instance(seed)[2][:, 0] < 0.5
    return [
        Quota("west", np.flatnonzero(west), 6, 7),
        Quota("east", np.flatnonzero(~west), 1, 3),
    ]


def sides_and_towers(seed: int) -> list[Quota]:
    towers = np.flatnonzero(np.random.default_rng(seed).random(40) < 0.5)
    others = np.setdiff1d(np.arange(40), towers)
    return [*sides(seed), Quota("towers", towers, 2, 3), Quota("others", others, 1, 5)]


def with_quotas(seed: int) -> Problem:
    return posed(seed, number=9, quotas=sides(seed))


def with_overlapping_quotas(seed: int) -> Problem:
    return posed(seed, number=9, quotas=sides_and_towers(seed))


def with_spacing(seed: int) -> Problem:
    return posed(seed, number=9, conflicts=spacing(instance(seed)[2], 0.3))


def with_forced_and_forbidden(seed: int) -> Problem:
    return posed(seed, number=9, forced=[3, 1, 4], forbidden=[5, 9, 2, 6])


def with_floors(seed: int) -> Problem:
    matrix, weights, _ = instance(seed)
    corner = np.argsort(matrix.sum(axis=0), kind="stable")[:60]
    corner = corner[matrix.sum(axis=0)[corner] > 0]
    floors = [
        Floor("least covered", corner, int(0.6 * weights[corner].sum())),
        Floor("some", np.arange(0, 200, 3), 1000),
    ]
    return posed(seed, number=8, floors=floors)


def with_everything(seed: int) -> Problem:
    return posed(
        seed,
        number=9,
        quotas=sides_and_towers(seed),
        costs=np.random.default_rng(seed).integers(0, 30, 40),
        budget=130,
        conflicts=spacing(instance(seed)[2], 0.08),
        forbidden=[5],
        floors=[Floor("half", np.arange(0, 200, 2), 12_000)],
    )


VARIANTS = [
    by_number,
    by_budget,
    by_number_and_budget,
    with_quotas,
    with_overlapping_quotas,
    with_spacing,
    with_forced_and_forbidden,
    with_floors,
    with_everything,
]


def linear_bound(problem: Problem) -> float:
    """Bound of linear programming, conflicts taken pair by pair."""
    demand = np.arange(problem.n_demand)
    clauses = clauses_of(problem, demand)
    program = integer_program(problem, clauses, demand, problem.weights.astype(float))
    result = optimize.milp(**{**program, "integrality": np.zeros_like(program["integrality"])})
    return -float(result.fun)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.__name__)
def test_is_above_the_optimum_and_near_the_linear_bound(
    variant: Callable[[int], Problem], seed: int
) -> None:
    problem = variant(seed)
    best = solve(problem, "exact")
    assert best.status == "optimal"

    found = upper_bound(problem, best.objective, time_limit_s=600)

    assert best.objective <= found.value
    assert found.value <= 1.002 * linear_bound(problem)
    assert found.dropped == ()
    assert found.multipliers.shape == problem.weights.shape


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_conflicts_are_tighter_than_pairs(seed: int) -> None:
    problem = with_spacing(seed)

    found = upper_bound(problem, solve(problem, "exact").objective, time_limit_s=600)

    assert found.value < 0.98 * linear_bound(problem)


@pytest.mark.slow
@settings(max_examples=60)
@given(data=st.data())
def test_any_prices_give_a_bound(data: st.DataObject) -> None:
    """No step is taken: what is certified are the prices that hypothesis makes up."""
    variant = data.draw(st.sampled_from(VARIANTS))
    problem = variant(0)
    start = data.draw(arrays(np.float32, 200, elements=st.floats(-10, 2000, width=32)))

    found = upper_bound(problem, 0, time_limit_s=1e-9, start=start)

    assert found.n_steps == 0
    assert found.value >= optimum_of(variant)


@functools.cache
def optimum_of(variant: Callable[[int], Problem]) -> int:
    return solve(variant(0), "exact").objective


def test_candidates_that_share_nothing_are_settled_exactly() -> None:
    matrix = csr_array(np.kron(np.eye(6), np.ones(4)))
    weights = np.repeat([5, 3, 9, 1, 7, 2], 4)

    problem = Problem.from_matrix(matrix, weights, Constraints(number=3))

    assert upper_bound(problem, 84, time_limit_s=10).value == 84


def test_covering_everything_needs_no_steps() -> None:
    problem = Problem.from_matrix(csr_array(np.eye(3)), [1, 2, 3], Constraints(number=3))

    found = upper_bound(problem, 6, time_limit_s=10)

    assert found.value == 6
    assert found.n_steps <= 1


def test_never_more_than_there_is_to_cover() -> None:
    problem = Problem.from_matrix(csr_array(np.ones((5, 3))), [4, 5, 6], Constraints(number=5))

    found = upper_bound(problem, 0, time_limit_s=1e-9, start=[4, 5, 6])

    assert found.value == 15


@pytest.mark.parametrize("unit", [1 << 40, 1 << 52])
def test_weights_that_fill_63_bits(unit: int) -> None:
    matrix, weights, _ = instance(5, n_candidates=20, n_demand=40)
    weights, four = weights % 50, Constraints(number=4)
    best = solve(Problem.from_matrix(matrix, weights, four), "exact")
    problem = Problem.from_matrix(matrix, weights * unit + 1, four)

    found = upper_bound(problem, best.objective * unit, time_limit_s=9)

    assert found.value >= best.objective * unit
    assert found.value <= 1.05 * best.upper_bound * unit


@pytest.mark.slow
def test_is_the_same_for_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem.from_matrix(*instance(2, 100, 140_000)[:2], Constraints(number=20))
    monkeypatch.setattr(bound, "INLINE", 0)

    def with_threads(n: int) -> Bound:
        monkeypatch.setattr(os, "cpu_count", lambda: n)
        monkeypatch.setattr(bound, "SHORTEST", 0.5)
        return upper_bound(problem, 10_000_000, time_limit_s=600)

    one, three = with_threads(1), with_threads(3)

    assert one.value == three.value
    assert one.n_steps == three.n_steps > 10
    assert one.multipliers.tobytes() == three.multipliers.tobytes()


def test_a_matrix_too_large_to_copy_gives_the_same_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = with_everything(1)
    copied = upper_bound(problem, 0, time_limit_s=600)
    monkeypatch.setattr(relaxation, "LARGEST_COPY", 0)

    shared = upper_bound(problem, 0, time_limit_s=600)

    assert shared.value == pytest.approx(copied.value, rel=1e-3)


def test_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = with_spacing(0)
    optimum = solve(problem, "exact").objective
    monkeypatch.setattr(relaxation, "FEWEST_MEMBERS", 10)
    monkeypatch.setattr(relaxation, "MEMBERS_PER_ENTRY", 0)

    found = upper_bound(problem, optimum, time_limit_s=600)

    assert found.dropped == ("conflicts",)
    assert found.value >= optimum


def test_ends_when_the_gap_is_good_enough() -> None:
    problem = by_number(0)
    optimum = solve(problem, "exact").objective
    whole = upper_bound(problem, optimum, time_limit_s=600)

    found = upper_bound(problem, optimum, time_limit_s=600, target_gap=0.1)

    assert (found.value - optimum) / found.value <= 0.1
    assert found.n_steps < whole.n_steps


def test_ends_after_so_many_steps() -> None:
    problem = by_number(1)
    whole = upper_bound(problem, 0)

    found = upper_bound(problem, 0, most_steps=20)

    assert found.n_steps == 20 < whole.n_steps
    assert found.value >= whole.value


def test_begins_where_another_ended() -> None:
    problem = by_number(1)
    first = upper_bound(problem, 0, time_limit_s=600)

    again = upper_bound(problem, 0, time_limit_s=1e-9, start=first.multipliers)

    assert again.n_steps == 0
    assert again.value == first.value


def test_reports_and_stops_when_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = by_number(2)
    reports: list[tuple[float, int, int]] = []

    def interrupt(seconds: float, objective: int, upper: int) -> None:
        reports.append((seconds, objective, upper))
        if len(reports) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(bound, "SECONDS_BETWEEN_REPORTS", 0)
    found = upper_bound(problem, 1000, time_limit_s=600, progress=interrupt)

    assert found.is_interrupted
    assert len(reports) == 5
    assert found.value >= solve(problem, "exact").objective
    assert [objective for _, objective, _ in reports] == [1000] * 5
    assert found.value == pytest.approx(reports[-1][2], abs=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time_limit_s": 0}, "time_limit_s is 0"),
        ({"most_steps": 0}, "most_steps is 0"),
        ({"time_limit_s": 1, "start": [1.0]}, "start has shape .1,., but there are 3 demands"),
        ({"time_limit_s": 1, "start": [1.0, np.nan, 0.0]}, "start is NaN for demand 1"),
    ],
)
def test_refuses(arguments: dict[str, Any], message: str) -> None:
    problem = Problem.from_matrix(csr_array(np.eye(3)), [1, 1, 1], Constraints(number=1))
    with pytest.raises(CoveringError, match=message):
        upper_bound(problem, 1, **arguments)


@pytest.mark.slow
def test_is_not_below_published_values(census_blocks: Any) -> None:
    for name, problem, best_known in census_blocks:
        found = upper_bound(problem, best_known, time_limit_s=10, target_gap=0.02)

        assert best_known <= found.value, name


def test_what_is_dearer_than_the_budget_counts_for_nothing() -> None:
    covers = csr_array(np.eye(3, dtype=bool))
    costs = Constraints(costs=[5, 5, 5], budget=4)
    problem = Problem.from_matrix(covers, [50, 40, 10], costs)
    beside_a_forced = problem.under(Constraints(costs=[2, 3, 2], budget=4, forced=[0]))

    assert upper_bound(problem, 0).value == 0
    assert upper_bound(beside_a_forced, 60).value == 60
