"""Measured antennas: MSI / Planet pattern files, and gains from a horizontal and a vertical cut.

A pattern file holds the antenna's name, its peak gain, and two circles of attenuation below that
peak: the horizontal cut, clockwise from where the antenna faces, and the vertical one, counted
from the horizon in front downwards: 90° is the ground, 180° the horizon behind, 270° the sky.
"""

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePath
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import FileError, OutOfRangeError
from ankang_coverage.inputs import printable, quoted, read_bytes
from ankang_coverage.limits import limits, require_within
from ankang_coverage.propagation._ranges import Interval, checked
from ankang_coverage.propagation.antenna import (
    OMNIDIRECTIONAL_BEAMWIDTH_DEG,
    SectorPattern,
    _own_directions,
    sector_gain,
)

_Array = NDArray[np.float64]

DIPOLE_GAIN_DBI = 2.15
"""Gain of a half-wave dipole: what turns dBd into dBi [dB]."""

_HALF_POWER_DB = 10.0 * math.log10(2.0)

_DEGREES = np.arange(360.0)
_N_POINTS_RANGE = (36, 3_600)
_ATTENUATION_RANGE_DB: Interval = (0.0, 1_000.0)
_GAIN_RANGE_DBI: Interval = (-100.0, 100.0)
_TILT_RANGE_DEG: Interval = (-90.0, 90.0)
_FREQUENCY_RANGE_MHZ: Interval = (1e-3, 1e6)


@dataclass(frozen=True)
class MeasuredPattern:
    """An antenna known by two cuts at whole degrees; equal to another of the same content.

    Attributes
    ----------
    name
        Name of the antenna.
    gain_dbi
        Gain at the peak [dBi].
    horizontal_attenuation_db
        Attenuation below the peak at 0, 1, … 359° clockwise from where the antenna faces [dB],
        shape (360,), read-only.
    vertical_attenuation_db
        The same at 0, 1, … 359° from the horizon in front downwards [dB], shape (360,),
        read-only.
    frequency_mhz
        Frequency of the measurement [MHz]; None if the file does not say.
    electrical_tilt_deg
        Electrical downtilt the vertical cut was measured with [degrees].
    make, comment
        Manufacturer, and whatever else the file says about itself.
    digest
        Digest of what the antenna radiates, gain, tilt and cuts, whatever it is called.

    Raises
    ------
    OutOfRangeError
        If a cut has not 360 values or a value is not a number or outside any antenna's range.
    """

    name: str
    gain_dbi: float
    # Arrays neither compare nor print as a whole; the digest does both for them.
    horizontal_attenuation_db: _Array = field(repr=False, compare=False)
    vertical_attenuation_db: _Array = field(repr=False, compare=False)
    frequency_mhz: float | None = None
    electrical_tilt_deg: float = 0.0
    make: str = ""
    comment: str = ""
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        rule = f"antenna {quoted(self.name)}"
        checked("gain_dbi", self.gain_dbi, _GAIN_RANGE_DBI, rule)
        checked("electrical_tilt_deg", self.electrical_tilt_deg, _TILT_RANGE_DEG, rule)
        if self.frequency_mhz is not None:
            checked("frequency_mhz", self.frequency_mhz, _FREQUENCY_RANGE_MHZ, rule)
        for cut in ("horizontal_attenuation_db", "vertical_attenuation_db"):
            values = checked(cut, getattr(self, cut), _ATTENUATION_RANGE_DB, rule)
            if values.shape != (360,):
                raise OutOfRangeError(
                    f"{cut} has shape {values.shape} but must hold one value per degree, shape "
                    f"(360,) ({rule})"
                )
            own = values.copy()
            own.setflags(write=False)
            object.__setattr__(self, cut, own)
        radiated = np.concatenate(
            [
                [self.gain_dbi, self.electrical_tilt_deg],
                self.horizontal_attenuation_db,
                self.vertical_attenuation_db,
            ]
        )
        digest = hashlib.blake2b(radiated.tobytes(), digest_size=16).hexdigest()
        object.__setattr__(self, "digest", digest)

    def __reduce__(self) -> tuple[type["MeasuredPattern"], tuple[Any, ...]]:
        """Pickle what it is made from; a pickle would not keep the cuts read-only."""
        made_from = tuple(getattr(self, own.name) for own in fields(self) if own.init)
        return MeasuredPattern, made_from

    @property
    def omnidirectional(self) -> bool:
        """Whether every azimuth gets more than half the power of any other: it faces none."""
        return bool(np.ptp(self.horizontal_attenuation_db) < _HALF_POWER_DB)


