"""The parts combined into one loss (ITU-R P.1812-8, section 4.6)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ankang_coverage.propagation._ranges import FloatOrArray
from ankang_coverage.propagation.p1812.climate import Climate
from ankang_coverage.propagation.p1812.diffraction import Diffraction
from ankang_coverage.propagation.p1812.inputs import Link
from ankang_coverage.propagation.p1812.line_of_sight import LineOfSight


@dataclass(frozen=True)
class Combination:
    """Interpolations, and the loss for half of the locations; attributes as in `P1812Loss`."""

    fj: float
    fk: float
    lminb0p_db: float
    lminbap_db: float
    lbda_db: float
    lbam_db: float
    lbc_db: float


def combination(
    link: Link,
    d: float,
    theta: float,
    climate: Climate,
    sight: LineOfSight,
    edges: Diffraction,
    lba_db: float,
    lbs_db: float,
) -> Combination:
    """Return the loss not exceeded for p % of time and half of the locations."""
    lb0p, ldp, over_land = sight.lb0p_db, edges.ldp_db, 1.0 - climate.omega
    fj = float(falling_step(2.4, theta, 0.3))  # (57), ξ = 0.8
    fk = float(falling_step(1.5, d, 20.0))  # (58), κ = 0.5
    lminb0p = lb0p + over_land * ldp
    if link.time_percent >= climate.b0_percent:
        lbd50 = edges.lbd50_db
        lminb0p = lbd50 + (sight.lb0b_db + over_land * ldp - lbd50) * edges.fi  # (59)
    lminbap = 2.5 * float(np.logaddexp(lba_db / 2.5, lb0p / 2.5))  # (60)
    lbd = edges.lbd_db
    lbda = lbd if lminbap > lbd else lminbap + (lbd - lminbap) * fk  # (61)
    lbam = lbda + (lminb0p - lbda) * fj  # (62)
    strongest = min(lbs_db, lbam)
    lbc = strongest - 5.0 * math.log10(1.0 + 10.0 ** (-0.2 * abs(lbs_db - lbam)))  # (63)
    return Combination(fj, fk, lminb0p, lminbap, lbda, lbam, lbc)


def falling_step(steepness: float, value: ArrayLike, centre: float) -> FloatOrArray:
    """Return 1 well below a centre and 0 well above it (ITU-R P.1812-8, (57) and (58)).

    Parameters
    ----------
    steepness : float
        Three times the recommendation's ξ or κ.
    value : array_like
        What is compared with the centre; any shape.
    centre : float
        Where the step is at one half.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        1 − (1 + tanh(steepness (value − centre) / centre)) / 2.
    """
    relative = (np.asarray(value, dtype=np.float64) - centre) / centre
    return (1.0 - 0.5 * (1.0 + np.tanh(steepness * relative)))[()]
