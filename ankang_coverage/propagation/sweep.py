"""Path loss of every pixel round one mast, over terrain and clutter, by the radial sweep.

A receiver's loss depends on the whole profile between it and the mast. Along one radial the
profiles of successive receivers are prefixes of each other, so the terrain is sampled once, and
what ITU-R P.1812 asks of it is either carried forward or one short scan.

Which receiver is on which radial
    As many radials are cast as keep neighbours at most one pixel apart at the rim. Every pixel
    belongs to its nearest radial and there to its nearest step, and only those are evaluated. The
    last steps before a pixel decide most, and a radial may miss them by most of a pixel: they are
    sampled on the pixel's own line. On bare mountains that brings the difference to profiles
    traced pixel by pixel from 0.7 to 1.3 dB (root mean square) down to 0.3 to 0.6 dB.

The geometry of a receiver
    Let d be distance from the mast [km], u bare height and v height with clutter [m], both above
    the transmitting antenna, R the receiving antenna's, D its distance, and k = 500 / a with a the
    effective radius of the earth. With heights so counted the transmitter is the origin, and the
    differences that matter survive single precision.

    Carried forward, because they do not know the receiver: the steepest ray from the mast,
    max(u/d − k d) and max(v/d − k d), max(u/d) for a flat earth, and the two sums of the
    smooth-earth fit. The curvature of a path of length D adds k D to every ray.

    Scanned, because every point looks different from each receiver: the steepest ray back,
    max((u − R) / (D − d) + k d); the largest obstruction max(u − d R / D); the roughness between
    the horizons; and in sight the point of largest ν. These scans are products of table entries
    and a maximum, which the compiler turns into vector code: sixteen samples take two to three
    nanoseconds, which makes them the plainer choice before convex hulls at hundreds of samples.

    Out of sight Bullington's point needs no coordinates. If A is how much steeper than the direct
    ray the mast looks up and B how much steeper the receiver does, the point is D B / (A + B)
    away and stands A times that above the ray, so ν = √(0.002 D A B / λ).

The smooth path
    Its profile is all zeros, so its slopes and its ν are functions with one maximum each. The
    largest sample is next to the analytic maximum: √(h / k) from either end out of sight, the
    root of a cubic in sight.

The loss
    Once the geometry of some thousand receivers is known, the equations of P.1812 run over them
    as straight-line code in single precision, with logarithms and powers that vectorise. What
    depends on the distance alone stands in a table by step.
"""

import math
import os
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage._jit import integer, njit, njit_inline, uncounted
from ankang_coverage.errors import OutOfRangeError, RasterError
from ankang_coverage.propagation._equations import (
    BATCH,
    FULL_P1812_KM,
    LANES,
    LAUNCH,
    LOSS,
    P1812,
    RISE,
    ROWS,
    STEP,
    STEP_ROWS,
    STRIDE,
    Floats,
    Link,
    admittance,
    launch_elevations,
    losses,
    step_table,
)
from ankang_coverage.propagation._radial import (
    BARE,
    DISTANCE,
    INVERSE,
    MAST,
    RADIAL_ROWS,
    Carried,
    Grid,
    Station,
    approach,
    borrowed,
    height_at,
    lay_out,
    leave,
    measure,
    own,
    radials_of_row,
    sample,
    seen_from_mast,
    step_lookup,
    steps_to,
)
from ankang_coverage.propagation._ranges import Interval, checked
from ankang_coverage.propagation.diffraction import Polarisation
from ankang_coverage.propagation.p1812 import (
    B0_RADIUS_KM,
    DELTA_N,
    N0,
    checked_inputs,
    inverse_normal,
    median_radius_km,
)

Number = TypeVar("Number", np.float32, np.uint8)
Model: TypeAlias = Literal["p1812", "delta-bullington", "free-space"]
ElevationKind: TypeAlias = Literal["dtm", "dsm"]

_COMPUTED, _IN_SIGHT, _SHORT_RANGE, _ACROSS_NO_DATA, _NO_DATA, _BEYOND = (1 << i for i in range(6))

# Steps are not longer than this, so that three of them fit before P.1812 begins to count.
LONGEST_STEP_M: Final = 100.0
# Radials are counted in 16 bits, rows and columns of a window as well.
_MOST_PIXELS: Final = 5000
_PIXEL_SIZE_M: Final[Interval] = (0.1, 10_000.0)
_RADIUS_M: Final[Interval] = (1.0, 1e6)
_F0 = np.float32(0.0)


