"""Cost of a site: its construction, and its lines for power and fibre."""

from pathlib import Path
from typing import Annotated

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from scipy.spatial import cKDTree

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.places import centres, most_populated_pixels
from ankang_coverage.planning.rules import Construction
from ankang_coverage.region import Region
from ankang_coverage.region.shares import MILLI
from ankang_coverage.settings import Number, Settings, explain, read_yaml

BUILTIN = Path(__file__).with_name("costs.yaml")
DEAREST_SITE_YUAN = 1e9
"""Highest price of a site; the sum over all sites a file can name still fits in 64 bits [CNY]."""
DEAREST_LINE_YUAN_PER_KM = 1e8
"""Highest price of a line [CNY/km]."""

SitePrice = Annotated[Number, Field(ge=0.0, le=DEAREST_SITE_YUAN)]
LinePrice = Annotated[Number, Field(ge=0.0, le=DEAREST_LINE_YUAN_PER_KM)]


class UnitPrices(Settings):
    """Unit prices of sites."""

    tower_yuan: SitePrice
    """A new tower with its equipment [CNY]."""
    pole_yuan: SitePrice
    """A new micro pole with its equipment [CNY]."""
    co_location_yuan: SitePrice
    """Equipment on an existing tower [CNY]."""
    pole_up_to_m: Number = Field(gt=0.0, le=300.0)
    """Largest antenna height of a pole; above it a tower is needed [m]."""
    power_yuan_per_km: LinePrice
    """Power line [CNY/km]."""
    fibre_yuan_per_km: LinePrice
    """Fibre [CNY/km]."""
    detour: Number = Field(ge=1.0, le=10.0)
    """Length of a line divided by the straight distance [1]."""
    source: dict[str, str] = Field(default_factory=dict)
    """Where each price comes from, or that it is assumed."""

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> "UnitPrices":
        """Read unit prices, the built-in ones when no file is named.

        Parameters
        ----------
        path : Path, optional
            The file.

        Returns
        -------
        UnitPrices
            The prices.

        Raises
        ------
        FileError
            If the file cannot be read as YAML.
        PlanningError
            If a price is missing, unknown or out of range.
        """
        file = path or BUILTIN
        prices = read_yaml(file)
        try:
            return cls.model_validate(prices)
        except ValidationError as error:
            raise PlanningError(explain(error, str(file), prices, cls)) from error

    def construction(self, height_m: float) -> Construction:
        """Return what is built to carry new antennas at a height.

        Parameters
        ----------
        height_m : float
            Height above ground [m].

        Returns
        -------
        Construction
            Pole or tower.
        """
        return "pole" if height_m <= self.pole_up_to_m else "tower"

    def of(
        self,
        construction: NDArray[np.object_],
        power_distance_m: NDArray[np.float64],
        fibre_distance_m: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Return what sites cost in whole yuan.

        Parameters
        ----------
        construction : numpy.ndarray
            (n,) ``pole``, ``tower`` or ``co-location``.
        power_distance_m, fibre_distance_m : numpy.ndarray
            (n,) straight distances to the next power and fibre [m].

        Returns
        -------
        numpy.ndarray
            (n,) cost [CNY].

        Examples
        --------
        >>> prices = UnitPrices.from_yaml()
        >>> prices.of(np.array(["pole"], object), np.array([500.0]), np.array([0.0])).tolist()
        [99000]
        """
        prices = {
            "pole": self.pole_yuan,
            "tower": self.tower_yuan,
            "co-location": self.co_location_yuan,
        }
        lines = (
            power_distance_m * self.power_yuan_per_km + fibre_distance_m * self.fibre_yuan_per_km
        )
        base = np.array([prices[kind] for kind in construction], np.float64)
        return np.rint(base + lines * self.detour / 1e3).astype(np.int64)


def line_distances_m(
    places: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, region: Region
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far places are from the nearest power and the nearest fibre.

    Power is assumed at every village centre and on every pixel with at least one person, fibre at
    every existing site and every village centre, because the lines themselves are not known.

    Parameters
    ----------
    places : geopandas.GeoDataFrame
        (n,) points in the region's CRS.
    sites : geopandas.GeoDataFrame
        Existing sites, in the same CRS.
    region : Region
        The region.

    Returns
    -------
    power_distance_m, fibre_distance_m
        (n,) straight distances [m].
    """
    people = np.asarray(region.shares.people.sum(axis=0)).ravel()
    existing = np.column_stack([sites.geometry.x, sites.geometry.y])
    inhabited = np.column_stack(centres(np.flatnonzero(people >= MILLI), region))
    villages = np.column_stack(centres(most_populated_pixels(region), region))
    points = np.column_stack([places.geometry.x, places.geometry.y])
    return (
        _nearest_m(points, np.concatenate([inhabited, villages])),
        _nearest_m(points, np.concatenate([existing, villages])),
    )


def _nearest_m(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    distance, _ = cKDTree(others).query(points)
    return np.asarray(distance, np.float64)
