"""Places along roads."""

from typing import ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.sources.base import BY_A_ROAD, CandidateSource, PlaceSearch
from ankang_coverage.planning.vector_files import as_lines
from ankang_coverage.region import Region
from ankang_coverage.settings import Number
from ankang_coverage.words import Words

MOST_PLACES = 1_000_000
"""Most places along roads; more of them mean that the lines are not roads."""


class Roads(CandidateSource):
    """Places along the roads of a file."""

    name = "roads"
    description = "every `road_spacing_m` along the lines of the file `roads` (`by_a_road`)"
    words: ClassVar = {BY_A_ROAD: Words("沿路", "by a road")}

    road_spacing_m: Number = Field(default=500.0, ge=50.0, le=20_000.0)
    """Distance between candidates along a road [m]."""

    def problem(self, roads_are_given: bool) -> str | None:
        """Return which key is missing.

        Parameters
        ----------
        roads_are_given : bool
            Whether there is a file of roads.

        Returns
        -------
        str or None
            ``roads`` where there is no such file.
        """
        return None if roads_are_given else "roads"

    def places(self, search: PlaceSearch) -> gpd.GeoDataFrame:
        """Return places along roads.

        Parameters
        ----------
        search : PlaceSearch
            Region, network, and what is to be built.

        Returns
        -------
        geopandas.GeoDataFrame
            As `places_along`.
        """
        if search.roads is None:
            raise PlanningError(f"target {search.target.id}: source 'roads' needs a file of roads")
        return places_along(search.roads, self.road_spacing_m, search.region)


def places_along(roads: gpd.GeoDataFrame, spacing_m: float, region: Region) -> gpd.GeoDataFrame:
    """Return places along roads, one every so many metres.

    Parameters
    ----------
    roads : geopandas.GeoDataFrame
        Lines in any CRS.
    spacing_m : float
        Distance between places along a road, whose two ends are places too [m].
    region : Region
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
