"""The best choice by integer programming: small cases, with proof."""

import dataclasses
import functools
import math
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from ankang_coverage.covering.feasibility import find_reserve
from ankang_coverage.covering.gains import covered_weight
from ankang_coverage.covering.integer_program import (
    clauses_of,
    conflicting_pairs,
    integer_program,
)
from ankang_coverage.covering.lazy_greedy import choose_greedily, grow, in_order
from ankang_coverage.covering.merging import merge_identical_demand, merge_objectives
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.reserve import CHOSEN, hold, is_satisfied, nothing_held, rules_of
from ankang_coverage.covering.selection import Selection, describe
from ankang_coverage.covering.warming import tiny_problem


def find_optimum(problem: Problem, time_limit_s: float) -> Selection:
    """Choose the candidates that cover the most weight, and say whether that is proven.

    Parameters
    ----------
    problem : Problem
        A problem.
    time_limit_s : float
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
        If no choice satisfies all constraints.

    Notes
    -----
    The problem is to cover the most with *at most* the number of candidates; the number is then
    filled as greedy fills it. With conflicts the best choice may leave fewer candidates than the
    number asked for (``stopped_by="candidates"``).

    The programme is the maximal covering location problem [1]_ with all constraints as rows, on
    merged demand, solved by HiGHS through `scipy.optimize.milp`. It is meant for hundreds of
    candidates and thousands of demands. HiGHS works in floating point: the choice is checked in
    whole numbers, but a proof holds to its tolerances of about 1e-6.

    References
    ----------
    .. [1] R. Church, C. ReVelle, "The maximal covering location problem", Papers of the Regional
       Science Association 32, 1974.
    """
    warm_optimum()
    started = perf_counter()
    # One unit of the first objective is so many units of all objectives in one.
    unit = math.prod(int(objective.weights.sum()) + 1 for objective in problem.secondary)
    whole = merge_objectives(problem)
    order = choose_greedily(whole)
    objective = covered_weight(whole, order)
    by_greedy = perf_counter() - started

    found, bound = _solved(whole, objective, time_limit_s)
    if found is not None and _keeps_constraints(whole, found):
        completed = _completed(whole, found)
        if covered_weight(whole, completed) > objective:
            order, objective = completed, covered_weight(whole, completed)
    return dataclasses.replace(
        describe(problem, order, status="optimal" if objective >= bound else "time limit"),
        upper_bound=bound // unit,
        seconds={"greedy": by_greedy, "exact": perf_counter() - started - by_greedy},
    )


@functools.cache
def warm_optimum() -> None:
    """Compile the kernels that greedy and the checks of an answer need, once per process."""
    tiny = tiny_problem()
    members = choose_greedily(tiny)
    _keeps_constraints(tiny, members)
    _completed(tiny, members)


def _solved(
    problem: Problem, objective: int, time_limit_s: float
) -> tuple[NDArray[np.intp] | None, int]:
    """Return what HiGHS chooses, if it was needed and found anything, and an upper bound."""
    # Merged demand would no longer say to which floor it belongs.
    merged = problem if problem.n_floors else merge_identical_demand(problem)
    bound = int(merged.weights.sum())
    if objective >= bound:
        return None, bound
    demand = np.arange(merged.n_demand)
    program = integer_program(
        merged, clauses_of(merged, demand), demand, merged.weights.astype(np.float64)
    )
    result = optimize.milp(**program, options={"time_limit": time_limit_s, "mip_rel_gap": 0.0})
    if result.mip_dual_bound is not None and math.isfinite(result.mip_dual_bound):
        # Weights are whole, so is the optimum: a bound may be rounded down, after allowing for the
        # rounding of the solver's own arithmetic.
        bound = min(bound, math.floor(-result.mip_dual_bound * (1 + 1e-12) + 1e-5))
    if result.x is None:
        return None, bound
    return np.flatnonzero(result.x[: problem.n_candidates] > 0.5), bound


def _keeps_constraints(problem: Problem, members: NDArray[np.int64]) -> bool:
    """Whether a choice keeps every constraint exactly, not just to the solver's tolerance."""
    if np.isin(conflicting_pairs(problem), members).all(axis=1).any():
        return False
    rules, held = rules_of(problem), nothing_held(problem)
    for candidate in members.tolist():
        hold(candidate, CHOSEN, rules, held)
    return is_satisfied(rules, held)


def _completed(problem: Problem, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order a choice by marginal gain, then go on as greedy does."""
    begun = dataclasses.replace(problem, forced=in_order(problem, members))
    return grow(begun, *find_reserve(begun))
