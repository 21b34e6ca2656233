"""GeoJSON: what is written wrong alone is told, what asks for too much is refused."""

import json
import subprocess
import sys

import pytest
import shapely

from ankang_coverage.errors import FileError, LimitError
from ankang_coverage.limits import use_limits
from ankang_coverage.region.vectors import faults_of_shapes, read_layer

SQUARE = [[109.0, 32.0], [110.0, 32.0], [110.0, 33.0], [109.0, 33.0], [109.0, 32.0]]
HOLE = [[109.2, 32.2], [109.4, 32.2], [109.4, 32.4], [109.2, 32.2]]


def save(tmp_path, content):
    path = tmp_path / "v.geojson"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def collection(*features, **more):
    return {"type": "FeatureCollection", "features": list(features), **more}


def feature(geometry=None, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


SHAPES = [
    {"type": "Point", "coordinates": [109.0, 32.0]},
    {"type": "Point", "coordinates": [109.0, 32.0, 5.0]},
    {"type": "MultiPoint", "coordinates": SQUARE},
    {"type": "LineString", "coordinates": SQUARE},
    {"type": "MultiLineString", "coordinates": [SQUARE, HOLE]},
    polygon(SQUARE, HOLE),
    {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]},
    {"type": "GeometryCollection", "geometries": [polygon(SQUARE)]},
    polygon(),
]


@pytest.mark.parametrize("geometry", SHAPES)
def test_shapes_are_those_that_shapely_makes(tmp_path, geometry):
    (shape,) = read_layer(save(tmp_path, collection(feature(geometry)))).shapes
    assert shape.equals_exact(shapely.from_geojson(json.dumps(geometry)), 0)


def test_properties_become_cells(tmp_path):
    layer = read_layer(
        save(
            tmp_path,
            collection(
                feature(code="610902102201", people=12, kind=None),
                {**feature(name="甲", parts=["a", 1], more={"b": None}), "id": "own"},
                {"type": "Feature", "properties": None, "geometry": None, "id": 7},
            ),
        )
    )
    assert layer.table.to_dict("list") == {
        "code": ["610902102201", None, None],
        "people": [12, None, None],
        "kind": [None, None, None],
        "id": [None, "own", None],
        "name": [None, "甲", None],
        "parts": [None, '["a", 1]', None],
        "more": [None, '{"b": null}', None],
    }


@pytest.mark.parametrize("content", [feature(polygon(SQUARE), a=1), polygon(SQUARE)])
def test_a_feature_or_a_shape_alone_is_a_layer(tmp_path, content):
    layer = read_layer(save(tmp_path, content))
    assert len(layer.table) == 1
    assert layer.shapes[0].area == 1.0


@pytest.mark.parametrize(
    ("geometry", "says"),
    [
        (None, "no shape"),
        (polygon(), "an empty shape"),
        (polygon(SQUARE[:-1]), "a ring that is not closed"),
        ({"type": "MultiPolygon", "coordinates": [[SQUARE], [HOLE[:-1]]]}, "not closed"),
        (polygon(SQUARE[:2]), "a ring that is not closed"),
        (polygon([SQUARE[0], SQUARE[0]]), "not written as in GeoJSON"),
        (polygon([*SQUARE[:4], [109.0, float("nan")]]), "not closed"),
        (polygon([SQUARE[0], [float("nan"), 33.0], *SQUARE[2:]]), "no number"),
        (polygon([SQUARE[0], [float("inf"), 33.0], *SQUARE[2:]]), "no number"),
        (polygon([SQUARE[0], [None, 33.0], *SQUARE[2:]]), "no number"),
        (
            polygon([SQUARE[0], [1e6, 33.0], *SQUARE[2:]]),
            "a corner off the earth, at x = 1,000,000",
        ),
        (polygon([SQUARE[0], [110.0, -91.0], *SQUARE[2:]]), "a corner off the earth"),
        (SHAPES[0], "a Point where a polygon is needed"),
        ({"type": "Point", "coordinates": []}, "an empty shape"),
        ({"type": "Point", "coordinates": [1]}, "not written as in GeoJSON"),
        ({"type": "MultiPoint", "coordinates": [[1, 2], [3]]}, "not written as in GeoJSON"),
        ({"type": "Polygon", "coordinates": "x"}, "not written as in GeoJSON"),
        ({"type": "Polygon"}, "not written as in GeoJSON"),
        ({"type": "Curve", "coordinates": []}, "not written as in GeoJSON"),
        ({"type": ["Polygon"], "coordinates": []}, "not written as in GeoJSON"),
        ([], "not written as in GeoJSON"),
        (7, "not written as in GeoJSON"),
    ],
)
def test_a_shape_that_is_wrong_alone_is_told(tmp_path, geometry, says):
    path = save(tmp_path, collection(feature(geometry), feature(polygon(SQUARE))))
    first, second = faults_of_shapes(read_layer(path), ["polygon"]).texts
    assert says in first
    assert second == ""


