"""Every variant against every possible choice; published instances; interruption and repetition."""

import csv
import importlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from ankang_coverage.covering import (
    Floor,
    Quota,
    Selection,
    greedy,
    maximal_covering,
    pose,
)
from ankang_coverage.errors import CoveringError

IMPROVE = ("greedy", "swap", "search")


@dataclass
class Variant:
    """A small problem with any constraints, dense."""

    covers: NDArray[np.bool_]
    weights: NDArray[np.int64]
    number: int | None = None
    costs: NDArray[np.int64] | None = None
    budget: int | None = None
    quotas: list[Quota] = field(default_factory=list)
    rivals: NDArray[np.bool_] | None = None
    forced: list[int] = field(default_factory=list)
    forbidden: list[int] = field(default_factory=list)
    floors: list[Floor] = field(default_factory=list)
    secondary: list[tuple[NDArray[np.bool_], NDArray[np.int64]]] = field(default_factory=list)

    def arguments(self) -> dict[str, Any]:
        return {
            "matrix": csr_array(self.covers),
            "weights": self.weights,
            "number": self.number,
            "costs": self.costs,
            "budget": self.budget,
            "quotas": self.quotas,
            "conflicts": None if self.rivals is None else csr_array(self.rivals),
            "forced": self.forced,
            "forbidden": self.forbidden,
            "floors": self.floors,
            "secondary": [(csr_array(covers), weights) for covers, weights in self.secondary],
        }

    def objectives(self, chosen: list[int]) -> tuple[int, ...]:
        return tuple(
            int(weights[covers[chosen].any(axis=0)].sum())
            for covers, weights in ((self.covers, self.weights), *self.secondary)
        )

    def cost(self, chosen: list[int]) -> int:
        return 0 if self.costs is None else int(self.costs[chosen].sum())

    def is_permitted(self, chosen: list[int]) -> bool:
        reached = self.covers[chosen].any(axis=0)
        return (
            (self.number is None or len(chosen) <= self.number)
            and (self.budget is None or self.cost(chosen) <= self.budget)
            and all(
                quota.minimum
                <= np.isin(chosen, quota.candidates).sum()
                <= (math.inf if quota.maximum is None else quota.maximum)
                for quota in self.quotas
            )
            and (self.rivals is None or not self.rivals[np.ix_(chosen, chosen)].any())
            and set(self.forced) <= set(chosen)
            and not set(self.forbidden) & set(chosen)
            and all(
                self.weights[floor.demand][reached[floor.demand]].sum() >= floor.minimum
                for floor in self.floors
            )
        )

    def permitted(self) -> Iterator[list[int]]:
        everyone = range(len(self.covers))
        for size in range(len(self.covers) + 1):
            for chosen in itertools.combinations(everyone, size):
                if self.is_permitted(list(chosen)):
                    yield list(chosen)


def draw_members(draw: st.DrawFn, variant: Variant, order: list[int]) -> None:
    """Force and forbid a few."""
    for j in order[: draw(st.integers(0, 2))]:
        if variant.rivals is None or not variant.rivals[j, variant.forced].any():
            variant.forced.append(j)
    others = [j for j in order if j not in variant.forced]
    variant.forbidden = others[: draw(st.integers(0, max(0, min(2, len(order) - 1, len(others)))))]


@st.composite
def variants(draw: st.DrawFn, simple: bool = False) -> Variant:
    """Draw any constraints; `simple` ones are those for which greedy looks ahead exactly."""
    n = draw(st.integers(1, 7))
    covers = draw(arrays(np.bool_, (n, draw(st.integers(1, 9)))))
    weights = draw(arrays(np.int64, covers.shape[1], elements=st.integers(0, 4)))
    weights[0] += 1
    variant = Variant(covers, weights)
    order = draw(st.permutations(range(n)))
    if draw(st.booleans()):
        variant.costs = draw(arrays(np.int64, n, elements=st.integers(0, 4)))
        if draw(st.booleans()):
            variant.budget = draw(st.integers(0, 12))
    groups: list[list[int]] = []
    if simple:
        label = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
        groups = [[j for j in range(n) if label[j] == g] for g in range(draw(st.integers(0, 3)))]
    else:
        subsets = st.lists(st.integers(0, n - 1), unique=True)
        groups = draw(st.lists(subsets, max_size=3))
    for g, group in enumerate(groups):
        minimum = draw(st.integers(0, len(group)))
        maximum = draw(st.one_of(st.none(), st.integers(minimum, n)))
        variant.quotas.append(Quota(f"group {g}", group, minimum, maximum))
    if draw(st.booleans()) and not (simple and any(quota.minimum for quota in variant.quotas)):
        upper = np.triu(draw(arrays(np.bool_, (n, n), fill=st.just(False))), k=1)
        variant.rivals = upper | upper.T
    draw_members(draw, variant, order)
    if not simple:
        for f in range(draw(st.integers(0, 2))):
            demand = draw(st.lists(st.integers(0, weights.size - 1), unique=True, min_size=1))
            most = int(weights[demand].sum())
            variant.floors.append(Floor(f"floor {f}", demand, draw(st.integers(0, most))))
    for _ in range(draw(st.integers(0, 2))):
        more = draw(arrays(np.bool_, (n, draw(st.integers(0, 4)))))
        variant.secondary.append(
            (more, draw(arrays(np.int64, more.shape[1], elements=st.integers(0, 2))))
        )
    allowed = np.ones(n, dtype=bool)
    allowed[variant.forbidden] = False
    if variant.rivals is not None:
        allowed[variant.rivals[variant.forced].any(axis=0)] = False
    if variant.budget is None or draw(st.booleans()):
        most = int(allowed.sum())
        assume(len(variant.forced) <= most)
        variant.number = draw(st.integers(len(variant.forced), most))
    return variant


