"""Columns of a plan's tables that say how a row was predicted, and what is synthetic."""

from ankang_coverage.coverage.loss.ground import DEFAULT_CLASS, NO_TERRAIN
from ankang_coverage.planning import Plan
from ankang_coverage.reporting.csv_files import Table


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