class _Work(NamedTuple):
    """Memory of a sweep: one radial, and one batch of receivers."""

    ground: Floats
    clutter: Floats
    radial: Floats
    touched: NDArray[np.int32]
    sums: NDArray[np.float64]
    batch: Floats
    places: NDArray[np.int32]
    classes: NDArray[np.uint8]


class _Maps(NamedTuple):
    """Results of a sweep on the pixels of its window."""

    loss: Floats
    launch: Floats
    obstacle: Floats
    required: Floats
    flags: NDArray[np.uint8]


@njit_inline
def _borrowed_work(work: _Work) -> _Work:
    """Return the memory without reference counts (see `uncounted`)."""
    return _Work(
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
def _borrowed(maps: _Maps) -> _Maps:
    """Return the maps without reference counts."""
    return _Maps(
        uncounted(maps.loss),
        uncounted(maps.launch),
        uncounted(maps.obstacle),
        uncounted(maps.required),
        uncounted(maps.flags),
    )


@njit_inline
def _borrowed_link(link: Link) -> Link:
    """Return the link without reference counts."""
    return Link(
        link.model,
        uncounted(link.frequencies_ghz),
        uncounted(link.admittances),
        uncounted(link.receivers),
        link.median_radius_km,
        link.b0_radius_km,
        link.time_percent,
        link.n0,
        link.variation_db,
    )


@njit_inline
def _step_of(place: int, station: Station) -> int:
    """Nearest step of a pixel of the window."""
    south = (place >> 16) + station.first_row - station.row
    east = (place & 0xFFFF) + station.first_col - station.col
    return steps_to(south, east, station.steps_per_pixel)


@njit
def _spread(count: int, grid: Grid, link: Link, station: Station, work: _Work, maps: _Maps) -> None:
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
            if flags[row, col] & _COMPUTED:
                launch[row, col] = batch[LAUNCH + np.uintp(j)]
        for q in range(link.frequencies_ghz.size):
            losses(batch, whole, link, q, station.step_km)
            loss, terminal_loss = maps.loss[q, r], grid.terminal_loss[q]
            for j in range(count):
                row, col = places[j] >> 16, places[j] & 0xFFFF
                if flags[row, col] & _COMPUTED:
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
    work: _Work,
    maps: _Maps,
) -> None:
    """Note for every receiver height what needs no equations, onto the maps and into the batch."""
    row, col, end = place >> 16, place & 0xFFFF, MAST + n
    steep, at = carried[3], carried[4]
    bulge = k50 * lookup[DISTANCE, end]
    if state & _COMPUTED:
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
        maps.flags[r, row, col] = state | (_IN_SIGHT if in_sight else 0)
        if state & _COMPUTED:
            away = _F0 if in_sight else lookup[DISTANCE, at]
            maps.obstacle[r, row, col] = np.float32(1e3) * away


@njit_inline
def _state(n: int, height: np.float32, first_unknown: int, distance_km: np.float32) -> int:
    """Return the flags of a pixel that do not depend on the receiver's height."""
    state = _NO_DATA if math.isnan(height) else _COMPUTED
    state |= _ACROSS_NO_DATA if n >= first_unknown else 0
    return state | (_SHORT_RANGE if distance_km < FULL_P1812_KM else 0)


@njit
def _sweep_mast(
    counted_grid: Grid,
    station: Station,
    counted_link: Link,
    starts: NDArray[np.int64],
    counted_owned: NDArray[np.int32],
    counted_lookup: Floats,
    counted_table: Floats,
    counted_work: _Work,
    counted_maps: _Maps,
) -> None:
    """Both passes over all radials of one mast."""
    grid, work, maps = borrowed(counted_grid), _borrowed_work(counted_work), _borrowed(counted_maps)
    link = _borrowed_link(counted_link)
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
            reach = max(reach, 1 + _step_of(owned[p], station))
        azimuth = 2.0 * math.pi * index / (starts.size - 1)
        first_unknown = sample(counted_grid, station, azimuth, reach, ground, clutter)
        lay_out(reach, station, ground, clutter, radial, touched, sums, lookup, k50, k_b0)
        antenna = np.float64(ground[MAST]) + station.height
        for p in range(own_first, own_last):
            row = (owned[p] >> 16) + station.first_row
            col = (owned[p] & 0xFFFF) + station.first_col
            n = _step_of(owned[p], station)
            land = grid.class_index[row, col] if grid.has_clutter else np.uint8(0)
            work.places[count], work.classes[count] = owned[p], land
            clearing = integer(grid.class_clearing[land])
            approach(row, col, n, clearing, antenna, grid, station, radial)
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


