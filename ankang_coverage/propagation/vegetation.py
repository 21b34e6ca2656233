"""Vegetation: the loss by woods and single trees (ITU-R P.833).

The loss grows with the length of a short path through leaves. On a long one it saturates, because
the signal also passes over and round the trees.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.propagation._ranges import FloatOrArray, Interval, checked

_DEPTH_RANGE_M: Interval = (0.0, np.inf)
_POSITIVE: Interval = (float(np.nextafter(0.0, 1.0)), np.inf)
_LOSS_RANGE_DB: Interval = (0.0, 1_000.0)
_FIGURE_2_RANGE_MHZ: Interval = (30.0, 30_000.0)
_ELEVATION_RANGE_DEG: Interval = (float(np.nextafter(0.0, 1.0)), 90.0)

_FIGURE_2_MHZ = (30.0, 1_000.0, 30_000.0)
_FIGURE_2_DB_M = (0.02, 0.2, 6.0)


@dataclass(frozen=True)
class Woodland:
    """A forest where the saturated loss was measured: A_m = A₁ f^α, f in MHz.

    Attributes
    ----------
    factor_db, exponent : float
        A₁ [dB] and α.
    frequency_range_mhz : tuple of float
        Frequencies measured [MHz].
    description : str
        Where, and what grows there.
    """

    factor_db: float
    exponent: float
    frequency_range_mhz: Interval
    description: str


RIO_DE_JANEIRO = Woodland(0.18, 0.752, (900.0, 1_800.0), "park with tropical trees of 15 m")
MULHOUSE = Woodland(1.15, 0.43, (900.0, 2_200.0), "forest of various species of 15 m")
SAINT_PETERSBURG = Woodland(
    1.37, 0.42, (105.9, 2_117.5), "mixed coniferous and deciduous forest of 16 m"
)
"""The three measured woodlands of ITU-R P.833, section 2.1."""


def vegetation_specific_attenuation(
    frequency_mhz: ArrayLike, extrapolate: bool = False
) -> FloatOrArray:
    """Return the specific attenuation in woodland of ITU-R P.833, figure 2.

    Parameters
    ----------
    frequency_mhz : array_like
        Carrier frequency [MHz], 30 to 30,000.
    extrapolate : bool
        Allow frequencies outside the range.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        γ, attenuation of very short ways through vegetation [dB/m].

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    Notes
    -----
    The recommendation gives a curve and no numbers. The points 0.02 dB/m at 30 MHz, 0.2 at 1 GHz
    and 6 at 30 GHz are read off its curve for vertical polarisation and joined by straight lines
    on logarithmic axes; below 1 GHz horizontal polarisation costs less, above it the two are
    alike. Take it as good to a quarter: species, leaves and moisture matter more.

    References
    ----------
    Recommendation ITU-R P.833-10 (2021), "Attenuation in vegetation", figure 2.

    Examples
    --------
    >>> round(float(vegetation_specific_attenuation(900.0)), 3)
    0.187
    """
    frequency = checked(
        "frequency_mhz", frequency_mhz, _FIGURE_2_RANGE_MHZ, "ITU-R P.833, figure 2", extrapolate
    )
    log_f = np.log10(frequency)
    knots, values = np.log10(_FIGURE_2_MHZ), np.log10(_FIGURE_2_DB_M)
    slopes = np.diff(values) / np.diff(knots)
    slope = np.where(log_f < knots[1], slopes[0], slopes[1])
    attenuation: FloatOrArray = 10.0 ** (values[1] + slope * (log_f - knots[1]))
    return attenuation


def woodland_maximum_attenuation(
    frequency_mhz: ArrayLike, woodland: Woodland = SAINT_PETERSBURG, extrapolate: bool = False
) -> FloatOrArray:
    """Return the most a woodland attenuates at one terminal (ITU-R P.833, section 2.1).

    Parameters
    ----------
    frequency_mhz : array_like
        Carrier frequency [MHz], within what was measured in the woodland.
    woodland : Woodland
        `RIO_DE_JANEIRO`, `MULHOUSE`, `SAINT_PETERSBURG` or one of your own measuring.
    extrapolate : bool
        Allow frequencies outside the range.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        A_m = A₁ f^α [dB].

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    References
    ----------
    Recommendation ITU-R P.833-10 (2021), "Attenuation in vegetation", equation (2).

    Examples
    --------
    >>> round(float(woodland_maximum_attenuation(900.0)), 1)
    23.9
    """
    frequency = checked(
        "frequency_mhz",
        frequency_mhz,
        woodland.frequency_range_mhz,
        f"ITU-R P.833, section 2.1, {woodland.description}",
        extrapolate,
    )
    attenuation: FloatOrArray = woodland.factor_db * frequency**woodland.exponent
    return attenuation


def woodland_loss(
    depth_m: ArrayLike,
    specific_attenuation_db_m: ArrayLike,
    maximum_attenuation_db: ArrayLike,
) -> FloatOrArray:
    """Return the excess loss of a terminal in woodland of ITU-R P.833, section 2.1.

    Parameters
    ----------
    depth_m : array_like
        Length of the path within the wood [m], 0 or more.
    specific_attenuation_db_m : array_like
        γ [dB/m], above 0, as `vegetation_specific_attenuation` gives it.
    maximum_attenuation_db : array_like
        A_m [dB], above 0, as `woodland_maximum_attenuation` gives it.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        A_ev = A_m (1 − exp(−d γ / A_m)) [dB], of the inputs' common shape: γ d for short ways,
        A_m for long ones.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    References
    ----------
    Recommendation ITU-R P.833-10 (2021), "Attenuation in vegetation", equation (1).

    Examples
    --------
    >>> round(float(woodland_loss(100.0, 0.17, 26.5)), 2)  # 949 MHz near Saint Petersburg
    12.55
    """
    clause = "ITU-R P.833, section 2.1"
    depth = checked("depth_m", depth_m, _DEPTH_RANGE_M, clause)
    specific = checked("specific_attenuation_db_m", specific_attenuation_db_m, _POSITIVE, clause)
    maximum = checked("maximum_attenuation_db", maximum_attenuation_db, _POSITIVE, clause)
    loss: FloatOrArray = -maximum * np.expm1(-depth * specific / maximum)
    return loss


def woodland_slant_loss(
    frequency_mhz: ArrayLike,
    depth_m: ArrayLike,
    elevation_deg: ArrayLike,
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the loss of a slant path through foliage of ITU-R P.833, section 2.2.

    Parameters
    ----------
    frequency_mhz : array_like
        Carrier frequency [MHz], 30 to 30,000.
    depth_m : array_like
        Length of the path within the vegetation [m], 0 or more.
    elevation_deg : array_like
        Elevation of the path [degrees], above 0, at most 90.
    extrapolate : bool
        Allow frequencies outside the range.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        L = 0.25 f^0.39 d^0.25 θ^0.05 [dB], of the inputs' common shape; fitted to a pine wood
        in Austria.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    References
    ----------
    Recommendation ITU-R P.833-10 (2021), "Attenuation in vegetation", section 2.2.

    Examples
    --------
    >>> round(float(woodland_slant_loss(1600.0, 20.0, 30.0)), 1)
    11.1
    """
    clause = "ITU-R P.833, section 2.2"
    frequency = checked("frequency_mhz", frequency_mhz, _FIGURE_2_RANGE_MHZ, clause, extrapolate)
    depth = checked("depth_m", depth_m, _DEPTH_RANGE_M, clause)
    elevation = checked("elevation_deg", elevation_deg, _ELEVATION_RANGE_DEG, clause)
    loss: FloatOrArray = 0.25 * frequency**0.39 * depth**0.25 * elevation**0.05
    return loss


