"""Candidates: sites that could be built, as a network of their own, each with its cost."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from ankang_coverage.planning.places import merged_into
from ankang_coverage.region import Region
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.shown import Shown
from ankang_coverage.sites import Network

DROPPED_COLUMNS = ("id", "construction", "source", "longitude", "latitude", "reason")


@dataclass(frozen=True, repr=False)
class Candidates(Shown):
    """Sites that could be built.

    Attributes
    ----------
    network : Network
        The candidates and their cells; an id may name an existing tower that gets new cells.
    table : pandas.DataFrame
        One row per candidate, indexed like the network's sites: ``construction`` (pole, tower or
        co-location), ``cost_yuan`` (whole), ``owner``, ``reason`` it exists.
    dropped : pandas.DataFrame
        Places that were dropped: ``id``, ``construction``, ``source`` (the reason it was proposed),
        ``longitude``, ``latitude`` (WGS-84), ``reason`` it was dropped.
    """

    network: Network
    table: pd.DataFrame
    dropped: pd.DataFrame

    def _figures(self) -> dict[str, object]:
        reasons = self.table["reason"].value_counts()
        return {
            "candidates": f"{len(self):,}",
            "reasons": ", ".join(f"{reason} {n:,}" for reason, n in reasons.items()),
            "dropped": f"{len(self.dropped):,}",
        }

    @property
    def reasons(self) -> pd.Series:
        """Why each is a candidate, by site id."""
        return self.table["reason"]

    def __len__(self) -> int:
        return len(self.table)

    def only(self, wanted: NDArray[np.bool_], because: str | None = None) -> "Candidates":
        """Return some of the candidates; the others move to the dropped ones with a reason.

        Parameters
        ----------
        wanted : numpy.ndarray
            (n_candidates,) True for those to keep.
        because : str, optional
            Why the others are dropped; without a reason they are not listed.

        Returns
        -------
        Candidates
            The candidates to keep.
        """
        ids = self.table.index[wanted]
        dropped = self.dropped
        if because is not None and not wanted.all():
            gone = self.network.sites[~wanted]
            dropped = pd.concat([dropped, dropped_rows(gone, self.table[~wanted], because)])
        return Candidates(
            network=replace(
                self.network,
                sites=self.network.sites.loc[ids],
                cells=self.network.cells[self.network.cells["site"].isin(ids)],
            ),
            table=self.table.loc[ids],
            dropped=dropped.reset_index(drop=True),
        )


def dropped_rows(
    sites: gpd.GeoDataFrame, table: pd.DataFrame, because: str | Sequence[str] | pd.Series
) -> pd.DataFrame:
    """Return rows of ``Candidates.dropped``.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        (n,) points.
    table : pandas.DataFrame
        (n,) rows with ``construction`` and ``reason``, indexed by id.
    because : str or sequence of str or pandas.Series
        Why they are dropped, once or for each.

    Returns
    -------
    pandas.DataFrame
        One row per site, with the columns `DROPPED_COLUMNS`.
    """
    lonlat = sites.geometry.to_crs(WGS84)
    return pd.DataFrame(
        {
            "id": table.index.to_numpy(object),
            "construction": table["construction"].to_numpy(object),
            "source": table["reason"].to_numpy(object),
            "longitude": lonlat.x.to_numpy().round(6),
            "latitude": lonlat.y.to_numpy().round(6),
            "reason": because if isinstance(because, str) else np.asarray(because, object),
        }
    )


def nothing_dropped() -> pd.DataFrame:
    """Return the empty table of dropped places.

    Returns
    -------
    pandas.DataFrame
        No row, with the columns `DROPPED_COLUMNS`.
    """
    return pd.DataFrame({column: pd.Series(dtype=object) for column in DROPPED_COLUMNS})


def merge(candidates: Candidates, within_m: float, pinned: Collection[str] = ()) -> Candidates:
    """Merge candidates that are close to each other: the cheaper one stays, else the earlier.

    Parameters
    ----------
    candidates : Candidates
        In order of preference among equally cheap ones.
    within_m : float
        Distance up to which two candidates are merged [m].
    pinned : collection of str, optional
        Ids that stay in any case.

    Returns
    -------
    Candidates
        Those that stay, in their order; each dropped one names the candidate that replaced it.
    """
    sites, table = candidates.network.sites, candidates.table
    is_pinned = table.index.isin(list(pinned))
    order = np.lexsort((np.arange(len(table)), table["cost_yuan"].to_numpy(), ~is_pinned))
    x_m, y_m = sites.geometry.x.to_numpy()[order], sites.geometry.y.to_numpy()[order]
    into = merged_into(x_m, y_m, within_m)
    stays = np.zeros(len(table), bool)
    stays[order[into == np.arange(len(order))]] = True
    stays |= is_pinned
    keeper = np.empty(len(table), object)
    keeper[order] = table.index.to_numpy(object)[order[into]]
    texts = [f"within {within_m:g} m of {id_}" for id_ in keeper[~stays]]
    rest = candidates.only(stays)
    gone = dropped_rows(sites[~stays], table[~stays], texts)
    return replace(rest, dropped=pd.concat([rest.dropped, gone], ignore_index=True))


def too_near(sites: gpd.GeoDataFrame, spacing_m: float) -> sparse.csr_array | None:
    """Return which pairs of sites are closer to each other than a minimum spacing.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        (n) points in a projected CRS.
    spacing_m : float
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
    """Return the township and county of each site.

    A site outside every township belongs to the nearest one.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points in the region's CRS.
    region : Region
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
