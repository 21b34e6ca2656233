"""Studies from TOML files: the user's own data end to end, and mistakes in one line."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import yaml

from ankang_coverage.errors import AnkangCoverageError, LimitError, RasterError, ScenarioError
from ankang_coverage.limits import Limits, limits, use_limits
from ankang_coverage.propagation.antenna_files import write_antenna_file
from ankang_coverage.propagation.measured_pattern import cosine_pattern
from ankang_coverage.reporting.exports import write_plan
from ankang_coverage.scenario import Scenario, run
from ankang_coverage.sites.catalogue import radio_layer, services

STUDY = """
lang = "en"
[region]
villages = "villages.gpkg"
elevation = ["dem.tif"]
resolution_m = 90
[network]
file = "sites.csv"
[propagation]
model = "rma"
radius_m = 3000
[services.4g]
rsrp_threshold_dbm = -84
[programme]
name = "p"
[[programme.targets]]
id = "micro"
kind = "micro"
number = 2
service = "4g"
radio_layers = ["lte-b8"]
minimum_spacing_m = 500
"""


@pytest.fixture
def study(tmp_path, small_region, small_network):
    """The small region and network as a user's files."""
    small_region.villages[["name", "kind", "people", "geometry"]].rename_axis(
        "区划代码"
    ).reset_index().to_file(tmp_path / "villages.gpkg")
    geobox = small_region.geobox
    with rasterio.open(
        tmp_path / "dem.tif",
        "w",
        driver="GTiff",
        height=60,
        width=60,
        count=1,
        dtype="float32",
        crs=str(geobox.crs),
        transform=geobox.transform,
    ) as dem:
        dem.write(small_region.rasters["elevation_m"].to_numpy(), 1)
    lonlat = small_network.sites.geometry.to_crs(4326)
    rows = [
        {
            "基站名称": small_network.sites.at[cell.site, "name"],
            "经度": lonlat[cell.site].x,
            "纬度": lonlat[cell.site].y,
            "挂高": cell.height_m,
            "方位角": cell.azimuth_deg,
            "频段": "B8",
            "站点类型": "宏站",
        }
        for cell in small_network.cells.itertuples()
        if cell.radio_layer == "lte-b8"
    ]
    bad = {**rows[0], "经度": "?"}
    pd.DataFrame([*rows, bad]).to_csv(tmp_path / "sites.csv", index=False, encoding="gb18030")
    path = tmp_path / "study.toml"
    path.write_text(STUDY, "utf-8")
    return path


def test_a_users_own_files_go_all_the_way(study, small_region, tmp_path):
    plan = run(Scenario.from_toml(study))
    assert len(plan.chosen) == 2
    assert plan.villages["people"].sum() == small_region.villages["people"].sum()
    assert len(plan.network.sites) == 3
    assert len(plan.network.rejected) == 1
    assert not plan.region.is_synthetic
    written = write_plan(plan, tmp_path / "out", lang="en")
    figures = json.loads(written["summary.json"].read_text("utf-8"))
    assert figures["synthetic"] == []
    assert figures["network"]["rows_rejected"] == 1
    assert figures["services"]["4g"]["rsrp_threshold_dbm"] == -84
    assert pd.read_csv(written["rejected_sites.csv"])["reason"].notna().all()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("resolution_m", "resolution", r"study\.toml: region\.resolution: unknown key"),
        ("resolution_m = 90", "resolution_m = 1", r"region\.resolution_m: Input should be greater"),
        ('villages = "villages.gpkg"', "", "give builtin = 'ankang', or villages"),
        ('file = "sites.csv"', "", "give either builtin = 'ankang' or file"),
        ("[services.4g]", "[services.6g]", r"services\.6g: no such service; known are 4g, 5g"),
        (
            'model = "rma"',
            'model = "magic"',
            r"propagation\.model: there is no path-loss model 'magic'",
        ),
        ('file = "sites.csv"', 'builtin = "ankang"\ncatalogue = "c"', "catalogue goes with file"),
        ('lang = "en"', 'lang = "fr"', "lang: Input should be 'zh' or 'en'"),
        ("[region]", '[region]\nbuiltin = "ankang"', "villages cannot be given beside builtin"),
        ("[region]", "[limits]\nrow = 3\n[region]", r"limits\.row: unknown key; did you mean rows"),
        (
            "[region]",
            "[limits]\nrows = 0\n[region]",
            r"limits\.rows: .* greater than or equal to 1",
        ),
        ("[region]", "[limits]\nrows = '9'\n[region]", r"limits\.rows: .* valid integer, not '9'"),
        ("= 90", "= '300'", r"region\.resolution_m: Input should be a valid number, not '300'"),
        ("= 3000", "= true", r"propagation\.radius_m: Input should be a valid number, not true"),
        ("= -84", "= nan", r"services\.4g\.rsrp_threshold_dbm: .* a finite number, not nan"),
    ],
)
def test_mistakes_in_the_file_are_named(study, old, new, says):
    study.write_text(STUDY.replace(old, new), "utf-8")
    with pytest.raises(ScenarioError, match=says):
        Scenario.from_toml(study)


