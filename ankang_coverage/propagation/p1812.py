"""ITU-R P.1812-8 along one terrain profile, equation by equation.

The basic transmission loss between a transmitter and a receiver at 30 MHz to 6 GHz that is not
exceeded for a percentage of time and of locations: line of sight, diffraction over terrain and
clutter, ducting and layer reflection, and troposcatter, blended into one figure.

This module is written to be read beside the recommendation and is what the fast sweep is tested
against. Equation numbers are those of the published example calculations.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation._ranges import FloatOrArray, Interval, checked
from ankang_coverage.propagation.diffraction import (
    WAVELENGTH_M_GHZ,
    DeltaBullington,
    Polarisation,
    checked_profile,
    delta_bullington,
    smooth_earth_fit,
    smooth_surface,
)

SEA: Final = 1
COASTAL_LAND: Final = 3
INLAND: Final = 4

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

_ANNEX: Final = "ITU-R P.1812-8, Annex 1"
_RANGES: Final[dict[str, tuple[Interval, str]]] = {
    "frequency_mhz": ((30.0, 6000.0), f"{_ANNEX}, section 1"),
    "path_km": ((0.25, 3000.0), f"{_ANNEX}, section 1"),
    "time_percent": ((1.0, 50.0), f"{_ANNEX}, Table 1"),
    "location_percent": ((1.0, 99.0), f"{_ANNEX}, Table 1"),
    "transmitter_height_m": ((1.0, 3000.0), f"{_ANNEX}, Table 1"),
    "receiver_height_m": ((1.0, 3000.0), f"{_ANNEX}, Table 1"),
    "latitude_deg": ((-90.0, 90.0), f"{_ANNEX}, Table 1"),
    "delta_n": ((0.0, 156.0), f"{_ANNEX}, section 3.5"),
    "n0": ((200.0, 500.0), f"{_ANNEX}, section 4.4"),
    "coast_km": ((0.0, 40_000.0), f"{_ANNEX}, section 4.5"),
    "location_deviation_db": ((0.0, 50.0), f"{_ANNEX}, section 4.8"),
    "transmitter_power_kw": ((1e-12, 1e6), f"{_ANNEX}, section 4.10"),
}
_MAY_EXTRAPOLATE: Final = frozenset(
    {"frequency_mhz", "path_km", "transmitter_height_m", "receiver_height_m"}
)
_LEAST_TIME_PERCENT: Final = 1e-3
"""Below the range there is an extrapolation; above 50 % the equations are not defined."""

B0_RADIUS_KM: Final = 3.0 * EARTH_RADIUS_KM
"""Effective radius of the earth exceeded for β0 of the time [km], equation (7b)."""


@dataclass(frozen=True)
class P1812Loss:
    """Loss of one path by ITU-R P.1812-8 and everything it was computed from.

    Names are the recommendation's symbols with their unit; the number is the equation's in the
    published example calculations.

    Attributes
    ----------
    lb_db
        Basic transmission loss not exceeded for p % of time and pL % of locations, (69).
    field_strength_dbuv_m
        Field strength exceeded for p % and pL %, for the transmitter's power, (70).
    d_km
        Length of the path.
    in_sight
        Whether no bare ground stands in the way at the median effective earth radius.
    dlt_km, dlr_km
        Distances of the horizons from transmitter and receiver, (78), (81a).
    theta_t_mrad, theta_r_mrad, theta_mrad
        Elevations of the horizons and angular distance of the path, (76) to (82).
    hts_m, hrs_m
        Heights of the antennas above sea level.
    omega
        Part of the path over sea, Table 5.
    dtm_km, dlm_km
        Longest continuous land and longest continuous inland section, section 3.6.
    phi_deg
        Latitude of the path's centre, (4).
    b0_percent
        Time for which the refractivity falls by more than 100 N-units/km, (5).
    ae_km, ab_km
        Effective radius of the earth, median and exceeded for β0, (7a), (7b).
    hst_fit_m, hsr_fit_m
        Ends of the smooth-earth fit above sea level, (85), (86).
    hst_m, hsr_m
        The same, not above the ground, (90a), (90b).
    hstd_m, hsrd_m
        Smooth surface of the diffraction model, (89).
    htc_m, hrc_m
        Heights of the antennas above that surface, (37a), (37b).
    hte_m, hre_m
        Effective heights of the ducting model, (92a), (92b).
    hm_m
        Terrain roughness between the horizons, (93).
    fi, fj, fk
        Interpolation by time, by angular distance and by distance, (40), (57), (58).
    lbfs_db, lb0p_db, lb0b_db
        Free space; line of sight for p % and for β0 of the time, (8), (10), (11).
    diffraction_50, diffraction_b0
        Delta-Bullington loss with the two effective radii, (21), (27), (39).
    ld50_db, ldb_db, ldp_db
        Diffraction loss of the median, for β0 and for p %, (39), (41).
    lbd50_db, lbd_db
        Loss associated with diffraction, median and for p %, (42), (43).
    lminb0p_db
        Notional minimum with line of sight and over-sea diffraction, (59).
    lba_db
        Loss associated with ducting and layer reflection, (46).
    lminbap_db
        Notional minimum with line of sight and signal enhancements, (60).
    lbda_db, lbam_db
        Diffraction with the enhancements, without and with the minimum, (61), (62).
    lbs_db
        Loss associated with troposcatter, (44).
    lbc_db
        Loss not exceeded for p % of time and half of the locations, (63).
    """

    lb_db: float
    field_strength_dbuv_m: float
    d_km: float
    in_sight: bool
    dlt_km: float
    dlr_km: float
    theta_t_mrad: float
    theta_r_mrad: float
    theta_mrad: float
    hts_m: float
    hrs_m: float
    omega: float
    dtm_km: float
    dlm_km: float
    phi_deg: float
    b0_percent: float
    ae_km: float
    ab_km: float
    hst_fit_m: float
    hsr_fit_m: float
    hst_m: float
    hsr_m: float
    hstd_m: float
    hsrd_m: float
    htc_m: float
    hrc_m: float
    hte_m: float
    hre_m: float
    hm_m: float
    fi: float
    fj: float
    fk: float
    lbfs_db: float
    lb0p_db: float
    lb0b_db: float
    diffraction_50: DeltaBullington
    diffraction_b0: DeltaBullington
    ld50_db: float
    ldb_db: float
    ldp_db: float
    lbd50_db: float
    lbd_db: float
    lminb0p_db: float
    lba_db: float
    lminbap_db: float
    lbda_db: float
    lbam_db: float
    lbs_db: float
    lbc_db: float


@dataclass(frozen=True)
class _Horizons:
    """What the terminals see of the bare ground at the median effective radius (section 5.3)."""

    in_sight: bool
    point_t: int
    point_r: int
    dlt_km: float
    dlr_km: float
    theta_t_mrad: float
    theta_r_mrad: float
    theta_mrad: float


@dataclass(frozen=True)
class _Ducting:
    """Effective heights and roughness of the ducting model (section 5.6.3)."""

    hst_m: float
    hsr_m: float
    hte_m: float
    hre_m: float
    hm_m: float


def p1812_loss(
    distance_km: ArrayLike,
    ground_m: ArrayLike,
    clutter_height_m: ArrayLike | None = None,
    zone: ArrayLike | None = None,
    *,
    frequency_mhz: float,
    transmitter_height_m: float,
    receiver_height_m: float,
    latitude_deg: float,
    polarisation: Polarisation = "vertical",
    time_percent: float = 50.0,
    location_percent: float = 50.0,
    location_deviation_db: float = 5.5,
    delta_n: float = DELTA_N,
    n0: float = N0,
    transmitter_coast_km: float = 500.0,
    receiver_coast_km: float = 500.0,
    transmitter_power_kw: float = 1.0,
    extrapolate: bool = False,
) -> P1812Loss:
    """Return the loss of one path by ITU-R P.1812-8, with every intermediate.

    Parameters
    ----------
    distance_km
        Distances of the profile's points from the transmitter [km]: from 0, increasing, three
        points or more, 0.25 to 3000 km in all.
    ground_m
        Bare ground above sea level at each point [m].
    clutter_height_m
        Representative clutter height at each point [m], added to the ground along the path but
        not at its two ends (section 3.2); none if left out.
    zone
        Radio-climatic zone of each point: 1 sea, 3 coastal land, 4 inland; all inland if left
        out. Sea is a body of water at least 100 km across.
    frequency_mhz
        Frequency [MHz], 30 to 6000.
    transmitter_height_m, receiver_height_m
        Heights of the antennas above ground [m], 1 to 3000.
    latitude_deg
        Latitude of the path's centre [deg] (see `path_centre_latitude`).
    polarisation
        ``horizontal`` or ``vertical``.
    time_percent
        Percentage of the average year p for which the loss is not exceeded, 1 to 50.
    location_percent
        Percentage of locations pL for which the loss is not exceeded, 1 to 99.
    location_deviation_db
        Standard deviation of the location variability σL [dB]. The default is the value of
        section 4.8 for wideband signals; see also `location_deviation`.
    delta_n
        Fall of refractivity over the lowest kilometre at the path's centre [N-units/km], a
        positive number, best from the maps of ITU-R P.453 (default `DELTA_N`).
    n0
        Surface refractivity at sea level at the path's centre [N-units], best from the maps of
        ITU-R P.453 (default `N0`).
    transmitter_coast_km, receiver_coast_km
        Distance over land from each terminal to the coast along the path [km]. Zero where the
        profile's own end is at sea.
    transmitter_power_kw
        Effective radiated power that the field strength is for [kW].
    extrapolate
        Allow frequency, distance and heights outside the ranges, and less than 1 % of the time.

    Returns
    -------
    P1812Loss
        The loss, the field strength and the intermediates.

    Raises
    ------
    OutOfRangeError
        If the profile is not one, or a value is not a number or outside its range.

    Notes
    -----
    Clutter counts at every point between the ends, so what stands round a terminal belongs into
    the profile. Building entry loss is not part of it.

    References
    ----------
    Recommendation ITU-R P.1812-8, "A path-specific propagation prediction method for
    point-to-area terrestrial services in the frequency range 30 MHz to 6 000 MHz".

    Examples
    --------
    >>> loss = p1812_loss(
    ...     [0.0, 0.5, 1.0, 1.5, 2.0],
    ...     [300.0, 310.0, 360.0, 320.0, 300.0],
    ...     frequency_mhz=900.0,
    ...     transmitter_height_m=30.0,
    ...     receiver_height_m=1.5,
    ...     latitude_deg=32.7,
    ... )
    >>> round(loss.lb_db, 2), loss.in_sight
    (134.17, False)
    """
    d, ground = checked_profile(distance_km, ground_m=ground_m)
    clutter = _checked_clutter(d, clutter_height_m)
    zones = _checked_zones(d, zone)
    total = float(d[-1])
    given = checked_inputs(
        extrapolate,
        frequency_mhz=frequency_mhz,
        time_percent=time_percent,
        path_km=total,
        transmitter_height_m=transmitter_height_m,
        receiver_height_m=receiver_height_m,
        location_percent=location_percent,
        location_deviation_db=location_deviation_db,
        latitude_deg=latitude_deg,
        delta_n=delta_n,
        n0=n0,
        transmitter_power_kw=transmitter_power_kw,
    )
    f, p, phi = given["frequency_mhz"] / 1e3, given["time_percent"], given["latitude_deg"]
    htg, hrg = given["transmitter_height_m"], given["receiver_height_m"]
    dct = _coast_distance("transmitter_coast_km", transmitter_coast_km, int(zones[0]))
    dcr = _coast_distance("receiver_coast_km", receiver_coast_km, int(zones[-1]))

    # Section 3: radio-climatic data of the path
    omega = _covered_length(d, zones == SEA) / total
    dtm = _longest_section(d, zones != SEA)
    dlm = _longest_section(d, zones == INLAND)
    b0 = float(beta0(phi, dtm, dlm))
    ae, ab = median_radius_km(given["delta_n"]), B0_RADIUS_KM

    # Section 5: the profile analysed
    hts, hrs = float(ground[0]) + htg, float(ground[-1]) + hrg
    horizons = _horizons(d, ground, hts, hrs, ae, f)
    fit = smooth_earth_fit(d, ground)
    ducting = _ducting_heights(d, ground, htg, hrg, fit, horizons)
    surface = smooth_surface(d, ground, hts, hrs)

    # Section 4.2: line of sight
    lbfs, lb0p, lb0b = _line_of_sight_losses(f, p, b0, total, hts - hrs, horizons)

    # Section 4.3: diffraction, over terrain with the clutter between the ends
    over = ground + clutter
    over[0], over[-1] = ground[0], ground[-1]
    median, rare = (
        delta_bullington(d, over, hts, hrs, surface, radius, f * 1e3, polarisation, omega)
        for radius in (ae, ab)
    )
    fi = 1.0 if p <= b0 else float(inverse_normal(p / 100.0) / inverse_normal(b0 / 100.0))  # (40)
    ldp = median.loss_db
    if p < 50.0:
        ldp += fi * (rare.loss_db - median.loss_db)  # (41)
    lbd50 = lbfs + median.loss_db  # (42)
    lbd = lb0p + ldp  # (43)

    # Sections 4.4 and 4.5: troposcatter, ducting and layer reflection
    lbs = _troposcatter_loss(f, p, total, horizons.theta_mrad, given["n0"])
    lba = _ducting_loss(f, p, total, hts, hrs, dct, dcr, dlm, omega, b0, ae, horizons, ducting)

    # Section 4.6: the parts become one
    fj = float(falling_step(2.4, horizons.theta_mrad, 0.3))  # (57), ξ = 0.8
    fk = float(falling_step(1.5, total, 20.0))  # (58), κ = 0.5
    lminb0p = lb0p + (1.0 - omega) * ldp
    if p >= b0:
        lminb0p = lbd50 + (lb0b + (1.0 - omega) * ldp - lbd50) * fi  # (59)
    lminbap = 2.5 * float(np.logaddexp(lba / 2.5, lb0p / 2.5))  # (60)
    lbda = lbd if lminbap > lbd else lminbap + (lbd - lminbap) * fk  # (61)
    lbam = lbda + (lminb0p - lbda) * fj  # (62)
    strongest = min(lbs, lbam)
    lbc = strongest - 5.0 * math.log10(1.0 + 10.0 ** (-0.2 * abs(lbs - lbam)))  # (63)

    # Sections 4.8 to 4.10: location variability, the result
    lb = lbc
    if zones[-1] != SEA:
        deviations = float(inverse_normal(given["location_percent"] / 100.0))
        lb -= deviations * given["location_deviation_db"]
    lb = max(lb0p, lb)  # (69)
    power_gain = 10.0 * math.log10(given["transmitter_power_kw"])
    field_strength = 199.36 + 20.0 * math.log10(f) - lb + power_gain  # (70)

    return P1812Loss(
        lb_db=lb,
        field_strength_dbuv_m=field_strength,
        d_km=total,
        in_sight=horizons.in_sight,
        dlt_km=horizons.dlt_km,
        dlr_km=horizons.dlr_km,
        theta_t_mrad=horizons.theta_t_mrad,
        theta_r_mrad=horizons.theta_r_mrad,
        theta_mrad=horizons.theta_mrad,
        hts_m=hts,
        hrs_m=hrs,
        omega=omega,
        dtm_km=dtm,
        dlm_km=dlm,
        phi_deg=phi,
        b0_percent=b0,
        ae_km=ae,
        ab_km=ab,
        hst_fit_m=fit[0],
        hsr_fit_m=fit[1],
        hst_m=ducting.hst_m,
        hsr_m=ducting.hsr_m,
        hstd_m=surface[0],
        hsrd_m=surface[1],
        htc_m=hts - surface[0],
        hrc_m=hrs - surface[1],
        hte_m=ducting.hte_m,
        hre_m=ducting.hre_m,
        hm_m=ducting.hm_m,
        fi=fi,
        fj=fj,
        fk=fk,
        lbfs_db=lbfs,
        lb0p_db=lb0p,
        lb0b_db=lb0b,
        diffraction_50=median,
        diffraction_b0=rare,
        ld50_db=median.loss_db,
        ldb_db=rare.loss_db,
        ldp_db=ldp,
        lbd50_db=lbd50,
        lbd_db=lbd,
        lminb0p_db=lminb0p,
        lba_db=lba,
        lminbap_db=lminbap,
        lbda_db=lbda,
        lbam_db=lbam,
        lbs_db=lbs,
        lbc_db=lbc,
    )


def path_centre_latitude(
    transmitter_lonlat_deg: tuple[float, float],
    receiver_lonlat_deg: tuple[float, float],
    path_length_km: float,
) -> float:
    """Return the latitude of a path's centre (ITU-R P.1812-8, 3.6, by ITU-R P.2001, annex H).

    Parameters
    ----------
    transmitter_lonlat_deg, receiver_lonlat_deg
        Longitude and latitude of the two ends [deg].
    path_length_km
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


