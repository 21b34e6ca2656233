"""Maps: the pages say what the tables say, and need nothing from outside."""

import html
import io
import json
import re
from base64 import b64decode
from types import SimpleNamespace

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import xarray as xr
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from pyproj import Transformer
from rasterio.warp import transform_bounds

from ankang_coverage.errors import OutOfRangeError, RasterError, UnknownNameError
from ankang_coverage.region.region import Region, Source
from ankang_coverage.reporting import style
from ankang_coverage.reporting.maps import coverage_map, plan_map
from ankang_coverage.sites.network import Network, no_rejections

CRS = "EPSG:32649"
PIXEL_M = 300.0
ROWS, COLUMNS = 40, 50
# South-west corner near 109.0° E, 32.7° N.
WEST, SOUTH = 312_600.0, 3_619_500.0
EAST, NORTH = WEST + COLUMNS * PIXEL_M, SOUTH + ROWS * PIXEL_M
EVIL = "</script><b>x"
THRESHOLDS = {"4g": -110.0, "5g": -105.0}


@pytest.fixture
def region():
    return make_region()


@pytest.fixture
def plan(region):
    return make_plan(region)


def make_region():
    geobox = GeoBox.from_bbox((WEST, SOUTH, EAST, NORTH), CRS, resolution=PIXEL_M)
    row, column = np.mgrid[:ROWS, :COLUMNS]
    elevation = 600 + 400 * np.sin(column / 6) * np.cos(row / 5) + 8 * row
    rasters = xr.Dataset(
        {
            "elevation_m": (("y", "x"), elevation.astype(np.float32)),
            "land_cover": (("y", "x"), np.full((ROWS, COLUMNS), 10, np.uint8)),
            "population": (("y", "x"), np.ones((ROWS, COLUMNS), np.float32)),
        },
        coords=xr_coords(geobox),
    )
    villages = gpd.GeoDataFrame(
        {
            "name": ["一村", "二村", EVIL, "四村", "A & B", "六社区"],
            "kind": ["village"] * 5 + ["community"],
            "people": [1200, 800, 350, 40, 0, 5110],
            "county": ["610902"] * 4 + ["610921"] * 2,
            "township": ["610902001"] * 2 + ["610902002"] * 2 + ["610921001"] * 2,
            "geometry_source": "synthetic",
        },
        index=[f"61{number:010d}" for number in range(6)],
        geometry=[
            shapely.box(
                WEST + 5e3 * i, SOUTH + 6e3 * j, WEST + 5e3 * (i + 1), SOUTH + 6e3 * (j + 1)
            )
            for i in range(3)
            for j in range(2)
        ],
        crs=CRS,
    )
    return Region(
        name="试验区",
        counties=_parents(villages, "county", ["汉滨区", "汉阴县"]),
        townships=_parents(villages, "township", ["甲镇", "乙镇", "丙街道"]),
        villages=villages,
        rasters=rasters,
        sources=(
            Source("county polygons", "real", "天地图 <b>2023</b>"),
            Source("village polygons", "synthetic", "made from seed 1"),
        ),
    )


def _parents(villages, column, names):
    keep = ["people", "county", "geometry"] if column == "township" else ["people", "geometry"]
    grouped = villages[[*dict.fromkeys([*keep, column])]].dissolve(
        column, aggfunc={"people": "sum", **({"county": "first"} if "county" in keep else {})}
    )
    return grouped.assign(name=names, kind="", geometry_source="synthetic")


def make_coverage(region, service, shift_db=0.0):
    """RSRP that falls by 1 dB per pixel from −70 dBm in the west; the last column is unknown."""
    rsrp = np.broadcast_to(-70.0 - np.arange(COLUMNS) + shift_db, (ROWS, COLUMNS)).copy()
    rsrp[:, -1] = np.nan
    return xr.Dataset(
        {
            "rsrp_dbm": (("y", "x"), rsrp.astype(np.float32)),
            "best_server": (("y", "x"), np.zeros((ROWS, COLUMNS), np.int32)),
        },
        coords=xr_coords(region.geobox),
        attrs={
            "service": service,
            "rsrp_threshold_dbm": THRESHOLDS[service],
            "model": "hata",
            "terrain": "none",
        },
    )


