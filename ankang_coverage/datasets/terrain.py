"""Synthetic mountains, eroded by the rivers of Ankang.

Water drains over rough ground to the given rivers. Then every other pixel is raised above the one
it drains to, by the slope at which a stream of its catchment is in balance with uplift. Repeating
this from coarse to fine gives valleys that join, and ridges between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage

from ankang_coverage._jit import njit
from ankang_coverage.datasets.rivers import HAN, RIVERS, YUE, winding_course

LOWEST_M, HIGHEST_M = 170.0, 2965.0
CONCAVITY: Final = 0.45
"""Exponent of the catchment area in a stream's slope, typical of mountain streams."""
STEEPEST: Final = 0.62
"""Slope at which hillsides slide [m/m]."""
STEEPNESS: Final = 82.0
"""Slope of a stream with 1 m² of catchment where uplift is full [m^0.9]."""
STREAM_M2: Final = 4.0e6
"""Catchment from which a stream has a valley floor [m²]."""
LEVELS: Final = ((8, 12), (4, 5), (2, 2), (1, 1))
"""Pixel size [pixels of the grid] and rounds of erosion, coarse to fine."""
SETTLED: Final = 0.03
"""Slope of a valley floor across, as a share of the hillside's."""
ROUGHNESS = 0.09
"""Height of the roughness added on each finer grid [m per m of pixel]."""
FLAT_M = 3.0
"""Height above the stream up to which a river can cover a pixel [m]."""


@dataclass(frozen=True)
class Terrain:
    """Synthetic terrain on a grid.

    Attributes
    ----------
    elevation_m : numpy.ndarray
        (y, x) float32 height above sea level [m].
    water : numpy.ndarray
        (y, x) whether a river covers the pixel.
    """

    elevation_m: NDArray[np.float32]
    water: NDArray[np.bool_]


