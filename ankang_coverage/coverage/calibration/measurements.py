"""Measured RSRP: reading it, and finding the cell that was measured."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ankang_coverage.errors import NetworkError
from ankang_coverage.inputs import listed, quoted
from ankang_coverage.limits import limits
from ankang_coverage.region import Source
from ankang_coverage.region.coordinates import (
    WGS84,
    Latitudes,
    Longitudes,
    bd09_to_gcj02,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    wgs84_to_gcj02,
)
from ankang_coverage.sites import Network, no_rejections
from ankang_coverage.sites.attributes import plain_header
from ankang_coverage.sites.readers import LONGEST_LOCAL_CELL, is_local_cell
from ankang_coverage.sites.rows import NUMBER, Rows, is_within, positions_of
from ankang_coverage.sites.schema import builtin_schema
from ankang_coverage.sites.tables import Table, read_table

Datum = Literal["wgs84", "gcj02", "bd09"]
RsrpForm = Literal["dbm", "negated", "lte-index", "nr-index"]
Degrees = tuple[Longitudes, Latitudes]

RSRP_DBM = (-156.0, -31.0)
"""What a terminal can report as SS-RSRP (3GPP TS 38.133, table 10.1.6.1-1); RSRP lies within."""
_LTE_INDEX, _NR_INDEX = (97, -140.5), (127, -156.5)
"""Highest index of the reports and RSRP in the middle of index 0 [dBm]: TS 36.133 table 9.1.4-1
and TS 38.133 table 10.1.6.1-1, in steps of 1 dB."""

HEADERS = {
    name: tuple(headers.split())
    for name, headers in {
        "rsrp_dbm": (
            "rsrp_dbm rsrp ss_rsrp serving_rsrp pcell_rsrp lte_rsrp nr_rsrp signal "
            "服务小区RSRP 主小区RSRP 主服务小区RSRP 参考信号接收功率"
        ),
        "time": (
            "time timestamp datetime date_time measured_at "
            "时间 采集时间 测试时间 测量时间 上报时间 记录时间 时间戳"
        ),
        "cell": "ci serving_cell serving_ci 服务小区 服务小区ID 主服务小区",
    }.items()
}
"""Headers in use beside those of ``attributes.csv``, the preferred first."""


@dataclass(frozen=True)
class Measurements:
    """Received power by place and cell, as a drive test or a crowd of phones gives it.

    Attributes
    ----------
    points : geopandas.GeoDataFrame
        One row a measurement, indexed by the row of the file: ``rsrp_dbm`` [dBm], ``cell`` (its
        id as the file writes it, blank where unknown), ``time`` (NaT where unknown), point
        geometry.
    rejected : pandas.DataFrame
        Rows of the file that were not used: ``row``, ``column``, ``value``, ``reason``.
    coordinates : {'wgs84', 'gcj02', 'bd09'}
        What the file's coordinates were taken for: ``wgs84``, ``gcj02`` or ``bd09``.
    sources : tuple of Source
        Where the measurements come from.

    Raises
    ------
    NetworkError
        If a column is missing or the points have no CRS.
    """

    points: gpd.GeoDataFrame
    rejected: pd.DataFrame = field(default_factory=no_rejections)
    coordinates: Datum = "wgs84"
    sources: tuple[Source, ...] = field(default=())

    def __post_init__(self) -> None:
        for column in ("rsrp_dbm", "cell"):
            if column not in self.points:
                raise NetworkError(
                    f"table of measurements lacks column {column!r}; it has {list(self.points)}"
                )
        if self.points.crs is None:
            raise NetworkError("the measurements have no CRS: name it with set_crs")


def read_measurements(
    path: str | Path,
    *,
    coordinates: Datum = "wgs84",
    rsrp: RsrpForm = "dbm",
    table: str | None = None,
) -> Measurements:
    """Read measured RSRP, one row a measurement of one cell.

    Longitude, latitude and RSRP are required. The cell's id is understood as in a table of cells
    (CGI, ECI, NCI, or the number within a base station together with the base station's), and so
    are headers, in Chinese and English; those of RSRP and time stand in `HEADERS`.

    Parameters
    ----------
    path : str or pathlib.Path
        CSV, Excel workbook, GeoPackage, GeoJSON or Shapefile.
    coordinates : {'wgs84', 'gcj02', 'bd09'}
        What longitudes and latitudes are in: ``wgs84`` (CGCS2000 as well), ``gcj02`` (Gaode's or
        Tencent's maps, and most apps on phones sold in China) or ``bd09`` (Baidu's).
    rsrp : {'dbm', 'negated', 'lte-index', 'nr-index'}
        How RSRP is written: ``dbm``; ``negated``, without its minus sign; ``lte-index`` or
        ``nr-index``, the number a terminal reports in place of dBm.
    table : str, optional
        Sheet of a workbook or layer of a vector file; needed only where several hold places.

    Returns
    -------
    Measurements
        Points in WGS-84; every row that is none is in ``rejected``, with the first fault found.
        A row that repeats an earlier one, time and all, is such a row: phones send a reading
        again when there is no new reading.

    Raises
    ------
    FileError
        If the file cannot be read, holds no rows, or leaves open which of its tables to read.
    NetworkError
        If a column is missing or there twice, no row can be used, or RSRP is not written in the
        form that `rsrp` says.

    References
    ----------
    3GPP TS 36.133, table 9.1.4-1; TS 38.133, table 10.1.6.1-1 (reports of RSRP and SS-RSRP).
    """
    for name, given, known in (
        ("coordinates", coordinates, get_args(Datum)),
        ("rsrp", rsrp, get_args(RsrpForm)),
    ):
        if given not in known:
            raise NetworkError(f"{name} {quoted(given)} is unknown: give one of {', '.join(known)}")
    rows = _MeasuredRows(read_table(path, table, check=_positions))
    longitude, latitude = _read_places(rows)
    rsrp_dbm = _read_rsrp(rows, rsrp)
    time = _read_times(rows)
    cell = _read_cells(rows)
    measured = pd.DataFrame(
        {"rsrp_dbm": rsrp_dbm, "cell": cell, "time": time, "lon": longitude, "lat": latitude}
    )
    repeated = measured.duplicated().to_numpy() & measured["time"].notna().to_numpy()
    rows.reject(repeated, "time", "the row repeats an earlier one")
    used = rows.usable()
    measured = measured.iloc[used]
    places = to_wgs84(measured.pop("lon").to_numpy(), measured.pop("lat").to_numpy(), coordinates)
    measured.index = pd.Index(rows.table.rows[used], name="row")
    return Measurements(
        points=gpd.GeoDataFrame(measured, geometry=gpd.points_from_xy(*places), crs=WGS84),
        rejected=rows.rejected(),
        coordinates=coordinates,
        sources=(Source("measurements", "given", Path(path).name),),
    )


class _MeasuredRows(Rows):
    """The rows of a table of measurements, with columns that a table of cells does not have."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._position = _positions(table.name, table.headers)


def _positions(name: str, headers: Sequence[str]) -> dict[str, int]:
    """Return the position of each column, and refuse a table that lacks one that must be there."""
    known, plain = (
        positions_of(name, headers, builtin_schema()),
        [plain_header(header) for header in headers],
    )
    for attribute, in_use in HEADERS.items():
        here = [plain.index(header) for header in map(plain_header, in_use) if header in plain]
        if here:
            known.setdefault(attribute, here[0])
    for needed, example in (
        ("longitude", "longitude, lon, 经度"),
        ("latitude", "latitude, lat, 纬度"),
        ("rsrp_dbm", ", ".join(HEADERS["rsrp_dbm"])),
    ):
        if needed not in known:
            raise NetworkError(
                f"{name} has no column for {needed}: name one of {example}; it has "
                f"{listed(headers)}"
            )
    return known


def _read_places(rows: Rows) -> Degrees:
    longitude, latitude = rows.parsed("longitude"), rows.parsed("latitude")
    for attribute, degrees in (("longitude", longitude), ("latitude", latitude)):
        rows.reject(np.isnan(degrees), attribute, f"{attribute} is blank")
    nowhere = (longitude == 0.0) & (latitude == 0.0)
    rows.reject(nowhere, "longitude", "longitude and latitude are both 0: there was no fix")
    swapped = is_within("longitude", latitude) & is_within("latitude", longitude)
    rows.reject(swapped, "longitude", "longitude and latitude seem swapped")
    rows.limited("longitude", longitude)
    rows.limited("latitude", latitude)
    return longitude, latitude


def _read_rsrp(rows: Rows, form: RsrpForm) -> NDArray[np.float64]:
    text = rows.short("rsrp_dbm")
    plain = [unicodedata.normalize("NFKC", value).replace("−", "-").lower() for value in text]
    found = pd.Series(plain, dtype=str).str.extract(rf"^({NUMBER})\s*(?:dbm)?$")[0]
    numbers = found.to_numpy(np.float64)
    rows.reject(text == "", "rsrp_dbm", "RSRP is blank")
    rows.reject(np.isnan(numbers), "rsrp_dbm", "RSRP is no number")
    known = numbers[np.isfinite(numbers)]
    if form == "dbm":
        _require_dbm(rows.table.name, known)
        dbm = numbers
    elif form == "negated":
        dbm = -np.abs(numbers)
    else:
        highest, lowest_dbm = _LTE_INDEX if form == "lte-index" else _NR_INDEX
        no_index = (numbers < 0) | (numbers > highest) | (numbers % 1.0 != 0.0)
        rows.reject(no_index, "rsrp_dbm", f"RSRP is no whole number from 0 to {highest}")
        dbm = numbers + lowest_dbm
    low, high = RSRP_DBM
    outside = (dbm < low) | (dbm > high)
    rows.reject(outside, "rsrp_dbm", f"RSRP is outside {low:g} to {high:g} dBm")
    return dbm


def _require_dbm(file: str, numbers: NDArray[np.float64]) -> None:
    """Refuse numbers most of which cannot be dBm, and say what they may be instead."""
    if np.count_nonzero(numbers >= 0.0) * 2 <= len(numbers):
        return
    low, high = numbers.min(), numbers.max()
    may_be = [
        (high > -RSRP_DBM[1], "negated", "dBm without the minus sign"),
        (high <= _LTE_INDEX[0], "lte-index", "the index that LTE terminals report (TS 36.133)"),
        (high <= _NR_INDEX[0], "nr-index", "the index that NR terminals report (TS 38.133)"),
    ]
    remedies = "; ".join(f"rsrp={form!r} if it is {what}" for fits, form, what in may_be if fits)
    raise NetworkError(
        f"RSRP in {file} is not in dBm: most of it is positive, from {low:g} to {high:g}. Read it "
        f"with {remedies or 'a column of RSRP in dBm'}"
    )


def _read_times(rows: Rows) -> "pd.Series[pd.Timestamp]":
    """Read times: in UTC where they name a zone, else as they are; NaT where blank."""
    text = pd.Series(rows.short("time"), dtype=str)
    plain = text.str.replace(r"[年月/]", "-", regex=True).str.replace("日", " ")
    plain = plain.str.replace(r"[时分]", ":", regex=True).str.replace(r"秒|:\s*$", "", regex=True)
    epoch = pd.to_numeric(text.where(~text.str.fullmatch(r"\d{8}|\d{14}")), errors="coerce")
    time = _dates(plain.where(epoch.isna()))
    seconds = epoch.where(epoch < _FIRST_MS, epoch / 1e3)
    seconds = seconds.where(seconds.between(*_EPOCH_S))
    time = time.fillna(pd.to_datetime(seconds, unit="s", utc=True))
    unread = time.isna().to_numpy() & (text != "").to_numpy()
    rows.reject(unread, "time", "the time cannot be read: write 2024-05-01 12:30:00")
    return time.dt.tz_localize(None)


def _dates(text: "pd.Series[str]") -> "pd.Series[pd.Timestamp]":
    """Read dates in many forms, NaT where there is none; stop where a column holds no dates.

    To guess the form of a text takes a tenth of a millisecond, and a column of something else
    may have as many different texts as rows.
    """
    time = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=True)
    different = text[time.isna()].dropna().drop_duplicates()
    found = []
    for start in range(0, len(different), _GUESSED_TOGETHER):
        some = different.iloc[start : start + _GUESSED_TOGETHER]
        guessed = pd.to_datetime(some, errors="coerce", format="mixed", utc=True)
        found.append(guessed.set_axis(some))
        if guessed.isna().all():
            break
    return time.fillna(text.map(pd.concat(found))) if found else time


