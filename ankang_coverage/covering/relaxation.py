"""A covering problem in which prices stand in for the constraints that make it hard.

"A demand counts only if a chosen candidate covers it" gets a price for each demand, and so do
floors and those groups of candidates that overlap. What is left is easy: demands count or not each
for itself, and candidates are chosen by score within a number, a budget and groups that share no
member.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.covering.cliques import cover_conflicts
from ankang_coverage.covering.gains import covered_by
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.rows import Rows

LARGEST_COPY = 1 << 28
"""Entries of the matrix up to which they are copied into a better order, 4 bytes each."""

MEMBERS_PER_ENTRY = 0.5
"""Members of groups made from conflicts, at most so many for each entry of the matrix."""
FEWEST_MEMBERS = 1_000_000

SPACING = "conflicts"
"""What the constraint given by ``conflicts`` is called."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Groups:
    """Groups of candidates with the least and most that can be chosen of each.

    Attributes
    ----------
    members : Rows
        Members of each group.
    minimum, maximum : NDArray[np.int64]
        Limits of each group.
    """

    members: Rows
    minimum: NDArray[np.int64]
    maximum: NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Relaxation:
    """What the forced candidates leave open.

    Candidates and demand have an order of their own here: `candidates` and `demand` lead back.

    Attributes
    ----------
    settled : int
        Weight that the forced candidates cover.
    candidates : NDArray[np.int64]
        Index in the problem of each candidate that can still be chosen.
    first, last, indices : NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]
        Demand of each candidate: ``indices[first[j]:last[j]]``, ascending.
    demand : NDArray[np.int64]
        Index in the problem of each demand.
    weights : NDArray[np.int64]
        Weight of each demand; 0 where it is settled or out of reach.
    number, budget : int, int or None
        How many can be chosen, and what they may cost.
    costs : NDArray[np.int64]
        Cost of each candidate.
    group : NDArray[np.int64]
        Group of each candidate among those that share no member, or -1.
    group_minimum, group_maximum : NDArray[np.int64]
        Limits of these groups.
    side : Groups
        The other groups.
    floor_demand : Rows
        Demand of each floor.
    floor_minimum : NDArray[np.int64]
        Weight that each floor is short of.
    dropped : tuple of str
        Constraints left out.
    """

    settled: int
    candidates: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    indices: NDArray[np.int32]
    demand: NDArray[np.int64]
    weights: NDArray[np.int64]
    number: int
    budget: int | None
    costs: NDArray[np.int64]
    group: NDArray[np.int64]
    group_minimum: NDArray[np.int64]
    group_maximum: NDArray[np.int64]
    side: Groups
    floor_demand: Rows
    floor_minimum: NDArray[np.int64]
    dropped: tuple[str, ...]


@njit
def _relabel(
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    indices: NDArray[np.int32],
    is_open: NDArray[np.bool_],
    new_first: NDArray[np.int64],
    new_indices: NDArray[np.int32],
    demand: NDArray[np.int64],
) -> int:
    """Number open demand in the order in which candidates come upon it; return how much there is.

    What one candidate covers then lies close together in memory, whatever order the demand had.
    """
    label = np.full(is_open.size, -1, dtype=np.int32)
    n_demand, end = 0, 0
    for row in range(first.size):
        new_first[row] = end
        for place in range(first[row], last[row]):
            old = indices[place]
            if is_open[old]:
                if label[old] < 0:
                    label[old] = n_demand
                    demand[n_demand] = old
                    n_demand += 1
                new_indices[end] = label[old]
                end += 1
    new_first[first.size] = end
    return n_demand


