"""What a search hands back."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

StoppedBy = Literal["number", "candidates"]


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
    stopped_by : {"number", "candidates"}
        What ended the choice: the number asked for was reached, or no candidate was left that is
        neither forbidden nor in conflict with a chosen one.
    n_forced : int
        How many at the head of `chosen` were forced.
    """

    chosen: NDArray[np.int64]
    gains: NDArray[np.int64]
    objective: int
    covered: NDArray[np.bool_]
    stopped_by: StoppedBy
    n_forced: int

    @property
    def n_without_gain(self) -> int:
        """How many of the chosen candidates, forced ones included, cover nothing of weight anew."""
        return int(np.count_nonzero(self.gains == 0))
