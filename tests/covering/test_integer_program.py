"""Every constraint is a clause with a name, and the programme's optimum is that of all choices."""

from typing import Any

import numpy as np
from hypothesis import assume, given, strategies as st
from scipy import optimize
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Floor, Problem, Quota
from ankang_coverage.covering.integer_program import (
    clauses_of,
    conflicting_pairs,
    integer_program,
)


@given(data=st.data())
def test_the_optimum_is_the_best_of_all_choices(
    data: st.DataObject, variants: st.SearchStrategy[Any]
) -> None:
    variant = data.draw(variants)
    assume(any(True for _ in variant.permitted()))
    problem, demand = variant.problem(), np.arange(variant.weights.size)

    program = integer_program(
        problem, clauses_of(problem, demand), demand, problem.weights.astype(float)
    )

    assert round(-optimize.milp(**program).fun) == variant.optimum()


def test_clauses_are_named_and_hold_what_was_asked() -> None:
    constraints = Constraints(
        number=3,
        costs=[1, 2, 3, 4],
        budget=7,
        quotas=[Quota("west", [0, 1], 1, 1), Quota("open", [2, 3])],
        floors=[Floor("south", [0, 2], 4)],
        conflicts=csr_array(([1, 1], ([1, 2], [2, 1])), shape=(4, 4)),
        forced=[0],
        forbidden=[3],
    )
    problem = Problem.from_matrix(csr_array(np.eye(4)), [5, 6, 7, 0], constraints)
    demand = np.array([0, 2])

    clauses = {clause.name: clause for clause in clauses_of(problem, demand)}

    assert list(clauses) == [
        "number 3",
        "budget 7",
        "quota 'west' at least 1",
        "quota 'west' at most 1",
        "floor 'south' at least 4",
        "1 conflicts",
        "1 forced candidates",
        "1 forbidden candidates",
    ]
    assert clauses["budget 7"].rows.toarray().tolist() == [[1, 2, 3, 4, 0, 0]]
    assert clauses["floor 'south' at least 4"].rows.toarray().tolist() == [[0, 0, 0, 0, 5, 7]]
    assert clauses["1 conflicts"].rows.toarray().tolist() == [[0, 1, 1, 0, 0, 0]]
    assert conflicting_pairs(problem).tolist() == [[1, 2]]
