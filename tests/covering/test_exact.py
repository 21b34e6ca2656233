"""Integer programming against every possible choice and a published case."""

import csv
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ankang_coverage.covering import Floor, Quota, exact, greedy, maximal_covering
from ankang_coverage.errors import CoveringError


@dataclass
class Variant:
    """A small problem with any of the constraints, and a choice that keeps them."""

    covers: NDArray[np.bool_]
    weights: NDArray[np.int64]
    kept: NDArray[np.bool_]
    number: int
    constraints: dict[str, Any] = field(default_factory=dict)

    def allows(self, chosen: NDArray[np.bool_]) -> bool:
        c = self.constraints
        covered = self.covers[chosen].any(axis=0)
        return bool(
            chosen.sum() <= self.number
            and ("budget" not in c or c["costs"][chosen].sum() <= c["budget"])
            and all(q.minimum <= chosen[q.candidates].sum() <= q.maximum for q in c["quotas"])
            and not c["conflicts"].toarray()[np.ix_(chosen, chosen)].any()
            and chosen[c["forced"]].all()
            and not chosen[c["forbidden"]].any()
            and all(
                self.weights[f.demand][covered[f.demand]].sum() >= f.minimum for f in c["floors"]
            )
        )

    def optimum(self) -> int:
        choices = itertools.product((False, True), repeat=len(self.covers))
        return max(
            int(self.weights[self.covers[chosen].any(axis=0)].sum())
            for chosen in map(np.array, choices)
            if self.allows(chosen)
        )


@st.composite
def draw_variant(draw: st.DrawFn) -> Variant:
    """Draw constraints around a choice that keeps them all."""
    n, n_demand = draw(st.integers(2, 7)), draw(st.integers(1, 10))
    covers = draw(arrays(np.bool_, (n, n_demand)))
    weights = draw(arrays(np.int64, n_demand, elements=st.integers(0, 9)))
    weights[0] = 1
    kept = draw(arrays(np.bool_, n))
    kept[draw(st.integers(0, n - 1))] = True
    covered = covers[kept].any(axis=0)
    rivals = np.triu(draw(arrays(np.bool_, (n, n))), k=1)
    rivals = (rivals | rivals.T) & ~(kept[:, None] & kept)
    forced = [j for j in np.flatnonzero(kept).tolist() if draw(st.integers(0, 3)) == 0]
    forbidden = [j for j in np.flatnonzero(~kept).tolist() if draw(st.integers(0, 3)) == 0]
    quotas, floors = [], []
    for name in range(draw(st.integers(0, 3))):
        members = np.flatnonzero(draw(arrays(np.bool_, n)))
        n_kept = int(kept[members].sum())
        least, most = draw(st.integers(0, n_kept)), draw(st.integers(n_kept, n))
        quotas.append(Quota(str(name), members, least, most))
    for name in range(draw(st.integers(0, 2))):
        demand = np.flatnonzero(draw(arrays(np.bool_, n_demand)))
        reached = int(weights[demand][covered[demand]].sum())
        floors.append(Floor(str(name), demand, draw(st.integers(0, reached))))
    constraints: dict[str, Any] = {
        "quotas": quotas,
        "floors": floors,
        "forced": forced,
        "forbidden": forbidden,
        "conflicts": csr_array(rivals),
    }
    if draw(st.booleans()):
        costs = draw(arrays(np.int64, n, elements=st.integers(0, 5)))
        budget = int(costs[kept].sum()) + draw(st.integers(0, 5))
        constraints |= {"costs": costs, "budget": budget}
    # Not more than can be chosen, which would be refused.
    available = np.ones(n, dtype=bool)
    available[forbidden] = False
    available[rivals[forced].any(axis=0)] = False
    number = draw(st.integers(int(kept.sum()), int(available.sum())))
    return Variant(covers, weights, kept, number, constraints)


@given(draw_variant())
def test_equals_the_best_of_all_choices(variant: Variant) -> None:
    best = exact(csr_array(variant.covers), variant.weights, variant.number, **variant.constraints)

    chosen = np.zeros(len(variant.covers), dtype=bool)
    chosen[best.chosen] = True
    assert variant.allows(chosen)
    assert best.objective == variant.optimum() == best.upper_bound
    assert best.status == "optimal"
    assert best.gap == 0
    assert best.objective == variant.weights[best.covered].sum() == best.gains.sum()
    assert (best.covered == variant.covers[chosen].any(axis=0)).all()
    assert best.chosen[: best.n_forced].tolist() == variant.constraints["forced"]


