"""Diffraction along one terrain profile, after ITU-R P.526.

It has the loss of one knife edge; Bullington's construction, which replaces a
profile by the one edge where the horizon rays of both ends meet; the loss of a smooth spherical
earth; and delta-Bullington, which adds what Bullington's edge leaves out of a smooth earth.

Distances along the profile are in kilometres and heights in metres above sea level, as in the
recommendation, so that ``500 d² / a`` is the earth's bulge in metres.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation._ranges import FloatOrArray, checked, require_word

_CLAUSE: Final = "ITU-R P.526"

Polarisation: TypeAlias = Literal["horizontal", "vertical"]

# ITU-R P.2001 and the published examples of P.1812 round the speed of light like this.
WAVELENGTH_M_GHZ: Final = 0.2998

# Edges this far below the ray cost nothing (P.526, equation (31)).
NEGLIGIBLE_NU: Final = -0.78

# Clearance in first Fresnel zones, 0.552 √(d1 d2 λ / d), with d in km: the rest is 0.552 √1000.
_ZERO_LOSS_CLEARANCE: Final = 17.456

# Relative permittivity and conductivity [S/m]
LAND: Final = (22.0, 0.003)
SEA: Final = (80.0, 5.0)


@dataclass(frozen=True)
class DeltaBullington:
    """Loss of a path by delta-Bullington and its three parts (ITU-R P.526, section 4.5).

    Attributes
    ----------
    loss_db : float
        Diffraction loss of the path [dB].
    bullington_db : float
        Bullington's construction on the profile [dB].
    smooth_bullington_db : float
        Bullington's construction on the smooth path [dB].
    spherical_earth_db : float
        Spherical-earth loss of the smooth path [dB].
    """

    loss_db: float
    bullington_db: float
    smooth_bullington_db: float
    spherical_earth_db: float


def knife_edge_loss(nu: ArrayLike) -> FloatOrArray:
    """Return the loss J(ν) of one knife edge (ITU-R P.526, section 4.1, equation (31)).

    Parameters
    ----------
    nu : array_like
        Diffraction parameter ν, positive where the edge stands above the ray; any shape.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        J(ν) = 6.9 + 20 log10(√((ν − 0.1)² + 1) + ν − 0.1) [dB], zero up to ν = −0.78; NaN for
        NaN.

    Examples
    --------
    >>> round(float(knife_edge_loss(0.0)), 2)
    6.03
    """
    shifted = np.asarray(nu, dtype=np.float64) - 0.1
    # At −0.78 the formula crosses zero, to 0.02 dB; from there down it counts for nothing.
    loss = 6.9 + 20.0 * np.log10(np.sqrt(shifted**2 + 1.0) + shifted)
    return np.where(shifted <= NEGLIGIBLE_NU - 0.1, 0.0, loss)[()]


def bullington_loss(
    distance_km: ArrayLike,
    height_m: ArrayLike,
    transmitter_m: float,
    receiver_m: float,
    effective_radius_km: float,
    frequency_mhz: float,
) -> float:
    """Return Bullington's loss of a profile (ITU-R P.526, section 4.5.1; P.1812, 4.3.1).

    Parameters
    ----------
    distance_km : array_like
        Distances of the profile's points from the transmitter [km], from 0, increasing.
    height_m : array_like
        Heights of the points above sea level [m]. The first and last do not matter.
    transmitter_m, receiver_m : float
        Heights of the antennas above sea level [m].
    effective_radius_km : float
        Effective radius of the earth [km].
    frequency_mhz : float
        Frequency [MHz].

    Returns
    -------
    float
        Loss [dB].

    Raises
    ------
    OutOfRangeError
        If the profile is not one (see `checked_profile`), a height is not a number, or radius or
        frequency is not positive.

    Notes
    -----
    In sight, the edge is the point of the profile with the greatest ν. Out of sight, it stands
    where the ray from the transmitter over its horizon meets the one from the receiver.

    Examples
    --------
    >>> round(bullington_loss([0, 5, 10], [0, 100, 0], 50, 50, 8500, 900), 2)
    30.84
    """
    distance, height = checked_profile(distance_km, height_m=height_m)
    _require_numbers(transmitter_m=transmitter_m, receiver_m=receiver_m)
    _require_positive(effective_radius_km=effective_radius_km, frequency_mhz=frequency_mhz)
    wavelength = WAVELENGTH_M_GHZ / (frequency_mhz / 1e3)
    total = float(distance[-1])
    d, ahead = distance[1:-1], total - distance[1:-1]
    bulging = height[1:-1] + 500.0 / effective_radius_km * d * ahead
    slope_to_point = float(np.max((bulging - transmitter_m) / d))
    slope_to_receiver = (receiver_m - transmitter_m) / total
    if slope_to_point < slope_to_receiver:
        ray = (transmitter_m * ahead + receiver_m * d) / total
        nu = float(np.max((bulging - ray) * np.sqrt(0.002 * total / (wavelength * d * ahead))))
    else:
        slope_back = float(np.max((bulging - receiver_m) / ahead))
        steepness = slope_to_point + slope_back
        # Both rays graze the same line when this is zero: every point of it is the edge.
        edge = (slope_to_receiver + slope_back) * total / steepness if steepness > 0.0 else d[0]
        edge = min(max(edge, float(d[0])), float(d[-1]))
        height_of_edge = (slope_to_point - slope_to_receiver) * edge
        nu = height_of_edge * math.sqrt(0.002 * total / (wavelength * edge * (total - edge)))
    edge_loss = float(knife_edge_loss(nu))
    return edge_loss + (1.0 - math.exp(-edge_loss / 6.0)) * (10.0 + 0.02 * total)


def spherical_earth_loss(
    distance_km: float,
    transmitter_height_m: float,
    receiver_height_m: float,
    effective_radius_km: float,
    frequency_mhz: float,
    polarisation: Polarisation = "vertical",
    sea_fraction: float = 0.0,
) -> float:
    """Return the diffraction loss of a smooth spherical earth (ITU-R P.526, section 3.2).

    Parameters
    ----------
    distance_km : float
        Length of the path [km].
    transmitter_height_m, receiver_height_m : float
        Heights of the antennas above the smooth surface [m].
    effective_radius_km : float
        Effective radius of the earth [km].
    frequency_mhz : float
        Frequency [MHz].
    polarisation : {'horizontal', 'vertical'}
        ``horizontal`` or ``vertical``.
    sea_fraction : float
        Part of the path over sea, 0 to 1.

    Returns
    -------
    float
        Loss [dB]: the first term of the residue series beyond the horizon; within it an
        interpolation down to zero, where the ray clears the surface by 0.552 Fresnel zones.

    Raises
    ------
    OutOfRangeError
        If the polarisation is unknown, the part over sea is outside 0 to 1, or another number is
        not positive.

    Examples
    --------
    >>> round(spherical_earth_loss(50.0, 30.0, 10.0, 8500.0, 900.0), 2)
    32.87
    """
    _require_smooth_path(
        distance_km,
        transmitter_height_m,
        receiver_height_m,
        effective_radius_km,
        frequency_mhz,
        polarisation,
        sea_fraction,
    )
    d, radius = distance_km, effective_radius_km
    h1, h2 = transmitter_height_m, receiver_height_m
    horizon = math.sqrt(2.0 * radius) * (math.sqrt(0.001 * h1) + math.sqrt(0.001 * h2))
    if d >= horizon:
        return first_term_loss(d, h1, h2, radius, frequency_mhz, polarisation, sea_fraction)
    # The point of least clearance is the root of a cubic, solved with an angle's third part.
    c = (h1 - h2) / (h1 + h2)
    m = 250.0 * d * d / (radius * (h1 + h2))
    third = math.acos(1.5 * c * math.sqrt(3.0 * m / (m + 1.0) ** 3)) / 3.0
    b = 2.0 * math.sqrt((m + 1.0) / (3.0 * m)) * math.cos(math.pi / 3.0 + third)
    d1 = d / 2.0 * (1.0 + b)
    d2 = d - d1
    clearance = ((h1 - 500.0 * d1 * d1 / radius) * d2 + (h2 - 500.0 * d2 * d2 / radius) * d1) / d
    wavelength = WAVELENGTH_M_GHZ / (frequency_mhz / 1e3)
    required = _ZERO_LOSS_CLEARANCE * math.sqrt(d1 * d2 * wavelength / d)
    if clearance > required:
        return 0.0
    # On an earth of this radius the path would just touch the horizon.
    touching_radius = 500.0 * (d / (math.sqrt(h1) + math.sqrt(h2))) ** 2
    touching = first_term_loss(
        d, h1, h2, touching_radius, frequency_mhz, polarisation, sea_fraction
    )
    return (1.0 - clearance / required) * max(touching, 0.0)


def first_term_loss(
    distance_km: float,
    transmitter_height_m: float,
    receiver_height_m: float,
    effective_radius_km: float,
    frequency_mhz: float,
    polarisation: Polarisation = "vertical",
    sea_fraction: float = 0.0,
) -> float:
    """Return the first term of the residue series (ITU-R P.526, section 3.1.1; P.1812, 4.3.3).

    Parameters
    ----------
    distance_km : float
        Length of the path [km].
    transmitter_height_m, receiver_height_m : float
        Heights of the antennas above the smooth surface [m].
    effective_radius_km : float
        Effective radius of the earth [km].
    frequency_mhz : float
        Frequency [MHz].
    polarisation : {'horizontal', 'vertical'}
        Polarisation.
    sea_fraction : float
        Part of the path over sea, 0 to 1: weighs ground of relative permittivity 22 and
        conductivity 0.003 S/m and sea of 80 and 5 S/m.

    Returns
    -------
    float
        Loss [dB]; it may be negative where the term does not hold, well within the horizon.

    Raises
    ------
    OutOfRangeError
        As in `spherical_earth_loss`.

    Examples
    --------
    >>> round(first_term_loss(50.0, 30.0, 10.0, 8500.0, 900.0), 2)
    32.87
    """
    _require_smooth_path(
        distance_km,
        transmitter_height_m,
        receiver_height_m,
        effective_radius_km,
        frequency_mhz,
        polarisation,
        sea_fraction,
    )
    over_land, over_sea = (
        _first_term_over(
            distance_km,
            transmitter_height_m,
            receiver_height_m,
            effective_radius_km,
            frequency_mhz / 1e3,
            polarisation,
            permittivity,
            conductivity,
        )
        for permittivity, conductivity in (LAND, SEA)
    )
    return sea_fraction * over_sea + (1.0 - sea_fraction) * over_land


def _first_term_over(
    d: float,
    h1: float,
    h2: float,
    radius: float,
    f: float,
    polarisation: Polarisation,
    permittivity: float,
    conductivity: float,
) -> float:
    """First term over one kind of surface (P.1812, equations (29) to (36)); f in GHz."""
    loss_term = (18.0 * conductivity / f) ** 2
    admittance = (
        0.036 / math.cbrt(radius * f) / math.pow((permittivity - 1.0) ** 2 + loss_term, 0.25)
    )
    if polarisation == "vertical":
        admittance *= math.sqrt(permittivity**2 + loss_term)
    k2 = admittance**2
    beta = (1.0 + 1.6 * k2 + 0.67 * k2**2) / (1.0 + 4.5 * k2 + 1.53 * k2**2)
    x = 21.88 * beta * math.cbrt(f / radius**2) * d
    if x >= 1.6:
        distance_term = 11.0 + 10.0 * math.log10(x) - 17.6 * x
    else:
        distance_term = -20.0 * math.log10(x) - 5.6488 * math.pow(x, 1.425)
    height_scale = 0.9575 * beta * math.cbrt(f**2 / radius)
    return -distance_term - sum(
        _height_gain(beta * height_scale * height, admittance) for height in (h1, h2)
    )


def _height_gain(b: float, admittance: float) -> float:
    """G(Y) for B = β Y (P.1812, equation (35)), not below 2 + 20 log10 K."""
    if b > 2.0:
        gain = 17.6 * math.sqrt(b - 1.1) - 5.0 * math.log10(b - 1.1) - 8.0
    else:
        gain = 20.0 * math.log10(b + 0.1 * b**3)
    return max(gain, 2.0 + 20.0 * math.log10(admittance))


def delta_bullington(
    distance_km: ArrayLike,
    height_m: ArrayLike,
    transmitter_m: float,
    receiver_m: float,
    smooth_surface_m: tuple[float, float],
    effective_radius_km: float,
    frequency_mhz: float,
    polarisation: Polarisation = "vertical",
    sea_fraction: float = 0.0,
) -> DeltaBullington:
    """Return the delta-Bullington loss of a profile (ITU-R P.526, section 4.5; P.1812, 4.3.4).

    Parameters
    ----------
    distance_km, height_m : array_like
        The profile, as in `bullington_loss`; heights may include clutter [km, m].
    transmitter_m, receiver_m : float
        Heights of the antennas above sea level [m].
    smooth_surface_m : tuple of float
        Heights above sea level of the smooth surface under transmitter and receiver [m], from
        `smooth_surface`.
    effective_radius_km : float
        Effective radius of the earth [km].
    frequency_mhz : float
        Frequency [MHz].
    polarisation : {'horizontal', 'vertical'}
        ``horizontal`` or ``vertical``.
    sea_fraction : float
        Part of the path over sea, 0 to 1.

    Returns
    -------
    DeltaBullington
        The loss and its parts.

    Raises
    ------
    OutOfRangeError
        If the profile is not one or the polarisation is unknown.

    Notes
    -----
    L = L_bull(profile) + max(L_sphere − L_bull(smooth path), 0), the smooth path being the same
    distances with all heights zero and the antennas at their heights above the smooth surface.
    """
    distance, height = checked_profile(distance_km, height_m=height_m)
    above_t = transmitter_m - smooth_surface_m[0]
    above_r = receiver_m - smooth_surface_m[1]
    actual = bullington_loss(
        distance, height, transmitter_m, receiver_m, effective_radius_km, frequency_mhz
    )
    smooth = bullington_loss(
        distance, np.zeros_like(height), above_t, above_r, effective_radius_km, frequency_mhz
    )
    sphere = spherical_earth_loss(
        float(distance[-1]),
        above_t,
        above_r,
        effective_radius_km,
        frequency_mhz,
        polarisation,
        sea_fraction,
    )
    return DeltaBullington(actual + max(sphere - smooth, 0.0), actual, smooth, sphere)


def smooth_earth_fit(distance_km: ArrayLike, ground_m: ArrayLike) -> tuple[float, float]:
    """Return the ends of the straight line fitted to a profile (ITU-R P.526; P.1812, 5.6.1).

    Parameters
    ----------
    distance_km, ground_m : array_like
        The profile: distances [km], bare ground above sea level [m].

    Returns
    -------
    tuple of float
        Heights of the line at the first and the last point [m]: the least-squares fit to the
        ground, taken as straight between its points.

    Raises
    ------
    OutOfRangeError
        If the profile is not one (see `checked_profile`).

    Examples
    --------
    >>> smooth_earth_fit([0, 1, 3], [10, 20, 40])
    (10.0, 40.0)
    """
    d, h = checked_profile(distance_km, ground_m=ground_m)
    total = float(d[-1])
    width = np.diff(d)
    v1 = float(np.sum(width * (h[1:] + h[:-1])))
    v2 = float(np.sum(width * (h[1:] * (2 * d[1:] + d[:-1]) + h[:-1] * (d[1:] + 2 * d[:-1]))))
    return (2.0 * v1 * total - v2) / total**2, (v2 - v1 * total) / total**2


def smooth_surface(
    distance_km: ArrayLike, ground_m: ArrayLike, transmitter_m: float, receiver_m: float
) -> tuple[float, float]:
    """Return the smooth surface of the diffraction model (ITU-R P.526, 4.5.2; P.1812, 5.6.2).

    Parameters
    ----------
    distance_km, ground_m : array_like
        The profile: distances [km], bare ground above sea level [m].
    transmitter_m, receiver_m : float
        Heights of the antennas above sea level [m].

    Returns
    -------
    tuple of float
        Heights of the surface under transmitter and receiver [m]: the fitted line, lowered where
        obstacles stand above the line between the antennas, and never above the ground.

    Raises
    ------
    OutOfRangeError
        If the profile is not one (see `checked_profile`).
    """
    d, h = checked_profile(distance_km, ground_m=ground_m)
    under_t, under_r = smooth_earth_fit(d, h)
    total = float(d[-1])
    inner, ahead = d[1:-1], total - d[1:-1]
    obstruction = h[1:-1] - (transmitter_m * ahead + receiver_m * inner) / total
    highest = float(np.max(obstruction))
    if highest > 0.0:
        from_t = float(np.max(obstruction / inner))
        from_r = float(np.max(obstruction / ahead))
        under_t -= highest * from_t / (from_t + from_r)
        under_r -= highest * from_r / (from_t + from_r)
    return min(under_t, float(h[0])), min(under_r, float(h[-1]))


def checked_profile(
    distance_km: ArrayLike, **along: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a profile's distances and one quantity along it, checked.

    Parameters
    ----------
    distance_km : array_like
        Distances from the transmitter [km]: from 0, increasing, three or more.
    **along : array_like
        The quantity under its name, one value for each distance.

    Returns
    -------
    tuple of numpy.ndarray
        Distances and values, float64.

    Raises
    ------
    OutOfRangeError
        If there are fewer than three points, one is not a number, the distances do not increase
        from 0, or the numbers of values differ.
    """
    ((name, given),) = along.items()
    distance = np.asarray(distance_km, dtype=np.float64)
    values = np.asarray(given, dtype=np.float64)
    if distance.ndim != 1 or distance.size < 3:
        raise OutOfRangeError(
            f"distance_km has {distance.size} point(s) but a profile needs 3 or more: the two "
            "ends and the ground between them; sample the path more finely"
        )
    if values.shape != distance.shape:
        raise OutOfRangeError(
            f"{name} has {values.size} value(s) but distance_km has {distance.size}: give one "
            "for each point of the profile"
        )
    for array_name, array in (("distance_km", distance), (name, values)):
        wrong = np.flatnonzero(~np.isfinite(array))
        if wrong.size:
            raise OutOfRangeError(
                f"{array_name} is {array[wrong[0]]} at point {wrong[0]} of the profile: fill the "
                "gap or leave the path out"
            )
    backwards = np.flatnonzero(np.diff(distance) <= 0.0)
    if distance[0] != 0.0 or backwards.size:
        where = int(backwards[0]) + 1 if backwards.size else 0
        raise OutOfRangeError(
            f"distance_km is {distance[where]:g} at point {where} of the profile, but distances "
            "must increase from 0 at the transmitter: sort the points and drop repeated ones"
        )
    return distance, values


def _require_smooth_path(
    distance_km: float,
    transmitter_height_m: float,
    receiver_height_m: float,
    effective_radius_km: float,
    frequency_mhz: float,
    polarisation: str,
    sea_fraction: float,
) -> None:
    require_word("polarisation", polarisation, get_args(Polarisation))
    _require_positive(
        distance_km=distance_km,
        transmitter_height_m=transmitter_height_m,
        receiver_height_m=receiver_height_m,
        effective_radius_km=effective_radius_km,
        frequency_mhz=frequency_mhz,
    )
    checked("sea_fraction", sea_fraction, (0.0, 1.0), _CLAUSE)


def _require_positive(**numbers: float) -> None:
    for name, number in numbers.items():
        checked(name, number, (float(np.nextafter(0.0, 1.0)), np.inf), _CLAUSE)


def _require_numbers(**numbers: float) -> None:
    for name, number in numbers.items():
        checked(name, number, (-np.inf, np.inf), _CLAUSE)
