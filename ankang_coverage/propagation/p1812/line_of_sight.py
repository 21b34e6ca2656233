"""Line of sight (ITU-R P.1812-8, section 4.2)."""

import math
from dataclasses import dataclass

from ankang_coverage.propagation.p1812.geometry import Heights, Horizons
from ankang_coverage.propagation.p1812.inputs import Link


@dataclass(frozen=True)
class LineOfSight:
    """Free space, and line of sight for p % and β0 of the time; attributes as in `P1812Loss`."""

    lbfs_db: float
    lb0p_db: float
    lb0b_db: float


def line_of_sight(
    link: Link, d: float, b0: float, heights: Heights, horizons: Horizons
) -> LineOfSight:
    """Return the losses of equations (8) to (11) for a path of d [km] and β0 [%]."""
    drop_m = heights.hts_m - heights.hrs_m
    spread = 10.0 * math.log10(d**2 + (drop_m / 1e3) ** 2)
    lbfs = 92.4 + 20.0 * math.log10(link.frequency_ghz) + spread
    focusing = 2.6 * (1.0 - math.exp(-0.1 * (horizons.dlt_km + horizons.dlr_km)))
    return LineOfSight(
        lbfs_db=lbfs,
        lb0p_db=lbfs + focusing * math.log10(link.time_percent / 50.0),
        lb0b_db=lbfs + focusing * math.log10(b0 / 50.0),
    )