def tree_loss(
    frequency_mhz: ArrayLike,
    depth_m: ArrayLike,
    specific_attenuation_db_m: ArrayLike | None = None,
    other_path_loss_db: ArrayLike = _LOSS_RANGE_DB[1],
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the loss of a single tree or group of ITU-R P.833, section 3.1.

    Parameters
    ----------
    frequency_mhz : array_like
        Carrier frequency [MHz], 30 to 1000.
    depth_m : array_like
        Length of the path within the canopy [m], 0 or more.
    specific_attenuation_db_m : array_like, optional
        γ [dB/m], above 0; without one that of `vegetation_specific_attenuation`.
    other_path_loss_db : array_like
        The lowest excess loss of other ways, such as diffraction over and round the tree [dB],
        0 to 1000: the tree costs no more than going round it.
    extrapolate : bool
        Allow frequencies outside the range.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        A_et = d γ, at most `other_path_loss_db` [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    References
    ----------
    Recommendation ITU-R P.833-10 (2021), "Attenuation in vegetation", section 3.1.

    Examples
    --------
    >>> round(float(tree_loss(900.0, 10.0)), 2), float(tree_loss(900.0, 50.0, 0.2, 6.0))
    (1.87, 6.0)
    """
    clause = "ITU-R P.833, section 3.1: single vegetative obstruction up to 1 GHz"
    frequency = checked("frequency_mhz", frequency_mhz, (30.0, 1_000.0), clause, extrapolate)
    depth = checked("depth_m", depth_m, _DEPTH_RANGE_M, clause)
    other = checked("other_path_loss_db", other_path_loss_db, _LOSS_RANGE_DB, clause)
    specific: FloatOrArray | NDArray[np.float64]
    if specific_attenuation_db_m is None:
        specific = vegetation_specific_attenuation(frequency, extrapolate=extrapolate)
    else:
        specific = checked(
            "specific_attenuation_db_m", specific_attenuation_db_m, _POSITIVE, clause
        )
    loss: FloatOrArray = np.minimum(depth * specific, other)
    return loss