class SweepFlag(IntFlag):
    """What is known of a pixel of a `Sweep`."""

    COMPUTED = _COMPUTED
    """The pixel has a loss."""
    IN_SIGHT = _IN_SIGHT
    """Neither ground nor clutter along the path reaches the direct ray."""
    SHORT_RANGE = _SHORT_RANGE
    """Nearer than 0.5 km: free space below 0.25 km, from there on blended into the model."""
    ACROSS_NO_DATA = _ACROSS_NO_DATA
    """The path crosses ground of unknown height, for which the last known height stands in."""
    NO_DATA = _NO_DATA
    """Within the radius, but the pixel's own height is unknown: no result."""
    BEYOND_RADIUS = _BEYOND
    """Farther from the mast than the radius: no result."""


@dataclass(frozen=True, eq=False)
class Clutter:
    """Land cover as the sweep sees it: a class for each pixel and what each class is worth.

    Attributes
    ----------
    class_index
        Class of each pixel, an index into the lists below; uint8, of the elevation's shape.
    height_m
        Representative clutter height of each class [m].
    clearing_m
        Clearing radius of each class [m]: nearer than this to a receiver on the class, clutter
        along the path does not count.
    terminal_loss_db
        Loss at a receiver on each class [dB], in place of the clutter within the clearing; one
        number for each class, or one row of them for each frequency.
    """

    class_index: NDArray[np.uint8]
    height_m: ArrayLike
    clearing_m: ArrayLike
    terminal_loss_db: ArrayLike


@dataclass(frozen=True, eq=False)
class Terrain:
    """A grid of heights, north up, and what stands on it.

    Attributes
    ----------
    elevation_m
        Height of each pixel's centre above sea level [m], float32; NaN where unknown.
    pixel_size_m
        Width and height of a pixel [m].
    clutter
        Land cover; none over bare ground and over a surface model.
    kind
        ``dtm`` for heights of the bare ground, ``dsm`` for those of trees and roofs. Clutter
        that already is in the heights must not be added to them.
    """

    elevation_m: NDArray[np.float32]
    pixel_size_m: float
    clutter: Clutter | None = None
    kind: ElevationKind = "dtm"


@dataclass(frozen=True)
class Mast:
    """Where a transmitting antenna is.

    Attributes
    ----------
    row, col
        Place on the grid; whole numbers are centres of pixels, row 0 is the northernmost.
    height_m
        Height of the antenna above ground [m].
    """

    row: float
    col: float
    height_m: float


