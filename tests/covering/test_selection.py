"""A selection is a value."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Problem, Quota, Selection, solve
from ankang_coverage.covering.selection import describe


def test_is_frozen_and_counts_what_gained_nothing() -> None:
    selection = Selection(
        chosen=np.array([4, 2, 0]),
        gains=np.array([0, 7, 0]),
        objective=7,
        covered=np.array([True]),
        stopped_by="number",
        n_forced=1,
    )

    assert selection.n_without_gain == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        selection.objective = 8  # type: ignore[misc]


def test_the_gap_is_a_fraction_of_the_bound() -> None:
    selection = Selection(
        chosen=np.array([1]),
        gains=np.array([98]),
        objective=98,
        covered=np.array([True]),
        stopped_by="number",
        n_forced=0,
    )

    assert selection.gap is None
    assert dataclasses.replace(selection, upper_bound=100).gap == 0.02
    assert dataclasses.replace(selection, upper_bound=98).gap == 0


def test_describes_a_choice_in_its_order() -> None:
    covers = csr_array(np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]], dtype=bool))
    problem = Problem.from_matrix(covers, [4, 2, 1], Constraints(number=3, forced=[1]))

    selection = describe(problem, np.array([1, 0, 2]), status="local optimum")

    assert selection.gains.tolist() == [3, 4, 0]
    assert (selection.objective, selection.n_forced, selection.n_without_gain) == (7, 1, 1)
    assert selection.covered.all()
    assert selection.stopped_by == "number"
    assert selection.status == "local optimum"


@pytest.mark.parametrize(
    ("constraints", "reason"),
    [
        ({"number": 2}, "number"),
        ({"number": 4, "quotas": [Quota("x", [1, 2], 0, 1)]}, "quotas"),
        ({"number": 3, "forbidden": [0], "quotas": [Quota("x", [1, 2], 0, 0)]}, "quotas"),
        ({"costs": [1, 1, 1, 1], "budget": 2}, "budget"),
        ({"costs": [3, 3, 3, 3], "budget": 2}, "budget"),
        ({"costs": [1, 1, 1, 1], "budget": 4}, "gain"),
    ],
)
def test_says_what_stopped_it(constraints: dict[str, Any], reason: str) -> None:
    covers = csr_array(np.eye(4, dtype=bool))
    problem = Problem.from_matrix(covers, [4, 3, 2, 0], Constraints(**constraints))

    assert solve(problem, bound=False).stopped_by == reason
