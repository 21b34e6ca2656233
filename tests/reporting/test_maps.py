"""Maps: the pages say what the tables say, and need nothing from outside."""

import html
import re

import folium
import geopandas as gpd
import pandas as pd
import pytest
import shapely
from drawn import (
    EVIL,
    layers_of,
    make_coverage,
    make_network,
    make_plan,
    make_region,
    page_of,
)

from ankang_coverage.errors import ArgumentTypeError, OutOfRangeError, UnknownNameError
from ankang_coverage.region.region import Region
from ankang_coverage.reporting.maps import coverage_map, explore, plan_map
from ankang_coverage.reporting.offline import OfflineMap


@pytest.fixture
def region():
    return make_region()


@pytest.fixture
def plan(region):
    return make_plan(region)


def test_layers_are_listed_from_top_to_base_and_few_are_on(plan):
    layers = page_of(plan_map(plan))["layers"]
    assert [layer["id"] for layer in layers] == [
        *("chosen-micro-4g", "chosen-supporting-5g", "sites"),
        *("coverage-4g-after", "coverage-4g-before", "coverage-5g-after", "coverage-5g-before"),
        *("counties", "townships", "villages-4g", "villages-5g", "hillshade"),
    ]
    assert [layer["id"] for layer in layers if layer["on"]] == [
        *("chosen-micro-4g", "chosen-supporting-5g", "coverage-4g-after", "counties", "hillshade")
    ]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_page_requests_nothing(plan, lang):
    text = plan_map(plan, lang=lang).get_root().render()
    addresses = set(re.findall(r"https?://[^\s\\\"'<>)]+", text))
    assert addresses <= {
        "http://www.w3.org/2000/svg",  # a name space, not a place
        "https://leafletjs.com",  # links to click
        "https://bugzilla.mozilla.org/show_bug.cgi?id=888319",  # comments in Leaflet's style
        "https://bugs.chromium.org/p/chromium/issues/detail?id=600120",
    }
    for styles in re.findall(r"<style>(.*?)</style>", text, re.DOTALL):
        assert all(url.startswith(("data:", "#")) for url in re.findall(r"url\((.{5})", styles))
    assert not re.search(r"<(script|img|iframe)[^>]*\ssrc=", text)
    assert "sourceMappingURL" not in text


def test_names_with_markup_stay_text(plan):
    text = plan_map(plan).get_root().render()
    assert "<b>x" not in text
    assert text.count("<script") == text.count("</script")
    page = page_of(plan_map(plan))
    villages = page["areas"]["villages"]["features"]
    assert [village["properties"]["values"][0] for village in villages][2] == EVIL
    assert "天地图 &lt;b&gt;2023&lt;/b&gt;" in page["attribution"]


def test_title_is_escaped(plan):
    plan.region = Region(
        **{**vars(plan.region), "name": "<i>A & B</i>"},
    )
    text = plan_map(plan, lang="en").get_root().render()
    title = re.search(r"<title>(.*?)</title>", text)[1]
    assert html.unescape(title) == "<i>A & B</i>: mobile network plan"
    assert "<i>" not in text


def test_same_plan_same_bytes(plan):
    assert plan_map(plan).get_root().render() == plan_map(plan).get_root().render()
    assert plan_map(plan).get_root().render() != plan_map(plan, lang="en").get_root().render()


def test_tables_are_left_as_they_were(plan):
    before = {name: frame.copy() for name, frame in vars(plan).items() if hasattr(frame, "copy")}
    plan_map(plan)
    for name in ("villages", "townships", "counties", "chosen"):
        pd.testing.assert_frame_equal(before[name], getattr(plan, name))


def test_polygons_stay_where_they_are(plan):
    features = page_of(plan_map(plan))["areas"]["villages"]["features"]
    drawn = gpd.GeoSeries([shapely.geometry.shape(f["geometry"]) for f in features], crs=4326)
    given = plan.villages.geometry.to_crs(4326)
    worst = shapely.hausdorff_distance(drawn.to_numpy(), given.to_numpy()).max()
    assert worst < 1e-5


