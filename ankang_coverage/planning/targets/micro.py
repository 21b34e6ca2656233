"""Rural micro base stations: poles in the valleys and on the heights near villages."""

from collections.abc import Callable, Mapping
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.candidate_sources.own import own_places
from ankang_coverage.planning.candidate_sources.people import places_among_people
from ankang_coverage.planning.candidate_sources.roads import BY_A_ROAD, places_along
from ankang_coverage.planning.candidate_sources.towers import co_location, towers_without
from ankang_coverage.planning.candidate_sources.villages import high_points, village_centres
from ankang_coverage.planning.candidates import (
    Candidates,
    dropped_rows,
    locate,
    merge,
    nothing_dropped,
)
from ankang_coverage.planning.costs import UnitPrices, line_distances_m
from ankang_coverage.planning.places import OUTSIDE, pixels_at
from ankang_coverage.planning.programme import Target
from ankang_coverage.planning.rules import CandidateSettings
from ankang_coverage.planning.suitability import Roads, unsuitable
from ankang_coverage.region import Region
from ankang_coverage.sites import Network, equip, no_rejections
from ankang_coverage.sites.catalogue import Catalogue


def micro_candidates(
    region: Region,
    network: Network,
    target: Target,
    *,
    locked: gpd.GeoDataFrame | None = None,
) -> Candidates:
    """Place candidate poles, and candidate equipment on towers where asked for.

    Parameters
    ----------
    region
        Terrain and divisions.
    network
        Sites that stand: nothing is placed on them but what shares their tower.
    target
        Sources of places, limits, height and radio layers.
    locked
        Sites of an earlier plan that stay candidates, points indexed by id.

    Returns
    -------
    Candidates
        Sites of kind micro, equipped with the target's radio layers, called
        ``<target>-<row>-<column>`` after their pixel; and towers under their own ids. ``source``
        is ``candidate``.

    Raises
    ------
    PlanningError, FileError
        If a file named in the settings cannot be used.
    """
    settings = target.candidates
    prices = UnitPrices.from_yaml(settings.costs)
    roads = Roads.of(settings)
    places = _places(region, target, locked, roads)
    places.insert(0, "id", _ids(places, region, target))
    places = places[~places["id"].duplicated()].set_index("id")
    if "towers" in settings.sources:
        places = places.drop(index=places.index.intersection(network.sites.index))
    barred = unsuitable(places, settings, region, roads)
    keep = list(target.forced) if locked is None else [*target.forced, *locked.index]
    barred[places.index.isin(keep) & (barred != "outside the region's grid")] = ""
    barred[places.index.isin(network.sites.index)] = "a site of this id stands already"
    built = places["construction"].replace("", prices.construction(target.height_m))
    places = places.assign(construction=built)
    suitable = places[barred == ""]
    sites = _sites(suitable, region)
    costs = prices.of(
        suitable["construction"].to_numpy(object), *line_distances_m(sites, network.sites, region)
    )
    table = pd.DataFrame(
        {
            "construction": suitable["construction"],
            "cost_yuan": np.where(
                suitable["cost_yuan"].isna(), costs, suitable["cost_yuan"].fillna(0.0).round()
            ).astype(np.int64),
            "owner": suitable["owner"],
            "reason": suitable["reason"],
        },
        index=sites.index,
    )
    poles = Candidates(
        network=Network(
            sites=sites,
            cells=_cells(sites, target, network.catalogue),
            rejected=no_rejections(),
            catalogue=network.catalogue,
        ),
        table=table,
        dropped=pd.concat(
            [
                nothing_dropped(),
                _roads_left_out(settings, roads),
                dropped_rows(places[barred != ""], places[barred != ""], barred[barred != ""]),
            ],
            ignore_index=True,
        ),
    )
    if "towers" in settings.sources:
        poles = _with_towers(poles, network, target, prices)
    return merge(poles, settings.merge_within_m, keep)


def _places(
    region: Region, target: Target, locked: gpd.GeoDataFrame | None, roads: Roads | None
) -> gpd.GeoDataFrame:
    """Return the places of every source that something new could stand on, in their order."""
    settings = target.candidates
    blank = {"site": "", "name": "", "owner": "", "construction": "", "cost_yuan": np.nan}
    sources: dict[str, _Source] = {**_SOURCES, "roads": partial(_along_roads, roads)}
    found = [
        sources[source](region, target, settings)
        for source in settings.sources
        if source in sources
    ]
    if locked is not None:
        found.insert(
            0,
            gpd.GeoDataFrame(
                {
                    "site": locked.index.to_numpy(object),
                    "name": locked["name"].to_numpy(object),
                    "reason": locked["reason"].to_numpy(object),
                    "construction": locked["construction"].to_numpy(object),
                    "cost_yuan": locked["cost_yuan"].to_numpy(np.float64),
                },
                geometry=locked.geometry.to_numpy(),
                crs=region.villages.crs,
            ),
        )
    whole = [
        places.assign(**{column: value for column, value in blank.items() if column not in places})[
            ["reason", *blank, "geometry"]
        ]
        for places in found
    ]
    if not whole:
        return gpd.GeoDataFrame(
            {column: pd.Series(dtype=object) for column in ("reason", *blank)},
            geometry=gpd.GeoSeries([], crs=region.villages.crs),
        )
    joined = pd.concat(whole, ignore_index=True)
    return gpd.GeoDataFrame(joined, geometry="geometry", crs=region.villages.crs)


