"""Tables for readers: headings and classes in words, in Chinese or in English."""

import re
from collections.abc import Mapping
from functools import partial
from typing import TypeVar

import pandas as pd

from ankang_coverage.reporting.words import Words, vocabulary
from ankang_coverage.sites import Schema, builtin_schema

Table = TypeVar("Table", bound=pd.DataFrame)

# Chinese first, English second.
_HEADINGS: dict[str, tuple[str, str]] = {
    # names and places, beside the schema of the site table
    "code": ("区划代码", "Code"),
    "county": ("县代码", "County code"),
    "county_name": ("县（市、区）", "County"),
    "township": ("镇代码", "Township code"),
    "township_name": ("镇（街道）", "Township"),
    "village": ("村代码", "Village code"),
    "lon": ("经度", "Longitude"),
    "lat": ("纬度", "Latitude"),
    "geometry_source": ("边界来源", "Source of the polygon"),
    "candidate_source": ("候选来源", "Source of the candidate"),
    # people and coverage
    "people": ("人口", "People"),
    "area_km2": ("面积（km²）", "Area (km²)"),
    "people_covered": ("覆盖人口", "People covered"),
    "people_share": ("人口覆盖率", "Share of people covered"),
    "area_covered_km2": ("覆盖面积（km²）", "Area covered (km²)"),
    "area_share": ("面积覆盖率", "Share of area covered"),
    "median_rsrp_dbm": ("RSRP 中位数（dBm）", "Median RSRP (dBm)"),
    "coverage_class": ("覆盖等级", "Coverage class"),
    "main_reason": ("未覆盖主因", "Main reason"),
    "median_shortfall_db": ("电平缺口中位数（dB）", "Median shortfall (dB)"),
    "median_obstacle_m": ("遮挡距离中位数（m）", "Median distance of the obstacle (m)"),
    "best_site": ("主服务站点", "Best site"),
    "id": ("站点编号", "Site id"),
    # the choice
    "programme": ("建设项目", "Programme"),
    "order": ("次序", "Order"),
    "service": ("业务", "Service"),
    "people_gained": ("新增覆盖人口", "People gained"),
    "people_gained_net": ("净增覆盖人口", "People gained, net"),
    "people_gained_total": ("累计新增覆盖人口", "People gained, running total"),
    "reason": ("理由", "Reason"),
    "construction": ("建设方式", "Construction"),
    "owner": ("产权单位", "Owner"),
    "cost_yuan": ("造价（元）", "Cost (CNY)"),
    "cost_yuan_total": ("累计造价（元）", "Cost, running total (CNY)"),
    "knee": ("拐点", "Knee"),
    "sites": ("站点数", "Sites"),
    "next_site": ("下一站点", "Next site"),
    "next_people_gained": ("下一站点新增人口", "People the next site would add"),
    "constraint": ("约束", "Constraint"),
    "objective": ("目标值", "Objective"),
    "objective_without": ("去掉约束后", "Objective without it"),
    "difference": ("相差", "Difference"),
    "people_left": ("未覆盖人口", "People left"),
    "best_candidate": ("最佳候选", "Best candidate"),
    "best_people": ("其覆盖本村人口", "People of the village it would cover"),
    "best_gain": ("其合计新增人口", "People it would cover in all"),
    "why": ("原因", "Why"),
    "prediction": ("预测方法", "Prediction"),
    "synthetic": ("合成数据", "Synthetic"),
    # sources and rejected rows
    "what": ("数据", "Ingredient"),
    "nature": ("性质", "Nature"),
    "credit": ("出处", "Credit"),
    "row": ("行号", "Row"),
    "column": ("列", "Column"),
    "value": ("内容", "Value"),
}
_CLASSES = (
    *("coverage_class", "reason", "construction", "why", "constraint", "main_reason"),
    *("geometry_source", "source", "candidate_source", "what", "nature"),
)
"""Columns whose values are words of the vocabulary, beside those of the type word."""
_OF_A_STATE = re.compile(r"(?P<figure>\w+)_(?P<service>[^_]+)_(?P<state>before|after)")


def localised(table: Table, lang: str = "zh", *, schema: Schema | None = None) -> Table:
    """Return a table with headings and classes in words, for reports and notebooks.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table of the library: divisions with their figures, chosen sites, sites, cells, sources.
    lang : str
        ``zh`` or ``en``.
    schema : Schema, optional
        The schema of the network that the table is of, for headings of your own attributes; the
        built-in one when omitted.

    Returns
    -------
    pandas.DataFrame
        A copy of the same type, with its index; columns and values without a word, and the
        geometry, stay as they are.

    Raises
    ------
    UnknownNameError
        If there are no words in that language.

    Examples
    --------
    >>> table = pd.DataFrame({"people": [12], "coverage_class_4g_after": ["covered"]})
    >>> localised(table).iloc[0].to_dict()
    {'人口': 12, '4G 规划后覆盖等级': '已覆盖'}
    """
    words = vocabulary(lang)
    schema = schema or builtin_schema()
    headings = {about.name: (about.heading_zh, about.heading_en) for about in schema} | _HEADINGS
    classes = {*_CLASSES, *(about.name for about in schema if about.type == "word")}

    def heading(column: object) -> object:
        return _heading(column, headings, words, lang)

    shown = table.copy()
    for column in table.columns:
        if _figure(column) in classes:
            shown[column] = table[column].map(lambda value: words.get(value, value))
        elif column == "synthetic":
            shown[column] = table[column].map(partial(_listed, words=words))
    shown.index = table.index.rename(heading(table.index.name))
    return shown.rename(columns={column: heading(column) for column in table})


def _listed(value: object, words: Words) -> object:
    """Translate a list of data that are separated by semicolons."""
    if not isinstance(value, str):
        return value
    return words["separator"].join(words.get(name, name) for name in value.split("; "))


def _figure(column: object) -> str:
    """Return a column's name without its service and state."""
    found = _OF_A_STATE.fullmatch(str(column))
    return found["figure"] if found else str(column)


def _heading(
    column: object, headings: Mapping[str, tuple[str, str]], words: Words, lang: str
) -> object:
    heading = headings.get(_figure(column))
    figure = heading[lang != "zh"] if heading else ""
    if not figure:
        return column
    found = _OF_A_STATE.fullmatch(str(column))
    if found is None:
        return figure
    state = words[f"coverage_{found['state']}"].format(service=found["service"].upper())
    return f"{state}{figure}" if lang == "zh" else f"{state}: {figure}"
