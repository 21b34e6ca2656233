"""A bound that no rounding can make untrue: computed once more in whole numbers from its prices."""

import math

import numpy as np

from ankang_coverage.covering.gains import add_up
from ankang_coverage.covering.prices import Prices, charge
from ankang_coverage.covering.relaxation import Relaxation

MOST_BITS = 20
"""Binary places of the whole prices that certify a bound."""


def certified(relaxation: Relaxation, prices: Prices) -> int:
    """Return the bound that prices give, in whole numbers from first to last.

    Prices are rounded to a fraction of a unit that leaves every sum within 63 bits. That may
    loosen the bound by a hair, but no rounding is left that could make it untrue.

    Parameters
    ----------
    relaxation : Relaxation
        The problem without the constraints that have prices.
    prices : Prices
        Any prices.

    Returns
    -------
    int
        No choice covers more.
    """
    r = relaxation
    total = int(r.weights.sum())
    charges = np.zeros(r.candidates.size)
    charge(r.side.members.indptr, r.side.members.indices, np.abs(prices.side), charges)
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
    for floor, price in enumerate(floors.tolist()):
        demand = r.floor_demand[floor]
        worth[demand] += r.weights[demand] * price
    demand_prices = np.rint(prices.demand.astype(np.float64) * unit)
    whole = np.minimum(np.minimum(demand_prices, 2.0**62).astype(np.int64), worth)
    pay = np.zeros(r.candidates.size, dtype=np.int64)
    add_up(r.first, r.last, r.indices, whole, pay)
    whole_charges = np.zeros_like(pay)
    charge(r.side.members.indptr, r.side.members.indices, side, whole_charges)
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