@given(data=st.data())
@pytest.mark.parametrize("improve_by", IMPROVE)
def test_keeps_every_constraint_or_says_that_none_can(improve_by: Any, data: st.DataObject) -> None:
    variant = data.draw(variants())
    permitted = list(variant.permitted())
    if not permitted:
        with pytest.raises(CoveringError):
            maximal_covering(**variant.arguments(), improve=improve_by, bound=False)
        return

    best = maximal_covering(
        **variant.arguments(), improve=improve_by, rounds=5, time_limit_s=100, bound=False
    )

    chosen = best.chosen.tolist()
    assert sorted(chosen) in permitted
    assert len(set(chosen)) == len(chosen)
    assert chosen[: best.n_forced] == variant.forced
    assert best.objective == variant.objectives(chosen)[0] == best.gains.sum()
    assert best.objective <= max(variant.objectives(other)[0] for other in permitted)
    np.testing.assert_array_equal(best.covered, variant.covers[chosen].any(axis=0))


def rank(variant: Variant, chosen: list[int]) -> tuple[int, ...]:
    """All objectives, then what is saved."""
    return (*variant.objectives(chosen), -variant.cost(chosen))


@given(data=st.data())
def test_equals_plain_greedy_that_looks_ahead(data: st.DataObject) -> None:
    """A candidate may be taken if some permitted choice holds it and all taken before."""
    variant = data.draw(variants(simple=True))
    permitted = [set(chosen) for chosen in variant.permitted()]
    assume(permitted)

    def plain(by_cost: bool) -> list[int]:
        chosen = list(variant.forced)
        while True:
            scores = {}
            factor = [1]
            for _, weights in reversed(variant.secondary):
                factor.insert(0, factor[0] * (int(weights.sum()) + 1))
            now = variant.objectives(chosen)
            for j in range(len(variant.covers)):
                if j in chosen or not any({*chosen, j} <= other for other in permitted):
                    continue
                then = variant.objectives([*chosen, j])
                gain = sum(f * (b - a) for f, a, b in zip(factor, now, then, strict=True))
                needed = any(
                    j in np.asarray(quota.candidates)
                    and np.isin(chosen, quota.candidates).sum() < quota.minimum
                    for quota in variant.quotas
                )
                if gain == 0 and variant.budget is not None and not needed:
                    continue
                cost = variant.cost([j])
                per_cost = gain / cost if cost else math.inf if gain else 0.0
                scores[(-per_cost, -gain, cost, j) if by_cost else (-gain, cost, j)] = j
            if not scores:
                return chosen
            chosen.append(scores[min(scores)])

    expected = plain(by_cost=False)
    if variant.budget is not None:
        other = plain(by_cost=True)
        if rank(variant, other) > rank(variant, expected):
            expected = other

    assert greedy(**variant.arguments()).chosen.tolist() == expected


@given(data=st.data())
def test_no_exchange_improves_what_swaps_have_settled(data: st.DataObject) -> None:
    variant = data.draw(variants())
    variant.floors = []  # an exchange that a floor forbids hides the second best
    permitted = [set(chosen) for chosen in variant.permitted()]
    assume(permitted)

    best = maximal_covering(**variant.arguments(), improve="swap", bound=False)

    assert best.status == "local optimum"
    chosen = best.chosen.tolist()
    assert rank(variant, chosen) >= rank(variant, greedy(**variant.arguments()).chosen.tolist())
    for out, into in itertools.product(chosen, range(len(variant.covers))):
        exchanged = [*(j for j in chosen if j != out), into]
        if out not in variant.forced and into not in chosen and set(exchanged) in permitted:
            assert rank(variant, exchanged) <= rank(variant, chosen)
    for into in set(range(len(variant.covers))) - set(chosen):
        if {*chosen, into} in permitted:
            assert variant.objectives([*chosen, into]) == variant.objectives(chosen)


