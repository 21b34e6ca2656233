"""Synthetic population and land cover in the mountains.

People live on low, gentle ground near the valley floor and crowd around the centres of townships
and counties; fields are near people, and forest covers the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage

TREE, SHRUB, GRASS, CROP, BUILT, BARE, WATER, WETLAND = 10, 20, 30, 40, 50, 60, 80, 90
"""Codes of ESA WorldCover."""
VALLEY_M = 3000.0
"""Width of the window whose lowest pixel is taken as the valley floor [m]."""
BUILT_PER_KM2 = 1500.0
"""People per km² from which a pixel counts as built-up."""


@dataclass(frozen=True)
class Centre:
    """A place that people crowd around.

    Attributes
    ----------
    x, y : float
        Its position [m].
    draw : float
        Factor by which more people live there than its ground alone would attract [1].
    reach_m : float
        Standard deviation of the crowd [m].
    """

    x: float
    y: float
    draw: float
    reach_m: float


def slope_deg(elevation_m: NDArray[np.float32], pixel_m: float) -> NDArray[np.float32]:
    """Return the slope of the ground.

    Parameters
    ----------
    elevation_m : numpy.ndarray
        (y, x) heights [m].
    pixel_m : float
        Side of a pixel [m].

    Returns
    -------
    numpy.ndarray
        (y, x) slope [degrees].
    """
    down, right = np.gradient(elevation_m, np.float32(pixel_m))
    return np.degrees(np.arctan(np.hypot(down, right)))


def above_valley_m(elevation_m: NDArray[np.float32], pixel_m: float) -> NDArray[np.float32]:
    """Return the height above the lowest ground within `VALLEY_M` / 2.

    Parameters
    ----------
    elevation_m : numpy.ndarray
        (y, x) heights [m].
    pixel_m : float
        Side of a pixel [m].

    Returns
    -------
    numpy.ndarray
        (y, x) height [m].
    """
    size = max(3, round(VALLEY_M / pixel_m) | 1)
    lowest = ndimage.minimum_filter(elevation_m, size=size)
    return np.maximum(elevation_m - ndimage.uniform_filter(lowest, size=size), np.float32(0.0))


def habitability(
    elevation_m: NDArray[np.float32], water: NDArray[np.bool_], pixel_m: float
) -> NDArray[np.float32]:
    """Return the relative number of people that each pixel attracts, by slope and height.

    Parameters
    ----------
    elevation_m : numpy.ndarray
        (y, x) heights [m]; NaN where unknown.
    water : numpy.ndarray
        (y, x) whether a river covers the pixel.
    pixel_m : float
        Side of a pixel [m].

    Returns
    -------
    numpy.ndarray
        (y, x) float32 between 0 (water, unknown) and 1 (low, flat valley floor).
    """
    height = np.nan_to_num(elevation_m, nan=float(np.nanmax(elevation_m)))
    slope = slope_deg(height, pixel_m)
    drawn = np.exp(
        -np.square(slope / np.float32(17.0))
        - above_valley_m(height, pixel_m) / np.float32(110.0)
        - np.maximum(height - np.float32(250.0), 0.0) / np.float32(700.0)
    )
    return np.where(water | np.isnan(elevation_m), np.float32(0.0), drawn + np.float32(1e-4))


def crowd(
    ground: NDArray[np.float32], geobox: GeoBox, centres: Iterable[Centre]
) -> NDArray[np.float32]:
    """Return relative people by ground, with the crowds around centres added.

    Parameters
    ----------
    ground : numpy.ndarray
        (y, x) `habitability` of each pixel [1].
    geobox : GeoBox
        The grid.
    centres : iterable of Centre
        Places that people crowd around.

    Returns
    -------
    numpy.ndarray
        (y, x) float32 relative people per pixel.
    """
    pixel_m = geobox.resolution.x
    west, north = geobox.transform.c, geobox.transform.f
    draw = np.ones_like(ground)
    rows, columns = ground.shape
    for centre in centres:
        column, row = (centre.x - west) / pixel_m - 0.5, (north - centre.y) / pixel_m - 0.5
        reach = centre.reach_m / pixel_m
        span = int(4.0 * reach) + 1
        r = np.arange(max(0, int(row) - span), min(rows, int(row) + span + 1))
        c = np.arange(max(0, int(column) - span), min(columns, int(column) + span + 1))
        bell = np.outer(
            np.exp(-np.square((r - row) / reach) / 2.0),
            np.exp(-np.square((c - column) / reach) / 2.0),
        )
        draw[np.ix_(r, c)] += centre.draw * bell
    return ground * draw


def land_cover(
    elevation_m: NDArray[np.float32],
    water: NDArray[np.bool_],
    people: NDArray[np.float32],
    pixel_m: float,
    seed: int,
) -> NDArray[np.uint8]:
    """Return a plausible land cover: fields near houses, towns, and forest on slopes.

    Parameters
    ----------
    elevation_m : numpy.ndarray
        (y, x) heights [m]; NaN where unknown.
    water : numpy.ndarray
        (y, x) whether a river covers the pixel.
    people : numpy.ndarray
        (y, x) people per pixel.
    pixel_m : float
        Side of a pixel [m].
    seed : int
        Seed of the random patches.

    Returns
    -------
    numpy.ndarray
        (y, x) uint8 ESA WorldCover codes, 0 where the elevation is unknown.
    """
    rng = np.random.default_rng([seed, 2])
    height = np.nan_to_num(elevation_m, nan=float(np.nanmax(elevation_m)))
    slope = slope_deg(height, pixel_m)
    above = above_valley_m(height, pixel_m)
    patch = ndimage.gaussian_filter(
        rng.standard_normal(height.shape, dtype=np.float32), max(0.8, 220.0 / pixel_m)
    )
    patch /= patch.std()
    cover = np.full(height.shape, TREE, np.uint8)
    cover[(patch > 1.5) & (slope > 12.0)] = SHRUB
    cover[(patch < -1.7) | (height > 2500.0 + 150.0 * patch)] = GRASS
    cover[height > 2800.0 + 80.0 * patch] = BARE
    gentle = slope + above / np.float32(12.0) + (height - 300.0) / np.float32(90.0)
    cover[gentle < 22.0 + 5.0 * patch] = CROP
    near_water = ndimage.binary_dilation(water, iterations=2) & (above < 6.0)
    cover[near_water & (patch > 1.0)] = WETLAND
    cover[near_water & (patch < -1.6)] = BARE
    cover[people > BUILT_PER_KM2 * pixel_m**2 / 1e6] = BUILT
    cover[water] = WATER
    cover[np.isnan(elevation_m)] = 0
    return cover
