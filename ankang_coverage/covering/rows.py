"""Rows of different lengths, one behind the other, as a sparse matrix keeps its columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """Rows of whole numbers; ``rows[j]`` is one of them.

    Attributes
    ----------
    indptr : NDArray[np.int64]
        Row j is ``indices[indptr[j]:indptr[j + 1]]``.
    indices : NDArray[np.int32]
        All rows, one behind the other.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]

    @classmethod
    def stacked(cls, rows: Sequence[NDArray[np.integer]]) -> "Rows":
        """Put rows behind each other."""
        return cls(
            np.cumsum([0, *(row.size for row in rows)], dtype=np.int64),
            np.concatenate([*rows, np.zeros(0, dtype=np.int32)], dtype=np.int32),
        )

    def __len__(self) -> int:
        return self.indptr.size - 1

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        return self.indices[self.indptr[row] : self.indptr[row + 1]]

    def row_of_each(self) -> NDArray[np.int32]:
        """Return the row of each entry."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.indptr))

    def transposed(self, n_columns: int) -> "Rows":
        """Return the rows in which each column occurs."""
        counts = np.bincount(self.indices, minlength=n_columns)
        return Rows(
            np.concatenate(([0], np.cumsum(counts, dtype=np.int64))),
            self.row_of_each()[np.argsort(self.indices, kind="stable")],
        )

    def matrix(self, n_columns: int, dtype: DTypeLike = np.int8) -> sparse.csr_array:
        """Return a sparse matrix with a 1 at each entry."""
        ones = np.ones(self.indices.size, dtype)
        return sparse.csr_array((ones, self.indices, self.indptr), shape=(len(self), n_columns))
