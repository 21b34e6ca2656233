"""The layers of a map as plain values, from the sites on top down to the relief."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import xarray as xr

from ankang_coverage.errors import OutOfRangeError, RasterError, UnknownNameError
from ankang_coverage.planning import Plan
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.region import Region
from ankang_coverage.reporting import style
from ankang_coverage.reporting.areas import name_places
from ankang_coverage.reporting.overlays import (
    WebRaster,
    class_png,
    classify,
    data_url,
    height_breaks,
    relief_png,
    to_web_mercator,
)
from ankang_coverage.reporting.words import Words, dbm, text, translated, whole
from ankang_coverage.sites.network import Network

Basemap = Literal["osm", "tianditu"]

LEVELS = ("counties", "townships", "villages")
_TIANDITU_KEY = re.compile(r"[0-9A-Za-z]{16,64}")

MapLayer = dict[str, Any]
Swatch = dict[str, Any]


def chosen_layers(plan: Plan, words: Words, lang: str) -> list[MapLayer]:
    """Describe the chosen sites, one layer per programme.

    Parameters
    ----------
    plan : Plan
        The plan.
    words : Words
        Words of the language.
    lang : str
        ``zh`` or ``en``.

    Returns
    -------
    list of MapLayer
        One layer per programme.
    """
    columns = (
        *("site_id", "site_name", "order", "position"),
        *("people_gained", "people_gained_total", "reason", "data_source"),
    )
    layers = []
    for number, result in enumerate(plan.results):
        programme = result.target.title(lang)
        chosen = plan.chosen[plan.chosen["programme"] == result.target.id]
        colour = style.programme_colour(number)
        points = [
            [
                round(row.latitude, 6),
                round(row.longitude, 6),
                f"{programme} {row.order}",
                f"{text(row.county_name)} · {text(row.township_name)}",
                str(site),
                text(row.name),
                whole(row.order),
                f"{row.longitude:.5f}, {row.latitude:.5f}",
                whole(row.people_gained),
                whole(row.people_gained_total),
                translated(row.reason, words),
                translated(row.source, words),
            ]
            for site, row in zip(chosen.index, chosen.itertuples(), strict=True)
        ]
        layers.append(
            {
                "id": f"chosen-{result.target.id}",
                "kind": "points",
                "group": words["group_sites"],
                "name": f"{programme} ({len(points):,})",
                "on": True,
                "points": points,
                "columns": [words[column] for column in columns],
                "style": _circle(colour, radius=5.0, outline="#20242c"),
                "swatch": _swatch(colour, "point"),
            }
        )
    return layers


def site_layer(network: Network, words: Words, *, on: bool) -> MapLayer:
    """Describe a network's sites as small circles.

    Parameters
    ----------
    network : Network
        The sites.
    words : Words
        Words of the language.
    on : bool
        Whether the layer is shown at first.

    Returns
    -------
    MapLayer
        The layer.
    """
    sites = network.sites
    places = sites.geometry.to_crs(WGS84)
    rows = sites[["name", "status", "kind", "source"]].itertuples(index=False)
    points = [
        [
            round(place.y, 6),
            round(place.x, 6),
            text(row.name),
            "",
            str(site),
            translated(row.status, words),
            translated(row.kind, words),
            translated(row.source, words),
        ]
        for site, place, row in zip(sites.index, places, rows, strict=True)
    ]
    return {
        "id": "sites",
        "kind": "points",
        "group": words["group_sites"],
        "name": f"{words['existing_sites']} ({len(points):,})",
        "on": on,
        "points": points,
        "columns": [words[column] for column in ("site_id", "status", "kind", "data_source")],
        "style": _circle(style.SITE_COLOUR, radius=3.0, outline="#ffffff"),
        "swatch": _swatch(style.SITE_COLOUR, "point"),
    }


def coverage_layer(
    coverage: xr.Dataset, layer_id: str, name: str, words: Words, *, on: bool
) -> MapLayer:
    """Describe the covered pixels of one prediction as an image, coloured by signal strength.

    Parameters
    ----------
    coverage : xarray.Dataset
        Prediction with ``rsrp_dbm``.
    layer_id : str
        Id of the layer.
    name : str
        Name of the layer.
    words : Words
        Words of the language.
    on : bool
        Whether the layer is shown at first.

    Returns
    -------
    MapLayer
        The layer.
    """
    threshold = coverage.attrs.get("rsrp_threshold_dbm")
    if threshold is None:
        raise RasterError(
            "the coverage has no threshold: set the attribute rsrp_threshold_dbm, or take "
            "the Dataset as predict returns it"
        )
    ramp = style.coverage_ramp(str(coverage.attrs.get("service", "")))
    edges = [threshold + step for step in style.COVERAGE_STEPS_DB]
    raster = to_web_mercator(coverage["rsrp_dbm"], "nearest")
    png = class_png(classify(raster.values, edges), ramp, style.COVERAGE_OPACITY)
    labels = [f"{dbm(low)} … {dbm(high)}" for low, high in pairwise(edges)]
    labels.append(f"≥ {dbm(edges[-1])}")
    return {
        **_image(raster, png),
        "id": layer_id,
        "group": words["group_coverage"],
        "name": name,
        "on": on,
        "depth": 2,
        "legend_title": words["rsrp_legend"],
        "legend": [
            {"label": label, **_swatch(colour, "area", style.COVERAGE_OPACITY)}
            for label, colour in reversed(list(zip(labels, ramp, strict=True)))
        ],
        "legend_note": words["uncovered_legend"].format(threshold=dbm(threshold)),
    }


def division_layers(
    counties: gpd.GeoDataFrame, services: Sequence[str], words: Words
) -> list[MapLayer]:
    """Describe counties, townships, and villages coloured by coverage class of each service.

    Parameters
    ----------
    counties : geopandas.GeoDataFrame
        The counties.
    services : sequence of str
        Services whose figures the tables have.
    words : Words
        Words of the language.

    Returns
    -------
    list of MapLayer
        The layers.
    """
    shares = [
        words[share].format(service=service.upper())
        for service in services
        for share in ("people_share", "area_share")
    ]
    columns = [words["people"], *shares]
    common = {"kind": "areas", "group": words["group_divisions"], "columns": columns}
    layers: list[MapLayer] = [
        {
            **common,
            "id": level,
            "areas": level,
            "name": words[level],
            "on": level == "counties",
            "line": style.LINES[level],
            "swatch": _swatch(str(style.LINES[level]["color"]), "line"),
        }
        for level in LEVELS
        if level != "villages" or not services
    ]
    layers[0]["names"] = name_places(counties)
    layers += [
        {
            **common,
            "id": f"villages-{service}",
            "areas": "villages",
            "name": words["villages_by"].format(service=service.upper()),
            "on": False,
            "line": style.LINES["villages"],
            "classes": service,
            "opacity": style.AREA_OPACITY,
            "legend_title": words["class_legend"],
            "legend_note": "",
            "legend": [
                {"label": words[class_], **_swatch(colour, "area", style.AREA_OPACITY)}
                for class_, colour in style.AREA_COLOURS.items()
            ],
        }
        for service in services
    ]
    return layers


def hillshade_layer(region: Region, words: Words, *, on: bool) -> MapLayer:
    """Describe the relief, tinted by height and shaded, as an image.

    Parameters
    ----------
    region : Region
        Gives the elevation.
    words : Words
        Words of the language.
    on : bool
        Whether the layer is shown at first.

    Returns
    -------
    MapLayer
        The layer.
    """
    raster = to_web_mercator(region.rasters["elevation_m"], "average")
    breaks = [whole(height) for height in height_breaks(raster.values)]
    between = [f"{low} … {high}" for low, high in pairwise(breaks)]
    labels = [f"< {breaks[0]}", *between, f"≥ {breaks[-1]}"] if breaks else []
    return {
        **_image(raster, relief_png(raster)),
        "id": "hillshade",
        "group": words["group_base"],
        "name": words["hillshade"],
        "on": on,
        "depth": 1,
        "smooth": True,
        "legend_title": words["height_legend"],
        "legend": [
            {"label": label, **_swatch(colour, "area", 1.0)}
            for label, colour in zip(labels, style.HEIGHT_TINTS, strict=False)
        ],
        "legend_note": "",
    }


def tile_layer(basemap: Basemap, tianditu_key: str | None, words: Words) -> MapLayer:
    """Describe a street map from the network; both maps match WGS-84 to within a metre.

    Parameters
    ----------
    basemap : Basemap
        Which one.
    tianditu_key : str or None
        The user's key, for 天地图 only.
    words : Words
        Words of the language.

    Returns
    -------
    MapLayer
        The layer.
    """
    if basemap == "osm":
        urls = ["https://tile.openstreetmap.org/{z}/{x}/{y}.png"]
        licence = "https://www.openstreetmap.org/copyright"
        credit = f'&copy; <a href="{licence}">OpenStreetMap contributors</a>'
        options = {"attribution": credit, "maxZoom": 19}
    elif basemap == "tianditu":
        if tianditu_key is None or not _TIANDITU_KEY.fullmatch(tianditu_key):
            raise OutOfRangeError(
                "basemap 'tianditu' needs tianditu_key, the key of letters and digits that "
                "console.tianditu.gov.cn gives you; without one choose basemap 'osm' or None"
            )
        urls = [
            f"https://t{{s}}.tianditu.gov.cn/DataServer?T={tiles}_w&x={{x}}&y={{y}}&l={{z}}"
            f"&tk={tianditu_key}"
            for tiles in ("vec", "cva")
        ]
        options = {"attribution": "天地图", "subdomains": "01234567", "maxZoom": 18}
    else:
        raise UnknownNameError(
            f"basemap {basemap!r} is not available: choose 'osm', 'tianditu' or None"
        )
    return {
        "id": basemap,
        "kind": "tiles",
        "group": words["group_base"],
        "name": words[basemap],
        "on": True,
        "urls": urls,
        "options": options,
    }


def _image(raster: WebRaster, png: bytes) -> MapLayer:
    return {
        "kind": "image",
        "url": data_url(png),
        "bounds": raster.bounds,
        "pixel_zoom": round(raster.zoom, 2),
    }


def _circle(colour: str, *, radius: float, outline: str) -> dict[str, Any]:
    """Return the path options of a Leaflet circle marker."""
    return {
        "radius": radius,
        "fillColor": colour,
        "fillOpacity": 1.0,
        "color": outline,
        "weight": 1.0,
    }


def _swatch(colour: str, shape: Literal["area", "line", "point"], opacity: float = 1.0) -> Swatch:
    return {"color": colour, "shape": shape, "opacity": opacity}


def change_layer(change: xr.Dataset, words: Words) -> MapLayer:
    """Describe the pixels that gain or lose coverage as an image.

    Parameters
    ----------
    change : xarray.Dataset
        Change with the variable ``change``.
    words : Words
        Words of the language.

    Returns
    -------
    MapLayer
        The layer.
    """
    signs = change["change"].astype(np.float32)
    raster = to_web_mercator(signs.where(signs != 0.0), "nearest")
    colours = list(style.CHANGE_COLOURS.values())
    png = class_png(classify(raster.values, [-1.5, 0.0]), colours, style.CHANGE_OPACITY)
    return {
        **_image(raster, png),
        "id": "change",
        "group": words["group_coverage"],
        "name": words["change"],
        "on": True,
        "depth": 2,
        "legend_title": words["change"],
        "legend": [
            {"label": words[kind], **_swatch(colour, "area", style.CHANGE_OPACITY)}
            for kind, colour in reversed(style.CHANGE_COLOURS.items())
        ],
        "legend_note": "",
    }