def test_a_dem_that_covers_half_the_region_is_refused_with_what_is_missing(study, tmp_path):
    with rasterio.open(tmp_path / "dem.tif", "r+") as dem:
        dem.nodata = -9999.0
        heights = dem.read(1)
        heights[:, 30:] = -9999.0
        dem.write(heights, 1)
    with pytest.raises(RasterError, match=r"dem\.tif has no data for 50% of the region: give .*°N"):
        run(Scenario.from_toml(study))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("villages.gpkg", "none.gpkg", r"none\.gpkg"),
        ("dem.tif", "none.tif", r"elevation_m: cannot read .*none\.tif"),
        ("sites.csv", "none.csv", r"none\.csv"),
        ("number = 2", "number = 90000", "micro asks for 90000 sites, but only"),
    ],
)
def test_what_the_file_names_is_checked(study, old, new, says):
    study.write_text(STUDY.replace(old, new), "utf-8")
    with pytest.raises(AnkangCoverageError, match=says):
        run(Scenario.from_toml(study))


def test_the_builtin_study_is_the_programme_of_2021():
    scenario = Scenario.builtin()
    assert {t.id: t.number for t in scenario.programme.targets} == {
        "supporting-5g": 518,
        "micro-4g": 360,
    }
    with pytest.raises(ScenarioError, match="no built-in scenario 'xi-an'; there is ankang-2021"):
        Scenario.builtin("xi-an")


def test_real_terrain_from_a_file(tmp_path, shared):
    """The built-in region over real terrain: its valley runs where the county seats are."""
    dem = shared / "data" / "ankang" / "dem15s" / "ankang_dem15s_wgs84.tif"
    text = f"""
[region]
builtin = "ankang"
resolution_m = 900
elevation = ["{dem.as_posix()}"]
[network]
builtin = "ankang"
[[programme.targets]]
id = "micro"
kind = "micro"
number = 5
service = "5g"
radio_layers = ["nr-n28"]
minimum_spacing_m = 1000
candidates = {{ fewest_people = 3000 }}
"""
    (tmp_path / "real.toml").write_text(text, "utf-8")
    plan = run(Scenario.from_toml(tmp_path / "real.toml"))
    assert len(plan.chosen) == 5
    assert "elevation" not in [s.what for s in plan.sources if s.nature == "synthetic"]
    elevation = plan.region.rasters["elevation_m"]
    seats = gpd.GeoSeries.from_xy(
        [108.236, 108.532, 109.017, 109.365], [33.041, 32.519, 32.68, 32.824], crs=4326
    )
    for point in seats.to_crs(plan.region.villages.crs):
        around = elevation.sel(
            x=slice(point.x - 8e3, point.x + 8e3), y=slice(point.y + 8e3, point.y - 8e3)
        )
        near = elevation.sel(
            x=slice(point.x - 1.5e3, point.x + 1.5e3), y=slice(point.y + 1.5e3, point.y - 1.5e3)
        )
        assert float(near.min()) <= np.nanpercentile(around, 15)


