"""The GeoPackage of a plan: every layer, whole, and the same bytes on any day."""

import os
import sqlite3
from contextlib import closing

import geopandas as gpd
import pyogrio
import pytest

from ankang_coverage.errors import FileError
from ankang_coverage.reporting.outputs import geopackage
from ankang_coverage.reporting.outputs.geopackage import write_geopackage


def test_the_geopackage_has_every_layer(written, planned):
    layers = dict(pyogrio.list_layers(written["plan.gpkg"]))
    assert set(layers) == {"chosen_sites", "existing_sites", "villages", "townships", "counties"}
    villages = gpd.read_file(written["plan.gpkg"], layer="villages").set_index("code")
    assert villages.crs == planned.villages.crs
    assert villages["people"].tolist() == planned.villages["people"].tolist()


def test_a_geopackage_that_cannot_be_written_is_named(planned, tmp_path):
    with pytest.raises(FileError, match=r"cannot write plan\.gpkg"):
        write_geopackage(planned, tmp_path / "missing" / "plan.gpkg")


@pytest.mark.parametrize(
    ("flaw", "says"),
    [
        ("DELETE FROM villages WHERE fid = 3", "villages has 11 rows, not 12"),
        ("DROP TABLE counties", "no such table: counties"),
        ("DROP TABLE rtree_villages_geom", "no such table: rtree_villages_geom_rowid"),
    ],
)
def test_a_geopackage_that_lacks_something_is_refused(planned, tmp_path, monkeypatch, flaw, says):
    require = geopackage._require_whole

    def spoiled(path, tables):
        with closing(sqlite3.connect(path)) as database:
            for (trigger,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                database.execute(f'DROP TRIGGER "{trigger}"')
            database.execute(flaw)
            database.commit()
        require(path, tables)

    monkeypatch.setattr(geopackage, "_require_whole", spoiled)
    with pytest.raises(FileError, match=rf"cannot write plan\.gpkg: {says}"):
        write_geopackage(planned, tmp_path / "plan.gpkg")


def test_a_geopackage_that_was_cut_off_is_refused(written, tmp_path):
    content = written["plan.gpkg"].read_bytes()
    (tmp_path / "plan.gpkg").write_bytes(content[: len(content) // 2])
    with pytest.raises(sqlite3.DatabaseError):
        geopackage._require_whole(tmp_path / "plan.gpkg", {})


def test_a_geopackage_has_a_fixed_date_and_leaves_the_process_as_it_was(planned, tmp_path):
    environment = dict(os.environ)
    write_geopackage(planned, tmp_path / "plan.gpkg")
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") is None
    assert dict(os.environ) == environment
    with closing(sqlite3.connect(tmp_path / "plan.gpkg")) as database:
        dates = database.execute("SELECT DISTINCT last_change FROM gpkg_contents").fetchall()
    assert dates == [("2021-01-01T00:00:00Z",)]
