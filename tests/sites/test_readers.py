"""Operators' tables of cells: every row is used or listed with its reason."""

import csv
import io
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from pyproj import Transformer

from ankang_coverage.errors import ArgumentTypeError, FileError, NetworkError
from ankang_coverage.propagation.measured_pattern import cosine_pattern
from ankang_coverage.region import Source
from ankang_coverage.region.coordinates import gcj02_to_bd09, wgs84_to_gcj02
from ankang_coverage.sites.catalogue import MeasuredAntenna, builtin_catalogue, radio_layer
from ankang_coverage.sites.readers import SITE_RADIUS_M, _heads_apart, read_sites
from ankang_coverage.sites.rows import LONGEST_SHOWN

TO_UTM = Transformer.from_crs("EPSG:4326", "EPSG:32649", always_xy=True)
GOOD = {
    "基站名称": "汉滨江北",
    "小区CGI": "460-00-100-1",
    "经度": "109.02",
    "纬度": "32.69",
    "频段": "FDD900",
    "站点类型": "宏站",
    "天线挂高(米)": "40",
    "方位角": "120",
    "机械下倾角": "3",
    "电子下倾角": "4",
    "RS功率(dBm)": "18.2",
    "状态": "在网",
}


def read(tmp_path, *rows, **options):
    """Read a CSV of rows that differ from GOOD as given; ids are made unique."""
    path = tmp_path / "sites.csv"
    full = [GOOD | {"小区CGI": f"460-00-100-{n}"} | row for n, row in enumerate(rows, start=1)]
    pd.DataFrame(full).to_csv(path, index=False)
    return read_sites(path, **options)


def only_rejection(network):
    assert len(network.rejected) == 1
    return tuple(network.rejected.iloc[0])


def test_a_row_becomes_a_cell(tmp_path):
    network = read(tmp_path, {})
    assert network.cells.to_dict("index") == {
        "460-00-100-1": {
            "site": "汉滨江北",
            "radio_layer": "lte-b8",
            "antenna": radio_layer("lte-b8").antenna_for("macro"),
            "height_m": 40.0,
            "azimuth_deg": 120.0,
            "mechanical_tilt_deg": 3.0,
            "electrical_tilt_deg": 4.0,
            "re_power_dbm": 18.2,
            "load": radio_layer("lte-b8").load,
            "operator": "",
            "assumed": "antenna,load",
        }
    }
    assert network.cells.index.name == "cell"
    site = network.sites.loc["汉滨江北"]
    assert list(site[["name", "status", "kind", "source"]]) == [
        "汉滨江北",
        "existing",
        "macro",
        "sites.csv",
    ]
    assert network.sites.index.name == "site"
    assert network.sites.crs.to_epsg() == 32649
    assert (site.geometry.x, site.geometry.y) == pytest.approx(TO_UTM.transform(109.02, 32.69))
    assert network.sources == (Source("sites", "given", "sites.csv"),)
    assert len(network.rejected) == 0


