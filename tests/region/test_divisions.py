"""Polygons of the user's own: Chinese headers, repair, codes and parents."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from ankang_coverage.errors import DivisionError, FileError
from ankang_coverage.region import as_divisions, check_hierarchy, read_divisions
from ankang_coverage.region.divisions import dissolve
from ankang_coverage.region.rejections import REJECTED

CODES = ["610902102201", "610902102202", "610902103200"]


def villages(**changes):
    table = {
        "区划代码": CODES,
        "名称": ["甲村", "乙村", "丙社区"],
        "类型": ["行政村", "村", "社区"],
        "人口": [120, 340, 560],
    }
    table.update(changes)
    boxes = [shapely.box(109 + 0.1 * n, 32.6, 109.1 + 0.1 * n, 32.7) for n in range(3)]
    return gpd.GeoDataFrame(table, geometry=boxes, crs=4490)


def save(table, path):
    table.to_file(path)
    return path


def test_chinese_headers_are_understood(tmp_path):
    read = read_divisions(save(villages(), tmp_path / "v.gpkg"), "village")
    assert read.index.tolist() == CODES
    assert read["kind"].tolist() == ["village", "village", "community"]
    assert read["people"].tolist() == [120, 340, 560]
    assert read["township"].tolist() == ["610902102", "610902102", "610902103"]
    assert set(read["geometry_source"]) == {"user"}


def test_parents_made_from_villages_have_their_people_and_area(tmp_path):
    read = read_divisions(save(villages(), tmp_path / "v.gpkg"), "village").to_crs(32649)
    townships, counties = dissolve(read, "township"), dissolve(read, "county")
    assert townships["people"].to_dict() == {"610902102": 460, "610902103": 560}
    assert counties.geometry.area.sum() == pytest.approx(read.geometry.area.sum())
    check_hierarchy(counties, townships, read)


def test_a_bow_tie_is_repaired(tmp_path):
    table = villages()
    table.loc[0, "geometry"] = shapely.Polygon([(109, 32), (110, 33), (110, 32), (109, 33)])
    assert read_divisions(save(table, tmp_path / "v.gpkg"), "village").is_valid.all()


def test_a_spike_is_cut_off():
    square = [(0, 0), (2, 0), (2, 2), (1, 2), (1, 9), (1, 2), (0, 2)]
    table = gpd.GeoDataFrame(
        {"name": ["a"]}, geometry=[shapely.Polygon(square)], crs=32649, index=["610902"]
    )
    repaired = as_divisions(table, "county").geometry.iloc[0]
    assert repaired.equals(shapely.box(0, 0, 2, 2))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"区划代码": ["6109021022", *CODES[1:]]}, "village code '6109021022' needs 12 digits"),
        ({"区划代码": [None, *CODES[1:]]}, "village code '' needs 12 digits"),
        ({"类型": ["屯", "村", "社区"]}, "kind '屯' is none of village, community"),
        ({"类型": [None, "村", "社区"]}, "kind '' is none of village, community"),
        ({"人口": [-3, 340, 560]}, "people '-3' is no number from 0 to 100,000,000"),
        ({"人口": ["x", "340", "560"]}, "people 'x' is no number"),
        ({"人口": [None, 340, 560]}, "people 'None' is no number"),
        ({"人口": [1e300, 340.0, 560.0]}, "people '1e+300' is no number"),
    ],
)
def test_villages_that_are_wrong_alone_are_left_out_and_listed(tmp_path, changes, says):
    table = villages(**changes)
    read = read_divisions(save(table, tmp_path / "v.gpkg"), "village")
    assert read.index.tolist() == CODES[1:]
    assert read["people"].tolist() == [340, 560]
    ((file, feature, code, name, reason),) = read.attrs[REJECTED]
    assert (file, feature, name) == ("v.gpkg", 1, "甲村")
    given = table["区划代码"].iloc[0]
    assert code == ("" if pd.isna(given) else given)
    assert says in reason


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (None, "no shape"),
        (shapely.Polygon(), "an empty shape"),
        (shapely.Point(109, 32), "a Point where a polygon is needed"),
        (shapely.LineString([(109, 32), (110, 33)]), "a LineString where a polygon is needed"),
        (shapely.Polygon([(109, 32), (110, 33), (109, 32)]), "a polygon without an area"),
        (shapely.Polygon([(109, 32), (np.inf, 33), (110, 32)]), "a coordinate that is no number"),
        (
            shapely.Polygon([(109, 32), (1e6, 33), (110, 32)]),
            "a corner off the earth, at x = 1,000",
        ),
        (shapely.box(-70.1, -32.1, -70, -32), "too far from the others: 19,"),
    ],
)
def test_polygons_that_are_wrong_alone_are_left_out_and_listed(tmp_path, shape, says):
    table = villages()
    table.loc[2, "geometry"] = shape
    read = read_divisions(save(table, tmp_path / "v.gpkg"), "village")
    assert read.index.tolist() == CODES[:2]
    ((_, feature, code, _, reason),) = read.attrs[REJECTED]
    assert (feature, code) == (3, CODES[2])
    assert says in reason


def test_a_file_without_a_usable_village_says_the_commonest_fault(tmp_path):
    table = villages(人口=["x", -1, 560])
    table.loc[2, "geometry"] = None
    says = (
        r"none of the 3 features of .*v\.gpkg .* of 2 of them, the first in feature 1: people 'x'"
    )
    with pytest.raises(DivisionError, match=says):
        read_divisions(save(table, tmp_path / "v.gpkg"), "village")


def test_a_wrong_county_is_an_error(tmp_path):
    table = villages(区划代码=["610902", "610903", "61"]).drop(columns="类型")
    with pytest.raises(DivisionError, match=r"v\.gpkg, feature 3: county code '61' needs 6 digits"):
        read_divisions(save(table, tmp_path / "v.gpkg"), "county")


def test_a_county_on_the_other_side_of_the_earth_is_named(tmp_path):
    table = villages(区划代码=["610902", "610903", "610904"]).drop(columns="类型")
    table.loc[1, "geometry"] = shapely.box(20.9, -0.1, 21.1, 0.1)
    with pytest.raises(DivisionError, match="610903 lies too far away for WGS 84 / UTM zone 49N"):
        read_divisions(save(table, tmp_path / "v.gpkg"), "county", CRS.from_epsg(32649))


def test_codes_that_occur_twice_are_named(tmp_path):
    table = villages(区划代码=[CODES[1], *CODES[1:]])
    with pytest.raises(DivisionError, match="code 610902102202 occurs twice"):
        read_divisions(save(table, tmp_path / "v.gpkg"), "village")


def test_missing_columns_and_files_are_named(tmp_path):
    path = save(villages().drop(columns="名称"), tmp_path / "v.gpkg")
    with pytest.raises(DivisionError, match="no column for name.*it has 区划代码"):
        read_divisions(path, "village")
    with pytest.raises(FileError, match=r"none\.gpkg"):
        read_divisions(tmp_path / "none.gpkg", "village")
    with pytest.raises(DivisionError, match="v2.gpkg holds no polygons"):
        read_divisions(save(villages().iloc[:0], tmp_path / "v2.gpkg"), "village")


@pytest.mark.parametrize("shape", [shapely.Point(0, 0), shapely.Polygon(), None])
def test_polygons_without_area_are_named(shape):
    table = gpd.GeoDataFrame({"name": ["a"]}, geometry=[shape], crs=32649, index=["610902"])
    with pytest.raises(DivisionError, match="county 610902 has no polygon"):
        as_divisions(table, "county")


def test_orphans_and_wrong_sums_are_named(tmp_path):
    read = read_divisions(save(villages(), tmp_path / "v.gpkg"), "village").to_crs(32649)
    townships, counties = dissolve(read, "township"), dissolve(read, "county")
    with pytest.raises(DivisionError, match="township 610902103 of 610902103200 is not among"):
        check_hierarchy(counties, townships.iloc[:1], read)
    with pytest.raises(DivisionError, match="county 610902 has 7 people, its villages 1020"):
        check_hierarchy(counties.assign(people=7), townships, read)


def test_arguments_are_not_changed():
    table = gpd.GeoDataFrame(
        {"name": ["b", "a"]},
        geometry=[shapely.box(1, 0, 2, 1), shapely.box(0, 0, 1, 1)],
        crs=32649,
        index=pd.Index(["610903", "610902"]),
    )
    before = table.copy()
    as_divisions(table, "county")
    pd.testing.assert_frame_equal(table, before)
    assert np.array_equal(table.geometry.area, [1, 1])


def hierarchy(tmp_path, **changes):
    read = read_divisions(save(villages(**changes), tmp_path / "v.gpkg"), "village").to_crs(32649)
    return dissolve(read, "county"), dissolve(read, "township"), read


def test_overlapping_villages_are_named(tmp_path):
    counties, townships, read = hierarchy(tmp_path)
    moved = read.copy()
    moved.loc[CODES[1], "geometry"] = read.geometry[CODES[1]].buffer(400)
    with pytest.raises(DivisionError, match=f"village {CODES[0]} and village {CODES[1]} overlap"):
        check_hierarchy(counties, townships, moved)


def test_a_village_outside_its_township_is_named(tmp_path):
    counties, townships, read = hierarchy(tmp_path)
    away = townships.set_geometry(townships.translate(50_000, 0))
    with pytest.raises(DivisionError, match="610902102 lies outside its county 610902"):
        check_hierarchy(counties, away, read)
    with pytest.raises(DivisionError, match="610902102201 lies outside its township 610902102"):
        check_hierarchy(counties.set_geometry(counties.buffer(90_000)), away, read)


def test_repairs_are_listed(tmp_path):
    table = villages()
    table.loc[0, "geometry"] = shapely.Polygon([(109, 32), (110, 33), (110, 32), (109, 33)])
    assert read_divisions(save(table, tmp_path / "v.gpkg"), "village").attrs["repaired"] == (
        CODES[0],
    )


def test_of_several_layers_the_one_of_the_level_is_read(tmp_path):
    path = tmp_path / "all.gpkg"
    table = villages()
    table[:2].to_file(path, layer="villages")
    table[2:].to_file(path, layer="remarks")
    assert len(read_divisions(path, "village")) == 2
    with pytest.raises(FileError, match="several layers, villages, remarks: call the one .*towns"):
        read_divisions(path, "township")


def test_full_width_codes_are_digits_and_a_rounded_one_says_so(tmp_path):
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    read = read_divisions(
        save(villages(区划代码=[code.translate(wide) for code in CODES]), tmp_path / "w.gpkg"),
        "village",
    )
    assert read.index.tolist() == CODES
    rounded = villages(区划代码=["6.10902E+11", *CODES[1:]])
    read = read_divisions(save(rounded, tmp_path / "r.gpkg"), "village")
    assert "keep codes as text" in read.attrs[REJECTED][0][-1]


def test_a_village_without_a_name_is_called_by_its_code(tmp_path):
    read = read_divisions(
        save(villages(名称=["甲村", None, "丙社区"]), tmp_path / "v.gpkg"), "village"
    )
    assert read["name"].tolist() == ["甲村", CODES[1], "丙社区"]


def test_what_is_no_file_of_polygons_is_named(tmp_path):
    (tmp_path / "empty.gpkg").touch()
    for path, says in ((tmp_path, "it is a folder"), (tmp_path / "empty.gpkg", "is empty")):
        with pytest.raises(FileError, match=says):
            read_divisions(path, "village")
