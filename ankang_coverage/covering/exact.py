"""Maximal covering by integer programming: small cases, with proof."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, sparse

from ankang_coverage.covering.greedy import choose_greedily
from ankang_coverage.covering.merging import merge_identical_demand
from ankang_coverage.covering.problem import Problem, check_time_limit, pose
from ankang_coverage.covering.selection import Selection


@dataclass(frozen=True, eq=False, kw_only=True)
class ExactSelection(Selection):
    """A selection and how much better any other could be.

    Attributes
    ----------
    bound : int
        No selection has an objective above this [unit of the weights].
    proven : bool
        Whether the selection is optimal: its objective equals the bound.
    status : str
        The solver's own sentence on why it ended.
    """

    bound: int
    proven: bool
    status: str


def _integer_program(problem: Problem) -> dict[str, Any]:
    """Return the arguments of `scipy.optimize.milp`; variables are candidates, then demands."""
    n_candidates, n_demand = problem.n_candidates, problem.n_demand
    covers = sparse.csr_array(
        (np.ones(problem.indices.size), problem.indices, problem.indptr),
        shape=(n_candidates, n_demand),
    )
    # A demand counts only if a candidate that covers it is chosen.
    linked = sparse.hstack([-covers.T, sparse.eye_array(n_demand)], format="csr")
    counted = np.concatenate((np.ones(n_candidates), np.zeros(n_demand)))[np.newaxis]
    constraints = [
        optimize.LinearConstraint(linked, ub=0),
        optimize.LinearConstraint(counted, ub=problem.n_chosen),
    ]
    pairs = _conflicting_pairs(problem)
    if len(pairs):
        rows = np.repeat(np.arange(len(pairs)), 2)
        at_most_one = sparse.csr_array(
            (np.ones(rows.size), (rows, pairs.ravel())),
            shape=(len(pairs), n_candidates + n_demand),
        )
        constraints.append(optimize.LinearConstraint(at_most_one, ub=1))

    lowest = np.zeros(n_candidates + n_demand)
    lowest[problem.forced] = 1
    highest = np.ones(n_candidates + n_demand)
    highest[:n_candidates][problem.forbidden] = 0
    return {
        "c": np.concatenate((np.zeros(n_candidates), -problem.weights.astype(np.float64))),
        # Whole candidates make whole demands, so only the candidates need to be integers.
        "integrality": np.repeat([1, 0], [n_candidates, n_demand]),
        "bounds": optimize.Bounds(lowest, highest),
        "constraints": constraints,
    }


def _conflicting_pairs(problem: Problem) -> NDArray[np.int64]:
    """Each pair in conflict once, shape (n_pairs, 2)."""
    left = np.repeat(np.arange(problem.n_candidates), np.diff(problem.conflict_indptr))
    pairs = np.column_stack((left, problem.conflict_indices)).astype(np.int64)
    return pairs[pairs[:, 0] < pairs[:, 1]]


def _in_order(problem: Problem, is_chosen: NDArray[np.bool_]) -> Selection:
    """Order a set of candidates by marginal gain, then fill the number as greedy does."""
    n_chosen = int(np.count_nonzero(is_chosen))
    ordered = choose_greedily(dataclasses.replace(problem, n_chosen=n_chosen, forbidden=~is_chosen))
    filled = choose_greedily(dataclasses.replace(problem, forced=ordered.chosen))
    return dataclasses.replace(filled, n_forced=problem.forced.size)


def solve_exactly(problem: Problem, time_limit_s: float) -> ExactSelection:
    """Solve a checked problem by integer programming; see `exact`."""
    merged = merge_identical_demand(problem)
    best = choose_greedily(problem)
    bound = int(merged.weights.sum())
    if best.objective == bound:
        status = "Everything that can be covered is covered; no solver was needed."
        return _with_proof(best, bound, status)

    result = optimize.milp(
        **_integer_program(merged), options={"time_limit": time_limit_s, "mip_rel_gap": 0.0}
    )
    if result.x is not None:
        found = _in_order(problem, result.x[: problem.n_candidates] > 0.5)
        best = max(found, best, key=lambda selection: selection.objective)
    if result.mip_dual_bound is not None and math.isfinite(result.mip_dual_bound):
        # Weights are whole, so is the optimum: a bound may be rounded down, after allowing for
        # the rounding of the solver's own arithmetic.
        bound = min(bound, math.floor(-result.mip_dual_bound * (1 + 1e-12) + 1e-5))
    return _with_proof(best, bound, str(result.message))


def _with_proof(selection: Selection, bound: int, status: str) -> ExactSelection:
    return ExactSelection(
        **{field.name: getattr(selection, field.name) for field in dataclasses.fields(selection)},
        bound=bound,
        proven=selection.objective >= bound,
        status=status,
    )


def exact(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    n_chosen: SupportsIndex,
    *,
    conflicts: sparse.csr_array | None = None,
    forced: ArrayLike = (),
    forbidden: ArrayLike = (),
    time_limit_s: float = 60,
) -> ExactSelection:
    """Choose the candidates that cover the most weight, and say whether that is proven.

    Parameters
    ----------
    matrix, weights, n_chosen, conflicts, forced, forbidden
        As in `greedy`.
    time_limit_s : float, optional
        Time after which the solver gives what it has [s].

    Returns
    -------
    ExactSelection
        The better of the solver's and greedy's choice, in the order of marginal gain, with an
        upper bound. Without proof it is still a valid selection, never below greedy's.

    Raises
    ------
    CoveringError
        As in `greedy`; or if the time limit is not positive.

    Notes
    -----
    The problem is to cover the most with *at most* `n_chosen` candidates; the number is then
    filled as `greedy` fills it. With conflicts the best choice may leave fewer candidates than the
    number asked for (``stopped_by="candidates"``).

    The program is the maximal covering location problem [1]_ on merged demand, solved by HiGHS
    through `scipy.optimize.milp`. It is meant for hundreds of candidates and thousands of demands.
    HiGHS works in floating point: a proof holds to its tolerances of about 1e-6.

    References
    ----------
    .. [1] R. Church, C. ReVelle, "The maximal covering location problem", Papers of the Regional
       Science Association 32, 1974.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> matrix = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]))
    >>> best = exact(matrix, [4, 5, 5, 4], 2)
    >>> best.chosen.tolist(), best.objective, best.bound, best.proven
    ([1, 2], 18, 18, True)
    """
    return solve_exactly(
        pose(matrix, weights, n_chosen, conflicts=conflicts, forced=forced, forbidden=forbidden),
        check_time_limit(time_limit_s),
    )
