"""Errors are honest: they are those of ground that the fit has not seen."""

import numpy as np
import pandas as pd
import pytest
from drives import P1812, RMA, drive

from ankang_coverage.coverage import HeldOut
from ankang_coverage.coverage.calibration.held_out import error_figures, predicted_held_out
from ankang_coverage.coverage.calibration.terms import Terms
from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import MODELS


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


@pytest.mark.parametrize("wrong", [{"block_m": 50.0}, {"block_m": np.nan}, {"folds": 1}])
def test_settings_that_make_no_blocks_are_refused(small_region, air, fit, wrong):
    with pytest.raises(OutOfRangeError, match=next(iter(wrong))):
        fit(drive(small_region, air(RMA), n=900), held_out=HeldOut(**wrong))


def made_bins(n=600, n_blocks=30, seed=0):
    """Return bins whose loss is 4 dB above the model's, and 10 dB more in the last block."""
    rng = np.random.default_rng(seed)
    block = np.arange(n) % n_blocks
    predicted = rng.uniform(-100.0, -60.0, n)
    excess = 4.0 + 10.0 * (block == n_blocks - 1)
    return pd.DataFrame(
        {
            "cell": "a",
            "block": block,
            "code": 10,
            "distance_m": rng.uniform(100.0, 5_000.0, n),
            "frequency_mhz": 941.5,
            "predicted_dbm": predicted,
            "measured_dbm": predicted - excess,
            "radio_layer": "lte-b8",
            "in_sight": True,
        }
    )


def test_a_block_is_predicted_by_fits_that_have_not_seen_it():
    """The last block is 10 dB off whatever is fitted, for nothing of it is in its own fit."""
    bins = made_bins()
    terms = Terms.of(bins, MODELS["rma"])
    found = predicted_held_out(bins, terms, HeldOut(folds=10), -300.0)
    assert len(found) == len(bins)
    error = (found["after"] - found["measured_dbm"]).groupby(found["block"]).mean()
    assert error.iloc[-1] == pytest.approx(10.0, abs=0.3)
    assert error.iloc[:-1].abs().max() < 0.3
    assert np.array_equal(found["before"], bins["predicted_dbm"])
    again = predicted_held_out(bins, terms, HeldOut(folds=10), -300.0)
    assert again.equals(found)
    other = predicted_held_out(bins, terms, HeldOut(folds=10, seed=1), -300.0)
    assert not other["after"].equals(found["after"])


def test_figures_are_the_moments_of_the_errors():
    bins = made_bins().assign(before=lambda b: b["predicted_dbm"])
    bins["after"] = bins["before"] - 4.0
    bins["with_cells"] = bins["measured_dbm"]
    figures = list(error_figures(bins, {10: "tree cover"}, by_sight=False))
    assert [one.by for one in figures] == [
        "all", *["distance"] * 4, "land cover", "radio layer", "cell offsets"
    ]  # fmt: skip
    first, last = figures[0], figures[-1]
    error = (bins["after"] - bins["measured_dbm"]).to_numpy()
    assert first.n_bins == len(bins) == sum(one.n_bins for one in figures[1:5])
    assert first.mean_after_db == pytest.approx(error.mean())
    assert first.sd_after_db == pytest.approx(error.std(ddof=1))
    assert first.rms_after_db == pytest.approx(np.sqrt(np.mean(error**2)))
    assert first.mean_before_db == pytest.approx(error.mean() + 4.0)
    assert last.rms_after_db == 0.0
    assert figures[5].value == "10 tree cover"


@pytest.mark.parametrize("folds", [2, 10])
def test_as_many_parts_as_there_are_fewest_blocks_are_allowed(folds):
    HeldOut(block_m=90.0, folds=folds).require_valid(90.0)
    with pytest.raises(OutOfRangeError, match="folds is 11 but must be 2 to 10"):
        HeldOut(folds=11).require_valid(90.0)
