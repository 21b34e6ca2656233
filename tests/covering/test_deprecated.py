"""What version 0.1 called otherwise still answers, with a warning."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage import covering

COVERS = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool))
WEIGHTS = [4, 5, 5, 4]


def test_pose_makes_a_problem() -> None:
    with pytest.warns(DeprecationWarning, match="Problem.from_matrix"):
        problem = covering.pose(COVERS, WEIGHTS, 2, secondary=[(COVERS, WEIGHTS)])

    assert (problem.number, len(problem.secondary)) == (2, 1)


def test_greedy_takes_a_matrix() -> None:
    with pytest.warns(DeprecationWarning, match=r"solve\(Problem"):
        best = covering.greedy(COVERS, WEIGHTS, n_chosen=2, forbidden=[1])

    assert best.chosen.tolist() == [0, 2]
    assert best.upper_bound is None


def test_exact_takes_a_matrix() -> None:
    with pytest.warns(DeprecationWarning, match="Problem.from_matrix"):
        best = covering.exact(COVERS, WEIGHTS, 2, time_limit_s=20)

    assert (best.objective, best.status) == (18, "optimal")


@pytest.mark.parametrize(
    ("old", "status"), [({"improve": "greedy"}, "greedy"), ({"exact": True}, "optimal")]
)
def test_maximal_covering_takes_the_old_names_of_methods(
    old: dict[str, object], status: str
) -> None:
    with pytest.warns(DeprecationWarning, match="use method") as warned:
        best = covering.maximal_covering(COVERS, WEIGHTS, 2, bound=False, **old)

    assert best.status == status
    assert warned[0].filename == __file__
