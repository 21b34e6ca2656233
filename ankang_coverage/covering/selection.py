"""The answer: which candidates, what each adds, and how good that is proven to be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.covering.gains import all_gains, covered_by
from ankang_coverage.covering.merging import merge_objectives
from ankang_coverage.covering.problem import Problem

StoppedBy = Literal["number", "budget", "quotas", "candidates", "gain"]
Status = Literal["greedy", "local optimum", "time limit", "interrupted", "optimal"]

Progress = Callable[[float, int, int | None], None]
"""Called now and then with seconds, objective and upper bound, None while there is none."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Selection:
    """Candidates chosen to cover demand, in the order of choosing.

    Attributes
    ----------
    chosen : NDArray[np.int64]
        Candidates in the order they were chosen, the forced ones first.
    gains : NDArray[np.int64]
        Marginal gain of each chosen candidate: the weight of the demand that it covers and no
        candidate before it does [unit of the weights].
    objective : int
        Weight of all covered demand; the sum of `gains` [unit of the weights].
    covered : numpy.ndarray
        Whether each demand is covered, shape (n_demand,), boolean.
    stopped_by : {"number", "budget", "quotas", "candidates", "gain"}
        What ended the choice: the number is reached; every candidate that would add something
        costs more than is left; quotas, or the budget, stand in the way of each; no candidate is
        left that is neither forbidden nor in conflict with a chosen one; or there are candidates,
        but none adds anything (with a budget; without one the number is filled).
    n_forced : int
        How many at the head of `chosen` were forced.
    upper_bound : int or None
        No choice that keeps the constraints covers more; None if it was not computed.
    dropped : tuple of str
        Constraints that the bound leaves out: without them it would at most be lower.
    status : {"greedy", "local optimum", "time limit", "interrupted", "optimal"}
        What is known of the choice: made by greedy alone; no exchange of one candidate improves
        it; the best found when the time or the number of rounds was up, or when the user stopped
        the search; or proven to be the best.
    seconds : mapping of str to float
        Wall time of each step [s].
    """

    chosen: NDArray[np.int64]
    gains: NDArray[np.int64]
    objective: int
    covered: NDArray[np.bool_]
    stopped_by: StoppedBy
    n_forced: int
    upper_bound: int | None = None
    dropped: tuple[str, ...] = ()
    status: Status = "greedy"
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def n_without_gain(self) -> int:
        """How many of the chosen candidates, forced ones included, cover nothing of weight anew."""
        return int(np.count_nonzero(self.gains == 0))

    @property
    def gap(self) -> float | None:
        """By what fraction of the bound the objective may fall short of the best; None unproven."""
        if self.upper_bound is None:
            return None
        return (self.upper_bound - self.objective) / self.upper_bound if self.upper_bound else 0.0


def describe(
    problem: Problem,
    order: NDArray[np.int64],
    *,
    status: Status = "greedy",
    seconds: Mapping[str, float] | None = None,
) -> Selection:
    """Describe a choice, given in order with the forced candidates first."""
    open_weights = problem.weights.copy()
    covered = np.zeros(problem.n_demand, dtype=np.bool_)
    gains = np.zeros(order.size, dtype=np.int64)
    for n, candidate in enumerate(order.tolist()):
        demand = problem.covers[candidate]
        gains[n] = open_weights[demand].sum()
        open_weights[demand] = 0
        covered[demand] = True
    return Selection(
        chosen=order,
        gains=gains,
        objective=int(gains.sum()),
        covered=covered,
        stopped_by=_stopped_by(problem, order),
        n_forced=problem.forced.size,
        status=status,
        seconds=dict(seconds or {}),
    )


def _stopped_by(problem: Problem, order: NDArray[np.int64]) -> StoppedBy:
    """What kept the choice from going on."""
    if order.size == problem.number:
        return "number"
    left = ~problem.forbidden
    left[order] = False
    for candidate in order.tolist():
        left[problem.conflicts[candidate]] = False
    if not left.any():
        return "candidates"
    if not problem.fills_number:
        merged = merge_objectives(problem)
        open_weights = np.where(covered_by(merged, order), 0, merged.weights)
        left &= all_gains(merged, open_weights) > 0
        if not left.any():
            return "gain"
    for quota in range(problem.n_quotas):
        members = problem.quota_members[quota]
        if np.isin(order, members).sum() >= problem.quota_maximum[quota]:
            left[members] = False
    rest = None if problem.budget is None else problem.budget - int(problem.costs[order].sum())
    if rest is not None and left.any() and (problem.costs[left] > rest).all():
        return "budget"
    return "quotas"
