"""Read operators' tables of cells: every row becomes a cell, or is listed with the reason."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from ankang_coverage.errors import NetworkError
from ankang_coverage.inputs import listed, shortened
from ankang_coverage.limits import limits
from ankang_coverage.region import Source
from ankang_coverage.region.coordinates import WGS84, bd09_to_gcj02, gcj02_to_wgs84, utm_crs
from ankang_coverage.sites.attributes import attributes
from ankang_coverage.sites.bands import find_radio_layer
from ankang_coverage.sites.catalogue import Catalogue, RadioLayer, builtin_catalogue
from ankang_coverage.sites.network import Network
from ankang_coverage.sites.rows import Mask, Numbers, Rows, Texts, is_within, positions_of
from ankang_coverage.sites.tables import read_table

Datum = Literal["wgs84", "gcj02", "bd09"]
Positions = NDArray[np.intp]

SITE_RADIUS_M = 200.0
"""Rows of one site stand within this distance of its first row; others are another site."""
LONGEST_LOCAL_CELL = 16383
"""The cell's part of an LTE or NR cell identity has up to 14 bits; a larger number is unique."""
CLUES = ("radio_layer", "band", "technology", "channel")
"""Attributes that tell the radio layer, in the order `find_radio_layer` takes them."""

KIND_WORDS = {
    **dict.fromkeys(("宏站", "宏基站", "宏", "macro", "室外", "outdoor"), "macro"),
    **dict.fromkeys(("微站", "微基站", "小微站", "小站", "微", "micro"), "micro"),
    **dict.fromkeys(("室分", "室内分布", "室内站", "室内", "indoor"), "indoor"),
}
OPERATOR_WORDS = {
    **dict.fromkeys(("移动", "中国移动", "cmcc", "chinamobile", "mobile"), "mobile"),
    **dict.fromkeys(("联通", "中国联通", "cucc", "chinaunicom", "unicom"), "unicom"),
    **dict.fromkeys(("电信", "中国电信", "ctcc", "chinatelecom", "telecom"), "telecom"),
    **dict.fromkeys(("广电", "中国广电", "chinabroadnet", "cbn"), "cbn"),
}
STATUS_WORDS = {
    **dict.fromkeys(("现网", "在网", "在用", "现有", "已建", "已开通", "开通"), "existing"),
    **dict.fromkeys(("正常", "激活", "运行", "onair", "active", "existing"), "existing"),
    **dict.fromkeys(("规划", "拟建", "待建", "在建", "未开通", "待开通", "planned"), "planned"),
    **dict.fromkeys(("候选", "备选", "candidate"), "candidate"),
}


