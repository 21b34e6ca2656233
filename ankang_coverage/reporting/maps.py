"""Interactive maps of a plan or of a coverage prediction, in one file that needs no network.

A map is described as a page of plain values (title, notes, layers from top to bottom), which
``map.js`` draws in the browser. This module writes the description.
"""

import html
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Literal

import geopandas as gpd
import xarray as xr

from ankang_coverage.coverage import Coverage
from ankang_coverage.errors import OutOfRangeError, RasterError
from ankang_coverage.planning.pipeline import Plan
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.region import Region, Source
from ankang_coverage.reporting import style
from ankang_coverage.reporting.areas import bounds, feature_collection, name_places, outside
from ankang_coverage.reporting.offline import OfflineMap
from ankang_coverage.reporting.overlays import (
    WebRaster,
    class_png,
    classify,
    data_url,
    height_breaks,
    relief_png,
    to_web_mercator,
)
from ankang_coverage.reporting.words import (
    Words,
    dbm,
    percent,
    text,
    translated,
    vocabulary,
    whole,
)
from ankang_coverage.sites.network import Network

Basemap = Literal["osm", "tianditu"]

_LEVELS = ("counties", "townships", "villages")
_TIANDITU_KEY = re.compile(r"[0-9A-Za-z]{16,64}")
_LEAFLET = '<a href="https://leafletjs.com">Leaflet</a>'

MapLayer = dict[str, Any]
Swatch = dict[str, Any]


def plan_map(
    plan: Plan,
    *,
    lang: str = "zh",
    basemap: Basemap | None = None,
    tianditu_key: str | None = None,
) -> OfflineMap:
    """Draw a plan: chosen sites, coverage before and after, and who is covered.

    Parameters
    ----------
    plan
        The plan.
    lang
        Language of the map, ``zh`` or ``en``.
    basemap
        Street map under the layers: ``osm`` (OpenStreetMap) or ``tianditu`` (天地图). Only then
        does the page request anything from the network; without it the base is a hillshade.
    tianditu_key
        Your key for 天地图, needed with ``basemap="tianditu"``. It stands in the page.

    Returns
    -------
    OfflineMap
        A ``folium.Map``: shown by a notebook, written by ``save(path)``.

    Raises
    ------
    OutOfRangeError
        If there is no such language or base map, or the key is missing.
    RasterError
        If a coverage Dataset has no CRS or does not say its threshold.
    """
    words = vocabulary(lang)
    services = list(plan.coverage_after)
    states = [
        (service, state, _as_dataset(coverages[service]))
        for service in services
        for state, coverages in [("after", plan.coverage_after), ("before", plan.coverage_before)]
    ]
    first = services[0] if services else None
    coverage = [
        _coverage_layer(
            dataset,
            f"coverage-{service}-{state}",
            words[f"coverage_{state}"].format(service=service.upper()),
            words,
            on=(service, state) == (first, "after"),
        )
        for service, state, dataset in states
    ]
    levels = {"counties": plan.counties, "townships": plan.townships, "villages": plan.villages}
    sites = [
        *_chosen_layers(plan, words, lang),
        _site_layer(plan.network, words, on=False),
    ]
    lines = [
        words["chosen_line"].format(
            programme=result.target.title(lang),
            number=whole((plan.chosen["programme"] == result.target.id).sum()),
        )
        for result in plan.results
    ]
    lines += [_share_line(plan.counties, service, words) for service in services]
    return _draw(
        plan.region,
        title=words["plan_title"].format(region=plan.region.name),
        lines=lines,
        datasets=[dataset for _, _, dataset in states],
        sources=_with_sites(plan.sources, [plan.network.sites, plan.chosen]),
        layers=[*sites, *coverage, *_division_layers(plan.counties, services, words)],
        levels=levels,
        services=services,
        words=words,
        basemap=basemap,
        tianditu_key=tianditu_key,
    )


def coverage_map(
    region: Region,
    coverage: Coverage | xr.Dataset,
    network: Network | None = None,
    *,
    lang: str = "zh",
    basemap: Basemap | None = None,
    tianditu_key: str | None = None,
) -> OfflineMap:
    """Draw one coverage prediction over its region.

    Parameters
    ----------
    region
        The study area.
    coverage : Coverage or xarray.Dataset
        The coverage, or a (y, x) Dataset with ``rsrp_dbm`` and the attributes ``service`` and
        ``rsrp_threshold_dbm``, such as one of `Coverage.to_dataset` that was kept on disk.
    network
        Sites to show, if any.
    lang
        Language of the map, ``zh`` or ``en``.
    basemap, tianditu_key
        As for `plan_map`.

    Returns
    -------
    OfflineMap
        A ``folium.Map``: shown by a notebook, written by ``save(path)``.

    Raises
    ------
    OutOfRangeError
        If there is no such language or base map, or the key is missing.
    RasterError
        If the Dataset has no CRS or does not say its threshold.
    """
    words = vocabulary(lang)
    figures = _as_dataset(coverage)
    service = str(figures.attrs.get("service", "")).upper()
    name = words["coverage_only"].format(service=service)
    layers = [_coverage_layer(figures, "coverage", name, words, on=True)]
    sources = list(region.sources)
    if network is not None:
        layers.insert(0, _site_layer(network, words, on=True))
        sources = _with_sites([*sources, *network.sources], [network.sites])
    return _draw(
        region,
        title=words["coverage_title"].format(region=region.name, service=service),
        lines=[],
        datasets=[figures],
        sources=sources,
        layers=[*layers, *_division_layers(region.counties, [], words)],
        levels={level: getattr(region, level) for level in _LEVELS},
        services=[],
        words=words,
        basemap=basemap,
        tianditu_key=tianditu_key,
    )


