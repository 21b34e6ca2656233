"""WHERE TO BUILD NEXT: candidates, demand, and the plan that chooses."""

from ankang_coverage.planning.candidates import Candidates
from ankang_coverage.planning.comparison import Comparison, compare
from ankang_coverage.planning.explanation import Explanation
from ankang_coverage.planning.pipeline import Plan, TargetResult, plan
from ankang_coverage.planning.programme import Programme, Target

__all__ = [
    "Candidates",
    "Comparison",
    "Explanation",
    "Plan",
    "Programme",
    "Target",
    "TargetResult",
    "compare",
    "plan",
]
