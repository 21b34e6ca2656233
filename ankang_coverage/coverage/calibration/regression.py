"""The regression: Huber's loss with a ridge, on bins that a phone would certainly report.

A phone reports nothing below its sensitivity. Where the predicted signal is near it, only the
lucky measurements are there, and a fit to them would promise too much. Such bins are left out by
their prediction, never by their measurement.

And of the cells at a place a phone reports the strongest, so that the lucky cell is measured where
several are about as strong. How much luck that takes follows from the predictions of all of them;
it is taken off before the fit.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ankang_coverage.coverage.calibration.bins import FEWEST_BINS, excess_db
from ankang_coverage.coverage.calibration.predicted import LEADS
from ankang_coverage.coverage.calibration.terms import Terms

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

HUBER = 1.345
"""Residuals beyond so many standard deviations count in proportion, not squared (Huber 1964)."""
OUTLIER = 5.0
"""Residuals beyond so many standard deviations are of another cell, a tunnel or a wrong site."""
CLEAR_OF_SENSITIVITY = 2.0
"""A prediction counts when it is so many standard deviations above the sensitivity."""
SITE_CORRELATION = 0.5
"""Correlation of the shadowing of two sites at one place, that of one site's cells being 1: what
LTE studies usually assume (SEAMCAT handbook, correlation of path loss)."""
ROUNDS, TOLERANCE_DB = 50, 1e-9
"""Of reweighting: the most, and the change of a coefficient at which it stops."""
TURNS, SETTLED_DB = 20, 0.01
"""Of fit and choice of bins: the most, and the change of luck at which they end."""


class Fit(NamedTuple):
    """A fit, and what it says of the bins that it was given.

    Attributes
    ----------
    coefficients : numpy.ndarray
        (terms,) one for each term.
    sd_db : float
        Standard deviation of all shadowing [dB].
    spread : float
        The share of it that is left of the strongest cells' shadowing.
    luck_db : numpy.ndarray
        (n,) mean shadowing in favour of a cell that was reported as the strongest [dB].
    clear : numpy.ndarray
        (n,) whether a bin's prediction is clear of the sensitivity.
    """

    coefficients: Floats
    sd_db: float
    spread: float
    luck_db: Floats
    clear: Mask


def fit_terms(terms: Terms, bins: pd.DataFrame, train: Mask, sensitivity_dbm: float) -> Fit:
    """Fit the loss to add on some of the bins, those whose prediction is clear of the sensitivity.

    Which those are, and how much luck was in them, depends on the fit: they are found in turn.

    Parameters
    ----------
    terms : Terms
        What is fitted.
    bins : pandas.DataFrame
        n bins with their predictions.
    train : numpy.ndarray
        (n,) which of them may be used.
    sensitivity_dbm : float
        Weakest RSRP that the terminals report whenever it is there [dBm].

    Returns
    -------
    Fit
        The fit.

    Notes
    -----
    The fit minimises Huber's loss of y − X b plus a ridge Σ (b_j / τ_j)², by iterated weighting;
    y is predicted less measured RSRP, X has 1, decades of distance, one column for each class of
    land cover with enough bins, and the model's own terms; τ is `Terms.prior_sd`.

    Where phones report the strongest cell, y is first freed of the mean shadowing that made it so,
    given the predictions of the strongest cell of each other site and the correlation between
    sites.

    References
    ----------
    P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Stat. 35(1), 1964.
    """
    columns = terms.columns(bins)
    clear, luck_db, spread = np.ones(len(bins), bool), np.zeros(len(bins)), 1.0
    for _ in range(TURNS):
        use = clear & train
        target = excess_db(bins) + luck_db
        coefficients, left_db = huber(columns[use], target[use], terms.prior_sd)
        sd_db = left_db / spread
        luck_before, (luck_db, variance) = luck_db, _luck(bins, sd_db)
        spread = math.sqrt(variance[use].mean())
        corrected_dbm = bins["predicted_dbm"].to_numpy() - columns @ coefficients
        still = corrected_dbm >= sensitivity_dbm + CLEAR_OF_SENSITIVITY * sd_db
        settled = np.abs(luck_db - luck_before).max() < SETTLED_DB and (still == clear).all()
        if settled or np.count_nonzero(still & train) < FEWEST_BINS // 2:
            break
        clear = still
    return Fit(coefficients, sd_db, spread, luck_db, still)


def is_outlier(terms: Terms, bins: pd.DataFrame, sensitivity_dbm: float) -> Mask:
    """Return which bins are too far off a first fit to be what they are said to be.

    Parameters
    ----------
    terms : Terms
        What is fitted.
    bins : pandas.DataFrame
        n bins with their predictions.
    sensitivity_dbm : float
        As for `fit_terms` [dBm].

    Returns
    -------
    numpy.ndarray
        (n,) whether a residual is beyond `OUTLIER` standard deviations.
    """
    rough = fit_terms(terms, bins, np.ones(len(bins), bool), sensitivity_dbm)
    residual = excess_db(bins) + rough.luck_db - terms.columns(bins) @ rough.coefficients
    return np.asarray(np.abs(residual) > OUTLIER * rough.sd_db)


def huber(columns: Floats, target: Floats, prior_sd: Floats) -> tuple[Floats, float]:
    """Minimise Huber's loss plus a ridge by weighting again and again.

    Parameters
    ----------
    columns : numpy.ndarray
        (n, terms) what one unit of each term adds.
    target : numpy.ndarray
        (n,) what is to be explained.
    prior_sd : numpy.ndarray
        (terms,) standard deviation that each coefficient is expected to have.

    Returns
    -------
    coefficients : numpy.ndarray
        (terms,) coefficients.
    sd : float
        Standard deviation of the residuals, from their median.
    """
    coefficients: Floats = np.zeros(columns.shape[1])
    coefficients[0] = np.median(target)
    for _ in range(ROUNDS):
        residual = target - columns @ coefficients
        sd = max(1.4826 * float(np.median(np.abs(residual))), 1e-6)
        weight = huber_weight(residual, sd)
        squares = columns.T @ (weight[:, None] * columns) + np.diag((sd / prior_sd) ** 2)
        before = coefficients
        coefficients = np.asarray(np.linalg.solve(squares, columns.T @ (weight * target)))
        if np.abs(coefficients - before).max() < TOLERANCE_DB:
            break
    return coefficients, sd


def huber_weight(residual: Floats, sd: float) -> Floats:
    """Return the weight of each residual.

    Parameters
    ----------
    residual : numpy.ndarray
        (n,) residuals.
    sd : float
        Their standard deviation.

    Returns
    -------
    numpy.ndarray
        (n,) 1 up to `HUBER` standard deviations, less beyond.
    """
    return np.minimum(1.0, HUBER * sd / np.maximum(np.abs(residual), 1e-12))


def _luck(bins: pd.DataFrame, sd_db: float) -> tuple[Floats, Floats]:
    """Return the mean shadowing in favour of a cell that is the strongest, and what of it varies.

    Shadowing has a part that is common to all sites and one of each site's own, s, normal with
    variance (1 − ρ) σ². The cell leads its rivals by l_k, and is strongest if s + l_k > s_k for
    all k, so the density of s there is in proportion to φ(s) Π Φ(s + l_k): its mean is the luck.
    The second figure is the variance of all shadowing that is left, over σ².
    """
    leads = bins[[name for name in LEADS if name in bins]].to_numpy(np.float64)
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