def read_sites(
    path: str | Path,
    *,
    coordinates: Datum = "wgs84",
    crs: CRS | str | None = None,
    table: str | None = None,
    catalogue: Catalogue | None = None,
) -> Network:
    """Read a table of cells, one row a cell, as operators keep it (工参表).

    Headers in use, units, limits and defaults of every attribute stand in ``attributes.csv``.
    Longitude, latitude and what tells the radio layer must be there; for directional antennas
    the azimuth as well.

    Parameters
    ----------
    path
        CSV, Excel workbook, GeoPackage, GeoJSON or Shapefile.
    coordinates
        What longitudes and latitudes are in: ``wgs84`` (CGCS2000 as well), ``gcj02`` (taken from
        Gaode's or Tencent's maps) or ``bd09`` (from Baidu's).
    crs
        Projected CRS of the network; the UTM zone of the mean position when omitted.
    table
        Sheet of a workbook or layer of a vector file; needed only where several hold places.
    catalogue
        What radio layers and antennas there are; the built-in one when omitted.

    Returns
    -------
    Network
        Its ``cells`` have one more column, ``assumed``: the attributes, separated by commas,
        that the row did not give, so that they come from the catalogue or ``attributes.csv``.
        Every row that is no cell is in ``rejected``, with the first fault found.

    Raises
    ------
    FileError
        If the file cannot be read, holds no rows, or leaves open which of its tables to read.
    NetworkError
        If a column is missing or there twice, no row can be used, or `crs` is not projected.

    Notes
    -----
    A site is the rows that share site id (or else name, or else coordinate), kind and status and
    stand within 200 m of the first of them, whose place it takes. The same id farther away, or
    of another kind or status, is another site: ``A``, ``A-2``.

    Indoor cells that do not give power or antenna get those of a micro site.
    """
    projected = None if crs is None else _as_projected(crs)
    known = catalogue or builtin_catalogue()
    rows = Rows(read_table(path, table, check=_require_columns))
    places = _read_places(rows, coordinates)
    cells = _read_cells(rows, places["kind"].to_numpy(object), known)
    _reject_repeated_rows(rows)

    used = rows.usable()
    places, cells = places.iloc[used], cells.iloc[used]
    projected = projected or utm_crs(places["longitude"].mean(), places["latitude"].mean())
    points = gpd.points_from_xy(places["longitude"], places["latitude"], crs=WGS84)
    places = gpd.GeoDataFrame(places, geometry=points).to_crs(projected)
    places["head"] = _heads(places)
    sites = _sites(places, Path(path).name)
    cells.insert(0, "site", sites.index[np.searchsorted(sites["row"], places["head"])])
    cells.index = pd.Index(_cell_ids(rows, used, cells), name="cell")
    _reject_taken_ids(rows, used, cells.index)

    cells = cells[~cells.index.duplicated()]
    return Network(
        sites=sites[sites.index.isin(cells["site"])].drop(columns="row"),
        cells=cells,
        rejected=rows.rejected(),
        sources=(Source("sites", "given", Path(path).name),),
        catalogue=known,
        unread=rows.unread,
    )


def _as_projected(crs: CRS | str) -> CRS:
    try:
        projected = CRS.from_user_input(crs)
    except CRSError as error:
        raise NetworkError(f"crs {crs!r} is unknown: give one such as EPSG:32649") from error
    if not projected.is_projected or projected.axis_info[0].unit_name != "metre":
        raise NetworkError(
            f"crs {projected.to_string()} is not projected in metres: give one such as EPSG:32649"
        )
    return projected


def _require_columns(name: str, headers: Sequence[str]) -> None:
    known = positions_of(name, headers)
    for wanted in (("longitude",), ("latitude",), ("radio_layer", "band", "channel")):
        if not known.keys() & set(wanted):
            in_use = [header for one in wanted for header in attributes()[one].headers]
            raise NetworkError(
                f"{name} has no column for {' or '.join(wanted)}: name one of "
                f"{', '.join(in_use)}; it has {listed(headers)}"
            )


def _read_places(rows: Rows, datum: Datum) -> pd.DataFrame:
    """Read what a row says of its site: WGS-84 position, kind, status, and its id and name."""
    longitude, latitude = rows.parsed("longitude"), rows.parsed("latitude")
    for attribute, degrees in (("longitude", longitude), ("latitude", latitude)):
        rows.reject(np.isnan(degrees), attribute, f"{attribute} is blank")
    no_place = (longitude == 0.0) & (latitude == 0.0)
    rows.reject(no_place, "longitude", "longitude and latitude are both 0")
    swapped = is_within("longitude", latitude) & is_within("latitude", longitude)
    rows.reject(swapped, "longitude", "longitude and latitude seem swapped")
    rows.limited("longitude", longitude, "China")
    rows.limited("latitude", latitude, "China")
    longitude = np.where(rows.is_usable(), longitude, np.nan)
    longitude, latitude = _to_wgs84(longitude, latitude, datum)
    return pd.DataFrame(
        {
            "longitude": longitude,
            "latitude": latitude,
            "kind": rows.words("kind", KIND_WORDS),
            "status": rows.words("status", STATUS_WORDS),
            "site": rows.text("site"),
            "name": rows.text("name"),
        }
    )


