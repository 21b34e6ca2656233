"""WHERE TO BUILD NEXT: candidates, demand, and the plan that chooses."""

from ankang_coverage.planning.plan import Plan, TargetResult, plan
from ankang_coverage.planning.programme import Programme, Target

__all__ = ["Plan", "Programme", "Target", "TargetResult", "plan"]
