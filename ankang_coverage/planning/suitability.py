"""Where nothing can be built: slope, forbidden areas, distance from roads."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ankang_coverage.planning.places import OUTSIDE, pixels_at
from ankang_coverage.planning.sources.settings import CandidateSettings
from ankang_coverage.planning.vector_files import as_lines, read_areas
from ankang_coverage.region import Region


def unsuitable(
    places: gpd.GeoDataFrame,
    settings: CandidateSettings,
    region: Region,
    roads: gpd.GeoDataFrame | None,
) -> pd.Series:
    """Return why nothing can be built at places.

    Parameters
    ----------
    places : geopandas.GeoDataFrame
        (n,) points in the region's CRS.
    settings : CandidateSettings
        Limits of slope and distance, forbidden areas.
    region : Region
        Terrain and grid.
    roads : geopandas.GeoDataFrame or None
        Lines of the file of roads, where it is used.

    Returns
    -------
    pandas.Series
        (n,) the first reason found, blank where there is none, indexed like `places`.
    """
    x_m, y_m = places.geometry.x.to_numpy(), places.geometry.y.to_numpy()
    pixels = pixels_at(x_m, y_m, region)
    reasons = np.full(len(places), "", dtype=object)

    def reject(where: NDArray[np.bool_], texts: NDArray[np.object_] | str) -> None:
        new = where & (reasons == "")
        reasons[new] = texts if isinstance(texts, str) else texts[new]

    reject(pixels == OUTSIDE, "outside the region's grid")
    if settings.slope_limit_deg is not None:
        slope = slope_deg(region).ravel()[np.maximum(pixels, 0)]
        texts = [f"slope {angle:.0f}° above {settings.slope_limit_deg:g}°" for angle in slope]
        reject(slope > settings.slope_limit_deg, np.array(texts, object))
    if settings.forbidden_areas is not None:
        areas = read_areas(settings.forbidden_areas).to_crs(region.villages.crs)
        within_reach = np.isfinite(areas.bounds.to_numpy()).all(axis=1)
        barred = shapely.STRtree(shapely.make_valid(areas.geometry.to_numpy()[within_reach]))
        inside, _ = barred.query(places.geometry.to_numpy(), predicate="intersects")
        reject(np.isin(np.arange(len(places)), inside), "in a forbidden area")
    if settings.farthest_from_road_m is not None and roads is not None:
        lines = shapely.STRtree(as_lines(roads, region))
        (here, _), distance = lines.query_nearest(
            places.geometry.to_numpy(), return_distance=True, all_matches=False
        )
        away = np.full(len(places), np.inf)
        away[here] = distance
        limit = settings.farthest_from_road_m
        texts = [f"{metres:.0f} m from the next road, above {limit:g} m" for metres in away]
        reject(away > limit, np.array(texts, object))
    return pd.Series(reasons, index=places.index, name="reason")


def slope_deg(region: Region) -> NDArray[np.float64]:
    """Return the slope of the ground at every pixel.

    Central differences over two pixels are used, so a coarse grid looks gentler than it is.

    Parameters
    ----------
    region : Region
        Terrain and grid.

    Returns
    -------
    numpy.ndarray
        (y, x) slope [degrees]; NaN where the ground is unknown.
    """
    elevation = region.rasters["elevation_m"].to_numpy().astype(np.float64)
    down, across = np.gradient(elevation, region.geobox.resolution.x)
    return np.degrees(np.arctan(np.hypot(down, across)))