def _to_wgs84(longitude: Numbers, latitude: Numbers, datum: Datum) -> tuple[Numbers, Numbers]:
    if datum == "wgs84":
        return longitude, latitude
    if datum == "gcj02":
        return gcj02_to_wgs84(longitude, latitude)
    if datum == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(longitude, latitude))
    raise NetworkError(f"coordinates {datum!r} are unknown: give wgs84, gcj02 or bd09")


def _read_cells(rows: Rows, kind: Texts, catalogue: Catalogue) -> pd.DataFrame:
    """Read the columns of ``Network.cells``, but for the site, and what was assumed for them."""
    layer = _read_radio_layers(rows, catalogue)
    usual = partial(_usual, layer, kind, catalogue)
    antenna_id = _read_antennas(rows, usual(RadioLayer.antenna_for), catalogue)
    height_m = rows.filled("height_m", rows.numbers("height_m"), kind)
    azimuth_deg = _read_azimuths(rows, antenna_id, catalogue)
    mechanical_tilt_deg, electrical_tilt_deg = _read_tilts(rows, kind, antenna_id, catalogue)
    re_power_dbm = _read_or_usual(rows, "re_power_dbm", usual(RadioLayer.re_power_dbm))
    load = _read_or_usual(rows, "load", usual(lambda layer, _: layer.load))
    operator = rows.words("operator", OPERATOR_WORDS)
    return pd.DataFrame(
        {
            "radio_layer": layer,
            "antenna": antenna_id,
            "height_m": height_m,
            "azimuth_deg": azimuth_deg,
            "mechanical_tilt_deg": mechanical_tilt_deg,
            "electrical_tilt_deg": electrical_tilt_deg,
            "re_power_dbm": re_power_dbm,
            "load": load,
            "operator": operator,
            "assumed": rows.assumed(),
        }
    )


def _read_radio_layers(rows: Rows, catalogue: Catalogue) -> Texts:
    """Read the radio layers, blank where rejected; the clues of a table are few different ones."""
    longest, usable = limits().digits, rows.is_usable()
    clues = pd.DataFrame(
        {
            clue: [shortened(one, longest) for one in np.where(usable, rows.text(clue), "")]
            for clue in CLUES
        }
    )
    group = clues.groupby(list(CLUES), sort=False).ngroup().to_numpy()
    layers, reasons = [], []
    for given in clues.drop_duplicates().to_numpy(object):
        layer, reason = _look_up_radio_layer(catalogue, *given)
        layers.append(layer)
        reasons.append(reason)
    reason_of = np.array(reasons, dtype=object)[group]
    # The clue to blame is the first that a row gives, or else the first that has a column.
    for clue in ("radio_layer", "band", "channel"):
        rows.reject((reason_of != "") & (rows.text(clue) != ""), clue, reason_of)
    for clue in ("radio_layer", "band", "channel"):
        if rows.has(clue):
            rows.reject(reason_of != "", clue, reason_of)
    return np.asarray(np.array(layers, dtype=object)[group])


def _look_up_radio_layer(catalogue: Catalogue, *clues: str) -> tuple[str, str]:
    try:
        return find_radio_layer(*clues, catalogue=catalogue), ""
    except NetworkError as error:
        return "", str(error)


def _read_antennas(rows: Rows, usual: Texts, catalogue: Catalogue) -> Texts:
    given = pd.Series(rows.text("antenna")).str.lower().to_numpy(object)
    known = np.isin(given, list(catalogue.antennas))
    rows.assume("antenna", ~known)
    return np.where(known, given, usual)


def _read_azimuths(rows: Rows, antenna_id: Texts, catalogue: Catalogue) -> Numbers:
    azimuth_deg = rows.numbers("azimuth_deg")
    round_about = [one.id for one in catalogue.antennas.values() if one.pattern.omnidirectional]
    blank = np.isnan(azimuth_deg)
    needed = blank & ~pd.Series(antenna_id).isin(round_about).to_numpy()
    rows.reject(needed, "azimuth_deg", "azimuth_deg is blank, and the antenna is directional")
    return np.where(blank, 0.0, azimuth_deg % 360.0)