_GUESSED_TOGETHER = 5_000
_EPOCH_S, _FIRST_MS = (1e8, 1e10), 1e11
"""Seconds since 1970 that are taken for a time, 1973 to 2286; from when on milliseconds are."""


def _read_cells(rows: Rows) -> NDArray[np.object_]:
    """Read the cell's id, after its base station's where it is a number within that."""
    cell, base_station = rows.text("cell"), rows.text("base_station")
    named = np.where(cell == "", rows.text("cell_name"), cell)
    local = np.array([is_local_cell(id_) for id_ in named], dtype=bool) & (base_station != "")
    return np.where(local, base_station + "-" + named, named)


# Datums of positions ----------------------------------------------------------------------------


def to_wgs84(longitude_deg: Longitudes, latitude_deg: Latitudes, datum: Datum) -> Degrees:
    """Return WGS-84 positions of positions in one of China's datums [degrees].

    Parameters
    ----------
    longitude_deg, latitude_deg : numpy.ndarray
        Positions [degrees].
    datum : {'wgs84', 'gcj02', 'bd09'}
        What they are in.

    Returns
    -------
    tuple of numpy.ndarray
        Longitude and latitude in WGS-84 [degrees].

    Examples
    --------
    >>> place = np.array([109.02483]), np.array([32.68791])
    >>> [round(float(degrees[0]), 4) for degrees in to_wgs84(*place, "gcj02")]
    [109.02, 32.69]
    """
    return _TO_WGS84[datum](longitude_deg, latitude_deg)


