import numpy as np
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.building import building_entry_loss

BUILDINGS = {1: "traditional", 2: "thermally-efficient"}


@pytest.mark.parametrize("code", BUILDINGS)
def test_published_values(shared, code):
    table = np.loadtxt(
        shared / "validation/itu_p2109/validation_sample.csv", delimiter=",", skiprows=1
    )
    assert table.shape == (2084, 5)
    frequency_ghz, percent, _, elevation, expected = table[table[:, 2] == code].T
    loss = building_entry_loss(1e3 * frequency_ghz, percent, BUILDINGS[code], elevation)
    np.testing.assert_allclose(loss, expected, rtol=0.0, atol=1e-6)


def test_median_at_one_gigahertz_by_hand():
    # log f = 0, P = 50 %: 10 log(10^1.264 + 10^0.91 + 10^−0.3) = 10 log(18.365 + 8.128 + 0.501)
    assert building_entry_loss(1000.0) == pytest.approx(14.3128, abs=1e-4)


def test_elevation_counts_up_and_down_alike():
    angles = np.array([-60.0, -5.0, 0.0, 5.0, 60.0])
    losses = building_entry_loss(900.0, elevation_deg=angles)
    np.testing.assert_array_equal(losses, losses[::-1])
    assert losses[4] > losses[3] > losses[2]


@given(frequency=st.floats(80.0, 1e5), percent=st.floats(0.1, 99.8))
def test_more_certainty_and_better_insulation_cost_more(frequency, percent):
    likely = building_entry_loss(frequency, percent + 0.1)
    assert likely > building_entry_loss(frequency, percent)
    if frequency > 300.0 and percent >= 50.0:
        assert building_entry_loss(frequency, percent, "thermally-efficient") > likely


def test_shapes():
    losses = building_entry_loss([[900.0], [3500.0]], [10.0, 50.0, 90.0])
    assert losses.shape == (2, 3)
    assert losses[1, 2] == building_entry_loss(3500.0, 90.0)
    assert isinstance(building_entry_loss(900.0), float)


@pytest.mark.parametrize(
    "wrong",
    [
        {"frequency_mhz": 79.0},
        {"frequency_mhz": 100_001.0},
        {"frequency_mhz": np.nan},
        {"probability_percent": 0.0},
        {"probability_percent": 100.0},
        {"elevation_deg": 90.5},
        {"building": "tent"},
    ],
)
def test_refusals(wrong):
    with pytest.raises(OutOfRangeError, match=next(iter(wrong))):
        building_entry_loss(**{"frequency_mhz": 900.0} | wrong)


def test_frequencies_may_be_extrapolated():
    assert building_entry_loss(79.0, extrapolate=True) == pytest.approx(
        building_entry_loss(80.0), abs=0.01
    )
    with pytest.raises(OutOfRangeError, match="above 0"):
        building_entry_loss(0.0, extrapolate=True)