def test_secondary_objectives_decide_between_equals_only() -> None:
    people = csr_array(np.array([[1, 0], [1, 0], [0, 1]]))
    villages = csr_array(np.array([[0], [1], [1]]))

    equal = maximal_covering(people, [5, 5], number=1, secondary=[(villages, [1])], bound=False)
    unequal = maximal_covering(people, [6, 5], number=1, secondary=[(villages, [1])], bound=False)

    assert equal.chosen.tolist() == [1]
    assert unequal.chosen.tolist() == [1]
    assert equal.objective == 5
    assert unequal.objective == 6


def test_takes_the_better_of_gain_and_gain_per_cost() -> None:
    """A cheap candidate misleads one, a dear one the other."""
    apart = csr_array(np.eye(3, dtype=bool))

    cheap_first = greedy(apart, [2, 100, 0], costs=[1, 100, 1], budget=100)
    dear_last = greedy(apart, [60, 60, 100], costs=[50, 50, 100], budget=100)

    assert cheap_first.chosen.tolist() == [1]
    assert dear_last.chosen.tolist() == [0, 1]


def test_ratios_are_compared_exactly() -> None:
    """The two gains per cost differ by less than floating point can tell."""
    large = 2**53
    apart = csr_array(np.eye(2, dtype=bool))

    selection = greedy(apart, [large, large + 1], costs=[large - 1, large], budget=large)

    assert selection.chosen.tolist() == [1]  # alone it is worth more
    both = greedy(apart, [large, large + 1], costs=[large - 1, large], budget=2 * large)
    assert sorted(both.chosen.tolist()) == [0, 1]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"number": 2}, "number"),
        ({"number": 4, "quotas": [Quota("x", [1, 2], 0, 1)]}, "quotas"),
        ({"costs": [1, 1, 1, 1], "budget": 2}, "budget"),
        ({"costs": [1, 1, 1, 1], "budget": 4}, "gain"),
    ],
)
def test_says_what_stopped_it(changed: dict[str, Any], reason: str) -> None:
    covers = csr_array(np.eye(4, dtype=bool))

    assert maximal_covering(covers, [4, 3, 2, 0], **changed, bound=False).stopped_by == reason


def scattered(seed: int) -> tuple[csr_array, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    places, people = rng.random((300, 2)), rng.random((3000, 2))
    near = KDTree(people).query_ball_point(places, 0.06)
    rows = np.repeat(np.arange(300), [len(columns) for columns in near])
    covers = csr_array(
        (np.ones(rows.size, bool), (rows, np.concatenate(near).astype(int))), shape=(300, 3000)
    )
    return covers, rng.integers(1, 1000, 3000)


def test_each_step_improves_and_repeats_to_the_byte() -> None:
    covers, weights = scattered(6)

    def solve(how: Any, seed: int = 0) -> Selection:
        return maximal_covering(
            covers, weights, number=30, improve=how, rounds=50, seed=seed, bound=False
        )

    objectives = [solve(how).objective for how in IMPROVE]
    assert objectives[0] < objectives[1] < objectives[2]
    assert solve("search").chosen.tolist() == solve("search").chosen.tolist()
    assert solve("search").chosen.tolist() != solve("search", seed=1).chosen.tolist()


def test_threads_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    covers, weights = scattered(2)
    alone = maximal_covering(covers, weights, number=30, bound=False)

    module = importlib.import_module("ankang_coverage.covering.greedy")
    monkeypatch.setattr(module, "WORTH_A_THREAD", 1)
    shared_out = maximal_covering(covers, weights, number=30, bound=False)

    assert shared_out.chosen.tolist() == alone.chosen.tolist()


@pytest.mark.parametrize(("how", "report"), [("swap", 1), ("search", 6)])
def test_an_interrupt_returns_the_best_so_far(how: Any, report: int) -> None:
    covers, weights = scattered(3)

    def interrupt(_seconds: float, objective: int, _bound: int | None) -> None:
        seen.append(objective)
        if len(seen) == report:
            raise KeyboardInterrupt

    seen: list[int] = []
    best = maximal_covering(
        covers, weights, number=30, improve=how, rounds=2000, progress=interrupt
    )

    assert best.status == "interrupted"
    assert best.upper_bound is None
    assert best.objective >= max(seen)
    assert best.objective == weights[best.covered].sum()
    assert best.chosen.size == 30


def test_without_time_gives_greedy_and_a_bound() -> None:
    covers, weights = scattered(4)

    best = maximal_covering(covers, weights, number=30, improve="search", time_limit_s=1e-9)

    assert best.status == "time limit"
    assert best.chosen.tolist() == greedy(covers, weights, 30).chosen.tolist()
    assert best.upper_bound is not None
    assert best.upper_bound > best.objective
    assert best.gap == (best.upper_bound - best.objective) / best.upper_bound


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"improve": "better"}, "improve is 'better'"),
        ({"rounds": -1}, "rounds is -1"),
        ({"time_limit_s": 0}, "time_limit_s is 0"),
        (
            {"secondary": [(csr_array(np.eye(2)), [2**40, 2**40])], "weights": [2**30, 1]},
            "use coarser units",
        ),
    ],
)
def test_refuses(changed: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"matrix": csr_array(np.eye(2)), "weights": [1, 1], "number": 1}
    with pytest.raises(CoveringError, match=message):
        maximal_covering(**(arguments | changed))


