"""A source of candidates: a rule that proposes places for something new."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import geopandas as gpd
import pandas as pd

from ankang_coverage.planning.candidates import Candidates, nothing_dropped
from ankang_coverage.region import Region
from ankang_coverage.settings import Settings
from ankang_coverage.sites import Network
from ankang_coverage.words import Words

if TYPE_CHECKING:
    from ankang_coverage.planning.kinds.micro import MicroTarget


BY_A_ROAD = "by_a_road"
"""Reason of a place along a road."""


@dataclass(frozen=True)
class PlaceSearch:
    """What a source works from.

    Attributes
    ----------
    region : Region
        Terrain and divisions.
    network : Network
        Existing sites.
    target : MicroTarget
        What is to be built; its ``candidates`` are the settings that sources share.
    roads : geopandas.GeoDataFrame or None
        Lines of the file of roads, where it is used.
    unusable_roads : pandas.Series
        Why features of that file cannot be used, by their number.
    """

    region: Region
    network: Network
    target: "MicroTarget"
    roads: gpd.GeoDataFrame | None = None
    unusable_roads: pd.Series = field(default_factory=lambda: pd.Series(dtype=object))

    def roads_left_out(self) -> pd.DataFrame:
        """Return the features of the file of roads that cannot be used, as dropped places.

        Returns
        -------
        pandas.DataFrame
            As `Candidates.dropped`.
        """
        file = self.target.candidates.roads
        if file is None or self.roads is None:
            return nothing_dropped()
        return nothing_dropped().assign(
            id=[f"{file.name}, feature {number}" for number in self.unusable_roads.index],
            source=BY_A_ROAD,
            reason=self.unusable_roads.to_numpy(object),
        )


class CandidateSource(Settings, ABC):
    """A rule that proposes places for something new.

    Its fields are keys of a target's ``candidates`` table. Keys that several sources use, such as
    the file of roads, are in `CandidateSettings`.
    """

    name: ClassVar[str]
    """Name in a study."""
    description: ClassVar[str]
    """Description for the documentation."""
    words: ClassVar[Mapping[str, Words]] = {}
    """Words for the reasons it gives, by the reason."""

    @abstractmethod
    def places(self, search: PlaceSearch) -> gpd.GeoDataFrame:
        """Return places for something new, the best first.

        Parameters
        ----------
        search : PlaceSearch
            Region, network, and what is to be built.

        Returns
        -------
        geopandas.GeoDataFrame
            Points in the CRS of the region's villages with ``reason``, and where known ``site``
            (an id), ``name``, ``owner``, ``construction`` and ``cost_yuan``.
        """

    def on_towers(self, search: PlaceSearch) -> Candidates | None:  # noqa: ARG002
        """Return candidates on existing masts; most sources have none.

        Parameters
        ----------
        search : PlaceSearch
            Region, network, and what is to be built.

        Returns
        -------
        Candidates or None
            Towers under their own ids, with only the new cells.
        """
        return None

    def problem(self, roads_are_given: bool) -> str | None:  # noqa: ARG002
        """Return which key is missing from the settings.

        Parameters
        ----------
        roads_are_given : bool
            Whether there is a file of roads.

        Returns
        -------
        str or None
            The key to give; None where nothing is missing.
        """
        return None

    @classmethod
    def documentation(cls) -> tuple[str, ...]:
        """Return its row in the table of ``docs/planning.md``.

        Returns
        -------
        tuple of str
            Name, description and keys, as Markdown.
        """
        keys = ", ".join(f"`{key}`" for key in cls.model_fields) or "–"
        return f'`"{cls.name}"`', cls.description, keys


def no_places(region: Region) -> gpd.GeoDataFrame:
    """Return the empty table of places.

    Parameters
    ----------
    region : Region
        Gives the CRS.

    Returns
    -------
    geopandas.GeoDataFrame
        No row.
    """
    return gpd.GeoDataFrame(
        {"reason": pd.Series(dtype=object)}, geometry=gpd.GeoSeries([], crs=region.villages.crs)
    )
