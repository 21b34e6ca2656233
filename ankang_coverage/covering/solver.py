"""Maximal covering: choose, improve, prove."""

import dataclasses
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Literal, get_args

import numpy as np

from ankang_coverage.covering.bound import Bound, upper_bound, warm_bound
from ankang_coverage.covering.exchange import Exchanges
from ankang_coverage.covering.gains import covered_weight
from ankang_coverage.covering.lazy_greedy import choose_greedily, in_order
from ankang_coverage.covering.merging import merge_objectives
from ankang_coverage.covering.optimum import find_optimum
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.reading import read_time_limit
from ankang_coverage.covering.search import search
from ankang_coverage.covering.selection import Progress, Selection, Status, describe
from ankang_coverage.covering.warming import tiny_problem
from ankang_coverage.errors import CoveringError

Method = Literal["greedy", "swap", "search", "exact"]

BOUND_SHARE = 0.4
"""Part of the time that is kept for the bound; what it does not need goes to the search."""

DEFAULT_ROUNDS = 200
"""Tries per candidate when a search has neither a time limit nor a number of rounds."""

SHORTEST_S = 1e-3
"""Time that the bound gets when none is left [s]."""

DEFAULT_BOUND_ENTRIES, FEWEST_BOUND_STEPS = 3 * 10**9, 50
"""Without a time limit the bound takes as many steps as pass over so many entries of the matrix,
but no fewer than these: some seconds, and the same bound on every machine."""

DEFAULT_EXACT_S = 60.0
"""Time for integer programming when there is no time limit [s]."""


