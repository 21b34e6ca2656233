"""The regression: what is far off, faint or lucky does not move it."""

import numpy as np
import pandas as pd
import pytest
from drives import RMA, at_1_km, drive, phones, value
from scipy import optimize

from ankang_coverage.coverage.calibration.regression import (
    CLEAR_OF_SENSITIVITY,
    HUBER,
    SITE_CORRELATION,
    fit_terms,
    huber,
    huber_weight,
    is_outlier,
)
from ankang_coverage.coverage.calibration.terms import Terms
from ankang_coverage.propagation import MODELS


def test_readings_of_other_cells_do_not_move_the_fit(small_region, air, fit):
    clean = fit(drive(small_region, air(RMA), seed=4))
    wild = fit(drive(small_region, air(RMA), seed=4, wild=0.05))
    assert at_1_km(wild)[0] == pytest.approx(at_1_km(clean)[0], abs=0.7)
    reasons = {one.reason: one.n_measurements for one in wild.unused}
    assert reasons["RSRP is more than 5 sigma off the fit"] > 20


def test_what_phones_cannot_hear_does_not_make_the_model_optimistic(small_region, air, fit):
    """At the sensitivity only the lucky readings exist; a fit that believes them is 4 dB off."""
    weakest = -105.0
    for seed in range(3):
        heard = drive(
            small_region,
            air(RMA),
            seed=seed,
            n=9000,
            offset_db=12.0,
            slope_db=0.0,
            shadow_db=7.0,
            weakest_dbm=weakest,
        )
        told = fit(heard, sensitivity_dbm=weakest)
        offset, error = at_1_km(told)
        assert abs(offset - 12.0) < 3.0 * error < 3.0
        assert any("near the sensitivity" in one.reason for one in told.unused)
        assert at_1_km(fit(heard, sensitivity_dbm=-150.0))[0] < 8.0


def test_cells_that_are_reported_when_they_are_lucky_do_not_make_the_model_optimistic(
    small_region, air, fit
):
    """Six crowds; who takes them for a scanner's loses 1 dB and the whole slope."""
    truth = {"offset_db": 5.0, "slope_db": 4.0, "shadow_db": 8.0}
    told, believed, sigma = [], [], []
    for seed in range(6):
        crowd = phones(small_region, air(RMA), seed=seed, n=2500, **truth)
        found = fit(crowd, serving_only=True)
        told.append((at_1_km(found)[0], value(found, "distance slope")[0]))
        sigma.append(found.error_sigma_db)
        naive = fit(crowd)
        believed.append((at_1_km(naive)[0], value(naive, "distance slope")[0]))
    assert np.mean(told, axis=0) == pytest.approx([5.0, 4.0], abs=0.5)
    assert (np.mean(believed, axis=0) < [4.3, 1.0]).all()
    assert np.mean(sigma) == pytest.approx(8.0, rel=0.05)


# The minimum --------------------------------------------------------------------------------------

NO_PRIOR = np.array([np.inf, np.inf])


def line(n, rng):
    """Return a constant and a slope as columns."""
    return np.column_stack([np.ones(n), rng.uniform(-1.0, 1.0, n)])


def test_without_far_residuals_it_is_least_squares():
    rng = np.random.default_rng(0)
    columns = line(400, rng)
    noise = rng.uniform(0.6, 1.0, 400) * rng.choice([-1.0, 1.0], 400)  # none beyond 1.345 sd
    target = columns @ [3.0, -2.0] + noise
    found, sd = huber(columns, target, NO_PRIOR)
    expected = np.linalg.lstsq(columns, target, rcond=None)[0]
    assert found == pytest.approx(expected, abs=1e-6)
    assert sd == pytest.approx(1.4826 * np.median(np.abs(target - columns @ found)))


