"""The command `calibrate`: a drive test that was made up, so that what is to be found is known."""

import json
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio

from ankang_coverage import Calibration, predict
from ankang_coverage.scenario import Scenario

STUDY = """
[region]
villages = "villages.gpkg"
land_cover = "cover.tif"
resolution_m = 90
[network]
file = "sites.csv"
[propagation]
model = "rma"
radius_m = 8000
[[programme.targets]]
id = "micro"
kind = "micro"
number = 2
service = "4g"
radio_layers = ["lte-b8"]
minimum_spacing_m = 500
"""
TOO_STRONG_DB, NOISE_DB = 6.0, 2.0


def call(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "ankang_coverage", "calibrate", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_region, small_network):
    """A study's files, and measurements 6 dB weaker than its model believes."""
    folder = tmp_path_factory.mktemp("calibrate")
    villages = small_region.villages[["name", "kind", "people", "geometry"]]
    villages.rename_axis("区划代码").reset_index().to_file(folder / "villages.gpkg")
    cover, geobox = small_region.rasters["land_cover"].to_numpy(), small_region.geobox
    with rasterio.open(
        folder / "cover.tif",
        "w",
        driver="GTiff",
        height=cover.shape[0],
        width=cover.shape[1],
        count=1,
        dtype="uint8",
        crs=str(geobox.crs),
        transform=geobox.transform,
    ) as file:
        file.write(cover.astype("uint8"), 1)
    cells = small_network.with_radio_layers(["lte-b8"]).cells
    places = small_network.sites.geometry.to_crs(4326)[cells["site"]]
    columns = {
        "小区CGI": [f"460-00-12345-{n}" for n in range(len(cells))],
        "基站名称": cells["site"].to_numpy(),
        "经度": places.x.to_numpy(),
        "纬度": places.y.to_numpy(),
        "频段": "B8",
        "挂高": cells["height_m"].to_numpy(),
        "方位角": cells["azimuth_deg"].to_numpy(),
    }
    pd.DataFrame(columns).to_csv(folder / "sites.csv", index=False)
    (folder / "study.toml").write_text(STUDY, "utf-8")
    scenario = Scenario.from_toml(folder / "study.toml")
    region = scenario.region.load()
    network = scenario.network.load(region)
    believed = predict(region, network, "lte-b8", propagation=scenario.propagation)
    rsrp, server = (believed[name].to_numpy() for name in ("rsrp_dbm", "best_server"))
    row, column = np.nonzero(rsrp > -110)
    x, y = believed["x"].to_numpy()[column], believed["y"].to_numpy()[row]
    driven = gpd.GeoSeries.from_xy(x, y, crs=region.villages.crs).to_crs(4326)
    noise = np.random.default_rng(5).normal(0, NOISE_DB, len(driven))
    drive = pd.DataFrame(
        {
            "lon": driven.x,
            "lat": driven.y,
            "RSRP": rsrp[row, column] - TOO_STRONG_DB + noise,
            "CGI": believed["cell"].to_numpy()[server[row, column]],
        }
    )
    drive.loc[:2, "RSRP"] = np.nan
    drive.loc[3:9, "CGI"] = "460-00-99999-1"
    drive.to_csv(folder / "drive.csv", index=False)
    drive.assign(RSRP=-drive["RSRP"]).to_csv(folder / "positive.csv", index=False)
    drive[:50].to_csv(folder / "short.csv", index=False)
    return folder


def test_what_was_wrong_with_the_model_is_found_printed_and_kept(folder):
    done = call(
        *("study.toml", "drive.csv", "--scanner", "--block", 500, "--out", "fitted.json"),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    fitted = Calibration.load(folder / "fitted.json")
    assert fitted.model == "rma"
    terms = fitted.terms().set_index("term")["value"]
    assert terms["offset"] == pytest.approx(TOO_STRONG_DB, abs=0.3)
    assert fitted.error_sigma_db == pytest.approx(NOISE_DB, abs=0.2)
    first, *lines = done.stdout.splitlines()
    n_rows = len(pd.read_csv(folder / "drive.csv"))
    assert first.startswith(f"{fitted.n_measurements:,} of {n_rows:,} measurements used: ")
    assert "rejected: 3: RSRP is blank" in lines
    assert any(line.startswith("left out: 7: ") for line in lines)
    assert any(line.split()[:1] == ["offset"] for line in lines)
    assert any(line.split()[:2] == ["all", "all"] for line in lines)
    assert lines[-1] == "fitted.json"


def test_the_study_takes_what_was_written(folder):
    assert call(
        *("study.toml", "drive.csv", "--scanner", "--block", 500, "--out", "new/taken.json"),
        cwd=folder,
    ).stdout
    text = STUDY.replace('model = "rma"', 'model = "rma"\ncalibration = "new/taken.json"')
    (folder / "calibrated.toml").write_text(text, "utf-8")
    settings = Scenario.from_toml(folder / "calibrated.toml").propagation.resolved()
    written = json.loads((folder / "new" / "taken.json").read_text("utf-8"))
    assert settings.error_sigma_db([941.5]) == written["error_sigma_db"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.toml", "drive.csv"], "error: cannot read none.toml"),
        (["study.toml", "none.csv"], "none.csv"),
        (["study.toml", "drive.csv", "--coordinates", "wgs"], "give one of wgs84, gcj02, bd09"),
        (["study.toml", "positive.csv"], "rsrp='negated'"),
        (["study.toml", "short.csv", "--scanner"], "too few measurements to fit"),
        (["study.toml", "sites.csv"], "sites.csv has no column for rsrp_dbm"),
        (["study.toml", "drive.csv", "--block", 10], "error: block_m is 10"),
        (["study.toml", "drive.csv", "--out", "drive.csv/c.json"], "drive.csv is a file"),
        (["study.toml", "drive.csv", "--out", "."], "--out . is a folder: name a file in it"),
    ],
)
def test_mistakes_end_in_one_line_and_exit_code_2(folder, arguments, says):
    done = call("--out", "mistake.json", *arguments, cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "mistake.json").exists()
