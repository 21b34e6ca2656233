"""The irregular terrain model (Longley-Rice 1.2.2, ITM 1.4) along a terrain profile.

The story of a path: the profile is boiled down to horizons, effective heights and one measure of
its roughness; from these comes a reference attenuation beyond free space, read off three curves
against distance (two rays in sight of each other, diffraction behind the horizon, scatter from
the troposphere far beyond); what weather, places and the unknown add to it is statistics.

The equations are those of G. A. Hufford's "The ITS irregular terrain model, version 1.2.2: the
algorithm" (the numbers in brackets are his) and of the reports he builds on: "ERL 79" is Longley
and Rice 1968 (ESSA ERL 79-ITS 67), "TN 101" Rice et al. 1967 (NBS Technical Note 101).
"""

import math
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any, Final, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage._jit import njit
from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation._ranges import FloatOrArray, Interval, checked
from ankang_coverage.propagation.diffraction import Polarisation

_Array: TypeAlias = NDArray[np.float64]
_Pair: TypeAlias = tuple[float, float]


N0: Final = 301.0
"""Surface refractivity reduced to sea level where none is given [N-units].

The model's customary value for a continental temperate climate (NTIA Report 82-100).
"""


class Climate(IntEnum):
    """Radio climates of the model, with the refractivity N₀ customary for each.

    N₀ [N-units] and places: equatorial 360 (Congo), continental subtropical 320 (Sudan),
    maritime subtropical 370 (west coast of Africa), desert 280 (Sahara), continental temperate
    301, maritime temperate over land 320 (United Kingdom), over sea 350 (NTIA Report
    82-100).
    """

    EQUATORIAL = 1
    CONTINENTAL_SUBTROPICAL = 2
    MARITIME_SUBTROPICAL = 3
    DESERT = 4
    CONTINENTAL_TEMPERATE = 5
    MARITIME_TEMPERATE_OVER_LAND = 6
    MARITIME_TEMPERATE_OVER_SEA = 7


class ItmMode(IntEnum):
    """How the wave gets across: which curve the reference attenuation was read off."""

    LINE_OF_SIGHT = 1
    DIFFRACTION = 2
    TROPOSCATTER = 3


class ItmWarning(IntFlag):
    """What lies outside the region the model was fitted to, without being refused."""

    NONE = 0
    TRANSMITTER_HEIGHT = 1
    """Transmitter height outside 1 to 1000 m."""
    RECEIVER_HEIGHT = 2
    """Receiver height outside 1 to 1000 m."""
    FREQUENCY = 4
    """Frequency outside 40 MHz to 10 GHz."""
    HORIZON_ANGLE = 8
    """A horizon steeper than 0.2 rad: the small-angle approximations suffer."""
    HORIZON_DISTANCE = 16
    """A horizon nearer than a tenth or further than three times that of a smooth earth."""
    SURFACE_REFRACTIVITY = 32
    """Refractivity at the path's height below 250 N-units."""
    SHORT_PATH = 64
    """Path under 1 km, or so short that the effective heights make it steeper than 0.2 rad."""
    LONG_PATH = 128
    """Path over 1000 km."""
    EXTREME_PERCENTAGE = 256
    """A percentage beyond 3.1 standard deviations, where the distributions are guesses."""
    NO_LOSS = 512
    """The loss is NaN: its series for the rounded earth has no value for this ground and horizon,
    as happens over sea, vertically polarised, behind a near hill."""


# --- the kernel ------------------------------------------------------------------------------

_ACTUAL_EARTH_RADIUS_M = 6_370e3
_FREQUENCY_PER_WAVENUMBER = 47.7  # MHz per (1/m): wave number = f / 47.7


class _Terrain(NamedTuple):
    """What the model keeps of a profile; pairs are transmitter, receiver."""

    effective_heights: _Pair
    horizon_distances: _Pair
    horizon_angles: _Pair
    irregularity: float


class _Path(NamedTuple):
    """What the attenuation depends on apart from distance; pairs are transmitter, receiver."""

    frequency: float
    radius: float
    refractivity: float
    impedance: complex
    heights: _Pair
    effective_heights: _Pair
    horizon_distances: _Pair
    horizon_angles: _Pair
    irregularity: float
    horizon: float
    """Sum of the horizon distances: as far as line of sight can reach on this path [m]."""
    smooth_horizon: float
    """The same over a smooth earth [m]."""
    clear_angle: float
    """Angular distance of the line-of-sight region [rad]."""


