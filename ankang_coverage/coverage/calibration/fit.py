"""Fit a path-loss model to measurements, and say how wrong it is where nothing was measured.

Measurements lie on roads, close together, and what shadows one shadows its neighbour. So they are
binned (one median per cell and pixel), errors are judged on blocks of ground that the fit has not
seen, and standard errors count a block as one observation.
"""

import warnings
from concurrent.futures import Executor
from dataclasses import replace
from typing import TypedDict, Unpack

import numpy as np
import pandas as pd

from ankang_coverage.coverage.calibration.bins import LeftOut, binned, block_numbers
from ankang_coverage.coverage.calibration.datum import require_datum
from ankang_coverage.coverage.calibration.estimates import cell_offsets, estimates
from ankang_coverage.coverage.calibration.held_out import (
    HeldOut,
    error_figures,
    predicted_held_out,
)
from ankang_coverage.coverage.calibration.measurements import Measurements, match_cells
from ankang_coverage.coverage.calibration.predicted import BinPredictor
from ankang_coverage.coverage.calibration.regression import OUTLIER, fit_terms, is_outlier
from ankang_coverage.coverage.calibration.terms import Terms
from ankang_coverage.coverage.execution.work import Work
from ankang_coverage.coverage.loss.correction import Calibration, Unused
from ankang_coverage.coverage.loss.path_loss import Propagation, looks_at_terrain
from ankang_coverage.coverage.predictor import Predictor
from ankang_coverage.region import Region
from ankang_coverage.sites import Network

SENSITIVITY_DBM = -125.0
"""Weakest RSRP that phones report whenever it is there; an assumption (noise of a resource element
is −132 dBm, a phone's noise figure 7 dB or more)."""


class SeparateSettings(TypedDict, total=False):
    """Parts of `HeldOut` and `Work` as arguments of their own, as version 0.1 took them.

    Attributes
    ----------
    block_m : float
        As in `HeldOut`.
    folds, seed : int
        As in `HeldOut`.
    executor : concurrent.futures.Executor, optional
        As in `Work`.
    """

    block_m: float
    folds: int
    seed: int
    executor: Executor | None


def calibrate(
    region: Region,
    network: Network,
    measurements: Measurements,
    *,
    propagation: Propagation | None = None,
    held_out: HeldOut | None = None,
    sensitivity_dbm: float = SENSITIVITY_DBM,
    serving_only: bool = True,
    check_coordinates: bool = True,
    work: Work | None = None,
    **separate: Unpack[SeparateSettings],
) -> Calibration:
    """Fit a path-loss model to measured RSRP, and measure its error on held-out blocks.

    Parameters
    ----------
    region : Region
        Where: its grid bins the measurements.
    network : Network
        What is built; cells are found by their ids (`match_cells`).
    measurements : Measurements
        A drive test or what a crowd of phones reported.
    propagation : Propagation, optional
        The model and its settings; a calibration in them is left aside.
    held_out : HeldOut, optional
        How blocks of ground are held out to measure the error.
    sensitivity_dbm : float
        Weakest RSRP that the terminals report whenever it is there [dBm].
    serving_only : bool
        The terminals report the strongest cell of a place, as phones do; False for a scanner's
        readings of all cells.
    check_coordinates : bool
        Refuse measurements that fit clearly better when they are taken for another datum.
    work : Work, optional
        Where path losses are kept, who computes, who is shown progress. The result does not
        depend on it.
    **separate
        ``block_m``, ``folds``, ``seed`` and ``executor`` as arguments of their own: deprecated.

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
    What is fitted and how is said by `fit_terms`, the standard errors by `estimates`. Errors in
    the report are those of what a terminal would report; the stated σ is that of all shadowing, of
    which the strongest cells' is a part.
    """
    held_out, work = _with_separate(held_out or HeldOut(), work, separate)
    held_out.require_valid(region.geobox.resolution.x)
    settings = (propagation or Propagation()).model_copy(update={"calibration": None})
    predictor = Predictor(region, settings, work or Work())
    of_bins = BinPredictor(predictor, network)
    left_out = LeftOut(len(measurements.points), held_out.block_m)
    bins = _measured_bins(network, measurements, predictor, sensitivity_dbm, left_out)
    bins = _with_predictions(bins, of_bins, left_out)
    bins["block"] = block_numbers(bins, held_out.block_m)
    left_out.require_enough(bins)
    if check_coordinates:
        require_datum(bins, of_bins, region.geobox, measurements)
    if serving_only:
        bins = bins.join(of_bins.leads_db(bins))
    return _fitted(bins, predictor, held_out, sensitivity_dbm, left_out, measurements)


