"""Plan: the choice of sites and what it changes for every village."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from ankang_coverage.coverage import (
    ClassLimits,
    Propagation,
    add_network,
    is_covered,
    predict,
    summarise_region,
)
from ankang_coverage.coverage.predict import Progress, compute_together
from ankang_coverage.coverage.store import Store
from ankang_coverage.covering import Selection
from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.candidate_sources.people import people_within
from ankang_coverage.planning.candidates import Candidates, locate
from ankang_coverage.planning.checks import (
    check_asked,
    check_counties,
    check_equipment,
    county_codes,
)
from ankang_coverage.planning.choice import (
    Asked,
    Block,
    Choice,
    ShowGap,
    marginal_people,
    part_of,
    pose,
    random_gains,
    solve,
)
from ankang_coverage.planning.demand import Demand, demand_of, people_by_county
from ankang_coverage.planning.explanation import (
    REASONS_LEFT,
    Explanation,
    cost_of_constraints,
    explain,
    what_is_left,
)
from ankang_coverage.planning.matrix import covering_matrix
from ankang_coverage.planning.places import pixels_at
from ankang_coverage.planning.programme import Programme, Target
from ankang_coverage.planning.targets.micro import micro_candidates
from ankang_coverage.planning.targets.supporting import supporting_candidates
from ankang_coverage.region import Region, Source
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.shares import MILLI
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import Service

LEVELS = ("villages", "townships", "counties")
FIGURES = (
    "people_covered",
    "people_share",
    "area_covered_km2",
    "area_share",
    "median_rsrp_dbm",
    "coverage_class",
    "best_site",
)


@dataclass(frozen=True)
class TargetResult:
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


@dataclass(frozen=True)
class Plan:
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
        Dataset of `predict` by service.
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
    coverage_before: Mapping[str, xr.Dataset]
    coverage_after: Mapping[str, xr.Dataset]
    villages: gpd.GeoDataFrame
    townships: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    sources: tuple[Source, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    interrupted: bool = False


def plan(
    region: Region,
    network: Network,
    programme: Programme,
    *,
    rules: Mapping[str, Service] | None = None,
    propagation: Propagation | None = None,
    limits: ClassLimits | None = None,
    locked: gpd.GeoDataFrame | None = None,
    store: Store | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    show_gap: ShowGap | None = None,
    seed: int = 0,
) -> Plan:
    """Choose sites for a programme and say how good the choice is and what it changes.

    Candidates are placed and all rules checked before anything is predicted. Then each target in
    turn, or all jointly, counts who is not yet covered, chooses the sites that newly cover most
    under its rules, and proves how much any other choice could cover at most.

    Parameters
    ----------
    region
        Where.
    network
        What is built or planned already; its coverage is locked in. Sites of status candidate are
        left out.
    programme
        What is to be built.
    rules
        Services by id, with the rule for being covered; those of the network's catalogue when
        omitted.
    propagation
        Path-loss model and its settings.
    limits
        Shares of people that make a division covered or not covered.
    locked
        Rows of an earlier plan's ``chosen`` that stay: they are chosen first, count towards the
        number and the budget of the target they were chosen for, and the plan goes on from them.
    store, executor, progress
        As for ``predict``.
    show_gap
        Told now and then of a search: what it is for, seconds, people (or what else the first
        objective counts), and by what share of the bound they may fall short of the best.
    seed
        Seed of the random plans that the choice is compared with.

    Returns
    -------
    Plan
        Interrupting a search (Ctrl-C) ends it with the best choice found so far, and interrupting
        a later prediction ends the plan with the targets that are complete; ``interrupted`` says
        so.

    Raises
    ------
    PlanningError
        If a county, site or owner is unknown, constraints contradict each other or the numbers,
        a target has fewer candidates than sites to build, fewer fit with its spacing, or nobody
        is left to cover.
    """
    network = replace(network, catalogue=network.catalogue.with_entries(*(rules or {}).values()))
    clock = _Clock()
    work = _Work(executor=executor, progress=progress)
    network = network.with_sites(network.sites.index[network.sites["status"] != "candidate"])
    planner = _Planner(
        region=region,
        programme=programme,
        county_code=county_codes(region),
        limits=limits or ClassLimits(),
        locked=locked,
        work=work,
        show_gap=show_gap,
        seed=seed,
    )
    with clock.stage("candidates"):
        check_equipment(programme, network.catalogue)
        check_counties(programme, planner.county_code)
        candidates = planner.candidates(network)
        for group in planner.groups:
            if not any(target.towers_of for target in group):
                check_asked(planner.asked(group, candidates), programme, planner.county_code)
    with clock.stage("coverage before"):
        services = network.catalogue.services
        compute_together(
            region,
            [
                *((network, rule.radio_layers) for rule in services.values()),
                # They stand on towers that are predicted anyway.
                *(
                    (candidates[target.id].network, services[target.service].radio_layers)
                    for target in programme.targets
                    if target.kind == "supporting"
                ),
            ],
            propagation=propagation,
            store=store,
            **work,
        )
        before = {
            id_: predict(region, network, rule, propagation=propagation, store=store, **work)
            for id_, rule in services.items()
        }
    done = _Done(after=dict(before), network=network)
    interrupted = False
    for group in planner.groups:
        label = " + ".join(target.id for target in group)
        try:
            with clock.stage(f"choose {label}"):
                choice, selection = planner.choose(group, candidates, done)
            with clock.stage(f"coverage with {label}"):
                built = planner.build(choice, selection, done)
            with clock.stage(f"explain {label}"):
                results = planner.results(choice, selection, done, built)
        except KeyboardInterrupt:
            if not done.results:
                raise
            interrupted = True
            break
        done = replace(built, results=(*done.results, *results))
        interrupted |= selection.status == "interrupted"
    with clock.stage("overlay"):
        tables = _tables(region, before, done, limits)
    chosen = [_chosen_table(result, region) for result in done.results]
    return Plan(
        region=region,
        programme=programme,
        network=network,
        network_after=done.network,
        chosen=gpd.GeoDataFrame(pd.concat(chosen), geometry="geometry", crs=region.villages.crs),
        results=done.results,
        coverage_before=before,
        coverage_after=done.after,
        **tables,
        sources=(*region.sources, *network.sources),
        seconds=clock.seconds,
        interrupted=interrupted,
    )


class _Work(TypedDict):
    """Where every prediction of a plan is done."""

    executor: Executor | None
    progress: Progress | None


class _Clock:
    """Wall time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.seconds[name] = perf_counter() - start