def solve(
    problem: Problem,
    method: Method | None = None,
    *,
    bound: bool = True,
    time_limit_s: float | None = None,
    rounds: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Selection:
    """Choose the candidates that together cover the most weight, and prove how good that is.

    Parameters
    ----------
    problem : Problem
        What to cover, by whom, under which constraints.
    method : {"greedy", "swap", "search", "exact"}, optional
        Leave the choice as greedy makes it; exchange one candidate for another until no exchange
        improves it; search on from there; or settle it by integer programming, for hundreds of
        candidates and thousands of demands. When left out: exchanges, and with a time limit a
        search as well.
    bound : bool, optional
        Whether to compute an upper bound; integer programming always has one. A search ends as
        soon as it reaches the bound.
    time_limit_s : float, optional
        When to end [s]; kernels are compiled before the clock starts. Greedy is always completed.
        The bound comes between exchanges and search: 40 % of the time is kept for it, and what it
        does not need goes to the search. None means: exchanges to the end, 200 rounds of
        search unless `rounds` says otherwise, for the bound a number of steps that goes by the size
        of the matrix, all the same on every machine; and 60 s of integer programming.
    rounds : int, optional
        Tries per candidate after which the search ends.
    seed : int, optional
        Seed of the search.
    progress : callable, optional
        Called now and then with seconds since the start, objective, and upper bound or None.

    Returns
    -------
    Selection
        What was chosen, in order of marginal gain after the forced ones, with its upper bound.

    Raises
    ------
    CoveringError
        If no choice satisfies all constraints, with those that clash; or if an argument is wrong.

    Notes
    -----
    Ties are decided by the secondary objectives, then lower cost, then lower index. The bound is
    that of the first objective, so a search with secondary objectives goes on when it is reached.
    Every choice on the way satisfies all constraints: an interrupt (Ctrl-C) after greedy returns
    the best so far, with ``status="interrupted"``. Threads do not change the answer.

    Examples
    --------
    Greedy takes the candidate in the middle; the best pair leaves it out:

    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from ankang_coverage.covering import Constraints
    >>> matrix = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]))
    >>> problem = Problem.from_matrix(matrix, [4, 5, 5, 4], Constraints(number=2))
    >>> best = solve(problem)
    >>> best.chosen.tolist(), best.objective, best.upper_bound, best.status
    ([1, 2], 18, 18, 'optimal')
    """
    if method is None:
        method = "swap" if time_limit_s is None else "search"
    if method not in get_args(Method):
        raise CoveringError(f'method is {method!r}: give "greedy", "swap", "search" or "exact"')
    if rounds is not None and rounds < 0:
        raise CoveringError(f"rounds is {rounds}: give 0 or more")
    limit = read_time_limit(time_limit_s)
    if method == "exact":
        return find_optimum(problem, DEFAULT_EXACT_S if time_limit_s is None else limit)
    if bound or time_limit_s is not None:
        warm_up(method, bound=bound)
    if method == "search" and rounds is None and time_limit_s is None:
        rounds = DEFAULT_ROUNDS
    return _Steps(problem, limit, progress).take(method, bound, rounds, seed)


@functools.cache
def warm_up(method: Method, *, bound: bool) -> None:
    """Compile the kernels of these steps, once per process, so that no time limit pays for it."""
    _Steps(tiny_problem(), np.inf, None).take(method, False, 1, 0)
    if bound:
        warm_bound()


class _Steps:
    """The steps of one solution, and the clock they keep to."""

    def __init__(self, problem: Problem, limit: float, progress: Progress | None) -> None:
        self.problem, self.limit, self.progress = problem, limit, progress
        self.began = perf_counter()
        self.seconds: dict[str, float] = {}
        self.proof: Bound | None = None
        self.merged = merge_objectives(problem)
        heaviest = int(np.argmax(problem.weights))
        # Merged weight of one unit of the first objective.
        self.unit = int(self.merged.weights[heaviest]) // int(problem.weights[heaviest])

    def take(self, method: Method, bound: bool, rounds: int | None, seed: int) -> Selection:
        """Choose greedily, then exchange, prove and search as the method says."""
        with self._timed("greedy"):
            order = choose_greedily(self.merged)
        status: Status = "greedy"
        if method != "greedy":
            exchanges = Exchanges(self.merged, order, self._report)
            try:
                status = self._improve(exchanges, method, bound, rounds, seed)
            except KeyboardInterrupt:
                exchanges.keep_best()
                status = "interrupted"
            order = in_order(self.problem, exchanges.members)
        elif bound:
            objective = covered_weight(self.problem, order)
            if self._prove(objective, self.limit).is_interrupted:
                status = "interrupted"
        best = describe(self.problem, order, status=status, seconds=self.seconds)
        if self.proof is None:
            return best
        return dataclasses.replace(
            best,
            upper_bound=self.proof.value,
            dropped=self.proof.dropped,
            status="optimal" if self.proof.value == best.objective else status,
        )

    def _improve(
        self, exchanges: Exchanges, method: Method, bound: bool, rounds: int | None, seed: int
    ) -> Status:
        """Improve a choice, and prove how good it can be before time is spent on a search."""
        until = self.began + self.limit
        share = 1.0 - BOUND_SHARE if bound else 1.0
        with self._timed("swap"):
            is_settled = exchanges.settle(self.began + share * self.limit)
            exchanges.keep_best()
        enough = int(self.merged.weights.sum())
        if bound:
            most_s = BOUND_SHARE * self.limit if method == "search" else self.limit
            proof = self._prove(exchanges.objective // self.unit, most_s)
            if proof.is_interrupted:
                return "interrupted"
            if not self.problem.secondary:
                enough = proof.value
        if not is_settled and exchanges.objective < enough:
            with self._timed("swap"):
                is_settled = exchanges.settle(until)
                exchanges.keep_best()
        if method != "search" or exchanges.objective >= enough:
            return "local optimum" if is_settled else "time limit"
        with self._timed("search"):
            search(exchanges, enough=enough, until=until, rounds=rounds, seed=seed)
            exchanges.return_to_best()
            exchanges.settle(until)
            exchanges.keep_best()
        return "time limit"

    def _prove(self, objective: int, most_s: float) -> Bound:
        """Find an upper bound for a choice with this objective, in so much time at most."""
        start = perf_counter()
        time_s, most_steps = None, None
        if np.isinf(self.limit):
            n_entries = max(self.problem.covers.indices.size, 1)
            most_steps = max(DEFAULT_BOUND_ENTRIES // n_entries, FEWEST_BOUND_STEPS)
        else:
            time_s = max(SHORTEST_S, min(self.began + self.limit - start, most_s))

        def report(seconds: float, objective: int, proven: int | None) -> None:
            if self.progress is not None:
                self.progress(start - self.began + seconds, objective, proven)

        with self._timed("bound"):
            self.proof = upper_bound(
                self.problem,
                objective,
                time_limit_s=time_s,
                most_steps=most_steps,
                progress=report,
            )
        return self.proof

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        """Add to the seconds that a step has taken, even if it is interrupted."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + perf_counter() - start

    def _report(self, objective: int) -> None:
        """Say how far the choice has come, its objectives merged."""
        if self.progress is not None:
            proven = None if self.proof is None else self.proof.value
            self.progress(perf_counter() - self.began, objective // self.unit, proven)
