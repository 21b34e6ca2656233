"""Places stand along roads, evenly spaced and inside the region."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.sources.roads import places_along


def test_places_are_evenly_spaced_along_a_road(small_region):
    west, south, east, _ = small_region.villages.total_bounds
    road = LineString([(west - 500, south + 1000), (east + 500, south + 1000)])
    places = places_along(gpd.GeoDataFrame(geometry=[road], crs=32649), 450.0, small_region)
    x = np.sort(places.geometry.x.to_numpy())
    assert x[0] == pytest.approx(west)
    assert x[-1] == pytest.approx(east)
    assert np.diff(x) == pytest.approx(450.0)
    assert set(places["reason"]) == {"by_a_road"}


def test_roads_in_another_crs_are_brought_over(small_region):
    west, south, east, _ = small_region.villages.total_bounds
    road = gpd.GeoDataFrame(
        geometry=[LineString([(west, south + 900), (east, south + 900)])], crs=32649
    )
    here = places_along(road, 500.0, small_region).geometry
    there = places_along(road.to_crs(4326), 500.0, small_region).geometry
    assert len(here) == len(there)
    assert here.distance(there).max() < 2.0


def test_lines_too_long_to_be_roads_are_named(small_region):
    west, south, east, _ = small_region.villages.total_bounds
    there_and_back = np.where(np.arange(40_000) % 2, west, east)
    road = LineString(np.stack([there_and_back, np.linspace(south, south + 900, 40_000)], axis=1))
    with pytest.raises(PlanningError, match=r"are 21\d,\d+ km long, .* more than 1,000,000 places"):
        places_along(gpd.GeoDataFrame(geometry=[road], crs=32649), 100.0, small_region)


@pytest.mark.parametrize(
    ("roads", "says"),
    [
        (gpd.GeoDataFrame(geometry=[Point(0, 0)], crs=4326), "none of the 1 geometries"),
        (gpd.GeoDataFrame(geometry=[LineString([(0, 0), (1, 1)])]), "roads have no CRS"),
    ],
)
def test_what_is_no_road_is_named(small_region, roads, says):
    with pytest.raises(PlanningError, match=says):
        places_along(roads, 500.0, small_region)
