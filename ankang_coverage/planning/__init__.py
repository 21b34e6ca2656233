"""Where to build next: candidates, demand, and the choice of sites."""

from ankang_coverage.planning.candidates import Candidates
from ankang_coverage.planning.comparison import Comparison, compare
from ankang_coverage.planning.explanation import Explanation
from ankang_coverage.planning.kinds import MicroTarget, SupportingTarget
from ankang_coverage.planning.pipeline import plan
from ankang_coverage.planning.programme import Programme
from ankang_coverage.planning.results import Plan, TargetResult
from ankang_coverage.planning.target import Target

__all__ = [
    "Candidates",
    "Comparison",
    "Explanation",
    "MicroTarget",
    "Plan",
    "Programme",
    "SupportingTarget",
    "Target",
    "TargetResult",
    "compare",
    "plan",
]
