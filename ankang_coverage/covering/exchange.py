"""Better choices by exchange of one candidate for another.

For every demand is kept how many of the chosen cover it and, where it is one, which. So one pass
over a candidate's row tells what it would add and, for each chosen one, how much of that one's loss
it would make up: the best exchange for it.
"""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.covering.gains import over_candidates
from ankang_coverage.covering.lazy_greedy import grow
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.reading import LARGEST_INT64
from ankang_coverage.covering.reserve import (
    CHOSEN,
    COST_HELD,
    Held,
    Rules,
    copy_of,
    hold,
    is_satisfied,
    may_be_dropped,
    nothing_held,
    release,
    rules_of,
)

SEVERAL, NOBODY, FIRST_OWNER = 0, 1, 2
NO_EXCHANGE = -1
ANY_GAIN = np.int64(-1)  # every candidate gains more

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


@njit
def put_in(candidate: int, cover: Cover, rules: Rules) -> None:
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
def take_out(candidate: int, cover: Cover, rules: Rules) -> None:
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
def best_exchange(
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
            slot, improvement = best_exchange(candidate, np.int64(0), made_up, cover, rules, held)
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
        slot, _ = best_exchange(candidate, np.int64(0), made_up, cover, rules, held)
        if slot != NO_EXCHANGE and swap(cover.members[slot], candidate, cover, rules, held):
            n_made += 1
    return n_made


@njit
def swap(out: int, into: int, cover: Cover, rules: Rules, held: Held) -> bool:
    """Put one candidate in the place of another, unless a floor forbids it."""
    release(out, rules, held)
    hold(into, CHOSEN, rules, held)
    if not is_satisfied(rules, held):
        release(into, rules, held)
        hold(out, CHOSEN, rules, held)
        return False
    take_out(out, cover, rules)
    put_in(into, cover, rules)
    return True


@njit
def drop(slot: int, most: np.int64, cover: Cover, rules: Rules, held: Held) -> None:
    """Give a chosen one up if its loss is no more than `most` and no constraint needs it."""
    member = cover.members[slot]
    if (
        member >= 0
        and cover.losses[slot] <= most
        and not rules.forced[member]
        and may_be_dropped(member, rules, held)
    ):
        release(member, rules, held)
        take_out(member, cover, rules)


@njit
def _drop_idle(cover: Cover, rules: Rules, held: Held) -> None:
    """Give up what covers nothing of its own and costs something."""
    for slot in range(cover.members.size):
        if cover.members[slot] >= 0 and rules.costs[cover.members[slot]] > 0:
            drop(slot, np.int64(0), cover, rules, held)


class Exchanges:
    """A choice that is changed step by step, and the best it has been.

    Every step leaves a choice that satisfies all constraints, so it can be interrupted at any time.

    Parameters
    ----------
    problem : Problem
        A problem with one objective.
    members : NDArray[np.int64]
        A choice that satisfies its constraints.
    report : callable
        Called with the objective now and then.

    Attributes
    ----------
    cover, held : Cover, Held
        What the present choice covers and uses up.
    best : NDArray[np.int32]
        Slots of the best choice so far, -1 where one is free.
    best_found : NDArray[np.int64]
        Its objective and its cost.
    """

    def __init__(self, problem: Problem, members: NDArray[np.int64], report: Report) -> None:
        self.problem, self.report = problem, report
        self.rules = rules_of(problem)
        self._begin_with(members)
        self.best = self.cover.members.copy()
        self.best_found = np.array([self.cover.objective[0], self.held.totals[COST_HELD]])

    @property
    def members(self) -> NDArray[np.int64]:
        """The best choice so far."""
        return self.best[self.best >= 0].astype(np.int64)

    @property
    def objective(self) -> int:
        """What the best choice so far covers."""
        return int(self.best_found[0])

    def _begin_with(self, members: NDArray[np.int64]) -> None:
        problem = self.problem
        n_slots = min(problem.number, problem.n_candidates)
        self.held = nothing_held(problem)
        self.cover = Cover(
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
        )
        self._add(members)

    def _add(self, candidates: NDArray[np.int64]) -> None:
        for candidate in candidates.tolist():
            hold(candidate, CHOSEN, self.rules, self.held)
            put_in(candidate, self.cover, self.rules)

    def keep_best(self) -> None:
        """Note the present choice if it is the best so far."""
        objective, cost = int(self.cover.objective[0]), int(self.held.totals[COST_HELD])
        if (objective, -cost) > (int(self.best_found[0]), -int(self.best_found[1])):
            self.best_found[:] = objective, cost
            self.best[:] = self.cover.members

    def return_to_best(self) -> None:
        """Make the best choice so far the present one."""
        self._begin_with(self.members)

    def settle(self, until: float) -> bool:
        """Exchange and add until nothing improves the choice.

        Parameters
        ----------
        until : float
            When to end, on the clock of `time.perf_counter` [s]; it is looked at after each pass
            over the matrix.

        Returns
        -------
        bool
            Whether no exchange improves the choice any more; otherwise the time was up.

        Notes
        -----
        The exchanges are made in passes: the best exchange for each candidate is found, by threads,
        then they are made one after the other, the best first, if they still improve the choice.
        Later passes look only where something has changed, and the last one everywhere. What there
        is room for is added in between.
        """
        cover, rules, held = self.cover, self.rules, self.held
        improvements = np.empty(self.problem.n_candidates, dtype=np.int64)
        least_gain = ANY_GAIN

        def evaluate(first: int, last: int) -> None:
            _evaluate(first, last, least_gain, cover, rules, held, improvements)

        while perf_counter() < until:
            over_candidates(self.problem, evaluate)
            cover.is_opened[:] = False
            cover.is_cheaper[:] = False
            order = np.argsort(-improvements, kind="stable")
            order = order[: np.count_nonzero(improvements >= 0)]
            n_made = _exchange_in_order(order, cover, rules, held)
            self.report(int(cover.objective[0]))
            if n_made:
                least_gain = _open(cover, rules)
            elif not (self._add_what_fits() or least_gain > ANY_GAIN):
                return True
            else:
                # What constraints forbade may have become possible.
                least_gain = ANY_GAIN
        return False

    def _add_what_fits(self) -> bool:
        """Use the room that exchanges made, if any; say whether something was added."""
        if self.problem.budget is not None:
            _drop_idle(self.cover, self.rules, self.held)
        chosen = np.flatnonzero(self.cover.slot_of >= 0)
        if chosen.size == self.problem.number:
            return False
        ahead = copy_of(self.held)  # complete only when all of it is counted
        added = grow(self.problem, self.rules, ahead, chosen)[chosen.size :]
        self._add(added)
        return added.size > 0
