"""The explanation of a plan as CSV: gains in order, counties, constraints, what is uncovered."""

from functools import partial

import pandas as pd

from ankang_coverage.planning import Plan
from ankang_coverage.reporting.csv_files import write_csv
from ankang_coverage.reporting.labels import labelled, synthetic_text
from ankang_coverage.reporting.outputs.base import Output, Writer

_EXPLAINED = (
    "plan_curve.csv",
    "plan_counties.csv",
    "plan_constraints.csv",
    "uncovered_villages.csv",
    "dropped_candidates.csv",
)


class Explanations(Output):
    """Why these sites were chosen."""

    files = (
        "`plan_curve.csv`, `plan_counties.csv`, `plan_constraints.csv`, "
        "`uncovered_villages.csv`, `dropped_candidates.csv`"
    )
    description = (
        "gains in order with the knee, counties, what each constraint costs, villages left "
        "uncovered and why, places that were dropped and why"
    )

    def writers(self, plan: Plan, lang: str) -> dict[str, Writer]:  # noqa: ARG002
        """Return the writer of each table; see `Output.writers`."""
        tables = explanation_tables(plan)
        return {name: partial(write_csv, table) for name, table in tables.items()}


def explanation_tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """Return the explanation of a plan as plain tables by file name, each row with its programme.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    dict
        ``plan_curve.csv``, ``plan_counties.csv``, ``plan_constraints.csv``,
        ``uncovered_villages.csv`` and ``dropped_candidates.csv``. Targets that choose jointly
        share their constraints.
    """
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in _EXPLAINED}
    jointly = " + ".join(result.target.id for result in plan.results)
    for n, result in enumerate(plan.results):
        explanation = result.explanation
        found = {
            "plan_curve.csv": explanation.curve,
            "plan_counties.csv": explanation.counties.reset_index(),
            "plan_constraints.csv": explanation.constraints,
            "uncovered_villages.csv": explanation.villages.rename_axis("code").reset_index(),
            "dropped_candidates.csv": result.candidates.dropped.rename(
                columns={"longitude": "lon", "latitude": "lat", "source": "candidate_source"}
            ),
        }
        for name, table in found.items():
            shared = name == "plan_constraints.csv" and result.joint is not None
            if not (shared and n):
                rows = labelled(plan, table).assign(synthetic=synthetic_text(plan))
                rows.insert(0, "programme", jointly if shared else result.target.id)
                tables[name].append(rows)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
