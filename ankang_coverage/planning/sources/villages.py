"""Places at village centres, and on high points near them with a line of sight to them."""

from typing import ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from ankang_coverage.planning.places import Pixels, as_places, most_populated_pixels
from ankang_coverage.planning.sources.base import CandidateSource, PlaceSearch
from ankang_coverage.propagation.sweep import Mast, Sweep, Terrain, sweep_many
from ankang_coverage.region import Region
from ankang_coverage.settings import Whole
from ankang_coverage.words import Words

TERMINAL_HEIGHT_M = 1.5
"""Height above ground at a village centre that must be in sight of a high point [m]."""
APART_M = 450.0
"""Smallest distance between two high points of one village [m]."""
_ANY_FREQUENCY_MHZ = 900.0  # line of sight does not depend on it
_ANY_LATITUDE_DEG = 32.7
_BATCH = 200


class VillageCentres(CandidateSource):
    """The most populated pixel of every village."""

    name = "villages"
    description = "the most populated pixel of every village (`village_centre`)"
    words: ClassVar = {"village_centre": Words("村中心", "village centre")}

    def places(self, search: PlaceSearch) -> gpd.GeoDataFrame:
        """Return village centres.

        Parameters
        ----------
        search : PlaceSearch
            Region, network, and what is to be built.

        Returns
        -------
        geopandas.GeoDataFrame
            As `village_centres`.
        """
        return village_centres(search.region, search.target.serves)


class HighPoints(CandidateSource):
    """The highest places near village centres from which these are in sight."""

    name = "high points"
    description = (
        "the highest places within `people_within_m` of a village centre from which it is in "
        "sight (`high_point`)"
    )
    words: ClassVar = {"high_point": Words("制高点", "high point")}

    high_points: Whole = Field(default=2, ge=1, le=20)
    """How many high points are taken for each village centre."""

    def places(self, search: PlaceSearch) -> gpd.GeoDataFrame:
        """Return high points near village centres.

        Parameters
        ----------
        search : PlaceSearch
            Region, network, and what is to be built.

        Returns
        -------
        geopandas.GeoDataFrame
            As `high_points`.
        """
        return high_points(
            search.region,
            search.target.serves,
            height_m=search.target.height_m,
            within_m=search.target.candidates.people_within_m,
            number=self.high_points,
        )


def village_centres(region: Region, serves: tuple[str, ...]) -> gpd.GeoDataFrame:
    """Return the most populated pixel of every village of some kinds.

    Parameters
    ----------
    region : Region
        Villages and their people.
    serves : tuple of str
        Kinds of village.

    Returns
    -------
    geopandas.GeoDataFrame
        Points with ``reason`` ``village_centre``, the most populous village first.
    """
    pixels = _centres_of(region, serves)
    return as_places(pixels, pd.Series("village_centre", index=range(len(pixels))), region)


def high_points(
    region: Region, serves: tuple[str, ...], *, height_m: float, within_m: float, number: int
) -> gpd.GeoDataFrame:
    """Return the highest places near village centres from which these are in sight.

    Parameters
    ----------
    region : Region
        Villages and terrain; without terrain there are no high points.
    serves : tuple of str
        Kinds of village.
    height_m : float
        Height of the antenna above ground [m].
    within_m : float
        Distance from the centre within which places are looked for [m].
    number : int
        Places for each village, at most.

    Returns
    -------
    geopandas.GeoDataFrame
        Points with ``reason`` ``high_point``, village by village, the most populous first.

    Notes
    -----
    Line of sight works both ways: one sweep around each centre gives the height above ground from
    which every place around it sees a terminal there. Clutter is ignored here and counted in the
    prediction.
    """
    elevation = region.rasters["elevation_m"].to_numpy()
    pixels = _centres_of(region, serves)
    pixels = pixels[np.isfinite(elevation.ravel()[pixels])]
    pixel_m = region.geobox.resolution.x
    terrain = Terrain(
        np.ascontiguousarray(elevation, np.float32), pixel_m, kind=region.elevation_kind
    )
    apart_px = APART_M / pixel_m
    found: list[int] = []
    for first in range(0, len(pixels), _BATCH):
        rows, columns = np.unravel_index(pixels[first : first + _BATCH], elevation.shape)
        sweeps = sweep_many(
            terrain,
            [
                Mast(float(row), float(column), TERMINAL_HEIGHT_M)
                for row, column in zip(rows, columns, strict=True)
            ],
            radius_m=within_m,
            frequency_mhz=_ANY_FREQUENCY_MHZ,
            latitude_deg=_ANY_LATITUDE_DEG,
            model="free-space",
        )
        for sweep in sweeps:
            found += _highest_in_sight(sweep, elevation, height_m, number, apart_px)
    places = np.array(found, np.intp)
    return as_places(places, pd.Series("high_point", index=range(len(places))), region)


def _centres_of(region: Region, serves: tuple[str, ...]) -> Pixels:
    """Return the centres of villages with people, the most populous first, each pixel once."""
    villages = region.villages
    people = villages["people"].to_numpy()
    wanted = np.flatnonzero(villages["kind"].isin(serves).to_numpy() & (people > 0))
    order = wanted[np.argsort(-people[wanted], kind="stable")]
    pixels = most_populated_pixels(region)[order]
    return pixels[np.sort(np.unique(pixels, return_index=True)[1])]


def _highest_in_sight(
    swept: Sweep,
    elevation: NDArray[np.float32],
    height_m: float,
    number: int,
    apart_px: float,
) -> list[int]:
    """Return the highest pixels from which the middle of a sweep is in sight, kept apart."""
    ground = elevation[swept.window]
    in_sight = np.isfinite(ground) & (swept.required_height_m <= height_m)
    rows, columns = np.nonzero(in_sight)
    order = np.argsort(-ground[rows, columns], kind="stable")
    chosen: list[tuple[int, int]] = []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if all(np.hypot(row - r, column - c) >= apart_px for r, c in chosen):
            chosen.append((row, column))
            if len(chosen) == number:
                break
    return [
        (swept.row_start + row) * elevation.shape[1] + swept.col_start + column
        for row, column in chosen
    ]
