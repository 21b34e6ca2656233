import numpy as np
import pytest
from scipy.stats import norm

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.p1812 import inverse_normal, location_deviation


def test_inverse_normal_keeps_the_stated_error():
    for x in (1e-5, 0.01, 0.1, 0.3, 0.5, 0.7, 0.99):
        assert inverse_normal(x) == pytest.approx(norm.isf(x), abs=4.5e-4)


@pytest.mark.parametrize(("width_m", "expected"), [(100.0, 1.97), (500.0, 3.09), (1000.0, 3.75)])
def test_location_deviation_below_the_clutter(width_m, expected):
    assert location_deviation(900.0, 1.5, 10.0, width_m) == pytest.approx(expected, abs=0.01)


def test_location_deviation_vanishes_above_the_clutter():
    assert location_deviation(900.0, 25.0, 15.0, 100.0) == 0.0


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((900.0, 1.5, 10.0, -100.0), "width_m is -100"),
        ((np.nan, 1.5, 10.0, 100.0), "frequency_mhz is not a number"),
        ((900.0, -1.5, 10.0, 100.0), "receiver_height_m is -1.5"),
    ],
)
def test_location_deviation_refuses_what_is_no_place(numbers, message):
    with pytest.raises(OutOfRangeError, match=message):
        location_deviation(*numbers)
