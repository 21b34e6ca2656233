"""Choosing in the abstract: a sparse matrix of who covers whom in, a selection out.

A `Problem` is made from a matrix, weights and `Constraints`; `solve` chooses by greedy, exchanges,
search or integer programming, and says how far from the best its `Selection` can be.

Examples
--------
>>> import numpy as np
>>> from scipy.sparse import csr_array
>>> from ankang_coverage.covering import Constraints, Problem, Quota, solve
>>> matrix = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]]))
>>> constraints = Constraints(number=2, quotas=[Quota("north", [0, 1], maximum=1)])
>>> best = solve(Problem.from_matrix(matrix, [4, 5, 5, 4], constraints))
>>> best.chosen.tolist(), best.objective, best.gap
([1, 2], 18, 0.0)
"""

from ankang_coverage.covering.bound import Bound, upper_bound
from ankang_coverage.covering.constraints import Constraints, Floor, Quota
from ankang_coverage.covering.deprecated import exact, greedy, pose
from ankang_coverage.covering.maximal import maximal_covering
from ankang_coverage.covering.problem import Problem
from ankang_coverage.covering.selection import Selection
from ankang_coverage.covering.solver import solve

__all__ = [
    "Bound",
    "Constraints",
    "Floor",
    "Problem",
    "Quota",
    "Selection",
    "exact",
    "greedy",
    "maximal_covering",
    "pose",
    "solve",
    "upper_bound",
]
