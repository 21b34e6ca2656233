"""Rasters of signal before and after, whole and no older than the plan."""

import dataclasses

import numpy as np
import pytest
import rasterio

from ankang_coverage.errors import FileError
from ankang_coverage.region import Source
from ankang_coverage.reporting.exports import write_plan
from ankang_coverage.reporting.outputs import coverage_rasters
from ankang_coverage.reporting.outputs.coverage_rasters import write_rsrp


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


def test_a_raster_that_does_not_read_as_written_is_refused(planned, tmp_path, monkeypatch):
    def flaw(path, content):
        path.write_bytes(bytes(content))
        with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK=True) as raster:
            raster.write(np.zeros((1, 1), np.float32), 2, window=((0, 1), (0, 1)))

    monkeypatch.setattr(coverage_rasters, "write_bytes", flaw)
    with pytest.raises(FileError, match=r"rsrp_4g\.tif: band 2 does not read as written"):
        write_rsrp(planned, "4g", tmp_path / "rsrp_4g.tif")


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


def test_a_raster_of_real_ingredients_is_not_called_synthetic(planned, tmp_path):
    real = dataclasses.replace(planned, sources=(Source("everything", "real", "surveyed"),))
    write_rsrp(real, "4g", tmp_path / "rsrp_4g.tif")
    with rasterio.open(tmp_path / "rsrp_4g.tif") as raster:
        assert raster.tags().get("synthetic", "") == ""
