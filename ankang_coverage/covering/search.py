"""Simulated annealing by exchanges: uphill always, downhill too while the search is warm.

A random candidate takes the place of the chosen one with which the exchange is best, if that loses
no more than a random amount, on average the temperature. The temperature falls geometrically with
the time, or the rounds, that have passed. With a budget candidates are also dropped and added.
"""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.covering.exchange import (
    FIRST_OWNER,
    NO_EXCHANGE,
    NOBODY,
    Cover,
    Exchanges,
    best_exchange,
    drop,
    put_in,
    swap,
)
from ankang_coverage.covering.reserve import CHOSEN, COST_HELD, Held, Rules, hold, is_out

WARMEST, COLDEST = 0.03, 0.003
"""Temperature at the start and the end of the search, in parts of what a chosen one gains."""

ENTRIES_AT_ONCE = 2_000_000
"""Entries of the matrix between two looks at the clock, about a hundredth of a second."""


@njit
def _random(below: int, state: NDArray[np.uint64]) -> int:
    """Return the next number of a xorshift64* generator below a limit."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return int(np.int64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)) % below)


@njit
def _anneal(
    n_tries: int,
    temperature: float,
    has_budget: bool,
    cover: Cover,
    rules: Rules,
    held: Held,
    best: NDArray[np.int32],
    best_found: NDArray[np.int64],
    random: NDArray[np.uint64],
) -> None:
    """Try random candidates: take what fits, else exchange for what is better or a little worse.

    `best` keeps the slots of the best choice, `best_found` its objective and its cost.
    """
    made_up = np.empty(cover.members.size + FIRST_OWNER, dtype=np.int64)
    for _ in range(n_tries):
        candidate = _random(cover.slot_of.size, random)
        # A loss of x is accepted with probability exp(-x / temperature).
        most = np.int64(-temperature * np.log((_random(1 << 30, random) + 1) / (1 << 30)))
        if has_budget and _random(4, random) == 0:
            drop(_random(max(1, cover.n_slots[0]), random), most, cover, rules, held)
        elif not is_out(candidate, rules, held):
            if not has_budget or _adds(candidate, cover, rules):
                hold(candidate, CHOSEN, rules, held)
                put_in(candidate, cover, rules)
        else:
            slot, _ = best_exchange(candidate, -most - 1, made_up, cover, rules, held)
            if slot != NO_EXCHANGE:
                swap(cover.members[slot], candidate, cover, rules, held)
        objective, cost = cover.objective[0], held.totals[COST_HELD]
        if objective > best_found[0] or (objective == best_found[0] and cost < best_found[1]):
            best_found[0], best_found[1] = objective, cost
            best[:] = cover.members


@njit
def _adds(candidate: int, cover: Cover, rules: Rules) -> bool:
    """Whether a candidate covers weight that nobody covers."""
    for demand in rules.indices[rules.indptr[candidate] : rules.indptr[candidate + 1]]:
        if cover.owner[demand] == NOBODY and rules.weights[demand] > 0:
            return True
    return False


def search(
    exchanges: Exchanges, *, enough: int, until: float, rounds: int | None, seed: int
) -> None:
    """Search on from a choice; the best one found is kept.

    Parameters
    ----------
    exchanges : Exchanges
        The choice, which is changed.
    enough : int
        Objective at which the search ends, because no choice covers more.
    until : float
        When to end, on the clock of `time.perf_counter` [s].
    rounds : int or None
        After so many tries per candidate the search ends; None if only the clock ends it.
    seed : int
        Seed of the random numbers.
    """
    e, problem = exchanges, exchanges.problem
    random = np.random.default_rng(seed).integers(1, 2**63, size=1, dtype=np.uint64)
    n_chosen = max(1, int(np.count_nonzero(e.cover.slot_of >= 0)))
    mean_gain = float(e.cover.objective[0]) / n_chosen
    mean_length = problem.covers.indices.size / problem.n_candidates + n_chosen
    n_at_once = max(1, int(ENTRIES_AT_ONCE / mean_length))
    n_tries = None if rounds is None else rounds * problem.n_candidates
    began, n_tried = perf_counter(), 0
    while perf_counter() < until and e.objective < enough:
        passed = (perf_counter() - began) / (until - began)
        if n_tries is not None:
            n_at_once = min(n_at_once, n_tries - n_tried)
            passed = max(passed, n_tried / n_tries) if n_tries else 1.0
        if n_at_once <= 0:
            return
        temperature = mean_gain * WARMEST * (COLDEST / WARMEST) ** passed
        _anneal(
            n_at_once, temperature, problem.budget is not None, e.cover, e.rules, e.held,
            e.best, e.best_found, random,
        )  # fmt: skip
        n_tried += n_at_once
        e.report(e.objective)