def _among_people(region: Region, target: Target, settings: CandidateSettings) -> gpd.GeoDataFrame:
    counts = region.villages["kind"].isin(target.serves).to_numpy()
    people = region.shares.people[counts]
    total = np.bincount(people.indices, people.data, minlength=people.shape[1]).astype(np.int64)
    return places_among_people(region, total, settings.people_within_m, settings.fewest_people)


def _high_points(region: Region, target: Target, settings: CandidateSettings) -> gpd.GeoDataFrame:
    return high_points(
        region,
        target.serves,
        height_m=target.height_m,
        within_m=settings.people_within_m,
        number=settings.high_points,
    )


def _along_roads(
    roads: Roads | None, region: Region, target: Target, settings: CandidateSettings
) -> gpd.GeoDataFrame:
    if roads is None:
        raise PlanningError(f"target {target.id}: source 'roads' needs a file of roads")
    return places_along(roads.lines, settings.road_spacing_m, region)


def _roads_left_out(settings: CandidateSettings, roads: Roads | None) -> pd.DataFrame:
    """Return the features of the file of roads that cannot be used, as places that are dropped."""
    if settings.roads is None or roads is None:
        return nothing_dropped()
    wrong = roads.left_out
    return nothing_dropped().assign(
        id=[f"{settings.roads.name}, feature {number}" for number in wrong.index],
        source=BY_A_ROAD,
        reason=wrong.to_numpy(object),
    )


def _own(region: Region, target: Target, settings: CandidateSettings) -> gpd.GeoDataFrame:
    if settings.own is None:
        raise PlanningError(f"target {target.id}: source 'own' needs a table of places")
    return own_places(settings.own, coordinates=settings.coordinates, crs=region.villages.crs)


_Source = Callable[[Region, Target, CandidateSettings], gpd.GeoDataFrame]
_SOURCES: Mapping[str, _Source] = {
    "people": _among_people,
    "villages": lambda region, target, _: village_centres(region, target.serves),
    "high points": _high_points,
    "own": _own,
}


def _ids(places: gpd.GeoDataFrame, region: Region, target: Target) -> pd.Series:
    """Return the places' own ids, or such that say on which pixel they are."""
    pixels = pixels_at(places.geometry.x.to_numpy(), places.geometry.y.to_numpy(), region)
    rows, columns = np.unravel_index(np.maximum(pixels, 0), region.geobox.shape)
    by_pixel = [
        f"{target.id}-{row:04d}-{column:04d}" if pixel != OUTSIDE else f"{target.id}-outside-{n}"
        for n, (pixel, row, column) in enumerate(zip(pixels, rows, columns, strict=True))
    ]
    own = places["site"]
    return own.where(own != "", pd.Series(by_pixel, index=places.index, dtype=object))


def _sites(places: gpd.GeoDataFrame, region: Region) -> gpd.GeoDataFrame:
    sites = gpd.GeoDataFrame(
        {"status": "candidate", "kind": "micro", "source": "candidate"},
        index=pd.Index(places.index, name="site"),
        geometry=places.geometry.to_numpy(),
        crs=region.villages.crs,
    )
    place = locate(sites, region)
    names = place["county_name"] + place["township_name"] + "-" + sites.index
    own = places["name"].set_axis(sites.index)
    sites.insert(0, "name", own.where(own != "", names))
    return sites


def _cells(sites: gpd.GeoDataFrame, target: Target, catalogue: Catalogue) -> pd.DataFrame:
    return pd.concat(
        [
            equip(
                list(sites.index),
                layer,
                kind="micro",
                azimuths_deg=_azimuths_deg(layer, catalogue),
                height_m=target.height_m,
                catalogue=catalogue,
            )
            for layer in target.radio_layers
        ]
    )


def _azimuths_deg(layer: str, catalogue: Catalogue) -> tuple[float, ...]:
    """Return one boresight for an omnidirectional antenna, two back to back for a panel."""
    antenna = catalogue.antenna(catalogue.radio_layer(layer).antenna_for("micro"))
    return (0.0,) if antenna.pattern.omnidirectional else (0.0, 180.0)


def _with_towers(
    poles: Candidates, network: Network, target: Target, prices: UnitPrices
) -> Candidates:
    """Put the towers that lack the target's radio layers before the poles."""
    towers = towers_without(network, target.radio_layers, target.radio_layers)
    lacked = " or ".join(target.radio_layers)
    return Candidates(
        network=towers.plus(poles.network),
        table=pd.concat([co_location(network, towers, lacked, prices), poles.table]),
        dropped=poles.dropped,
    )
