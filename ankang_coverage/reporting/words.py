"""Words and figures on maps, in Chinese and in English."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from ankang_coverage.errors import UnknownNameError
from ankang_coverage.planning import Target
from ankang_coverage.planning.kinds import KINDS
from ankang_coverage.planning.sources import SOURCES

Words = dict[str, str]

UNKNOWN = "–"
"""Shown in place of a missing figure."""

_LANGUAGES = ("zh", "en")

# Chinese first, English second.
_WORDS: dict[str, tuple[str, str]] = {
    "language": ("zh-CN", "en"),
    "plan_title": ("{region}移动网络规划图", "{region}: mobile network plan"),
    "coverage_title": ("{region} {service} 信号覆盖图", "{region}: {service} coverage"),
    "chosen_line": ("新增 {programme}：{number} 个", "New {programme}: {number}"),
    "share_line": (
        "{service} 人口覆盖率：{before} → {after}",
        "People covered by {service}: {before} → {after}",
    ),
    "panel": ("图层与图例", "Layers and legend"),
    "zoom_in": ("放大", "Zoom in"),
    "zoom_out": ("缩小", "Zoom out"),
    # groups of layers
    "group_sites": ("站点", "Sites"),
    "group_coverage": ("信号覆盖", "Coverage"),
    "group_divisions": ("行政区", "Divisions"),
    "group_base": ("底图", "Base"),
    # layers
    "existing_sites": ("现有站点", "Existing sites"),
    "coverage_before": ("{service} 规划前", "{service} before"),
    "coverage_after": ("{service} 规划后", "{service} after"),
    "change": ("覆盖变化", "Change of coverage"),
    "change_title": ("{region} {service} 覆盖变化图", "{region}: change of {service} coverage"),
    "gained": ("新增覆盖", "Gained"),
    "lost": ("失去覆盖", "Lost"),
    "coverage_only": ("{service} 信号", "{service} signal"),
    "counties": ("县（市、区）", "Counties"),
    "townships": ("镇（街道）", "Townships"),
    "villages": ("村（社区）", "Villages"),
    "villages_by": ("村（社区）{service} 覆盖", "Villages by {service} coverage"),
    "hillshade": ("地形晕渲", "Hillshade"),
    "height_legend": ("海拔（m）", "Height above sea level (m)"),
    "osm": ("OpenStreetMap", "OpenStreetMap"),
    "tianditu": ("天地图", "Tianditu"),
    # legend
    "rsrp_legend": ("RSRP（dBm）", "RSRP (dBm)"),
    "uncovered_legend": (
        "透明：低于门限 {threshold} dBm 或无信号",
        "Transparent: below {threshold} dBm, or no signal",
    ),
    "class_legend": ("规划后，按人口", "After the plan, by people"),
    "covered": ("已覆盖", "Covered"),
    "partly": ("部分覆盖", "Partly covered"),
    "not covered": ("未覆盖", "Not covered"),
    # cards
    "people": ("人口", "People"),
    "people_share": ("{service} 人口覆盖率", "People covered by {service}"),
    "area_share": ("{service} 面积覆盖率", "Area covered by {service}"),
    "status": ("状态", "Status"),
    "existing": ("现有", "existing"),
    "planned": ("在建", "planned"),
    "candidate": ("候选", "candidate"),
    "kind": ("类型", "Kind"),
    "macro": ("宏站", "macro"),
    "micro": ("微站", "micro"),
    "indoor": ("室分", "indoor"),
    "village": ("行政村", "village"),
    "county": ("县级", "county"),
    "subdistrict": ("街道", "subdistrict"),
    "town": ("镇", "town"),
    "township": ("乡", "township"),
    "community": ("社区", "community"),
    "order": ("次序", "Order"),
    "site_id": ("站点编号", "Site id"),
    "site_name": ("站点名称", "Name"),
    "position": ("经纬度（WGS-84）", "Longitude, latitude (WGS-84)"),
    "people_gained": ("新增覆盖人口", "People gained"),
    "people_gained_total": ("累计新增", "Running total"),
    "reason": ("理由", "Reason"),
    "no_terrain_data": ("无地形数据", "no terrain data"),
    "beyond_range": ("超出计算半径", "beyond range"),
    "blocked_by_terrain": ("地形遮挡", "blocked by terrain"),
    "too_weak": ("电平不足", "too weak"),
    "interference": ("干扰", "interference"),
    "uplink_fails": ("上行受限", "uplink fails"),
    "no_candidate": ("无候选可及", "no candidate"),
    "outranked": ("排序靠后", "outranked"),
    "spacing": ("站间距", "spacing"),
    "forbidden": ("禁用", "forbidden"),
    "quota": ("指标已满", "quota"),
    "budget": ("超预算", "budget"),
    "minimum spacing": ("最小站间距", "minimum spacing"),
    "forced sites": ("必选站点", "forced sites"),
    "forbidden sites": ("禁选站点", "forbidden sites"),
    "data_source": ("数据来源", "Source"),
    # sources and notes
    "sources": ("数据来源", "Sources"),
    "real": ("真实", "real"),
    "approximate": ("近似", "approximate"),
    "synthetic": ("合成", "synthetic"),
    "given": ("用户提供", "given by the user"),
    "village polygons and people": ("村级界线与人口", "village polygons and people"),
    "user": ("用户提供", "user's own"),
    "synthetic_note": (
        "合成数据，仅作演示：{what}",
        "Synthetic, for demonstration only: {what}",
    ),
    "approximate_note": ("近似数据：{what}", "Approximate: {what}"),
    "default_class_note": (
        "无土地覆被数据：地物损耗一律按默认类别计算",
        "No land cover given: the default class applies everywhere",
    ),
    "model_note": ("传播模型：{model}", "Path-loss model: {model}"),
    "no_terrain_note": (
        "未计地形：信号按与地形无关的模型计算，未考虑山体遮挡",
        "No terrain: signal from a terrain-free model, mountains do not block it",
    ),
    # data, as sources name them
    "sites": ("站点", "sites"),
    "existing sites": ("现有站点", "existing sites"),
    "county polygons": ("县级界线", "county polygons"),
    "township polygons": ("镇级界线", "township polygons"),
    "township names, codes and kinds": ("镇级名称与代码", "township names, codes and kinds"),
    "village polygons": ("村级界线", "village polygons"),
    "number and kinds of villages": ("村级单位的数目与类型", "number and kinds of villages"),
    "people of counties and of 28 townships": (
        "各县及 28 个镇的人口",
        "people of counties and of 28 townships",
    ),
    "people of other townships and of villages": (
        "其余各镇及各村的人口",
        "people of other townships and of villages",
    ),
    "population raster": ("人口栅格", "population raster"),
    "elevation": ("高程", "elevation"),
    "land cover": ("土地覆被", "land cover"),
    "user file": ("用户文件", "user file"),
    "separator": ("、", ", "),
}


def vocabulary(lang: str, targets: Iterable[Target] = ()) -> Words:
    """Return the words of one language, by key.

    Parameters
    ----------
    lang : str
        ``zh`` or ``en``.
    targets : iterable of Target, optional
        Targets whose words are added, because their kinds or sources may be the user's own.

    Returns
    -------
    dict
        Text by key; a text with a figure in it holds a ``{placeholder}``.

    Raises
    ------
    UnknownNameError
        If there are no words in that language.

    Examples
    --------
    >>> vocabulary("en")["covered"]
    'Covered'
    """
    if lang not in _LANGUAGES:
        raise UnknownNameError(f"lang {lang!r} is not available: choose 'zh' or 'en'")
    column = _LANGUAGES.index(lang)
    own = [
        *(target.words_used for target in targets),
        *(source.words for source in SOURCES.values()),
        *(kind.words for kind in KINDS.values()),
    ]
    texts: dict[str, tuple[str, str]] = {}
    for words in (*own, _WORDS):
        texts.update(words)
    return {key: pair[column] for key, pair in texts.items()}


def translated(value: Any, words: Words) -> str:
    """Return the word for a value of a table.

    Parameters
    ----------
    value : object
        The value.
    words : Words
        Words of the language.

    Returns
    -------
    str
        The value as text where there is no word for it; a dash where there is no value.
    """
    name = text(value)
    return words.get(name, name)


def text(value: Any) -> str:
    """Return a value of a table as text.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    str
        A dash where there is no value.
    """
    return UNKNOWN if pd.isna(value) or value == "" else str(value)


def dbm(level: float) -> str:
    """Write a signal level with a proper minus sign.

    Parameters
    ----------
    level : float
        The level [dBm].

    Returns
    -------
    str
        The level.

    Examples
    --------
    >>> dbm(-110.0)
    '−110'
    """
    return f"{level:g}".replace("-", "\u2212")


def whole(value: float) -> str:
    """Write a figure as a whole number.

    Parameters
    ----------
    value : float
        The figure.

    Returns
    -------
    str
        Rounded, with separators; a dash where there is no figure.

    Examples
    --------
    >>> whole(26971.593)
    '26,972'
    """
    return UNKNOWN if math.isnan(value) else f"{value:,.0f}"


def percent(share: float) -> str:
    """Write a share in percent, rounded down so that 100 % means everybody.

    Parameters
    ----------
    share : float
        Part of one [1].

    Returns
    -------
    str
        With one decimal; a dash where there is none.

    Examples
    --------
    >>> percent(0.9996)
    '99.9 %'
    """
    # 0.29 is slightly below 29 % in binary, and must not be rounded down to 28.9 %.
    return UNKNOWN if math.isnan(share) else f"{math.floor(share * 1000 + 1e-9) / 10:.1f} %"
