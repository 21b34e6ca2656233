import csv

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.clutter import (
    CLUTTER_HEIGHTS_M,
    clutter_height_gain_loss,
    clutter_slant_loss,
    clutter_terrestrial_loss,
)

# The published rows count the types in this order.
TYPES = tuple(CLUTTER_HEIGHTS_M)
ACCEPTED = "0"

# Aeronautical rows of the same publisher (NTIA/p2108, tests/data): f GHz, elevation deg, p %, dB.
SLANT = [
    (30.0, 2.0, 5.0, 7.7),
    (30.0, 2.0, 1.0, 1.9),
    (30.0, 2.0, 99.0, 87.3),
    (10.0, 10.5, 45.0, 12.4),
    (15.0, 90.0, 50.0, 0.0),
    (20.0, 0.0, 50.0, 45.6),
    (11.1, 15.5, 80.5, 14.7),
]


def rows(shared, name):
    with (shared / "validation/itu_p2108" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_published_height_gains(shared):
    table = rows(shared, "HeightGainTerminalCorrectionModelTestData.csv")
    assert len(table) == 23
    for row in table:
        arguments = {
            "frequency_mhz": 1e3 * float(row["f__ghz"]),
            "terminal_height_m": float(row["h__meter"]),
            "clutter": TYPES[int(row["clutter_type"]) - 1],
            "clutter_height_m": float(row["R__meter"]),
            "street_width_m": float(row["w_s__meter"]),
        }
        if row["rtn"] == ACCEPTED:
            loss = clutter_height_gain_loss(**arguments)
            assert loss == pytest.approx(float(row["A_h__db"]), abs=0.1), row
        else:
            with pytest.raises(OutOfRangeError, match=r"section 3\.1"):
                clutter_height_gain_loss(**arguments)


def test_published_terrestrial_losses(shared):
    table = rows(shared, "TerrestrialStatisticalModelTestData.csv")
    assert len(table) == 12
    for row in table:
        arguments = (1e3 * float(row["f__ghz"]), 1e3 * float(row["d__km"]), float(row["p"]))
        if row["rtn"] == ACCEPTED:
            loss = clutter_terrestrial_loss(*arguments)
            assert loss == pytest.approx(float(row["L_ctt__db"]), abs=0.1), row
        else:
            with pytest.raises(OutOfRangeError, match=r"section 3\.2"):
                clutter_terrestrial_loss(*arguments)


@pytest.mark.parametrize(("frequency_ghz", "elevation", "percent", "expected"), SLANT)
def test_published_slant_losses(frequency_ghz, elevation, percent, expected):
    loss = clutter_slant_loss(1e3 * frequency_ghz, elevation, percent)
    assert loss == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"frequency_mhz": 9_900.0},
        {"frequency_mhz": 100_100.0},
        {"elevation_deg": -0.1},
        {"elevation_deg": 90.1},
        {"location_percent": 0.0},
        {"location_percent": 100.0},
    ],
)
def test_slant_refusals(wrong):
    with pytest.raises(OutOfRangeError, match=next(iter(wrong))):
        clutter_slant_loss(**{"frequency_mhz": 20_000.0, "elevation_deg": 45.0} | wrong)


@pytest.mark.parametrize("clutter", TYPES)
def test_the_clutters_top_is_free(clutter):
    top = CLUTTER_HEIGHTS_M[clutter]
    losses = clutter_height_gain_loss(900.0, [0.5 * top, 0.999 * top, top, 2.0 * top], clutter)
    assert losses[0] > losses[1] > 0.0
    assert losses[1] < 0.1
    np.testing.assert_array_equal(losses[2:], 0.0)


def test_height_gain_in_the_open_by_hand():
    # K = 21.8 + 6.2 log 1 = 21.8, a tenth of the height: one decade
    assert clutter_height_gain_loss(1000.0, 1.0, "open") == pytest.approx(21.8, abs=1e-12)


@given(
    frequency=st.floats(500.0, 67_000.0),
    distance=st.floats(250.0, 1e5),
    percent=st.floats(0.1, 99.0),
)
def test_terrestrial_loss_grows_to_two_kilometres(frequency, distance, percent):
    loss, farther, surer = clutter_terrestrial_loss(
        frequency, [distance, 1.1 * distance, distance], [percent, percent, percent + 0.5]
    )
    # Above the median a smaller deviation may take back a little of what distance adds.
    assert percent > 50.0 or farther >= loss
    assert surer > loss
    full = clutter_terrestrial_loss(frequency, 2000.0, percent)
    assert loss <= full
    if distance >= 2000.0 and percent <= 50.0:
        assert loss == full


def test_shapes():
    assert clutter_height_gain_loss([[450.0], [900.0]], [1.5, 3.0, 12.0], "forest").shape == (2, 3)
    assert clutter_terrestrial_loss([[900.0], [3500.0]], [300.0, 5e3, 1e4]).shape == (2, 3)
    assert clutter_slant_loss(3e4, [10.0, 20.0]).shape == (2,)
    assert isinstance(clutter_height_gain_loss(900.0, 1.5, "urban"), float)
    assert isinstance(clutter_terrestrial_loss(900.0, 1e3), float)


def test_unknown_clutter():
    with pytest.raises(OutOfRangeError, match="dense-urban"):
        clutter_height_gain_loss(900.0, 1.5, "jungle")


def test_frequencies_may_be_extrapolated():
    inside = clutter_height_gain_loss(3000.0, 1.5, "suburban")
    beyond = clutter_height_gain_loss(3500.0, 1.5, "suburban", extrapolate=True)
    assert inside < beyond < inside + 1.0
    assert clutter_terrestrial_loss(900.0, 200.0, extrapolate=True) < clutter_terrestrial_loss(
        900.0, 250.0
    )
