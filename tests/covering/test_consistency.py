"""Constraints that contradict each other are refused at first sight, with their numbers."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Floor, Problem, Quota
from ankang_coverage.errors import CoveringError

MATRIX = csr_array(np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 0]], dtype=bool))
WEIGHTS = np.array([3, 2, 1])
COSTS = [1, 2, 3, 4]
BOTH_WAYS = csr_array(([True, True], ([0, 1], [1, 0])), shape=(4, 4))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"forbidden": [0, 1, 2, 3]}, "no candidate may be chosen: there are 4, all of them"),
        ({"number": 5}, "number is 5, but only 4 of 4"),
        ({"number": 4, "forbidden": [2, 2]}, r"only 3 of 4 .*\(1 forbidden, 0 in conflict"),
        (
            {"number": 3, "forced": [0], "conflicts": BOTH_WAYS, "forbidden": [1, 2]},
            r"only 2 of 4 .*\(2 forbidden, 0 in conflict",
        ),
        (
            {"number": 4, "forced": [0], "conflicts": BOTH_WAYS},
            r"only 3 of 4 .*\(0 forbidden, 1 in conflict",
        ),
        ({"forced": [1, 1]}, "forced names candidate 1 2 times"),
        ({"forced": [3, 1], "forbidden": [1]}, "candidate 1 is both forced and forbidden"),
        ({"forced": [3, 1, 0], "number": 2}, "number is 2, but 3 candidates are forced"),
        ({"forced": [1, 0], "conflicts": BOTH_WAYS}, "forced candidates 1 and 0 are in conflict"),
        (
            {"costs": COSTS, "budget": 4, "forced": [1, 3]},
            "budget is 4, but the 2 forced candidates cost 6",
        ),
        ({"quotas": [Quota("x", [0], 1, 0)]}, "quota 'x' asks for at least 1 and at most 0"),
        (
            {"quotas": [Quota("x", [0, 1, 2], 3)], "forbidden": [1]},
            "quota 'x' asks for at least 3, but only 2 of its 3 candidates",
        ),
        (
            {"quotas": [Quota("x", [0, 1], 0, 1)], "forced": [1, 0]},
            "quota 'x' allows at most 1, but 2 of its candidates are forced",
        ),
        (
            {"quotas": [Quota("x", [0, 1], 1), Quota("y", [2, 3], 2)]},
            "number is 2, but the minima of 2 quotas .'x' 1, 'y' 2. add up to 3",
        ),
        (
            {"quotas": [Quota("x", [0, 1], 1)], "forced": [2, 3]},
            "number is 2, but the minima of 1 quotas .'x' 1. and 2 forced candidates add up to 3",
        ),
        (
            {"quotas": [Quota("x", [1, 2], 2)], "costs": COSTS, "budget": 4},
            "budget is 4, but the minima of 1 quotas .'x' 2. cost at least 5",
        ),
        (
            {"floors": [Floor("f", [0, 1], 5)], "forbidden": [0, 3]},
            "floor 'f' asks for a covered weight of 5, .* cover 2 of its 5",
        ),
    ],
)
def test_refuses(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(CoveringError, match=message):
        Problem.from_matrix(MATRIX, WEIGHTS, Constraints(**({"number": 2} | changed)))


@pytest.mark.parametrize(
    ("matrix", "weights", "message"),
    [
        (MATRIX, [0, 0, 0], "nothing is left to cover: there are 3 demands"),
        (csr_array((0, 3)), WEIGHTS, "no candidate may be chosen: there are 0"),
    ],
)
def test_refuses_what_leaves_nothing_to_do(matrix: csr_array, weights: Any, message: str) -> None:
    with pytest.raises(CoveringError, match=message):
        Problem.from_matrix(matrix, weights, Constraints(number=1))
