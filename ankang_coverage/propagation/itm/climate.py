"""The model's radio climates, and how the loss varies in each."""

from enum import IntEnum
from typing import Final, NamedTuple

N0: Final = 301.0
"""Surface refractivity reduced to sea level where none is given [N-units].

The model's customary value for a continental temperate climate (NTIA Report 82-100).
"""


class Climate(IntEnum):
    """Radio climates of the model, with the refractivity N₀ customary for each.

    N₀ [N-units] and places: equatorial 360 (Congo), continental subtropical 320 (Sudan),
    maritime subtropical 370 (west coast of Africa), desert 280 (Sahara), continental temperate
    301, maritime temperate over land 320 (United Kingdom), over sea 350 (NTIA Report
    82-100).
    """

    EQUATORIAL = 1
    CONTINENTAL_SUBTROPICAL = 2
    MARITIME_SUBTROPICAL = 3
    DESERT = 4
    CONTINENTAL_TEMPERATE = 5
    MARITIME_TEMPERATE_OVER_LAND = 6
    MARITIME_TEMPERATE_OVER_SEA = 7


class ClimateCurves(NamedTuple):
    """Coefficients of one climate [table 5.1]; curves are c1, c2, x1, x2, x3 [km]."""

    median: tuple[float, float, float, float, float]
    deviation_below: tuple[float, float, float, float, float]
    deviation_above: tuple[float, float, float, float, float]
    tail_factor: float
    tail_start: float
    frequency_below: tuple[float, float, float]
    frequency_above: tuple[float, float, float]


_FLAT = (1.0, 0.0, 0.0)
CURVES = {
    Climate.EQUATORIAL: ClimateCurves(
        median=(-9.67, 12.7, 144.9, 190.3, 133.8),
        deviation_below=(2.13, 159.5, 762.2, 123.6, 94.5),
        deviation_above=(2.11, 102.3, 636.9, 134.8, 95.6),
        tail_factor=1.224,
        tail_start=1.282,
        frequency_below=_FLAT,
        frequency_above=_FLAT,
    ),
    Climate.CONTINENTAL_SUBTROPICAL: ClimateCurves(
        median=(-0.62, 9.19, 228.9, 205.2, 143.6),
        deviation_below=(2.66, 7.67, 100.4, 172.5, 136.4),
        deviation_above=(6.87, 15.53, 138.7, 143.7, 98.6),
        tail_factor=0.801,
        tail_start=2.161,
        frequency_below=_FLAT,
        frequency_above=(0.93, 0.31, 2.00),
    ),
    Climate.MARITIME_SUBTROPICAL: ClimateCurves(
        median=(1.26, 15.5, 262.6, 185.2, 99.8),
        deviation_below=(6.11, 6.65, 138.2, 242.2, 178.6),
        deviation_above=(10.08, 9.60, 165.3, 225.7, 129.7),
        tail_factor=1.380,
        tail_start=1.282,
        frequency_below=_FLAT,
        frequency_above=_FLAT,
    ),
    Climate.DESERT: ClimateCurves(
        median=(-9.21, 9.05, 84.1, 101.1, 98.6),
        deviation_below=(1.98, 13.11, 139.1, 132.7, 193.5),
        deviation_above=(3.68, 159.3, 464.4, 93.1, 94.2),
        tail_factor=1.000,
        tail_start=20.0,
        frequency_below=_FLAT,
        frequency_above=(0.93, 0.19, 1.79),
    ),
    Climate.CONTINENTAL_TEMPERATE: ClimateCurves(
        median=(-0.62, 9.19, 228.9, 205.2, 143.6),
        deviation_below=(2.68, 7.16, 93.7, 186.8, 133.5),
        deviation_above=(4.75, 8.12, 93.2, 135.9, 113.4),
        tail_factor=1.224,
        tail_start=1.282,
        frequency_below=(0.92, 0.25, 1.77),
        frequency_above=(0.93, 0.31, 2.00),
    ),
    Climate.MARITIME_TEMPERATE_OVER_LAND: ClimateCurves(
        median=(-0.39, 2.86, 141.7, 315.9, 167.4),
        deviation_below=(6.86, 10.38, 187.8, 169.6, 108.9),
        deviation_above=(8.58, 13.97, 216.0, 152.0, 122.7),
        tail_factor=1.518,
        tail_start=1.282,
        frequency_below=_FLAT,
        frequency_above=_FLAT,
    ),
    Climate.MARITIME_TEMPERATE_OVER_SEA: ClimateCurves(
        median=(3.15, 857.9, 2222.0, 164.8, 116.3),
        deviation_below=(8.51, 169.8, 609.8, 119.9, 106.6),
        deviation_above=(8.43, 8.19, 136.2, 188.5, 122.9),
        tail_factor=1.518,
        tail_start=1.282,
        frequency_below=_FLAT,
        frequency_above=_FLAT,
    ),
}
