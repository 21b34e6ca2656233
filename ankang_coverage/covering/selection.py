"""What a search hands back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
