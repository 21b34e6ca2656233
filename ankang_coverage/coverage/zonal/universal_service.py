"""The universal-service rule for administrative villages (行政村), and rules that combine.

A rule is a function of a `Case` (a region, what covers it, what is built) that returns one row per
administrative village: ``fulfilled``, ``reason`` and the figures that the rule used. `any_of`
and `all_of` make one rule of several, `judge` applies it:

>>> rule = all_of(universal_service(), people_share_at_least(0.95))
>>> judge(rule, region, coverage, network)  # doctest: +SKIP
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ankang_coverage.coverage.zonal.blocks import (
    Block,
    blocks_of,
    each_block,
    read_block,
    require_same_grid,
    require_variables,
)
from ankang_coverage.coverage.zonal.overlay import summarise_region
from ankang_coverage.coverage.zonal.predicted import Predicted
from ankang_coverage.errors import CatalogueError, DivisionError, OutOfRangeError
from ankang_coverage.region import Region
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.rasters import crs_label, require_same_crs
from ankang_coverage.sites import Network

ADMINISTRATIVE = "village"
"""``kind`` of the villages that rules judge; communities (社区) are not judged."""
KINDS_OF_POINTS = ("committee", "school", "clinic", "cluster")
LEAST_HOUSEHOLDS = 20
"""Households from which a cluster is a point of service."""
SITE_DISTANCE_M = 5000.0

_JOINED = "; "


@dataclass(frozen=True)
class Case:
    """What rules judge.

    Attributes
    ----------
    region : Region
        The region.
    coverage : Coverage
        The coverage, on its grid.
    network : Network
        What is built or planned; sites of status candidate do not count.
    """

    region: Region
    coverage: Predicted
    network: Network

    @cached_property
    def judged(self) -> gpd.GeoDataFrame:
        """The administrative villages."""
        return self.region.villages[self.region.villages["kind"] == ADMINISTRATIVE]

    @cached_property
    def summary(self) -> gpd.GeoDataFrame:
        """Figures of `summarise_region` for the administrative villages."""
        return summarise_region(self.coverage, self.region)["villages"].loc[self.judged.index]


VillageRule = Callable[[Case], pd.DataFrame]
"""Judges a case: one row per administrative village, ``fulfilled`` (bool) and ``reason`` first."""


def judge(rule: VillageRule, region: Region, coverage: Predicted, network: Network) -> pd.DataFrame:
    """Apply a rule to every administrative village of a region.

    Parameters
    ----------
    rule : VillageRule
        One of the rules below, or `any_of` or `all_of` several.
    region : Region
        The region.
    coverage : Coverage
        The coverage, on its grid.
    network : Network
        What is built or planned; sites of status candidate do not count.

    Returns
    -------
    pandas.DataFrame
        Indexed by village code, 行政村 only: ``fulfilled``, ``reason`` (the rule that is
        fulfilled, or those that are not), and the figures that the rules used.

    Raises
    ------
    RasterError
        If the coverage is not on the region's grid or lacks a variable.
    """
    figures = coverage.to_dataset()
    require_same_grid(figures, region.geobox, "the region")
    require_variables(figures, ["covered"])
    return rule(Case(region, coverage, network))


def check_universal_service(
    coverage: Predicted, region: Region, network: Network, rule: VillageRule | None = None
) -> pd.DataFrame:
    """Say of every administrative village whether it has the service that everybody is owed.

    Parameters
    ----------
    coverage : Coverage
        The coverage, on the region's grid.
    region : Region
        The region.
    network : Network
        What is built or planned; sites of status candidate do not count.
    rule : VillageRule, optional
        `universal_service()` when omitted.

    Returns
    -------
    pandas.DataFrame
        As `judge`.

    Raises
    ------
    RasterError
        If the coverage is not on the region's grid or lacks a variable.
    """
    return judge(rule or universal_service(), region, coverage, network)


def any_of(*rules: VillageRule) -> VillageRule:
    """Return the rule that is fulfilled where at least one of some rules is.

    Parameters
    ----------
    *rules : callable
        The rules; those that are fulfilled are the reason, and where none is, all are.

    Returns
    -------
    VillageRule
        The rule, to give to `judge`.
    """
    return _combined(rules, np.any)


def all_of(*rules: VillageRule) -> VillageRule:
    """Return the rule that is fulfilled where every one of some rules is.

    Parameters
    ----------
    *rules : callable
        The rules; where one is not fulfilled, those that are not are the reason.

    Returns
    -------
    VillageRule
        The rule, to give to `judge`.
    """
    return _combined(rules, np.all)


def _combined(rules: tuple[VillageRule, ...], decide: Callable[..., Any]) -> VillageRule:
    if not rules:
        raise OutOfRangeError("no rule is given: any_of and all_of combine at least one")

    def combined(case: Case) -> pd.DataFrame:
        verdicts = [rule(case) for rule in rules]
        each = np.column_stack([verdict["fulfilled"] for verdict in verdicts])
        fulfilled = decide(each, axis=1)
        # What decided: the rules whose verdict is the whole's.
        reasons = [
            _JOINED.join(
                verdict["reason"].iloc[village]
                for verdict, own in zip(verdicts, each[village], strict=True)
                if own == whole
            )
            for village, whole in enumerate(fulfilled)
        ]
        figures = pd.concat([v.drop(columns=["fulfilled", "reason"]) for v in verdicts], axis=1)
        return pd.DataFrame(
            {"fulfilled": fulfilled, "reason": pd.array(reasons, "str")}, index=verdicts[0].index
        ).join(figures.loc[:, ~figures.columns.duplicated()])

    return combined


def people_share_at_least(share: float) -> VillageRule:
    """Return the rule that a share of the village's people is covered.

    Parameters
    ----------
    share : float
        Least share of the people [0–1]. A village without people does not fulfil it.

    Returns
    -------
    VillageRule
        The rule, to give to `judge`.
    """
    _require_within("share", share, 0.0, 1.0)

    def rule(case: Case) -> pd.DataFrame:
        figures = case.summary[["people_share"]]
        return _verdict(
            figures["people_share"] >= share,
            f"{share:.0%} of the people covered",
            f"under {share:.0%} of the people covered",
            figures,
        )

    return rule


def median_rsrp_at_least(rsrp_dbm: float) -> VillageRule:
    """Return the rule that half of the village's area has a level.

    Parameters
    ----------
    rsrp_dbm : float
        Least median RSRP [dBm].

    Returns
    -------
    VillageRule
        The rule, to give to `judge`.
    """
    _require_within("rsrp_dbm", rsrp_dbm, -200.0, 0.0)

    def rule(case: Case) -> pd.DataFrame:
        figures = case.summary[["median_rsrp_dbm"]]
        return _verdict(
            figures["median_rsrp_dbm"] >= rsrp_dbm,
            f"median RSRP of {rsrp_dbm:g} dBm",
            f"median RSRP under {rsrp_dbm:g} dBm",
            figures,
        )

    return rule


def site_within(distance_m: float, points: pd.DataFrame | None = None) -> VillageRule:
    """Return the rule that a site of the service stands near the village committee.

    Parameters
    ----------
    distance_m : float
        Farthest distance, on the ground [m].
    points : pandas.DataFrame, optional
        As for `universal_service`; only the committees count.

    Returns
    -------
    VillageRule
        The rule, to give to `judge`.
    """
    _require_within("distance_m", distance_m, 0.0, 100_000.0)

    def rule(case: Case) -> pd.DataFrame:
        committees = _committees(case, points)
        sites = _sites_of_service(case)
        nearest_m, nearest = _nearest(committees, sites)
        figures = pd.DataFrame(
            {
                "nearest_site": pd.array(nearest, "str"),
                "nearest_site_m": nearest_m,
                "committee_assumed": committees["assumed"],
            },
            index=committees.index,
        )
        return _verdict(
            figures["nearest_site_m"] <= distance_m,
            f"site within {distance_m / 1000:g} km",
            f"no site within {distance_m / 1000:g} km",
            figures,
        )

    return rule


def signal_at_points(points: pd.DataFrame | None = None) -> VillageRule:
    """Return the rule that every point of service of the village is covered.

    Parameters
    ----------
    points : pandas.DataFrame, optional
        As for `universal_service`.

    Returns
    -------
    VillageRule
        The rule, to give to `judge`.
    """

    def rule(case: Case) -> pd.DataFrame:
        located = _points_of_service(case, points)
        without = located[~_covered_at(case, located)]
        villages = case.judged.index
        figures = pd.DataFrame(
            {
                "points": located.groupby("village").size().reindex(villages, fill_value=0),
                "points_without_signal": without.groupby("village")
                .size()
                .reindex(villages, fill_value=0),
                "kinds_without_signal": without.groupby("village")["kind"]
                .agg(lambda kinds: _JOINED.join(k for k in KINDS_OF_POINTS if k in set(kinds)))
                .reindex(villages, fill_value="")
                .astype("str"),
                "points_assumed": located.groupby("village")["assumed"].any().reindex(villages),
            }
        )
        return _verdict(
            figures["points_without_signal"] == 0,
            "signal at all points",
            "points without signal",
            figures,
        )

    return rule


def universal_service(
    points: pd.DataFrame | None = None, *, distance_m: float = SITE_DISTANCE_M
) -> VillageRule:
    """Return the universal-service rule for 4G in administrative villages (行政村).

    A village fulfils it with a 4G site within 5 km of its committee, or with signal at its
    committee, its school, its clinic and every cluster of 20 households or more.

    Parameters
    ----------
    points : pandas.DataFrame, optional
        Points of service: ``village`` (code), ``kind`` (committee, school, clinic, cluster),
        ``x_m`` and ``y_m`` in the region's CRS or ``longitude`` and ``latitude`` in WGS-84
        [degrees], and for clusters, where known, ``households``. Points of communities do not
        count. Where a village has no point, its most populated pixel stands for its
        committee; where it has points but no committee, that pixel is where the distance is
        measured from.
    distance_m : float
        Farthest distance of the site [m].

    Returns
    -------
    VillageRule
        For `judge`, with the figures ``nearest_site``, ``nearest_site_m``,
        ``committee_assumed``, ``points``, ``points_without_signal``, ``kinds_without_signal`` and
        ``points_assumed``. ``reason`` says by which branch.

    Raises
    ------
    DivisionError
        When judging, if a point is wrong: an unknown village or kind, no place, off the grid.
    CatalogueError
        When judging a coverage that is not of 4G.

    References
    ----------
    Guide of the universal-service programme for telecommunications of 2018: 行政村 4G 覆盖.
    """
    near = any_of(site_within(distance_m, points), signal_at_points(points))

    def rule(case: Case) -> pd.DataFrame:
        _require_4g(case)
        return near(case)

    return rule


# --- Points of service --------------------------------------------------------------------------


def _points_of_service(case: Case, points: pd.DataFrame | None) -> pd.DataFrame:
    """Return the points that count; the most populated pixel of a village without any."""
    known = _checked(case, points) if points is not None else _NO_POINTS
    lacking = case.judged.index.difference(known["village"], sort=False)
    return pd.concat([known, _most_populated(case, lacking)], ignore_index=True)


def _committees(case: Case, points: pd.DataFrame | None) -> pd.DataFrame:
    """Return one committee per village, by code: the first given, or the most populated pixel."""
    known = _checked(case, points) if points is not None else _NO_POINTS
    committees = known[known["kind"] == "committee"].drop_duplicates("village")
    lacking = case.judged.index.difference(committees["village"], sort=False)
    both = pd.concat([committees, _most_populated(case, lacking)])
    return both.set_index("village").loc[case.judged.index]


_NO_POINTS = pd.DataFrame(
    {
        "village": pd.array([], "str"),
        "kind": pd.array([], "str"),
        "x_m": np.empty(0),
        "y_m": np.empty(0),
        "assumed": np.empty(0, np.bool_),
    }
)


def _checked(case: Case, points: pd.DataFrame) -> pd.DataFrame:
    """Return the points that count, in the region's CRS; the error for a wrong row names it."""
    for column in ("village", "kind"):
        if column not in points:
            raise DivisionError(f"the points have no column {column!r}; they have {list(points)}")
    village = points["village"].astype(str)
    unknown = ~village.isin(case.region.villages.index)
    _refuse(unknown, village, f"is no village of {case.region.name}: give its 12-digit code")
    kind = points["kind"].astype(str)
    _refuse(~kind.isin(KINDS_OF_POINTS), kind, f"is no kind; known: {', '.join(KINDS_OF_POINTS)}")
    x_m, y_m = _places(case, points)
    left, bottom, right, top = case.region.geobox.boundingbox.bbox
    off_grid = ~((x_m >= left) & (x_m < right) & (y_m > bottom) & (y_m <= top))
    _refuse(off_grid, village, "has no place inside the region: are its coordinates swapped?")
    counts = village.isin(case.judged.index)
    if "households" in points:
        counts &= ~((kind == "cluster") & (points["households"] < LEAST_HOUSEHOLDS))
    located = pd.DataFrame({"village": village, "kind": kind, "x_m": x_m, "y_m": y_m})
    return located[counts].assign(assumed=False)


