"""The figures of villages, townships and counties as CSV."""

from functools import partial

import geopandas as gpd
import pandas as pd

from ankang_coverage.planning import Plan
from ankang_coverage.planning.overlay import LEVELS
from ankang_coverage.reporting.csv_files import write_csv
from ankang_coverage.reporting.labels import labelled, synthetic_text
from ankang_coverage.reporting.outputs.base import Output, Writer


class Divisions(Output):
    """The figures of every village, township and county before and after."""

    files = "`villages.csv`, `townships.csv`, `counties.csv`"
    description = "people and area covered by each service before and after, and why others are not"

    def writers(self, plan: Plan, lang: str) -> dict[str, Writer]:  # noqa: ARG002
        """Return the writer of each level; see `Output.writers`."""
        return {f"{level}.csv": partial(write_csv, division_table(plan, level)) for level in LEVELS}


def division_table(plan: Plan, level: str) -> pd.DataFrame:
    """Return the figures of one level as a plain table.

    Parameters
    ----------
    plan : Plan
        The plan.
    level : str
        ``villages``, ``townships`` or ``counties``.

    Returns
    -------
    pandas.DataFrame
        One row per division, with ``code``.
    """
    divisions: gpd.GeoDataFrame = getattr(plan, level)
    plain = divisions.drop(columns="geometry").rename_axis("code").reset_index()
    table = labelled(plan, plain).assign(synthetic=synthetic_text(plan))
    shares = [column for column in table if "share" in column]
    medians = [column for column in table if column.startswith(("median_rsrp", "median_short"))]
    areas = [column for column in table if "km2" in column]
    return table.round(
        {**dict.fromkeys(shares, 4), **dict.fromkeys(medians, 1), **dict.fromkeys(areas, 6)}
    )
