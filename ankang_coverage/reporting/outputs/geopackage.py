"""Sites and divisions as one GeoPackage."""

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from ankang_coverage.errors import FileError
from ankang_coverage.planning import Plan
from ankang_coverage.planning.overlay import LEVELS
from ankang_coverage.reporting.csv_files import with_text
from ankang_coverage.reporting.labels import labelled
from ankang_coverage.reporting.outputs.base import Output, Writer

_NOT_FOR_GDAL = re.compile("[\0\ud800-\udfff]")
_FIXED_TIME = "2021-01-01T00:00:00Z"


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
        "chosen_sites": labelled(plan, plan.chosen).rename_axis("id").reset_index(),
        "existing_sites": plan.network.sites.rename_axis("id").reset_index(),
        **{
            level: labelled(plan, getattr(plan, level)).rename_axis("code").reset_index()
            for level in LEVELS
        },
    }
    date = "OGR_CURRENT_DATE"
    previous = pyogrio.get_gdal_config_option(date)
    pyogrio.set_gdal_config_options({date: _FIXED_TIME})
    try:
        for layer, table in tables.items():
            with_text(table, _for_gdal).to_file(path, layer=layer, driver="GPKG", engine="pyogrio")
        _require_whole(path, tables)
    except (DataSourceError, DataLayerError, sqlite3.Error) as error:
        raise FileError(
            f"cannot write {path.name}: {error}; is there room in its folder?"
        ) from error
    finally:
        pyogrio.set_gdal_config_options({date: previous})


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
