"""What a site costs: what is built, and the lines that power and fibre need."""

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
"""More than any site costs; so many sites as a file can name still add up in 64 bits [CNY]."""
DEAREST_LINE_YUAN_PER_KM = 1e8
"""More than any line costs [CNY/km]."""

SitePrice = Annotated[Number, Field(ge=0.0, le=DEAREST_SITE_YUAN)]
LinePrice = Annotated[Number, Field(ge=0.0, le=DEAREST_LINE_YUAN_PER_KM)]


class UnitPrices(Settings):
    """Unit prices of sites."""

    tower_yuan: SitePrice
    """A new tower with its equipment [CNY]."""
    pole_yuan: SitePrice
    """A new micro pole with its equipment [CNY]."""
    co_location_yuan: SitePrice
    """Equipment on a tower that stands [CNY]."""
    pole_up_to_m: Number = Field(gt=0.0, le=300.0)
    """Antennas higher than this need a tower [m]."""
    power_yuan_per_km: LinePrice
    """Power line [CNY/km]."""
    fibre_yuan_per_km: LinePrice
    """Fibre [CNY/km]."""
    detour: Number = Field(ge=1.0, le=10.0)
    """Length of a line over its straight distance [1]."""
    source: dict[str, str] = Field(default_factory=dict)
    """Where each price comes from, or that it is assumed."""

    @classmethod
    def from_yaml(cls, path: Path | None = None) -> "UnitPrices":
        """Read unit prices, the built-in ones when no file is named.

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
        """Return what carries new antennas at a height above ground [m]."""
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
        construction
            (n,) ``pole``, ``tower`` or ``co-location``.
        power_distance_m, fibre_distance_m
            (n,) straight distances to the next power and fibre [m].

        Examples
        --------
        >>> prices = UnitPrices.from_yaml()
        >>> prices.of(np.array(["pole"], object), np.array([500.0]), np.array([0.0])).tolist()
        [99000]
        """
        built = {
            "pole": self.pole_yuan,
            "tower": self.tower_yuan,
            "co-location": self.co_location_yuan,
        }
        lines = (
            power_distance_m * self.power_yuan_per_km + fibre_distance_m * self.fibre_yuan_per_km
        )
        base = np.array([built[one] for one in construction], np.float64)
        return np.rint(base + lines * self.detour / 1e3).astype(np.int64)


def line_distances_m(
    places: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, region: Region
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far places are from the next power and the next fibre.

    Power is taken to be at every village centre and wherever at least one person lives on a pixel,
    fibre at every site that stands and every village centre: planning assumptions, because the
    lines themselves are not known.

    Parameters
    ----------
    places
        (n,) points in the region's CRS.
    sites
        Sites that stand, in the same CRS.
    region
        The region.

    Returns
    -------
    power_distance_m, fibre_distance_m
        (n,) straight distances [m].
    """
    people = np.asarray(region.shares.people.sum(axis=0)).ravel()
    standing = np.column_stack([sites.geometry.x, sites.geometry.y])
    inhabited = np.column_stack(centres(np.flatnonzero(people >= MILLI), region))
    villages = np.column_stack(centres(most_populated_pixels(region), region))
    points = np.column_stack([places.geometry.x, places.geometry.y])
    return (
        _nearest_m(points, np.concatenate([inhabited, villages])),
        _nearest_m(points, np.concatenate([standing, villages])),
    )


def _nearest_m(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    distance, _ = cKDTree(others).query(points)
    return np.asarray(distance, np.float64)
