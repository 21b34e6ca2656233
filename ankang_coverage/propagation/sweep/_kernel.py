"""The kernel: both passes over all radials of one mast."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import integer, njit, njit_inline, uncounted
from ankang_coverage.propagation.sweep._carried import (
    Carried,
    approach,
    cleared_steps,
    lay_out,
    leave,
    seen_from_mast,
)
from ankang_coverage.propagation.sweep._equations import FULL_P1812_KM, launch_elevations, losses
from ankang_coverage.propagation.sweep._geometry import measure
from ankang_coverage.propagation.sweep._layout import (
    BARE,
    BATCH,
    DISTANCE,
    INVERSE,
    LANES,
    LAUNCH,
    LOSS,
    MAST,
    P1812,
    RADIAL_ROWS,
    RISE,
    ROWS,
    STEP,
    STEP_ROWS,
    STRIDE,
    Floats,
    Grid,
    Link,
    Station,
    borrowed_grid,
    borrowed_link,
)
from ankang_coverage.propagation.sweep._radials import sample, steps_to

COMPUTED, IN_SIGHT, SHORT_RANGE, ACROSS_NO_DATA, NO_DATA, BEYOND = (1 << i for i in range(6))
_F0 = np.float32(0.0)


class Work(NamedTuple):
    """Memory of a sweep: one radial, and one batch of receivers."""

    ground: Floats
    clutter: Floats
    radial: Floats
    touched: NDArray[np.int32]
    sums: NDArray[np.float64]
    batch: Floats
    places: NDArray[np.int32]
    classes: NDArray[np.uint8]


class Maps(NamedTuple):
    """Results of a sweep on the pixels of its window."""

    loss: Floats
    launch: Floats
    obstacle: Floats
    required: Floats
    flags: NDArray[np.uint8]


@njit_inline
def borrowed_work(work: Work) -> Work:
    """Return the memory without reference counts (see `uncounted`)."""
    return Work(
        uncounted(work.ground),
        uncounted(work.clutter),
        uncounted(work.radial),
        uncounted(work.touched),
        uncounted(work.sums),
        uncounted(work.batch),
        uncounted(work.places),
        uncounted(work.classes),
    )


@njit_inline
def borrowed_maps(maps: Maps) -> Maps:
    """Return the maps without reference counts."""
    return Maps(
        uncounted(maps.loss),
        uncounted(maps.launch),
        uncounted(maps.obstacle),
        uncounted(maps.required),
        uncounted(maps.flags),
    )


@njit_inline
def step_of(place: int, station: Station) -> int:
    """Nearest step of a pixel of the window."""
    south = (place >> 16) + station.first_row - station.row
    east = (place & 0xFFFF) + station.first_col - station.col
    return steps_to(south, east, station.steps_per_pixel)


@njit
def _spread(count: int, grid: Grid, link: Link, station: Station, work: Work, maps: Maps) -> None:
    """Second pass over a batch, for every receiver height and frequency, onto the maps."""
    # Whole vectors only: what stands behind the last receiver is computed and not read.
    whole = (count + LANES - 1) // LANES * LANES
    places, classes = uncounted(work.places), uncounted(work.classes)
    for r in range(link.receivers.size):
        batch, flags = work.batch[r], maps.flags[r]
        launch_elevations(batch, whole)
        launch = maps.launch[r]
        for j in range(count):
            row, col = places[j] >> 16, places[j] & 0xFFFF
            if flags[row, col] & COMPUTED:
                launch[row, col] = batch[LAUNCH + np.uintp(j)]
        for q in range(link.frequencies_ghz.size):
            losses(batch, whole, link, q, station.step_km)
            loss, terminal_loss = maps.loss[q, r], grid.terminal_loss[q]
            for j in range(count):
                row, col = places[j] >> 16, places[j] & 0xFFFF
                if flags[row, col] & COMPUTED:
                    loss[row, col] = batch[LOSS + np.uintp(j)] + terminal_loss[classes[j]]


@njit_inline
def _note(
    n: int,
    state: int,
    place: int,
    carried: Carried,
    link: Link,
    k50: np.float32,
    radial: Floats,
    lookup: Floats,
    table: Floats,
    count: int,
    work: Work,
    maps: Maps,
) -> None:
    """Note for every receiver height what needs no equations, onto the maps and into the batch."""
    row, col, end = place >> 16, place & 0xFFFF, MAST + n
    steep, at = carried[3], carried[4]
    bulge = k50 * lookup[DISTANCE, end]
    if state & COMPUTED:
        grazing = (steep + bulge) * lookup[DISTANCE, end] - radial[BARE, end]
        maps.required[row, col] = max(grazing, _F0)
    for r in range(link.receivers.size):
        receiver = radial[BARE, end] + link.receivers[r]
        direct = receiver * lookup[INVERSE, end]
        in_sight = steep + bulge < direct or n < 2
        work.batch[r, RISE + np.uintp(count)] = receiver
        work.batch[r, LAUNCH + np.uintp(count)] = direct - bulge if in_sight else steep
        for q in range(STEP_ROWS):
            work.batch[r, STEP + np.uintp(q * STRIDE + count)] = table[n, q]
        maps.flags[r, row, col] = state | (IN_SIGHT if in_sight else 0)
        if state & COMPUTED:
            away = _F0 if in_sight else lookup[DISTANCE, at]
            maps.obstacle[r, row, col] = np.float32(1e3) * away


@njit_inline
def _state(n: int, height: np.float32, first_unknown: int, distance_km: np.float32) -> int:
    """Return the flags of a pixel that do not depend on the receiver's height."""
    state = NO_DATA if math.isnan(height) else COMPUTED
    state |= ACROSS_NO_DATA if n >= first_unknown else 0
    return state | (SHORT_RANGE if distance_km < FULL_P1812_KM else 0)


