"""A plan: the choice of sites, how good it is, and what it changes for every village."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np

from ankang_coverage.coverage import Coverage
from ankang_coverage.covering import Selection
from ankang_coverage.planning.candidates import Candidates
from ankang_coverage.planning.explanation import Explanation
from ankang_coverage.planning.programme import Programme
from ankang_coverage.planning.target import Target
from ankang_coverage.region import Region, Source
from ankang_coverage.shown import Shown
from ankang_coverage.sites import Network


@dataclass(frozen=True, repr=False)
class TargetResult(Shown):
    """What one target chose, how good that is, why, and what choosing blindly would have gained.

    Attributes
    ----------
    target
        The target.
    candidates
        The sites it chose from, and the places that dropped out.
    selection
        The choice among the candidates, in order [gains in 1/1000 of the first objective], with
        its upper bound. Of targets that choose jointly it is this target's part.
    joint
        The whole choice with its upper bound, where targets choose jointly.
    people_unserved
        People the target is for whom nothing covered before it.
    people_gained
        People the chosen sites newly cover, each site seen beside the network that stood before:
        what the choice maximises.
    people_gained_net
        People covered after less people covered before, as predicted with all chosen sites on the
        air. Where the rule has a smallest SINR, sites chosen together interfere with each other,
        so that it can be less. Joint targets of one service share it.
    cost_yuan
        What the chosen sites cost [CNY].
    candidates_per_person
        How many candidates cover a person who is not yet served and whom any of them covers, on
        average.
    random_people_gained
        People newly covered by plans drawn at random from the same candidates under the same
        rules, sorted.
    explanation
        Why the choice is as it is.
    """

    target: Target
    candidates: Candidates
    selection: Selection
    joint: Selection | None
    people_unserved: float
    people_gained: float
    people_gained_net: float
    cost_yuan: int
    candidates_per_person: float
    random_people_gained: tuple[float, ...]
    explanation: Explanation

    def _figures(self) -> dict[str, object]:
        proof = "" if self.gap is None else f", at most {self.gap:.2%} below the best"
        return {
            "target": self.target.id,
            "chosen": f"{len(self.selection.chosen):,} of {self.n_candidates:,} candidates{proof}",
            "people gained": f"{self.people_gained:,.0f} ({self.people_gained_net:,.0f} net)",
            "cost": f"{self.cost_yuan:,} yuan",
        }

    @property
    def n_candidates(self) -> int:
        """How many candidates there were."""
        return len(self.candidates)

    @property
    def gap(self) -> float | None:
        """By what share of its bound the (joint) choice may fall short of the best."""
        return (self.joint or self.selection).gap

    @property
    def times_random(self) -> float:
        """People gained over the median of the random plans."""
        median = float(np.median(self.random_people_gained))
        return self.people_gained / median if median else float("inf")


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """A programme's chosen sites and the coverage before and after.

    Attributes
    ----------
    region
        The region.
    programme
        What was asked for.
    network, network_after
        The sites before, candidates left out, and with the chosen ones.
    chosen
        Chosen sites in order of choice, indexed by site id: ``programme`` (the target's id),
        ``order``, ``service``, ``kind``, ``construction``, ``owner``, ``county``,
        ``county_name``, ``township``, ``township_name``, ``longitude``, ``latitude`` (WGS-84),
        ``people_gained``, ``people_gained_total`` (running, per programme), ``cost_yuan``,
        ``cost_yuan_total`` (running), ``reason``, ``source``, geometry.
    results
        One per target, in order.
    coverage_before, coverage_after
        Coverage by service.
    villages, townships, counties
        The region's divisions with the figures of `summarise`, each suffixed
        ``_<service>_before`` and ``_<service>_after``, and ``area_km2``; for the state after also
        why people stay uncovered: ``main_reason``, ``median_shortfall_db``, ``median_obstacle_m``.
    sources
        Where the ingredients come from.
    seconds
        Wall time by stage [s].
    interrupted
        Whether the user stopped the work: a search that was stopped has the best choice found
        until then, and targets that had not begun are missing.
    """

    region: Region
    programme: Programme
    network: Network
    network_after: Network
    chosen: gpd.GeoDataFrame
    results: tuple[TargetResult, ...]
    coverage_before: Mapping[str, Coverage]
    coverage_after: Mapping[str, Coverage]
    villages: gpd.GeoDataFrame
    townships: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    sources: tuple[Source, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    interrupted: bool = False

    def _figures(self) -> dict[str, object]:
        targets = {
            result.target.id: ", ".join(
                f"{name} {value}" for name, value in list(result._figures().items())[1:]
            )
            for result in self.results
        }
        people = self.counties["people"].sum()
        services = {
            f"{service} covers": " → ".join(
                f"{self.counties[f'people_covered_{service}_{state}'].sum() / people:.1%}"
                for state in ("before", "after")
            )
            + " of people"
            for service in self.coverage_after
        }
        return {"region": self.region.name, **targets, **services}
