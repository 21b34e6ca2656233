"""Places among people: on every local concentration, and on the highest ground near it."""

from typing import ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from ankang_coverage.planning.places import Pixels, as_places
from ankang_coverage.planning.sources.base import CandidateSource, PlaceSearch
from ankang_coverage.region import Region
from ankang_coverage.region.shares import MILLI
from ankang_coverage.words import Words


class People(CandidateSource):
    """Places on every local concentration of people, and on the highest ground near it."""

    name = "people"
    description = (
        "every local concentration of people (`valley`), and the highest ground within "
        "`people_within_m` of it (`ridge`)"
    )
    words: ClassVar = {"valley": Words("河谷", "valley"), "ridge": Words("山脊", "ridge")}

    def places(self, search: PlaceSearch) -> gpd.GeoDataFrame:
        """Return places among people.

        Parameters
        ----------
        search : PlaceSearch
            Region, network, and what is to be built.

        Returns
        -------
        geopandas.GeoDataFrame
            As `places_among_people`.
        """
        region, target = search.region, search.target
        counts = region.villages["kind"].isin(target.serves).to_numpy()
        people = region.shares.people[counts]
        total = np.bincount(people.indices, people.data, minlength=people.shape[1])
        settings = target.candidates
        return places_among_people(
            region, total.astype(np.int64), settings.people_within_m, settings.fewest_people
        )


def places_among_people(
    region: Region, people_milli: NDArray[np.int64], within_m: float, fewest_people: float
) -> gpd.GeoDataFrame:
    """Return a valley place at every concentration of people and a ridge place above it.

    Parameters
    ----------
    region : Region
        Terrain and grid.
    people_milli : numpy.ndarray
        (n_pixels,) people [1/1000 person].
    within_m : float
        Distance within which people count, and in which the highest ground is looked for [m].
    fewest_people : float
        People within the distance that make a concentration.

    Returns
    -------
    geopandas.GeoDataFrame
        Points with ``reason`` ``valley`` or ``ridge``, the most people first.
    """
    people = people_milli.reshape(region.geobox.shape) / MILLI
    valley, gathered = _concentrations(people, region.geobox.resolution.x, within_m, fewest_people)
    elevation = region.rasters["elevation_m"].to_numpy()
    ridge = _highest_within(elevation, valley, within_m / region.geobox.resolution.x)
    pixels = np.concatenate([valley, ridge])
    order = np.lexsort((pixels, -np.concatenate([gathered, gathered])))
    reasons = np.repeat(np.array(["valley", "ridge"], object), len(valley))
    return as_places(pixels[order], pd.Series(reasons[order]), region)


def people_within(
    region: Region, people_milli: NDArray[np.int64], within_m: float
) -> NDArray[np.float64]:
    """Return how many people live in a square around each pixel.

    Parameters
    ----------
    region : Region
        Gives the grid.
    people_milli : numpy.ndarray
        (n_pixels,) people [1/1000 person].
    within_m : float
        Half the side of the square, rounded to whole pixels [m].

    Returns
    -------
    numpy.ndarray
        (y, x) people.
    """
    people = people_milli.reshape(region.geobox.shape) / MILLI
    size = 2 * max(round(within_m / region.geobox.resolution.x), 1) + 1
    gathered: NDArray[np.float64] = ndimage.uniform_filter(people, size, mode="constant")
    return gathered * size**2


def _concentrations(
    people: NDArray[np.float64], pixel_m: float, within_m: float, fewest_people: float
) -> tuple[Pixels, NDArray[np.float64]]:
    """Return the pixels round which most people live, and how many live there."""
    size = 2 * max(round(within_m / 2 / pixel_m), 1) + 1
    gathered = ndimage.uniform_filter(people, size, mode="constant") * size**2
    # The people themselves break the ties of a flat sum, so that its peak is on a dwelling.
    attraction = gathered + people
    peak = attraction == ndimage.maximum_filter(attraction, size)
    pixels = np.flatnonzero(peak & (gathered >= max(fewest_people, 1.0 / MILLI)))
    return pixels, gathered.ravel()[pixels]


def _highest_within(elevation: NDArray[np.float32], around: Pixels, reach_px: float) -> Pixels:
    """Return the highest pixel within reach of each pixel; itself where the ground is unknown."""
    rows, columns = np.unravel_index(around, elevation.shape)
    reach = max(round(reach_px), 1)
    offset = np.arange(-reach, reach + 1)
    down, across = np.meshgrid(offset, offset, indexing="ij")
    disc = np.hypot(down, across) <= reach
    down, across = down[disc], across[disc]
    highest = np.empty(len(around), np.intp)
    for i, (row, column) in enumerate(zip(rows, columns, strict=True)):
        r = np.clip(row + down, 0, elevation.shape[0] - 1)
        c = np.clip(column + across, 0, elevation.shape[1] - 1)
        heights = np.nan_to_num(elevation[r, c], nan=-np.inf)
        best = int(np.argmax(heights))
        known = np.isfinite(heights[best])
        highest[i] = r[best] * elevation.shape[1] + c[best] if known else around[i]
    return highest
