"""Coordinates: projection of a place, China's shifted datums, angles as text.

Maps sold in China do not use WGS-84 but GCJ-02, which is shifted by some hundred metres, or BD-09,
which shifts GCJ-02 once more. CGCS2000 equals WGS-84 to within a metre and needs no conversion.
"""

import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.limits import limits

WGS84 = CRS.from_epsg(4326)

Longitudes = NDArray[np.float64]
Latitudes = NDArray[np.float64]
Shift = Callable[[ArrayLike, ArrayLike], tuple[Longitudes, Latitudes]]

KRASOVSKY_RADIUS_M = 6_378_245.0
"""Semi-major axis of the Krasovsky 1940 ellipsoid."""
KRASOVSKY_ECCENTRICITY_SQUARED = 0.006693421622965943
GCJ02_WEST_EAST_DEG = (72.004, 137.8347)
"""Outside this rectangle around China GCJ-02 is WGS-84."""
GCJ02_SOUTH_NORTH_DEG = (0.8293, 55.8271)
BD09_OFFSET_DEG = (0.0065, 0.006)
BD09_WAVE_NUMBER = 3000.0 * np.pi / 180.0
INVERSE_ROUNDS = 6
"""Each round gains two digits or more; at 105°E, where GCJ-02 has a cusp, the last ones gain
less."""

ANGLE_SIGNS = {
    "E": ("东经",),
    "W": ("西经",),
    "N": ("北纬",),
    "S": ("南纬",),
    "°": ("º", "˚", "度"),
    '"': ("″", "”", "“", "秒"),
    "'": ("′", "’", "‘", "´", "`", "分"),
    "-": ("−", "–"),
}
"""Other signs in tables for hemispheres, degrees, seconds, minutes and minus."""
_NUMBER = r"\d+(?:\.\d*)?"
ANGLE = (
    rf"^(?P<before>[NSEW]?) ?(?P<sign>[+-]?) ?(?P<degrees>{_NUMBER}) ?"
    rf"(?:[°: ] ?(?:(?P<minutes>{_NUMBER}) ?(?:[': ] ?(?:(?P<seconds>{_NUMBER}) ?\"?)?)?)?)?"
    rf" ?(?P<after>[NSEW]?)$"
)


