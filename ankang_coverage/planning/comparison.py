"""Two plans side by side."""

from dataclasses import dataclass, fields

import pandas as pd

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.results import Plan
from ankang_coverage.shown import Shown


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """How two plans differ.

    Attributes
    ----------
    targets : pandas.DataFrame
        One row per target, by id: ``sites``, ``cost_yuan``, ``people_gained``,
        ``people_gained_net`` and ``gap`` with the endings ``_a`` and ``_b``; ``sites_in_both``.
    sites : pandas.DataFrame
        One row per chosen site, by programme and id: ``in_a``, ``in_b``, ``county_name``,
        ``people_gained_a``, ``people_gained_b`` (NaN where it was not chosen).
    counties : pandas.DataFrame
        One row per county and service: ``people_covered_a``, ``people_covered_b``,
        ``difference`` (b less a).
    """

    targets: pd.DataFrame
    sites: pd.DataFrame
    counties: pd.DataFrame

    def _figures(self) -> dict[str, object]:
        return {field.name: f"{len(getattr(self, field.name)):,} rows" for field in fields(self)}


def compare(a: Plan, b: Plan) -> Comparison:
    """Compare two plans of one region.

    Parameters
    ----------
    a, b : Plan
        The plans.

    Returns
    -------
    Comparison
        Targets, sites and counties side by side.

    Raises
    ------
    PlanningError
        If the plans are for different counties.
    """
    if not a.counties.index.equals(b.counties.index):
        raise PlanningError(
            f"plans of {a.region.name} and {b.region.name} are for different counties"
        )
    sites = _sites(a, b)
    return Comparison(targets=_targets(a, b, sites), sites=sites, counties=_counties(a, b))


def _sites(a: Plan, b: Plan) -> pd.DataFrame:
    both = []
    for plan in (a, b):
        chosen = pd.DataFrame(plan.chosen.drop(columns="geometry"))
        both.append(chosen.rename_axis("id").reset_index().set_index(["programme", "id"]))
    index = both[0].index.union(both[1].index, sort=True)
    names = both[0]["county_name"].reindex(index)
    return pd.DataFrame(
        {
            "in_a": index.isin(both[0].index),
            "in_b": index.isin(both[1].index),
            "county_name": names.where(names.notna(), both[1]["county_name"].reindex(index)),
            "people_gained_a": both[0]["people_gained"].reindex(index),
            "people_gained_b": both[1]["people_gained"].reindex(index),
        },
        index=index,
    )


def _targets(a: Plan, b: Plan, sites: pd.DataFrame) -> pd.DataFrame:
    tables = []
    for plan, ending in ((a, "_a"), (b, "_b")):
        rows = {
            result.target.id: {
                "sites": len(result.selection.chosen),
                "cost_yuan": result.cost_yuan,
                "people_gained": result.people_gained,
                "people_gained_net": result.people_gained_net,
                "gap": result.gap,
            }
            for result in plan.results
        }
        tables.append(pd.DataFrame.from_dict(rows, orient="index").add_suffix(ending))
    joined = tables[0].join(tables[1], how="outer").rename_axis("programme")
    in_both = (sites["in_a"] & sites["in_b"]).groupby(level="programme").sum()
    return joined.assign(sites_in_both=in_both.reindex(joined.index, fill_value=0))


def _counties(a: Plan, b: Plan) -> pd.DataFrame:
    services = [service for service in a.coverage_after if service in b.coverage_after]
    tables = []
    for service in services:
        column = f"people_covered_{service}_after"
        table = pd.DataFrame(
            {
                "service": service,
                "county_name": a.counties["name"],
                "people_covered_a": a.counties[column],
                "people_covered_b": b.counties[column],
            }
        )
        tables.append(
            table.assign(difference=table["people_covered_b"] - table["people_covered_a"])
        )
    return pd.concat(tables).rename_axis("county")
