"""A sweep round one mast or many, and the profile that it used for a pixel."""

import math
import os
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Literal, Required, TypeAlias, Unpack, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation._ranges import require_word
from ankang_coverage.propagation.diffraction import Polarisation
from ankang_coverage.propagation.p1812 import (
    B0_RADIUS_KM,
    P1812Options,
    checked_inputs,
    inverse_normal,
    median_radius_km,
)
from ankang_coverage.propagation.p1812.options import with_defaults
from ankang_coverage.propagation.sweep._carried import approach
from ankang_coverage.propagation.sweep._equations import admittance, step_table
from ankang_coverage.propagation.sweep._kernel import Maps, empty_maps, sweep_mast, workspace
from ankang_coverage.propagation.sweep._layout import MAST, Grid, Link, Station
from ankang_coverage.propagation.sweep._radials import (
    own,
    radial_count,
    radials_of_row,
    sample,
    step_lookup,
    steps_to,
)
from ankang_coverage.propagation.sweep.result import Sweep, SweepProfile
from ankang_coverage.propagation.sweep.terrain import Mast, Terrain, prepared, require_pixel

Model: TypeAlias = Literal["p1812", "delta-bullington", "free-space"]


class SweepOptions(P1812Options, total=False):
    """Keyword arguments of `sweep`, where they are the same for many masts.

    Attributes
    ----------
    radius_m, latitude_deg : float
        As in `sweep`.
    frequency_mhz, receiver_height_m : array_like
        As in `sweep`.
    model : {'p1812', 'delta-bullington', 'free-space'}
        As in `sweep`.
    """

    radius_m: Required[float]
    frequency_mhz: Required[ArrayLike]
    latitude_deg: Required[float]
    receiver_height_m: ArrayLike
    model: Model


def sweep(
    terrain: Terrain,
    mast: Mast,
    *,
    radius_m: float,
    frequency_mhz: ArrayLike,
    latitude_deg: float,
    receiver_height_m: ArrayLike = 1.5,
    model: Model = "p1812",
    **options: Unpack[P1812Options],
) -> Sweep:
    """Return the path loss of every pixel within a radius of a mast (ITU-R P.1812-8).

    Parameters
    ----------
    terrain : Terrain
        Heights and land cover.
    mast : Mast
        Place and height of the transmitting antenna.
    radius_m : float
        Radius within which pixels are computed [m].
    frequency_mhz : array_like
        One or more frequencies [MHz], 30 to 6000; they share the geometry.
    latitude_deg : float
        Latitude of the mast [deg].
    receiver_height_m : array_like
        One or more heights of the receiving antenna above ground [m], 1 to 3000; they share the
        terrain.
    model : {'p1812', 'delta-bullington', 'free-space'}
        P.1812; free space and diffraction over the median earth alone; or free space. Terminal
        loss is added to each.
    **options : P1812Options
        Polarisation, percentages and the air, as in `p1812_loss`.

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
    Every path is inland (zone 4, no sea). Below 0.25 km, where P.1812 does not apply, free space
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
    given = with_defaults(options)
    frequencies, receivers = _checked(mast, frequency_mhz, receiver_height_m, latitude_deg, given)
    link = _link(frequencies, receivers, model, given)
    grid, station, radius_px, shape = prepared(terrain, mast, radius_m, frequencies.size)
    maps = _maps(grid, station, radius_px, shape, link, latitude_deg)
    return Sweep(
        row_start=station.first_row,
        col_start=station.first_col,
        frequencies_mhz=tuple(frequencies.tolist()),
        receiver_heights_m=tuple(receivers.tolist()),
        loss_db=maps.loss,
        launch_elevation_deg=maps.launch,
        obstacle_distance_m=maps.obstacle,
        required_height_m=maps.required,
        flags=maps.flags,
    )


def _maps(
    grid: Grid,
    station: Station,
    radius_px: float,
    shape: tuple[int, int],
    link: Link,
    latitude_deg: float,
) -> Maps:
    """Run the kernel on a window of this shape."""
    rows, cols = shape
    starts = np.zeros(radial_count(radius_px) + 1, np.int64)
    owned = np.empty(rows * cols, np.int32)
    mast_row, mast_col = station.row - station.first_row, station.col - station.first_col
    own(rows, cols, mast_row, mast_col, radius_px, starts, owned)
    size = math.ceil(radius_px * station.steps_per_pixel) + 3
    lookup, d = step_lookup(station.step_km, size)
    table = step_table(station.step_km, d, latitude_deg, link.time_percent)
    maps = empty_maps(link.frequencies_ghz.size, link.receivers.size, rows, cols)
    work = workspace(size, link.receivers.size)
    sweep_mast(grid, station, link, starts, owned, lookup, table, work, maps)
    return maps


def sweep_many(
    terrain: Terrain,
    masts: Iterable[Mast],
    *,
    executor: Executor | None = None,
    **options: Unpack[SweepOptions],
) -> list[Sweep]:
    """Return the sweeps of several masts, computed in parallel.

    Parameters
    ----------
    terrain : Terrain
        Heights and land cover.
    masts : iterable of Mast
        The masts.
    executor : concurrent.futures.Executor, optional
        Where to compute; threads, one for each processor, where left out. The kernels hold no
        lock, and the results do not depend on how many run at once.
    **options : SweepOptions
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
    terrain : Terrain
        As given to `sweep`.
    mast : Mast
        As given to `sweep`.
    row, col : int
        The pixel, on the grid.
    radius_m : float
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
    grid, station, radius_px, _ = prepared(terrain, mast, radius_m, None)
    south, east = row - station.row, col - station.col
    require_pixel(grid.elevation, row, col, math.hypot(south, east) <= radius_px)
    radials = np.empty(1, np.float32)
    per_radian = np.float32(radial_count(radius_px) / (2.0 * math.pi))
    radials_of_row(np.float32(-south), np.float32(east), per_radian, radials)
    index = int(radials[0]) % radial_count(radius_px)
    azimuth = 2.0 * math.pi * index / radial_count(radius_px)
    n = steps_to(float(south), float(east), station.steps_per_pixel)

    ground, clutter = np.zeros((2, MAST + n + 1), np.float32)
    first_unknown = sample(grid, station, azimuth, n + 1, ground, clutter)
    heights = np.stack([ground, ground + clutter])
    edge = float(grid.class_clearing[grid.class_index[row, col]]) if grid.has_clutter else 0.0
    approach(row, col, n, edge, 0.0, grid, station, heights)
    bare, over = heights[:, MAST:].astype(np.float64)
    distance_km = np.arange(n + 1, dtype=np.float64) * station.step_km
    return SweepProfile(distance_km, bare, over - bare, first_unknown <= n)


