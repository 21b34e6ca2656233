"""ITU-R P.1812-8 along one terrain profile, equation by equation.

The basic transmission loss between a transmitter and a receiver at 30 MHz to 6 GHz that is not
exceeded for a percentage of time and of locations: line of sight, diffraction over terrain and
clutter, ducting and layer reflection, and troposcatter, combined into one loss.

The package is written to be read beside the recommendation, one module for each of its sections,
and is what the fast sweep is tested against. Equation numbers are those of the published example
calculations.

Clutter counts at every point between the ends, so what stands round a terminal belongs into the
profile. Building entry loss is not part of the model.

References
----------
Recommendation ITU-R P.1812-8, "A path-specific propagation prediction method for point-to-area
terrestrial services in the frequency range 30 MHz to 6 000 MHz".

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

from ankang_coverage.propagation.p1812.climate import (
    B0_RADIUS_KM,
    DELTA_N,
    EARTH_RADIUS_KM,
    N0,
    beta0,
    median_radius_km,
    path_centre_latitude,
)
from ankang_coverage.propagation.p1812.combination import falling_step
from ankang_coverage.propagation.p1812.ducting import ducting_exponent
from ankang_coverage.propagation.p1812.inputs import COASTAL_LAND, INLAND, SEA, checked_inputs
from ankang_coverage.propagation.p1812.locations import inverse_normal, location_deviation
from ankang_coverage.propagation.p1812.loss import P1812Loss, p1812_loss
from ankang_coverage.propagation.p1812.options import P1812Options

__all__ = [
    "B0_RADIUS_KM",
    "COASTAL_LAND",
    "DELTA_N",
    "EARTH_RADIUS_KM",
    "INLAND",
    "N0",
    "SEA",
    "P1812Loss",
    "P1812Options",
    "beta0",
    "checked_inputs",
    "ducting_exponent",
    "falling_step",
    "inverse_normal",
    "location_deviation",
    "median_radius_km",
    "p1812_loss",
    "path_centre_latitude",
]
