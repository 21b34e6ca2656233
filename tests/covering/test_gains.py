"""What candidates add, alone and together, by one thread or several."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Problem, gains
from ankang_coverage.covering.gains import all_gains, covered_by, covered_weight


def problem() -> Problem:
    rng = np.random.default_rng(4)
    return Problem.from_matrix(
        csr_array(rng.random((50, 300)) < 0.1), rng.integers(0, 9, 300), Constraints(number=5)
    )


@pytest.mark.parametrize("worth_a_thread", [1, 10**9])
def test_are_sums_of_open_weights(monkeypatch: pytest.MonkeyPatch, worth_a_thread: int) -> None:
    monkeypatch.setattr(gains, "WORTH_A_THREAD", worth_a_thread)
    posed = problem()
    open_weights = posed.weights * (np.arange(300) % 2)

    dense = posed.covers.matrix(300).toarray().astype(np.int64)

    assert all_gains(posed, open_weights).tolist() == (dense @ open_weights).tolist()


def test_demand_covered_twice_counts_once() -> None:
    posed = problem()
    dense = posed.covers.matrix(300).toarray().astype(bool)

    covered = covered_by(posed, np.array([3, 7, 3]))

    assert covered.tolist() == dense[[3, 7]].any(axis=0).tolist()
    assert covered_weight(posed, np.array([3, 7])) == posed.weights[covered].sum()
    assert covered_weight(posed, np.zeros(0, dtype=np.int64)) == 0
