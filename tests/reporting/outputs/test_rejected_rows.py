"""Rows of inputs that were not used, listed as long as there are any."""

import dataclasses

import pandas as pd

from ankang_coverage.region.rejections import rejected_table
from ankang_coverage.reporting.exports import write_plan
from ankang_coverage.reporting.outputs.rejected_rows import RejectedRows


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


def test_an_earlier_runs_rejections_do_not_stay(planned, tmp_path):
    (tmp_path / "rejected_sites.csv").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    write_plan(planned, tmp_path)
    assert not (tmp_path / "rejected_sites.csv").exists()
    assert (tmp_path / "mine.txt").exists()


def test_a_plan_all_of_whose_rows_are_used_writes_neither_file(planned, tmp_path):
    assert RejectedRows().writers(planned, "zh") == {}
    assert set(RejectedRows().obsolete(tmp_path)) == {"rejected_sites.csv", "rejected_villages.csv"}
