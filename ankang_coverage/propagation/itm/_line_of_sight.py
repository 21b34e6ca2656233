"""Paths in sight: two rays, and the curve that leads from them to diffraction."""

import math

from ankang_coverage._jit import njit
from ankang_coverage.propagation.itm._path import (
    FREQUENCY_PER_WAVENUMBER,
    Path,
    height_deviation,
    roughness,
)


@njit
def line_of_sight(path: Path, distance: float, slope: float, intercept: float) -> float:
    """Return the loss in sight: two rays and the diffraction line, weighted [4.46 to 4.50]."""
    wave_number = path.frequency / FREQUENCY_PER_WAVENUMBER
    h1, h2 = path.effective_heights
    sine = (h1 + h2) / math.sqrt(distance**2 + (h1 + h2) ** 2)
    deviation = height_deviation(roughness(distance, path.irregularity))
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
def in_sight_attenuation(path: Path, distance: float, slope: float, intercept: float) -> float:
    """Return A_ref where the curve k₀ + k₁ d + k₂ ln d holds, d below the smooth horizon."""
    far = path.smooth_horizon
    far_loss = slope * far + intercept
    near = 0.04 * path.frequency * path.effective_heights[0] * path.effective_heights[1]
    if intercept >= 0.0:
        near = min(near, 0.5 * path.horizon)
        middle = near + 0.25 * (path.horizon - near)
    else:
        middle = max(-intercept / slope, 0.25 * path.horizon)
    middle_loss = line_of_sight(path, middle, slope, intercept)

    linear, logarithmic = 0.0, 0.0
    bent = False
    if near < middle:  # a curve through three distances (ERL 79, eq. 3.20 and 3.21)
        near_loss = line_of_sight(path, near, slope, intercept)
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
