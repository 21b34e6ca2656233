"""Scatter, by the unit values of ITM's own tests (NTIA/itm, tests/Test*.cpp)."""

import pytest

from ankang_coverage.propagation.itm._troposcatter import NO_GAIN_YET, frequency_gain, troposcatter


def test_troposcatter(path):
    # The published 76.96942 comes from a version with slightly other constants.
    example = path(
        3500.0, 7850e3, 0.2 + 0j, (10.0, 5.0), (8e3, 8e3), (-0.001, -0.001), 0.0, clear_angle=-0.02
    )
    gain = frequency_gain(example, 100e3, NO_GAIN_YET)
    assert troposcatter(example, 100e3, gain) == pytest.approx(76.969416, abs=1e-4)