def location_deviation(
    frequency_mhz: float, receiver_height_m: float, clutter_height_m: float, width_m: float
) -> float:
    """Return the standard deviation of location variability (ITU-R P.1812-8, sections 4.8, 4.10).

    Parameters
    ----------
    frequency_mhz
        Frequency [MHz].
    receiver_height_m
        Height of the receiver above ground [m].
    clutter_height_m
        Representative clutter height at the receiver [m].
    width_m
        Width of the square over which the loss varies: the resolution of the prediction [m].

    Returns
    -------
    float
        Standard deviation σL [dB], falling to zero for a receiver 10 m above the clutter.

    Raises
    ------
    OutOfRangeError
        If frequency or width is not a positive number, or a height not a number of 0 or more.

    Examples
    --------
    >>> round(location_deviation(900.0, 1.5, 10.0, 100.0), 2)
    1.97
    """
    clause = f"{_ANNEX}, section 4.8"
    positive = (float(np.nextafter(0.0, 1.0)), np.inf)
    _in_range("frequency_mhz", frequency_mhz, positive, clause)
    _in_range("width_m", width_m, positive, clause)
    _in_range("receiver_height_m", receiver_height_m, (0.0, np.inf), clause)
    _in_range("clutter_height_m", clutter_height_m, (0.0, np.inf), clause)
    whole = (0.52 + 0.024 * frequency_mhz / 1e3) * math.pow(width_m, 0.28)
    above = receiver_height_m - clutter_height_m
    return whole * min(max(1.0 - above / 10.0, 0.0), 1.0)


