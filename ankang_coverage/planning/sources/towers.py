"""Existing towers of any operator: new antennas on an existing mast (co-location)."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from ankang_coverage.planning.candidates import Candidates, nothing_dropped
from ankang_coverage.planning.costs import UnitPrices
from ankang_coverage.planning.sources.base import CandidateSource, PlaceSearch, no_places
from ankang_coverage.sites import Network, make_cells, no_rejections


class Towers(CandidateSource):
    """Towers that carry none of the target's radio layers."""

    name = "towers"
    description = (
        "existing towers that carry none of the target's `radio_layers` "
        "(`existing_tower_without_…`)"
    )

    def places(self, search: PlaceSearch) -> gpd.GeoDataFrame:
        """Return no place, because nothing new is built.

        Parameters
        ----------
        search : PlaceSearch
            Region, network, and what is to be built.

        Returns
        -------
        geopandas.GeoDataFrame
            No row.
        """
        return no_places(search.region)

    def on_towers(self, search: PlaceSearch) -> Candidates:
        """Return the towers that carry none of the target's radio layers.

        Parameters
        ----------
        search : PlaceSearch
            Region, network, and what is to be built.

        Returns
        -------
        Candidates
            Towers under their own ids, with only the new cells.
        """
        network, target = search.network, search.target
        towers = towers_without(network, target.radio_layers, target.radio_layers)
        prices = UnitPrices.from_yaml(target.candidates.costs)
        lacked = " or ".join(target.radio_layers)
        return Candidates(
            network=towers,
            table=co_location(network, towers, lacked, prices),
            dropped=nothing_dropped(),
        )


def towers_without(
    network: Network,
    lacked: Sequence[str],
    added: Sequence[str],
    *,
    also: Sequence[str] = (),
) -> Network:
    """Return the towers that carry none of some radio layers, equipped with others.

    New cells take height, azimuths and tilts of the tower's first radio layer, as antennas on one
    mast do.

    Parameters
    ----------
    network : Network
        Existing sites.
    lacked : sequence of str
        Radio layers; a tower with a cell of any of them is left out.
    added : sequence of str
        Radio layers that every tower gets.
    also : sequence of str, optional
        Ids of sites that count as towers although they are not macro.

    Returns
    -------
    Network
        Sites under their existing ids, sorted, with only the new cells.
    """
    sites, cells = network.sites, network.cells
    served = cells.loc[cells["radio_layer"].isin(lacked), "site"]
    is_tower = sites["kind"].eq("macro") | sites.index.isin(list(also))
    has_cells = sites.index.isin(cells["site"])
    lacking = sites[is_tower & has_cells & ~sites.index.isin(served)].sort_index()
    return Network(
        sites=lacking.assign(status="candidate"),
        cells=pd.concat([_on_same_frame(network, lacking, layer) for layer in added]),
        rejected=no_rejections(),
        catalogue=network.catalogue,
    )


def owners(network: Network) -> pd.Series:
    """Return who owns each site: the column ``owner``, or else the operators of its cells.

    Parameters
    ----------
    network : Network
        Sites and cells.

    Returns
    -------
    pandas.Series
        Owner by site id; blank where unknown.
    """
    sites, cells = network.sites, network.cells
    if "owner" in sites:
        return sites["owner"].fillna("").astype(str)
    if "operator" not in cells:
        return pd.Series("", index=sites.index)
    named = cells[cells["operator"].fillna("") != ""].groupby("site")["operator"]
    joined = named.agg(lambda of: "+".join(sorted(set(of))))
    return joined.reindex(sites.index).fillna("")


def co_location(network: Network, towers: Network, lacked: str, prices: UnitPrices) -> pd.DataFrame:
    """Return the table of candidates that share a tower.

    Parameters
    ----------
    network : Network
        Existing sites, for their owners.
    towers : Network
        The towers.
    lacked : str
        What they lack, for the reason.
    prices : UnitPrices
        Unit prices.

    Returns
    -------
    pandas.DataFrame
        As `Candidates.table`.
    """
    index = towers.sites.index
    nothing = np.zeros(len(index))
    return pd.DataFrame(
        {
            "construction": "co-location",
            "cost_yuan": prices.of(np.full(len(index), "co-location", object), nothing, nothing),
            "owner": owners(network).reindex(index).fillna(""),
            "reason": f"existing_tower_without_{lacked}",
        },
        index=index,
    )


def _on_same_frame(network: Network, sites: pd.DataFrame, layer: str) -> pd.DataFrame:
    frames = network.cells[network.cells["site"].isin(sites.index)]
    first_layer = frames.groupby("site")["radio_layer"].transform("first")
    # In a user's table the rows of a tower need not be adjacent.
    frames = frames[frames["radio_layer"] == first_layer].sort_values("site", kind="stable")
    n_sectors = frames.groupby("site")["site"].transform("size")
    is_micro = frames["site"].map(sites["kind"]).eq("micro")
    equipped = []
    for kind, those in (("macro", frames[~is_micro]), ("micro", frames[is_micro])):
        for count, group in those.groupby(n_sectors):
            ids = group["site"].unique()
            head = group.groupby("site", sort=False).first().loc[ids]
            azimuths = group["azimuth_deg"].to_numpy()
            equipped.append(
                make_cells(
                    list(ids),
                    layer,
                    kind=kind,
                    azimuths_deg=azimuths.reshape(-1, int(count)),
                    height_m=head["height_m"].to_numpy(np.float64),
                    mechanical_tilt_deg=head["mechanical_tilt_deg"].to_numpy(np.float64),
                    electrical_tilt_deg=head["electrical_tilt_deg"].to_numpy(np.float64),
                    catalogue=network.catalogue,
                )
            )
    return pd.concat(equipped) if equipped else network.cells.iloc[:0]
