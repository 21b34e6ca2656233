"""Better choices by exchange of one candidate for another, downhill too while the search is warm.

For every demand the search keeps how many of the chosen cover it and, where it is one, which. So
one pass over a candidate's row tells what it would add and, for each chosen one, how much of that
one's loss it would make up: the best exchange for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.covering.constraints import (
    CHOSEN,
    COST_HELD,
    Held,
    Rules,
    copy_of,
    hold,
    is_out,
    is_satisfied,
    may_be_dropped,
    nothing_held,
    release,
    rules_of,
)
from ankang_coverage.covering.greedy import grow, over_candidates
from ankang_coverage.covering.problem import LARGEST_INT64, Problem
from ankang_coverage.covering.selection import Status

SEVERAL, NOBODY, FIRST_OWNER = 0, 1, 2
NO_EXCHANGE = -1
EVERYONE = np.int64(-1)  # a gain that every candidate has

WARMEST, COLDEST = 0.03, 0.003
"""Temperature at the start and the end of the search, in parts of what a chosen one gains."""

ENTRIES_AT_ONCE = 2_000_000
"""Entries of the matrix between two looks at the clock, about a hundredth of a second."""

Report = Callable[[int], None]
"""Called with the objective now and then."""


class Cover(NamedTuple):
    """Who covers what; kernels change it in place. Each chosen candidate has a slot."""

    n_covering: NDArray[np.int32]  # by demand
    mixed_slots: NDArray[np.int32]  # by demand: exclusive or of the slots of all that cover it
    owner: NDArray[np.uint32]  # by demand: SEVERAL, NOBODY, or FIRST_OWNER + the only slot
    members: NDArray[np.int32]  # by slot: candidate, -1 if free
    slot_of: NDArray[np.int32]  # by candidate, -1 if not chosen
    losses: NDArray[np.int64]  # by slot: weight that only this one covers
    n_slots: NDArray[np.int64]  # one number: slots after these are free
    objective: NDArray[np.int64]  # one number
    gains: NDArray[np.int64]  # by candidate: no less than it would add now
    is_opened: NDArray[np.bool_]  # by demand: lost its cover, or is only covered by a cheaper slot
    is_cheaper: NDArray[np.bool_]  # by slot: is new, or its loss has shrunk
    random: NDArray[np.uint64]  # state of the generator


@njit
def _random(below: int, cover: Cover) -> int:
    """Return the next number of a xorshift64* generator below a limit."""
    x = cover.random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    cover.random[0] = x
    return int(np.int64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)) % below)


@njit
def _put_in(candidate: int, cover: Cover, rules: Rules) -> None:
    """Give a candidate a slot and count it."""
    slot = 0
    while cover.members[slot] >= 0:
        slot += 1
    cover.members[slot] = candidate
    cover.slot_of[candidate] = slot
    cover.n_slots[0] = max(cover.n_slots[0], slot + 1)
    cover.losses[slot] = 0
    cover.is_cheaper[slot] = True
    for demand in rules.indices[rules.indptr[candidate] : rules.indptr[candidate + 1]]:
        if cover.n_covering[demand] == 0:
            cover.owner[demand] = FIRST_OWNER + slot
            cover.losses[slot] += rules.weights[demand]
        elif cover.n_covering[demand] == 1:
            other = cover.mixed_slots[demand]
            cover.losses[other] -= rules.weights[demand]
            cover.is_cheaper[other] = True
            cover.owner[demand] = SEVERAL
        cover.n_covering[demand] += 1
        cover.mixed_slots[demand] ^= slot
    cover.objective[0] += cover.losses[slot]


@njit
def _take_out(candidate: int, cover: Cover, rules: Rules) -> None:
    """Free a candidate's slot and discount it."""
    slot = cover.slot_of[candidate]
    cover.objective[0] -= cover.losses[slot]
    for demand in rules.indices[rules.indptr[candidate] : rules.indptr[candidate + 1]]:
        cover.n_covering[demand] -= 1
        cover.mixed_slots[demand] ^= slot
        if cover.n_covering[demand] == 0:
            cover.owner[demand] = NOBODY
            cover.is_opened[demand] = True
        elif cover.n_covering[demand] == 1:
            left = cover.mixed_slots[demand]
            cover.owner[demand] = FIRST_OWNER + left
            cover.losses[left] += rules.weights[demand]
    cover.losses[slot] = 0
    cover.gains[candidate] = LARGEST_INT64
    cover.members[slot] = -1
    cover.slot_of[candidate] = -1
    while cover.n_slots[0] > 0 and cover.members[cover.n_slots[0] - 1] < 0:
        cover.n_slots[0] -= 1


