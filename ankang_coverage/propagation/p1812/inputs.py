"""What `p1812_loss` is given, held to the ranges of ITU-R P.1812-8."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation._ranges import Interval, checked
from ankang_coverage.propagation.diffraction import Polarisation, checked_profile

SEA: Final = 1
COASTAL_LAND: Final = 3
INLAND: Final = 4

ANNEX: Final = "ITU-R P.1812-8, Annex 1"
_RANGES: Final[dict[str, tuple[Interval, str]]] = {
    "frequency_mhz": ((30.0, 6000.0), f"{ANNEX}, section 1"),
    "path_km": ((0.25, 3000.0), f"{ANNEX}, section 1"),
    "time_percent": ((1.0, 50.0), f"{ANNEX}, Table 1"),
    "location_percent": ((1.0, 99.0), f"{ANNEX}, Table 1"),
    "transmitter_height_m": ((1.0, 3000.0), f"{ANNEX}, Table 1"),
    "receiver_height_m": ((1.0, 3000.0), f"{ANNEX}, Table 1"),
    "latitude_deg": ((-90.0, 90.0), f"{ANNEX}, Table 1"),
    "delta_n": ((0.0, 156.0), f"{ANNEX}, section 3.5"),
    "n0": ((200.0, 500.0), f"{ANNEX}, section 4.4"),
    "transmitter_coast_km": ((0.0, 40_000.0), f"{ANNEX}, section 4.5"),
    "receiver_coast_km": ((0.0, 40_000.0), f"{ANNEX}, section 4.5"),
    "location_deviation_db": ((0.0, 50.0), f"{ANNEX}, section 4.8"),
    "transmitter_power_kw": ((1e-12, 1e6), f"{ANNEX}, section 4.10"),
}
_MAY_EXTRAPOLATE: Final = frozenset(
    {"frequency_mhz", "path_km", "transmitter_height_m", "receiver_height_m"}
)
_LEAST_TIME_PERCENT: Final = 1e-3
"""Below the range there is an extrapolation; above 50 % the equations are not defined."""


@dataclass(frozen=True, eq=False)
class Profile:
    """A path's profile, checked.

    Attributes
    ----------
    distance_km : numpy.ndarray
        Distances of the points from the transmitter [km].
    ground_m : numpy.ndarray
        Bare ground above sea level [m].
    clutter_height_m : numpy.ndarray
        Height of the clutter on it [m].
    zone : numpy.ndarray
        Radio-climatic zone: 1 sea, 3 coastal land, 4 inland.
    """

    distance_km: NDArray[np.float64]
    ground_m: NDArray[np.float64]
    clutter_height_m: NDArray[np.float64]
    zone: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        distance_km: ArrayLike,
        ground_m: ArrayLike,
        clutter_height_m: ArrayLike | None,
        zone: ArrayLike | None,
    ) -> "Profile":
        """Return the profile of the first four arguments of `p1812_loss`."""
        d, ground = checked_profile(distance_km, ground_m=ground_m)
        return cls(d, ground, _checked_clutter(d, clutter_height_m), _checked_zones(d, zone))

    @property
    def length_km(self) -> float:
        """Length of the path [km]."""
        return float(self.distance_km[-1])

    @property
    def over_m(self) -> NDArray[np.float64]:
        """Ground with the clutter on it, except at the two ends [m] (section 3.2)."""
        over = self.ground_m + self.clutter_height_m
        over[0], over[-1] = self.ground_m[0], self.ground_m[-1]
        return over


@dataclass(frozen=True)
class Link:
    """The numbers of `p1812_loss`, checked; the coast is at no distance from a terminal at sea."""

    frequency_mhz: float
    transmitter_height_m: float
    receiver_height_m: float
    latitude_deg: float
    time_percent: float
    location_percent: float
    location_deviation_db: float
    delta_n: float
    n0: float
    transmitter_coast_km: float
    receiver_coast_km: float
    transmitter_power_kw: float
    polarisation: Polarisation

    @property
    def frequency_ghz(self) -> float:
        """Frequency in the unit of the equations [GHz]."""
        return self.frequency_mhz / 1e3


def link_of(
    profile: Profile, polarisation: Polarisation, extrapolate: bool, **numbers: float
) -> Link:
    """Return the link of a profile, its numbers held to their ranges."""
    given = checked_inputs(extrapolate, path_km=profile.length_km, **numbers)
    del given["path_km"]
    for end, zone in (("transmitter", profile.zone[0]), ("receiver", profile.zone[-1])):
        if zone == SEA:
            given[f"{end}_coast_km"] = 0.0
    return Link(polarisation=polarisation, **given)


def checked_inputs(extrapolate: bool, **inputs: float) -> dict[str, float]:
    """Return inputs of `p1812_loss` by name, each held to the range its clause sets.

    Parameters
    ----------
    extrapolate : bool
        Allow frequency, distance and heights outside the ranges, and less than 1 % of the time.
    **inputs : float
        The numbers, under the names of the arguments; ``path_km`` is the length of the path.

    Returns
    -------
    dict of str to float
        The numbers.

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
        name: float(checked(name, value, *ranges[name], extrapolate and name in _MAY_EXTRAPOLATE))
        for name, value in inputs.items()
    }


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
