"""Choosing in the abstract: a sparse matrix of who covers whom in, a selection out."""

from ankang_coverage.covering.exact import ExactSelection, exact
from ankang_coverage.covering.greedy import greedy
from ankang_coverage.covering.selection import Selection

__all__ = ["ExactSelection", "Selection", "exact", "greedy"]
