"""A service on a tile: which carrier serves each place, how well, and whether the rule is met."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.coverage.signal.carriers import Carrier, TileSignals
from ankang_coverage.coverage.signal.signals import NO_SERVER
from ankang_coverage.coverage.signal.tiles import TILE, Tile
from ankang_coverage.propagation import building_entry_loss, link_figures, uplink_limit_db
from ankang_coverage.propagation.building import Building
from ankang_coverage.propagation.throughput import LinkFigures
from ankang_coverage.sites.catalogue import RadioLayer, Service

_KEPT_TILES = 48
"""Tiles whose figures are kept at hand, so that a row of them is read variable by variable."""


_BUILDINGS: Mapping[str, Building] = {
    "traditional": "traditional",
    "efficient": "thermally-efficient",
}


class Variable(NamedTuple):
    """A figure of every pixel: its name, type, value where there is none, unit and meaning."""

    name: str
    dtype: type[np.generic]
    empty: object
    units: str
    long_name: str


VARIABLES = (
    Variable("rsrp_dbm", np.float32, np.nan, "dBm", "RSRP of the best server"),
    Variable("best_server", np.int32, NO_SERVER, "1", "best server, position in cell"),
    Variable("second_rsrp_dbm", np.float32, np.nan, "dBm", "RSRP of the second server"),
    Variable("second_server", np.int32, NO_SERVER, "1", "second server, position in cell"),
    Variable("n_within_6_db", np.uint8, 0, "1", "cells within 6 dB of the best, itself included"),
    Variable("sinr_db", np.float32, np.nan, "dB", "SINR of the best server"),
    Variable("rsrq_db", np.float32, np.nan, "dB", "RSRQ of the best server"),
    Variable("downlink_mbps", np.float32, np.nan, "Mbit/s", "downlink throughput"),
    Variable("uplink_mbps", np.float32, np.nan, "Mbit/s", "uplink throughput"),
    Variable("uplink_margin_db", np.float32, np.nan, "dB", "what the uplink has to spare"),
    Variable("coverage_probability", np.float32, np.nan, "1", "probability of enough RSRP"),
    Variable("obstacle_distance_m", np.float32, np.nan, "m", "from the mast to what blocks"),
    Variable("covered", np.bool_, False, "1", "whether the service's rule is met"),
)


@dataclass(frozen=True)
class Rule:
    """A service's rule in the numbers that it is judged by.

    Attributes
    ----------
    service : Service
        The rule.
    sigma_db : float
        Total error of the predicted RSRP [dB].
    """

    service: Service
    sigma_db: float

    @property
    def in_words(self) -> str:
        """The rule in a few words, for people."""
        service = self.service
        probability = f"probability {service.edge_probability:g} (σ {self.sigma_db:.4g} dB)"
        parts = [f"RSRP ≥ {service.rsrp_threshold_dbm:g} dBm with {probability}"]
        if service.sinr_threshold_db is not None:
            parts.append(f"SINR ≥ {service.sinr_threshold_db:g} dB")
        if service.uplink_mbps is not None:
            parts.append(f"uplink ≥ {service.uplink_mbps:g} Mbit/s")
        indoors = f"inside a {service.indoor} building" if service.indoor else "outdoors"
        return f"{service.id}: {', '.join(parts)}, {indoors}"

    @property
    def rsrp_needed_dbm(self) -> float:
        """Median RSRP from which the threshold is met with the rule's probability [dBm]."""
        return self.service.rsrp_threshold_dbm + self.service.edge_margin_db(self.sigma_db)

    def entry_loss_db(self, frequency_mhz: float) -> float:
        """Return the loss of entry into a building of the rule's kind.

        Parameters
        ----------
        frequency_mhz : float
            Carrier frequency [MHz].

        Returns
        -------
        float
            Loss [dB]; 0 for coverage outdoors.
        """
        if self.service.indoor is None:
            return 0.0
        return float(
            building_entry_loss(
                frequency_mhz,
                self.service.indoor_probability_percent,
                building=_BUILDINGS[self.service.indoor],
            )
        )

    def figures(
        self,
        rsrp_dbm: NDArray[np.float32],
        others_mw: NDArray[np.float32],
        re_power_dbm: NDArray[np.float32],
        load: NDArray[np.float32],
        layer: RadioLayer,
    ) -> LinkFigures:
        """Return the figures of a link from what arrives at the terminal.

        Parameters
        ----------
        rsrp_dbm, others_mw : numpy.ndarray
            RSRP [dBm] and interference [mW] at the terminal, inside where the rule is for indoors.
        re_power_dbm, load : numpy.ndarray
            Of the serving cell.
        layer : RadioLayer
            The radio layer.

        Returns
        -------
        LinkFigures
            SINR, RSRQ, rates, the uplink's margin and the probability of enough RSRP.
        """
        return link_figures(
            rsrp_dbm,
            others_mw,
            re_power_dbm,
            load,
            layer.link,
            threshold_dbm=self.service.rsrp_threshold_dbm,
            sigma_db=self.sigma_db,
            uplink_mbps=self.service.uplink_mbps,
        )

    def rsrp_needed_of_dbm(self, re_power_dbm: float, layer: RadioLayer) -> float:
        """Return the RSRP from which a cell covers a place, if its SINR suffices too.

        Parameters
        ----------
        re_power_dbm : float
            Power of the cell's resource element, which gives the loss of the uplink [dBm].
        layer : RadioLayer
            Its radio layer.

        Returns
        -------
        float
            RSRP [dBm].
        """
        needed = self.rsrp_needed_dbm
        if self.service.uplink_mbps is None:
            return needed
        return max(needed, re_power_dbm - uplink_limit_db(self.service.uplink_mbps, layer.link))

    def is_met(self, rsrp_dbm: NDArray[np.float32], figures: LinkFigures) -> NDArray[np.bool_]:
        """Return where every part of the rule holds.

        Parameters
        ----------
        rsrp_dbm : numpy.ndarray
            RSRP at the terminal [dBm].
        figures : LinkFigures
            What `figures` returns of it.

        Returns
        -------
        numpy.ndarray
            Whether the rule is met, of the same shape.
        """
        with np.errstate(invalid="ignore"):
            met: NDArray[np.bool_] = rsrp_dbm >= np.float32(self.rsrp_needed_dbm)
            if self.service.sinr_threshold_db is not None:
                met &= figures.sinr_db >= np.float32(self.service.sinr_threshold_db)
            if self.service.uplink_mbps is not None:
                met &= figures.uplink_margin_db >= 0.0
        return met