Pattern: TypeAlias = SectorPattern | MeasuredPattern
"""An antenna of either kind, by formula or by measurement."""


# --- gains -----------------------------------------------------------------------------------


def measured_gain(
    pattern: MeasuredPattern,
    azimuth_deg: ArrayLike,
    elevation_deg: ArrayLike,
    boresight_azimuth_deg: ArrayLike,
    mechanical_tilt_deg: ArrayLike = 0.0,
    electrical_tilt_deg: ArrayLike | None = None,
) -> np.floating | NDArray[np.float32] | _Array:
    """Return the gain of a measured antenna towards directions, its two cuts combined.

    Parameters
    ----------
    pattern
        The antenna.
    azimuth_deg
        Directions as seen from the mast [degrees clockwise from north].
    elevation_deg
        Directions as seen from the mast [degrees above the horizon].
    boresight_azimuth_deg
        Where the antenna faces [degrees clockwise from north].
    mechanical_tilt_deg
        Downtilt of the antenna as a whole [degrees, down positive].
    electrical_tilt_deg
        Electrical downtilt in use [degrees, down positive]; None is the one of the measurement.
        Another one turns the vertical cut by the difference, in front and behind alike: fair
        for a few degrees, and no substitute for the file of that tilt.

    Returns
    -------
    numpy.floating or numpy.ndarray
        Gain [dBi], of the inputs' common shape: float32 if both azimuth and elevation are
        float32, float64 otherwise. A direction that is NaN has the gain NaN.

    Raises
    ------
    OutOfRangeError
        If a boresight or a tilt is not finite.

    Notes
    -----
    In the antenna's own frame, φ from where it faces and θ below its horizon, the attenuation is
    the sum of the horizontal cut H and of what the vertical cut V adds to it, in front and behind
    weighted by the angle between, and never below 0::

        A = H(φ) + (1 − |φ|/180°) (V(θ) − H(0°)) + |φ|/180° (V(180° − θ) − H(180°))

    Where the two cuts agree with each other, straight ahead and straight behind, the sum returns
    both of them as they were measured. Between whole degrees the cuts are straight lines in
    decibels.

    Examples
    --------
    >>> panel = cosine_pattern(17.0, 65.0, 7.0)
    >>> float(measured_gain(panel, 120.0, -4.0, 120.0, electrical_tilt_deg=4.0))
    17.0
    >>> round(float(measured_gain(panel, 152.5, 0.0, 120.0)), 1)  # half the beamwidth off
    14.0
    """
    if electrical_tilt_deg is None:
        electrical_tilt_deg = pattern.electrical_tilt_deg
    own_azimuth, own_elevation, electrical_tilt, shape = _own_directions(
        azimuth_deg,
        elevation_deg,
        boresight_azimuth_deg,
        mechanical_tilt_deg,
        electrical_tilt_deg,
    )
    horizontal, vertical = pattern.horizontal_attenuation_db, pattern.vertical_attenuation_db
    turned = electrical_tilt - pattern.electrical_tilt_deg
    behind = np.abs(own_azimuth) / 180.0
    attenuation = (
        _around(horizontal, own_azimuth)
        + (1.0 - behind) * (_around(vertical, -own_elevation - turned) - horizontal[0])
        + behind * (_around(vertical, 180.0 + own_elevation + turned) - horizontal[180])
    )
    gains = (pattern.gain_dbi - np.maximum(attenuation, 0.0)).astype(own_azimuth.dtype)
    scalar_or_array: np.floating | NDArray[np.float32] | _Array = gains.reshape(shape)[()]
    return scalar_or_array


