"""Lazy greedy against plain greedy and every possible choice."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from ankang_coverage.covering import greedy


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


@given(data=st.data())
def test_equals_plain_greedy(data: st.DataObject, cases: st.SearchStrategy[Any]) -> None:
    case = data.draw(cases)
    chosen, gains = plain_greedy(
        case.covers,
        case.weights,
        case.n_chosen,
        rivals=case.rivals,
        forced=case.forced,
        forbidden=case.forbidden,
    )

    args, kwargs = case.arguments()
    selection = greedy(*args, **kwargs)

    assert selection.chosen.tolist() == chosen
    assert selection.gains.tolist() == gains
    assert selection.objective == sum(gains)
    np.testing.assert_array_equal(selection.covered, case.covers[chosen].any(axis=0))
    assert selection.n_forced == len(case.forced)
    assert selection.n_without_gain == gains.count(0)
    assert selection.stopped_by == ("number" if len(chosen) == case.n_chosen else "candidates")


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

    selection = greedy(
        csr_array(covers),
        weights,
        80,
        conflicts=csr_array(rivals),
        forced=forced,
        forbidden=forbidden,
    )

    chosen, gains = plain_greedy(
        covers, weights, 80, rivals=rivals, forced=forced, forbidden=forbidden
    )
    assert selection.chosen.tolist() == chosen
    assert selection.gains.tolist() == gains


@given(data=st.data())
def test_keeps_the_guarantee_without_conflicts(
    data: st.DataObject, free_cases: st.SearchStrategy[Any], optimum: Callable[[Any], int]
) -> None:
    case = data.draw(free_cases)
    args, kwargs = case.arguments()
    best = optimum(case)

    objective = greedy(*args, **kwargs).objective

    assert (1 - 1 / math.e) * best <= objective <= best


@given(data=st.data())
def test_never_violates_a_constraint(
    data: st.DataObject, cases: st.SearchStrategy[Any], optimum: Callable[[Any], int]
) -> None:
    case = data.draw(cases)
    args, kwargs = case.arguments()

    selection = greedy(*args, **kwargs)

    chosen = selection.chosen
    assert not case.rivals[np.ix_(chosen, chosen)].any()
    assert np.unique(chosen).size == chosen.size <= case.n_chosen
    assert not np.isin(chosen, case.forbidden).any()
    assert chosen[: len(case.forced)].tolist() == case.forced
    assert selection.objective <= optimum(case)


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

    selection = greedy(
        csr_array(covers), np.ones(3000, dtype=int), 400, conflicts=csr_array(rivals)
    )

    chosen = places[selection.chosen]
    assert selection.stopped_by == "candidates"
    assert not KDTree(chosen).query_pairs(1200)
    # Nothing more fits: every place left is too close to a chosen one.
    others = np.delete(places, selection.chosen, axis=0)
    assert np.all(KDTree(chosen).query(others)[0] <= 1200)


def test_goes_on_without_gain_by_lowest_index() -> None:
    covers = np.array([[0, 0], [1, 1], [0, 1], [0, 0]], dtype=bool)

    selection = greedy(csr_array(covers), [1, 1], 4)

    assert selection.chosen.tolist() == [1, 0, 2, 3]
    assert selection.gains.tolist() == [2, 0, 0, 0]
    assert selection.n_without_gain == 3


def test_weights_above_the_precision_of_floats_stay_exact() -> None:
    huge = 2**60

    selection = greedy(csr_array(np.eye(2)), [huge, huge + 1], 2)

    assert selection.chosen.tolist() == [1, 0]
    assert selection.objective == 2**61 + 1
