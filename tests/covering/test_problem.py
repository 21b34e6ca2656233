"""A problem is a value: checked once, its arrays shared, its constraints exchangeable."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Problem, Quota, solve
from ankang_coverage.errors import CoveringError

MATRIX = csr_array(np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=np.int8))


def test_never_changes_and_has_a_short_name() -> None:
    problem = Problem.from_matrix(MATRIX, [3, 2, 1], Constraints(number=2))
    dear = problem.under(Constraints(costs=[1, 1, 1], budget=2))

    assert repr(problem) == "<Problem: 3 candidates, 3 demands, 5 entries, choose 2>"
    assert repr(dear) == "<Problem: 3 candidates, 3 demands, 5 entries, choose 3 for 2>"
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.number = 3  # type: ignore[misc]


def test_under_other_constraints_shares_what_is_covered() -> None:
    villages = csr_array(np.eye(3, dtype=np.int8))
    problem = Problem.from_matrix(
        MATRIX, [3, 2, 1], Constraints(number=2, forbidden=[0]), [(villages, [1, 1, 1])]
    )

    other = problem.under(Constraints(number=1, quotas=[Quota("first", [0], 1)]))

    assert other.covers is problem.covers
    assert other.secondary == problem.secondary
    assert not other.forbidden.any()
    assert solve(other).chosen.tolist() == [0]
    with pytest.raises(CoveringError, match="number is 4"):
        problem.under(Constraints(number=4))


def test_the_given_arrays_are_neither_copied_nor_changed(
    scattered: Callable[[int], Problem],
) -> None:
    given = scattered(5)
    covers, weights = given.covers.matrix(given.n_demand), given.weights.copy()
    covers.indices, covers.indptr = covers.indices.astype(np.int32), covers.indptr.astype(np.int32)
    before = covers.indices.copy()

    problem = Problem.from_matrix(covers, weights, Constraints(number=30))
    solve(problem, "search", rounds=2, bound=False)

    assert np.shares_memory(problem.covers.indices, covers.indices)
    np.testing.assert_array_equal(covers.indices, before)
    np.testing.assert_array_equal(weights, given.weights)


def test_open_is_what_the_forced_candidates_leave_possible() -> None:
    pairs = csr_array(([1, 1], ([0, 4], [4, 0])), shape=(6, 6))
    constraints = Constraints(
        costs=[1, 3, 4, 1, 1, 1],
        budget=4,
        quotas=[Quota("full", [0, 3], maximum=1)],
        conflicts=pairs,
        forced=[0],
        forbidden=[5],
    )
    problem = Problem.from_matrix(csr_array(np.eye(6)), np.ones(6, np.int64), constraints)

    assert np.flatnonzero(problem.is_open).tolist() == [1]
