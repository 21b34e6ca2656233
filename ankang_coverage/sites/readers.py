"""Read operators' tables of cells: every row becomes a cell, or is listed with the reason."""

from collections import Counter
from collections.abc import Iterable, Sequence
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
from ankang_coverage.inputs import listed, require_type
from ankang_coverage.limits import limits
from ankang_coverage.region import Region, Source
from ankang_coverage.region.coordinates import WGS84, bd09_to_gcj02, gcj02_to_wgs84, utm_crs
from ankang_coverage.sites.catalogue import Catalogue, builtin_catalogue
from ankang_coverage.sites.cell_columns import read_cells
from ankang_coverage.sites.extra_columns import extra_columns, of_sites
from ankang_coverage.sites.network import Network
from ankang_coverage.sites.rows import Mask, Numbers, Rows, Texts, is_within, positions_of
from ankang_coverage.sites.schema import Schema, builtin_schema
from ankang_coverage.sites.tables import read_table

Datum = Literal["wgs84", "gcj02", "bd09"]
Positions = NDArray[np.intp]

FARTHEST_FROM_REGION_M = 500_000.0
"""Sites farther from their region than this have a wrong coordinate [m]."""
SITE_RADIUS_M = 200.0
"""Rows of one site stand within this distance of its first row; others are another site."""
LONGEST_LOCAL_CELL = 16383
"""The cell's part of an LTE or NR cell identity has up to 14 bits; a larger number is unique."""


def read_sites(
    path: str | Path,
    *,
    coordinates: Datum = "wgs84",
    crs: CRS | str | None = None,
    table: str | None = None,
    catalogue: Catalogue | None = None,
    schema: Schema | None = None,
    region: Region | None = None,
) -> Network:
    """Read a table of cells, one row a cell, as operators keep it (工参表).

    Headers in use, units, limits and defaults of every attribute stand in ``attributes.csv``.
    Longitude, latitude and a column that decides the radio layer must be there; for directional
    antennas the azimuth as well. All other columns are kept under their headers.

    Parameters
    ----------
    path : str or Path
        CSV, Excel workbook, GeoPackage, GeoJSON or Shapefile.
    coordinates : str
        What longitudes and latitudes are in: ``wgs84`` (CGCS2000 as well), ``gcj02`` (taken from
        Gaode's or Tencent's maps) or ``bd09`` (from Baidu's).
    crs : pyproj.CRS or str, optional
        Projected CRS of the network; the UTM zone of the mean position when omitted.
    table : str, optional
        Sheet of a workbook or layer of a vector file; needed only where several hold places.
    catalogue : Catalogue, optional
        What radio layers and antennas there are; the built-in one when omitted.
    schema : Schema, optional
        What attributes there are; the built-in ones when omitted. Attributes of your own, with
        type, limits and default: ``builtin_schema().with_attributes(Attribute(...))``.
    region : Region, optional
        Where the sites belong: it gives the CRS when `crs` is omitted, and rows more than 500 km
        from it are rejected.

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
    ArgumentTypeError
        If an argument is of another type.

    Notes
    -----
    A site is the rows that share site id (or else name, or else coordinate), kind and status and
    stand within 200 m of the first of them, whose place it takes. The same id farther away, or
    of another kind or status, is another site: ``A``, ``A-2``.

    Indoor cells that do not give power or antenna get those of a micro site.

    A column that no attribute names is kept with its type. It stands in ``sites`` where its values
    agree within every site, and in ``cells`` otherwise. A header that is the name of another
    column gets a number: ``source_2``. Columns without a header are left out.
    """
    if region is not None:
        require_type(region, Region, "region", "Region.from_files(...) makes one")
        crs = region.villages.crs if crs is None else crs
    projected = None if crs is None else _as_projected(crs)
    known = builtin_catalogue() if catalogue is None else catalogue
    require_type(known, Catalogue, "catalogue", "read_catalogue(path) reads one")
    schema = builtin_schema() if schema is None else schema
    require_type(schema, Schema, "schema", "builtin_schema().with_attributes(...) makes one")
    check = partial(_require_columns, schema)
    rows = Rows(read_table(path, table, check=check), schema)
    places = _read_places(rows, coordinates, region)
    cells = read_cells(rows, places["kind"].to_numpy(object), known)
    _reject_repeated_rows(rows)

    return _as_network(rows, places, cells, projected, Path(path).name, known)


def _as_network(
    rows: Rows,
    places: pd.DataFrame,
    cells: pd.DataFrame,
    projected: CRS | None,
    name: str,
    catalogue: Catalogue,
) -> Network:
    """Make sites and cells of the rows without a fault, and keep all other columns."""
    used = rows.usable()
    places, cells = places.iloc[used], cells.iloc[used]
    projected = projected or utm_crs(places["longitude"].mean(), places["latitude"].mean())
    points = gpd.points_from_xy(places["longitude"], places["latitude"], crs=WGS84)
    places = gpd.GeoDataFrame(places, geometry=points).to_crs(projected)
    sites, site_of_row = _sites(rows.schema, places, name)
    cells.insert(0, "site", sites.index[site_of_row])
    cells.index = pd.Index(_cell_ids(rows, used, cells), name="cell")
    _reject_taken_ids(rows, used, cells.index)

    first = np.flatnonzero(~cells.index.duplicated())
    sites, cells = _with_extra_columns(rows, used[first], sites, cells.iloc[first])
    return Network(
        sites=sites[sites.index.isin(cells["site"])],
        cells=cells,
        rejected=rows.rejected(),
        sources=(Source("sites", "given", name),),
        catalogue=catalogue,
        unread=tuple(rows.unread.values()),
        schema=rows.schema,
    )


