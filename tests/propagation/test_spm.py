import csv

import numpy as np
import pytest

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.spm import (
    SPM_LTE_B3,
    SPM_LTE_B8,
    SPM_NR_N41,
    SpmCoefficients,
    effective_height,
    spm_loss,
)


def test_published_hata_losses(shared):
    # The model leaves out Hata's correction for the terminal's height, which the rows contain.
    with (shared / "validation/okumura_hata/loss.csv").open(newline="") as file:
        urban = [
            row
            for row in csv.DictReader(file)
            if (row["environment"], row["city"]) == ("urban", "small")
        ]
    assert urban
    for row in urban:
        frequency, height = float(row["freq_mhz"]), float(row["h_m_m"])
        log_f = np.log10(frequency)
        correction = (1.1 * log_f - 0.7) * height - (1.56 * log_f - 0.8)
        loss = spm_loss(
            SpmCoefficients.for_frequency(frequency),
            float(row["d_m"]),
            float(row["h_b_m"]),
            height,
        )
        assert loss - correction == pytest.approx(float(row["loss_db"]), abs=0.1), row


@pytest.mark.parametrize(
    ("coefficients", "k1"),
    # 69.55 + 26.16 log 941.5 − 134.7; 46.3 + 33.9 log 1842.5 − 134.7; … log 2595
    [(SPM_LTE_B8, 12.645), (SPM_LTE_B3, 22.297), (SPM_NR_N41, 27.339)],
)
def test_band_constants_by_hand(coefficients, k1):
    assert coefficients.k1 == pytest.approx(k1, abs=0.001)


def test_each_coefficient_has_its_term():
    # d = 10 km and h_eff = 100 m: log d = 4, log h_eff = 2, their product 8; h_m = 10 m.
    arguments = (10e3, 100.0, 10.0, 7.0, 3.0)
    terms = {
        "k1": 1.0, "k2": 4.0, "k3": 2.0, "k4": 7.0, "k5": 8.0, "k6": 10.0, "k7": 1.0,
        "k_clutter": 3.0,
    }  # fmt: skip
    nothing = dict.fromkeys(terms, 0.0)
    for name, term in terms.items():
        coefficients = SpmCoefficients(**nothing | {name: 2.5})
        assert spm_loss(coefficients, *arguments) == pytest.approx(2.5 * term), name


def test_shapes():
    losses = spm_loss(SPM_LTE_B8, [[2e3], [5e3]], 40.0, diffraction_loss_db=[0.0, 6.0, 20.0])
    assert losses.shape == (2, 3)
    np.testing.assert_allclose(losses[:, 2] - losses[:, 0], 20.0)
    assert isinstance(spm_loss(SPM_LTE_B8, 2e3, 40.0), float)


def test_effective_heights():
    ground = np.array([250.0, 400.0, 380.0])
    np.testing.assert_allclose(effective_height(30.0, 380.0, ground), [160.0, 30.0, 30.0])
    np.testing.assert_allclose(effective_height(30.0, 380.0, ground, "above-ground"), 30.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"distance_m": 999.0},
        {"distance_m": 20_001.0},
        {"effective_height_m": 29.0},
        {"effective_height_m": 201.0},
        {"terminal_height_m": 0.5},
        {"diffraction_loss_db": np.nan},
        {"clutter_loss_db": np.inf},
    ],
)
def test_refusals(wrong):
    inputs = {"distance_m": 3e3, "effective_height_m": 40.0} | wrong
    with pytest.raises(OutOfRangeError, match=next(iter(wrong))):
        spm_loss(SPM_LTE_B8, **inputs)


def test_extrapolation_goes_straight_on():
    # Below 1 km as above: 44.9 − 6.55 log h_eff per decade.
    near, far = spm_loss(SPM_LTE_B8, [200.0, 2000.0], 10.0, extrapolate=True)
    assert far - near == pytest.approx(44.9 - 6.55)
    with pytest.raises(OutOfRangeError, match="above 0"):
        spm_loss(SPM_LTE_B8, 0.0, 40.0, extrapolate=True)


def test_what_makes_no_model():
    with pytest.raises(OutOfRangeError, match="k3"):
        SpmCoefficients(k1=12.5, k3=float("nan"))
    with pytest.raises(OutOfRangeError, match="frequency_mhz"):
        SpmCoefficients.for_frequency(3600.0)
    assert SpmCoefficients.for_frequency(3600.0, extrapolate=True).k1 > SPM_NR_N41.k1
    with pytest.raises(OutOfRangeError, match="spot-difference"):
        effective_height(30.0, method="average")
    with pytest.raises(OutOfRangeError, match="base_height_m"):
        effective_height(0.0)
