"""Rows of different lengths: put together, turned over, and as a matrix."""

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from ankang_coverage.covering.rows import Rows


@given(arrays(np.bool_, st.tuples(st.integers(0, 6), st.integers(1, 6))))
def test_are_where_a_matrix_is_not_zero(dense: NDArray[np.bool_]) -> None:
    rows = Rows.stacked([np.flatnonzero(row) for row in dense])

    n_rows, n_columns = dense.shape
    assert len(rows) == n_rows
    assert [row.tolist() for row in rows] == [np.flatnonzero(row).tolist() for row in dense]
    assert rows.row_of_each().tolist() == np.nonzero(dense)[0].tolist()
    np.testing.assert_array_equal(rows.matrix(n_columns).toarray(), dense)
    np.testing.assert_array_equal(rows.transposed(n_columns).matrix(n_rows).toarray(), dense.T)
    assert rows.indptr.dtype == np.int64
    assert rows.indices.dtype == np.int32
