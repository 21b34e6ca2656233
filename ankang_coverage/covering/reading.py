"""What a caller gives, read into plain arrays, or refused with the place and the remedy."""

import operator
from collections.abc import Sequence
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from ankang_coverage._jit import njit
from ankang_coverage.covering.rows import Rows
from ankang_coverage.errors import CoveringError

LARGEST_INT32 = np.iinfo(np.int32).max
LARGEST_INT64 = np.iinfo(np.int64).max


def shape_of(matrix: object, name: str) -> tuple[int, int]:
    """Return the shape of a sparse matrix in CSR format."""
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


@njit
def _is_ascending(indptr: NDArray[np.integer], indices: NDArray[np.integer]) -> bool:
    """Whether each row ascends without repeats."""
    for row in range(indptr.size - 1):
        columns = indices[indptr[row] : indptr[row + 1]]
        n_steps_back = 0
        for place in range(1, columns.size):
            n_steps_back += columns[place] <= columns[place - 1]
        if n_steps_back:
            return False
    return True


@njit
def _range(indices: NDArray[np.integer]) -> tuple[int, int]:
    """Return the least and the greatest index."""
    least, greatest = indices[0], indices[0]
    for place in range(1, indices.size):
        least = min(least, indices[place])
        greatest = max(greatest, indices[place])
    return least, greatest


def read_pattern(matrix: sparse.csr_array, name: str) -> Rows:
    """Return where a matrix is not zero; each place once, ascending in each row.

    Index arrays that are so already are shared, not copied.
    """
    _check_layout(matrix, name)
    indptr: NDArray[np.integer] = matrix.indptr
    indices: NDArray[np.integer] = matrix.indices[: indptr[-1]]
    data = matrix.data[: indptr[-1]]
    if data.strides == (0,):
        data = data[:1]  # one value for all entries
    if data.dtype.kind in "fc" and np.isnan(data).any():
        place = int(np.flatnonzero(np.isnan(data))[0])
        row = int(np.searchsorted(indptr, place, side="right")) - 1
        raise CoveringError(
            f"{name} has NaN at row {row}, column {indices[place]}: "
            "store an entry only where a candidate covers a demand"
        )
    if np.count_nonzero(data) < data.size:
        stored = np.flatnonzero(np.broadcast_to(data, indices.shape))
        indptr, indices = np.searchsorted(stored, indptr), indices[stored]
    if not _is_ascending(indptr, indices):
        marks = np.ones(indices.size, dtype=np.int8)
        pattern = sparse.csr_array((marks, indices, indptr), shape=matrix.shape, copy=True)
        pattern.sum_duplicates()
        indptr, indices = pattern.indptr, pattern.indices
    return Rows(indptr.astype(np.int64, copy=False), indices.astype(np.int32, copy=False))


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
    if indptr[-1] > 0:
        least, greatest = _range(indices[: indptr[-1]])
        if least < 0 or greatest >= n_columns:
            raise CoveringError(
                f"{name} has column indices from {least} to {greatest}, "
                f"but its {n_columns} columns are 0 to {n_columns - 1}"
            )


