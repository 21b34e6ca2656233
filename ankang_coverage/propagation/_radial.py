"""The first pass of the sweep: radials, and what a receiver on one sees.

A radial is sampled once. What the mast sees of it is carried forward from step to step; what a
receiver sees is scanned back from it. The scans run over whole blocks of samples, so that the
compiler's vector code has no remainders.
"""

import math
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import atan, greater, integer, njit, njit_inline, njit_vector, uncounted
from ankang_coverage.propagation._equations import (
    ABOVE_R,
    ABOVE_T,
    DLR,
    DLT,
    HRE,
    HTE,
    NU,
    NU_B0,
    ROUGHNESS,
    SLOPE_R,
    SLOPE_T,
    Floats,
)

# Rows of a radial: heights above the transmitting antenna without and with clutter, both again as
# the radial alone has them, and the steepest rays from the antenna: over bare ground, the same on
# a flat earth, with clutter, and with clutter and the β0 radius.
BARE, OVER, _KEPT_BARE, _KEPT_OVER = range(4)
_STEEP, _STEEP_FLAT, _STEEP_OVER, _STEEP_B0, RADIAL_ROWS = range(4, 9)

# Column of the mast in the rows of a radial and of the lookup; that of step i is MAST + i. The
# columns before it, infinitely low ground, fill up the last vectors of a scan, which runs over
# whole blocks back from the receiver. The mast's own ground is scanned along with them: it is
# below every ray that matters.
MAST: Final = 64
_BLOCK: Final = 32

# Rows of the lookup by step: d, 1/d, 1/√d. What is wanted by steps back from the receiver stands
# in reverse, so that it is read forwards.
DISTANCE, INVERSE, _INVERSE_BACK, _ROOT, _ROOT_BACK, _LOOKUP_ROWS = range(6)

# Steps before a receiver that are sampled on its own line instead of the radial.
APPROACH: Final = 3

_LOWEST = np.float32(-1e30)
_F0, _F1, _HALF, _TINY = (np.float32(x) for x in (0.0, 1.0, 0.5, 1e-6))


class Grid(NamedTuple):
    """The terrain, and what the land-cover classes are worth."""

    elevation: Floats
    class_index: NDArray[np.uint8]
    class_height: Floats
    class_clearing: NDArray[np.int32]
    terminal_loss: Floats
    has_clutter: bool


class Station(NamedTuple):
    """A mast in its window of the grid, and the steps that its radials take."""

    row: float
    col: float
    height: float
    first_row: int
    first_col: int
    steps_per_pixel: int
    step_km: float


# What a receiver and the mast see of each other: ν √λ of Bullington's edge, the columns of both
# horizons and the slopes towards them, and how far the smooth surface is lowered at both ends.
_Seen: TypeAlias = tuple[np.float32, int, int, np.float32, np.float32, np.float32, np.float32]


@njit_inline
def borrowed(grid: Grid) -> Grid:
    """Return the grid without reference counts (see `uncounted`)."""
    return Grid(
        uncounted(grid.elevation),
        uncounted(grid.class_index),
        uncounted(grid.class_height),
        uncounted(grid.class_clearing),
        uncounted(grid.terminal_loss),
        grid.has_clutter,
    )


# What is carried along a radial: the steepest ray over bare ground and the column it touches, the
# same ray on a flat earth, the one with clutter and its column, the one with the β0 radius, and
# the sums of the heights and of their moments, for the smooth-earth fit.
Carried: TypeAlias = tuple[np.float32, int, np.float32, np.float32, int, np.float32, float, float]


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
    grid = borrowed(counted_grid)
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
        radial[_KEPT_BARE, c] = radial[BARE, c] = np.float32(np.float64(ground[c]) - antenna)
        radial[_KEPT_OVER, c] = radial[OVER, c] = radial[BARE, c] + clutter[c]
    mast = integer(MAST)
    carried = (_LOWEST, mast, _LOWEST, _LOWEST, mast, _LOWEST, 0.0, 0.0)
    for c in range(MAST, MAST + count):
        if c > MAST:
            carried = _advance(carried, c, radial, lookup, k50, k_b0)
        radial[_STEEP, c], touched[0, c] = carried[0], carried[1]
        radial[_STEEP_FLAT, c] = carried[2]
        radial[_STEEP_OVER, c], touched[1, c] = carried[3], carried[4]
        radial[_STEEP_B0, c], sums[0, c], sums[1, c] = carried[5], carried[6], carried[7]


