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
    """What one target chose and why, how good that is, and what random choices would have gained.

    Attributes
    ----------
    target : Target
        The target.
    candidates : Candidates
        The sites it chose from, and the places that were dropped.
    selection : Selection
        The choice among the candidates, in order [gains in 1/1000 of the first objective], with its
        upper bound. For targets that choose jointly it is this target's part.
    joint : Selection or None
        The whole choice with its upper bound, where targets choose jointly.
    people_unserved : float
        People the target serves who were not covered before it.
    people_gained : float
        People newly covered by the chosen sites, each site predicted beside the network before the
        choice: this is what the choice maximises.
    people_gained_net : float
        People covered after minus people covered before, predicted with all chosen sites on the
        air. Where the rule has a smallest SINR, it can be less than ``people_gained``, because
        sites chosen together interfere with each other. Joint targets of one service share it.
    cost_yuan : int
        What the chosen sites cost [CNY].
    candidates_per_person : float
        How many candidates cover a person, on average over the people not yet covered whom at least
        one candidate covers.
    random_people_gained : tuple of float
        People newly covered by plans drawn at random from the same candidates under the same
        rules, sorted.
    explanation : Explanation
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
        """Share of the bound by which the (joint) choice may be below the best."""
        return (self.joint or self.selection).gap

    @property
    def times_random(self) -> float:
        """People gained, divided by the median of the random plans."""
        median = float(np.median(self.random_people_gained))
        return self.people_gained / median if median else float("inf")


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """A programme's chosen sites and the coverage before and after.

    Attributes
    ----------
    region : Region
        The region.
    programme : Programme
        What was to be built.
    network, network_after : Network
        The sites before, without candidates; and the same with the chosen ones.
    chosen : geopandas.GeoDataFrame
        Chosen sites in order of choice, indexed by site id: ``programme`` (the target's id),
        ``order``, ``service``, ``kind``, ``construction``, ``owner``, ``county``,
        ``county_name``, ``township``, ``township_name``, ``longitude``, ``latitude`` (WGS-84),
        ``people_gained``, ``people_gained_total`` (running, per programme), ``cost_yuan``,
        ``cost_yuan_total`` (running), ``reason``, ``source``, geometry.
    results : tuple of TargetResult
        One per target, in order.
    coverage_before, coverage_after : mapping of str to Coverage
        Coverage by service.
    villages, townships, counties : geopandas.GeoDataFrame
        The region's divisions with the figures of `summarise`, each suffixed ``_<service>_before``
        and ``_<service>_after``, and ``area_km2``; for the state after also why people are not
        covered: ``main_reason``, ``median_shortfall_db``, ``median_obstacle_m``.
    sources : tuple of Source
        Where the data come from.
    seconds : mapping of str to float
        Wall time by stage [s].
    interrupted : bool
        Whether the user stopped the work: a stopped search gives the best choice found until then,
        and targets not yet begun are missing.
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
