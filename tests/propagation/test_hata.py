import csv

import numpy as np
import pytest

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import cost231_hata_loss, okumura_hata_loss

MODELS = {"Okumura-Hata": okumura_hata_loss, "COST231-Hata": cost231_hata_loss}


def test_published_values(shared):
    with (shared / "validation/okumura_hata/loss.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    for row in rows:
        loss = MODELS[row["model"]](
            float(row["d_m"]),
            float(row["freq_mhz"]),
            float(row["h_b_m"]),
            float(row["h_m_m"]),
            environment=row["environment"],
            city=row["city"],
            extrapolate=float(row["freq_mhz"]) > 2000.0,
        )
        assert loss == pytest.approx(float(row["loss_db"]), abs=float(row["tolerance_db"])), row


def test_okumura_hata_by_hand():
    # f = 900 MHz, h_b = 30 m, h_m = 1.5 m, d = 10 km; log f = 2.954243, log h_b = 1.477121:
    # 69.55 + 77.2830 − 20.4138 − a + 35.2249 with a = (3.249667 − 0.7)·1.5 − (4.608618 − 0.8)
    # = 3.824500 − 3.808618 = 0.0159
    assert okumura_hata_loss(10_000, 900, 30, 1.5) == pytest.approx(161.628, abs=0.001)


def test_open_country_by_hand():
    # 4.78·2.954243² − 18.33·2.954243 + 40.94 = 41.7177 − 54.1513 + 40.94 = 28.5064 dB less
    town = okumura_hata_loss(10_000, 900, 30, 1.5)
    country = okumura_hata_loss(10_000, 900, 30, 1.5, environment="open")
    assert town - country == pytest.approx(28.506, abs=0.001)


def test_metropolitan_centre_adds_three_decibels():
    city = cost231_hata_loss(2_000, 1_800, 30, 1.5)
    metropolis = cost231_hata_loss(2_000, 1_800, 30, 1.5, city="large")
    assert metropolis - city == pytest.approx(3.0, abs=1e-12)


def test_the_two_models_meet_at_their_common_frequency():
    # 69.55 + 26.16 log 1500 = 152.637 and 46.3 + 33.9 log 1500 = 153.969: 1.33 dB apart
    below = okumura_hata_loss(5_000, 1_500, 50, 1.5)
    above = cost231_hata_loss(5_000, 1_500, 50, 1.5)
    assert above - below == pytest.approx(1.332, abs=0.001)


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_environments_stand_in_order(model):
    town, suburb, country = (
        model(np.array([1e3, 5e3, 2e4]), 1_500, 30, 1.5, environment=environment)
        for environment in ("urban", "suburban", "open")
    )
    assert (town > suburb).all()
    assert (suburb > country).all()


def test_large_city_changes_formula_at_300_mhz():
    # a(h_m) at 1.5 m: 8.29 (log 2.31)² − 1.1 = −0.00395 below, 3.2 (log 17.625)² − 4.97 = −0.00091
    frequencies = np.array([299.999, 300.001])
    large = okumura_hata_loss(2_000, frequencies, 30, 1.5, city="large")
    small = okumura_hata_loss(2_000, frequencies, 30, 1.5)
    gains = (1.1 * np.log10(300) - 0.7) * 1.5 - (1.56 * np.log10(300) - 0.8) - (large - small)
    np.testing.assert_allclose(gains, [-0.00395, -0.00091], atol=2e-5)


@pytest.mark.parametrize("keyword", ["environment", "city"])
def test_unknown_words_are_refused(keyword):
    for model in MODELS.values():
        with pytest.raises(OutOfRangeError, match=f"{keyword} is 'village' but must be one of"):
            model(2_000, 1_500, 30, 1.5, **{keyword: "village"})
