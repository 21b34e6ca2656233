"""What is predicted at the bins, from the path losses and cells of every other prediction."""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ankang_coverage.coverage.loss.loss_window import BEYOND
from ankang_coverage.coverage.loss.masts import PathLosses
from ankang_coverage.coverage.loss.path_loss import mast_losses
from ankang_coverage.coverage.predictor import Predictor
from ankang_coverage.coverage.signal.carriers import MastCells
from ankang_coverage.coverage.signal.cells import cells_of_network
from ankang_coverage.coverage.signal.pixels import Pixels, strongest_dbm, values_at
from ankang_coverage.coverage.signal.signals import CellSetting
from ankang_coverage.propagation.models import PathLossModel
from ankang_coverage.sites import Network

N_RIVALS = 8
"""Other sites at a place that count as rivals: the strongest."""
LEADS = tuple(f"lead_{n + 1}" for n in range(N_RIVALS))

_INDOORS = "the cell is indoors and serves its building only"
_OFF_TERRAIN = "the cell's site stands on unknown terrain"
_BEYOND_RADIUS = "the place is beyond the radius of prediction"
_ACROSS_UNKNOWN = "the path crosses unknown terrain"


class _Unit(NamedTuple):
    """Some cells of one mast, and the pixels at which they are asked for."""

    mast: MastCells
    cells: tuple[CellSetting, ...]
    pixels: Pixels


class _AtPixels(NamedTuple):
    """What is predicted of a unit, one value a pixel."""

    rsrp_dbm: NDArray[np.float64]
    in_sight: NDArray[np.bool_]
    is_beyond: NDArray[np.bool_]


