"""Maximal covering in one call: choose, improve, prove."""

import dataclasses
import functools
from collections.abc import Sequence
from time import perf_counter
from typing import Literal, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ankang_coverage.covering.bound import upper_bound, warm_bound
from ankang_coverage.covering.exact import solve_exactly
from ankang_coverage.covering.greedy import greedy_order, in_order, selection_of
from ankang_coverage.covering.improve import improve as improve_choice
from ankang_coverage.covering.merging import merge_objectives
from ankang_coverage.covering.problem import Floor, Problem, Quota, check_time_limit, pose
from ankang_coverage.covering.selection import Progress, Selection, Status
from ankang_coverage.covering.warming import tiny_problem
from ankang_coverage.errors import CoveringError

Improve = Literal["greedy", "swap", "search"]

SEARCH_SHARE = 0.6
"""Part of the time that the search may take when a bound is to follow."""

DEFAULT_ROUNDS = 200
"""Tries per candidate when a search has neither a time limit nor a number of rounds."""

SHORTEST_S = 1e-3
"""Time that the bound gets when none is left [s]."""

DEFAULT_BOUND_ENTRIES, FEWEST_BOUND_STEPS = 3 * 10**9, 50
"""Without a time limit the bound takes as many steps as pass over so many entries of the matrix,
but no fewer than these: some seconds, and the same bound on every machine."""

DEFAULT_EXACT_S = 60.0
"""Time for integer programming when there is no time limit [s]."""


