"""The sources of candidates for something new, by name.

A source is a class derived from `CandidateSource`. To add one, write a module here and add a line
to `SOURCES`. Your own source outside the library needs no line: pass its object to
``CandidateSettings(sources=…)``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ankang_coverage.planning.sources.base import CandidateSource
from ankang_coverage.planning.sources.own import OwnPlaces
from ankang_coverage.planning.sources.people import People
from ankang_coverage.planning.sources.roads import Roads
from ankang_coverage.planning.sources.towers import Towers
from ankang_coverage.planning.sources.villages import HighPoints, VillageCentres

__all__ = ["SOURCES", "CandidateSource"]

SOURCES: Final[Mapping[str, type[CandidateSource]]] = MappingProxyType(
    {
        source.name: source
        for source in (People, VillageCentres, HighPoints, Towers, Roads, OwnPlaces)
    }
)
"""The sources that come with the library, in the order of the documentation."""