def test_secondary_objectives_decide_among_the_best() -> None:
    """Three pairs cover everyone; which of them covers most of the villages?"""
    covers = csr_array(np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]]))
    villages = csr_array(np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 1]]))

    best = exact(covers, [3, 3, 3, 3], 2, secondary=[(villages, [1, 1, 1])])

    assert sorted(best.chosen.tolist()) == [2, 3]
    assert (best.objective, best.upper_bound, best.status) == (12, 12, "optimal")


def test_is_what_maximal_covering_does_when_asked() -> None:
    covers = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool))

    best = maximal_covering(covers, [4, 5, 5, 4], number=2, exact=True)

    assert best.objective == best.upper_bound == 18
    assert "exact" in best.seconds


def test_beats_greedy_where_greedy_is_misled() -> None:
    covers = csr_array(np.array([[0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool))
    weights = [4, 5, 5, 4]

    assert greedy(covers, weights, 2).objective == 14
    assert exact(covers, weights, 2).objective == 18


@pytest.mark.parametrize("seed", [1, 4])
def test_proves_the_last_unit(seed: int) -> None:
    """Cases that need branching: a relative gap left open would show as a missing proof."""
    rng = np.random.default_rng(seed)
    covers = csr_array(rng.random((30, 150)) < 0.1)
    weights = rng.integers(1, 1_000_000, 150)

    best = exact(covers, weights, 6)

    assert best.status == "optimal"
    assert best.objective == best.upper_bound > greedy(covers, weights, 6).objective


def test_may_leave_the_number_when_conflicts_make_fewer_better() -> None:
    """A hub in conflict with two others is worth more than both."""
    hub = csr_array(np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]))

    best = exact(csr_array(np.eye(3)), [9, 1, 1], 2, conflicts=hub)

    assert best.chosen.tolist() == [0]
    assert best.stopped_by == "candidates"
    assert best.status == "optimal"


def test_orders_by_gain_and_fills_the_number() -> None:
    covers = csr_array(np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0], [0, 0, 1]], dtype=bool))

    best = exact(covers, [1, 1, 1], 4)

    assert best.chosen.tolist() == [1, 0, 2, 3]
    assert best.gains.tolist() == [2, 1, 0, 0]
    assert best.n_without_gain == 2


def test_without_time_gives_a_valid_selection_and_bound() -> None:
    rng = np.random.default_rng(3)
    covers = csr_array(rng.random((120, 900)) < 0.03)
    weights = rng.integers(1, 1000, 900)

    best = exact(covers, weights, 25, time_limit_s=1e-9)

    assert best.status == "time limit"
    assert best.upper_bound is not None
    assert greedy(covers, weights, 25).objective <= best.objective < best.upper_bound
    assert best.upper_bound <= weights.sum()


@pytest.mark.parametrize("time_limit_s", [0, -1, float("nan")])
def test_refuses_a_time_limit_that_is_not_positive(time_limit_s: float) -> None:
    with pytest.raises(CoveringError, match="time_limit_s"):
        exact(csr_array(np.eye(2)), [1, 1], 1, time_limit_s=time_limit_s)


def test_san_francisco_stores_leave_21_tracts_uncovered(shared: Path) -> None:
    """The published case of spopt: 16 stores, 205 tracts, 5,000 m by road, 4 stores."""
    path = (
        shared
        / "validation/mclp/spopt_sf"
        / "SF_network_distance_candidateStore_16_censusTract_205_new.csv"
    )
    with path.open() as file:
        rows = list(csv.DictReader(file))
    stores = {name: row for row, name in enumerate(dict.fromkeys(row["name"] for row in rows))}
    people = {row["DestinationName"]: int(row["demand"]) for row in rows}
    tracts = {name: column for column, name in enumerate(people)}
    covers = np.zeros((len(stores), len(tracts)), dtype=bool)
    for row in rows:
        near = float(row["distance"]) <= 5000
        covers[stores[row["name"]], tracts[row["DestinationName"]]] = near
    assert covers.shape == (16, 205)

    best = exact(csr_array(covers), list(people.values()), 4)

    assert best.status == "optimal"
    assert np.count_nonzero(~best.covered) == 21