def maximal_covering(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    *,
    number: SupportsIndex | None = None,
    costs: ArrayLike | None = None,
    budget: SupportsIndex | None = None,
    quotas: Sequence[Quota] = (),
    conflicts: sparse.csr_array | None = None,
    forced: ArrayLike = (),
    forbidden: ArrayLike = (),
    floors: Sequence[Floor] = (),
    secondary: Sequence[tuple[sparse.csr_array, ArrayLike]] = (),
    improve: Improve = "swap",
    time_limit_s: float | None = None,
    rounds: int | None = None,
    bound: bool = True,
    exact: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Selection:
    """Choose the candidates that together cover the most weight, and prove how good that is.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array
        Shape (n_candidates, n_demand); a non-zero entry says that the candidate covers the demand.
        With int32 indices, ascending in each row, nothing of it is copied.
    weights : array_like of int
        Weight of each demand, shape (n_demand,), 0 or more, exact in int64.
    number : int, optional
        How many candidates to choose, the forced ones included; needed without a budget.
    costs : array_like of int, optional
        Cost of each candidate, shape (n_candidates,), whole numbers of 0 or more.
    budget : int, optional
        What the chosen candidates may cost together; needs `costs`. With a budget, candidates that
        add nothing are not chosen, and `number` is a maximum.
    quotas : sequence of Quota, optional
        At least and at most so many of these candidates; groups may overlap.
    conflicts : scipy.sparse.csr_array, optional
        Shape (n_candidates, n_candidates), symmetric; a non-zero entry marks a pair that may not
        both be chosen, such as sites closer than the minimum spacing. A distance of zero is a zero
        entry and no conflict: pass marks, not distances.
    forced : array_like of int, optional
        Candidates to choose first, in this order, whatever they gain.
    forbidden : array_like of int, optional
        Candidates never to choose.
    floors : sequence of Floor, optional
        At least so much covered weight of these demands.
    secondary : sequence of (csr_array, array_like of int), optional
        Further objectives in order of rank: a matrix with a row per candidate, and the weights of
        its columns. Each decides only among choices that are equal in all before it. Their entries
        are copied beside those of `matrix`.
    improve : {"greedy", "swap", "search"}, optional
        Leave the choice as greedy makes it; exchange one candidate for another until no exchange
        improves it; or search on from there.
    time_limit_s : float, optional
        When to end [s]; kernels are compiled before the clock starts. Greedy is always completed;
        a search before a bound takes 60 % at most, the bound what is left. None means: exchanges
        to the end, 200 rounds of search unless `rounds` says otherwise, and for the bound a number
        of steps that goes by the size of the matrix; all of it is the same on every machine.
    rounds : int, optional
        Tries per candidate after which the search ends.
    bound : bool, optional
        Whether to compute an upper bound.
    exact : bool, optional
        Whether to settle the choice by integer programming instead, see `exact`: for hundreds of
        candidates and thousands of demands. It takes 60 s at most, or `time_limit_s`.
    seed : int, optional
        Seed of the search.
    progress : callable, optional
        Called now and then with the seconds since the start, the objective, and the upper bound or
        None.

    Returns
    -------
    Selection
        What was chosen, in order of marginal gain after the forced ones, with its upper bound.

    Raises
    ------
    CoveringError
        Before any search: if a shape, index or value is wrong; if the constraints contradict each
        other, with those that clash; or if there is no candidate or nothing to cover.

    Notes
    -----
    The problem is the maximal covering location problem [1]_ with side constraints. Ties are
    decided by the secondary objectives, then lower cost, then lower index. Every choice on the way
    satisfies all constraints, so the search can end at any time: an interrupt (Ctrl-C) after
    greedy returns the best so far, with ``status="interrupted"``. Threads share the passes over
    the matrix and do not change the answer.

    References
    ----------
    .. [1] R. Church, C. ReVelle, "The maximal covering location problem", Papers of the Regional
       Science Association 32, 1974.

    Examples
    --------
    Greedy takes the candidate in the middle; the best pair leaves it out:

    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> matrix = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]))
    >>> best = maximal_covering(matrix, [4, 5, 5, 4], number=2)
    >>> best.chosen.tolist(), best.objective, best.upper_bound, best.status
    ([1, 2], 18, 18, 'optimal')
    """
    if improve not in ("greedy", "swap", "search"):
        raise CoveringError(f'improve is {improve!r}: give "greedy", "swap" or "search"')
    if rounds is not None and rounds < 0:
        raise CoveringError(f"rounds is {rounds}: give 0 or more")
    limit = np.inf if time_limit_s is None else check_time_limit(time_limit_s)
    if not exact and (bound or time_limit_s is not None):
        _warm(improve, bound)
    began = perf_counter()
    problem = pose(
        matrix,
        weights,
        number,
        costs=costs,
        budget=budget,
        quotas=quotas,
        conflicts=conflicts,
        forced=forced,
        forbidden=forbidden,
        floors=floors,
        secondary=secondary,
    )
    if exact:
        return solve_exactly(problem, DEFAULT_EXACT_S if np.isinf(limit) else limit)
    best = _chosen(problem, improve, began, limit, rounds, bound, seed, progress)
    if not bound or best.status == "interrupted":
        return best
    return _with_bound(problem, best, began, limit, progress)


@functools.cache
def _warm(improve: Improve, bound: bool) -> None:
    """Compile the kernels of these steps, once per process, so that no time limit pays for it."""
    tiny = tiny_problem()
    _chosen(tiny, improve, perf_counter(), np.inf, 1, bound, 0, None)
    if bound:
        warm_bound()


def _chosen(
    problem: Problem,
    improve: Improve,
    began: float,
    limit: float,
    rounds: int | None,
    bound: bool,
    seed: int,
    progress: Progress | None,
) -> Selection:
    merged = merge_objectives(problem)
    unit = _unit(problem, merged)
    seconds = {"check": perf_counter() - began}

    start = perf_counter()
    members = greedy_order(merged)
    seconds["greedy"] = perf_counter() - start
    if improve == "greedy":
        return selection_of(problem, members, seconds=seconds)

    def report(objective: int) -> None:
        if progress is not None:
            progress(perf_counter() - began, objective // unit, None)

    start = perf_counter()
    share = SEARCH_SHARE if bound and improve == "search" else 1.0
    if improve == "search" and rounds is None and np.isinf(limit):
        rounds = DEFAULT_ROUNDS
    improved = improve_choice(
        merged,
        members,
        search=improve == "search",
        until=began + share * limit,
        rounds=rounds,
        seed=seed,
        report=report,
    )
    seconds[improve] = perf_counter() - start
    order = in_order(problem, improved.members)
    return selection_of(problem, order, status=improved.status, seconds=seconds)


def _unit(problem: Problem, merged: Problem) -> int:
    """Merged weight of one unit of the first objective."""
    heaviest = int(np.argmax(problem.weights))
    return int(merged.weights[heaviest]) // int(problem.weights[heaviest])


def _with_bound(
    problem: Problem, best: Selection, began: float, limit: float, progress: Progress | None
) -> Selection:
    start = perf_counter()
    left, most_steps = None, None
    if np.isinf(limit):
        most_steps = max(DEFAULT_BOUND_ENTRIES // max(problem.indices.size, 1), FEWEST_BOUND_STEPS)
    else:
        left = max(SHORTEST_S, began + limit - start)

    def report(seconds: float, objective: int, proven: int | None) -> None:
        if progress is not None:
            progress(start - began + seconds, objective, proven)

    proof = upper_bound(
        problem, best.objective, time_limit_s=left, most_steps=most_steps, progress=report
    )
    status: Status = "interrupted" if proof.is_interrupted else best.status
    return dataclasses.replace(
        best,
        upper_bound=proof.value,
        dropped=proof.dropped,
        status="optimal" if proof.value == best.objective else status,
        seconds={**best.seconds, "bound": perf_counter() - start},
    )
