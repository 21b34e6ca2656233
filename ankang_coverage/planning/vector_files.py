"""Files of roads and of areas in which nothing is built."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ankang_coverage.errors import FileError, PlanningError
from ankang_coverage.region import Region
from ankang_coverage.region.vectors import faults_of_shapes, read_layer


def read_areas(path: Path) -> gpd.GeoDataFrame:
    """Read polygons; one that cannot be used is an error, because places in it would be allowed.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    geopandas.GeoDataFrame
        The polygons, in the CRS of the file.

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
            f"{path}, feature {wrong.index[0]}: {wrong.iloc[0]} ({len(wrong)} such): repair it, or "
            f"delete it if it is not an area"
        )
    return areas


def read_roads(path: Path) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Read lines, and the reasons why other features cannot be used.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    roads : geopandas.GeoDataFrame
        The lines, in the CRS of the file.
    unusable : pandas.Series
        Reason by number of the feature.

    Raises
    ------
    FileError
        If the file cannot be read.
    PlanningError
        If it has no CRS or no lines.
    """
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
    texts = pd.Series(reasons.texts, layer.table.index, dtype=object)
    return layer.frame()[reasons.fine], texts[~reasons.fine]


def as_lines(roads: gpd.GeoDataFrame, region: Region) -> np.ndarray:
    """Return the single lines of a table in the region's CRS.

    Parameters
    ----------
    roads : geopandas.GeoDataFrame
        Lines in any CRS.
    region : Region
        Gives the CRS.

    Returns
    -------
    numpy.ndarray
        Single lines.

    Raises
    ------
    PlanningError
        If the table has no CRS or holds no line.
    """
    if roads.crs is None:
        raise PlanningError("roads have no CRS: save them with one")
    parts = shapely.get_parts(roads.to_crs(region.villages.crs).geometry.to_numpy())
    lines = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
    lines = lines[
        np.isfinite(shapely.bounds(lines)).all(axis=1)
    ]  # infinite where the CRS does not reach
    if not len(lines):
        raise PlanningError(f"none of the {len(roads)} geometries given as roads is a line")
    return lines
