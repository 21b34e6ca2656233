"""MSI / Planet files of measured antennas: name, peak gain, and the two cuts of attenuation."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.errors import FileError, OutOfRangeError
from ankang_coverage.inputs import printable, quoted, read_bytes
from ankang_coverage.limits import limits, require_within
from ankang_coverage.propagation.measured_pattern import MeasuredPattern

_Array = NDArray[np.float64]

DIPOLE_GAIN_DBI = 2.15
"""Gain of a half-wave dipole, which converts dBd to dBi [dB]."""


_DEGREES = np.arange(360.0)
_N_POINTS_RANGE = (36, 3_600)


_NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"
_GAIN = re.compile(rf"({_NUMBER})\s*(dBi|dBd)?", re.IGNORECASE)
_FREQUENCY = re.compile(
    rf"({_NUMBER})(?:\s*[-/]\s*({_NUMBER}))?\s*(Hz|kHz|MHz|GHz)?", re.IGNORECASE
)
_MHZ = {"hz": 1e-6, "khz": 1e-3, "mhz": 1.0, "ghz": 1e3}
_SECTIONS = ("HORIZONTAL", "VERTICAL")
_KEYWORDS = (
    *_SECTIONS, "NAME", "MAKE", "FREQUENCY", "GAIN", "TILT", "ELECTRICAL_TILT", "COMMENT",
)  # fmt: skip
_REMARKS = ("#", ";", "!", "//")
_ANGLE_TOLERANCE_DEG = 1e-3
_LONGEST_VALUE = 200
"""Most characters of a gain, a frequency or a tilt, with a remark behind it."""


class _Line(NamedTuple):
    """A line of a file, and its position."""

    source: str
    number: int
    text: str

    @property
    def quoted(self) -> str:
        """The text, quoted for an error."""
        return quoted(self.text)

    def error(self, problem: str) -> FileError:
        """Return an error about this line."""
        return FileError(f"antenna file {printable(self.source)}, line {self.number}: {problem}")


class _Point(NamedTuple):
    """A point of a cut, and its line."""

    line: _Line
    angle_deg: float
    attenuation_db: float


def read_antenna_file(path: str | Path) -> MeasuredPattern:
    """Read an MSI / Planet antenna pattern file.

    Parameters
    ----------
    path : str or Path
        The file, UTF-8 (with or without byte order mark) or Latin-1.

    Returns
    -------
    MeasuredPattern
        The antenna; see `parse_antenna` for what is read.

    Raises
    ------
    FileError
        If the file cannot be read or is malformed; the message names file and line.
    LimitError
        If it is larger than allowed.
    """
    content = read_bytes(path, "settings_bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return parse_antenna(text, source=str(path))


def parse_antenna(text: str, source: str = "text") -> MeasuredPattern:
    """Return the antenna that the text of an MSI / Planet pattern file describes.

    Parameters
    ----------
    text : str
        Content of the file.
    source : str, default "text"
        Name for errors, usually that of the file; its last part becomes the name of an antenna
        without one.

    Returns
    -------
    MeasuredPattern
        The antenna. Cuts with another step are interpolated to one degree.

    Raises
    ------
    FileError
        If the text is malformed; the message names source and line.

    Notes
    -----
    Keywords may be in any case. Unknown ones are skipped, as are blank lines and lines that begin
    with ``#``, ``;``, ``!`` or ``//``. A first line without a known keyword is the name. ``GAIN``
    is in dBd unless marked as dBi. ``FREQUENCY`` is in MHz unless it has another unit; a band is
    read as its middle. The electrical tilt follows ``ELECTRICAL_TILT``, or is a number after
    ``TILT``. ``HORIZONTAL n`` and ``VERTICAL n`` are followed by n lines of angle and attenuation
    [dB], the angles from 0 in even steps around the circle; 360 may close it. A cut that is nowhere
    above zero holds gains, and its sign is changed.

    Examples
    --------
    >>> from ankang_coverage.propagation import cosine_pattern
    >>> text = antenna_text(cosine_pattern(0.0, 360.0, 90.0, name="dipole-like"))
    >>> parse_antenna(text.replace("GAIN 0 dBi", "GAIN 0 dBd")).gain_dbi
    2.15
    """
    lines = _significant_lines(text, source)
    header: dict[str, _Line] = {}
    cuts: dict[str, _Array] = {}
    for line in lines:
        keyword, _, value = line.text.partition(" ")
        keyword = keyword.upper()
        if keyword in _SECTIONS:
            if keyword in cuts:
                raise line.error(f"a second {keyword} section; keep one")
            cuts[keyword] = _read_cut(lines, line, keyword, value)
        elif not header and keyword not in _KEYWORDS:
            header["NAME"] = line
        elif keyword in _KEYWORDS:
            header[keyword] = line._replace(text=value.strip())
        elif _numbers(line.text) is not None:
            raise line.error(
                f"{line.quoted} is a point beyond those that its section announces; correct the "
                "number after HORIZONTAL or VERTICAL"
            )
    for needed, found in (("GAIN", header), ("HORIZONTAL", cuts), ("VERTICAL", cuts)):
        if needed not in found:
            raise FileError(f"antenna file {printable(source)} has no line with {needed}")
    try:
        return MeasuredPattern(
            # The folder of the file is not part of the antenna's name.
            name=_text(header, "NAME") or PurePath(source).name,
            gain_dbi=_gain_dbi(header["GAIN"]),
            horizontal_attenuation_db=cuts["HORIZONTAL"],
            vertical_attenuation_db=cuts["VERTICAL"],
            frequency_mhz=_frequency_mhz(header.get("FREQUENCY")),
            electrical_tilt_deg=_electrical_tilt_deg(header),
            make=_text(header, "MAKE"),
            comment=_text(header, "COMMENT"),
        )
    except OutOfRangeError as error:
        raise FileError(f"antenna file {printable(source)}: {error}") from error


def _significant_lines(text: str, source: str) -> Iterator[_Line]:
    """Yield the lines that are neither blank nor remarks, with single blanks."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = " ".join(line.split())
        if stripped and not stripped.startswith(_REMARKS):
            yield _Line(source, number, stripped)


