"""Maximal covering by integer programming: small cases, with proof."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from time import perf_counter
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, sparse

from ankang_coverage.covering.constraints import CHOSEN, hold, is_satisfied, nothing_held, rules_of
from ankang_coverage.covering.feasibility import find_reserve
from ankang_coverage.covering.greedy import (
    covered_by,
    greedy_order,
    grow,
    in_order,
    selection_of,
)
from ankang_coverage.covering.merging import merge_identical_demand, merge_objectives
from ankang_coverage.covering.problem import Floor, Problem, Quota, check_time_limit, pose
from ankang_coverage.covering.selection import Selection
from ankang_coverage.covering.warming import tiny_problem


def _integer_program(problem: Problem) -> dict[str, Any]:
    """Return the arguments of `scipy.optimize.milp`; variables are candidates, then demands."""
    n_candidates, n_demand = problem.n_candidates, problem.n_demand
    of_candidates, of_demand = np.arange(n_candidates), n_candidates + np.arange(n_demand)
    covers = sparse.csr_array(
        (np.ones(problem.indices.size), problem.indices, problem.indptr),
        shape=(n_candidates, n_demand),
    )
    # A demand counts only if a candidate that covers it is chosen.
    linked = sparse.hstack([-covers.T, sparse.eye_array(n_demand)], format="csr")
    constraints = [optimize.LinearConstraint(linked, ub=0)]

    def add(
        indptr: NDArray[np.integer],
        columns: NDArray[np.integer],
        values: NDArray[np.integer],
        lower: NDArray[np.int64] | float,
        upper: NDArray[np.int64] | float,
    ) -> None:
        rows = sparse.csr_array(
            (values.astype(np.float64), columns, indptr),
            shape=(indptr.size - 1, n_candidates + n_demand),
        )
        constraints.append(optimize.LinearConstraint(rows, lb=lower, ub=upper))

    everyone, ones = np.array([0, n_candidates]), np.ones(n_candidates, dtype=np.int64)
    add(everyone, of_candidates, ones, 0, problem.number)
    if problem.budget is not None:
        add(everyone, of_candidates, problem.costs, 0, problem.budget)
    if problem.n_quotas:
        members = problem.member_indices
        least, most = problem.quota_minimum, problem.quota_maximum
        add(problem.member_indptr, members, np.ones_like(members), least, most)
    if problem.n_floors:
        demand = problem.floor_indices
        least = problem.floor_minimum
        add(problem.floor_indptr, of_demand[demand], problem.weights[demand], least, np.inf)
    pairs = _conflicting_pairs(problem)
    if len(pairs):
        add(2 * np.arange(len(pairs) + 1), pairs.ravel(), np.ones(pairs.size, np.int64), 0, 1)

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


def _keeps_constraints(problem: Problem, members: NDArray[np.int64]) -> bool:
    """Whether a choice keeps every constraint exactly, not just to the solver's tolerance."""
    if np.isin(_conflicting_pairs(problem), members).all(axis=1).any():
        return False
    rules, held = rules_of(problem), nothing_held(problem)
    for candidate in members.tolist():
        hold(candidate, CHOSEN, rules, held)
    return is_satisfied(rules, held)


def _completed(problem: Problem, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order a choice by marginal gain, then go on as greedy does."""
    begun = dataclasses.replace(problem, forced=in_order(problem, members))
    return grow(begun, *find_reserve(begun))


@functools.cache
def _warm() -> None:
    """Compile the kernels that greedy and the checks of an answer need, once per process."""
    tiny = tiny_problem()
    members = greedy_order(tiny)
    _keeps_constraints(tiny, members)
    _completed(tiny, members)


def solve_exactly(problem: Problem, time_limit_s: float) -> Selection:
    """Solve a checked problem by integer programming; see `exact`."""
    _warm()
    started = perf_counter()
    # One unit of the first objective is so many units of all objectives in one.
    unit = math.prod(int(objective.weights.sum()) + 1 for objective in problem.secondary)
    whole = merge_objectives(problem)
    order = greedy_order(whole)
    objective = _objective(whole, order)
    by_greedy = perf_counter() - started

    # Merged demand would no longer say to which floor it belongs.
    merged = whole if whole.n_floors else merge_identical_demand(whole)
    bound = int(merged.weights.sum())
    if objective < bound:
        result = optimize.milp(
            **_integer_program(merged), options={"time_limit": time_limit_s, "mip_rel_gap": 0.0}
        )
        if result.mip_dual_bound is not None and math.isfinite(result.mip_dual_bound):
            # Weights are whole, so is the optimum: a bound may be rounded down, after allowing
            # for the rounding of the solver's own arithmetic.
            bound = min(bound, math.floor(-result.mip_dual_bound * (1 + 1e-12) + 1e-5))
        if result.x is not None:
            members = np.flatnonzero(result.x[: problem.n_candidates] > 0.5)
            if _keeps_constraints(whole, members):
                found = _completed(whole, members)
                if _objective(whole, found) > objective:
                    order, objective = found, _objective(whole, found)
    selection = selection_of(
        problem, order, status="optimal" if objective >= bound else "time limit"
    )
    return dataclasses.replace(
        selection,
        upper_bound=bound // unit,
        seconds={"greedy": by_greedy, "exact": perf_counter() - started - by_greedy},
    )


def _objective(problem: Problem, order: NDArray[np.int64]) -> int:
    return int(problem.weights[covered_by(problem, order)].sum())


def exact(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    number: SupportsIndex | None = None,
    *,
    costs: ArrayLike | None = None,
    budget: SupportsIndex | None = None,
    quotas: Sequence[Quota] = (),
    conflicts: sparse.csr_array | None = None,
    forced: ArrayLike = (),
    forbidden: ArrayLike = (),
    floors: Sequence[Floor] = (),
    secondary: Sequence[tuple[sparse.csr_array, ArrayLike]] = (),
    time_limit_s: float = 60,
) -> Selection:
    """Choose the candidates that cover the most weight, and say whether that is proven.

    Parameters
    ----------
    matrix, weights, number, costs, budget, quotas, conflicts, forced, forbidden, floors, secondary
        As in `greedy`.
    time_limit_s : float, optional
        Time after which the solver gives what it has [s].

    Returns
    -------
    Selection
        The better of the solver's and greedy's choice, in the order of marginal gain, with the
        solver's upper bound. Its status is ``"optimal"`` only if the bound proves it, in the
        secondary objectives too; otherwise ``"time limit"``: still a valid choice, never below
        greedy's.

    Raises
    ------
    CoveringError
        As in `greedy`; or if the time limit is not positive.

    Notes
    -----
    The problem is to cover the most with *at most* `number` candidates; the number is then filled
    as `greedy` fills it. With conflicts the best choice may leave fewer candidates than the number
    asked for (``stopped_by="candidates"``).

    The program is the maximal covering location problem [1]_ with all constraints as rows, on
    merged demand, solved by HiGHS through `scipy.optimize.milp`. It is meant for hundreds of
    candidates and thousands of demands. HiGHS works in floating point: the choice is checked in
    whole numbers, but a proof holds to its tolerances of about 1e-6.

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
    >>> best.chosen.tolist(), best.objective, best.upper_bound, best.status
    ([1, 2], 18, 18, 'optimal')
    """
    problem = pose(
        matrix,
        weights,
        number,
        costs=costs,
        budget=budget,
        quotas=quotas,
        conflicts=conflicts,
        forced=forced,
        forbidden=forbidden,
        floors=floors,
        secondary=secondary,
    )
    return solve_exactly(problem, check_time_limit(time_limit_s))
