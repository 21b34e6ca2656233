"""Where a new site could stand: candidates as a network of their own."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from ankang_coverage.region import Region
from ankang_coverage.sites import Network


@dataclass(frozen=True)
class Candidates:
    """Sites that could be built.

    Attributes
    ----------
    network
        The candidates and their cells; an id may name an existing tower that gets new cells.
    reasons
        (n_candidates,) why each is a candidate, indexed by site id.
    """

    network: Network
    reasons: pd.Series


def too_near(sites: gpd.GeoDataFrame, spacing_m: float) -> sparse.csr_array | None:
    """Return which pairs of sites stand nearer to each other than a spacing.

    Parameters
    ----------
    sites
        (n) points in a projected CRS.
    spacing_m
        Smallest distance allowed [m]; None is returned for 0.

    Returns
    -------
    scipy.sparse.csr_array or None
        (n, n) symmetric pattern, int8.
    """
    if spacing_m == 0.0 or len(sites) < 2:
        return None
    points = np.column_stack([sites.geometry.x, sites.geometry.y])
    pairs = cKDTree(points).query_pairs(np.nextafter(spacing_m, 0.0), output_type="ndarray")
    first, second = np.concatenate([pairs, pairs[:, ::-1]]).T
    ones = np.ones(len(first), np.int8)
    pattern = sparse.csr_array((ones, (first, second)), shape=(len(sites), len(sites)))
    pattern.sort_indices()
    return pattern


def locate(sites: gpd.GeoDataFrame, region: Region) -> pd.DataFrame:
    """Return the township and county each site stands in.

    A site outside every township belongs to the nearest one.

    Parameters
    ----------
    sites
        Points in the region's CRS.
    region
        The region.

    Returns
    -------
    pandas.DataFrame
        Indexed like `sites`: ``county``, ``county_name``, ``township``, ``township_name``.
    """
    townships = region.townships.reset_index(names="township")[["township", "county", "geometry"]]
    joined = gpd.sjoin_nearest(sites[["geometry"]], townships, how="left").sort_values("township")
    joined = joined[~joined.index.duplicated()].reindex(sites.index)
    return pd.DataFrame(
        {
            "county": joined["county"],
            "county_name": joined["county"].map(region.counties["name"]),
            "township": joined["township"],
            "township_name": joined["township"].map(region.townships["name"]),
        }
    )


def thin_out(
    x_m: NDArray[np.float64], y_m: NDArray[np.float64], spacing_m: float
) -> NDArray[np.intp]:
    """Return which points stay when each, in order, bars later ones within a spacing.

    Parameters
    ----------
    x_m, y_m
        (n,) positions, best first [m].
    spacing_m
        Distance below which the later of two points is dropped [m].
    """
    points = np.column_stack([x_m, y_m])
    barred = np.zeros(len(points), bool)
    pairs = cKDTree(points).query_pairs(spacing_m, output_type="ndarray")
    for first, second in pairs[np.lexsort(pairs.T[::-1])]:
        if not barred[first]:
            barred[second] = True
    return np.flatnonzero(~barred)