def make_network(number=3):
    ids = [f"S{i}" for i in range(number)]
    sites = gpd.GeoDataFrame(
        {
            "name": [EVIL, *(f"站{i}" for i in range(1, number))],
            "status": "existing",
            "kind": "macro",
            "source": "synthetic",
        },
        index=ids,
        geometry=gpd.points_from_xy(
            WEST + 14e3 * np.modf(np.arange(1, number + 1) * 0.618)[0],
            SOUTH + 11e3 * np.modf(np.arange(1, number + 1) * 0.414)[0],
        ),
        crs=CRS,
    )
    cells = pd.DataFrame(
        columns=[
            *("site", "radio_layer", "antenna", "height_m", "azimuth_deg"),
            *("mechanical_tilt_deg", "electrical_tilt_deg", "re_power_dbm"),
            *("load", "operator"),
        ]
    )
    return Network(sites=sites, cells=cells, rejected=no_rejections())


def make_plan(region):
    titles = {
        "micro-4g": {"zh": "农村微基站", "en": "Rural micro sites"},
        "supporting-5g": {"zh": "5G 配套站点", "en": "5G supporting sites"},
    }
    targets = [SimpleNamespace(id=id_, title=title.get) for id_, title in titles.items()]
    chosen = gpd.GeoDataFrame(
        {
            "programme": ["micro-4g", "micro-4g", "supporting-5g"],
            "order": [1, 2, 1],
            "name": ["甲站", EVIL, "丙站"],
            "service": ["4g", "4g", "5g"],
            "kind": ["micro", "micro", "macro"],
            "county": "610902",
            "county_name": "汉滨区",
            "township": "610902001",
            "township_name": EVIL,
            "longitude": [109.02, 109.05, 109.1],
            "latitude": [32.72, 32.75, 32.74],
            "people_gained": [1234.567, 200.0, 4000.0],
            "people_gained_total": [1234.567, 1434.567, 4000.0],
            "reason": ["valley", EVIL, "ridge"],
            "source": "synthetic",
        },
        index=["M1", EVIL, "S1"],
        geometry=gpd.points_from_xy([WEST + 2e3, WEST + 5e3, WEST + 9e3], [SOUTH + 2e3] * 3),
        crs=CRS,
    )
    return SimpleNamespace(
        programme=SimpleNamespace(targets=()),
        region=region,
        network=make_network(),
        chosen=chosen,
        results=tuple(SimpleNamespace(target=target) for target in targets),
        coverage_before={s: make_coverage(region, s, -5.0) for s in THRESHOLDS},
        coverage_after={s: make_coverage(region, s) for s in THRESHOLDS},
        villages=_with_figures(region.villages),
        townships=_with_figures(region.townships),
        counties=_with_figures(region.counties),
        sources=(*region.sources, Source("sites", "synthetic", "seed 2")),
    )


def _with_figures(divisions):
    number = len(divisions)
    figures = {}
    for service in THRESHOLDS:
        for state, share in [("before", 0.25), ("after", 0.9996)]:
            end = f"_{service}_{state}"
            figures |= {
                f"people_covered{end}": divisions["people"] * share,
                f"people_share{end}": np.where(divisions["people"] > 0, share, np.nan),
                f"area_share{end}": np.full(number, share / 2),
                f"median_rsrp_dbm{end}": np.full(number, -90.0),
                f"coverage_class{end}": [*style.AREA_COLOURS, *style.AREA_COLOURS][:number],
            }
    return divisions.assign(**figures)


def page_of(drawn):
    """The values that the page holds for its script, read as the script reads them."""
    block = re.search(
        r'<script type="application/json" id="\w+">(.*?)</script>', drawn.get_root().render()
    )
    return json.loads(block[1])


def layers_of(drawn):
    return {layer["id"]: layer for layer in page_of(drawn)["layers"]}


def read_image(layer):
    """Palette entries, palette and geometry of an image layer, as GDAL reads the PNG."""
    png = b64decode(layer["url"].removeprefix("data:image/png;base64,"))
    with rasterio.open(io.BytesIO(png)) as image:
        return image.read(1), image.colormap(1)


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
        # Comments in Leaflet's style.
        "https://bugzilla.mozilla.org/show_bug.cgi?id=888319",
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


