"""Constraints are values that say nothing unless asked to."""

import dataclasses

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Floor, Problem, Quota


def test_never_change_and_are_named() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Constraints(number=1).number = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        Constraints(1)  # type: ignore[misc]


def test_leave_everything_else_open() -> None:
    problem = Problem.from_matrix(csr_array(np.eye(4)), np.ones(4), Constraints(number=2))

    assert (problem.number, problem.budget, problem.costs.tolist()) == (2, None, [0, 0, 0, 0])
    assert problem.n_quotas == problem.n_floors == problem.conflicts.indices.size == 0
    assert problem.forced.size == 0
    assert problem.is_allowed.all()


def test_groups_are_sets_and_have_no_maximum_of_their_own() -> None:
    constraints = Constraints(
        number=2,
        quotas=[Quota("west", [2, 0, 2], minimum=1), Quota("east", [3], maximum=0)],
        floors=[Floor("south", [1, 0, 1], 2)],
    )

    problem = Problem.from_matrix(csr_array(np.eye(4)), np.ones(4), constraints)

    assert [members.tolist() for members in problem.quota_members] == [[0, 2], [3]]
    assert problem.quota_minimum.tolist() == [1, 0]
    assert problem.quota_maximum.tolist() == [2, 0]
    assert problem.floor_demand[0].tolist() == [0, 1]
    assert problem.floor_minimum.tolist() == [2]