@njit
def _best_exchange(
    candidate: int,
    least: np.int64,
    made_up: NDArray[np.int64],
    cover: Cover,
    rules: Rules,
    held: Held,
) -> tuple[int, np.int64]:
    """Return the slot whose exchange for a candidate is best, and what it improves.

    It improves by more than `least`, or by just that at lower cost. `made_up` is working space of
    one number per slot and two more.
    """
    n_rivals, only = 0, NO_EXCHANGE
    for place in range(rules.conflict_indptr[candidate], rules.conflict_indptr[candidate + 1]):
        rival = rules.conflict_indices[place]
        if held.role[rival] == CHOSEN:
            n_rivals += 1
            only = cover.slot_of[rival]
    if n_rivals > 1 or held.role[candidate] == CHOSEN or rules.forbidden[candidate]:
        return NO_EXCHANGE, least

    made_up[: FIRST_OWNER + cover.n_slots[0]] = 0
    row = rules.indices[rules.indptr[candidate] : rules.indptr[candidate + 1]].view(np.uint32)
    for place in range(row.size):  # without signs no index is tested for one: three times faster
        made_up[cover.owner[row[place]]] += rules.weights[row[place]]
    gain = made_up[NOBODY]
    cover.gains[candidate] = gain
    best, improvement, saving = NO_EXCHANGE, least, np.int64(0)
    for slot in range(cover.n_slots[0]):
        change = gain + made_up[FIRST_OWNER + slot] - cover.losses[slot]
        if change < improvement or (n_rivals and slot != only) or cover.members[slot] < 0:
            continue
        saved = rules.costs[cover.members[slot]] - rules.costs[candidate]
        if (change > improvement or saved > saving) and _may_exchange(
            cover.members[slot], candidate, rules, held
        ):
            best, improvement, saving = slot, change, saved
    return best, improvement


@njit
def _may_exchange(out: int, into: int, rules: Rules, held: Held) -> bool:
    """Whether budget and quotas are kept when one candidate gives way to another."""
    if rules.forced[out]:
        return False
    if held.totals[COST_HELD] - rules.costs[out] + rules.costs[into] > rules.budget:
        return False
    for place in range(rules.quota_indptr[into], rules.quota_indptr[into + 1]):
        quota = rules.quota_indices[place]
        if held.counts[quota] == rules.quota_maximum[quota] and not _is_in(out, quota, rules):
            return False
    for place in range(rules.quota_indptr[out], rules.quota_indptr[out + 1]):
        quota = rules.quota_indices[place]
        if held.counts[quota] == rules.quota_minimum[quota] and not _is_in(into, quota, rules):
            return False
    return True


@njit
def _is_in(candidate: int, quota: int, rules: Rules) -> bool:
    for place in range(rules.quota_indptr[candidate], rules.quota_indptr[candidate + 1]):
        if rules.quota_indices[place] == quota:
            return True
    return False


@njit
def _evaluate(
    first: int,
    last: int,
    least_gain: np.int64,
    cover: Cover,
    rules: Rules,
    held: Held,
    improvements: NDArray[np.int64],
) -> None:
    """Store what the best exchange for each candidate improves; -1 if there is none.

    Candidates below a gain are passed over if what they cover has not been opened since.
    """
    made_up = np.empty(cover.members.size + FIRST_OWNER, dtype=np.int64)
    for candidate in range(first, last):
        improvements[candidate] = -1
        if cover.gains[candidate] >= least_gain or _is_opened(candidate, cover, rules):
            slot, improvement = _best_exchange(candidate, np.int64(0), made_up, cover, rules, held)
            if slot != NO_EXCHANGE:
                improvements[candidate] = improvement


@njit
def _is_opened(candidate: int, cover: Cover, rules: Rules) -> bool:
    row = rules.indices[rules.indptr[candidate] : rules.indptr[candidate + 1]].view(np.uint32)
    place = 0
    while place < row.size and not cover.is_opened[row[place]]:
        place += 1
    return place < row.size


@njit
def _open(cover: Cover, rules: Rules) -> np.int64:
    """Mark where exchanges may have become better; return the lowest loss of a cheaper slot.

    For a candidate none of whose demand is marked, only an exchange for a cheaper slot with which
    it shares nothing can have become better: that improves by its gain less the loss.
    """
    lowest = np.int64(LARGEST_INT64)
    for slot in range(cover.n_slots[0]):
        member = cover.members[slot]
        if member >= 0 and cover.is_cheaper[slot]:
            lowest = min(lowest, cover.losses[slot])
            for demand in rules.indices[rules.indptr[member] : rules.indptr[member + 1]]:
                if cover.owner[demand] == FIRST_OWNER + slot:
                    cover.is_opened[demand] = True
    return lowest


