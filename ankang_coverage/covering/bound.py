"""How good any choice could be: an upper bound from prices, improved step by step.

Every demand i has a price between nothing and its weight: whoever covers it is paid λ_i for it,
and w_i - λ_i is granted in any case. No choice that keeps the constraints covers more than all
that is granted plus the most that a choice can be paid,

    Σ (w_i - λ_i)  +  max Σ Λ_j over choices,   Λ_j = Σ λ_i over the demand of candidate j,

because a demand that is covered is paid for once at least. Choosing by pay is easy, see
`relaxation`, and any prices give a valid bound. The best prices give that of linear programming:
they are found by subgradient steps, without a transposed matrix. A price rises where nobody
chosen covers the demand and falls where several do.
"""

import functools
import math
import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage._jit import njit
from ankang_coverage.covering.problem import Problem, check_time_limit
from ankang_coverage.covering.relaxation import Relaxation, choose, relax
from ankang_coverage.covering.selection import Progress
from ankang_coverage.covering.warming import tiny_problem
from ankang_coverage.errors import CoveringError

NEW_SHARE = 0.1
"""Share of the newest subgradient in the direction of a step; the rest is the direction before."""

PATIENCE = 20
"""Steps without a better bound after which steps become shorter."""
LEAST_IMPROVEMENT = 1e-6
SHORTER = 0.7
SHORTEST = 2e-3

MOST_BITS = 20
"""Binary places of the whole prices that certify a bound."""

FIRST_PRICE = 0.3
"""First price of every demand, as a share of its weight."""

BLOCK = 1 << 16
"""Demand added up at a time: sums do not depend on the number of threads."""

INLINE = 200_000
"""Entries of the matrix up to which threads cost more than they save."""

SLACK = 0.02
"""Share of what it took to be chosen that a candidate may be short of and still be looked at."""

LARGEST_PAY = 1e300  # nobody is paid that much

SECONDS_BETWEEN_REPORTS = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class Bound:
    """An upper bound on what any choice can cover.

    Attributes
    ----------
    value : int
        No choice that keeps the constraints covers more [unit of the weights].
    dropped : tuple of str
        Constraints that the bound leaves out; it holds all the same.
    seconds : float
        Wall time [s].
    n_steps : int
        Steps taken.
    multipliers : NDArray[np.float32]
        Price of each demand, shape (n_demand,) [unit of the weights].
    is_interrupted : bool
        Whether the user stopped the steps.
    """

    value: int
    dropped: tuple[str, ...]
    seconds: float
    n_steps: int
    multipliers: NDArray[np.float32]
    is_interrupted: bool


class _Prices(NamedTuple):
    """What a bound is computed from."""

    demand: NDArray[np.float32]
    side: NDArray[np.float64]  # of each group; above 0 for its maximum, below 0 for its minimum
    floors: NDArray[np.float64]  # what a floor adds to each unit of weight in it
    budget: float

    def copy(self) -> "_Prices":
        return _Prices(self.demand.copy(), self.side.copy(), self.floors.copy(), self.budget)


@njit
def _pay(
    rows: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    indices: NDArray[np.int32],
    prices: NDArray[np.float32],
    pay: NDArray[np.float64],
) -> None:
    """Add up the prices of what some candidates cover."""
    for candidate in rows:
        row = indices[first[candidate] : last[candidate]]
        # Four sums, so that an addition does not wait for the one before.
        a, b, c, d = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        n_by_four = row.size // 4 * 4
        for place in range(0, n_by_four, 4):
            a += prices[row[place]]
            b += prices[row[place + 1]]
            c += prices[row[place + 2]]
            d += prices[row[place + 3]]
        for place in range(n_by_four, row.size):
            a += prices[row[place]]
        pay[candidate] = (np.float64(a) + b) + (np.float64(c) + d)


@njit
def _whole_pay(
    rows: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    indices: NDArray[np.int32],
    prices: NDArray[np.int64],
    pay: NDArray[np.int64],
) -> None:
    """Add up whole prices."""
    for candidate in rows:
        row = indices[first[candidate] : last[candidate]]
        total = np.int64(0)
        for place in range(row.size):
            total += prices[row[place]]
        pay[candidate] = total


