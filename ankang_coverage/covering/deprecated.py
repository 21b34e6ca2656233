"""Names of version 0.1 that work for one version more."""

import warnings
from typing import Any, SupportsIndex

from numpy.typing import ArrayLike
from scipy import sparse

from ankang_coverage.covering.constraints import Constraints
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.selection import Selection
from ankang_coverage.covering.solver import Method, solve


def pose(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    number: SupportsIndex | None = None,
    **constraints: Any,
) -> Problem:
    """Make a problem; deprecated, use ``Problem.from_matrix``."""
    _warn("covering.pose", "Problem.from_matrix(matrix, weights, Constraints(number=…))")
    return _problem(matrix, weights, number, constraints)


def greedy(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    number: SupportsIndex | None = None,
    **constraints: Any,
) -> Selection:
    """Choose by greedy; deprecated, use ``solve(problem, "greedy", bound=False)``."""
    _warn("covering.greedy", 'solve(Problem.from_matrix(…), "greedy", bound=False)')
    return solve(_problem(matrix, weights, number, constraints), "greedy", bound=False)


def exact(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    number: SupportsIndex | None = None,
    *,
    time_limit_s: float = 60,
    **constraints: Any,
) -> Selection:
    """Choose by integer programming; deprecated, use ``solve(problem, "exact")``."""
    _warn("covering.exact", 'solve(Problem.from_matrix(…), "exact")')
    problem = _problem(matrix, weights, number, constraints)
    return solve(problem, "exact", time_limit_s=time_limit_s)


def method_of_old_arguments(method: Method | None, arguments: dict[str, Any]) -> Method | None:
    """Take ``improve`` and ``exact`` out of keyword arguments, and return the method."""
    for name in ("improve", "exact"):
        if name in arguments:
            _warn(f"{name} of maximal_covering", "method", stacklevel=4)
            given = arguments.pop(name)
            if name == "improve":
                method = given
            elif given:
                method = "exact"
    return method


def _problem(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    number: SupportsIndex | None,
    constraints: dict[str, Any],
) -> Problem:
    number = constraints.pop("n_chosen", number)
    secondary = constraints.pop("secondary", ())
    return Problem.from_matrix(
        matrix, weights, Constraints(number=number, **constraints), secondary
    )


def _warn(old: str, new: str, stacklevel: int = 3) -> None:
    message = f"{old} goes with the next version: use {new}"
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)
