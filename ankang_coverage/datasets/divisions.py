"""Counties, townships and villages of the built-in region, and their people.

Counties are real. Townships are seeded at the middles of their known extents, the others in the
remaining valleys. Villages are synthetic, with the number and kinds that the register lists.
"""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio.features
import shapely
import shapely.affinity
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from ankang_coverage.datasets.facts import (
    CRS,
    ankang_register,
    county_facts,
    seat_facts,
    township_facts,
)
from ankang_coverage.datasets.settlement import Centre, crowd
from ankang_coverage.datasets.tessellation import farthest_seeds, spread_seeds, tessellate

MAIN_TOWNS = {
    "610902001": (-700.0, -700.0),  # 老城街道 and 新城街道: south bank
    "610902002": (900.0, -700.0),
    "610902003": (0.0, 1500.0),  # 江北街道: north bank
    "610921100": (0.0, 0.0),
    "610922100": (0.0, 0.0),
    "610923100": (0.0, 0.0),
    "610924100": (0.0, 0.0),
    "610925100": (0.0, 0.0),
    "610926100": (0.0, 0.0),
    "610927100": (0.0, 0.0),
    "610929100": (0.0, 0.0),
    "610981100": (0.0, 0.0),
}
"""Townships at a county's seat, and the offset of their seed from it, east and north [m]."""
CITY, TOWN, VILLAGE_STREET = (26.0, 1700.0), (32.0, 1200.0), (14.0, 600.0)
"""Draw [1] and reach [m] of the centres of 汉滨, of the other counties, of other townships."""
EVENNESS = 0.8
"""Exponent below 1, which makes the people of villages and townships differ less than their
ground."""
FEWEST = 60
"""Smallest number of people in a village."""
EVERY = 3
"""Seeds of villages are placed on every third pixel, by row and column."""


def make_divisions(
    ground: NDArray[np.float32], geobox: GeoBox, seed: int
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame, list[Centre]]:
    """Make the polygons and people of the three levels.

    Parameters
    ----------
    ground : numpy.ndarray
        (y, x) habitability of each pixel [1].
    geobox : GeoBox
        The grid, which covers every county.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    counties, townships, villages : geopandas.GeoDataFrame
        As ``Region`` describes them. Each level is a valid coverage on the grid of a hundredth
        of a metre, and children cover their parents exactly.
    centres : list of Centre
        The middles of towns and townships.
    """
    counties = county_facts()
    townships = township_facts()
    labels = _labels(counties.geometry, geobox)
    rough = _township_polygons(counties, townships, labels, ground, geobox)
    labels = _labels(rough, geobox)
    centres = _centres(townships, labels, ground, geobox)
    density = crowd(ground, geobox, centres.values())
    villages = _village_polygons(rough, centres, labels, density, geobox, seed)
    villages["people"] = _village_people(counties, townships, villages, density, geobox)
    return (
        _parents(villages, "county", counties[["name"]].assign(kind="county"), "tianditu"),
        _parents(villages, "township", townships[["name", "kind", "county"]], "approximate"),
        villages[["name", "kind", "people", "geometry_source", "township", "county", "geometry"]],
        list(centres.values()),
    )


def _township_polygons(
    counties: gpd.GeoDataFrame,
    townships: pd.DataFrame,
    county_label: NDArray[np.int32],
    ground: NDArray[np.float32],
    geobox: GeoBox,
) -> gpd.GeoSeries:
    """Divide each county among its townships' seeds."""
    known = _known_seeds(townships)
    seeds = []
    codes = []
    for number, county in enumerate(counties.index):
        own = townships.index[townships["county"] == county]
        placed = own.intersection(known.index, sort=False)
        open_ = own.difference(placed)
        taken = np.column_stack([known.loc[placed].x, known.loc[placed].y])
        points, weights = _sample(county_label == number, ground, geobox)
        added = farthest_seeds(points, weights**0.25, taken, len(open_))
        codes.extend([*placed, *open_])
        seeds.append(np.vstack([taken, added]))
    parts = tessellate(list(counties.geometry), seeds)
    flat = [part for own in parts for part in own]
    return gpd.GeoSeries(flat, index=pd.Index(codes, name="code"), crs=CRS).sort_index()


def _known_seeds(townships: pd.DataFrame) -> gpd.GeoSeries:
    """Seeds from the known extents and the county seats."""
    extents = townships.dropna(subset="longitude")
    middles = gpd.GeoSeries(
        gpd.points_from_xy(extents["longitude"], extents["latitude"], crs="EPSG:4326"),
        index=extents.index,
    ).to_crs(CRS)
    seats = seat_facts()
    shifted = {
        code: shapely.affinity.translate(seats[code[:6]], east, north)
        for code, (east, north) in MAIN_TOWNS.items()
    }
    return pd.concat([middles, gpd.GeoSeries(shifted, crs=CRS)])


def _centres(
    townships: pd.DataFrame,
    township_label: NDArray[np.int32],
    ground: NDArray[np.float32],
    geobox: GeoBox,
) -> dict[str, Centre]:
    """Each township's centre: the seat itself, or its most habitable neighbourhood."""
    seats = seat_facts()
    centres = {}
    for number, code in enumerate(townships.index):
        if code in MAIN_TOWNS:
            seat = seats[code[:6]]
            east, north = MAIN_TOWNS[code]
            draw, reach = CITY if code.startswith("610902") else TOWN
            centres[code] = Centre(seat.x + east, seat.y + north, draw, reach)
        else:
            points, weights = _sample(township_label == number, ground, geobox)
            x, y = points[np.argmax(weights)]
            centres[code] = Centre(float(x), float(y), *VILLAGE_STREET)
    return centres