def _as_dataset(coverage: Coverage | xr.Dataset) -> xr.Dataset:
    return coverage if isinstance(coverage, xr.Dataset) else coverage.to_dataset()


def _draw(
    region: Region,
    *,
    title: str,
    lines: Sequence[str],
    datasets: Sequence[xr.Dataset],
    sources: Sequence[Source],
    layers: Sequence[MapLayer],
    levels: dict[str, gpd.GeoDataFrame],
    services: Sequence[str],
    words: Words,
    basemap: Basemap | None,
    tianditu_key: str | None,
) -> OfflineMap:
    """Complete the page with what every map has and draw it."""
    base = [_hillshade_layer(region, words, on=basemap is None)]
    if basemap is not None:
        base.append(_tile_layer(basemap, tianditu_key, words))
    page = {
        "language": words["language"],
        "title": title,
        "lines": list(lines),
        "notes": _notes(sources, datasets, words),
        "sources": [_source_line(source, words) for source in sources],
        "attribution": _attribution(sources),
        "words": {key: words[key] for key in ("panel", "sources", "zoom_in", "zoom_out")},
        "bounds": bounds(region.counties),
        "outside": outside(region.counties),
        "has_tiles": basemap is not None,
        "areas": {
            level: feature_collection(frame, levels, services, words)
            for level, frame in levels.items()
        },
        "layers": [*layers, *base],
    }
    return OfflineMap(page)


# Layers, from the top of the map to its base


def _chosen_layers(plan: Plan, words: Words, lang: str) -> list[MapLayer]:
    """Describe the chosen sites, one layer per programme."""
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


def _site_layer(network: Network, words: Words, *, on: bool) -> MapLayer:
    """Describe a network's sites as small circles."""
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


def _coverage_layer(
    coverage: xr.Dataset, layer_id: str, name: str, words: Words, *, on: bool
) -> MapLayer:
    """Describe the covered pixels of one Dataset as an image, coloured by strength."""
    threshold = coverage.attrs.get("rsrp_threshold_dbm")
    if threshold is None:
        raise RasterError(
            "coverage does not say its threshold: set the attribute rsrp_threshold_dbm, or take "
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


def _division_layers(
    counties: gpd.GeoDataFrame, services: Sequence[str], words: Words
) -> list[MapLayer]:
    """Describe counties, townships, and villages coloured by coverage class of each service."""
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
        for level in _LEVELS
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


def _hillshade_layer(region: Region, words: Words, *, on: bool) -> MapLayer:
    """Describe the relief, tinted by height and shaded, as an image."""
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


def _tile_layer(basemap: Basemap, tianditu_key: str | None, words: Words) -> MapLayer:
    """Describe a street map from the network; both are WGS-84 to within a metre."""
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
        raise OutOfRangeError(
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


# Where the data come from


def _with_sites(sources: Sequence[Source], tables: Iterable[gpd.GeoDataFrame]) -> list[Source]:
    """Add a line for made-up sites where no source speaks of them."""
    made_up = any((table["source"] == "synthetic").any() for table in tables)
    told = any("site" in source.what and source.nature == "synthetic" for source in sources)
    extra = [Source("sites", "synthetic", "")] if made_up and not told else []
    return [*sources, *extra]


def _notes(sources: Sequence[Source], datasets: Sequence[xr.Dataset], words: Words) -> list[str]:
    """Return what the reader must not overlook."""
    notes = []
    for nature in ("synthetic", "approximate"):
        what = [translated(source.what, words) for source in sources if source.nature == nature]
        if what:
            listed = words["separator"].join(dict.fromkeys(what))
            notes.append(words[f"{nature}_note"].format(what=listed))
    if any(dataset.attrs.get("terrain") == "none" for dataset in datasets):
        notes.append(words["no_terrain_note"])
    if any(dataset.attrs.get("land_cover") == "default class" for dataset in datasets):
        notes.append(words["default_class_note"])
    models = dict.fromkeys(str(d.attrs["model"]) for d in datasets if "model" in d.attrs)
    if models:
        notes.append(words["model_note"].format(model=", ".join(models)))
    return notes


def _source_line(source: Source, words: Words) -> str:
    line = f"{translated(source.what, words)} ({words[source.nature]})"
    return f"{line}: {source.credit}" if source.credit else line


def _attribution(sources: Sequence[Source]) -> str:
    """Return whom to credit for what was measured, as markup with the sources' words escaped.

    Only the first clause of each: the list of sources under the title has it all.
    """
    credits_ = [source.credit.split(";")[0] for source in sources if source.nature == "real"]
    return " | ".join([_LEAFLET, *(html.escape(credit) for credit in dict.fromkeys(credits_))])


def _share_line(counties: gpd.GeoDataFrame, service: str, words: Words) -> str:
    """Return the share of the region's people that a service covers, before and after."""
    people = counties["people"].sum()
    before, after = (
        percent(counties[f"people_covered_{service}_{state}"].sum() / people)
        for state in ("before", "after")
    )
    return words["share_line"].format(service=service.upper(), before=before, after=after)
