"""Layers of a map: images lie where they should, and cards say what the tables say."""

import io
from base64 import b64decode

import numpy as np
import pytest
import rasterio
import xarray as xr
from builders import HandmadeCoverage
from drawn import (
    COLUMNS,
    CRS,
    EAST,
    EVIL,
    NORTH,
    PIXEL_M,
    ROWS,
    SOUTH,
    WEST,
    layers_of,
    make_coverage,
    make_plan,
    make_region,
    page_of,
)
from pyproj import Transformer
from rasterio.warp import transform_bounds

from ankang_coverage.errors import RasterError
from ankang_coverage.reporting import style
from ankang_coverage.reporting.maps import coverage_map, plan_map


@pytest.fixture
def region():
    return make_region()


@pytest.fixture
def plan(region):
    return make_plan(region)


def read_image(layer):
    """Palette entries, palette and geometry of an image layer, as GDAL reads the PNG."""
    png = b64decode(layer["url"].removeprefix("data:image/png;base64,"))
    with rasterio.open(io.BytesIO(png)) as image:
        return image.read(1), image.colormap(1)


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
    known = make_coverage(region, "4g")
    plan.coverage_after["4g"] = HandmadeCoverage((known * np.nan).assign_attrs(known.attrs))
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


def test_basemap_is_asked_for(plan):
    assert "osm" not in layers_of(plan_map(plan))
    layers = layers_of(plan_map(plan, basemap="osm"))
    assert layers["osm"]["on"]
    assert not layers["hillshade"]["on"]
    key = "0123456789abcdef0123456789abcdef"
    layers = layers_of(plan_map(plan, basemap="tianditu", tianditu_key=key))
    assert all(url.endswith(f"&tk={key}") for url in layers["tianditu"]["urls"])


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
