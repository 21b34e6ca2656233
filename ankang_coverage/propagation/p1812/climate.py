"""Radio-climatic data of a path (ITU-R P.1812-8, section 3)."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.propagation._ranges import FloatOrArray
from ankang_coverage.propagation.p1812.inputs import INLAND, SEA, Link, Profile

EARTH_RADIUS_KM: Final = 6371.0

DELTA_N: Final = 40.0
"""Fall of refractivity over the lowest kilometre [N-units/km] where no map value is given.

The standard refractivity gradient of Recommendation ITU-R P.310, the median of temperate regions;
the effective radius of the earth becomes 4/3 of the true one.
"""

N0: Final = 315.0
"""Surface refractivity at sea level [N-units] where no map value is given.

The global mean of the reference atmosphere N = 315 exp(−h / 7.35 km), Recommendation ITU-R P.453.
"""

B0_RADIUS_KM: Final = 3.0 * EARTH_RADIUS_KM
"""Effective radius of the earth exceeded for β0 of the time [km], equation (7b)."""


@dataclass(frozen=True)
class Climate:
    """Sea, land and air along a path; attributes as in `P1812Loss`."""

    omega: float
    dtm_km: float
    dlm_km: float
    phi_deg: float
    b0_percent: float
    ae_km: float
    ab_km: float


def climate_of(profile: Profile, link: Link) -> Climate:
    """Return the radio-climatic data of a path."""
    d, zones = profile.distance_km, profile.zone
    dtm = max(_sections(d, zones != SEA), default=0.0)
    dlm = max(_sections(d, zones == INLAND), default=0.0)
    return Climate(
        omega=sum(_sections(d, zones == SEA)) / profile.length_km,
        dtm_km=dtm,
        dlm_km=dlm,
        phi_deg=link.latitude_deg,
        b0_percent=float(beta0(link.latitude_deg, dtm, dlm)),
        ae_km=median_radius_km(link.delta_n),
        ab_km=B0_RADIUS_KM,
    )


def path_centre_latitude(
    transmitter_lonlat_deg: tuple[float, float],
    receiver_lonlat_deg: tuple[float, float],
    path_length_km: float,
) -> float:
    """Return the latitude of a path's centre (ITU-R P.1812-8, 3.6, by ITU-R P.2001, annex H).

    Parameters
    ----------
    transmitter_lonlat_deg, receiver_lonlat_deg : tuple of float
        Longitude and latitude of the two ends [deg].
    path_length_km : float
        Length of the profile [km]; the centre lies half of it from the transmitter, on the great
        circle towards the receiver and an earth of 6371 km radius.

    Returns
    -------
    float
        Latitude of the centre [deg], positive north.

    Examples
    --------
    >>> regensburg, munich = (12.0772222, 48.9947222), (11.6297222, 48.1869444)
    >>> round(path_centre_latitude(regensburg, munich, 96.2), 4)
    48.5888
    """
    (lon_t, lat_t), (lon_r, lat_r) = np.radians([transmitter_lonlat_deg, receiver_lonlat_deg])
    north = math.cos(lat_t) * math.sin(lat_r) - math.sin(lat_t) * math.cos(lat_r) * math.cos(
        lon_r - lon_t
    )
    east = math.cos(lat_r) * math.sin(lon_r - lon_t)
    half = 0.5 * path_length_km / EARTH_RADIUS_KM
    northward = math.cos(math.atan2(east, north))
    return math.degrees(
        math.asin(math.sin(lat_t) * math.cos(half) + math.cos(lat_t) * math.sin(half) * northward)
    )


def median_radius_km(delta_n: float) -> float:
    """Return the median effective radius of the earth (ITU-R P.1812-8, section 3.5).

    Parameters
    ----------
    delta_n : float
        Fall of refractivity over the lowest kilometre [N-units/km].

    Returns
    -------
    float
        a_e = 6371 · 157 / (157 − ΔN) [km], equations (6) and (7a).

    Examples
    --------
    >>> round(median_radius_km(45.0), 3)
    8930.777
    """
    return EARTH_RADIUS_KM * 157.0 / (157.0 - delta_n)


def beta0(
    latitude_deg: float, longest_land_km: ArrayLike, longest_inland_km: ArrayLike
) -> FloatOrArray:
    """Return the percentage of time with a steep refractivity fall (ITU-R P.1812-8, 3.6).

    Parameters
    ----------
    latitude_deg : float
        Latitude of the path's centre φ [deg].
    longest_land_km : array_like
        Longest continuous land (inland or coastal) section of the path d_tm [km]; any shape.
    longest_inland_km : array_like
        Longest continuous inland section of the path d_lm [km]; any shape.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        β0 [%]: time for which refractivity falls by more than 100 N-units/km in the lowest 100 m.

    Examples
    --------
    >>> round(float(beta0(48.58877214, 96.2, 96.2)), 6)
    1.442217
    """
    phi = abs(latitude_deg)
    tau = inland_factor(longest_inland_km)
    over_land = np.power(10.0, -np.asarray(longest_land_km) / (16.0 - 6.6 * tau))
    over_inland = np.power(10.0, -5.0 * (0.496 + 0.354 * tau))
    mu1 = np.minimum((over_land + over_inland) ** 0.2, 1.0)  # (2)
    if phi <= 70.0:
        result = 10.0 ** (-0.015 * phi + 1.67) * mu1 * mu1 ** (-0.935 + 0.0176 * phi)  # (4), (5)
    else:
        result = 4.17 * mu1 * mu1**0.3
    return np.asarray(result)[()]


def inland_factor(longest_inland_km: ArrayLike) -> NDArray[np.float64]:
    """Return τ = 1 − exp(−4.12e-4 d_lm^2.41), equation (3)."""
    return np.asarray(1.0 - np.exp(-4.12e-4 * np.asarray(longest_inland_km) ** 2.41))


def _sections(d: NDArray[np.float64], inside: NDArray[np.bool_]) -> list[float]:
    """Lengths of the runs of points inside a zone; a run ends halfway to the next point [km]."""
    halfway = np.concatenate(([d[0]], 0.5 * (d[1:] + d[:-1]), [d[-1]]))
    changes = np.diff(np.concatenate(([False], inside, [False])).astype(np.int8))
    starts, stops = np.flatnonzero(changes == 1), np.flatnonzero(changes == -1)
    return [float(length) for length in halfway[stops] - halfway[starts]]