@njit_inline
def approach(
    row: int,
    col: int,
    n: int,
    clearing: int,
    antenna: float,
    grid: Grid,
    station: Station,
    radial: Floats,
) -> None:
    """Put a pixel's own last steps in place of the radial's.

    Clutter counts up to the clearing and not within it.
    """
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
            if grid.has_clutter and back > clearing:
                over += grid.class_height[grid.class_index[int(r + 0.5), int(c + 0.5)]]
            radial[OVER, end - back] = over
    for c_cleared in range(max(end - clearing, MAST + 1), end - APPROACH):
        radial[OVER, c_cleared] = radial[BARE, c_cleared]


@njit_inline
def leave(n: int, clearing: int, radial: Floats) -> None:
    """Undo `approach`."""
    for c in range(MAST + approach_start(n, clearing), MAST + n + 1):
        radial[BARE, c] = radial[_KEPT_BARE, c]
        radial[OVER, c] = radial[_KEPT_OVER, c]


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
        radial[_STEEP, before],
        integer(touched[0, before]),
        radial[_STEEP_FLAT, before],
        radial[_STEEP_OVER, before],
        integer(touched[1, before]),
        radial[_STEEP_B0, before],
        sums[0, before],
        sums[1, before],
    )
    for c in range(first, end):
        carried = _advance(carried, c, radial, lookup, k50, k_b0)
    return carried


