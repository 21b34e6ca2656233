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
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.covering.certificate import certified
from ankang_coverage.covering.prices import Prices, PriceSearch
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.reading import read_time_limit
from ankang_coverage.covering.relaxation import relax
from ankang_coverage.covering.selection import Progress
from ankang_coverage.covering.warming import tiny_problem
from ankang_coverage.errors import CoveringError

PATIENCE = 20
"""Steps without a better bound after which steps become shorter."""
LEAST_IMPROVEMENT = 1e-6
SHORTER = 0.7
SHORTEST = 2e-3

INLINE = 200_000
"""Entries of the matrix up to which threads cost more than they save."""

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
        A problem that some choice satisfies.
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
    >>> from ankang_coverage.covering import Constraints
    >>> matrix = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]))
    >>> problem = Problem.from_matrix(matrix, [4, 5, 5, 4], Constraints(number=2))
    >>> upper_bound(problem, 14).value
    18
    """
    limit = read_time_limit(time_limit_s)
    if most_steps is not None and most_steps < 1:
        raise CoveringError(f"most_steps is {most_steps}: give 1 or more")
    prices = None if start is None else _checked_start(start, problem.n_demand)
    warm_bound()
    ending = _Ending(perf_counter() + limit, most_steps or np.inf, target_gap)
    return _proven(problem, objective, ending, prices, progress)


class _Ending(NamedTuple):
    """When to take no more steps."""

    until: float = np.inf  # on the clock of `perf_counter` [s]
    most_steps: float = np.inf
    target_gap: float = 0.0


@functools.cache
def warm_bound() -> None:
    """Compile the kernels of the bound, once per process, so that no time limit pays for it."""
    _proven(tiny_problem(), 0, _Ending(), None, None)


def _proven(
    problem: Problem,
    objective: int,
    ending: _Ending,
    start: NDArray[np.float32] | None,
    progress: Progress | None,
) -> Bound:
    began = perf_counter()
    relaxation = relax(problem)
    threads = ThreadPoolExecutor(os.cpu_count() or 1)
    with threads if relaxation.indices.size > INLINE else nullcontext() as executor:
        search = PriceSearch(relaxation, start, executor)
        prices, n_steps, is_interrupted = _descend(search, objective, ending, progress)
        value = certified(relaxation, prices)
    multipliers = np.zeros(problem.n_demand, dtype=np.float32)
    multipliers[relaxation.demand] = prices.demand
    return Bound(
        value=value,
        dropped=relaxation.dropped,
        seconds=perf_counter() - began,
        n_steps=n_steps,
        multipliers=multipliers,
        is_interrupted=is_interrupted,
    )


def _descend(
    search: PriceSearch, objective: int, ending: _Ending, progress: Progress | None
) -> tuple[Prices, int, bool]:
    """Take steps until they are short, the bound is good enough, or time or their number is up.

    Returns the best prices, the number of steps, and whether the user stopped them.
    """
    best, prices = np.inf, search.prices.copy()
    pace, n_stalled, n_steps = 1.0, 0, 0
    began = reported = perf_counter()
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
            is_good = best - objective <= max(ending.target_gap * best, 0.5)
            is_late = now > ending.until or n_steps >= ending.most_steps
            if is_good or pace < SHORTEST or is_late:
                return prices, n_steps, False
            search.step(pace * (bound - objective))
            n_steps += 1
    except KeyboardInterrupt:
        return prices, n_steps, True


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
