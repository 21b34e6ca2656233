"""Plan: the choice of sites and what it changes for every village."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from ankang_coverage.coverage import (
    ClassLimits,
    Propagation,
    add_network,
    predict,
    summarise_region,
)
from ankang_coverage.coverage.predict import Progress
from ankang_coverage.coverage.store import Store
from ankang_coverage.covering import Selection, greedy
from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.candidates import Candidates, locate, too_near
from ankang_coverage.planning.demand import unserved_people
from ankang_coverage.planning.matrix import covering_matrix
from ankang_coverage.planning.programme import Programme, Target
from ankang_coverage.planning.targets.micro import micro_candidates
from ankang_coverage.planning.targets.supporting import supporting_candidates
from ankang_coverage.region import Region, Source
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.shares import MILLI
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import Service, services

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
N_RANDOM_PLANS = 20


@dataclass(frozen=True)
class TargetResult:
    """What one target chose, and what choosing blindly would have gained.

    Attributes
    ----------
    target
        The target.
    selection
        The choice among the candidates, in order [gains in 1/1000 person].
    n_candidates
        How many candidates there were.
    people_unserved
        People the target is for whom nothing covered before it.
    people_gained
        People the chosen sites newly cover.
    random_people_gained
        People newly covered by plans drawn at random from the same candidates under the same
        rules, sorted.
    """

    target: Target
    selection: Selection
    n_candidates: int
    people_unserved: float
    people_gained: float
    random_people_gained: tuple[float, ...]

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
        ``order``, ``service``, ``kind``, ``county``, ``county_name``, ``township``,
        ``township_name``, ``longitude``, ``latitude`` (WGS-84), ``people_gained``,
        ``people_gained_total`` (running, per programme), ``reason``, ``source``, geometry.
    results
        One per target, in order.
    coverage_before, coverage_after
        Dataset of `predict` by service.
    villages, townships, counties
        The region's divisions with the figures of `summarise`, each suffixed
        ``_<service>_before`` and ``_<service>_after``, and ``area_km2``.
    sources
        Where the ingredients come from.
    seconds
        Wall time by stage [s].
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


def plan(
    region: Region,
    network: Network,
    programme: Programme,
    *,
    rules: Mapping[str, Service] | None = None,
    propagation: Propagation | None = None,
    limits: ClassLimits | None = None,
    store: Store | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    seed: int = 0,
) -> Plan:
    """Choose sites for a programme and say what they change.

    Each target in turn places its candidates, counts the people not yet covered whom it is for,
    and chooses greedily the sites that newly cover most, keeping its minimum spacing.

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
        Services by id, with the rule for being covered; the catalogue's when omitted.
    propagation
        Path-loss model and its settings.
    limits
        Shares of people that make a division covered or not covered.
    store, executor, progress
        As for ``predict``.
    seed
        Seed of the random plans that the choice is compared with.

    Returns
    -------
    Plan

    Raises
    ------
    PlanningError
        If a target has fewer candidates than sites to build, fewer fit with its spacing, a new
        pole would get the id of an existing site, or nobody is left to cover.
    """
    known = dict(services()) | dict(rules or {})
    clock = _Clock()
    work = _Work(executor=executor, progress=progress)
    network = network.with_sites(network.sites.index[network.sites["status"] != "candidate"])
    _require_towers(network, programme)
    with clock.stage("coverage before"):
        before = {
            id_: predict(region, network, rule, propagation=propagation, store=store, **work)
            for id_, rule in known.items()
        }
    after, network_after = dict(before), network
    results, chosen = [], []
    for target in programme.targets:
        with clock.stage(f"choose {target.id}"):
            coverage = after[target.service]
            demand = unserved_people(region, coverage, target)
            candidates = _candidates(region, network_after, demand, target)
            matrix, weights = covering_matrix(region, coverage, candidates.network, demand, **work)
            result = _choose(matrix, weights, candidates, target, seed)
        with clock.stage(f"coverage with {target.id}"):
            sites = candidates.network.sites.index[result.selection.chosen]
            built = candidates.network.with_sites(sites)
            after[target.service] = add_network(region, coverage, built, **work)
            network_after = network_after.plus(_as_planned(built))
        results.append(result)
        chosen.append(_chosen_table(result, candidates, region))
    with clock.stage("overlay"):
        tables = _tables(region, before, after, limits)
    return Plan(
        region=region,
        programme=programme,
        network=network,
        network_after=network_after,
        chosen=gpd.GeoDataFrame(pd.concat(chosen), geometry="geometry", crs=region.villages.crs),
        results=tuple(results),
        coverage_before=before,
        coverage_after=after,
        **tables,
        sources=(*region.sources, *network.sources),
        seconds=clock.seconds,
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


def _require_towers(network: Network, programme: Programme) -> None:
    """Refuse supporting targets beyond the towers there are, before any prediction."""
    for target in programme.targets:
        if target.kind == "supporting":
            _require_enough(supporting_candidates(network, target), target)


def _require_enough(candidates: Candidates, target: Target) -> None:
    found = len(candidates.network.sites)
    if found < target.number:
        raise PlanningError(
            f"target {target.id} asks for {target.number} sites, but only {found} candidates "
            f"exist: lower number or give more sites"
        )


def _candidates(
    region: Region, network: Network, demand: NDArray[np.int64], target: Target
) -> Candidates:
    if not demand.any():
        raise PlanningError(
            f"target {target.id}: nobody it is for lives in these villages, or {target.service} "
            f"covers all of them already; leave the target out"
        )
    if target.kind == "micro":
        candidates = micro_candidates(region, demand, target)
        taken = candidates.network.sites.index.intersection(network.sites.index)
        if len(taken):
            raise PlanningError(
                f"target {target.id}: its candidate {taken[0]} has the id of a site that stands "
                f"already; give the target another id"
            )
    else:
        candidates = supporting_candidates(network, target)
    _require_enough(candidates, target)
    return candidates


def _choose(
    matrix: sparse.csr_array,
    weights: NDArray[np.int64],
    candidates: Candidates,
    target: Target,
    seed: int,
) -> TargetResult:
    conflicts = too_near(candidates.network.sites, target.minimum_spacing_m)
    selection = greedy(matrix, weights, target.number, conflicts=conflicts)
    if len(selection.chosen) < target.number:
        raise PlanningError(
            f"target {target.id}: only {len(selection.chosen)} of {target.number} sites fit with "
            f"a spacing of {target.minimum_spacing_m:g} m; lower minimum_spacing_m or number"
        )
    blind = [
        _random_gain(matrix, weights, conflicts, target.number, np.random.default_rng([seed, n]))
        for n in range(N_RANDOM_PLANS)
    ]
    return TargetResult(
        target=target,
        selection=selection,
        n_candidates=matrix.shape[0],
        people_unserved=int(weights.sum()) / MILLI,
        people_gained=selection.objective / MILLI,
        random_people_gained=tuple(sorted(gain / MILLI for gain in blind)),
    )


def _random_gain(
    matrix: sparse.csr_array,
    weights: NDArray[np.int64],
    conflicts: sparse.csr_array | None,
    number: int,
    rng: np.random.Generator,
) -> int:
    """Weight covered by candidates drawn at random until `number` keep the spacing."""
    barred = np.zeros(matrix.shape[0], bool)
    covered = np.zeros(matrix.shape[1], bool)
    n_drawn = 0
    for candidate in rng.permutation(matrix.shape[0]):
        if barred[candidate]:
            continue
        covered[matrix.indices[matrix.indptr[candidate] : matrix.indptr[candidate + 1]]] = True
        if conflicts is not None:
            near = slice(conflicts.indptr[candidate], conflicts.indptr[candidate + 1])
            barred[conflicts.indices[near]] = True
        n_drawn += 1
        if n_drawn == number:
            break
    return int(weights[covered].sum())


def _as_planned(network: Network) -> Network:
    return replace(network, sites=network.sites.assign(status="planned"))


def _chosen_table(result: TargetResult, candidates: Candidates, region: Region) -> gpd.GeoDataFrame:
    sites = candidates.network.sites.iloc[result.selection.chosen]
    lonlat = sites.to_crs(WGS84).geometry
    gains = result.selection.gains
    return gpd.GeoDataFrame(
        {
            "programme": result.target.id,
            "order": np.arange(1, len(sites) + 1),
            "name": sites["name"],
            "service": result.target.service,
            "kind": sites["kind"],
            **locate(sites, region),
            "longitude": lonlat.x.round(6),
            "latitude": lonlat.y.round(6),
            "people_gained": gains / MILLI,
            "people_gained_total": np.cumsum(gains) / MILLI,
            "reason": candidates.reasons.loc[sites.index],
            "source": "synthetic" if region.is_synthetic else sites["source"],
        },
        geometry=sites.geometry,
        index=sites.index,
    )


def _tables(
    region: Region,
    before: Mapping[str, xr.Dataset],
    after: Mapping[str, xr.Dataset],
    limits: ClassLimits | None,
) -> dict[str, gpd.GeoDataFrame]:
    tables: dict[str, gpd.GeoDataFrame] = {}
    for state, coverages in (("before", before), ("after", after)):
        for service_id, coverage in coverages.items():
            for level, summary in summarise_region(coverage, region, limits=limits).items():
                base = tables.get(level)
                if base is None:
                    base = summary.drop(columns=list(FIGURES))
                figures = summary[list(FIGURES)].add_suffix(f"_{service_id}_{state}")
                tables[level] = gpd.GeoDataFrame(
                    pd.concat([base, figures], axis=1), geometry="geometry", crs=summary.crs
                )
    return tables
