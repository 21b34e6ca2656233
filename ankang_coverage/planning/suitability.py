"""What rules a place out for something new: slope, forbidden areas, distance from roads."""

from pathlib import Path
from typing import NamedTuple, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ankang_coverage.errors import FileError, PlanningError
from ankang_coverage.planning.candidate_sources.roads import as_lines
from ankang_coverage.planning.places import OUTSIDE, pixels_at
from ankang_coverage.planning.rules import CandidateSettings
from ankang_coverage.region import Region
from ankang_coverage.region.vectors import faults_of_shapes, read_layer


class Roads(NamedTuple):
    """A file of roads, read once for all that is done with it.

    Attributes
    ----------
    lines : geopandas.GeoDataFrame
        The roads.
    left_out : pandas.Series
        Why others cannot be used, by the number of the feature.
    """

    lines: gpd.GeoDataFrame
    left_out: pd.Series

    @classmethod
    def of(cls, settings: CandidateSettings) -> Self | None:
        """Read the roads that settings name.

        Parameters
        ----------
        settings : CandidateSettings
            Sources of candidates, farthest distance from a road, and the file.

        Returns
        -------
        Roads or None
            None where there is no file, or nothing that needs it.

        Raises
        ------
        FileError
            If the file cannot be read.
        PlanningError
            If it has no CRS or no lines.
        """
        is_needed = "roads" in settings.sources or settings.farthest_from_road_m is not None
        if settings.roads is None or not is_needed:
            return None
        return cls(*_read_vector(settings.roads, "line"))


def unsuitable(
    places: gpd.GeoDataFrame,
    settings: CandidateSettings,
    region: Region,
    roads: Roads | None = None,
) -> pd.Series:
    """Say why nothing new can be built at places.

    Parameters
    ----------
    places : geopandas.GeoDataFrame
        (n,) points in the region's CRS.
    settings : CandidateSettings
        Limits of slope and distance, and forbidden areas.
    region : Region
        Terrain and grid.
    roads : Roads, optional
        Roads that places may not be too far from.

    Returns
    -------
    pandas.Series
        (n,) the first reason found, blank where there is none, indexed like `places`.

    Raises
    ------
    FileError, PlanningError
        If the file of forbidden areas cannot be used.
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
        texts = [f"slope {deg:.0f}° above {settings.slope_limit_deg:g}°" for deg in slope]
        because(slope > settings.slope_limit_deg, np.array(texts, object))
    if settings.forbidden_areas is not None:
        areas = read_areas(settings.forbidden_areas).to_crs(region.villages.crs)
        within_reach = np.isfinite(areas.bounds.to_numpy()).all(axis=1)
        barred = shapely.STRtree(shapely.make_valid(areas.geometry.to_numpy()[within_reach]))
        inside, _ = barred.query(places.geometry.to_numpy(), predicate="intersects")
        because(np.isin(np.arange(len(places)), inside), "in a forbidden area")
    if settings.farthest_from_road_m is not None and roads is not None:
        lines = shapely.STRtree(as_lines(roads.lines, region))
        (here, _), distance = lines.query_nearest(
            places.geometry.to_numpy(), return_distance=True, all_matches=False
        )
        away = np.full(len(places), np.inf)
        away[here] = distance
        limit = settings.farthest_from_road_m
        texts = [f"{m:.0f} m from the next road, above {limit:g} m" for m in away]
        because(away > limit, np.array(texts, object))
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
    texts = pd.Series(reasons.texts, layer.table.index, dtype=object)
    return layer.frame()[reasons.fine], texts[~reasons.fine]