def _fitted(
    bins: pd.DataFrame,
    predictor: Predictor,
    held_out: HeldOut,
    sensitivity_dbm: float,
    left_out: LeftOut,
    measurements: Measurements,
) -> Calibration:
    """Fit bins that have predictions and blocks."""
    settings = predictor.propagation
    model = settings.path_loss_model
    terms = Terms.of(bins, model)
    far_off = is_outlier(terms, bins, sensitivity_dbm)
    left_out.note(f"RSRP is more than {OUTLIER:g} sigma off the fit", bins["n"][far_off].sum())
    bins = bins[~far_off].reset_index(drop=True)

    fit = fit_terms(terms, bins, np.ones(len(bins), bool), sensitivity_dbm)
    faint = bins["n"][~fit.clear].sum()
    left_out.note("the prediction is too near the sensitivity", faint)
    used = bins[fit.clear]
    left_out.require_enough(used)
    names = {cover.code: cover.name_en for cover in predictor.ground.table.classes}
    predicted = predicted_held_out(bins, terms, held_out, sensitivity_dbm)
    errors = tuple(error_figures(predicted, names, by_sight=looks_at_terrain(settings)))
    return Calibration(
        model=model.identity,
        terminal_height_m=settings.terminal_height_m,
        time_percent=settings.time_percent,
        correction=terms.correction(fit.coefficients),
        error_sigma_db=errors[0].sd_after_db / fit.spread,
        estimates=tuple(estimates(bins, terms, fit)),
        errors=errors,
        cell_offsets=tuple(cell_offsets(bins, terms, fit)),
        unused=tuple(
            Unused(reason=reason, n_measurements=n) for reason, n in left_out.counts.items()
        ),
        n_measurements=int(used["n"].sum()),
        n_bins=len(used),
        n_blocks=used["block"].nunique(),
        block_m=held_out.block_m,
        folds=held_out.folds,
        seed=held_out.seed,
        sensitivity_dbm=sensitivity_dbm,
        sources=measurements.sources,
    )


def _measured_bins(
    network: Network,
    measurements: Measurements,
    predictor: Predictor,
    sensitivity_dbm: float,
    left_out: LeftOut,
) -> pd.DataFrame:
    """Return the bins of the measurements that name a cell of the network."""
    points, unmatched = match_cells(network, measurements)
    for reason, rows in unmatched.groupby("reason"):
        left_out.note(str(reason), len(rows))
    return binned(points, predictor.ground.geobox, sensitivity_dbm, left_out)


def _with_predictions(
    bins: pd.DataFrame, predictor: BinPredictor, left_out: LeftOut
) -> pd.DataFrame:
    """Return the bins that have a prediction, with it; count the others by the reason why not."""
    bins = bins.join(predictor.predict(bins))
    for reason, group in bins[bins["reason"] != ""].groupby("reason"):
        left_out.note(str(reason), group["n"].sum())
    return bins[bins["reason"] == ""].drop(columns="reason").reset_index(drop=True)


def _with_separate(
    held_out: HeldOut, work: Work | None, separate: SeparateSettings
) -> tuple[HeldOut, Work | None]:
    """Take settings that were given one by one, as in version 0.1."""
    strange = separate.keys() - SeparateSettings.__annotations__.keys()
    if strange:
        raise TypeError(f"unexpected keyword argument {min(strange)!r}")
    if not separate:
        return held_out, work
    warnings.warn(
        f"{', '.join(sorted(separate))} as arguments of their own will go in version 0.3: give "
        f"held_out=HeldOut(block_m=…, folds=…, seed=…) and work=Work(executor=…)",
        DeprecationWarning,
        stacklevel=3,
    )
    executor = separate.get("executor")
    if executor is not None:
        work = replace(work or Work(), executor=executor)
    blocks = {name: value for name, value in separate.items() if name != "executor"}
    return replace(held_out, **blocks), work  # type: ignore[arg-type]