def test_the_land_cover_table_is_found_beside_the_study(study, tmp_path):
    """As every other path of a study, whatever folder the program runs in."""
    study.write_text(STUDY.replace("radius_m", 'land_cover_table = "own.csv"\nradius_m', 1))
    assert Scenario.from_toml(study).propagation.land_cover_table == tmp_path / "own.csv"


def test_a_rule_changes_only_in_the_parts_that_are_given(study):
    rule = """[services.4g]
edge_probability = 0.9
error_sigma_db = 6.5
sinr_threshold_db = "none"
indoor = "traditional"
"""
    study.write_text(STUDY.replace("[services.4g]\nrsrp_threshold_dbm = -84\n", rule), "utf-8")
    rules = Scenario.from_toml(study).rules()
    usual, changed = services()["4g"], rules["4g"]
    assert set(rules) == {"4g"}
    assert (changed.edge_probability, changed.error_sigma_db) == (0.9, 6.5)
    assert (changed.sinr_threshold_db, changed.indoor) == (None, "traditional")
    for kept in ("rsrp_threshold_dbm", "uplink_mbps", "indoor_probability_percent"):
        assert getattr(changed, kept) == getattr(usual, kept)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("edge_probability = 75", r"services\.4g\.edge_probability: Input should be less"),
        ('sinr_threshold_db = "off"', r"services\.4g\.sinr_threshold_db: Input should be a valid"),
        ('indoor = "tent"', r"services\.4g\.indoor: Input should be 'traditional' or"),
        ("sinr = -3", r"services\.4g\.sinr: unknown key"),
    ],
)
def test_a_rule_that_is_none_is_named(study, line, says):
    study.write_text(STUDY.replace("rsrp_threshold_dbm = -84", line), "utf-8")
    with pytest.raises(ScenarioError, match=says):
        Scenario.from_toml(study)


CATALOGUE = """
antennas:
  - id: own-17dbi
    source: data sheet
    kind: sector
    gain_dbi: 17.0
    horizontal_beamwidth_deg: 65.0
    vertical_beamwidth_deg: 8.0
    front_to_back_db: 28.0
    side_lobe_suppression_db: 18.0
services:
  - id: 4g
    source: the operator's own rule
    radio_layers: [lte-b8]
    rsrp_threshold_dbm: -100.0
"""


def test_ones_own_catalogue_tells_what_a_table_names_and_the_rules(study, small_region, tmp_path):
    table = pd.read_csv(tmp_path / "sites.csv", encoding="gb18030")
    table.assign(天线型号="own-17dbi").to_csv(tmp_path / "sites.csv", index=False)
    (tmp_path / "own.yaml").write_text(CATALOGUE, "utf-8")
    text = STUDY.replace('"sites.csv"', '"sites.csv"\ncatalogue = "own.yaml"')
    study.write_text(text.replace("-84", "-95"), "utf-8")
    scenario = Scenario.from_toml(study)
    network = scenario.network.load(small_region)
    assert set(network.cells["antenna"]) == {"own-17dbi"}
    assert network.catalogue.antenna("own-17dbi").gain_dbi == 17.0
    rule = scenario.rules()["4g"]
    assert (rule.radio_layers, rule.rsrp_threshold_dbm) == (("lte-b8",), -95.0)


OWN_SERVICE = """
services:
  - id: voice
    source: the operator's own rule
    radio_layers: [lte-own]
    rsrp_threshold_dbm: -105.0
radio_layers:
  - {layer}
"""


@pytest.fixture
def own_service(study, tmp_path):
    """A study of a service and a radio layer that the built-in catalogue has not."""
    layer = radio_layer("lte-b8").with_fields(id="lte-own").model_dump(mode="json")
    (tmp_path / "own.yaml").write_text(OWN_SERVICE.format(layer=json.dumps(layer)), "utf-8")
    text = STUDY.replace('"sites.csv"', '"sites.csv"\ncatalogue = "own.yaml"')
    text = text.replace("[services.4g]", "[services.voice]")
    text = text.replace('service = "4g"', 'service = "voice"').replace("lte-b8", "lte-own")
    study.write_text(text, "utf-8")
    return study


