"""The covering problem: checked once at the door, plain arrays from there on."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from ankang_coverage.errors import CoveringError

LARGEST_INT32 = np.iinfo(np.int32).max
LARGEST_INT64 = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """A covering problem without contradictions, as the kernels want it.

    Attributes
    ----------
    indptr, indices : NDArray[np.int64], NDArray[np.int32]
        Demand covered by candidate j: ``indices[indptr[j]:indptr[j + 1]]``, ascending, no repeats.
    weights : NDArray[np.int64]
        Weight of each demand, shape (n_demand,).
    n_chosen : int
        How many candidates to choose, the forced ones included.
    conflict_indptr, conflict_indices : NDArray[np.int64], NDArray[np.int32]
        Candidates in conflict with candidate j, laid out like the demand.
    forced : NDArray[np.int64]
        Candidates to choose first, in this order.
    forbidden : NDArray[np.bool_]
        Whether each candidate may not be chosen, shape (n_candidates,).
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.int64]
    n_chosen: int
    conflict_indptr: NDArray[np.int64]
    conflict_indices: NDArray[np.int32]
    forced: NDArray[np.int64]
    forbidden: NDArray[np.bool_]

    @property
    def n_candidates(self) -> int:
        """Number of rows of the matrix."""
        return self.forbidden.size

    @property
    def n_demand(self) -> int:
        """Number of columns of the matrix."""
        return self.weights.size

    def rivals(self, candidate: int) -> NDArray[np.int32]:
        """Return the candidates in conflict with one candidate."""
        return self.conflict_indices[
            self.conflict_indptr[candidate] : self.conflict_indptr[candidate + 1]
        ]


def pose(
    matrix: sparse.csr_array,
    weights: ArrayLike,
    n_chosen: SupportsIndex,
    *,
    conflicts: sparse.csr_array | None = None,
    forced: ArrayLike = (),
    forbidden: ArrayLike = (),
) -> Problem:
    """Check a covering problem and lay it out as plain arrays.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array
        Shape (n_candidates, n_demand); a non-zero entry says that the candidate covers the demand.
    weights : array_like of int
        Weight of each demand, shape (n_demand,), 0 or more.
    n_chosen : int
        How many candidates to choose, the forced ones included.
    conflicts : scipy.sparse.csr_array, optional
        Shape (n_candidates, n_candidates), symmetric; a non-zero entry marks a pair that may not
        both be chosen.
    forced : array_like of int, optional
        Candidates to choose first, in this order.
    forbidden : array_like of int, optional
        Candidates that may not be chosen.

    Returns
    -------
    Problem
        The same problem; arrays already in the right layout are shared, not copied.

    Raises
    ------
    CoveringError
        If a shape, index or value is wrong, or the constraints contradict each other.
    """
    n_candidates, n_demand = _shape(matrix, "matrix")
    indptr, indices = _pattern(matrix, "matrix")
    checked_weights = _weights(weights, n_demand)
    conflict_indptr, conflict_indices = _conflicts(conflicts, n_candidates)
    forced_candidates = _candidates(forced, "forced", n_candidates)
    is_forbidden = np.zeros(n_candidates, dtype=np.bool_)
    is_forbidden[_candidates(forbidden, "forbidden", n_candidates)] = True

    problem = Problem(
        indptr=indptr,
        indices=indices,
        weights=checked_weights,
        n_chosen=_count(n_chosen),
        conflict_indptr=conflict_indptr,
        conflict_indices=conflict_indices,
        forced=forced_candidates,
        forbidden=is_forbidden,
    )
    _check_forced(problem)
    _check_number(problem)
    return problem


def _shape(matrix: object, name: str) -> tuple[int, int]:
    if not isinstance(matrix, sparse.csr_array | sparse.csr_matrix):
        raise CoveringError(
            f"{name} is a {type(matrix).__name__}, not a sparse array in CSR format: "
            f"convert it with scipy.sparse.csr_array({name})"
        )
    n_rows, n_columns = matrix.shape
    if max(n_rows, n_columns) > LARGEST_INT32:
        raise CoveringError(
            f"{name} has shape ({n_rows}, {n_columns}); rows and columns are counted in 32 bits: "
            f"at most {LARGEST_INT32} of each"
        )
    return n_rows, n_columns


