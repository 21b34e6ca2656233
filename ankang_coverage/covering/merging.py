"""Problems made smaller or simpler without a change to what is best."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.reading import LARGEST_INT64
from ankang_coverage.covering.rows import Rows
from ankang_coverage.errors import CoveringError


def merge_identical_demand(problem: Problem) -> Problem:
    """Return an equivalent problem with fewer demands.

    Parameters
    ----------
    problem : Problem
        A checked problem.

    Returns
    -------
    Problem
        Demands without weight or without a candidate are dropped, and those covered by the same
        candidates are merged into the first of them. Every set of candidates keeps its objective.

    Notes
    -----
    Columns are sorted by a hash and merged with their neighbour only if they are equal entry by
    entry: a collision of hashes can leave two equal columns unmerged, never merge unequal ones.
    The work is that of a transposition and a sort, more than one greedy choice costs; it pays
    where the number of demands itself is dear, as in integer programming.
    """
    by_demand = problem.covers.matrix(problem.n_demand).tocsc()
    indptr, candidates = by_demand.indptr, by_demand.indices
    kept = np.flatnonzero((np.diff(indptr) > 0) & (problem.weights > 0))
    if kept.size == 0:
        return _with_demand(problem, by_demand[:, kept], problem.weights[kept])

    lengths = np.diff(indptr)[kept]
    hashes = _column_hashes(indptr, candidates, problem.n_candidates)[kept]
    order = np.lexsort((kept, hashes, lengths))
    columns, lengths, hashes = kept[order], lengths[order], hashes[order]
    alike = (lengths[1:] == lengths[:-1]) & (hashes[1:] == hashes[:-1])
    alike[alike] = _equal_columns(
        indptr, candidates, columns[:-1][alike], columns[1:][alike], lengths[1:][alike]
    )
    group = np.concatenate(([0], np.cumsum(~alike)))
    first = columns[np.concatenate(([True], ~alike))]
    weights = np.zeros(first.size, dtype=np.int64)
    np.add.at(weights, group, problem.weights[columns])
    by_index = np.argsort(first)
    return _with_demand(problem, by_demand[:, first[by_index]], weights[by_index])


def _column_hashes(
    indptr: NDArray[np.integer], candidates: NDArray[np.integer], n_candidates: int
) -> NDArray[np.uint64]:
    """Sum of a random 64-bit number per candidate, modulo 2**64; 0 for an empty column."""
    numbers = np.random.default_rng(0).integers(2**64, size=n_candidates, dtype=np.uint64)
    running = np.concatenate(([np.uint64(0)], np.cumsum(numbers[candidates], dtype=np.uint64)))
    hashes: NDArray[np.uint64] = running[indptr[1:]] - running[indptr[:-1]]
    return hashes


def _equal_columns(
    indptr: NDArray[np.integer],
    candidates: NDArray[np.integer],
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    lengths: NDArray[np.integer],
) -> NDArray[np.bool_]:
    """Compare pairs of columns of equal length, entry by entry."""
    pair = np.repeat(np.arange(lengths.size), lengths)
    step = np.arange(pair.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    differs = candidates[indptr[left][pair] + step] != candidates[indptr[right][pair] + step]
    equal: NDArray[np.bool_] = np.bincount(pair[differs], minlength=lengths.size) == 0
    return equal


def _with_demand(
    problem: Problem, columns: sparse.csc_array, weights: NDArray[np.int64]
) -> Problem:
    return dataclasses.replace(problem, covers=_rows(columns.tocsr()), weights=weights)


def _rows(matrix: sparse.csr_array) -> Rows:
    return Rows(
        matrix.indptr.astype(np.int64, copy=False), matrix.indices.astype(np.int32, copy=False)
    )


def merge_objectives(problem: Problem) -> Problem:
    """Return an equivalent problem with one objective in place of several in order of rank.

    Parameters
    ----------
    problem : Problem
        A checked problem.

    Returns
    -------
    Problem
        The demand of all objectives side by side. The weights of each are multiplied so that one
        unit of it outweighs all that is ranked below: of two choices the one that covers more here
        is better in the first objective in which they differ. The same problem if it has no
        secondary objectives.

    Raises
    ------
    CoveringError
        If the weights become too large for int64.
    """
    if not problem.secondary:
        return problem
    factors = [1]
    for objective in reversed(problem.secondary):
        factors.insert(0, factors[0] * (int(objective.weights.sum()) + 1))
    totals = [int(problem.weights.sum()), *(int(o.weights.sum()) for o in problem.secondary)]
    largest = sum(total * factor for total, factor in zip(totals, factors, strict=True))
    if largest > LARGEST_INT64:
        raise CoveringError(
            f"the weights of the objectives add up to {', '.join(map(str, totals))}; ranked they "
            f"need whole numbers up to {largest}, above {LARGEST_INT64}: use coarser units"
        )
    side_by_side: Any = sparse.hstack(
        [objective.covers.matrix(objective.weights.size) for objective in problem.objectives],
        format="csr",
    )
    weights = [
        objective.weights * factor
        for objective, factor in zip(problem.objectives, factors, strict=True)
    ]
    return dataclasses.replace(
        problem,
        covers=_rows(side_by_side),
        weights=np.concatenate(weights),
        floor_minimum=problem.floor_minimum * factors[0],
        secondary=(),
    )
