"""Columns of a user's own table: they come out where sites are written."""

import dataclasses

import geopandas as gpd
import pandas as pd
import pytest
from builders import plan

from ankang_coverage.planning import Programme
from ankang_coverage.reporting.exports import write_plan
from ankang_coverage.reporting.outputs.chosen_sites import CHOSEN_COLUMNS
from ankang_coverage.reporting.outputs.geopackage import write_geopackage
from ankang_coverage.reporting.tables import localised
from ankang_coverage.sites import Attribute, builtin_schema, read_sites
from ankang_coverage.sites.catalogue import service

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
