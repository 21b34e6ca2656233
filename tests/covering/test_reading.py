"""What a caller gives wrong is refused with the place and the remedy."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix

from ankang_coverage.covering import Constraints, Floor, Problem, Quota
from ankang_coverage.covering.reading import read_conflicts, read_pattern, read_whole_numbers
from ankang_coverage.errors import CoveringError

MATRIX = csr_array(np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 0]], dtype=bool))
WEIGHTS = np.array([3, 2, 1])
COSTS = [1, 2, 3, 4]


def pairs(*marked: tuple[int, int], n: int = 4) -> csr_array:
    dense = np.zeros((n, n), dtype=bool)
    for a, b in marked:
        dense[a, b] = True
    return csr_array(dense)


def with_index(column: int) -> csr_array:
    broken = MATRIX.copy()
    broken.indices[0] = column
    return broken


def with_indptr(row: int, start: int) -> csr_array:
    broken = MATRIX.copy()
    broken.indptr[row] = start
    return broken


BOTH_WAYS = pairs((0, 1), (1, 0))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"matrix": MATRIX.toarray()}, r"matrix is a ndarray.*csr_array\(matrix\)"),
        ({"matrix": csc_array(MATRIX)}, "matrix is a csc_array"),
        ({"matrix": with_index(3)}, "matrix has column indices from 0 to 3.* 0 to 2"),
        ({"matrix": with_index(-1)}, "matrix has column indices from -1"),
        ({"matrix": with_indptr(1, 5)}, "indptr of matrix does not describe 4 rows"),
        ({"matrix": csr_array([[1.0, 0, 0], [0, 0, np.nan]])}, "NaN at row 1, column 2"),
        ({"weights": [1, 2]}, r"weights has shape \(2,\).*3 columns"),
        ({"weights": [[1, 2, 3]]}, r"weights has shape \(1, 3\)"),
        ({"weights": ["a", "b", "c"]}, "weights has type <U1"),
        ({"weights": [True, True, False]}, "weights has type bool"),
        ({"weights": [1, -2, -3]}, r"demand 1, -2, is negative.*\(2 of 3"),
        ({"weights": [1, 2, 0.5]}, "demand 2, 0.5, is not a whole number"),
        ({"weights": [np.nan, 2, 1]}, "demand 0, nan, is not a whole number"),
        ({"weights": [1, np.inf, 1]}, "demand 1, inf, is above"),
        ({"weights": np.array([2**63, 0, 0], dtype=np.uint64)}, "demand 0, 9223372036854775808"),
        ({"weights": [2**62, 2**62, 0]}, "weights add up to 9223372036854775808"),
        ({"number": None}, "neither number nor budget is given"),
        ({"number": -1}, "number is -1"),
        ({"number": 1.5}, "number is 1.5"),
        ({"forced": [0, 4]}, "forced names candidate 4, but the 4 candidates are 0 to 3"),
        ({"forbidden": [-1]}, "forbidden names candidate -1"),
        ({"forbidden": [True, False]}, "forbidden is an array of bool"),
        ({"forced": [0.5]}, "forced is an array of float64"),
        ({"forced": [[0, 1]]}, r"forced is an array of int64 with shape \(1, 2\)"),
        ({"conflicts": pairs((0, 1), n=3)}, r"conflicts has shape \(3, 3\)"),
        ({"conflicts": BOTH_WAYS.toarray()}, "conflicts is a ndarray"),
        ({"conflicts": pairs((0, 2), (2, 0), (3, 1))}, r"marks \(3, 1\) but not \(1, 3\)"),
        ({"conflicts": pairs((1, 3))}, r"marks \(1, 3\) but not \(3, 1\) \(1 such"),
        ({"conflicts": pairs((2, 2))}, "candidate 2 is in conflict with itself"),
        ({"budget": 3}, "budget is 3, but costs is not given"),
        ({"budget": 0.5, "costs": COSTS}, "budget is 0.5: give a whole number"),
        ({"budget": -1, "costs": COSTS}, "budget is -1"),
        ({"costs": [1, 2, 3]}, r"costs has shape \(3,\).*4 rows"),
        ({"costs": [1, -2, 3, 4]}, "cost of candidate 1, -2, is negative"),
        ({"costs": [1, 2, np.nan, 4]}, "cost of candidate 2, nan, is not a whole number"),
        ({"costs": [1, 2, 2.5, 4]}, "cost of candidate 2, 2.5, is not a whole number"),
        ({"quotas": [Quota("x", [0, 4])]}, "quota 'x' names candidate 4, but the 4"),
        ({"quotas": [Quota("x", [0], -1)]}, "minimum of quota 'x' is -1"),
        ({"quotas": [Quota("x", [0]), Quota("x", [1])]}, "2 quotas are called 'x'"),
        ({"floors": [Floor("f", [3], 1)]}, "floor 'f' names demand 3, but the 3 demand are 0 to 2"),
        ({"secondary": [(MATRIX[:3], WEIGHTS)]}, "secondary objective 0 has 3 rows"),
        ({"secondary": [(MATRIX, [1, -1, 0])]}, "weight of demand 1, -1, is negative"),
    ],
)
def test_refuses(changed: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"matrix": MATRIX, "weights": WEIGHTS, "number": 2} | changed
    matrix, weights, secondary = (given.pop(k, ()) for k in ("matrix", "weights", "secondary"))
    with pytest.raises(CoveringError, match=message):
        Problem.from_matrix(matrix, weights, Constraints(**given), secondary)


def test_reads_any_csr_as_the_pattern_of_its_non_zeros() -> None:
    """Unsorted, repeated and explicitly zero entries do not change who covers whom."""
    untidy = csr_array(
        (np.array([5.0, 0.0, -1.0, 2.0, 1.0]), np.array([2, 1, 0, 2, 1]), np.array([0, 4, 5])),
        shape=(2, 3),
    )

    covers = Problem.from_matrix(untidy, [1, 1, 1], Constraints(number=1)).covers

    assert [row.tolist() for row in covers] == [[0, 2], [1]]
    # The argument stays as it was.
    assert untidy.nnz == 5
    assert untidy.indices.tolist() == [2, 1, 0, 2, 1]


def test_entries_that_cancel_still_cover() -> None:
    twice = csr_array((np.array([1, -1]), np.array([0, 0]), np.array([0, 2])), shape=(1, 1))

    assert read_pattern(twice, "matrix").indices.tolist() == [0]


def test_takes_matrices_wide_indices_and_whole_floats() -> None:
    wide: Any = csr_matrix(MATRIX)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)

    problem = Problem.from_matrix(wide, [3.0, 2.0, 1.0], Constraints(number=np.int32(2)))

    assert problem.covers.indices.dtype == np.int32
    assert problem.covers.indptr.dtype == np.int64
    assert problem.weights.tolist() == [3, 2, 1]
    assert problem.weights.dtype == np.int64


def test_the_largest_weight_is_taken() -> None:
    assert read_whole_numbers([2**63 - 1], "weight", "demand", 1).tolist() == [2**63 - 1]


def test_distances_of_zero_are_no_conflict() -> None:
    apart = coo_array((np.array([0.0, 0.0]), ([0, 1], [1, 0])), shape=(4, 4)).tocsr()

    assert read_conflicts(apart, 4).indices.size == 0