def from_wgs84(longitude_deg: Longitudes, latitude_deg: Latitudes, datum: Datum) -> Degrees:
    """Return positions in one of China's datums of WGS-84 positions [degrees].

    Parameters
    ----------
    longitude_deg, latitude_deg : numpy.ndarray
        WGS-84 positions [degrees].
    datum : {'wgs84', 'gcj02', 'bd09'}
        What to return.

    Returns
    -------
    tuple of numpy.ndarray
        Longitude and latitude in the datum [degrees].

    Examples
    --------
    >>> place = np.array([109.02]), np.array([32.69])
    >>> [round(float(degrees[0]), 5) for degrees in from_wgs84(*place, "gcj02")]
    [109.02483, 32.68791]
    """
    return _FROM_WGS84[datum](longitude_deg, latitude_deg)


_Move = Callable[[Longitudes, Latitudes], Degrees]

_TO_WGS84: dict[Datum, _Move] = {
    "wgs84": lambda longitude, latitude: (longitude, latitude),
    "gcj02": gcj02_to_wgs84,
    "bd09": lambda longitude, latitude: gcj02_to_wgs84(*bd09_to_gcj02(longitude, latitude)),
}
_FROM_WGS84: dict[Datum, _Move] = {
    "wgs84": lambda longitude, latitude: (longitude, latitude),
    "gcj02": wgs84_to_gcj02,
    "bd09": lambda longitude, latitude: gcj02_to_bd09(*wgs84_to_gcj02(longitude, latitude)),
}


