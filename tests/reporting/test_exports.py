"""Files of a plan: sums that add up, bytes that repeat, text that stays text."""

import csv
import dataclasses
import json
import os
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio

import ankang_coverage
from ankang_coverage.errors import FileError
from ankang_coverage.planning import Programme
from ankang_coverage.region import Source
from ankang_coverage.region.rejections import rejected_table
from ankang_coverage.reporting import exports
from ankang_coverage.reporting.csv_files import write_csv
from ankang_coverage.reporting.exports import write_plan
from ankang_coverage.reporting.outputs import coverage_rasters, geopackage
from ankang_coverage.reporting.outputs.chosen_sites import CHOSEN_COLUMNS, chosen_table
from ankang_coverage.reporting.outputs.coverage_rasters import write_rsrp
from ankang_coverage.reporting.outputs.divisions import division_table
from ankang_coverage.reporting.outputs.geopackage import write_geopackage
from ankang_coverage.reporting.outputs.key_figures import summary
from ankang_coverage.reporting.tables import localised
from ankang_coverage.sites import Attribute, builtin_schema, read_sites
from ankang_coverage.sites.catalogue import service

# By distance alone: fast, and every pixel can be computed again by hand.
RMA = ankang_coverage.Propagation(model="rma", radius_m=5000.0)
plan = partial(ankang_coverage.plan, propagation=RMA)

FILES = {
    "summary.json",
    "plan.gpkg",
    "chosen_sites.csv",
    "villages.csv",
    "townships.csv",
    "counties.csv",
    "rsrp_4g.tif",
    "rsrp_5g.tif",
    "map.html",
    "plan_curve.csv",
    "plan_counties.csv",
    "plan_constraints.csv",
    "uncovered_villages.csv",
    "dropped_candidates.csv",
}
EVIL = "</script><b>x"
posix = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")


@pytest.fixture(scope="module")
def planned(small_region, small_network):
    programme = Programme(
        name="p",
        targets=(
            {
                "id": "micro",
                "kind": "micro",
                "number": 3,
                "service": "4g",
                "radio_layers": ("lte-b8",),
                "minimum_spacing_m": 500,
            },
        ),
    )
    rules = {
        "4g": service("4g").model_copy(update={"rsrp_threshold_dbm": -86.0}),
        "5g": service("5g"),  # asked for beside what the target is for
    }
    return plan(small_region, small_network, programme, rules=rules)


@pytest.fixture(scope="module")
def written(planned, tmp_path_factory):
    return write_plan(planned, tmp_path_factory.mktemp("out") / "deep" / "er")


def test_all_files_are_there(written):
    assert set(written) == FILES
    assert all(path.stat().st_size > 0 for path in written.values())


def test_tables_add_up_to_the_last_digit(written):
    tables = {
        name: pd.read_csv(
            written[f"{name}.csv"], dtype={"code": str, "county": str, "township": str}
        )
        for name in ("villages", "townships", "counties")
    }
    villages = tables["villages"]
    for name, key in (("townships", "township"), ("counties", "county")):
        parents = tables[name].set_index("code")
        for column in ("people", "people_covered_4g_after", "people_covered_5g_before", "area_km2"):
            sums = villages.groupby(key)[column].sum()
            assert sums.to_numpy() == pytest.approx(parents[column].to_numpy(), abs=1e-6)
    chosen = pd.read_csv(written["chosen_sites.csv"])
    gained = villages["people_covered_4g_after"].sum() - villages["people_covered_4g_before"].sum()
    assert chosen["people_gained"].sum() == pytest.approx(gained, abs=1e-6)
    assert chosen["people_gained_total"].iloc[-1] == pytest.approx(gained, abs=1e-6)
    figures = json.loads(written["summary.json"].read_text("utf-8"))
    assert figures["services"]["4g"]["after"]["all"]["people_covered"] == pytest.approx(
        villages["people_covered_4g_after"].sum(), abs=1e-3
    )


