"""Integer programming against every possible choice and a published case."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from ankang_coverage.covering import exact, greedy
from ankang_coverage.errors import CoveringError


@given(data=st.data())
def test_equals_the_optimum(
    data: st.DataObject, cases: st.SearchStrategy[Any], optimum: Callable[[Any], int]
) -> None:
    case = data.draw(cases)
    args, kwargs = case.arguments()

    best = exact(*args, **kwargs)

    assert best.objective == optimum(case) == best.bound
    assert best.proven
    assert best.objective == case.weights[case.covers[best.chosen].any(axis=0)].sum()
    assert best.gains.sum() == best.objective
    assert not case.rivals[np.ix_(best.chosen, best.chosen)].any()
    assert not np.isin(best.chosen, case.forbidden).any()
    assert best.chosen[: best.n_forced].tolist() == case.forced
    assert (best.stopped_by == "number") == (best.chosen.size == case.n_chosen)


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

    assert best.proven
    assert best.objective == best.bound > greedy(covers, weights, 6).objective


def test_may_leave_the_number_when_conflicts_make_fewer_better() -> None:
    """A hub in conflict with two others is worth more than both."""
    hub = csr_array(np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]))

    best = exact(csr_array(np.eye(3)), [9, 1, 1], 2, conflicts=hub)

    assert best.chosen.tolist() == [0]
    assert best.stopped_by == "candidates"
    assert best.proven


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

    assert not best.proven
    assert greedy(covers, weights, 25).objective <= best.objective < best.bound
    assert best.bound <= weights.sum()
    assert "limit" in best.status


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

    assert best.proven
    assert np.count_nonzero(~best.covered) == 21