@dataclass(frozen=True)
class _Done:
    """What stands after some of the targets, with complete summaries of the services built."""

    after: Mapping[str, xr.Dataset]
    network: Network
    summaries: Mapping[str, Mapping[str, gpd.GeoDataFrame]] = field(default_factory=dict)
    results: tuple[TargetResult, ...] = ()


@dataclass(frozen=True)
class _Planner:
    """The steps of a plan, with what all of them need."""

    region: Region
    programme: Programme
    county_code: Callable[[str], str]
    limits: ClassLimits
    locked: gpd.GeoDataFrame | None
    work: _Work
    show_gap: ShowGap | None
    seed: int

    @property
    def groups(self) -> list[tuple[Target, ...]]:
        """Targets that choose together."""
        targets = self.programme.targets
        return [targets] if self.programme.order == "joint" else [(target,) for target in targets]

    def candidates(self, network: Network) -> dict[str, Candidates]:
        """Return every target's candidates, as far as they do not depend on other targets."""
        self._check_locked()
        return {
            target.id: micro_candidates(
                self.region, network, target, locked=self._new_and_locked(target, network)
            )
            if target.kind == "micro"
            else supporting_candidates(network, target)
            for target in self.programme.targets
        }

    def asked(
        self, group: Sequence[Target], candidates: Mapping[str, Candidates]
    ) -> tuple[Asked, ...]:
        """Put targets and their candidates together."""
        return tuple(
            Asked(
                target=target,
                candidates=candidates[target.id],
                county=locate(candidates[target.id].network.sites, self.region)["county"],
                forced=tuple(dict.fromkeys((*self._locked_ids(target), *target.forced))),
            )
            for target in group
        )

    def choose(
        self, group: Sequence[Target], candidates: Mapping[str, Candidates], done: _Done
    ) -> tuple[Choice, Selection]:
        """Count who is left, pose the problem and solve it."""
        demands = {
            target.id: demand_of(self.region, done.after[target.service], target)
            for target in group
        }
        left = {
            target.id: self._worthwhile(target, candidates, demands[target.id], done)
            for target in group
        }
        asked = self.asked(group, left)
        rules = check_asked(asked, self.programme, self.county_code)
        wanted = self._wanted(asked, demands)
        blocks = []
        for one in asked:
            service = one.target.service
            matrix, _ = covering_matrix(
                self.region,
                done.after[service],
                one.candidates.network,
                wanted[service],
                **self.work,
            )
            blocks.append(
                Block(matrix, np.flatnonzero(wanted[service] > 0), demands[one.target.id])
            )
        choice = pose(
            asked,
            blocks,
            rules,
            lambda target: people_by_county(self.region, target),
            self.region.counties["name"],
            self.county_code,
        )
        selection = solve(choice, choice.rules, show_gap=self.show_gap)
        return choice, selection

    def build(self, choice: Choice, selection: Selection, done: _Done) -> _Done:
        """Return what stands with the chosen sites."""
        after, network = dict(done.after), done.network
        for n, one in enumerate(choice.asked):
            sites = one.candidates.table.index[part_of(choice, selection, n).chosen]
            if not len(sites):
                continue
            built = one.candidates.network.with_sites(list(sites))
            service = one.target.service
            after[service] = add_network(self.region, after[service], built, **self.work)
            network = network.plus(_as_planned(built))
        summaries = {
            service: summarise_region(
                after[service], self.region, limits=self.limits, complete=True
            )
            for service in dict.fromkeys(one.target.service for one in choice.asked)
        }
        return _Done(
            after=after,
            network=network,
            summaries={**done.summaries, **summaries},
            results=done.results,
        )

    def results(
        self, choice: Choice, selection: Selection, done: _Done, built: _Done
    ) -> tuple[TargetResult, ...]:
        """Say of each target what was chosen and why."""
        left = what_is_left(choice, selection)
        constraints = cost_of_constraints(choice, selection)
        gains = marginal_people(choice, selection.chosen)
        reach = np.bincount(choice.matrix.indices, minlength=choice.matrix.shape[1])
        results = []
        for n, one in enumerate(choice.asked):
            rows, target = choice.rows(n), one.target
            own = (selection.chosen >= rows.start) & (selection.chosen < rows.stop)
            served = self._columns_of(choice, n)
            reached = int(choice.people[served & (reach > 0)].sum())
            before = is_covered(done.after[target.service]).ravel()
            after = is_covered(built.after[target.service]).ravel()
            by_county = people_by_county(self.region, target)
            net = by_county @ (after.astype(np.int64) - before)
            results.append(
                TargetResult(
                    target=target,
                    candidates=one.candidates,
                    selection=part_of(choice, selection, n),
                    joint=selection if len(choice.asked) > 1 else None,
                    people_unserved=int(choice.people[served].sum()) / MILLI,
                    people_gained=int(gains[own].sum()) / MILLI,
                    people_gained_net=int(net.sum()) / MILLI,
                    cost_yuan=int(choice.problem.costs[selection.chosen[own]].sum()),
                    candidates_per_person=float((reach * choice.people)[served].sum() / reached)
                    if reached
                    else 0.0,
                    random_people_gained=random_gains(choice, n, self.seed),
                    explanation=explain(
                        choice,
                        selection,
                        left,
                        n,
                        region=self.region,
                        villages=built.summaries[target.service]["villages"],
                        uncovered=~after,
                        covered_from=self.limits.covered_from,
                        people_by_county=by_county,
                        net_by_county=net,
                        constraints=constraints,
                    ),
                )
            )
        return tuple(results)

    def _worthwhile(
        self,
        target: Target,
        candidates: Mapping[str, Candidates],
        demand: Demand,
        done: _Done,
    ) -> Candidates:
        """Return the candidates that are worth a prediction now."""
        if not demand.objectives[0].any():
            raise PlanningError(
                f"target {target.id}: nobody it is for lives in these villages, or "
                f"{target.service} covers all of them already; leave the target out"
            )
        if target.kind == "supporting":
            built = [
                id_
                for result in done.results
                if result.target.id in target.towers_of
                for id_ in result.candidates.table.index[result.selection.chosen]
            ]
            return supporting_candidates(done.network, target, also=built)
        found = candidates[target.id]
        standing = done.network.cells.index.intersection(found.network.cells.index)
        twice = found.network.cells.loc[standing, "site"]
        found = found.only(~found.table.index.isin(twice), "a site of this id stands already")
        settings, sites = target.candidates, found.network.sites
        x_m, y_m = sites.geometry.x.to_numpy(), sites.geometry.y.to_numpy()
        amount = np.maximum(demand.people, demand.wanted)
        near = people_within(self.region, amount, settings.people_within_m).ravel()
        worth = near[pixels_at(x_m, y_m, self.region)] >= settings.fewest_people
        worth |= found.table["construction"].eq("co-location").to_numpy()
        worth |= found.table.index.isin([*target.forced, *self._locked_ids(target)])
        return found.only(
            worth,
            f"fewer than {settings.fewest_people:g} people not yet served within "
            f"{settings.people_within_m:g} m",
        )

    def _wanted(
        self, asked: Sequence[Asked], demands: Mapping[str, Demand]
    ) -> dict[str, np.ndarray]:
        """Return by service which pixels count to any of its targets."""
        wanted: dict[str, np.ndarray] = {}
        for one in asked:
            service = one.target.service
            here = demands[one.target.id].wanted
            wanted[service] = np.maximum(wanted[service], here) if service in wanted else here
        return wanted

    def _columns_of(self, choice: Choice, n: int) -> np.ndarray:
        """Return which columns are of the service of target n."""
        first = 0
        columns = np.zeros(choice.matrix.shape[1], bool)
        for service, width in choice.widths:
            if service == choice.asked[n].target.service:
                columns[first : first + width] = True
            first += width
        return columns

    def _locked_ids(self, target: Target) -> list[str]:
        if self.locked is None:
            return []
        return list(self.locked.index[self.locked["programme"] == target.id])

    def _new_and_locked(self, target: Target, network: Network) -> gpd.GeoDataFrame | None:
        """Return the locked sites of a target that do not stand yet."""
        ids = [id_ for id_ in self._locked_ids(target) if id_ not in network.sites.index]
        if self.locked is None or not ids:
            return None
        return self.locked[self.locked["programme"] == target.id].loc[ids]

    def _check_locked(self) -> None:
        if self.locked is None:
            return
        known = [target.id for target in self.programme.targets]
        strange = self.locked[~self.locked["programme"].isin(known)]
        if len(strange):
            raise PlanningError(
                f"locked site {strange.index[0]!r} was chosen for target "
                f"{strange['programme'].iloc[0]!r}, which the programme has not: {', '.join(known)}"
            )


