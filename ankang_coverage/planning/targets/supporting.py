"""5G supporting sites (5G配套站址): existing towers that get a technology they lack."""

import numpy as np
import pandas as pd

from ankang_coverage.planning.candidates import Candidates
from ankang_coverage.planning.programme import Target
from ankang_coverage.sites import Network, equip, no_rejections
from ankang_coverage.sites.catalogue import services


def supporting_candidates(network: Network, target: Target) -> Candidates:
    """Return the macro towers without the target's service, equipped with it.

    New cells take height, azimuths and tilts of the tower's first radio layer, as antennas on one
    frame do.

    Parameters
    ----------
    network
        Existing sites.
    target
        Service and radio layers to add.

    Returns
    -------
    Candidates
        Sites under their existing ids, with only the new cells.
    """
    layers = services()[target.service].radio_layers
    served = network.cells.loc[network.cells["radio_layer"].isin(layers), "site"]
    lacking = network.sites["kind"].eq("macro") & ~network.sites.index.isin(served)
    has_cells = network.sites.index.isin(network.cells["site"])
    sites = network.sites[lacking & has_cells].sort_index()
    cells = [_on_same_frame(network, sites.index, layer) for layer in target.radio_layers]
    return Candidates(
        network=Network(
            sites=sites.assign(status="candidate"),
            cells=pd.concat(cells) if cells else network.cells.iloc[:0],
            rejected=no_rejections(),
        ),
        reasons=pd.Series(f"existing tower without {target.service}", index=sites.index),
    )


def _on_same_frame(network: Network, site_ids: pd.Index, layer: str) -> pd.DataFrame:
    frames = network.cells[network.cells["site"].isin(site_ids)]
    first_layer = frames.groupby("site")["radio_layer"].transform("first")
    # Users' tables need not keep the rows of a tower together.
    frames = frames[frames["radio_layer"] == first_layer].sort_values("site", kind="stable")
    equipped = []
    for n_sectors, group in frames.groupby(frames.groupby("site")["site"].transform("size")):
        ids = group["site"].unique()
        head = group.groupby("site", sort=False).first().loc[ids]
        equipped.append(
            equip(
                list(ids),
                layer,
                azimuths_deg=group["azimuth_deg"].to_numpy().reshape(-1, int(n_sectors)),
                height_m=head["height_m"].to_numpy(np.float64),
                mechanical_tilt_deg=head["mechanical_tilt_deg"].to_numpy(np.float64),
                electrical_tilt_deg=head["electrical_tilt_deg"].to_numpy(np.float64),
            )
        )
    return pd.concat(equipped) if equipped else network.cells.iloc[:0]