def test_positions_are_wgs84(written, planned):
    chosen = pd.read_csv(written["chosen_sites.csv"])
    back = gpd.GeoSeries.from_xy(chosen["lon"], chosen["lat"], crs=4326).to_crs(planned.chosen.crs)
    assert back.distance(planned.chosen.geometry.reset_index(drop=True)).max() < 0.2


def test_the_raster_holds_before_and_after(written, planned):
    with rasterio.open(written["rsrp_4g.tif"]) as raster:
        assert raster.descriptions == ("RSRP before", "RSRP after")
        assert raster.units == ("dBm", "dBm")
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.transform == planned.region.geobox.transform
        assert "terrain none" in raster.tags()["note"]
        for band, coverage in ((1, planned.coverage_before), (2, planned.coverage_after)):
            assert np.array_equal(
                raster.read(band), coverage["4g"]["rsrp_dbm"].to_numpy(), equal_nan=True
            )


def test_the_geopackage_has_every_layer(written, planned):
    layers = dict(pyogrio.list_layers(written["plan.gpkg"]))
    assert set(layers) == {"chosen_sites", "existing_sites", "villages", "townships", "counties"}
    villages = gpd.read_file(written["plan.gpkg"], layer="villages").set_index("code")
    assert villages.crs == planned.villages.crs
    assert villages["people"].tolist() == planned.villages["people"].tolist()


def test_the_same_plan_gives_the_same_bytes(written, planned, tmp_path):
    again = write_plan(planned, tmp_path)
    for name in FILES:
        assert again[name].read_bytes() == written[name].read_bytes(), name


def test_a_geopackage_that_cannot_be_written_is_named(planned, tmp_path):
    with pytest.raises(FileError, match=r"cannot write plan\.gpkg"):
        write_geopackage(planned, tmp_path / "missing" / "plan.gpkg")


@posix
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("name", ["rsrp_4g.tif", "plan.gpkg", "summary.json", "map.html"])
def test_a_file_that_does_not_fit_on_the_disk_leaves_the_earlier_plan(
    planned, written, tmp_path, small_files, monkeypatch, name, part
):
    (tmp_path / name).write_text("old")
    together = exports.write_together
    monkeypatch.setattr(
        exports,
        "write_together",
        lambda folder, writers, **more: together(folder, {name: writers[name]}, **more),
    )
    room = int(part * written[name].stat().st_size) - 1
    with small_files(room), pytest.raises(FileError, match=rf"cannot write .*{name}: "):
        write_plan(planned, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "old"}


def test_a_raster_that_does_not_read_as_written_is_refused(planned, tmp_path, monkeypatch):
    def flaw(path, content):
        path.write_bytes(bytes(content))
        with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK=True) as raster:
            raster.write(np.zeros((1, 1), np.float32), 2, window=((0, 1), (0, 1)))

    monkeypatch.setattr(coverage_rasters, "write_bytes", flaw)
    with pytest.raises(FileError, match=r"rsrp_4g\.tif: band 2 does not read as written"):
        write_rsrp(planned, "4g", tmp_path / "rsrp_4g.tif")


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


def test_two_plans_written_at_once_do_not_mix(planned, tmp_path):
    fewer = {"coverage_before": {"4g": planned.coverage_before["4g"]}}
    fewer["coverage_after"] = {"4g": planned.coverage_after["4g"]}
    one = dataclasses.replace(planned, **fewer)
    start = threading.Barrier(2)

    def write(plan):
        start.wait()
        return set(write_plan(plan, tmp_path))

    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            sets = list(pool.map(write, (planned, one)))
        assert {path.name for path in tmp_path.iterdir()} in sets