def test_it_is_where_hubers_loss_and_the_ridge_are_smallest():
    rng = np.random.default_rng(1)
    columns, prior_sd = line(60, rng), np.array([np.inf, 0.3])
    target = columns @ [3.0, -2.0] + rng.standard_t(2, 60)
    found, sd = huber(columns, target, prior_sd)

    def loss(coefficients):
        residual = np.abs(target - columns @ coefficients) / sd
        bent = np.where(residual <= HUBER, residual**2 / 2, HUBER * (residual - HUBER / 2))
        return bent.sum() + np.sum((coefficients / prior_sd) ** 2) / 2

    best = optimize.minimize(loss, [0.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    assert found == pytest.approx(best.x, abs=1e-4)


def test_what_the_measurements_hardly_determine_stays_near_0():
    rng = np.random.default_rng(2)
    columns = line(30, rng)
    columns[:, 1] *= 1e-3
    target = 3.0 + rng.normal(0.0, 1.0, 30)
    held = huber(columns, target, np.array([np.inf, 1.0]))[0]
    free = huber(columns, target, NO_PRIOR)[0]
    assert abs(held[1]) < 0.01
    assert abs(free[1]) > 1.0


def test_weights_are_1_up_to_the_bend_and_in_proportion_beyond():
    residual = np.array([0.0, 1.0, -HUBER, 2.0 * HUBER, -1e6])
    assert huber_weight(residual, 1.0) == pytest.approx([1.0, 1.0, 1.0, 0.5, HUBER / 1e6])
    assert huber_weight(2.0 * residual, 2.0) == pytest.approx(huber_weight(residual, 1.0))


# Luck and sensitivity -----------------------------------------------------------------------------


def bins_of(predicted_dbm, measured_dbm, **more):
    n = len(predicted_dbm)
    return pd.DataFrame(
        {
            "block": np.arange(n) % 20,
            "code": 10,
            "distance_m": np.geomspace(100.0, 5_000.0, n),
            "frequency_mhz": 941.5,
            "predicted_dbm": predicted_dbm,
            "measured_dbm": measured_dbm,
            **more,
        }
    )


def test_bins_near_the_sensitivity_are_told_by_their_prediction():
    rng = np.random.default_rng(3)
    predicted = rng.uniform(-130.0, -70.0, 400)
    bins = bins_of(predicted, predicted - 5.0 + rng.normal(0.0, 3.0, 400))
    terms = Terms.of(bins, MODELS["rma"])
    fit = fit_terms(terms, bins, np.ones(400, bool), -110.0)
    corrected = predicted - terms.columns(bins) @ fit.coefficients
    assert np.array_equal(fit.clear, corrected >= -110.0 + CLEAR_OF_SENSITIVITY * fit.sd_db)
    assert 100 < fit.clear.sum() < 300
    assert fit.sd_db == pytest.approx(3.0, rel=0.2)
    assert not fit.luck_db.any()  # nobody says that these are the strongest of several


def test_a_cell_that_leads_by_far_needs_no_luck_and_one_of_equals_does():
    """Of two equals with shadows of their own, the better is half a deviation of the difference.

    E max(s, t) = σ_s / √π for independent normal s and t.
    """
    rng = np.random.default_rng(4)
    predicted = rng.uniform(-90.0, -60.0, 1_000)
    leads = np.where(np.arange(1_000) % 2, 0.0, 200.0)
    bins = bins_of(predicted, predicted + rng.normal(0.0, 6.0, 1_000), lead_1=leads)
    fit = fit_terms(Terms.of(bins, MODELS["rma"]), bins, np.ones(1_000, bool), -300.0)
    own_sd = np.sqrt(1.0 - SITE_CORRELATION) * fit.sd_db
    assert np.abs(fit.luck_db[::2]).max() < 1e-3 * own_sd
    assert fit.luck_db[1::2] == pytest.approx(own_sd / np.sqrt(np.pi), rel=0.02)
    assert fit.spread < 1.0


def test_readings_far_off_are_outliers_and_no_others():
    rng = np.random.default_rng(5)
    predicted = rng.uniform(-90.0, -60.0, 500)
    measured = predicted - 5.0 + rng.uniform(-4.0, 4.0, 500)
    measured[::100] += 60.0
    bins = bins_of(predicted, measured)
    found = is_outlier(Terms.of(bins, MODELS["rma"]), bins, -300.0)
    assert np.flatnonzero(found).tolist() == [0, 100, 200, 300, 400]
