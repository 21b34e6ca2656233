"""Inputs outside the region that ITM was fitted to are flagged, others are not."""

import numpy as np

from ankang_coverage.propagation.itm import ItmWarning, itm_loss

PLAIN = {
    "frequency_mhz": 700.0,
    "transmitter_height_m": 30.0,
    "receiver_height_m": 1.5,
}


def test_warnings_name_what_is_unusual():
    flat = np.full(40, 250.0)
    assert itm_loss(flat, 100.0, **PLAIN).warnings == ItmWarning.NONE
    short = itm_loss(flat[:5], 100.0, **PLAIN | {"receiver_height_m": 0.6, "frequency_mhz": 30.0})
    assert ItmWarning(int(short.warnings)) == (
        ItmWarning.SHORT_PATH | ItmWarning.RECEIVER_HEIGHT | ItmWarning.FREQUENCY
    )
    extreme = itm_loss(flat, 100.0, **PLAIN, location_percent=99.95)
    assert extreme.warnings == ItmWarning.EXTREME_PERCENTAGE
    mobile = itm_loss(flat, 100.0, **PLAIN, location_percent=99.95, variability=2)
    assert mobile.warnings == ItmWarning.NONE
    high = itm_loss(flat + 3500.0, 100.0, **PLAIN)
    assert high.warnings == ItmWarning.SURFACE_REFRACTIVITY