def _read_tilts(
    rows: Rows, kind: Texts, antenna_id: Texts, catalogue: Catalogue
) -> tuple[Numbers, Numbers]:
    """Read both tilts; the one not given is what the other leaves of their sum."""
    mechanical_deg = rows.numbers("mechanical_tilt_deg")
    electrical_deg = rows.numbers("electrical_tilt_deg")
    total_deg = rows.numbers("total_tilt_deg")
    rest_deg = total_deg - electrical_deg
    mechanical_deg = np.where(np.isnan(mechanical_deg), rest_deg, mechanical_deg)
    mechanical_deg = rows.filled("mechanical_tilt_deg", mechanical_deg, kind)
    rest_deg = total_deg - mechanical_deg
    electrical_deg = np.where(np.isnan(electrical_deg), rest_deg, electrical_deg)
    blank = np.isnan(electrical_deg)
    rows.assume("electrical_tilt_deg", blank)
    own = {one.id: one.pattern.electrical_tilt_deg for one in catalogue.antennas.values()}
    own_deg = pd.Series(antenna_id).map(own).to_numpy(np.float64)
    return mechanical_deg, np.where(blank, own_deg, electrical_deg)


def _read_or_usual(rows: Rows, attribute: str, usual: Texts) -> Numbers:
    """Read numbers, and take what the catalogue says where they are blank."""
    numbers = rows.numbers(attribute)
    blank = np.isnan(numbers)
    rows.assume(attribute, blank)
    return np.where(blank, usual, numbers).astype(np.float64)


def _usual(
    layer: Texts, kind: Texts, catalogue: Catalogue, of: Callable[[RadioLayer, str], object]
) -> Texts:
    """Return what the catalogue says of each row's radio layer at its kind of site."""
    pairs = pd.MultiIndex.from_arrays([layer, kind])
    group, different = pd.factorize(pairs)
    usual = [
        of(catalogue.radio_layer(layer_id), "macro" if at == "macro" else "micro")
        if layer_id
        else None
        for layer_id, at in different
    ]
    return np.array(usual, dtype=object)[group]


def _reject_repeated_rows(rows: Rows) -> None:
    """Reject copies of a row among the cells that have no id to tell copies by."""
    nameless = (rows.text("cell") == "") & (rows.text("cell_name") == "")
    copies = np.zeros(len(nameless), bool)
    copies[nameless] = rows.table.cells[nameless].astype(str).duplicated().to_numpy()
    rows.reject(copies, "cell", "the row repeats an earlier one")


def _heads(places: gpd.GeoDataFrame) -> Positions:
    """Return for each row the first row of its site, as positions in `places`."""
    label = _site_labels(places)
    group = places.assign(label=label).groupby(["label", "kind", "status"], sort=False).ngroup()
    group = group.to_numpy()
    x_m, y_m = places.geometry.x.to_numpy(), places.geometry.y.to_numpy()
    first = pd.Series(np.arange(len(places))).groupby(group).transform("first")
    heads = first.to_numpy(np.intp, copy=True)
    far = np.flatnonzero(np.hypot(x_m - x_m[heads], y_m - y_m[heads]) > SITE_RADIUS_M)
    heads[far] = far[_heads_apart(group[far], x_m[far], y_m[far])]
    return heads


