"""What a fit says of its terms and of each cell, a block of ground counted as one observation."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ankang_coverage.coverage.calibration.bins import excess_db
from ankang_coverage.coverage.calibration.regression import Fit, huber_weight
from ankang_coverage.coverage.calibration.terms import Terms
from ankang_coverage.coverage.loss.correction import CellOffset, Estimate

Floats = NDArray[np.float64]

HELD = 2.5
"""Residuals are held to so many standard deviations where a mean of them is taken."""


def estimates(bins: pd.DataFrame, terms: Terms, fit: Fit) -> Iterator[Estimate]:
    """Yield the coefficients with their standard errors.

    Parameters
    ----------
    bins : pandas.DataFrame
        The n bins that the fit was given.
    terms : Terms
        What was fitted.
    fit : Fit
        The fit; only its clear bins count.

    Yields
    ------
    Estimate
        For each term.

    Notes
    -----
    Standard errors come from the sum of the scores within each block: K.-Y. Liang, S. L. Zeger,
    "Longitudinal data analysis using generalized linear models", Biometrika 73(1), 1986.
    """
    used = bins[fit.clear]
    columns = terms.columns(used)
    residual = excess_db(used) + fit.luck_db[fit.clear] - columns @ fit.coefficients
    held = fit.sd_db * fit.spread
    weight = huber_weight(residual, held)
    # The loss bends only where it is squared: residuals beyond that say nothing of its curvature.
    curved = columns[weight == 1.0]
    squares = curved.T @ curved + np.diag((held / terms.prior_sd) ** 2)
    scores = pd.DataFrame(columns * (weight * residual)[:, None])
    by_block = scores.groupby(used["block"].to_numpy()).sum().to_numpy()
    inverse = np.linalg.inv(squares)
    spread = inverse @ (by_block.T @ by_block) @ inverse * len(by_block) / (len(by_block) - 1)
    for j, name in enumerate(terms.names):
        yield Estimate(
            term=name,
            value=float(fit.coefficients[j]),
            standard_error=float(math.sqrt(spread[j, j])),
            n_bins=int(np.count_nonzero(columns[:, j])),
        )


def cell_offsets(bins: pd.DataFrame, terms: Terms, fit: Fit) -> Iterator[CellOffset]:
    """Yield how much stronger each cell is than predicted, by id.

    Parameters
    ----------
    bins : pandas.DataFrame
        The n bins that the fit was given.
    terms : Terms
        What was fitted.
    fit : Fit
        The fit; only its clear bins count.

    Yields
    ------
    CellOffset
        For each cell.

    Notes
    -----
    An offset is the mean of a cell's residuals by block, shrunk by σ_c² / (σ_c² + σ_b² / n): the
    variances between cells and between a cell's blocks are found by the method of moments.
    """
    used = bins[fit.clear]
    fitted_db = terms.columns(used) @ fit.coefficients
    residual = fitted_db - excess_db(used) - fit.luck_db[fit.clear]
    offsets = offsets_by_cell(residual, fit.sd_db, used)
    by_cell = used.groupby("cell")["block"]
    n_bins, n_blocks = by_cell.size().to_numpy(), by_cell.nunique().to_numpy()
    for j, (id_, offset_db) in enumerate(offsets.items()):
        yield CellOffset(
            cell=str(id_),
            offset_db=float(offset_db),
            n_bins=int(n_bins[j]),
            n_blocks=int(n_blocks[j]),
        )


def offsets_by_cell(residual_db: Floats, sd_db: float, bins: pd.DataFrame) -> "pd.Series[float]":
    """Return the mean residual of each cell, shrunk by how much its blocks disagree.

    Parameters
    ----------
    residual_db : numpy.ndarray
        (n,) residuals [dB].
    sd_db : float
        Their standard deviation [dB].
    bins : pandas.DataFrame
        ``cell`` and ``block`` of each.

    Returns
    -------
    pandas.Series
        Offset by cell id [dB].
    """
    held = np.clip(residual_db, -HELD * sd_db, HELD * sd_db)
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
