"""What rules a place out is told, each reason against a case made for it."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from builders import write_shapes
from shapely import LineString, box

from ankang_coverage.errors import FileError
from ankang_coverage.planning.sources.settings import CandidateSettings
from ankang_coverage.planning.suitability import slope_deg, unsuitable
from ankang_coverage.planning.vector_files import read_roads


@pytest.fixture
def places(small_region):
    west, south, _, _ = small_region.villages.total_bounds
    x, y = west + np.array([500.0, 2500.0, -900.0]), south + np.array([500.0, 2500.0, 0.0])
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=32649)


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
        slope_limit_deg=None, forbidden_areas=write_shapes(tmp_path / "reserve.gpkg", [area], 32649)
    )
    assert unsuitable(places, settings, small_region, None).tolist()[:2] == [
        "in a forbidden area",
        "",
    ]


def test_places_far_from_roads_are_out_with_the_distance(places, small_region, tmp_path):
    x, y = places.geometry[0].x, places.geometry[0].y
    road = write_shapes(
        tmp_path / "roads.gpkg", [LineString([(x - 3e3, y + 100), (x + 9e3, y + 100)])], 32649
    )
    settings = CandidateSettings(slope_limit_deg=None, roads=road, farthest_from_road_m=500)
    lines, _ = read_roads(road)
    reasons = unsuitable(places, settings, small_region, lines)
    assert reasons[0] == ""
    assert reasons[1] in {f"{d} m from the next road, above 500 m" for d in (1899, 1900, 1901)}


def test_areas_a_world_away_forbid_nothing_here(places, small_region, tmp_path):
    everywhere = write_shapes(
        tmp_path / "world.gpkg", [box(20.9, -0.1, 21.1, 0.1), box(-70, -32, -69, -31)]
    )
    settings = CandidateSettings(slope_limit_deg=None, forbidden_areas=everywhere)
    assert unsuitable(places, settings, small_region, None).tolist()[:2] == ["", ""]


def test_a_file_that_cannot_be_read_is_named(places, small_region, tmp_path):
    settings = CandidateSettings(forbidden_areas=tmp_path / "none.gpkg")
    with pytest.raises(FileError, match=r"cannot read .*none\.gpkg"):
        unsuitable(places, settings, small_region, None)
