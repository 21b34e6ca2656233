"""Rural micro base stations: poles in valleys and on high ground near villages."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import Field

from ankang_coverage.planning.candidates import Candidates, dropped_rows, locate, merge
from ankang_coverage.planning.costs import UnitPrices, line_distances_m
from ankang_coverage.planning.demand import Demand
from ankang_coverage.planning.places import OUTSIDE, pixels_at
from ankang_coverage.planning.sources.base import PlaceSearch, no_places
from ankang_coverage.planning.sources.people import people_within
from ankang_coverage.planning.sources.settings import CandidateSettings
from ankang_coverage.planning.suitability import unsuitable
from ankang_coverage.planning.target import Situation, Target
from ankang_coverage.planning.vector_files import read_roads
from ankang_coverage.region import Region
from ankang_coverage.settings import Number
from ankang_coverage.sites import Network, make_cells, no_rejections
from ankang_coverage.sites.catalogue import Catalogue
from ankang_coverage.words import Words

_STANDS_ALREADY = "a site of this id stands already"
_OUTSIDE_GRID = "outside the region's grid"
_BLANK = {"site": "", "name": "", "owner": "", "construction": "", "cost_yuan": np.nan}


class MicroTarget(Target):
    """New poles, or new towers where the antennas are high, that carry micro base stations."""

    kind_words: ClassVar = Words("农村微基站", "rural micro base stations")
    description: ClassVar = "new poles, or towers where `height_m` needs them, near people"
    words: ClassVar = {
        "micro": Words("微站", "micro"),
        "pole": Words("新建杆", "pole"),
        "tower": Words("新建塔", "tower"),
    }

    kind: Literal["micro"] = "micro"
    """Kind of target."""
    height_m: Number = Field(default=12.0, ge=3.0, le=150.0)
    """Antenna height of new poles [m]; on existing towers it is the tower's."""
    candidates: CandidateSettings = Field(default_factory=CandidateSettings)
    """Where candidates come from, and which places are ruled out."""

    @property
    def words_used(self) -> Mapping[str, Words]:
        """Its own words, and those of its sources."""
        words = dict(self.words)
        for source in self.candidates.places_from:
            words |= source.words
        return words

    def propose(self, situation: Situation) -> Candidates:
        """Place candidate poles, and candidate equipment on towers where a source has them.

        Parameters
        ----------
        situation : Situation
            Region and network. New poles are not placed on existing sites. Locked sites stay
            candidates.

        Returns
        -------
        Candidates
            Sites of kind micro with the target's radio layers and ids ``<target>-<row>-<column>``
            by their pixel; and towers under their own ids. ``source`` is ``candidate``.

        Raises
        ------
        PlanningError, FileError
            If a file named in the settings cannot be used.
        """
        search = self._search(situation)
        sources = self.candidates.places_from
        on_towers = [found for s in sources if (found := s.on_towers(search)) is not None]
        places = _places(search, situation)
        places.insert(0, "id", _ids(places, situation.region, self))
        places = places[~places["id"].duplicated()].set_index("id")
        if on_towers:
            existing = situation.network.sites.index
            places = places.drop(index=places.index.intersection(existing))
        keep = [*self.forced, *situation.locked_ids]
        poles = self._built_on(places, search, keep)
        for towers in on_towers:
            poles = Candidates(
                network=towers.network.plus(poles.network),
                table=pd.concat([towers.table, poles.table]),
                dropped=poles.dropped,
            )
        return merge(poles, self.candidates.merge_within_m, keep)

    def review(self, found: Candidates, demand: Demand, situation: Situation) -> Candidates:
        """Return the candidates with enough uncovered people near them.

        Candidates on towers, forced ones and locked ones stay in any case. Those whose cells an
        earlier target has built are dropped.

        Parameters
        ----------
        found : Candidates
            What `propose` returned.
        demand : Demand
            What is not yet covered.
        situation : Situation
            Region, and the network with the sites of earlier targets.

        Returns
        -------
        Candidates
            Those to keep; the others are dropped, with the reason.
        """
        region, settings = situation.region, self.candidates
        existing = situation.network.cells.index.intersection(found.network.cells.index)
        twice = found.network.cells.loc[existing, "site"]
        found = found.only(~found.table.index.isin(twice), _STANDS_ALREADY)
        sites = found.network.sites
        x_m, y_m = sites.geometry.x.to_numpy(), sites.geometry.y.to_numpy()
        amount = np.maximum(demand.people, demand.wanted)
        near = people_within(region, amount, settings.people_within_m).ravel()
        worth = near[pixels_at(x_m, y_m, region)] >= settings.fewest_people
        worth |= found.table["construction"].eq("co-location").to_numpy()
        worth |= found.table.index.isin([*self.forced, *situation.locked_ids])
        return found.only(
            worth,
            f"fewer than {settings.fewest_people:g} people not yet served within "
            f"{settings.people_within_m:g} m",
        )

    def _search(self, situation: Situation) -> PlaceSearch:
        """Return what the sources work from; the file of roads is read once."""
        search = PlaceSearch(situation.region, situation.network, self)
        if self.candidates.roads is None or not self.candidates.reads_roads:
            return search
        lines, unusable = read_roads(self.candidates.roads)
        return PlaceSearch(situation.region, situation.network, self, lines, unusable)

    def _built_on(
        self, places: gpd.GeoDataFrame, search: PlaceSearch, keep: list[str]
    ) -> Candidates:
        """Equip the places where something can be built, and drop the others with a reason."""
        region, network, settings = search.region, search.network, self.candidates
        prices = UnitPrices.from_yaml(settings.costs)
        barred = unsuitable(places, settings, region, search.roads)
        barred[places.index.isin(keep) & (barred != _OUTSIDE_GRID)] = ""
        barred[places.index.isin(network.sites.index)] = _STANDS_ALREADY
        built = places["construction"].replace("", prices.construction(self.height_m))
        places = places.assign(construction=built)
        suitable, unsuited = places[barred == ""], places[barred != ""]
        sites = _sites(suitable, region)
        costs = prices.of(
            suitable["construction"].to_numpy(object),
            *line_distances_m(sites, network.sites, region),
        )
        own_costs = suitable["cost_yuan"]
        return Candidates(
            network=Network(
                sites=sites,
                cells=_cells(sites, self, network.catalogue),
                rejected=no_rejections(),
                catalogue=network.catalogue,
            ),
            table=pd.DataFrame(
                {
                    "construction": suitable["construction"],
                    "cost_yuan": np.where(
                        own_costs.isna(), costs, own_costs.fillna(0.0).round()
                    ).astype(np.int64),
                    "owner": suitable["owner"],
                    "reason": suitable["reason"],
                },
                index=sites.index,
            ),
            dropped=pd.concat(
                [
                    search.roads_left_out(),
                    dropped_rows(unsuited, unsuited, barred[barred != ""]),
                ],
                ignore_index=True,
            ),
        )