class BinPredictor:
    """Predicts single cells at single pixels.

    Parameters
    ----------
    predictor : Predictor
        Region, model and work.
    network : Network
        Sites and cells.
    """

    def __init__(self, predictor: Predictor, network: Network) -> None:
        self._predictor = predictor
        self._geobox = predictor.ground.geobox
        self._catalogue = network.catalogue
        layers = network.cells["radio_layer"].unique().tolist()
        self._cells = cells_of_network(network, layers, self._geobox)
        self._masts, _ = predictor.masts(self._cells, network.catalogue)
        self._mast_of = {
            self._cells.index[cell.position]: (mast, cell)
            for on_air in self._masts.values()
            for mast in on_air
            for cell in mast.cells
        }

    @property
    def model(self) -> PathLossModel:
        """The path-loss model."""
        return self._predictor.propagation.path_loss_model

    def predict(self, bins: pd.DataFrame) -> pd.DataFrame:
        """Return what is predicted of each bin.

        Parameters
        ----------
        bins : pandas.DataFrame
            ``cell``, and ``row`` and ``column`` on the grid.

        Returns
        -------
        pandas.DataFrame
            By the bins' index: ``predicted_dbm``, ``distance_m``, ``x_m``, ``y_m``, ``code`` of
            the land cover, ``in_sight``, ``radio_layer``, ``frequency_mhz``, ``reason`` why there
            is no prediction, and a column for each of the model's own terms with what a unit of
            it adds to the loss [dB].
        """
        described = self._described(bins)
        on_air = bins[bins["cell"].isin(list(self._mast_of))]
        by_cell = [of_cell for _, of_cell in on_air.groupby("cell")]
        units = []
        for of_cell in by_cell:
            mast, cell = self._mast_of[of_cell["cell"].iloc[0]]
            units.append(_Unit(mast, (cell,), _pixels(of_cell)))
        for of_cell, found in zip(by_cell, self._predicted(units), strict=True):
            described.loc[of_cell.index, "predicted_dbm"] = found.rsrp_dbm
            described.loc[of_cell.index, "in_sight"] = found.in_sight
            unknown = np.where(found.is_beyond, _BEYOND_RADIUS, _ACROSS_UNKNOWN)
            reason = np.where(np.isnan(found.rsrp_dbm), unknown, "")
            described.loc[of_cell.index, "reason"] = reason
        return described.join(self._own_terms(on_air)) if self.model.terms else described

    def leads_db(self, bins: pd.DataFrame) -> pd.DataFrame:
        """Return by how much each bin's cell is predicted stronger than other sites there.

        Cells compete on one radio layer of one operator. Those of the bin's own site do not
        count: what shadows one shadows all of them.

        Parameters
        ----------
        bins : pandas.DataFrame
            ``cell``, ``row``, ``column``, ``x_m``, ``y_m`` and ``predicted_dbm``.

        Returns
        -------
        pandas.DataFrame
            ``lead_1`` … by the bins' index, over the strongest rival first [dB]; negative behind,
            infinite without a rival.
        """
        own = self._cells.loc[bins["cell"]].reset_index(drop=True)
        leads = np.full((len(bins), N_RIVALS), math.inf)
        for pair, group in own.groupby(["carrier", "operator"]):
            carrier, operator = pair
            at = group.index.to_numpy()
            here = bins.iloc[at]
            own_dbm, own_site = here["predicted_dbm"].to_numpy(), group["site"].to_numpy()
            for site, strongest in self._strongest_of_sites(str(carrier), str(operator), here):
                lead = own_dbm - strongest
                lead[(own_site == site) | np.isnan(strongest)] = math.inf
                leads[at] = np.sort(np.column_stack([leads[at], lead]))[:, :N_RIVALS]
        return pd.DataFrame(leads, columns=list(LEADS), index=bins.index)

    def _strongest_of_sites(
        self, carrier: str, operator: str, bins: pd.DataFrame
    ) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Yield the strongest of each site's cells at each bin [dBm], NaN where none reaches."""
        sites, nearby, units = [], [], []
        of_operator = (self._cells["operator"] == operator).to_numpy()
        x_m, y_m = bins["x_m"].to_numpy(), bins["y_m"].to_numpy()
        for mast in sorted(self._masts[carrier], key=self._site_of):
            cells = tuple(cell for cell in mast.cells if of_operator[cell.position])
            place = mast.wanted.mast
            near = np.hypot(x_m - place.x_m, y_m - place.y_m) <= place.radius_m
            if cells and near.any():
                sites.append(self._site_of(mast))
                nearby.append(near)
                units.append(_Unit(mast, cells, _pixels(bins[near])))
        found = zip(sites, nearby, self._predicted(units), strict=True)
        for site, of_masts in groupby(found, key=lambda of_mast: of_mast[0]):
            strongest = np.full(len(bins), np.nan)
            for _, near, at_pixels in of_masts:
                strongest[near] = np.fmax(strongest[near], at_pixels.rsrp_dbm)
            yield site, strongest

    def _predicted(self, units: Sequence[_Unit]) -> Iterator[_AtPixels]:
        """Predict units; path losses that the store lacks are computed first."""
        ids = [self._site_of(unit.mast) for unit in units]
        wanted = [unit.mast.wanted for unit in units]
        self._predictor.compute_losses(dict(zip(wanted, ids, strict=True)))
        compute = partial(_at_pixels, self._predictor.losses)
        return self._predictor.work.each(compute, units, ids, "signals")

    def _own_terms(self, bins: pd.DataFrame) -> pd.DataFrame:
        """Return what a unit of each of the model's own terms adds to the loss of bins [dB]."""
        masts = [self._mast_of[id_][0] for id_ in bins["cell"]]
        by_mast = bins.groupby([mast.wanted.key for mast in masts])
        units = [
            _Unit(masts[rows[0]], (), _pixels(bins.iloc[rows])) for rows in by_mast.indices.values()
        ]
        ids = [self._site_of(unit.mast) for unit in units]
        compute = partial(_terms_at_pixels, self._predictor.losses)
        terms = {term.name: np.full(len(bins), np.nan) for term in self.model.terms}
        found = self._predictor.work.each(compute, units, ids, "terms")
        for rows, values in zip(by_mast.indices.values(), found, strict=True):
            for name, of_term in terms.items():
                of_term[rows] = values[name]
        return pd.DataFrame(terms, index=bins.index)

    def _site_of(self, mast: MastCells) -> str:
        return str(self._cells["site"].iloc[mast.cells[0].position])

    def _described(self, bins: pd.DataFrame) -> pd.DataFrame:
        """Return what is known of bins without a prediction."""
        transform, ground = self._geobox.transform, self._predictor.ground
        pixel_x_m = transform.c + transform.a * (bins["column"] + 0.5)
        pixel_y_m = transform.f + transform.e * (bins["row"] + 0.5)
        codes = np.array([cover.code for cover in ground.table.classes])
        classes = ground.class_index[bins["row"], bins["column"]]
        cells = self._cells.reindex(bins["cell"])
        distance_m = np.hypot(
            pixel_x_m - cells["x_m"].to_numpy(), pixel_y_m - cells["y_m"].to_numpy()
        )
        frequency = {
            id_: self._catalogue.radio_layer(id_).frequency_mhz
            for id_ in cells["radio_layer"].dropna().unique()
        }
        indoors = ~bins["cell"].isin(self._cells.index)
        off_terrain = ~bins["cell"].isin(list(self._mast_of))
        return pd.DataFrame(
            {
                "x_m": pixel_x_m,
                "y_m": pixel_y_m,
                "distance_m": distance_m,
                "code": codes[classes],
                "predicted_dbm": np.nan,
                "in_sight": False,
                "radio_layer": cells["radio_layer"].to_numpy(),
                "frequency_mhz": cells["radio_layer"].map(frequency).to_numpy(),
                "reason": np.select([indoors, off_terrain], [_INDOORS, _OFF_TERRAIN], ""),
            },
            index=bins.index,
        )


def _pixels(bins: pd.DataFrame) -> Pixels:
    return Pixels(bins["row"].to_numpy(np.intp), bins["column"].to_numpy(np.intp))


def _at_pixels(losses: PathLosses, unit: _Unit) -> _AtPixels:
    """Predict the strongest of a unit's cells at its pixels."""
    loss = losses.read(unit.mast.wanted, *unit.pixels.window)
    window = loss.rows, loss.columns
    return _AtPixels(
        strongest_dbm(loss, unit.mast, unit.cells, unit.pixels),
        values_at(unit.pixels, *window, loss.obstacle_dam, BEYOND) == 0,
        values_at(unit.pixels, *window, loss.loss_cdb, BEYOND) == BEYOND,
    )


def _terms_at_pixels(losses: PathLosses, unit: _Unit) -> dict[str, NDArray[np.float64]]:
    """Return the model's own terms at a unit's pixels; the store does not keep them."""
    mast, frequency, _ = unit.mast.wanted
    loss = mast_losses(losses.ground, mast, [frequency], losses.propagation)[frequency]
    window = loss.rows, loss.columns
    return {
        name: values_at(unit.pixels, *window, values.astype(np.float32), np.nan)
        for name, values in loss.terms.items()
    }
