"""Functions of version 0.1 that work for one version more."""

import warnings
from typing import Any, SupportsIndex

from numpy.typing import ArrayLike
from scipy import sparse

from ankang_coverage.covering.constraints import Constraints
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.selection import Selection
from ankang_coverage.covering.solver import solve


def greedy(
    matrix: sparse.csr_array, weights: ArrayLike, n_chosen: SupportsIndex, **constraints: Any
) -> Selection:
    """Choose by greedy; deprecated, use ``solve(problem, "greedy", bound=False)``."""
    return solve(_problem(matrix, weights, n_chosen, constraints), "greedy", bound=False)


def exact(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    n_chosen: SupportsIndex,
    *,
    time_limit_s: float = 60,
    **constraints: Any,
) -> Selection:
    """Choose by integer programming; deprecated, use ``solve(problem, "exact")``."""
    problem = _problem(matrix, weights, n_chosen, constraints)
    return solve(problem, "exact", time_limit_s=time_limit_s)


def _problem(
    matrix: sparse.csr_array, weights: ArrayLike, number: SupportsIndex, constraints: dict[str, Any]
) -> Problem:
    warnings.warn(
        "covering.greedy and covering.exact go with the next version: make a problem with "
        "Problem.from_matrix(matrix, weights, Constraints(number=…)) and solve(problem, method)",
        DeprecationWarning,
        stacklevel=3,
    )
    return Problem.from_matrix(matrix, weights, Constraints(number=number, **constraints))