def _with_extra_columns(
    rows: Rows, used: Positions, sites: gpd.GeoDataFrame, cells: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return sites and cells with the columns that no attribute names."""
    extra = extra_columns(rows, used)
    site_of_row, site = pd.factorize(cells["site"])
    first_row = np.unique(site_of_row, return_index=True)[1]
    shared = of_sites(extra, first_row[site_of_row])
    by_site = extra[shared].iloc[first_row].set_axis(site)
    by_cell = extra.drop(columns=shared).set_axis(cells.index)
    return sites.join(by_site), cells.join(by_cell)


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


def _require_columns(schema: Schema, name: str, headers: Sequence[str]) -> None:
    known = positions_of(name, headers, schema)
    for wanted in (("longitude",), ("latitude",), ("radio_layer", "band", "channel")):
        if not known.keys() & set(wanted):
            in_use = [header for attribute in wanted for header in schema[attribute].headers]
            raise NetworkError(
                f"{name} has no column for {' or '.join(wanted)}: name one of "
                f"{', '.join(in_use)}; it has {listed(headers)}"
            )


def _read_places(rows: Rows, datum: Datum, region: Region | None) -> pd.DataFrame:
    """Read what a row says of its site: WGS-84 position, id, and the columns of sites."""
    longitude, latitude = rows.parsed("longitude"), rows.parsed("latitude")
    for attribute, degrees in (("longitude", longitude), ("latitude", latitude)):
        rows.reject(np.isnan(degrees), attribute, f"{attribute} is blank")
    no_place = (longitude == 0.0) & (latitude == 0.0)
    rows.reject(no_place, "longitude", "longitude and latitude are both 0")
    swapped = ~is_within("latitude", latitude) & is_within("longitude", latitude)
    swapped &= is_within("latitude", longitude)
    rows.reject(swapped, "longitude", "longitude and latitude seem swapped")
    rows.limited("longitude", longitude)
    rows.limited("latitude", latitude)
    longitude = np.where(rows.is_usable(), longitude, np.nan)
    longitude, latitude = _to_wgs84(longitude, latitude, datum)
    if region is not None:
        _reject_far_away(rows, longitude, latitude, region)
    kind, status = rows.words("kind"), rows.words("status")
    given: dict[str, Texts | Numbers] = {"kind": kind, "status": status, "site": rows.text("site")}
    for about in rows.schema.columns("sites"):
        if about.headers and about.name not in given:
            given[about.name] = rows.values(about, kind)
    return pd.DataFrame({"longitude": longitude, "latitude": latitude, **given})


def _reject_far_away(rows: Rows, longitude: Numbers, latitude: Numbers, region: Region) -> None:
    """Reject places so far from the region that their coordinates must be wrong."""
    west, south, east, north = region.counties.total_bounds
    points = gpd.GeoSeries(gpd.points_from_xy(longitude, latitude, crs=WGS84)).to_crs(
        region.counties.crs
    )
    away_m = np.hypot(
        np.maximum(np.maximum(west - points.x, points.x - east), 0.0),
        np.maximum(np.maximum(south - points.y, points.y - north), 0.0),
    )
    # A projection is undefined, and says infinity, on the far side of the Earth.
    is_far = ~(away_m <= FARTHEST_FROM_REGION_M) & rows.is_usable()
    reason = (
        f"the place is more than {FARTHEST_FROM_REGION_M / 1e3:,.0f} km from {region.name}: are "
        f"longitude and latitude right?"
    )
    rows.reject(np.asarray(is_far), "longitude", reason)


def _to_wgs84(longitude: Numbers, latitude: Numbers, datum: Datum) -> tuple[Numbers, Numbers]:
    if datum == "wgs84":
        return longitude, latitude
    if datum == "gcj02":
        return gcj02_to_wgs84(longitude, latitude)
    if datum == "bd09":
        return gcj02_to_wgs84(*bd09_to_gcj02(longitude, latitude))
    raise NetworkError(f"coordinates {datum!r} are unknown: give wgs84, gcj02 or bd09")


def _reject_repeated_rows(rows: Rows) -> None:
    """Reject copies of a row among the cells that have no id to tell copies by."""
    nameless = (rows.text("cell") == "") & (rows.text("cell_name") == "")
    copies = np.zeros(len(nameless), bool)
    copies[nameless] = rows.table.cells[nameless].astype(str).duplicated().to_numpy()
    rows.reject(copies, "cell", "the row repeats an earlier one")


def _first_rows(places: gpd.GeoDataFrame) -> Positions:
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


def _sites(
    schema: Schema, places: gpd.GeoDataFrame, source: str
) -> tuple[gpd.GeoDataFrame, Positions]:
    """Return the sites, each as its first row describes it, and the site of each row."""
    first, site_of_row = np.unique(_first_rows(places), return_inverse=True)
    described = places.iloc[first]
    labels = _site_labels(described)
    ids = pd.Series(labels)
    taken = ids.duplicated().to_numpy()
    ids[taken] = _numbered(labels[taken], set(labels), first=2)
    own = {"name": np.where(described["name"] == "", labels, described["name"]), "source": source}
    sites = gpd.GeoDataFrame(
        {
            about.name: own[about.name] if about.name in own else described[about.name].array
            for about in schema.columns("sites")
        },
        geometry=described.geometry.to_numpy(),
        crs=places.crs,
        index=pd.Index(ids, name="site"),
    )
    return sites, site_of_row


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
    return np.array([is_local_cell(id_) for id_ in ids], dtype=bool)


def is_local_cell(id_: str) -> bool:
    """Tell whether a cell's id is a number that counts within a base station.

    Parameters
    ----------
    id_ : str
        Id of a cell.

    Returns
    -------
    bool
    """
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
