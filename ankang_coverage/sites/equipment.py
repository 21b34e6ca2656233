"""Equip sites with the cells of a radio layer, as the catalogue describes them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ankang_coverage.sites.catalogue import Catalogue, builtin_catalogue


def equip(
    site_ids: Sequence[str],
    radio_layer_id: str,
    *,
    kind: str = "macro",
    azimuths_deg: ArrayLike,
    height_m: ArrayLike,
    mechanical_tilt_deg: ArrayLike = 0.0,
    electrical_tilt_deg: ArrayLike | None = None,
    load: float | None = None,
    operator: str = "",
    catalogue: Catalogue | None = None,
) -> pd.DataFrame:
    """Return the cells that one radio layer puts on sites.

    Parameters
    ----------
    site_ids
        (n,) ids of the sites.
    radio_layer_id
        Radio layer of the catalogue, such as ``lte-b8``; it gives power and antenna.
    kind
        ``macro`` or ``micro``: which of the layer's powers and antennas is used.
    azimuths_deg
        (k,) or (n, k) boresights of the k sectors [degrees clockwise from north].
    height_m
        (n,) or scalar: antenna height above ground [m].
    mechanical_tilt_deg, electrical_tilt_deg
        (n,) or scalar: downtilts [degrees, down positive]; the electrical one is the antenna's
        own when omitted: that of the file of a measured antenna, 0 of any other.
    load
        Average share of the downlink's resource elements in use; the layer's when omitted.
    operator
        Whose cells they are; blank for everyone's.
    catalogue
        Where the radio layer stands; the built-in one when omitted.

    Returns
    -------
    pandas.DataFrame
        n·k cells with the columns of ``Network.cells``, indexed
        ``<site>-<radio layer>-<sector number>``, site by site.

    Examples
    --------
    >>> cells = equip(["A"], "lte-b8", azimuths_deg=[0, 120, 240], height_m=35.0)
    >>> list(cells.index)
    ['A-lte-b8-1', 'A-lte-b8-2', 'A-lte-b8-3']
    """
    catalogue = catalogue or builtin_catalogue()
    layer = catalogue.radio_layer(radio_layer_id)
    antenna = catalogue.antenna(layer.antenna_for(kind))
    if electrical_tilt_deg is None:
        electrical_tilt_deg = antenna.pattern.electrical_tilt_deg
    n_sites = len(site_ids)
    azimuths = np.atleast_2d(np.asarray(azimuths_deg, np.float64))
    azimuths = np.broadcast_to(azimuths, (n_sites, azimuths.shape[1]))
    n_sectors = azimuths.shape[1]

    def per_cell(values: ArrayLike) -> np.ndarray:
        per_site = np.broadcast_to(np.asarray(values, np.float64), (n_sites,))
        return np.repeat(per_site, n_sectors)

    return pd.DataFrame(
        {
            "site": np.repeat(np.asarray(site_ids, object), n_sectors),
            "radio_layer": radio_layer_id,
            "antenna": antenna.id,
            "height_m": per_cell(height_m),
            "azimuth_deg": azimuths.ravel() % 360.0,
            "mechanical_tilt_deg": per_cell(mechanical_tilt_deg),
            "electrical_tilt_deg": per_cell(electrical_tilt_deg),
            "re_power_dbm": layer.re_power_dbm(kind),
            "load": layer.load if load is None else load,
            "operator": operator,
        },
        index=pd.Index(
            [f"{site}-{radio_layer_id}-{n + 1}" for site in site_ids for n in range(n_sectors)],
            name="cell",
        ),
    )