def relax(problem: Problem) -> Relaxation:
    """Take the forced candidates out of a problem and sort its constraints.

    Parameters
    ----------
    problem : Problem
        A checked problem.

    Returns
    -------
    Relaxation
        What is left to choose.
    """
    covered = covered_by(problem, problem.forced)
    allowed = problem.is_open
    candidates = np.flatnonzero(allowed)

    is_open = ~covered & (problem.weights > 0)
    indptr, indices = problem.covers.indptr, problem.covers.indices
    first, last, demand = indptr[candidates], indptr[candidates + 1], np.arange(problem.n_demand)
    if indices.size <= LARGEST_COPY:
        first, last, indices, demand = _in_better_order(first, last, indices, is_open)
        weights = problem.weights[demand]
    else:
        weights = np.where(is_open, problem.weights, 0)

    group, exact, side, dropped = _groups(problem, allowed, candidates)
    floor_demand, floor_minimum = _floors(problem, covered, is_open, demand)
    budget = problem.budget
    return Relaxation(
        settled=int(problem.weights[covered].sum()),
        candidates=candidates,
        first=first,
        last=last,
        indices=indices,
        demand=demand,
        weights=weights,
        number=problem.number - problem.forced.size,
        budget=None if budget is None else budget - int(problem.costs[problem.forced].sum()),
        costs=problem.costs[candidates],
        group=group,
        group_minimum=exact.minimum,
        group_maximum=exact.maximum,
        side=side,
        floor_demand=floor_demand,
        floor_minimum=floor_minimum,
        dropped=dropped,
    )