def _as_planned(network: Network) -> Network:
    return replace(network, sites=network.sites.assign(status="planned"))


def _chosen_table(result: TargetResult, region: Region) -> gpd.GeoDataFrame:
    sites = result.candidates.network.sites.iloc[result.selection.chosen]
    table = result.candidates.table.loc[sites.index]
    lonlat = sites.to_crs(WGS84).geometry
    curve = result.explanation.curve.set_index("id")
    return gpd.GeoDataFrame(
        {
            "programme": result.target.id,
            "order": np.arange(1, len(sites) + 1),
            "name": sites["name"],
            "service": result.target.service,
            "kind": sites["kind"],
            "construction": table["construction"],
            "owner": table["owner"],
            **locate(sites, region),
            "longitude": lonlat.x.round(6),
            "latitude": lonlat.y.round(6),
            "people_gained": curve["people_gained"],
            "people_gained_total": curve["people_gained_total"],
            "cost_yuan": curve["cost_yuan"],
            "cost_yuan_total": curve["cost_yuan_total"],
            "reason": table["reason"],
            "source": "synthetic" if region.is_synthetic else sites["source"],
        },
        geometry=sites.geometry,
        index=sites.index,
    )


def _tables(
    region: Region,
    before: Mapping[str, xr.Dataset],
    done: _Done,
    limits: ClassLimits | None,
) -> dict[str, gpd.GeoDataFrame]:
    tables: dict[str, gpd.GeoDataFrame] = {}
    for service_id, coverage in before.items():
        _add_figures(
            tables, summarise_region(coverage, region, limits=limits), FIGURES, service_id, "before"
        )
    for service_id, coverage in done.after.items():
        summary = done.summaries.get(service_id) or summarise_region(
            coverage, region, limits=limits, complete=True
        )
        _add_figures(tables, summary, (*FIGURES, *REASONS_LEFT), service_id, "after")
    return tables


def _add_figures(
    tables: dict[str, gpd.GeoDataFrame],
    summary: Mapping[str, gpd.GeoDataFrame],
    figures: Sequence[str],
    service_id: str,
    state: str,
) -> None:
    """Put the figures of one service and state beside what the tables have."""
    for level, table in summary.items():
        base = tables.get(level, table.drop(columns=list(figures)))
        named = table[list(figures)].add_suffix(f"_{service_id}_{state}")
        tables[level] = gpd.GeoDataFrame(
            pd.concat([base, named], axis=1), geometry="geometry", crs=table.crs
        )