@njit
def sweep_mast(
    counted_grid: Grid,
    station: Station,
    counted_link: Link,
    starts: NDArray[np.int64],
    counted_owned: NDArray[np.int32],
    counted_lookup: Floats,
    counted_table: Floats,
    counted_work: Work,
    counted_maps: Maps,
) -> None:
    """Both passes over all radials of one mast."""
    grid, link = borrowed_grid(counted_grid), borrowed_link(counted_link)
    work, maps = borrowed_work(counted_work), borrowed_maps(counted_maps)
    owned, lookup, table = (
        uncounted(counted_owned),
        uncounted(counted_lookup),
        uncounted(counted_table),
    )
    ground, clutter, radial = work.ground, work.clutter, work.radial
    touched, sums = work.touched, work.sums
    use_b0 = link.model == P1812 and link.time_percent < 50.0
    k50 = np.float32(500.0 / link.median_radius_km)
    k_b0 = np.float32(500.0 / link.b0_radius_km if use_b0 else 0.0)
    count = integer(0)
    for index in range(starts.size - 1):
        own_first, own_last = starts[index], starts[index + 1]
        reach = integer(1)
        for p in range(own_first, own_last):
            reach = max(reach, 1 + step_of(owned[p], station))
        azimuth = 2.0 * math.pi * index / (starts.size - 1)
        first_unknown = sample(counted_grid, station, azimuth, reach, ground, clutter)
        lay_out(reach, station, ground, clutter, radial, touched, sums, lookup, k50, k_b0)
        antenna = np.float64(ground[MAST]) + station.height
        for p in range(own_first, own_last):
            row = (owned[p] >> 16) + station.first_row
            col = (owned[p] & 0xFFFF) + station.first_col
            n = step_of(owned[p], station)
            land = grid.class_index[row, col] if grid.has_clutter else np.uint8(0)
            work.places[count], work.classes[count] = owned[p], land
            edge = grid.class_clearing[land]
            clearing = integer(cleared_steps(edge))
            approach(row, col, n, edge, antenna, grid, station, radial)
            carried = seen_from_mast(n, clearing, radial, touched, sums, lookup, k50, k_b0)
            state = _state(n, grid.elevation[row, col], first_unknown, lookup[DISTANCE, MAST + n])
            _note(n, state, owned[p], carried, link, k50, radial, lookup, table, count, work, maps)
            if n >= 2:
                for r in range(link.receivers.size):
                    receiver = radial[BARE, MAST + n] + link.receivers[r]
                    measure(
                        n, receiver, carried, grid, k50, k_b0, radial, lookup, work.batch, r, count
                    )
            leave(n, clearing, radial)
            count += 1
            if count == BATCH:
                _spread(count, counted_grid, counted_link, station, counted_work, counted_maps)
                count = integer(0)
    if count > 0:
        _spread(count, counted_grid, counted_link, station, counted_work, counted_maps)


def workspace(size: int, receiver_count: int) -> Work:
    columns = MAST + size
    return Work(
        ground=np.empty(columns, np.float32),
        clutter=np.zeros(columns, np.float32),
        radial=np.full((RADIAL_ROWS, columns), -1e30, np.float32),
        touched=np.empty((2, columns), np.int32),
        sums=np.empty((2, columns), np.float64),
        # Receivers too near for a profile are given no geometry, but their numbers pass through
        # the equations before free space takes over: ones, which harm none of them.
        batch=np.ones((receiver_count, ROWS * STRIDE), np.float32),
        places=np.empty(BATCH, np.int32),
        classes=np.zeros(BATCH, np.uint8),
    )


def empty_maps(frequency_count: int, receiver_count: int, rows: int, cols: int) -> Maps:
    # One block is large enough for the system to back it with large pages, which come faster.
    count = frequency_count * receiver_count
    block = np.full((count + 2 * receiver_count + 1, rows, cols), np.nan, np.float32)
    return Maps(
        loss=block[:count].reshape(frequency_count, receiver_count, rows, cols),
        launch=block[count : count + receiver_count],
        obstacle=block[count + receiver_count : -1],
        required=block[-1],
        flags=np.full((receiver_count, rows, cols), BEYOND, np.uint8),
    )
