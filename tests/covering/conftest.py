"""Small covering problems, what is possible in them by trying everything, and published ones."""

import csv
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from ankang_coverage.covering import Constraints, Floor, Problem, Quota


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

    def problem(self) -> Problem:
        """Return it as the solver takes it."""
        constraints = Constraints(
            number=self.number,
            costs=self.costs,
            budget=self.budget,
            quotas=self.quotas,
            conflicts=None if self.rivals is None else csr_array(self.rivals),
            forced=self.forced,
            forbidden=self.forbidden,
            floors=self.floors,
        )
        secondary = [(csr_array(covers), weights) for covers, weights in self.secondary]
        return Problem.from_matrix(csr_array(self.covers), self.weights, constraints, secondary)

    def objectives(self, chosen: list[int]) -> tuple[int, ...]:
        """Return what is covered of each objective."""
        return tuple(
            int(weights[covers[chosen].any(axis=0)].sum())
            for covers, weights in ((self.covers, self.weights), *self.secondary)
        )

    def cost(self, chosen: list[int]) -> int:
        """Return what a choice costs."""
        return 0 if self.costs is None else int(self.costs[chosen].sum())

    def rank(self, chosen: list[int]) -> tuple[int, ...]:
        """Return all objectives, then what is saved."""
        return (*self.objectives(chosen), -self.cost(chosen))

    def is_permitted(self, chosen: list[int]) -> bool:
        """Whether a choice keeps all constraints."""
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
        """Go through all choices that keep all constraints."""
        everyone = range(len(self.covers))
        for size in range(len(self.covers) + 1):
            for chosen in itertools.combinations(everyone, size):
                if self.is_permitted(list(chosen)):
                    yield list(chosen)

    def optimum(self) -> int:
        """Return the most that a permitted choice covers."""
        return max(self.objectives(chosen)[0] for chosen in self.permitted())


def draw_number(draw: st.DrawFn, variant: Variant) -> int:
    """Draw a number that the forced candidates leave possible at first sight."""
    allowed = np.ones(len(variant.covers), dtype=bool)
    allowed[variant.forbidden] = False
    if variant.rivals is not None:
        allowed[variant.rivals[variant.forced].any(axis=0)] = False
    assume(len(variant.forced) <= allowed.sum())
    return draw(st.integers(len(variant.forced), int(allowed.sum())))


def draw_members(draw: st.DrawFn, variant: Variant) -> None:
    """Force and forbid a few."""
    order = draw(st.permutations(range(len(variant.covers))))
    for j in order[: draw(st.integers(0, 2))]:
        if variant.rivals is None or not variant.rivals[j, variant.forced].any():
            variant.forced.append(j)
    others = [j for j in order if j not in variant.forced]
    variant.forbidden = others[: draw(st.integers(0, max(0, min(2, len(order) - 1, len(others)))))]


def draw_rivals(draw: st.DrawFn, n: int) -> NDArray[np.bool_]:
    """Draw symmetric conflicts."""
    upper = np.triu(draw(arrays(np.bool_, (n, n), fill=st.just(False))), k=1)
    return upper | upper.T


@st.composite
def draw_case(draw: st.DrawFn, constrained: bool = True) -> Variant:
    """Draw a case full of ties: small weights, repeated columns, zero weights."""
    n_candidates = draw(st.integers(1, 8))
    n_columns = draw(st.integers(1, 8))
    covers = draw(arrays(np.bool_, (n_candidates, n_columns)))
    repeats = draw(arrays(np.int64, n_columns, elements=st.integers(1, 3)))
    covers = np.repeat(covers, repeats, axis=1)
    weights = draw(arrays(np.int64, covers.shape[1], elements=st.integers(0, 3)))
    weights[draw(st.integers(0, weights.size - 1))] += 1
    case = Variant(covers, weights)
    if constrained:
        case.rivals = draw_rivals(draw, n_candidates)
        draw_members(draw, case)
    case.number = draw_number(draw, case)
    return case


@st.composite
def draw_variant(draw: st.DrawFn, simple: bool = False) -> Variant:
    """Draw any constraints; `simple` ones are those for which greedy looks ahead exactly."""
    n = draw(st.integers(1, 7))
    covers = draw(arrays(np.bool_, (n, draw(st.integers(1, 9)))))
    weights = draw(arrays(np.int64, covers.shape[1], elements=st.integers(0, 4)))
    weights[0] += 1
    variant = Variant(covers, weights)
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
        variant.rivals = draw_rivals(draw, n)
    draw_members(draw, variant)
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
    number = draw_number(draw, variant)
    if variant.budget is None or draw(st.booleans()):
        variant.number = number
    return variant


@pytest.fixture(scope="session")
def cases() -> st.SearchStrategy[Variant]:
    """Cases with conflicts, forced and forbidden candidates."""
    return draw_case()


@pytest.fixture(scope="session")
def free_cases() -> st.SearchStrategy[Variant]:
    """Cases with nothing but a number."""
    return draw_case(constrained=False)


@pytest.fixture(scope="session")
def variants() -> st.SearchStrategy[Variant]:
    """Problems with any constraints, some of which no choice keeps."""
    return draw_variant()


@pytest.fixture(scope="session")
def simple_variants() -> st.SearchStrategy[Variant]:
    """Problems in which greedy knows exactly what may still be taken."""
    return draw_variant(simple=True)


@pytest.fixture(scope="session")
def scattered() -> Callable[[int], Problem]:
    """Return 300 discs over 3,000 weighted points, of which 30 are chosen, by seed."""

    def make(seed: int) -> Problem:
        rng = np.random.default_rng(seed)
        places, people = rng.random((300, 2)), rng.random((3000, 2))
        near = KDTree(people).query_ball_point(places, 0.06)
        rows = np.repeat(np.arange(300), [len(columns) for columns in near])
        covers = csr_array(
            (np.ones(rows.size, bool), (rows, np.concatenate(near).astype(int))), shape=(300, 3000)
        )
        return Problem.from_matrix(covers, rng.integers(1, 1000, 3000), Constraints(number=30))

    return make


class CensusBlocks(NamedTuple):
    """A published instance over real census blocks, and the best objective known for it."""

    name: str
    problem: Problem
    best_known: int


@pytest.fixture(scope="session")
def census_blocks(shared: Path) -> list[CensusBlocks]:
    """Instances of Maximo, Cordeau, Nascimento (2023): New York and San Francisco."""
    folder = shared / "validation" / "mclp" / "ails"
    with (folder / "best_known.csv").open() as file:
        rows = list(csv.DictReader(file))
    matrices: dict[str, tuple[csr_array, NDArray[np.int64]]] = {}
    instances = []
    for row in rows:
        name = row["instance"]
        if name not in matrices:
            lat_lon_deg, people = read_census_blocks(folder / f"{name}.txt")
            matrices[name] = covers_within(lat_lon_deg, float(row["radius_m"])), people
        problem = Problem.from_matrix(*matrices[name], Constraints(number=int(row["p"])))
        instances.append(CensusBlocks(f"{name} {row['p']}", problem, int(row["best_known"])))
    assert len(instances) == 12
    return instances


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


@pytest.fixture(scope="session")
def stores(shared: Path) -> Problem:
    """The published case of spopt: 16 stores, 205 tracts, 5,000 m by road, 4 stores.

    The best choice leaves 21 tracts uncovered.
    """
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
    assert covers.shape == (16, 205)
    return Problem.from_matrix(csr_array(covers), list(people.values()), Constraints(number=4))