@dataclass(frozen=True, eq=False)
class Sweep:
    """Loss round one mast, on the pixels of a window of the grid.

    Attributes
    ----------
    row_start, col_start
        Place of the window's first pixel on the grid.
    frequencies_mhz, receiver_heights_m
        What the first and second axis of the results stand for.
    loss_db
        Loss between isotropic antennas, with terminal loss [dB]; frequency × receiver height ×
        row × column. NaN where there is no result.
    launch_elevation_deg
        Elevation at which the ray leaves the mast, up is positive [deg]: towards the receiver in
        sight, else towards the mast's horizon; receiver height × row × column.
    obstacle_distance_m
        Distance from the mast to the point that blocks the path [m], 0 in sight; receiver height
        × row × column.
    required_height_m
        Height above ground from which a receiver sees the mast [m]; row × column.
    flags
        `SweepFlag` of each pixel, uint8; receiver height × row × column.
    """

    row_start: int
    col_start: int
    frequencies_mhz: tuple[float, ...]
    receiver_heights_m: tuple[float, ...]
    loss_db: NDArray[np.float32]
    launch_elevation_deg: NDArray[np.float32]
    obstacle_distance_m: NDArray[np.float32]
    required_height_m: NDArray[np.float32]
    flags: NDArray[np.uint8]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the grid that the results are for."""
        rows, cols = self.required_height_m.shape
        return (
            slice(self.row_start, self.row_start + rows),
            slice(self.col_start, self.col_start + cols),
        )


@dataclass(frozen=True, eq=False)
class SweepProfile:
    """The profile that a sweep used for a pixel.

    Attributes
    ----------
    distance_km
        Distances from the mast [km].
    ground_m
        Bare ground [m above sea level].
    clutter_height_m
        Clutter that counts along the path [m]: none within the receiver's clearing.
    crosses_no_data
        Whether a height was unknown and the last known one stands in.
    """

    distance_km: NDArray[np.float64]
    ground_m: NDArray[np.float64]
    clutter_height_m: NDArray[np.float64]
    crosses_no_data: bool


def sweep(
    terrain: Terrain,
    mast: Mast,
    *,
    radius_m: float,
    frequency_mhz: ArrayLike,
    latitude_deg: float,
    receiver_height_m: ArrayLike = 1.5,
    model: Model = "p1812",
    polarisation: Polarisation = "vertical",
    time_percent: float = 50.0,
    location_percent: float = 50.0,
    location_deviation_db: float = 5.5,
    delta_n: float = DELTA_N,
    n0: float = N0,
    extrapolate: bool = False,
) -> Sweep:
    """Return the path loss of every pixel within a radius of a mast (ITU-R P.1812-8).

    Parameters
    ----------
    terrain
        Heights and land cover.
    mast
        Place and height of the transmitting antenna.
    radius_m
        Radius within which pixels are computed [m].
    frequency_mhz
        One or more frequencies [MHz], 30 to 6000; they share the geometry.
    latitude_deg
        Latitude of the mast [deg].
    receiver_height_m
        One or more heights of the receiving antenna above ground [m], 1 to 3000; they share the
        terrain.
    model
        ``p1812``; ``delta-bullington``, free space and diffraction over the median earth alone;
        or ``free-space``. Terminal loss is added to each.
    polarisation
        ``horizontal`` or ``vertical``.
    time_percent
        Percentage of the average year for which the loss is not exceeded, 1 to 50.
    location_percent
        Percentage of locations for which the loss is not exceeded, 1 to 99.
    location_deviation_db
        Standard deviation of the location variability [dB].
    delta_n
        Fall of refractivity over the lowest kilometre [N-units/km].
    n0
        Surface refractivity at sea level [N-units].
    extrapolate
        Allow frequency and heights outside the ranges, and less than 1 % of the time.

    Returns
    -------
    Sweep
        The loss, and what else the geometry tells.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.
    RasterError
        If the terrain is not a grid of heights, a class is unknown, clutter stands on a surface
        model, or the mast is outside the grid or on a pixel of unknown height.

    Notes
    -----
    Every path is inland (zone 4, no sea). Below 0.25 km, where P.1812 has no say, free space
    counts, and from there to 0.5 km a blend by distance; such pixels are flagged. The loss is
    that of `p1812_loss` on the profile of `sweep_profile`, to a few thousandths of a decibel.

    Examples
    --------
    >>> flat = Terrain(np.zeros((101, 101), np.float32), pixel_size_m=30.0)
    >>> result = sweep(
    ...     flat, Mast(50, 50, 30.0), radius_m=1500, frequency_mhz=900, latitude_deg=32.7
    ... )
    >>> result.loss_db.shape
    (1, 1, 101, 101)
    >>> round(float(result.loss_db[0, 0, 50, 90]), 1)
    93.1
    """
    frequencies, receivers = _checked_link(
        mast,
        frequency_mhz,
        receiver_height_m,
        extrapolate,
        time_percent=time_percent,
        location_percent=location_percent,
        location_deviation_db=location_deviation_db,
        latitude_deg=latitude_deg,
        delta_n=delta_n,
        n0=n0,
    )
    _require_known("model", model, get_args(Model))
    _require_known("polarisation", polarisation, get_args(Polarisation))
    grid, station, radius_px, shape = _prepared(terrain, mast, radius_m, frequencies.size)
    rows, cols = shape
    starts = np.zeros(_radial_count(radius_px) + 1, np.int64)
    owned = np.empty(rows * cols, np.int32)
    mast_row, mast_col = station.row - station.first_row, station.col - station.first_col
    own(rows, cols, mast_row, mast_col, radius_px, starts, owned)
    size = math.ceil(radius_px * station.steps_per_pixel) + 3
    lookup, d = step_lookup(station.step_km, size)
    table = step_table(station.step_km, d, latitude_deg, time_percent)
    link = Link(
        model=get_args(Model).index(model),
        frequencies_ghz=frequencies / 1e3,
        admittances=np.array([admittance(f / 1e3, polarisation) for f in frequencies]),
        receivers=receivers.astype(np.float32),
        median_radius_km=median_radius_km(delta_n),
        b0_radius_km=B0_RADIUS_KM,
        time_percent=float(time_percent),
        n0=float(n0),
        variation_db=-float(inverse_normal(location_percent / 100.0)) * location_deviation_db,
    )
    maps = _empty_maps(frequencies.size, receivers.size, rows, cols)
    _sweep_mast(
        grid, station, link, starts, owned, lookup, table, _workspace(size, receivers.size), maps
    )
    return Sweep(
        row_start=station.first_row,
        col_start=station.first_col,
        frequencies_mhz=tuple(float(f) for f in frequencies),
        receiver_heights_m=tuple(float(height) for height in receivers),
        loss_db=maps.loss,
        launch_elevation_deg=maps.launch,
        obstacle_distance_m=maps.obstacle,
        required_height_m=maps.required,
        flags=maps.flags,
    )


def sweep_many(
    terrain: Terrain,
    masts: Iterable[Mast],
    *,
    executor: Executor | None = None,
    **options: Any,
) -> list[Sweep]:
    """Return the sweeps of several masts, computed in parallel.

    Parameters
    ----------
    terrain
        Heights and land cover.
    masts
        The masts.
    executor
        Where to compute; threads, one for each processor, if left out. The kernels hold no lock,
        and the results do not depend on how many run at once.
    **options
        The other arguments of `sweep`.

    Returns
    -------
    list of Sweep
        One for each mast, in their order.

    Raises
    ------
    OutOfRangeError, RasterError
        As in `sweep`.
    """
    if executor is None:
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
            return sweep_many(terrain, masts, executor=threads, **options)
    futures = [executor.submit(sweep, terrain, mast, **options) for mast in masts]
    return [future.result() for future in futures]


def sweep_profile(
    terrain: Terrain, mast: Mast, row: int, col: int, *, radius_m: float
) -> SweepProfile:
    """Return the profile that `sweep` uses for a pixel.

    Parameters
    ----------
    terrain, mast
        As given to `sweep`.
    row, col
        The pixel, on the grid.
    radius_m
        The sweep's radius [m]; it decides how many radials there are.

    Returns
    -------
    SweepProfile
        The profile. Without the pixel's terminal loss its `p1812_loss` is what `sweep` gives.

    Raises
    ------
    OutOfRangeError, RasterError
        As in `sweep`, and if the pixel is beyond the radius, outside the grid or of unknown
        height.

    Examples
    --------
    >>> flat = Terrain(np.zeros((101, 101), np.float32), pixel_size_m=30.0)
    >>> profile = sweep_profile(flat, Mast(50, 50, 30.0), 50, 90, radius_m=1500)
    >>> profile.distance_km[-1].round(3), profile.ground_m.size
    (np.float64(1.2), 41)
    """
    grid, station, radius_px, _ = _prepared(terrain, mast, radius_m, 1)
    south, east = row - station.row, col - station.col
    _require_pixel(grid.elevation, row, col, math.hypot(south, east) <= radius_px)
    radials = np.empty(1, np.float32)
    per_radian = np.float32(_radial_count(radius_px) / (2.0 * math.pi))
    radials_of_row(np.float32(-south), np.float32(east), per_radian, radials)
    index = int(radials[0]) % _radial_count(radius_px)
    azimuth = 2.0 * math.pi * index / _radial_count(radius_px)
    n = steps_to(float(south), float(east), station.steps_per_pixel)

    ground, clutter = np.zeros((2, MAST + n + 1), np.float32)
    first_unknown = sample(grid, station, azimuth, n + 1, ground, clutter)
    heights = np.stack([ground, ground + clutter])
    clearing = int(grid.class_clearing[grid.class_index[row, col]]) if grid.has_clutter else 0
    approach(row, col, n, clearing, 0.0, grid, station, heights)
    bare, over = heights[:, MAST:].astype(np.float64)
    distance_km = np.arange(n + 1, dtype=np.float64) * station.step_km
    return SweepProfile(distance_km, bare, over - bare, first_unknown <= n)


def _prepared(
    terrain: Terrain, mast: Mast, radius_m: float, frequency_count: int
) -> tuple[Grid, Station, float, tuple[int, int]]:
    """Return what the kernels want: grid, mast in its window, radius, the window's shape."""
    elevation = _read_only(terrain.elevation_m, np.float32)
    if elevation.ndim != 2 or min(elevation.shape) < 2:
        raise RasterError(
            f"elevation_m has the shape {elevation.shape} but must be a grid of 2 × 2 or more"
        )
    pixel_size = float(checked("pixel_size_m", terrain.pixel_size_m, _PIXEL_SIZE_M, "sweep"))
    radius_px = float(checked("radius_m", radius_m, _RADIUS_M, "sweep")) / pixel_size
    if radius_px > _MOST_PIXELS:
        raise OutOfRangeError(
            f"radius_m is {radius_m:g}, {radius_px:.0f} pixels of {pixel_size:g} m, but a sweep "
            f"reaches {_MOST_PIXELS}: take a shorter radius or a coarser grid"
        )
    last_row, last_col = elevation.shape[0] - 1, elevation.shape[1] - 1
    if not (0 <= mast.row <= last_row and 0 <= mast.col <= last_col):
        raise RasterError(
            f"The mast at row {mast.row:g}, column {mast.col:g} is outside the elevation data "
            f"of {elevation.shape[0]} × {elevation.shape[1]} pixels: extend the data or drop the "
            "mast"
        )
    if math.isnan(height_at(elevation, float(mast.row), float(mast.col))):
        raise RasterError(
            f"The mast at row {mast.row:g}, column {mast.col:g} stands where the elevation is "
            "unknown: fill the gap in the elevation data or drop the mast"
        )
    steps_per_pixel = math.ceil(pixel_size / LONGEST_STEP_M)
    station = Station(
        row=float(mast.row),
        col=float(mast.col),
        height=float(mast.height_m),
        first_row=max(math.ceil(mast.row - radius_px), 0),
        first_col=max(math.ceil(mast.col - radius_px), 0),
        steps_per_pixel=steps_per_pixel,
        step_km=pixel_size / steps_per_pixel / 1e3,
    )
    shape = (
        min(math.floor(mast.row + radius_px), last_row) + 1 - station.first_row,
        min(math.floor(mast.col + radius_px), last_col) + 1 - station.first_col,
    )
    # A path's last step may round to a pixel beside the window.
    near = tuple(
        slice(max(first - 2, 0), first + length + 2)
        for first, length in zip((station.first_row, station.first_col), shape, strict=True)
    )
    grid = _grid(terrain, elevation, near, station.step_km, frequency_count)
    return grid, station, radius_px, shape


