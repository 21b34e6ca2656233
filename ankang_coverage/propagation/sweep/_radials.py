"""Radials: which pixels each owns, and the heights along one."""

import math

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import atan, njit, njit_inline, njit_vector
from ankang_coverage.propagation.sweep._layout import (
    DISTANCE,
    INVERSE,
    INVERSE_BACK,
    LOOKUP_ROWS,
    MAST,
    ROOT,
    ROOT_BACK,
    Floats,
    Grid,
    Station,
    borrowed_grid,
)

_F0, _HALF, _TINY = (np.float32(x) for x in (0.0, 0.5, 1e-6))


def radial_count(radius_px: float) -> int:
    """Radials that are at most one pixel apart at the rim."""
    return max(math.ceil(2.0 * math.pi * radius_px), 8)


@njit_vector
def radials_of_row(
    north: np.float32, east_first: np.float32, per_radian: np.float32, radials: Floats
) -> None:
    """Position of a row's pixels among the radials, clockwise from north, plus one half."""
    for j in range(radials.size):
        east = east_first + np.float32(j)
        x, y = abs(east), abs(north)
        low, high = min(x, y), max(x, y, _TINY)
        angle = atan(low / high)
        angle = angle if y >= x else np.float32(math.pi / 2.0) - angle
        angle = angle if north >= _F0 else np.float32(math.pi) - angle
        angle = angle if east >= _F0 else np.float32(2.0 * math.pi) - angle
        radials[j] = angle * per_radian + _HALF


@njit
def own(
    rows: int,
    cols: int,
    mast_row: float,
    mast_col: float,
    radius_px: float,
    starts: NDArray[np.int64],
    owned: NDArray[np.int32],
) -> None:
    """Give every pixel of a window within the radius to its nearest radial.

    The pixels of radial r become ``owned[starts[r]:starts[r + 1]]``, row · 2¹⁶ + column each.
    """
    radial_count = starts.size - 1
    radials = np.empty(cols, dtype=np.float32)
    nearest = np.empty(rows * cols, dtype=np.int16)
    per_radian = np.float32(radial_count / (2.0 * math.pi))
    limit = radius_px * radius_px
    starts[:] = 0
    for row in range(rows):
        south = row - mast_row
        radials_of_row(np.float32(-south), np.float32(-mast_col), per_radian, radials)
        for col in range(cols):
            east = col - mast_col
            radial = -1
            if south * south + east * east <= limit:
                radial = int(radials[col])
                radial -= radial_count if radial >= radial_count else 0
                starts[radial + 1] += 1
            nearest[row * cols + col] = radial
    for radial in range(radial_count):
        starts[radial + 1] += starts[radial]
    for row in range(rows):
        for col in range(cols):
            radial = nearest[row * cols + col]
            if radial >= 0:
                owned[starts[radial]] = row << 16 | col
                starts[radial] += 1
    for radial in range(radial_count, 0, -1):
        starts[radial] = starts[radial - 1]
    starts[0] = 0


@njit_inline
def steps_to(south: float, east: float, steps_per_pixel: int) -> int:
    """Nearest step of a pixel so many pixels south and east of the mast."""
    return int(math.sqrt(south * south + east * east) * steps_per_pixel + 0.5)


@njit_inline
def height_at(elevation: Floats, row: float, col: float) -> np.float32:
    """Bilinear height within the grid; the nearest pixel's where one of the four is unknown."""
    r0, c0 = min(int(row), elevation.shape[0] - 2), min(int(col), elevation.shape[1] - 2)
    down, right = np.float32(row - r0), np.float32(col - c0)
    a, b = elevation[r0, c0], elevation[r0, c0 + 1]
    upper = a + right * (b - a)
    a, b = elevation[r0 + 1, c0], elevation[r0 + 1, c0 + 1]
    height = upper + down * (a + right * (b - a) - upper)
    if math.isnan(height):
        height = elevation[int(row + 0.5), int(col + 0.5)]
    return np.float32(height)


@njit
def sample(
    counted_grid: Grid,
    station: Station,
    azimuth: float,
    count: int,
    ground: Floats,
    clutter: Floats,
) -> int:
    """Sample ground and clutter along a radial; return the first step of unknown height.

    From there on the last known height stands in, and the pixels beyond are flagged. The result
    is `count` where all heights are known.
    """
    grid = borrowed_grid(counted_grid)
    elevation, class_index = grid.elevation, grid.class_index
    last_row, last_col = float(elevation.shape[0] - 1), float(elevation.shape[1] - 1)
    row_step = -math.cos(azimuth) / station.steps_per_pixel
    col_step = math.sin(azimuth) / station.steps_per_pixel
    first_unknown = count
    for i in range(count):
        row = min(max(station.row + i * row_step, 0.0), last_row)
        col = min(max(station.col + i * col_step, 0.0), last_col)
        height = height_at(elevation, row, col)
        if math.isnan(height):
            first_unknown = min(first_unknown, i)
            height = ground[MAST + max(i - 1, 0)]
        ground[MAST + i] = height
        if grid.has_clutter:
            land = class_index[int(row + 0.5), int(col + 0.5)]
            # At its two ends a path has no clutter; a scan that ran over the mast's would see it.
            clutter[MAST + i] = grid.class_height[land] if i > 0 else _F0
    return first_unknown


def step_lookup(step_km: float, size: int) -> tuple[Floats, NDArray[np.float64]]:
    """Return the lookup by step, and the distances with a stand-in for the mast's zero [km]."""
    distance = np.arange(size) * step_km
    # The mast itself is at no distance; nothing reads what stands in for its reciprocals.
    d = np.maximum(distance, step_km)
    lookup = np.zeros((LOOKUP_ROWS, MAST + size), np.float32)
    lookup[DISTANCE, MAST:] = distance
    lookup[INVERSE, MAST:], lookup[ROOT, MAST:] = 1.0 / d, 1.0 / np.sqrt(d)
    back = np.arange(MAST + size, 0, -1) * step_km
    lookup[INVERSE_BACK], lookup[ROOT_BACK] = 1.0 / back, 1.0 / np.sqrt(back)
    # Low ground that a scan sees besides the path must not come near its largest ν.
    lookup[ROOT, : MAST + 1] = 1e6
    return lookup, d