def test_coverage_map_shows_one_prediction(region):
    drawn = coverage_map(region, make_coverage(region, "5g"), make_network(), lang="en")
    page = page_of(drawn)
    assert page["title"] == "试验区: 5G coverage"
    assert [layer["id"] for layer in page["layers"]] == [
        *("sites", "coverage", "counties", "townships", "villages", "hillshade")
    ]
    assert [entry["label"] for entry in layers_of(drawn)["coverage"]["legend"]] == [
        *("≥ −75", "−85 … −75", "−95 … −85", "−105 … −95")
    ]
    assert "sites" not in layers_of(coverage_map(region, make_coverage(region, "5g")))


def test_file_is_small(plan):
    # Leaflet, its style and its images are 170 kB of it.
    assert len(plan_map(plan).get_root().render().encode()) < 230_000


def test_three_thousand_sites_stay_small(region):
    drawn = coverage_map(region, make_coverage(region, "4g"), make_network(3000))
    assert len(drawn.get_root().render().encode()) < 600_000


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"lang": "fr"}, UnknownNameError, "choose 'zh' or 'en'"),
        ({"basemap": "gaode"}, UnknownNameError, "choose 'osm', 'tianditu' or None"),
        ({"basemap": "tianditu"}, OutOfRangeError, "needs tianditu_key"),
        (
            {"basemap": "tianditu", "tianditu_key": "<script>"},
            OutOfRangeError,
            "needs tianditu_key",
        ),
    ],
)
def test_unknown_settings_are_refused(plan, settings, error, message):
    with pytest.raises(error, match=message):
        plan_map(plan, **settings)


def test_map_is_folium_and_plan_does_not_reach_for_it(plan, planned):
    drawn = plan_map(plan)
    assert isinstance(drawn, folium.Map)
    assert "<iframe" in drawn._repr_html_()
    shown = planned._repr_html_()
    assert "<table" in shown
    assert "<iframe" not in shown
    assert "<script" not in shown


def test_chromium_draws_it_without_a_word(plan, opened, tmp_path):
    drawn = plan_map(plan)
    folium.CircleMarker([32.75, 109.08], popup="own").add_to(drawn)
    drawn.save(tmp_path / "map.html")
    document, _, messages = opened((tmp_path / "map.html").read_text("utf-8"))
    assert messages == []
    for name in ("农村微基站 (2)", "现有站点 (3)", "4G 规划后", "村（社区）5G 覆盖", "地形晕渲"):
        assert name in document
    assert "未计地形" in document
    assert "汉阴县" in document
    legends = re.findall(r'class="ac-entry ac-on" data-layer="([\w-]+)"', document)
    assert legends == [layer["id"] for layer in page_of(drawn)["layers"] if layer["on"]]


def test_chromium_shows_markup_in_a_name_as_text(plan, opened):
    document, _, messages = opened(
        plan_map(plan).get_root().render(),
        """
        const map = Object.values(window).find((value) => value instanceof L.Map);
        const click = (name) => document.querySelector(`[data-layer=${name}] input`).click();
        for (const name of ["sites", "villages-4g", "coverage-4g-after"]) click(name);
        map.eachLayer((layer) => {
          const values = layer.values || layer.feature?.properties.values || [];
          if (values[0] === "</scr" + "ipt><b>x") {
            if (layer.feature) layer.fire("mouseover", { latlng: map.getCenter() }, true);
            if (layer.values) layer.fire("click", { latlng: layer.getLatLng() }, true);
          }
        });
        """,
    )
    assert messages == []
    text = html.escape(EVIL, quote=False)
    popup = document.split("leaflet-popup-content")[-1]
    assert f"<b>{text}</b>" in popup
    tooltips = document.split("leaflet-pane leaflet-tooltip-pane")[1]
    assert f"<b>{text}</b>" in tooltips
    assert 'class="ac-entry ac-on" data-layer="villages-4g"' in document
    assert 'class="ac-entry" data-layer="coverage-4g-after"' in document


