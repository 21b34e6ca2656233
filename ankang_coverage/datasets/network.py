"""Synthetic existing towers, similar to a real network in the mountains.

Towers follow people more than proportionally: towns have many, the main valleys are well served,
and remote hamlets have none.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from scipy import ndimage

from ankang_coverage._jit import njit
from ankang_coverage.datasets.divisions import apportion
from ankang_coverage.errors import RasterError
from ankang_coverage.region import Region, Source
from ankang_coverage.sites.equipment import make_cells
from ankang_coverage.sites.network import Network, no_rejections

TOWERS, TOWERS_5G = 3000, 900
TOWNSHIP_5G = 2
"""Towers with 5G at the centre of every township; the others are in and around the county seats."""
PLACING_M = 90.0
"""Smallest pixels on which towers are placed, where the region's are finer [m]."""
NEIGHBOURHOOD_M = 1500.0
"""Standard deviation of the window in which people around a place are counted [m]."""
FOLLOWING = 1.5
"""Exponent of the people around a place in its weight."""
SPACING_M = (250.0, 1100.0)
"""Smallest distance between towers at 5,000 people per km², and where few people live [m]."""
TOWN_PER_KM2 = 600.0
"""People per km² from which towers are on roofs and lower."""


@njit
def _spaced(xy: NDArray[np.float64], spacing: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Take places in order, skipping those closer to one taken than their spacing."""
    chosen = np.empty(count, np.int64)
    taken = 0
    for index in range(len(xy)):
        least = spacing[index] ** 2
        free = True
        for other in range(taken):
            east = xy[index, 0] - xy[chosen[other], 0]
            north = xy[index, 1] - xy[chosen[other], 1]
            if east * east + north * north < least:
                free = False
                break
        if free:
            chosen[taken] = index
            taken += 1
            if taken == count:
                break
    return chosen[:taken]


def ankang_network(region: Region, *, seed: int = 2021) -> Network:
    """Return a synthetic network of existing sites for a region.

    Parameters
    ----------
    region : Region
        The region, as from ``ankang``.
    seed : int, default 2021
        Seed of the random numbers; the same seed and region give the same network.

    Returns
    -------
    Network
        3,000 macro sites of three sectors (``source`` is ``synthetic``). All carry ``lte-b8``
        and ``lte-b3``; 900 also ``nr-n78`` or ``nr-n41``: two at the centre of each township,
        the others where most people live in each county.

    Raises
    ------
    RasterError
        If the region's grid is too coarse or too empty to place the sites on.
    """
    rng = np.random.default_rng([seed, 4])
    xy, people_per_km2 = _places(region, rng)
    sites = _sites(region, xy)
    people_per_km2 = people_per_km2[sites["place"].to_numpy()]
    town = people_per_km2 >= TOWN_PER_KM2
    equipment = {
        "azimuths_deg": _azimuths_deg(len(sites), rng),
        "height_m": np.where(
            town,
            rng.choice([25.0, 28.0, 30.0], TOWERS),
            rng.choice([30.0, 35.0, 40.0, 45.0], TOWERS),
        ),
        "mechanical_tilt_deg": rng.choice([0.0, 1.0, 2.0, 3.0], TOWERS),
        "electrical_tilt_deg": np.where(town, 6.0, 3.0),
    }
    with_5g = _with_5g(sites, people_per_km2)
    shared_n78 = rng.random(TOWERS) < 0.5
    carried = {
        "lte-b8": np.ones(TOWERS, bool),
        "lte-b3": np.ones(TOWERS, bool),
        "nr-n78": with_5g & shared_n78,
        "nr-n41": with_5g & ~shared_n78,
    }
    cells = pd.concat(
        make_cells(
            sites.index[carries],
            layer,
            **{name: values[carries] for name, values in equipment.items()},
        )
        for layer, carries in carried.items()
    )
    columns = ["name", "status", "kind", "source", "geometry"]
    made = Source("existing sites", "synthetic", f"made by ankang_coverage from seed {seed}")
    return Network(sites=sites[columns], cells=cells, rejected=no_rejections(), sources=(made,))


def _places(
    region: Region, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Choose the towers' places, and count the people per km² around them."""
    population, geobox = _people(region)
    pixel_m = geobox.resolution.x
    around = ndimage.gaussian_filter(population, NEIGHBOURHOOD_M / pixel_m)
    around *= 1e6 / pixel_m**2
    wanted = population * around**FOLLOWING
    township = _township_numbers(region, geobox)
    row, column = np.nonzero((wanted > 0) & (township >= 0))
    wanted, around = wanted[row, column], around[row, column]
    # The order of a weighted draw without replacement: exponential waiting times over weights.
    turn = rng.exponential(size=len(wanted)) / wanted
    # Every township gets a tower at the place with the largest weight: its centre.
    turn[pd.Series(wanted).groupby(township[row, column]).idxmax()] = 0.0
    order = np.argsort(turn, kind="stable")
    transform = geobox.transform
    middles = np.column_stack(
        [transform.c + (column + 0.5) * pixel_m, transform.f - (row + 0.5) * pixel_m]
    )
    moved = middles + rng.uniform(-0.5, 0.5, middles.shape) * pixel_m
    spacing = np.clip(SPACING_M[0] * (5000.0 / around) ** 0.4, *SPACING_M)
    picked = order[_spaced(moved[order], spacing[order], TOWERS)]
    if len(picked) < TOWERS:
        raise RasterError(
            f"only {len(picked)} of {TOWERS} sites fit on the region's population raster: use a "
            f"finer resolution_m"
        )
    # The middle of such a pixel is in a village, but the moved place may not be.
    tree = shapely.STRtree(region.villages.geometry.to_numpy())
    inside = np.isin(
        np.arange(len(picked)), tree.query(shapely.points(moved[picked]), predicate="within")[0]
    )
    xy = np.where(inside[:, None], moved[picked], middles[picked])
    return xy, around[picked]


def _people(region: Region) -> tuple[NDArray[np.float64], GeoBox]:
    """Return people on a grid just fine enough to place towers on, and that grid."""
    together = max(1, int(PLACING_M // region.geobox.resolution.x))
    people = region.rasters["population"].to_numpy()
    # Edges that do not fill a coarser pixel have no people, because the region has a margin.
    rows, columns = (length // together for length in people.shape)
    blocks = people[: rows * together, : columns * together].reshape(
        rows, together, columns, together
    )
    transform = region.geobox.transform * Affine.scale(together)
    geobox = GeoBox((rows, columns), transform, region.geobox.crs)
    return blocks.sum(axis=(1, 3), dtype=np.float64), geobox


def _township_numbers(region: Region, geobox: GeoBox) -> NDArray[np.int32]:
    """Number each pixel by the township that its middle lies in, −1 outside all."""
    townships = region.townships.geometry
    return rasterio.features.rasterize(
        zip(townships, range(len(townships)), strict=True),
        out_shape=tuple(geobox.shape),
        transform=geobox.transform,
        fill=-1,
        dtype="int32",
    )


def _sites(region: Region, xy: NDArray[np.float64]) -> gpd.GeoDataFrame:
    """Name the towers by township and number them by township, from north to south."""
    points = shapely.points(xy)
    place, township = region.townships.sindex.nearest(points, return_all=False)
    own = region.townships.iloc[township]
    table = pd.DataFrame(
        {
            "place": place,
            "township": own.index,
            "label": region.counties["name"][own["county"]].to_numpy() + own["name"].to_numpy(),
            "county": own["county"].to_numpy(),
            "x": xy[place, 0],
            "y": xy[place, 1],
        }
    ).sort_values(["township", "y", "x"], ascending=[True, False, True], ignore_index=True)
    number = table.groupby("township").cumcount() + 1
    table["name"] = table["label"] + "·模拟站" + number.map("{:03d}".format)
    table = table.assign(status="existing", kind="macro", source="synthetic")
    table.index = pd.Index([f"S{n + 1:04d}" for n in range(len(table))], name="site")
    geometry = gpd.points_from_xy(table["x"], table["y"], crs=region.townships.crs)
    return gpd.GeoDataFrame(table, geometry=geometry)


def _azimuths_deg(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Three boresights per site about 120° apart, in tens of degrees."""
    first = rng.integers(0, 12, (count, 1)) * 10.0
    turned = rng.choice([-10.0, 0.0, 10.0], (count, 3), p=[0.2, 0.6, 0.2])
    return (first + np.array([0.0, 120.0, 240.0]) + turned) % 360.0


def _with_5g(sites: pd.DataFrame, people_per_km2: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the 5G sites: each township's centre, then each county's densest places.

    Counties get 5G in proportion to their towers.
    """
    sizes = sites["county"].value_counts(sort=False).sort_index()
    quota = apportion(
        TOWERS_5G, sizes.to_numpy().astype(np.float64), np.zeros(len(sizes), np.int64)
    )
    density = pd.Series(people_per_km2, index=sites.index)
    in_township = density.groupby(sites["township"]).rank(method="first", ascending=False)
    wanted = density.where(in_township > TOWNSHIP_5G, np.inf)
    rank = wanted.groupby(sites["county"]).rank(method="first", ascending=False)
    quotas = dict(zip(sizes.index, quota, strict=True))
    return (rank <= sites["county"].map(quotas)).to_numpy()
