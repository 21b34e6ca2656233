"""Merged demand is fewer columns with the same objective for every set of candidates."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Floor, Problem, merging
from ankang_coverage.covering.merging import merge_identical_demand, merge_objectives


def dense(problem: Problem) -> NDArray[np.bool_]:
    return problem.covers.matrix(problem.n_demand, np.bool_).toarray()


@pytest.mark.slow
@given(data=st.data())
def test_keeps_every_objective_with_distinct_columns(
    data: st.DataObject, cases: st.SearchStrategy[Any]
) -> None:
    case = data.draw(cases)

    merged = merge_identical_demand(case.problem())

    covers = dense(merged)
    for members in itertools.product([False, True], repeat=len(case.covers)):
        chosen = np.array(members)
        before = case.weights[case.covers[chosen].any(axis=0)].sum()
        assert merged.weights[covers[chosen].any(axis=0)].sum() == before
    useful = case.covers[:, case.covers.any(axis=0) & (case.weights > 0)]
    assert merged.n_demand == np.unique(useful, axis=1).shape[1]


def test_unequal_columns_with_equal_hashes_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        merging, "_column_hashes", lambda indptr, *_: np.zeros(indptr.size - 1, dtype=np.uint64)
    )
    covers = np.array([[1, 0, 1], [0, 1, 0]], dtype=bool)

    problem = Problem.from_matrix(csr_array(covers), [1, 2, 4], Constraints(number=1))
    merged = merge_identical_demand(problem)

    assert merged.weights[dense(merged)[0]].sum() == 5
    assert merged.weights[dense(merged)[1]].sum() == 2


def test_ranked_objectives_become_one_that_orders_choices_alike() -> None:
    rng = np.random.default_rng(8)
    first, second, third = (rng.random((6, n)) < 0.4 for n in (7, 5, 4))
    weights = [rng.integers(0, 3, n) + 1 for n in (7, 5, 4)]
    problem = Problem.from_matrix(
        csr_array(first),
        weights[0],
        Constraints(number=3, floors=[Floor("f", [0, 1], 1)]),
        [(csr_array(second), weights[1]), (csr_array(third), weights[2])],
    )

    merged = merge_objectives(problem)

    covers = dense(merged)
    ranked = {}
    for members in itertools.product([False, True], repeat=6):
        chosen = np.array(members)
        value = int(merged.weights[covers[chosen].any(axis=0)].sum())
        ranked[value] = tuple(
            int(w[c[chosen].any(axis=0)].sum())
            for c, w in zip((first, second, third), weights, strict=True)
        )
    in_order = [ranked[value] for value in sorted(ranked)]
    assert in_order == sorted(set(in_order))
    assert merged.floor_minimum[0] * weights[0][0] == merged.weights[0]
    assert merge_objectives(merged) is merged