# `explore` ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def things(planned):
    """One thing of each kind that can be drawn, all of one plan."""
    before, after = planned.coverage_before["4g"], planned.coverage_after["4g"]
    return {
        "region": planned.region,
        "network": planned.network,
        "coverage": after,
        "change": before.difference(after),
        "plan": planned,
    }


DIVISIONS = ("counties", "townships", "villages")
LAYERS = {
    "region": (*DIVISIONS, "hillshade"),
    "network": ("sites",),
    "coverage": ("sites", "coverage", *DIVISIONS, "hillshade"),
    "change": ("sites", "change", *DIVISIONS, "hillshade"),
    "plan": (
        *("chosen-micro", "sites", "coverage-4g-after", "coverage-4g-before"),
        *("coverage-5g-after", "coverage-5g-before", "counties", "townships"),
        *("villages-4g", "villages-5g", "hillshade"),
    ),
}
TITLES = {
    "region": "small",
    "network": "Existing sites",
    "coverage": "small: 4G coverage",
    "change": "small: change of 4G coverage",
    "plan": "small: mobile network plan",
}


@pytest.mark.parametrize("kind", LAYERS)
def test_explore_draws_each_kind_of_thing(things, kind):
    drawn = explore(things[kind], lang="en")
    assert isinstance(drawn, OfflineMap)
    page = page_of(drawn)
    assert page["title"] == TITLES[kind]
    assert tuple(layer["id"] for layer in page["layers"]) == LAYERS[kind]
    assert page["language"] == "en"
    assert not page["has_tiles"]
    assert "Synthetic" in " ".join(page["notes"])


def test_explore_of_a_change_shows_who_gains_and_who_loses(things):
    change = things["change"]
    layer = layers_of(explore(change, lang="en"))["change"]
    assert [entry["label"] for entry in layer["legend"]] == ["Gained", "Lost"]
    assert layer["url"].startswith("data:image/png;base64,")
    back = layers_of(explore(change.after.difference(change.before)))["change"]
    assert back["url"] != layer["url"]


def test_explore_draws_on_a_map_of_its_own_kind(things):
    m = explore(things["region"])
    assert explore(things["network"], m) is m
    assert explore(things["coverage"], m=m) is m
    ids = [layer["id"] for layer in page_of(m)["layers"]]
    assert ids == ["sites'", "coverage", "sites", *LAYERS["region"]]


def test_explore_draws_on_a_map_of_folium(things):
    m = folium.Map([32.7, 109.0], zoom_start=9)
    assert explore(things["coverage"], m=m, lang="en") is m
    text = m.get_root().render()
    assert "4G signal" in text
    assert "Existing sites" in text
    assert text.count("<html") == 1


@pytest.mark.parametrize("kind", LAYERS)
def test_a_street_map_is_asked_for_by_tiles(things, kind):
    layers = layers_of(explore(things[kind], tiles="osm"))
    assert layers["osm"]["on"]
    assert not layers.get("hillshade", {}).get("on")


@pytest.mark.parametrize("thing", ["study.toml", None, 3, make_coverage])
def test_explore_of_something_else_says_what_it_draws(thing):
    says = rf"explore draws a Region, .* or a Plan, not a {type(thing).__name__}"
    with pytest.raises(ArgumentTypeError, match=says):
        explore(thing)


@pytest.mark.parametrize(
    ("settings", "error"),
    [({"lang": "fr"}, UnknownNameError), ({"tiles": "gaode"}, UnknownNameError)],
)
def test_explore_refuses_unknown_languages_and_street_maps(things, settings, error):
    with pytest.raises(error, match="choose"):
        explore(things["network"], **settings)