@njit
def _exchange_in_order(order: NDArray[np.int64], cover: Cover, rules: Rules, held: Held) -> int:
    """Make the best exchange for each candidate in turn, if it still is one; return how many."""
    made_up = np.empty(cover.members.size + FIRST_OWNER, dtype=np.int64)
    n_made = 0
    for candidate in order:
        slot, _ = _best_exchange(candidate, np.int64(0), made_up, cover, rules, held)
        if slot != NO_EXCHANGE and _exchange(cover.members[slot], candidate, cover, rules, held):
            n_made += 1
    return n_made


@njit
def _exchange(out: int, into: int, cover: Cover, rules: Rules, held: Held) -> bool:
    """Put one candidate in the place of another, unless a floor forbids it."""
    release(out, rules, held)
    hold(into, CHOSEN, rules, held)
    if not is_satisfied(rules, held):
        release(into, rules, held)
        hold(out, CHOSEN, rules, held)
        return False
    _take_out(out, cover, rules)
    _put_in(into, cover, rules)
    return True


@njit
def _drop(slot: int, most: np.int64, cover: Cover, rules: Rules, held: Held) -> None:
    """Give a chosen one up if its loss is no more than `most` and no constraint needs it."""
    member = cover.members[slot]
    if (
        member >= 0
        and cover.losses[slot] <= most
        and not rules.forced[member]
        and may_be_dropped(member, rules, held)
    ):
        release(member, rules, held)
        _take_out(member, cover, rules)


@njit
def _drop_idle(cover: Cover, rules: Rules, held: Held) -> None:
    """Give up what covers nothing of its own and costs something."""
    for slot in range(cover.members.size):
        if cover.members[slot] >= 0 and rules.costs[cover.members[slot]] > 0:
            _drop(slot, np.int64(0), cover, rules, held)


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
) -> None:
    """Try random candidates: take what fits, else exchange for what is better or a little worse.

    `best` keeps the slots of the best choice, `best_found` its objective and its cost.
    """
    made_up = np.empty(cover.members.size + FIRST_OWNER, dtype=np.int64)
    for _ in range(n_tries):
        candidate = _random(cover.slot_of.size, cover)
        # A loss of x is accepted with probability exp(-x / temperature).
        most = np.int64(-temperature * np.log((_random(1 << 30, cover) + 1) / (1 << 30)))
        if has_budget and _random(4, cover) == 0:
            _drop(_random(max(1, cover.n_slots[0]), cover), most, cover, rules, held)
        elif not is_out(candidate, rules, held):
            if not has_budget or _adds(candidate, cover, rules):
                hold(candidate, CHOSEN, rules, held)
                _put_in(candidate, cover, rules)
        else:
            slot, _ = _best_exchange(candidate, -most - 1, made_up, cover, rules, held)
            if slot != NO_EXCHANGE:
                _exchange(cover.members[slot], candidate, cover, rules, held)
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


@dataclass(frozen=True, eq=False)
class Improved:
    """A choice after the search, and how it ended."""

    members: NDArray[np.int64]
    status: Status


def improve(
    problem: Problem,
    members: NDArray[np.int64],
    *,
    search: bool,
    until: float,
    rounds: int | None,
    seed: int,
    report: Report,
) -> Improved:
    """Exchange until no exchange helps, and if asked search on from there.

    Parameters
    ----------
    problem : Problem
        A problem with one objective.
    members : NDArray[np.int64]
        A choice that satisfies its constraints.
    search : bool
        Whether to go on when no single exchange helps.
    until : float
        When to end, on the clock of `time.perf_counter` [s]; the objective is looked at again
        after a pass over the matrix at the latest.
    rounds : int or None
        After so many tries per candidate the search ends; None if only the clock ends it.
    seed : int
        Seed of the search.
    report : callable
        Called with the objective now and then.

    Returns
    -------
    Improved
        The best choice found, never worse than `members`.

    Notes
    -----
    The exchanges are made in passes: the best exchange for each candidate is found, by threads,
    then they are made one after the other, the best first, if they still improve the choice. Later
    passes look only where something has changed, and the last one everywhere. What there is room
    for is added in between.

    The search is simulated annealing: a random candidate takes the place of the chosen one with
    which the exchange is best, if that loses no more than a random amount, on average the
    temperature. The temperature falls geometrically with the time, or the rounds, that have
    passed. With a budget candidates are also dropped and added.
    """
    rules = rules_of(problem)
    cover, held = _state_of(problem, rules, members, seed)
    best = cover.members.copy()
    best_found = np.array([cover.objective[0], held.totals[COST_HELD]])

    def keep() -> None:
        found = (int(cover.objective[0]), -int(held.totals[COST_HELD]))
        if found > (int(best_found[0]), -int(best_found[1])):
            best_found[:] = found[0], -found[1]
            best[:] = cover.members

    try:
        is_settled = _settle(problem, rules, held, cover, until, report)
        keep()
        if search:
            _search(problem, rules, held, cover, best, best_found, until, rounds, report)
            cover, held = _state_of(problem, rules, best[best >= 0].astype(np.int64), seed)
            _settle(problem, rules, held, cover, until, report)
            keep()
        status: Status = "local optimum" if is_settled and not search else "time limit"
    except KeyboardInterrupt:
        # Every kernel leaves a choice that satisfies the constraints.
        keep()
        status = "interrupted"
    return Improved(best[best >= 0].astype(np.int64), status)


