"""Whether any choice satisfies all constraints, and if none does, which of them clash."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, sparse

from ankang_coverage.covering.constraints import (
    CHOSEN,
    FREE,
    N_RESERVED,
    RESERVED,
    Held,
    Rules,
    fill_floors,
    fill_minima,
    hold,
    is_satisfied,
    nothing_held,
    release,
    rules_of,
    trim_reserve,
)
from ankang_coverage.covering.problem import Problem
from ankang_coverage.errors import CoveringError

TIME_LIMIT_S = 60.0
"""Time that the integer programme may take to find one choice [s]."""

_INFEASIBLE = 2  # HiGHS's status in `scipy.optimize.milp`


def find_reserve(problem: Problem) -> tuple[Rules, Held]:
    """Choose the forced candidates and find a reserve that meets every minimum and floor.

    Parameters
    ----------
    problem : Problem
        A checked problem.

    Returns
    -------
    Rules, Held
        The constraints for the kernels; the forced candidates chosen and a reserve with which they
        satisfy all constraints.

    Raises
    ------
    CoveringError
        If no choice satisfies all constraints: the message names a smallest set of them that
        clash, in the sense that without any one of it the others could be met. Or if no choice was
        found in `TIME_LIMIT_S`.

    Notes
    -----
    The reserve is filled with the cheapest candidates for each minimum, then with those that add
    most to the floors. Only where that fails is an integer programme of the constraints alone
    solved.
    """
    rules, held = rules_of(problem), nothing_held(problem)
    for candidate in problem.forced.tolist():
        hold(candidate, CHOSEN, rules, held)
    fill_minima(rules, held)
    fill_floors(rules, held)
    trim_reserve(rules, held)
    if not is_satisfied(rules, held):
        members = _any_choice(problem)
        for candidate in held.reserve[: int(held.totals[N_RESERVED])].tolist():
            release(candidate, rules, held)
        for candidate in np.flatnonzero(members).tolist():
            if held.role[candidate] == FREE:
                hold(candidate, RESERVED, rules, held)
        trim_reserve(rules, held)
        if not is_satisfied(rules, held):  # met to the solver's tolerance only
            raise _undecided(_clauses(problem))
    return rules, held


@dataclass(frozen=True)
class _Clause:
    """One constraint by name, as rows over candidates and, for floors, demands."""

    name: str
    rows: sparse.csr_array
    lower: float
    upper: float


def _any_choice(problem: Problem) -> NDArray[np.bool_]:
    """Return a choice that satisfies all constraints, by integer programming."""
    clauses = _clauses(problem)
    result = _solve(problem, clauses)
    if result.x is not None:
        choice: NDArray[np.bool_] = result.x[: problem.n_candidates] > 0.5
        return choice
    if result.status != _INFEASIBLE:
        raise _undecided(clauses)
    clashing = list(clauses)
    for clause in clauses:
        others = [other for other in clashing if other is not clause]
        if _solve(problem, others).status == _INFEASIBLE:
            clashing = others
    raise CoveringError(f"no choice satisfies all constraints: relax one of {_and(clashing)}")


def _undecided(clauses: list[_Clause]) -> CoveringError:
    return CoveringError(
        f"no choice that satisfies all constraints was found within {TIME_LIMIT_S:g} s, nor "
        f"proven impossible: relax one of {_and(clauses)}"
    )


def _and(clauses: list[_Clause]) -> str:
    return "; ".join(clause.name for clause in clauses)


def _solve(problem: Problem, clauses: list[_Clause]) -> optimize.OptimizeResult:
    n_candidates, n_demand = problem.n_candidates, _floor_demand(problem).size
    constraints = [
        optimize.LinearConstraint(clause.rows, lb=clause.lower, ub=clause.upper)
        for clause in clauses
    ]
    if n_demand:
        constraints.append(optimize.LinearConstraint(_links(problem), ub=0))
    return optimize.milp(
        np.zeros(n_candidates + n_demand),
        integrality=np.repeat([1, 0], [n_candidates, n_demand]),
        bounds=optimize.Bounds(0, 1),
        constraints=constraints,
        options={"time_limit": TIME_LIMIT_S},
    )


def _floor_demand(problem: Problem) -> NDArray[np.int32]:
    """Demand with weight in any floor."""
    demand = np.unique(problem.floor_indices)
    return demand[problem.weights[demand] > 0]


def _links(problem: Problem) -> sparse.csr_array:
    """A demand is covered only if a candidate that covers it is chosen."""
    covers = sparse.csr_array(
        (np.ones(problem.indices.size), problem.indices, problem.indptr),
        shape=(problem.n_candidates, problem.n_demand),
    )[:, _floor_demand(problem)]
    return sparse.hstack([-covers.T, sparse.eye_array(covers.shape[1])], format="csr")


def _clauses(problem: Problem) -> list[_Clause]:
    n_candidates = problem.n_candidates
    demand = _floor_demand(problem)
    n_columns = n_candidates + demand.size

    def row(columns: NDArray[np.integer], values: ArrayLike = 1) -> sparse.csr_array:
        entries = np.broadcast_to(np.asarray(values, dtype=np.float64), columns.shape)
        return sparse.csr_array(
            (entries, (np.zeros(columns.size, dtype=np.int64), columns)), shape=(1, n_columns)
        )

    everyone = np.arange(n_candidates)
    clauses = [_Clause(f"number {problem.number}", row(everyone), 0, problem.number)]
    if problem.budget is not None:
        clauses.append(
            _Clause(f"budget {problem.budget}", row(everyone, problem.costs), 0, problem.budget)
        )
    for quota, name in enumerate(problem.quota_names):
        members = problem.members(quota)
        minimum, maximum = int(problem.quota_minimum[quota]), int(problem.quota_maximum[quota])
        if minimum > 0:
            text = f"quota {name!r} at least {minimum}"
            clauses.append(_Clause(text, row(members), minimum, np.inf))
        if maximum < members.size:
            text = f"quota {name!r} at most {maximum}"
            clauses.append(_Clause(text, row(members), 0, maximum))
    for floor, name in enumerate(problem.floor_names):
        columns = np.flatnonzero(np.isin(demand, problem.floor_demand(floor)))
        minimum = int(problem.floor_minimum[floor])
        weighted = row(n_candidates + columns, problem.weights[demand[columns]])
        clauses.append(_Clause(f"floor {name!r} at least {minimum}", weighted, minimum, np.inf))
    if problem.conflict_indices.size:
        left = np.repeat(everyone, np.diff(problem.conflict_indptr))
        both = np.column_stack((left, problem.conflict_indices)).astype(np.int64)
        pairs = both[both[:, 0] < both[:, 1]]
        places = np.repeat(np.arange(len(pairs)), 2)
        rows = sparse.csr_array(
            (np.ones(places.size), (places, pairs.ravel())), shape=(len(pairs), n_columns)
        )
        clauses.append(_Clause(f"{len(pairs)} conflicts", rows, 0, 1))
    if problem.forced.size:
        text = f"{problem.forced.size} forced candidates"
        clauses.append(_Clause(text, row(problem.forced), problem.forced.size, np.inf))
    if problem.forbidden.any():
        text = f"{np.count_nonzero(problem.forbidden)} forbidden candidates"
        clauses.append(_Clause(text, row(np.flatnonzero(problem.forbidden)), 0, 0))
    return clauses