def pattern_gain(
    pattern: Pattern,
    azimuth_deg: ArrayLike,
    elevation_deg: ArrayLike,
    boresight_azimuth_deg: ArrayLike,
    mechanical_tilt_deg: ArrayLike = 0.0,
    electrical_tilt_deg: ArrayLike | None = None,
) -> np.floating | NDArray[np.float32] | _Array:
    """Return the gain of an antenna of either kind towards directions.

    Parameters
    ----------
    pattern
        The antenna: `sector_gain` or `measured_gain` tells its gain.
    azimuth_deg, elevation_deg
        Directions as seen from the mast [degrees clockwise from north, above the horizon].
    boresight_azimuth_deg
        Where the antenna faces [degrees clockwise from north].
    mechanical_tilt_deg, electrical_tilt_deg
        Downtilts [degrees, down positive]; the electrical one is the antenna's own when omitted.

    Returns
    -------
    numpy.floating or numpy.ndarray
        Gain [dBi], of the inputs' common shape: float32 if both azimuth and elevation are
        float32, float64 otherwise. A direction that is NaN has the gain NaN.

    Raises
    ------
    OutOfRangeError
        If a boresight is not finite or a tilt outside ±90.

    Examples
    --------
    >>> float(pattern_gain(cosine_pattern(17.0, 65.0, 7.0), 120.0, -4.0, 120.0, 4.0))
    17.0
    """
    directions = (
        azimuth_deg,
        elevation_deg,
        boresight_azimuth_deg,
        mechanical_tilt_deg,
        pattern.electrical_tilt_deg if electrical_tilt_deg is None else electrical_tilt_deg,
    )
    if isinstance(pattern, MeasuredPattern):
        return measured_gain(pattern, *directions)
    return sector_gain(pattern, *directions)


def _around(cut: _Array, angle_deg: NDArray[np.floating]) -> _Array:
    """Return a cut at any angle."""
    attenuation: _Array = np.interp(angle_deg, _DEGREES, cut, period=360.0)
    return attenuation


def cosine_pattern(
    gain_dbi: float,
    horizontal_beamwidth_deg: float,
    vertical_beamwidth_deg: float,
    front_to_back_db: float = 30.0,
    electrical_tilt_deg: float = 0.0,
    name: str = "cosine",
) -> MeasuredPattern:
    """Return an antenna of the cosine family: power as cosⁿ of the angle in each plane.

    Parameters
    ----------
    gain_dbi
        Gain at the peak [dBi].
    horizontal_beamwidth_deg
        Half-power beamwidth [degrees], above 0 and below 180, or 360 for omnidirectional.
    vertical_beamwidth_deg
        Half-power beamwidth [degrees], above 0 and below 180.
    front_to_back_db
        The most a plane attenuates [dB], and what it does from 90° on.
    electrical_tilt_deg
        Downtilt of the vertical plane [degrees].
    name
        Name of the antenna.

    Returns
    -------
    MeasuredPattern
        The planes at whole degrees.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or makes no antenna.

    Notes
    -----
    Half the power at half the beamwidth gives n = log ½ / log cos(beamwidth / 2); n = 1 is 120°.

    Examples
    --------
    >>> panel = cosine_pattern(15.0, 120.0, 10.0)
    >>> round(float(panel.horizontal_attenuation_db[60]), 2)  # cos 60° is one half
    3.01
    """
    rule = "a cosine pattern"
    beamwidths: Interval = (float(np.nextafter(0.0, 1.0)), float(np.nextafter(180.0, 0.0)))
    checked("front_to_back_db", front_to_back_db, _ATTENUATION_RANGE_DB, rule)
    checked("vertical_beamwidth_deg", vertical_beamwidth_deg, beamwidths, rule)
    checked("electrical_tilt_deg", electrical_tilt_deg, _TILT_RANGE_DEG, rule)
    vertical = _cosine_cut(_DEGREES - electrical_tilt_deg, vertical_beamwidth_deg, front_to_back_db)
    if horizontal_beamwidth_deg == OMNIDIRECTIONAL_BEAMWIDTH_DEG:
        horizontal = np.zeros(360)
        behind = _cosine_cut(
            180.0 - _DEGREES - electrical_tilt_deg, vertical_beamwidth_deg, front_to_back_db
        )
        vertical = np.minimum(vertical, behind)
    else:
        checked("horizontal_beamwidth_deg", horizontal_beamwidth_deg, beamwidths, rule)
        horizontal = _cosine_cut(_DEGREES, horizontal_beamwidth_deg, front_to_back_db)
    return MeasuredPattern(
        name, gain_dbi, horizontal, vertical, electrical_tilt_deg=electrical_tilt_deg
    )


def _cosine_cut(angle_deg: _Array, beamwidth_deg: float, floor_db: float) -> _Array:
    exponent = math.log(0.5) / math.log(math.cos(math.radians(beamwidth_deg / 2.0)))
    cosine = np.maximum(np.cos(np.radians(angle_deg)), np.finfo(np.float64).tiny)
    return np.minimum(-10.0 * exponent * np.log10(cosine), floor_db)


# --- files -----------------------------------------------------------------------------------


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
"""Characters of a gain, a frequency or a tilt, with the remarks that stand behind some."""


