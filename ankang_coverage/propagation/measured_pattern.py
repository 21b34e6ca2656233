"""Measured antennas: gains from a horizontal and a vertical cut of attenuation below a peak.

Angles of the horizontal cut are clockwise from the direction the antenna faces, those of the
vertical cut from the horizon in front downwards: 90° is the ground, 180° the horizon behind, 270°
the sky.
"""

import hashlib
import math
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.inputs import quoted
from ankang_coverage.propagation._ranges import Interval, checked
from ankang_coverage.propagation.antenna import (
    OMNIDIRECTIONAL_BEAMWIDTH_DEG,
    SectorPattern,
    _own_directions,
    sector_gain,
)

_Array = NDArray[np.float64]


_HALF_POWER_DB = 10.0 * math.log10(2.0)

_DEGREES = np.arange(360.0)
_ATTENUATION_RANGE_DB: Interval = (0.0, 1_000.0)
_GAIN_RANGE_DBI: Interval = (-100.0, 100.0)
_TILT_RANGE_DEG: Interval = (-90.0, 90.0)
_FREQUENCY_RANGE_MHZ: Interval = (1e-3, 1e6)


@dataclass(frozen=True)
class MeasuredPattern:
    """An antenna given by two cuts at whole degrees; equal to another of the same content.

    Attributes
    ----------
    name : str
        Name of the antenna.
    gain_dbi : float
        Gain at the peak [dBi].
    horizontal_attenuation_db : _Array
        Attenuation below the peak at 0, 1, … 359° clockwise from the direction the antenna faces
        [dB], shape (360,), read-only.
    vertical_attenuation_db : _Array
        The same at 0, 1, … 359° from the horizon in front downwards [dB], shape (360,),
        read-only.
    frequency_mhz : float or None
        Frequency of the measurement [MHz]; None if unknown.
    electrical_tilt_deg : float
        Electrical downtilt the vertical cut was measured with [degrees].
    make, comment : str
        Manufacturer, and the comment of the file.
    digest : str
        Digest of gain, tilt and cuts, without the name.

    Raises
    ------
    OutOfRangeError
        If a cut does not have 360 values, or a value is not a number or impossible for an antenna.
    """

    name: str
    gain_dbi: float
    # Arrays do not compare as a whole; the digest stands in for them.
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
        """Pickle the arguments, because a plain pickle would not keep the cuts read-only."""
        made_from = tuple(getattr(self, own.name) for own in fields(self) if own.init)
        return MeasuredPattern, made_from

    @property
    def omnidirectional(self) -> bool:
        """Whether the power at every azimuth is more than half that at any other."""
        return bool(np.ptp(self.horizontal_attenuation_db) < _HALF_POWER_DB)


Pattern: TypeAlias = SectorPattern | MeasuredPattern
"""An antenna of either kind: by formula or by measurement."""


def measured_gain(
    pattern: MeasuredPattern,
    azimuth_deg: ArrayLike,
    elevation_deg: ArrayLike,
    boresight_azimuth_deg: ArrayLike,
    mechanical_tilt_deg: ArrayLike = 0.0,
    electrical_tilt_deg: ArrayLike | None = None,
) -> np.floating | NDArray[np.float32] | _Array:
    """Return the gain of a measured antenna towards directions, from its two cuts.

    Parameters
    ----------
    pattern : MeasuredPattern
        The antenna.
    azimuth_deg : array_like
        Directions from the mast [degrees clockwise from north].
    elevation_deg : array_like
        Directions from the mast [degrees above the horizon].
    boresight_azimuth_deg : array_like
        Direction the antenna faces [degrees clockwise from north].
    mechanical_tilt_deg : array_like, default 0.0
        Downtilt of the antenna as a whole [degrees, down positive].
    electrical_tilt_deg : array_like, optional
        Electrical downtilt in use [degrees, down positive]; None is that of the measurement.
        Another one turns the vertical cut by the difference, in front and behind alike: accurate
        enough for a few degrees, but no substitute for the file of that tilt.

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
    In the antenna's own frame, with φ from the direction it faces and θ below its horizon, the
    attenuation is the horizontal cut H plus what the vertical cut V adds to it, in front and
    behind, weighted by the angle, and never below 0::

        A = H(φ) + (1 − |φ|/180°) (V(θ) − H(0°)) + |φ|/180° (V(180° − θ) − H(180°))

    Where the two cuts agree with each other, straight ahead and straight behind, the sum reproduces
    both as measured. Between whole degrees the cuts are interpolated linearly in decibels.

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
    pattern : Pattern
        The antenna, for `sector_gain` or `measured_gain`.
    azimuth_deg, elevation_deg : array_like
        Directions from the mast [degrees clockwise from north, above the horizon].
    boresight_azimuth_deg : array_like
        Direction the antenna faces [degrees clockwise from north].
    mechanical_tilt_deg, electrical_tilt_deg : array_like, default 0.0 or array_like, optional
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
    gain_dbi : float
        Gain at the peak [dBi].
    horizontal_beamwidth_deg : float
        Half-power beamwidth [degrees], above 0 and below 180, or 360 for omnidirectional.
    vertical_beamwidth_deg : float
        Half-power beamwidth [degrees], above 0 and below 180.
    front_to_back_db : float, default 30.0
        Largest attenuation of a plane [dB], which it has from 90° on.
    electrical_tilt_deg : float, default 0.0
        Downtilt of the vertical plane [degrees].
    name : str, default "cosine"
        Name of the antenna.

    Returns
    -------
    MeasuredPattern
        The planes at whole degrees.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or impossible for an antenna.

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