def _pattern(matrix: sparse.csr_array, name: str) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return where a matrix is not zero; each place once, ascending in each row."""
    _check_layout(matrix, name)
    indptr: NDArray[np.integer] = matrix.indptr
    indices: NDArray[np.integer] = matrix.indices
    data = matrix.data[: indptr[-1]]
    if data.dtype.kind in "fc" and np.isnan(data).any():
        place = int(np.flatnonzero(np.isnan(data))[0])
        row = int(np.searchsorted(indptr, place, side="right")) - 1
        raise CoveringError(
            f"{name} has NaN at row {row}, column {indices[place]}: "
            "store an entry only where a candidate covers a demand"
        )
    if np.count_nonzero(data) < data.size:
        stored = np.flatnonzero(data)
        indptr, indices = np.searchsorted(stored, indptr), indices[stored]
    pattern = sparse.csr_array(
        (np.ones(indptr[-1], dtype=np.int8), indices[: indptr[-1]], indptr), shape=matrix.shape
    )
    if not pattern.has_canonical_format:
        pattern = pattern.copy()
        pattern.sum_duplicates()
    return (
        pattern.indptr.astype(np.int64, copy=False),
        pattern.indices[: pattern.indptr[-1]].astype(np.int32, copy=False),
    )


def _check_layout(matrix: sparse.csr_array, name: str) -> None:
    """Refuse index arrays that would send a kernel outside its memory."""
    indptr, indices, (n_rows, n_columns) = matrix.indptr, matrix.indices, matrix.shape
    if (
        indptr.size != n_rows + 1
        or indptr[0] != 0
        or (np.diff(indptr) < 0).any()
        or indptr[-1] > min(indices.size, matrix.data.size)
    ):
        raise CoveringError(
            f"indptr of {name} does not describe {n_rows} rows within {indices.size} entries: "
            "build it with scipy.sparse.csr_array from coordinates"
        )
    stored = indices[: indptr[-1]]
    if stored.size and (stored.min() < 0 or stored.max() >= n_columns):
        raise CoveringError(
            f"{name} has column indices from {stored.min()} to {stored.max()}, "
            f"but its {n_columns} columns are 0 to {n_columns - 1}"
        )


def _weights(weights: ArrayLike, n_demand: int) -> NDArray[np.int64]:
    given = np.asarray(weights)
    if given.shape != (n_demand,):
        raise CoveringError(
            f"weights has shape {given.shape}, but the matrix has {n_demand} columns: "
            "give one weight for each demand"
        )
    if given.size == 0:
        return np.zeros(0, dtype=np.int64)
    if given.dtype.kind not in "iuf":
        raise CoveringError(f"weights has type {given.dtype}: give whole numbers (int64)")
    # NaN equals nothing, itself included, so this catches it as well.
    _refuse(given, ~(given == np.trunc(given)), "is not a whole number: scale and round it")
    _refuse(given, given < 0, "is negative: a weight is 0 or more")
    too_large = given >= 2.0**63 if given.dtype.kind == "f" else given > LARGEST_INT64
    _refuse(given, too_large, f"is above the largest possible, {LARGEST_INT64}")
    checked = given.astype(np.int64, copy=False)
    # Added in two halves, because the total itself may not fit.
    total = (int((checked >> 32).sum()) << 32) + int((checked & 0xFFFFFFFF).sum())
    if total > LARGEST_INT64:
        raise CoveringError(
            f"weights add up to {total}, above the largest possible objective, {LARGEST_INT64}: "
            "use a coarser unit"
        )
    return checked


def _refuse(weights: NDArray[Any], wrong: NDArray[np.bool_], reason: str) -> None:
    if wrong.any():
        demand = int(np.argmax(wrong))
        raise CoveringError(
            f"the weight of demand {demand}, {weights[demand]}, {reason} "
            f"({np.count_nonzero(wrong)} of {weights.size} weights are like that)"
        )


def _conflicts(
    conflicts: sparse.csr_array | None, n_candidates: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    if conflicts is None:
        return np.zeros(n_candidates + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    shape = _shape(conflicts, "conflicts")
    if shape != (n_candidates, n_candidates):
        raise CoveringError(
            f"conflicts has shape {shape}, but there are {n_candidates} candidates: "
            f"it must be ({n_candidates}, {n_candidates})"
        )
    indptr, indices = _pattern(conflicts, "conflicts")
    marks = sparse.csr_array((np.ones(indices.size, dtype=np.int8), indices, indptr), shape=shape)
    alone = np.flatnonzero(marks.diagonal())
    if alone.size:
        raise CoveringError(
            f"conflicts says that candidate {alone[0]} is in conflict with itself "
            f"({alone.size} such): clear its diagonal"
        )
    one_way = (marks - marks.T).tocoo()
    one_way.eliminate_zeros()
    if one_way.nnz:
        a, b = (int(side) for side in (one_way.row[0], one_way.col[0]))
        if one_way.data[0] < 0:
            a, b = b, a
        raise CoveringError(
            f"conflicts is not symmetric: it marks ({a}, {b}) but not ({b}, {a}) "
            f"({one_way.nnz // 2} such pairs): mark every pair both ways"
        )
    return indptr, indices


def _candidates(given: ArrayLike, name: str, n_candidates: int) -> NDArray[np.int64]:
    candidates = np.asarray(given)
    if candidates.size == 0:
        return np.zeros(0, dtype=np.int64)
    if candidates.ndim != 1 or candidates.dtype.kind not in "iu":
        raise CoveringError(
            f"{name} is an array of {candidates.dtype} with shape {candidates.shape}: "
            "give a list of candidate indices"
        )
    outside = (candidates < 0) | (candidates >= n_candidates)
    if outside.any():
        raise CoveringError(
            f"{name} names candidate {candidates[np.argmax(outside)]}, "
            f"but the {n_candidates} candidates are 0 to {n_candidates - 1}"
        )
    return candidates.astype(np.int64)


def _count(n_chosen: SupportsIndex) -> int:
    try:
        count = operator.index(n_chosen)
    except TypeError:
        raise CoveringError(f"n_chosen is {n_chosen!r}: give a whole number") from None
    if count < 0:
        raise CoveringError(f"n_chosen is {count}: give 0 or more")
    return count


def _check_forced(problem: Problem) -> None:
    forced = problem.forced
    values, counts = np.unique(forced, return_counts=True)
    if (counts > 1).any():
        raise CoveringError(
            f"forced names candidate {values[np.argmax(counts)]} {counts.max()} times: "
            "name each candidate once"
        )
    if problem.forbidden[forced].any():
        both = forced[problem.forbidden[forced]]
        raise CoveringError(
            f"candidate {both[0]} is both forced and forbidden ({both.size} such): "
            "take it off one of the two"
        )
    for a, b in _forced_conflicts(problem):
        raise CoveringError(
            f"forced candidates {a} and {b} are in conflict: "
            "drop one of them, or relax the conflict"
        )
    if forced.size > problem.n_chosen:
        raise CoveringError(
            f"n_chosen is {problem.n_chosen}, but {forced.size} candidates are forced: "
            f"choose at least {forced.size}"
        )


def _forced_conflicts(problem: Problem) -> Iterator[tuple[int, int]]:
    is_forced = np.zeros(problem.n_candidates, dtype=np.bool_)
    is_forced[problem.forced] = True
    for candidate in problem.forced.tolist():
        rivals = problem.rivals(candidate)
        for rival in rivals[is_forced[rivals]].tolist():
            yield candidate, rival


def _check_number(problem: Problem) -> None:
    """Refuse a number that cannot be reached whatever the search does."""
    blocked = np.zeros(problem.n_candidates, dtype=np.bool_)
    for candidate in problem.forced.tolist():
        blocked[problem.rivals(candidate)] = True
    blocked &= ~problem.forbidden
    n_forbidden, n_blocked = (int(np.count_nonzero(out)) for out in (problem.forbidden, blocked))
    n_available = problem.n_candidates - n_forbidden - n_blocked
    if problem.n_chosen > n_available:
        raise CoveringError(
            f"n_chosen is {problem.n_chosen}, but only {n_available} of {problem.n_candidates} "
            f"candidates can be chosen ({n_forbidden} forbidden, {n_blocked} in conflict with "
            f"forced ones): choose at most {n_available}"
        )


def check_time_limit(time_limit_s: float) -> float:
    """Return a time limit that a search can keep [s].

    Raises
    ------
    CoveringError
        If it is not a positive number.
    """
    if not time_limit_s > 0:
        raise CoveringError(f"time_limit_s is {time_limit_s}: give a positive number of seconds")
    return float(time_limit_s)