def _grid(
    terrain: Terrain,
    elevation: Floats,
    near: tuple[slice, ...],
    step_km: float,
    frequency_count: int,
) -> Grid:
    """Return the terrain for the kernels: clearings in steps, losses for each frequency.

    Only what is `near` the mast is held against the table: the whole grid may be a country.
    """
    _require_known("kind of elevation", terrain.kind, get_args(ElevationKind))
    if terrain.clutter is None:
        return Grid(
            elevation,
            _read_only(np.zeros((1, 1)), np.uint8),
            np.zeros(1, np.float32),
            np.zeros(1, np.int32),
            np.zeros((frequency_count, 1), np.float32),
            False,
        )
    class_index = _read_only(terrain.clutter.class_index, np.uint8)
    height = np.array(terrain.clutter.height_m, dtype=np.float32)
    clearing = np.asarray(terrain.clutter.clearing_m, dtype=np.float64)
    loss = np.asarray(terrain.clutter.terminal_loss_db, dtype=np.float32)
    if class_index.shape != elevation.shape:
        raise RasterError(
            f"class_index has the shape {class_index.shape} but elevation_m {elevation.shape}: "
            "bring the land cover onto the elevation's grid"
        )
    if height.ndim != 1 or clearing.shape != height.shape or loss.shape[-1:] != height.shape:
        raise RasterError(
            f"The land-cover table has {height.size} heights, {clearing.size} clearings and "
            f"terminal losses of shape {loss.shape}: give one of each for every class"
        )
    if loss.ndim == 2 and loss.shape[0] != frequency_count and frequency_count > 1:
        raise RasterError(
            f"terminal_loss_db has {loss.shape[0]} rows for {frequency_count} frequencies: give "
            "one row for each, or one for all"
        )
    if (highest := int(class_index[near].max())) >= height.size:
        raise RasterError(
            f"class_index holds {highest} but the land-cover table ends at "
            f"{height.size - 1}: add the class to the table"
        )
    for name, values in (("height_m", height), ("clearing_m", clearing)):
        checked(f"{name} of the land-cover table", values, (0.0, 1e4), "sweep")
    checked("terminal_loss_db of the land-cover table", loss, (-100.0, 200.0), "sweep")
    if terrain.kind == "dsm" and height.max() > 0.0:
        raise RasterError(
            "Clutter heights on a surface model count trees and buildings twice: its heights "
            "already are those of their tops. Leave the clutter out, set the heights in its table "
            "to 0, or give a terrain model (kind='dtm')"
        )
    # A point at the very edge of the clearing counts.
    cleared = np.ceil(clearing / (1e3 * step_km) - 1e-9) - 1.0
    return Grid(
        elevation,
        class_index,
        height,
        np.maximum(cleared, 0.0).astype(np.int32),
        np.array(np.broadcast_to(loss, (frequency_count, height.size)), order="C"),
        True,
    )