class _Line(NamedTuple):
    """A line of a file, and where it stands."""

    source: str
    number: int
    text: str

    @property
    def shown(self) -> str:
        """The text as an error shows it."""
        return quoted(self.text)

    def error(self, problem: str) -> FileError:
        """Return the error that says what is wrong with this line."""
        return FileError(f"antenna file {printable(self.source)}, line {self.number}: {problem}")


class _Point(NamedTuple):
    """A point of a cut, and the line it stands on."""

    line: _Line
    angle_deg: float
    attenuation_db: float


def read_antenna_file(path: str | Path) -> MeasuredPattern:
    """Read an MSI / Planet antenna pattern file.

    Parameters
    ----------
    path
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
    text
        Content of the file.
    source
        What errors call it, usually the file's name; the antenna is called by the last part of
        it if it has no name of its own.

    Returns
    -------
    MeasuredPattern
        The antenna. Cuts with another step than one degree are interpolated to it.

    Raises
    ------
    FileError
        If the text is malformed; the message names source and line.

    Notes
    -----
    Keywords may be of any case, and unknown ones are skipped, as are blank lines and lines that
    begin with ``#``, ``;``, ``!`` or ``//``. A first line without a known keyword is the name.
    ``GAIN`` is in dBd unless it says dBi. ``FREQUENCY`` is in MHz unless it says otherwise; of a
    band the middle counts. The electrical tilt stands after ``ELECTRICAL_TILT``, or as a number
    after ``TILT``. ``HORIZONTAL n`` and ``VERTICAL n`` are followed by n lines of angle and
    attenuation [dB], the angles from 0 in even steps round the circle; 360 may close it. A cut
    that is nowhere above zero holds gains and changes sign.

    Examples
    --------
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
                f"{line.shown} is a point beyond those that its section announces; correct the "
                "number after HORIZONTAL or VERTICAL"
            )
    for needed, found in (("GAIN", header), ("HORIZONTAL", cuts), ("VERTICAL", cuts)):
        if needed not in found:
            raise FileError(f"antenna file {printable(source)} has no line with {needed}")
    try:
        return MeasuredPattern(
            # Where the file stands on one machine is no part of the antenna's name.
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
    """Yield the lines that say something, their white space made single blanks."""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = " ".join(line.split())
        if stripped and not stripped.startswith(_REMARKS):
            yield _Line(source, number, stripped)


def _numbers(text: str) -> list[float] | None:
    """Return the numbers of a line of nothing else; a comma separates or is a decimal point."""
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
    """Return a header's value, short enough for patterns that look for numbers in it."""
    if len(line.text) > _LONGEST_VALUE:
        raise line.error(f"{keyword} is followed by more than {_LONGEST_VALUE} characters")
    return line.text


def _read_cut(lines: Iterator[_Line], title: _Line, keyword: str, value: str) -> _Array:
    """Take a section's points off the lines and return its attenuation at whole degrees."""
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
                f"{line.shown} is not an angle and an attenuation; {keyword} announces {count} "
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
    """Return the step of angles round the circle; the last one may repeat the first as 360."""
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
            f"{line.shown} is negative where other points of {keyword} are positive; write "
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
        raise line.error(f"GAIN {line.shown} is not a number of dBd or dBi, such as '15.5 dBi'")
    gain = _number(match[1])
    return gain if (match[2] or "").lower() == "dbi" else gain + DIPOLE_GAIN_DBI


def _frequency_mhz(line: _Line | None) -> float | None:
    if line is None or not line.text:
        return None
    match = _FREQUENCY.fullmatch(_value(line, "FREQUENCY"))
    if match is None:
        raise line.error(
            f"FREQUENCY {line.shown} is not a number of megahertz or a band, such as '870-960'"
        )
    if re.search(r"\d,\d{3}", line.text):
        raise line.error(
            f"FREQUENCY {line.shown} may be two frequencies or one with a comma in it; write a "
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
            f"the electrical tilt {line.shown} is a range; write the tilt that the pattern was "
            "measured with"
        )
    match = re.search(_NUMBER, text)
    if match is None and "ELECTRICAL_TILT" in header:
        raise line.error(f"ELECTRICAL_TILT {line.shown} holds no number of degrees")
    return _number(match[0]) if match else 0.0


def antenna_text(pattern: MeasuredPattern) -> str:
    """Return an antenna as the text of an MSI / Planet pattern file.

    Parameters
    ----------
    pattern
        The antenna.

    Returns
    -------
    str
        Text that `parse_antenna` reads back to the same values.

    Examples
    --------
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
    pattern
        The antenna.
    path
        The file; one that is there is replaced.

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
