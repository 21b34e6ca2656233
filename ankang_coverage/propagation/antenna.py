"""Antennas: the gain of a sector or an array towards a direction seen from the mast.

A direction is a compass azimuth and an elevation above the horizon. Mechanical tilt turns the
whole antenna about its horizontal axis, so the direction is first expressed in the antenna's own
frame: in front of the mast the beam goes down, behind it the back lobe goes up, at the sides
it only twists. Electrical tilt moves the vertical main lobe within the antenna, at
all azimuths alike.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage._jit import arctangent, njit, sine_and_cosine
from ankang_coverage.propagation._ranges import checked

OMNIDIRECTIONAL_BEAMWIDTH_DEG = 360.0

_ANGLE_DEG = (-np.inf, np.inf)
_TILT_DEG = (-90.0, 90.0)
_CLAUSE = "a sector antenna"

_Pixels: TypeAlias = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class SectorPattern:
    """A parabola with a floor in each plane, added (3GPP TR 36.814, table A.2.1.1-2).

    Attributes
    ----------
    gain_dbi : float
        Gain at the peak [dBi].
    horizontal_beamwidth_deg : float
        Half-power beamwidth φ3dB [degrees]; 360 is an omnidirectional antenna.
    vertical_beamwidth_deg : float
        Half-power beamwidth θ3dB [degrees].
    front_to_back_db : float
        A_m, the most the pattern attenuates [dB]; 0 for an omnidirectional antenna, whose floor
        is the side lobe suppression.
    side_lobe_suppression_db : float
        SLA, the most the vertical plane attenuates [dB].

    Raises
    ------
    OutOfRangeError
        If a value is not a number or makes no antenna.

    Notes
    -----
    A_H = min(12 (φ/φ3dB)², A_m), A_V = min(12 ((θ − θtilt)/θ3dB)², SLA), and the gain is
    gain_dbi − min(A_H + A_V, A_m).

    References
    ----------
    3GPP TR 36.814 V9.2.0, table A.2.1.1-2; the horizontal plane also TR 36.942, section 4.2.1.
    """

    gain_dbi: float
    horizontal_beamwidth_deg: float
    vertical_beamwidth_deg: float
    front_to_back_db: float
    side_lobe_suppression_db: float

    def __post_init__(self) -> None:
        tiny = float(np.nextafter(0.0, 1.0))
        rule = "a sector pattern"
        checked("gain_dbi", self.gain_dbi, (-100.0, 100.0), rule)
        checked("horizontal_beamwidth_deg", self.horizontal_beamwidth_deg, (tiny, 360.0), rule)
        checked("vertical_beamwidth_deg", self.vertical_beamwidth_deg, (tiny, 360.0), rule)
        checked("side_lobe_suppression_db", self.side_lobe_suppression_db, (0.0, 100.0), rule)
        front_to_back = (0.0, 0.0) if self.omnidirectional else (tiny, 100.0)
        checked("front_to_back_db", self.front_to_back_db, front_to_back, rule)

    @property
    def omnidirectional(self) -> bool:
        """Whether the pattern is the same at all azimuths."""
        return self.horizontal_beamwidth_deg == OMNIDIRECTIONAL_BEAMWIDTH_DEG

    @property
    def electrical_tilt_deg(self) -> float:
        """Electrical downtilt that the numbers hold for [degrees]."""
        return 0.0

    @property
    def floor_db(self) -> float:
        """The most this pattern attenuates [dB]."""
        return self.side_lobe_suppression_db if self.omnidirectional else self.front_to_back_db


TR38901_ELEMENT = SectorPattern(
    gain_dbi=8.0,
    horizontal_beamwidth_deg=65.0,
    vertical_beamwidth_deg=65.0,
    front_to_back_db=30.0,
    side_lobe_suppression_db=30.0,
)
"""One radiating element of an array (3GPP TR 38.901, table 7.3-1); not an antenna by itself."""


@njit
def _antenna_frame(
    from_boresight: _Pixels,
    elevation: _Pixels,
    mechanical_tilt: _Pixels,
    own_azimuth: _Pixels,
    own_elevation: _Pixels,
) -> None:
    """Write directions in the frame of a tilted antenna: from its boresight, above its equator."""
    degree, radian = math.pi / 180.0, 180.0 / math.pi
    for i in range(own_azimuth.size):
        sine_across, cosine_across = sine_and_cosine(from_boresight[i] * degree)
        upward, level = sine_and_cosine(elevation[i] * degree)
        sine_tilt, cosine_tilt = sine_and_cosine(mechanical_tilt[i] * degree)
        forward = level * cosine_across
        sideways = level * sine_across
        own_forward = forward * cosine_tilt - upward * sine_tilt
        own_upward = forward * sine_tilt + upward * cosine_tilt
        own_level = math.sqrt(own_forward * own_forward + sideways * sideways)
        own_azimuth[i] = arctangent(sideways, own_forward) * radian
        own_elevation[i] = arctangent(own_upward, own_level) * radian


@njit
def _sector_gain(
    own_azimuth: _Pixels,
    own_elevation: _Pixels,
    electrical_tilt: _Pixels,
    numbers: _Pixels,
    gains: _Pixels,
) -> None:
    """Write the gain of the sector pattern; NaN stays NaN."""
    gain, front_to_back, side_lobes, floor = numbers[0], numbers[3], numbers[4], numbers[5]
    horizontal_curvature, vertical_curvature = numbers[1], numbers[2]
    for i in range(gains.size):
        off_lobe = own_elevation[i] + electrical_tilt[i]
        horizontal = horizontal_curvature * own_azimuth[i] * own_azimuth[i]
        horizontal = min(horizontal, front_to_back)
        vertical = vertical_curvature * off_lobe * off_lobe
        vertical = min(vertical, side_lobes)
        attenuation = horizontal + vertical
        gains[i] = gain - (min(attenuation, floor))


def _own_directions(
    azimuth_deg: ArrayLike,
    elevation_deg: ArrayLike,
    boresight_azimuth_deg: ArrayLike,
    mechanical_tilt_deg: ArrayLike,
    electrical_tilt_deg: ArrayLike,
) -> tuple[_Pixels, _Pixels, _Pixels, tuple[int, ...]]:
    """Return own azimuth, own elevation and electrical tilt, flat, and the common shape."""
    azimuth, elevation = np.asarray(azimuth_deg), np.asarray(elevation_deg)
    single = azimuth.dtype == elevation.dtype == np.float32
    dtype = np.float32 if single else np.float64
    boresight = checked("boresight_azimuth_deg", boresight_azimuth_deg, _ANGLE_DEG, _CLAUSE)
    mechanical_tilt = checked("mechanical_tilt_deg", mechanical_tilt_deg, _TILT_DEG, _CLAUSE)
    electrical_tilt = checked("electrical_tilt_deg", electrical_tilt_deg, _TILT_DEG, _CLAUSE)
    shape = np.broadcast_shapes(
        azimuth.shape, elevation.shape, boresight.shape, mechanical_tilt.shape,
        electrical_tilt.shape,
    )  # fmt: skip

    def flat(values: NDArray[np.generic]) -> _Pixels:
        pixels = np.empty(shape, dtype)
        pixels[...] = values
        return pixels.ravel()

    from_boresight = flat(azimuth) - flat(boresight)
    from_boresight -= dtype(360.0) * np.rint(from_boresight / dtype(360.0))
    if not mechanical_tilt.any():
        return from_boresight, flat(elevation), flat(electrical_tilt), shape
    own_azimuth, own_elevation = np.empty_like(from_boresight), np.empty_like(from_boresight)
    _antenna_frame(
        from_boresight, flat(elevation), flat(mechanical_tilt), own_azimuth, own_elevation
    )
    return own_azimuth, own_elevation, flat(electrical_tilt), shape


def _pattern_gain(
    pattern: SectorPattern,
    own_azimuth: _Pixels,
    own_elevation: _Pixels,
    electrical_tilt: _Pixels,
) -> _Pixels:
    numbers = np.empty(6, own_azimuth.dtype)
    numbers[:] = (
        pattern.gain_dbi,
        0.0 if pattern.omnidirectional else 12.0 / pattern.horizontal_beamwidth_deg**2,
        12.0 / pattern.vertical_beamwidth_deg**2,
        pattern.front_to_back_db,
        pattern.side_lobe_suppression_db,
        pattern.floor_db,
    )
    gains = np.empty_like(own_azimuth)
    _sector_gain(own_azimuth, own_elevation, electrical_tilt, numbers, gains)
    return gains


def sector_gain(
    pattern: SectorPattern,
    azimuth_deg: ArrayLike,
    elevation_deg: ArrayLike,
    boresight_azimuth_deg: ArrayLike,
    mechanical_tilt_deg: ArrayLike = 0.0,
    electrical_tilt_deg: ArrayLike = 0.0,
) -> np.floating | _Pixels:
    """Return the gain of a sector antenna (TR 36.814, table A.2.1.1-2) towards directions.

    Parameters
    ----------
    pattern : SectorPattern
        The antenna.
    azimuth_deg : array_like
        Directions as seen from the mast [degrees clockwise from north].
    elevation_deg : array_like
        Directions as seen from the mast [degrees above the horizon].
    boresight_azimuth_deg : array_like
        Where the antenna faces [degrees clockwise from north].
    mechanical_tilt_deg, electrical_tilt_deg : array_like
        Downtilts [degrees, down positive].

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
    >>> macro = SectorPattern(15.0, 65.0, 15.0, 25.0, 20.0)
    >>> float(sector_gain(macro, azimuth_deg=120.0, elevation_deg=0.0, boresight_azimuth_deg=120.0))
    15.0
    >>> float(sector_gain(macro, 152.5, 0.0, 120.0))  # half the beamwidth off
    12.0
    """
    own_azimuth, own_elevation, electrical_tilt, shape = _own_directions(
        azimuth_deg,
        elevation_deg,
        boresight_azimuth_deg,
        mechanical_tilt_deg,
        electrical_tilt_deg,
    )
    gains = _pattern_gain(pattern, own_azimuth, own_elevation, electrical_tilt)
    scalar_or_array: np.floating | _Pixels = gains.reshape(shape)[()]
    return scalar_or_array


def array_gain(
    n_rows: int,
    n_columns: int,
    azimuth_deg: ArrayLike,
    elevation_deg: ArrayLike,
    boresight_azimuth_deg: ArrayLike,
    mechanical_tilt_deg: ArrayLike = 0.0,
    electrical_tilt_deg: ArrayLike = 0.0,
    *,
    element: SectorPattern = TR38901_ELEMENT,
    row_spacing_wavelengths: float = 0.5,
    column_spacing_wavelengths: float = 0.5,
) -> np.floating | _Pixels:
    """Return the gain of a uniform array of elements (TR 38.901, section 7.3).

    Parameters
    ----------
    n_rows, n_columns : int
        Elements above and beside each other, of one polarisation, fed with equal amplitudes.
    azimuth_deg, elevation_deg : array_like
        Directions as seen from the mast [degrees clockwise from north, above the horizon].
    boresight_azimuth_deg : array_like
        Where the array faces [degrees clockwise from north].
    mechanical_tilt_deg, electrical_tilt_deg : array_like
        Downtilts [degrees, down positive]; the electrical one steers the array's beam while its
        elements keep facing ahead.
    element : SectorPattern
        Pattern of one element.
    row_spacing_wavelengths, column_spacing_wavelengths : float
        Distances between neighbouring elements [wavelengths].

    Returns
    -------
    numpy.floating or numpy.ndarray
        Gain [dBi], of the inputs' common shape; minus infinity in an exact null.

    Raises
    ------
    OutOfRangeError
        If a count is below 1, or a spacing, boresight or tilt is no fit number.

    Notes
    -----
    The sum over the elements is a geometric series in each direction, so the array adds
    10 log10(F_rows F_columns) to the element with F = sin²(N ψ/2) / (N sin²(ψ/2)),
    ψ_rows = 2π d_v (sin θ' + sin tilt) and ψ_columns = 2π d_h cos θ' sin φ' in the array's own
    frame. At the peak F = N.

    References
    ----------
    3GPP TR 38.901 V17.0.0, section 7.3 and table 7.3-1.

    Examples
    --------
    >>> round(float(array_gain(8, 4, 0.0, 0.0, 0.0)), 2)  # 8 dBi and 32 elements
    23.05
    """
    counts = (1.0, np.inf)
    spacings = (float(np.nextafter(0.0, 1.0)), np.inf)
    checked("n_rows", n_rows, counts, "an array")
    checked("n_columns", n_columns, counts, "an array")
    checked("row_spacing_wavelengths", row_spacing_wavelengths, spacings, "an array")
    checked("column_spacing_wavelengths", column_spacing_wavelengths, spacings, "an array")
    own_azimuth, own_elevation, electrical_tilt, shape = _own_directions(
        azimuth_deg,
        elevation_deg,
        boresight_azimuth_deg,
        mechanical_tilt_deg,
        electrical_tilt_deg,
    )
    across, up = np.radians(own_azimuth), np.radians(own_elevation)
    downtilt = np.radians(electrical_tilt)
    factor = _series_power(
        n_rows, row_spacing_wavelengths * (np.sin(up) + np.sin(downtilt))
    ) * _series_power(n_columns, column_spacing_wavelengths * np.cos(up) * np.sin(across))
    element_gain = _pattern_gain(element, own_azimuth, own_elevation, np.zeros_like(own_azimuth))
    with np.errstate(divide="ignore"):
        gains = element_gain + 10.0 * np.log10(factor)
    scalar_or_array: np.floating | _Pixels = gains.reshape(shape)[()]
    return scalar_or_array


def _series_power(count: int, turns: _Pixels) -> _Pixels:
    """Return |Σ exp(2πi k turns)|² / count over k = 0 … count − 1."""
    # Whole turns change nothing; without them the quotient 0/0 stands at zero alone, where the
    # normalised sinc knows the limit.
    turns = turns - np.rint(turns)
    amplitude = count * np.sinc(count * turns) / np.sinc(turns)
    power: _Pixels = amplitude**2 / count
    return power
