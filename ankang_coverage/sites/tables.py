"""Tables as files hold them: a header, raw cells, and the row numbers a spreadsheet shows."""

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ankang_coverage.errors import FileError
from ankang_coverage.inputs import (
    LONGEST_VALUE,
    listed,
    open_text,
    printable,
    quoted,
    reading,
    require_file,
    require_type,
    said,
    shortened,
)
from ankang_coverage.limits import limits, require_within
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.vectors import layers_of, read_layer
from ankang_coverage.sites.schema import builtin_schema
from ankang_coverage.sites.workbooks import open_workbook

TEXT_FILES = (".csv", ".txt", ".tsv")
WORKBOOKS = (".xlsx", ".xlsm")
VECTOR_FILES = (".gpkg", ".geojson", ".json", ".shp")
SEPARATORS = (",", "\t", ";", "^")
HEADER_WITHIN_ROWS = 10
"""Titles and remarks may stand above the header, but not more of them than this."""

Row = Sequence[object]
HeaderCheck = Callable[[str, Sequence[str]], object]
"""Takes the file's name and the headers, and raises where they are not those of its table."""


@dataclass(frozen=True)
class Table:
    """One table of a file.

    Attributes
    ----------
    name : str
        The file's name, for messages.
    headers : tuple of str
        Headers as written.
    cells : pandas.DataFrame
        (n, columns) what stands below them, by position of the column, blank rows left out.
    rows : numpy.ndarray
        (n,) number of each row: 1-based with the header counted, as a spreadsheet does; in a
        vector file the number of the feature.
    faults : numpy.ndarray
        (n,) why a row is not to be trusted as a whole; blank where it is.
    has_types : bool
        Whether the file itself distinguishes numbers from text; a text file does not.
    """

    name: str
    headers: tuple[str, ...]
    cells: pd.DataFrame
    rows: NDArray[np.int64]
    faults: NDArray[np.object_]
    has_types: bool = True


def read_table(
    path: str | Path, table: str | None = None, *, check: HeaderCheck | None = None
) -> Table:
    """Read the table of cells in a text file, a workbook or a vector file.

    Parameters
    ----------
    path : str or Path
        CSV (UTF-8 or GB18030; comma, tab, semicolon or caret), Excel workbook, GeoPackage,
        GeoJSON or Shapefile. The header is the row among the first 10 with the most headers of
        ``attributes.csv``. The points of a vector file become its ``longitude`` and ``latitude``.
    table : str, optional
        Sheet or layer; needed only where several hold places.
    check : callable, optional
        Is given name and headers before the rows are read, which can take long.

    Returns
    -------
    Table

    Raises
    ------
    FileError
        If the file is missing, empty, damaged or of another kind, or leaves open which table.
    LimitError
        If it is larger, or its table longer or wider, than allowed.
    """
    require_type(path, (str, os.PathLike), "path", "tables in memory go into Network(...)")
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (*TEXT_FILES, *WORKBOOKS, *VECTOR_FILES):
        raise FileError(
            f"{printable(str(path))} is no table this library reads: save it as one of "
            f"{', '.join((*TEXT_FILES, *WORKBOOKS, *VECTOR_FILES))}"
        )
    if require_file(path).stat().st_size == 0:
        raise FileError(f"{printable(str(path))} is empty: export it again")
    if kind in WORKBOOKS:
        return _read_workbook(path, table, check)
    if kind in VECTOR_FILES:
        return _read_vector(path, table, check)
    return _read_text_table(path, check)


def _read_text_table(path: Path, check: HeaderCheck | None) -> Table:
    with open_text(path) as text:

        def known_headers(separator: str) -> int:
            # A wrong separator makes nonsense of quotation marks, so this look is not strict.
            text.seek(0)
            records = _records(path, text, separator, strict=False)
            try:
                return _find_header(list(islice(records, HEADER_WITHIN_ROWS)))[1]
            except FileError:
                return 0

        separator = max(SEPARATORS, key=known_headers)
        text.seek(0)
        rows = enumerate(_records(path, text, separator), start=1)
        return _numbered_table(path, rows, is_text=True, check=check)