def read_whole_numbers(given: ArrayLike, name: str, of: str, n: int) -> NDArray[np.int64]:
    """Return whole numbers of 0 or more whose sum fits into int64."""
    values = np.asarray(given)
    if values.shape != (n,):
        raise CoveringError(
            f"{name}s has shape {values.shape}, but the matrix has {n} "
            f"{'rows' if of == 'candidate' else 'columns'}: give one {name} for each {of}"
        )
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    if values.dtype.kind not in "iuf":
        raise CoveringError(f"{name}s has type {values.dtype}: give whole numbers (int64)")

    def refuse(wrong: NDArray[np.bool_], reason: str) -> None:
        if wrong.any():
            place = int(np.argmax(wrong))
            raise CoveringError(
                f"the {name} of {of} {place}, {values[place]}, {reason} "
                f"({np.count_nonzero(wrong)} of {values.size} {name}s are like that)"
            )

    if values.dtype.kind == "f":
        # NaN equals nothing, itself included, so this catches it as well.
        refuse(~(values == np.trunc(values)), "is not a whole number: scale and round it")
        refuse(values >= 2.0**63, f"is above the largest possible, {LARGEST_INT64}")
    elif values.max() > LARGEST_INT64:
        refuse(values > LARGEST_INT64, f"is above the largest possible, {LARGEST_INT64}")
    if values.min() < 0:
        refuse(values < 0, f"is negative: a {name} is 0 or more")
    checked = values.astype(np.int64, copy=False)
    if int(checked.max()) * n > LARGEST_INT64:
        # Added in two halves, because the total itself may not fit.
        total = (int((checked >> 32).sum()) << 32) + int((checked & 0xFFFFFFFF).sum())
        if total > LARGEST_INT64:
            raise CoveringError(
                f"{name}s add up to {total}, above the largest possible total, {LARGEST_INT64}: "
                "use a coarser unit"
            )
    return checked


def read_conflicts(conflicts: sparse.csr_array | None, n_candidates: int) -> Rows:
    """Return the candidates in conflict with each candidate, from a symmetric matrix of marks."""
    if conflicts is None:
        return Rows.stacked([np.zeros(0, dtype=np.int32)] * n_candidates)
    shape = shape_of(conflicts, "conflicts")
    if shape != (n_candidates, n_candidates):
        raise CoveringError(
            f"conflicts has shape {shape}, but there are {n_candidates} candidates: "
            f"it must be ({n_candidates}, {n_candidates})"
        )
    rivals = read_pattern(conflicts, "conflicts")
    marks = rivals.matrix(n_candidates)
    with_itself = np.flatnonzero(marks.diagonal())
    if with_itself.size:
        raise CoveringError(
            f"conflicts says that candidate {with_itself[0]} is in conflict with itself "
            f"({with_itself.size} such): clear its diagonal"
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
    return rivals


def read_indices(given: ArrayLike, name: str, of: str, n: int) -> NDArray[np.int64]:
    """Return indices of candidates or demands, in the order given."""
    places = np.asarray(given)
    if places.size == 0:
        return np.zeros(0, dtype=np.int64)
    if places.ndim != 1 or places.dtype.kind not in "iu":
        raise CoveringError(
            f"{name} is an array of {places.dtype} with shape {places.shape}: "
            f"give a list of {of} indices"
        )
    outside = (places < 0) | (places >= n)
    if outside.any():
        raise CoveringError(
            f"{name} names {of} {places[np.argmax(outside)]}, but the {n} "
            f"{of if of == 'demand' else of + 's'} are 0 to {n - 1}"
        )
    return places.astype(np.int64)


def read_groups(
    groups: Sequence[tuple[str, ArrayLike]], kind: str, of: str, n: int
) -> tuple[tuple[str, ...], Rows]:
    """Return the names of quotas or floors, each different, and their members, ascending."""
    names = [str(name) for name, _ in groups]
    for name in names:
        if names.count(name) > 1:
            raise CoveringError(
                f"{names.count(name)} {kind}s are called {name!r}: give each a name of its own"
            )
    members = [
        np.unique(read_indices(given, f"{kind} {name!r}", of, n)).astype(np.int32)
        for name, given in groups
    ]
    return tuple(names), Rows.stacked(members)


def read_count(given: SupportsIndex, name: str) -> int:
    """Return a whole number of 0 or more."""
    try:
        count = operator.index(given)
    except TypeError:
        raise CoveringError(f"{name} is {given!r}: give a whole number") from None
    if not 0 <= count <= LARGEST_INT64:
        raise CoveringError(f"{name} is {count}: give 0 or more, at most {LARGEST_INT64}")
    return count


def read_time_limit(time_limit_s: float | None) -> float:
    """Return a time limit that a search can keep [s]; infinity for none."""
    if time_limit_s is None:
        return np.inf
    if not time_limit_s > 0:
        raise CoveringError(f"time_limit_s is {time_limit_s}: give a positive number of seconds")
    return float(time_limit_s)
