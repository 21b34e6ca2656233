"""The user's own places are read with what is known of them."""

import numpy as np
import pytest
from pyproj import Transformer

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning.sources.own import own_places

TABLE = """站点编号,站名,经度,纬度,产权,造价,建设方式
P1,甲,109.01,32.68,铁塔公司,"12,000",新建杆
P2,,109.02,32.69,,,
"""


def read(tmp_path, text, **options):
    path = tmp_path / "own.csv"
    path.write_text(text, "utf-8")
    return own_places(path, crs="EPSG:32649", **options)


def test_what_a_row_says_is_kept(tmp_path):
    places = read(tmp_path, TABLE)
    assert places["site"].tolist() == ["P1", "P2"]
    assert places["name"].tolist() == ["甲", ""]
    assert places["owner"].tolist() == ["铁塔公司", ""]
    assert places["construction"].tolist() == ["pole", ""]
    assert places["cost_yuan"].tolist() == pytest.approx([12_000.0, np.nan], nan_ok=True)
    x, y = Transformer.from_crs(4326, 32649, always_xy=True).transform(109.01, 32.68)
    assert places.geometry.iloc[0].coords[0] == pytest.approx((x, y))


def test_the_tables_of_this_library_can_be_read_back(tmp_path):
    assert read(tmp_path, TABLE.replace("站点编号", "id"))["site"].tolist() == ["P1", "P2"]


def test_gcj02_is_moved_by_hundreds_of_metres(tmp_path):
    moved = read(tmp_path, TABLE, coordinates="gcj02").geometry
    distance = moved.distance(read(tmp_path, TABLE).geometry)
    assert distance.between(200, 800).all()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("109.02", "", "row 3, column 经度: longitude is blank"),
        ("P2", "P1", "names site 'P1' twice"),
        ("新建杆", "天线", "row 2, column 建设方式: '天线' is none of"),
        ('"12,000"', "-3", "row 2, column 造价: cost '-3'"),
        ('"12,000"', "inf", "row 2, column 造价: cost 'inf' is not a number of yuan from 0 to 1,0"),
        ('"12,000"', "1e300", "cost '1e300' is not"),
        ('"12,000"', "9" * 5_000, "cost '9{60}…' is not"),
        ("109.02", "1" * 9_000, "row 3, column 经度: longitude has more than 60 characters"),
        ("经度", "东", "has no column longitude"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path, old, new, says):
    with pytest.raises(PlanningError, match=says):
        read(tmp_path, TABLE.replace(old, new))
