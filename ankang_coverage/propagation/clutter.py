"""Clutter: the loss by buildings and trees round a terminal (ITU-R P.2108, annex 1, section 3).

Do not add one of these to a path loss that has counted the same clutter already.
"""

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ankang_coverage.propagation._ranges import FloatOrArray, Interval, checked, require_word

Clutter: TypeAlias = Literal["water", "open", "suburban", "urban", "forest", "dense-urban"]

CLUTTER_HEIGHTS_M: dict[str, float] = {
    "water": 10.0,
    "open": 10.0,
    "suburban": 10.0,
    "urban": 15.0,
    "forest": 15.0,
    "dense-urban": 20.0,
}
"""Representative clutter heights where none are known (ITU-R P.2108, table 3) [m]."""

_HEIGHT_GAIN_CLAUSE = "ITU-R P.2108, annex 1, section 3.1"
_TERRESTRIAL_CLAUSE = "ITU-R P.2108, annex 1, section 3.2"
_SLANT_CLAUSE = "ITU-R P.2108, annex 1, section 3.3"

_POSITIVE: Interval = (float(np.nextafter(0.0, 1.0)), np.inf)
_PERCENT_RANGE: Interval = (float(np.nextafter(0.0, 1.0)), float(np.nextafter(100.0, 0.0)))
_HEIGHT_GAIN_FREQUENCY_MHZ: Interval = (30.0, 3_000.0)
_TERRESTRIAL_FREQUENCY_MHZ: Interval = (500.0, 67_000.0)
_TERRESTRIAL_DISTANCE_M: Interval = (250.0, np.inf)
_SLANT_FREQUENCY_MHZ: Interval = (10_000.0, 100_000.0)
_ELEVATION_RANGE_DEG: Interval = (0.0, 90.0)

_WITHOUT_OBSTACLES = ("water", "open")
_FULL_LOSS_DISTANCE_KM = 2.0


