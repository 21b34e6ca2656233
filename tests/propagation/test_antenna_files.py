import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ankang_coverage.errors import FileError
from ankang_coverage.propagation.antenna_files import (
    antenna_text,
    parse_antenna,
    read_antenna_file,
    write_antenna_file,
)
from ankang_coverage.propagation.measured_pattern import MeasuredPattern, cosine_pattern

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


@pytest.mark.slow
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


@pytest.mark.parametrize(
    "content",
    [
        text("NAME a", "GAIN 15", "TILT " + "1" * 900_000),
        text("NAME a", "GAIN " + "1" * 900_000),
        text("NAME a", "GAIN 15", "FREQUENCY " + "1.1" * 300_000),
        text("NAME a", "GAIN 1e400"),
        text("NAME a", "GAIN nan"),
        text("NAME " + "a" * 20_000, "GAIN 15"),
        text(horizontal=changed(1, "1 " + "1" * 900_000)),
        text(horizontal=changed(1, "1 1e400")),
        "NAME a\nHORIZONTAL " + "3" * 9_000,
        "\x1b[2J\nHORIZONTAL x",
        "\n" * 2_000_000,
    ],
)
def test_what_would_exhaust_or_is_no_number_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "panel.msi"
    path.write_text(content, "utf-8")
    with pytest.raises(FileError, match="panel.msi") as error:
        read_antenna_file(path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 700