def utm_crs(longitude_deg: float, latitude_deg: float) -> CRS:
    """Return the WGS-84 / UTM zone of a place: metres, axes east and north.

    The 3-degree CGCS2000 zones have axis order north, east, and Ankang straddles two of them;
    one UTM zone covers it with a scale error under 600 ppm.

    Parameters
    ----------
    longitude_deg, latitude_deg : float
        WGS-84 position [degrees].

    Returns
    -------
    CRS
        The CRS.

    Raises
    ------
    OutOfRangeError
        If the position is not on the globe or beyond the reach of UTM (80°S to 84°N).

    Examples
    --------
    >>> utm_crs(109.02, 32.69).to_epsg()
    32649
    """
    if not (-180.0 <= longitude_deg <= 180.0 and -80.0 <= latitude_deg <= 84.0):
        raise OutOfRangeError(
            f"longitude {longitude_deg}, latitude {latitude_deg} is not a place UTM covers "
            f"(-180 to 180, -80 to 84): are the two swapped?"
        )
    zone = min(int((longitude_deg + 180.0) // 6.0) + 1, 60)
    return CRS.from_epsg((32600 if latitude_deg >= 0.0 else 32700) + zone)


def wgs84_to_gcj02(
    longitude_deg: ArrayLike, latitude_deg: ArrayLike
) -> tuple[Longitudes, Latitudes]:
    """Shift WGS-84 positions to GCJ-02, the datum of Gaode's and Tencent's maps.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like
        Positions [degrees]. Outside a rectangle around China they are not changed.

    Returns
    -------
    tuple
        Longitudes and latitudes [degrees].

    Notes
    -----
    The formula was never published; this is the one that the implementations in use agree on: a
    polynomial and six sines around 105°E, 35°N give a displacement in metres, and the Krasovsky
    ellipsoid converts it to degrees.

    Examples
    --------
    >>> longitude, latitude = wgs84_to_gcj02(109.02, 32.69)
    >>> print(f"{longitude:.5f} {latitude:.5f}")
    109.02483 32.68791
    """
    longitude, latitude = _as_degrees(longitude_deg, latitude_deg)
    east_m, north_m = _gcj02_displacement_m(longitude - 105.0, latitude - 35.0)
    parallel = np.radians(latitude)
    flattened = 1.0 - KRASOVSKY_ECCENTRICITY_SQUARED * np.sin(parallel) ** 2
    meridian_radius_m = KRASOVSKY_RADIUS_M * (1.0 - KRASOVSKY_ECCENTRICITY_SQUARED) / flattened**1.5
    normal_radius_m = KRASOVSKY_RADIUS_M / np.sqrt(flattened)
    shifted_east = longitude + np.degrees(east_m / (normal_radius_m * np.cos(parallel)))
    shifted_north = latitude + np.degrees(north_m / meridian_radius_m)
    west, east = GCJ02_WEST_EAST_DEG
    south, north = GCJ02_SOUTH_NORTH_DEG
    inside = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
    return np.where(inside, shifted_east, longitude), np.where(inside, shifted_north, latitude)


def gcj02_to_wgs84(
    longitude_deg: ArrayLike, latitude_deg: ArrayLike
) -> tuple[Longitudes, Latitudes]:
    """Shift GCJ-02 positions back to WGS-84.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like
        Positions [degrees].

    Returns
    -------
    tuple
        Longitudes and latitudes [degrees]; `wgs84_to_gcj02` of them is the input to within a
        micrometre.

    Examples
    --------
    >>> longitude, latitude = gcj02_to_wgs84(*wgs84_to_gcj02(109.02, 32.69))
    >>> print(f"{longitude:.9f} {latitude:.9f}")
    109.020000000 32.690000000
    """
    return _inverse(wgs84_to_gcj02, longitude_deg, latitude_deg)


def gcj02_to_bd09(
    longitude_deg: ArrayLike, latitude_deg: ArrayLike
) -> tuple[Longitudes, Latitudes]:
    """Shift GCJ-02 positions to BD-09, the datum of Baidu's maps.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like
        Positions [degrees].

    Returns
    -------
    tuple
        Longitudes and latitudes [degrees].

    Notes
    -----
    Also known only from implementations: radius and angle from 0°N 0°E each get a sine added, then
    0.0065° and 0.006° are added.

    Examples
    --------
    >>> longitude, latitude = gcj02_to_bd09(116.404, 39.915)
    >>> print(f"{longitude:.5f} {latitude:.5f}")
    116.41037 39.92134
    """
    longitude, latitude = _as_degrees(longitude_deg, latitude_deg)
    radius = np.hypot(longitude, latitude) + 2e-5 * np.sin(latitude * BD09_WAVE_NUMBER)
    angle = np.arctan2(latitude, longitude) + 3e-6 * np.cos(longitude * BD09_WAVE_NUMBER)
    return (
        np.asarray(radius * np.cos(angle) + BD09_OFFSET_DEG[0]),
        np.asarray(radius * np.sin(angle) + BD09_OFFSET_DEG[1]),
    )


def bd09_to_gcj02(
    longitude_deg: ArrayLike, latitude_deg: ArrayLike
) -> tuple[Longitudes, Latitudes]:
    """Shift BD-09 positions back to GCJ-02.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like
        Positions [degrees].

    Returns
    -------
    tuple
        Longitudes and latitudes [degrees]; `gcj02_to_bd09` of them is the input to within a
        micrometre.

    Examples
    --------
    >>> longitude, latitude = bd09_to_gcj02(*gcj02_to_bd09(109.02, 32.69))
    >>> print(f"{longitude:.9f} {latitude:.9f}")
    109.020000000 32.690000000
    """
    return _inverse(gcj02_to_bd09, longitude_deg, latitude_deg)


def parse_angle(text: ArrayLike) -> NDArray[np.float64]:
    r"""Read angles written as degrees, minutes and seconds.

    Parameters
    ----------
    text : array_like
        Texts such as ``109°01'30"E``, ``东经109度1分30秒``, ``N32:41:24`` or ``109.025``, in
        half-width or full-width characters; minutes and seconds below 60, and only the last of
        the numbers with decimals.

    Returns
    -------
    numpy.ndarray
        Angles [degrees], negative for south, west and a minus sign; NaN where a text is not an
        angle.

    Examples
    --------
    >>> print(parse_angle("109°01'30\"E"), parse_angle(["３２°４１′２４″", "33°61'", "?"]))
    109.025 [32.69   nan   nan]
    """
    texts = np.asarray(text, dtype=object)
    parts = pd.Series([_plain_angle(angle) for angle in texts.ravel()], dtype=object)
    found = parts.str.extract(ANGLE)
    numbers = found[["degrees", "minutes", "seconds"]].astype(np.float64)
    degrees, minutes, seconds = numbers.fillna(0.0).to_numpy().T
    whole_degrees = (degrees % 1.0 == 0.0) | numbers["minutes"].isna()
    whole_minutes = (minutes % 1.0 == 0.0) | numbers["seconds"].isna()
    one_hemisphere = (found["before"] == "") | (found["after"] == "")
    hemisphere = found["before"].fillna("") + found["after"].fillna("")
    one_sign = (hemisphere == "") | (found["sign"] == "")
    valid = (minutes < 60.0) & (seconds < 60.0)
    valid &= whole_degrees & whole_minutes & one_hemisphere & one_sign & numbers["degrees"].notna()
    negative = hemisphere.isin(["S", "W"]) | (found["sign"] == "-")
    angles = np.where(negative, -1.0, 1.0) * (degrees + minutes / 60.0 + seconds / 3600.0)
    return np.where(valid, angles, np.nan).reshape(texts.shape)


def _plain_angle(text: object) -> str:
    plain = str(text)
    if (
        len(plain) > limits().digits
    ):  # matching takes time in proportion to the square of the length
        return ""
    if not plain.isascii():
        for sign, others in ANGLE_SIGNS.items():
            for other in others:
                plain = plain.replace(other, sign)
        plain = unicodedata.normalize("NFKC", plain)
    return " ".join(plain.replace("''", '"').upper().split())


def _as_degrees(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> tuple[Longitudes, Latitudes]:
    longitude, latitude = np.broadcast_arrays(
        np.asarray(longitude_deg, np.float64), np.asarray(latitude_deg, np.float64)
    )
    return longitude, latitude


def _gcj02_displacement_m(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the displacement [m] east and north at x, y degrees from 105°E, 35°N."""
    root = np.sqrt(np.abs(x))
    ripple = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    waves_east = ripple + (
        20.0 * np.sin(np.pi * x)
        + 40.0 * np.sin(np.pi * x / 3.0)
        + 150.0 * np.sin(np.pi * x / 12.0)
        + 300.0 * np.sin(np.pi * x / 30.0)
    )
    waves_north = ripple + (
        20.0 * np.sin(np.pi * y)
        + 40.0 * np.sin(np.pi * y / 3.0)
        + 160.0 * np.sin(np.pi * y / 12.0)
        + 320.0 * np.sin(np.pi * y / 30.0)
    )
    east_m = 300.0 + x + 2.0 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * root
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * root
    return east_m + 2.0 / 3.0 * waves_east, north_m + 2.0 / 3.0 * waves_north


def _inverse(
    shift: Shift, longitude_deg: ArrayLike, latitude_deg: ArrayLike
) -> tuple[Longitudes, Latitudes]:
    """Undo a shift: start at its result, and correct repeatedly by the remaining error."""
    target_longitude, target_latitude = _as_degrees(longitude_deg, latitude_deg)
    longitude, latitude = target_longitude, target_latitude
    for _ in range(INVERSE_ROUNDS):
        shifted_longitude, shifted_latitude = shift(longitude, latitude)
        longitude = longitude + (target_longitude - shifted_longitude)
        latitude = latitude + (target_latitude - shifted_latitude)
    return np.asarray(longitude), np.asarray(latitude)
