"""Gains of measured patterns against their cuts, closed forms and the sector pattern."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.antenna import SectorPattern, sector_gain
from ankang_coverage.propagation.measured_pattern import (
    MeasuredPattern,
    cosine_pattern,
    measured_gain,
    pattern_gain,
)

DEGREES = np.arange(360)
# A cut that names its own angle: 0.1 dB a degree off the front, to 18 dB behind.
CUT = 0.1 * np.minimum(DEGREES, 360 - DEGREES)


def points(cut=CUT, step=1.0, separator=" "):
    return [f"{step * k:g}{separator}{value:g}" for k, value in enumerate(cut)]


PANEL = cosine_pattern(17.0, 65.0, 7.0, front_to_back_db=25.0)


def lopsided():
    """An antenna without symmetry, whose cuts agree where they meet."""
    random = np.random.default_rng(3)
    horizontal, vertical = random.uniform(1.0, 30.0, (2, 360))
    horizontal[0] = vertical[0] = 0.0
    vertical[180] = horizontal[180]
    return MeasuredPattern("lopsided", 12.0, horizontal, vertical)


def test_both_cuts_return_as_measured():
    antenna = lopsided()
    around = measured_gain(antenna, DEGREES + 40.0, 0.0, 40.0)
    np.testing.assert_allclose(around, 12.0 - antenna.horizontal_attenuation_db, atol=1e-9)
    below = np.arange(0, 90)
    front = measured_gain(antenna, 40.0, -below, 40.0)
    np.testing.assert_allclose(front, 12.0 - antenna.vertical_attenuation_db[below], atol=1e-9)
    behind = measured_gain(antenna, 220.0, -below, 40.0)
    np.testing.assert_allclose(
        behind, 12.0 - antenna.vertical_attenuation_db[180 - below], atol=1e-9
    )
    above = measured_gain(antenna, 40.0, 10.0, 40.0)
    assert above == pytest.approx(12.0 - antenna.vertical_attenuation_db[350])


def test_beside_the_antenna_front_and_back_count_half():
    antenna = replace(lopsided(), gain_dbi=0.0)
    horizontal, vertical = antenna.horizontal_attenuation_db, antenna.vertical_attenuation_db
    expected = horizontal[90] + 0.5 * vertical[5] + 0.5 * (vertical[175] - horizontal[180])
    assert measured_gain(antenna, 90.0, -5.0, 0.0) == pytest.approx(-max(expected, 0.0))


def test_the_peak_is_never_exceeded():
    elevations, azimuths = np.meshgrid(np.arange(-90.0, 91.0, 3.0), np.arange(0.0, 360.0, 7.0))
    assert measured_gain(lopsided(), azimuths, elevations, 10.0, 3.0).max() <= 12.0


def test_between_degrees_the_cut_is_straight():
    antenna = lopsided()
    cut = antenna.horizontal_attenuation_db
    assert measured_gain(antenna, 359.25, 0.0, 0.0) == pytest.approx(
        12.0 - 0.75 * cut[359] - 0.25 * cut[0]
    )


def test_electrical_tilt_turns_the_vertical_cut():
    tilted = cosine_pattern(17.0, 65.0, 7.0, front_to_back_db=25.0, electrical_tilt_deg=4.0)
    assert measured_gain(tilted, 0.0, -4.0, 0.0) == pytest.approx(17.0)
    assert measured_gain(tilted, 0.0, -6.0, 0.0, electrical_tilt_deg=6.0) == pytest.approx(17.0)
    elevations = np.arange(-20.0, 20.0)
    np.testing.assert_allclose(
        measured_gain(tilted, 0.0, elevations, 0.0),
        measured_gain(PANEL, 0.0, elevations, 0.0, electrical_tilt_deg=4.0),
        atol=1e-9,
    )


def test_mechanical_tilt_lowers_the_front_and_raises_the_back():
    assert measured_gain(PANEL, 90.0, -5.0, 90.0, mechanical_tilt_deg=5.0) == pytest.approx(17.0)
    upright = measured_gain(PANEL, 270.0, 0.0, 90.0)
    leaning = measured_gain(PANEL, 270.0, 5.0, 90.0, mechanical_tilt_deg=5.0)
    assert leaning == pytest.approx(upright)


def test_same_directions_as_the_sector_pattern():
    # The parabola of a sector pattern, sampled at whole degrees, is that pattern on both cuts.
    sector = SectorPattern(15.0, 65.0, 10.0, 25.0, 25.0)
    off = np.minimum(DEGREES, 360.0 - DEGREES)
    antenna = MeasuredPattern(
        "sampled",
        15.0,
        np.minimum(12.0 * (off / 65.0) ** 2, 25.0),
        np.minimum(12.0 * (off / 10.0) ** 2, 25.0),
    )
    azimuths = np.arange(0.0, 360.0)
    np.testing.assert_allclose(
        measured_gain(antenna, azimuths, 0.0, 200.0),
        sector_gain(sector, azimuths, 0.0, 200.0),
        atol=1e-9,
    )
    elevations = np.arange(-14.0, 14.0)
    np.testing.assert_allclose(
        measured_gain(antenna, 30.0, elevations, 30.0, 3.0, 2.0),
        sector_gain(sector, 30.0, elevations, 30.0, 3.0, 2.0),
        atol=1e-9,
    )


def test_shapes_and_types():
    azimuths = np.zeros((3, 4), dtype=np.float32)
    gains = measured_gain(PANEL, azimuths, azimuths[0], 10.0)
    assert gains.shape == (3, 4)
    assert gains.dtype == np.float32
    assert measured_gain(PANEL, [0.0, np.nan], 0.0, 0.0)[0] == pytest.approx(17.0)
    assert np.isnan(measured_gain(PANEL, [0.0, np.nan], 0.0, 0.0)[1])
    with pytest.raises(OutOfRangeError, match="boresight_azimuth_deg"):
        measured_gain(PANEL, 0.0, 0.0, np.nan)


# --- the cosine family


@given(beamwidth=st.sampled_from(np.arange(4.0, 180.0, 2.0)))
def test_half_the_power_at_half_the_beamwidth(beamwidth):
    antenna = cosine_pattern(0.0, beamwidth, beamwidth, front_to_back_db=60.0)
    half = 10.0 * math.log10(0.5)
    assert measured_gain(antenna, beamwidth / 2.0, 0.0, 0.0) == pytest.approx(half)
    assert measured_gain(antenna, 0.0, -beamwidth / 2.0, 0.0) == pytest.approx(half)


def test_cosine_by_hand():
    # 120° is the cosine itself: 3.0103 dB at 60°, 10 log(1 / cos 80°) = 7.6033 dB at 80°.
    antenna = cosine_pattern(0.0, 120.0, 90.0, front_to_back_db=20.0)
    assert antenna.horizontal_attenuation_db[60] == pytest.approx(3.0103, abs=1e-4)
    assert antenna.horizontal_attenuation_db[80] == pytest.approx(7.6033, abs=1e-4)
    np.testing.assert_allclose(antenna.horizontal_attenuation_db[90:271], 20.0)
    # 90° is its square: half the power at 45°, 6.0206 dB at 60°.
    assert antenna.vertical_attenuation_db[45] == pytest.approx(3.0103, abs=1e-4)
    assert antenna.vertical_attenuation_db[300] == pytest.approx(6.0206, abs=1e-4)


def test_omnidirectional_is_the_same_all_round():
    antenna = cosine_pattern(8.0, 360.0, 15.0, electrical_tilt_deg=3.0)
    azimuths = np.arange(0.0, 360.0, 10.0)
    for elevation in (-10.0, -3.0, 0.0, 4.0):
        gains = measured_gain(antenna, azimuths, elevation, 0.0)
        assert np.ptp(gains) < 1e-9
    assert measured_gain(antenna, 123.0, -3.0, 0.0) == pytest.approx(8.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gain_dbi": np.nan},
        {"horizontal_beamwidth_deg": 0.0},
        {"horizontal_beamwidth_deg": 180.0},
        {"vertical_beamwidth_deg": 200.0},
        {"front_to_back_db": -1.0},
        {"electrical_tilt_deg": 91.0},
    ],
)
def test_what_makes_no_antenna(wrong):
    values = {"gain_dbi": 15.0, "horizontal_beamwidth_deg": 65.0, "vertical_beamwidth_deg": 7.0}
    with pytest.raises(OutOfRangeError, match=next(iter(wrong))):
        cosine_pattern(**values | wrong)


def test_patterns_are_immutable_and_own_their_cuts():
    cut = CUT.copy()
    antenna = MeasuredPattern("a", 10.0, cut, cut)
    cut[:] = 50.0
    np.testing.assert_array_equal(antenna.horizontal_attenuation_db, CUT)
    with pytest.raises(ValueError, match="read-only"):
        antenna.horizontal_attenuation_db[0] = 1.0
    with pytest.raises(OutOfRangeError, match=r"shape \(361,\)"):
        MeasuredPattern("a", 10.0, np.zeros(361), cut)
    with pytest.raises(OutOfRangeError, match="vertical_attenuation_db is not a number"):
        MeasuredPattern("a", 10.0, CUT, np.where(DEGREES == 9, np.nan, CUT))


def test_patterns_are_equal_by_content_and_their_digest_tells_what_they_radiate():
    antenna = MeasuredPattern("a", 10.0, CUT, CUT, 940.0, 2.0, comment="one")
    assert antenna == MeasuredPattern("a", 10.0, CUT.copy(), CUT, 940.0, 2.0, comment="one")
    other_cut = np.where(DEGREES == 180, CUT + 1e-12, CUT)  # in the middle, where repr is cut short
    heard = [
        replace(antenna, gain_dbi=10.5),
        replace(antenna, electrical_tilt_deg=3.0),
        replace(antenna, horizontal_attenuation_db=other_cut),
        replace(antenna, vertical_attenuation_db=other_cut),
    ]
    unheard = [replace(antenna, **change) for change in ({"name": "b"}, {"comment": "two"})]
    assert len({antenna, *heard, *unheard}) == 7
    assert len({one.digest for one in (antenna, *heard)}) == 5
    assert {one.digest for one in unheard} == {antenna.digest}


def test_pickled_patterns_are_what_they_were():
    antenna = MeasuredPattern("a", 10.0, CUT, CUT[::-1], 940.0, 2.0, "b", "c")
    again = pickle.loads(pickle.dumps(antenna))
    assert again == antenna
    np.testing.assert_array_equal(again.horizontal_attenuation_db, CUT)
    np.testing.assert_array_equal(again.vertical_attenuation_db, CUT[::-1])
    assert not again.horizontal_attenuation_db.flags.writeable


@pytest.mark.parametrize(
    ("ripple_db", "omnidirectional"), [(0.0, True), (1.0, True), (3.0, True), (3.1, False)]
)
def test_an_antenna_that_nowhere_falls_to_half_its_power_faces_nowhere(ripple_db, omnidirectional):
    cut = 0.5 * ripple_db * (1.0 - np.cos(np.radians(3.0 * DEGREES)))
    assert MeasuredPattern("rod", 8.0, cut, CUT).omnidirectional == omnidirectional


def test_gain_of_either_kind():
    sector = SectorPattern(15.0, 65.0, 10.0, 25.0, 25.0)
    directions = (np.linspace(-180.0, 180.0, 50), np.linspace(-30.0, 30.0, 50), 40.0, 3.0, 2.0)
    for pattern, gain in ((sector, sector_gain), (lopsided(), measured_gain)):
        expected = gain(pattern, *directions)
        np.testing.assert_array_equal(pattern_gain(pattern, *directions), expected)


def test_gain_without_a_tilt_is_that_of_the_measurement():
    tilted = replace(cosine_pattern(15.0, 65.0, 7.0), electrical_tilt_deg=6.0)
    assert pattern_gain(tilted, 0.0, 0.0, 0.0) == measured_gain(tilted, 0.0, 0.0, 0.0)
