"""GeoPackages: tables and nothing that runs, and no more of them than allowed."""

import shutil
import sqlite3

import geopandas as gpd
import numpy as np
import pytest
import shapely

from ankang_coverage.errors import FileError, LimitError
from ankang_coverage.limits import use_limits
from ankang_coverage.region.vectors import layers_of, read_layer
from ankang_coverage.region.vectors.layer import BROKEN, DAMAGED

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("geopackage") / "v.gpkg"
    table = gpd.GeoDataFrame(
        {"code": ["a", "b", None], "people": [1, 2, 3], "share": [0.5, np.nan, 1.5]},
        geometry=[shapely.box(n, 0, n + 1, 1) for n in range(3)],
        crs=32649,
    )
    table.to_file(path, layer="villages")
    return path


@pytest.fixture
def file(template, tmp_path):
    return shutil.copy(template, tmp_path / "v.gpkg")


def change(file, *statements, values=()):
    with sqlite3.connect(file) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            database.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            database.execute(statement, values)
    database.close()


def test_features_are_read_with_what_stands_beside_them(file):
    layer = read_layer(file)
    assert layers_of(file) == {"villages": True}
    assert layer.table.to_dict("list") == {
        "code": ["a", "b", None],
        "people": [1, 2, 3],
        "share": [0.5, None, 1.5],
    }
    assert layer.table.index.tolist() == [1, 2, 3]
    assert [shape.bounds for shape in layer.shapes] == [(n, 0, n + 1, 1) for n in range(3)]
    assert layer.crs.to_epsg() == 32649
    assert set(layer.faults) == {""}


def test_layers_by_any_name_and_without_shapes(file):
    name = 'a "b" 村; DROP TABLE villages; --'
    gpd.read_file(file, layer="villages").to_file(file, layer=name)
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE plain (a)")
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, last_change) "
            "VALUES ('plain', 'attributes', '2021-01-01T00:00:00Z')"
        )
    assert layers_of(file) == {"villages": True, name: True, "plain": False}
    assert len(read_layer(file, name).table) == 3
    with pytest.raises(FileError, match="has no layer none"):
        read_layer(file, "none")


def test_a_crs_is_told_by_number_or_by_definition(file):
    change(file, "UPDATE gpkg_spatial_ref_sys SET organization = 'MINE' WHERE srs_id = 32649")
    assert read_layer(file).crs.to_epsg() == 32649
    change(file, "UPDATE gpkg_geometry_columns SET srs_id = -1")
    assert read_layer(file).crs is None


def test_shapes_that_are_broken_are_told_and_the_others_read(file):
    ring = shapely.to_wkb(shapely.box(0, 0, 1, 1))
    unclosed = ring[:-16] + bytes(16)
    header = b"GP\0\1" + (32649).to_bytes(4, "little")
    change(file, "UPDATE villages SET geom = ? WHERE fid = 1", values=(header + unclosed[:-8],))
    change(file, "UPDATE villages SET geom = ? WHERE fid = 2", values=(header + unclosed,))
    layer = read_layer(file)
    assert layer.faults.tolist() == [DAMAGED, BROKEN, ""]
    assert shapely.is_missing(layer.shapes).tolist() == [True, True, False]
    for blob in (b"", b"GP", b"XX" + header, 7, "text"):
        change(file, "UPDATE villages SET geom = ? WHERE fid = 1", values=(blob,))
        assert read_layer(file).faults[0] == DAMAGED


@pytest.mark.parametrize("table", ["villages", "gpkg_contents", "gpkg_spatial_ref_sys"])
def test_a_view_in_place_of_a_table_does_not_run(file, table):
    change(
        file,
        f"CREATE TABLE kept AS SELECT * FROM {table}",
        f"DROP TABLE {table}",
        f"CREATE VIEW {table} AS {ENDLESS} SELECT kept.* FROM kept, n",
    )
    with pytest.raises(FileError, match=f"'{table}' is not a plain table but computed"):
        read_layer(file)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE villages ADD COLUMN big AS (hex(zeroblob(400000000)))",
        "ALTER TABLE gpkg_contents ADD COLUMN big AS (hex(zeroblob(400000000)))",
    ],
)
def test_a_computed_column_does_not_run(file, statement):
    change(file, statement)
    with pytest.raises(FileError, match="is not a plain table but computed"):
        read_layer(file)


def test_a_virtual_table_does_not_run(file):
    change(
        file, "DROP TABLE villages", "CREATE VIRTUAL TABLE villages USING rtree(fid, a, b, c, d)"
    )
    with pytest.raises(FileError, match="is not a plain table but computed"):
        read_layer(file)


def test_views_that_nobody_asks_for_do_no_harm(file):
    change(file, f"CREATE VIEW endless AS {ENDLESS} SELECT i FROM n")
    assert len(read_layer(file).table) == 3


def test_damage_is_told(file):
    content = file.read_bytes()
    page = next(n for n in range(len(content) // 4096 - 1, 0, -1) if content[4096 * n])
    file.write_bytes(content[: 4096 * page] + b"\xff" * 4096 + content[4096 * (page + 1) :])
    with pytest.raises(FileError, match=r"cannot read .*v\.gpkg as a vector file \("):
        read_layer(file)
    for start in (b"no database", content[:5000], content[:100]):
        file.write_bytes(start)
        with pytest.raises(FileError, match="cannot read .* as a vector file"):
            read_layer(file)


def test_nothing_is_written_beside_the_file(file):
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode = WAL")
    database.close()
    before = sorted(file.parent.iterdir())
    assert len(read_layer(file).table) == 3
    assert sorted(file.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("limit", "most", "says"),
    [
        ("vector_bytes", 1000, "has too many bytes"),
        ("features", 2, "has too many features: 3 where 2"),
        ("columns", 2, "has too many columns: 3 where 2"),
        ("cells", 8, "has too many cells: 9 where 8"),
        ("vertices", 12, "has too many vertices: 15 where 12"),
        ("text_bytes", 1, "has too many characters: 2 where 1"),
    ],
)
def test_limits_are_kept_and_named(file, limit, most, says):
    with use_limits(**{limit: most}), pytest.raises(LimitError, match=rf"{says}.*{limit} under"):
        read_layer(file)


def test_a_single_enormous_value_is_not_even_read(file):
    change(file, "UPDATE villages SET code = replace(hex(zeroblob(9000)), '0', 'x')")
    with pytest.raises(LimitError, match=r"feature 1 has a text of too many characters: 18,000"):
        read_layer(file)
    change(file, "UPDATE villages SET code = replace(hex(zeroblob(60000)), '0', 'x')")
    with use_limits(vertices=2000), pytest.raises(LimitError, match="a value of more than 104,000"):
        read_layer(file)