@njit
def _drain(
    height: NDArray[np.float32], fixed: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Flood inwards from the fixed pixels, lowest first; return the order and the receivers.

    Heights are queued in buckets of half a metre, first in first out, so that flats drain evenly.
    """
    rows, columns = height.shape
    n = rows * columns
    flat = height.ravel()
    outlet = fixed.ravel()
    n_buckets = int(flat.max() * 2.0) + 2
    head = np.full(n_buckets, -1, np.int32)
    tail = np.full(n_buckets, -1, np.int32)
    following = np.full(n, -1, np.int32)
    receiver = np.full(n, -1, np.int32)
    order = np.empty(n, np.int32)
    for pixel in range(n):
        if outlet[pixel]:
            receiver[pixel] = pixel
            bucket = int(flat[pixel] * 2.0)
            if head[bucket] < 0:
                head[bucket] = pixel
            else:
                following[tail[bucket]] = pixel
            tail[bucket] = pixel
    done = 0
    for level in range(n_buckets):
        while head[level] >= 0:
            pixel = head[level]
            head[level] = following[pixel]
            order[done] = pixel
            done += 1
            row, column = divmod(pixel, columns)
            for down in range(-1, 2):
                for right in range(-1, 2):
                    r, c = row + down, column + right
                    if r < 0 or c < 0 or r >= rows or c >= columns:
                        continue
                    neighbour = r * columns + c
                    if receiver[neighbour] >= 0:
                        continue
                    receiver[neighbour] = pixel
                    bucket = max(int(flat[neighbour] * 2.0), level)
                    if head[bucket] < 0:
                        head[bucket] = neighbour
                    else:
                        following[tail[bucket]] = neighbour
                    tail[bucket] = neighbour
    return order[:done], receiver


@njit
def _raise(
    order: NDArray[np.int32],
    receiver: NDArray[np.int32],
    base: NDArray[np.float32],
    floor: NDArray[np.float32],
    steepness: NDArray[np.float32],
    pixel_m: np.float32,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Set every pixel above its receiver; return height, stream's height and way to it."""
    rows, columns = base.shape
    area = np.full(rows * columns, pixel_m * pixel_m, np.float32)
    for k in range(len(order) - 1, -1, -1):
        pixel = order[k]
        if receiver[pixel] != pixel:
            area[receiver[pixel]] += area[pixel]
    height = base.ravel().copy()
    stream = base.ravel().copy()
    half_floor = floor.ravel().copy()
    away = np.zeros(rows * columns, np.float32)
    hard = steepness.ravel()
    for k in range(len(order)):
        pixel = order[k]
        below = receiver[pixel]
        if below == pixel:
            continue
        straight = abs(below - pixel) == 1 or abs(below - pixel) == columns
        step = pixel_m if straight else pixel_m * np.float32(1.4142135)
        slope = min(hard[pixel] * area[pixel] ** np.float32(-CONCAVITY), np.float32(STEEPEST))
        if area[pixel] >= STREAM_M2:
            height[pixel] = height[below] + step * slope
            stream[pixel] = height[pixel]
            half_floor[pixel] = 60.0 * (area[pixel] / STREAM_M2) ** np.float32(0.35)
            continue
        away[pixel] = away[below] + step
        half_floor[pixel] = half_floor[below]
        stream[pixel] = stream[below]
        reach = (away[pixel] - half_floor[pixel]) / (half_floor[pixel] + np.float32(pixel_m))
        settled = min(max(reach, np.float32(SETTLED)), np.float32(1.0))
        height[pixel] = height[below] + step * slope * settled
    return (
        height.reshape(rows, columns),
        stream.reshape(rows, columns),
        away.reshape(rows, columns),
    )


def synthetic_terrain(geobox: GeoBox, seed: int) -> Terrain:
    """Make mountains drained by the rivers of Ankang.

    Parameters
    ----------
    geobox : GeoBox
        Grid in a projected CRS [m].
    seed : int
        Seed of the random numbers; the same seed gives the same bytes.

    Returns
    -------
    Terrain
        Heights between 170 and 2,965 m; valley floors fall downstream along every river.

    Notes
    -----
    Slope = steepness · area^−0.45, the balance of uplift and stream incision; hillsides are limited
    to the slope at which they slide.
    """
    rng = np.random.default_rng([seed, 1])
    courses = [winding_course(river, rng, str(geobox.crs)) for river in RIVERS]
    coarsest = _Grid.coarsened(geobox, LEVELS[0][0])
    steepness = _steepness(courses, coarsest, rng)
    height = ndimage.gaussian_filter(
        rng.uniform(LOWEST_M, HIGHEST_M, coarsest.shape).astype(np.float32), 1.0
    )
    for factor, rounds in LEVELS:
        grid = _Grid.coarsened(geobox, factor)
        base, floor, water = _burn(courses, grid)
        if grid != coarsest:
            height, steepness = _refine(height, grid), _refine(steepness, grid)
            # Roughness decides the direction of the new, smaller gullies.
            height += rng.normal(0.0, ROUGHNESS * grid.pixel_m, grid.shape).astype(np.float32)
        for _ in range(rounds):
            start = np.where(base > 0, base, np.maximum(height, np.float32(LOWEST_M)))
            order, receiver = _drain(start, base > 0)
            height, stream, away = _raise(
                order, receiver, base, floor, steepness, np.float32(grid.pixel_m)
            )
    water_reach = np.where(base > 0, water, 0.0)
    wet = ndimage.maximum_filter(water_reach, size=5) >= np.maximum(away, 1.0)
    return Terrain(_finish(height, stream), wet & (height - stream < FLAT_M))


@dataclass(frozen=True)
class _Grid:
    """A grid with pixels several times as large as the region's."""

    west: float
    north: float
    pixel_m: float
    shape: tuple[int, int]

    @classmethod
    def coarsened(cls, geobox: GeoBox, factor: int) -> "_Grid":
        rows, columns = (-(-size // factor) for size in geobox.shape)
        corner = geobox.transform
        return cls(corner.c, corner.f, geobox.resolution.x * factor, (rows, columns))


def _pixels(
    course: NDArray[np.float64], grid: _Grid
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Rows, columns and floor heights of the pixels that a river runs through."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(course[:, :2], axis=0).T))])
    samples = np.arange(0.0, along[-1], grid.pixel_m / 4.0)
    x, y, height = (np.interp(samples, along, values) for values in course.T)
    column = np.floor((x - grid.west) / grid.pixel_m).astype(np.int64)
    row = np.floor((grid.north - y) / grid.pixel_m).astype(np.int64)
    inside = (row >= 0) & (row < grid.shape[0]) & (column >= 0) & (column < grid.shape[1])
    return row[inside], column[inside], height[inside].astype(np.float32)


def _burn(
    courses: Sequence[NDArray[np.float64]], grid: _Grid
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Height, half floor and half water of the rivers on their pixels; 0 elsewhere."""
    base, floor, water = (np.zeros(grid.shape, np.float32) for _ in range(3))
    for river, course in zip(RIVERS, courses, strict=True):
        row, column, height = _pixels(course, grid)
        # Where a tributary meets an earlier river, the pixels stay with that river.
        free = base[row, column] == 0
        row, column = row[free], column[free]
        base[row, column] = height[free]
        floor[row, column] = river.floor_m
        water[row, column] = river.water_m
    return base, floor, water


def _steepness(
    courses: Sequence[NDArray[np.float64]], grid: _Grid, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Slope of streams by place: full in the Qinling and Daba, low along 汉江 and 月河."""
    km = grid.pixel_m / 1000.0
    mountains = 0.42 + 0.58 * _ease(_distance(courses[RIVERS.index(HAN)], grid) * km / 42.0)
    basin = 0.25 + 0.75 * _ease(_distance(courses[RIVERS.index(YUE)], grid) * km / 9.0)
    rock = ndimage.gaussian_filter(rng.normal(0.0, 1.0, grid.shape), 4.0 / km)
    rock = np.exp(0.22 * rock / rock.std())
    return (STEEPNESS * mountains * basin * rock).astype(np.float32)


def _distance(course: NDArray[np.float64], grid: _Grid) -> NDArray[np.float64]:
    """Distance of every pixel from a river [pixels]."""
    row, column, _ = _pixels(course, grid)
    dry = np.ones(grid.shape, bool)
    dry[row, column] = False
    return ndimage.distance_transform_edt(dry)


def _ease(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rise smoothly from 0 to 1 as x does."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def _refine(coarse: NDArray[np.float32], grid: _Grid) -> NDArray[np.float32]:
    """Interpolate to pixels half as large."""
    return ndimage.affine_transform(
        coarse, [0.5, 0.5], offset=-0.25, output_shape=grid.shape, order=1, mode="nearest"
    )


def _finish(height: NDArray[np.float32], stream: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round the ridges but not the valley floors, and scale the summit to its height."""
    hillside = np.clip((height - stream) / np.float32(40.0), 0.0, 1.0)
    rounded = height + hillside * (ndimage.gaussian_filter(height, 0.8) - height)
    middle = np.float32((LOWEST_M + HIGHEST_M) / 2.0)
    stretch = np.float32((HIGHEST_M - middle) / (rounded.max() - middle))
    stretched = np.where(rounded > middle, middle + (rounded - middle) * stretch, rounded)
    return np.clip(stretched, np.float32(LOWEST_M), np.float32(HIGHEST_M))
