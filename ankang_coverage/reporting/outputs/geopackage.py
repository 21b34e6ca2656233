"""Sites and divisions as one GeoPackage."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Lock

import geopandas as gpd
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from ankang_coverage.errors import FileError
from ankang_coverage.planning import Plan
from ankang_coverage.planning.overlay import LEVELS
from ankang_coverage.reporting.csv_files import with_text
from ankang_coverage.reporting.labels import NAMES_OF_GDAL, labelled, with_columns_of_sites
from ankang_coverage.reporting.outputs.base import Output, Writer
from ankang_coverage.sites import Network
from ankang_coverage.sites.extra_columns import distinct_names
from ankang_coverage.sites.rows import text_of

_NOT_FOR_GDAL = re.compile("[\0\ud800-\udfff]")
_FIXED_TIME = "2021-01-01T00:00:00Z"
_ONE_WRITES = Lock()


class GeoPackage(Output):
    """Sites and divisions with their figures, for a desktop GIS."""

    files = "`plan.gpkg`"
    description = "layers of chosen and existing sites, villages, townships and counties"

    def writers(self, plan: Plan, lang: str) -> dict[str, Writer]:  # noqa: ARG002
        """Return the writer of the file; see `Output.writers`."""
        return {"plan.gpkg": partial(write_geopackage, plan)}


def write_geopackage(plan: Plan, path: Path) -> None:
    """Write chosen and existing sites, villages, townships and counties into one GeoPackage.

    Parameters
    ----------
    plan : Plan
        The plan.
    path : Path
        File to write.

    Raises
    ------
    FileError
        If it cannot be written, such as on a full disk.
    """
    tables = {
        "chosen_sites": with_columns_of_sites(
            plan, labelled(plan, plan.chosen).rename_axis("id").reset_index()
        ),
        "existing_sites": _existing_sites(plan.network),
        **{
            level: labelled(plan, getattr(plan, level)).rename_axis("code").reset_index()
            for level in LEVELS
        },
    }
    try:
        with _at_a_fixed_time():
            for layer, table in tables.items():
                _writable(table).to_file(path, layer=layer, driver="GPKG", engine="pyogrio")
        _require_whole(path, tables)
    except (DataSourceError, DataLayerError, sqlite3.Error) as error:
        raise FileError(
            f"cannot write {path.name}: {error}; is there room in its folder?"
        ) from error


@contextmanager
def _at_a_fixed_time() -> Iterator[None]:
    """Let GDAL write one date, so that the same plan gives the same bytes.

    The date is an option of the process: one thread at a time sets it and puts it back.
    """
    option = "OGR_CURRENT_DATE"
    with _ONE_WRITES:
        previous = pyogrio.get_gdal_config_option(option)
        pyogrio.set_gdal_config_options({option: _FIXED_TIME})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({option: previous})


def _existing_sites(network: Network) -> gpd.GeoDataFrame:
    """Return the sites with their ids; a column that another has the name of gets a number."""
    extra = network.extra_columns("sites")
    kept = [column for column in network.sites if column not in extra]
    names = distinct_names(extra, [*kept, "id", *NAMES_OF_GDAL])
    sites = network.sites.rename(columns=dict(zip(extra, names, strict=True)))
    return sites.rename_axis("id").reset_index()


def _writable(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table that GDAL can write: a user's column may hold anything."""
    table = table.rename(columns={column: _for_gdal(str(column)) for column in table})
    mixed = [
        name
        for name, kind in table.dtypes.drop("geometry").items()
        if kind.kind not in "biufM" and pd.api.types.infer_dtype(table[name]) != "string"
    ]
    return with_text(table.assign(**{name: table[name].map(text_of) for name in mixed}), _for_gdal)


def _require_whole(path: Path, tables: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Read a GeoPackage back: GDAL reports no error where the last spatial index is not written."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        for layer, table in tables.items():
            indexed = table.geometry.notna() & ~table.geometry.is_empty
            expected = {layer: len(table), f"rtree_{layer}_geom_rowid": indexed.sum()}
            for name, n_rows in expected.items():
                (found,) = database.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608
                if found != n_rows:
                    raise sqlite3.DatabaseError(f"{name} has {found} rows, not {n_rows}")


def _for_gdal(value: object) -> object:
    """Replace the characters that GDAL cannot write; it would cut a text off at a NUL."""
    return _NOT_FOR_GDAL.sub("\ufffd", value) if isinstance(value, str) else value
