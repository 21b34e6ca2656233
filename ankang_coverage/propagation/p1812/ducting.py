"""Ducting and layer reflection (ITU-R P.1812-8, section 4.5)."""

import math

import numpy as np
from numpy.typing import ArrayLike

from ankang_coverage.propagation._ranges import FloatOrArray
from ankang_coverage.propagation.p1812.climate import Climate, inland_factor
from ankang_coverage.propagation.p1812.geometry import Heights, Horizons
from ankang_coverage.propagation.p1812.inputs import Link


def ducting_loss(
    link: Link, d: float, climate: Climate, heights: Heights, horizons: Horizons
) -> float:
    """Return L_ba: fixed coupling losses plus those of time and angular distance, equation (46)."""
    f, ae, omega = link.frequency_ghz, climate.ae_km, climate.omega
    dlt, dlr = horizons.dlt_km, horizons.dlr_km
    theta_t, theta_r = horizons.theta_t_mrad, horizons.theta_r_mrad
    coupling = (
        102.45
        + 20.0 * math.log10(f * (dlt + dlr))
        + (45.375 - 137.0 * f + 92.5 * f * f if f < 0.5 else 0.0)  # (47a)
        + _site_shielding(f, theta_t, dlt)
        + _site_shielding(f, theta_r, dlr)
        + _sea_duct_coupling(link.transmitter_coast_km, dlt, heights.hts_m, omega)
        + _sea_duct_coupling(link.receiver_coast_km, dlr, heights.hrs_m, omega)
    )  # (47)
    angle = 1e3 * d / ae + min(theta_t, 0.1 * dlt) + min(theta_r, 0.1 * dlr)  # (52)
    beta = (
        climate.b0_percent
        * _geometry_correction(d, climate.dlm_km, ae, heights)
        * _roughness_correction(d, dlt, dlr, horizons.hm_m)
    )  # (54)
    time_loss = _time_loss(link.time_percent, d, beta)
    return coupling + 5e-5 * ae * math.cbrt(f) * angle + time_loss  # (50), (51)


def ducting_exponent(distance_km: ArrayLike, longest_inland_km: ArrayLike) -> FloatOrArray:
    """Return the exponent α of the path geometry (ITU-R P.1812-8, section 4.5, (55a)).

    Parameters
    ----------
    distance_km : array_like
        Length of the path [km]; any shape.
    longest_inland_km : array_like
        Longest continuous inland section of the path [km]; any shape.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        α = −0.6 − 3.5e-9 d^3.1 τ, not below −3.4.
    """
    growth = 3.5e-9 * np.asarray(distance_km) ** 3.1 * inland_factor(longest_inland_km)
    return np.maximum(-0.6 - growth, -3.4)[()]


def _time_loss(p: float, d: float, beta: float) -> float:
    """Loss by percentage of time, (53)."""
    log_beta = math.log10(beta)
    gamma = (
        1.076
        / (2.0058 - log_beta) ** 1.012
        * math.exp(-(9.51 - 4.8 * log_beta + 0.198 * log_beta**2) * 1e-6 * d**1.13)
    )  # (53a)
    return (
        -12.0
        + (1.2 + 3.7e-3 * d) * (math.log10(p) - log_beta)
        + 12.0 * math.pow(10.0, gamma * (math.log10(p) - log_beta))
    )


def _site_shielding(f: float, theta: float, horizon_km: float) -> float:
    """Loss behind a horizon that rises above 0.1 mrad per km, (48)."""
    excess = theta - 0.1 * horizon_km
    if excess <= 0.0:
        return 0.0
    edge = 20.0 * math.log10(1.0 + 0.361 * excess * math.sqrt(f * horizon_km))
    return edge + 0.264 * excess * math.cbrt(f)


def _sea_duct_coupling(coast_km: float, horizon_km: float, height_m: float, omega: float) -> float:
    """Gain of a terminal near the sea, (49)."""
    if omega < 0.75 or coast_km > min(horizon_km, 5.0):
        return 0.0
    return -3.0 * math.exp(-0.25 * coast_km**2) * (1.0 + math.tanh(0.07 * (50.0 - height_m)))


def _geometry_correction(d: float, dlm: float, ae: float, heights: Heights) -> float:
    """μ2 of (55), at most 1."""
    alpha = float(ducting_exponent(d, dlm))
    roots = math.sqrt(heights.hte_m) + math.sqrt(heights.hre_m)
    return min(math.pow(500.0 / ae * d**2 / roots**2, alpha), 1.0)


def _roughness_correction(d: float, dlt: float, dlr: float, hm: float) -> float:
    """μ3 of (56)."""
    if hm <= 10.0:
        return 1.0
    between = min(d - dlt - dlr, 40.0)
    return math.exp(-4.6e-5 * (hm - 10.0) * (43.0 + 6.0 * between))
