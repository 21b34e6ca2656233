"""What a sweep is given: a grid of heights with land cover, and a mast on it."""

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import OutOfRangeError, RasterError
from ankang_coverage.propagation._ranges import Interval, checked, require_word
from ankang_coverage.propagation.sweep._layout import Floats, Grid, Station
from ankang_coverage.propagation.sweep._radials import height_at

Number = TypeVar("Number", np.float32, np.uint8)
ElevationKind: TypeAlias = Literal["dtm", "dsm"]

LONGEST_STEP_M: Final = 100.0
"""Steps are not longer than this, so that three of them fit before P.1812 begins to count."""

# Radials are counted in 16 bits, rows and columns of a window as well.
_MOST_PIXELS: Final = 5000
_PIXEL_SIZE_M: Final[Interval] = (0.1, 10_000.0)
_RADIUS_M: Final[Interval] = (1.0, 1e6)


@dataclass(frozen=True, eq=False)
class Clutter:
    """Land cover: a class for each pixel, with height, clearing and loss of each class.

    Attributes
    ----------
    class_index : numpy.ndarray
        Class of each pixel, an index into the lists below; uint8, of the elevation's shape.
    height_m : array_like
        Representative clutter height of each class [m].
    clearing_m : array_like
        Clearing radius of each class [m]: nearer than this to a receiver on the class, clutter
        along the path does not count.
    terminal_loss_db : array_like
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
    elevation_m : numpy.ndarray
        Height of each pixel's centre above sea level [m], float32; NaN where unknown.
    pixel_size_m : float
        Width and height of a pixel [m].
    clutter : Clutter, optional
        Land cover; none over bare ground and over a surface model.
    kind : {'dtm', 'dsm'}
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
    row, col : float
        Place on the grid; whole numbers are centres of pixels, row 0 is the northernmost.
    height_m : float
        Height of the antenna above ground [m].
    """

    row: float
    col: float
    height_m: float


def prepared(
    terrain: Terrain, mast: Mast, radius_m: float, frequency_count: int | None
) -> tuple[Grid, Station, float, tuple[int, int]]:
    """Return what the kernels need: grid, mast in its window, radius, the window's shape."""
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
    frequency_count: int | None,
) -> Grid:
    """Return the terrain for the kernels: clearings in steps and parts of a step, losses too.

    Only classes `near` the mast are checked, as the whole grid may be a country.
    """
    require_word("kind of elevation", terrain.kind, get_args(ElevationKind))
    if terrain.clutter is None:
        return Grid(
            elevation,
            _read_only(np.zeros((1, 1)), np.uint8),
            np.zeros(1, np.float32),
            np.zeros(1, np.float32),
            np.zeros((frequency_count or 1, 1), np.float32),
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
    rows = 1 if loss.ndim == 1 else loss.shape[0]
    count = frequency_count or rows
    if loss.ndim > 2 or rows not in (1, count):
        raise RasterError(
            f"terminal_loss_db has the shape {loss.shape} for {count} frequencies: give one row "
            "for each, or one for all"
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
    return Grid(
        elevation,
        class_index,
        height,
        (clearing / (1e3 * step_km)).astype(np.float32),
        np.array(np.broadcast_to(loss, (count, height.size)), order="C"),
        True,
    )


def _read_only(values: ArrayLike, dtype: type[Number]) -> NDArray[Number]:
    """Return a contiguous grid that the kernels cannot write, as they are compiled for."""
    grid = np.ascontiguousarray(values, dtype=dtype).view()
    grid.flags.writeable = False
    return grid


def require_pixel(elevation: Floats, row: int, col: int, within: bool) -> None:
    """Refuse a pixel that has no profile."""
    rows, cols = elevation.shape
    if not (0 <= row < rows and 0 <= col < cols and within):
        raise RasterError(
            f"The pixel at row {row}, column {col} is beyond the sweep's radius or outside the "
            f"grid of {rows} × {cols}: it has no profile"
        )
    if math.isnan(elevation[row, col]):
        raise RasterError(f"The height of the pixel at row {row}, column {col} is unknown")
