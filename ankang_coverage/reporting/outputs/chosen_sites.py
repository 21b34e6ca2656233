"""The chosen sites as CSV."""

from functools import partial

import pandas as pd

from ankang_coverage.planning import Plan
from ankang_coverage.reporting.csv_files import write_csv
from ankang_coverage.reporting.labels import (
    labelled,
    synthetic_text,
    with_columns_of_sites,
)
from ankang_coverage.reporting.outputs.base import Output, Writer

CHOSEN_COLUMNS = {
    "programme": "programme",
    "order": "order",
    "id": "id",
    "name": "name",
    "county": "county",
    "county_name": "county_name",
    "township": "township",
    "township_name": "township_name",
    "longitude": "lon",
    "latitude": "lat",
    "people_gained": "people_gained",
    "people_gained_total": "people_gained_total",
    "cost_yuan": "cost_yuan",
    "cost_yuan_total": "cost_yuan_total",
    "service": "service",
    "kind": "kind",
    "construction": "construction",
    "owner": "owner",
    "reason": "reason",
    "source": "source",
    "prediction": "prediction",
    "synthetic": "synthetic",
}


class ChosenSites(Output):
    """The chosen sites in order of choice, with what each gains and costs."""

    files = "`chosen_sites.csv`"
    description = "the chosen sites in order of choice: where, why, people gained, cost"

    def writers(self, plan: Plan, lang: str) -> dict[str, Writer]:  # noqa: ARG002
        """Return the writer of the table; see `Output.writers`."""
        return {"chosen_sites.csv": partial(write_csv, chosen_table(plan))}


def chosen_table(plan: Plan) -> pd.DataFrame:
    """Return the chosen sites as a plain table in order of choice, positions in WGS-84.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    pandas.DataFrame
        Columns as in `CHOSEN_COLUMNS`, positions in WGS-84.
    """
    chosen = plan.chosen.drop(columns="geometry").rename_axis("id").reset_index()
    table = labelled(plan, chosen).assign(synthetic=synthetic_text(plan))
    table = table[list(CHOSEN_COLUMNS)].rename(columns=CHOSEN_COLUMNS)
    return with_columns_of_sites(plan, table)