# Which cell was measured -------------------------------------------------------------------------

_ECI_BITS, _ECI_CELL_BITS = 28, 8
"""Bits of an E-UTRAN cell identity, and of its part within the eNodeB (3GPP TS 36.300, 8.2)."""
_NCI_BITS, _NCI_CELL_BITS = 36, 12
"""The same in NR (TS 38.300, 8.2), for base stations' ids of 24 bits, as China's operators use."""


class _Identity(NamedTuple):
    """The parts of a cell identity: network code, technology and number."""

    plmn: str
    technology: str
    number: int


def match_cells(
    network: Network, measurements: Measurements
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Find the network's cell that each measurement names.

    An id that is the same text names the cell. Otherwise ids are split into their parts:
    ``460-00-12345-1``, ``12345-1`` and ``3160321`` (12345 × 256 + 1) are one LTE cell. Codes of the
    country and the operator must agree where both ids have them.

    Parameters
    ----------
    network : Network
        Sites and cells.
    measurements : Measurements
        Measurements with cells' ids as their file writes them.

    Returns
    -------
    tuple
        The points whose cell is known, ``cell`` now the network's id; and the others, as
        `Measurements.rejected` lists rows, each with the reason.

    Raises
    ------
    NetworkError
        If no measurement names a cell of the network.
    """
    named = measurements.points["cell"].fillna("").astype(str)
    known = _Cells(network)
    found = {text: known.find(text) for text in named.unique()}
    cell = named.map({text: id_ for text, (id_, _) in found.items()})
    reason = named.map({text: why for text, (_, why) in found.items()})
    matched = (cell != "").to_numpy()
    if not matched.any():
        raise NetworkError(
            f"none of {len(named)} measurements names a cell of the network: they name such as "
            f"{_some(named)}, the network has {_some(network.cells.index)}"
        )
    unknown = pd.DataFrame(
        {"row": named.index, "column": "cell", "value": named.to_numpy(), "reason": reason}
    )[~matched]
    points = measurements.points.assign(cell=cell)[matched]
    return points, unknown.reset_index(drop=True).astype({"column": "str", "value": "str"})


class _Cells:
    """The network's cells by their ids and by what the ids say."""

    def __init__(self, network: Network) -> None:
        self._ids = set(network.cells.index)
        self._by_number: dict[tuple[str, int], list[tuple[str, str]]] = {}
        for id_, layer in network.cells["radio_layer"].items():
            technology = network.catalogue.radio_layer(layer).technology
            for identity in _identities(str(id_)):
                if identity.technology == technology:
                    key = (technology, identity.number)
                    self._by_number.setdefault(key, []).append((identity.plmn, str(id_)))

    def find(self, text: str) -> tuple[str, str]:
        """Return the cell that a text names, or a blank and the reason why there is none."""
        if text in self._ids:
            return text, ""
        if not text:
            return "", "the row names no cell"
        cells = sorted(
            {
                id_
                for wanted, technology, number in _identities(text)
                for plmn, id_ in self._by_number.get((technology, number), ())
                if not plmn or not wanted or plmn == wanted
            }
        )
        if len(cells) == 1:
            return cells[0], ""
        if cells:
            return "", f"the id may be that of {' or '.join(cells[:3])}: write it in full"
        return "", "the network has no such cell"


def _identities(text: str) -> Iterator[_Identity]:
    """Yield what an id may mean; nothing for a name."""
    if len(text) > limits().digits:
        return
    parts = re.split(r"[-_:./\s]+", unicodedata.normalize("NFKC", text).strip())
    if not all(part.isdecimal() for part in parts) or len(parts) > 4:
        return
    numbers = [int(part) for part in parts]
    plmn = ""
    if len(numbers) > 2:
        plmn, numbers = f"{numbers[0]}-{numbers[1]}", numbers[2:]
    for technology, bits, cell_bits in (
        ("lte", _ECI_BITS, _ECI_CELL_BITS),
        ("nr", _NCI_BITS, _NCI_CELL_BITS),
    ):
        if len(numbers) == 1 and LONGEST_LOCAL_CELL < numbers[0] < 1 << bits:
            yield _Identity(plmn, technology, numbers[0])
        elif len(numbers) == 2:
            base_station, cell = numbers
            if cell < 1 << cell_bits and base_station < 1 << (bits - cell_bits):
                yield _Identity(plmn, technology, (base_station << cell_bits) + cell)


def _some(ids: "pd.Series[str] | pd.Index") -> str:
    return ", ".join(quoted(str(id_)) for id_ in list(dict.fromkeys(ids))[:3]) or "none"
