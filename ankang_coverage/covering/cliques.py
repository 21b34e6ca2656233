"""Conflicts between pairs, gathered into groups of which at most one can be chosen.

Pairs alone say little once candidates may be chosen by halves: every candidate of a crowd could
then have its half. A group in which all exclude each other allows the whole crowd one.
"""

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.covering.rows import Rows


@njit
def _place(
    candidate: int, rival: int, indptr: NDArray[np.int64], indices: NDArray[np.int32]
) -> int:
    """Place of a pair among the entries, or -1 if there is no conflict."""
    start, stop = indptr[candidate], indptr[candidate + 1]
    place = start + np.searchsorted(indices[start:stop], rival)
    return place if place < stop and indices[place] == rival else -1


@njit
def _excludes_all(
    candidate: int,
    clique: NDArray[np.int32],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
) -> bool:
    for member in clique:  # noqa: SIM110 - kernels know no generators
        if _place(candidate, member, indptr, indices) < 0:
            return False
    return True


@njit
def _cover(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    relevant: NDArray[np.bool_],
    most_members: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], int]:
    """Return groups as rows, and how many pairs are left when they have `most_members` members."""
    settled = np.zeros(indices.size, dtype=np.bool_)
    members = np.empty(most_members, dtype=np.int32)
    ends = [np.int64(0)]
    n_members, n_left = 0, 0
    clique = np.empty(relevant.size, dtype=np.int32)
    for first in range(relevant.size):
        if not relevant[first]:
            continue
        start, stop = indptr[first], indptr[first + 1]
        for place in range(start, stop):
            if settled[place] or indices[place] < first or not relevant[indices[place]]:
                continue
            clique[0], clique[1] = first, indices[place]
            size = 2
            # First those whose conflict with `first` is not settled yet, then whoever else fits.
            for again in range(2):
                for other_place in range(start, stop):
                    other = indices[other_place]
                    if (
                        settled[other_place] == (again == 1)
                        and relevant[other]
                        and _excludes_all(other, clique[:size], indptr, indices)
                    ):
                        clique[size] = other
                        size += 1
            if n_members + size > most_members:
                n_left += 1
                continue
            for a in clique[:size]:
                for b in clique[:size]:
                    if a != b:
                        settled[_place(a, b, indptr, indices)] = True
            members[n_members : n_members + size] = clique[:size]
            n_members += size
            ends.append(np.int64(n_members))
    return np.array(ends), members[:n_members].copy(), n_left


def cover_conflicts(
    conflicts: Rows, relevant: NDArray[np.bool_], most_members: int
) -> tuple[Rows, bool]:
    """Gather conflicts into groups of which at most one can be chosen.

    Parameters
    ----------
    conflicts : Rows
        Candidates in conflict with each candidate: symmetric and ascending.
    relevant : numpy.ndarray
        Candidates that count, shape (n_candidates,).
    most_members : int
        The groups have at most so many members together.

    Returns
    -------
    groups : Rows
        The groups, of two members or more.
    is_complete : bool
        Whether each pair in conflict is in a group.
    """
    indptr, members, n_left = _cover(conflicts.indptr, conflicts.indices, relevant, most_members)
    return Rows(indptr, members), n_left == 0