def _state_of(
    problem: Problem, rules: Rules, members: NDArray[np.int64], seed: int
) -> tuple[Cover, Held]:
    """Count what a choice covers and uses up."""
    n_slots = min(problem.number, problem.n_candidates)
    held = nothing_held(problem)
    cover = Cover(
        n_covering=np.zeros(problem.n_demand, dtype=np.int32),
        mixed_slots=np.zeros(problem.n_demand, dtype=np.int32),
        owner=np.full(problem.n_demand, NOBODY, dtype=np.uint32),
        members=np.full(n_slots, -1, dtype=np.int32),
        slot_of=np.full(problem.n_candidates, -1, dtype=np.int32),
        losses=np.zeros(n_slots, dtype=np.int64),
        n_slots=np.zeros(1, dtype=np.int64),
        objective=np.zeros(1, dtype=np.int64),
        gains=np.full(problem.n_candidates, LARGEST_INT64),
        is_opened=np.zeros(problem.n_demand, dtype=np.bool_),
        is_cheaper=np.zeros(n_slots, dtype=np.bool_),
        random=np.random.default_rng(seed).integers(1, 2**63, size=1, dtype=np.uint64),
    )
    for candidate in members.tolist():
        hold(candidate, CHOSEN, rules, held)
        _put_in(candidate, cover, rules)
    return cover, held


def _settle(
    problem: Problem, rules: Rules, held: Held, cover: Cover, until: float, report: Report
) -> bool:
    """Exchange and add until nothing improves the choice; say whether that was reached in time."""
    improvements = np.empty(problem.n_candidates, dtype=np.int64)

    least_gain = EVERYONE

    def evaluate(first: int, last: int) -> None:
        _evaluate(first, last, least_gain, cover, rules, held, improvements)

    while perf_counter() < until:
        over_candidates(problem, evaluate)
        cover.is_opened[:] = False
        cover.is_cheaper[:] = False
        order = np.argsort(-improvements, kind="stable")
        order = order[: np.count_nonzero(improvements >= 0)]
        n_made = _exchange_in_order(order, cover, rules, held)
        report(int(cover.objective[0]))
        if n_made:
            least_gain = _open(cover, rules)
        elif not (_add_what_fits(problem, rules, held, cover) or least_gain > EVERYONE):
            return True
        else:
            # What constraints forbade may have become possible.
            least_gain = EVERYONE
    return False


def _add_what_fits(problem: Problem, rules: Rules, held: Held, cover: Cover) -> bool:
    """Use the room that exchanges made, if any; say whether something was added."""
    if problem.budget is not None:
        _drop_idle(cover, rules, held)
    chosen = np.flatnonzero(cover.slot_of >= 0)
    if chosen.size == problem.number:
        return False
    ahead = copy_of(held)  # complete only when all of it is counted
    added = grow(problem, rules, ahead, chosen)[chosen.size :]
    for candidate in added.tolist():
        hold(candidate, CHOSEN, rules, held)
        _put_in(candidate, cover, rules)
    return added.size > 0


def _search(
    problem: Problem,
    rules: Rules,
    held: Held,
    cover: Cover,
    best: NDArray[np.int32],
    best_found: NDArray[np.int64],
    until: float,
    rounds: int | None,
    report: Report,
) -> None:
    """Anneal from what is chosen until the time or the rounds are up."""
    n_chosen = max(1, int(np.count_nonzero(cover.slot_of >= 0)))
    mean_gain = float(cover.objective[0]) / n_chosen
    mean_length = problem.indices.size / problem.n_candidates + n_chosen
    n_at_once = max(1, int(ENTRIES_AT_ONCE / mean_length))
    n_tries = None if rounds is None else rounds * problem.n_candidates
    total = int(problem.weights.sum())
    began, n_tried = perf_counter(), 0
    while perf_counter() < until and int(best_found[0]) < total:
        passed = (perf_counter() - began) / (until - began)
        if n_tries is not None:
            n_at_once = min(n_at_once, n_tries - n_tried)
            passed = max(passed, n_tried / n_tries) if n_tries else 1.0
        if n_at_once <= 0:
            return
        temperature = mean_gain * WARMEST * (COLDEST / WARMEST) ** passed
        _anneal(
            n_at_once, temperature, problem.budget is not None, cover, rules, held,
            best, best_found,
        )  # fmt: skip
        n_tried += n_at_once
        report(int(best_found[0]))
