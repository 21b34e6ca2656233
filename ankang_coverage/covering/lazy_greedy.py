"""Maximal covering by lazy greedy: the answer of plain greedy, at a fraction of its work.

A candidate's marginal gain can only shrink as others are chosen (the objective is submodular),
so a gain computed earlier is an upper bound now. Candidates wait in a heap by that bound; the top
is brought up to date, and when it stays on top nothing else needs to be looked at.
"""

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.covering.feasibility import find_reserve
from ankang_coverage.covering.gains import all_gains, covered_weight, gain_of
from ankang_coverage.covering.merging import merge_objectives
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.reserve import (
    CHOSEN,
    N_RESERVED,
    RESERVED,
    Held,
    Rules,
    copy_of,
    is_out,
    take,
)


@njit
def _product_exceeds(a: np.int64, b: np.int64, c: np.int64, d: np.int64) -> int:
    """Return 1, 0 or -1 as a·b is above, equal to or below c·d; none is negative."""
    low = np.int64(0xFFFFFFFF)
    # Each product as high · 2⁶⁴ + middle · 2³² + lowest, in digits of 32 bits.
    high_1, middle_1, lowest_1 = _digits(a >> 32, a & low, b >> 32, b & low)
    high_2, middle_2, lowest_2 = _digits(c >> 32, c & low, d >> 32, d & low)
    if high_1 != high_2:
        return 1 if high_1 > high_2 else -1
    if middle_1 != middle_2:
        return 1 if middle_1 > middle_2 else -1
    if lowest_1 != lowest_2:
        return 1 if lowest_1 > lowest_2 else -1
    return 0


@njit
def _digits(
    a_high: np.int64, a_low: np.int64, b_high: np.int64, b_low: np.int64
) -> tuple[np.uint64, np.uint64, np.uint64]:
    low, bits = np.uint64(0xFFFFFFFF), np.uint64(32)
    a1, a0, b1, b0 = np.uint64(a_high), np.uint64(a_low), np.uint64(b_high), np.uint64(b_low)
    lowest = a0 * b0
    cross = a1 * b0 + (lowest >> bits)
    middle = (cross & low) + a0 * b1
    return a1 * b1 + (cross >> bits) + (middle >> bits), middle & low, lowest & low


@njit
def is_first(
    a: int, b: int, bounds: NDArray[np.int64], costs: NDArray[np.int64], by_cost: bool
) -> bool:
    """Whether a goes before b: by gain, or gain per cost; then lower cost, lower index."""
    if by_cost:
        order = _product_exceeds(bounds[a], costs[b], bounds[b], costs[a])
        if order != 0:
            return order > 0
    if bounds[a] != bounds[b]:
        return bounds[a] > bounds[b]
    if costs[a] != costs[b]:
        return costs[a] < costs[b]
    return a < b


@njit
def _sift_down(
    heap: NDArray[np.int32],
    size: int,
    start: int,
    bounds: NDArray[np.int64],
    costs: NDArray[np.int64],
    by_cost: bool,
) -> None:
    """Restore the heap below `start`."""
    moving = heap[start]
    parent = start
    while 2 * parent + 1 < size:
        child = 2 * parent + 1
        if child + 1 < size and is_first(heap[child + 1], heap[child], bounds, costs, by_cost):
            child += 1
        if is_first(moving, heap[child], bounds, costs, by_cost):
            break
        heap[parent] = heap[child]
        parent = child
    heap[parent] = moving