def test_own_headers_and_ids(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text(
        "site,name,cell,longitude,latitude,kind,status,radio_layer,antenna,height_m,azimuth_deg,"
        "mechanical_tilt_deg,electrical_tilt_deg,re_power_dbm,load,operator\n"
        "s1,Alpha,c1,109.5,32.5,micro,planned,nr-n78,micro-65-12dbi,12,360,0,2,-3,0.3,unicom\n"
    )
    network = read_sites(path)
    assert network.cells.loc["c1"].to_dict() == {
        "site": "s1",
        "radio_layer": "nr-n78",
        "antenna": "micro-65-12dbi",
        "height_m": 12.0,
        "azimuth_deg": 0.0,
        "mechanical_tilt_deg": 0.0,
        "electrical_tilt_deg": 2.0,
        "re_power_dbm": -3.0,
        "load": 0.3,
        "operator": "unicom",
        "assumed": "",
    }
    assert list(network.sites.loc["s1"][["name", "status", "kind"]]) == [
        "Alpha",
        "planned",
        "micro",
    ]


def test_the_same_rows_from_every_format(tmp_path):
    rows = [GOOD, GOOD | {"小区CGI": "460-00-100-2", "方位角": "240"}]
    text = pd.DataFrame(rows).to_csv(index=False)
    (tmp_path / "gbk.csv").write_bytes(text.encode("gbk"))
    (tmp_path / "bom.csv").write_bytes(text.encode("utf-8-sig"))
    (tmp_path / "tab.txt").write_bytes(text.replace(",", "\t").encode("gb18030"))
    (tmp_path / "caret.csv").write_bytes(text.replace(",", "^").encode())
    workbook = openpyxl.Workbook()
    workbook.active.append(["安康市工参表"])
    workbook.active.append(list(GOOD))
    for row in rows:
        workbook.active.append([_number_or_text(value) for value in row.values()])
    workbook.save(tmp_path / "book.xlsx")
    frame = gpd.GeoDataFrame(
        pd.DataFrame(rows).drop(columns=["经度", "纬度"]),
        geometry=gpd.points_from_xy([109.02, 109.02], [32.69, 32.69]),
        crs="EPSG:4326",
    )
    frame.to_file(tmp_path / "points.gpkg")
    frame.to_file(tmp_path / "points.geojson")
    networks = [read_sites(path) for path in sorted(tmp_path.iterdir())]
    assert len(networks) == 7
    for network in networks:
        pd.testing.assert_frame_equal(network.cells, networks[0].cells)
        assert network.sites.geometry.iloc[0].equals_exact(networks[0].sites.geometry.iloc[0], 1e-6)


@pytest.mark.filterwarnings("ignore:Column names longer than 10")
@pytest.mark.filterwarnings("ignore:Normalized/laundered field name")
def test_a_shapefile_cuts_headers_and_is_read_all_the_same(tmp_path):
    cell = {
        "site": "s1",
        "radio_layer": "nr-n78",
        "antenna": "micro-65-12dbi",
        "height_m": 12.0,
        "azimuth_deg": 30.0,
        "mechanical_tilt_deg": 1.0,
        "electrical_tilt_deg": 2.0,
        "re_power_dbm": -3.0,
        "load": 0.3,
        "operator": "telecom",
    }
    columns = {"cell": ["c1"], "kind": ["micro"], "status": ["planned"]}
    columns |= {name: [value] for name, value in cell.items()}
    points = gpd.points_from_xy([109.02], [32.69], crs="EPSG:4326")
    gpd.GeoDataFrame(columns, geometry=points).to_file(tmp_path / "cells.shp")
    network = read_sites(tmp_path / "cells.shp")
    assert network.cells.loc["c1"].to_dict() == cell | {"assumed": ""}


def _number_or_text(value):
    try:
        return float(value)
    except ValueError:
        return value


@pytest.mark.parametrize(
    "changes",
    [
        {"经度": "１０９．０２", "纬度": "３２．６９"},
        {"经度": "109°01'12\"", "纬度": "32°41′24″"},
        {"经度": "109°01'12\"E", "纬度": "N32°41'24\""},
        {"经度": "东经109度1分12秒", "纬度": "北纬32度41分24秒"},
        {"经度": "109.02°", "纬度": " 32.69 "},
    ],
)
def test_ways_to_write_a_place(tmp_path, changes):
    point = read(tmp_path, changes).sites.geometry.iloc[0]
    assert (point.x, point.y) == pytest.approx(TO_UTM.transform(109.02, 32.69), abs=1e-6)


def test_ways_to_write_a_number(tmp_path):
    row = {
        "天线挂高(米)": "４０米",
        "方位角": "360°",
        "机械下倾角": "-3",
        "RS功率(dBm)": "18.2 dBm",
    }
    cell = read(tmp_path, row).cells.iloc[0]
    assert cell[["height_m", "azimuth_deg", "mechanical_tilt_deg", "re_power_dbm"]].tolist() == [
        40.0,
        0.0,
        -3.0,
        18.2,
    ]


def test_shifted_coordinates(tmp_path):
    gcj02 = wgs84_to_gcj02(109.02, 32.69)
    for datum, (longitude, latitude) in (("gcj02", gcj02), ("bd09", gcj02_to_bd09(*gcj02))):
        row = {"经度": repr(float(longitude)), "纬度": repr(float(latitude))}
        point = read(tmp_path, row, coordinates=datum).sites.geometry.iloc[0]
        assert (point.x, point.y) == pytest.approx(TO_UTM.transform(109.02, 32.69), abs=1e-5)
    with pytest.raises(NetworkError, match="coordinates 'mars' are unknown"):
        read(tmp_path, {}, coordinates="mars")


def test_crs(tmp_path):
    network = read(tmp_path, {}, crs="EPSG:4545")
    point = network.sites.geometry.iloc[0]
    assert network.sites.crs.to_epsg() == 4545
    expected = Transformer.from_crs("EPSG:4326", "EPSG:4545", always_xy=True)
    # The zone's axes are north, east; inside the library x is east all the same.
    assert (point.x, point.y) == pytest.approx(expected.transform(109.02, 32.69))
    assert 500_000 < point.x < 700_000
    with pytest.raises(NetworkError, match="EPSG:4326 is not projected"):
        read(tmp_path, {}, crs="EPSG:4326")
    with pytest.raises(NetworkError, match="crs 'nowhere' is unknown"):
        read(tmp_path, {}, crs="nowhere")


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"经度": "32.69", "纬度": "109.02"}, "经度", "longitude and latitude seem swapped"),
        ({"经度": "0", "纬度": "0.0"}, "经度", "longitude and latitude are both 0"),
        ({"经度": ""}, "经度", "longitude is blank"),
        ({"纬度": " "}, "纬度", "latitude is blank"),
        ({"经度": "abc"}, "经度", "longitude is no angle"),
        ({"经度": "nan"}, "经度", "longitude is no angle"),
        ({"纬度": "inf"}, "纬度", "latitude is no angle"),
        ({"纬度": "32°61'"}, "纬度", "latitude is no angle"),
        ({"经度": "1090.2"}, "经度", "longitude is outside -180 to 180 degrees"),
        ({"纬度": "92.69"}, "纬度", "latitude is outside -90 to 90 degrees"),
        ({"方位角": "361"}, "方位角", "azimuth_deg is outside 0 to 360 degrees"),
        ({"方位角": "-1"}, "方位角", "azimuth_deg is outside 0 to 360 degrees"),
        ({"方位角": "全向"}, "方位角", "azimuth_deg is no angle"),
        ({"方位角": ""}, "方位角", "azimuth_deg is blank, and the antenna is directional"),
        ({"天线挂高(米)": "0"}, "天线挂高(米)", "height_m is outside 1 to 300 m"),
        ({"天线挂高(米)": "40ft"}, "天线挂高(米)", "height_m is no number"),
        ({"机械下倾角": "255"}, "机械下倾角", "mechanical_tilt_deg is outside -90 to 90 degrees"),
        ({"RS功率(dBm)": "182"}, "RS功率(dBm)", "re_power_dbm is outside -40 to 40 dBm"),
        ({"频段": "GSM900"}, "频段", "'GSM900' is no radio layer of the catalogue"),
        ({"频段": "2.6G"}, "频段", "'2.6G' may be lte-b41 or nr-n41"),
        ({"频段": ""}, "频段", "nothing tells the radio layer"),
        ({"站点类型": "S111"}, "站点类型", "kind is none of 宏站, "),
        ({"状态": "拆除"}, "状态", "status is none of 现网, "),
        ({"小区CGI": "460-00-100-1"}, "小区CGI", "cell id 460-00-100-1 is that of row 2"),
    ],
)
def test_bad_rows_are_listed_with_their_reason(tmp_path, changes, column, reason):
    network = read(tmp_path, {}, changes)
    row, where, value, why = only_rejection(network)
    assert list(network.cells.index) == ["460-00-100-1"]
    assert (row, where, value) == (3, column, changes[column].strip())
    assert why.startswith(reason)


