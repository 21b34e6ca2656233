"""Tables as files hold them: a header, raw cells, and the row numbers a spreadsheet shows."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import cast
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import shapely
from numpy.typing import NDArray
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from ankang_coverage.errors import FileError
from ankang_coverage.inputs import read_text, reading
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.vectors import layers_of, read_layer
from ankang_coverage.sites.attributes import find_attributes

TEXT_FILES = (".csv", ".txt", ".tsv")
WORKBOOKS = (".xlsx", ".xlsm")
VECTOR_FILES = (".gpkg", ".geojson", ".json", ".shp")
SEPARATORS = (",", "\t", ";", "^")
HEADER_WITHIN_ROWS = 10
"""Titles and remarks may stand above the header, but not more of them than this."""

Row = Sequence[object]


@dataclass(frozen=True)
class Table:
    """One table of a file.

    Attributes
    ----------
    name
        The file's name, for messages.
    headers
        Headers as written.
    cells
        (n, columns) what stands below them, by position of the column, blank rows left out.
    rows
        (n,) number of each row: 1-based with the header counted, as a spreadsheet does; in a
        vector file the number of the feature.
    overfull
        (n,) whether a row has more fields than the header, so that its fields are not to trust.
    """

    name: str
    headers: tuple[str, ...]
    cells: pd.DataFrame
    rows: NDArray[np.int64]
    overfull: NDArray[np.bool_]


def read_table(path: str | Path, table: str | None = None) -> Table:
    """Read the table of cells in a text file, a workbook or a vector file.

    Parameters
    ----------
    path
        CSV (UTF-8 or GB18030; comma, tab, semicolon or caret), Excel workbook, GeoPackage,
        GeoJSON or Shapefile. The header is the row among the first 10 with the most headers of
        ``attributes.csv``. The points of a vector file become its ``longitude`` and ``latitude``.
    table
        Sheet or layer; needed only where several hold places.

    Raises
    ------
    FileError
        If the file is missing, empty, damaged or of another kind, or leaves open which table.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (*TEXT_FILES, *WORKBOOKS, *VECTOR_FILES):
        raise FileError(
            f"{path} is no table this library reads: save it as one of "
            f"{', '.join((*TEXT_FILES, *WORKBOOKS, *VECTOR_FILES))}"
        )
    if not path.is_file():
        raise FileError(f"cannot read {path}: there is no such file")
    if path.stat().st_size == 0:
        raise FileError(f"{path} is empty: export it again")
    if kind in WORKBOOKS:
        return _read_workbook(path, table)
    return _read_vector(path, table) if kind in VECTOR_FILES else _read_text_table(path)


def _read_text_table(path: Path) -> Table:
    text = read_text(path)

    def known_headers(separator: str) -> int:
        # A wrong separator makes nonsense of quotation marks, so this look is not strict.
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return _find_header(list(islice(lines, HEADER_WITHIN_ROWS)))[1]

    separator = max(SEPARATORS, key=known_headers)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(lines)
    except csv.Error as error:
        raise FileError(
            f"{path}, near line {lines.line_num}: {error}: a quotation mark may be missing"
        ) from error
    return _as_table(path, rows, fields_split=True)


def _read_workbook(path: Path, sheet: str | None) -> Table:
    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            sheets = {one.title: cast(ReadOnlyWorksheet, one) for one in workbook.worksheets}
            heads = {name: _rows_of(one, HEADER_WITHIN_ROWS) for name, one in sheets.items()}
            has_places = {name: _has_places(rows) for name, rows in heads.items()}
            rows = _rows_of(sheets[_choose(path, "sheet", sheet, has_places)])
        finally:
            workbook.close()
    except FileError:
        raise
    except (BadZipFile, InvalidFileException, KeyError, OSError, ParseError, ValueError) as error:
        raise FileError(
            f"cannot read {path} as an Excel workbook ({error}): save it again as .xlsx"
        ) from error
    return _as_table(path, rows)


def _rows_of(sheet: ReadOnlyWorksheet, limit: int | None = None) -> list[Row]:
    # Some programs write a wrong size of the sheet; without it, openpyxl reads what is there.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_row=limit, values_only=True)  # type: ignore[misc]  # wrong stub
    return list(rows)