def _numbers(text: str) -> list[float] | None:
    """Return the numbers of a line of numbers only; a comma separates or is a decimal point."""
    if len(text) > 2 * limits().digits:
        return None
    words = text.split()
    if len(words) == 1:
        words = re.split(r"[;,]", text)
    if not all(re.fullmatch(_NUMBER, word) for word in words):
        return None
    return [_number(word) for word in words]


def _number(word: str) -> float:
    return float(word.replace(",", "."))


def _value(line: _Line, keyword: str) -> str:
    """Return a header's value; refuse one too long for the patterns that search it."""
    if len(line.text) > _LONGEST_VALUE:
        raise line.error(f"{keyword} is followed by more than {_LONGEST_VALUE} characters")
    return line.text


def _read_cut(lines: Iterator[_Line], title: _Line, keyword: str, value: str) -> _Array:
    """Read a section's points from the lines, and return its attenuation at whole degrees."""
    low, high = _N_POINTS_RANGE
    if not (value.isdecimal() and len(value) <= 9 and low <= int(value) <= high):
        raise title.error(f"{keyword} must be followed by its number of points, {low} to {high}")
    count = int(value)
    step = 360.0 / count
    points: list[_Point] = []
    for position in range(count):
        line = next(lines, None)
        if line is None:
            raise title.error(
                f"{keyword} announces {count} points but the file ends after {position}"
            )
        numbers = _numbers(line.text)
        if numbers is None or len(numbers) != 2:
            raise line.error(
                f"{line.quoted} is not an angle and an attenuation; {keyword} announces {count} "
                f"points and this is number {position + 1}"
            )
        points.append(_Point(line, *numbers))
        if position == 1:
            step = _step(count, points[1].angle_deg)
        if abs(points[-1].angle_deg - position * step) > _ANGLE_TOLERANCE_DEG:
            raise line.error(
                f"angle {points[-1].angle_deg:g} stands where {position * step:g} belongs; the "
                f"{count} angles of {keyword} must run from 0 in steps of {step:g}"
            )
    return _at_whole_degrees(points, step, keyword)


def _step(count: int, second_angle_deg: float) -> float:
    """Return the step of angles around the circle; the last one may repeat the first as 360."""
    once_round, closed = 360.0 / count, 360.0 / (count - 1)
    nearer_to_closed = abs(second_angle_deg - closed) < abs(second_angle_deg - once_round)
    return closed if nearer_to_closed else once_round


def _at_whole_degrees(points: list[_Point], step: float, keyword: str) -> _Array:
    attenuation = np.array([point.attenuation_db for point in points])
    if attenuation.max() <= 0.0:
        attenuation = np.abs(attenuation)
    if attenuation.min() < 0.0:
        line = points[int(np.argmax(attenuation < 0.0))].line
        raise line.error(
            f"{line.quoted} is negative where other points of {keyword} are positive; write "
            "attenuation below the peak"
        )
    once_round = attenuation[: round(360.0 / step)]
    angles = step * np.arange(once_round.size)
    whole: _Array = np.interp(_DEGREES, angles, once_round, period=360.0)
    return whole


