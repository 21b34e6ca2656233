"""What the model keeps of a profile: horizons, effective heights, one measure of roughness."""

import math
from typing import NamedTuple

import numpy as np

from ankang_coverage._jit import njit
from ankang_coverage.propagation.itm._path import Array, Pair


class Terrain(NamedTuple):
    """What the model keeps of a profile; pairs are transmitter, receiver."""

    effective_heights: Pair
    horizon_distances: Pair
    horizon_angles: Pair
    irregularity: float


@njit
def _horizons(
    ground: Array, spacing: float, radius: float, transmitter_height: float, receiver_height: float
) -> tuple[Pair, Pair]:
    """Return both horizons' angles above the horizontal and distances (TN 101, eq. 6.15)."""
    intervals = ground.size - 1
    length = intervals * spacing
    transmitter = ground[0] + transmitter_height
    receiver = ground[intervals] + receiver_height
    # Each is the other's horizon until something stands higher.
    transmitter_angle = (receiver - transmitter) / length - length / (2.0 * radius)
    receiver_angle = (transmitter - receiver) / length - length / (2.0 * radius)
    transmitter_distance = length
    receiver_distance = length
    # Distances are summed, not multiplied: tenths of a horizon's distance fall on samples, where
    # the last bit decides which sample counts, and the published values were summed.
    from_transmitter = 0.0
    from_receiver = length
    for i in range(1, intervals):
        from_transmitter += spacing
        from_receiver -= spacing
        angle = (ground[i] - transmitter) / from_transmitter - from_transmitter / (2.0 * radius)
        if angle > transmitter_angle:
            transmitter_angle = angle
            transmitter_distance = from_transmitter
        angle = (ground[i] - receiver) / from_receiver - from_receiver / (2.0 * radius)
        if angle > receiver_angle:
            receiver_angle = angle
            receiver_distance = from_receiver
    return (transmitter_angle, receiver_angle), (transmitter_distance, receiver_distance)


@njit
def _fitted_line(ground: Array, start: float, end: float) -> Pair:
    """Return heights at the profile's ends of the line fitted between two positions.

    Positions count samples from the first. The fit is least squares with the trapezoidal rule,
    the outermost samples weighing half, and never over less than one interval.
    """
    intervals = ground.size - 1
    first = int(max(start, 0.0))
    last = intervals - int(max(intervals - end, 0.0))
    if last <= first:
        first = max(first - 1, 0)
        last = min(last + 1, intervals)
    length = last - first
    middle = 0.5 * (first + last)
    total = 0.5 * (ground[first] + ground[last])
    moment = 0.25 * length * (ground[last] - ground[first])
    for i in range(first + 1, last):
        total += ground[i]
        moment += ground[i] * (i - middle)
    mean = total / length
    slope = 12.0 * moment / ((length**2 + 2.0) * length)
    return mean - slope * middle, mean + slope * (intervals - middle)


@njit
def _irregularity(ground: Array, spacing: float, start_m: float, end_m: float) -> float:
    """Return Δh: the interdecile range about a fitted line, as on an infinitely long path."""
    start = start_m / spacing
    end = end_m / spacing
    if end - start < 2.0:
        return 0.0
    # So many samples that the deciles are samples themselves: 10 k − 5, k from 4 to 25.
    decile = min(max(int(0.1 * (end - start + 8.0)), 4), 25)
    count = 10 * decile - 5
    step = (end - start) / (count - 1)
    samples = np.empty(count)
    i = int(start)
    behind = start - (i + 1.0)  # position relative to sample i + 1
    for k in range(count):
        while behind > 0.0 and i + 1 < ground.size - 1:
            behind -= 1.0
            i += 1
        samples[k] = ground[i + 1] + (ground[i + 1] - ground[i]) * behind
        behind += step
    first, last = _fitted_line(samples, 0.0, count - 1.0)
    rise = (last - first) / (count - 1)
    for k in range(count):
        samples[k] -= first + rise * k
    samples.sort()
    interdecile: float = samples[count - decile] - samples[decile - 1]
    return interdecile / (1.0 - 0.8 * math.exp(-(end_m - start_m) / 50e3))  # ERL 79, eq. 3


@njit
def _rough_horizon(height: float, radius: float, irregularity: float) -> float:
    """Return how far a terminal sees over terrain known by its roughness alone (ERL 79)."""
    return math.sqrt(2.0 * height * radius) * math.exp(
        -0.07 * math.sqrt(irregularity / max(height, 5.0))
    )


@njit
def _rough_horizon_angle(
    height: float, distance: float, radius: float, irregularity: float
) -> float:
    smooth = math.sqrt(2.0 * height * radius)
    return (0.65 * irregularity * (smooth / distance - 1.0) - 2.0 * height) / smooth


@njit
def terrain_of(
    ground: Array, spacing: float, radius: float, transmitter_height: float, receiver_height: float
) -> Terrain:
    """Reduce a profile to what the model keeps of it."""
    intervals = ground.size - 1
    length = intervals * spacing
    angles, distances = _horizons(ground, spacing, radius, transmitter_height, receiver_height)

    # The ground at a mast's foot says little about the path: fifteen heights are left out.
    start_m = min(15.0 * transmitter_height, 0.1 * distances[0])
    end_m = length - min(15.0 * receiver_height, 0.1 * distances[1])
    irregularity = _irregularity(ground, spacing, start_m, end_m)
    start = start_m / spacing
    end = end_m / spacing

    if distances[0] + distances[1] <= 1.5 * length:
        near_transmitter, _ = _fitted_line(ground, start, 0.9 * distances[0] / spacing)
        _, near_receiver = _fitted_line(ground, (length - 0.9 * distances[1]) / spacing, end)
        effective = (
            transmitter_height + max(ground[0] - near_transmitter, 0.0),
            receiver_height + max(ground[intervals] - near_receiver, 0.0),
        )
        return Terrain(effective, distances, angles, irregularity)

    # Well in sight of each other: the horizons lie beyond the path and must be estimated.
    near_transmitter, near_receiver = _fitted_line(ground, start, end)
    transmitter = transmitter_height + max(ground[0] - near_transmitter, 0.0)
    receiver = receiver_height + max(ground[intervals] - near_receiver, 0.0)
    reach = _rough_horizon(transmitter, radius, irregularity) + _rough_horizon(
        receiver, radius, irregularity
    )
    if reach <= length:  # they are in sight, so they must stand higher than in the fit
        transmitter *= (length / reach) ** 2
        receiver *= (length / reach) ** 2
    distances = (
        _rough_horizon(transmitter, radius, irregularity),
        _rough_horizon(receiver, radius, irregularity),
    )
    angles = (
        _rough_horizon_angle(transmitter, distances[0], radius, irregularity),
        _rough_horizon_angle(receiver, distances[1], radius, irregularity),
    )
    return Terrain((transmitter, receiver), distances, angles, irregularity)
