"""Scatter from the troposphere, far beyond the horizon."""

import math

from ankang_coverage._jit import njit
from ankang_coverage.propagation.itm._path import FREQUENCY_PER_WAVENUMBER, Path

NO_GAIN_YET = -1.0
NO_SCATTER = 1001.0


@njit
def _scatter_base(product: float) -> float:
    """Return F(θd), the attenuation of scatter against angle times distance [6.9]."""
    if product <= 10e3:
        return 133.4 + 0.332e-3 * product - 10.0 * math.log10(product)
    if product <= 70e3:
        return 104.6 + 0.212e-3 * product - 2.5 * math.log10(product)
    return 71.8 + 0.157e-3 * product + 5.0 * math.log10(product)


@njit
def _gain_curve(j: int, r: float) -> float:
    """Return H₀₁(r, j) for whole j from 1 to 5 [6.13]."""
    a = (25.0, 80.0, 177.0, 395.0, 705.0)[j - 1]
    b = (24.0, 45.0, 68.0, 80.0, 105.0)[j - 1]
    return 10.0 * math.log10(1.0 + a / r**4 + b / r**2)


@njit
def _gain(r: float, efficiency: float) -> float:
    """Return H₀(r, η), straight lines between its curves for whole η."""
    bounded = min(max(efficiency, 1.0), 5.0)
    j = int(bounded)
    fraction = bounded - j
    if fraction == 0.0:
        return _gain_curve(j, r)
    return (1.0 - fraction) * _gain_curve(j, r) + fraction * _gain_curve(j + 1, r)


@njit
def frequency_gain(path: Path, distance: float, earlier: float) -> float:
    """Return H₀ at a distance (TN 101, section 9.2), or `NO_SCATTER` where it is not defined.

    `earlier` is the value at a farther distance; it stands where the new one exceeds 15 dB.
    """
    wave_number = path.frequency / FREQUENCY_PER_WAVENUMBER
    difference = path.horizon_distances[0] - path.horizon_distances[1]
    ratio = path.effective_heights[1] / path.effective_heights[0]
    if difference < 0.0:
        difference = -difference
        ratio = 1.0 / ratio
    angle = path.horizon_angles[0] + path.horizon_angles[1] + distance / path.radius
    r1 = 2.0 * wave_number * angle * path.effective_heights[0]
    r2 = 2.0 * wave_number * angle * path.effective_heights[1]
    if r1 < 0.2 and r2 < 0.2:
        return NO_SCATTER
    asymmetry = (distance - difference) / (distance + difference)
    q = min(max(0.1, ratio / asymmetry), 10.0)
    asymmetry = max(0.1, asymmetry)
    crossing = (
        (distance - difference) * (distance + difference) * angle * 0.25 / distance
    )  # height of the common volume [4.66]
    efficiency = (crossing / 1.7556e3) * (
        1.0
        + (0.031 - path.refractivity * 2.32e-3 + path.refractivity**2 * 5.67e-6)
        * math.exp(-(min(1.7, crossing / 8.0e3) ** 6))
    )  # η_s [4.67]
    gain = 0.5 * (_gain(r1, efficiency) + _gain(r2, efficiency))
    gain += min(
        gain,
        6.0 * (0.6 - math.log10(max(efficiency, 1.0))) * math.log10(asymmetry) * math.log10(q),
    )
    gain = max(gain, 0.0)
    if efficiency < 1.0:  # towards the known case η = 0
        root = math.sqrt(2.0)
        limit = 10.0 * math.log10(
            ((1.0 + root / r1) * (1.0 + root / r2)) ** 2 * (r1 + r2) / (r1 + r2 + 2.0 * root)
        )
        gain = efficiency * gain + (1.0 - efficiency) * limit
    return earlier if gain > 15.0 and earlier >= 0.0 else gain


@njit
def troposcatter(path: Path, distance: float, gain: float) -> float:
    """Return the loss of scatter, its frequency gain H₀ known [4.63]."""
    angle = distance / path.radius - path.clear_angle
    return (
        _scatter_base(angle * distance)
        + 10.0 * math.log10(path.frequency * angle**4)
        - 0.1 * (path.refractivity - 301.0) * math.exp(-angle * distance / 40e3)
        + gain
    )
