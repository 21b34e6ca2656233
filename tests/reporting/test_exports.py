"""Files of a plan: sums that add up, bytes that repeat, text that stays text."""

import dataclasses
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import rasterio
from builders import rows_of_csv

from ankang_coverage.errors import FileError
from ankang_coverage.reporting import exports
from ankang_coverage.reporting.exports import write_plan

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
posix = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")


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


def test_the_same_plan_gives_the_same_bytes(written, planned, tmp_path):
    again = write_plan(planned, tmp_path)
    for name in FILES:
        assert again[name].read_bytes() == written[name].read_bytes(), name


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
    assert {row[1] for row in rows_of_csv(written["villages.csv"])[1:]} == {"甲\0乙?丙"}


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


def test_a_folder_that_cannot_be_made_is_named(planned, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError, match=r"cannot make folder .*file"):
        write_plan(planned, tmp_path / "file")


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