@njit
def _horizons(
    ground: _Array, spacing: float, radius: float, transmitter_height: float, receiver_height: float
) -> tuple[_Pair, _Pair]:
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
def _fitted_line(ground: _Array, start: float, end: float) -> _Pair:
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
def _irregularity(ground: _Array, spacing: float, start_m: float, end_m: float) -> float:
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
def _terrain(
    ground: _Array, spacing: float, radius: float, transmitter_height: float, receiver_height: float
) -> _Terrain:
    """Boil a profile down to what the model keeps of it."""
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
        return _Terrain(effective, distances, angles, irregularity)

    # Well in sight of each other: the horizons lie beyond the path and must be estimated.
    near_transmitter, near_receiver = _fitted_line(ground, start, end)
    transmitter = transmitter_height + max(ground[0] - near_transmitter, 0.0)
    receiver = receiver_height + max(ground[intervals] - near_receiver, 0.0)
    reach = _rough_horizon(transmitter, radius, irregularity) + _rough_horizon(
        receiver, radius, irregularity
    )
    if reach <= length:  # they are in sight, so they must stand higher than the fit has it
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
    return _Terrain((transmitter, receiver), distances, angles, irregularity)


@njit
def _roughness(distance: float, irregularity: float) -> float:
    """Return Δh(d): what a path of this length shows of the irregularity (ERL 79, eq. 3)."""
    return irregularity * (1.0 - 0.8 * math.exp(-distance / 50e3))


@njit
def _height_deviation(roughness: float) -> float:
    """Return σ_h: deviation of heights within the first Fresnel zone (ERL 79, eq. 3.6a)."""
    return 0.78 * roughness * math.exp(-0.5 * roughness**0.25)


@njit
def _fresnel(v_squared: float) -> float:
    """Return the knife-edge loss of v² (TN 101, eq. III.24b and III.24c)."""
    if v_squared < 5.76:
        return 6.02 + 9.11 * math.sqrt(v_squared) - 1.27 * v_squared
    return 12.953 + 10.0 * math.log10(v_squared)


