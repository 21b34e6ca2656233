"""Polygons on a web map, simplified together, each with the figures on its card."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import shapely
from shapely.geometry import mapping

from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.reporting.style import AREA_COLOURS
from ankang_coverage.reporting.words import Words, percent, text, translated, whole

MAX_VERTICES = 150_000
"""Most border points of one level on a map; borders are simplified until they fit."""

_FINEST_TOLERANCE_M = 20.0
# 1e-5 degrees is about a metre: finer than borders are known.
_DECIMALS = 5


def feature_collection(
    frame: gpd.GeoDataFrame,
    levels: dict[str, gpd.GeoDataFrame],
    services: Sequence[str],
    words: Words,
) -> dict[str, Any]:
    """Return one level as GeoJSON; each feature holds the values of its card.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Divisions of the level, with their figures.
    levels : dict of str to geopandas.GeoDataFrame
        Tables of the divisions by level, for the names of parents.
    services : sequence of str
        Services whose figures the table has.
    words : Words
        Words of the language.

    Returns
    -------
    dict of str to object
        A GeoJSON feature collection.
    """
    shapes = simplified(frame).to_crs(WGS84)
    rounded = shapely.transform(shapes.to_numpy(), lambda degrees: degrees.round(_DECIMALS))
    cards = _cards(frame, levels, services, words)
    classes = list(AREA_COLOURS)
    numbers = {
        service: [classes.index(name) for name in frame[f"coverage_class_{service}_after"]]
        for service in services
    }
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "values": card,
                    "classes": {service: numbers[service][row] for service in services},
                },
                "geometry": mapping(shape),
            }
            for row, (card, shape) in enumerate(zip(cards, rounded, strict=True))
        ],
    }


def simplified(frame: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Simplify borders so that neighbours still share them and the level fits on a page.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Polygons in a projected CRS.

    Returns
    -------
    geopandas.GeoSeries
        The simplified polygons.
    """
    tolerance_m = _FINEST_TOLERANCE_M
    while True:
        shapes = frame.geometry.simplify_coverage(tolerance_m)
        if shapely.get_num_coordinates(shapes.to_numpy()).sum() <= MAX_VERTICES:
            return shapes
        tolerance_m *= 2


def _cards(
    frame: gpd.GeoDataFrame,
    levels: dict[str, gpd.GeoDataFrame],
    services: Sequence[str],
    words: Words,
) -> list[list[str]]:
    """Return name, place, people and shares before and after of every division."""
    parents = [
        frame[parent].map(levels[level]["name"]).tolist()
        for parent, level in [("county", "counties"), ("township", "townships")]
        if parent in frame
    ]
    kinds = [translated(kind, words) for kind in frame["kind"]]
    places = [" · ".join(map(text, parts)) for parts in zip(*parents, kinds, strict=True)]
    shares = [
        [
            f"{percent(before)} → {percent(after)}"
            for before, after in zip(
                frame[f"{share}_{service}_before"], frame[f"{share}_{service}_after"], strict=True
            )
        ]
        for service in services
        for share in ("people_share", "area_share")
    ]
    people = [whole(number) for number in frame["people"]]
    names = [text(name) for name in frame["name"]]
    return [list(card) for card in zip(names, places, people, *shares, strict=True)]


def name_places(counties: gpd.GeoDataFrame) -> list[tuple[str, list[float]]]:
    """Return each county's name and where to write it.

    Parameters
    ----------
    counties : geopandas.GeoDataFrame
        The counties.

    Returns
    -------
    list of tuple of str and list of float
        Name, and latitude and longitude of a point inside the county [deg].
    """
    places = counties.geometry.representative_point().to_crs(WGS84)
    return [
        (text(name), [round(place.y, _DECIMALS), round(place.x, _DECIMALS)])
        for name, place in zip(counties["name"], places, strict=True)
    ]


def bounds(places: gpd.GeoDataFrame | gpd.GeoSeries) -> list[list[float]]:
    """Return the corners of a box around places.

    Parameters
    ----------
    places : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points or polygons in any CRS.

    Returns
    -------
    list of list of float
        South-west and north-east corner, each latitude and longitude [deg].
    """
    west, south, east, north = places.to_crs(WGS84).total_bounds.round(_DECIMALS).tolist()
    return [[south, west], [north, east]]


def outside(counties: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return the world without the region, which maps dim.

    Parameters
    ----------
    counties : geopandas.GeoDataFrame
        The counties, in any CRS.

    Returns
    -------
    dict of str to object
        A GeoJSON geometry.
    """
    region = simplified(counties).to_crs(WGS84).union_all()
    inside = shapely.transform(region, lambda degrees: degrees.round(_DECIMALS))
    return mapping(shapely.difference(shapely.box(-180, -85, 180, 85), shapely.make_valid(inside)))
