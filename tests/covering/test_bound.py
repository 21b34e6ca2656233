"""The bound against integer and linear programming, and against published best-known values."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import optimize
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from ankang_coverage.covering import Floor, Quota, bound, exact, relaxation
from ankang_coverage.covering.bound import Bound, upper_bound
from ankang_coverage.covering.exact import _integer_program
from ankang_coverage.covering.problem import Problem, pose
from ankang_coverage.errors import CoveringError

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


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


def by_number(seed: int) -> Arguments:
    return (*instance(seed)[:2], 8), {}


def by_budget(seed: int) -> Arguments:
    costs = np.random.default_rng(seed).integers(0, 30, 40)
    return instance(seed)[:2], {"costs": costs, "budget": 90}


def by_number_and_budget(seed: int) -> Arguments:
    arguments, constraints = by_budget(seed)
    return (*arguments, 7), constraints


def with_quotas(seed: int) -> Arguments:
    matrix, weights, places = instance(seed)
    west = places[:, 0] < 0.5
    return (matrix, weights, 9), {
        "quotas": [
            Quota("west", np.flatnonzero(west), 6, 7),
            Quota("east", np.flatnonzero(~west), 1, 3),
        ]
    }


def with_overlapping_quotas(seed: int) -> Arguments:
    arguments, constraints = with_quotas(seed)
    towers = np.flatnonzero(np.random.default_rng(seed).random(40) < 0.5)
    others = np.setdiff1d(np.arange(40), towers)
    quotas = [Quota("towers", towers, 2, 3), Quota("others", others, 1, 5)]
    return arguments, {"quotas": [*constraints["quotas"], *quotas]}


def with_spacing(seed: int) -> Arguments:
    matrix, weights, places = instance(seed)
    return (matrix, weights, 9), {"conflicts": spacing(places, 0.3)}


def with_forced_and_forbidden(seed: int) -> Arguments:
    return (*instance(seed)[:2], 9), {"forced": [3, 1, 4], "forbidden": [5, 9, 2, 6]}


def with_floors(seed: int) -> Arguments:
    matrix, weights, _ = instance(seed)
    corner = np.argsort(matrix.sum(axis=0), kind="stable")[:60]
    corner = corner[matrix.sum(axis=0)[corner] > 0]
    return (matrix, weights, 8), {
        "floors": [
            Floor("least covered", corner, int(0.6 * weights[corner].sum())),
            Floor("some", np.arange(0, 200, 3), 1000),
        ]
    }


def with_everything(seed: int) -> Arguments:
    arguments, constraints = with_overlapping_quotas(seed)
    costs = np.random.default_rng(seed).integers(0, 30, 40)
    return arguments, {
        **constraints,
        "costs": costs,
        "budget": 130,
        "conflicts": spacing(instance(seed)[2], 0.08),
        "forbidden": [5],
        "floors": [Floor("half", np.arange(0, 200, 2), 12_000)],
    }


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
    program = _integer_program(problem)
    result = optimize.milp(**{**program, "integrality": np.zeros_like(program["integrality"])})
    return -float(result.fun)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.__name__)
def test_is_above_the_optimum_and_near_the_linear_bound(
    variant: Callable[[int], Arguments], seed: int
) -> None:
    args, constraints = variant(seed)
    problem = pose(*args, **constraints)
    best = exact(*args, **constraints)
    assert best.status == "optimal"

    found = upper_bound(problem, best.objective, time_limit_s=600)

    assert best.objective <= found.value
    assert found.value <= 1.002 * linear_bound(problem)
    assert found.dropped == ()
    assert found.multipliers.shape == problem.weights.shape


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_conflicts_are_tighter_than_pairs(seed: int) -> None:
    args, constraints = with_spacing(seed)
    problem = pose(*args, **constraints)

    found = upper_bound(problem, exact(*args, **constraints).objective, time_limit_s=600)

    assert found.value < 0.98 * linear_bound(problem)


@settings(max_examples=60)
@given(data=st.data())
def test_any_prices_give_a_bound(data: st.DataObject) -> None:
    """No step is taken: what is certified are the prices that hypothesis makes up."""
    variant = data.draw(st.sampled_from(VARIANTS))
    args, constraints = variant(0)
    start = data.draw(arrays(np.float32, 200, elements=st.floats(-10, 2000, width=32)))

    found = upper_bound(pose(*args, **constraints), 0, time_limit_s=1e-9, start=start)

    assert found.n_steps == 0
    assert found.value >= OPTIMUM.setdefault(variant, exact(*args, **constraints).objective)


OPTIMUM: dict[Callable[[int], Arguments], int] = {}


def test_candidates_that_share_nothing_are_settled_exactly() -> None:
    matrix = csr_array(np.kron(np.eye(6), np.ones(4)))
    weights = np.repeat([5, 3, 9, 1, 7, 2], 4)

    assert upper_bound(pose(matrix, weights, 3), 84, time_limit_s=10).value == 84


def test_covering_everything_needs_no_steps() -> None:
    problem = pose(csr_array(np.eye(3)), [1, 2, 3], 3)

    found = upper_bound(problem, 6, time_limit_s=10)

    assert found.value == 6
    assert found.n_steps <= 1


def test_never_more_than_there_is_to_cover() -> None:
    matrix = csr_array(np.ones((5, 3)))

    found = upper_bound(pose(matrix, [4, 5, 6], 5), 0, time_limit_s=1e-9, start=[4, 5, 6])

    assert found.value == 15


@pytest.mark.parametrize("unit", [1 << 40, 1 << 52])
def test_weights_that_fill_63_bits(unit: int) -> None:
    matrix, weights, _ = instance(5, n_candidates=20, n_demand=40)
    weights = weights % 50
    best = exact(matrix, weights, 4)

    found = upper_bound(pose(matrix, weights * unit + 1, 4), best.objective * unit, time_limit_s=9)

    assert found.value >= best.objective * unit
    assert found.value <= 1.05 * best.upper_bound * unit


def test_is_the_same_for_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = pose(*instance(2, 100, 140_000)[:2], 20)
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
    args, constraints = with_everything(1)
    problem = pose(*args, **constraints)
    copied = upper_bound(problem, 0, time_limit_s=600)
    monkeypatch.setattr(relaxation, "LARGEST_COPY", 0)

    shared = upper_bound(problem, 0, time_limit_s=600)

    assert shared.value == pytest.approx(copied.value, rel=1e-3)


def test_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    args, constraints = with_spacing(0)
    optimum = exact(*args, **constraints).objective
    monkeypatch.setattr(relaxation, "FEWEST_MEMBERS", 10)
    monkeypatch.setattr(relaxation, "MEMBERS_PER_ENTRY", 0)

    found = upper_bound(pose(*args, **constraints), optimum, time_limit_s=600)

    assert found.dropped == ("conflicts",)
    assert found.value >= optimum


def test_ends_when_the_gap_is_good_enough() -> None:
    args, _ = by_number(0)
    optimum = exact(*args).objective
    problem = pose(*args)
    whole = upper_bound(problem, optimum, time_limit_s=600)

    found = upper_bound(problem, optimum, time_limit_s=600, target_gap=0.1)

    assert (found.value - optimum) / found.value <= 0.1
    assert found.n_steps < whole.n_steps


def test_ends_after_so_many_steps() -> None:
    args, _ = by_number(1)
    problem = pose(*args)
    whole = upper_bound(problem, 0)

    found = upper_bound(problem, 0, most_steps=20)

    assert found.n_steps == 20 < whole.n_steps
    assert found.value >= whole.value


def test_begins_where_another_ended() -> None:
    args, _ = by_number(1)
    problem = pose(*args)
    first = upper_bound(problem, 0, time_limit_s=600)

    again = upper_bound(problem, 0, time_limit_s=1e-9, start=first.multipliers)

    assert again.n_steps == 0
    assert again.value == first.value


def test_reports_and_stops_when_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    args, _ = by_number(2)
    reports: list[tuple[float, int, int]] = []

    def interrupt(seconds: float, objective: int, upper: int) -> None:
        reports.append((seconds, objective, upper))
        if len(reports) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(bound, "SECONDS_BETWEEN_REPORTS", 0)
    found = upper_bound(pose(*args), 1000, time_limit_s=600, progress=interrupt)

    assert found.is_interrupted
    assert len(reports) == 5
    assert found.value >= exact(*args).objective
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
    with pytest.raises(CoveringError, match=message):
        upper_bound(pose(csr_array(np.eye(3)), [1, 1, 1], 1), 1, **arguments)


def read_instance(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    lines = [line.strip() for line in path.read_text().splitlines()]
    start, middle = lines.index("NODE_COORD_SECTION"), lines.index("DEMAND_SECTION")
    stop = lines.index("EOF") if "EOF" in lines else len(lines)
    places = np.array([line.split() for line in lines[start + 1 : middle] if line], dtype=float)
    people = np.array([line for line in lines[middle + 1 : stop] if line], dtype=np.int64)
    return np.radians(places), people


def within(places: NDArray[np.float64], distance_m: float) -> csr_array:
    """Pairs within a great-circle distance, through the chord."""
    latitude, longitude = places.T
    points = np.column_stack(
        (
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        )
    )
    tree = KDTree(points)
    pairs = tree.query_ball_point(points, 2 * np.sin(distance_m / 6_378_100 / 2))
    rows = np.repeat(np.arange(len(points)), [len(row) for row in pairs])
    columns = np.concatenate([np.asarray(row) for row in pairs])
    return csr_array((np.ones(rows.size), (rows, columns)), shape=(len(points), len(points)))


def test_is_not_below_published_values(shared: Path) -> None:
    folder = shared / "validation/mclp/ails"
    with (folder / "best_known.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    posed: dict[str, tuple[csr_array, NDArray[np.int64]]] = {}
    for row in rows:
        name, best_known = row["instance"], int(row["best_known"])
        if name not in posed:
            places, people = read_instance(folder / f"{name}.txt")
            posed[name] = within(places, float(row["radius_m"])), people
        problem = pose(*posed[name], int(row["p"]))

        found = upper_bound(problem, best_known, time_limit_s=10, target_gap=0.02)

        assert best_known <= found.value, (name, row["p"])