def test_text_never_becomes_a_formula(tmp_path):
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1", "＋1", "－1", "＠A1", "1＝1", EVIL]
    write_csv(pd.DataFrame({"name": names, "number": -1.5}), tmp_path / "t.csv")
    back = pd.read_csv(tmp_path / "t.csv")
    assert back["name"].tolist() == [*(f"'{name}" for name in names[:9]), *names[9:]]
    assert set(back["number"]) == {-1.5}


BLANKS = (
    *"\n\r\t \v\f\0\x1c\x7f\x85\xa0\xad\u034f\u061c\u115f\u180e\u2000\u200b\u200e\u2028\u2029",
    *"\u202e\u2060\u2800\u3000\u3164\ufe0f\ufeff\uffa0\ue000\U000e0020",
    *("\r\n", "\ufeff \n\u200b"),
)


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_blank_in_front_hides_no_formula(blank, tmp_path):
    texts = [f"{blank}{sign}1+1" for sign in "=+-@＝＋－＠﹦﹢﹣﹫"]
    table = pd.DataFrame({texts[0]: [*texts, f"x{texts[0]}"]})
    write_csv(table, tmp_path / "t.csv")
    safe = [[f"'{text}"] for text in texts]
    assert rows_of(tmp_path / "t.csv") == [safe[0], *safe, [f"x{texts[0]}"]]


def test_no_end_of_line_inside_a_text_begins_a_row(tmp_path):
    """A lone carriage return ends a row for Excel, and what follows would be a formula."""
    names = ["a\r=1+1", "a\n=1+1", "a\r\n=1+1", 'a"\r"=1+1', "a\u2028=1+1"]
    write_csv(pd.DataFrame({"name": names, "number": 1.5, "none": np.nan}), tmp_path / "t.csv")
    assert rows_of(tmp_path / "t.csv")[1:] == [[name, "1.5", ""] for name in names]
    back = pd.read_csv(tmp_path / "t.csv")
    assert back["name"].tolist() == names
    assert back["number"].tolist() == [1.5] * 5


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_what_a_format_cannot_hold_is_marked_and_cuts_nothing_off(planned, tmp_path):
    """A NUL ends text for GDAL; half a surrogate pair is no UTF-8."""
    odd = "甲\0乙\ud800丙"
    sites = planned.network.sites.assign(name=odd)
    network = dataclasses.replace(planned.network, sites=sites)
    region = dataclasses.replace(planned.region, name=odd)
    villages = planned.villages.assign(name=odd)
    odd_plan = dataclasses.replace(planned, region=region, network=network, villages=villages)
    written = write_plan(odd_plan, tmp_path)
    for layer in ("existing_sites", "villages"):
        names = gpd.read_file(written["plan.gpkg"], layer=layer)["name"]
        assert set(names) == {"甲\ufffd乙\ufffd丙"}
    assert json.loads(written["summary.json"].read_text("utf-8"))["region"] == odd
    assert {row[1] for row in rows_of(written["villages.csv"])[1:]} == {"甲\0乙?丙"}


def test_rejected_rows_are_listed(planned, tmp_path):
    rejected = pd.DataFrame(
        {"row": [7], "column": ["经度"], "value": ["?"], "reason": ["no number"]}
    )
    network = dataclasses.replace(planned.network, rejected=rejected)
    written = write_plan(dataclasses.replace(planned, network=network), tmp_path)
    assert pd.read_csv(written["rejected_sites.csv"])["row"].tolist() == [7]


def test_rejected_villages_are_listed_until_there_are_none(planned, tmp_path):
    rejected = rejected_table((("villages.gpkg", 3, "610902102201", "=1+1", "no shape"),))
    region = dataclasses.replace(planned.region, rejected=rejected)
    written = write_plan(dataclasses.replace(planned, region=region), tmp_path)
    table = pd.read_csv(written["rejected_villages.csv"], dtype=str)
    assert table.to_dict("list") == {
        "file": ["villages.gpkg"],
        "feature": ["3"],
        "code": ["610902102201"],
        "name": ["'=1+1"],
        "reason": ["no shape"],
    }
    assert "rejected_villages.csv" not in write_plan(planned, tmp_path)
    assert not (tmp_path / "rejected_villages.csv").exists()