def _read_only(values: ArrayLike, dtype: type[Number]) -> NDArray[Number]:
    """Return a grid as the kernels are compiled for: contiguous, and not theirs to write."""
    grid = np.ascontiguousarray(values, dtype=dtype).view()
    grid.flags.writeable = False
    return grid


def _checked_link(
    mast: Mast,
    frequency_mhz: ArrayLike,
    receiver_height_m: ArrayLike,
    extrapolate: bool,
    **others: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies and receiver heights as arrays, with all else held to P.1812's ranges."""
    frequencies = np.atleast_1d(np.asarray(frequency_mhz, dtype=np.float64))
    receivers = np.atleast_1d(np.asarray(receiver_height_m, dtype=np.float64))
    for name, values in (("frequency_mhz", frequencies), ("receiver_height_m", receivers)):
        if values.ndim != 1 or values.size == 0:
            raise OutOfRangeError(
                f"{name} has the shape {values.shape} but must be a number or a list of them"
            )
        for value in values:
            checked_inputs(extrapolate, **{name: float(value)})
    checked_inputs(extrapolate, transmitter_height_m=mast.height_m, **others)
    return frequencies, receivers


def _require_pixel(elevation: Floats, row: int, col: int, within: bool) -> None:
    rows, cols = elevation.shape
    if not (0 <= row < rows and 0 <= col < cols and within):
        raise RasterError(
            f"The pixel at row {row}, column {col} is beyond the sweep's radius or outside the "
            f"grid of {rows} × {cols}: it has no profile"
        )
    if math.isnan(elevation[row, col]):
        raise RasterError(f"The height of the pixel at row {row}, column {col} is unknown")


def _require_known(name: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise OutOfRangeError(f"{name} is {word!r} but must be one of {', '.join(known)}")


def _radial_count(radius_px: float) -> int:
    """Radials that are at most one pixel apart at the rim."""
    return max(math.ceil(2.0 * math.pi * radius_px), 8)


def _workspace(size: int, receiver_count: int) -> _Work:
    columns = MAST + size
    return _Work(
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


def _empty_maps(frequency_count: int, receiver_count: int, rows: int, cols: int) -> _Maps:
    # One block is large enough for the system to back it with large pages, which come faster.
    count = frequency_count * receiver_count
    block = np.full((count + 2 * receiver_count + 1, rows, cols), np.nan, np.float32)
    return _Maps(
        loss=block[:count].reshape(frequency_count, receiver_count, rows, cols),
        launch=block[count : count + receiver_count],
        obstacle=block[count + receiver_count : -1],
        required=block[-1],
        flags=np.full((receiver_count, rows, cols), _BEYOND, np.uint8),
    )