class ServedTiles:
    """The figures of a coverage, tile by tile, from what its carriers left in the store.

    Parameters
    ----------
    carriers : sequence of tuple
        Carriers with their radio layers, in the order that decides between equals.
    rule : Rule
        When a place is covered.
    re_power_dbm, load : numpy.ndarray
        Power [dBm] and load of each cell, and a last value for no cell.
    """

    def __init__(
        self,
        carriers: Sequence[tuple[Carrier, RadioLayer]],
        rule: Rule,
        re_power_dbm: NDArray[np.float32],
        load: NDArray[np.float32],
    ) -> None:
        self.carriers = carriers
        self.rule = rule
        self.re_power_dbm = re_power_dbm
        self.load = load
        self._kept: OrderedDict[Tile, Mapping[str, NDArray[Any]]] = OrderedDict()
        self._lock = Lock()

    def read(self, tile: Tile) -> Mapping[str, NDArray[Any]]:
        """Return the variables of one tile.

        Parameters
        ----------
        tile : Tile
            The tile.

        Returns
        -------
        mapping of str to numpy.ndarray
            (rows, columns) values by the names in `VARIABLES`.
        """
        with self._lock:
            if tile in self._kept:
                self._kept.move_to_end(tile)
                return self._kept[tile]
        made = self._made(tile)
        with self._lock:
            self._kept[tile] = made
            while len(self._kept) > _KEPT_TILES:
                self._kept.popitem(last=False)
        return made

    def _made(self, tile: Tile) -> Mapping[str, NDArray[Any]]:
        best: dict[str, NDArray[Any]] | None = None
        for carrier, layer in self.carriers:
            signals = carrier.read(tile)
            if signals is None:
                continue
            served = self._served(signals, layer)
            if best is None:
                best = served
            else:
                _take_better(best, served)
        if best is not None:
            return best
        shape = (TILE, TILE)
        return {v.name: np.full(shape, v.empty, v.dtype) for v in VARIABLES}

    def _served(self, signals: TileSignals, layer: RadioLayer) -> dict[str, NDArray[Any]]:
        """Return what one carrier offers."""
        entry_db = np.float32(self.rule.entry_loss_db(layer.frequency_mhz))
        rsrp = signals.rsrp_dbm - entry_db
        figures = self.rule.figures(
            rsrp,
            signals.others_mw * np.float32(10.0 ** (-entry_db / 10.0)),
            self.re_power_dbm[signals.best],
            self.load[signals.best],
            layer,
        )
        return {
            "rsrp_dbm": rsrp,
            "best_server": signals.best,
            "second_rsrp_dbm": signals.second_dbm - entry_db,
            "second_server": signals.second,
            "n_within_6_db": signals.n_near,
            **figures._asdict(),
            "obstacle_distance_m": np.where(
                signals.best == NO_SERVER, np.float32(np.nan), signals.obstacle_m
            ),
            "covered": self.rule.is_met(rsrp, figures),
        }


def _take_better(best: dict[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> None:
    """Take another carrier where it covers and the first does not, or where it is stronger."""
    with np.errstate(invalid="ignore"):
        stronger = (other["rsrp_dbm"] > best["rsrp_dbm"]) | np.isnan(best["rsrp_dbm"])
    better = np.where(
        other["covered"] == best["covered"],
        stronger & ~np.isnan(other["rsrp_dbm"]),
        other["covered"],
    )
    for name, values in best.items():
        best[name] = np.where(better, other[name], values)
