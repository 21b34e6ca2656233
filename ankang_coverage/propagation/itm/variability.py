"""How the loss varies with time, location and situation [section 5]."""

from typing import NamedTuple

import numpy as np

from ankang_coverage.propagation.itm._path import FREQUENCY_PER_WAVENUMBER, Array
from ankang_coverage.propagation.itm.climate import CURVES, Climate, ClimateCurves

_SINGLE_MESSAGE, _ACCIDENTAL, _MOBILE = range(3)
_WITHOUT_LOCATION = 10
_WITHOUT_SITUATION = 20


class Deviates(NamedTuple):
    """Standard deviations that percentages of time, locations and situations stand for."""

    time: Array
    location: Array
    situation: Array


def deviates_of(percents: tuple[Array, Array, Array], variability: int) -> Deviates:
    """Return the deviates that count in a mode of variability."""
    time, location, situation = map(deviate, percents)
    kind = variability % 10
    if kind == _SINGLE_MESSAGE:
        return Deviates(situation, situation, situation)
    if kind == _ACCIDENTAL:
        return Deviates(time, situation, situation)
    if kind == _MOBILE:
        return Deviates(time, time, situation)
    return Deviates(time, location, situation)


def deviate(percent: Array) -> Array:
    """Return z exceeded by a normal variable in `percent` of cases, as the model computes it.

    Abramowitz and Stegun 26.2.23, good to 4.5e-4; the model's published values contain its error.
    """
    quantile = percent / 100.0
    upper = quantile > 0.5
    t = np.sqrt(-2.0 * np.log(np.where(upper, 1.0 - quantile, quantile)))
    numerator = (0.010328 * t + 0.802853) * t + 2.515516
    z = t - numerator / (((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0)
    return np.where(upper, -z, z)


def attenuation_not_exceeded(
    attenuation: Array,
    distance: Array,
    frequency: Array,
    effective_heights: tuple[Array, Array],
    irregularity: Array,
    deviates: Deviates,
    climate: Climate,
    variability: int,
) -> Array:
    """Return the quantile of attenuation beyond free space [5.9 to 5.11]."""
    scaled_km = _effective_distance_km(distance, frequency, *effective_heights)
    z_time, z_location, z_situation = deviates
    sigma_time = _time_deviation(z_time, scaled_km, frequency, CURVES[climate])
    sigma_location = _location_deviation(distance, frequency, irregularity)
    sigma_situation = 5.0 + 3.0 * np.exp(-scaled_km / 100.0)
    if variability % 20 >= _WITHOUT_LOCATION:
        sigma_location = np.zeros_like(sigma_location)
    if variability >= _WITHOUT_SITUATION:
        sigma_situation = np.zeros_like(sigma_situation)

    of_time = sigma_time * z_time
    of_location = sigma_location * z_location
    squared = z_situation**2
    residual = sigma_situation**2 + of_time**2 / (7.8 + squared) + of_location**2 / (24.0 + squared)
    kind = variability % 10
    if kind == _SINGLE_MESSAGE:
        gain = np.sqrt(sigma_time**2 + sigma_location**2 + residual) * z_situation
    elif kind == _ACCIDENTAL:
        gain = of_time + np.sqrt(sigma_location**2 + residual) * z_situation
    elif kind == _MOBILE:
        gain = np.sqrt(sigma_time**2 + sigma_location**2) * z_time + np.sqrt(residual) * z_situation
    else:
        gain = of_time + of_location + np.sqrt(residual) * z_situation

    quantile = attenuation - _distance_curve(CURVES[climate].median, scaled_km) - gain
    # Gains over free space are squeezed.
    negative = np.minimum(quantile, 0.0)
    return np.where(
        quantile < 0.0, negative * (29.0 - negative) / (29.0 - 10.0 * negative), quantile
    )


def _time_deviation(
    z_time: Array, scaled_km: Array, frequency: Array, curves: ClimateCurves
) -> Array:
    """Return σ_T for each deviate: its distribution is not normal in the tail."""
    below = _distance_curve(curves.deviation_below, scaled_km) * _frequency_factor(
        curves.frequency_below, frequency
    )
    above = _distance_curve(curves.deviation_above, scaled_km) * _frequency_factor(
        curves.frequency_above, frequency
    )
    tail = curves.tail_factor * above
    # The tail's branch is taken for z above its start only; elsewhere any divisor will do.
    in_tail = tail + (above - tail) * curves.tail_start / np.maximum(z_time, curves.tail_start)
    return np.where(z_time < 0.0, below, np.where(z_time <= curves.tail_start, above, in_tail))


def _location_deviation(distance: Array, frequency: Array, irregularity: Array) -> Array:
    waviness = (
        frequency / FREQUENCY_PER_WAVENUMBER * irregularity * (1.0 - 0.8 * np.exp(-distance / 50e3))
    )
    deviation: Array = 10.0 * waviness / (waviness + 13.0)
    return deviation


def _effective_distance_km(
    distance: Array, frequency: Array, transmitter_height: Array, receiver_height: Array
) -> Array:
    """Return d_e, distance on a scale where terminals of all heights are alike [5.3]."""
    reference = (
        np.sqrt(2.0 * 9_000e3 * transmitter_height)
        + np.sqrt(2.0 * 9_000e3 * receiver_height)
        + (575.7e12 / (frequency / FREQUENCY_PER_WAVENUMBER)) ** (1.0 / 3.0)
    )
    metres: Array = np.where(
        distance < reference, 130e3 * distance / reference, 130e3 + distance - reference
    )
    return metres / 1e3


def _distance_curve(
    coefficients: tuple[float, float, float, float, float], distance_km: Array
) -> Array:
    """Return the curve of TN 101, eq. III.69 and III.70."""
    c1, c2, x1, x2, x3 = coefficients
    squared = (distance_km / x1) ** 2
    curve: Array = (c1 + c2 / (1.0 + ((distance_km - x2) / x3) ** 2)) * squared / (1.0 + squared)
    return curve


def _frequency_factor(coefficients: tuple[float, float, float], frequency: Array) -> Array:
    base, rise, width = coefficients
    q = np.log(0.133 * frequency / FREQUENCY_PER_WAVENUMBER)
    factor: Array = base + rise / ((width * q) ** 2 + 1.0)
    return factor
