import numpy as np
import pytest

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import free_space_loss


@pytest.mark.parametrize(
    ("distance_m", "frequency_mhz"), [(1_000.0, 1.0), (1_000.0, 900.0), (35_000.0, 3_500.0)]
)
def test_equals_the_practical_form(distance_m, frequency_mhz):
    # ITU-R P.525-4, equation (4): 32.4 + 20 log f + 20 log d in MHz and km, rounded to 0.1 dB
    expected = 32.4 + 20 * np.log10(frequency_mhz) + 20 * np.log10(distance_m / 1e3)
    assert free_space_loss(distance_m, frequency_mhz) == pytest.approx(expected, abs=0.05)


def test_is_zero_where_the_path_is_a_wavelength_over_four_pi():
    wavelength_m = 299_792_458.0 / 900e6
    assert free_space_loss(wavelength_m / (4 * np.pi), 900.0) == pytest.approx(0.0, abs=1e-12)


def test_vector_equals_scalars():
    distances = np.array([[10.0, 100.0], [1e3, 1e5]])
    losses = free_space_loss(distances, 900.0)
    assert losses.dtype == np.float64
    expected = [[free_space_loss(d, 900.0) for d in row] for row in distances]
    np.testing.assert_array_equal(losses, expected)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_refuses_what_has_no_loss(bad):
    with pytest.raises(OutOfRangeError, match=r"distance_m .*P\.525"):
        free_space_loss(bad, 900.0)
    with pytest.raises(OutOfRangeError, match=r"frequency_mhz .*P\.525"):
        free_space_loss(1_000.0, bad)
