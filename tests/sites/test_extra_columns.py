"""Columns that no attribute names: kept from the file on, with their types, under clear names."""

from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely import Point

from ankang_coverage.sites import read_sites
from ankang_coverage.sites.extra_columns import distinct_names, typed

FIRST = pd.Timestamp(2020, 1, 2)
CELLS = {
    "站名": ["甲", "甲", "乙"],
    "小区CGI": ["c1", "c2", "c3"],
    "频段": ["B8", "B8", "B3"],
    "方位角": [0, 120, 0],
}
OWN = {
    "产权": ["铁塔", "铁塔", "自有"],  # the same within each site
    "PCI": [101, 102, 103],
    "租金": [1.5, 1.5, 2.25],
    "共享": [True, True, False],
    "开通日期": [FIRST, FIRST, pd.Timestamp(2021, 3, 4)],
    "备注": ["", "x", ""],
}


def values(*texts):
    return np.array(texts, dtype=object)


@pytest.mark.parametrize(
    ("given", "dtype", "kept"),
    [
        (values("1", "", "-20"), "Int64", [1, None, -20]),
        (values("1", "2.5", ""), "float64", [1.0, 2.5, None]),
        (values("0012", "7"), "object", ["0012", "7"]),
        (values("+8", "7"), "object", ["+8", "7"]),
        (values("1.10", "1.2"), "object", ["1.10", "1.2"]),
        (values("1e5", "7"), "object", ["1e5", "7"]),
        (values("460001234567890123456"), "object", ["460001234567890123456"]),
        (values("", None), "object", ["", ""]),
        (values("nan", "1"), "object", ["nan", "1"]),
    ],
)
def test_a_text_file_has_numbers_only_where_nothing_is_lost(given, dtype, kept):
    column = typed(given, has_types=False)
    assert column.dtype == dtype
    assert [None if pd.isna(value) else value for value in column] == kept


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (values(1, None, 2), "Int64"),
        (values(1, 2.5, np.nan), "float64"),
        (values(True, None, False), "boolean"),
        (values(True, 1), "object"),
        (values("7", 7), "object"),
        (values("7", ""), "object"),
        (values(2**70, 1), "object"),
        (values(FIRST.to_pydatetime(), pd.NaT), "datetime64[us]"),
        (values(datetime(2020, 1, 1, tzinfo=UTC)), "datetime64[us, UTC]"),
        (values(FIRST.to_pydatetime(), datetime(2020, 1, 1, tzinfo=UTC)), "object"),
    ],
)
def test_types_of_a_file_that_has_types(given, dtype):
    assert typed(given).dtype == dtype


def test_a_number_that_is_too_long_for_another_type_stays_text():
    assert typed(values(2**70, None)).tolist() == [str(2**70), ""]


def test_names_are_distinct_whatever_their_case():
    assert distinct_names(["a", "A", "a_2", "id"], ["ID"]) == ["a", "A_2", "a_2_2", "id_2"]


def as_csv(path, table):
    table.assign(经度=109.02 + 0.1 * (table["站名"] == "乙"), 纬度=32.69).to_csv(path, index=False)


def as_workbook(path, table):
    table = table.assign(经度=109.02 + 0.1 * (table["站名"] == "乙"), 纬度=32.69)
    book = openpyxl.Workbook()
    for row in [list(table), *table.itertuples(index=False, name=None)]:
        book.active.append(list(row))
    book.save(path)


def as_geopackage(path, table):
    points = [Point(109.02 + 0.1 * (name == "乙"), 32.69) for name in table["站名"]]
    gpd.GeoDataFrame(table, geometry=points, crs=4326).to_file(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [("t.csv", as_csv), ("t.xlsx", as_workbook), ("t.gpkg", as_geopackage)],
)
def test_a_users_columns_come_with_sites_and_cells(tmp_path, name, write):
    write(tmp_path / name, pd.DataFrame(CELLS | OWN))
    network = read_sites(tmp_path / name)
    assert network.extra_columns("sites") == ["产权", "租金", "共享", "开通日期"]
    assert network.extra_columns("cells") == ["PCI", "备注"]
    assert network.sites["产权"].to_dict() == {"甲": "铁塔", "乙": "自有"}
    assert network.sites["租金"].to_dict() == {"甲": 1.5, "乙": 2.25}
    assert network.cells["PCI"].to_dict() == {"c1": 101, "c2": 102, "c3": 103}
    assert network.cells["备注"].tolist() == ["", "x", ""]
    years = pd.to_datetime(network.sites["开通日期"]).dt.year
    assert years.tolist() == [2020, 2021]
    if name != "t.csv":
        assert network.sites["共享"].tolist() == [True, False]
    if name == "t.xlsx":
        assert network.sites["开通日期"].dtype.kind == "M"
    assert set(network.unread) == set(OWN)


def test_the_rows_that_are_used_decide_what_belongs_to_a_site(tmp_path):
    table = pd.DataFrame(CELLS | {"产权": ["铁塔", "铁塔", "自有"]})
    wrong = table.iloc[[0, 1]].assign(产权="自有", 方位角=[999, 120], 小区CGI=["c9", "c2"])
    as_csv(tmp_path / "t.csv", pd.concat([table, wrong]))
    network = read_sites(tmp_path / "t.csv")
    assert len(network.rejected) == 2  # a wrong azimuth, an id that is taken
    assert network.extra_columns("sites") == ["产权"]


def test_headers_that_are_names_of_columns_get_a_number(tmp_path):
    own = {"source": 1, "geometry": 2, "Assumed": 3, "CellID": 4, "x": 5, "X": 6}
    as_csv(tmp_path / "t.csv", pd.DataFrame(CELLS | own).assign(**{"": 7}))
    network = read_sites(tmp_path / "t.csv")
    names = ["source_2", "geometry_2", "Assumed_2", "CellID", "x", "X_2"]
    assert network.extra_columns("sites") == names
    assert network.sites[names].iloc[0].tolist() == [1, 2, 3, 4, 5, 6]
    assert network.sites["source"].unique().tolist() == ["t.csv"]
    assert network.cells.index.tolist() == ["c1", "c2", "c3"]


def test_networks_with_other_columns_go_together(tmp_path, small_network):
    as_csv(tmp_path / "t.csv", pd.DataFrame(CELLS | {"PCI": [101, 102, 103], "产权": "铁塔"}))
    own = read_sites(tmp_path / "t.csv")
    both = own.plus(small_network)
    assert both.cells["PCI"].dtype == "Int64"
    assert both.cells["PCI"].dropna().tolist() == [101, 102, 103]
    assert both.sites["产权"].isna().tolist() == [False, False, True, True, True]
    assert small_network.plus(own).extra_columns("sites") == ["产权"]