def median_radius_km(delta_n: float) -> float:
    """Return the median effective radius of the earth (ITU-R P.1812-8, section 3.5).

    Parameters
    ----------
    delta_n
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
    latitude_deg
        Latitude of the path's centre φ [deg].
    longest_land_km
        Longest continuous land (inland or coastal) section of the path d_tm [km]; any shape.
    longest_inland_km
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
    tau = _inland_factor(longest_inland_km)
    over_land = np.power(10.0, -np.asarray(longest_land_km) / (16.0 - 6.6 * tau))
    over_inland = np.power(10.0, -5.0 * (0.496 + 0.354 * tau))
    mu1 = np.minimum((over_land + over_inland) ** 0.2, 1.0)  # (2)
    if phi <= 70.0:
        result = 10.0 ** (-0.015 * phi + 1.67) * mu1 * mu1 ** (-0.935 + 0.0176 * phi)  # (4), (5)
    else:
        result = 4.17 * mu1 * mu1**0.3
    return np.asarray(result)[()]


def inverse_normal(probability: ArrayLike) -> FloatOrArray:
    """Return the inverse of the complementary normal distribution (P.1812-8, attachment 2).

    Parameters
    ----------
    probability
        Probability of being exceeded, held to 1e-6 … 1 − 1e-6; any shape.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Standard deviations above the mean, by the recommendation's rational approximation
        (error below 4.5e-4): positive below a half.

    Examples
    --------
    >>> round(float(inverse_normal(0.01)), 3)
    2.327
    """
    x = np.clip(np.asarray(probability, dtype=np.float64), 1e-6, 1.0 - 1e-6)
    t = np.sqrt(-2.0 * np.log(np.minimum(x, 1.0 - x)))
    numerator = (0.010328 * t + 0.802853) * t + 2.515516698
    denominator = ((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0
    above = t - numerator / denominator
    return np.where(x <= 0.5, above, -above)[()]


def ducting_exponent(distance_km: ArrayLike, longest_inland_km: ArrayLike) -> FloatOrArray:
    """Return the exponent α of the path geometry (ITU-R P.1812-8, section 4.5, (55a)).

    Parameters
    ----------
    distance_km
        Length of the path [km]; any shape.
    longest_inland_km
        Longest continuous inland section of the path [km]; any shape.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        α = −0.6 − 3.5e-9 d^3.1 τ, not below −3.4.
    """
    growth = 3.5e-9 * np.asarray(distance_km) ** 3.1 * _inland_factor(longest_inland_km)
    return np.maximum(-0.6 - growth, -3.4)[()]


def falling_step(steepness: float, value: ArrayLike, centre: float) -> FloatOrArray:
    """Return 1 well below a centre and 0 well above it (ITU-R P.1812-8, (57) and (58)).

    Parameters
    ----------
    steepness
        Three times the recommendation's ξ or κ.
    value
        What is compared with the centre; any shape.
    centre
        Where the step is at one half.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        1 − (1 + tanh(steepness (value − centre) / centre)) / 2.
    """
    relative = (np.asarray(value, dtype=np.float64) - centre) / centre
    return (1.0 - 0.5 * (1.0 + np.tanh(steepness * relative)))[()]


def _horizons(
    d: NDArray[np.float64], h: NDArray[np.float64], hts: float, hrs: float, ae: float, f: float
) -> _Horizons:
    """Section 5.3: the horizons, or in sight the point nearest to blocking the path."""
    total = float(d[-1])
    inner, ahead, inner_h = d[1:-1], total - d[1:-1], h[1:-1]

    def elevation(
        rise_m: NDArray[np.float64] | float, along_km: NDArray[np.float64] | float
    ) -> FloatOrArray:
        return 1e3 * np.arctan(np.divide(rise_m, 1e3 * along_km) - along_km / (2.0 * ae))

    from_t = np.asarray(elevation(inner_h - hts, inner))
    theta_td = float(elevation(hrs - hts, total))  # (77)
    theta_max = float(np.max(from_t))  # (76)
    in_sight = theta_max <= theta_td
    if in_sight:
        theta_t, theta_r = theta_td, float(elevation(hts - hrs, total))  # (80)
        ray = (hts * ahead + hrs * inner) / total
        wavelength = WAVELENGTH_M_GHZ / f
        nu = (inner_h + 500.0 / ae * inner * ahead - ray) * np.sqrt(
            0.002 * total / (wavelength * inner * ahead)
        )
        point_t = point_r = _last_maximum(nu)
    else:
        from_r = np.asarray(elevation(inner_h - hrs, ahead))
        theta_t, theta_r = theta_max, float(np.max(from_r))
        point_t = 1 + int(np.argmax(from_t))
        # Where all points graze one ray, rounding may put the receiver's first.
        point_r = max(_last_maximum(from_r), point_t)
    return _Horizons(
        in_sight=in_sight,
        point_t=point_t,
        point_r=point_r,
        dlt_km=float(d[point_t]),
        dlr_km=total - float(d[point_r]),
        theta_t_mrad=theta_t,
        theta_r_mrad=theta_r,
        theta_mrad=1e3 * total / ae + theta_t + theta_r,  # (82)
    )


def _last_maximum(inner: NDArray[np.float64]) -> int:
    """Index along the whole profile of the last greatest value at its inner points."""
    return inner.size - int(np.argmax(inner[::-1]))


def _ducting_heights(
    d: NDArray[np.float64],
    h: NDArray[np.float64],
    htg: float,
    hrg: float,
    fit: tuple[float, float],
    horizons: _Horizons,
) -> _Ducting:
    """Section 5.6.3: effective heights above the fitted line, roughness between the horizons."""
    hst, hsr = min(fit[0], float(h[0])), min(fit[1], float(h[-1]))
    slope = (hsr - hst) / float(d[-1])  # (91)
    between = slice(horizons.point_t, horizons.point_r + 1)
    return _Ducting(
        hst_m=hst,
        hsr_m=hsr,
        hte_m=htg + float(h[0]) - hst,
        hre_m=hrg + float(h[-1]) - hsr,
        hm_m=float(np.max(h[between] - (hst + slope * d[between]))),
    )


def _line_of_sight_losses(
    f: float, p: float, b0: float, d: float, drop_m: float, horizons: _Horizons
) -> tuple[float, float, float]:
    """Section 4.2: free space, line of sight for p % and for β0 of the time, (8) to (11)."""
    lbfs = 92.4 + 20.0 * math.log10(f) + 10.0 * math.log10(d**2 + (drop_m / 1e3) ** 2)
    focusing = 2.6 * (1.0 - math.exp(-0.1 * (horizons.dlt_km + horizons.dlr_km)))
    return (
        lbfs,
        lbfs + focusing * math.log10(p / 50.0),
        lbfs + focusing * math.log10(b0 / 50.0),
    )


def _troposcatter_loss(f: float, p: float, d: float, theta: float, n0: float) -> float:
    """Section 4.4, (44) and (45)."""
    lf = 25.0 * math.log10(f) - 2.5 * math.log10(f / 2.0) ** 2
    time_gain = 10.125 * math.pow(math.log10(50.0 / p), 0.7)
    return 190.1 + lf + 20.0 * math.log10(d) + 0.573 * theta - 0.15 * n0 - time_gain


def _ducting_loss(
    f: float,
    p: float,
    d: float,
    hts: float,
    hrs: float,
    dct: float,
    dcr: float,
    dlm: float,
    omega: float,
    b0: float,
    ae: float,
    horizons: _Horizons,
    heights: _Ducting,
) -> float:
    """Section 4.5: fixed coupling losses plus those of time and angular distance, (46)."""
    dlt, dlr = horizons.dlt_km, horizons.dlr_km
    theta_t, theta_r = horizons.theta_t_mrad, horizons.theta_r_mrad
    coupling = (
        102.45
        + 20.0 * math.log10(f * (dlt + dlr))
        + (45.375 - 137.0 * f + 92.5 * f * f if f < 0.5 else 0.0)  # (47a)
        + _site_shielding(f, theta_t, dlt)
        + _site_shielding(f, theta_r, dlr)
        + _sea_duct_coupling(dct, dlt, hts, omega)
        + _sea_duct_coupling(dcr, dlr, hrs, omega)
    )  # (47)
    angle = 1e3 * d / ae + min(theta_t, 0.1 * dlt) + min(theta_r, 0.1 * dlr)  # (52)
    beta = (
        b0
        * _geometry_correction(d, dlm, ae, heights)
        * _roughness_correction(d, dlt, dlr, heights.hm_m)
    )  # (54)
    log_beta = math.log10(beta)
    gamma = (
        1.076
        / (2.0058 - log_beta) ** 1.012
        * math.exp(-(9.51 - 4.8 * log_beta + 0.198 * log_beta**2) * 1e-6 * d**1.13)
    )  # (53a)
    time_loss = (
        -12.0
        + (1.2 + 3.7e-3 * d) * (math.log10(p) - log_beta)
        + 12.0 * math.pow(10.0, gamma * (math.log10(p) - log_beta))
    )  # (53)
    return coupling + 5e-5 * ae * math.cbrt(f) * angle + time_loss  # (50), (51)


def _site_shielding(f: float, theta: float, horizon_km: float) -> float:
    """Loss behind a horizon that rises above 0.1 mrad per km, (48)."""
    excess = theta - 0.1 * horizon_km
    if excess <= 0.0:
        return 0.0
    edge = 20.0 * math.log10(1.0 + 0.361 * excess * math.sqrt(f * horizon_km))
    return edge + 0.264 * excess * math.cbrt(f)


def _sea_duct_coupling(coast_km: float, horizon_km: float, height_m: float, omega: float) -> float:
    """Gain of a terminal near the sea, (49)."""
    if omega < 0.75 or coast_km > min(horizon_km, 5.0):
        return 0.0
    return -3.0 * math.exp(-0.25 * coast_km**2) * (1.0 + math.tanh(0.07 * (50.0 - height_m)))


def _geometry_correction(d: float, dlm: float, ae: float, heights: _Ducting) -> float:
    """μ2 of (55), at most 1."""
    alpha = float(ducting_exponent(d, dlm))
    roots = math.sqrt(heights.hte_m) + math.sqrt(heights.hre_m)
    return min(math.pow(500.0 / ae * d**2 / roots**2, alpha), 1.0)


def _roughness_correction(d: float, dlt: float, dlr: float, hm: float) -> float:
    """μ3 of (56)."""
    if hm <= 10.0:
        return 1.0
    between = min(d - dlt - dlr, 40.0)
    return math.exp(-4.6e-5 * (hm - 10.0) * (43.0 + 6.0 * between))


def _inland_factor(longest_inland_km: ArrayLike) -> NDArray[np.float64]:
    """τ of (3)."""
    return np.asarray(1.0 - np.exp(-4.12e-4 * np.asarray(longest_inland_km) ** 2.41))


def _sections(d: NDArray[np.float64], inside: NDArray[np.bool_]) -> list[float]:
    """Lengths of the runs of points inside a zone; a run ends halfway to the next point [km]."""
    halfway = np.concatenate(([d[0]], 0.5 * (d[1:] + d[:-1]), [d[-1]]))
    changes = np.diff(np.concatenate(([False], inside, [False])).astype(np.int8))
    starts, stops = np.flatnonzero(changes == 1), np.flatnonzero(changes == -1)
    return [float(length) for length in halfway[stops] - halfway[starts]]


def _longest_section(d: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    return max(_sections(d, inside), default=0.0)


def _covered_length(d: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    return sum(_sections(d, inside))


def _in_range(
    name: str, value: float, allowed: Interval, clause: str, extrapolate: bool = False
) -> float:
    return float(checked(name, value, allowed, clause, extrapolate))


def checked_inputs(extrapolate: bool, **inputs: float) -> dict[str, float]:
    """Return inputs of `p1812_loss` by name, each held to the range its clause sets.

    Parameters
    ----------
    extrapolate
        Allow frequency, distance and heights outside the ranges, and less than 1 % of the time.
    **inputs
        The numbers, under the names of the arguments; ``path_km`` is the length of the path.

    Returns
    -------
    dict
        The numbers as floats.

    Raises
    ------
    OutOfRangeError
        If one is not a number or outside its range.
    """
    ranges = dict(_RANGES)
    if extrapolate:
        (_, most), clause = ranges["time_percent"]
        ranges["time_percent"] = (_LEAST_TIME_PERCENT, most), clause
    return {
        name: _in_range(name, value, *ranges[name], extrapolate and name in _MAY_EXTRAPOLATE)
        for name, value in inputs.items()
    }


def _coast_distance(name: str, value: float, zone_of_terminal: int) -> float:
    distance = _in_range(name, value, *_RANGES["coast_km"])
    return 0.0 if zone_of_terminal == SEA else distance


def _checked_clutter(
    d: NDArray[np.float64], clutter_height_m: ArrayLike | None
) -> NDArray[np.float64]:
    if clutter_height_m is None:
        return np.zeros_like(d)
    _, clutter = checked_profile(d, clutter_height_m=clutter_height_m)
    lowest = int(np.argmin(clutter))
    if clutter[lowest] < 0.0:
        raise OutOfRangeError(
            f"clutter_height_m is {clutter[lowest]:g} at point {lowest} of the profile, but "
            "clutter stands on the ground: give 0 or more (ITU-R P.1812-8, section 3.2)"
        )
    return clutter


def _checked_zones(d: NDArray[np.float64], zone: ArrayLike | None) -> NDArray[np.float64]:
    if zone is None:
        return np.full(d.shape, float(INLAND))
    _, zones = checked_profile(d, zone=zone)
    unknown = np.flatnonzero(~np.isin(zones, (SEA, COASTAL_LAND, INLAND)))
    if unknown.size:
        raise OutOfRangeError(
            f"zone is {zones[unknown[0]]:g} at point {unknown[0]} of the profile but must be "
            "1 (sea), 3 (coastal land) or 4 (inland) (ITU-R P.1812-8, Table 3)"
        )
    return zones
