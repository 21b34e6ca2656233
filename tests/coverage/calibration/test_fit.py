"""Calibration as a whole, against drive tests that were made up, so that the truth is known."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drives import P1812, RMA, SPM, at_1_km, centres, drive, value

from ankang_coverage.coverage import HeldOut, Work
from ankang_coverage.coverage.calibration.fit import calibrate
from ankang_coverage.coverage.loss.correction import ModelTerm
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.path_loss import Mast, mast_losses
from ankang_coverage.propagation.antenna import sector_gain
from ankang_coverage.propagation.measured_pattern import cosine_pattern, measured_gain
from ankang_coverage.propagation.spm import SpmCoefficients, spm_loss
from ankang_coverage.sites.catalogue import MeasuredAntenna, antenna, radio_layer


def test_known_offset_and_slope_are_found_within_their_stated_errors(small_region, air, fit):
    """Over ten drives, estimates scatter about the truth as widely as their standard errors say."""
    z = []
    for seed in range(10):
        found = fit(drive(small_region, air(RMA), seed=seed), held_out=HeldOut(block_m=900.0))
        for (estimate, error), truth in (
            (at_1_km(found), 5.0),
            (value(found, "distance slope"), 4.0),
        ):
            z.append((estimate - truth) / error)
    assert np.abs(z).max() < 4.0
    assert 0.6 < np.sqrt(np.mean(np.square(z))) < 1.4


def test_a_model_that_is_right_is_left_as_it_is(small_region, air, fit):
    found = fit(drive(small_region, air(P1812), offset_db=0.0, slope_db=0.0, seed=2), P1812)
    for estimate in found.estimates:
        assert abs(estimate.value) < 3.0 * estimate.standard_error


def test_coefficients_of_the_standard_propagation_model_are_tuned(small_region, air, network, fit):
    """A drive made with other K2 and K4 gives them back, and the tuned model is the corrected."""
    correction = fit(drive(small_region, air(SPM), seed=0), SPM).correction.model_copy(
        update={
            "offset_db": 3.0,
            "distance_slope_db": -5.0,
            "reference_distance_m": 2000.0,
            "nearest_m": 1.0,
            "farthest_m": 1e5,
            "land_cover": (),
            "terms": (ModelTerm(name="diffraction", value=0.4),),
        }
    )
    template = fit(drive(small_region, air(SPM), seed=0), SPM)
    tuned = SPM.model_copy(
        update={"calibration": template.model_copy(update={"correction": correction})}
    )
    clean = {"offset_db": 0.0, "slope_db": 0.0, "shadow_db": 2.0, "shadow_pixels": 0.6}
    found = fit(drive(small_region, air(tuned), seed=7, n=9000, **clean), SPM)
    k = found.spm_coefficients(941.5)
    hata = SpmCoefficients.for_frequency(941.5, environment="open")
    assert k.k2 - hata.k2 == pytest.approx(-5.0, abs=3 * value(found, "distance slope")[1])
    assert k.k4 - hata.k4 == pytest.approx(0.4, abs=3 * value(found, "diffraction")[1])
    assert value(found, "diffraction")[1] < 0.1

    propagation = SPM.model_copy(update={"calibration": found})
    ground = replace(Ground.of(small_region), class_index=np.zeros((60, 60), np.uint8))
    mast = Mast(*network.sites.geometry["A"].coords[0], 35.0, 8000.0)
    corrected = mast_losses(ground, mast, [941.5], propagation)[941.5]
    rows, columns = corrected.rows, corrected.columns
    x, y = (c[rows, columns] for c in centres(small_region.geobox))
    distance = np.hypot(x - mast.x_m, y - mast.y_m)
    sight = (corrected.obstacle_distance_m == 0.0) & (distance > 1500.0)
    foot = ground.elevation_m[int((ground.geobox.transform.f - mast.y_m) / 90), 11]
    height = 35.0 + np.maximum(foot - ground.elevation_m[rows, columns], 0.0)
    tuned_loss = spm_loss(
        k, distance[sight], height[sight], clutter_loss_db=ground.table.terminal_loss_db(941.5)[0]
    )
    beyond_free_space = tuned_loss > 20 * np.log10(distance[sight]) + 20 * np.log10(941.5) - 20
    assert sight.sum() > 500
    assert corrected.loss_db[sight][beyond_free_space] == pytest.approx(
        tuned_loss[beyond_free_space], abs=0.05
    )


def test_real_offsets_by_cell_are_found_and_help_where_nothing_was_measured(
    small_region, network, air, fit
):
    rng = np.random.default_rng(0)
    truth = pd.Series(rng.normal(0.0, 6.0, len(network.cells)), network.cells.index)
    found = fit(drive(small_region, air(RMA), seed=8, n=8000, cell_db=truth.to_dict()))
    offsets = found.offsets()["offset_db"]
    assert offsets.to_numpy() == pytest.approx(truth[offsets.index] - truth.mean(), abs=2.5)
    told = found.report().set_index("by")["sd_after_db"]
    assert told["cell offsets"] == pytest.approx(np.hypot(5.0, 2.0), rel=0.05)
    assert told["all"] == pytest.approx(np.sqrt(5.0**2 + 2.0**2 + truth.var(ddof=0)), rel=0.1)
    stronger = found.applied_to(network).cells["re_power_dbm"] - network.cells["re_power_dbm"]
    assert stronger.to_numpy() == pytest.approx(offsets[network.cells.index].to_numpy())
    assert "cell_offsets" not in found.correction.model_dump()


def test_a_prediction_with_the_calibration_has_the_errors_that_were_told(small_region, air, fit):
    """The correction does to `mast_losses` what the fit believed of it."""
    measurements = drive(small_region, air(P1812), class_db={10: 5.0}, seed=10, n=6000)
    found = fit(measurements, P1812, sensitivity_dbm=-300.0)
    calibrated = P1812.model_copy(update={"calibration": found})
    corrected = {id_: rsrp for id_, _, rsrp, *_ in air(calibrated)}
    plain = {id_: rsrp for id_, _, rsrp, *_ in air(P1812)}
    points = measurements.points.to_crs("EPSG:32649")
    t = small_region.geobox.transform
    row = ((points.geometry.y - t.f) // t.e).astype(int)
    column = ((points.geometry.x - t.c) // t.a).astype(int)

    def errors(maps):
        at = zip(points["cell"], row, column, strict=True)
        return np.array([maps[c][i, j] for c, i, j in at]) - points["rsrp_dbm"].to_numpy()

    told = found.report().iloc[0]
    assert errors(plain).mean() == pytest.approx(told["mean_before_db"], abs=0.3)
    assert abs(errors(corrected).mean()) < 0.3
    assert errors(corrected).std() == pytest.approx(told["sd_after_db"], rel=0.05)
    assert calibrated.error_sigma_db([941.5]) == found.error_sigma_db


def test_order_of_rows_and_of_threads_do_not_matter(small_region, air, fit):
    measurements = drive(small_region, air(RMA), seed=12)
    shuffled = replace(measurements, points=measurements.points.sample(frac=1.0, random_state=1))
    first = fit(measurements).model_dump_json()
    assert fit(shuffled).model_dump_json() == first
    with ThreadPoolExecutor(max_workers=3) as executor:
        assert fit(measurements, work=Work(executor=executor)).model_dump_json() == first


def test_settings_given_one_by_one_as_in_0_1_still_count(small_region, network, air):
    measurements = drive(small_region, air(RMA), n=900)
    common = {"propagation": RMA, "check_coordinates": False, "sensitivity_dbm": -150.0}
    now = HeldOut(block_m=500.0, folds=4, seed=7)
    whole = calibrate(small_region, network, measurements, held_out=now, **common)
    with ThreadPoolExecutor(max_workers=2) as executor:
        then = {"block_m": 500.0, "folds": 4, "seed": 7, "executor": executor}
        with pytest.warns(DeprecationWarning, match="block_m, executor, folds, seed as arguments"):
            parts = calibrate(small_region, network, measurements, **then, **common)
    assert parts == whole
    with pytest.raises(TypeError, match="unexpected keyword argument 'blocks'"):
        calibrate(small_region, network, measurements, blocks=500.0)


def test_synthetic_measurements_stay_called_so(small_region, air, fit):
    assert fit(drive(small_region, air(RMA))).sources[0].nature == "synthetic"


def test_measured_antennas_are_calibrated_with_their_own_pattern(small_region, network, air):
    """With the antenna of the drive its offset is found; the catalogue's usual one is far off."""
    pattern = cosine_pattern(20.0, 40.0, 25.0, front_to_back_db=20.0, electrical_tilt_deg=2.0)
    panel = MeasuredAntenna(id="panel", source="a test", kind="measured", pattern=pattern)
    own = replace(
        network,
        cells=network.cells.assign(antenna="panel"),
        catalogue=network.catalogue.with_entries(panel),
    )
    ground, layer = Ground.of(small_region), radio_layer("lte-b8")
    cells = []
    for id_, site, rsrp, distance, codes in air(RMA):
        cell, place = own.cells.loc[id_], own.sites.geometry[site]
        mast = Mast(place.x, place.y, cell["height_m"], RMA.radius_m)
        loss = mast_losses(ground, mast, [layer.frequency_mhz], RMA)[layer.frequency_mhz]
        directions = (loss.azimuth_deg, loss.elevation_deg, cell["azimuth_deg"],
                      cell["mechanical_tilt_deg"], cell["electrical_tilt_deg"])  # fmt: skip
        usual = sector_gain(antenna(network.cells.at[id_, "antenna"]).pattern, *directions)
        more = measured_gain(pattern, *directions) - usual
        cells.append((id_, site, rsrp + more, distance, codes))
    heard = drive(small_region, cells, seed=8, shadow_db=0.5, noise_db=0.2)
    settings = {"propagation": RMA, "held_out": HeldOut(block_m=500.0), "check_coordinates": False,
                "sensitivity_dbm": -150.0, "serving_only": False}  # fmt: skip
    told = calibrate(small_region, own, heard, **settings)
    assert at_1_km(told)[0] == pytest.approx(5.0, abs=0.2)
    assert told.error_sigma_db < 1.0
    assert calibrate(small_region, network, heard, **settings).error_sigma_db > 3.0
