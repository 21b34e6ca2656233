"""Where candidates for something new come from: the sources, by name.

A source is a class derived from `CandidateSource`. A new one is a module here and a line in
`SOURCES`; one of a user's own needs no line: its object is given to
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
