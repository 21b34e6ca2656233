"""What may be chosen, kept at every step: number, budget, quotas, spacing and floors.

The search keeps a *reserve* beside the chosen candidates: chosen and reserve together satisfy every
constraint. A candidate is taken only if such a reserve is left, so a search that began with one
never runs into a corner, whatever it chooses.

Where no candidate counts for two minima and no spacing separates their members, the reserve is the
cheapest there is, and a candidate is refused only if nothing could be made of the choice with it.
Otherwise finding out would be a search of its own: a candidate is refused if simple exchanges find
no reserve.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.reading import LARGEST_INT64
from ankang_coverage.covering.rows import Rows

FREE, RESERVED, CHOSEN = 0, 1, 2
N_HELD, COST_HELD, N_RESERVED = 0, 1, 2


class Rules(NamedTuple):
    """The constraints of a problem, as kernels read them; names as in `Problem`."""

    number: int
    budget: int
    costs: NDArray[np.int64]
    quota_minimum: NDArray[np.int64]
    quota_maximum: NDArray[np.int64]
    member_indptr: NDArray[np.int64]
    member_indices: NDArray[np.int32]  # cheapest first
    quota_indptr: NDArray[np.int64]
    quota_indices: NDArray[np.int32]
    conflict_indptr: NDArray[np.int64]
    conflict_indices: NDArray[np.int32]
    forced: NDArray[np.bool_]  # by candidate
    forbidden: NDArray[np.bool_]
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.int64]
    floor_minimum: NDArray[np.int64]
    demand_floor_indptr: NDArray[np.int64]  # floors of each demand; empty without floors
    demand_floor_indices: NDArray[np.int32]


class Held(NamedTuple):
    """The chosen candidates and the reserve; kernels change it in place."""

    role: NDArray[np.int8]  # by candidate: FREE, RESERVED or CHOSEN
    totals: NDArray[np.int64]  # N_HELD, COST_HELD (chosen and reserve), N_RESERVED
    counts: NDArray[np.int64]  # by quota, chosen and reserve
    reserve: NDArray[np.int32]  # the first N_RESERVED, dearest and then highest index first
    n_covering: NDArray[np.int32]  # by demand, chosen and reserve; empty without floors
    floor_covered: NDArray[np.int64]  # by floor


def rules_of(problem: Problem) -> Rules:
    """Lay the constraints of a problem out for the kernels."""
    members = problem.quota_members
    cheapest_first = Rows.stacked(
        [
            members[quota][np.argsort(problem.costs[members[quota]], kind="stable")]
            for quota in range(problem.n_quotas)
        ]
    )
    floors_of = problem.floor_demand.transposed(problem.n_demand if problem.n_floors else 0)
    return Rules(
        number=problem.number,
        budget=LARGEST_INT64 if problem.budget is None else problem.budget,
        costs=problem.costs,
        quota_minimum=problem.quota_minimum,
        quota_maximum=problem.quota_maximum,
        member_indptr=cheapest_first.indptr,
        member_indices=cheapest_first.indices,
        quota_indptr=problem.quotas_of.indptr,
        quota_indices=problem.quotas_of.indices,
        conflict_indptr=problem.conflicts.indptr,
        conflict_indices=problem.conflicts.indices,
        forced=problem.is_forced,
        forbidden=problem.forbidden,
        indptr=problem.covers.indptr,
        indices=problem.covers.indices,
        weights=problem.weights,
        floor_minimum=problem.floor_minimum,
        demand_floor_indptr=floors_of.indptr,
        demand_floor_indices=floors_of.indices,
    )


def nothing_held(problem: Problem) -> Held:
    """Return the state before anything is chosen."""
    return Held(
        role=np.full(problem.n_candidates, FREE, dtype=np.int8),
        totals=np.zeros(3, dtype=np.int64),
        counts=np.zeros(problem.n_quotas, dtype=np.int64),
        reserve=np.empty(problem.n_candidates, dtype=np.int32),
        n_covering=np.zeros(problem.n_demand if problem.n_floors else 0, dtype=np.int32),
        floor_covered=np.zeros(problem.n_floors, dtype=np.int64),
    )


def copy_of(held: Held) -> Held:
    """Return the same state, to be changed by itself."""
    copies: list[Any] = [array.copy() for array in held]
    return Held(*copies)


@njit
def hold(candidate: int, role: int, rules: Rules, held: Held) -> None:
    """Make a free candidate chosen or reserved."""
    held.role[candidate] = role
    held.totals[N_HELD] += 1
    held.totals[COST_HELD] += rules.costs[candidate]
    for place in range(rules.quota_indptr[candidate], rules.quota_indptr[candidate + 1]):
        held.counts[rules.quota_indices[place]] += 1
    if held.n_covering.size:
        for demand in rules.indices[rules.indptr[candidate] : rules.indptr[candidate + 1]]:
            held.n_covering[demand] += 1
            if held.n_covering[demand] == 1:
                _count_for_floors(demand, rules.weights[demand], rules, held)
    if role == RESERVED:
        place = held.totals[N_RESERVED]
        while place > 0 and _is_dearer(candidate, held.reserve[place - 1], rules.costs):
            held.reserve[place] = held.reserve[place - 1]
            place -= 1
        held.reserve[place] = candidate
        held.totals[N_RESERVED] += 1


@njit
def release(candidate: int, rules: Rules, held: Held) -> None:
    """Make a chosen or reserved candidate free."""
    if held.role[candidate] == RESERVED:
        _strike_off(candidate, held)
    held.role[candidate] = FREE
    held.totals[N_HELD] -= 1
    held.totals[COST_HELD] -= rules.costs[candidate]
    for place in range(rules.quota_indptr[candidate], rules.quota_indptr[candidate + 1]):
        held.counts[rules.quota_indices[place]] -= 1
    if held.n_covering.size:
        for demand in rules.indices[rules.indptr[candidate] : rules.indptr[candidate + 1]]:
            held.n_covering[demand] -= 1
            if held.n_covering[demand] == 0:
                _count_for_floors(demand, -rules.weights[demand], rules, held)


@njit
def _count_for_floors(demand: int, weight: np.int64, rules: Rules, held: Held) -> None:
    for place in range(rules.demand_floor_indptr[demand], rules.demand_floor_indptr[demand + 1]):
        held.floor_covered[rules.demand_floor_indices[place]] += weight


@njit
def _is_dearer(candidate: int, other: int, costs: NDArray[np.int64]) -> bool:
    if costs[candidate] != costs[other]:
        return costs[candidate] > costs[other]
    return candidate > other


@njit
def _strike_off(candidate: int, held: Held) -> None:
    """Take a candidate off the list of the reserve, in which it is."""
    place = 0
    while held.reserve[place] != candidate:
        place += 1
    held.totals[N_RESERVED] -= 1
    for after in range(place, held.totals[N_RESERVED]):
        held.reserve[after] = held.reserve[after + 1]


@njit
def is_satisfied(rules: Rules, held: Held) -> bool:
    """Whether chosen and reserve together keep number, budget, quotas and floors."""
    if held.totals[N_HELD] > rules.number or held.totals[COST_HELD] > rules.budget:
        return False
    for quota in range(held.counts.size):
        if not rules.quota_minimum[quota] <= held.counts[quota] <= rules.quota_maximum[quota]:
            return False
    for floor in range(held.floor_covered.size):
        if held.floor_covered[floor] < rules.floor_minimum[floor]:
            return False
    return True


@njit
def has_rival(candidate: int, least_role: int, rules: Rules, held: Held) -> bool:
    """Whether a candidate is in conflict with one of a role, or of a higher one."""
    for place in range(rules.conflict_indptr[candidate], rules.conflict_indptr[candidate + 1]):
        if held.role[rules.conflict_indices[place]] >= least_role:
            return True
    return False


@njit
def _is_at_maximum(candidate: int, rules: Rules, held: Held) -> bool:
    """Whether a quota has no room for a candidate."""
    for place in range(rules.quota_indptr[candidate], rules.quota_indptr[candidate + 1]):
        quota = rules.quota_indices[place]
        if held.counts[quota] >= rules.quota_maximum[quota]:
            return True
    return False


@njit
def may_be_dropped(candidate: int, rules: Rules, held: Held) -> bool:
    """Whether every minimum and floor is still met without a held candidate."""
    for place in range(rules.quota_indptr[candidate], rules.quota_indptr[candidate + 1]):
        quota = rules.quota_indices[place]
        if held.counts[quota] <= rules.quota_minimum[quota]:
            return False
    if held.floor_covered.size == 0:
        return True
    lost = np.zeros(held.floor_covered.size, dtype=np.int64)
    for demand in rules.indices[rules.indptr[candidate] : rules.indptr[candidate + 1]]:
        if held.n_covering[demand] == 1:
            for place in range(
                rules.demand_floor_indptr[demand], rules.demand_floor_indptr[demand + 1]
            ):
                lost[rules.demand_floor_indices[place]] += rules.weights[demand]
    for floor in range(lost.size):
        if lost[floor] > 0 and held.floor_covered[floor] - lost[floor] < rules.floor_minimum[floor]:
            return False
    return True


@njit
def trim_reserve(rules: Rules, held: Held) -> None:
    """Release what the reserve can do without, the dearest first."""
    place = 0
    while place < held.totals[N_RESERVED]:
        candidate = held.reserve[place]
        if may_be_dropped(candidate, rules, held):
            release(candidate, rules, held)
        else:
            place += 1


@njit
def fill_minima(rules: Rules, held: Held) -> None:
    """Reserve the cheapest candidates that fit for every minimum that is not met."""
    for quota in range(held.counts.size):
        for place in range(rules.member_indptr[quota], rules.member_indptr[quota + 1]):
            if held.counts[quota] >= rules.quota_minimum[quota]:
                break
            member = rules.member_indices[place]
            if may_be_reserved(member, rules, held):
                hold(member, RESERVED, rules, held)


@njit
def may_be_reserved(candidate: int, rules: Rules, held: Held) -> bool:
    """Whether a candidate is free and neither spacing nor a maximum stands against it."""
    return (
        held.role[candidate] == FREE
        and not rules.forbidden[candidate]
        and not _is_at_maximum(candidate, rules, held)
        and not has_rival(candidate, RESERVED, rules, held)
    )


@njit
def is_out(candidate: int, rules: Rules, held: Held) -> bool:
    """Whether a candidate cannot be taken now; a quick test that misses some."""
    role = held.role[candidate]
    if role == RESERVED:
        return False
    if role == CHOSEN or rules.forbidden[candidate] or has_rival(candidate, CHOSEN, rules, held):
        return True
    exceeds = (
        held.totals[N_HELD] + 1 > rules.number
        or held.totals[COST_HELD] + rules.costs[candidate] > rules.budget
        or _is_at_maximum(candidate, rules, held)
    )
    return exceeds and not _may_replace(candidate, rules, held)


@njit
def _may_replace(candidate: int, rules: Rules, held: Held) -> bool:
    """Whether a candidate could stand in for one of the reserve."""
    if held.totals[N_RESERVED] == 0:
        return False
    for place in range(rules.quota_indptr[candidate], rules.quota_indptr[candidate + 1]):
        if rules.quota_minimum[rules.quota_indices[place]] > 0:
            return True
    return has_rival(candidate, RESERVED, rules, held)


@njit
def take(candidate: int, rules: Rules, held: Held) -> bool:
    """Choose a candidate if a reserve is left with it; say whether it was chosen."""
    if is_out(candidate, rules, held):
        return False
    if held.role[candidate] == RESERVED:
        _strike_off(candidate, held)
        held.role[candidate] = CHOSEN
        return True
    if held.totals[N_RESERVED] == 0:
        hold(candidate, CHOSEN, rules, held)
        return True

    before = held.reserve[: held.totals[N_RESERVED]].copy()
    hold(candidate, CHOSEN, rules, held)
    for place in range(rules.conflict_indptr[candidate], rules.conflict_indptr[candidate + 1]):
        rival = rules.conflict_indices[place]
        if held.role[rival] == RESERVED:
            release(rival, rules, held)
    trim_reserve(rules, held)
    if not is_satisfied(rules, held):
        fill_minima(rules, held)
        trim_reserve(rules, held)
    if is_satisfied(rules, held):
        return True
    while held.totals[N_RESERVED] > 0:
        release(held.reserve[held.totals[N_RESERVED] - 1], rules, held)
    release(candidate, rules, held)
    for member in before:
        hold(member, RESERVED, rules, held)
    return False


@njit
def _floor_gains(rules: Rules, held: Held, bounds: NDArray[np.int64], candidate: int) -> None:
    """Bring up to date what a candidate would add to the floors that are not reached."""
    added = np.zeros(held.floor_covered.size, dtype=np.int64)
    for demand in rules.indices[rules.indptr[candidate] : rules.indptr[candidate + 1]]:
        if held.n_covering[demand] == 0:
            for place in range(
                rules.demand_floor_indptr[demand], rules.demand_floor_indptr[demand + 1]
            ):
                added[rules.demand_floor_indices[place]] += rules.weights[demand]
    bounds[candidate] = 0
    for floor in range(added.size):
        short = max(0, rules.floor_minimum[floor] - held.floor_covered[floor])
        bounds[candidate] += min(short, added[floor])


@njit
def fill_floors(rules: Rules, held: Held) -> None:
    """Reserve candidates until every floor is reached, each time the one that adds most."""
    if held.floor_covered.size == 0:
        return
    bounds = np.zeros(held.role.size, dtype=np.int64)  # what a candidate adds only shrinks
    for candidate in range(bounds.size):
        _floor_gains(rules, held, bounds, candidate)
    while True:
        best = int(np.argmax(bounds))
        before = bounds[best]
        if before == 0:
            return
        _floor_gains(rules, held, bounds, best)
        if bounds[best] == before:
            if may_be_reserved(best, rules, held):
                hold(best, RESERVED, rules, held)
            bounds[best] = 0
