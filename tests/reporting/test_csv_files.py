"""CSV that Excel reads: text stays text, and rows stay rows."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from builders import rows_of_csv

from ankang_coverage.reporting.csv_files import with_text, write_csv

EVIL = "</script><b>x"


def test_text_never_becomes_a_formula(tmp_path):
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1", "＋1", "－1", "＠A1", "1＝1", EVIL]
    write_csv(pd.DataFrame({"name": names, "number": -1.5}), tmp_path / "t.csv")
    back = pd.read_csv(tmp_path / "t.csv")
    assert back["name"].tolist() == [*(f"'{name}" for name in names[:9]), *names[9:]]
    assert set(back["number"]) == {-1.5}


BLANKS = (
    *"\n\r\t \v\f\0\x1c\x7f\x85\xa0\xad\u034f\u061c\u115f\u180e\u2000\u200b\u200e\u2028\u2029",
    *"\u202e\u2060\u2800\u3000\u3164\ufe0f\ufeff\uffa0\ue000\U000e0020",
    *("\r\n", "\ufeff \n\u200b"),
)


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_blank_in_front_hides_no_formula(blank, tmp_path):
    texts = [f"{blank}{sign}1+1" for sign in "=+-@＝＋－＠﹦﹢﹣﹫"]
    table = pd.DataFrame({texts[0]: [*texts, f"x{texts[0]}"]})
    write_csv(table, tmp_path / "t.csv")
    safe = [[f"'{text}"] for text in texts]
    assert rows_of_csv(tmp_path / "t.csv") == [safe[0], *safe, [f"x{texts[0]}"]]


def test_no_end_of_line_inside_a_text_begins_a_row(tmp_path):
    """A lone carriage return ends a row for Excel, and what follows would be a formula."""
    names = ["a\r=1+1", "a\n=1+1", "a\r\n=1+1", 'a"\r"=1+1', "a\u2028=1+1"]
    write_csv(pd.DataFrame({"name": names, "number": 1.5, "none": np.nan}), tmp_path / "t.csv")
    assert rows_of_csv(tmp_path / "t.csv")[1:] == [[name, "1.5", ""] for name in names]
    back = pd.read_csv(tmp_path / "t.csv")
    assert back["name"].tolist() == names
    assert back["number"].tolist() == [1.5] * 5


def test_excel_is_told_that_a_file_is_utf8(tmp_path):
    write_csv(pd.DataFrame({"name": ["汉滨区"], "people": [3]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == "\ufeffname,people\n汉滨区,3\n".encode()


def test_text_is_changed_and_numbers_and_shapes_are_left():
    shape = gpd.points_from_xy([1.0], [2.0])
    table = gpd.GeoDataFrame({"name": ["a"], "number": [1.5]}, geometry=shape, crs=4326)
    changed = with_text(table, lambda value: f"{value}!")
    assert isinstance(changed, gpd.GeoDataFrame)
    assert changed["name"].tolist() == ["a!"]
    assert changed["number"].tolist() == [1.5]
    assert changed.geometry.equals(table.geometry)
    assert table["name"].tolist() == ["a"]