def _records(
    path: Path, text: TextIO, separator: str, *, strict: bool = True
) -> Iterator[list[str]]:
    """Yield the rows of a text table, and name the row in which a quotation mark is left open."""
    lines = _Lines(printable(str(path)), text)
    # The parser's own limit is the process's; ours names the row.
    csv.field_size_limit(max(csv.field_size_limit(), limits().row_characters))
    rows = csv.reader(lines, delimiter=separator, strict=strict)
    while True:
        lines.begin_row()
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileError(
                f"{lines.place}: {said(error)}: a quotation mark may be missing"
            ) from error


class _Lines:
    """The lines of a text table, and where the row begins that is being read."""

    def __init__(self, name: str, text: TextIO) -> None:
        self._name, self._text = name, text
        self._most = limits().row_characters
        self._n_lines = self._n_characters = self._first = 0

    def begin_row(self) -> None:
        """Note that the next line begins a row."""
        self._first, self._n_characters = self._n_lines + 1, 0

    @property
    def place(self) -> str:
        """The row that is being read, as messages call it."""
        return f"{self._name}, the row that begins in line {self._first}"

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._most + 1)
        if not line:
            raise StopIteration
        self._n_lines += 1
        self._n_characters += len(line)
        if self._n_characters > self._most:
            goes_on = self._n_lines > self._first
            why = (
                " (a quotation mark may be missing: it goes on over many lines)" if goes_on else ""
            )
            what = f"{self.place}{why} has too many characters"
            require_within("row_characters", self._n_characters, what)
        return line


def _read_workbook(path: Path, wanted: str | None, check: HeaderCheck | None) -> Table:
    with open_workbook(path) as workbook:

        def has_places(sheet: str) -> bool:
            return _has_places([row for _, row in islice(workbook.rows(sheet), HEADER_WITHIN_ROWS)])

        known = dict.fromkeys(workbook.sheets, False)
        if wanted is None and len(known) > 1:
            known = {sheet: has_places(sheet) for sheet in known}
        sheet = _choose(path, "sheet", wanted, known)
        return _numbered_table(path, workbook.rows(sheet), check=check)


def _read_vector(path: Path, layer: str | None, check: HeaderCheck | None) -> Table:
    found = read_layer(path, _choose(path, "layer", layer, layers_of(path)))
    if found.crs is None or shapely.is_missing(found.shapes).all():
        raise FileError(f"{path} has no points with a CRS: export it again with its CRS")
    table = found.table
    places = builtin_schema().find(list(table.columns))
    replaced = [*places.get("longitude", ()), *places.get("latitude", ())]
    table = table.drop(columns=table.columns[replaced])
    with reading(path, "a vector file", "export it again in EPSG:4326"):
        points = gpd.GeoSeries(list(found.shapes), crs=found.crs).to_crs(WGS84)
    columns = [*_coordinates(points, found.faults), *(table[c] for c in table.columns)]
    rows = [("longitude", "latitude", *table.columns), *zip(*columns, strict=True)]
    return _numbered_table(path, enumerate(rows), check=check)


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
    kinds = np.array([getattr(shape, "geom_type", None) for shape in geometries], dtype=object)
    instead = np.where(faults == "", kinds, faults)
    longitude = np.where(is_point, shapely.get_x(geometries).astype(object), instead)
    latitude = np.where(is_point, shapely.get_y(geometries).astype(object), instead)
    return longitude, latitude


def _choose(path: Path, what: str, wanted: str | None, has_places: Mapping[str, bool]) -> str:
    """Return the name of the table to read."""
    name = printable(str(path))
    if wanted is not None:
        if wanted in has_places:
            return wanted
        raise FileError(f"{name} has no {what} {quoted(wanted)}; it has {listed(has_places)}")
    suitable = [table for table, suits in has_places.items() if suits]
    if len(suitable) > 1:
        raise FileError(
            f"{name} has several tables, the {what}s {listed(suitable)}: name one with table=, "
            f"or save the one to read in a file of its own"
        )
    if not has_places:
        raise FileError(f"{name} has no {what}: export it again")
    return suitable[0] if suitable else next(iter(has_places))


def _has_places(rows: Sequence[Row]) -> bool:
    header = rows[_find_header(rows)[0]] if rows else ()
    return {"longitude", "latitude"} <= builtin_schema().find(header).keys()


