"""Choosing by score against linear programming, and what forced candidates leave."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Floor, Problem, Quota, relaxation
from ankang_coverage.covering.relaxation import choose, relax


@pytest.mark.slow
@given(data=st.data())
def test_choice_by_score_is_the_best_of_linear_programming(data: st.DataObject) -> None:
    n, n_groups = data.draw(st.integers(1, 8)), data.draw(st.integers(0, 3))
    scores = data.draw(arrays(np.float64, n, elements=st.integers(-5, 20)))
    costs = data.draw(arrays(np.float64, n, elements=st.integers(0, 6)))
    group = data.draw(arrays(np.int64, n, elements=st.integers(-1, n_groups - 1)))
    sizes = np.bincount(group[group >= 0], minlength=n_groups)
    least = np.array([data.draw(st.integers(0, int(size))) for size in sizes], dtype=np.int64)
    most = np.array(
        [data.draw(st.integers(a, int(b))) for a, b in zip(least, sizes, strict=True)],
        dtype=np.int64,
    )
    number = data.draw(st.integers(int(least.sum()), n))
    needed = sum(
        np.sort(costs[group == own])[:minimum].sum() for own, minimum in enumerate(least.tolist())
    )
    budget = needed + data.draw(st.integers(0, 20))

    taken = np.zeros(n)
    total, price = choose(
        scores, costs, budget, group, least, most, number, data.draw(st.floats(0, 10)), taken
    )

    in_group = group == np.arange(n_groups)[:, None]
    best = optimize.linprog(
        -scores,
        A_ub=np.vstack((np.ones(n), costs, in_group, -in_group.astype(float))),
        b_ub=np.concatenate(([number, budget], most, -least)),
        bounds=(0, 1),
    )
    assert total == pytest.approx(-best.fun, abs=1e-6)
    assert scores @ taken == pytest.approx(total, abs=1e-6)
    assert costs @ taken <= budget + 1e-6
    assert taken.sum() <= number + 1e-6
    assert price >= 0


def test_forced_candidates_leave_the_rest() -> None:
    covers = csr_array(np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 1, 1]]))
    rivals = np.zeros((4, 4), dtype=bool)
    rivals[0, 2] = rivals[2, 0] = True
    constraints = Constraints(
        number=3,
        costs=[4, 1, 1, 2],
        budget=9,
        quotas=[Quota("all", [0, 1, 2, 3], minimum=2, maximum=3)],
        conflicts=csr_array(rivals),
        forced=[0],
        floors=[Floor("west", [0, 1, 2], 14), Floor("met", [0], 7)],
    )

    rest = relax(Problem.from_matrix(covers, [7, 5, 3, 2], constraints))

    assert rest.settled == 12
    assert rest.candidates.tolist() == [1, 3]
    assert dict(zip(rest.demand.tolist(), rest.weights.tolist(), strict=True)) == {2: 3, 3: 2}
    assert (rest.number, rest.budget, rest.costs.tolist()) == (2, 5, [1, 2])
    assert rest.group.tolist() == [0, 0]
    assert (rest.group_minimum.tolist(), rest.group_maximum.tolist()) == ([1], [2])
    assert rest.floor_minimum.tolist() == [2]
    assert rest.demand[rest.floor_demand[0]].tolist() == [2]
    assert rest.dropped == ()


def test_only_groups_that_share_a_member_get_a_price() -> None:
    constraints = Constraints(
        number=4,
        quotas=[
            Quota("north", [0, 1, 2], maximum=1),
            Quota("south", [3, 4, 5], maximum=2),
            Quota("tower", [2, 3], minimum=1),
            Quota("idle", [0, 5]),
        ],
    )

    rest = relax(Problem.from_matrix(csr_array(np.eye(6)), np.ones(6), constraints))

    assert rest.group.tolist() == [0, 0, 0, 1, 1, 1]
    assert [members.tolist() for members in rest.side.members] == [[2, 3]]
    assert (rest.side.minimum.tolist(), rest.side.maximum.tolist()) == ([1], [2])


def test_a_large_matrix_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    covers = csr_array(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]]))
    problem = Problem.from_matrix(covers, [1, 2, 4], Constraints(number=2, forced=[0]))
    monkeypatch.setattr(relaxation, "LARGEST_COPY", 0)

    rest = relax(problem)

    assert rest.indices is problem.covers.indices
    assert rest.weights.tolist() == [0, 0, 4]
    assert rest.settled == 3
