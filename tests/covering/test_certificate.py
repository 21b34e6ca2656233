"""Any prices certify a bound in whole numbers, however large the weights are."""

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Problem
from ankang_coverage.covering.certificate import certified
from ankang_coverage.covering.prices import Prices
from ankang_coverage.covering.relaxation import relax


@given(data=st.data())
def test_any_prices_give_a_bound(
    data: st.DataObject, variants: "st.SearchStrategy[object]"
) -> None:
    variant = data.draw(variants)
    assume(any(True for _ in variant.permitted()))
    relaxation = relax(variant.problem())
    floats = {"width": 32, "allow_nan": False}
    n_floors, n_groups = relaxation.floor_minimum.size, relaxation.side.minimum.size
    prices = Prices(
        demand=data.draw(
            arrays(np.float32, relaxation.weights.size, elements=st.floats(0, 20, **floats))
        ),
        side=data.draw(arrays(np.float64, n_groups, elements=st.floats(-9, 9, **floats))),
        floors=data.draw(arrays(np.float64, n_floors, elements=st.floats(0, 9, **floats))),
        budget=data.draw(st.floats(0, 9, **floats)) if relaxation.budget is not None else 0.0,
    )

    assert certified(relaxation, prices) >= variant.optimum()


@pytest.mark.parametrize("unit", [1, 1 << 40, 1 << 58])
def test_good_prices_give_the_optimum_at_any_scale(unit: int) -> None:
    """Candidates that share nothing: what each is paid in full settles the choice."""
    problem = Problem.from_matrix(
        csr_array(np.eye(3)), [7 * unit, 5 * unit, 2 * unit], Constraints(number=2)
    )
    relaxation = relax(problem)
    in_full = relaxation.weights.astype(np.float32)
    nothing = np.zeros(0)

    bound = certified(relaxation, Prices(in_full, nothing, nothing, 0.0))

    assert bound == 12 * unit
