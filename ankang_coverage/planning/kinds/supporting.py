"""5G supporting sites (5G配套站址): existing towers that get a technology they lack."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from ankang_coverage.planning.candidates import Candidates, nothing_dropped
from ankang_coverage.planning.costs import UnitPrices
from ankang_coverage.planning.demand import Demand
from ankang_coverage.planning.sources.towers import co_location, towers_without
from ankang_coverage.planning.target import SiteIds, Situation, Target
from ankang_coverage.settings import Settings
from ankang_coverage.words import Words


class TowerSettings(Settings):
    """Settings of candidates on existing towers."""

    costs: Path | None = None
    """YAML of unit prices instead of the built-in ones."""


class SupportingTarget(Target):
    """Existing towers that get the radio layers of a service that they lack.

    New cells take height, azimuths and tilts of the tower's first radio layer, as antennas on one
    frame do.
    """

    kind_words: ClassVar = Words("配套站址", "supporting sites")
    description: ClassVar = "existing towers that get another technology"
    words: ClassVar = {
        "co-location": Words("共址", "co-location"),
        "existing_tower_without_4g": Words("现有铁塔尚无 4G", "existing tower without 4G"),
        "existing_tower_without_5g": Words("现有铁塔尚无 5G", "existing tower without 5G"),
    }
    stands_on_towers: ClassVar = True

    kind: Literal["supporting"] = "supporting"
    """Kind of target."""
    candidates: TowerSettings = Field(default_factory=TowerSettings)
    """Settings of the candidates."""
    towers_of: tuple[str, ...] = ()
    """Earlier targets whose chosen sites count as towers too."""

    @property
    def waits_for(self) -> SiteIds:
        """Ids of earlier targets whose sites are candidates too."""
        return self.towers_of

    def propose(self, situation: Situation) -> Candidates:
        """Return the macro towers without the target's service, equipped with it.

        Parameters
        ----------
        situation : Situation
            Region, network, and the sites that earlier targets built.

        Returns
        -------
        Candidates
            Sites under their existing ids, with only the new cells.
        """
        network = situation.network
        prices = UnitPrices.from_yaml(self.candidates.costs)
        also = [id_ for target in self.towers_of for id_ in situation.built.get(target, ())]
        lacked = network.catalogue.service(self.service).radio_layers
        towers = towers_without(network, lacked, self.radio_layers, also=also)
        return Candidates(
            network=towers,
            table=co_location(network, towers, self.service, prices),
            dropped=nothing_dropped(),
        )

    def review(self, found: Candidates, demand: Demand, situation: Situation) -> Candidates:  # noqa: ARG002
        """Return the towers that still lack the service, and those that earlier targets built.

        Parameters
        ----------
        found : Candidates
            What `propose` returned.
        demand : Demand
            What is not yet covered: not used, because any tower without the service may cover it.
        situation : Situation
            Region, network, and the sites that earlier targets built.

        Returns
        -------
        Candidates
            The same as before where no earlier target has built anything.
        """
        return self.propose(situation) if situation.built else found