def _places(search: PlaceSearch, situation: Situation) -> gpd.GeoDataFrame:
    """Return the places of every source for something new, in the order of the sources."""
    found = [source.places(search) for source in search.target.candidates.places_from]
    if situation.locked is not None:
        exists = situation.locked.index.isin(search.network.sites.index)
        found.insert(0, _locked_places(situation.locked[~exists]))
    whole = [
        places.assign(**{column: value for column, value in _BLANK.items() if column not in places})
        for places in (no_places(search.region), *found)
    ]
    columns = ["reason", *_BLANK, "geometry"]
    crs = search.region.villages.crs
    filled = [places[columns] for places in whole if len(places)] or [whole[0][columns]]
    joined = pd.concat(filled, ignore_index=True)
    return gpd.GeoDataFrame(joined, geometry="geometry", crs=crs)


def _locked_places(locked: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return sites of an earlier plan as places."""
    columns = locked[["name", "reason", "construction", "cost_yuan"]]
    places = gpd.GeoDataFrame(columns, geometry=locked.geometry).reset_index(drop=True)
    return places.assign(
        site=locked.index.to_numpy(object), cost_yuan=places["cost_yuan"].astype(np.float64)
    )


def _ids(places: gpd.GeoDataFrame, region: Region, target: MicroTarget) -> pd.Series:
    """Return the places' own ids, or ids made from their pixel."""
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


def _cells(sites: gpd.GeoDataFrame, target: MicroTarget, catalogue: Catalogue) -> pd.DataFrame:
    return pd.concat(
        [
            make_cells(
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