def clutter_height_gain_loss(
    frequency_mhz: ArrayLike,
    terminal_height_m: ArrayLike,
    clutter: Clutter,
    clutter_height_m: ArrayLike | None = None,
    street_width_m: ArrayLike = 27.0,
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the height gain terminal correction of ITU-R P.2108, section 3.1.

    It is the median loss to add at a terminal below the clutter's top when the path has been
    calculated to that top.

    Parameters
    ----------
    frequency_mhz : array_like
        Carrier frequency [MHz], 30 to 3000.
    terminal_height_m : array_like
        Height of the antenna above ground [m], above 0.
    clutter : {'water', 'open', 'suburban', 'urban', 'forest', 'dense-urban'}
        What stands around the terminal.
    clutter_height_m : array_like, optional
        Representative height of the clutter [m], above 0; without one that of
        `CLUTTER_HEIGHTS_M`.
    street_width_m : array_like
        Width of the street, or distance between obstacles [m], above 0.
    extrapolate : bool
        Allow frequencies outside the range.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Loss [dB], of the inputs' common shape; 0 at and above the clutter's top.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range, or the word is unknown.

    Notes
    -----
    Over water and open country A = −K log(h/R), K = 21.8 + 6.2 log f. Elsewhere the obstacle
    across the street is a knife edge: A = J(ν) − 6.03 dB, ν = 0.342 √(f (R − h) θ), θ being the
    elevation of its top in degrees. Frequencies are in GHz.

    References
    ----------
    Recommendation ITU-R P.2108-1 (2021), "Prediction of clutter loss".

    Examples
    --------
    >>> round(float(clutter_height_gain_loss(900.0, 1.5, "forest")), 1)
    22.6
    """
    require_word("clutter", clutter, get_args(Clutter))
    clause = _HEIGHT_GAIN_CLAUSE
    if clutter_height_m is None:
        clutter_height_m = CLUTTER_HEIGHTS_M[clutter]
    frequency = checked(
        "frequency_mhz", frequency_mhz, _HEIGHT_GAIN_FREQUENCY_MHZ, clause, extrapolate
    )
    height = checked("terminal_height_m", terminal_height_m, _POSITIVE, clause)
    clutter_height = checked("clutter_height_m", clutter_height_m, _POSITIVE, clause)
    street_width = checked("street_width_m", street_width_m, _POSITIVE, clause)

    frequency_ghz = frequency / 1e3
    missing = np.maximum(clutter_height - height, 0.0)
    if clutter in _WITHOUT_OBSTACLES:
        slope = 21.8 + 6.2 * np.log10(frequency_ghz)
        loss = slope * np.log10((height + missing) / height)
    else:
        elevation_deg = np.degrees(np.arctan(missing / street_width))
        nu = 0.342 * np.sqrt(frequency_ghz * missing * elevation_deg)
        loss = _knife_edge_loss(nu) - 6.03
    below: FloatOrArray = np.where(missing > 0.0, loss, 0.0)[()]
    return below


def _knife_edge_loss(nu: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return J(ν) of an obstacle that is not below the ray."""
    loss: NDArray[np.float64] = 6.9 + 20.0 * np.log10(np.sqrt((nu - 0.1) ** 2 + 1.0) + nu - 0.1)
    return loss


def clutter_terrestrial_loss(
    frequency_mhz: ArrayLike,
    distance_m: ArrayLike,
    location_percent: ArrayLike = 50.0,
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the statistical clutter loss of terrestrial paths of ITU-R P.2108, section 3.2.

    It holds in urban and suburban clutter for a terminal well below the roofs.

    Parameters
    ----------
    frequency_mhz : array_like
        Carrier frequency [MHz], 500 to 67,000.
    distance_m : array_like
        Length of the path [m], at least 250; below 1 km one end of the path may be corrected,
        from there on both.
    location_percent : array_like
        Percentage of locations where the loss is not exceeded, above 0 and below 100.
    extrapolate : bool
        Allow frequencies and distances outside the ranges.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Loss at one terminal [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    Notes
    -----
    L = −5 log(10^(−0.2 L_l) + 10^(−0.2 L_s)) − σ Q⁻¹(p), with
    L_l = −2 log(10^(−5 log f − 12.5) + 10^(−16.5)), L_s = 32.98 + 23.9 log d + 3 log f, and σ
    mixed of 4 and 6 dB by the same weights; f in GHz, d in km. The loss never exceeds that at
    2 km.

    References
    ----------
    Recommendation ITU-R P.2108-1 (2021), "Prediction of clutter loss".

    Examples
    --------
    >>> round(float(clutter_terrestrial_loss(3500.0, 1000.0)), 1)
    30.1
    """
    clause = _TERRESTRIAL_CLAUSE
    frequency = checked(
        "frequency_mhz", frequency_mhz, _TERRESTRIAL_FREQUENCY_MHZ, clause, extrapolate
    )
    distance = checked("distance_m", distance_m, _TERRESTRIAL_DISTANCE_M, clause, extrapolate)
    percent = checked("location_percent", location_percent, _PERCENT_RANGE, clause)

    log_f = np.log10(frequency / 1e3)
    deviate: NDArray[np.float64] = ndtri(percent / 100.0)
    loss: FloatOrArray = np.minimum(
        _terrestrial_quantile(log_f, distance / 1e3, deviate),
        _terrestrial_quantile(log_f, np.asarray(_FULL_LOSS_DISTANCE_KM), deviate),
    )
    return loss


def _terrestrial_quantile(
    log_f: NDArray[np.float64], distance_km: NDArray[np.float64], deviate: NDArray[np.float64]
) -> NDArray[np.float64]:
    long_loss = -2.0 * np.log10(10.0 ** (-5.0 * log_f - 12.5) + 10.0**-16.5)
    short_loss = 32.98 + 23.9 * np.log10(distance_km) + 3.0 * log_f
    long_weight = 10.0 ** (-0.2 * long_loss)
    short_weight = 10.0 ** (-0.2 * short_loss)
    total = long_weight + short_weight
    deviation = np.sqrt((4.0**2 * long_weight + 6.0**2 * short_weight) / total)
    quantile: NDArray[np.float64] = -5.0 * np.log10(total) + deviation * deviate
    return quantile


def clutter_slant_loss(
    frequency_mhz: ArrayLike,
    elevation_deg: ArrayLike,
    location_percent: ArrayLike = 50.0,
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the statistical clutter loss of slant paths of ITU-R P.2108, section 3.3.

    The far end is a satellite, an aircraft or another platform above the clutter.

    Parameters
    ----------
    frequency_mhz : array_like
        Carrier frequency [MHz], 10,000 to 100,000.
    elevation_deg : array_like
        Elevation of the far end as seen from the terminal [degrees], 0 to 90.
    location_percent : array_like
        Percentage of locations where the loss is not exceeded, above 0 and below 100.
    extrapolate : bool
        Allow frequencies outside the range.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Loss at the terminal [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    Notes
    -----
    L = (−K ln(1 − p) cot(A (1 − θ/90) + πθ/180))^((90 − θ)/180) − 1 − 0.6 Q⁻¹(p), with
    K = 93 f^0.175, A = 0.05, f in GHz, θ in degrees.

    References
    ----------
    Recommendation ITU-R P.2108-1 (2021), "Prediction of clutter loss".

    Examples
    --------
    >>> round(float(clutter_slant_loss(30_000.0, 20.0)), 1)
    8.0
    """
    clause = _SLANT_CLAUSE
    frequency = checked("frequency_mhz", frequency_mhz, _SLANT_FREQUENCY_MHZ, clause, extrapolate)
    elevation = checked("elevation_deg", elevation_deg, _ELEVATION_RANGE_DEG, clause)
    percent = checked("location_percent", location_percent, _PERCENT_RANGE, clause)

    share = percent / 100.0
    scale = -93.0 * (frequency / 1e3) ** 0.175 * np.log1p(-share)
    lift = 0.05 * (1.0 - elevation / 90.0) + np.radians(elevation)
    # At the zenith the cotangent is a rounding error either side of zero, to the power of zero.
    cotangent = np.maximum(1.0 / np.tan(lift), 0.0)
    deviate: NDArray[np.float64] = ndtri(share)
    loss: FloatOrArray = (scale * cotangent) ** ((90.0 - elevation) / 180.0) - 1.0 + 0.6 * deviate
    return loss
