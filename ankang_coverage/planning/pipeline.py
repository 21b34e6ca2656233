"""From a programme to a plan: candidates, coverage, then each target's choice in turn.

Each target, or all targets that choose jointly, goes through the same stages: who is not yet
covered (`Planner.ask`), which candidate covers whom (`Planner.pose`), the choice (`choice.solve`),
coverage with it (`Planner.build`), and its explanation (`Planner.explain`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Unpack

import geopandas as gpd
import numpy as np

from ankang_coverage.coverage import ClassLimits, Coverage, Predictor, Propagation, Work
from ankang_coverage.coverage.execution.work import SeparateWork, work_of
from ankang_coverage.coverage.prediction import predict_with
from ankang_coverage.covering import Selection
from ankang_coverage.errors import PlanningError
from ankang_coverage.inputs import require_type
from ankang_coverage.planning.candidates import Candidates, locate
from ankang_coverage.planning.checks import (
    check_asked,
    check_counties,
    check_equipment,
    county_codes,
)
from ankang_coverage.planning.choice import (
    Block,
    Choice,
    marginal_people,
    part_of,
    pose,
    random_gains,
    solve,
)
from ankang_coverage.planning.constraints import Asked
from ankang_coverage.planning.demand import Demand, demand_of, people_by_county
from ankang_coverage.planning.explanation import (
    Outcome,
    cost_of_constraints,
    explain,
    what_is_left,
)
from ankang_coverage.planning.matrix import covering_matrix
from ankang_coverage.planning.overlay import Summary, chosen_sites, division_tables
from ankang_coverage.planning.programme import Programme
from ankang_coverage.planning.results import Plan, TargetResult
from ankang_coverage.planning.target import Situation, Target
from ankang_coverage.progress import ShowGap, search_progress
from ankang_coverage.region import Region
from ankang_coverage.region.shares import MILLI
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import Service


def plan(
    region: Region,
    network: Network,
    programme: Programme,
    *,
    rules: Mapping[str, Service] | None = None,
    propagation: Propagation | None = None,
    limits: ClassLimits | None = None,
    locked: gpd.GeoDataFrame | None = None,
    work: Work | None = None,
    show_gap: ShowGap | None = None,
    seed: int = 0,
    **separate: Unpack[SeparateWork],
) -> Plan:
    """Choose sites for a programme, and report how good the choice is and what it changes.

    Candidates are placed and all rules checked before anything is predicted. Then each target in
    turn, or all jointly, counts who is not yet covered, chooses the sites that newly cover most
    under its rules, and computes an upper bound of what any other choice could cover.

    Parameters
    ----------
    region : Region
        Where.
    network : Network
        Sites built or planned already; they are kept. Sites of status candidate are left out.
    programme : Programme
        What is to be built.
    rules : mapping of str to Service, optional
        Services by id, with the rule for being covered, in place of those of the network's
        catalogue. They are predicted besides those of the targets.
    propagation : Propagation, optional
        Path-loss model and its settings.
    limits : ClassLimits, optional
        Shares of people that make a division covered or not covered.
    locked : geopandas.GeoDataFrame, optional
        Rows of an earlier plan's ``chosen`` to keep: they are chosen first, count towards the
        number and the budget of their target, and the plan continues from them.
    work : Work, optional
        As for ``predict``.
    show_gap : callable, optional
        Called now and then during a search with the targets' ids, seconds, people (or what else the
        first objective counts), and the share of the bound by which they may be below the best.
        When omitted, this is shown as a line wherever progress shows bars.
    seed : int, default 0
        Seed of the random plans that the choice is compared with.
    **separate
        Deprecated: the parts of `work` as separate arguments.

    Returns
    -------
    Plan
        Interrupting a search (Ctrl-C) ends it with the best choice found so far, and interrupting
        a later prediction ends the plan with the targets that are complete; ``interrupted`` says
        so.

    Raises
    ------
    PlanningError
        If a county, site or owner is unknown, constraints contradict each other or the numbers, a
        target has too few candidates, too few fit with its spacing, or nobody is left to cover.
    """
    _require_types(region, network, programme)
    network = replace(network, catalogue=network.catalogue.with_entries(*(rules or {}).values()))
    network = network.with_sites(network.sites.index[network.sites["status"] != "candidate"])
    settings = (propagation or Propagation()).resolved()
    predictor = Predictor(region, settings, work_of(work, separate))
    planner = Planner(
        region=region,
        programme=programme,
        rules=rules or {},
        county_code=county_codes(region),
        limits=limits or ClassLimits(),
        locked=locked,
        show_gap=show_gap or search_progress(predictor.work.progress),
        seed=seed,
    )
    return _planned(planner, predictor, network)


def _require_types(region: object, network: object, programme: object) -> None:
    order = "plan(region, network, programme)"
    require_type(region, Region, "region", order)
    require_type(network, Network, "network", order)
    require_type(programme, Programme, "programme", order)


def _planned(planner: "Planner", predictor: Predictor, network: Network) -> Plan:
    """Go through the stages of a plan."""
    region, programme, clock = planner.region, planner.programme, _Clock()
    with clock.stage("candidates"):
        candidates = planner.candidates(network)
    with clock.stage("coverage before"):
        before = planner.coverage_before(predictor, network, candidates)
    done = Standing(after=dict(before), network=network)
    for group in planner.groups:
        try:
            done = planner.carry_out(group, candidates, done, clock)
        except KeyboardInterrupt:
            if not done.results:
                raise
            done = replace(done, interrupted=True)
            break
    with clock.stage("overlay"):
        tables = division_tables(before, done.after, done.summaries, planner.limits)
    return Plan(
        region=region,
        programme=programme,
        network=network,
        network_after=done.network,
        chosen=chosen_sites(done.results, region),
        results=done.results,
        coverage_before=before,
        coverage_after=done.after,
        **tables,
        sources=(*region.sources, *network.sources),
        seconds=clock.seconds,
        interrupted=done.interrupted,
    )


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
class Standing:
    """The state of a plan after some of its targets.

    Attributes
    ----------
    after : mapping of str to Coverage
        Coverage by service.
    network : Network
        All sites built so far.
    summaries : mapping of str to Summary
        Complete summaries, by service and level, of the services that targets built.
    results : tuple of TargetResult
        One per target so far.
    interrupted : bool
        Whether the user stopped a search.
    """

    after: Mapping[str, Coverage]
    network: Network
    summaries: Mapping[str, Summary] = field(default_factory=dict)
    results: tuple[TargetResult, ...] = ()
    interrupted: bool = False


@dataclass(frozen=True)
class Planner:
    """The stages of a plan, with what all of them need.

    Attributes
    ----------
    region : Region
        Where.
    programme : Programme
        What is to be built.
    county_code : callable
        Returns a county's code from its code or name.
    limits : ClassLimits
        Shares of people that make a division covered or not covered.
    locked : geopandas.GeoDataFrame or None
        Sites of an earlier plan that stay.
    show_gap : ShowGap or None
        Called now and then during a search.
    seed : int
        Seed of the random plans.
    """

    region: Region
    programme: Programme
    rules: Mapping[str, Service]
    county_code: Callable[[str], str]
    limits: ClassLimits
    locked: gpd.GeoDataFrame | None
    show_gap: ShowGap | None
    seed: int

    @property
    def groups(self) -> list[tuple[Target, ...]]:
        """Targets that choose together."""
        targets = self.programme.targets
        return [targets] if self.programme.order == "joint" else [(target,) for target in targets]

    # --- before the first choice --------------------------------------------------------------

    def candidates(self, network: Network) -> dict[str, Candidates]:
        """Return every target's candidates, and check every rule that needs no prediction.

        Parameters
        ----------
        network : Network
            Existing sites.

        Returns
        -------
        dict of str to Candidates
            Candidates by target id.
        """
        check_equipment(self.programme, network.catalogue)
        check_counties(self.programme, self.county_code)
        self._check_locked()
        found = {
            target.id: target.propose(self._situation(target, network))
            for target in self.programme.targets
        }
        for group in self.groups:
            if not any(target.waits_for for target in group):
                check_asked(self._asked(group, found), self.programme, self.county_code)
        return found

    def coverage_before(
        self, predictor: Predictor, network: Network, candidates: Mapping[str, Candidates]
    ) -> dict[str, Coverage]:
        """Predict the services that are asked for with the network.

        Parameters
        ----------
        predictor : Predictor
            Predicts, and at the same time prepares the candidates on existing masts.
        network : Network
            Existing sites.
        candidates : mapping of str to Candidates
            Candidates by target id.

        Returns
        -------
        dict of str to Coverage
            Coverage by service id.
        """
        targets, known = self.programme.targets, network.catalogue.services
        asked = {*self.rules, *(target.service for target in targets)}
        services = {id_: rule for id_, rule in known.items() if id_ in asked}
        on_towers = [
            (candidates[target.id].network, services[target.service].radio_layers)
            for target in targets
            if target.stands_on_towers
        ]
        predictor.prepare(
            [*((network, rule.radio_layers) for rule in services.values()), *on_towers]
        )
        return {id_: predict_with(predictor, network, rule) for id_, rule in services.items()}

    # --- target by target ---------------------------------------------------------------------

    def carry_out(
        self,
        group: Sequence[Target],
        candidates: Mapping[str, Candidates],
        done: Standing,
        clock: _Clock,
    ) -> Standing:
        """Choose sites for a group of targets, predict coverage with them, and explain the choice.

        Parameters
        ----------
        group : sequence of Target
            Targets that choose together.
        candidates : mapping of str to Candidates
            Candidates by target id.
        done : Standing
            State after the earlier targets.
        clock : _Clock
            Takes the time of each stage.

        Returns
        -------
        Standing
            State after these targets.
        """
        label = " + ".join(target.id for target in group)
        with clock.stage(f"choose {label}"):
            asked, demands = self.ask(group, candidates, done)
            choice = self.pose(asked, demands, done)
            selection = solve(choice, choice.rules, show_gap=self.show_gap)
        with clock.stage(f"coverage with {label}"):
            built = self.build(choice, selection, done)
        with clock.stage(f"explain {label}"):
            results = self.explain(choice, selection, done, built)
        return replace(
            built,
            results=(*done.results, *results),
            interrupted=done.interrupted or selection.status == "interrupted",
        )

    def ask(
        self, group: Sequence[Target], candidates: Mapping[str, Candidates], done: Standing
    ) -> tuple[tuple[Asked, ...], dict[str, Demand]]:
        """Count who is not yet covered, and keep the candidates that are worth a prediction.

        Parameters
        ----------
        group : sequence of Target
            Targets that choose together.
        candidates : mapping of str to Candidates
            Candidates by target id.
        done : Standing
            State after the earlier targets.

        Returns
        -------
        tuple of Asked
            The targets with the candidates that are left.
        dict of str to Demand
            What is still uncovered, by target id.
        """
        demands, left = {}, {}
        for target in group:
            demand = demand_of(self.region, done.after[target.service], target)
            if not demand.objectives[0].any():
                raise PlanningError(
                    f"target {target.id}: nobody is left to cover, because {target.service} "
                    f"covers everyone already or nobody lives in its villages; remove it"
                )
            demands[target.id] = demand
            built = {
                result.target.id: tuple(result.candidates.table.index[result.selection.chosen])
                for result in done.results
            }
            situation = self._situation(target, done.network, built)
            left[target.id] = target.review(candidates[target.id], demand, situation)
        return self._asked(group, left), demands

    def pose(self, asked: Sequence[Asked], demands: Mapping[str, Demand], done: Standing) -> Choice:
        """Predict which candidate covers whom, and put this and the rules into one problem.

        Parameters
        ----------
        asked : sequence of Asked
            The targets with their candidates.
        demands : mapping of str to Demand
            What is still uncovered, by target id.
        done : Standing
            State after the earlier targets.

        Returns
        -------
        Choice
            The problem.
        """
        rules = check_asked(asked, self.programme, self.county_code)
        wanted = _wanted(asked, demands)
        blocks = []
        for request in asked:
            service = request.target.service
            matrix, _ = covering_matrix(
                done.after[service], request.candidates.network, wanted[service]
            )
            pixels = np.flatnonzero(wanted[service] > 0)
            blocks.append(Block(matrix, pixels, demands[request.target.id]))
        return pose(
            asked,
            blocks,
            rules,
            lambda target: people_by_county(self.region, target),
            self.region.counties["name"],
            self.county_code,
        )

    def build(self, choice: Choice, selection: Selection, done: Standing) -> Standing:
        """Add the chosen sites to the network and to the coverage.

        Parameters
        ----------
        choice : Choice
            The problem.
        selection : Selection
            Its answer.
        done : Standing
            State before.

        Returns
        -------
        Standing
            State with the chosen sites.
        """
        after, network = dict(done.after), done.network
        for n, request in enumerate(choice.asked):
            sites = request.candidates.table.index[part_of(choice, selection, n).chosen]
            if not len(sites):
                continue
            built = request.candidates.network.with_sites(list(sites))
            service = request.target.service
            after[service] = after[service].add(built)
            network = network.plus(_as_planned(built))
        summaries = {
            service: after[service].summarise(limits=self.limits, complete=True)
            for service in dict.fromkeys(request.target.service for request in choice.asked)
        }
        return replace(
            done, after=after, network=network, summaries={**done.summaries, **summaries}
        )

    def explain(
        self, choice: Choice, selection: Selection, done: Standing, built: Standing
    ) -> tuple[TargetResult, ...]:
        """Report for each target what was chosen and why.

        Parameters
        ----------
        choice : Choice
            The problem.
        selection : Selection
            Its answer.
        done : Standing
            State before.
        built : Standing
            State with the chosen sites.

        Returns
        -------
        tuple of TargetResult
            One result per target.
        """
        left = what_is_left(choice, selection)
        constraints = cost_of_constraints(choice, selection)
        gains = marginal_people(choice, selection.chosen)
        reach = np.bincount(choice.matrix.indices, minlength=choice.matrix.shape[1])
        results = []
        for n, request in enumerate(choice.asked):
            rows = choice.rows(n)
            own = (selection.chosen >= rows.start) & (selection.chosen < rows.stop)
            served = _columns_of(choice, n)
            reached = int(choice.people[served & (reach > 0)].sum())
            outcome = self._outcome(request.target, done, built)
            results.append(
                TargetResult(
                    target=request.target,
                    candidates=request.candidates,
                    selection=part_of(choice, selection, n),
                    joint=selection if len(choice.asked) > 1 else None,
                    people_unserved=int(choice.people[served].sum()) / MILLI,
                    people_gained=int(gains[own].sum()) / MILLI,
                    people_gained_net=int(outcome.net_by_county.sum()) / MILLI,
                    cost_yuan=int(choice.problem.costs[selection.chosen[own]].sum()),
                    candidates_per_person=float((reach * choice.people)[served].sum() / reached)
                    if reached
                    else 0.0,
                    random_people_gained=random_gains(choice, n, self.seed),
                    explanation=explain(choice, selection, left, n, outcome, constraints),
                )
            )
        return tuple(results)

    def _outcome(self, target: Target, done: Standing, built: Standing) -> Outcome:
        """Return the prediction for a target with the chosen sites."""
        before = done.after[target.service].covered.to_numpy().ravel()
        after = built.after[target.service].covered.to_numpy().ravel()
        by_county = people_by_county(self.region, target)
        return Outcome(
            region=self.region,
            villages=built.summaries[target.service]["villages"],
            uncovered=~after,
            covered_from=self.limits.covered_from,
            people_by_county=by_county,
            net_by_county=by_county @ (after.astype(np.int64) - before),
        )

    # --- targets and what is locked -----------------------------------------------------------

    def _asked(
        self, group: Sequence[Target], candidates: Mapping[str, Candidates]
    ) -> tuple[Asked, ...]:
        """Combine targets with their candidates."""
        return tuple(
            Asked(
                target=target,
                candidates=candidates[target.id],
                county=locate(candidates[target.id].network.sites, self.region)["county"],
                forced=tuple(dict.fromkeys((*self._locked_ids(target), *target.forced))),
            )
            for target in group
        )

    def _situation(
        self,
        target: Target,
        network: Network,
        built: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Situation:
        return Situation(self.region, network, self._locked_for(target), built or {})

    def _locked_for(self, target: Target) -> gpd.GeoDataFrame | None:
        return None if self.locked is None else self.locked[self.locked["programme"] == target.id]

    def _locked_ids(self, target: Target) -> list[str]:
        locked = self._locked_for(target)
        return [] if locked is None else list(locked.index)

    def _check_locked(self) -> None:
        if self.locked is None:
            return
        known = [target.id for target in self.programme.targets]
        unknown = self.locked[~self.locked["programme"].isin(known)]
        if len(unknown):
            raise PlanningError(
                f"locked site {unknown.index[0]!r} was chosen for target "
                f"{unknown['programme'].iloc[0]!r}, but the programme's targets are "
                f"{', '.join(known)}"
            )


def _as_planned(network: Network) -> Network:
    return replace(network, sites=network.sites.assign(status="planned"))


def _wanted(asked: Sequence[Asked], demands: Mapping[str, Demand]) -> dict[str, np.ndarray]:
    """Return by service which pixels any of its targets is to cover."""
    wanted: dict[str, np.ndarray] = {}
    for request in asked:
        service = request.target.service
        here = demands[request.target.id].wanted
        wanted[service] = np.maximum(wanted[service], here) if service in wanted else here
    return wanted


def _columns_of(choice: Choice, n: int) -> np.ndarray:
    """Return which columns belong to the service of target n."""
    first = 0
    columns = np.zeros(choice.matrix.shape[1], bool)
    for service, width in choice.widths:
        if service == choice.asked[n].target.service:
            columns[first : first + width] = True
        first += width
    return columns
