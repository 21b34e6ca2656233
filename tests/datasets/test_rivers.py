"""Rivers of the synthetic terrain: they flow downhill, into each other, past the real seats."""

from itertools import pairwise

import numpy as np
import pytest

from ankang_coverage.datasets.rivers import HAN, TRIBUTARIES

SEATS = {"石泉": (108.25, 33.04), "紫阳": (108.53, 32.52), "旬阳": (109.36, 32.83)}


@pytest.mark.parametrize("river", [HAN, *TRIBUTARIES], ids=lambda river: river.name)
def test_a_river_never_flows_uphill(river):
    heights = [height for _, _, height in river.course]
    assert all(above >= below for above, below in pairwise(heights))
    assert 0.0 < river.water_m < river.floor_m


def test_every_tributary_ends_on_a_river():
    points = {point for river in (HAN, *TRIBUTARIES) for point in river.course}
    for river in TRIBUTARIES:
        others = points - set(river.course[:-1])
        assert river.course[-1] in others


@pytest.mark.parametrize("seat", SEATS)
def test_the_han_passes_the_county_seats(seat):
    course = np.array(HAN.course)[:, :2]
    away_km = np.hypot(*((course - SEATS[seat]) * [93.5, 110.9]).T)
    assert away_km.min() < 5.0
