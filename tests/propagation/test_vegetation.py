import numpy as np
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.vegetation import (
    MULHOUSE,
    RIO_DE_JANEIRO,
    SAINT_PETERSBURG,
    tree_loss,
    vegetation_specific_attenuation,
    woodland_loss,
    woodland_maximum_attenuation,
    woodland_slant_loss,
)

# ITU-R P.833-10, table 1, measured near Saint Petersburg: MHz, γ dB/m, A_m dB.
MEASURED = np.array(
    [
        (105.9, 0.04, 9.4),
        (466.475, 0.12, 18.0),
        (949.0, 0.17, 26.5),
        (1852.2, 0.30, 29.0),
        (2117.5, 0.34, 34.1),
    ]
)


def test_the_figures_curve_lies_by_the_measurements():
    frequency, specific, _ = MEASURED.T
    np.testing.assert_allclose(vegetation_specific_attenuation(frequency), specific, rtol=0.25)


def test_the_figures_curve_read_by_somebody_else():
    # A fit of others to a digitised figure 2 above 1 GHz, γ = 0.19 f^1.02 with f in GHz, to 25 %.
    frequency = np.geomspace(1e3, 3e4, 20)
    np.testing.assert_allclose(
        vegetation_specific_attenuation(frequency), 0.19 * (frequency / 1e3) ** 1.02, rtol=0.25
    )


def test_the_most_a_woodland_attenuates_fits_its_measurements():
    frequency, _, maximum = MEASURED.T
    fitted = woodland_maximum_attenuation(frequency, SAINT_PETERSBURG)
    np.testing.assert_allclose(fitted, maximum, rtol=0.12)


def test_woodlands_by_hand():
    # 0.18 · 1000^0.752 = 0.18 · 10^2.256; 1.15 · 1000^0.43 = 1.15 · 10^1.29
    assert woodland_maximum_attenuation(1000.0, RIO_DE_JANEIRO) == pytest.approx(32.454, abs=1e-3)
    assert woodland_maximum_attenuation(1000.0, MULHOUSE) == pytest.approx(22.423, abs=1e-3)


@given(specific=st.floats(0.01, 10.0), maximum=st.floats(5.0, 60.0))
def test_woodland_limits(specific, maximum):
    assert woodland_loss(0.0, specific, maximum) == 0.0
    short = 1e-6 * maximum / specific
    assert woodland_loss(short, specific, maximum) == pytest.approx(specific * short, rel=1e-6)
    assert woodland_loss(1e3 * maximum / specific, specific, maximum) == pytest.approx(maximum)
    depth = maximum / specific  # one scale length: all but 1/e of the maximum
    assert woodland_loss(depth, specific, maximum) == pytest.approx(0.6321206 * maximum)


@given(depth=st.floats(0.0, 5e3), more=st.floats(0.1, 100.0))
def test_woodland_loss_never_exceeds_its_parts(depth, more):
    loss, deeper = woodland_loss([depth, depth + more], 0.17, 26.5)
    assert loss <= deeper <= 26.5
    assert loss <= 0.17 * depth + 1e-12


def test_slant_loss_by_hand():
    # 0.25 · 1000^0.39 · 16^0.25 · 1^0.05 = 0.25 · 14.7911 · 2
    assert woodland_slant_loss(1000.0, 16.0, 1.0) == pytest.approx(7.39555, abs=1e-4)
    assert woodland_slant_loss(1000.0, 0.0, 30.0) == 0.0


def test_a_tree_costs_its_way_or_the_way_round():
    losses = tree_loss(900.0, [0.0, 10.0, 100.0], 0.2, other_path_loss_db=8.0)
    np.testing.assert_allclose(losses, [0.0, 2.0, 8.0])
    specific = vegetation_specific_attenuation(600.0)
    assert tree_loss(600.0, 7.0) == pytest.approx(7.0 * specific)


def test_shapes():
    assert woodland_loss([[10.0], [20.0]], [0.1, 0.2, 0.3], 30.0).shape == (2, 3)
    assert woodland_slant_loss(900.0, [1.0, 2.0], [[10.0], [20.0]]).shape == (2, 2)
    assert isinstance(vegetation_specific_attenuation(900.0), float)
    assert isinstance(tree_loss(900.0, 5.0), float)


@pytest.mark.parametrize(
    ("model", "arguments", "name"),
    [
        (vegetation_specific_attenuation, (29.0,), "frequency_mhz"),
        (vegetation_specific_attenuation, (30_001.0,), "figure 2"),
        (woodland_maximum_attenuation, (2600.0,), "Saint|section 2.1"),
        (woodland_maximum_attenuation, (800.0, MULHOUSE), "frequency_mhz"),
        (woodland_loss, (-1.0, 0.1, 20.0), "depth_m"),
        (woodland_loss, (1.0, 0.0, 20.0), "specific_attenuation_db_m"),
        (woodland_loss, (1.0, 0.1, 0.0), "maximum_attenuation_db"),
        (woodland_slant_loss, (900.0, 10.0, 0.0), "elevation_deg"),
        (woodland_slant_loss, (900.0, np.nan, 10.0), "depth_m"),
        (tree_loss, (1001.0, 10.0), "up to 1 GHz"),
        (tree_loss, (900.0, 10.0, 0.2, -1.0), "other_path_loss_db"),
    ],
)
def test_refusals(model, arguments, name):
    with pytest.raises(OutOfRangeError, match=name):
        model(*arguments)


def test_frequencies_may_be_extrapolated():
    slope = np.log10(0.2 / 0.02) / np.log10(1000.0 / 30.0)
    below = vegetation_specific_attenuation(3.0, extrapolate=True)
    assert below == pytest.approx(0.02 * 0.1**slope)
    assert woodland_maximum_attenuation(3500.0, extrapolate=True) == pytest.approx(
        1.37 * 3500.0**0.42
    )
    assert tree_loss(2600.0, 10.0, extrapolate=True) == pytest.approx(5.2)
