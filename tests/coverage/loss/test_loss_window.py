"""A window of a path loss: its arrays fill it and are whole numbers."""

import numpy as np
import pytest

from ankang_coverage.coverage.loss.loss_window import LossWindow, length_of
from ankang_coverage.errors import RasterError

ROWS, COLUMNS = slice(3, 5), slice(10, 14)


def test_the_bands_stand_in_the_order_of_the_file():
    bands = [np.full((2, 4), n, np.int16) for n in range(3)]
    window = LossWindow(ROWS, COLUMNS, *bands)
    assert [int(band[0, 0]) for band in window.bands] == [0, 1, 2]
    assert (length_of(ROWS), length_of(COLUMNS)) == (2, 4)


@pytest.mark.parametrize("wrong", [np.zeros((2, 3), np.int16), np.zeros((2, 4), np.float32)])
def test_an_array_that_does_not_fill_the_window_is_named(wrong):
    whole = np.zeros((2, 4), np.int16)
    with pytest.raises(RasterError, match=r"elevation_cdeg is .*, the window int16 \(2, 4\)"):
        LossWindow(ROWS, COLUMNS, whole, wrong, whole)
