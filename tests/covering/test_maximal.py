"""One call poses a problem and solves it."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage.covering import maximal_covering

COVERS = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool))


def test_poses_and_solves_in_one_call() -> None:
    best = maximal_covering(COVERS, [4, 5, 5, 4], 2)

    assert (sorted(best.chosen.tolist()), best.objective, best.gap) == ([1, 2], 18, 0)


def test_takes_constraints_by_name() -> None:
    greedy = maximal_covering(
        COVERS, [4, 5, 5, 4], 2, method="greedy", bound=False, costs=[1, 1, 2], forbidden=[1]
    )

    assert greedy.chosen.tolist() == [0, 2]


def test_refuses_a_name_that_no_constraint_has() -> None:
    with pytest.raises(TypeError, match="quota"):
        maximal_covering(COVERS, [4, 5, 5, 4], 2, quota=3)
