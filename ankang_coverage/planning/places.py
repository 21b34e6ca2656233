"""Places on a region's grid: pixels and their centres, village centres, merged neighbours."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ankang_coverage.region import Region

Pixels = NDArray[np.intp]
Metres = NDArray[np.float64]

OUTSIDE = -1
"""Pixel of a point that is not on the grid."""


def centres(pixels: Pixels, region: Region) -> tuple[Metres, Metres]:
    """Return the coordinates of the centres of pixels.

    Parameters
    ----------
    pixels : numpy.ndarray
        (n,) pixels, numbered row by row.
    region : Region
        Gives the grid.

    Returns
    -------
    x_m, y_m : numpy.ndarray
        (n,) coordinates in the region's CRS [m].
    """
    rows, columns = np.unravel_index(pixels, region.geobox.shape)
    transform = region.geobox.transform
    x_m = transform.c + transform.a * (columns + 0.5)
    y_m = transform.f + transform.e * (rows + 0.5)
    return np.asarray(x_m, np.float64), np.asarray(y_m, np.float64)


def pixels_at(x_m: Metres, y_m: Metres, region: Region) -> Pixels:
    """Return the pixel under each point, `OUTSIDE` where there is none.

    Parameters
    ----------
    x_m, y_m : numpy.ndarray
        (n,) coordinates in the region's CRS [m].
    region : Region
        Gives the grid.

    Returns
    -------
    numpy.ndarray
        (n,) pixels, numbered row by row; `OUTSIDE` where a point is not on the grid.
    """
    transform = region.geobox.transform
    n_rows, n_columns = region.geobox.shape
    columns = np.floor((x_m - transform.c) / transform.a).astype(np.intp)
    rows = np.floor((y_m - transform.f) / transform.e).astype(np.intp)
    inside = (rows >= 0) & (rows < n_rows) & (columns >= 0) & (columns < n_columns)
    return np.where(inside, rows * n_columns + columns, OUTSIDE)


def most_populated_pixels(region: Region) -> Pixels:
    """Return each village's pixel with most of its people, the first of equals.

    Where nobody lives it is the one with most of its area.

    Parameters
    ----------
    region : Region
        Villages and their people.

    Returns
    -------
    numpy.ndarray
        (n_villages,) pixels, numbered row by row.
    """
    people, area = region.shares.people, region.shares.area
    found = np.empty(people.shape[0], np.intp)
    for village in range(people.shape[0]):
        row = slice(people.indptr[village], people.indptr[village + 1])
        amounts = people.data[row] if people.data[row].any() else area.data[row]
        here = people.indices[row][amounts == amounts.max()]
        found[village] = here.min()
    return found


def merged_into(x_m: Metres, y_m: Metres, within_m: float) -> NDArray[np.intp]:
    """Return for each point, best first, the earlier point it is merged into.

    A point that stays merges every later one within the distance into itself.

    Parameters
    ----------
    x_m, y_m : numpy.ndarray
        (n,) positions, best first [m].
    within_m : float
        Distance up to which the later of two points is merged into the earlier [m].

    Returns
    -------
    numpy.ndarray
        (n,) position of the point it is merged into; its own where it stays.

    Examples
    --------
    >>> merged_into(np.array([0.0, 5.0, 9.0]), np.zeros(3), 5.0).tolist()
    [0, 0, 2]
    """
    into = np.arange(len(x_m))
    pairs = cKDTree(np.column_stack([x_m, y_m])).query_pairs(within_m, output_type="ndarray")
    for first, second in pairs[np.lexsort(pairs.T[::-1])].tolist():
        if into[first] == first and into[second] == second:
            into[second] = first
    return into


def as_places(pixels: Pixels, reasons: pd.Series, region: Region) -> gpd.GeoDataFrame:
    """Return the centres of pixels as points with the reason each of them is a candidate.

    Parameters
    ----------
    pixels : numpy.ndarray
        (n,) pixels, numbered row by row.
    reasons : pandas.Series
        (n,) why each is a candidate.
    region : Region
        Gives the grid and the CRS.

    Returns
    -------
    geopandas.GeoDataFrame
        Points with ``reason``.
    """
    return gpd.GeoDataFrame(
        {"reason": reasons.to_numpy(object)},
        geometry=gpd.points_from_xy(*centres(pixels, region)),
        crs=region.villages.crs,
    )
