import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ankang_coverage.errors import FileError, OutOfRangeError
from ankang_coverage.propagation.antenna import SectorPattern, sector_gain
from ankang_coverage.propagation.antenna_files import (
    MeasuredPattern,
    antenna_text,
    cosine_pattern,
    measured_gain,
    parse_antenna,
    pattern_gain,
    read_antenna_file,
    write_antenna_file,
)

DEGREES = np.arange(360)
# A cut that names its own angle: 0.1 dB a degree off the front, to 18 dB behind.
CUT = 0.1 * np.minimum(DEGREES, 360 - DEGREES)


def points(cut=CUT, step=1.0, separator=" "):
    return [f"{step * k:g}{separator}{value:g}" for k, value in enumerate(cut)]


def text(*header, horizontal=None, vertical=None, titles=("HORIZONTAL 360", "VERTICAL 360")):
    return "\n".join(
        [
            *(header or ("NAME test", "FREQUENCY 940", "GAIN 15.5 dBi")),
            titles[0],
            *(points() if horizontal is None else horizontal),
            titles[1],
            *(points() if vertical is None else vertical),
        ]
    )


# --- reading


def test_a_plain_file():
    antenna = parse_antenna(
        text("NAME K 739 630", "MAKE Somebody", "FREQUENCY 947.5", "GAIN 15.5 dBi",
             "TILT ELECTRICAL", "ELECTRICAL_TILT 6", "H_WIDTH 65", "COMMENT measured 2001")
    )  # fmt: skip
    assert antenna.name == "K 739 630"
    assert antenna.make == "Somebody"
    assert antenna.comment == "measured 2001"
    assert antenna.frequency_mhz == 947.5
    assert antenna.gain_dbi == 15.5
    assert antenna.electrical_tilt_deg == 6.0
    np.testing.assert_allclose(antenna.horizontal_attenuation_db, CUT)
    np.testing.assert_allclose(antenna.vertical_attenuation_db, CUT)


@pytest.mark.parametrize(
    ("line", "gain"),
    # A dipole has 2.15 dBi.
    [("GAIN 8 dBd", 10.15), ("Gain 8", 10.15), ("gain 8dBi", 8.0), ("GAIN\t-3,5 DBI", -3.5)],
)
def test_gains(line, gain):
    assert parse_antenna(text("NAME a", line)).gain_dbi == pytest.approx(gain)


@pytest.mark.parametrize(
    ("line", "frequency"),
    [
        ("FREQUENCY 935", 935.0),
        ("FREQUENCY 2.6 GHz", 2600.0),
        ("FREQUENCY 1710-1880", 1795.0),
        ("Frequency 824 - 960 MHz", 892.0),
        ("FREQUENCY", None),
        ("COMMENT no frequency", None),
    ],
)
def test_frequencies(line, frequency):
    assert parse_antenna(text("NAME a", "GAIN 10 dBi", line)).frequency_mhz == frequency


@pytest.mark.parametrize(
    ("lines", "tilt"),
    [
        (("TILT 4",), 4.0),
        (("TILT ELECTRICAL 4",), 4.0),
        (("TILT MECHANICAL 4",), 0.0),
        (("TILT",), 0.0),
        (("TILT ELECTRICAL", "Electrical_Tilt 2.5 deg"), 2.5),
    ],
)
def test_tilts(lines, tilt):
    assert parse_antenna(text("NAME a", "GAIN 10 dBi", *lines)).electrical_tilt_deg == tilt


def test_untidy_files_read_the_same():
    tidy = parse_antenna(text())
    untidy = text(
        "test", "# a remark", "", "Frequency   940 MHz", "  gain  15,5   dBi",
        "; another", "PRODUCED_BY hand",
        titles=("Horizontal\t360", "vertical 360"),
        horizontal=[line.replace(".", ",") for line in points(separator="\t  ")],
        vertical=points(separator=";"),
    ).replace("\n", "\r\n")  # fmt: skip
    assert antenna_text(parse_antenna(untidy)) == antenna_text(tidy)


@pytest.mark.parametrize(
    ("count", "cut", "step"),
    [
        (361, [*CUT, 0.0], 1.0),  # closed with 360
        (720, 0.05 * np.minimum(np.arange(720), 720 - np.arange(720)), 0.5),
        (72, 0.5 * np.minimum(np.arange(72), 72 - np.arange(72)), 5.0),
        (360, -CUT, 1.0),  # gains below the peak
    ],
)
def test_other_ways_round_the_circle(count, cut, step):
    antenna = parse_antenna(
        text(horizontal=points(cut, step), titles=(f"HORIZONTAL {count}", "VERTICAL 360"))
    )
    np.testing.assert_allclose(antenna.horizontal_attenuation_db, CUT, atol=1e-12)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings(tmp_path, encoding):
    path = tmp_path / "antenna.msi"
    path.write_bytes(text("NAME Müller", "GAIN 10 dBi").encode(encoding))
    assert read_antenna_file(path).name == "Müller"
    assert read_antenna_file(str(path)).gain_dbi == 10.0


def test_a_nameless_antenna_is_called_like_its_file_wherever_that_stands(tmp_path):
    path = tmp_path / "panel.msi"
    path.write_text(text("GAIN 10 dBi"))
    assert read_antenna_file(path).name == "panel.msi"


# --- malformed files: the line is the first one a reader of the message should look at

LINE_OF_0 = 5  # the first point of the horizontal cut in `text()`


def without(position):
    return [line for k, line in enumerate(points()) if k != position]