def test_image_lies_where_gdal_says(plan):
    layer = layers_of(plan_map(plan))["coverage-4g-after"]
    index, _ = read_image(layer)
    to_web = Transformer.from_crs(4326, 3857, always_xy=True)
    (south, west), (north, east) = layer["bounds"]
    shown = np.array([*to_web.transform(west, south), *to_web.transform(east, north)])
    given = np.array(transform_bounds(CRS, "EPSG:3857", WEST, SOUTH, EAST, NORTH))
    pixel = (shown[2] - shown[0]) / index.shape[1]
    assert pixel == pytest.approx((shown[3] - shown[1]) / index.shape[0])
    # The image holds the region and at most two transparent pixels beyond each edge.
    beyond = (given - shown) * [1, 1, -1, -1] / pixel
    assert ((beyond >= 0) & (beyond <= 2)).all()
    # Its first and last coloured columns are the edges of the covered strip, 41 pixels wide.
    filled = np.flatnonzero(index.any(axis=0))
    strip = transform_bounds(CRS, "EPSG:3857", WEST, SOUTH, WEST + 41 * PIXEL_M, NORTH)
    assert shown[0] + filled[0] * pixel == pytest.approx(strip[0], abs=pixel)
    assert shown[0] + (filled[-1] + 1) * pixel == pytest.approx(strip[2], abs=pixel)


def test_every_pixel_has_the_colour_its_legend_names(plan):
    layer = layers_of(plan_map(plan))["coverage-4g-after"]
    index, palette = read_image(layer)
    (south, west), (north, east) = layer["bounds"]
    to_web = Transformer.from_crs(4326, 3857, always_xy=True)
    to_region = Transformer.from_crs(3857, CRS, always_xy=True)
    left, top = to_web.transform(west, north)
    right, bottom = to_web.transform(east, south)
    rows, columns = index.shape
    x = left + (np.arange(columns) + 0.5) / columns * (right - left)
    y = top + (np.arange(rows) + 0.5) / rows * (bottom - top)
    easting, northing = to_region.transform(*np.meshgrid(x, y))
    column = np.floor((easting - WEST) / PIXEL_M).astype(int)
    row = np.floor((NORTH - northing) / PIXEL_M).astype(int)
    inside = (column >= 0) & (column < COLUMNS - 1) & (row >= 0) & (row < ROWS)
    # GDAL may take the neighbour where a centre falls on the edge between two pixels.
    position = (easting - WEST) / PIXEL_M % 1
    inside &= (position > 0.15) & (position < 0.85)
    rsrp = -70.0 - column[inside]
    legend = {entry["label"]: entry["color"] for entry in layer["legend"]}
    names = np.select(
        [rsrp >= -80, rsrp >= -90, rsrp >= -100, rsrp >= -110],
        ["≥ −80", "−90 … −80", "−100 … −90", "−110 … −100"],
        default="",
    )
    wanted = [style.rgb(legend[name]) if name else None for name in names]
    shown = [palette[value][:3] if palette[value][3] else None for value in index[inside]]
    assert shown == wanted
    assert inside.sum() > 1000
    assert palette[0][3] == 0
    assert palette[1][3] == round(255 * style.COVERAGE_OPACITY)


def test_unknown_signal_is_transparent(plan, region):
    plan.coverage_after["4g"] = make_coverage(region, "4g") * np.nan
    plan.coverage_after["4g"].attrs = make_coverage(region, "4g").attrs
    index, _ = read_image(layers_of(plan_map(plan))["coverage-4g-after"])
    assert not index.any()


def test_villages_carry_their_class_and_figures(plan):
    page = page_of(plan_map(plan))
    layer = next(layer for layer in page["layers"] if layer["id"] == "villages-5g")
    villages = page["areas"]["villages"]["features"]
    for village, class_ in zip(villages, plan.villages["coverage_class_5g_after"], strict=True):
        colour = layer["legend"][village["properties"]["classes"]["5g"]]["color"]
        assert colour == style.AREA_COLOURS[class_]
    # 99.96 % is not everybody; a village without people has no share of them.
    assert villages[0]["properties"]["values"] == [
        *("一村", "汉滨区 · 甲镇 · 行政村", "1,200"),
        *("25.0 % → 99.9 %", "12.5 % → 49.9 %", "25.0 % → 99.9 %", "12.5 % → 49.9 %"),
    ]
    assert villages[4]["properties"]["values"][2:4] == ["0", "– → –"]
    assert len(layer["columns"]) == len(villages[0]["properties"]["values"]) - 2


