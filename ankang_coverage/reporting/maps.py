"""Interactive maps in one file that needs no network.

A map is described as a page of plain values (title, notes, layers from top to bottom), which
``map.js`` draws in the browser. This module writes the description.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import folium
import geopandas as gpd
import xarray as xr

from ankang_coverage.coverage import Change, Coverage
from ankang_coverage.errors import ArgumentTypeError
from ankang_coverage.planning import Plan
from ankang_coverage.region.region import Region, Source
from ankang_coverage.reporting.areas import bounds, feature_collection, outside
from ankang_coverage.reporting.map_layers import (
    LEVELS,
    Basemap,
    MapLayer,
    change_layer,
    chosen_layers,
    coverage_layer,
    division_layers,
    hillshade_layer,
    site_layer,
    tile_layer,
)
from ankang_coverage.reporting.map_sources import (
    attribution,
    notes,
    share_line,
    source_line,
    with_sites,
)
from ankang_coverage.reporting.offline import OfflineMap
from ankang_coverage.reporting.words import Words, vocabulary, whole
from ankang_coverage.sites.network import Network


def explore(
    thing: Region | Network | Coverage | Change | Plan,
    m: folium.Map | None = None,
    *,
    tiles: Basemap | None = None,
    tianditu_key: str | None = None,
    lang: str = "zh",
) -> folium.Map:
    """Draw a region, a network, a coverage, a change or a plan.

    Parameters
    ----------
    thing : Region, Network, Coverage, Change or Plan
        What to draw. A change is the result of ``coverage.difference(other)``.
    m : folium.Map, optional
        Map to draw on, from this function or from folium; a new one when omitted. The layers are
        added on top.
    tiles : {"osm", "tianditu"}, optional
        Street map under the layers of a new map: OpenStreetMap or 天地图. Only then does the page
        request anything from the network; without it the base is a hillshade.
    tianditu_key : str, optional
        Your key for 天地图, needed with ``tiles="tianditu"``. The page contains it.
    lang : {"zh", "en"}, default "zh"
        Language of the map.

    Returns
    -------
    folium.Map
        `m`, or a new `OfflineMap`. A notebook shows it, and ``save(path)`` writes it.

    Raises
    ------
    ArgumentTypeError
        If `thing` is none of these.
    UnknownNameError, OutOfRangeError
        If there is no such language or street map, or the key is missing.

    Examples
    --------
    >>> import ankang_coverage as ac
    >>> m = ac.explore(ac.datasets.ankang(900.0))  # doctest: +SKIP
    """
    words = vocabulary(lang, thing.programme.targets if isinstance(thing, Plan) else ())
    page = _of(thing, words, lang).page(words, tiles, tianditu_key)
    if m is None:
        return OfflineMap(page)
    OfflineMap.draw_on(m, page)
    return m


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
    plan : Plan
        The plan.
    lang : {"zh", "en"}, default "zh"
        Language of the map.
    basemap : {"osm", "tianditu"}, optional
        Street map under the layers: ``osm`` (OpenStreetMap) or ``tianditu`` (天地图). Only then
        does the page request anything from the network; without it the base is a hillshade.
    tianditu_key : str, optional
        Your key for 天地图, needed with ``basemap="tianditu"``. The page contains it.

    Returns
    -------
    OfflineMap
        A ``folium.Map``: shown by a notebook, written by ``save(path)``.

    Raises
    ------
    UnknownNameError, OutOfRangeError
        If there is no such language or base map, or the key is missing.
    RasterError
        If a coverage Dataset has no CRS or no threshold.
    """
    words = vocabulary(lang, plan.programme.targets)
    return OfflineMap(_of_plan(plan, words, lang).page(words, basemap, tianditu_key))


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
    region : Region
        The study area.
    coverage : Coverage or xarray.Dataset
        The coverage, or a (y, x) Dataset with ``rsrp_dbm`` and the attributes ``service`` and
        ``rsrp_threshold_dbm``, such as the result of `Coverage.to_dataset` read back from disk.
    network : Network, optional
        Sites to show.
    lang : {"zh", "en"}, default "zh"
        Language of the map.
    basemap, tianditu_key : Basemap, optional or str, optional
        As for `plan_map`.

    Returns
    -------
    OfflineMap
        A ``folium.Map``: shown by a notebook, written by ``save(path)``.

    Raises
    ------
    UnknownNameError, OutOfRangeError
        If there is no such language or base map, or the key is missing.
    RasterError
        If the Dataset has no CRS or no threshold.
    """
    words = vocabulary(lang)
    content = _of_coverage(region, _as_dataset(coverage), network, words)
    return OfflineMap(content.page(words, basemap, tianditu_key))


@dataclass(frozen=True)
class _Content:
    """What is particular to a map; `page` adds the parts that every map has.

    Attributes
    ----------
    title : str
        Title of the page.
    layers : sequence of MapLayer
        Layers above the relief.
    sources : sequence of Source
        Where the data come from.
    region : Region or None
        Gives the relief and the divisions; None where there is none.
    levels : mapping of str to geopandas.GeoDataFrame
        Tables of the divisions by level.
    lines : sequence of str
        Figures under the title.
    datasets : sequence of xarray.Dataset
        Predictions, for the notes on model and terrain.
    services : sequence of str
        Services whose figures the tables have.
    points : geopandas.GeoSeries or None
        Places the map is centred on where there is no region.
    """

    title: str
    layers: Sequence[MapLayer]
    sources: Sequence[Source]
    region: Region | None = None
    levels: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    lines: Sequence[str] = ()
    datasets: Sequence[xr.Dataset] = ()
    services: Sequence[str] = ()
    points: gpd.GeoSeries | None = None

    def page(
        self, words: Words, basemap: Basemap | None, tianditu_key: str | None
    ) -> dict[str, Any]:
        """Return the complete page."""
        base = [] if self.region is None else [hillshade_layer(self.region, words, on=not basemap)]
        if basemap is not None:
            base.append(tile_layer(basemap, tianditu_key, words))
        frame = self.points if self.region is None else self.region.counties
        levels = dict(self.levels)
        return {
            "language": words["language"],
            "title": self.title,
            "lines": list(self.lines),
            "notes": notes(self.sources, self.datasets, words),
            "sources": [source_line(source, words) for source in self.sources],
            "attribution": attribution(self.sources),
            "words": {key: words[key] for key in ("panel", "sources", "zoom_in", "zoom_out")},
            "bounds": bounds(frame),
            "outside": None if self.region is None else outside(self.region.counties),
            "has_tiles": basemap is not None,
            "areas": {
                level: feature_collection(table, levels, self.services, words)
                for level, table in levels.items()
            },
            "layers": [*self.layers, *base],
        }


def _of(thing: object, words: Words, lang: str) -> _Content:
    if isinstance(thing, Plan):
        return _of_plan(thing, words, lang)
    if isinstance(thing, Coverage):
        return _of_coverage(thing.region, thing.to_dataset(), thing.network, words)
    if isinstance(thing, Change):
        return _of_change(thing, words)
    if isinstance(thing, Network):
        return _of_network(thing, words)
    if isinstance(thing, Region):
        return _of_region(thing, words)
    raise ArgumentTypeError(
        f"explore draws a Region, a Network, a Coverage, a Change or a Plan, not a "
        f"{type(thing).__name__}"
    )


def _as_dataset(coverage: Coverage | xr.Dataset) -> xr.Dataset:
    return coverage if isinstance(coverage, xr.Dataset) else coverage.to_dataset()


def _of_region(region: Region, words: Words) -> _Content:
    levels = {level: getattr(region, level) for level in LEVELS}
    return _Content(
        title=region.name,
        layers=division_layers(region.counties, [], words),
        sources=region.sources,
        region=region,
        levels=levels,
    )


def _of_network(network: Network, words: Words) -> _Content:
    return _Content(
        title=words["existing_sites"],
        layers=[site_layer(network, words, on=True)],
        sources=with_sites(network.sources, [network.sites]),
        points=network.sites.geometry,
    )


def _of_coverage(
    region: Region, figures: xr.Dataset, network: Network | None, words: Words
) -> _Content:
    service = str(figures.attrs.get("service", "")).upper()
    name = words["coverage_only"].format(service=service)
    layers = [coverage_layer(figures, "coverage", name, words, on=True)]
    sources = list(region.sources)
    if network is not None:
        layers.insert(0, site_layer(network, words, on=True))
        sources = with_sites([*sources, *network.sources], [network.sites])
    whole_region = _of_region(region, words)
    return replace(
        whole_region,
        title=words["coverage_title"].format(region=region.name, service=service),
        layers=[*layers, *whole_region.layers],
        sources=sources,
        datasets=[figures],
    )


def _of_change(change: Change, words: Words) -> _Content:
    service, region = change.after.service.id.upper(), change.after.region
    whole_region = _of_region(region, words)
    networks = (change.before.network, change.after.network)
    return replace(
        whole_region,
        title=words["change_title"].format(region=region.name, service=service),
        layers=[
            site_layer(change.after.network, words, on=True),
            change_layer(change.to_dataset(), words),
            *whole_region.layers,
        ],
        sources=with_sites(
            [*region.sources, *change.after.network.sources],
            [network.sites for network in networks],
        ),
        datasets=[change.after.to_dataset()],
    )


def _of_plan(plan: Plan, words: Words, lang: str) -> _Content:
    services = list(plan.coverage_after)
    states = [
        (service, state, _as_dataset(coverages[service]))
        for service in services
        for state, coverages in [("after", plan.coverage_after), ("before", plan.coverage_before)]
    ]
    first = services[0] if services else None
    coverage = [
        coverage_layer(
            dataset,
            f"coverage-{service}-{state}",
            words[f"coverage_{state}"].format(service=service.upper()),
            words,
            on=(service, state) == (first, "after"),
        )
        for service, state, dataset in states
    ]
    sites = [*chosen_layers(plan, words, lang), site_layer(plan.network, words, on=False)]
    lines = [
        words["chosen_line"].format(
            programme=result.target.title(lang),
            number=whole((plan.chosen["programme"] == result.target.id).sum()),
        )
        for result in plan.results
    ]
    lines += [share_line(plan.counties, service, words) for service in services]
    return _Content(
        title=words["plan_title"].format(region=plan.region.name),
        layers=[*sites, *coverage, *division_layers(plan.counties, services, words)],
        sources=with_sites(plan.sources, [plan.network.sites, plan.chosen]),
        region=plan.region,
        levels={level: getattr(plan, level) for level in LEVELS},
        lines=lines,
        datasets=[dataset for _, _, dataset in states],
        services=services,
    )