@njit_inline
def _whole_blocks(n: int) -> np.uintp:
    """First column of the whole blocks that end before step n."""
    return np.uintp(MAST + n - (n + _BLOCK - 2) // _BLOCK * _BLOCK)


@njit_inline
def _look_back(
    radial: Floats,
    over: int,
    n: int,
    receiver: np.float32,
    direct: np.float32,
    lookup: Floats,
    k: np.float32,
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Scan what a receiver out of sight sees: its steepest rays, and the largest obstruction.

    The rays, max((height − R)/(D − d) + k d), are those over the heights in row `over`, over bare
    ground, and over bare ground on a flat earth. The obstruction is the bare height above the
    direct ray on a flat earth.
    """
    back = np.uintp(lookup.shape[1] - n - MAST)
    steep_over = steep = flat = highest = _LOWEST
    for c in range(_whole_blocks(n), np.uintp(MAST + n)):
        distance, inverse = lookup[DISTANCE, c], lookup[_INVERSE_BACK, back + c]
        slope = (radial[BARE, c] - receiver) * inverse
        slope_over = (radial[over, c] - receiver) * inverse
        flat = greater(flat, slope)
        steep = greater(steep, slope + k * distance)
        steep_over = greater(steep_over, slope_over + k * distance)
        highest = greater(highest, radial[BARE, c] - direct * distance)
    return steep_over, steep, flat, highest


@njit_inline
def _steepest_back(
    radial: Floats, over: int, n: int, receiver: np.float32, lookup: Floats, k: np.float32
) -> np.float32:
    """Steepest ray from a receiver over the heights in row `over` (see `_look_back`)."""
    back = np.uintp(lookup.shape[1] - n - MAST)
    steep = _LOWEST
    for c in range(_whole_blocks(n), np.uintp(MAST + n)):
        slope = (radial[over, c] - receiver) * lookup[_INVERSE_BACK, back + c]
        steep = greater(steep, slope + k * lookup[DISTANCE, c])
    return steep


@njit_inline
def _last_touched(
    radial: Floats,
    n: int,
    receiver: np.float32,
    lookup: Floats,
    k: np.float32,
    steep: np.float32,
) -> int:
    """Last bare point that the receiver's steepest ray touches, looked for from its own end."""
    back = np.uintp(lookup.shape[1] - n - MAST)
    found, last = np.int32(0), MAST + n
    while last > MAST and found == 0:
        for c in range(np.uintp(last - _BLOCK), np.uintp(last)):
            slope = (radial[BARE, c] - receiver) * lookup[_INVERSE_BACK, back + c]
            touches = slope + k * lookup[DISTANCE, c] >= steep
            found = max(found, np.int32(c) if touches else np.int32(0))
        last -= _BLOCK
    return max(int(found), MAST + 1)


@njit_inline
def _largest_nu(
    radial: Floats, over: int, n: int, tilt: np.float32, lookup: Floats, k: np.float32
) -> np.float32:
    """Largest (height + d (tilt − k d)) / √(d (D − d)) over the heights in row `over`.

    With tilt = k D − R/D the numerator is the height above the direct ray.
    """
    back = np.uintp(lookup.shape[1] - n - MAST)
    nu = _LOWEST
    for c in range(_whole_blocks(n), np.uintp(MAST + n)):
        distance = lookup[DISTANCE, c]
        above = radial[over, c] + distance * (tilt - k * distance)
        nu = greater(nu, above * (lookup[_ROOT, c] * lookup[_ROOT_BACK, back + c]))
    return nu


@njit_inline
def _last_of_nu(
    radial: Floats, n: int, tilt: np.float32, lookup: Floats, k: np.float32, nu: np.float32
) -> int:
    """Last bare point where ν is this large (see `_largest_nu`)."""
    back = np.uintp(lookup.shape[1] - n - MAST)
    found = np.int32(MAST + 1)
    for c in range(_whole_blocks(n), np.uintp(MAST + n)):
        distance = lookup[DISTANCE, c]
        above = radial[BARE, c] + distance * (tilt - k * distance)
        reaches = above * (lookup[_ROOT, c] * lookup[_ROOT_BACK, back + c]) >= nu
        found = max(found, np.int32(c) if reaches else np.int32(0))
    return int(found)


@njit_inline
def _highest(
    radial: Floats, first: int, last: int, slope: np.float32, lookup: Floats
) -> np.float32:
    """Largest bare height above a line of this slope through the origin, first … last."""
    highest = _LOWEST
    for c in range(np.uintp(first), np.uintp(last + 1)):
        highest = greater(highest, radial[BARE, c] - slope * lookup[DISTANCE, c])
    return highest


@njit_inline
def _edge(up: np.float32, back: np.float32, length: np.float32) -> np.float32:
    """ν √λ where both rays meet that look so much steeper than the direct one."""
    nu: np.float32 = np.sqrt(np.float32(0.002) * length * greater(up, _F0) * greater(back, _F0))
    return nu


@njit_inline
def _out_of_sight(
    n: int,
    receiver: np.float32,
    carried: Carried,
    over: int,
    k50: np.float32,
    radial: Floats,
    lookup: Floats,
) -> _Seen:
    """Edge and horizons where bare ground stands in the way."""
    length = lookup[DISTANCE, MAST + n]
    direct, bulge = receiver * lookup[INVERSE, MAST + n], k50 * length
    steep, point_t, flat, steep_over = carried[0], carried[1], carried[2], carried[3]
    back_over, back, back_flat, highest = _look_back(radial, over, n, receiver, direct, lookup, k50)
    nu = _edge(steep_over + bulge - direct, back_over + direct, length)
    # A fused product may differ in its last bit from one scan to the next.
    touching = back - np.float32(1e-6) * (abs(back) + _F1)
    point_r = _last_touched(radial, n, receiver, lookup, k50, touching)
    # How far obstacles above the straight line lower the smooth surface at the two ends
    share_t, share_r = flat - direct, back_flat + direct
    obstructed = highest > _F0
    lowered = highest / (share_t + share_r) if obstructed else _F0
    return nu, point_t, point_r, steep, back - bulge, lowered * share_t, lowered * share_r


@njit_inline
def _in_sight(
    n: int,
    receiver: np.float32,
    carried: Carried,
    has_clutter: bool,
    k50: np.float32,
    radial: Floats,
    lookup: Floats,
) -> _Seen:
    """Edge and horizons where only clutter may stand in the way."""
    length = lookup[DISTANCE, MAST + n]
    direct, bulge = receiver * lookup[INVERSE, MAST + n], k50 * length
    tilt, up_over = bulge - direct, carried[3] + bulge - direct
    nu_bare = _largest_nu(radial, BARE, n, tilt, lookup, k50)
    reaching = nu_bare - np.float32(1e-6) * abs(nu_bare)
    point = _last_of_nu(radial, n, tilt, lookup, k50, reaching)
    if up_over >= _F0 and has_clutter:
        back_over = _steepest_back(radial, OVER, n, receiver, lookup, k50)
        nu = _edge(up_over, back_over + direct, length)
    else:
        nu_over = nu_bare
        if has_clutter:
            nu_over = _largest_nu(radial, OVER, n, tilt, lookup, k50)
        nu = nu_over * np.sqrt(np.float32(0.002) * length)
    return nu, point, point, direct - bulge, -direct - bulge, _F0, _F0


@njit_inline
def _edge_of(
    n: int,
    receiver: np.float32,
    steep: np.float32,
    over: int,
    k: np.float32,
    radial: Floats,
    lookup: Floats,
) -> np.float32:
    """ν √λ of Bullington's edge, given the steepest ray from the mast."""
    length = lookup[DISTANCE, MAST + n]
    direct, bulge = receiver * lookup[INVERSE, MAST + n], k * length
    up = steep + bulge - direct
    if up >= _F0:
        back = _steepest_back(radial, over, n, receiver, lookup, k)
        nu = _edge(up, back + direct, length)
    else:
        nu = _largest_nu(radial, over, n, bulge - direct, lookup, k)
        nu *= np.sqrt(np.float32(0.002) * length)
    return nu


@njit_inline
def _fit_sums(
    n: int, heights: float, moments: float, ground_t: np.float32, ground_r: np.float32
) -> tuple[float, float]:
    """Return v1 D and v2 of the smooth-earth fit, (83) and (84) of P.1812, in steps squared.

    With equal steps the trapezoids' sums are those of the heights h_i and the moments i h_i
    between the ends, plus what the ends add.
    """
    a, b = np.float64(ground_t), np.float64(ground_r)
    return n * (a + 2.0 * heights + b), a + 6.0 * moments + (3 * n - 1) * b


@njit_inline
def measure(
    n: int,
    receiver: np.float32,
    carried: Carried,
    grid: Grid,
    k50: np.float32,
    k_b0: np.float32,
    radial: Floats,
    lookup: Floats,
    batch: Floats,
    r: int,
    place: int,
) -> None:
    """Write the geometry of a receiver at step n ≥ 2 into the batch.

    `receiver` is the receiving antenna's height above the transmitting one, `carried` what the
    mast sees of the points before the receiver. Without a β0 radius, `k_b0` is zero.
    """
    j, over = np.uintp(place), OVER if grid.has_clutter else BARE
    length, per_length = lookup[DISTANCE, MAST + n], lookup[INVERSE, MAST + n]
    if carried[0] + k50 * length > receiver * per_length:
        seen = _out_of_sight(n, receiver, carried, over, k50, radial, lookup)
    else:
        seen = _in_sight(n, receiver, carried, grid.has_clutter, k50, radial, lookup)
    nu, point_t, point_r, slope_t, slope_r, lowered_t, lowered_r = seen
    batch[r, NU + j] = nu
    if k_b0 > _F0:
        batch[r, NU_B0 + j] = _edge_of(n, receiver, carried[5], over, k_b0, radial, lookup)
    batch[r, DLT + j] = lookup[DISTANCE, point_t]
    batch[r, DLR + j] = length - lookup[DISTANCE, point_r]
    batch[r, SLOPE_T + j] = slope_t
    batch[r, SLOPE_R + j] = slope_r

    # Smooth earth, equations (85) to (93)
    ground_t, ground_r = radial[BARE, MAST], radial[BARE, MAST + n]
    first, second = _fit_sums(n, carried[6], carried[7], ground_t, ground_r)
    fit_t = np.float32((2.0 * first - second) / (n * n))
    fit_r = np.float32((second - first) / (n * n))
    under_t, under_r = min(fit_t, ground_t), min(fit_r, ground_r)
    line = (under_r - under_t) * per_length
    batch[r, ABOVE_T + j] = -min(fit_t - lowered_t, ground_t)
    batch[r, ABOVE_R + j] = receiver - min(fit_r - lowered_r, ground_r)
    batch[r, HTE + j] = -under_t
    batch[r, HRE + j] = receiver - under_r
    batch[r, ROUGHNESS + j] = _highest(radial, point_t, point_r, line, lookup) - under_t


def step_lookup(step_km: float, size: int) -> tuple[Floats, NDArray[np.float64]]:
    """Return the lookup by step, and the distances with a stand-in for the mast's zero [km]."""
    distance = np.arange(size) * step_km
    # The mast itself is at no distance; nothing reads what stands in for its reciprocals.
    d = np.maximum(distance, step_km)
    lookup = np.zeros((_LOOKUP_ROWS, MAST + size), np.float32)
    lookup[DISTANCE, MAST:] = distance
    lookup[INVERSE, MAST:], lookup[_ROOT, MAST:] = 1.0 / d, 1.0 / np.sqrt(d)
    back = np.arange(MAST + size, 0, -1) * step_km
    lookup[_INVERSE_BACK], lookup[_ROOT_BACK] = 1.0 / back, 1.0 / np.sqrt(back)
    # Low ground that a scan sees besides the path must not come near its largest ν.
    lookup[_ROOT, : MAST + 1] = 1e6
    return lookup, d