def test_what_is_no_feature_is_told(tmp_path):
    layer = read_layer(save(tmp_path, collection(feature(polygon(SQUARE)), None, 5, [])))
    assert layer.faults.tolist() == ["", "no feature", "no feature", "no feature"]


@pytest.mark.parametrize(
    ("crs", "epsg"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 4326),
        ("urn:ogc:def:crs:EPSG::32649", 32649),
        ("EPSG:4490", 4490),
        ("http://www.opengis.net/def/crs/EPSG/0/4490", 4490),
    ],
)
def test_a_named_crs_is_understood(tmp_path, crs, epsg):
    named = {"type": "name", "properties": {"name": crs}}
    path = save(tmp_path, collection(feature(polygon(SQUARE)), crs=named))
    assert read_layer(path).crs.to_epsg() == epsg


def test_without_a_crs_it_is_wgs84_and_null_is_none(tmp_path):
    assert read_layer(save(tmp_path, collection(feature()))).crs.to_epsg() == 4326
    assert read_layer(save(tmp_path, collection(feature(), crs=None))).crs is None


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "link", "properties": {"href": "http://127.0.0.1:9/crs"}},
        {"type": "name", "properties": {"name": "+proj=longlat +nadgrids=/etc/passwd"}},
        {"type": "name", "properties": {"name": "EPSG:999999"}},
        {"type": "name"},
        "EPSG:4326",
        7,
    ],
)
def test_any_other_crs_is_refused(tmp_path, crs):
    with pytest.raises(FileError, match=r"cannot read .*v\.geojson as a vector file"):
        read_layer(save(tmp_path, collection(feature(), crs=crs)))


@pytest.mark.parametrize(
    "content",
    [
        "<OGRVRTDataSource><OGRVRTLayer name='a'/></OGRVRTDataSource>",
        '{"type": "Topology", "objects": {"a": {"type": "Point", "coordinates": [1, 2]}}}',
        '{"geometryType": "esriGeometryPoint", "features": [{"geometry": {"x": 1, "y": 2}}]}',
        '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read a ! write b"}',
        '{"type": "FeatureCollection", "features": {}}',
        "[" * 100_000,
        '{"type": "FeatureCollection", "features": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"type": "FeatureCollection", "features": [',
        "[]",
        "7",
        "null",
        "",
        "\0",
        "\udc00".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_what_is_no_geojson_is_named(tmp_path, content):
    with pytest.raises(FileError, match=r"v\.geojson"):
        read_layer(save(tmp_path, content))


@pytest.mark.parametrize(
    ("limit", "most", "says"),
    [
        ("json_bytes", 100, "has too many bytes"),
        ("json_unpacked_bytes", 2000, "unpacks to too many bytes"),
        ("features", 1, "has too many features: 2 where 1"),
        ("columns", 1, "has too many columns: 2 where 1"),
        ("cells", 3, "has too many cells: 4 where 3"),
        ("vertices", 9, "has too many vertices: 10 where 9"),
        ("digits", 9, "begins a number of too many digits: 10 where 9"),
        ("field_characters", 3, "feature 1 has a text of too many characters: 4 where 3"),
        ("text_bytes", 7, "has too many characters: 8 where 7"),
    ],
)
def test_limits_are_kept_and_named(tmp_path, limit, most, says):
    row = feature(polygon(SQUARE), name="name", number=1234567890)
    path = save(tmp_path, collection(row, row))
    with use_limits(**{limit: most}), pytest.raises(LimitError, match=rf"{says}.*{limit} under"):
        read_layer(path)


GREEDY = {
    "lists": '{"type": "FeatureCollection", "features": [%s1]}' % ("[]," * 19_000_000),
    "objects": '{"type": "FeatureCollection", "features": [%s1]}' % ('{"a":1},' * 7_000_000),
    "nested": '{"type": "FeatureCollection", "features": [%s1]}'
    % (("[" * 500 + "]" * 500 + ",") * 59_000),
}
EXHAUSTED = """
import resource, sys, time
from ankang_coverage.errors import LimitError
from ankang_coverage.region.vectors import read_layer
start = time.perf_counter()
try:
    read_layer(sys.argv[1])
except LimitError:
    print(time.perf_counter() - start)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("content", GREEDY.values(), ids=GREEDY)
def test_small_files_that_unpack_to_gigabytes_cost_little(tmp_path, content):
    path = save(tmp_path, content)
    done = subprocess.run(
        [sys.executable, "-c", EXHAUSTED, str(path)], check=True, capture_output=True
    )
    seconds, peak_mib = map(float, done.stdout.split())
    assert seconds < 10
    assert peak_mib < 1024