@njit
def _turn(
    first_block: int,
    last_block: int,
    chosen: NDArray[np.int64],
    fraction: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    indices: NDArray[np.int32],
    worth: NDArray[np.float32],
    surplus: NDArray[np.float32],
    direction: NDArray[np.float32],
    squares: NDArray[np.float64],
) -> None:
    """Turn the direction of blocks of demand towards how often each is covered, less once."""
    new, old = np.float32(NEW_SHARE), np.float32(1.0 - NEW_SHARE)
    for block in range(first_block, last_block):
        start, stop = block * BLOCK, min((block + 1) * BLOCK, worth.size)
        surplus[start:stop] = -1.0
        for place in range(chosen.size):
            candidate = chosen[place]
            part = np.float32(fraction[candidate])
            row = indices[first[candidate] : last[candidate]]
            for demand in row[np.searchsorted(row, start) : np.searchsorted(row, stop)]:
                surplus[demand] += part
        total = 0.0
        for demand in range(start, stop):
            turned = new * surplus[demand] + old * direction[demand]
            direction[demand] = turned
            total += worth[demand] * turned * turned
        squares[block] = total


@njit
def _move(
    first_block: int,
    last_block: int,
    length: np.float32,
    worth: NDArray[np.float32],
    direction: NDArray[np.float32],
    prices: NDArray[np.float32],
    granted: NDArray[np.float64],
    rises: NDArray[np.float32],
) -> None:
    """Change the prices of blocks of demand, each in proportion to its worth.

    Notes what is left to grant and by what share of its worth a price rises at most.
    """
    for block in range(first_block, last_block):
        total, steepest = 0.0, np.float32(0)
        for demand in range(block * BLOCK, min((block + 1) * BLOCK, worth.size)):
            most = worth[demand]
            if prices[demand] < most:
                steepest = min(steepest, direction[demand])
            price = prices[demand] - length * most * direction[demand]
            price = min(max(price, np.float32(0)), most)
            prices[demand] = price
            total += most - price
        granted[block] = total
        rises[block] = -length * steepest


@njit
def _charge(
    indptr: NDArray[np.int64],
    members: NDArray[np.int64],
    prices: NDArray[Any],
    charges: NDArray[Any],
) -> None:
    """Charge the members of groups the prices of all their groups."""
    for group in range(prices.size):
        for place in range(indptr[group], indptr[group + 1]):
            charges[members[place]] += prices[group]


