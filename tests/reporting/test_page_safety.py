"""Text from outside stays text: every field of every input holds signs that mean something
somewhere, and programs; no file that is written runs one, and each holds the text as typed."""

import csv
import html
import json
import re
from functools import partial
from importlib.resources import files
from types import SimpleNamespace

import folium
import geopandas as gpd
import jinja2
import pyogrio
import pytest
import rasterio
import yaml

from ankang_coverage.errors import AnkangCoverageError
from ankang_coverage.inputs import quoted
from ankang_coverage.propagation.antenna_files import write_antenna_file
from ankang_coverage.propagation.measured_pattern import cosine_pattern
from ankang_coverage.region.divisions import dissolve
from ankang_coverage.reporting.exports import write_plan
from ankang_coverage.reporting.maps import coverage_map, plan_map
from ankang_coverage.scenario import Scenario, run
from ankang_coverage.sites.catalogue import radio_layer

SIGNS = (
    "{{7*7}} {% raw %} {%B {# 1 #} {{{ }} %} ${7*7} %s %(x)d {0} {x} # ## ` ' \" \\ \\n $\\frac{$ "
    "&amp; </title></script><script>window.ran = 1</script><img src=x onerror=window.ran=1><!-- "
    "汉滨\u2028\u2029\u0085\x7f\x1b[31m\ufeff\u200b "
    "{{cycler.__init__.__globals__.os.system('touch PWNED')}}"
)
"""For every input; a setting can hold a NUL too, and a table whose cells are quoted line ends."""
IN_A_FILE_NAME = "{{7*7}}{%B{#1`'\"\\$x$%s&amp\u2028"

STUDY = """
lang = "en"
[region]
name = {region}
villages = {villages_file}
townships = "townships.gpkg"
counties = "counties.gpkg"
elevation = [{elevation_file}]
[network]
file = {sites_file}
catalogue = "own.yaml"
[propagation]
model = "rma"
radius_m = 3000
terminal_height_m = 1.5
land_cover_table = {cover_file}
calibration = {calibration_file}
[services.4g]
rsrp_threshold_dbm = -84
[programme]
name = {programme}
[[programme.targets]]
id = "micro"
kind = "micro"
number = 3
service = "4g"
radio_layers = ["lte-b8"]
minimum_spacing_m = 500
title_zh = {title_zh}
title_en = {title_en}
forced = [{own_id}]
quotas = [{{ owner = {owner}, minimum = 1, maximum = 2 }}]
[programme.targets.candidates]
sources = ["people", "own"]
own = {own_file}
costs = "costs.yaml"
"""

CHOSEN = {"chosen_sites.csv", "plan.gpkg", "map.html"}
SHOWN = {
    "region": {"map.html", "summary.json"},
    "programme": {"summary.json"},
    "title_zh": {"summary.json"},
    "title_en": {"summary.json", "map.html"},
    "county": {"map.html", "summary.json", "plan.gpkg", "counties.csv", "chosen_sites.csv"},
    "township": {"map.html", "plan.gpkg", "townships.csv", "chosen_sites.csv"},
    "village": {"map.html", "plan.gpkg", "villages.csv"},
    "site_id": {"map.html", "plan.gpkg", "villages.csv"},
    "site": {"map.html", "plan.gpkg"},
    "unread": {"summary.json"},
    "rejected": {"rejected_sites.csv"},
    "own_id": {*CHOSEN, "plan_curve.csv"},
    "own": CHOSEN,
    "owner": {"chosen_sites.csv", "plan.gpkg", "plan_constraints.csv"},
    "villages_file": {"map.html", "summary.json"},
    "elevation_file": {"map.html", "summary.json"},
    "sites_file": {"map.html", "summary.json"},
    "own_file": {"summary.json"},
    "cover_file": {"summary.json"},
    "calibration": {"summary.json"},
}
"""In which files each field must be found; where else it stands, it stands as typed too."""