def _in_better_order(
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    indices: NDArray[np.int32],
    is_open: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    new_first = np.zeros(first.size + 1, dtype=np.int64)
    new_indices = np.empty(int((last - first).sum()), dtype=np.int32)
    demand = np.empty(is_open.size, dtype=np.int64)
    n_demand = _relabel(first, last, indices, is_open, new_first, new_indices, demand)
    for row in range(first.size):
        new_indices[new_first[row] : new_first[row + 1]].sort()
    return new_first[:-1], new_first[1:], new_indices[: new_first[-1]], demand[:n_demand].copy()


def _groups(
    problem: Problem, allowed: NDArray[np.bool_], candidates: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Groups, Groups, tuple[str, ...]]:
    """Sort quotas and conflicts into groups that share no member, and others.

    Quotas come first, in their order, then conflicts; each is kept as it is if no candidate of it
    is in a group kept before.
    """
    place = np.full(problem.n_candidates, -1, dtype=np.int64)
    place[candidates] = np.arange(candidates.size)
    is_forced = problem.is_forced
    found: list[tuple[NDArray[np.int64], int, int]] = []
    for quota in range(problem.n_quotas):
        of_quota = problem.quota_members[quota]
        n_forced = int(np.count_nonzero(is_forced[of_quota]))
        free = place[of_quota[allowed[of_quota]]]
        minimum = max(0, int(problem.quota_minimum[quota]) - n_forced)
        maximum = min(int(problem.quota_maximum[quota]) - n_forced, free.size)
        if minimum > 0 or maximum < free.size:
            found.append((free, minimum, maximum))

    dropped: tuple[str, ...] = ()
    if problem.conflicts.indices.size:
        most_members = max(FEWEST_MEMBERS, int(MEMBERS_PER_ENTRY * problem.covers.indices.size))
        cliques, is_complete = cover_conflicts(problem.conflicts, allowed, most_members)
        by_size = sorted(range(len(cliques)), key=lambda clique: -cliques[clique].size)
        found += [(place[cliques[clique]], 0, 1) for clique in by_size]
        dropped = () if is_complete else (SPACING,)

    group = np.full(candidates.size, -1, dtype=np.int64)
    exact: list[tuple[NDArray[np.int64], int, int]] = []
    side: list[tuple[NDArray[np.int64], int, int]] = []
    for members, minimum, maximum in found:
        if (group[members] < 0).all():
            group[members] = len(exact)
            exact.append((members, minimum, maximum))
        else:
            side.append((members, minimum, maximum))
    return group, _stacked(exact), _stacked(side), dropped


def _stacked(groups: list[tuple[NDArray[np.int64], int, int]]) -> Groups:
    return Groups(
        members=Rows.stacked([members for members, _, _ in groups]),
        minimum=np.array([minimum for _, minimum, _ in groups], dtype=np.int64),
        maximum=np.array([maximum for _, _, maximum in groups], dtype=np.int64),
    )


def _floors(
    problem: Problem,
    covered: NDArray[np.bool_],
    is_open: NDArray[np.bool_],
    demand: NDArray[np.int64],
) -> tuple[Rows, NDArray[np.int64]]:
    """Return the floors that the forced candidates leave short, and by how much."""
    place = np.full(problem.n_demand, -1, dtype=np.int64)
    place[demand] = np.arange(demand.size)
    rows, shortages = [], []
    for floor in range(problem.n_floors):
        members = problem.floor_demand[floor]
        settled = int(problem.weights[members[covered[members]]].sum())
        shortage = int(problem.floor_minimum[floor]) - settled
        if shortage > 0:
            still_open = place[members[is_open[members]]]
            rows.append(still_open[still_open >= 0])
            shortages.append(shortage)
    return Rows.stacked(rows), np.array(shortages, dtype=np.int64)


@njit
def _choose_at(
    price: float,
    scores: NDArray[np.float64],
    costs: NDArray[np.float64],
    group: NDArray[np.int64],
    group_minimum: NDArray[np.int64],
    group_maximum: NDArray[np.int64],
    number: int,
    taken: NDArray[np.float64],
) -> tuple[float, float]:
    """Choose by score less price of the cost; fill `taken`, return worth and cost.

    First each group's best up to its minimum, then the best of all the rest: groups that share no
    member, and a number over them, make this greedy choice the best one.
    """
    net = scores - price * costs
    order = np.argsort(-net, kind="mergesort")
    counts = np.zeros(group_minimum.size, dtype=np.int64)
    taken[:] = 0.0
    n_taken, worth, cost = 0, 0.0, 0.0
    for needed in (True, False):
        for candidate in order:
            if not needed and (net[candidate] <= 0.0 or n_taken >= number):
                break
            if taken[candidate] > 0.0:
                continue
            own = group[candidate]
            if own >= 0:
                limit = group_minimum[own] if needed else group_maximum[own]
                if counts[own] >= limit:
                    continue
                counts[own] += 1
            elif needed:
                continue
            taken[candidate] = 1.0
            n_taken += 1
            worth += net[candidate]
            cost += costs[candidate]
    return worth, cost


@njit
def choose(
    scores: NDArray[np.float64],
    costs: NDArray[np.float64],
    budget: float,
    group: NDArray[np.int64],
    group_minimum: NDArray[np.int64],
    group_maximum: NDArray[np.int64],
    number: int,
    guess: float,
    taken: NDArray[np.float64],
) -> tuple[float, float]:
    """Choose the highest total score, the last candidates in part if the budget says so.

    The budget has a price as well, and its best price is where what is chosen costs the budget:
    there choices that cost more and less are worth the same. Each pair of choices on both sides
    names the price at which they are; `guess` is where to look first. Fills `taken` with the
    fraction chosen of each candidate; returns the total and the price.
    """
    rules = (group, group_minimum, group_maximum, number)
    low, high = 0.0, -1.0  # prices at which too much is spent, and not; -1 while unknown
    worth_low, cost_low = _choose_at(low, scores, costs, *rules, taken)
    if cost_low <= budget:
        return worth_low, low
    taken_low = taken.copy()
    worth_high, cost_high = 0.0, 0.0
    taken_high = taken.copy()
    highest = np.max(scores) - min(np.min(scores), 0.0) + 1.0  # costs are whole numbers
    price = min(max(guess, 1e-9 * highest), highest)
    while True:
        worth, cost = _choose_at(price, scores, costs, *rules, taken)
        worth += price * budget
        if high >= 0.0:
            line = worth_low + (budget - cost_low) * (price - low)
            if worth <= line + 1e-12 * abs(line):  # never below the line but for rounding
                break
        if cost > budget and price < highest:
            low, worth_low, cost_low = price, worth, cost
            taken_low[:] = taken
        else:
            high, worth_high, cost_high = price, worth, cost
            taken_high[:] = taken
            if cost > budget:
                return worth, price
        if high < 0.0:
            price = min(4.0 * price, highest)
            continue
        crossing = (
            worth_high - (budget - cost_high) * high - worth_low + (budget - cost_low) * low
        ) / (cost_high - cost_low)
        price = min(max(crossing, low), high)
        if price in (low, high):
            break
    part = (budget - cost_high) / (cost_low - cost_high)
    taken[:] = part * taken_low + (1.0 - part) * taken_high
    return worth, price
