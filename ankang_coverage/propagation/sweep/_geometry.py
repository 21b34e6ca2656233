"""The geometry of a receiver: a few numbers from the profile between it and the mast."""

from typing import TypeAlias

import numpy as np

from ankang_coverage._jit import greater, njit_inline
from ankang_coverage.propagation.sweep._carried import Carried
from ankang_coverage.propagation.sweep._layout import (
    ABOVE_R,
    ABOVE_T,
    BARE,
    DISTANCE,
    DLR,
    DLT,
    HRE,
    HTE,
    INVERSE,
    MAST,
    NU,
    NU_B0,
    OVER,
    ROUGHNESS,
    SLOPE_R,
    SLOPE_T,
    Floats,
    Grid,
)
from ankang_coverage.propagation.sweep._scans import (
    highest_above,
    largest_nu,
    last_of_nu,
    last_touched,
    look_back,
    steepest_back,
)

_F0, _F1 = np.float32(0.0), np.float32(1.0)

# What a receiver and the mast see of each other: ν √λ of Bullington's edge, the columns of both
# horizons and the slopes towards them, and how far the smooth surface is lowered at both ends.
_Seen: TypeAlias = tuple[np.float32, int, int, np.float32, np.float32, np.float32, np.float32]


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
    back_over, back, back_flat, highest = look_back(radial, over, n, receiver, direct, lookup, k50)
    nu = _edge(steep_over + bulge - direct, back_over + direct, length)
    # A fused product may differ in its last bit from one scan to the next.
    touching = back - np.float32(1e-6) * (abs(back) + _F1)
    point_r = last_touched(radial, n, receiver, lookup, k50, touching)
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
    nu_bare = largest_nu(radial, BARE, n, tilt, lookup, k50)
    reaching = nu_bare - np.float32(1e-6) * abs(nu_bare)
    point = last_of_nu(radial, n, tilt, lookup, k50, reaching)
    if up_over >= _F0 and has_clutter:
        back_over = steepest_back(radial, OVER, n, receiver, lookup, k50)
        nu = _edge(up_over, back_over + direct, length)
    else:
        nu_over = nu_bare
        if has_clutter:
            nu_over = largest_nu(radial, OVER, n, tilt, lookup, k50)
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
        back = steepest_back(radial, over, n, receiver, lookup, k)
        nu = _edge(up, back + direct, length)
    else:
        nu = largest_nu(radial, over, n, bulge - direct, lookup, k)
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
    batch[r, ROUGHNESS + j] = highest_above(radial, point_t, point_r, line, lookup) - under_t