def test_a_shifted_row_is_rejected(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text("站名,经度,纬度,频段,方位角\nA,B,109,32,B8,0\nC,109,32,B8,0\n", "utf-8")
    network = read_sites(path)
    assert only_rejection(network) == (2, "", "", "the row has more fields than the header's 5")


def test_row_numbers_are_the_spreadsheets(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text("工参表\n\n站名,经度,纬度,频段,方位角\nA,109,32,B8,0\n\nB,?,32,B8,0\n", "utf-8")
    assert only_rejection(read_sites(path))[0] == 6


def test_blanks_are_assumed_and_said(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text("经度,纬度,频段,方位角\n109,32.5,B8,0\n", "utf-8")
    network = read_sites(path)
    cell = network.cells.iloc[0]
    assert cell["assumed"].split(",") == [
        "kind",
        "status",
        "antenna",
        "height_m",
        "mechanical_tilt_deg",
        "electrical_tilt_deg",
        "re_power_dbm",
        "load",
    ]
    layer = radio_layer("lte-b8")
    assert cell["antenna"] == layer.antenna_for("macro")
    assert cell["re_power_dbm"] == layer.re_power_dbm("macro")
    assert (cell["height_m"], cell["mechanical_tilt_deg"], cell["electrical_tilt_deg"]) == (
        35,
        0,
        0,
    )
    assert list(network.sites.index) == ["109.00000,32.50000"]
    assert list(network.cells.index) == ["109.00000,32.50000-lte-b8-1"]


def test_the_kind_of_site_decides_the_defaults(tmp_path):
    blank = {"天线挂高(米)": "", "方位角": "", "RS功率(dBm)": ""}
    network = read(tmp_path, {"站点类型": "微站"} | blank, {"站点类型": "室分"} | blank)
    layer = radio_layer("lte-b8")
    for cell in network.cells.itertuples():
        assert cell.antenna == layer.antenna_for("micro")
        assert cell.re_power_dbm == layer.re_power_dbm("micro")
        assert cell.azimuth_deg == 0.0
    assert network.cells["height_m"].tolist() == [12.0, 3.0]
    assert network.sites["kind"].tolist() == ["micro", "indoor"]


@pytest.mark.parametrize(
    ("mechanical", "electrical", "total", "expected"),
    [
        ("3", "4", "9", (3.0, 4.0)),  # both given: the total is not asked
        ("3", "", "9", (3.0, 6.0)),
        ("", "4", "9", (5.0, 4.0)),
        ("", "", "9", (0.0, 9.0)),
        ("", "", "", (0.0, 0.0)),
        ("3", "", "", (3.0, 0.0)),
    ],
)
def test_tilts(tmp_path, mechanical, electrical, total, expected):
    row = {"机械下倾角": mechanical, "电子下倾角": electrical, "总下倾角": total}
    cell = read(tmp_path, row).cells.iloc[0]
    assert (cell["mechanical_tilt_deg"], cell["electrical_tilt_deg"]) == expected


def measured(id_, horizontal_beamwidth_deg, electrical_tilt_deg):
    pattern = cosine_pattern(
        14.0, horizontal_beamwidth_deg, 7.0, electrical_tilt_deg=electrical_tilt_deg
    )
    return MeasuredAntenna(id=id_, source="a test", kind="measured", pattern=pattern)


@pytest.mark.parametrize(
    ("mechanical", "electrical", "total", "expected", "assumed"),
    [
        ("3", "4", "9", (3.0, 4.0), ""),
        ("3", "0", "", (3.0, 0.0), ""),
        ("3", "", "9", (3.0, 6.0), ""),
        ("3", "", "", (3.0, 5.0), "electrical_tilt_deg"),
        ("", "", "9", (0.0, 9.0), "mechanical_tilt_deg"),
        ("", "", "", (0.0, 5.0), "mechanical_tilt_deg,electrical_tilt_deg"),
    ],
)
def test_a_measured_antenna_has_the_tilt_of_its_file_where_a_row_tells_none(
    tmp_path, mechanical, electrical, total, expected, assumed
):
    own = builtin_catalogue().with_entries(measured("panel", 65.0, 5.0))
    row = {"机械下倾角": mechanical, "电子下倾角": electrical, "总下倾角": total, "负荷": "0.5"}
    cell = read(tmp_path, row | {"天线型号": "panel"}, catalogue=own).cells.iloc[0]
    assert cell["antenna"] == "panel"
    assert (cell["mechanical_tilt_deg"], cell["electrical_tilt_deg"]) == expected
    assert cell["assumed"] == assumed


def test_only_a_measured_antenna_that_is_round_needs_no_azimuth(tmp_path):
    own = builtin_catalogue().with_entries(
        measured("rod", 360.0, 0.0), measured("panel", 65.0, 0.0)
    )
    rows = [{"天线型号": id_, "方位角": ""} for id_ in ("rod", "panel")]
    network = read(tmp_path, *rows, catalogue=own)
    assert network.cells["antenna"].tolist() == ["rod"]
    assert network.cells["azimuth_deg"].tolist() == [0.0]
    assert "azimuth_deg is blank" in only_rejection(network)[-1]


def test_rows_that_share_a_name_are_one_site(tmp_path):
    network = read(
        tmp_path,
        {"方位角": "0"},
        {"方位角": "120", "经度": "109.0201"},
        {"基站名称": "岚皋", "方位角": "240"},
        {"频段": "n78", "方位角": "0"},
    )
    assert list(network.sites.index) == ["汉滨江北", "岚皋"]
    assert network.cells["site"].tolist() == ["汉滨江北", "汉滨江北", "岚皋", "汉滨江北"]
    point = network.sites.geometry.iloc[0]
    assert (point.x, point.y) == pytest.approx(TO_UTM.transform(109.02, 32.69))


def test_far_apart_or_of_another_kind_they_are_not(tmp_path):
    network = read(
        tmp_path,
        {},
        {"经度": "109.12"},
        {"站点类型": "室分"},
        {"状态": "规划"},
        {"经度": "109.12"},
        {"基站名称": "汉滨江北-2"},
    )
    assert network.sites[["name", "kind", "status"]].to_dict("split") == {
        "index": ["汉滨江北", "汉滨江北-3", "汉滨江北-4", "汉滨江北-5", "汉滨江北-2"],
        "columns": ["name", "kind", "status"],
        "data": [
            ["汉滨江北", "macro", "existing"],
            ["汉滨江北", "macro", "existing"],
            ["汉滨江北", "indoor", "existing"],
            ["汉滨江北", "macro", "planned"],
            ["汉滨江北-2", "macro", "existing"],
        ],
    }
    assert network.cells["site"].iloc[1] == network.cells["site"].iloc[4] == "汉滨江北-3"


def test_nameless_rows_at_one_place_are_one_site(tmp_path):
    network = read(tmp_path, {"基站名称": ""}, {"基站名称": ""}, {"基站名称": "", "经度": "109.03"})
    assert network.cells["site"].tolist() == [
        "109.02000,32.69000",
        "109.02000,32.69000",
        "109.03000,32.69000",
    ]


def ids_of(tmp_path, text):
    path = tmp_path / "sites.csv"
    path.write_text(text, "utf-8")
    network = read_sites(path)
    return list(network.cells.index), network.rejected["reason"].tolist()


def test_small_cell_numbers_count_within_their_base_station(tmp_path):
    ids, reasons = ids_of(
        tmp_path,
        "站名,eNodeBID,CellID,经度,纬度,频段,方位角\n"
        "A,100,1,109,32,B8,0\nA,100,2,109,32,B8,120\nA,200,1,109,32,B3,0\nB,300,1,109.1,32,B8,0\n"
        "B,300,1,109.1,32,B8,0\n",
    )
    assert ids == ["100-1", "100-2", "200-1", "300-1"]
    assert reasons == ["cell id 300-1 is that of row 5"]


def test_small_cell_numbers_without_a_base_station_count_within_the_site(tmp_path):
    ids, reasons = ids_of(
        tmp_path,
        "站名,小区号,经度,纬度,频段,方位角\n"
        "A,1,109,32,B8,0\nA,1,109,32,n78,0\nB,1,109.1,32,B8,0\nB,25600,109.1,32,B8,0\n",
    )
    assert ids == ["A-lte-b8-1", "A-nr-n78-1", "B-lte-b8-1", "25600"]
    assert reasons == []


def test_cells_without_id_take_their_name_or_a_number(tmp_path):
    ids, reasons = ids_of(
        tmp_path,
        "站名,小区号,小区名称,经度,纬度,频段,方位角\n"
        "A,,A东,109,32,B8,0\nA,,,109,32,B8,120\nA,1,,109,32,B8,240\nA,,,109,32,B8,120\n"
        "A,,,109,32,B8,0\n",
    )
    assert ids == ["A东", "A-lte-b8-2", "A-lte-b8-1", "A-lte-b8-3"]
    assert reasons == ["the row repeats an earlier one"]


def test_a_site_whose_cells_are_all_duplicates_is_not_kept(tmp_path):
    network = read(tmp_path, {}, {"基站名称": "岚皋", "小区CGI": "460-00-100-1"})
    assert list(network.sites.index) == ["汉滨江北"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("站名,纬度,频段\nA,32,B8\n", "no column for longitude: name one of .*经度.* 站名, 纬度"),
        ("站名,经度,频段\nA,109,B8\n", "no column for latitude"),
        ("站名,经度,纬度\nA,109,32\n", "no column for radio_layer or band or channel"),
        ("经度(WGS84),经度(GCJ02),纬度,频段\n1,2,3,B8\n", "gives longitude twice, in 经度.WGS84"),
        (
            "站名,经度,纬度,频段,方位角\nA,32,109,B8,0\nB,0,0,B8,0\nC,33,109,B8,0\n",
            r"none of the 3 rows of sites\.csv .* \(2 rows\): .* swapped; .* row 2, column 经度",
        ),
        ("站名,经度,纬度,频段\nA,109,32,B8\n", "azimuth_deg is blank"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, fault):
    path = tmp_path / "sites.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(NetworkError, match=fault):
        read_sites(path)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match="there is no such file"):
        read_sites(tmp_path / "sites.csv")


def test_the_same_network_each_time(tmp_path):
    rows = [{"经度": f"{109 + n / 100:.2f}", "基站名称": f"站{n % 3}"} for n in range(12)]
    first, second = read(tmp_path, *rows), read(tmp_path, *rows)
    pd.testing.assert_frame_equal(first.cells, second.cells)
    pd.testing.assert_frame_equal(first.sites, second.sites)


VALUES = {
    "基站名称": ["A", "B", "", "A-2"],
    "小区CGI": ["", "1", "2", "460-00-1-1", "460-00-1-2"],
    "经度": ["109.02", "109.5", "32.69", "0", "", "东经109度", "x", "1e300"],
    "纬度": ["32.69", "109.02", "0", "32°30'", "nan", "３３"],
    "频段": ["B8", "n78", "2.6G", "", "GSM"],
    "站点类型": ["宏站", "微站", "室分", "", "S111"],
    "天线挂高(米)": ["30", "", "-5", "高"],
    "方位角": ["0", "360", "400", ""],
    "RS功率(dBm)": ["", "15", "152"],
    "状态": ["", "规划", "拆除"],
}


@pytest.mark.slow
@given(
    st.lists(
        st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}),
        max_size=12,
    )
)
def test_every_row_is_used_or_listed(rows):
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(VALUES))
    writer.writeheader()
    writer.writerows([{name: GOOD[name] for name in VALUES}, *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sites.csv")
        path.write_text(buffer.getvalue(), "utf-8")
        network = read_sites(path)
    blank = sum(not any(row.values()) for row in rows)
    assert len(network.cells) + len(network.rejected) + blank == len(rows) + 1
    assert network.rejected["row"].is_unique
    assert (network.rejected["reason"] != "").all()
    assert set(network.cells["site"]) == set(network.sites.index)
    numbers = network.cells.select_dtypes("number").to_numpy()
    assert np.isfinite(numbers).all()
    assert np.isfinite(network.sites.get_coordinates().to_numpy()).all()


@pytest.mark.parametrize(
    ("header", "word", "operator"),
    [
        ("运营商", "中国移动", "mobile"),
        ("归属运营商", "联通", "unicom"),
        ("operator", "China Telecom", "telecom"),
        ("运营商", "广电", "cbn"),
        ("运营商", "CMCC", "mobile"),
        ("运营商", "", ""),
    ],
)
def test_operators_go_by_their_names(tmp_path, header, word, operator):
    network = read(tmp_path, {header: word})
    assert network.cells["operator"].tolist() == [operator]
    assert "operator" not in network.cells["assumed"].iloc[0]


def test_an_unknown_operator_is_rejected(tmp_path):
    network = read(tmp_path, {}, {"运营商": "铁塔"})
    row, column, value, reason = only_rejection(network)
    assert (row, column, value) == (3, "运营商", "铁塔")
    assert "operator is none of 移动" in reason


def test_a_load_is_a_share(tmp_path):
    network = read(tmp_path, {"负荷": "0.8"}, {"负荷": "35"}, {"负荷": ""})
    assert network.cells["load"].tolist() == [0.8, radio_layer("lte-b8").load]
    assert only_rejection(network)[3] == "load is outside 0 to 1"


def test_a_table_is_read_with_ones_own_catalogue(tmp_path):
    own = builtin_catalogue().with_entries(
        radio_layer("lte-b8").with_fields(id="lte-b8-unicom", frequency_mhz=954.0, load=0.2)
    )
    network = read(tmp_path, {"radio_layer": "lte-b8-unicom"}, catalogue=own)
    assert network.cells["radio_layer"].tolist() == ["lte-b8-unicom"]
    assert network.cells["load"].tolist() == [0.2]
    assert network.catalogue is own
    with pytest.raises(NetworkError, match="'lte-b8-unicom' is not in the catalogue"):
        read(tmp_path, {"radio_layer": "lte-b8-unicom"})


def test_columns_that_are_not_used_are_listed(tmp_path):
    network = read(tmp_path, {"挂高米数": "30", "lon": "109.02"})
    assert network.unread == ("经度", "挂高米数")
    assert network.plus(network.with_cells(network.cells["height_m"] < 0)).unread == network.unread


def first_near(places):
    """The sites' rule, row by row: the first head within 200 m, or the row itself."""
    heads, firsts = [], []
    for row, (group, x, y) in enumerate(places):
        near = [
            head
            for head in firsts
            if places[head][0] == group
            and np.hypot(x - places[head][1], y - places[head][2]) <= SITE_RADIUS_M
        ]
        heads.append(min(near, default=row))
        if not near:
            firsts.append(row)
    return heads


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from([-200.0, 0.0, 100.0, 199.9, 200.0, 399.9, 400.0, 1e6]),
            st.floats(-500.0, 500.0),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_rows_join_the_first_site_within_reach(places):
    groups, x_m, y_m = map(np.array, zip(*places, strict=True))
    assert _heads_apart(groups, x_m, y_m).tolist() == first_near(places)


def test_a_thousand_places_under_one_id_are_a_thousand_sites(tmp_path):
    network = read(tmp_path, *({"经度": f"{105 + n / 100:.2f}"} for n in range(1_000)))
    assert len(network.sites) == 1_000
    assert network.sites.index[-1] == "汉滨江北-1000"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("天线挂高(米)", "1" * 9_000, "height_m has more than 60 characters"),
        ("经度", "1°" * 4_000, "longitude has more than 60 characters"),
        ("经度", "1" * 60_000, "column 经度 has more than 10,000 characters"),
        ("天线挂高(米)", "1" * 60, "height_m is outside 1 to 300 m"),
        ("RS功率(dBm)", "1e400", "re_power_dbm is no number"),
        ("天线挂高(米)", "inf", "height_m is no number"),
        ("方位角", "-inf", "azimuth_deg is no angle"),
        ("状态", "在" * 9_000, "status is none of"),
        ("频段", "(" * 9_000, "is no radio layer of the catalogue"),
        ("频段", "a" + "\u0301\u0323" * 4_000, "is no radio layer of the catalogue"),
    ],
)
def test_a_value_that_is_too_long_or_too_large_is_its_rows_fault_alone(
    tmp_path, column, value, reason
):
    network = read(tmp_path, {}, {column: value})
    assert len(network.cells) == 1
    assert reason in network.rejected["reason"].iloc[0]
    assert network.rejected["value"].str.len().max() <= LONGEST_SHOWN + 1
    assert network.rejected["reason"].str.len().max() <= 400


