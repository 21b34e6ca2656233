"""Choosing in the abstract: a sparse matrix of who covers whom in, a selection out."""

from ankang_coverage.covering.bound import Bound, upper_bound
from ankang_coverage.covering.exact import exact
from ankang_coverage.covering.greedy import greedy
from ankang_coverage.covering.problem import Floor, Problem, Quota, pose
from ankang_coverage.covering.selection import Selection
from ankang_coverage.covering.solver import maximal_covering

__all__ = [
    "Bound",
    "Floor",
    "Problem",
    "Quota",
    "Selection",
    "exact",
    "greedy",
    "maximal_covering",
    "pose",
    "upper_bound",
]
