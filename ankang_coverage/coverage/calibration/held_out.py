"""Errors where nothing was measured: blocks of ground are held out of the fit in turn."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ankang_coverage.coverage.calibration.bins import FEWEST_BLOCKS
from ankang_coverage.coverage.calibration.estimates import offsets_by_cell
from ankang_coverage.coverage.calibration.regression import fit_terms
from ankang_coverage.coverage.calibration.terms import Terms
from ankang_coverage.coverage.loss.correction import ErrorFigures
from ankang_coverage.errors import OutOfRangeError

DISTANCE_BANDS_M = (0.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, math.inf)
"""Bands of distance in the figures of the error."""


@dataclass(frozen=True)
class HeldOut:
    """Which measurements are held out of a fit, to measure its error on them.

    Attributes
    ----------
    block_m : float
        Side of the square blocks of ground that are held out together [m]; well beyond the
        distance over which shadowing stays alike.
    folds : int
        Parts of the blocks, each held out once, at least 2.
    seed : int
        Of the drawing of the parts.
    """

    block_m: float = 2_000.0
    folds: int = 5
    seed: int = 0

    def require_valid(self, pixel_m: float) -> None:
        """Refuse blocks smaller than a pixel, and too few or too many parts.

        Parameters
        ----------
        pixel_m : float
            Side of a pixel [m].

        Raises
        ------
        OutOfRangeError
            If a block or the number of parts is outside its range.
        """
        if not self.block_m >= pixel_m:
            raise OutOfRangeError(
                f"block_m is {self.block_m:g} but must be at least the region's pixel of "
                f"{pixel_m:g} m"
            )
        if not 2 <= self.folds <= FEWEST_BLOCKS:
            raise OutOfRangeError(f"folds is {self.folds} but must be 2 to {FEWEST_BLOCKS}")


def predicted_held_out(
    bins: pd.DataFrame, terms: Terms, held_out: HeldOut, sensitivity_dbm: float
) -> pd.DataFrame:
    """Predict bins by fits that have not seen their block.

    Parameters
    ----------
    bins : pandas.DataFrame
        Bins with predictions and blocks.
    terms : Terms
        What is fitted.
    held_out : HeldOut
        How the blocks are drawn.
    sensitivity_dbm : float
        Weakest RSRP that the terminals report whenever it is there [dBm].

    Returns
    -------
    pandas.DataFrame
        The bins whose prediction is clear of the sensitivity, with ``before``, ``after`` and
        ``with_cells``: RSRP as it would be reported [dBm], with the luck of the strongest where
        only they are.
    """
    block = bins["block"].to_numpy()
    numbers = np.unique(block)
    drawn = np.random.default_rng(held_out.seed).permutation(len(numbers)) % held_out.folds
    fold = drawn[np.searchsorted(numbers, block)]
    columns = terms.columns(bins)
    before = bins["predicted_dbm"].to_numpy()
    measured = bins["measured_dbm"].to_numpy()
    after, offset, luck = np.empty(len(bins)), np.zeros(len(bins)), np.empty(len(bins))
    clear = np.zeros(len(bins), bool)
    for k in range(held_out.folds):
        train, test = fold != k, fold == k
        fit = fit_terms(terms, bins, train, sensitivity_dbm)
        corrected = before + fit.luck_db - columns @ fit.coefficients
        used = train & fit.clear
        by_cell = offsets_by_cell((measured - corrected)[used], fit.sd_db, bins[used])
        after[test], clear[test] = corrected[test], fit.clear[test]
        luck[test] = fit.luck_db[test]
        offset[test] = bins["cell"][test].map(by_cell).fillna(0.0)
    return bins.assign(before=before + luck, after=after, with_cells=after + offset)[clear]


def error_figures(
    bins: pd.DataFrame, names: Mapping[int, str], *, by_sight: bool
) -> Iterator[ErrorFigures]:
    """Yield the errors of all bins first, then by what may matter, then with cells' offsets.

    Parameters
    ----------
    bins : pandas.DataFrame
        As `predicted_held_out` returns them.
    names : mapping of int to str
        Name of each class of land cover.
    by_sight : bool
        Whether the model says which places are in sight of their mast.

    Yields
    ------
    ErrorFigures
        For all, and for each part with two bins or more.
    """
    yield _figures("all", "all", bins, bins["after"])
    edges = DISTANCE_BANDS_M
    band = pd.cut(bins["distance_m"], edges, right=False, labels=list(map(_band, edges, edges[1:])))
    parts = {
        "distance": band.astype(str),
        "land cover": bins["code"].map(lambda code: f"{code} {names[code]}"),
        "radio layer": bins["radio_layer"],
    }
    if by_sight:
        parts["sight"] = bins["in_sight"].map({True: "in sight", False: "blocked"})
    for by, part in parts.items():
        for value in sorted(part.unique(), key=_by_number):
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


def _correlation(predicted: "pd.Series[float]", measured: "pd.Series[float]") -> float | None:
    varies = min(predicted.std(), measured.std()) > 0.0
    return float(predicted.corr(measured)) if varies else None


def _band(low_m: float, high_m: float) -> str:
    if math.isinf(high_m):
        return f"from {low_m / 1e3:g} km"
    return f"{low_m / 1e3:g}-{high_m / 1e3:g} km"


def _by_number(label: str) -> tuple[float, str]:
    """Order labels by the number in front or behind, where there is one."""
    number = re.search(r"\d+(\.\d+)?", label)
    return (float(number[0]) if number else 0.0), label
