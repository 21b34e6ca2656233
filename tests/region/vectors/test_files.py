"""The door for vector files: what is opened, what is refused, what is listed."""

import json
import os
import sqlite3
from contextlib import closing

import geopandas as gpd
import pytest
import shapely

from ankang_coverage.errors import FileError, LimitError
from ankang_coverage.limits import use_limits
from ankang_coverage.region.vectors import layers_of, read_layer

SQUARE = [[[109.0, 32.6], [109.1, 32.6], [109.1, 32.7], [109.0, 32.6]]]


def frame(n=3):
    boxes = [shapely.box(109 + 0.1 * k, 32.6, 109.1 + 0.1 * k, 32.7) for k in range(n)]
    return gpd.GeoDataFrame({"name": [f"村{k}" for k in range(n)]}, geometry=boxes, crs=4326)


def geojson(path, *features, **more):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))
    return path


def feature(coordinates=SQUARE, kind="Polygon", **properties):
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


@pytest.mark.parametrize("name", ["v.gpkg", "v.geojson", "v.json", "v.shp"])
def test_every_documented_format_is_read_as_gdal_wrote_it(tmp_path, name):
    expected = frame()
    driver = "GeoJSON" if name.endswith("json") else None
    expected.to_file(tmp_path / name, driver=driver, encoding="utf-8")
    layer = read_layer(tmp_path / name)
    assert list(layer.table["name"]) == list(expected["name"])
    assert layer.table.index.tolist() == [1, 2, 3]
    assert layer.crs.to_epsg() == 4326
    shapes, wanted = (shapely.normalize(x) for x in (layer.shapes, expected.geometry.to_numpy()))
    assert shapely.equals_exact(shapes, wanted, 1e-9).all()
    assert (layer.faults == "").all()


@pytest.mark.parametrize("name", ["v.vrt", "v.kml", "v.csv", "v.gpkg.zip", "v"])
def test_other_formats_are_not_opened(tmp_path, name):
    (tmp_path / name).write_text("<OGRVRTDataSource/>")
    with pytest.raises(FileError, match="cannot read|is no"):
        read_layer(tmp_path / name)


@pytest.mark.parametrize("name", ["v.gpkg", "v.geojson", "v.shp"])
@pytest.mark.parametrize(
    "content",
    [
        b"<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>",
        b"",
        b"\0" * 2000,
        b"SQLite format 3\0" + b"\xff" * 200,
        b'{"type": "Topology", "objects": {}}',
        b"[" * 100_000,
    ],
    ids=["VRT", "empty", "zeros", "damaged SQLite", "TopoJSON", "deep"],
)
def test_another_content_under_the_name_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError) as refused:
        read_layer(tmp_path / name)
    assert len(str(refused.value).splitlines()) == 1


def test_shapes_that_are_wrong_alone_are_told_and_the_others_read(tmp_path):
    open_ring = [[[109.0, 32.6], [109.1, 32.6], [109.1, 32.7], [109.0, 32.7]]]
    path = geojson(
        tmp_path / "v.geojson",
        feature(name="well"),
        feature(open_ring, name="open"),
        {"type": "Feature", "properties": {"name": "none"}, "geometry": None},
        feature([[["x", 1], [2, 3], [4, 5], ["x", 1]]], name="text"),
        feature([], name="nothing"),
    )
    layer = read_layer(path)
    assert list(layer.table["name"]) == ["well", "open", "none", "text", "nothing"]
    assert layer.faults[0] == ""
    assert "not closed" in layer.faults[1]
    assert all(layer.faults[n] or layer.shapes[n] is None for n in (2, 3)), layer.faults


def test_lists_in_properties_become_text(tmp_path):
    path = geojson(tmp_path / "v.geojson", feature(name=["甲", {"a": 1}], people=3))
    table = read_layer(path).table
    assert table.loc[1, "name"] == '["甲", {"a": 1}]'
    assert table.loc[1, "people"] == 3


def test_a_geopackage_whose_layer_is_a_view_is_refused(tmp_path):
    """A view runs what it says when it is read; a table does not."""
    path = tmp_path / "v.gpkg"
    frame().to_file(path, layer="villages")
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "ALTER TABLE villages RENAME TO hidden;CREATE VIEW villages AS SELECT * FROM hidden;"
        )
    with pytest.raises(FileError, match="cannot read|view"):
        read_layer(path)


@pytest.mark.parametrize("name", ["v.gpkg", "v.geojson", "v.shp"])
@pytest.mark.parametrize(("limit", "most"), [("features", 2), ("vertices", 10)])
def test_more_than_is_allowed_is_refused_with_the_limit(tmp_path, name, limit, most):
    frame().to_file(tmp_path / name, driver="GeoJSON" if name.endswith("json") else None)
    with use_limits(**{limit: most}), pytest.raises(LimitError, match=f"{limit} under"):
        read_layer(tmp_path / name)
    with use_limits(**{limit: 30}):
        assert len(read_layer(tmp_path / name).table) == 3


def test_layers_are_told_with_whether_they_have_shapes(tmp_path):
    path = tmp_path / "v.gpkg"
    frame().to_file(path, layer='a "quoted" layer')
    frame().to_file(path, layer="villages")
    assert layers_of(path) == {'a "quoted" layer': True, "villages": True}
    assert len(read_layer(path, 'a "quoted" layer').table) == 3


@pytest.mark.parametrize("suffix", [".dbf", ".prj", ".shp"])
def test_a_shapefile_with_a_part_cut_off_is_refused(tmp_path, suffix):
    frame().to_file(tmp_path / "v.shp", encoding="utf-8")
    part = tmp_path / f"v{suffix}"
    part.write_bytes(part.read_bytes()[: part.stat().st_size * 2 // 3])
    with pytest.raises(FileError) as refused:
        read_layer(tmp_path / "v.shp")
    assert len(str(refused.value).splitlines()) == 1


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "folder.gpkg").mkdir()
    os.mkfifo(tmp_path / "pipe.gpkg")
    (tmp_path / "zero.geojson").symlink_to("/dev/zero")
    (tmp_path / "empty.shp").touch()
    for path, says in (
        (tmp_path / "folder.gpkg", "it is a folder"),
        (tmp_path / "pipe.gpkg", "it is a device or a pipe"),
        (tmp_path / "zero.geojson", "it is a device or a pipe"),
        (tmp_path / "empty.shp", "is empty"),
        ("/vsicurl/http://127.0.0.1:9/v.gpkg", "there is no such file"),
        ("http://127.0.0.1:9/v.geojson", "there is no such file"),
        ("zip://a.zip!v.shp", "there is no such file"),
    ):
        with pytest.raises(FileError, match=says):
            read_layer(path)
