"""Files of roads and of areas in which nothing is built."""

import geopandas as gpd
import numpy as np
import pytest
from builders import write_shapes
from shapely import LineString, MultiLineString, Polygon, box

from ankang_coverage.errors import FileError, PlanningError
from ankang_coverage.planning.vector_files import as_lines, read_areas, read_roads

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
        read_areas(write_shapes(tmp_path / "areas.gpkg", [SQUARE, wrong]))


def test_roads_that_cannot_be_used_are_told_and_the_others_read(tmp_path):
    roads, wrong = read_roads(
        write_shapes(tmp_path / "roads.gpkg", [None, ROAD, SQUARE, LineString()])
    )
    assert roads.geometry.tolist() == [ROAD]
    assert wrong.to_dict() == {
        1: "no shape",
        3: "a Polygon where a line is needed",
        4: "an empty shape",
    }
    with pytest.raises(PlanningError, match=r"none of the 2 features .* the first has a Polygon"):
        read_roads(write_shapes(tmp_path / "squares.gpkg", [SQUARE, SQUARE]))
    with pytest.raises(PlanningError, match="has no geometry with a CRS"):
        read_roads(write_shapes(tmp_path / "nothing.gpkg", [None, None]))


def test_a_file_of_roads_that_changes_is_read_again(tmp_path):
    path = write_shapes(tmp_path / "roads.gpkg", [ROAD])
    assert len(read_roads(path)[0]) == 1
    write_shapes(tmp_path / "roads.gpkg", [ROAD, ROAD])
    assert len(read_roads(path)[0]) == 2


def test_lines_of_a_table_are_single_and_in_the_regions_crs(small_region):
    west, south, east, _ = small_region.villages.total_bounds
    near = [LineString([(west, y), (east, y)]) for y in (south + 100, south + 900)]
    both = gpd.GeoSeries([MultiLineString(near)], crs=32649).to_crs(4326)
    table = gpd.GeoDataFrame(geometry=[both[0], ROAD, SQUARE, None], crs=4326)
    lines = as_lines(table, small_region)
    assert len(lines) == 3
    assert [
        line.hausdorff_distance(given) < 0.01 for line, given in zip(lines, near, strict=False)
    ] == [True] * 2


@pytest.mark.parametrize(
    ("shapes", "crs", "says"),
    [([ROAD], None, "roads have no CRS"), ([SQUARE, None], 4326, "none of the 2 geometries")],
)
def test_a_table_that_holds_no_road_is_refused(small_region, shapes, crs, says):
    with pytest.raises(PlanningError, match=says):
        as_lines(gpd.GeoDataFrame(geometry=shapes, crs=crs), small_region)
