"""Places of the user's own, from a table with coordinates."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from ankang_coverage.errors import PlanningError
from ankang_coverage.inputs import LONGEST_VALUE, listed, printable, quoted
from ankang_coverage.limits import limits
from ankang_coverage.planning.costs import DEAREST_SITE_YUAN
from ankang_coverage.planning.rules import Construction
from ankang_coverage.planning.sources.base import CandidateSource, PlaceSearch
from ankang_coverage.region.coordinates import WGS84, bd09_to_gcj02, gcj02_to_wgs84
from ankang_coverage.sites.attributes import plain_header
from ankang_coverage.sites.rows import Rows, positions_of
from ankang_coverage.sites.schema import builtin_schema
from ankang_coverage.sites.tables import Table, read_table
from ankang_coverage.words import Words

OWNER_HEADERS = ("owner", "operator", "产权单位", "产权", "业主", "运营商")
COST_HEADERS = ("cost_yuan", "造价", "造价元", "费用", "投资")
CONSTRUCTION_HEADERS = ("construction", "建设方式")
CONSTRUCTION_WORDS = {
    **dict.fromkeys(("pole", "新建杆", "杆", "微站杆"), "pole"),
    **dict.fromkeys(("tower", "新建塔", "塔", "新建"), "tower"),
    **{word: word for word in get_args(Construction)},
}


Coordinates = Literal["wgs84", "gcj02", "bd09"]


class OwnPlaces(CandidateSource):
    """Places from a table of the user's own."""

    name = "own"
    description = "your own table, the file `own` (`given_by_the_user`)"
    words: ClassVar = {"given_by_the_user": Words("用户提供", "given by the user")}

    own: Path | None = None
    """Table of the user's own places."""
    coordinates: Coordinates = "wgs84"
    """Coordinate system of that table."""

    def problem(self, roads_are_given: bool) -> str | None:  # noqa: ARG002
        """Return which key is missing.

        Parameters
        ----------
        roads_are_given : bool
            Not used.

        Returns
        -------
        str or None
            ``own`` where no table is given.
        """
        return "own" if self.own is None else None

    def places(self, search: PlaceSearch) -> gpd.GeoDataFrame:
        """Return the places of the table.

        Parameters
        ----------
        search : PlaceSearch
            Region, network, and what is to be built.

        Returns
        -------
        geopandas.GeoDataFrame
            As `own_places`.
        """
        if self.own is None:
            raise PlanningError(f"target {search.target.id}: source 'own' needs a table of places")
        crs = search.region.villages.crs
        return own_places(self.own, coordinates=self.coordinates, crs=crs)


def own_places(
    path: Path,
    *,
    coordinates: Coordinates = "wgs84",
    crs: object,
) -> gpd.GeoDataFrame:
    """Read the user's own places.

    Parameters
    ----------
    path : Path
        CSV, Excel workbook or vector file with longitude and latitude; site id, name, owner,
        cost and construction where there are columns for them.
    coordinates : Coordinates, default "wgs84"
        Coordinate system of the longitudes and latitudes.
    crs : object
        CRS of the result.

    Returns
    -------
    geopandas.GeoDataFrame
        Points with ``site``, ``name``, ``owner``, ``construction`` and ``cost_yuan`` (blank or
        NaN where not given) and ``reason`` ``given_by_the_user``, in the order of the file.

    Raises
    ------
    FileError
        If the file cannot be read.
    PlanningError
        If a row has no usable coordinate, cost or construction, or an id occurs twice.
    """
    rows, name = Rows(read_table(path, check=_require_columns)), printable(str(path))
    for needed in ("longitude", "latitude"):
        rows.reject(np.isnan(rows.numbers(needed)), needed, f"{needed} is blank")
    faults = rows.rejected()
    if len(faults):
        first = faults.iloc[0]
        raise PlanningError(
            f"{name}, row {first['row']}, column {printable(first['column'], LONGEST_VALUE)}: "
            f"{first['reason']} ({len(faults)} rows have a fault)"
        )
    longitude, latitude = rows.numbers("longitude"), rows.numbers("latitude")
    if coordinates == "bd09":
        longitude, latitude = bd09_to_gcj02(longitude, latitude)
    if coordinates != "wgs84":
        longitude, latitude = gcj02_to_wgs84(longitude, latitude)
    site = (
        pd.Series(rows.text("site")) if rows.has("site") else _column(rows.table, ("id",), str, "")
    )
    twice = site[(site != "") & site.duplicated()]
    if len(twice):
        raise PlanningError(f"{name} names site {quoted(twice.iloc[0])} twice: ids must be unique")
    return gpd.GeoDataFrame(
        {
            "site": site,
            "name": pd.Series(rows.text("name")),
            "owner": _column(rows.table, OWNER_HEADERS, str, ""),
            "construction": _column(rows.table, CONSTRUCTION_HEADERS, _construction, ""),
            "cost_yuan": _column(rows.table, COST_HEADERS, _cost, np.nan),
            "reason": "given_by_the_user",
        },
        geometry=gpd.points_from_xy(longitude, latitude, crs=WGS84),
    ).to_crs(crs)


def _require_columns(name: str, headers: Sequence[str]) -> None:
    known = positions_of(name, headers, builtin_schema())
    for needed in ("longitude", "latitude"):
        if needed not in known:
            raise PlanningError(f"{name} has no column {needed}; it has {listed(headers)}")


def _column(
    table: Table, headers: Sequence[str], read: Callable[[str], object], blank: object
) -> pd.Series:
    """Return the column of one of these headers, each cell read or blank."""
    wanted = {plain_header(header) for header in headers}
    here = [n for n, header in enumerate(table.headers) if plain_header(header) in wanted]
    if not here:
        return pd.Series([blank] * len(table.rows))
    values = []
    for number, cell in zip(table.rows.tolist(), table.cells[here[0]], strict=True):
        text = "" if cell is None else str(cell).strip()
        try:
            values.append(read(text) if text else blank)
        except ValueError as error:
            column = printable(table.headers[here[0]], LONGEST_VALUE)
            raise PlanningError(f"{table.name}, row {number}, column {column}: {error}") from error
    return pd.Series(values)


def _construction(text: str) -> str:
    if text not in CONSTRUCTION_WORDS:
        raise ValueError(f"{quoted(text)} is none of {', '.join(CONSTRUCTION_WORDS)}")
    return CONSTRUCTION_WORDS[text]


def _cost(text: str) -> float:
    try:
        cost = float(text.replace(",", "")) if len(text) <= limits().digits else np.nan
    except ValueError:
        cost = np.nan
    if not 0.0 <= cost <= DEAREST_SITE_YUAN:
        raise ValueError(
            f"cost {quoted(text)} is not a number of yuan from 0 to {DEAREST_SITE_YUAN:,.0f}"
        )
    return cost
