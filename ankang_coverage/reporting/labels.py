"""Columns of a plan's tables that say how a row was predicted, and what is synthetic."""

import pandas as pd

from ankang_coverage.coverage.loss.ground import DEFAULT_CLASS, NO_TERRAIN
from ankang_coverage.planning import Plan
from ankang_coverage.reporting.csv_files import Table
from ankang_coverage.sites.extra_columns import distinct_names

NAMES_OF_GDAL = ("fid", "geom")
"""Columns that GDAL adds to each layer of a GeoPackage."""


def labelled(plan: Plan, table: Table) -> Table:
    """Add to every row what the figures are based on, such as ``rma, no terrain``.

    Parameters
    ----------
    plan : Plan
        The plan.
    table : pandas.DataFrame
        One of its tables.

    Returns
    -------
    pandas.DataFrame
        The table with the column ``prediction``.
    """
    coverage = next(iter(plan.coverage_after.values()))
    terrain = "no terrain" if coverage.terrain == NO_TERRAIN else f"over {coverage.terrain}"
    cover = ", default land cover" if coverage.land_cover == DEFAULT_CLASS else ""
    return table.assign(
        prediction=f"{coverage.propagation.path_loss_model.identity}, {terrain}{cover}"
    )


def synthetic(plan: Plan) -> list[str]:
    """Return which data of a plan are synthetic.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    list of str
        The data.
    """
    return [source.what for source in plan.sources if source.nature == "synthetic"]


def synthetic_text(plan: Plan) -> str:
    """Return what is synthetic as one text.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    str
        The data, separated by semicolons because their names have commas.
    """
    return "; ".join(synthetic(plan))


def with_columns_of_sites(plan: Plan, table: Table) -> Table:
    """Add what the user's table says of the sites that stand already.

    Parameters
    ----------
    plan : Plan
        The plan.
    table : pandas.DataFrame
        Sites, whose ids stand in the column ``id``.

    Returns
    -------
    pandas.DataFrame
        The table; behind its own columns those of the user, where any of its sites stands.
    """
    network = plan.network
    added = network.extra_columns("sites")
    if not added or not table["id"].isin(network.sites.index).any():
        return table
    names = distinct_names(added, [*table, *NAMES_OF_GDAL])
    known = pd.DataFrame(network.sites)[added].reindex(table["id"]).set_axis(names, axis=1)
    return table.assign(**{name: known[name].array for name in names})