def test_what_is_synthetic_and_without_terrain_is_said(planned):
    figures = summary(planned)
    assert figures["synthetic"] == ["everything"]
    assert figures["services"]["4g"]["terrain"] == "none"


def test_every_table_and_raster_says_what_is_synthetic(written):
    tables = {name: pd.read_csv(path) for name, path in written.items() if name.endswith(".csv")}
    assert len(tables) == 9
    for name, table in tables.items():
        assert list(table)[-2:] == ["prediction", "synthetic"], name
        assert set(table["prediction"]) <= {"rma, no terrain"}, name
        assert set(table["synthetic"]) <= {"everything"}, name
    assert len(tables["chosen_sites.csv"])
    assert len(tables["plan_constraints.csv"])
    for name in ("rsrp_4g.tif", "rsrp_5g.tif"):
        with rasterio.open(written[name]) as raster:
            assert raster.tags()["synthetic"] == "everything"


def test_a_plan_of_real_ingredients_says_that_nothing_is_synthetic(planned, tmp_path):
    real = dataclasses.replace(planned, sources=(Source("everything", "real", "surveyed"),))
    assert set(chosen_table(real)["synthetic"]) == {""}
    write_rsrp(real, "4g", tmp_path / "rsrp_4g.tif")
    with rasterio.open(tmp_path / "rsrp_4g.tif") as raster:
        assert raster.tags().get("synthetic", "") == ""


def test_several_synthetic_ingredients_are_listed(planned):
    made = (Source("land cover", "synthetic", ""), Source("elevation", "synthetic", ""))
    table = division_table(dataclasses.replace(planned, sources=made), "counties")
    assert set(table["synthetic"]) == {"land cover; elevation"}


def test_a_plan_that_chance_gains_nothing_of_is_still_plain_json(planned):
    blind = dataclasses.replace(planned.results[0], random_people_gained=(0.0,))
    figures = summary(dataclasses.replace(planned, results=(blind,)))
    assert figures["chosen"]["micro"]["times_random_median"] is None
    json.dumps(figures, allow_nan=False)


def test_a_folder_that_cannot_be_made_is_named(planned, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError, match=r"cannot make folder .*file"):
        write_plan(planned, tmp_path / "file")


def test_an_earlier_runs_rejections_do_not_stay(planned, tmp_path):
    (tmp_path / "rejected_sites.csv").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    write_plan(planned, tmp_path)
    assert not (tmp_path / "rejected_sites.csv").exists()
    assert (tmp_path / "mine.txt").exists()


def test_a_directory_in_the_way_leaves_the_folder_as_it_was(planned, tmp_path):
    (tmp_path / "map.html").mkdir()
    for name in ("counties.csv", "rejected_sites.csv", "summary.json"):
        (tmp_path / name).write_text("old")
    with pytest.raises(FileError, match=r"map\.html: a folder has that name"):
        write_plan(planned, tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"map.html", "counties.csv", "rejected_sites.csv", "summary.json"}
    assert (tmp_path / "counties.csv").read_text() == "old"


def test_a_rename_that_fails_leaves_the_earlier_plan(planned, tmp_path, monkeypatch):
    earlier = ("counties.csv", "rejected_sites.csv", "summary.json")
    for name in earlier:
        (tmp_path / name).write_text("old")
    rename = Path.replace

    def fails(self, target):
        if self.name == "summary.json" and self.parent.name == "new":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(FileError, match=r"summary\.json: Input/output error"):
        write_plan(planned, tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        earlier, "old"
    )


