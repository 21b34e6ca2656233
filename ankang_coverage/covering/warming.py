"""A tiny problem that kernels are compiled on before a clock starts.

Compiling takes longer than many a time limit, and where kernels are not on disk yet it would be
taken from the first search.
"""

import numpy as np
from scipy import sparse

from ankang_coverage.covering.constraints import Constraints, Floor, Quota
from ankang_coverage.covering.problem import Problem

_COVERS = np.array(
    [[0, 1, 1, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [1, 0, 0, 1, 0], [0, 0, 0, 0, 1]],
    dtype=np.int8,
)
_WEIGHTS = [4, 5, 5, 4, 1]


def tiny_problem() -> Problem:
    """Return a problem with every kind of constraint.

    Greedy takes the first candidate, which an exchange betters, and no choice covers everything.
    """
    covers = sparse.csr_array(_COVERS)
    wide = sparse.csr_array(
        (covers.data, covers.indices.astype(np.int64), covers.indptr.astype(np.int64)),
        shape=covers.shape,
    )
    Problem.from_matrix(wide, _WEIGHTS, Constraints(number=2))  # large matrices have wide indices
    constraints = Constraints(
        number=2,
        costs=[2, 2, 2, 2, 2],
        budget=4,
        quotas=(Quota("some", [1, 2], minimum=1), Quota("others", [2, 3], maximum=1)),
        conflicts=sparse.csr_array(([1, 1], ([0, 3], [3, 0])), shape=(5, 5)),
        floors=(Floor("first", [0, 1], minimum=4),),
    )
    return Problem.from_matrix(covers, _WEIGHTS, constraints)
