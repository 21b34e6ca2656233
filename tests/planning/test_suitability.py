"""What rules a place out is told, each reason against a case made for it."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Polygon, box

from ankang_coverage.errors import FileError, PlanningError
from ankang_coverage.planning.sources.settings import CandidateSettings
from ankang_coverage.planning.suitability import slope_deg, unsuitable
from ankang_coverage.planning.vector_files import read_areas, read_roads


@pytest.fixture
def places(small_region):
    west, south, _, _ = small_region.villages.total_bounds
    x, y = west + np.array([500.0, 2500.0, -900.0]), south + np.array([500.0, 2500.0, 0.0])
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=32649)


def write(tmp_path, geometry, name):
    path = tmp_path / f"{name}.gpkg"
    gpd.GeoDataFrame(geometry=[geometry], crs=32649).to_crs(4326).to_file(path)
    return path


def test_a_plane_has_its_slope_everywhere(small_region):
    y, x = np.mgrid[0:60, 0:60] * 90.0
    plane = small_region.rasters["elevation_m"].copy(data=(0.3 * x + 0.4 * y).astype(np.float32))
    tilted = replace(small_region, rasters=small_region.rasters.assign(elevation_m=plane))
    assert slope_deg(tilted) == pytest.approx(np.degrees(np.arctan(0.5)), abs=0.01)


def test_places_off_the_grid_are_out(places, small_region):
    settings = CandidateSettings(slope_limit_deg=None)
    reasons = unsuitable(places, settings, small_region, None)
    assert reasons.tolist() == ["", "", "outside the region's grid"]


def test_forbidden_areas_are_out(places, small_region, tmp_path):
    area = box(*places.geometry[0].buffer(50.0).bounds)
    settings = CandidateSettings(
        slope_limit_deg=None, forbidden_areas=write(tmp_path, area, "reserve")
    )
    assert unsuitable(places, settings, small_region, None).tolist()[:2] == [
        "in a forbidden area",
        "",
    ]


def test_places_far_from_roads_are_out_with_the_distance(places, small_region, tmp_path):
    x, y = places.geometry[0].x, places.geometry[0].y
    road = write(tmp_path, LineString([(x - 3e3, y + 100), (x + 9e3, y + 100)]), "roads")
    settings = CandidateSettings(slope_limit_deg=None, roads=road, farthest_from_road_m=500)
    lines, _ = read_roads(road)
    reasons = unsuitable(places, settings, small_region, lines)
    assert reasons[0] == ""
    assert reasons[1] in {f"{d} m from the next road, above 500 m" for d in (1899, 1900, 1901)}


def many(tmp_path, shapes, name):
    path = tmp_path / f"{name}.gpkg"
    gpd.GeoDataFrame(geometry=shapes, crs=4326).to_file(path)
    return path


SQUARE = box(111.0, 32.0, 111.1, 32.1)
ROAD = LineString([(111.0, 32.0), (111.1, 32.1)])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (None, "feature 2: no shape"),
        (Polygon(), "feature 2: an empty shape"),
        (ROAD, "feature 2: a LineString where a polygon is needed"),
        (
            Polygon([(111, 32), (np.inf, 33), (112, 32)]),
            "feature 2: a coordinate that is no number",
        ),
        (Polygon(np.random.default_rng(0).random((300, 2))), "feature 2: .* cross too often"),
    ],
)
def test_a_forbidden_area_that_cannot_be_used_is_an_error(tmp_path, wrong, says):
    with pytest.raises(FileError, match=rf"areas\.gpkg, {says}"):
        read_areas(many(tmp_path, [SQUARE, wrong], "areas"))


def test_roads_that_cannot_be_used_are_told_and_the_others_read(tmp_path):
    roads, wrong = read_roads(many(tmp_path, [None, ROAD, SQUARE, LineString()], "roads"))
    assert roads.geometry.tolist() == [ROAD]
    assert wrong.to_dict() == {
        1: "no shape",
        3: "a Polygon where a line is needed",
        4: "an empty shape",
    }
    with pytest.raises(PlanningError, match=r"none of the 2 features .* the first has a Polygon"):
        read_roads(many(tmp_path, [SQUARE, SQUARE], "squares"))
    with pytest.raises(PlanningError, match="has no geometry with a CRS"):
        read_roads(many(tmp_path, [None, None], "nothing"))


def test_a_file_of_roads_that_changes_is_read_again(tmp_path):
    path = many(tmp_path, [ROAD], "roads")
    assert len(read_roads(path)[0]) == 1
    many(tmp_path, [ROAD, ROAD], "roads")
    assert len(read_roads(path)[0]) == 2


def test_areas_a_world_away_forbid_nothing_here(places, small_region, tmp_path):
    everywhere = many(tmp_path, [box(20.9, -0.1, 21.1, 0.1), box(-70, -32, -69, -31)], "world")
    settings = CandidateSettings(slope_limit_deg=None, forbidden_areas=everywhere)
    assert unsuitable(places, settings, small_region, None).tolist()[:2] == ["", ""]


def test_a_file_that_cannot_be_read_is_named(places, small_region, tmp_path):
    settings = CandidateSettings(forbidden_areas=tmp_path / "none.gpkg")
    with pytest.raises(FileError, match=r"cannot read .*none\.gpkg"):
        unsuitable(places, settings, small_region, None)
