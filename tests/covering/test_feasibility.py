"""A choice is found if there is one; if not, the constraints that clash are named."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Floor, Problem, Quota, solve
from ankang_coverage.errors import CoveringError


def test_names_the_constraints_that_clash_and_no_others() -> None:
    pairs = np.zeros((4, 4), dtype=bool)
    pairs[0, 1] = pairs[1, 0] = True
    quotas = [Quota("north", [0, 1], 2), Quota("south", [2, 3], 1), Quota("all", range(4), 0, 4)]

    constraints = Constraints(number=3, quotas=quotas, conflicts=csr_array(pairs))
    with pytest.raises(CoveringError) as error:
        solve(Problem.from_matrix(csr_array(np.eye(4)), [1, 1, 1, 1], constraints))

    assert "relax one of quota 'north' at least 2; 1 conflicts" in str(error.value)
    assert "south" not in str(error.value)
    assert "number" not in str(error.value)


def test_overlapping_minima_that_one_candidate_serves_fit_the_number() -> None:
    """The cheapest members of each would be three; the integer programme finds two."""
    quotas = [Quota("a", [0, 2], 1), Quota("b", [1, 2], 1), Quota("c", [3], 1)]

    constraints = Constraints(number=2, quotas=quotas)
    selection = solve(Problem.from_matrix(csr_array(np.eye(4)), [9, 9, 1, 1], constraints))

    assert sorted(selection.chosen.tolist()) == [2, 3]


def test_floors_that_the_greatest_gains_do_not_reach_fit_the_number() -> None:
    """Each floor's best candidate would be three; one that serves two of them leaves room."""
    covers = csr_array(
        np.array([[1, 0, 0, 0, 1], [0, 1, 0, 0, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 0]], dtype=bool)
    )
    floors = [Floor("west", [0], 1), Floor("east", [1], 1), Floor("south", [2, 3], 5)]

    constraints = Constraints(number=2, floors=floors)
    selection = solve(Problem.from_matrix(covers, [1, 1, 3, 3, 50], constraints))

    assert sorted(selection.chosen.tolist()) == [2, 3]


def test_a_budget_that_the_floors_exceed_is_named_with_them() -> None:
    floors = [Floor("west", [0], 3), Floor("east", [1], 3)]
    constraints = Constraints(costs=[3, 3], budget=5, floors=floors)
    problem = Problem.from_matrix(csr_array(np.eye(2)), [3, 3], constraints)

    with pytest.raises(CoveringError, match="relax one of budget 5; floor 'west' at least 3;"):
        solve(problem, "greedy", bound=False)