def _read_vector(path: Path, layer: str | None) -> Table:
    found = read_layer(path, _choose(path, "layer", layer, layers_of(path)))
    if found.crs is None or shapely.is_missing(found.shapes).all():
        raise FileError(f"{path} has no points with a CRS: export it again with its CRS")
    table = found.table
    places = find_attributes(list(table.columns))
    replaced = [*places.get("longitude", ()), *places.get("latitude", ())]
    table = table.drop(columns=table.columns[replaced])
    with reading(path, "a vector file", "export it again in EPSG:4326"):
        points = gpd.GeoSeries(list(found.shapes), crs=found.crs).to_crs(WGS84)
    columns = [*_coordinates(points, found.faults), *(table[c] for c in table.columns)]
    return _as_table(
        path,
        [("longitude", "latitude", *table.columns), *zip(*columns, strict=True)],
        first_row=0,
    )


def _coordinates(
    points: gpd.GeoSeries, faults: NDArray[np.object_]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return longitudes and latitudes; what is no point gives its fault or its kind instead."""
    geometries = points.to_numpy()
    lonely = shapely.get_num_geometries(geometries) == 1
    geometries = np.where(lonely, shapely.get_geometry(geometries, 0), geometries)
    is_point = (shapely.get_type_id(geometries) == shapely.GeometryType.POINT) & ~shapely.is_empty(
        geometries
    )
    kinds = np.array([getattr(one, "geom_type", None) for one in geometries], dtype=object)
    instead = np.where(faults == "", kinds, faults)
    longitude = np.where(is_point, shapely.get_x(geometries).astype(object), instead)
    latitude = np.where(is_point, shapely.get_y(geometries).astype(object), instead)
    return longitude, latitude


def _choose(path: Path, what: str, wanted: str | None, has_places: Mapping[str, bool]) -> str:
    """Return the name of the table to read."""
    if wanted is not None:
        if wanted in has_places:
            return wanted
        raise FileError(f"{path} has no {what} {wanted!r}; it has {', '.join(has_places)}")
    suitable = [name for name, suits in has_places.items() if suits]
    if len(suitable) > 1:
        raise FileError(
            f"{path} has several tables, the {what}s {', '.join(suitable)}: name one with table=, "
            f"or save the one to read in a file of its own"
        )
    if not has_places:
        raise FileError(f"{path} has no {what}: export it again")
    return suitable[0] if suitable else next(iter(has_places))


def _has_places(rows: Sequence[Row]) -> bool:
    header = rows[_find_header(rows)[0]] if rows else ()
    return {"longitude", "latitude"} <= find_attributes(header).keys()


def _find_header(rows: Sequence[Row]) -> tuple[int, int]:
    """Return which of the first rows is the header, and how many attributes it names."""
    known = [len(find_attributes(row)) for row in rows[:HEADER_WITHIN_ROWS]]
    if not any(known):
        return next((n for n, row in enumerate(rows) if not _is_blank(row)), 0), 0
    best = max(known)
    return known.index(best), best


def _as_table(
    path: Path, rows: Sequence[Row], *, first_row: int = 1, fields_split: bool = False
) -> Table:
    position, _ = _find_header(rows)
    headers = [_header_text(cell) for cell in rows[position]] if rows else []
    while headers and not headers[-1]:
        headers.pop()
    below = [
        (number, row)
        for number, row in enumerate(rows[position + 1 :], start=position + 1 + first_row)
        if not _is_blank(row)
    ]
    if not below:
        raise FileError(f"{path} has no rows below its header: export it again")
    numbers, filled = zip(*below, strict=True)
    cells = pd.DataFrame(dict(enumerate(zip_longest(*filled))), dtype=object)
    cells = cells.reindex(columns=range(max(len(headers), cells.shape[1])))
    beyond = cells.iloc[:, len(headers) :]
    overfull = (beyond.notna() & (beyond != "")).any(axis=1).to_numpy(bool) & fields_split
    return Table(
        path.name,
        tuple(headers),
        cells.iloc[:, : len(headers)],
        np.array(numbers, np.int64),
        overfull,
    )


def _header_text(cell: object) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _is_blank(row: Row) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)