@njit
def _knife_edges(path: _Path, distance: float) -> float:
    """Return the loss of two knife edges, one at each horizon (TN 101, eq. I.1 and I.7)."""
    angle = distance / path.radius - path.clear_angle
    beyond = distance - path.horizon
    loss = 0.0
    for k in range(2):
        own = path.horizon_distances[k]
        loss += _fresnel(
            0.0795775
            * (path.frequency / _FREQUENCY_PER_WAVENUMBER)
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
def _rounded_earth(path: _Path, distance: float) -> float:
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
def _diffraction(path: _Path, distance: float) -> float:
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
            * _height_deviation(_roughness(path.smooth_horizon, path.irregularity))
        ),
    )
    # 10 m² softens the ratio for low antennas on a path that is known (ERL 79, page 3-8).
    ratio = 1.0 + (effective_product - product) / (product + 10.0)
    waviness = min(
        _roughness(distance, path.irregularity) * path.frequency / _FREQUENCY_PER_WAVENUMBER,
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


@njit
def _line_of_sight(path: _Path, distance: float, slope: float, intercept: float) -> float:
    """Return the loss in sight: two rays and the diffraction line, weighted [4.46 to 4.50]."""
    wave_number = path.frequency / _FREQUENCY_PER_WAVENUMBER
    h1, h2 = path.effective_heights
    sine = (h1 + h2) / math.sqrt(distance**2 + (h1 + h2) ** 2)
    deviation = _height_deviation(_roughness(distance, path.irregularity))
    reflection = (
        (sine - path.impedance)
        / (sine + path.impedance)
        * math.exp(-min(10.0, wave_number * deviation * sine))
    )
    power = reflection.real**2 + reflection.imag**2
    if power < 0.25 or power < sine:
        reflection *= math.sqrt(sine / power)
    phase = 2.0 * wave_number * h1 * h2 / distance
    if phase > 0.5 * math.pi:  # no lobes: beyond a quarter turn the phase creeps towards half
        phase = math.pi - (0.5 * math.pi) ** 2 / phase
    field = complex(math.cos(phase), -math.sin(phase)) + reflection
    two_rays = -10.0 * math.log10(field.real**2 + field.imag**2)
    weight = 1.0 / (1.0 + path.frequency * path.irregularity / max(10e3, path.smooth_horizon))
    return weight * two_rays + (1.0 - weight) * (slope * distance + intercept)


@njit
def _scatter_base(product: float) -> float:
    """Return F(θd), the attenuation of scatter against angle times distance [6.9]."""
    if product <= 10e3:
        return 133.4 + 0.332e-3 * product - 10.0 * math.log10(product)
    if product <= 70e3:
        return 104.6 + 0.212e-3 * product - 2.5 * math.log10(product)
    return 71.8 + 0.157e-3 * product + 5.0 * math.log10(product)


@njit
def _frequency_gain_curve(j: int, r: float) -> float:
    """Return H₀₁(r, j) for whole j from 1 to 5 [6.13]."""
    a = (25.0, 80.0, 177.0, 395.0, 705.0)[j - 1]
    b = (24.0, 45.0, 68.0, 80.0, 105.0)[j - 1]
    return 10.0 * math.log10(1.0 + a / r**4 + b / r**2)


@njit
def _frequency_gain(r: float, efficiency: float) -> float:
    """Return H₀(r, η), straight lines between its curves for whole η."""
    bounded = min(max(efficiency, 1.0), 5.0)
    j = int(bounded)
    fraction = bounded - j
    if fraction == 0.0:
        return _frequency_gain_curve(j, r)
    return (1.0 - fraction) * _frequency_gain_curve(j, r) + fraction * _frequency_gain_curve(
        j + 1, r
    )


_NO_GAIN_YET = -1.0
_NO_SCATTER = 1001.0


@njit
def _scatter_frequency_gain(path: _Path, distance: float, earlier: float) -> float:
    """Return H₀ at a distance (TN 101, section 9.2), or `_NO_SCATTER` where it is not defined.

    `earlier` is the value at a farther distance; it stands where the new one exceeds 15 dB.
    """
    wave_number = path.frequency / _FREQUENCY_PER_WAVENUMBER
    difference = path.horizon_distances[0] - path.horizon_distances[1]
    ratio = path.effective_heights[1] / path.effective_heights[0]
    if difference < 0.0:
        difference = -difference
        ratio = 1.0 / ratio
    angle = path.horizon_angles[0] + path.horizon_angles[1] + distance / path.radius
    r1 = 2.0 * wave_number * angle * path.effective_heights[0]
    r2 = 2.0 * wave_number * angle * path.effective_heights[1]
    if r1 < 0.2 and r2 < 0.2:
        return _NO_SCATTER
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
    gain = 0.5 * (_frequency_gain(r1, efficiency) + _frequency_gain(r2, efficiency))
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
def _troposcatter(path: _Path, distance: float, gain: float) -> float:
    """Return the loss of scatter, its frequency gain H₀ known [4.63]."""
    angle = distance / path.radius - path.clear_angle
    return (
        _scatter_base(angle * distance)
        + 10.0 * math.log10(path.frequency * angle**4)
        - 0.1 * (path.refractivity - 301.0) * math.exp(-angle * distance / 40e3)
        + gain
    )


@njit
def _in_sight_attenuation(path: _Path, distance: float, slope: float, intercept: float) -> float:
    """Return A_ref where the curve k₀ + k₁ d + k₂ ln d holds, d below the smooth horizon."""
    far = path.smooth_horizon
    far_loss = slope * far + intercept
    near = 0.04 * path.frequency * path.effective_heights[0] * path.effective_heights[1]
    if intercept >= 0.0:
        near = min(near, 0.5 * path.horizon)
        middle = near + 0.25 * (path.horizon - near)
    else:
        middle = max(-intercept / slope, 0.25 * path.horizon)
    middle_loss = _line_of_sight(path, middle, slope, intercept)

    linear, logarithmic = 0.0, 0.0
    bent = False
    if near < middle:  # a curve through three distances (ERL 79, eq. 3.20 and 3.21)
        near_loss = _line_of_sight(path, near, slope, intercept)
        q = math.log(far / near)
        logarithmic = max(
            0.0,
            ((far - near) * (middle_loss - near_loss) - (middle - near) * (far_loss - near_loss))
            / ((far - near) * math.log(middle / near) - (middle - near) * q),
        )
        bent = intercept > 0.0 or logarithmic > 0.0
        if bent:
            linear = (far_loss - near_loss - logarithmic * q) / (far - near)
            if linear < 0.0:
                linear = 0.0
                logarithmic = max(far_loss - near_loss, 0.0) / q
                if logarithmic == 0.0:
                    linear = slope
    if not bent:  # a straight line through two
        logarithmic = 0.0
        linear = max(far_loss - middle_loss, 0.0) / (far - middle)
        if linear == 0.0:
            linear = slope
    constant = far_loss - linear * far - logarithmic * math.log(far)
    return constant + linear * distance + logarithmic * math.log(distance)


@njit
def _reference_attenuation(path: _Path, distance: float) -> tuple[float, int]:
    """Return A_ref and the mode of propagation."""
    step = (path.radius**2 / path.frequency) ** (1.0 / 3.0)
    # Diffraction is a straight line through two distances far behind the horizon.
    d3 = max(path.smooth_horizon, path.horizon + 5.0 * step)
    d4 = d3 + 10.0 * step
    loss3 = _diffraction(path, d3)
    slope = (_diffraction(path, d4) - loss3) / (d4 - d3)
    intercept = loss3 - slope * d3
    if distance < path.smooth_horizon:
        return max(_in_sight_attenuation(path, distance, slope, intercept), 0.0), 1

    # Scatter is another, through two distances farther out; the farther one comes first.
    d5 = path.horizon + 200e3
    d6 = path.horizon + 400e3
    gain6 = _scatter_frequency_gain(path, d6, _NO_GAIN_YET)
    # A gain above 15 dB is what it was farther out: it no longer depends on the distance.
    gain5 = gain6 if gain6 > 15.0 else _scatter_frequency_gain(path, d5, gain6)
    if max(gain5, gain6) < _NO_SCATTER:
        loss5 = _troposcatter(path, d5, gain5)
        scatter_slope = (_troposcatter(path, d6, gain6) - loss5) / 200e3
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
    ground: _Array,
    spacing: float,
    transmitter_height: float,
    receiver_height: float,
    frequency: float,
    refractivity: float,
    radius: float,
    impedance: complex,
) -> tuple[float, int, _Terrain]:
    """Return the reference attenuation of one profile, the mode, and what it rests on."""
    terrain = _terrain(ground, spacing, radius, transmitter_height, receiver_height)
    distances = terrain.horizon_distances
    heights = terrain.effective_heights
    horizon = distances[0] + distances[1]
    path = _Path(
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
    attenuation, mode = _reference_attenuation(path, (ground.size - 1) * spacing)
    return attenuation, mode, terrain


# --- the runner ------------------------------------------------------------------------------


@njit
def _attenuate_all(
    ground: _Array,
    spacing: _Array,
    transmitter_height: _Array,
    receiver_height: _Array,
    frequency: _Array,
    refractivity: _Array,
    radius: _Array,
    impedance: NDArray[np.complex128],
    results: _Array,
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


_N_RESULTS = 9


# --- variability -----------------------------------------------------------------------------


class _ClimateCurves(NamedTuple):
    """Coefficients of one climate [table 5.1]; curves are c1, c2, x1, x2, x3 [km]."""

    median: tuple[float, float, float, float, float]
    deviation_below: tuple[float, float, float, float, float]
    deviation_above: tuple[float, float, float, float, float]
    tail_factor: float
    tail_start: float
    frequency_below: tuple[float, float, float]
    frequency_above: tuple[float, float, float]


_FLAT = (1.0, 0.0, 0.0)
_CLIMATES = {
    Climate.EQUATORIAL: _ClimateCurves(
        median=(-9.67, 12.7, 144.9, 190.3, 133.8),
        deviation_below=(2.13, 159.5, 762.2, 123.6, 94.5),
        deviation_above=(2.11, 102.3, 636.9, 134.8, 95.6),
        tail_factor=1.224,
        tail_start=1.282,
        frequency_below=_FLAT,
        frequency_above=_FLAT,
    ),
    Climate.CONTINENTAL_SUBTROPICAL: _ClimateCurves(
        median=(-0.62, 9.19, 228.9, 205.2, 143.6),
        deviation_below=(2.66, 7.67, 100.4, 172.5, 136.4),
        deviation_above=(6.87, 15.53, 138.7, 143.7, 98.6),
        tail_factor=0.801,
        tail_start=2.161,
        frequency_below=_FLAT,
        frequency_above=(0.93, 0.31, 2.00),
    ),
    Climate.MARITIME_SUBTROPICAL: _ClimateCurves(
        median=(1.26, 15.5, 262.6, 185.2, 99.8),
        deviation_below=(6.11, 6.65, 138.2, 242.2, 178.6),
        deviation_above=(10.08, 9.60, 165.3, 225.7, 129.7),
        tail_factor=1.380,
        tail_start=1.282,
        frequency_below=_FLAT,
        frequency_above=_FLAT,
    ),
    Climate.DESERT: _ClimateCurves(
        median=(-9.21, 9.05, 84.1, 101.1, 98.6),
        deviation_below=(1.98, 13.11, 139.1, 132.7, 193.5),
        deviation_above=(3.68, 159.3, 464.4, 93.1, 94.2),
        tail_factor=1.000,
        tail_start=20.0,
        frequency_below=_FLAT,
        frequency_above=(0.93, 0.19, 1.79),
    ),
    Climate.CONTINENTAL_TEMPERATE: _ClimateCurves(
        median=(-0.62, 9.19, 228.9, 205.2, 143.6),
        deviation_below=(2.68, 7.16, 93.7, 186.8, 133.5),
        deviation_above=(4.75, 8.12, 93.2, 135.9, 113.4),
        tail_factor=1.224,
        tail_start=1.282,
        frequency_below=(0.92, 0.25, 1.77),
        frequency_above=(0.93, 0.31, 2.00),
    ),
    Climate.MARITIME_TEMPERATE_OVER_LAND: _ClimateCurves(
        median=(-0.39, 2.86, 141.7, 315.9, 167.4),
        deviation_below=(6.86, 10.38, 187.8, 169.6, 108.9),
        deviation_above=(8.58, 13.97, 216.0, 152.0, 122.7),
        tail_factor=1.518,
        tail_start=1.282,
        frequency_below=_FLAT,
        frequency_above=_FLAT,
    ),
    Climate.MARITIME_TEMPERATE_OVER_SEA: _ClimateCurves(
        median=(3.15, 857.9, 2222.0, 164.8, 116.3),
        deviation_below=(8.51, 169.8, 609.8, 119.9, 106.6),
        deviation_above=(8.43, 8.19, 136.2, 188.5, 122.9),
        tail_factor=1.518,
        tail_start=1.282,
        frequency_below=_FLAT,
        frequency_above=_FLAT,
    ),
}

_SINGLE_MESSAGE, _ACCIDENTAL, _MOBILE, _BROADCAST = range(4)
_WITHOUT_LOCATION = 10
_WITHOUT_SITUATION = 20


def _distance_curve(
    coefficients: tuple[float, float, float, float, float], distance_km: _Array
) -> _Array:
    """Return the curve of TN 101, eq. III.69 and III.70."""
    c1, c2, x1, x2, x3 = coefficients
    squared = (distance_km / x1) ** 2
    curve: _Array = (c1 + c2 / (1.0 + ((distance_km - x2) / x3) ** 2)) * squared / (1.0 + squared)
    return curve


def _frequency_factor(coefficients: tuple[float, float, float], frequency: _Array) -> _Array:
    base, rise, width = coefficients
    q = np.log(0.133 * frequency / _FREQUENCY_PER_WAVENUMBER)
    factor: _Array = base + rise / ((width * q) ** 2 + 1.0)
    return factor


def _deviate(percent: _Array) -> _Array:
    """Return z exceeded by a normal variable in `percent` of cases, as the model computes it.

    Abramowitz and Stegun 26.2.23, good to 4.5e-4; the model's published values contain its error.
    """
    quantile = percent / 100.0
    upper = quantile > 0.5
    t = np.sqrt(-2.0 * np.log(np.where(upper, 1.0 - quantile, quantile)))
    numerator = (0.010328 * t + 0.802853) * t + 2.515516
    z = t - numerator / (((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0)
    return np.where(upper, -z, z)


def _effective_distance_km(
    distance: _Array, frequency: _Array, transmitter_height: _Array, receiver_height: _Array
) -> _Array:
    """Return d_e, distance on a scale where terminals of all heights are alike [5.3]."""
    reference = (
        np.sqrt(2.0 * 9_000e3 * transmitter_height)
        + np.sqrt(2.0 * 9_000e3 * receiver_height)
        + (575.7e12 / (frequency / _FREQUENCY_PER_WAVENUMBER)) ** (1.0 / 3.0)
    )
    metres: _Array = np.where(
        distance < reference, 130e3 * distance / reference, 130e3 + distance - reference
    )
    return metres / 1e3


def _attenuation_not_exceeded(
    attenuation: _Array,
    distance: _Array,
    frequency: _Array,
    effective_heights: tuple[_Array, _Array],
    irregularity: _Array,
    deviates: tuple[_Array, _Array, _Array],
    climate: Climate,
    variability: int,
) -> _Array:
    """Return the quantile of attenuation beyond free space [5.9 to 5.11]."""
    z_time, z_location, z_situation = deviates
    kind = variability % 10
    if kind == _SINGLE_MESSAGE:
        z_time = z_location = z_situation
    elif kind == _ACCIDENTAL:
        z_location = z_situation
    elif kind == _MOBILE:
        z_location = z_time

    curves = _CLIMATES[climate]
    scaled_km = _effective_distance_km(distance, frequency, *effective_heights)

    sigma_situation = 5.0 + 3.0 * np.exp(-scaled_km / 100.0)
    if variability >= _WITHOUT_SITUATION:
        sigma_situation = np.zeros_like(sigma_situation)

    waviness = (
        frequency
        / _FREQUENCY_PER_WAVENUMBER
        * irregularity
        * (1.0 - 0.8 * np.exp(-distance / 50e3))
    )
    sigma_location = 10.0 * waviness / (waviness + 13.0)
    if variability % 20 >= _WITHOUT_LOCATION:
        sigma_location = np.zeros_like(sigma_location)

    below = _distance_curve(curves.deviation_below, scaled_km) * _frequency_factor(
        curves.frequency_below, frequency
    )
    above = _distance_curve(curves.deviation_above, scaled_km) * _frequency_factor(
        curves.frequency_above, frequency
    )
    tail = curves.tail_factor * above
    # The tail's branch is taken for z above its start only; elsewhere any divisor will do.
    in_tail = tail + (above - tail) * curves.tail_start / np.maximum(z_time, curves.tail_start)
    sigma_time = np.where(
        z_time < 0.0, below, np.where(z_time <= curves.tail_start, above, in_tail)
    )

    of_time = sigma_time * z_time
    of_location = sigma_location * z_location
    squared = z_situation**2
    residual = sigma_situation**2 + of_time**2 / (7.8 + squared) + of_location**2 / (24.0 + squared)
    if kind == _SINGLE_MESSAGE:
        gain = np.sqrt(sigma_time**2 + sigma_location**2 + residual) * z_situation
    elif kind == _ACCIDENTAL:
        gain = of_time + np.sqrt(sigma_location**2 + residual) * z_situation
    elif kind == _MOBILE:
        gain = np.sqrt(sigma_time**2 + sigma_location**2) * z_time + np.sqrt(residual) * z_situation
    else:
        gain = of_time + of_location + np.sqrt(residual) * z_situation

    quantile = attenuation - _distance_curve(curves.median, scaled_km) - gain
    # Gains over free space are squeezed.
    negative = np.minimum(quantile, 0.0)
    return np.where(
        quantile < 0.0, negative * (29.0 - negative) / (29.0 - 10.0 * negative), quantile
    )


# --- the public function ---------------------------------------------------------------------

_CLAUSE = "irregular terrain model, NTIA Report 82-100, design ranges"
_FREQUENCY_RANGE_MHZ: Interval = (20.0, 20_000.0)
_HEIGHT_RANGE_M: Interval = (0.5, 3_000.0)
_N0_RANGE: Interval = (250.0, 400.0)
_SURFACE_REFRACTIVITY_RANGE: Interval = (150.0, 400.0)
_GROUND_RANGE_M: Interval = (-500.0, 9_000.0)
_PERCENT_RANGE: Interval = (float(np.nextafter(0.0, 1.0)), float(np.nextafter(100.0, 0.0)))
_POSITIVE: Interval = (float(np.nextafter(0.0, 1.0)), np.inf)
_PERMITTIVITY_RANGE: Interval = (float(np.nextafter(1.0, 2.0)), np.inf)


@dataclass(frozen=True, eq=False)
class ItmLoss:
    """Loss of paths by the irregular terrain model, and what it rests on.

    Attributes
    ----------
    loss_db
        Basic transmission loss not exceeded in the percentages asked for [dB].
    free_space_loss_db
        Free-space basic transmission loss [dB].
    reference_attenuation_db
        A_ref, median attenuation beyond free space before climate and percentages [dB].
    mode
        `ItmMode` the reference attenuation belongs to.
    distance_m
        Length of the path [m].
    transmitter_horizon_angle_rad, receiver_horizon_angle_rad
        Radio horizons above the horizontal [rad].
    transmitter_horizon_distance_m, receiver_horizon_distance_m
        Distances to them [m].
    transmitter_effective_height_m, receiver_effective_height_m
        Heights above the terrain that dominates the path [m].
    terrain_irregularity_m
        Δh, interdecile range of the heights [m].
    surface_refractivity
        N_s, refractivity at the path's height [N-units].
    effective_earth_radius_m
        Radius of the earth on which rays are straight [m].
    warnings
        `ItmWarning` flags.
    """

    loss_db: FloatOrArray
    free_space_loss_db: FloatOrArray
    reference_attenuation_db: FloatOrArray
    mode: np.int64 | NDArray[np.int64]
    distance_m: FloatOrArray
    transmitter_horizon_angle_rad: FloatOrArray
    receiver_horizon_angle_rad: FloatOrArray
    transmitter_horizon_distance_m: FloatOrArray
    receiver_horizon_distance_m: FloatOrArray
    transmitter_effective_height_m: FloatOrArray
    receiver_effective_height_m: FloatOrArray
    terrain_irregularity_m: FloatOrArray
    surface_refractivity: FloatOrArray
    effective_earth_radius_m: FloatOrArray
    warnings: np.int64 | NDArray[np.int64]


def itm_loss(
    ground_m: ArrayLike,
    spacing_m: ArrayLike,
    *,
    frequency_mhz: ArrayLike,
    transmitter_height_m: ArrayLike,
    receiver_height_m: ArrayLike,
    n0: ArrayLike = N0,
    climate: Climate | int = Climate.CONTINENTAL_TEMPERATE,
    polarisation: Polarisation = "vertical",
    permittivity: ArrayLike = 15.0,
    conductivity_s_m: ArrayLike = 0.005,
    time_percent: ArrayLike = 50.0,
    location_percent: ArrayLike = 50.0,
    situation_percent: ArrayLike = 50.0,
    variability: int = 3,
) -> ItmLoss:
    """Return the loss along terrain profiles by the irregular terrain model (ITM 1.4).

    Parameters
    ----------
    ground_m
        Ground heights above sea level at even spacing from the transmitter to the receiver,
        both ends included [m], shape (…, points), at least 2 points.
    spacing_m
        Distance between neighbouring points [m].
    frequency_mhz
        Carrier frequency [MHz], 20 to 20,000.
    transmitter_height_m, receiver_height_m
        Antenna heights above ground [m], 0.5 to 3000.
    n0
        Surface refractivity reduced to sea level [N-units], 250 to 400; `Climate` names the
        customary value of each climate.
    climate
        Radio climate.
    polarisation
        ``horizontal`` or ``vertical``.
    permittivity
        Relative permittivity of the ground, above 1; 15 is average ground.
    conductivity_s_m
        Conductivity of the ground [S/m], above 0; 0.005 is average ground.
    time_percent, location_percent, situation_percent
        Percentages of time, locations and situations in which the loss is not exceeded, above 0
        and below 100.
    variability
        The model's code ``mdvar``: 0 single message, 1 accidental, 2 mobile, 3 broadcast; plus
        10 without variability of locations, plus 20 without direct variability of situations,
        plus 30 without either.

    Returns
    -------
    ItmLoss
        Values of the common shape of all inputs (of `ground_m` the shape before the last axis).

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range, a word or a code is unknown, or a
        profile has fewer than two points.

    Notes
    -----
    Confidence and reliability are other names: a loss with reliability r and confidence c is
    that of ``time_percent=r, location_percent=50, situation_percent=c``. In single message mode
    only the situation counts, in accidental mode time and situation, in mobile mode time
    (which then stands for time and locations together) and situation.

    References
    ----------
    G. A. Hufford, "The ITS irregular terrain model, version 1.2.2: the algorithm", NTIA, 1999.
    G. A. Hufford, A. G. Longley and W. A. Kissick, "A guide to the use of the ITS irregular
    terrain model in the area prediction mode", NTIA Report 82-100, 1982.

    Examples
    --------
    >>> plain = itm_loss(
    ...     [250.0] * 101, 100.0,
    ...     frequency_mhz=700.0, transmitter_height_m=30.0, receiver_height_m=1.5,
    ... )
    >>> ItmMode(plain.mode).name, round(float(plain.loss_db), 1)
    ('LINE_OF_SIGHT', 127.4)
    """
    _require_known(climate, polarisation, variability)
    climate = Climate(climate)
    ground = checked("ground_m", ground_m, _GROUND_RANGE_M, "heights on the earth's surface")
    if ground.ndim == 0 or ground.shape[-1] < 2:
        raise OutOfRangeError(
            f"ground_m has shape {ground.shape} but a profile needs at least 2 points along the "
            "last axis"
        )
    inputs = (
        checked("spacing_m", spacing_m, _POSITIVE, _CLAUSE),
        checked("frequency_mhz", frequency_mhz, _FREQUENCY_RANGE_MHZ, _CLAUSE),
        checked("transmitter_height_m", transmitter_height_m, _HEIGHT_RANGE_M, _CLAUSE),
        checked("receiver_height_m", receiver_height_m, _HEIGHT_RANGE_M, _CLAUSE),
        checked("n0", n0, _N0_RANGE, _CLAUSE),
        checked("permittivity", permittivity, _PERMITTIVITY_RANGE, _CLAUSE),
        checked("conductivity_s_m", conductivity_s_m, _POSITIVE, _CLAUSE),
        checked("time_percent", time_percent, _PERCENT_RANGE, _CLAUSE),
        checked("location_percent", location_percent, _PERCENT_RANGE, _CLAUSE),
        checked("situation_percent", situation_percent, _PERCENT_RANGE, _CLAUSE),
    )
    shape = np.broadcast_shapes(ground.shape[:-1], *(values.shape for values in inputs))
    points = ground.shape[-1]
    # Copies: the kernel is compiled for arrays that own their memory, and only for those.
    ground = np.array(np.broadcast_to(ground, (*shape, points)), order="C").reshape(-1, points)
    (
        spacing, frequency, transmitter_height, receiver_height, sea_level,
        relative_permittivity, conductivity, *percentages,
    ) = (
        np.array(np.broadcast_to(values, shape), order="C").ravel() for values in inputs
    )  # fmt: skip

    surface_refractivity = _surface_refractivity(ground, sea_level)
    radius = 1.0 / (157e-9 * (1.0 - 0.04665 * np.exp(surface_refractivity / 179.3)))
    impedance = _ground_impedance(relative_permittivity, conductivity, frequency, polarisation)
    results = np.empty((spacing.size, _N_RESULTS))
    _attenuate_all(
        ground, spacing, transmitter_height, receiver_height, frequency,
        surface_refractivity, radius, impedance, results,
    )  # fmt: skip
    attenuation, mode = results[:, 0], results[:, 1].astype(np.int64)
    effective_heights, horizon_distances, horizon_angles = (
        (results[:, column], results[:, column + 1]) for column in (2, 4, 6)
    )
    irregularity = results[:, 8]

    distance = (points - 1) * spacing
    deviates = (_deviate(percentages[0]), _deviate(percentages[1]), _deviate(percentages[2]))
    free_space = 32.45 + 20.0 * np.log10(frequency) + 20.0 * np.log10(distance / 1e3)
    loss = free_space + _attenuation_not_exceeded(
        attenuation, distance, frequency, effective_heights, irregularity,
        deviates, climate, variability,
    )  # fmt: skip
    warnings = _warnings(
        frequency, distance, radius, surface_refractivity, (transmitter_height, receiver_height),
        effective_heights, horizon_distances, horizon_angles,
        _used_deviates(deviates, variability), loss,
    )  # fmt: skip

    def shaped(values: NDArray[Any]) -> Any:
        return values.reshape(shape)[()]

    return ItmLoss(
        loss_db=shaped(loss),
        free_space_loss_db=shaped(free_space),
        reference_attenuation_db=shaped(attenuation),
        mode=shaped(mode),
        distance_m=shaped(distance),
        transmitter_horizon_angle_rad=shaped(horizon_angles[0]),
        receiver_horizon_angle_rad=shaped(horizon_angles[1]),
        transmitter_horizon_distance_m=shaped(horizon_distances[0]),
        receiver_horizon_distance_m=shaped(horizon_distances[1]),
        transmitter_effective_height_m=shaped(effective_heights[0]),
        receiver_effective_height_m=shaped(effective_heights[1]),
        terrain_irregularity_m=shaped(irregularity),
        surface_refractivity=shaped(surface_refractivity),
        effective_earth_radius_m=shaped(radius),
        warnings=shaped(warnings),
    )


def _require_known(climate: int, polarisation: str, variability: int) -> None:
    if climate not in set(Climate):
        raise OutOfRangeError(f"climate is {climate!r} but must be 1 to 7 (see Climate)")
    if polarisation not in get_args(Polarisation):
        raise OutOfRangeError(
            f"polarisation is {polarisation!r} but must be one of "
            f"{', '.join(get_args(Polarisation))}"
        )
    if variability not in {tens + kind for tens in (0, 10, 20, 30) for kind in range(4)}:
        raise OutOfRangeError(
            f"variability is {variability!r} but must be 0, 1, 2 or 3, plus 10, 20 or 30 if "
            "locations or situations are to be left out"
        )


def _surface_refractivity(ground: _Array, sea_level: _Array) -> _Array:
    """Return N_s at the mean height of a profile's middle four fifths (TN 101, eq. 4.3)."""
    intervals = ground.shape[-1] - 1
    tenth = int(0.1 * intervals)
    height = ground[:, tenth : intervals - tenth + 1].mean(axis=-1)
    return checked(
        "surface_refractivity",
        sea_level * np.exp(-height / 9460.0),
        _SURFACE_REFRACTIVITY_RANGE,
        f"refractivity at the path's mean height, {_CLAUSE}",
    )


def _ground_impedance(
    permittivity: _Array, conductivity: _Array, frequency: _Array, polarisation: Polarisation
) -> NDArray[np.complex128]:
    """Return Z_g, the ground's surface transfer impedance."""
    complex_permittivity = permittivity + 18_000j * conductivity / frequency
    impedance: NDArray[np.complex128] = np.sqrt(complex_permittivity - 1.0)
    if polarisation == "vertical":
        impedance = impedance / complex_permittivity
    return impedance


def _used_deviates(deviates: tuple[_Array, _Array, _Array], variability: int) -> tuple[_Array, ...]:
    """Return the deviates that enter in this mode: time, location, situation."""
    time, location, situation = deviates
    return {
        _SINGLE_MESSAGE: (situation,),
        _ACCIDENTAL: (time, situation),
        _MOBILE: (time, situation),
        _BROADCAST: (time, location, situation),
    }[variability % 10]


def _warnings(
    frequency: _Array,
    distance: _Array,
    radius: _Array,
    surface_refractivity: _Array,
    heights: tuple[_Array, _Array],
    effective_heights: tuple[_Array, _Array],
    horizon_distances: tuple[_Array, _Array],
    horizon_angles: tuple[_Array, _Array],
    deviates: tuple[_Array, ...],
    loss: _Array,
) -> NDArray[np.int64]:
    angles = np.maximum(np.abs(horizon_angles[0]), np.abs(horizon_angles[1]))
    stretch = np.array(
        [
            horizon / np.sqrt(2.0 * height * radius)
            for horizon, height in zip(horizon_distances, effective_heights, strict=True)
        ]
    )
    steepest = np.abs(effective_heights[0] - effective_heights[1]) / distance
    conditions = {
        ItmWarning.TRANSMITTER_HEIGHT: (heights[0] < 1.0) | (heights[0] > 1000.0),
        ItmWarning.RECEIVER_HEIGHT: (heights[1] < 1.0) | (heights[1] > 1000.0),
        ItmWarning.FREQUENCY: (frequency < 40.0) | (frequency > 10_000.0),
        ItmWarning.HORIZON_ANGLE: angles > 0.2,
        ItmWarning.HORIZON_DISTANCE: ((stretch < 0.1) | (stretch > 3.0)).any(axis=0),
        ItmWarning.SURFACE_REFRACTIVITY: surface_refractivity < 250.0,
        ItmWarning.SHORT_PATH: (distance < 1e3) | (steepest > 0.2),
        ItmWarning.LONG_PATH: distance > 1000e3,
        ItmWarning.EXTREME_PERCENTAGE: np.abs(np.array(deviates)).max(axis=0) > 3.1,
        ItmWarning.NO_LOSS: np.isnan(loss),
    }
    flags = np.zeros(frequency.shape, dtype=np.int64)
    for warning, holds in conditions.items():
        flags |= np.where(holds, int(warning), 0)
    return flags
