"""Tables in words: every column has a heading, every class a word, nothing else changes."""

import re

import geopandas as gpd
import pandas as pd
import pytest
from builders import plan

from ankang_coverage.errors import UnknownNameError
from ankang_coverage.planning import Programme
from ankang_coverage.reporting.outputs.chosen_sites import chosen_table
from ankang_coverage.reporting.outputs.divisions import division_table
from ankang_coverage.reporting.tables import localised
from ankang_coverage.sites.catalogue import service

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def planned(small_region, small_network):
    target = {
        "id": "micro",
        "kind": "micro",
        "number": 2,
        "service": "4g",
        "radio_layers": ("lte-b8",),
        "minimum_spacing_m": 500,
    }
    rules = {
        "4g": service("4g").model_copy(update={"rsrp_threshold_dbm": -86.0}),
        "5g": service("5g"),
    }
    return plan(small_region, small_network, Programme(targets=(target,)), rules=rules)


@pytest.fixture
def tables(planned, small_network):
    return {
        "chosen": planned.chosen,
        "chosen_sites.csv": chosen_table(planned),
        "villages": planned.villages,
        "townships": planned.townships,
        "counties": planned.counties,
        "villages.csv": division_table(planned, "villages"),
        "sites": small_network.sites,
        "cells": small_network.cells,
        "rejected": small_network.rejected,
        "sources": pd.DataFrame(planned.sources),
    }


def test_every_heading_is_chinese_or_english(tables):
    for name, table in tables.items():
        for lang in ("zh", "en"):
            shown = localised(table, lang)
            headings = [heading for heading in shown if heading != "geometry"]
            assert len(set(headings)) == len(headings), name
            for heading in headings:
                assert bool(CHINESE.search(heading)) == (lang == "zh"), (name, heading)


def test_service_and_state_stand_before_the_figure(planned):
    assert "5G 规划前人口覆盖率" in localised(planned.counties)
    assert "5G before: Share of people covered" in localised(planned.counties, "en")


def test_classes_become_words_and_names_stay(planned):
    villages = planned.villages.assign(name="people")
    shown = localised(villages)
    assert set(shown["类型"]) == {"行政村", "社区"}
    assert set(shown["边界来源"]) == {"合成"}
    assert set(shown["4G 规划前覆盖等级"]) <= {"已覆盖", "部分覆盖", "未覆盖"}
    assert set(shown["名称"]) == {"people"}
    assert set(localised(planned.chosen)["理由"]) <= {"河谷", "山脊", "村中心", "制高点"}


def test_constraints_and_what_is_synthetic_become_words():
    table = pd.DataFrame({"constraint": ["minimum spacing"], "synthetic": ["elevation; mine"]})
    assert localised(table).iloc[0].to_dict() == {"约束": "最小站间距", "合成数据": "高程、mine"}
    assert localised(table, "en").iloc[0].to_dict() == {
        "Constraint": "minimum spacing",
        "Synthetic": "elevation, mine",
    }


def test_figures_index_geometry_and_type_are_kept(planned):
    before = planned.villages.copy()
    shown = localised(planned.villages)
    assert isinstance(shown, gpd.GeoDataFrame)
    assert shown.crs == planned.villages.crs
    assert list(shown.index) == list(planned.villages.index)
    assert shown["人口"].tolist() == planned.villages["people"].tolist()
    pd.testing.assert_frame_equal(planned.villages, before)


def test_what_has_no_word_stays():
    table = pd.DataFrame({"mine": ["covered"], "kind": [None]}, index=pd.Index([3], name="row 1"))
    pd.testing.assert_frame_equal(localised(table), table.rename(columns={"kind": "类型"}))


def test_other_languages_are_refused():
    with pytest.raises(UnknownNameError, match="'zh' or 'en'"):
        localised(pd.DataFrame(), "fr")
