"""Variability, by the unit values of ITM's own tests (NTIA/itm, tests/Test*.cpp)."""

import numpy as np
import pytest

from ankang_coverage.propagation.itm import Climate
from ankang_coverage.propagation.itm.variability import attenuation_not_exceeded, deviates_of


@pytest.mark.parametrize(
    ("climate", "variability", "attenuation"),
    [
        (Climate.EQUATORIAL, 3, 62.258514685008194),
        (Climate.CONTINENTAL_SUBTROPICAL, 3, 62.172817403455056),
        (Climate.MARITIME_SUBTROPICAL, 3, 62.180947861894204),
        (Climate.DESERT, 3, 62.285710999957999),
        (Climate.CONTINENTAL_TEMPERATE, 3, 62.148868476830557),
        (Climate.MARITIME_TEMPERATE_OVER_LAND, 3, 62.202217322742925),
        (Climate.MARITIME_TEMPERATE_OVER_SEA, 3, 62.171720116596696),
        (Climate.EQUATORIAL, 0, 65.983366483245064),
        (Climate.EQUATORIAL, 1, 65.975212768420008),
        (Climate.EQUATORIAL, 2, 54.938699908329184),
        (Climate.EQUATORIAL, 13, 59.833829899214862),
        (Climate.EQUATORIAL, 23, 53.043626273213889),
    ],
)
def test_variability(climate, variability, attenuation):
    percents = np.array(30.0), np.array(60.0), np.array(90.0)
    value = attenuation_not_exceeded(
        np.array(50.0),
        np.array(10e3),
        np.array(3500.0),
        (np.array(100.0), np.array(100.0)),
        np.array(10.0),
        deviates_of(percents, variability),
        climate,
        variability,
    )
    assert value == pytest.approx(attenuation, abs=1e-9)