def test_ones_own_services_and_radio_layers_are_known(own_service):
    scenario = Scenario.from_toml(own_service)
    assert scenario.rules()["voice"].rsrp_threshold_dbm == -84.0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "[services.voice]",
            "[services.vice]",
            r"study\.toml: services\.vice: no such service; kno",
        ),
        (
            'service = "voice"',
            'service = "v"',
            r"study\.toml: programme: target micro: service 'v'",
        ),
        (
            '["lte-own"]',
            '["lte-x"]',
            r"study\.toml: .* target micro: radio layer 'lte-x' is unknown",
        ),
        ("own.yaml", "none.yaml", r"cannot read .*none\.yaml: there is no such file"),
    ],
)
def test_names_are_checked_against_ones_own_catalogue(own_service, old, new, says):
    own_service.write_text(own_service.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(AnkangCoverageError, match=says):
        Scenario.from_toml(own_service)


def test_a_study_says_what_its_files_may_hold(study, small_region):
    scenario = Scenario.from_toml(study)
    n_rows = len(scenario.network.load(small_region).cells)
    study.write_text(f"{STUDY}[limits]\nrows = {n_rows}\nallow_vrt = true\n", "utf-8")
    changed = Scenario.from_toml(study)
    with (
        changed.in_force(),
        pytest.raises(LimitError, match=f"where {n_rows} are allowed.*rows und"),
    ):
        changed.network.load(small_region)
    with changed.in_force():
        assert limits() == Limits(rows=n_rows, allow_vrt=True)
    with pytest.raises(LimitError, match="rows under"):
        run(changed)
    study.write_text(f"{STUDY}[limits]\nrows = {n_rows + 1}\n", "utf-8")
    with use_limits(rows=1, columns=77), Scenario.from_toml(study).in_force():
        assert (limits().rows, limits().columns) == (n_rows + 1, 77)


def test_limits_of_a_study_hold_for_the_catalogue_it_names(own_service):
    text = own_service.read_text("utf-8")
    own_service.write_text(f"{text}[limits]\nsettings_values = 10\n", "utf-8")
    with pytest.raises(LimitError, match=r"own\.yaml.*settings_values under"):
        Scenario.from_toml(own_service)


def test_a_study_with_a_pattern_file_shows_its_antenna_and_not_its_path(study, tmp_path):
    """Existing cells and what is built have the antenna; no result tells where the file was."""
    write_antenna_file(cosine_pattern(9.0, 360.0, 15.0, name=""), tmp_path / "panel.msi")
    layer = radio_layer("lte-b8").with_fields(antenna="panel", micro_antenna="panel")
    panel = {"id": "panel", "source": "data sheet", "kind": "measured", "pattern_file": "panel.msi"}
    own = {"antennas": [panel], "radio_layers": [layer.model_dump(mode="json")]}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own), "utf-8")
    table = pd.read_csv(tmp_path / "sites.csv", encoding="gb18030")
    table.drop(columns="方位角").to_csv(tmp_path / "sites.csv", index=False)  # it faces nowhere
    study.write_text(STUDY.replace('"sites.csv"', '"sites.csv"\ncatalogue = "own.yaml"'), "utf-8")
    plan = run(Scenario.from_toml(study))
    assert len(plan.chosen) == 2
    coverage = plan.coverage_after["4g"]
    assert set(coverage["antenna"].to_numpy()) == {"panel"}
    assert coverage.catalogue.antenna("panel").pattern.name == "panel.msi"
    written = write_plan(plan, tmp_path / "out", lang="en")
    assert str(tmp_path / "panel.msi") not in str(coverage.to_dataset().attrs)
    for path in written.values():
        assert b"panel.msi" not in path.read_bytes(), path.name
