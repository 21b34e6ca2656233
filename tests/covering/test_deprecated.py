"""What version 0.1 called greedy and exact still answers, with a warning."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage import covering

COVERS = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool))


def test_greedy_takes_a_matrix_for_one_version_more() -> None:
    with pytest.warns(DeprecationWarning, match=r"solve\(problem, method\)"):
        best = covering.greedy(COVERS, [4, 5, 5, 4], 2, forbidden=[1])

    assert best.chosen.tolist() == [0, 2]
    assert best.upper_bound is None


def test_exact_takes_a_matrix_for_one_version_more() -> None:
    with pytest.warns(DeprecationWarning, match="Problem.from_matrix"):
        best = covering.exact(COVERS, [4, 5, 5, 4], 2, time_limit_s=20)

    assert (best.objective, best.status) == (18, "optimal")
