"""Candidate poles stand where people are and on the heights above them, each with its cost."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString

from ankang_coverage.planning.places import pixels_at
from ankang_coverage.planning.sources.settings import CandidateSettings
from ankang_coverage.planning.target import Situation, Target


@pytest.fixture
def target():
    return Target(
        id="micro",
        kind="micro",
        number=1,
        service="4g",
        radio_layers=("lte-b8", "lte-b3"),
        minimum_spacing_m=500,
        height_m=12,
    )


def with_settings(target, **settings):
    return target.model_copy(update={"candidates": CandidateSettings(**settings)})


@pytest.fixture
def found(small_region, small_network, target):
    return target.propose(Situation(small_region, small_network))


def test_candidates_are_equipped_and_keep_apart(found):
    sites = found.network.sites
    assert set(sites["kind"]) == {"micro"}
    assert set(sites["status"]) == {"candidate"}
    assert len(found.network.cells) == 2 * len(sites)
    assert set(found.network.cells["height_m"]) == {12.0}
    x, y = sites.geometry.x.to_numpy(), sites.geometry.y.to_numpy()
    distance = np.hypot(x[:, None] - x, y[:, None] - y) + 1e9 * np.eye(len(x))
    assert distance.min() > 300.0


def test_ids_say_on_which_pixel_a_pole_stands(found, small_region):
    sites = found.network.sites
    pixels = pixels_at(sites.geometry.x.to_numpy(), sites.geometry.y.to_numpy(), small_region)
    rows, columns = np.unravel_index(pixels, small_region.geobox.shape)
    by_pixel = zip(rows, columns, strict=True)
    assert sites.index.tolist() == [f"micro-{r:04d}-{c:04d}" for r, c in by_pixel]


def test_roads_that_cannot_be_used_are_listed_among_what_is_dropped(
    small_region, small_network, target, tmp_path
):
    west, south, east, _ = small_region.villages.total_bounds
    road = LineString([(west, south + 900), (east, south + 900)])
    path = tmp_path / "roads.gpkg"
    gpd.GeoDataFrame(geometry=[road, None], crs=32649).to_file(path)
    asked = with_settings(target, sources=("roads",), roads=path)
    dropped = asked.propose(Situation(small_region, small_network)).dropped
    told = dropped[dropped["id"] == "roads.gpkg, feature 2"]
    assert told[["source", "reason"]].values.tolist() == [["by_a_road", "no shape"]]


def test_every_candidate_has_a_cost_and_a_reason(found):
    assert set(found.reasons) <= {"valley", "ridge", "village_centre", "high_point"}
    assert set(found.table["construction"]) == {"pole"}
    assert (found.table["cost_yuan"] >= 60_000).all()


def test_what_was_merged_names_a_cheaper_candidate_nearby(found):
    merged = found.dropped[found.dropped["reason"].str.startswith("within")]
    assert len(merged)
    keepers = merged["reason"].str.extract(r"within 300 m of (\S+)")[0]
    assert set(keepers) <= set(found.table.index)


def test_higher_antennas_need_a_tower(small_region, small_network, target):
    tall = target.model_copy(update={"height_m": 30.0})
    table = tall.propose(Situation(small_region, small_network)).table
    assert set(table["construction"]) == {"tower"}
    assert (table["cost_yuan"] >= 200_000).all()


def test_a_pole_with_panels_has_two_back_to_back(small_region, small_network, target):
    panels = target.model_copy(update={"service": "5g", "radio_layers": ("nr-n78",)})
    cells = panels.propose(Situation(small_region, small_network)).network.cells
    assert set(cells["antenna"]) == {"micro-65-12dbi"}
    for _, pole in cells.groupby("site"):
        assert pole["azimuth_deg"].tolist() == [0.0, 180.0]


def test_unknown_ground_gives_no_heights(small_region, small_network, target):
    unknown = small_region.rasters["elevation_m"] * np.nan
    region = replace(small_region, rasters=small_region.rasters.assign(elevation_m=unknown))
    assert set(target.propose(Situation(region, small_network)).reasons) <= {
        "valley",
        "village_centre",
    }


def test_what_is_too_steep_drops_out_with_its_slope(small_region, small_network, target):
    gentle = with_settings(target, slope_limit_deg=4.0)
    found = gentle.propose(Situation(small_region, small_network))
    steep = found.dropped[found.dropped["reason"].str.startswith("slope")]
    assert len(steep)
    assert steep["reason"].str.fullmatch(r"slope \d+° above 4°").all()


def test_forced_sites_are_neither_merged_nor_dropped(small_region, small_network, target, found):
    went = found.dropped.loc[found.dropped["reason"].str.startswith("within"), "id"].iloc[0]
    forcing = with_settings(target, slope_limit_deg=0.001).model_copy(update={"forced": (went,)})
    again = forcing.propose(Situation(small_region, small_network))
    assert again.table.index.tolist() == [went]
