"""Places along roads."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ankang_coverage.errors import PlanningError
from ankang_coverage.region import Region

BY_A_ROAD = "by a road"
"""Reason of a place along a road."""
MOST_PLACES = 1_000_000
"""Places along roads; more come from lines that are no roads."""


def places_along(roads: gpd.GeoDataFrame, spacing_m: float, region: Region) -> gpd.GeoDataFrame:
    """Return places along roads, one every so many metres.

    Parameters
    ----------
    roads
        Lines in any CRS.
    spacing_m
        Distance between places along a road, whose two ends are places too [m].
    region
        Gives the CRS; roads are cut to its counties.

    Returns
    -------
    geopandas.GeoDataFrame
        Points with ``reason`` `BY_A_ROAD`, road by road.

    Raises
    ------
    PlanningError
        If the table has no CRS, holds no line, or there would be more than `MOST_PLACES`.
    """
    lines = as_lines(roads, region)
    inside = shapely.union_all(region.counties.geometry.to_numpy())
    parts = shapely.get_parts(shapely.intersection(lines, inside))
    parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
    length_m = float(shapely.length(parts).sum())
    if length_m / spacing_m > MOST_PLACES:
        raise PlanningError(
            f"the roads are {length_m / 1000.0:,.0f} km long, which makes more than "
            f"{MOST_PLACES:,} places: give fewer roads, or a larger road_spacing_m"
        )
    points: list[shapely.Point] = []
    for line in parts:
        n_steps = max(int(np.ceil(line.length / spacing_m)), 1)
        points += [line.interpolate(n / n_steps, normalized=True) for n in range(n_steps + 1)]
    return gpd.GeoDataFrame(
        {"reason": pd.Series(BY_A_ROAD, index=range(len(points)))},
        geometry=gpd.GeoSeries(points, crs=region.villages.crs),
    )


def as_lines(roads: gpd.GeoDataFrame, region: Region) -> np.ndarray:
    """Return the single lines of a table in the region's CRS.

    Raises
    ------
    PlanningError
        If the table has no CRS or holds no line.
    """
    if roads.crs is None:
        raise PlanningError("roads have no CRS: save them with one")
    parts = shapely.get_parts(roads.to_crs(region.villages.crs).geometry.to_numpy())
    lines = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
    lines = lines[np.isfinite(shapely.bounds(lines)).all(axis=1)]  # others are a world away
    if not len(lines):
        raise PlanningError(f"none of the {len(roads)} geometries given as roads is a line")
    return lines