@njit
def _count(
    indptr: NDArray[np.int64],
    members: NDArray[np.int64],
    fraction: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> None:
    """Count the chosen members of groups."""
    for group in range(counts.size):
        counts[group] = 0.0
        for place in range(indptr[group], indptr[group + 1]):
            counts[group] += fraction[members[place]]


class _Search:
    """Prices, what is chosen at these prices, and the direction in which prices move."""

    def __init__(
        self, relaxation: Relaxation, start: NDArray[np.float32] | None, executor: Executor | None
    ) -> None:
        r = self.relaxation = relaxation
        n_candidates, n_demand = r.candidates.size, r.demand.size
        self.executor = executor
        self.costs = r.costs.astype(np.float64)
        self.budget = np.inf if r.budget is None else float(r.budget)
        self.weights = r.weights.astype(np.float32)
        self.worth = self.weights.copy()  # of each demand: its weight and what floors add
        first = self.weights * np.float32(FIRST_PRICE) if start is None else start[r.demand]
        self.prices = _Prices(
            np.clip(first, np.float32(0), self.worth),
            np.zeros(r.side.minimum.size),
            np.zeros(r.floor_minimum.size),
            0.0,
        )
        self.demand_direction = np.zeros(n_demand, dtype=np.float32)
        self.side_direction = np.zeros_like(self.prices.side)
        self.floor_direction = np.zeros_like(self.prices.floors)
        self.surplus = np.empty(n_demand, dtype=np.float32)
        n_blocks = -(-n_demand // BLOCK)
        self.squares = np.zeros(n_blocks)
        self.granted = np.zeros(n_blocks)
        self.rises = np.zeros(n_blocks, dtype=np.float32)
        self.blocks = _ranges(np.linspace(0, n_blocks, self.n_tasks + 1).astype(np.int64))
        self._move_demand(0.0)

        self.pay = np.zeros(n_candidates)  # of each candidate when it was last looked at
        self._look_at(np.arange(n_candidates), self.worth)
        self.most = self.pay.copy()  # nobody is paid more while no floor has a price
        self.risen = 0.0  # by what share of their worth prices have risen at most, in all
        self.seen = np.full(n_candidates, -1.0)  # the same when each was last looked at
        # What it took each to be chosen, net of charges.
        self.to_beat = np.full(n_candidates, -LARGEST_PAY)
        self.fraction = np.zeros(n_candidates)
        self.floors = np.split(r.floor_demand, r.floor_indptr[1:-1]) if r.floor_minimum.size else []
        self.floor_scale = 1.0 / np.array([self.weights[demand].sum() for demand in self.floors])
        self.side_scale: float | None = None  # what a candidate is paid, roughly

    @property
    def n_tasks(self) -> int:
        """Into how many tasks a step is divided."""
        return 1 if self.executor is None else 2 * (os.cpu_count() or 1)

    def _run(self, kernel: Callable[..., None], tasks: list[tuple[object, ...]]) -> None:
        if self.executor is None:
            for task in tasks:
                kernel(*task)
        else:
            for running in [self.executor.submit(kernel, *task) for task in tasks]:
                running.result()

    def _look_at(self, rows: NDArray[np.int64], prices: NDArray[np.float32]) -> None:
        """Bring up to date what some candidates are paid."""
        r = self.relaxation
        length = np.concatenate(([0], np.cumsum(r.last[rows] - r.first[rows])))
        cuts = np.searchsorted(length, np.linspace(0, length[-1], self.n_tasks + 1))
        cuts[-1] = rows.size  # rows without demand come last
        self._run(
            _pay,
            [
                (rows[start:stop], r.first, r.last, r.indices, prices, self.pay)
                for start, stop in _ranges(cuts)
            ],
        )

    def bound(self) -> float:
        """Choose at the present prices and return the upper bound."""
        r = self.relaxation
        charges = np.zeros(self.pay.size)
        _charge(r.side.indptr, r.side.members, self.prices.side, charges)
        most = self.most * (1.0 + self.prices.floors.sum())
        at_most = np.minimum(most, self.pay + (self.risen - self.seen) * most)
        net = at_most - charges - self.prices.budget * self.costs
        missing = np.flatnonzero(net >= self.to_beat - SLACK * np.abs(self.to_beat))
        # Whoever is not chosen though taken to be paid the most need not be looked at.
        while True:
            self._look_at(missing, self.prices.demand)
            self.seen[missing] = self.risen
            at_most[missing] = self.pay[missing]
            total, price = choose(
                at_most - charges, self.costs, self.budget, r.group, r.group_minimum,
                r.group_maximum, r.number, self.prices.budget, self.fraction,
            )  # fmt: skip
            missing = np.flatnonzero((self.fraction > 0) & (self.seen < self.risen))
            if missing.size == 0:
                break
        self.prices = self.prices._replace(budget=price)
        self._note_what_to_beat(at_most - charges - price * self.costs)
        if self.side_scale is None:
            self.side_scale = total / max(1.0, self.fraction.sum())
        side = self.prices.side
        return float(
            r.settled
            + self.granted.sum()
            + total
            + np.where(side > 0, side * r.side.maximum, side * r.side.minimum).sum()
            - (self.prices.floors * r.floor_minimum).sum()
        )

    def _note_what_to_beat(self, net: NDArray[np.float64]) -> None:
        """Note what each candidate would have needed to be chosen.

        At the next prices, which differ but little, it tells whom to look at first.
        """
        r = self.relaxation
        is_chosen = self.fraction > 0
        chosen, own = net[is_chosen], r.group[is_chosen]
        is_full = self.fraction.sum() > r.number - 0.5
        of_anyone = min(chosen.min(initial=np.inf), np.inf if is_full else 0.0)
        in_group = own >= 0
        of_group = np.full(r.group_minimum.size + 1, np.inf)
        np.minimum.at(of_group, own[in_group], chosen[in_group])
        counts = np.bincount(own[in_group], minlength=r.group_minimum.size)
        has_room = np.flatnonzero(counts < r.group_maximum)
        of_group[has_room] = np.minimum(of_group[has_room], of_anyone)
        of_group[-1] = of_anyone  # of candidates without a group, -1
        self.to_beat = np.where(np.isfinite(of_group), of_group, LARGEST_PAY)[r.group]

    def step(self, excess: float) -> None:
        """Move all prices so far that the bound would fall by `excess` if it were linear."""
        r, prices = self.relaxation, self.prices
        chosen = np.flatnonzero(self.fraction)
        self._run(
            _turn,
            [
                (
                    start, stop, chosen, self.fraction, r.first, r.last, r.indices,
                    self.worth, self.surplus, self.demand_direction, self.squares,
                )
                for start, stop in self.blocks
            ],
        )  # fmt: skip
        self._turn_groups_and_floors()
        side_scale, floor_scale = self.side_scale or 0.0, self.floor_scale
        squares = (
            self.squares.sum()
            + side_scale * (self.side_direction**2).sum()
            + (floor_scale * self.floor_direction**2).sum()
        )
        if squares <= 0.0:
            return
        length = excess / squares

        side = prices.side - length * side_scale * self.side_direction
        crosses = side * prices.side < 0  # the limit that counts is another: stop between them
        lowest = np.where(r.side.minimum > 0, -np.inf, 0.0)
        prices.side[:] = np.where(crosses, 0.0, np.maximum(side, lowest))
        if prices.floors.size:
            prices.floors[:] = np.maximum(
                prices.floors - length * floor_scale * self.floor_direction, 0.0
            )
            self.worth[:] = self.weights
            for floor, demand in enumerate(self.floors):
                self.worth[demand] += self.weights[demand] * np.float32(prices.floors[floor])
        self._move_demand(length)
        self.risen += float(self.rises.max(initial=0)) * (1.0 + prices.floors.sum())

    def _turn_groups_and_floors(self) -> None:
        r, prices = self.relaxation, self.prices
        if prices.side.size:
            counts = np.empty(prices.side.size)
            _count(r.side.indptr, r.side.members, self.fraction, counts)
            held = np.clip(counts, r.side.minimum, r.side.maximum)  # where a price of 0 may stay
            limit = np.where(prices.side > 0, r.side.maximum, r.side.minimum)
            surplus = np.where(prices.side == 0, held, limit) - counts
            self.side_direction = NEW_SHARE * surplus + (1 - NEW_SHARE) * self.side_direction
        if prices.floors.size:
            surplus = self._counted_in_floors() - r.floor_minimum
            self.floor_direction = NEW_SHARE * surplus + (1 - NEW_SHARE) * self.floor_direction

    def _counted_in_floors(self) -> NDArray[np.float64]:
        """Weight of the demand that counts: not at its full worth, or covered."""
        counted = np.zeros(len(self.floors))
        for floor, demand in enumerate(self.floors):
            covered = np.clip(self.surplus[demand] + 1, 0, 1)
            counts = np.where(self.prices.demand[demand] < self.worth[demand], 1, covered)
            counted[floor] = counts @ self.weights[demand].astype(np.float64)
        return counted

    def _move_demand(self, length: float) -> None:
        self._run(
            _move,
            [
                (
                    start, stop, np.float32(length),
                    self.worth, self.demand_direction, self.prices.demand, self.granted, self.rises,
                )
                for start, stop in self.blocks
            ],
        )  # fmt: skip


def _ranges(cuts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the stretches between cuts that are not empty."""
    return [
        (start, stop)
        for start, stop in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
        if start < stop
    ]


class _Way(NamedTuple):
    """The best prices on a way of steps."""

    prices: _Prices
    n_steps: int
    is_interrupted: bool


def _descend(
    search: _Search,
    objective: int,
    target_gap: float,
    began: float,
    time_limit_s: float,
    most_steps: float,
    progress: Progress | None,
) -> _Way:
    """Take steps until they are short, the bound is good enough, or time or their number is up."""
    best, prices = np.inf, search.prices.copy()
    pace, n_stalled, n_steps, reported = 1.0, 0, 0, began
    try:
        while True:
            bound = search.bound()
            n_stalled = 0 if bound < best * (1 - LEAST_IMPROVEMENT) else n_stalled + 1
            if bound < best:
                best, prices = bound, search.prices.copy()
            now = perf_counter()
            if progress is not None and now - reported >= SECONDS_BETWEEN_REPORTS:
                progress(now - began, objective, math.floor(best))
                reported = now
            if n_stalled == PATIENCE:
                pace, n_stalled = pace * SHORTER, 0
            is_good = best - objective <= max(target_gap * best, 0.5)
            is_late = now - began > time_limit_s or n_steps >= most_steps
            if is_good or pace < SHORTEST or is_late:
                return _Way(prices, n_steps, is_interrupted=False)
            search.step(pace * (bound - objective))
            n_steps += 1
    except KeyboardInterrupt:
        return _Way(prices, n_steps, is_interrupted=True)


def _certified(search: _Search, prices: _Prices) -> int:
    """Return the bound that prices give, in whole numbers from first to last.

    Prices are rounded to a fraction of a unit that leaves every sum within 63 bits. That may
    loosen the bound by a hair, but no rounding is left that could make it untrue.
    """
    r = search.relaxation
    total = int(r.weights.sum())
    charges = np.zeros(r.candidates.size)
    _charge(r.side.indptr, r.side.members, np.abs(prices.side), charges)
    largest = total * (2.0 + prices.floors.sum()) + charges.max(initial=0.0)
    bits = min(MOST_BITS, 61 - math.frexp(largest)[1])
    if bits < 0:  # no room for any price but that of demand
        prices = prices._replace(
            side=np.zeros_like(prices.side), floors=np.zeros_like(prices.floors)
        )
        bits = max(0, 61 - math.frexp(2.0 * total)[1])
    unit = 1 << bits

    side = np.rint(prices.side * unit).astype(np.int64)
    floors = np.rint(prices.floors * unit).astype(np.int64)
    worth = r.weights * unit
    for demand, price in zip(search.floors, floors.tolist(), strict=True):
        worth[demand] += r.weights[demand] * price
    demand_prices = np.rint(prices.demand.astype(np.float64) * unit)
    whole = np.minimum(np.minimum(demand_prices, 2.0**62).astype(np.int64), worth)
    pay = np.zeros(r.candidates.size, dtype=np.int64)
    _whole_pay(np.arange(pay.size), r.first, r.last, r.indices, whole, pay)
    whole_charges = np.zeros_like(pay)
    _charge(r.side.indptr, r.side.members, side, whole_charges)
    budget_price = round(prices.budget * unit)
    scores = [
        score - budget_price * cost
        for score, cost in zip((pay - whole_charges).tolist(), r.costs.tolist(), strict=True)
    ]
    value = int((worth - whole).sum()) + _best_total(scores, r)
    if r.budget is not None:
        value += budget_price * r.budget
    for price, least, most in zip(
        side.tolist(), r.side.minimum.tolist(), r.side.maximum.tolist(), strict=True
    ):
        value += price * (most if price > 0 else least)
    for price, short in zip(floors.tolist(), r.floor_minimum.tolist(), strict=True):
        value -= price * short
    return r.settled + min(value // unit, total)


def _best_total(scores: list[int], r: Relaxation) -> int:
    """Total of the best choice by score: as `relaxation.choose`, without budget, exactly."""
    group, least, most = (array.tolist() for array in (r.group, r.group_minimum, r.group_maximum))
    counts = [0] * len(least)
    total, n_chosen, others = 0, 0, []
    for candidate in sorted(range(len(scores)), key=scores.__getitem__, reverse=True):
        own = group[candidate]
        if own >= 0 and counts[own] < least[own]:
            counts[own] += 1
            n_chosen += 1
            total += scores[candidate]
        else:
            others.append(candidate)
    for candidate in others:
        if n_chosen >= r.number or scores[candidate] <= 0:
            break
        own = group[candidate]
        if own < 0 or counts[own] < most[own]:
            if own >= 0:
                counts[own] += 1
            n_chosen += 1
            total += scores[candidate]
    return total


def _checked_start(start: ArrayLike, n_demand: int) -> NDArray[np.float32]:
    prices = np.asarray(start, dtype=np.float32)
    if prices.shape != (n_demand,):
        raise CoveringError(
            f"start has shape {prices.shape}, but there are {n_demand} demands: "
            "give one price for each"
        )
    if np.isnan(prices).any():
        raise CoveringError(
            f"start is NaN for demand {int(np.argmax(np.isnan(prices)))}: "
            "a price is a number from 0 to the weight"
        )
    return prices


def upper_bound(
    problem: Problem,
    objective: int,
    *,
    time_limit_s: float | None = None,
    most_steps: int | None = None,
    target_gap: float = 0.0,
    start: ArrayLike | None = None,
    progress: Progress | None = None,
) -> Bound:
    """Prove how much any choice could cover at most.

    Parameters
    ----------
    problem : Problem
        A checked problem that some choice satisfies.
    objective : int
        Weight that a choice covers: the mark towards which steps are taken [unit of the weights].
    time_limit_s : float, optional
        Time after which the best bound so far is returned [s]; kernels are compiled before.
    most_steps : int, optional
        Steps after which it is returned.
    target_gap : float, optional
        Gap between bound and objective, as a fraction of the bound, that is good enough.
    start : array_like of float, optional
        Prices to begin with, such as `Bound.multipliers` of a similar problem, shape (n_demand,)
        [unit of the weights].
    progress : callable, optional
        Called now and then with the seconds passed, the objective and the bound so far.

    Returns
    -------
    Bound
        The bound and the prices that prove it.

    Raises
    ------
    CoveringError
        If the time limit or the number of steps is not positive, or `start` is not one number for
        each demand.

    Notes
    -----
    The number, the budget and quotas that share no candidate hold exactly for what is chosen at
    given prices, the last candidate that the budget allows in part. Quotas that overlap, groups of
    candidates in conflict and floors have prices too, so the bound leaves nothing out: except
    conflicts that are more than the matrix has entries, which `Bound.dropped` then names.

    This is Lagrangian relaxation [1]_ with deflected subgradients [2]_, each step towards the
    objective as far as it seems, and shorter when `PATIENCE` steps bring no better bound. It ends
    when steps are short: the bound is then that of linear programming, to some hundredths of a
    percent. The value is computed once more in whole numbers from the best prices, so rounding
    cannot make it untrue.

    Without the time limit the answer is always the same, for any number of threads.

    References
    ----------
    .. [1] R. D. Galvão, C. ReVelle, "A Lagrangean heuristic for the maximal covering location
       problem", European Journal of Operational Research 88, 1996.
    .. [2] P. M. Camerini, L. Fratta, F. Maffioli, "On improving relaxation methods by modified
       gradient techniques", Mathematical Programming Study 3, 1975.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from ankang_coverage.covering.problem import pose
    >>> matrix = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]))
    >>> upper_bound(pose(matrix, [4, 5, 5, 4], 2), 14, time_limit_s=1).value
    18
    """
    limit = np.inf if time_limit_s is None else check_time_limit(time_limit_s)
    if most_steps is not None and most_steps < 1:
        raise CoveringError(f"most_steps is {most_steps}: give 1 or more")
    steps = np.inf if most_steps is None else most_steps
    first = None if start is None else _checked_start(start, problem.n_demand)
    warm_bound()
    return _proven(problem, objective, limit, steps, target_gap, first, progress)


@functools.cache
def warm_bound() -> None:
    """Compile the kernels of the bound, once per process, so that no time limit pays for it."""
    _proven(tiny_problem(), 0, np.inf, np.inf, 0.0, None, None)


def _proven(
    problem: Problem,
    objective: int,
    limit: float,
    most_steps: float,
    target_gap: float,
    first: NDArray[np.float32] | None,
    progress: Progress | None,
) -> Bound:
    began = perf_counter()
    relaxation = relax(problem)
    threads = ThreadPoolExecutor(os.cpu_count() or 1)
    with threads if relaxation.indices.size > INLINE else nullcontext() as executor:
        search = _Search(relaxation, first, executor)
        way = _descend(search, objective, target_gap, began, limit, most_steps, progress)
        value = _certified(search, way.prices)
    multipliers = np.zeros(problem.n_demand, dtype=np.float32)
    multipliers[relaxation.demand] = way.prices.demand
    return Bound(
        value=value,
        dropped=relaxation.dropped,
        seconds=perf_counter() - began,
        n_steps=way.n_steps,
        multipliers=multipliers,
        is_interrupted=way.is_interrupted,
    )