def changed(position, line):
    lines = points()
    lines[position] = line
    return lines


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (text(horizontal=without(57)), LINE_OF_0 + 57, "58 stands where 57"),
        (text(horizontal=without(359)), LINE_OF_0 + 359, "VERTICAL 360"),
        (text(horizontal=changed(7, "6 0.7")), LINE_OF_0 + 7, "6 stands where 7"),
        (text(horizontal=changed(7, "7 much")), LINE_OF_0 + 7, "7 much"),
        (text(horizontal=changed(7, "7")), LINE_OF_0 + 7, "number 8"),
        (text(horizontal=changed(7, "7 0.7 0.7")), LINE_OF_0 + 7, "not an angle"),
        (text(horizontal=changed(7, "7 nan")), LINE_OF_0 + 7, "nan"),
        (text(horizontal=changed(7, "7 -0.7")), LINE_OF_0 + 7, "negative"),
        (text(horizontal=[*points(), "360 0"]), LINE_OF_0 + 360, "beyond"),
        (text(titles=("HORIZONTAL 359", "VERTICAL 360")), LINE_OF_0 + 1, "1 stands where"),
        (text(vertical=points()[:300]), 365, "ends after 300"),
        (text(titles=("HORIZONTAL", "VERTICAL 360")), 4, "number of points"),
        (text(titles=("HORIZONTAL many", "VERTICAL 360")), 4, "number of points"),
        (text(titles=("HORIZONTAL 3", "VERTICAL 360")), 4, "36 to 3600"),
        (text(titles=("HORIZONTAL 360", "HORIZONTAL 360")), 365, "second HORIZONTAL"),
        (text("NAME a", "GAIN loud"), 2, "loud"),
        (text("NAME a", "GAIN 10 dB"), 2, "dBd or dBi"),
        (text("NAME a", "GAIN 10", "FREQUENCY high"), 3, "high"),
        (text("NAME a", "GAIN 10", "ELECTRICAL_TILT some"), 3, "some"),
    ],
)
def test_malformed_lines(tmp_path, content, line, problem):
    path = tmp_path / "broken.msi"
    path.write_text(content)
    with pytest.raises(FileError, match=rf"broken\.msi, line {line}: .*{problem}"):
        read_antenna_file(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "GAIN"),
        ("NAME a\nFREQUENCY 900", "GAIN"),
        ("NAME a\nGAIN 10", "HORIZONTAL"),
        (text().partition("VERTICAL")[0], "VERTICAL"),
        (text("NAME a", "GAIN 400"), "gain_dbi"),
        (text(horizontal=changed(180, "180 9999")), "horizontal_attenuation_db"),
    ],
)
def test_what_is_missing_or_impossible(content, problem):
    with pytest.raises(FileError, match=f"sent by mail.*{problem}"):
        parse_antenna(content, source="sent by mail")


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileError, match="cannot read .*nowhere.msi: there is no such file"):
        read_antenna_file(tmp_path / "nowhere.msi")
    with pytest.raises(FileError, match="cannot be written"):
        write_antenna_file(cosine_pattern(10.0, 65.0, 10.0), tmp_path / "no" / "folder.msi")


@settings(max_examples=25)
@given(
    name=st.text(min_size=1, max_size=20),
    gain=st.floats(-20.0, 40.0),
    frequency=st.none() | st.floats(30.0, 1e5),
    tilt=st.floats(-10.0, 20.0),
    cut=st.lists(st.floats(0.0, 60.0), min_size=360, max_size=360).map(np.array),
)
def test_round_trip(name, gain, frequency, tilt, cut):
    antenna = MeasuredPattern(
        name, gain, cut, cut[::-1], frequency, tilt, make="A & B", comment="two\nlines"
    )
    back = parse_antenna(antenna_text(antenna), source="x")
    assert back.name == (" ".join(name.split()) or "x")
    assert back.comment == "two lines"
    assert (back.gain_dbi, back.frequency_mhz) == (gain, frequency)
    assert (back.electrical_tilt_deg, back.make) == (tilt, "A & B")
    np.testing.assert_array_equal(back.horizontal_attenuation_db, cut)
    np.testing.assert_array_equal(back.vertical_attenuation_db, cut[::-1])


def test_written_file_reads_back(tmp_path):
    antenna = cosine_pattern(17.5, 65.0, 7.0, electrical_tilt_deg=4.0, name="面板天线")
    write_antenna_file(antenna, tmp_path / "a.msi")
    assert antenna_text(read_antenna_file(tmp_path / "a.msi")) == antenna_text(antenna)


# --- gains

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


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("FREQUENCY 1710,1880", "may be two frequencies"),
        ("ELECTRICAL_TILT 0-10", "is a range"),
    ],
)
def test_a_line_that_could_mean_two_things_is_refused(line, message):
    text = antenna_text(cosine_pattern(15.0, 65.0, 7.0, name="a"))
    keyword = line.split()[0]
    lines = [line, *(own for own in text.splitlines() if not own.startswith(f"{keyword} "))]
    with pytest.raises(FileError, match=message):
        parse_antenna("\n".join(["NAME a", *lines]))


def test_gain_without_a_tilt_is_that_of_the_measurement():
    tilted = replace(cosine_pattern(15.0, 65.0, 7.0), electrical_tilt_deg=6.0)
    assert pattern_gain(tilted, 0.0, 0.0, 0.0) == measured_gain(tilted, 0.0, 0.0, 0.0)