def _village_polygons(
    townships: gpd.GeoSeries,
    centres: Mapping[str, Centre],
    township_label: NDArray[np.int32],
    density: NDArray[np.float32],
    geobox: GeoBox,
    seed: int,
) -> gpd.GeoDataFrame:
    """Divide each township among as many villages as the register lists."""
    rng = np.random.default_rng([seed, 3])
    listed = ankang_register().groupby("township")
    seeds = []
    rows: list[dict[str, str]] = []
    for number, code in enumerate(townships.index):
        units = listed.get_group(code)
        points, weights = _sample(township_label == number, density, geobox)
        own = spread_seeds(points, np.sqrt(weights), len(units), rng)
        communities = int((units["kind"] == "community").sum())
        from_centre = np.hypot(own[:, 0] - centres[code].x, own[:, 1] - centres[code].y)
        rank = np.argsort(np.argsort(from_centre, kind="stable"), kind="stable")
        seeds.append(own)
        rows.extend(
            {
                "code": f"{code}9{place + 1:02d}",
                "name": f"{units['township_name'].iloc[0]}·模拟村{place + 1:02d}",
                "kind": "community" if rank[place] < communities else "village",
                "geometry_source": "synthetic",
                "township": code,
                "county": code[:6],
            }
            for place in range(len(units))
        )
    parts = [part for own in tessellate(list(townships), seeds) for part in own]
    return gpd.GeoDataFrame(rows, geometry=parts, crs=CRS).set_index("code")


def _village_people(
    counties: gpd.GeoDataFrame,
    townships: pd.DataFrame,
    villages: gpd.GeoDataFrame,
    density: NDArray[np.float32],
    geobox: GeoBox,
) -> NDArray[np.int64]:
    """Whole people per village; known townships and all counties get their census exactly."""
    label = _labels(villages.geometry, geobox)
    inside = label >= 0
    drawn = np.bincount(label[inside], density[inside], minlength=len(villages))
    weight = pd.Series(drawn**EVENNESS, index=villages.index)
    people = townships["people"].copy()
    for county, total in counties["people"].items():
        unknown = people.index[(townships["county"] == county) & people.isna()]
        if len(unknown):
            by_township = weight.groupby(villages["township"]).sum()[unknown]
            size = villages.groupby("township").size()[unknown] * FEWEST
            people[unknown] = apportion(int(total), by_township.to_numpy(), size.to_numpy())
    shares = [
        apportion(int(people[code]), own.to_numpy(), np.full(len(own), FEWEST))
        for code, own in weight.groupby(villages["township"])
    ]
    return np.concatenate(shares)


def apportion(
    total: int, weights: NDArray[np.float64], fewest: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Split whole people by weight, by largest remainders, above a minimum for each.

    Parameters
    ----------
    total : int
        People to split, no fewer than the minima together.
    weights : numpy.ndarray
        (n,) shares, not negative, not all 0 [1].
    fewest : numpy.ndarray
        (n,) minimum for each.

    Returns
    -------
    numpy.ndarray
        (n,) int64 with the sum `total`; of equal remainders the first is rounded up.

    Examples
    --------
    >>> apportion(10, np.array([1.0, 1.0, 2.0]), np.array([1, 1, 1])).tolist()
    [3, 3, 4]
    """
    exact = (total - fewest.sum()) * weights / weights.sum()
    whole = np.floor(exact).astype(np.int64)
    left = int(total - fewest.sum() - whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return whole + fewest


def _parents(
    villages: gpd.GeoDataFrame, level: str, facts: pd.DataFrame, source: str
) -> gpd.GeoDataFrame:
    """Make a parent level from its villages, so that both share every vertex."""
    members = villages.groupby(level)
    shapes = {code: shapely.coverage_union_all(own.geometry) for code, own in members}
    parents = gpd.GeoDataFrame(facts.copy(), geometry=gpd.GeoSeries(shapes, crs=CRS))
    parents.insert(2, "people", members["people"].sum())
    parents.insert(3, "geometry_source", source)
    return parents.rename_axis("code")


def _labels(polygons: gpd.GeoSeries, geobox: GeoBox) -> NDArray[np.int32]:
    """Number each pixel by the polygon that its middle lies in, −1 outside all."""
    return rasterio.features.rasterize(
        zip(polygons, range(len(polygons)), strict=True),
        out_shape=tuple(geobox.shape),
        transform=geobox.transform,
        fill=-1,
        dtype="int32",
    )


def _sample(
    mask: NDArray[np.bool_], ground: NDArray[np.float32], geobox: GeoBox
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """List the middles of every third pixel inside a mask, and how habitable it is."""
    row, column = np.nonzero(mask[EVERY // 2 :: EVERY, EVERY // 2 :: EVERY])
    row, column = row * EVERY + EVERY // 2, column * EVERY + EVERY // 2
    x = geobox.transform.c + (column + 0.5) * geobox.resolution.x
    y = geobox.transform.f - (row + 0.5) * geobox.resolution.x
    return np.column_stack([x, y]), ground[row, column].astype(np.float64) + 1e-6
