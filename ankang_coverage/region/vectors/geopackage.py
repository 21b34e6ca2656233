"""GeoPackages, read as SQLite databases.

A database can run code when it is read: views, virtual tables, computed columns. Only plain tables
are read here.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from ankang_coverage.errors import FileError
from ankang_coverage.inputs import require_file
from ankang_coverage.limits import limits
from ankang_coverage.region.vectors.layer import (
    BROKEN,
    DAMAGED,
    Budget,
    VectorLayer,
    as_shapes,
    as_table,
)
from ankang_coverage.region.vectors.wkb import count_vertices

HEADER_BYTES = 8
ENVELOPE_BYTES = (0, 32, 48, 48, 64)
"""Size of the envelope before a geometry, by the code in its header's flags."""
VERTEX_BYTES = 32
"""Size of a vertex with height and measure."""

_CONTENTS = ("gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys")
_LAYERS = """
    SELECT contents.table_name, geometry.column_name, geometry.srs_id
    FROM gpkg_contents AS contents
    LEFT JOIN gpkg_geometry_columns AS geometry
    ON lower(geometry.table_name) = lower(contents.table_name)
    WHERE contents.data_type IN ('features', 'attributes')
    LIMIT 1000
"""


def layers_of(file: Path) -> dict[str, bool]:
    """Return the layers by name, and whether each has shapes.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    dict of str to bool
        Whether a layer has shapes, by its name.
    """
    with _database(file) as database:
        return {name: bool(column) for name, column, _ in database.execute(_LAYERS)}


def read_layer(file: Path, name: str) -> VectorLayer:
    """Read a layer by its name.

    Parameters
    ----------
    file : Path
        The file.
    name : str
        The layer.

    Returns
    -------
    VectorLayer
        Its features.
    """
    with _database(file) as database:
        _require_plain(database, file, name)
        budget = Budget(file)
        _require_whole(database, budget)
        place = {layer: (column, srs) for layer, column, srs in database.execute(_LAYERS)}[name]
        headers = _columns(database, name)
        shape_column = next((h for h in headers if h == place[0]), None)
        other_headers = [header for header in headers if header != shape_column]
        budget.columns(len(other_headers))
        columns: dict[str, list[object]] = {header: [] for header in other_headers}
        encoded: list[bytes | None] = []
        faults: list[str] = []
        for row in _rows(database, budget, name, [shape_column, *other_headers]):
            budget.feature(len(other_headers))
            cells = [None if isinstance(cell, bytes) else cell for cell in row[1:]]
            budget.texts(cells)
            for column, cell in zip(columns.values(), cells, strict=True):
                column.append(cell)
            wkb, fault = _wkb(row[0], budget)
            encoded.append(wkb)
            faults.append(fault)
        with np.errstate(invalid="ignore"):  # NaN is reported later
            shapes = shapely.from_wkb(as_shapes(encoded), on_invalid="ignore")
        is_broken = np.array([wkb is not None for wkb in encoded], bool) & shapely.is_missing(
            shapes
        )
        faults_of_shapes = np.where(is_broken, BROKEN, np.array(faults, object))
        table = as_table(columns, budget.features)
        return VectorLayer(file, table, shapes, faults_of_shapes, _crs(database, place[1]))


@contextmanager
def _database(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage for reading, and check that its tables of contents are plain tables."""
    # Unless changes are waiting in a file beside it, it is opened without writing or locking.
    waiting = [Path(f"{file}{ending}") for ending in ("-wal", "-journal")]
    is_still = not any(path.is_file() and path.stat().st_size for path in waiting)
    address = f"{require_file(file, 'vector_bytes').absolute().as_uri()}?mode=ro"
    database = sqlite3.connect(
        f"{address}&immutable=1" if is_still else address, uri=True, timeout=1
    )
    try:
        database.text_factory = lambda text: text.decode("utf-8", "replace")
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _most_bytes())
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA ignore_check_constraints = ON")
        for table in _CONTENTS:
            _require_plain(database, file, table)
        yield database
    finally:
        database.close()


def _most_bytes() -> int:
    return min(VERTEX_BYTES * limits().vertices + 4 * limits().field_characters, 2**31 - 1)


def _require_plain(database: sqlite3.Connection, file: Path, table: str) -> None:
    """Refuse a view, a virtual table or a table with computed columns."""
    found = database.execute(
        "SELECT type, sql FROM sqlite_master WHERE lower(name) = lower(?) "
        "AND type IN ('table', 'view')",
        (table,),
    ).fetchone()
    if found is None:
        raise FileError(f"cannot read {file} as a vector file: it has no table {table[:60]!r}")
    kind, sql = found
    is_virtual = " ".join(str(sql).upper().split()).startswith("CREATE VIRTUAL")
    hidden = database.execute("SELECT hidden FROM pragma_table_xinfo(?)", (table,)).fetchall()
    if kind != "table" or is_virtual or any(how for (how,) in hidden):
        raise FileError(
            f"cannot read {file} as a vector file: {table[:60]!r} is not a plain table but "
            f"computed when it is read: export it again, as a table of its own"
        )


def _require_whole(database: sqlite3.Connection, budget: Budget) -> None:
    try:
        (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DataError as error:
        raise budget.too_long(_most_bytes()) from error
    if answer != "ok":
        raise sqlite3.DatabaseError(answer)


def _columns(database: sqlite3.Connection, name: str) -> list[str]:
    """Return the columns of a table except the one that numbers its rows."""
    columns = database.execute("SELECT name, type, pk FROM pragma_table_info(?)", (name,))
    return [column for column, kind, key in columns if not (key and kind.upper() == "INTEGER")]


def _rows(
    database: sqlite3.Connection, budget: Budget, name: str, columns: list[str | None]
) -> Iterator[tuple[object, ...]]:
    wanted = ", ".join("NULL" if column is None else _quoted(column) for column in columns)
    query = f"SELECT {wanted} FROM {_quoted(name)}"  # noqa: S608  (both quoted)
    try:
        yield from database.execute(query)
    except sqlite3.DataError as error:
        raise budget.too_long(_most_bytes()) from error


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _wkb(blob: object, budget: Budget) -> tuple[bytes | None, str]:
    """Return the geometry in a GeoPackage's blob, or why it cannot be read."""
    if blob is None:
        return None, ""
    if not isinstance(blob, bytes) or len(blob) < HEADER_BYTES or not blob.startswith(b"GP"):
        return None, DAMAGED
    code = blob[3] >> 1 & 7
    if code >= len(ENVELOPE_BYTES):
        return None, DAMAGED
    wkb = blob[HEADER_BYTES + ENVELOPE_BYTES[code] :]
    try:
        n_vertices = count_vertices(wkb)
    except ValueError as error:
        return None, str(error)
    budget.shape(n_vertices)
    return wkb, ""


def _crs(database: sqlite3.Connection, number: object) -> CRS | None:
    """Return the CRS of a number, ``None`` for an undefined or unknown one."""
    found = database.execute(
        "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys "
        "WHERE srs_id = ?",
        (number,),
    ).fetchone()
    if found is None or found[2] == "undefined":
        return None
    organisation, code, definition = found
    if str(organisation).upper() == "EPSG":
        try:
            return CRS.from_epsg(code)
        except CRSError:
            pass  # a number of the program's own, with its definition beside it
    return CRS.from_wkt(definition)