def test_rasters_of_services_no_longer_predicted_do_not_stay(planned, tmp_path):
    write_plan(planned, tmp_path)
    (tmp_path / "rsrp_mine.tif").write_bytes((tmp_path / "rsrp_5g.tif").read_bytes())
    (tmp_path / "rsrp_.tif").write_text("no raster")
    fewer = {"coverage_before": {"4g": planned.coverage_before["4g"]}}
    fewer["coverage_after"] = {"4g": planned.coverage_after["4g"]}
    one = dataclasses.replace(planned, **fewer)
    write_plan(one, tmp_path)
    left = {path.name for path in tmp_path.glob("*.tif")}
    assert left == {"rsrp_4g.tif", "rsrp_mine.tif", "rsrp_.tif"}


def test_settings_and_assumptions_are_in_the_summary(planned):
    cells = planned.network.cells.assign(assumed=["antenna,height_m"] + [""] * 11)
    network = dataclasses.replace(planned.network, cells=cells)
    figures = summary(dataclasses.replace(planned, network=network))
    assert figures["propagation"]["model"] == "rma"
    assert figures["propagation"]["radius_m"] == 5000.0
    assert figures["targets"][0]["minimum_spacing_m"] == 500
    assert figures["network"]["values_assumed"] == {"antenna": 1, "height_m": 1}


def test_an_unknown_land_cover_is_said_in_every_row(planned):
    unknown = SimpleNamespace(
        terrain="dtm", land_cover="default class", propagation=ankang_coverage.Propagation()
    )
    table = chosen_table(dataclasses.replace(planned, coverage_after={"4g": unknown}))
    assert set(table["prediction"]) == {"p1812, over dtm, default land cover"}


def test_what_explains_the_plan_is_written_with_its_programme(planned, written):
    curve = pd.read_csv(written["plan_curve.csv"])
    assert curve["programme"].tolist() == ["micro"] * 3
    assert curve["id"].tolist() == planned.chosen.index.tolist()
    assert curve["people_gained_total"].tolist() == planned.chosen["people_gained_total"].tolist()
    counties = pd.read_csv(written["plan_counties.csv"])
    assert counties["people_gained"].sum() == pytest.approx(planned.results[0].people_gained)
    constraints = pd.read_csv(written["plan_constraints.csv"])
    assert constraints["constraint"].tolist() == ["minimum spacing"]
    assert (constraints["difference"] >= 0).all()
    dropped = pd.read_csv(written["dropped_candidates.csv"])
    assert {"id", "candidate_source", "lon", "lat", "reason"} <= set(dropped)
    assert "source" not in dropped
    assert "why" in pd.read_csv(written["uncovered_villages.csv"])


def test_the_summary_says_how_good_the_choice_is(planned):
    told = summary(planned)["chosen"]["micro"]
    assert told["objective_reached"] == told["people_gained"]
    assert told["upper_bound"] >= told["people_gained"]
    short = told["upper_bound"] - told["people_gained"]
    assert told["gap"] == pytest.approx(short / told["upper_bound"], abs=1e-6)
    assert told["cost_yuan"] == planned.chosen["cost_yuan"].sum()
    assert told["objective"] == "people"


def test_names_of_villages_stay_text_in_what_explains_the_plan(planned, tmp_path):
    told = planned.results[0].explanation
    evil = told.villages.assign(name="=1+1") if len(told.villages) else told.villages
    result = dataclasses.replace(
        planned.results[0], explanation=dataclasses.replace(told, villages=evil)
    )
    files = write_plan(dataclasses.replace(planned, results=(result,)), tmp_path)
    names = pd.read_csv(files["uncovered_villages.csv"])["name"]
    assert len(names)
    assert set(names) == {"'=1+1"}


# Columns of a user's table ------------------------------------------------------------------------

RENT = Attribute("rent_yuan", "number", "sites", headers=("租金",), minimum=0, heading_en="Rent")


