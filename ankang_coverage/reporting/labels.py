"""What every row of a plan's tables says of itself: the prediction, and what is synthetic."""

from ankang_coverage.coverage.loss.ground import DEFAULT_CLASS, NO_TERRAIN
from ankang_coverage.planning import Plan
from ankang_coverage.reporting.csv_files import Table


def labelled(plan: Plan, table: Table) -> Table:
    """Say in every row what the figures rest on, such as ``rma, no terrain``.

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
    """Return what of a plan is synthetic.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    list of str
        The ingredients.
    """
    return [source.what for source in plan.sources if source.nature == "synthetic"]


def synthetic_text(plan: Plan) -> str:
    """Return what is synthetic as one text; names of ingredients have commas in them.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    str
        The ingredients, separated by semicolons.
    """
    return "; ".join(synthetic(plan))
