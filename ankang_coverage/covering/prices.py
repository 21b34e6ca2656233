"""Prices of demand, of what is chosen at them, and of the way to better ones.

Every demand i has a price between nothing and its weight: whoever covers it is paid λ_i for it,
and w_i - λ_i is granted in any case. No choice that keeps the constraints covers more than all
that is granted plus the most that a choice can be paid,

    Σ (w_i - λ_i)  +  max Σ Λ_j over choices,   Λ_j = Σ λ_i over the demand of candidate j,

because a demand that is covered is paid for once at least. Choosing by pay is easy, see
`relaxation`, and any prices give a valid bound. The best prices give that of linear programming:
they are found by subgradient steps, without a transposed matrix. A price rises where nobody
chosen covers the demand and falls where several do.
"""

import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.covering.relaxation import Relaxation, choose

NEW_SHARE = 0.1
"""Share of the newest subgradient in the direction of a step; the rest is the direction before."""

FIRST_PRICE = 0.3
"""First price of every demand, as a share of its weight."""

BLOCK = 1 << 16
"""Demand added up at a time: sums do not depend on the number of threads."""

SLACK = 0.02
"""Share of what it took to be chosen that a candidate may be short of and still be looked at."""

LARGEST_PAY = 1e300  # nobody is paid that much


class Prices(NamedTuple):
    """What a bound is computed from."""

    demand: NDArray[np.float32]
    side: NDArray[np.float64]  # of each group; above 0 for its maximum, below 0 for its minimum
    floors: NDArray[np.float64]  # what a floor adds to each unit of weight in it
    budget: float

    def copy(self) -> "Prices":
        """Return the same prices, to be changed by themselves."""
        return Prices(self.demand.copy(), self.side.copy(), self.floors.copy(), self.budget)


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
def charge(
    indptr: NDArray[np.int64],
    members: NDArray[np.int32],
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
    members: NDArray[np.int32],
    fraction: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> None:
    """Count the chosen members of groups."""
    for group in range(counts.size):
        counts[group] = 0.0
        for place in range(indptr[group], indptr[group + 1]):
            counts[group] += fraction[members[place]]


class PriceSearch:
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
        self.prices = Prices(
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
        self.floors = [r.floor_demand[floor] for floor in range(r.floor_minimum.size)]
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
        charge(r.side.members.indptr, r.side.members.indices, self.prices.side, charges)
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
            _count(r.side.members.indptr, r.side.members.indices, self.fraction, counts)
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
