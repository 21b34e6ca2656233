"""A covering problem posed and solved in one call."""

from collections.abc import Sequence
from typing import Any, SupportsIndex

from numpy.typing import ArrayLike
from scipy import sparse

from ankang_coverage.covering.constraints import Constraints
from ankang_coverage.covering.deprecated import method_of_old_arguments
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.selection import Progress, Selection
from ankang_coverage.covering.solver import Method, solve


def maximal_covering(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    number: SupportsIndex | None = None,
    *,
    secondary: Sequence[tuple[sparse.csr_array, ArrayLike]] = (),
    method: Method | None = None,
    bound: bool = True,
    time_limit_s: float | None = None,
    rounds: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    **constraints: Any,
) -> Selection:
    """Pose a covering problem and solve it in one call.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array
        Shape (n_candidates, n_demand); a non-zero entry says that the candidate covers the demand.
    weights : array_like of int
        Weight of each demand, shape (n_demand,).
    number : int, optional
        How many candidates to choose; needed without a budget.
    secondary : sequence of (csr_array, array_like of int), optional
        Further objectives in order of rank, as in `Problem.from_matrix`.
    method, bound, time_limit_s, rounds, seed, progress
        As in `solve`.
    **constraints
        What else every choice keeps, by the names in `Constraints`.

    Returns
    -------
    Selection
        What was chosen, with its upper bound.

    Raises
    ------
    CoveringError
        As in `Problem.from_matrix` and `solve`.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> matrix = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]))
    >>> maximal_covering(matrix, [4, 5, 5, 4], 2).chosen.tolist()
    [1, 2]
    >>> maximal_covering(matrix, [4, 5, 5, 4], 2, forbidden=[1]).chosen.tolist()
    [0, 2]
    """
    method = method_of_old_arguments(method, constraints)
    problem = Problem.from_matrix(
        matrix, weights, Constraints(number=number, **constraints), secondary
    )
    return solve(
        problem,
        method,
        bound=bound,
        time_limit_s=time_limit_s,
        rounds=rounds,
        seed=seed,
        progress=progress,
    )
