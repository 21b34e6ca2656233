"""Shapefiles: damage in any of their files is told, and GDAL gets none that is greedy."""

import struct

import geopandas as gpd
import numpy as np
import pytest
import shapely

from ankang_coverage.errors import FileError, LimitError
from ankang_coverage.limits import use_limits
from ankang_coverage.region.vectors import faults_of_shapes, layers_of, read_layer


@pytest.fixture
def file(tmp_path):
    table = gpd.GeoDataFrame(
        {"代码": ["a", "b", None], "people": [1, 2, 3], "share": [0.5, np.nan, 1.5]},
        geometry=[shapely.box(n, 0, n + 1, 1) for n in range(3)],
        crs=32649,
    )
    table.to_file(tmp_path / "v.shp", encoding="utf-8")
    return tmp_path / "v.shp"


def test_features_are_read_with_what_stands_beside_them(file):
    layer = read_layer(file)
    assert layers_of(file) == {"v": True}
    assert layer.table.to_dict("list") == {
        "代码": ["a", "b", None],
        "people": [1, 2, 3],
        "share": [0.5, None, 1.5],
    }
    assert layer.table.index.tolist() == [1, 2, 3]
    assert [shape.bounds for shape in layer.shapes] == [(n, 0, n + 1, 1) for n in range(3)]
    assert layer.crs.to_epsg() == 32649


def test_files_beside_it_may_be_written_large(file):
    for suffix in (".shx", ".dbf", ".prj", ".cpg"):
        file.with_suffix(suffix).rename(file.with_suffix(suffix.upper()))
    assert read_layer(file).table["代码"].tolist() == ["a", "b", None]


@pytest.mark.parametrize("page", ["UTF-8", "65001", "utf8", " UTF-8\n"])
def test_code_pages_are_known_by_many_names(file, page):
    file.with_suffix(".cpg").write_text(page)
    assert "代码" in read_layer(file).table


@pytest.mark.parametrize(
    "page", ["936", "ANSI 936", "GBK", "?", "", "\0\0", "x" * 9999, "../../etc"]
)
def test_texts_without_a_code_page_that_is_known_are_chinese(tmp_path, page):
    table = gpd.GeoDataFrame({"代码": ["甲"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=32649)
    table.to_file(tmp_path / "v.shp", encoding="GBK")
    (tmp_path / "v.cpg").write_text(page)
    assert read_layer(tmp_path / "v.shp").table.to_dict("list") == {"代码": ["甲"]}


@pytest.mark.parametrize("suffix", [".shp", ".shx", ".dbf", ".prj"])
@pytest.mark.parametrize("keep", [0.0, 0.4, 0.95])
def test_a_file_that_is_cut_off_is_told(file, suffix, keep):
    part = file.with_suffix(suffix)
    part.write_bytes(part.read_bytes()[: int(part.stat().st_size * keep)])
    try:
        layer = read_layer(file)
    except FileError as error:
        assert "v.sh" in str(error)  # noqa: PT017  (what is left of it may also be read)
    else:
        fine = faults_of_shapes(layer, ["polygon"]).fine if layer.crs else [False]
        assert not all(fine) or len(layer.table) < 3 or layer.table.empty or suffix == ".dbf"


def test_a_file_that_is_missing_is_told(file):
    file.with_suffix(".prj").unlink()
    assert read_layer(file).crs is None
    file.with_suffix(".dbf").unlink()
    assert read_layer(file).table.shape == (3, 0)
    file.with_suffix(".shx").unlink()
    with pytest.raises(FileError, match=r"v\.shp lacks the \.shx beside it"):
        read_layer(file)


def test_what_is_no_shapefile_never_reaches_gdal(file):
    file.write_text("<OGRVRTDataSource><OGRVRTLayer name='a'/></OGRVRTDataSource>" + " " * 99)
    with pytest.raises(FileError, match=r"v\.shp is not part of a Shapefile"):
        read_layer(file)


@pytest.mark.parametrize("name", ["a!b.shp", "a;b.shp"])
def test_names_that_mean_something_to_pyogrio_are_refused(file, name):
    for part in file.parent.glob("v.*"):
        part.rename(file.with_name(name).with_suffix(part.suffix))
    with pytest.raises(FileError, match="rename the file or folder with ! or ; in its name"):
        read_layer(file.with_name(name))


def head(n_bytes):
    first = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, n_bytes // 2)
    return first + struct.pack("<2i8d", 1000, 5, 0, 0, 1, 1, 0, 0, 0, 0)


def write_rings(file, n_rings, n_records=1):
    """Write one polygon of many rings, to which many records of the index point."""
    rings = np.tile([[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]], (n_rings, 1)).astype("<f8")
    body = struct.pack("<i4d2i", 5, 0, 0, 1, 1, n_rings, len(rings))
    body += (np.arange(n_rings) * 5).astype("<i4").tobytes() + rings.tobytes()
    record = struct.pack(">2i", 1, len(body) // 2) + body
    file.write_bytes(head(100 + len(record)) + record)
    index = struct.pack(">2i", 50, len(body) // 2) * n_records
    file.with_suffix(".shx").write_bytes(head(100 + len(index)) + index)
    file.with_suffix(".dbf").unlink()


def test_an_index_that_points_to_one_shape_again_and_again_is_refused(file):
    write_rings(file, 1000, n_records=100_000)
    with pytest.raises(LimitError, match="too many vertices: .* vertices under"):
        read_layer(file)


def test_a_polygon_of_very_many_rings_is_refused(file):
    write_rings(file, 20_000)
    with pytest.raises(FileError, match="has a polygon of 20,000 rings, more than 15,000"):
        read_layer(file)
    with use_limits(vertices=1000), pytest.raises(LimitError, match="too many vertices"):
        read_layer(file)


@pytest.mark.parametrize(
    ("limit", "most", "says"),
    [
        ("vector_bytes", 200, "has too many bytes"),
        ("features", 2, "has too many features: 3 where 2"),
        ("columns", 2, "has too many columns: 3 where 2"),
        ("cells", 8, "has too many cells: 9 where 8"),
    ],
)
def test_limits_are_kept_and_named(file, limit, most, says):
    with use_limits(**{limit: most}), pytest.raises(LimitError, match=rf"{says}.*{limit} under"):
        read_layer(file)


def test_nothing_is_said_on_the_terminal(file, capfd):
    file.with_suffix(".prj").write_text("GEOGCS[")
    with pytest.raises(FileError):
        read_layer(file)
    file.with_suffix(".prj").unlink()
    file.with_suffix(".cpg").write_text("no such code page")
    read_layer(file)
    assert capfd.readouterr() == ("", "")
