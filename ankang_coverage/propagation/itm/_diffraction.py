"""Diffraction behind the horizon: two knife edges and a smooth earth, weighted."""

import math

from ankang_coverage._jit import njit
from ankang_coverage.propagation.itm._path import (
    FREQUENCY_PER_WAVENUMBER,
    Path,
    height_deviation,
    roughness,
)

_ACTUAL_EARTH_RADIUS_M = 6_370e3


@njit
def _fresnel(v_squared: float) -> float:
    """Return the knife-edge loss of v² (TN 101, eq. III.24b and III.24c)."""
    if v_squared < 5.76:
        return 6.02 + 9.11 * math.sqrt(v_squared) - 1.27 * v_squared
    return 12.953 + 10.0 * math.log10(v_squared)


@njit
def _knife_edges(path: Path, distance: float) -> float:
    """Return the loss of two knife edges, one at each horizon (TN 101, eq. I.1 and I.7)."""
    angle = distance / path.radius - path.clear_angle
    beyond = distance - path.horizon
    loss = 0.0
    for k in range(2):
        own = path.horizon_distances[k]
        loss += _fresnel(
            0.0795775
            * (path.frequency / FREQUENCY_PER_WAVENUMBER)
            * angle**2
            * own
            * beyond
            / (beyond + own)
        )
    return loss


@njit
def _height_gain(x: float, K: float) -> float:
    """Return F(x, K), Vogler's height function over a smooth earth (1964)."""
    if x >= 200.0:
        gain = 0.05751 * x - 4.343 * math.log(x)
        if x < 2000.0:
            weight = 0.0134 * x * math.exp(-0.005 * x)
            gain = (1.0 - weight) * gain + weight * (17.372 * math.log(x) - 117.0)
        return gain
    log_k = -math.log(K)
    if K < 1e-5 or x * log_k**3 > 5495.0:
        return 17.372 * math.log(x) - 117.0 if x > 1.0 else -117.0
    return 2.5e-5 * x**2 / K - 8.686 * log_k - 15.0


@njit
def _rounded_earth(path: Path, distance: float) -> float:
    """Return the diffraction loss over a smooth earth of three radii (Vogler) [4.20]."""
    angle = distance / path.radius - path.clear_angle
    radius_between = (distance - path.horizon) / angle
    cube_root = path.frequency ** (1.0 / 3.0)
    x_total = 0.0
    gain = 0.0
    for k in range(3):
        if k == 2:
            radius = radius_between
            length = radius * angle
        else:
            length = path.horizon_distances[k]
            radius = 0.5 * length**2 / path.effective_heights[k]
        C = (4.0 / 3.0 * _ACTUAL_EARTH_RADIUS_M / radius) ** (1.0 / 3.0)
        K = 0.017778 * C / cube_root / abs(path.impedance)
        x = (1.607 - K) * C**2 * cube_root * length / 1e3
        x_total += x
        if k < 2:
            gain += _height_gain(x, K)
    return 0.05751 * x_total - 10.0 * math.log10(x_total) - gain - 20.0


@njit
def diffraction(path: Path, distance: float) -> float:
    """Return the diffraction loss: smooth earth and knife edges, weighted (ERL 79, 3.23)."""
    product = path.heights[0] * path.heights[1]
    effective_product = path.effective_heights[0] * path.effective_heights[1]
    clutter = min(
        15.0,
        5.0
        * math.log10(
            1.0
            + 1e-5
            * product
            * path.frequency
            * height_deviation(roughness(path.smooth_horizon, path.irregularity))
        ),
    )
    # 10 m² softens the ratio for low antennas on a path that is known (ERL 79, page 3-8).
    ratio = 1.0 + (effective_product - product) / (product + 10.0)
    waviness = min(
        roughness(distance, path.irregularity) * path.frequency / FREQUENCY_PER_WAVENUMBER,
        6283.2,
    )
    spread = (
        math.sqrt(ratio) + (path.horizon - path.clear_angle * path.radius) / distance
    ) * waviness
    smooth = 25.1 / (25.1 + math.sqrt(spread))  # ERL 79, eq. 3.23
    return (
        smooth * _rounded_earth(path, distance)
        + (1.0 - smooth) * _knife_edges(path, distance)
        + clutter
    )
