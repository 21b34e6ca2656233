"""What the kernels know of a path, and how rough the terrain under it is."""

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit

Array: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = tuple[float, float]

FREQUENCY_PER_WAVENUMBER = 47.7  # MHz per (1/m): wave number = f / 47.7


class Path(NamedTuple):
    """What the attenuation depends on apart from distance; pairs are transmitter, receiver."""

    frequency: float
    radius: float
    refractivity: float
    impedance: complex
    heights: Pair
    effective_heights: Pair
    horizon_distances: Pair
    horizon_angles: Pair
    irregularity: float
    horizon: float
    """Sum of the horizon distances: as far as line of sight can reach on this path [m]."""
    smooth_horizon: float
    """The same over a smooth earth [m]."""
    clear_angle: float
    """Angular distance of the line-of-sight region [rad]."""


@njit
def roughness(distance: float, irregularity: float) -> float:
    """Return Δh(d): the irregularity that a path of this length shows (ERL 79, eq. 3)."""
    return irregularity * (1.0 - 0.8 * math.exp(-distance / 50e3))


@njit
def height_deviation(roughness: float) -> float:
    """Return σ_h: deviation of heights within the first Fresnel zone (ERL 79, eq. 3.6a)."""
    return 0.78 * roughness * math.exp(-0.5 * roughness**0.25)
