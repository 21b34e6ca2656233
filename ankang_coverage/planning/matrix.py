"""Candidates × demand: which candidate would cover which uncovered pixel."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ankang_coverage.coverage import Coverage, reach
from ankang_coverage.errors import PlanningError
from ankang_coverage.sites import Network


def covering_matrix(
    coverage: Coverage, candidates: Network, demand: NDArray[np.int64]
) -> tuple[sparse.csr_array, NDArray[np.int64]]:
    """Return which candidates would cover which pixels with demand, by the service's rule.

    Parameters
    ----------
    coverage : Coverage
        Gives the terrain, the rule, the path-loss model and the signals of existing cells.
    candidates : Network
        One matrix row per site, in its order; each has a cell of the service.
    demand : numpy.ndarray
        (n_pixels,) weight of each pixel; pixels without weight get no column.

    Returns
    -------
    matrix : scipy.sparse.csr_array
        (n_candidates, n_demand) int8 pattern.
    weights : numpy.ndarray
        (n_demand,) int64 weights of the columns.

    Raises
    ------
    PlanningError
        If a candidate has no cell of the coverage's radio layers.
    """
    relevant = candidates.with_radio_layers(coverage.service.radio_layers)
    idle = candidates.sites.index.difference(relevant.sites.index)
    if len(idle):
        raise PlanningError(f"candidate {idle[0]!r} has no cell of {coverage.service.id}")
    wanted = demand > 0
    column = np.cumsum(wanted, dtype=np.int32) - 1
    covered = [column[pixels] for pixels in reach(coverage, relevant, among=wanted)]
    indptr = np.concatenate([[0], np.cumsum([len(columns) for columns in covered])])
    if indptr[-1] <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)  # otherwise scipy keeps the columns in 64 bits too
    columns = np.concatenate([*covered, np.empty(0, np.int32)])
    matrix = sparse.csr_array(
        (np.broadcast_to(np.int8(1), len(columns)), columns, indptr),
        shape=(len(covered), np.count_nonzero(wanted)),
    )
    return matrix, demand[wanted]
