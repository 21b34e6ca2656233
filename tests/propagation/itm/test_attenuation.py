"""The three curves joined, by the unit values of ITM's own tests (NTIA/itm, tests/Test*.cpp)."""

import pytest

from ankang_coverage.propagation.itm import ItmMode
from ankang_coverage.propagation.itm._attenuation import reference_attenuation


@pytest.mark.parametrize(
    ("distance", "attenuation", "mode"),
    [
        (10e3, 4.2910433148599818, ItmMode.LINE_OF_SIGHT),
        (25e3, 23.008174136481173, ItmMode.DIFFRACTION),
    ],
)
def test_reference_attenuation(path, distance, attenuation, mode):
    example = path(
        3500.0, 7860e3, 0.2 + 0j, (15.0, 5.0), (15e3, 7e3), (-1.9, -0.8), 3.5, refractivity=252.0
    )
    value, how = reference_attenuation(example, distance)
    assert value == pytest.approx(attenuation, abs=1e-9)
    assert how == mode
