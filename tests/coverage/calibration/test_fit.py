"""Calibration against drive tests that were made up, so that what is to be found is known.

All measurements here are synthetic: the model's own signal, changed by known amounts, with
shadowing that is alike over some hundred metres and noise on top. Like a scanner, and unlike a
phone, they hold any cell of a place, not the strongest alone.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from ankang_coverage.coverage import HeldOut, Propagation, Work
from ankang_coverage.coverage.calibration.fit import calibrate
from ankang_coverage.coverage.calibration.measurements import Measurements, from_wgs84, to_wgs84
from ankang_coverage.coverage.loss.correction import ModelTerm
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.path_loss import Mast, mast_losses
from ankang_coverage.errors import NetworkError, OutOfRangeError
from ankang_coverage.propagation.antenna import sector_gain
from ankang_coverage.propagation.measured_pattern import cosine_pattern, measured_gain
from ankang_coverage.propagation.spm import SpmCoefficients, spm_loss
from ankang_coverage.region import Source
from ankang_coverage.sites.catalogue import MeasuredAntenna, antenna, radio_layer

RMA = Propagation(model="rma", radius_m=8000.0)
P1812 = Propagation(model="p1812", radius_m=8000.0)
SPM = Propagation(model="spm", radius_m=8000.0)
REFERENCE_M = 1000.0


@pytest.fixture(scope="module")
def network(small_network):
    return small_network.with_radio_layers(["lte-b8"])


@pytest.fixture(scope="module")
def air(small_region, network):
    """RSRP, distance and land cover of every cell at every pixel, from public pieces."""
    ground = Ground.of(small_region)
    layer = radio_layer("lte-b8")
    codes = small_region.rasters["land_cover"].to_numpy()
    made = {}

    def of(propagation):
        if propagation in made:
            return made[propagation]
        cells = []
        for id_, cell in network.cells.iterrows():
            place = network.sites.geometry[cell["site"]]
            mast = Mast(place.x, place.y, cell["height_m"], propagation.radius_m)
            loss = mast_losses(ground, mast, [layer.frequency_mhz], propagation)[941.5]
            gain = sector_gain(
                antenna(cell["antenna"]).pattern,
                loss.azimuth_deg,
                loss.elevation_deg,
                cell["azimuth_deg"],
                cell["mechanical_tilt_deg"],
                cell["electrical_tilt_deg"],
            )
            power = cell["re_power_dbm"] - layer.feeder_loss_db - layer.body_loss_db
            x, y = centres(small_region.geobox)
            distance = np.hypot(x - place.x, y - place.y)
            cells.append((id_, cell["site"], power + gain - loss.loss_db, distance, codes))
        made[propagation] = cells
        return cells

    return of


def centres(geobox):
    rows, columns = geobox.shape
    t = geobox.transform
    x, y = t.c + t.a * (np.arange(columns) + 0.5), t.f + t.e * (np.arange(rows) + 0.5)
    return np.meshgrid(x, y)


def shadows(rng, shape, pixels):
    field = ndimage.gaussian_filter(rng.standard_normal(shape), pixels, mode="wrap")
    return field / field.std()


def drive(
    region,
    cells,
    *,
    seed=0,
    n=4000,
    offset_db=5.0,
    slope_db=4.0,
    class_db=None,
    shadow_db=5.0,
    shadow_pixels=1,
    noise_db=2.0,
    cell_db=None,
    weakest_dbm=-200.0,
    wild=0.0,
    datum="wgs84",
    cells_of=None,
):
    """Return a synthetic drive test: random pixels, of each any cell stronger than the weakest."""
    rng = np.random.default_rng(seed)
    x, y = centres(region.geobox)
    parts = []
    for id_, _, rsrp, distance, codes in cells:
        added = offset_db + slope_db * np.log10(distance / REFERENCE_M)
        for code, db in (class_db or {}).items():
            added = added + db * (codes == code)
        shadow = shadow_db * shadows(rng, rsrp.shape, shadow_pixels)
        of_cell = rsrp - added - shadow + (cell_db or {}).get(id_, 0.0)
        at = rng.integers(0, rsrp.size, n // len(cells))
        if cells_of is not None:
            at = cells_of(rng, id_, rsrp.shape, n // len(cells))
        power = of_cell.ravel()[at] + rng.normal(0.0, noise_db, len(at))
        astray = rng.random(len(at)) < wild
        power[astray] = rng.uniform(-125.0, -45.0, astray.sum())
        parts.append(
            pd.DataFrame({"rsrp_dbm": power, "cell": id_, "x": x.ravel()[at], "y": y.ravel()[at]})
        )
    table = pd.concat(parts, ignore_index=True)
    table = table[table["rsrp_dbm"] >= weakest_dbm]
    places = gpd.GeoSeries.from_xy(table.pop("x"), table.pop("y"), crs="EPSG:32649").to_crs(4326)
    longitude, latitude = from_wgs84(places.x.to_numpy(), places.y.to_numpy(), datum)
    points = gpd.GeoDataFrame(
        table, geometry=gpd.points_from_xy(longitude, latitude), crs="EPSG:4326"
    )
    return Measurements(points, sources=(Source("measurements", "synthetic", "drive of seed"),))


@pytest.fixture(scope="module")
def fit(small_region, network):
    def of(measurements, propagation=RMA, **settings):
        own = {
            "held_out": HeldOut(block_m=500.0),
            "check_coordinates": False,
            "sensitivity_dbm": -150.0,
            "serving_only": False,
        }
        return calibrate(
            small_region, network, measurements, propagation=propagation, **{**own, **settings}
        )

    return of


def value(calibration, term):
    return calibration.terms().set_index("term").loc[term, ["value", "standard_error"]].tolist()


def at_1_km(calibration):
    """The fitted offset where the synthetic truth has its own, with its standard error."""
    correction = calibration.correction
    slope, slope_error = value(calibration, "distance slope")
    offset, offset_error = value(calibration, "offset")
    decades = np.log10(REFERENCE_M / correction.reference_distance_m)
    return offset + slope * decades, np.hypot(offset_error, slope_error * decades)


# What is found -----------------------------------------------------------------------------------


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


@pytest.mark.parametrize("propagation", [RMA, P1812], ids=lambda p: p.model)
def test_known_losses_by_class_are_found(small_region, air, fit, propagation):
    found = fit(
        drive(small_region, air(propagation), class_db={10: 6.0, 40: -1.0}, seed=3), propagation
    )
    by_code = {cover.code: cover.loss_db for cover in found.correction.land_cover}
    assert by_code[10] - by_code[40] == pytest.approx(7.0, abs=1.0)
    slope, error = value(found, "distance slope")
    assert abs(slope - 4.0) < 3.0 * error
    assert value(found, "class 10")[1] < 1.0


def test_the_stated_sigma_is_that_of_the_drive(small_region, air, fit):
    found = fit(
        drive(
            small_region,
            air(RMA),
            seed=1,
            n=8000,
            class_db={10: 8.0},
            shadow_db=6.0,
            noise_db=2.5,
        )
    )
    assert found.error_sigma_db == pytest.approx(np.hypot(6.0, 2.5), rel=0.05)
    told = found.report().iloc[0]
    assert told["by"] == "all"
    assert told["sd_after_db"] == found.error_sigma_db
    assert abs(told["mean_after_db"]) < 0.3
    assert told["mean_before_db"] > 4.0
    assert told["rms_after_db"] < told["rms_before_db"]
    assert told["correlation_after"] > told["correlation_before"]


def test_a_model_that_is_right_is_left_as_it_is(small_region, air, fit):
    found = fit(drive(small_region, air(P1812), offset_db=0.0, slope_db=0.0, seed=2), P1812)
    for estimate in found.estimates:
        assert abs(estimate.value) < 3.0 * estimate.standard_error


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


def phones(region, cells, *, seed, n, offset_db, slope_db, shadow_db, noise_db=0.5):
    """Return a synthetic crowd: each place's strongest cell; sites' shadows correlate by 0.5."""
    rng = np.random.default_rng(seed)
    shape = cells[0][2].shape
    common = shadows(rng, shape, 1)
    own = {site: shadows(rng, shape, 1) for _, site, *_ in cells}
    heard = np.stack(
        [
            rsrp
            - offset_db
            - slope_db * np.log10(distance / REFERENCE_M)
            + shadow_db * np.sqrt(0.5) * (common + own[site])
            for _, site, rsrp, distance, _ in cells
        ]
    )
    at = rng.choice(common.size, n, replace=False)
    best = heard.reshape(len(cells), -1)[:, at].argmax(axis=0)
    power = heard.reshape(len(cells), -1)[best, at] + rng.normal(0.0, noise_db, n)
    x, y = (c.ravel()[at] for c in centres(region.geobox))
    frame = {"rsrp_dbm": power, "cell": [cells[k][0] for k in best]}
    places = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(x, y), crs="EPSG:32649")
    return Measurements(places, sources=(Source("measurements", "synthetic", "crowd of seed"),))


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


def test_a_class_with_few_bins_keeps_the_models_loss(small_region, air, network):
    cover = small_region.rasters["land_cover"].copy()
    cover[:2, :2] = 50
    region = replace(small_region, rasters=small_region.rasters.assign(land_cover=cover))
    found = calibrate(
        region,
        network,
        drive(region, air(RMA), seed=6),
        propagation=RMA,
        held_out=HeldOut(block_m=500.0),
        check_coordinates=False,
        serving_only=False,
    )
    assert [cover.code for cover in found.correction.land_cover] == [10, 40]


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


# Errors are honest -------------------------------------------------------------------------------


def _few_spots(rng, _id, shape, n):
    """Measure a cell at three spots of three by three pixels, as a drive by does."""
    rows, columns = shape
    spots = rng.integers(2, min(shape) - 2, (3, 2))
    around = spots[rng.integers(0, 3, n)] + rng.integers(-1, 2, (n, 2))
    return np.ravel_multi_index((around[:, 0], around[:, 1]), (rows, columns))


def test_offsets_by_cell_that_only_follow_the_noise_do_not_look_good(small_region, air, fit):
    """Three spots a cell, shadowing alike within each: means by cell fit the past, not the rest."""
    strong = {"shadow_db": 8.0, "shadow_pixels": 4, "noise_db": 1.0, "cells_of": _few_spots}
    measurements = drive(
        small_region, air(RMA), seed=11, n=9000, offset_db=0.0, slope_db=0.0, **strong
    )
    found = fit(measurements)
    predicted = {id_: rsrp for id_, _, rsrp, *_ in air(RMA)}
    projected = measurements.points.to_crs("EPSG:32649")
    t = small_region.geobox.transform
    row = ((projected.geometry.y - t.f) // t.e).astype(int)
    column = ((projected.geometry.x - t.c) // t.a).astype(int)
    error = pd.Series(
        [
            predicted[cell][i, j] - rsrp
            for cell, i, j, rsrp in zip(
                projected["cell"], row, column, projected["rsrp_dbm"], strict=True
            )
        ],
        index=projected.index,
    )
    in_sample = (error - error.groupby(projected["cell"]).transform("mean")).std()
    told = found.report().set_index("by")["rms_after_db"]
    assert in_sample < 0.85 * told["all"]
    assert told["cell offsets"] > 1.1 * in_sample
    raw = error.groupby(projected["cell"]).mean()
    assert found.offsets()["offset_db"].abs().mean() < 0.6 * raw.abs().mean()


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


def test_the_report_splits_the_bins_each_way(small_region, air, fit):
    found = fit(drive(small_region, air(P1812), seed=9), P1812)
    report = found.report()
    n = report.groupby("by")["n_bins"].sum()
    for by in ("distance", "land cover", "radio layer", "sight"):
        assert n["all"] - 1 <= n[by] <= n["all"]
    assert set(report.loc[report["by"] == "sight", "value"]) == {"blocked", "in sight"}
    assert set(report.loc[report["by"] == "land cover", "value"]) == {
        "10 tree cover",
        "40 cropland",
    }
    bands = report.loc[report["by"] == "distance", "value"].tolist()
    assert bands == ["0-0.5 km", "0.5-1 km", "1-2 km", "2-5 km", "5-10 km"]
    assert "sight" not in set(fit(drive(small_region, air(RMA), seed=9)).report()["by"])


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


# Coordinates -------------------------------------------------------------------------------------


@pytest.mark.parametrize("propagation", [RMA, P1812], ids=lambda p: p.model)
@pytest.mark.parametrize(("datum", "name"), [("gcj02", "GCJ-02"), ("bd09", "BD-09")])
def test_shifted_coordinates_are_noticed_and_named(
    small_region, air, fit, propagation, datum, name
):
    measurements = drive(small_region, air(propagation), seed=1, datum=datum)
    with pytest.raises(NetworkError, match=f"seem to be in {name}, not in WGS-84.*{datum!r}"):
        fit(measurements, propagation, check_coordinates=True)


@pytest.mark.parametrize("seed", range(6))
def test_true_coordinates_are_not_accused(small_region, air, fit, seed):
    measurements = drive(small_region, air(RMA), seed=seed, n=2000, shadow_db=10.0, shadow_pixels=6)
    fit(measurements, check_coordinates=True)


def test_coordinates_that_were_turned_needlessly_are_noticed(small_region, air, fit):
    """The file is WGS-84 but was read as GCJ-02."""
    right = drive(small_region, air(P1812), seed=2)
    places = right.points.geometry
    turned = to_wgs84(places.x.to_numpy(), places.y.to_numpy(), "gcj02")
    wrong = replace(
        right,
        points=right.points.set_geometry(gpd.points_from_xy(*turned, crs="EPSG:4326")),
        coordinates="gcj02",
    )
    with pytest.raises(NetworkError, match="seem to be in WGS-84, not in GCJ-02"):
        fit(wrong, P1812, check_coordinates=True)


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


# What is refused ---------------------------------------------------------------------------------


def test_too_few_measurements_are_refused_with_counts(small_region, air, fit):
    measurements = drive(small_region, air(RMA), n=90)
    points = measurements.points
    points.loc[points.index[:20], "cell"] = "460-00-1-1"
    points.loc[points.index[20:30], "rsrp_dbm"] = -155.0
    with pytest.raises(NetworkError, match=r"90 make \d\d usable bins .* 100 bins in 10") as error:
        fit(measurements)
    assert "20: the network has no such cell" in str(error.value)
    assert "10: RSRP is below the sensitivity of -150 dBm" in str(error.value)


def test_many_measurements_of_one_spot_are_too_few(small_region, air, fit):
    with pytest.raises(NetworkError, match=r"in \d blocks of 3000 m"):
        fit(drive(small_region, air(RMA)), held_out=HeldOut(block_m=3000.0))


def test_places_and_cells_that_cannot_be_used_are_counted(small_region, network, air):
    measurements = drive(small_region, air(RMA), seed=3)
    sites = network.sites.assign(kind=["macro", "macro", "indoor"])
    points = measurements.points.copy()
    points.loc[points.index[:30], "geometry"] = gpd.points_from_xy([109.0] * 30, [32.0] * 30)
    found = calibrate(
        small_region,
        replace(network, sites=sites),
        replace(measurements, points=points),
        propagation=Propagation(model="rma", radius_m=2500.0),
        held_out=HeldOut(block_m=500.0),
        check_coordinates=False,
        serving_only=False,
        sensitivity_dbm=-300.0,
    )
    reasons = {one.reason: one.n_measurements for one in found.unused}
    assert reasons["the place is outside the region's grid"] == 30
    assert reasons["the place is beyond the radius of prediction"] > 100
    of_c = measurements.points["cell"].str.startswith("C-")
    assert reasons["the cell is indoors and serves its building only"] == of_c[30:].sum()
    assert found.n_measurements + sum(reasons.values()) == len(points)


@pytest.mark.parametrize("wrong", [{"block_m": 50.0}, {"block_m": np.nan}, {"folds": 1}])
def test_settings_that_make_no_blocks_are_refused(small_region, air, fit, wrong):
    with pytest.raises(OutOfRangeError, match=next(iter(wrong))):
        fit(drive(small_region, air(RMA), n=900), held_out=HeldOut(**wrong))


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