def _checked(
    mast: Mast,
    frequency_mhz: ArrayLike,
    receiver_height_m: ArrayLike,
    latitude_deg: float,
    options: P1812Options,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies and receiver heights as arrays, with all else held to P.1812's ranges."""
    frequencies = np.atleast_1d(np.asarray(frequency_mhz, dtype=np.float64))
    receivers = np.atleast_1d(np.asarray(receiver_height_m, dtype=np.float64))
    extrapolate = options["extrapolate"]
    for name, values in (("frequency_mhz", frequencies), ("receiver_height_m", receivers)):
        if values.ndim != 1 or values.size == 0:
            raise OutOfRangeError(
                f"{name} has the shape {values.shape} but must be a number or a list of them"
            )
        for value in values:
            checked_inputs(extrapolate, **{name: float(value)})
    checked_inputs(
        extrapolate,
        transmitter_height_m=mast.height_m,
        time_percent=options["time_percent"],
        location_percent=options["location_percent"],
        location_deviation_db=options["location_deviation_db"],
        latitude_deg=latitude_deg,
        delta_n=options["delta_n"],
        n0=options["n0"],
    )
    require_word("polarisation", options["polarisation"], get_args(Polarisation))
    return frequencies, receivers


def _link(
    frequencies: NDArray[np.float64],
    receivers: NDArray[np.float64],
    model: Model,
    options: P1812Options,
) -> Link:
    """Return what the equations need besides the profile."""
    require_word("model", model, get_args(Model))
    deviations = -float(inverse_normal(options["location_percent"] / 100.0))
    polarisation = options["polarisation"]
    return Link(
        model=get_args(Model).index(model),
        frequencies_ghz=frequencies / 1e3,
        admittances=np.array([admittance(f / 1e3, polarisation) for f in frequencies]),
        receivers=receivers.astype(np.float32),
        median_radius_km=median_radius_km(options["delta_n"]),
        b0_radius_km=B0_RADIUS_KM,
        time_percent=float(options["time_percent"]),
        n0=float(options["n0"]),
        variation_db=deviations * options["location_deviation_db"],
    )
