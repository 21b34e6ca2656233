"""What a calibration does to a loss, to which frequencies and settings, and how it is kept."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage import Propagation
from ankang_coverage.coverage.loss.correction import (
    Calibration,
    CellOffset,
    Correction,
    ErrorFigures,
    Estimate,
    LandCoverLoss,
    ModelTerm,
    Unused,
)
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.path_loss import Mast, mast_losses
from ankang_coverage.errors import FileError, OutOfRangeError, SettingsError
from ankang_coverage.region import LandCoverTable, Source

CORRECTION = Correction(
    frequencies_mhz=(941.5,),
    offset_db=3.0,
    distance_slope_db=10.0,
    reference_distance_m=1000.0,
    nearest_m=100.0,
    farthest_m=2000.0,
    land_cover=(LandCoverLoss(code=10, loss_db=4.0), LandCoverLoss(code=77, loss_db=9.0)),
)
CALIBRATION = Calibration(
    model="rma",
    terminal_height_m=1.5,
    time_percent=50.0,
    correction=CORRECTION,
    error_sigma_db=6.5,
    estimates=(Estimate(term="offset", value=3.0, standard_error=0.5, n_bins=200),),
    errors=(
        ErrorFigures(
            by="all",
            value="all",
            n_bins=200,
            mean_before_db=3.0,
            sd_before_db=8.0,
            rms_before_db=8.5,
            correlation_before=None,
            mean_after_db=0.0,
            sd_after_db=6.5,
            rms_after_db=6.5,
            correlation_after=0.9,
        ),
    ),
    cell_offsets=(CellOffset(cell="A-lte-b8-1", offset_db=-2.5, n_bins=40, n_blocks=8),),
    unused=(Unused(reason="the network has no such cell", n_measurements=7),),
    n_measurements=900,
    n_bins=200,
    n_blocks=40,
    block_m=500.0,
    folds=5,
    seed=0,
    sensitivity_dbm=-125.0,
    sources=(Source("measurements", "synthetic", "made by hand"),),
)
RMA = Propagation(model="rma", radius_m=5000.0)
GRID = GeoBox.from_bbox((500_040, 3_600_000, 509_040, 3_609_000), "EPSG:32649", resolution=90)
TABLE = LandCoverTable.default()
MAST = Mast(504_512.0, 3_604_391.0, 35.0, 5000.0)


@pytest.fixture(scope="module")
def half_wooded():
    codes = np.full(GRID.shape, 40)
    codes[:, 50:] = 10
    return Ground(
        geobox=GRID,
        terrain="none",
        elevation_m=np.full(GRID.shape, np.nan, np.float32),
        land_cover="classes",
        class_index=TABLE.class_index(codes),
        table=TABLE,
        class_height_m=TABLE.height_m,
    )


def added_db(ground, calibration, frequency_mhz=941.5):
    calibrated = RMA.model_copy(update={"calibration": calibration})
    plain = mast_losses(ground, MAST, [frequency_mhz], RMA)[frequency_mhz]
    corrected = mast_losses(ground, MAST, [frequency_mhz], calibrated)[frequency_mhz]
    assert np.array_equal(np.isnan(plain.loss_db), np.isnan(corrected.loss_db))
    assert corrected.loss_db.dtype == np.float32
    return corrected.loss_db - plain.loss_db, plain


def test_offset_slope_and_class_are_added_pixel_by_pixel(half_wooded):
    added, window = added_db(half_wooded, CALIBRATION)
    x = 500_040 + 90 * (np.arange(100) + 0.5)[window.columns]
    y = 3_609_000 - 90 * (np.arange(100) + 0.5)[window.rows]
    distance = np.hypot(x[None, :] - MAST.x_m, y[:, None] - MAST.y_m)
    decades = np.log10(np.clip(distance, 100.0, 2000.0) / 1000.0)
    wooded = (x >= 500_040 + 90 * 50)[None, :]
    expected = 3.0 + 10.0 * decades + 4.0 * wooded
    known = ~np.isnan(added)
    assert known.sum() > 5000
    assert added[known] == pytest.approx(expected[known], abs=2e-4)


@pytest.mark.parametrize(
    ("frequency", "applies"),
    [(941.5, True), (875.0, True), (763.0, True), (741.0, False), (1842.5, False)],
)
def test_only_frequencies_near_a_measured_one_are_corrected(half_wooded, frequency, applies):
    added, _ = added_db(half_wooded, CALIBRATION, frequency)
    assert bool(np.nanmax(np.abs(added)) > 0.0) == applies
    calibrated = RMA.model_copy(update={"calibration": CALIBRATION})
    assert calibrated.error_sigma_db([941.5, frequency]) == (6.5 if applies else None)
    assert calibrated.correction(frequency) == (CORRECTION if applies else None)


def test_without_a_calibration_there_is_no_correction_and_no_sigma():
    assert RMA.correction(941.5) is None
    assert RMA.error_sigma_db([941.5]) is None
    assert RMA.resolved() is RMA


def test_a_calibration_comes_back_from_its_file_as_it_was(tmp_path):
    path = tmp_path / "calibration.json"
    CALIBRATION.save(path)
    assert Calibration.load(path) == CALIBRATION
    CALIBRATION.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["calibration.json"]


def test_settings_hold_a_calibration_by_name_or_by_value(tmp_path, half_wooded):
    path = tmp_path / "calibration.json"
    CALIBRATION.save(path)
    named = Propagation(model="rma", radius_m=5000.0, calibration=path)
    assert named.resolved() == Propagation(model="rma", radius_m=5000.0, calibration=CALIBRATION)
    assert named.error_sigma_db([941.5]) == 6.5
    by_name = mast_losses(half_wooded, MAST, [941.5], named)[941.5]
    by_value = mast_losses(half_wooded, MAST, [941.5], named.resolved())[941.5]
    assert np.array_equal(by_name.loss_db, by_value.loss_db, equal_nan=True)
    told = named.resolved().model_dump_json()
    assert Propagation.model_validate_json(told) == named.resolved()
    assert Propagation.model_validate_json(named.model_dump_json()) == named


def test_settings_keep_only_what_a_prediction_needs(tmp_path):
    path = tmp_path / "calibration.json"
    CALIBRATION.save(path)
    for given in (path, CALIBRATION):
        kept = Propagation(model="rma", calibration=given).resolved().calibration
        assert kept.correction == CORRECTION
        assert kept.sources == CALIBRATION.sources
        assert (kept.errors, kept.cell_offsets) == ((), ())


def test_what_a_loss_depends_on_names_the_correction_and_nothing_else():
    calibrated = Propagation(model="rma", radius_m=9000.0, calibration=CALIBRATION)
    more_certain = CALIBRATION.model_copy(update={"error_sigma_db": 5.0, "n_bins": 900})
    other = CALIBRATION.model_copy(
        update={"correction": CORRECTION.model_copy(update={"offset_db": 3.1})}
    )
    said = calibrated.loss_settings(941.5)
    assert said == Propagation(model="rma", calibration=more_certain).loss_settings(941.5)
    assert said != Propagation(model="rma", calibration=other).loss_settings(941.5)
    assert said != Propagation(model="rma").loss_settings(941.5)
    assert calibrated.loss_settings(3450.0) == Propagation(model="rma").loss_settings(3450.0)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"model": "uma"}, "model 'rma'.*'uma'"),
        ({"terminal_height_m": 2.0}, "terminal_height_m 1.5.*2.0"),
        ({"time_percent": 10.0}, "time_percent 50.0.*10.0"),
    ],
)
def test_settings_other_than_those_fitted_are_refused(tmp_path, setting, named):
    with pytest.raises(SettingsError, match=named):
        Propagation(**{"model": "rma", **setting}, calibration=CALIBRATION)
    path = tmp_path / "calibration.json"
    CALIBRATION.save(path)
    with pytest.raises(OutOfRangeError, match=named):
        Propagation(**{"model": "rma", **setting}, calibration=path).resolved()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": "rma"}', "no json"])
def test_a_file_that_is_no_calibration_is_refused_by_name(tmp_path, text):
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(FileError, match="calibration.json (is no calibration|as JSON)"):
        Calibration.load(path)


def test_a_misspelt_or_infinite_value_is_refused(tmp_path):
    whole = json.loads(CALIBRATION.model_dump_json())
    for wrong in ({**whole, "ofset_db": 1.0}, {**whole, "error_sigma_db": 0.0}):
        path = tmp_path / "calibration.json"
        path.write_text(json.dumps(wrong))
        with pytest.raises(FileError, match=r"ofset_db|error_sigma_db"):
            Calibration.load(path)


def test_a_missing_file_is_named():
    with pytest.raises(FileError, match="cannot read nowhere.json"):
        Propagation(calibration=Path("nowhere.json")).resolved()


def test_tables_have_a_row_for_each_figure():
    assert CALIBRATION.report()["sd_after_db"].tolist() == [6.5]
    assert CALIBRATION.terms()["term"].tolist() == ["offset"]
    assert CALIBRATION.offsets().loc["A-lte-b8-1", "offset_db"] == -2.5
    none = CALIBRATION.model_copy(update={"cell_offsets": ()})
    assert list(none.offsets().columns) == ["offset_db", "n_bins", "n_blocks"]


def test_offsets_go_into_the_power_of_measured_cells_only(small_network):
    before = small_network.cells["re_power_dbm"].copy()
    after = CALIBRATION.applied_to(small_network).cells["re_power_dbm"]
    change = (after - before).round(9)
    assert change["A-lte-b8-1"] == -2.5
    assert (change.drop("A-lte-b8-1") == 0.0).all()
    assert (small_network.cells["re_power_dbm"] == before).all()
    nobody = replace(small_network, cells=small_network.cells.drop("A-lte-b8-1"))
    assert (CALIBRATION.applied_to(nobody).cells == nobody.cells).all(axis=None)


def test_coefficients_are_those_of_the_standard_propagation_model_only():
    with pytest.raises(OutOfRangeError, match="model 'rma' at 941.5 MHz"):
        CALIBRATION.spm_coefficients(941.5)
    with pytest.raises(OutOfRangeError, match="no coefficients of 'spm' at 1842.5 MHz"):
        CALIBRATION.model_copy(update={"model": "spm"}).spm_coefficients(1842.5)


def test_terms_of_a_file_of_version_0_1_are_read():
    old = {"frequencies_mhz": [941.5], "height_slope_db": 2.0, "diffraction_factor": 0.4}
    read = Correction.model_validate(old)
    assert read.terms == (
        ModelTerm(name="height slope", value=2.0),
        ModelTerm(name="diffraction", value=0.4),
    )
    assert (read.term("diffraction"), read.term("roughness")) == (0.4, 0.0)
    assert Correction.model_validate({**old, "height_slope_db": 0.0}).term("height slope") == 0.0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '"offset_db": 3.0',
            '"offset_db": NaN',
            r"correction\.offset_db: .* finite number, not nan",
        ),
        ('"offset_db": 3.0', '"offset_db": 1e300', r"correction\.offset_db: Input should be less"),
        (
            '"offset_db": 3.0',
            '"offset_db": "3"',
            r"correction\.offset_db: .* valid number, not '3'",
        ),
        ('"code": 10', '"code": true', r"land_cover\.1\.code: Input should be a valid integer"),
        ('"model": "rma"', '"model": "rma", "model": "rma"', "the key 'model' occurs twice"),
    ],
)
def test_a_value_no_fit_gives_is_refused_in_one_line(tmp_path, old, new, says):
    path = tmp_path / "calibration.json"
    text = json.dumps(json.loads(CALIBRATION.model_dump_json()))
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(FileError, match=says) as error:
        Calibration.load(path)
    assert str(error.value).isprintable()


def test_a_calibration_of_ten_thousand_cells_is_kept_and_read(tmp_path):
    offsets = tuple(
        CellOffset(cell=f"460-00-{n}-1", offset_db=1 / 3, n_bins=9, n_blocks=3)
        for n in range(10_000)
    )
    fitted = CALIBRATION.model_copy(update={"cell_offsets": offsets})
    fitted.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == fitted
