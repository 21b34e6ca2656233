"""Bands in use in China: what a carrier may be, by technology and number of the band."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from ankang_coverage.errors import CatalogueError

Technology: TypeAlias = Literal["lte", "nr"]
Duplex: TypeAlias = Literal["fdd", "tdd"]
Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Band:
    """One operating band.

    Attributes
    ----------
    technology, number : str, int
        ``lte`` or ``nr``, and the band's number.
    downlink_mhz, uplink_mhz : tuple of float
        Lowest and highest frequency [MHz]; the same in TDD.
    bandwidths_mhz : tuple of float
        Bandwidths that carriers may have [MHz].
    """

    technology: Technology
    number: int
    downlink_mhz: Range
    uplink_mhz: Range
    bandwidths_mhz: tuple[float, ...]

    @property
    def duplex(self) -> Duplex:
        """``tdd`` where both directions use the same frequencies, else ``fdd``."""
        return "tdd" if self.uplink_mhz == self.downlink_mhz else "fdd"

    @property
    def name(self) -> str:
        """The band as people write it: ``B8``, ``n78``."""
        return f"{'B' if self.technology == 'lte' else 'n'}{self.number}"


_LTE = (
    (1, (2110, 2170), (1920, 1980), (5, 10, 15, 20)),
    (3, (1805, 1880), (1710, 1785), (1.4, 3, 5, 10, 15, 20)),
    (5, (869, 894), (824, 849), (1.4, 3, 5, 10)),
    (8, (925, 960), (880, 915), (1.4, 3, 5, 10)),
    (34, (2010, 2025), (2010, 2025), (5, 10, 15)),
    (39, (1880, 1920), (1880, 1920), (5, 10, 15, 20)),
    (40, (2300, 2400), (2300, 2400), (5, 10, 15, 20)),
    (41, (2496, 2690), (2496, 2690), (5, 10, 15, 20)),
)
_NR = (
    (1, (2110, 2170), (1920, 1980), (5, 10, 15, 20, 25, 30, 40, 50)),
    (3, (1805, 1880), (1710, 1785), (5, 10, 15, 20, 25, 30, 40)),
    (5, (869, 894), (824, 849), (5, 10, 15, 20)),
    (8, (925, 960), (880, 915), (5, 10, 15, 20)),
    (28, (758, 803), (703, 748), (5, 10, 15, 20, 30)),
    (41, (2496, 2690), (2496, 2690), (10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 100)),
    (78, (3300, 3800), (3300, 3800), (10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100)),
    (79, (4400, 5000), (4400, 5000), (40, 50, 60, 80, 100)),
)

BANDS: Mapping[tuple[Technology, int], Band] = MappingProxyType(
    {
        (band.technology, band.number): band
        for band in [*(Band("lte", *row) for row in _LTE), *(Band("nr", *row) for row in _NR)]
    }
)
"""Ranges: 3GPP TS 36.101 table 5.5-1 and TS 38.101-1 table 5.2-1. Bandwidths: TS 36.101 table
5.6.1-1 and TS 38.101-1 table 5.3.5-1, release 16; 30 MHz in n28 only at 703–733 / 758–788 MHz."""


def band(technology: Technology, number: int) -> Band:
    """Return one of the bands in use in China.

    Parameters
    ----------
    technology : str
        ``lte`` or ``nr``.
    number : int
        Number of the band.

    Returns
    -------
    Band
        The band.

    Raises
    ------
    CatalogueError
        If it is none of them; the message names them.

    Examples
    --------
    >>> band("nr", 28).uplink_mhz
    (703, 748)
    """
    found = BANDS.get((technology, number))
    if found is None:
        known = ", ".join(named.name for named in BANDS.values() if named.technology == technology)
        raise CatalogueError(
            f"band {number} of {technology.upper()} is not in use in China; known are {known}"
        )
    return found
