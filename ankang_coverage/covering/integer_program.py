"""A covering problem as an integer programme for HiGHS: one column per candidate and demand.

A demand counts only if a candidate that covers it is chosen. Whole candidates make whole demands,
so only the candidates need to be integers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, sparse

from ankang_coverage.covering.problem import Problem


@dataclass(frozen=True, eq=False)
class Clause:
    """One constraint by name.

    Attributes
    ----------
    name : str
        What messages call it.
    rows : scipy.sparse.csr_array
        Its rows over the columns of the programme.
    lower, upper : float
        Limits of each row.
    """

    name: str
    rows: sparse.csr_array
    lower: float
    upper: float


def clauses_of(problem: Problem, demand: NDArray[np.integer]) -> list[Clause]:
    """Return the constraints of a problem by name.

    Parameters
    ----------
    problem : Problem
        A problem.
    demand : numpy.ndarray
        Demands that have a column, ascending; at least those with weight in a floor.

    Returns
    -------
    list of Clause
        Number, budget, quotas, floors, conflicts, forced and forbidden candidates.
    """
    n_candidates = problem.n_candidates
    n_columns = n_candidates + demand.size

    def row(columns: NDArray[np.integer], values: ArrayLike = 1) -> sparse.csr_array:
        entries = np.broadcast_to(np.asarray(values, dtype=np.float64), columns.shape)
        places = np.zeros(columns.size, dtype=np.int64), columns
        return sparse.csr_array((entries, places), shape=(1, n_columns))

    everyone = np.arange(n_candidates)
    clauses = [Clause(f"number {problem.number}", row(everyone), 0, problem.number)]
    if problem.budget is not None:
        spent = row(everyone, problem.costs)
        clauses.append(Clause(f"budget {problem.budget}", spent, 0, problem.budget))
    for quota, name in enumerate(problem.quota_names):
        members = problem.quota_members[quota]
        minimum, maximum = int(problem.quota_minimum[quota]), int(problem.quota_maximum[quota])
        if minimum > 0:
            text = f"quota {name!r} at least {minimum}"
            clauses.append(Clause(text, row(members), minimum, np.inf))
        if maximum < members.size:
            clauses.append(Clause(f"quota {name!r} at most {maximum}", row(members), 0, maximum))
    for floor, name in enumerate(problem.floor_names):
        columns = np.flatnonzero(np.isin(demand, problem.floor_demand[floor]))
        minimum = int(problem.floor_minimum[floor])
        weighted = row(n_candidates + columns, problem.weights[demand[columns]])
        clauses.append(Clause(f"floor {name!r} at least {minimum}", weighted, minimum, np.inf))
    pairs = conflicting_pairs(problem)
    if len(pairs):
        places = np.repeat(np.arange(len(pairs)), 2), pairs.ravel()
        rows = sparse.csr_array((np.ones(pairs.size), places), shape=(len(pairs), n_columns))
        clauses.append(Clause(f"{len(pairs)} conflicts", rows, 0, 1))
    if problem.forced.size:
        text = f"{problem.forced.size} forced candidates"
        clauses.append(Clause(text, row(problem.forced), problem.forced.size, np.inf))
    if problem.forbidden.any():
        text = f"{np.count_nonzero(problem.forbidden)} forbidden candidates"
        clauses.append(Clause(text, row(np.flatnonzero(problem.forbidden)), 0, 0))
    return clauses


def conflicting_pairs(problem: Problem) -> NDArray[np.int64]:
    """Return each pair in conflict once, shape (n_pairs, 2)."""
    conflicts = problem.conflicts
    pairs = np.column_stack((conflicts.row_of_each(), conflicts.indices)).astype(np.int64)
    return pairs[pairs[:, 0] < pairs[:, 1]]


def integer_program(
    problem: Problem,
    clauses: Sequence[Clause],
    demand: NDArray[np.integer],
    worth: NDArray[np.float64],
) -> dict[str, Any]:
    """Return the arguments of `scipy.optimize.milp`.

    Parameters
    ----------
    problem : Problem
        The problem.
    clauses : sequence of Clause
        Its constraints, or some of them.
    demand : numpy.ndarray
        Demands that have a column, as in `clauses_of`.
    worth : NDArray[np.float64]
        What covering each of them is worth.

    Returns
    -------
    dict
        Objective, integrality, bounds and constraints.
    """
    n_candidates = problem.n_candidates
    constraints = [
        optimize.LinearConstraint(clause.rows, lb=clause.lower, ub=clause.upper)
        for clause in clauses
    ]
    if demand.size:
        covers = problem.covers.matrix(problem.n_demand, np.float64)[:, demand]
        linked = sparse.hstack([-covers.T, sparse.eye_array(demand.size)], format="csr")
        constraints.append(optimize.LinearConstraint(linked, ub=0))
    return {
        "c": np.concatenate((np.zeros(n_candidates), -worth)),
        "integrality": np.repeat([1, 0], [n_candidates, demand.size]),
        "bounds": optimize.Bounds(0, 1),
        "constraints": constraints,
    }