def _heads_apart(group: NDArray[np.int64], x_m: Numbers, y_m: Numbers) -> Positions:
    """Return for each row the first that is near it, itself when none before it is.

    Those that are near stand in the nine squares round it, whose sides are as long as the radius;
    no two firsts of a group share a quarter of a square, so there are few to look at.
    """
    squares = zip(
        group.tolist(),
        np.floor(x_m / SITE_RADIUS_M).astype(np.int64).tolist(),
        np.floor(y_m / SITE_RADIUS_M).astype(np.int64).tolist(),
        strict=True,
    )
    firsts: dict[tuple[int, int, int], list[int]] = {}
    heads = np.arange(len(group))
    for row, (own, column, line) in enumerate(squares):
        near = [
            head
            for c in (column - 1, column, column + 1)
            for r in (line - 1, line, line + 1)
            for head in firsts.get((own, c, r), ())
            if np.hypot(x_m[row] - x_m[head], y_m[row] - y_m[head]) <= SITE_RADIUS_M
        ]
        if near:
            heads[row] = min(near)
        else:
            firsts.setdefault((own, column, line), []).append(row)
    return heads


def _site_labels(places: pd.DataFrame) -> Texts:
    """Return what rows of one site have in common: its id, its name, or its place to a metre."""
    place = places["longitude"].map("{:.5f}".format) + "," + places["latitude"].map("{:.5f}".format)
    label = places["site"].where(places["site"] != "", places["name"])
    return label.where(label != "", place).to_numpy(object)


def _sites(places: gpd.GeoDataFrame, source: str) -> gpd.GeoDataFrame:
    """Return the sites, with the position of their first row in `places` as ``row``."""
    row = np.unique(places["head"])
    heads = places.iloc[row]
    labels = _site_labels(heads)
    ids = pd.Series(labels)
    taken = ids.duplicated().to_numpy()
    ids[taken] = _numbered(labels[taken], set(labels), first=2)
    return gpd.GeoDataFrame(
        {
            "name": np.where(heads["name"] == "", labels, heads["name"]),
            "status": heads["status"].to_numpy(),
            "kind": heads["kind"].to_numpy(),
            "source": source,
            "row": row,
        },
        geometry=heads.geometry.to_numpy(),
        crs=places.crs,
        index=pd.Index(ids, name="site"),
    )


def _cell_ids(rows: Rows, used: Positions, cells: pd.DataFrame) -> Texts:
    """Return ids: as given where unique by nature, else with what makes them unique."""
    named = np.where(rows.text("cell") == "", rows.text("cell_name"), rows.text("cell"))[used]
    base_station = rows.text("base_station")[used]
    on_site = (cells["site"] + "-" + cells["radio_layer"]).to_numpy(object)
    local, blank = _is_local(named), named == ""
    within = np.where(base_station == "", on_site, base_station)
    ids = np.where(local, within + "-" + named, named)
    ids[blank] = _numbered(on_site[blank], set(ids[~blank]), first=1)
    return ids


def _is_local(ids: Texts) -> Mask:
    """Return which ids are numbers that count within a base station."""
    return np.array([is_local_cell(one) for one in ids], dtype=bool)


def is_local_cell(id_: str) -> bool:
    """Tell whether a cell's id is a number that counts within a base station."""
    return len(id_) <= limits().digits and id_.isdecimal() and int(id_) <= LONGEST_LOCAL_CELL


def _numbered(labels: Iterable[str], taken: set[str], first: int) -> list[str]:
    """Return each label with its own number from `first` on, skipping ids that are taken."""
    used: Counter[str] = Counter()
    ids = []
    for label in labels:
        while (candidate := f"{label}-{first + used[label]}") in taken:
            used[label] += 1
        used[label] += 1
        ids.append(candidate)
    return ids


def _reject_taken_ids(rows: Rows, used: Positions, ids: pd.Index) -> None:
    earlier = pd.Series(rows.table.rows[used]).groupby(ids.to_numpy()).transform("first")
    taken = np.zeros(len(rows.table.rows), bool)
    taken[used] = ids.duplicated()
    reason = np.full(len(taken), "", dtype=object)
    reason[used] = "cell id " + ids + " is that of row " + earlier.astype(str)
    rows.reject(taken, "cell", reason)
