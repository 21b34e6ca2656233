"""What rules a place out for something new: slope, forbidden areas, distance from roads."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray

from ankang_coverage.errors import FileError, PlanningError
from ankang_coverage.planning.candidate_sources.roads import as_lines
from ankang_coverage.planning.places import OUTSIDE, pixels_at
from ankang_coverage.planning.rules import CandidateSettings
from ankang_coverage.region import Region


def unsuitable(places: gpd.GeoDataFrame, settings: CandidateSettings, region: Region) -> pd.Series:
    """Say why nothing new can be built at places.

    Parameters
    ----------
    places
        (n,) points in the region's CRS.
    settings
        Limits of slope and distance, forbidden areas, roads.
    region
        Terrain and grid.

    Returns
    -------
    pandas.Series
        (n,) the first reason found, blank where there is none, indexed like `places`.
    """
    x_m, y_m = places.geometry.x.to_numpy(), places.geometry.y.to_numpy()
    pixels = pixels_at(x_m, y_m, region)
    reasons = np.full(len(places), "", dtype=object)

    def because(where: NDArray[np.bool_], texts: NDArray[np.object_] | str) -> None:
        new = where & (reasons == "")
        reasons[new] = texts if isinstance(texts, str) else texts[new]

    because(pixels == OUTSIDE, "outside the region's grid")
    if settings.slope_limit_deg is not None:
        slope = slope_deg(region).ravel()[np.maximum(pixels, 0)]
        told = [f"slope {one:.0f}° above {settings.slope_limit_deg:g}°" for one in slope]
        because(slope > settings.slope_limit_deg, np.array(told, object))
    if settings.forbidden_areas is not None:
        areas = read_vector(settings.forbidden_areas).to_crs(region.villages.crs)
        barred = shapely.union_all(shapely.make_valid(areas.geometry.to_numpy()))
        because(shapely.intersects_xy(barred, x_m, y_m), "in a forbidden area")
    if settings.farthest_from_road_m is not None and settings.roads is not None:
        lines = shapely.STRtree(as_lines(read_vector(settings.roads), region))
        (here, _), distance = lines.query_nearest(
            places.geometry.to_numpy(), return_distance=True, all_matches=False
        )
        away = np.full(len(places), np.inf)
        away[here] = distance
        limit = settings.farthest_from_road_m
        told = [f"{one:.0f} m from the next road, above {limit:g} m" for one in away]
        because(away > limit, np.array(told, object))
    return pd.Series(reasons, index=places.index, name="reason")


def slope_deg(region: Region) -> NDArray[np.float64]:
    """Return the slope of the ground at every pixel, (y, x) [degrees]; NaN where unknown.

    Central differences over two pixels: the coarser the grid, the gentler it looks.
    """
    elevation = region.rasters["elevation_m"].to_numpy().astype(np.float64)
    down, across = np.gradient(elevation, region.geobox.resolution.x)
    return np.degrees(np.arctan(np.hypot(down, across)))


def read_vector(path: Path) -> gpd.GeoDataFrame:
    """Read a vector file with a CRS.

    Raises
    ------
    FileError
        If the file cannot be read.
    PlanningError
        If it has no CRS or no geometry.
    """
    try:
        frame = pyogrio.read_dataframe(path)
    except (pyogrio.errors.DataSourceError, OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read {path} as a vector file: {error}") from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None or frame.geometry.isna().all():
        raise PlanningError(f"{path} has no geometry with a CRS: export it again with its CRS")
    return frame
