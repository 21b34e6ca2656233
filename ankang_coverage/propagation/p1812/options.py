"""The arguments of P.1812 that the sweep takes too, with their defaults."""

from typing import Final, TypedDict

from ankang_coverage.propagation.diffraction import Polarisation
from ankang_coverage.propagation.p1812.climate import DELTA_N, N0


class P1812Options(TypedDict, total=False):
    """Optional arguments of `p1812_loss` that the sweep takes too.

    Attributes
    ----------
    polarisation : {'horizontal', 'vertical'}
        Polarisation; vertical by default.
    time_percent : float
        Percentage of the average year for which the loss is not exceeded, 1 to 50; 50.
    location_percent : float
        Percentage of locations for which the loss is not exceeded, 1 to 99; 50.
    location_deviation_db : float
        Standard deviation of the location variability [dB]; 5.5.
    delta_n : float
        Fall of refractivity over the lowest kilometre [N-units/km]; 40.
    n0 : float
        Surface refractivity at sea level [N-units]; 315.
    extrapolate : bool
        Allow frequency and heights outside the ranges, and less than 1 % of the time; False.
    """

    polarisation: Polarisation
    time_percent: float
    location_percent: float
    location_deviation_db: float
    delta_n: float
    n0: float
    extrapolate: bool


_DEFAULTS: Final[P1812Options] = {
    "polarisation": "vertical",
    "time_percent": 50.0,
    "location_percent": 50.0,
    "location_deviation_db": 5.5,
    "delta_n": DELTA_N,
    "n0": N0,
    "extrapolate": False,
}


def with_defaults(options: P1812Options) -> P1812Options:
    """Return options of which none is missing."""
    unknown = sorted(set(options) - set(_DEFAULTS))
    if unknown:
        raise TypeError(
            f"unexpected keyword argument {unknown[0]!r}; there are {', '.join(_DEFAULTS)}"
        )
    return {**_DEFAULTS, **options}