def test_control_characters_of_a_table_do_not_reach_a_message(tmp_path):
    with pytest.raises(NetworkError) as error:
        read(tmp_path, {"经度": "\x1b[2J", "\x1b[31mcolumn": "x"})
    assert str(error.value).isprintable()
    (tmp_path / "sites.csv").write_text("\x1b[2J,lat\n1,2\n", "utf-8")
    with pytest.raises(NetworkError, match=r"it has \\x1b\[2J, lat") as error:
        read_sites(tmp_path / "sites.csv")
    assert str(error.value).isprintable()


def test_arguments_of_another_type_are_named(tmp_path, small_network):
    with pytest.raises(ArgumentTypeError, match="tables in memory go into Network"):
        read_sites(small_network.sites)
    with pytest.raises(ArgumentTypeError, match="catalogue must be a Catalogue, not a str"):
        read(tmp_path, {}, catalogue="own.yaml")
    with pytest.raises(ArgumentTypeError, match="schema must be a Schema, not a list"):
        read(tmp_path, {}, schema=[])
    with pytest.raises(NetworkError, match="crs 5.0 is unknown"):
        read(tmp_path, {}, crs=5.0)


def test_places_far_from_the_region_are_rejected_and_any_country_is_read(tmp_path, small_region):
    rows = {}, {"经度": "9.02"}, {"纬度": "-32.69"}, {"经度": "109.9"}
    network = read(tmp_path, *rows, region=small_region)
    assert len(network.sites) == 2
    assert network.sites.crs == small_region.villages.crs
    assert network.rejected["row"].tolist() == [3, 4]
    assert network.rejected["reason"].str.contains("more than 500 km from small: are long").all()
    assert len(read(tmp_path, {"经度": "9.02"}).sites) == 1
