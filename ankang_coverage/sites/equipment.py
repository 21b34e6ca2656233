"""Cells that a radio layer puts on sites, as the catalogue describes them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ankang_coverage.errors import NetworkError
from ankang_coverage.sites.catalogue import Catalogue, builtin_catalogue
from ankang_coverage.sites.schema import builtin_schema


def make_cells(
    site_ids: str | Sequence[str],
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
    site_ids : str or sequence of str
        (n,) ids of the sites.
    radio_layer_id : str
        Radio layer of the catalogue, such as ``lte-b8``; it gives power and antenna.
    kind : str
        ``macro`` or ``micro``: which of the layer's powers and antennas is used.
    azimuths_deg : array_like
        (k,) or (n, k) boresights of the k sectors [degrees clockwise from north].
    height_m : array_like
        (n,) or scalar: antenna height above ground [m].
    mechanical_tilt_deg, electrical_tilt_deg : array_like
        (n,) or scalar: downtilts [degrees, down positive]; the electrical one is the antenna's
        own when omitted: that of the file of a measured antenna, 0 of any other.
    load : float, optional
        Average share of the downlink's resource elements in use; the layer's when omitted.
    operator : str
        Whose cells they are; blank for everyone's.
    catalogue : Catalogue, optional
        Where the radio layer stands; the built-in one when omitted.

    Returns
    -------
    pandas.DataFrame
        n·k cells with the columns of ``Network.cells``, indexed
        ``<site>-<radio layer>-<sector number>``, site by site.

    Examples
    --------
    >>> cells = make_cells(["A"], "lte-b8", azimuths_deg=[0, 120, 240], height_m=35.0)
    >>> list(cells.index)
    ['A-lte-b8-1', 'A-lte-b8-2', 'A-lte-b8-3']
    """
    sites = np.atleast_1d(np.asarray(site_ids, object))
    catalogue = catalogue or builtin_catalogue()
    layer = catalogue.radio_layer(radio_layer_id)
    antenna = catalogue.antenna(layer.antenna_for(kind))
    if electrical_tilt_deg is None:
        electrical_tilt_deg = antenna.pattern.electrical_tilt_deg
    azimuths = _by_sector(azimuths_deg, len(sites))
    values = {
        "site": np.repeat(sites, azimuths.shape[1]),
        "radio_layer": radio_layer_id,
        "antenna": antenna.id,
        "height_m": _by_cell("height_m", height_m, azimuths.shape),
        "azimuth_deg": azimuths.ravel() % 360.0,
        "mechanical_tilt_deg": _by_cell("mechanical_tilt_deg", mechanical_tilt_deg, azimuths.shape),
        "electrical_tilt_deg": _by_cell("electrical_tilt_deg", electrical_tilt_deg, azimuths.shape),
        "re_power_dbm": layer.re_power_dbm(kind),
        "load": layer.load if load is None else load,
        "operator": operator,
    }
    sectors = range(1, azimuths.shape[1] + 1)
    ids = [f"{site}-{radio_layer_id}-{number}" for site in sites for number in sectors]
    cells = pd.DataFrame(values, index=pd.Index(ids, name="cell"))
    return builtin_schema().completed("cells", cells, pd.Series(kind, index=cells.index))


def _by_sector(azimuths_deg: ArrayLike, n_sites: int) -> np.ndarray:
    """Return (sites, sectors) azimuths."""
    azimuths = np.atleast_2d(np.asarray(azimuths_deg, np.float64))
    if azimuths.ndim > 2 or azimuths.shape[0] not in (1, n_sites):
        raise NetworkError(
            f"azimuths_deg has the shape {np.shape(azimuths_deg)}: give one row of them, or "
            f"one for each of {n_sites} sites"
        )
    return np.broadcast_to(azimuths, (n_sites, azimuths.shape[1]))


def _by_cell(name: str, values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """Return the values of sites for each of their cells."""
    n_sites, n_sectors = shape
    by_site = np.asarray(values, np.float64)
    if by_site.shape not in ((), (1,), (n_sites,)):
        raise NetworkError(
            f"{name} has the shape {by_site.shape}: give one number, or one for each of {n_sites} "
            f"sites"
        )
    return np.repeat(np.broadcast_to(by_site, (n_sites,)), n_sectors)
