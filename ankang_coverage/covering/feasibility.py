"""Whether any choice satisfies all constraints, and if none does, which of them clash."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from ankang_coverage.covering.integer_program import Clause, clauses_of, integer_program
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.reserve import (
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
from ankang_coverage.errors import CoveringError

TIME_LIMIT_S = 60.0
"""Time that the integer programme may take to find one choice [s]."""

_INFEASIBLE = 2  # HiGHS's status in `scipy.optimize.milp`


def find_reserve(problem: Problem) -> tuple[Rules, Held]:
    """Choose the forced candidates and find a reserve that meets every minimum and floor.

    Parameters
    ----------
    problem : Problem
        A problem.

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
            raise _undecided(clauses_of(problem, _floor_demand(problem)))
    return rules, held


def _floor_demand(problem: Problem) -> NDArray[np.int32]:
    """Demand with weight in any floor."""
    demand = np.unique(problem.floor_demand.indices)
    return demand[problem.weights[demand] > 0]


def _any_choice(problem: Problem) -> NDArray[np.bool_]:
    """Return a choice that satisfies all constraints, by integer programming."""
    demand = _floor_demand(problem)
    clauses = clauses_of(problem, demand)

    def solve(kept: Sequence[Clause]) -> optimize.OptimizeResult:
        program = integer_program(problem, kept, demand, np.zeros(demand.size))
        return optimize.milp(**program, options={"time_limit": TIME_LIMIT_S})

    result = solve(clauses)
    if result.x is not None:
        choice: NDArray[np.bool_] = result.x[: problem.n_candidates] > 0.5
        return choice
    if result.status != _INFEASIBLE:
        raise _undecided(clauses)
    clashing = list(clauses)
    for clause in clauses:
        others = [other for other in clashing if other is not clause]
        if solve(others).status == _INFEASIBLE:
            clashing = others
    raise CoveringError(f"no choice satisfies all constraints: relax one of {_named(clashing)}")


def _undecided(clauses: Sequence[Clause]) -> CoveringError:
    return CoveringError(
        f"no choice that satisfies all constraints was found within {TIME_LIMIT_S:g} s, nor "
        f"proven impossible: relax one of {_named(clauses)}"
    )


def _named(clauses: Sequence[Clause]) -> str:
    return "; ".join(clause.name for clause in clauses)
