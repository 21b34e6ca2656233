"""Diffraction, by the unit values of ITM's own tests (NTIA/itm, tests/Test*.cpp)."""

import pytest

from ankang_coverage.propagation.itm._diffraction import _rounded_earth, diffraction


def test_diffraction(path):
    example = path(3500.0, 6371e3, 1 + 0.1j, (8.0, 5.0), (2500.0, 3000.0), (-0.19, -0.08), 10.0)
    assert diffraction(example, 1000.0) == pytest.approx(14.728185720658667, abs=1e-9)


def test_diffraction_over_a_smooth_earth(path):
    example = path(
        3500.0, 7850e3, 0.2 + 0j, (15.0, 3.0), (8e3, 8e3), (0.0, 0.0), 0.0, clear_angle=0.002
    )
    assert _rounded_earth(example, 18e3) == pytest.approx(25.355962945991564, abs=1e-9)