@njit
def _heapify(
    heap: NDArray[np.int32],
    size: int,
    bounds: NDArray[np.int64],
    costs: NDArray[np.int64],
    by_cost: bool,
) -> None:
    for start in range(size // 2 - 1, -1, -1):
        _sift_down(heap, size, start, bounds, costs, by_cost)


@njit
def _choose(
    rules: Rules,
    held: Held,
    open_weights: NDArray[np.int64],
    bounds: NDArray[np.int64],
    by_cost: bool,
    fills_number: bool,
    may_return: bool,
    order: NDArray[np.int64],
    n: int,
) -> int:
    """Fill `order` from `n` on; return how many were chosen.

    `bounds` are gains at the start. A candidate that was refused is gone, unless `may_return`:
    then it gets another chance whenever the reserve has changed.
    """
    indptr, indices, costs = rules.indptr, rules.indices, rules.costs
    heap = np.empty(bounds.size, dtype=np.int32)
    updated_at = np.full(bounds.size, n, dtype=np.int32)  # when the bound was exact
    refused = np.empty(bounds.size if may_return else 0, dtype=np.int32)
    n_refused = 0
    size = 0
    for candidate in range(bounds.size):
        if held.role[candidate] != CHOSEN and not rules.forbidden[candidate]:
            heap[size] = candidate
            size += 1
    _heapify(heap, size, bounds, costs, by_cost)

    while n < rules.number and size > 0:
        top = heap[0]
        row = indices[indptr[top] : indptr[top + 1]]
        refuse = is_out(top, rules, held)
        if not refuse and updated_at[top] < n:
            bounds[top] = gain_of(row, open_weights)
            updated_at[top] = n
            _sift_down(heap, size, 0, bounds, costs, by_cost)
            continue
        idle = bounds[top] == 0 and not fills_number and held.role[top] != RESERVED
        n_reserved = held.totals[N_RESERVED] - (held.role[top] == RESERVED)
        size -= 1
        heap[0] = heap[size]
        _sift_down(heap, size, 0, bounds, costs, by_cost)
        if refuse or idle or not take(top, rules, held):
            if may_return and not idle:
                refused[n_refused] = top
                n_refused += 1
            continue
        order[n] = top
        n += 1
        for demand in row:
            open_weights[demand] = 0
        if n_refused > 0 and held.totals[N_RESERVED] < n_reserved:
            for place in range(n_refused):
                heap[size] = refused[place]
                size += 1
            n_refused = 0
            _heapify(heap, size, bounds, costs, by_cost)
    return _take_reserve(rules, held, open_weights, bounds, by_cost, order, n)


@njit
def _take_reserve(
    rules: Rules,
    held: Held,
    open_weights: NDArray[np.int64],
    bounds: NDArray[np.int64],
    by_cost: bool,
    order: NDArray[np.int64],
    n: int,
) -> int:
    """Take what is left of the reserve: members that had been refused before they were needed."""
    indptr, indices = rules.indptr, rules.indices
    while held.totals[N_RESERVED] > 0:
        best = held.reserve[0]
        for place in range(held.totals[N_RESERVED]):
            member = held.reserve[place]
            bounds[member] = gain_of(indices[indptr[member] : indptr[member + 1]], open_weights)
            if is_first(member, best, bounds, rules.costs, by_cost):
                best = member
        take(best, rules, held)
        order[n] = best
        n += 1
        for demand in indices[indptr[best] : indptr[best + 1]]:
            open_weights[demand] = 0
    return n


@njit
def _in_order(
    members: NDArray[np.int64],
    n: int,
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    costs: NDArray[np.int64],
    open_weights: NDArray[np.int64],
) -> None:
    """Sort the members after the first `n` as greedy would choose them."""
    bounds = np.full(costs.size, np.iinfo(np.int64).max)
    heap = members[n:].astype(np.int32)
    for done in range(n):
        for demand in indices[indptr[members[done]] : indptr[members[done] + 1]]:
            open_weights[demand] = 0
    _heapify(heap, heap.size, bounds, costs, False)
    size = heap.size
    while size > 0:
        top = heap[0]
        row = indices[indptr[top] : indptr[top + 1]]
        gain = gain_of(row, open_weights)
        if gain < bounds[top]:
            bounds[top] = gain
        else:
            members[members.size - size] = top
            for demand in row:
                open_weights[demand] = 0
            size -= 1
            heap[0] = heap[size]
        _sift_down(heap, size, 0, bounds, costs, False)


def grow(
    problem: Problem,
    rules: Rules,
    held: Held,
    chosen: NDArray[np.int64] | None = None,
    *,
    by_cost: bool = False,
) -> NDArray[np.int64]:
    """Choose greedily from what is chosen on, and return all that is, in order.

    Nothing but the forced candidates is chosen unless `chosen` says so. `held` is changed;
    `problem` has one objective.
    """
    if chosen is None:
        chosen = problem.forced
    n = chosen.size
    order = np.empty(problem.number, dtype=np.int64)
    order[:n] = chosen
    open_weights = problem.weights.copy()
    for candidate in chosen.tolist():
        open_weights[problem.covers[candidate]] = 0
    bounds = all_gains(problem, open_weights)
    n = _choose(
        rules, held, open_weights, bounds, by_cost, problem.fills_number,
        _may_return(problem), order, n,
    )  # fmt: skip
    return order[:n]


def _may_return(problem: Problem) -> bool:
    """Whether a candidate that no reserve was left with may be possible later.

    Not if each candidate counts for one minimum at most and nothing else ties them: there what
    the reserve needs never shrinks.
    """
    needs = np.flatnonzero(problem.quota_minimum)
    if problem.n_floors or (needs.size and problem.conflicts.indices.size):
        return True
    return needs.size > 0 and int(np.bincount(problem.quota_members.indices).max()) > 1


def choose_greedily(problem: Problem) -> NDArray[np.int64]:
    """Choose candidates one by one, each time the one that adds the most weight.

    Parameters
    ----------
    problem : Problem
        A problem with one objective.

    Returns
    -------
    NDArray[np.int64]
        The chosen candidates in order.

    Raises
    ------
    CoveringError
        If no choice satisfies all constraints.

    Notes
    -----
    Equal gains are decided by the lower cost, then the lower index, so the answer is unique and
    equals that of plain greedy [1]_. With nothing but a number it is at least 1 - 1/e of the
    optimum [2]_. With a budget the choice is made twice, by gain and by gain per cost, and the
    better one kept: either alone can be arbitrarily bad, the better of the two is at least half of
    1 - 1/e of the optimum [3]_.

    A candidate is passed over if the minima and floors could not be met with it, see `reserve`.
    Without a budget the choice goes on to the number when nothing is left to gain. Conflicts and
    maxima can end it earlier: greedy does not look ahead, so it may run out of candidates where
    another choice would have reached the number.

    References
    ----------
    .. [1] M. Minoux, "Accelerated greedy algorithms for maximizing submodular set functions",
       Optimization Techniques, Springer, 1978.
    .. [2] G. L. Nemhauser, L. A. Wolsey, M. L. Fisher, "An analysis of approximations for
       maximizing submodular set functions", Mathematical Programming 14, 1978.
    .. [3] J. Leskovec et al., "Cost-effective outbreak detection in networks", KDD 2007.
    """
    rules, held = find_reserve(problem)
    if problem.budget is None:
        return grow(problem, rules, held)
    again = copy_of(held)
    by_gain = grow(problem, rules, held)
    by_gain_per_cost = grow(problem, rules, again, by_cost=True)
    return max(by_gain, by_gain_per_cost, key=lambda order: _rank(problem, order))


def _rank(problem: Problem, order: NDArray[np.int64]) -> tuple[int, int]:
    """Objective, then saving."""
    return covered_weight(problem, order), -int(problem.costs[order].sum())


def in_order(problem: Problem, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sort a set of candidates: the forced ones as given, the others as greedy would choose."""
    forced = problem.forced
    order = np.concatenate((forced, np.setdiff1d(members, forced)))
    merged = merge_objectives(problem)
    covers = merged.covers
    _in_order(
        order, forced.size, covers.indptr, covers.indices, merged.costs, merged.weights.copy()
    )
    return order
