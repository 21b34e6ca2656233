"""Whether coordinates are in the datum they are said to be in."""

import math
from typing import get_args

import numpy as np
import pandas as pd
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage.calibration.bins import excess_db, on_pixels
from ankang_coverage.coverage.calibration.measurements import (
    Datum,
    Measurements,
    from_wgs84,
    to_wgs84,
)
from ankang_coverage.coverage.calibration.predicted import BinPredictor
from ankang_coverage.coverage.calibration.regression import huber
from ankang_coverage.coverage.calibration.terms import Terms
from ankang_coverage.errors import NetworkError
from ankang_coverage.propagation.models import PathLossModel

DATUM_T, DATUM_GAIN = 4.0, 0.03
"""A file is called shifted when another datum fits better by so many standard errors over blocks,
and by this share of the mean error."""
_NAMES: dict[Datum, str] = {"wgs84": "WGS-84", "gcj02": "GCJ-02", "bd09": "BD-09"}


def require_datum(
    bins: pd.DataFrame, predictor: BinPredictor, geobox: GeoBox, measurements: Measurements
) -> None:
    """Refuse measurements that another datum fits clearly better.

    China's datums differ by half a kilometre, over which mountains, sectors and distance change
    the signal. Each is tried with a fit of its own, so that nothing but the place decides.

    Parameters
    ----------
    bins : pandas.DataFrame
        Bins with predictions and blocks.
    predictor : BinPredictor
        Predicts them elsewhere.
    geobox : odc.geo.geobox.GeoBox
        The grid.
    measurements : Measurements
        Their datum as given, and where they come from.

    Raises
    ------
    NetworkError
        If another datum fits clearly better.
    """
    given = measurements.coordinates
    places = bins["longitude"].to_numpy(), bins["latitude"].to_numpy()
    as_written = from_wgs84(*places, given)
    misfit = {given: _misfit_db(bins, predictor.model)}
    for datum in get_args(Datum):
        if datum != given:
            longitude, latitude = to_wgs84(*as_written, datum)
            moved = bins[["cell", "measured_dbm", "block"]].assign(
                longitude=longitude, latitude=latitude
            )
            moved, _ = on_pixels(moved, geobox)
            moved = moved.join(predictor.predict(moved))
            misfit[datum] = _misfit_db(moved[moved["reason"] == ""], predictor.model)
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
            f"the coordinates of {name} seem to be in {_NAMES[best]}, not in {_NAMES[given]}: so "
            f"taken, they fit the network {gain.mean():.1f} dB better, the mean of "
            f"{len(by_block)} blocks ({misfit[best].mean():.1f} instead of "
            f"{misfit[given].mean():.1f} dB off). Read them with coordinates={best!r}; if you "
            f"know better, calibrate with check_coordinates=False"
        )


def _misfit_db(bins: pd.DataFrame, model: PathLossModel) -> "pd.Series[float]":
    """Return how far each bin is off a fit to all of them [dB]."""
    if bins.empty:
        return pd.Series(dtype=np.float64)
    terms = Terms.of(bins, model)
    columns = terms.columns(bins)
    coefficients, _ = huber(columns, excess_db(bins), terms.prior_sd)
    return pd.Series(np.abs(excess_db(bins) - columns @ coefficients), index=bins.index)