def _refuse(wrong: "pd.Series[bool]", what: "pd.Series[str]", why: str) -> None:
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise DivisionError(f"row {wrong.index[first]!r} of the points: {what.iloc[first]!r} {why}")


def _places(case: Case, points: pd.DataFrame) -> "tuple[pd.Series[float], pd.Series[float]]":
    if {"x_m", "y_m"} <= set(points):
        return points["x_m"].astype(float), points["y_m"].astype(float)
    if {"longitude", "latitude"} <= set(points):
        places = gpd.GeoSeries(
            gpd.points_from_xy(points["longitude"], points["latitude"], crs=WGS84),
            index=points.index,
        ).to_crs(case.region.villages.crs)
        return places.x, places.y
    raise DivisionError(
        f"the points have no places: give x_m and y_m in {crs_label(case.region.villages.crs)}, "
        f"or longitude and latitude in WGS-84"
    )


def _most_populated(case: Case, villages: pd.Index) -> pd.DataFrame:
    """Return the middle of each village's pixel with most people, or most area without people."""
    region = case.region
    rows = region.villages.index.get_indexer(villages)
    people, area = region.shares.people, region.shares.area
    pixels = []
    for row in rows:
        own = slice(people.indptr[row], people.indptr[row + 1])
        most = people.data[own] if people.data[own].any() else area.data[own]
        pixels.append(people.indices[own][most.argmax()])
    down, across = np.divmod(np.array(pixels, np.int64), region.geobox.shape[1])
    to_ground: Any = region.geobox.transform
    x_m, y_m = to_ground @ (across + 0.5, down + 0.5)
    return pd.DataFrame(
        {
            "village": pd.array(villages.to_numpy(object), "str"),
            "kind": pd.array(["committee"] * len(villages), "str"),
            "x_m": x_m,
            "y_m": y_m,
            "assumed": np.ones(len(villages), np.bool_),
        }
    )