def test_the_given_arrays_are_neither_copied_nor_changed() -> None:
    covers, weights = scattered(5)
    narrow = covers.indices.astype(np.int32), covers.indptr.astype(np.int32)
    covers = csr_array((covers.data, *narrow), shape=covers.shape)
    before = covers.indices.copy(), weights.copy()

    problem = pose(covers, weights, 30)
    maximal_covering(covers, weights, number=30, improve="search", rounds=2, bound=False)

    assert np.shares_memory(problem.indices, covers.indices)
    np.testing.assert_array_equal(covers.indices, before[0])
    np.testing.assert_array_equal(weights, before[1])


def read_census_blocks(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return latitude and longitude [deg], shape (n, 2), and the people of each block."""
    _, _, body = path.read_text().partition("NODE_COORD_SECTION")
    coordinates, _, demand = body.partition("DEMAND_SECTION")
    return (
        np.array(coordinates.split(), dtype=float).reshape(-1, 2),
        np.array([word for word in demand.split() if word != "EOF"], dtype=np.int64),
    )


def covers_within(lat_lon_deg: NDArray[np.float64], radius_m: float) -> csr_array:
    """Blocks within a great-circle distance of each other, on a sphere of 6,378,100 m."""
    earth_radius_m = 6_378_100
    lat, lon = np.radians(lat_lon_deg).T
    on_sphere = np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))
    chord = 2 * math.sin(radius_m / (2 * earth_radius_m))
    pairs = KDTree(on_sphere).query_pairs(chord, output_type="ndarray")
    alone = np.arange(len(lat))
    rows = np.concatenate((pairs[:, 0], pairs[:, 1], alone))
    columns = np.concatenate((pairs[:, 1], pairs[:, 0], alone))
    return csr_array((np.ones(rows.size, dtype=bool), (rows, columns)), shape=(len(lat), len(lat)))


def test_comes_close_to_the_best_known_of_published_instances(shared: Path) -> None:
    """Best known objectives: Maximo, Cordeau, Nascimento (2023), real census blocks."""
    folder = shared / "validation" / "mclp" / "ails"
    with (folder / "best_known.csv").open() as file:
        rows = list(csv.DictReader(file))
    shares: dict[str, list[float]] = {how: [] for how in IMPROVE}
    for instance in ("NewYork", "SanFrancisco"):
        lat_lon_deg, people = read_census_blocks(folder / f"{instance}.txt")
        for row in rows:
            if row["instance"] != instance:
                continue
            matrix = covers_within(lat_lon_deg, float(row["radius_m"]))
            for how in IMPROVE:
                best = maximal_covering(
                    matrix, people, number=int(row["p"]), improve=how, rounds=50, bound=False
                )
                shares[how].append(best.objective / int(row["best_known"]))

    assert len(shares["search"]) == 12
    assert min(shares["greedy"]) >= 0.95
    assert min(shares["swap"]) >= 0.975
    assert min(shares["search"]) >= 0.99
    assert np.mean(shares["search"]) >= 0.995
    assert max(shares["search"]) <= 1


def test_san_francisco_stores_leave_21_tracts_uncovered(shared: Path) -> None:
    """The published case of spopt: 16 stores, 205 tracts, 5,000 m by road, 4 stores."""
    name = "SF_network_distance_candidateStore_16_censusTract_205_new.csv"
    with (shared / "validation/mclp/spopt_sf" / name).open() as file:
        rows = list(csv.DictReader(file))
    stores = {name: row for row, name in enumerate(dict.fromkeys(row["name"] for row in rows))}
    people = {row["DestinationName"]: int(row["demand"]) for row in rows}
    tracts = {name: column for column, name in enumerate(people)}
    covers = np.zeros((len(stores), len(tracts)), dtype=bool)
    for row in rows:
        near = float(row["distance"]) <= 5000
        covers[stores[row["name"]], tracts[row["DestinationName"]]] = near

    best = maximal_covering(csr_array(covers), list(people.values()), number=4, bound=False)

    assert np.count_nonzero(~best.covered) == 21