def _find_header(rows: Sequence[Row]) -> tuple[int, int]:
    """Return which of the first rows is the header, and how many attributes it names."""
    most = limits().columns
    known = [len(builtin_schema().find(row[:most])) for row in rows[:HEADER_WITHIN_ROWS]]
    if not any(known):
        return next((n for n, row in enumerate(rows) if not _is_blank(row)), 0), 0
    best = max(known)
    return known.index(best), best


def _numbered_table(
    path: Path,
    numbered: Iterable[tuple[int, Row]],
    *,
    is_text: bool = False,
    check: HeaderCheck | None = None,
) -> Table:
    """Make a table of rows as they come, and stop at the first that is beyond a limit."""
    name, rows = printable(str(path)), iter(numbered)
    top = list(islice(rows, HEADER_WITHIN_ROWS))
    position, _ = _find_header([row for _, row in top])
    headers = [_header_text(cell) for cell in top[position][1]] if top else []
    while headers and not headers[-1]:
        headers.pop()
    require_within("columns", len(headers), f"{name} has too many columns")
    if check is not None and headers:
        check(printable(path.name), headers)
    kept = _Kept(name, headers, is_text)
    for number, row in chain(top[position + 1 :], rows):
        kept.add(number, row)
    if not kept.rows:
        raise FileError(f"{name} has no rows below its header: export it again")
    if not headers:
        raise FileError(
            f"{name} has no header in its first {HEADER_WITHIN_ROWS} rows: name its columns there"
        )
    return Table(
        printable(path.name),
        tuple(headers),
        pd.DataFrame(dict(enumerate(zip(*kept.rows, strict=True))), dtype=object),
        np.array(kept.numbers, np.int64),
        np.array(kept.faults, dtype=object),
        has_types=not is_text,
    )


class _Kept:
    """The rows of a table that are not blank, as wide as its header, and what is wrong with them.

    Parameters
    ----------
    name : str
        The file, for messages.
    headers : sequence of str
        The header.
    is_text : bool
        Whether more fields than headers mean that a field was split, and are no remarks beside
        the table.
    """

    def __init__(self, name: str, headers: Sequence[str], is_text: bool) -> None:
        self.rows: list[Row] = []
        self.numbers: list[int] = []
        self.faults: list[str] = []
        self._name, self._headers, self._is_text = name, headers, is_text
        self._limits = limits()
        self._n_blank = self._n_characters = 0

    def add(self, number: int, row: Row) -> None:
        """Add a row, or refuse the table for it."""
        if _is_blank(row):
            self._n_blank += 1
        else:
            row, fault = self._fitted(row)
            self.rows.append(row)
            self.numbers.append(number)
            self.faults.append(fault)
        n_rows, most = len(self.rows), self._limits
        if n_rows + self._n_blank > most.rows:
            require_within("rows", n_rows + self._n_blank, f"{self._name} has too many rows")
        if n_rows * len(self._headers) > most.cells:
            n_cells = n_rows * len(self._headers)
            require_within("cells", n_cells, f"{self._name} has too many cells")
        if self._n_characters > most.text_bytes:
            require_within("text_bytes", self._n_characters, f"{self._name} has too much text")

    def _fitted(self, row: Row) -> tuple[Row, str]:
        """Return a row as wide as the header, its texts not too long, and what is wrong with it."""
        fault, width = "", len(self._headers)
        if len(row) > width:
            if self._is_text and not _is_blank(row[width:]):
                fault = f"the row has more fields than the header's {width}"
            row = row[:width]
        elif len(row) < width:
            row = [*row, *[None] * (width - len(row))]
        n_characters = _n_characters(row)
        longest = self._limits.field_characters
        if n_characters > longest:
            for header, cell in zip(self._headers, row, strict=True):
                if not fault and isinstance(cell, str) and len(cell) > longest:
                    column = printable(header, LONGEST_VALUE)
                    fault = f"column {column} has more than {longest:,} characters"
            row = [shortened(cell, longest) if isinstance(cell, str) else cell for cell in row]
            n_characters = _n_characters(row)
        self._n_characters += n_characters
        return row, fault


def _n_characters(row: Row) -> int:
    n_characters = 0
    for cell in row:  # a sum of a generator takes twice the time
        if isinstance(cell, str):
            n_characters += len(cell)
    return n_characters


def _header_text(cell: object) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _is_blank(row: Row) -> bool:
    for cell in row:  # the first that is filled ends it
        if cell is not None and not (isinstance(cell, str) and not cell.strip()):
            return False
    return True
