"""A search that begins with a reserve never runs into a corner, whatever it takes."""

from typing import Any

import numpy as np
from hypothesis import assume, given, strategies as st
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Floor, Problem, Quota
from ankang_coverage.covering.feasibility import find_reserve
from ankang_coverage.covering.reserve import (
    CHOSEN,
    FREE,
    N_RESERVED,
    RESERVED,
    copy_of,
    fill_floors,
    fill_minima,
    hold,
    is_satisfied,
    may_be_dropped,
    nothing_held,
    release,
    rules_of,
    take,
    trim_reserve,
)


@given(data=st.data())
def test_whatever_is_taken_leaves_a_permitted_choice(
    data: st.DataObject, variants: st.SearchStrategy[Any]
) -> None:
    variant = data.draw(variants)
    permitted = [set(chosen) for chosen in variant.permitted()]
    assume(permitted)
    rules, held = find_reserve(variant.problem())
    chosen = set(variant.forced)

    for candidate in data.draw(st.permutations(range(len(variant.covers)))):
        before = copy_of(held)
        if take(candidate, rules, held):
            chosen.add(candidate)
        else:
            np.testing.assert_array_equal(before.role, held.role)
            np.testing.assert_array_equal(before.totals, held.totals)
            np.testing.assert_array_equal(before.counts, held.counts)
        reserve = set(np.flatnonzero(held.role == RESERVED).tolist())
        assert set(np.flatnonzero(held.role == CHOSEN).tolist()) == chosen
        assert chosen | reserve in permitted
        assert is_satisfied(rules, held)


@given(data=st.data())
def test_what_is_released_leaves_no_trace(
    data: st.DataObject, variants: st.SearchStrategy[Any]
) -> None:
    variant = data.draw(variants)
    assume(any(True for _ in variant.permitted()))
    problem = variant.problem()
    rules, held = rules_of(problem), nothing_held(problem)
    order = data.draw(st.permutations(range(problem.n_candidates)))
    for candidate in order:
        hold(candidate, data.draw(st.sampled_from((RESERVED, CHOSEN))), rules, held)
    dearest_first = sorted(
        np.flatnonzero(held.role == RESERVED).tolist(), key=lambda j: (-problem.costs[j], -j)
    )
    assert held.reserve[: held.totals[N_RESERVED]].tolist() == dearest_first

    for candidate in order:
        release(candidate, rules, held)

    empty = nothing_held(problem)
    np.testing.assert_array_equal(held.totals, empty.totals)
    for now, at_first in ((held.role, empty.role), (held.counts, empty.counts)):
        np.testing.assert_array_equal(now, at_first)
    np.testing.assert_array_equal(held.floor_covered, empty.floor_covered)


def test_minima_are_filled_with_the_cheapest_and_floors_with_those_that_add_most() -> None:
    covers = csr_array(np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1], [1, 0, 0]], dtype=bool))
    constraints = Constraints(
        number=4,
        costs=[5, 1, 2, 3],
        quotas=[Quota("pair", [0, 3], minimum=1)],
        floors=[Floor("east", [1, 2], 6)],
    )
    problem = Problem.from_matrix(covers, [9, 3, 4], constraints)
    rules, held = rules_of(problem), nothing_held(problem)

    fill_minima(rules, held)
    assert held.role.tolist() == [FREE, FREE, FREE, RESERVED]
    fill_floors(rules, held)
    assert held.role.tolist() == [FREE, FREE, RESERVED, RESERVED]
    assert held.floor_covered.tolist() == [7]
    assert not may_be_dropped(2, rules, held)
    hold(1, RESERVED, rules, held)
    trim_reserve(rules, held)
    assert held.role.tolist() == [FREE, FREE, RESERVED, RESERVED]
