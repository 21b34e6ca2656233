"""Single pixels of the grid, and the values of windows at them."""

import numpy as np

from ankang_coverage.coverage.signal.pixels import Pixels, values_at

PIXELS = Pixels(np.array([4, 2, 9]), np.array([7, 5, 5]))


def test_the_window_is_the_smallest_that_holds_all():
    assert PIXELS.window == (slice(2, 10), slice(5, 8))


def test_values_are_those_of_the_pixels_and_stated_outside():
    grid = np.arange(200.0).reshape(10, 20)
    rows, columns = slice(2, 6), slice(5, 9)
    found = values_at(PIXELS, rows, columns, grid[rows, columns], -1.0)
    assert found.tolist() == [grid[4, 7], grid[2, 5], -1.0]


def test_some_of_the_pixels_keep_their_order():
    some = PIXELS[np.array([True, False, True])]
    assert (some.rows.tolist(), some.columns.tolist()) == ([4, 9], [7, 5])
