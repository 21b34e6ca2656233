"""Files of every kind become the same table; files that are none are refused by name."""

import geopandas as gpd
import openpyxl
import pytest
import shapely

from ankang_coverage.errors import ArgumentTypeError, FileError, LimitError, NetworkError
from ankang_coverage.limits import use_limits
from ankang_coverage.sites.tables import read_table

HEADER = ["站名", "经度", "纬度", "频段"]
ROWS = [["紫阳，站", "108.53", "32.52", "B8"], ["岚皋站", "108.90", "32.31", "B3"]]


def text_of(separator, *lines):
    return "\n".join(separator.join(line) for line in lines or [HEADER, *ROWS]) + "\n"


def as_lists(table):
    return [[str(cell) for cell in row] for row in table.cells.itertuples(index=False)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("separator", [",", "\t", ";", "^"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encodings_and_separators(tmp_path, encoding, separator, line_end):
    path = tmp_path / "sites.csv"
    path.write_bytes(text_of(separator).replace("\n", line_end).encode(encoding))
    table = read_table(path)
    assert table.headers == tuple(HEADER)
    assert as_lists(table) == ROWS
    assert table.rows.tolist() == [2, 3]


def test_quoted_fields(tmp_path):
    path = tmp_path / "sites.tsv"
    path.write_text('"站名"\t"经度"\t"纬度"\n"A, ""B""\n二层"\t"108.5"\t"32.5"\n', "utf-8")
    assert as_lists(read_table(path)) == [['A, "B"\n二层', "108.5", "32.5"]]


def test_titles_and_blank_rows_are_passed_over_but_counted(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text(text_of(",", ["安康工参表"], [], HEADER, [" ", "", ""], *ROWS, [""]), "utf-8")
    table = read_table(path)
    assert as_lists(table) == ROWS
    assert table.rows.tolist() == [5, 6]


def test_rows_with_too_many_fields_are_told(tmp_path):
    path = tmp_path / "sites.csv"
    lines = [[*HEADER, ""], [*ROWS[0], "", ""], [*ROWS[1], "extra"], ROWS[1][:2]]
    path.write_text(text_of(",", *lines), "utf-8")
    table = read_table(path)
    assert table.headers == tuple(HEADER)
    assert table.faults.tolist() == ["", "the row has more fields than the header's 4", ""]


LINE = ",".join(ROWS[1]) + "\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('a,"b,1,2\n' + LINE * 9, "row that begins in line 2: unexpected end of data: a quotation"),
        (
            LINE + 'a,"b\n' + 'x "y",1\n' * 9,
            "row that begins in line 3: .* a quotation mark may be",
        ),
        (
            LINE + 'a,"b\n' + LINE * 200,
            "line 3 .a quotation mark may be missing: it goes on over many",
        ),
        ("x" * 3_000, "the row that begins in line 2 has too many characters.*row_characters"),
        ("x," * 1_500, "the row that begins in line 2 has too many characters.*row_characters"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_row_without_end_is_refused_by_the_line_it_begins_in(tmp_path, text, says, line_end):
    path = tmp_path / "sites.csv"
    whole = ",".join(HEADER) + "\n" + text
    path.write_bytes(whole.replace("\n", line_end).encode())
    with use_limits(row_characters=2_000), pytest.raises(FileError, match=says):
        read_table(path)


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        ({"rows": 3}, LINE * 4),
        ({"rows": 3}, LINE + ",,,\n" * 3),
        ({"cells": 15}, LINE * 4),
        ({"columns": 3}, LINE),
        ({"text_bytes": 20}, LINE),
        ({"row_characters": 15}, LINE),
    ],
)
def test_a_table_beyond_a_limit_is_refused_and_the_limit_can_be_raised(tmp_path, limit, text):
    (name, most), path = *limit.items(), tmp_path / "sites.csv"
    path.write_text(text_of(",", HEADER) + text, "utf-8")
    with use_limits(**limit), pytest.raises(LimitError, match=f"sites.csv.*{name} under"):
        read_table(path)
    with use_limits(**{name: most + 100}):
        assert len(read_table(path).rows) >= 1


def test_a_field_that_is_too_long_is_its_rows_fault_alone(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text(text_of(",", HEADER, ROWS[0], ["岚皋", "1" * 60_000, "32", "B3"]), "utf-8")
    table = read_table(path)
    assert table.faults.tolist() == ["", "column 经度 has more than 10,000 characters"]
    assert len(table.cells.iat[1, 1]) == 10_001
    with use_limits(field_characters=60_000):
        assert read_table(path).faults.tolist() == ["", ""]


def test_a_row_of_many_fields_is_that_rows_fault_alone(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text(text_of(",", HEADER, [*ROWS[0], *"x" * 100_000], ROWS[1]), "utf-8")
    table = read_table(path)
    assert table.faults.tolist() == ["the row has more fields than the header's 4", ""]
    assert table.cells.shape == (2, 4)


def test_the_header_is_checked_before_the_rows_are_read(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text(text_of(",", HEADER) + LINE * 20 + '"', "utf-8")

    def check(name, headers):
        assert (name, list(headers)) == ("sites.csv", HEADER)
        raise NetworkError("no")

    with pytest.raises(NetworkError, match="no"):
        read_table(path, check=check)


def test_a_header_of_brackets_is_read_at_once(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text(text_of(",", HEADER + ["(" * 9_000] * 90, ROWS[0]), "utf-8")
    assert read_table(path).headers[:4] == tuple(HEADER)


def write_workbook(path, **sheets):
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)


def test_workbook(tmp_path):
    path = tmp_path / "sites.xlsx"
    title = ["安康市工参表", None, None, None, None]
    write_workbook(path, 工参=[title, [], HEADER, ["A", 108.5, 32, "B8", "beside the table"]])
    table = read_table(path)
    assert table.headers == tuple(HEADER)
    assert as_lists(table) == [["A", "108.5", "32", "B8"]]
    assert table.rows.tolist() == [4]
    assert table.faults.tolist() == [""]


def test_the_sheet_with_places_is_read(tmp_path):
    path = tmp_path / "sites.xlsx"
    write_workbook(path, 说明=[["站名", "字段说明"], ["A", "…"]], 工参=[HEADER, *ROWS], 空=[])
    assert as_lists(read_table(path)) == ROWS


def test_remarks_beside_and_far_below_a_sheets_table_do_no_harm(tmp_path):
    path = tmp_path / "sites.xlsx"
    book = openpyxl.Workbook()
    for row in (HEADER, *ROWS):
        book.active.append(row)
    book.active["F3"] = "beside"
    book.active["A1048576"] = "below"
    book.save(path)
    table = read_table(path)
    assert as_lists(table)[:2] == ROWS
    assert table.rows.tolist() == [2, 3, 1_048_576]
    book.active["XFD3"] = "far beside"
    book.save(path)
    with pytest.raises(LimitError, match="sheet Sheet has a value in column XFD.*columns under"):
        read_table(path)


def test_of_several_sheets_one_must_be_named(tmp_path):
    path = tmp_path / "sites.xlsx"
    write_workbook(path, LTE=[HEADER, ROWS[0]], NR=[HEADER, ROWS[1]])
    with pytest.raises(FileError, match=r"sites\.xlsx has several tables, the sheets LTE, NR"):
        read_table(path)
    assert as_lists(read_table(path, "NR")) == ROWS[1:]
    with pytest.raises(FileError, match="has no sheet 'GSM'; it has LTE, NR"):
        read_table(path, "GSM")


def points(crs="EPSG:4326"):
    frame = gpd.GeoDataFrame(
        {"site_name": ["A", "B"], "band": ["B8", "n78"], "height_m": [30.0, None]},
        geometry=gpd.points_from_xy([108.5, 109.0], [32.5, 33.0]),
        crs="EPSG:4326",
    )
    return frame.to_crs(crs)


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".shp"])
def test_vector_files(tmp_path, suffix):
    path = tmp_path / f"sites{suffix}"
    points().to_file(path)
    table = read_table(path)
    assert table.headers == ("longitude", "latitude", "site_name", "band", "height_m")
    assert table.cells.iloc[:, :4].values.tolist() == [
        [108.5, 32.5, "A", "B8"],
        [109.0, 33.0, "B", "n78"],
    ]
    assert table.rows.tolist() == [1, 2]


def test_projected_points_become_degrees_and_replace_columns(tmp_path):
    path = tmp_path / "sites.gpkg"
    points("EPSG:4546").assign(经度=1.0, lat=2.0).to_file(path)
    table = read_table(path)
    assert table.headers == ("longitude", "latitude", "site_name", "band", "height_m")
    assert table.cells[0].astype(float).tolist() == pytest.approx([108.5, 109.0], abs=1e-9)
    assert table.cells[1].astype(float).tolist() == pytest.approx([32.5, 33.0], abs=1e-9)


def test_shapefile_in_gbk_without_code_page(tmp_path):
    path = tmp_path / "sites.shp"
    points().rename(columns={"site_name": "基站名称"}).to_file(path, encoding="GBK")
    path.with_suffix(".cpg").unlink()
    assert "基站名称" in read_table(path).headers


def test_geometries_that_are_no_points(tmp_path):
    path = tmp_path / "sites.geojson"
    frame = points()
    frame.geometry = [shapely.MultiPoint([[108.5, 32.5]]), shapely.box(108, 32, 109, 33)]
    frame.loc[2] = ["C", "B8", 30.0, None]
    frame.to_file(path)
    assert read_table(path).cells[0].tolist() == [108.5, "Polygon", None]


def test_a_point_that_is_broken_alone_keeps_its_row(tmp_path):
    path = tmp_path / "sites.geojson"
    points().to_file(path)
    path.write_text(path.read_text().replace("[ 109.0, 33.0 ]", '[ 109.0, "x" ]'))
    assert read_table(path).cells[0].tolist() == [
        108.5,
        "a shape that is not written as in GeoJSON",
    ]
    assert read_table(path).cells[2].tolist() == ["A", "B"]


def test_a_crs_that_leads_nowhere_is_named(tmp_path):
    path = tmp_path / "sites.shp"
    points().to_file(path)
    projection = path.with_suffix(".prj")
    projection.write_text(
        'PROJCS["x",GEOGCS["y",DATUM["z",SPHEROID["WGS_1984",6378137,298.25722]],'
        'PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925]],PROJECTION["None"],UNIT["Meter",1]]'
    )
    with pytest.raises(FileError, match=r"cannot read .*sites\.shp as a vector file"):
        read_table(path)


def test_of_several_layers_one_must_be_named(tmp_path):
    path = tmp_path / "sites.gpkg"
    points().to_file(path, layer="lte")
    points().iloc[:1].to_file(path, layer="nr")
    with pytest.raises(FileError, match="the layers lte, nr"):
        read_table(path)
    assert len(read_table(path, "nr").rows) == 1


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("sites.pdf", b"%PDF", r"sites\.pdf is no table .* save it as one of \.csv"),
        ("sites.xls", b"\xd0\xcf\x11\xe0", r"sites\.xls is no table"),
        ("sites.csv", b"", r"sites\.csv is empty"),
        ("sites.csv", b"\n\n \n", r"sites\.csv has no rows below its header"),
        ("sites.csv", "站名,经度,纬度\n".encode(), r"sites\.csv has no rows below its header"),
        (
            "sites.csv",
            b"\n" * 12 + b"109,32,B8\n",
            r"sites\.csv has no header in its first 10 rows",
        ),
        ("sites.csv", b"PK\x03\x04\x00\x00", r"sites\.csv is not text"),
        ("sites.csv", b'lon,lat,band\n"108,32,B8\n108,32,B8\n', "quotation mark may be missing"),
        ("sites.csv", b"lon,lat\n\0,2\n", r"sites\.csv is not text"),
        ("sites.xlsx", b"lon,lat\n1,2\n", r"cannot read .*sites\.xlsx as an Excel workbook"),
        ("sites.xlsx", b"\xd0\xcf\x11\xe0" + bytes(99), r"sites\.xlsx is an old workbook"),
        ("sites.gpkg", b"lon,lat\n1,2\n", r"cannot read .*sites\.gpkg as a vector file"),
        ("sites.geojson", b"{}", r"cannot read .*sites\.geojson as a vector file"),
    ],
)
def test_files_that_are_no_table(tmp_path, name, content, fault):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileError, match=fault):
        read_table(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileError, match=r"sites\.csv: there is no such file"):
        read_table(tmp_path / "sites.csv")


def test_points_without_crs(tmp_path):
    path = tmp_path / "sites.shp"
    points().to_file(path)
    path.with_suffix(".prj").unlink()
    with pytest.raises(FileError, match="has no points with a CRS"):
        read_table(path)


@pytest.mark.parametrize("path", [None, 5, {"path": "sites.csv"}])
def test_what_is_no_path_is_named(path):
    with pytest.raises(ArgumentTypeError, match="path must be a str or a PathLike, not a"):
        read_table(path)
