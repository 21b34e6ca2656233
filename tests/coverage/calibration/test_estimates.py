"""Offsets of cells, shrunk by how much their blocks disagree."""

import numpy as np
import pandas as pd
import pytest

from ankang_coverage.coverage.calibration.estimates import offsets_by_cell


def bins(*cells):
    """One bin in each of two blocks of each cell."""
    return pd.DataFrame({"cell": np.repeat(cells, 2), "block": np.arange(2 * len(cells))})


def test_blocks_that_agree_leave_the_mean_as_it_is():
    offsets = offsets_by_cell(np.array([3.0, 3.0, -3.0, -3.0]), 10.0, bins("a", "b"))
    assert offsets.to_dict() == pytest.approx({"a": 3.0, "b": -3.0})


def test_shrinkage_is_that_of_the_method_of_moments():
    # Means ±4 (variance 32); each cell's two blocks differ by 4 (variance 8): 32 − 8 / 2 = 28.
    offsets = offsets_by_cell(np.array([2.0, 6.0, -6.0, -2.0]), 10.0, bins("a", "b"))
    shrunk = 4.0 * 28.0 / (28.0 + 8.0 / 2.0)
    assert offsets.to_dict() == pytest.approx({"a": shrunk, "b": -shrunk})


def test_cells_that_differ_no_more_than_their_blocks_get_none():
    offsets = offsets_by_cell(np.array([9.0, -9.0, 8.0, -8.0]), 10.0, bins("a", "b"))
    assert offsets.to_dict() == {"a": 0.0, "b": 0.0}


def test_one_residual_far_away_counts_no_more_than_the_limit():
    near = offsets_by_cell(np.array([2.5, 2.5, -2.5, -2.5]), 1.0, bins("a", "b"))
    far = offsets_by_cell(np.array([99.0, 2.5, -2.5, -2.5]), 1.0, bins("a", "b"))
    assert far.to_dict() == pytest.approx(near.to_dict())
