"""What a receiver sees of its radial, scanned back from it.

The scans run over whole blocks of samples, so that the compiler's vector code has no remainders.
"""

import numpy as np

from ankang_coverage._jit import greater, njit_inline
from ankang_coverage.propagation.sweep._layout import (
    BARE,
    BLOCK,
    DISTANCE,
    INVERSE_BACK,
    LOWEST,
    MAST,
    ROOT,
    ROOT_BACK,
    Floats,
)


@njit_inline
def _whole_blocks(n: int) -> np.uintp:
    """First column of the whole blocks that end before step n."""
    return np.uintp(MAST + n - (n + BLOCK - 2) // BLOCK * BLOCK)


@njit_inline
def look_back(
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
    steep_over = steep = flat = highest = LOWEST
    for c in range(_whole_blocks(n), np.uintp(MAST + n)):
        distance, inverse = lookup[DISTANCE, c], lookup[INVERSE_BACK, back + c]
        slope = (radial[BARE, c] - receiver) * inverse
        slope_over = (radial[over, c] - receiver) * inverse
        flat = greater(flat, slope)
        steep = greater(steep, slope + k * distance)
        steep_over = greater(steep_over, slope_over + k * distance)
        highest = greater(highest, radial[BARE, c] - direct * distance)
    return steep_over, steep, flat, highest


@njit_inline
def steepest_back(
    radial: Floats, over: int, n: int, receiver: np.float32, lookup: Floats, k: np.float32
) -> np.float32:
    """Steepest ray from a receiver over the heights in row `over` (see `look_back`)."""
    back = np.uintp(lookup.shape[1] - n - MAST)
    steep = LOWEST
    for c in range(_whole_blocks(n), np.uintp(MAST + n)):
        slope = (radial[over, c] - receiver) * lookup[INVERSE_BACK, back + c]
        steep = greater(steep, slope + k * lookup[DISTANCE, c])
    return steep


@njit_inline
def last_touched(
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
        for c in range(np.uintp(last - BLOCK), np.uintp(last)):
            slope = (radial[BARE, c] - receiver) * lookup[INVERSE_BACK, back + c]
            touches = slope + k * lookup[DISTANCE, c] >= steep
            found = max(found, np.int32(c) if touches else np.int32(0))
        last -= BLOCK
    return max(int(found), MAST + 1)


@njit_inline
def largest_nu(
    radial: Floats, over: int, n: int, tilt: np.float32, lookup: Floats, k: np.float32
) -> np.float32:
    """Largest (height + d (tilt − k d)) / √(d (D − d)) over the heights in row `over`.

    With tilt = k D − R/D the numerator is the height above the direct ray.
    """
    back = np.uintp(lookup.shape[1] - n - MAST)
    nu = LOWEST
    for c in range(_whole_blocks(n), np.uintp(MAST + n)):
        distance = lookup[DISTANCE, c]
        above = radial[over, c] + distance * (tilt - k * distance)
        nu = greater(nu, above * (lookup[ROOT, c] * lookup[ROOT_BACK, back + c]))
    return nu


@njit_inline
def last_of_nu(
    radial: Floats, n: int, tilt: np.float32, lookup: Floats, k: np.float32, nu: np.float32
) -> int:
    """Last bare point where ν is this large (see `largest_nu`)."""
    back = np.uintp(lookup.shape[1] - n - MAST)
    found = np.int32(MAST + 1)
    for c in range(_whole_blocks(n), np.uintp(MAST + n)):
        distance = lookup[DISTANCE, c]
        above = radial[BARE, c] + distance * (tilt - k * distance)
        reaches = above * (lookup[ROOT, c] * lookup[ROOT_BACK, back + c]) >= nu
        found = max(found, np.int32(c) if reaches else np.int32(0))
    return int(found)


@njit_inline
def highest_above(
    radial: Floats, first: int, last: int, slope: np.float32, lookup: Floats
) -> np.float32:
    """Largest bare height above a line of this slope through the origin, first … last."""
    highest = LOWEST
    for c in range(np.uintp(first), np.uintp(last + 1)):
        highest = greater(highest, radial[BARE, c] - slope * lookup[DISTANCE, c])
    return highest
