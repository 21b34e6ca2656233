"""The loss of one path, section by section of ITU-R P.1812-8."""

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from ankang_coverage.propagation.diffraction import Polarisation
from ankang_coverage.propagation.p1812.climate import DELTA_N, N0, Climate, climate_of
from ankang_coverage.propagation.p1812.combination import Combination, combination
from ankang_coverage.propagation.p1812.diffraction import Diffraction, diffraction
from ankang_coverage.propagation.p1812.ducting import ducting_loss
from ankang_coverage.propagation.p1812.geometry import Heights, Horizons, heights_of, horizons_of
from ankang_coverage.propagation.p1812.inputs import SEA, Link, Profile, link_of
from ankang_coverage.propagation.p1812.line_of_sight import LineOfSight, line_of_sight
from ankang_coverage.propagation.p1812.locations import inverse_normal
from ankang_coverage.propagation.p1812.troposcatter import troposcatter_loss


@dataclass(frozen=True)
class P1812Loss(Climate, Heights, Horizons, LineOfSight, Diffraction, Combination):
    """Loss of one path by ITU-R P.1812-8 and everything it was computed from.

    Names are the recommendation's symbols with their unit; the number is the equation's in the
    published example calculations.

    Attributes
    ----------
    lb_db : float
        Basic transmission loss not exceeded for p % of time and pL % of locations, (69).
    field_strength_dbuv_m : float
        Field strength exceeded for p % and pL %, for the transmitter's power, (70).
    d_km : float
        Length of the path.
    in_sight : bool
        Whether no bare ground stands in the way at the median effective earth radius.
    dlt_km, dlr_km : float
        Distances of the horizons from transmitter and receiver, (78), (81a).
    theta_t_mrad, theta_r_mrad, theta_mrad : float
        Elevations of the horizons and angular distance of the path, (76) to (82).
    hts_m, hrs_m : float
        Heights of the antennas above sea level.
    omega : float
        Part of the path over sea, Table 5.
    dtm_km, dlm_km : float
        Longest continuous land and longest continuous inland section, section 3.6.
    phi_deg : float
        Latitude of the path's centre, (4).
    b0_percent : float
        Time for which the refractivity falls by more than 100 N-units/km, (5).
    ae_km, ab_km : float
        Effective radius of the earth, median and exceeded for β0, (7a), (7b).
    hst_fit_m, hsr_fit_m : float
        Ends of the smooth-earth fit above sea level, (85), (86).
    hst_m, hsr_m : float
        The same, not above the ground, (90a), (90b).
    hstd_m, hsrd_m : float
        Smooth surface of the diffraction model, (89).
    htc_m, hrc_m : float
        Heights of the antennas above that surface, (37a), (37b).
    hte_m, hre_m : float
        Effective heights of the ducting model, (92a), (92b).
    hm_m : float
        Terrain roughness between the horizons, (93).
    fi, fj, fk : float
        Interpolation by time, by angular distance and by distance, (40), (57), (58).
    lbfs_db, lb0p_db, lb0b_db : float
        Free space; line of sight for p % and for β0 of the time, (8), (10), (11).
    diffraction_50, diffraction_b0 : DeltaBullington
        Delta-Bullington loss with the two effective radii, (21), (27), (39).
    ld50_db, ldb_db, ldp_db : float
        Diffraction loss of the median, for β0 and for p %, (39), (41).
    lbd50_db, lbd_db : float
        Loss associated with diffraction, median and for p %, (42), (43).
    lminb0p_db : float
        Notional minimum with line of sight and over-sea diffraction, (59).
    lba_db : float
        Loss associated with ducting and layer reflection, (46).
    lminbap_db : float
        Notional minimum with line of sight and signal enhancements, (60).
    lbda_db, lbam_db : float
        Diffraction with the enhancements, without and with the minimum, (61), (62).
    lbs_db : float
        Loss associated with troposcatter, (44).
    lbc_db : float
        Loss not exceeded for p % of time and half of the locations, (63).
    """

    lb_db: float
    field_strength_dbuv_m: float
    d_km: float
    lba_db: float
    lbs_db: float


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
    distance_km, ground_m : array_like
        Distances of the profile's points from the transmitter, from 0, increasing, three or more,
        0.25 to 3000 km in all [km]; bare ground above sea level at them [m].
    clutter_height_m : array_like, optional
        Representative clutter height at each point [m]; none where left out.
    zone : array_like, optional
        Zone of each point: 1 sea (100 km across or more), 3 coastal land, 4 inland (default).
    frequency_mhz : float
        Frequency [MHz], 30 to 6000.
    transmitter_height_m, receiver_height_m : float
        Heights of the antennas above ground [m], 1 to 3000.
    latitude_deg : float
        Latitude of the path's centre [deg] (see `path_centre_latitude`).
    polarisation : {'horizontal', 'vertical'}
        Polarisation.
    time_percent, location_percent : float
        Percentages of the average year, 1 to 50, and of locations, 1 to 99, for which the loss is
        not exceeded.
    location_deviation_db : float
        Standard deviation of the location variability σL [dB] (see `location_deviation`).
    delta_n, n0 : float
        Fall of refractivity over the lowest kilometre [N-units/km], a positive number, and surface
        refractivity at sea level [N-units], at the path's centre; best from maps of ITU-R P.453.
    transmitter_coast_km, receiver_coast_km : float
        Distance over land from each terminal to the coast along the path [km].
    transmitter_power_kw : float
        Effective radiated power that the field strength is for [kW].
    extrapolate : bool
        Allow frequency, distance and heights outside the ranges, and less than 1 % of the time.

    Returns
    -------
    P1812Loss
        The loss, the field strength and the intermediates.

    Raises
    ------
    OutOfRangeError
        If the profile is not one, or a value is not a number or outside its range.
    """
    profile = Profile.of(distance_km, ground_m, clutter_height_m, zone)
    link = link_of(
        profile, polarisation, extrapolate, frequency_mhz=frequency_mhz,
        transmitter_height_m=transmitter_height_m, receiver_height_m=receiver_height_m,
        latitude_deg=latitude_deg, time_percent=time_percent, location_percent=location_percent,
        location_deviation_db=location_deviation_db, delta_n=delta_n, n0=n0,
        transmitter_coast_km=transmitter_coast_km, receiver_coast_km=receiver_coast_km,
        transmitter_power_kw=transmitter_power_kw,
    )  # fmt: skip
    return _loss(profile, link)


def _loss(profile: Profile, link: Link) -> P1812Loss:
    d, f = profile.length_km, link.frequency_ghz
    climate = climate_of(profile, link)  # section 3
    heights = heights_of(profile, link)  # section 5
    horizons = horizons_of(profile, heights, climate.ae_km, f)
    sight = line_of_sight(link, d, climate.b0_percent, heights, horizons)  # section 4.2
    edges = diffraction(profile, link, climate, heights, sight)  # section 4.3
    lbs = troposcatter_loss(link, d, horizons.theta_mrad)  # section 4.4
    lba = ducting_loss(link, d, climate, heights, horizons)  # section 4.5
    together = combination(  # section 4.6
        link, d, horizons.theta_mrad, climate, sight, edges, lba, lbs
    )

    # Sections 4.8 to 4.10: location variability, the result
    lb = together.lbc_db
    if profile.zone[-1] != SEA:
        deviations = float(inverse_normal(link.location_percent / 100.0))
        lb -= deviations * link.location_deviation_db
    lb = max(sight.lb0p_db, lb)  # (69)
    power_gain = 10.0 * math.log10(link.transmitter_power_kw)
    return P1812Loss(
        lb_db=lb,
        field_strength_dbuv_m=199.36 + 20.0 * math.log10(f) - lb + power_gain,  # (70)
        d_km=d,
        lba_db=lba,
        lbs_db=lbs,
        **vars(climate),
        **vars(heights),
        **vars(horizons),
        **vars(sight),
        **vars(edges),
        **vars(together),
    )
