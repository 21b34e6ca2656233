"""What the tests of the model's kernels share."""

import math

import pytest

from ankang_coverage.propagation.itm._path import Path


@pytest.fixture
def path():
    """Return what makes a path as the kernels see it."""
    return _path


def _path(frequency, radius, impedance, heights, distances, angles, irregularity, **other):
    horizon = sum(distances)
    values = {
        "frequency": frequency,
        "radius": radius,
        "refractivity": 301.0,
        "impedance": impedance,
        "heights": heights,
        "effective_heights": heights,
        "horizon_distances": distances,
        "horizon_angles": angles,
        "irregularity": irregularity,
        "horizon": horizon,
        "smooth_horizon": sum(math.sqrt(2.0 * height * radius) for height in heights),
        "clear_angle": -max(sum(angles), -horizon / radius),
    }
    return Path(**(values | other))
