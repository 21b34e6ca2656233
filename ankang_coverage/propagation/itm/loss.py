"""The loss of paths by the irregular terrain model, with its intermediate values."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.propagation._ranges import FloatOrArray, Interval, checked
from ankang_coverage.propagation.diffraction import Polarisation
from ankang_coverage.propagation.itm._attenuation import N_RESULTS, attenuate_all
from ankang_coverage.propagation.itm._path import Array
from ankang_coverage.propagation.itm.climate import N0, Climate
from ankang_coverage.propagation.itm.inputs import CLAUSE, Links, links_of, require_known
from ankang_coverage.propagation.itm.validity import warnings_of
from ankang_coverage.propagation.itm.variability import (
    attenuation_not_exceeded,
    deviates_of,
)

_SURFACE_REFRACTIVITY_RANGE: Interval = (150.0, 400.0)


class ItmMode(IntEnum):
    """Mode of propagation: the curve that the reference attenuation was read off."""

    LINE_OF_SIGHT = 1
    DIFFRACTION = 2
    TROPOSCATTER = 3


@dataclass(frozen=True, eq=False)
class ItmLoss:
    """Loss of paths by the irregular terrain model, with its intermediate values.

    Attributes
    ----------
    loss_db : numpy.float64 or numpy.ndarray
        Basic transmission loss not exceeded in the percentages asked for [dB].
    free_space_loss_db : numpy.float64 or numpy.ndarray
        Free-space basic transmission loss [dB].
    reference_attenuation_db : numpy.float64 or numpy.ndarray
        A_ref, median attenuation beyond free space before climate and percentages [dB].
    mode : numpy.int64 or numpy.ndarray
        `ItmMode` the reference attenuation belongs to.
    distance_m : numpy.float64 or numpy.ndarray
        Length of the path [m].
    transmitter_horizon_angle_rad, receiver_horizon_angle_rad : numpy.float64 or numpy.ndarray
        Radio horizons above the horizontal [rad].
    transmitter_horizon_distance_m, receiver_horizon_distance_m : numpy.float64 or numpy.ndarray
        Distances to them [m].
    transmitter_effective_height_m, receiver_effective_height_m : numpy.float64 or numpy.ndarray
        Heights above the terrain that dominates the path [m].
    terrain_irregularity_m : numpy.float64 or numpy.ndarray
        Δh, interdecile range of the heights [m].
    surface_refractivity : numpy.float64 or numpy.ndarray
        N_s, refractivity at the path's height [N-units].
    effective_earth_radius_m : numpy.float64 or numpy.ndarray
        Radius of the earth on which rays are straight [m].
    warnings : numpy.int64 or numpy.ndarray
        `ItmWarning` flags.
    """

    loss_db: FloatOrArray
    free_space_loss_db: FloatOrArray
    reference_attenuation_db: FloatOrArray
    mode: np.int64 | NDArray[np.int64]
    distance_m: FloatOrArray
    transmitter_horizon_angle_rad: FloatOrArray
    receiver_horizon_angle_rad: FloatOrArray
    transmitter_horizon_distance_m: FloatOrArray
    receiver_horizon_distance_m: FloatOrArray
    transmitter_effective_height_m: FloatOrArray
    receiver_effective_height_m: FloatOrArray
    terrain_irregularity_m: FloatOrArray
    surface_refractivity: FloatOrArray
    effective_earth_radius_m: FloatOrArray
    warnings: np.int64 | NDArray[np.int64]


def itm_loss(
    ground_m: ArrayLike,
    spacing_m: ArrayLike,
    *,
    frequency_mhz: ArrayLike,
    transmitter_height_m: ArrayLike,
    receiver_height_m: ArrayLike,
    n0: ArrayLike = N0,
    climate: Climate | int = Climate.CONTINENTAL_TEMPERATE,
    polarisation: Polarisation = "vertical",
    permittivity: ArrayLike = 15.0,
    conductivity_s_m: ArrayLike = 0.005,
    time_percent: ArrayLike = 50.0,
    location_percent: ArrayLike = 50.0,
    situation_percent: ArrayLike = 50.0,
    variability: int = 3,
) -> ItmLoss:
    """Return the loss along terrain profiles by the irregular terrain model (ITM 1.4).

    Parameters
    ----------
    ground_m : array_like
        Ground heights above sea level at even spacing from the transmitter to the receiver,
        both ends included [m], shape (…, points), at least 2 points.
    spacing_m : array_like
        Distance between neighbouring points [m].
    frequency_mhz : array_like
        Carrier frequency [MHz], 20 to 20,000.
    transmitter_height_m, receiver_height_m : array_like
        Antenna heights above ground [m], 0.5 to 3000.
    n0 : array_like
        Surface refractivity reduced to sea level [N-units], 250 to 400; `Climate` names the
        customary value of each climate.
    climate : Climate or int
        Radio climate.
    polarisation : {'horizontal', 'vertical'}
        Polarisation.
    permittivity : array_like
        Relative permittivity of the ground, above 1; 15 is average ground.
    conductivity_s_m : array_like
        Conductivity of the ground [S/m], above 0; 0.005 is average ground.
    time_percent, location_percent, situation_percent : array_like
        Percentages of time, locations and situations in which the loss is not exceeded, above 0
        and below 100.
    variability : int
        The model's code ``mdvar``: 0 single message, 1 accidental, 2 mobile, 3 broadcast; plus
        10 without variability of locations, plus 20 without direct variability of situations,
        plus 30 without either.

    Returns
    -------
    ItmLoss
        Values of the common shape of all inputs (of `ground_m` the shape before the last axis).

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range, a word or a code is unknown, or a
        profile has fewer than two points.
    """
    require_known(climate, polarisation, variability)
    links, shape = links_of(
        ground_m, spacing_m=spacing_m, frequency_mhz=frequency_mhz,
        transmitter_height_m=transmitter_height_m, receiver_height_m=receiver_height_m, n0=n0,
        permittivity=permittivity, conductivity_s_m=conductivity_s_m, time_percent=time_percent,
        location_percent=location_percent, situation_percent=situation_percent,
    )  # fmt: skip
    values = _losses(links, Climate(climate), polarisation, variability)
    return ItmLoss(**{name: value.reshape(shape)[()] for name, value in values.items()})


def _losses(
    links: Links, climate: Climate, polarisation: Polarisation, variability: int
) -> dict[str, NDArray[Any]]:
    """Return the attributes of `ItmLoss` as flat arrays."""
    surface_refractivity = _surface_refractivity(links)
    radius = 1.0 / (157e-9 * (1.0 - 0.04665 * np.exp(surface_refractivity / 179.3)))
    results = np.empty((links.spacing.size, N_RESULTS))
    attenuate_all(
        links.ground,
        links.spacing,
        links.transmitter_height,
        links.receiver_height,
        links.frequency,
        surface_refractivity,
        radius,
        _ground_impedance(links, polarisation),
        results,
    )
    attenuation, mode, *terrain, irregularity = results.T
    percents = links.time_percent, links.location_percent, links.situation_percent
    deviates = deviates_of(percents, variability)
    distance = links.distance
    free_space = 32.45 + 20.0 * np.log10(links.frequency) + 20.0 * np.log10(distance / 1e3)
    loss = free_space + attenuation_not_exceeded(
        attenuation,
        distance,
        links.frequency,
        (terrain[0], terrain[1]),
        irregularity,
        deviates,
        climate,
        variability,
    )
    return {
        "loss_db": loss,
        "free_space_loss_db": free_space,
        "reference_attenuation_db": attenuation,
        "mode": mode.astype(np.int64),
        "distance_m": distance,
        "transmitter_effective_height_m": terrain[0],
        "receiver_effective_height_m": terrain[1],
        "transmitter_horizon_distance_m": terrain[2],
        "receiver_horizon_distance_m": terrain[3],
        "transmitter_horizon_angle_rad": terrain[4],
        "receiver_horizon_angle_rad": terrain[5],
        "terrain_irregularity_m": irregularity,
        "surface_refractivity": surface_refractivity,
        "effective_earth_radius_m": radius,
        "warnings": warnings_of(
            links, np.array(terrain), radius, surface_refractivity, deviates, loss
        ),
    }


def _surface_refractivity(links: Links) -> Array:
    """Return N_s at the mean height of a profile's middle four fifths (TN 101, eq. 4.3)."""
    intervals = links.ground.shape[-1] - 1
    tenth = int(0.1 * intervals)
    height = links.ground[:, tenth : intervals - tenth + 1].mean(axis=-1)
    return checked(
        "surface_refractivity",
        links.n0 * np.exp(-height / 9460.0),
        _SURFACE_REFRACTIVITY_RANGE,
        f"refractivity at the path's mean height, {CLAUSE}",
    )


def _ground_impedance(links: Links, polarisation: Polarisation) -> NDArray[np.complex128]:
    """Return Z_g, the ground's surface transfer impedance."""
    complex_permittivity = links.permittivity + 18_000j * links.conductivity / links.frequency
    impedance: NDArray[np.complex128] = np.sqrt(complex_permittivity - 1.0)
    if polarisation == "vertical":
        impedance = impedance / complex_permittivity
    return impedance
