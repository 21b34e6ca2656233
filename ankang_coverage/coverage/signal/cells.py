"""The cells of a network that a prediction counts, and the masts they hang on."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.masts import Keys, Wanted
from ankang_coverage.coverage.loss.path_loss import (
    Mast,
    looks_at_terrain,
    pixel_of,
    stands_on_known_ground,
)
from ankang_coverage.coverage.signal.carriers import MastCells
from ankang_coverage.coverage.signal.signals import CellSetting
from ankang_coverage.region.rasters import require_same_crs
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import Catalogue
from ankang_coverage.sites.operators import carriers as carriers_of

DERIVED = ("site", "x_m", "y_m", "carrier")
"""What a prediction takes of a cell beside the columns that change signals: whose it is, where it
stands and which cells interfere with it."""


class Cell(NamedTuple):
    """All that a prediction takes of a cell beside its id; units as in `Network`.

    A field is one of `DERIVED`, or an attribute of which the schema says that it changes signals:
    `cells_of_network` gives no other. The reverse is tested.
    """

    site: str
    x_m: float
    y_m: float
    kind: str
    carrier: str
    radio_layer: str
    operator: str
    antenna: str
    height_m: float
    azimuth_deg: float
    mechanical_tilt_deg: float
    electrical_tilt_deg: float
    re_power_dbm: float
    load: float


def cells_of_network(network: Network, radio_layers: Sequence[str], geobox: GeoBox) -> pd.DataFrame:
    """Return the cells of a network that count, with all that a prediction takes of them.

    Parameters
    ----------
    network : Network
        Sites and cells; indoor sites serve their building only and are left out.
    radio_layers : sequence of str
        Ids of the radio layers that count.
    geobox : GeoBox
        The grid.

    Returns
    -------
    pandas.DataFrame
        `DERIVED`, and the columns that change signals by the network's schema; indexed by cell id,
        in the network's order.

    Raises
    ------
    RasterError
        If the sites are not in the grid's CRS.
    """
    indoor = network.sites.index[network.sites["kind"] == "indoor"]
    relevant = network.cells["radio_layer"].isin(list(radio_layers))
    outdoor = network.with_cells(relevant & ~network.cells["site"].isin(indoor))
    if len(outdoor.sites):
        require_same_crs(outdoor.sites, geobox, "sites")
    cells = outdoor.cells
    points = outdoor.sites.geometry.loc[cells["site"]]
    taken = {
        "site": cells["site"],
        "x_m": points.x.to_numpy(np.float64),
        "y_m": points.y.to_numpy(np.float64),
        "carrier": carriers_of(outdoor),
    }
    for about in network.schema:
        if about.changes_signal and about.table:
            of_site = about.table == "sites"
            values = outdoor.sites[about.name].loc[cells["site"]] if of_site else cells[about.name]
            taken[about.name] = values.to_numpy(np.float64 if about.is_number else None)
    return pd.DataFrame(taken, index=cells.index)


def masts_of_cells(
    cells: pd.DataFrame, catalogue: Catalogue, ground: Ground, keys: Keys
) -> tuple[dict[str, list[MastCells]], int]:
    """Set cells on their masts.

    Parameters
    ----------
    cells : pandas.DataFrame
        As `cells_of_network` gives them; a cell's position is its row.
    catalogue : Catalogue
        Radio layers and antennas.
    ground : Ground
        The grid and its terrain.
    keys : Keys
        Names the path losses.

    Returns
    -------
    masts : dict
        Masts by carrier.
    n_off_terrain : int
        Sites that stand on unknown terrain and reach nothing.
    """
    settings = keys.propagation
    layers = {id_: catalogue.radio_layer(id_) for id_ in cells["radio_layer"].unique()}
    patterns = {id_: catalogue.antenna(id_).pattern for id_ in cells["antenna"].unique()}
    together: dict[tuple[str, Mast, float], list[CellSetting]] = {}
    sites: dict[Mast, str] = {}
    columns = [cells[name].tolist() for name in Cell._fields]
    stated = _stated(cells)
    for position, cell in enumerate(map(Cell._make, zip(*columns, strict=True))):
        layer = layers[cell.radio_layer]
        radius_m = settings.micro_radius_m if cell.kind == "micro" else settings.radius_m
        mast = Mast(cell.x_m, cell.y_m, cell.height_m, radius_m)
        sites[mast] = cell.site
        together.setdefault((cell.carrier, mast, layer.frequency_mhz), []).append(
            CellSetting(
                position=position,
                level_dbm=cell.re_power_dbm - layer.feeder_loss_db - layer.body_loss_db,
                pattern=patterns[cell.antenna],
                azimuth_deg=cell.azimuth_deg,
                mechanical_tilt_deg=cell.mechanical_tilt_deg,
                electrical_tilt_deg=cell.electrical_tilt_deg,
                load=cell.load,
            )
        )
    off_terrain = {
        mast: site
        for mast, site in sites.items()
        if looks_at_terrain(settings) and not stands_on_known_ground(ground, mast.x_m, mast.y_m)
    }
    masts: dict[str, list[MastCells]] = {}
    for (carrier, mast, frequency_mhz), settings_of_cells in together.items():
        if mast not in off_terrain:
            row, column = pixel_of(ground.geobox, mast.x_m, mast.y_m)
            masts.setdefault(carrier, []).append(
                MastCells(
                    keys.wanted(mast, frequency_mhz),
                    row,
                    column,
                    tuple(settings_of_cells),
                    _digest(stated[cell.position] for cell in settings_of_cells),
                )
            )
    return masts, len(set(off_terrain.values()))


def _stated(cells: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return each cell's columns that change signals, by name."""
    columns = cells.columns.difference(list(DERIVED))
    return list(cells[columns].itertuples(index=False, name=None))


def _digest(stated: Iterable[tuple[object, ...]]) -> bytes:
    return hashlib.blake2b(repr(list(stated)).encode(), digest_size=16).digest()


def sites_of_masts(
    masts: Mapping[str, Iterable[MastCells]], cells: pd.DataFrame
) -> dict[Wanted, str]:
    """Return whose mast each path loss is of.

    Parameters
    ----------
    masts : mapping
        Masts by carrier, as `masts_of_cells` gives them.
    cells : pandas.DataFrame
        Their cells.

    Returns
    -------
    dict
        Site id by path loss.
    """
    return {
        mast.wanted: str(cells["site"].iloc[mast.cells[0].position])
        for on_air in masts.values()
        for mast in on_air
    }
