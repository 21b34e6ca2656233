"""Buildings: the loss on the way in (ITU-R P.2109)."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ankang_coverage.propagation._ranges import FloatOrArray, Interval, checked, require_word

Building: TypeAlias = Literal["traditional", "thermally-efficient"]

_CLAUSE = "ITU-R P.2109, annex 1, section 3"
_FREQUENCY_RANGE_MHZ: Interval = (80.0, 100_000.0)
_PERCENT_RANGE: Interval = (float(np.nextafter(0.0, 1.0)), float(np.nextafter(100.0, 0.0)))
_ELEVATION_RANGE_DEG: Interval = (-90.0, 90.0)


@dataclass(frozen=True)
class _Coefficients:
    """Table 1 of the recommendation; frequencies enter as log₁₀ of gigahertz."""

    r: float
    s: float
    t: float
    u: float
    v: float
    w: float
    x: float
    y: float
    z: float


_COEFFICIENTS: dict[str, _Coefficients] = {
    "traditional": _Coefficients(12.64, 3.72, 0.96, 9.6, 2.0, 9.1, -3.0, 4.5, -2.0),
    "thermally-efficient": _Coefficients(28.19, -3.00, 8.48, 13.5, 3.8, 27.8, -2.9, 9.4, -2.1),
}


def building_entry_loss(
    frequency_mhz: ArrayLike,
    probability_percent: ArrayLike = 50.0,
    building: Building = "traditional",
    elevation_deg: ArrayLike = 0.0,
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the building entry loss of ITU-R P.2109, annex 1, section 3.

    Parameters
    ----------
    frequency_mhz : array_like
        Carrier frequency [MHz], 80 to 100,000.
    probability_percent : array_like
        Percentage of places inside and of buildings where the loss is not exceeded, above 0 and
        below 100.
    building : {'traditional', 'thermally-efficient'}
        ``traditional`` or ``thermally-efficient`` (metallised glass, foil-backed panels).
    elevation_deg : array_like
        Elevation of the path at the facade [degrees], −90 to 90.
    extrapolate : bool
        Allow frequencies outside the range.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Loss between just outside and an isotropic antenna inside [dB], of the inputs' common
        shape. Negative at low percentages: a path may find the good spots.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range, or the word is unknown.

    Notes
    -----
    L = 10 log(10^(A/10) + 10^(B/10) + 10^(C/10)), where A = F⁻¹(P) σ₁ + μ₁ and
    B = F⁻¹(P) σ₂ + μ₂ are normal variables and C = −3 dB. The medians and deviations are
    polynomials of log f (table 1), and μ₁ grows by 0.212 dB per degree of elevation, up or down.

    References
    ----------
    Recommendation ITU-R P.2109-2 (2023), "Prediction of building entry loss".

    Examples
    --------
    >>> round(float(building_entry_loss(900.0)), 2), round(float(building_entry_loss(3500.0)), 2)
    (14.24, 15.72)
    """
    frequency = checked("frequency_mhz", frequency_mhz, _FREQUENCY_RANGE_MHZ, _CLAUSE, extrapolate)
    percent = checked("probability_percent", probability_percent, _PERCENT_RANGE, _CLAUSE)
    elevation = checked("elevation_deg", elevation_deg, _ELEVATION_RANGE_DEG, _CLAUSE)
    require_word("building", building, get_args(Building))
    c = _COEFFICIENTS[building]
    log_f = np.log10(frequency / 1e3)
    median_1 = c.r + c.s * log_f + c.t * log_f**2 + 0.212 * np.abs(elevation)
    median_2 = c.w + c.x * log_f
    deviate: NDArray[np.float64] = ndtri(percent / 100.0)
    A = deviate * (c.u + c.v * log_f) + median_1
    B = deviate * (c.y + c.z * log_f) + median_2
    C = -3.0
    loss: FloatOrArray = 10.0 * np.log10(10 ** (A / 10) + 10 ** (B / 10) + 10 ** (C / 10))
    return loss