# --- Near sites and covered points --------------------------------------------------------------


def _sites_of_service(case: Case) -> gpd.GeoDataFrame:
    """Return the sites with a cell of the coverage's service, as predictions count them."""
    cells = case.network.cells
    carriers = cells["site"][cells["radio_layer"].isin(case.coverage.rule.service.radio_layers)]
    sites = case.network.sites
    counted = sites.index.isin(carriers) & (sites["status"] != "candidate")
    sites = sites[counted & (sites["kind"] != "indoor")]
    if len(sites):
        require_same_crs(sites, case.region.geobox, "sites")
    return sites


def _nearest(
    places: pd.DataFrame, sites: gpd.GeoDataFrame
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Return the distance [m] to the nearest site and its id; infinity and no id without sites."""
    if sites.empty:
        return np.full(len(places), np.inf), np.full(len(places), "", object)
    tree = cKDTree(np.column_stack([sites.geometry.x, sites.geometry.y]))
    distance_m, position = tree.query(places[["x_m", "y_m"]].to_numpy())
    return np.asarray(distance_m, np.float64), sites.index.to_numpy(object)[position]


def _covered_at(case: Case, points: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether the pixel of each point is covered, read block by block."""
    to_pixel: Any = ~case.region.geobox.transform
    across, down = to_pixel @ (points["x_m"].to_numpy(), points["y_m"].to_numpy())
    rows, columns = np.floor(down).astype(np.intp), np.floor(across).astype(np.intp)
    covered = np.zeros(len(points), np.bool_)
    figures = case.coverage.to_dataset()

    def look_up(block: Block) -> None:
        here = np.flatnonzero(
            (rows >= block.rows.start)
            & (rows < block.rows.stop)
            & (columns >= block.columns.start)
            & (columns < block.columns.stop)
        )
        if len(here):
            values = read_block(figures, "covered", block)
            covered[here] = values[
                rows[here] - block.rows.start, columns[here] - block.columns.start
            ]

    for _ in each_block(look_up, blocks_of(figures)):
        pass
    return covered


def _verdict(
    fulfilled: "pd.Series[bool]", reason: str, reason_against: str, figures: pd.DataFrame
) -> pd.DataFrame:
    reasons = np.where(fulfilled, reason, reason_against)
    decided = pd.DataFrame(
        {"fulfilled": fulfilled, "reason": pd.array(reasons, "str")}, index=fulfilled.index
    )
    return decided.join(figures)


def _require_within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise OutOfRangeError(f"{name} = {value} must lie between {least:g} and {most:g}")


def _require_4g(case: Case) -> None:
    service = case.coverage.rule.service
    known = case.network.catalogue.radio_layers
    if any(id_ in known and known[id_].technology != "lte" for id_ in service.radio_layers):
        raise CatalogueError(
            f"the universal-service rule is about 4G, but the coverage is of {service.id}: give "
            f"one of 4g or of LTE radio layers"
        )
