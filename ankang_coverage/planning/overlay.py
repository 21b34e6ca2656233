"""A plan's tables: the chosen sites, and every division before and after."""

from collections.abc import Iterable, Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from ankang_coverage.coverage import ClassLimits, Coverage
from ankang_coverage.planning.candidates import locate
from ankang_coverage.planning.explanation import REASONS_LEFT
from ankang_coverage.planning.results import TargetResult
from ankang_coverage.region import Region
from ankang_coverage.region.coordinates import WGS84

LEVELS = ("villages", "townships", "counties")
FIGURES = (
    "people_covered",
    "people_share",
    "area_covered_km2",
    "area_share",
    "median_rsrp_dbm",
    "coverage_class",
    "best_site",
)

Summary = Mapping[str, gpd.GeoDataFrame]
"""The divisions of each level with the figures of one service."""


def chosen_sites(results: Iterable[TargetResult], region: Region) -> gpd.GeoDataFrame:
    """Return the sites that targets chose, in order of choice.

    Parameters
    ----------
    results : iterable of TargetResult
        What the targets chose.
    region : Region
        Gives the divisions the sites are in.

    Returns
    -------
    geopandas.GeoDataFrame
        As `Plan.chosen`.
    """
    tables = [_chosen_table(result, region) for result in results]
    return gpd.GeoDataFrame(pd.concat(tables), geometry="geometry", crs=region.villages.crs)


def division_tables(
    before: Mapping[str, Coverage],
    after: Mapping[str, Coverage],
    summaries: Mapping[str, Summary],
    limits: ClassLimits,
) -> dict[str, gpd.GeoDataFrame]:
    """Return the figures of every division before and after.

    Parameters
    ----------
    before, after : mapping of str to Coverage
        Coverage by service.
    summaries : mapping of str to mapping
        Complete summaries after, by service and level, where there are any already.
    limits : ClassLimits
        Shares of people that make a division covered or not covered.

    Returns
    -------
    dict
        By level: as `Plan.villages`, `Plan.townships` and `Plan.counties`.
    """
    tables: dict[str, gpd.GeoDataFrame] = {}
    for service, coverage in before.items():
        _add_figures(tables, coverage.summarise(limits=limits), FIGURES, service, "before")
    for service, coverage in after.items():
        summary = summaries.get(service) or coverage.summarise(limits=limits, complete=True)
        _add_figures(tables, summary, (*FIGURES, *REASONS_LEFT), service, "after")
    return tables


def _add_figures(
    tables: dict[str, gpd.GeoDataFrame],
    summary: Mapping[str, gpd.GeoDataFrame],
    figures: Sequence[str],
    service_id: str,
    state: str,
) -> None:
    """Add the columns of one service and state to the tables."""
    for level, table in summary.items():
        base = tables.get(level, table.drop(columns=list(figures)))
        named = table[list(figures)].add_suffix(f"_{service_id}_{state}")
        tables[level] = gpd.GeoDataFrame(
            pd.concat([base, named], axis=1), geometry="geometry", crs=table.crs
        )


def _chosen_table(result: TargetResult, region: Region) -> gpd.GeoDataFrame:
    sites = result.candidates.network.sites.iloc[result.selection.chosen]
    table = result.candidates.table.loc[sites.index]
    lonlat = sites.to_crs(WGS84).geometry
    curve = result.explanation.curve.set_index("id")
    return gpd.GeoDataFrame(
        {
            "programme": result.target.id,
            "order": np.arange(1, len(sites) + 1),
            "name": sites["name"],
            "service": result.target.service,
            "kind": sites["kind"],
            "construction": table["construction"],
            "owner": table["owner"],
            **locate(sites, region),
            "longitude": lonlat.x.round(6),
            "latitude": lonlat.y.round(6),
            "people_gained": curve["people_gained"],
            "people_gained_total": curve["people_gained_total"],
            "cost_yuan": curve["cost_yuan"],
            "cost_yuan_total": curve["cost_yuan_total"],
            "reason": table["reason"],
            "source": "synthetic" if region.is_synthetic else sites["source"],
        },
        geometry=sites.geometry,
        index=sites.index,
    )