def _text(header: dict[str, _Line], keyword: str) -> str:
    if keyword not in header:
        return ""
    line = header[keyword]
    place = f"antenna file {printable(line.source)}, line {line.number}"
    require_within(
        "field_characters", len(line.text), f"{place}: {keyword} has too many characters"
    )
    return line.text


def _gain_dbi(line: _Line) -> float:
    match = _GAIN.fullmatch(_value(line, "GAIN"))
    if match is None:
        raise line.error(f"GAIN {line.quoted} is not a number of dBd or dBi, such as '15.5 dBi'")
    gain = _number(match[1])
    return gain if (match[2] or "").lower() == "dbi" else gain + DIPOLE_GAIN_DBI


def _frequency_mhz(line: _Line | None) -> float | None:
    if line is None or not line.text:
        return None
    match = _FREQUENCY.fullmatch(_value(line, "FREQUENCY"))
    if match is None:
        raise line.error(
            f"FREQUENCY {line.quoted} is not a number of megahertz or a band, such as '870-960'"
        )
    if re.search(r"\d,\d{3}", line.text):
        raise line.error(
            f"FREQUENCY {line.quoted} may be two frequencies or one with a comma in it; write a "
            "band as '1710-1880' and a fraction with a point"
        )
    low = _number(match[1])
    high = _number(match[2]) if match[2] else low
    return 0.5 * (low + high) * _MHZ[(match[3] or "MHz").lower()]


def _electrical_tilt_deg(header: dict[str, _Line]) -> float:
    line = header.get("ELECTRICAL_TILT", header.get("TILT"))
    if line is None or not line.text or line.text.upper().startswith("MECH"):
        return 0.0
    text = _value(line, "TILT")
    if re.search(rf"{_NUMBER}\s*(?:-|–|to|\.\.)\s*{_NUMBER}", text):
        raise line.error(
            f"the electrical tilt {line.quoted} is a range; write the tilt that the pattern was "
            "measured with"
        )
    match = re.search(_NUMBER, text)
    if match is None and "ELECTRICAL_TILT" in header:
        raise line.error(f"ELECTRICAL_TILT {line.quoted} holds no number of degrees")
    return _number(match[0]) if match else 0.0


def antenna_text(pattern: MeasuredPattern) -> str:
    """Return an antenna as the text of an MSI / Planet pattern file.

    Parameters
    ----------
    pattern : MeasuredPattern
        The antenna.

    Returns
    -------
    str
        Text that `parse_antenna` reads back to the same values.

    Examples
    --------
    >>> from ankang_coverage.propagation import cosine_pattern
    >>> antenna_text(cosine_pattern(15.0, 65.0, 7.0, name="example")).splitlines()[:3]
    ['NAME example', 'GAIN 15 dBi', 'TILT ELECTRICAL']
    """
    header = {
        "NAME": pattern.name,
        "MAKE": pattern.make,
        "FREQUENCY": "" if pattern.frequency_mhz is None else _shortest(pattern.frequency_mhz),
        "GAIN": f"{_shortest(pattern.gain_dbi)} dBi",
        "TILT": "ELECTRICAL",
        "ELECTRICAL_TILT": _shortest(pattern.electrical_tilt_deg),
        "COMMENT": pattern.comment,
    }
    # A line break inside a name would begin a line of its own.
    lines = [f"{keyword} {' '.join(value.split())}" for keyword, value in header.items() if value]
    for keyword, cut in zip(
        _SECTIONS,
        (pattern.horizontal_attenuation_db, pattern.vertical_attenuation_db),
        strict=True,
    ):
        lines.append(f"{keyword} {cut.size}")
        lines.extend(f"{angle} {_shortest(value)}" for angle, value in enumerate(cut))
    return "\n".join(lines) + "\n"


def _shortest(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return repr(float(value)).removesuffix(".0")


def write_antenna_file(pattern: MeasuredPattern, path: str | Path) -> None:
    """Write an antenna as an MSI / Planet pattern file, UTF-8.

    Parameters
    ----------
    pattern : MeasuredPattern
        The antenna.
    path : str or Path
        The file; an existing one is replaced.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    path = Path(path)
    try:
        path.write_text(antenna_text(pattern), encoding="utf-8", newline="\n")
    except OSError as error:
        raise FileError(f"antenna file {path} cannot be written: {error.strerror}") from error