@pytest.fixture(scope="module")
def own(small_network, tmp_path_factory):
    """The small network as a user's file with columns of their own."""
    lonlat = small_network.sites.to_crs(4326).geometry
    of_site = {
        "租金": [10.5, 20.5, 30.5],
        "ID": ["007", "008", "009"],
        "fid": [1.5, 2.5, 3.5],
        "county": ["x", "y", "z"],
        "=1+1": [1, 2, 3],
    }
    sites = pd.DataFrame(of_site, index=small_network.sites.index).assign(
        lon=lonlat.x, lat=lonlat.y
    )
    cells = small_network.cells.join(sites, on="site").assign(PCI=range(12))
    path = tmp_path_factory.mktemp("own") / "sites.csv"
    cells.reset_index().to_csv(path, index=False)
    return read_sites(path, crs="EPSG:32649", schema=builtin_schema().with_attributes(RENT))


@pytest.fixture(scope="module")
def planned_own(small_region, own):
    target = {
        "id": "supporting",
        "kind": "supporting",
        "number": 1,
        "service": "5g",
        "radio_layers": ("nr-n28",),
        "minimum_spacing_m": 500,
    }
    pole = target | {"id": "micro", "kind": "micro", "service": "4g", "radio_layers": ("lte-b8",)}
    rules = {"4g": service("4g").model_copy(update={"rsrp_threshold_dbm": -86.0})}
    return plan(small_region, own, Programme(name="p", targets=(target, pole)), rules=rules)


def test_a_users_columns_come_out_again(planned_own, own, tmp_path):
    assert own.extra_columns("sites") == ["rent_yuan", "ID", "fid", "county", "=1+1"]
    assert own.extra_columns("cells") == ["PCI"]
    files = write_plan(planned_own, tmp_path)
    chosen = pd.read_csv(files["chosen_sites.csv"], dtype={"ID_2": str})
    names = ["rent_yuan", "ID_2", "fid_2", "county_2", "'=1+1"]
    assert list(chosen) == [*CHOSEN_COLUMNS.values(), *names]
    tower, pole = chosen.iloc[0], chosen.iloc[1]
    assert tower[names].tolist() == own.sites.loc[tower["id"], own.extra_columns("sites")].tolist()
    assert pole[names].isna().all()
    existing = gpd.read_file(files["plan.gpkg"], layer="existing_sites").set_index("id")
    assert existing["ID_2"].tolist() == ["007", "008", "009"]
    assert existing["=1+1"].tolist() == [1, 2, 3]
    assert existing[["rent_yuan", "fid_2", "county"]].loc["B"].tolist() == [20.5, 2.5, "y"]
    in_layer = gpd.read_file(files["plan.gpkg"], layer="chosen_sites").set_index("id")
    assert in_layer.loc[tower["id"], "county_2"] == tower["county_2"]
    assert "Rent" in localised(own.sites, "en", schema=own.schema)


def test_columns_of_any_kind_are_written(planned, tmp_path):
    sites = planned.network.sites
    odd = {
        "id": ["a", 1, None],
        "mixed": [1, "x", pd.NaT],
        "point": sites.geometry,
        5: [True, False, True],
        "nul\0": ["x\0y", "", None],
        "when": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
    }
    network = dataclasses.replace(planned.network, sites=sites.assign(a=1).join(
        pd.DataFrame(odd, index=sites.index)
    ))  # fmt: skip
    write_geopackage(dataclasses.replace(planned, network=network), tmp_path / "p.gpkg")
    read = gpd.read_file(tmp_path / "p.gpkg", layer="existing_sites")
    assert read["id"].tolist() == sites.index.tolist()
    assert read["id_2"].tolist() == ["a", "1", ""]
    assert read["mixed"].tolist() == ["1", "x", ""]
    assert read["point"].str.startswith("POINT").all()
    assert read["5"].tolist() == [True, False, True]
    assert read["nul\ufffd"].iloc[0] == "x\ufffdy"
    assert read["when"].isna().tolist() == [False, True, False]
