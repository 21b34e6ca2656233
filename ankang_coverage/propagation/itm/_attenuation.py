"""The reference attenuation: three curves against distance, joined."""

import math

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.propagation.itm._diffraction import diffraction
from ankang_coverage.propagation.itm._line_of_sight import in_sight_attenuation
from ankang_coverage.propagation.itm._path import Array, Path
from ankang_coverage.propagation.itm._terrain import Terrain, terrain_of
from ankang_coverage.propagation.itm._troposcatter import (
    NO_GAIN_YET,
    NO_SCATTER,
    frequency_gain,
    troposcatter,
)

N_RESULTS = 9
"""Columns of the results of `attenuate_all`."""


@njit
def reference_attenuation(path: Path, distance: float) -> tuple[float, int]:
    """Return A_ref and the mode of propagation."""
    step = (path.radius**2 / path.frequency) ** (1.0 / 3.0)
    # Diffraction is a straight line through two distances far behind the horizon.
    d3 = max(path.smooth_horizon, path.horizon + 5.0 * step)
    d4 = d3 + 10.0 * step
    loss3 = diffraction(path, d3)
    slope = (diffraction(path, d4) - loss3) / (d4 - d3)
    intercept = loss3 - slope * d3
    if distance < path.smooth_horizon:
        return max(in_sight_attenuation(path, distance, slope, intercept), 0.0), 1

    # Scatter is another, through two distances farther out; the farther one comes first.
    d5 = path.horizon + 200e3
    d6 = path.horizon + 400e3
    gain6 = frequency_gain(path, d6, NO_GAIN_YET)
    # A gain above 15 dB is what it was farther out: it no longer depends on the distance.
    gain5 = gain6 if gain6 > 15.0 else frequency_gain(path, d5, gain6)
    if max(gain5, gain6) < NO_SCATTER:
        loss5 = troposcatter(path, d5, gain5)
        scatter_slope = (troposcatter(path, d6, gain6) - loss5) / 200e3
        crossing = max(
            path.smooth_horizon,
            path.horizon + 1.088 * step * math.log(path.frequency),
            (loss5 - intercept - scatter_slope * d5) / (slope - scatter_slope),
        )
        if distance > crossing:
            scatter_intercept = (slope - scatter_slope) * crossing + intercept
            return max(scatter_slope * distance + scatter_intercept, 0.0), 3
    return max(slope * distance + intercept, 0.0), 2


@njit
def _attenuate(
    ground: Array,
    spacing: float,
    transmitter_height: float,
    receiver_height: float,
    frequency: float,
    refractivity: float,
    radius: float,
    impedance: complex,
) -> tuple[float, int, Terrain]:
    """Return a profile's reference attenuation, the mode, and what is kept of its terrain."""
    terrain = terrain_of(ground, spacing, radius, transmitter_height, receiver_height)
    distances = terrain.horizon_distances
    heights = terrain.effective_heights
    horizon = distances[0] + distances[1]
    path = Path(
        frequency,
        radius,
        refractivity,
        impedance,
        (transmitter_height, receiver_height),
        heights,
        distances,
        terrain.horizon_angles,
        terrain.irregularity,
        horizon,
        math.sqrt(2.0 * heights[0] * radius) + math.sqrt(2.0 * heights[1] * radius),
        -max(terrain.horizon_angles[0] + terrain.horizon_angles[1], -horizon / radius),
    )
    attenuation, mode = reference_attenuation(path, (ground.size - 1) * spacing)
    return attenuation, mode, terrain


@njit
def attenuate_all(
    ground: Array,
    spacing: Array,
    transmitter_height: Array,
    receiver_height: Array,
    frequency: Array,
    refractivity: Array,
    radius: Array,
    impedance: NDArray[np.complex128],
    results: Array,
) -> None:
    """Write one row per profile: attenuation, mode, heights, distances, angles, irregularity."""
    for i in range(spacing.size):
        attenuation, mode, terrain = _attenuate(
            ground[i],
            spacing[i],
            transmitter_height[i],
            receiver_height[i],
            frequency[i],
            refractivity[i],
            radius[i],
            impedance[i],
        )
        results[i, 0] = attenuation
        results[i, 1] = mode
        for k in range(2):
            results[i, 2 + k] = terrain.effective_heights[k]
            results[i, 4 + k] = terrain.horizon_distances[k]
            results[i, 6 + k] = terrain.horizon_angles[k]
        results[i, 8] = terrain.irregularity