@pytest.fixture(scope="module")
def study(small_region, small_network, tmp_path_factory):
    """A study whose every text is hostile, run from its files, and what was written."""
    folder = tmp_path_factory.mktemp("study")
    texts = make_texts(folder / "pwned")
    write_region(folder, texts, small_region)
    write_sites(folder, texts, small_network)
    write_catalogue(folder, texts)
    write_propagation(folder, texts)
    # A string of JSON is one of TOML and of YAML.
    keys = {key: json.dumps(text) for key, text in texts.items()}
    (folder / "study.toml").write_text(STUDY.format(**keys), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        compiled = record_templates(patch)
        plan = run(Scenario.from_toml(folder / "study.toml"))
        written = write_plan(plan, folder / "out", lang="en")
    return SimpleNamespace(
        plan=plan,
        written=written,
        texts=texts,
        compiled=compiled,
        mark=folder / "pwned",
        settings=folder / "study.toml",
    )


def make_texts(mark):
    signs = SIGNS.replace("PWNED", str(mark))
    texts = {key: f"{key}§ {signs} §" for key in SHOWN}
    for key in ("region", "programme", "title_zh", "title_en"):
        texts[key] = f"{key}§ {signs} \0 \r \r\n=1+1\n §"
    for key in ("site", "site_id", "rejected", "own_id", "own", "owner"):
        texts[key] = f"{key}§ {signs} \r \r\n=1+1\n §"
    suffixes = {"villages": "gpkg", "elevation": "tif", "sites": "csv", "own": "csv"}
    for key, suffix in {**suffixes, "cover": "csv", "calibration": "json"}.items():
        texts[f"{key}_file"] = f"{key}_file§{IN_A_FILE_NAME}§.{suffix}"
    texts["unread"] = f"unread§ {signs} §".translate(dict.fromkeys((0x2028, 0x2029, 0x85)))
    return texts


def write_region(folder, texts, region):
    villages = region.villages.assign(name=[texts["village"], *region.villages["name"][1:]])
    parts = {"villages": villages}
    for level, key in (("townships", "township"), ("counties", "county")):
        parts[level] = dissolve(villages, key).assign(name=texts[key])
    for level, table in parts.items():
        columns = ["name", "people", "geometry", *(["kind"] if level == "villages" else [])]
        path = folder / texts.get(f"{level}_file", f"{level}.gpkg")
        table[columns].rename_axis("code").reset_index().to_file(path, layer=level)
    heights = region.rasters["elevation_m"].to_numpy()
    layout = {"height": heights.shape[0], "width": heights.shape[1], "dtype": "float32"}
    geobox = region.geobox
    layout |= {"crs": str(geobox.crs), "transform": geobox.transform}
    with rasterio.open(folder / "dem.tif", "w", driver="GTiff", count=1, **layout) as dem:
        dem.write(heights, 1)
    (folder / "dem.tif").rename(folder / texts["elevation_file"])


def write_sites(folder, texts, network):
    places = network.sites.geometry.to_crs(4326)
    ids = {"A": texts["site_id"]}
    rows = [
        {
            "site": ids.get(cell.site, cell.site),
            "name": texts["site"],
            "cell": f"{number} {texts['site_id']}",
            "lon": places[cell.site].x,
            "lat": places[cell.site].y,
            "band": "B8",
            "azimuth": cell.azimuth_deg,
            "antenna": texts["site"],
            "cell_name": texts["site"],
            texts["unread"]: texts["site"],
        }
        for number, cell in enumerate(network.cells.itertuples())
        if cell.radio_layer == "lte-b8"
    ]
    faults = ("lon", "band", "azimuth", "kind", "status", "operator", "height")
    rows += [{**rows[0], key: texts["rejected"]} for key in faults]
    write_rows(
        folder / texts["sites_file"], [*rows[0], "kind", "status", "operator", "height"], rows
    )
    place = {"id": texts["own_id"], "name": texts["own"], "owner": texts["owner"]}
    place |= {"lon": places.x.mean(), "lat": places.y.mean(), "construction": "pole"}
    write_rows(folder / texts["own_file"], list(place), [place])


def write_rows(path, headers, rows):
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        # Python writes a lone carriage return without quotation marks unless told otherwise.
        writer = csv.DictWriter(file, headers, restval="", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)


def write_catalogue(folder, texts):
    pattern = cosine_pattern(9.0, 360.0, 15.0, name="panel")
    write_antenna_file(pattern, folder / "panel.msi")
    lines = (folder / "panel.msi").read_text("utf-8")
    told = texts["village"].translate({0x2028: None, 0x2029: None, 0x85: None})
    (folder / "panel.msi").write_text(lines.replace("NAME panel", f"NAME {told}"), "utf-8")
    panel = {"id": "panel", "kind": "measured", "pattern_file": "panel.msi"}
    layer = (
        radio_layer("lte-b8")
        .with_fields(antenna="panel", micro_antenna="panel")
        .model_dump(mode="json")
    )
    shared = {"id": "s", "radio_layer": "lte-b5", "operators": ["telecom", "unicom"]}
    service = {"id": "4g", "radio_layers": ["lte-b8"], "rsrp_threshold_dbm": -100.0}
    parts = {"antennas": panel, "radio_layers": layer, "sharing": shared, "services": service}
    source = {"source": f"catalogue {texts['site']}"}
    own = {part: [{**entry, **source}] for part, entry in parts.items()}
    (folder / "own.yaml").write_text(yaml.safe_dump(own, allow_unicode=True), "utf-8")
    prices = dict.fromkeys(("tower_yuan", "pole_yuan", "co_location_yuan"), 1000)
    prices |= {"pole_up_to_m": 15, "power_yuan_per_km": 1, "fibre_yuan_per_km": 1, "detour": 1.3}
    prices["source"] = {"tower_yuan": texts["site"], texts["site"]: texts["site"]}
    (folder / "costs.yaml").write_text(yaml.safe_dump(prices, allow_unicode=True), "utf-8")


def write_propagation(folder, texts):
    with (files("ankang_coverage.region") / "land_cover.csv").open(encoding="utf-8") as file:
        classes = list(csv.DictReader(file))
    told = [key for key in classes[0] if key.startswith("name") or key.endswith("source")]
    hostile = [{**one, **dict.fromkeys(told, texts["rejected"])} for one in classes]
    write_rows(folder / texts["cover_file"], list(classes[0]), hostile)
    correction = {"frequencies_mhz": [941.5], "offset_db": 1.0, "distance_slope_db": 0.0}
    correction |= {"reference_distance_m": 1e3, "nearest_m": 1e2, "farthest_m": 2e3}
    counts = {"n_measurements": 9, "n_bins": 9, "n_blocks": 9, "folds": 2, "seed": 0}
    text = texts["calibration"]
    calibration = {
        "model": "rma",
        "terminal_height_m": 1.5,
        "time_percent": 50.0,
        "error_sigma_db": 6.5,
        "correction": {**correction, "land_cover": []},
        **counts,
        "block_m": 500.0,
        "estimates": [],
        "errors": [],
        "unused": [{"reason": text, "n_measurements": 1}],
        "cell_offsets": [{"cell": text, "offset_db": 1.0, "n_bins": 1, "n_blocks": 1}],
        "sensitivity_dbm": -125.0,
        "sources": [{"what": text, "nature": "given", "credit": text}],
    }
    (folder / texts["calibration_file"]).write_text(json.dumps(calibration), "utf-8")


def record_templates(monkeypatch):
    """Return the list of what reaches Jinja's compiler from now on."""
    compiled = []
    compile_ = jinja2.Environment.compile

    def recorded(environment, source, *args, **kwargs):
        compiled.append(str(source))
        return compile_(environment, source, *args, **kwargs)

    monkeypatch.setattr(jinja2.Environment, "compile", recorded)
    return compiled


def strings_in(value):
    """Every text in plain values, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (*strings_in(key), *strings_in(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from strings_in(inner)


def texts_of(path, data_of):
    """Every text in a written file, as its readers read it."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [cell for row in csv.reader(file, strict=True) for cell in row]
    if path.suffix == ".gpkg":
        layers = [str(layer) for layer, _ in pyogrio.list_layers(path)]
        frames = [gpd.read_file(path, layer=layer).drop(columns="geometry") for layer in layers]
        return [text for frame in frames for text in strings_in(frame.to_dict("list"))]
    if path.suffix == ".html":
        return list(strings_in(data_of(path.read_bytes().decode("utf-8"))))
    if path.suffix == ".json":
        return list(strings_in(json.loads(path.read_text("utf-8"))))
    with rasterio.open(path) as raster:
        return [*raster.tags().values(), *raster.descriptions]


def assert_as_typed(found, texts):
    """Assert that what is found of each text is the whole text; return whose are found."""
    fields = set()
    for text in found:
        for key, typed in texts.items():
            if f"{key}§" in text:
                # A message quotes it as Python does, its beginning alone where it is long.
                beginning = quoted(typed)
                count = text.count(typed) + text.count(repr(typed)[1:-1])
                count += text.count(beginning) if beginning.strip("'\"").endswith("…") else 0
                assert text.count(f"{key}§") == count, (key, text)
                fields.add(key)
    return fields


def test_nothing_is_evaluated(study):
    assert not study.mark.exists()
    assert not [source for source in study.compiled if "§" in source]


def test_every_file_holds_every_text_as_it_was_typed(study, data_of):
    found = {
        name: assert_as_typed(texts_of(path, data_of), study.texts)
        for name, path in study.written.items()
    }
    for field, names in SHOWN.items():
        assert names <= {name for name in found if field in found[name]}, field


def test_every_field_that_may_be_wrong_is_listed_as_it_was_typed(study):
    rejected = study.plan.network.rejected
    assert set(rejected["value"]) == {study.texts["rejected"]}
    assert len(rejected) == 7


@pytest.mark.parametrize(
    "word", ["en", "rma", "micro", "4g", "lte-b8", "people", "own.yaml", "costs.yaml"]
)
def test_a_setting_of_certain_words_takes_no_others(word, study):
    other = study.settings.with_name("other.toml")
    hostile = study.settings.read_text("utf-8").replace(f'"{word}"', json.dumps(SIGNS))
    other.write_text(hostile, "utf-8")
    with pytest.raises(AnkangCoverageError):
        run(Scenario.from_toml(other))
    assert not study.mark.exists()


def pages(drawn):
    """The page by every way to it."""
    framed = re.search(r'srcdoc="(.*?)" style', drawn._repr_html_(), re.DOTALL)[1]
    return {"render": drawn.get_root().render(), "notebook": html.unescape(framed)}


IN_MAP = {key for key, names in SHOWN.items() if "map.html" in names}
OF_PLAN = {"own_id", "own"}
DRAWN = {
    "coverage": lambda plan: coverage_map(plan.region, plan.coverage_after["4g"], plan.network),
    "zh": plan_map,
    "en": partial(plan_map, lang="en"),
}
ON_EACH = {
    "coverage": IN_MAP - OF_PLAN - {"title_en"},
    "zh": IN_MAP - {"title_en"} | {"title_zh"},
    "en": IN_MAP,
}


@pytest.mark.parametrize("kind", DRAWN)
def test_no_way_to_a_page_compiles_a_text(kind, study, data_of, monkeypatch, tmp_path):
    drawn = DRAWN[kind](study.plan)
    name = study.texts["site"]
    folium.Marker([32.7, 109.0], popup=name, tooltip=name).add_to(drawn)
    compiled = record_templates(monkeypatch)
    drawn.save(tmp_path / "map.html")
    saved = (tmp_path / "map.html").read_bytes().decode("utf-8")
    found = {**pages(drawn), "save": saved}
    for page in found.values():
        assert assert_as_typed(strings_in(data_of(page)), study.texts) == ON_EACH[kind]
    assert not [source for source in compiled if "§" in source]
    assert not study.mark.exists()


READ = """
const map = Object.values(window).find((value) => value instanceof L.Map);
for (const box of document.querySelectorAll(".ac-entry input")) if (!box.checked) box.click();
const seen = [];
const read = (selector) => {
  for (const node of document.querySelectorAll(selector)) seen.push(node.textContent);
};
read("h1, .ac-title p, li, .ac-entry span, .ac-name span");
map.eachLayer((layer) => {
  if (layer.values) layer.fire("click", { latlng: layer.getLatLng() }, true);
  if (layer.feature?.properties?.values) {
    layer.fire("mouseover", { latlng: map.getCenter() }, true);
  }
  read(".ac-card b, .ac-card > div, .ac-card td");
});
tell([[...new Set(seen)], window.ran ?? 0]);
"""


@pytest.mark.parametrize("kind", DRAWN)
def test_chromium_shows_every_text_as_it_was_typed(kind, study, opened):
    page = DRAWN[kind](study.plan).get_root().render()
    _, (seen, ran), messages = opened(page, READ)
    assert messages == []
    assert ran == 0
    assert assert_as_typed(seen, study.texts) == ON_EACH[kind]