def test_polygons_stay_where_they_are(plan):
    features = page_of(plan_map(plan))["areas"]["villages"]["features"]
    drawn = gpd.GeoSeries([shapely.geometry.shape(f["geometry"]) for f in features], crs=4326)
    given = plan.villages.geometry.to_crs(4326)
    worst = shapely.hausdorff_distance(drawn.to_numpy(), given.to_numpy()).max()
    assert worst < 1e-5


def test_chosen_sites_carry_their_figures(plan):
    layer = layers_of(plan_map(plan))["chosen-micro-4g"]
    assert layer["points"][0] == [
        *(
            32.72,
            109.02,
            "农村微基站 1",
            f"汉滨区 · {EVIL}",
            "M1",
            "甲站",
            "1",
            "109.02000, 32.72000",
        ),
        *("1,235", "1,235", "河谷", "合成"),
    ]
    assert len(layer["points"]) == 2
    assert len(layer["columns"]) == len(layer["points"][0]) - 4
    assert layer["style"]["fillColor"] == layer["swatch"]["color"] == style.PROGRAMME_COLOURS[0]


def test_existing_sites_stand_where_they_are(plan):
    points = layers_of(plan_map(plan))["sites"]["points"]
    places = plan.network.sites.to_crs(4326).geometry
    assert [point[2] for point in points] == [EVIL, "站1", "站2"]
    np.testing.assert_allclose([point[0] for point in points], places.y, atol=1e-6)
    np.testing.assert_allclose([point[1] for point in points], places.x, atol=1e-6)


@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", ["合成", "站点", "未计地形"]), ("en", ["Synthetic", "sites", "No terrain"])],
)
def test_what_is_made_up_stands_on_the_map(plan, lang, words):
    notes = " ".join(page_of(plan_map(plan, lang=lang))["notes"])
    assert all(word in notes for word in words)


def test_made_up_sites_are_named_even_if_no_source_does(region):
    real = Region(**{**vars(region), "sources": (Source("elevation", "real", "someone"),)})
    coverage = make_coverage(real, "4g")
    coverage.attrs["terrain"] = "profile"
    assert page_of(coverage_map(real, coverage))["notes"] == ["传播模型：hata"]
    notes = page_of(coverage_map(real, coverage, make_network(), lang="en"))["notes"]
    assert notes == ["Synthetic, for demonstration only: sites", "Path-loss model: hata"]


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


def test_basemap_is_asked_for(plan):
    assert "osm" not in layers_of(plan_map(plan))
    layers = layers_of(plan_map(plan, basemap="osm"))
    assert layers["osm"]["on"]
    assert not layers["hillshade"]["on"]
    key = "0123456789abcdef0123456789abcdef"
    layers = layers_of(plan_map(plan, basemap="tianditu", tianditu_key=key))
    assert all(url.endswith(f"&tk={key}") for url in layers["tianditu"]["urls"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lang": "fr"}, "choose 'zh' or 'en'"),
        ({"basemap": "gaode"}, "choose 'osm', 'tianditu' or None"),
        ({"basemap": "tianditu"}, "needs tianditu_key"),
        ({"basemap": "tianditu", "tianditu_key": "<script>"}, "needs tianditu_key"),
    ],
)
def test_unknown_settings_are_refused(plan, settings, message):
    with pytest.raises((UnknownNameError, OutOfRangeError), match=message):
        plan_map(plan, **settings)


def test_coverage_without_threshold_is_refused(region):
    coverage = make_coverage(region, "4g")
    del coverage.attrs["rsrp_threshold_dbm"]
    with pytest.raises(RasterError, match="rsrp_threshold_dbm"):
        coverage_map(region, coverage)


def test_coverage_without_crs_is_refused(region):
    known = make_coverage(region, "4g")
    coverage = xr.Dataset({"rsrp_dbm": (("y", "x"), known["rsrp_dbm"].values)}, attrs=known.attrs)
    with pytest.raises(RasterError, match="'rsrp_dbm' has no CRS"):
        coverage_map(region, coverage)


def test_a_map_is_of_folium_and_shown_by_a_notebook(plan):
    drawn = plan_map(plan)
    assert isinstance(drawn, folium.Map)
    assert "<iframe" in drawn._repr_html_()


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
