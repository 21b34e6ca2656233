"""Troposcatter (ITU-R P.1812-8, section 4.4)."""

import math

from ankang_coverage.propagation.p1812.inputs import Link


def troposcatter_loss(link: Link, d: float, theta: float) -> float:
    """Return L_bs by the length of the path [km] and its angular distance [mrad], (44) and (45)."""
    f, p = link.frequency_ghz, link.time_percent
    lf = 25.0 * math.log10(f) - 2.5 * math.log10(f / 2.0) ** 2
    time_gain = 10.125 * math.pow(math.log10(50.0 / p), 0.7)
    return 190.1 + lf + 20.0 * math.log10(d) + 0.573 * theta - 0.15 * link.n0 - time_gain
