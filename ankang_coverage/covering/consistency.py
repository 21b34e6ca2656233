"""Whether constraints contradict each other at first sight, before anything is searched."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.errors import CoveringError

if TYPE_CHECKING:
    from ankang_coverage.covering.problem import Problem


def check_consistency(problem: "Problem", *, is_number_given: bool) -> None:
    """Refuse a problem whose numbers cannot be met whatever the search does.

    Parameters
    ----------
    problem : Problem
        A problem whose arrays fit each other.
    is_number_given : bool
        Whether the number was asked for; otherwise it is that of all candidates.

    Raises
    ------
    CoveringError
        With the constraint, its numbers and what to change.
    """
    _check_something_to_do(problem)
    _check_forced(problem)
    allowed = problem.is_allowed
    if is_number_given:
        _check_number(problem, allowed)
    _check_quotas(problem, allowed)
    _check_totals(problem, allowed)
    _check_floors(problem, allowed)


def _check_something_to_do(problem: "Problem") -> None:
    if problem.forbidden.all():
        raise CoveringError(
            f"no candidate may be chosen: there are {problem.n_candidates}, all of them forbidden"
        )
    if not problem.weights.any():
        raise CoveringError(
            f"nothing is left to cover: there are {problem.n_demand} demands, none with weight"
        )


def _check_forced(problem: "Problem") -> None:
    forced = problem.forced
    values, counts = np.unique(forced, return_counts=True)
    if (counts > 1).any():
        raise CoveringError(
            f"forced names candidate {values[np.argmax(counts)]} {counts.max()} times: "
            "name each candidate once"
        )
    if problem.forbidden[forced].any():
        both = forced[problem.forbidden[forced]]
        raise CoveringError(
            f"candidate {both[0]} is both forced and forbidden ({both.size} such): "
            "take it off one of the two"
        )
    is_forced = problem.is_forced
    for candidate in forced.tolist():
        rivals = problem.conflicts[candidate]
        for rival in rivals[is_forced[rivals]].tolist():
            raise CoveringError(
                f"forced candidates {candidate} and {rival} are in conflict: "
                "drop one of them, or relax the conflict"
            )
    if forced.size > problem.number:
        raise CoveringError(
            f"number is {problem.number}, but {forced.size} candidates are forced: "
            f"choose at least {forced.size}"
        )
    cost = int(problem.costs[forced].sum())
    if problem.budget is not None and cost > problem.budget:
        raise CoveringError(
            f"budget is {problem.budget}, but the {forced.size} forced candidates cost {cost}: "
            f"raise the budget to {cost} or force fewer"
        )


def _check_number(problem: "Problem", allowed: NDArray[np.bool_]) -> None:
    """Refuse a number that cannot be reached whatever the search does."""
    n_forbidden = int(np.count_nonzero(problem.forbidden))
    n_allowed = int(np.count_nonzero(allowed))
    if problem.number > n_allowed:
        n_blocked = problem.n_candidates - n_forbidden - n_allowed
        raise CoveringError(
            f"number is {problem.number}, but only {n_allowed} of {problem.n_candidates} "
            f"candidates can be chosen ({n_forbidden} forbidden, {n_blocked} in conflict with "
            f"forced ones): choose at most {n_allowed}"
        )


def _check_quotas(problem: "Problem", allowed: NDArray[np.bool_]) -> None:
    is_forced = problem.is_forced
    for quota, name in enumerate(problem.quota_names):
        members = problem.quota_members[quota]
        minimum, maximum = int(problem.quota_minimum[quota]), int(problem.quota_maximum[quota])
        n_allowed, n_forced = int(allowed[members].sum()), int(is_forced[members].sum())
        if maximum < min(minimum, members.size):
            raise CoveringError(
                f"quota {name!r} asks for at least {minimum} and at most {maximum}: "
                "lower its minimum or raise its maximum"
            )
        if minimum > n_allowed:
            raise CoveringError(
                f"quota {name!r} asks for at least {minimum}, but only {n_allowed} of its "
                f"{members.size} candidates can be chosen: lower its minimum"
            )
        if n_forced > maximum:
            raise CoveringError(
                f"quota {name!r} allows at most {maximum}, but {n_forced} of its candidates are "
                "forced: raise its maximum or force fewer"
            )


def _check_totals(problem: "Problem", allowed: NDArray[np.bool_]) -> None:
    """Refuse minima that add to more than the number or the budget.

    Only if no candidate serves two minima; otherwise the sum says nothing.
    """
    needed = np.flatnonzero(problem.quota_minimum)
    members = [problem.quota_members[quota] for quota in needed.tolist()]
    if not members or np.bincount(np.concatenate(members)).max() > 1:
        return
    taken = problem.is_forced
    for quota, group in zip(needed.tolist(), members, strict=True):
        free = group[allowed[group] & ~taken[group]]
        n_missing = max(0, int(problem.quota_minimum[quota]) - int(taken[group].sum()))
        taken[free[np.argsort(problem.costs[free], kind="stable")[:n_missing]]] = True
    n_taken, cost = int(taken.sum()), int(problem.costs[taken].sum())
    asked = f"the minima of {needed.size} quotas ({_listed(problem, needed)})"
    if problem.forced.size:
        asked += f" and {problem.forced.size} forced candidates"
    if n_taken > problem.number:
        raise CoveringError(
            f"number is {problem.number}, but {asked} add up to {n_taken}: "
            "lower the minima or raise the number"
        )
    if problem.budget is not None and cost > problem.budget:
        raise CoveringError(
            f"budget is {problem.budget}, but {asked} cost at least {cost}: "
            "lower the minima or raise the budget"
        )


def _listed(problem: "Problem", quotas: NDArray[np.intp]) -> str:
    shown = [f"{problem.quota_names[q]!r} {problem.quota_minimum[q]}" for q in quotas[:5].tolist()]
    return ", ".join(shown) + (", …" if quotas.size > len(shown) else "")


def _check_floors(problem: "Problem", allowed: NDArray[np.bool_]) -> None:
    if not problem.n_floors:
        return
    reachable = np.zeros(problem.n_demand, dtype=np.bool_)
    for candidate in np.flatnonzero(allowed).tolist():
        reachable[problem.covers[candidate]] = True
    for floor, name in enumerate(problem.floor_names):
        demand = problem.floor_demand[floor]
        most = int(problem.weights[demand[reachable[demand]]].sum())
        if problem.floor_minimum[floor] > most:
            raise CoveringError(
                f"floor {name!r} asks for a covered weight of {problem.floor_minimum[floor]}, but "
                f"the candidates that can be chosen cover {most} of its "
                f"{int(problem.weights[demand].sum())}: lower its minimum"
            )
