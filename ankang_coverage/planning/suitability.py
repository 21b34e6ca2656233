"""What rules a place out for something new: slope, forbidden areas, distance from roads."""

from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ankang_coverage.errors import FileError, PlanningError
from ankang_coverage.inputs import require_file
from ankang_coverage.planning.candidate_sources.roads import as_lines
from ankang_coverage.planning.places import OUTSIDE, pixels_at
from ankang_coverage.planning.rules import CandidateSettings
from ankang_coverage.region import Region
from ankang_coverage.region.vectors import faults_of_shapes, read_layer


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
        areas = read_areas(settings.forbidden_areas).to_crs(region.villages.crs)
        within_reach = np.isfinite(areas.bounds.to_numpy()).all(axis=1)
        barred = shapely.STRtree(shapely.make_valid(areas.geometry.to_numpy()[within_reach]))
        inside, _ = barred.query(places.geometry.to_numpy(), predicate="intersects")
        because(np.isin(np.arange(len(places)), inside), "in a forbidden area")
    if settings.farthest_from_road_m is not None and settings.roads is not None:
        lines = shapely.STRtree(as_lines(read_roads(settings.roads)[0], region))
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


def read_areas(path: Path) -> gpd.GeoDataFrame:
    """Read polygons; every one must be well, for a place would be allowed without it.

    Raises
    ------
    FileError
        If the file cannot be read, or a polygon of it cannot be used.
    PlanningError
        If it has no CRS or no polygons.
    """
    areas, wrong = _read_vector(path, "polygon")
    if len(wrong):
        raise FileError(
            f"{path}, feature {wrong.index[0]}: {wrong.iloc[0]} ({len(wrong)} such): mend it, or "
            f"delete it if it is no area"
        )
    return areas


def read_roads(path: Path) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Read lines, and why others cannot be used, by the number of the feature.

    Raises
    ------
    FileError
        If the file cannot be read.
    PlanningError
        If it has no CRS or no lines.
    """
    state = require_file(path).stat()
    return _roads(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1)
def _roads(path: Path, _time: int, _size: int) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Read a file once while it stays the same; nobody changes the table."""
    return _read_vector(path, "line")


def _read_vector(path: Path, kind: str) -> tuple[gpd.GeoDataFrame, pd.Series]:
    layer = read_layer(path)
    if layer.crs is None or shapely.is_missing(layer.shapes).all():
        raise PlanningError(f"{path} has no geometry with a CRS: export it again with its CRS")
    reasons = faults_of_shapes(layer, [kind])
    if not reasons.fine.any():
        raise PlanningError(
            f"none of the {len(layer.table)} features of {path} can be used; the first has "
            f"{reasons.texts[0]}"
        )
    told = pd.Series(reasons.texts, layer.table.index, dtype=object)
    return layer.frame()[reasons.fine], told[~reasons.fine]
