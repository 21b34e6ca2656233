"""Reach: the pixels that each site of a network would cover on top of a coverage."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ankang_coverage.coverage.coverage import Coverage
from ankang_coverage.coverage.execution.in_order import in_order
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.masts import PathLosses
from ankang_coverage.coverage.loss.store import LossWindow
from ankang_coverage.coverage.signal.carriers import Carrier, MastCells, around, tiles_reached
from ankang_coverage.coverage.signal.cells import cells_of_network
from ankang_coverage.coverage.signal.service import Rule
from ankang_coverage.coverage.signal.signals import Signals
from ankang_coverage.coverage.signal.tiles import TILE, Tile
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import RadioLayer

_SITES_TOGETHER = 64
"""Neighbouring sites that are computed together, so that they share the tiles they read."""


class OnCarrier(NamedTuple):
    """The cells of one site on one carrier, and the noise and signals they compete with."""

    masts: tuple[MastCells, ...]
    entry_loss_db: float
    rsrp_needed_dbm: Mapping[int, float]
    noise_mw: float
    sinr_needed: float
    present: Mapping[Tile, str]


class Covered(NamedTuple):
    """Pixels of the grid, one bit for each of the smallest window that holds them all.

    It takes a fiftieth of a list of pixels, or less, to send back from a worker.
    """

    rows: slice
    columns: slice
    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, pixels: NDArray[np.int32], n_columns: int) -> "Covered":
        """Pack positions on the flattened grid, in any order and maybe twice.

        Parameters
        ----------
        pixels : numpy.ndarray
            Positions on the flattened grid.
        n_columns : int
            Width of the grid [pixels].

        Returns
        -------
        Covered
            The pixels.
        """
        if not len(pixels):
            return cls(slice(0, 0), slice(0, 0), np.empty(0, np.uint8))
        row, column = np.divmod(pixels, n_columns)
        rows = slice(int(row.min()), int(row.max()) + 1)
        columns = slice(int(column.min()), int(column.max()) + 1)
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
        mask[row - rows.start, column - columns.start] = True
        return cls(rows, columns, np.packbits(mask))

    def pixels(self, n_columns: int) -> NDArray[np.int32]:
        """Return the positions on the flattened grid, ascending.

        Parameters
        ----------
        n_columns : int
            Width of the grid [pixels].

        Returns
        -------
        numpy.ndarray
            Positions.
        """
        shape = (self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)
        mask = np.unpackbits(self.bits, count=shape[0] * shape[1]).reshape(shape)
        row, column = np.nonzero(mask)
        position = (row + self.rows.start) * n_columns + column + self.columns.start
        return position.astype(np.int32)


def reach(
    coverage: Coverage, network: Network, *, among: NDArray[np.bool_] | None = None
) -> Iterator[NDArray[np.int32]]:
    """Yield the pixels that each site would cover by the coverage's rule, were it built alone.

    A place counts if the site's signal alone meets the rule: RSRP, uplink, and SINR against all
    that the coverage's cells send there already. The interference of two new sites with each
    other is left out; a prediction of the chosen sites has it.

    Parameters
    ----------
    coverage : Coverage
        What stands.
    network : Network
        The sites, each with cells of the service.
    among : numpy.ndarray, optional
        (n_pixels,) pixels that matter; all when omitted.

    Yields
    ------
    numpy.ndarray
        For each site, in the network's order, positions of pixels on the flattened grid,
        ascending.
    """
    predictor = coverage.predictor
    sites = _sites_on_carriers(coverage, network)
    order = sorted(sites, key=lambda site: _place(sites[site]))
    units = [order[n : n + _SITES_TOGETHER] for n in range(0, len(order), _SITES_TOGETHER)]

    def compute_units(units: Sequence[Sequence[str]]) -> Iterator[list[Covered] | None]:
        predictor.compute_tiles(coverage.carriers)
        on_air = ([sites[site] for site in unit] for unit in units)
        compute = partial(_covered_by_each, predictor.losses, predictor.shape)
        yield from in_order(compute, on_air, predictor.work.executor)

    def answers() -> Iterator[Covered]:
        for unit, first in zip(units, compute_units(units), strict=True):
            covered = first
            while covered is None:
                (covered,) = compute_units([unit])
            yield from covered

    found: dict[str, NDArray[np.int32]] = {}
    shown = predictor.work.shown(order, "reach")
    for site, packed in zip(shown, answers(), strict=True):
        pixels = packed.pixels(predictor.shape[1])
        found[site] = pixels if among is None else pixels[among[pixels]]
    for site in sites:
        yield found.pop(site)


def _sites_on_carriers(coverage: Coverage, network: Network) -> dict[str, list[OnCarrier]]:
    """Return the cells of each site on each carrier, with what they compete with."""
    predictor, rule = coverage.predictor, coverage.rule
    ground = predictor.ground
    cells = cells_of_network(network, rule.service.radio_layers, ground.geobox)
    masts, _ = predictor.masts(cells, network.catalogue)
    present = {carrier.name: carrier for carrier in coverage.carriers}
    sites: dict[str, list[OnCarrier]] = {site: [] for site in network.sites.index}
    for name, on_air in masts.items():
        layer = network.catalogue.radio_layer(cells["radio_layer"].iloc[_first_cell(on_air[0])])
        for site, own in _by_site(on_air, cells).items():
            sites[site].append(_on_carrier(own, cells, layer, rule, present.get(name), ground))
    return sites


def _by_site(masts: Sequence[MastCells], cells: pd.DataFrame) -> dict[str, list[MastCells]]:
    together: dict[str, list[MastCells]] = {}
    for mast in masts:
        together.setdefault(str(cells["site"].iloc[_first_cell(mast)]), []).append(mast)
    return together


def _first_cell(mast: MastCells) -> int:
    return mast.cells[0].position


def _place(site: Sequence[OnCarrier]) -> tuple[int, int]:
    """Return a tile near a site, so that neighbours follow each other."""
    for carrier in site:
        mast = carrier.masts[0]
        return int(mast.row) // TILE, int(mast.column) // TILE
    return -1, -1


def _on_carrier(
    masts: Sequence[MastCells],
    cells: pd.DataFrame,
    layer: RadioLayer,
    rule: Rule,
    present: Carrier | None,
    ground: Ground,
) -> OnCarrier:
    sinr_db = rule.service.sinr_threshold_db
    reached = {tile for mast in masts for tile in tiles_reached(mast, ground.geobox)}
    tiles = {} if present is None else present.tiles
    return OnCarrier(
        masts=tuple(masts),
        entry_loss_db=rule.entry_loss_db(layer.frequency_mhz),
        rsrp_needed_dbm={
            cell.position: rule.rsrp_needed_of_dbm(
                float(cells["re_power_dbm"].iloc[cell.position]), layer
            )
            for mast in masts
            for cell in mast.cells
        },
        noise_mw=float(10.0 ** (layer.link.noise_dbm / 10.0)),
        sinr_needed=0.0 if sinr_db is None else float(10.0 ** (sinr_db / 10.0)),
        present={tile: tiles[tile].key for tile in sorted(reached) if tile in tiles},
    )


class _TileLostError(Exception):
    """A tile of the coverage was damaged, and is no longer in the store."""


def _covered_by_each(
    losses: PathLosses, shape: tuple[int, int], sites: Sequence[Sequence[OnCarrier]]
) -> list[Covered] | None:
    """Return the pixels that each of some sites covers; None where a tile is gone."""
    total_mw: dict[str, NDArray[np.float32]] = {}
    try:
        covered = [_covered_by(losses, shape, site, total_mw) for site in sites]
    except _TileLostError:
        return None
    none = np.empty(0, np.int32)
    return [Covered.of(np.concatenate([none, *site]), shape[1]) for site in covered]


def _covered_by(
    losses: PathLosses,
    shape: tuple[int, int],
    site: Sequence[OnCarrier],
    total_mw: dict[str, NDArray[np.float32]],
) -> list[NDArray[np.int32]]:
    """Return the pixels that a site covers on each carrier; its masts are computed but once."""
    wanted = [mast.wanted for carrier in site for mast in carrier.masts]
    windows = dict(zip(wanted, losses.of(wanted), strict=True))
    return [
        _covered(losses, shape, carrier, [windows[m.wanted] for m in carrier.masts], total_mw)
        for carrier in site
    ]


def _covered(
    losses: PathLosses,
    shape: tuple[int, int],
    carrier: OnCarrier,
    windows: Sequence[LossWindow],
    total_mw: dict[str, NDArray[np.float32]],
) -> NDArray[np.int32]:
    """Return the pixels that a site covers on one carrier, in no order."""
    rows, columns = around((window.rows, window.columns) for window in windows)
    state = Signals.silent(rows, columns, overlap=False)
    for mast, window in zip(carrier.masts, windows, strict=True):
        state.add(window, mast.row, mast.column, mast.cells)
    entry = np.float32(carrier.entry_loss_db)
    covered: list[NDArray[np.int32]] = []
    for position, needed in carrier.rsrp_needed_dbm.items():
        row, column = np.nonzero(
            (state.best == position) & (state.best_dbm >= np.float32(needed) + entry)
        )
        pixel = (row + rows.start) * shape[1] + column + columns.start
        own_mw = _milliwatts(state.best_dbm[row, column])
        present_mw = _present_mw(losses, shape, carrier, pixel, total_mw)
        against_mw = state.others_mw[row, column] + present_mw
        noise_mw = carrier.noise_mw * 10.0 ** (carrier.entry_loss_db / 10.0)
        clear = own_mw >= carrier.sinr_needed * (against_mw + noise_mw)
        covered.append(pixel[clear].astype(np.int32))
    return np.concatenate(covered)


def _milliwatts(level_dbm: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(10.0 ** (level_dbm.astype(np.float64) / 10.0))


def _present_mw(
    losses: PathLosses,
    shape: tuple[int, int],
    carrier: OnCarrier,
    pixel: NDArray[np.int64],
    total_mw: dict[str, NDArray[np.float32]],
) -> NDArray[np.float64]:
    """Return what cells that stand already send to pixels on the carrier, outdoors [mW].

    Neighbouring sites share the tiles that were read, in `total_mw`.
    """
    row, column = np.divmod(pixel, shape[1])
    sent = np.zeros(len(pixel))
    for tile, key in carrier.present.items():
        rows, columns = tile.window(shape)
        here = (
            (row >= rows.start)
            & (row < rows.stop)
            & (column >= columns.start)
            & (column < columns.stop)
        )
        if here.any():
            if key not in total_mw:
                total_mw[key] = _read_total_mw(losses, key)
            sent[here] = total_mw[key][row[here] - rows.start, column[here] - columns.start]
    return sent


def _read_total_mw(losses: PathLosses, key: str) -> NDArray[np.float32]:
    bands = losses.store.read_tile(key)
    if bands is None:
        raise _TileLostError
    return np.asarray(bands["best_mw"] + bands["others_mw"])
