"""What the mast sees along a radial, carried forward from step to step."""

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import greater, integer, njit_inline, njit_vector
from ankang_coverage.propagation.sweep._layout import (
    BARE,
    DISTANCE,
    INVERSE,
    KEPT_BARE,
    KEPT_OVER,
    LOWEST,
    MAST,
    OVER,
    STEEP,
    STEEP_B0,
    STEEP_FLAT,
    STEEP_OVER,
    Floats,
    Grid,
    Station,
)
from ankang_coverage.propagation.sweep._radials import height_at

# Steps before a receiver that are sampled on its own line instead of the radial.
APPROACH: Final = 3
# An edge of a clearing so near to a step, in steps, is on it.
EDGE: Final = np.float32(1e-4)
_ONE = np.float32(1.0)

# What is carried along a radial: the steepest ray over bare ground and the column it touches, the
# same ray on a flat earth, the one with clutter and its column, the one with the β0 radius, and
# the sums of the heights and of their moments, for the smooth-earth fit.
Carried: TypeAlias = tuple[np.float32, int, np.float32, np.float32, int, np.float32, float, float]


@njit_inline
def _advance(
    carried: Carried,
    c: int,
    radial: Floats,
    lookup: Floats,
    k50: np.float32,
    k_b0: np.float32,
) -> Carried:
    """Carry what the mast sees of a radial one step on, to the column c."""
    steep, at, flat, steep_over, at_over, steep_b0, heights, moments = carried
    distance, inverse = lookup[DISTANCE, c], lookup[INVERSE, c]
    slope, slope_over = radial[BARE, c] * inverse, radial[OVER, c] * inverse
    flat = greater(flat, slope)
    if slope - k50 * distance > steep:
        steep, at = slope - k50 * distance, c
    if slope_over - k50 * distance > steep_over:
        steep_over, at_over = slope_over - k50 * distance, c
    steep_b0 = greater(steep_b0, slope_over - k_b0 * distance)
    height = np.float64(radial[BARE, c])
    heights += height
    moments += (c - MAST) * height
    return steep, at, flat, steep_over, at_over, steep_b0, heights, moments


@njit_vector
def lay_out(
    count: int,
    station: Station,
    ground: Floats,
    clutter: Floats,
    radial: Floats,
    touched: NDArray[np.int32],
    sums: NDArray[np.float64],
    lookup: Floats,
    k50: np.float32,
    k_b0: np.float32,
) -> None:
    """Turn sampled heights into heights above the antenna and what the mast sees of them."""
    antenna = np.float64(ground[MAST]) + station.height
    for c in range(MAST, MAST + count):
        radial[KEPT_BARE, c] = radial[BARE, c] = np.float32(np.float64(ground[c]) - antenna)
        radial[KEPT_OVER, c] = radial[OVER, c] = radial[BARE, c] + clutter[c]
    mast = integer(MAST)
    carried = (LOWEST, mast, LOWEST, LOWEST, mast, LOWEST, 0.0, 0.0)
    for c in range(MAST, MAST + count):
        if c > MAST:
            carried = _advance(carried, c, radial, lookup, k50, k_b0)
        radial[STEEP, c], touched[0, c] = carried[0], carried[1]
        radial[STEEP_FLAT, c] = carried[2]
        radial[STEEP_OVER, c], touched[1, c] = carried[3], carried[4]
        radial[STEEP_B0, c], sums[0, c], sums[1, c] = carried[5], carried[6], carried[7]


@njit_inline
def approach(
    row: int,
    col: int,
    n: int,
    edge: float,
    antenna: float,
    grid: Grid,
    station: Station,
    radial: Floats,
) -> None:
    """Put a pixel's own last steps in place of the radial's.

    Clutter counts up to the edge of the clearing, so many steps before the pixel, and not within.
    """
    clearing = cleared_steps(edge)
    per_step = 1.0 / max(n, 1)
    back_row, back_col = (station.row - row) * per_step, (station.col - col) * per_step
    end = MAST + n
    height = grid.elevation[row, col]
    if not math.isnan(height):
        radial[BARE, end] = np.float32(np.float64(height) - antenna)
    radial[OVER, end] = radial[BARE, end]
    # A fixed number of turns, which the compiler unrolls
    for back in range(1, APPROACH + 1):
        if back < n:
            r, c = row + back * back_row, col + back * back_col
            height = height_at(grid.elevation, r, c)
            if not math.isnan(height):
                radial[BARE, end - back] = np.float32(np.float64(height) - antenna)
            over = radial[BARE, end - back]
            if grid.has_clutter:
                over += grid.class_height[grid.class_index[int(r + 0.5), int(c + 0.5)]]
            radial[OVER, end - back] = over
    if grid.has_clutter:
        _clear(n, clearing, edge, radial)


@njit_inline
def cleared_steps(edge: float) -> int:
    """Return how many steps before a pixel lie within its clearing, and not on its edge."""
    return max(int(np.ceil(edge - EDGE)) - 1, 0)


@njit_inline
def _clear(n: int, clearing: int, edge: float, radial: Floats) -> None:
    """Take the clutter off a pixel's clearing, but for what is seen of it at the edge.

    Where the edge lies between two samples, the straight line between the tops of both is cut
    there. The last sample within the clearing stands for the cut: it reaches as high as the ray
    from the pixel's ground to the cut. So a clearing that ends a little before a sample gives what
    one that ends on it gives.
    """
    end, last = MAST + n, MAST + n - clearing
    beyond = np.float32(edge - clearing)
    between = clearing > 0 and last - 1 > MAST and beyond < _ONE - EDGE
    seen = LOWEST
    if between:
        ground = radial[BARE, end]
        cut = radial[OVER, last] + beyond * (radial[OVER, last - 1] - radial[OVER, last])
        seen = ground + (cut - ground) * np.float32(clearing / edge)
    for c in range(max(last, MAST + 1), end):
        radial[OVER, c] = radial[BARE, c]
    if between:
        radial[OVER, last] = max(radial[BARE, last], seen)


@njit_inline
def leave(n: int, clearing: int, radial: Floats) -> None:
    """Undo `approach`."""
    for c in range(MAST + approach_start(n, clearing), MAST + n + 1):
        radial[BARE, c] = radial[KEPT_BARE, c]
        radial[OVER, c] = radial[KEPT_OVER, c]


@njit_inline
def approach_start(n: int, clearing: int) -> int:
    """Return the first of the steps before a receiver that are not the radial's own."""
    return max(n - max(clearing, APPROACH), 1)


@njit_inline
def seen_from_mast(
    n: int,
    clearing: int,
    radial: Floats,
    touched: NDArray[np.int32],
    sums: NDArray[np.float64],
    lookup: Floats,
    k50: np.float32,
    k_b0: np.float32,
) -> Carried:
    """Return what the mast sees of the points before step n."""
    first, end = MAST + approach_start(n, clearing), MAST + n
    before = first - 1
    carried = (
        radial[STEEP, before],
        integer(touched[0, before]),
        radial[STEEP_FLAT, before],
        radial[STEEP_OVER, before],
        integer(touched[1, before]),
        radial[STEEP_B0, before],
        sums[0, before],
        sums[1, before],
    )
    for c in range(first, end):
        carried = _advance(carried, c, radial, lookup, k50, k_b0)
    return carried
