"""Variability of locations (ITU-R P.1812-8, sections 4.8 and 4.10, attachment 2)."""

import math

import numpy as np
from numpy.typing import ArrayLike

from ankang_coverage.propagation._ranges import FloatOrArray, checked
from ankang_coverage.propagation.p1812.inputs import ANNEX


def location_deviation(
    frequency_mhz: float, receiver_height_m: float, clutter_height_m: float, width_m: float
) -> float:
    """Return the standard deviation of location variability (ITU-R P.1812-8, sections 4.8, 4.10).

    Parameters
    ----------
    frequency_mhz : float
        Frequency [MHz].
    receiver_height_m : float
        Height of the receiver above ground [m].
    clutter_height_m : float
        Representative clutter height at the receiver [m].
    width_m : float
        Width of the square over which the loss varies: the resolution of the prediction [m].

    Returns
    -------
    float
        Standard deviation σL [dB], falling to zero for a receiver 10 m above the clutter.

    Raises
    ------
    OutOfRangeError
        If frequency or width is not a positive number, or a height not a number of 0 or more.

    Examples
    --------
    >>> round(location_deviation(900.0, 1.5, 10.0, 100.0), 2)
    1.97
    """
    clause = f"{ANNEX}, section 4.8"
    positive = (float(np.nextafter(0.0, 1.0)), np.inf)
    checked("frequency_mhz", frequency_mhz, positive, clause)
    checked("width_m", width_m, positive, clause)
    checked("receiver_height_m", receiver_height_m, (0.0, np.inf), clause)
    checked("clutter_height_m", clutter_height_m, (0.0, np.inf), clause)
    whole = (0.52 + 0.024 * frequency_mhz / 1e3) * math.pow(width_m, 0.28)
    above = receiver_height_m - clutter_height_m
    return whole * min(max(1.0 - above / 10.0, 0.0), 1.0)


def inverse_normal(probability: ArrayLike) -> FloatOrArray:
    """Return the inverse of the complementary normal distribution (P.1812-8, attachment 2).

    Parameters
    ----------
    probability : array_like
        Probability of being exceeded, held to 1e-6 … 1 − 1e-6; any shape.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Standard deviations above the mean, by the recommendation's rational approximation
        (error below 4.5e-4): positive below a half.

    Examples
    --------
    >>> round(float(inverse_normal(0.01)), 3)
    2.327
    """
    x = np.clip(np.asarray(probability, dtype=np.float64), 1e-6, 1.0 - 1e-6)
    t = np.sqrt(-2.0 * np.log(np.minimum(x, 1.0 - x)))
    numerator = (0.010328 * t + 0.802853) * t + 2.515516698
    denominator = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0
    above = t - numerator / denominator
    return np.where(x <= 0.5, above, -above)[()]
