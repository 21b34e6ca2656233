"""Fit a path-loss model to measurements, and say how wrong it is where nothing was measured.

Measurements lie on roads, close together, and what shadows one shadows its neighbour. So they are
binned (one median per cell and pixel), errors are judged on blocks of ground that the fit has not
seen, and standard errors count a block as one observation.

A phone reports nothing below its sensitivity. Where the predicted signal is near it, only the
lucky measurements are there, and a fit to them would promise too much. Such bins are left out by
their prediction, never by their measurement, in the fit and in the figures of its error.

And of the cells at a place a phone reports the strongest, so that the lucky cell is measured where
several are about as strong. How much luck that takes follows from the predictions of all of them;
it is taken off before the fit.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ankang_coverage.coverage.calibration.measurements import (
    Datum,
    Measurements,
    from_wgs84,
    match_cells,
    to_wgs84,
)
from ankang_coverage.coverage.execution.work import Work
from ankang_coverage.coverage.loss.correction import (
    Calibration,
    CellOffset,
    Correction,
    ErrorFigures,
    Estimate,
    LandCoverLoss,
    ModelTerm,
    Unused,
)
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.path_loss import (
    Mast,
    MastLoss,
    Propagation,
    corrected_losses,
    looks_at_terrain,
    stands_on_known_ground,
)
from ankang_coverage.coverage.predictor import Predictor
from ankang_coverage.errors import NetworkError, OutOfRangeError
from ankang_coverage.propagation.antenna_files import pattern_gain
from ankang_coverage.propagation.models import CalibrationTerm, PathLossModel
from ankang_coverage.region import Region
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.rasters import require_same_crs
from ankang_coverage.sites import Network

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]
_Part = TypeVar("_Part")
_Done = TypeVar("_Done")

SENSITIVITY_DBM = -125.0
"""Weakest RSRP that phones report whenever it is there; an assumption (noise of a resource element
is −132 dBm, a phone's noise figure 7 dB or more)."""
FEWEST_BINS, FEWEST_BLOCKS = 100, 10
"""Below these a calibration is refused."""
FEWEST_CLASS_BINS, FEWEST_CLASS_BLOCKS = 30, 5
"""A class of land cover with fewer keeps the model's loss."""
DISTANCE_BANDS_M = (0.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, math.inf)
"""Bands of distance that errors are told by."""

PRIOR_SD = {"distance slope": 10.0, "class": 6.0}
"""How far a term may be expected to be from 0 before anything was measured [dB, or dB per decade];
pulls what the measurements hardly tell towards the model as it was. A model's own terms carry
theirs (`PathLossModel.terms`)."""
HUBER = 1.345
"""Residuals beyond so many standard deviations count in proportion, not squared (Huber 1964)."""
OUTLIER = 5.0
"""Residuals beyond so many standard deviations are of another cell, a tunnel or a wrong site."""
CLEAR_OF_SENSITIVITY = 2.0
"""A prediction counts when it is so many standard deviations above the sensitivity."""
SITE_CORRELATION = 0.5
"""Correlation of the shadowing of two sites at one place, that of one site's cells being 1: what
LTE studies usually assume (SEAMCAT handbook, correlation of path loss)."""
N_RIVALS = 8
"""Other sites at a place that are reckoned with, the strongest."""
HELD = 2.5
"""Residuals are held to so many standard deviations where a mean of them is taken."""
ROUNDS, TOLERANCE_DB = 50, 1e-9
"""Of reweighting: the most, and the change of a coefficient at which it stops."""

DATUM_T, DATUM_GAIN = 4.0, 0.03
"""A file is called shifted when another datum fits better by so many standard errors over blocks,
and by this share of the mean error."""


def calibrate(
    region: Region,
    network: Network,
    measurements: Measurements,
    *,
    propagation: Propagation | None = None,
    block_m: float = 2_000.0,
    folds: int = 5,
    sensitivity_dbm: float = SENSITIVITY_DBM,
    serving_only: bool = True,
    check_coordinates: bool = True,
    seed: int = 0,
    executor: Executor | None = None,
) -> Calibration:
    """Fit a path-loss model to measured RSRP, and measure its error on held-out blocks.

    Parameters
    ----------
    region
        Where: its grid bins the measurements.
    network
        What is built; cells are found by their ids (`match_cells`).
    measurements
        A drive test or what a crowd of phones reported.
    propagation
        The model and its settings; a calibration in them is left aside.
    block_m
        Side of the square blocks of ground that are held out together [m]; well beyond the
        distance over which shadowing stays alike.
    folds
        Parts of the blocks, each held out once, at least 2.
    sensitivity_dbm
        Weakest RSRP that the terminals report whenever it is there [dBm].
    serving_only
        The terminals report the strongest cell of a place, as phones do; False for a scanner's
        readings of all cells.
    check_coordinates
        Refuse measurements that fit clearly better when they are taken for another datum.
    seed
        Of the drawing of the parts.
    executor
        Where masts are computed: any ``concurrent.futures.Executor`` of threads; two threads by
        default. The result does not depend on it.

    Returns
    -------
    Calibration
        What to add to the loss, and the error that is left: give it to
        ``Propagation(calibration=…)``, or `Calibration.save` it.

    Raises
    ------
    NetworkError
        If no measurement names a cell of the network, too few can be used (the message counts
        why), or the coordinates are those of another datum.
    OutOfRangeError
        If a block or the number of parts is too small.
    RasterError
        If the model needs terrain and the region has none.

    Notes
    -----
    The fit minimises Huber's loss of y − X b plus a ridge Σ (b_j / τ_j)², by iterated weighting;
    y is predicted less measured RSRP, X has 1, decades of distance, and one column for each class
    of land cover with at least 30 bins in 5 blocks; for model ``spm`` also log10 of the effective
    height and the diffraction loss. τ is `PRIOR_SD`. Standard errors come from the sum of the
    scores within each block (Liang and Zeger 1986).

    Where phones report the strongest cell, y is first freed of the mean shadowing that made it so,
    given the predictions of the strongest cell of each other site and a correlation of 0.5 between
    sites; errors in the report are then those of what a phone would report, and the stated σ is
    that of all shadowing, of which the strongest cells' is a part.

    A cell's offset is the mean of its residuals by block, shrunk by σ_c² / (σ_c² + σ_b² / n): the
    variances between cells and between a cell's blocks are found by the method of moments.

    References
    ----------
    P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Stat. 35(1), 1964.
    K.-Y. Liang, S. L. Zeger, "Longitudinal data analysis using generalized linear models",
    Biometrika 73(1), 1986.
    """
    settings = (propagation or Propagation()).model_copy(update={"calibration": None})
    _require_blocks(region, block_m, folds)
    ground = Predictor(region, settings, Work()).ground
    require_same_crs(network.sites, ground.geobox, "sites")
    points, unmatched = match_cells(network, measurements)
    left_out = _LeftOut(len(measurements.points))
    for reason, rows in unmatched.groupby("reason"):
        left_out.note(str(reason), len(rows))
    predictor = _Predictor(ground, network, settings, executor)
    bins = _binned(points, ground, sensitivity_dbm, left_out)
    bins = _with_predictions(bins, predictor, left_out)
    bins["block"] = _blocks(bins, block_m)
    left_out.require_enough(bins, block_m)
    if check_coordinates:
        _require_datum(bins, predictor, measurements)
    if serving_only:
        bins = bins.join(predictor.leads_db(bins))

    terms = _Terms.of(bins, settings.path_loss_model)
    bins = _without_outliers(bins, terms, sensitivity_dbm, left_out)
    fit = _fit(terms.columns(bins), bins, np.ones(len(bins), bool), terms, sensitivity_dbm)
    faint = bins["n"][~fit.clear].sum()
    left_out.note("the prediction is too near the sensitivity", faint)
    used = bins[fit.clear]
    left_out.require_enough(used, block_m)
    held_out = _held_out(bins, terms, folds, sensitivity_dbm, seed)
    names = {cover.code: cover.name_en for cover in ground.table.classes}
    errors = tuple(_error_figures(held_out, names, looks_at_terrain(settings)))
    return Calibration(
        model=settings.path_loss_model.identity,
        terminal_height_m=settings.terminal_height_m,
        time_percent=settings.time_percent,
        correction=terms.correction(fit.coefficients),
        error_sigma_db=errors[0].sd_after_db / fit.spread,
        estimates=tuple(_estimates(used, terms, fit, fit.luck_db[fit.clear])),
        errors=errors,
        cell_offsets=tuple(_cell_offsets(used, terms, fit, fit.luck_db[fit.clear])),
        unused=tuple(
            Unused(reason=reason, n_measurements=n) for reason, n in left_out.counts.items()
        ),
        n_measurements=int(used["n"].sum()),
        n_bins=len(used),
        n_blocks=used["block"].nunique(),
        block_m=block_m,
        folds=folds,
        seed=seed,
        sensitivity_dbm=sensitivity_dbm,
        sources=measurements.sources,
    )


def _require_blocks(region: Region, block_m: float, folds: int) -> None:
    pixel_m = region.geobox.resolution.x
    if not block_m >= pixel_m:
        raise OutOfRangeError(
            f"block_m is {block_m:g} but must be at least the region's pixel of {pixel_m:g} m"
        )
    if not 2 <= folds <= FEWEST_BLOCKS:
        raise OutOfRangeError(f"folds is {folds} but must be 2 to {FEWEST_BLOCKS}")


class _LeftOut:
    """Counts the measurements that cannot be used, and refuses to go on with too few."""

    def __init__(self, n_measurements: int) -> None:
        self.counts: dict[str, int] = {}
        self._n_measurements = n_measurements

    def note(self, reason: str, number: float) -> None:
        """Note how many measurements are left out for a reason."""
        if number:
            self.counts[reason] = self.counts.get(reason, 0) + int(number)

    def require_enough(self, bins: pd.DataFrame, block_m: float) -> None:
        """Refuse too few bins or blocks, and say what became of the measurements."""
        n_blocks = bins["block"].nunique()
        if len(bins) >= FEWEST_BINS and n_blocks >= FEWEST_BLOCKS:
            return
        why = "; ".join(f"{n}: {reason}" for reason, n in self.counts.items()) or "none"
        raise NetworkError(
            f"too few measurements to fit: {self._n_measurements} make {len(bins)} usable bins "
            f"(pixels of one cell) in {n_blocks} blocks of {block_m:g} m, but {FEWEST_BINS} bins "
            f"in {FEWEST_BLOCKS} blocks are needed. Measurements left out: {why}"
        )


# Bins --------------------------------------------------------------------------------------------


def _binned(
    points: gpd.GeoDataFrame, ground: Ground, sensitivity_dbm: float, left_out: _LeftOut
) -> pd.DataFrame:
    """Return the median of the measurements of each cell and pixel."""
    placed = points.to_crs(WGS84).geometry
    table = pd.DataFrame(
        {
            "cell": points["cell"].to_numpy(str),
            "measured_dbm": points["rsrp_dbm"].to_numpy(np.float64),
            "longitude": placed.x.to_numpy(),
            "latitude": placed.y.to_numpy(),
        }
    )
    weak = (table["measured_dbm"] < sensitivity_dbm).to_numpy()
    left_out.note(f"RSRP is below the sensitivity of {sensitivity_dbm:g} dBm", weak.sum())
    table = table[~weak]
    table["row"], table["column"], inside = _pixels(ground, table)
    left_out.note("the place is outside the region's grid", (~inside).sum())
    bins = table[inside].groupby(["cell", "row", "column"])
    return bins.agg(
        measured_dbm=("measured_dbm", "median"),
        n=("measured_dbm", "size"),
        longitude=("longitude", "mean"),
        latitude=("latitude", "mean"),
    ).reset_index()


def _pixels(ground: Ground, places: pd.DataFrame) -> tuple[Positions, Positions, Mask]:
    """Return row and column of WGS-84 places, and which are on the grid."""
    points = gpd.GeoSeries.from_xy(places["longitude"], places["latitude"], crs=WGS84)
    points = points.to_crs(str(ground.geobox.crs))
    transform, (rows, columns) = ground.geobox.transform, ground.geobox.shape
    row = np.floor((points.y.to_numpy() - transform.f) / transform.e).astype(np.intp)
    column = np.floor((points.x.to_numpy() - transform.c) / transform.a).astype(np.intp)
    return row, column, (row >= 0) & (row < rows) & (column >= 0) & (column < columns)


def _with_predictions(
    bins: pd.DataFrame, predictor: "_Predictor", left_out: _LeftOut
) -> pd.DataFrame:
    """Return the bins that have a prediction, with it; count the others by the reason why not."""
    bins = bins.join(predictor.predict(bins))
    for reason, group in bins[bins["reason"] != ""].groupby("reason"):
        left_out.note(str(reason), group["n"].sum())
    return bins[bins["reason"] == ""].drop(columns="reason").reset_index(drop=True)


def _blocks(bins: pd.DataFrame, block_m: float) -> NDArray[np.intp]:
    """Return the number of each bin's block."""
    corner = np.floor(bins[["x_m", "y_m"]].to_numpy() / block_m).astype(np.int64)
    return np.unique(corner, axis=0, return_inverse=True)[1].ravel()


# Prediction at the bins --------------------------------------------------------------------------

_LEADS = [f"lead_{n + 1}" for n in range(N_RIVALS)]


class _Predictor:
    """Predicts single cells at single pixels; each mast is computed once a call."""

    def __init__(
        self,
        ground: Ground,
        network: Network,
        propagation: Propagation,
        executor: Executor | None,
    ) -> None:
        self.ground = ground
        self.propagation = propagation
        self._network = network
        self._executor = executor

    def predict(self, bins: pd.DataFrame) -> pd.DataFrame:
        """Return what is predicted of each bin, by the bins' index.

        Parameters
        ----------
        bins
            ``cell``, and ``row`` and ``column`` on the grid.

        Returns
        -------
        pandas.DataFrame
            ``predicted_dbm``, ``distance_m``, ``x_m``, ``y_m``, ``code`` of the land cover,
            ``in_sight``, ``radio_layer``, ``frequency_mhz``, ``reason`` why there is no
            prediction, and a column for each of the model's own terms with what a unit of it
            adds to the loss [dB].
        """
        cells = self._network.cells.loc[bins["cell"], ["site", "height_m"]]
        by_mast = bins.groupby([cells["site"].to_numpy(), cells["height_m"].to_numpy()])
        masts = [of_mast for _, of_mast in by_mast]
        if not masts:
            return self._described(bins, math.nan, math.nan)
        return pd.concat(self._mapped(self._at_mast, masts))

    def leads_db(self, bins: pd.DataFrame) -> pd.DataFrame:
        """Return by how much each bin's cell is predicted stronger than other sites there.

        Cells compete on one radio layer of one operator. Those of the bin's own site do not
        count: what shadows one shadows all of them.

        Parameters
        ----------
        bins
            ``cell``, ``row``, ``column``, ``x_m``, ``y_m`` and ``predicted_dbm``.

        Returns
        -------
        pandas.DataFrame
            ``lead_1`` … by the bins' index, over the strongest rival first [dB]; negative behind,
            infinite without a rival.
        """
        cells = self._network.cells
        own = cells.loc[bins["cell"]]
        leads = np.full((len(bins), N_RIVALS), math.inf)
        groups = own.reset_index().groupby(["radio_layer", "operator"])
        for _, group in groups:
            at = group.index.to_numpy()
            here = bins.iloc[at]
            first = group.iloc[0]
            competing = cells["radio_layer"] == first["radio_layer"]
            competing &= cells["operator"] == first["operator"]
            sites = [of_site for _, of_site in cells[competing].groupby("site")]
            found = self._mapped(partial(self._strongest_dbm, here), sites)
            for of_site, strongest in zip(sites, found, strict=True):
                lead = here["predicted_dbm"].to_numpy() - strongest
                lead[(group["site"] == of_site["site"].iloc[0]) | np.isnan(strongest)] = math.inf
                leads[at] = np.sort(np.column_stack([leads[at], lead]))[:, :N_RIVALS]
        return pd.DataFrame(leads, columns=_LEADS, index=bins.index)

    def _strongest_dbm(self, bins: pd.DataFrame, cells: pd.DataFrame) -> Floats:
        """Return the strongest of one site's cells at each bin, NaN where none reaches."""
        site = self._network.sites.geometry[cells["site"].iloc[0]]
        reach_m = max(self.propagation.radius_m, self.propagation.micro_radius_m)
        near = np.hypot(bins["x_m"] - site.x, bins["y_m"] - site.y) <= reach_m
        places = bins.loc[near.to_numpy(), ["row", "column"]]
        strongest = np.full(len(bins), np.nan)
        if places.empty:
            return strongest
        for _, of_mast in cells.groupby("height_m"):
            pairs = pd.concat([places.assign(cell=id_) for id_ in of_mast.index], ignore_index=True)
            told = self._at_mast(pairs)["predicted_dbm"].to_numpy()
            best = np.fmax.reduce(told.reshape(len(of_mast), -1))
            strongest[near] = np.fmax(strongest[near], best)
        return strongest

    def _mapped(self, work: Callable[[_Part], _Done], parts: Sequence[_Part]) -> Iterator[_Done]:
        if self._executor is not None:
            yield from self._executor.map(work, parts)
            return
        with ThreadPoolExecutor(max_workers=2) as threads:
            yield from threads.map(work, parts)

    def _at_mast(self, bins: pd.DataFrame) -> pd.DataFrame:
        """Predict the bins of the cells of one mast."""
        catalogue = self._network.catalogue
        cells = self._network.cells.loc[bins["cell"].unique()]
        site = self._network.sites.loc[cells["site"].iloc[0]]
        described = self._described(bins, site.geometry.x, site.geometry.y)
        if reason := self._why_not(site["kind"], site.geometry.x, site.geometry.y):
            return described.assign(predicted_dbm=np.nan, reason=reason)
        micro = site["kind"] == "micro"
        radius_m = self.propagation.micro_radius_m if micro else self.propagation.radius_m
        mast = Mast(site.geometry.x, site.geometry.y, cells["height_m"].iloc[0], radius_m)
        layers = {id_: catalogue.radio_layer(id_) for id_ in cells["radio_layer"]}
        frequencies = tuple(sorted({layer.frequency_mhz for layer in layers.values()}))
        losses = corrected_losses(self.ground, mast, dict.fromkeys(frequencies), self.propagation)
        for id_, cell in cells.iterrows():
            at = (bins["cell"] == id_).to_numpy()
            layer = layers[cell["radio_layer"]]
            loss = losses[layer.frequency_mhz]
            pixels = _pixels_of(loss, bins[at])
            loss_db = pixels(loss.loss_db)
            gain_dbi = pattern_gain(
                catalogue.antenna(cell["antenna"]).pattern,
                pixels(loss.azimuth_deg),
                pixels(loss.elevation_deg),
                cell["azimuth_deg"],
                cell["mechanical_tilt_deg"],
                cell["electrical_tilt_deg"],
            )
            power_dbm = cell["re_power_dbm"] - layer.feeder_loss_db - layer.body_loss_db
            described.loc[at, "predicted_dbm"] = power_dbm + gain_dbi - loss_db
            described.loc[at, "in_sight"] = pixels(loss.obstacle_distance_m) == 0.0
            described.loc[at, "radio_layer"] = layer.id
            described.loc[at, "frequency_mhz"] = layer.frequency_mhz
            for name, unit in loss.terms.items():
                described.loc[at, name] = pixels(unit.astype(np.float32))
        beyond = described["distance_m"] > radius_m
        unknown = described["predicted_dbm"].isna()
        described.loc[unknown, "reason"] = "the path crosses unknown terrain"
        described.loc[beyond, "reason"] = "the place is beyond the radius of prediction"
        return described

    def _described(self, bins: pd.DataFrame, x_m: float, y_m: float) -> pd.DataFrame:
        """Return what is known of bins without a prediction."""
        transform = self.ground.geobox.transform
        pixel_x_m = transform.c + transform.a * (bins["column"] + 0.5)
        pixel_y_m = transform.f + transform.e * (bins["row"] + 0.5)
        codes = np.array([cover.code for cover in self.ground.table.classes])
        classes = self.ground.class_index[bins["row"], bins["column"]]
        return pd.DataFrame(
            {
                "x_m": pixel_x_m,
                "y_m": pixel_y_m,
                "distance_m": np.hypot(pixel_x_m - x_m, pixel_y_m - y_m),
                "code": codes[classes],
                "predicted_dbm": np.nan,
                "in_sight": False,
                "radio_layer": "",
                "frequency_mhz": np.nan,
                "reason": "",
            },
            index=bins.index,
        )

    def _why_not(self, kind: str, x_m: float, y_m: float) -> str:
        """Return why a site is not predicted, or nothing."""
        if kind == "indoor":
            return "the cell is indoors and serves its building only"
        if looks_at_terrain(self.propagation) and not stands_on_known_ground(self.ground, x_m, y_m):
            return "the cell's site stands on unknown terrain"
        return ""


def _pixels_of(
    loss: MastLoss, bins: pd.DataFrame
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return what looks up a mast's window at bins, NaN outside it."""
    row = bins["row"].to_numpy() - loss.rows.start
    column = bins["column"].to_numpy() - loss.columns.start
    rows, columns = loss.loss_db.shape
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)

    def look_up(values: NDArray[np.float32]) -> NDArray[np.float32]:
        found = np.full(len(row), np.nan, np.float32)
        found[inside] = values[row[inside], column[inside]]
        return found

    return look_up


# The fit -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Terms:
    """What is fitted: a column for each term, and how far from 0 it may be expected."""

    shape: Correction
    codes: tuple[int, ...]
    own: tuple[CalibrationTerm, ...]

    @classmethod
    def of(cls, bins: pd.DataFrame, model: PathLossModel) -> "_Terms":
        """Choose the terms that bins can tell."""
        log_distance = np.log10(np.maximum(bins["distance_m"], 1.0))
        by_code = bins.groupby("code")["block"].agg(["size", "nunique"])
        enough = (by_code["size"] >= FEWEST_CLASS_BINS) & (
            by_code["nunique"] >= FEWEST_CLASS_BLOCKS
        )
        return cls(
            shape=Correction(
                frequencies_mhz=tuple(sorted(map(float, bins["frequency_mhz"].unique()))),
                reference_distance_m=float(10.0 ** log_distance.mean()),
                nearest_m=float(10.0 ** log_distance.min()),
                farthest_m=float(10.0 ** log_distance.max()),
            ),
            # Where all bins are of one class, its loss and the offset are the same thing.
            codes=tuple(map(int, by_code.index[enough])) if len(by_code) > 1 else (),
            own=model.terms,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the terms, as `Estimate` has them."""
        classes = (f"class {code}" for code in self.codes)
        return ("offset", "distance slope", *classes, *(term.name for term in self.own))

    @property
    def prior_sd(self) -> Floats:
        """Standard deviation that each term is expected to have; infinite for the offset."""
        by_name = {"offset": math.inf, **PRIOR_SD, **dict(self.own)}
        return np.array([by_name[name if name in by_name else "class"] for name in self.names])

    def columns(self, bins: pd.DataFrame) -> Floats:
        """Return what one unit of each term adds to the loss of each bin [dB]."""
        by_class = bins["code"].to_numpy()[:, None] == np.array(self.codes, np.int64)
        distance = self.shape.log_distance(bins["distance_m"])
        own = bins[[term.name for term in self.own]].to_numpy(np.float64)
        return np.column_stack([np.ones(len(bins)), distance, by_class, own])

    def correction(self, coefficients: Floats) -> Correction:
        """Return the correction that coefficients make."""
        value = dict(zip(self.names, map(float, coefficients), strict=True))
        return self.shape.model_copy(
            update={
                "offset_db": value["offset"],
                "distance_slope_db": value["distance slope"],
                "land_cover": tuple(
                    LandCoverLoss(code=code, loss_db=value[f"class {code}"]) for code in self.codes
                ),
                "terms": tuple(
                    ModelTerm(name=term.name, value=value[term.name]) for term in self.own
                ),
            }
        )


class _Fit(NamedTuple):
    """A fit, and what it says of the bins it was asked about.

    `sd_db` is of all shadowing; of the strongest cells' `spread` times that is left.
    """

    coefficients: Floats
    sd_db: float
    spread: float
    luck_db: Floats
    clear: Mask


def _fit(
    columns: Floats, bins: pd.DataFrame, train: Mask, terms: _Terms, sensitivity_dbm: float
) -> _Fit:
    """Fit the loss to add on some of the bins, those whose prediction is clear of the sensitivity.

    Which those are, and how much luck was in them, depends on the fit: they are found in turn.
    """
    clear, luck_db, spread = np.ones(len(bins), bool), np.zeros(len(bins)), 1.0
    for _ in range(_TURNS):
        use = clear & train
        target = _excess_db(bins) + luck_db
        coefficients, left_db = _huber(columns[use], target[use], terms.prior_sd)
        sd_db = left_db / spread
        luck_before, (luck_db, variance) = luck_db, _luck(bins, sd_db)
        spread = math.sqrt(variance[use].mean())
        corrected_dbm = bins["predicted_dbm"].to_numpy() - columns @ coefficients
        still = corrected_dbm >= sensitivity_dbm + CLEAR_OF_SENSITIVITY * sd_db
        settled = np.abs(luck_db - luck_before).max() < _SETTLED_DB and (still == clear).all()
        if settled or np.count_nonzero(still & train) < FEWEST_BINS // 2:
            break
        clear = still
    return _Fit(coefficients, sd_db, spread, luck_db, still)


_TURNS, _SETTLED_DB = 20, 0.01
"""Of fit and choice of bins: the most, and the change of luck at which they end."""


def _luck(bins: pd.DataFrame, sd_db: float) -> tuple[Floats, Floats]:
    """Return the mean shadowing in favour of a cell that is the strongest, and what of it varies.

    Shadowing has a part that is common to all sites and one of each site's own, s, normal with
    variance (1 − ρ) σ². The cell leads its rivals by l_k, and is strongest if s + l_k > s_k for
    all k, so the density of s there is in proportion to φ(s) Π Φ(s + l_k): its mean is the luck.
    The second figure is the variance of all shadowing that is left, over σ².
    """
    leads = bins[[name for name in _LEADS if name in bins]].to_numpy(np.float64)
    if not leads.size:
        return np.zeros(len(bins)), np.ones(len(bins))
    own_sd = math.sqrt(1.0 - SITE_CORRELATION) * sd_db
    own = np.linspace(-5.0, 8.0, 27)  # in standard deviations; even steps suit a smooth density
    log_density = -0.5 * own**2 + np.zeros((len(bins), 1))
    for lead in leads.T:
        log_density += special.log_ndtr(own + lead[:, None] / own_sd)
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)
    mean = density @ own
    variance = density @ own**2 - mean**2
    return own_sd * mean, SITE_CORRELATION + (1.0 - SITE_CORRELATION) * variance


def _excess_db(bins: pd.DataFrame) -> Floats:
    """Return by how much the loss is larger than predicted."""
    return (bins["predicted_dbm"] - bins["measured_dbm"]).to_numpy(np.float64)


def _huber(columns: Floats, target: Floats, prior_sd: Floats) -> tuple[Floats, float]:
    """Minimise Huber's loss plus a ridge by weighting again and again."""
    coefficients: Floats = np.zeros(columns.shape[1])
    coefficients[0] = np.median(target)
    for _ in range(ROUNDS):
        residual = target - columns @ coefficients
        sd = max(1.4826 * float(np.median(np.abs(residual))), 1e-6)
        weight = _weight(residual, sd)
        squares = columns.T @ (weight[:, None] * columns) + np.diag((sd / prior_sd) ** 2)
        before = coefficients
        coefficients = np.asarray(np.linalg.solve(squares, columns.T @ (weight * target)))
        if np.abs(coefficients - before).max() < TOLERANCE_DB:
            break
    return coefficients, sd


def _weight(residual: Floats, sd: float) -> Floats:
    return np.minimum(1.0, HUBER * sd / np.maximum(np.abs(residual), 1e-12))


def _without_outliers(
    bins: pd.DataFrame, terms: _Terms, sensitivity_dbm: float, left_out: _LeftOut
) -> pd.DataFrame:
    columns = terms.columns(bins)
    rough = _fit(columns, bins, np.ones(len(bins), bool), terms, sensitivity_dbm)
    residual = _excess_db(bins) + rough.luck_db - columns @ rough.coefficients
    far_off = np.abs(residual) > OUTLIER * rough.sd_db
    left_out.note(f"RSRP is more than {OUTLIER:g} sigma off the fit", bins["n"][far_off].sum())
    return bins[~far_off].reset_index(drop=True)


def _estimates(bins: pd.DataFrame, terms: _Terms, fit: _Fit, luck_db: Floats) -> Iterator[Estimate]:
    """Yield the coefficients with standard errors, a block counted as one observation."""
    columns = terms.columns(bins)
    residual = _excess_db(bins) + luck_db - columns @ fit.coefficients
    held = fit.sd_db * fit.spread
    weight = _weight(residual, held)
    # The loss bends only where it is squared: residuals beyond that say nothing of its curvature.
    curved = columns[weight == 1.0]
    squares = curved.T @ curved + np.diag((held / terms.prior_sd) ** 2)
    scores = pd.DataFrame(columns * (weight * residual)[:, None])
    by_block = scores.groupby(bins["block"].to_numpy()).sum().to_numpy()
    inverse = np.linalg.inv(squares)
    spread = inverse @ (by_block.T @ by_block) @ inverse * len(by_block) / (len(by_block) - 1)
    for j, name in enumerate(terms.names):
        yield Estimate(
            term=name,
            value=float(fit.coefficients[j]),
            standard_error=float(math.sqrt(spread[j, j])),
            n_bins=int(np.count_nonzero(columns[:, j])),
        )


def _cell_offsets(
    bins: pd.DataFrame, terms: _Terms, fit: _Fit, luck_db: Floats
) -> Iterator[CellOffset]:
    """Yield how much stronger each cell is than predicted, by id."""
    residual = terms.columns(bins) @ fit.coefficients - _excess_db(bins) - luck_db
    offsets = _offsets_by_cell(residual, fit.sd_db, bins)
    by_cell = bins.groupby("cell")["block"]
    n_bins, n_blocks = by_cell.size().to_numpy(), by_cell.nunique().to_numpy()
    for j, (id_, offset_db) in enumerate(offsets.items()):
        yield CellOffset(
            cell=str(id_),
            offset_db=float(offset_db),
            n_bins=int(n_bins[j]),
            n_blocks=int(n_blocks[j]),
        )


def _offsets_by_cell(residual_db: Floats, sd: float, bins: pd.DataFrame) -> "pd.Series[float]":
    """Return the mean residual of each cell, shrunk by what its blocks disagree."""
    held = np.clip(residual_db, -HELD * sd, HELD * sd)
    by_block = pd.Series(held).groupby([bins["cell"].to_numpy(), bins["block"].to_numpy()]).mean()
    by_cell = by_block.groupby(level=0).agg(["mean", "size", "var"])
    repeated = by_cell[by_cell["size"] > 1]
    freedom = (repeated["size"] - 1).sum()
    if len(by_cell) < 2 or not freedom:
        return by_cell["mean"] * 0.0
    within = (repeated["var"] * (repeated["size"] - 1)).sum() / freedom
    between = max(by_cell["mean"].var() - within * (1.0 / by_cell["size"]).mean(), 0.0)
    if between == 0.0:
        return by_cell["mean"] * 0.0
    return by_cell["mean"] * between / (between + within / by_cell["size"])


# Errors where nothing was measured ---------------------------------------------------------------


def _held_out(
    bins: pd.DataFrame, terms: _Terms, folds: int, sensitivity_dbm: float, seed: int
) -> pd.DataFrame:
    """Return the bins with predictions that were fitted without their block.

    Columns ``before``, ``after`` and ``with_cells`` are RSRP as it would be reported [dBm]: with
    the luck of the strongest, where only they are. Bins whose prediction is not clear of the
    sensitivity are left out.
    """
    columns = terms.columns(bins)
    block = bins["block"].to_numpy()
    numbers = np.unique(block)
    drawn = np.random.default_rng(seed).permutation(len(numbers)) % folds
    fold = drawn[np.searchsorted(numbers, block)]
    before = bins["predicted_dbm"].to_numpy()
    measured = bins["measured_dbm"].to_numpy()
    after, offset, luck = np.empty(len(bins)), np.zeros(len(bins)), np.empty(len(bins))
    clear = np.zeros(len(bins), bool)
    for k in range(folds):
        train, test = fold != k, fold == k
        fit = _fit(columns, bins, train, terms, sensitivity_dbm)
        corrected = before + fit.luck_db - columns @ fit.coefficients
        used = train & fit.clear
        by_cell = _offsets_by_cell((measured - corrected)[used], fit.sd_db, bins[used])
        after[test], clear[test] = corrected[test], fit.clear[test]
        luck[test] = fit.luck_db[test]
        offset[test] = bins["cell"][test].map(by_cell).fillna(0.0)
    told = bins.assign(before=before + luck, after=after, with_cells=after + offset)
    return told[clear]


def _error_figures(
    bins: pd.DataFrame, names: Mapping[int, str], knows_sight: bool
) -> Iterator[ErrorFigures]:
    """Yield the errors of all bins first, then by what may matter, then with cells' offsets."""
    yield _figures("all", "all", bins, bins["after"])
    edges = DISTANCE_BANDS_M
    band = pd.cut(bins["distance_m"], edges, right=False, labels=list(map(_band, edges, edges[1:])))
    parts = {
        "distance": band.astype(str),
        "land cover": bins["code"].map(lambda code: f"{code} {names[code]}"),
        "radio layer": bins["radio_layer"],
    }
    if knows_sight:
        parts["sight"] = bins["in_sight"].map({True: "in sight", False: "blocked"})
    for by, part in parts.items():
        values = sorted(part.unique(), key=_by_number)
        for value in values:
            here = bins[(part == value).to_numpy()]
            if len(here) > 1:
                yield _figures(by, value, here, here["after"])
    yield _figures("cell offsets", "all", bins, bins["with_cells"])


def _figures(by: str, value: str, bins: pd.DataFrame, after: "pd.Series[float]") -> ErrorFigures:
    measured = bins["measured_dbm"]
    error_before, error_after = bins["before"] - measured, after - measured
    return ErrorFigures(
        by=by,
        value=value,
        n_bins=len(bins),
        mean_before_db=float(error_before.mean()),
        sd_before_db=float(error_before.std()),
        rms_before_db=_rms(error_before),
        correlation_before=_correlation(bins["before"], measured),
        mean_after_db=float(error_after.mean()),
        sd_after_db=float(error_after.std()),
        rms_after_db=_rms(error_after),
        correlation_after=_correlation(after, measured),
    )


def _rms(error: "pd.Series[float]") -> float:
    return float(np.sqrt((error**2).mean()))


def _correlation(one: "pd.Series[float]", other: "pd.Series[float]") -> float | None:
    return float(one.corr(other)) if min(one.std(), other.std()) > 0.0 else None


def _band(low_m: float, high_m: float) -> str:
    if math.isinf(high_m):
        return f"from {low_m / 1e3:g} km"
    return f"{low_m / 1e3:g}-{high_m / 1e3:g} km"


def _by_number(label: str) -> tuple[float, str]:
    """Order labels by the number in front or behind, where there is one."""
    number = re.search(r"\d+(\.\d+)?", label)
    return (float(number[0]) if number else 0.0), label


# Whether the coordinates are what they are said to be --------------------------------------------


def _require_datum(bins: pd.DataFrame, predictor: _Predictor, measurements: Measurements) -> None:
    """Refuse measurements that another datum fits clearly better.

    China's datums differ by half a kilometre, over which mountains, sectors and distance change
    the signal. Each is tried with a fit of its own, so that nothing but the place decides.
    """
    given = measurements.coordinates
    places = bins["longitude"].to_numpy(), bins["latitude"].to_numpy()
    raw = from_wgs84(*places, given)
    model = predictor.propagation.path_loss_model
    misfit = {given: _misfit(bins, model)}
    for datum in get_args(Datum):
        if datum != given:
            longitude, latitude = to_wgs84(*raw, datum)
            moved = bins[["cell", "measured_dbm", "block"]].assign(
                longitude=longitude, latitude=latitude
            )
            moved["row"], moved["column"], inside = _pixels(predictor.ground, moved)
            moved = moved[inside]
            moved = moved.join(predictor.predict(moved))
            misfit[datum] = _misfit(moved[moved["reason"] == ""], model)
    best = max(misfit, key=lambda datum: float((misfit[given] - misfit[datum]).mean()))
    gain = (misfit[given] - misfit[best]).dropna()
    by_block = gain.groupby(bins["block"].loc[gain.index]).mean()
    needed = max(
        DATUM_T * float(by_block.std()) / math.sqrt(len(by_block)),
        DATUM_GAIN * float(misfit[given].mean()),
    )
    if by_block.mean() > needed:
        name = measurements.sources[0].credit if measurements.sources else "the measurements"
        raise NetworkError(
            f"the coordinates of {name} seem to be in {_DATUM_NAMES[best]}, not in "
            f"{_DATUM_NAMES[given]}: so taken, they fit the network {gain.mean():.1f} dB better, "
            f"the mean of {len(by_block)} blocks ({misfit[best].mean():.1f} instead of "
            f"{misfit[given].mean():.1f} dB off). Read them with coordinates={best!r}; if you "
            f"know better, calibrate with check_coordinates=False"
        )


_DATUM_NAMES: dict[Datum, str] = {"wgs84": "WGS-84", "gcj02": "GCJ-02", "bd09": "BD-09"}


def _misfit(bins: pd.DataFrame, model: PathLossModel) -> "pd.Series[float]":
    """Return how far each bin is off a fit to all of them [dB]."""
    if bins.empty:
        return pd.Series(dtype=np.float64)
    terms = _Terms.of(bins, model)
    columns = terms.columns(bins)
    coefficients, _ = _huber(columns, _excess_db(bins), terms.prior_sd)
    return pd.Series(np.abs(_excess_db(bins) - columns @ coefficients), index=bins.index)
