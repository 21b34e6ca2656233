"""Rasters on a web map: where they lie, how they are shaded, what the PNG holds."""

import io

import numpy as np
import pytest
import rasterio
import xarray as xr
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from ankang_coverage.errors import RasterError
from ankang_coverage.reporting.overlays import (
    WebRaster,
    classify,
    height_breaks,
    hillshade,
    paletted_png,
    relief_png,
    to_web_mercator,
)
from ankang_coverage.reporting.style import HEIGHT_TINTS, SHADOW, rgb

LATITUDE_DEG = 32.7
PIXEL_M = 100.0


def inclined_plane(slope, towards_deg):
    """A web raster of a plane that falls towards an azimuth with a slope on the ground."""
    northing = 6378137.0 * np.arctanh(np.sin(np.radians(LATITUDE_DEG)))
    geobox = GeoBox.from_bbox(
        (12_100_000, northing - 250, 12_100_500, northing + 250), "EPSG:3857", resolution=PIXEL_M
    )
    ground = np.cos(np.radians(LATITUDE_DEG))
    rows, columns = geobox.shape
    east = np.arange(columns) * PIXEL_M * ground
    north = -np.arange(rows)[:, np.newaxis] * PIXEL_M * ground
    towards = np.radians(towards_deg)
    fall = slope * (east * np.sin(towards) + north * np.cos(towards))
    return WebRaster(values=(1000 - fall).astype(np.float32), geobox=geobox)


@pytest.mark.parametrize(
    ("slope", "towards_deg", "shade"),
    [
        (0.0, 0.0, np.sin(np.radians(45))),  # level ground under a light 45° high
        (1.0, 315.0, 1.0),  # faces the light
        (1.0, 135.0, 0.0),  # the light grazes it
        (2.0, 135.0, 0.0),  # in its own shadow
        (1.0, 45.0, 0.5),  # across: cos 45° · sin 45°
    ],
)
def test_hillshade_of_a_plane(slope, towards_deg, shade):
    shaded = hillshade(inclined_plane(slope, towards_deg))
    # Two rows off the latitude the ground's scale differs by 3e-5.
    np.testing.assert_allclose(shaded, shade, atol=1e-4)


def test_hillshade_is_transparent_beside_the_unknown():
    plane = inclined_plane(0.2, 90.0)
    values = plane.values.copy()
    values[2, 2] = np.nan
    shaded = hillshade(WebRaster(values, plane.geobox))
    assert np.isnan(shaded[2, 1])
    with rasterio.open(io.BytesIO(relief_png(WebRaster(values, plane.geobox)))) as image:
        opaque = np.array([image.colormap(1)[value][3] for value in image.read(1).ravel()])
    np.testing.assert_array_equal(opaque == 0, np.isnan(shaded).ravel())


def test_tints_are_narrow_in_the_valleys_and_wide_above():
    heights = np.arange(1000, dtype=np.float32).reshape(20, 50) * 2
    assert height_breaks(heights) == (150.0, 500.0, 1000.0, 1500.0)
    assert height_breaks(np.full((3, 3), np.nan, np.float32)) == ()
    plane = inclined_plane(0.0, 0.0)
    stairs = np.tile(np.arange(5, dtype=np.float32) ** 2 * 400, (5, 1))
    flat = WebRaster(stairs, plane.geobox)
    index = classify(hillshade(flat).astype(np.float32), np.arange(24) / 24)
    with rasterio.open(io.BytesIO(relief_png(flat))) as image:
        found = [image.colormap(1)[value][:3] for value in image.read(1)[2]]
    tints = np.searchsorted(height_breaks(stairs), stairs[0], side="right")
    assert len(set(tints)) == 4
    for column, colour in enumerate(found):
        part = np.linspace(SHADOW, 1.0, 24)[index[2, column] - 1]
        assert colour == tuple(
            round(channel * part) for channel in rgb(HEIGHT_TINTS[tints[column]])
        )


def test_png_holds_indices_and_palette():
    index = np.random.default_rng(1).integers(0, 5, (37, 61)).astype(np.uint8)
    palette = [(0, 0, 0, 0), (255, 0, 0, 10), (0, 255, 0, 20), (1, 2, 3, 4), (9, 8, 7, 255)]
    with rasterio.open(io.BytesIO(paletted_png(index, palette))) as image:
        np.testing.assert_array_equal(image.read(1), index)
        assert [image.colormap(1)[entry] for entry in range(5)] == palette


def test_classes_begin_at_their_lower_edge():
    values = np.array([np.nan, -np.inf, -110.1, -110.0, -100.0, 0.0], np.float32)
    assert classify(values, [-110.0, -100.0]).tolist() == [0, 0, 0, 1, 2, 2]


@pytest.mark.parametrize("resampling", ["nearest", "average"])
def test_large_rasters_are_coarsened(resampling):
    geobox = GeoBox.from_bbox((300_000, 3_600_000, 330_000, 3_640_000), "EPSG:32649", resolution=50)
    raster = xr.DataArray(
        np.full(geobox.shape, 7.0, np.float32), coords=xr_coords(geobox), dims=("y", "x")
    )
    web = to_web_mercator(raster, resampling, max_pixels=256)
    assert max(web.values.shape) == 256
    known = web.values[~np.isnan(web.values)]
    assert known.size > 0.9 * web.values.size
    np.testing.assert_allclose(known, 7.0)


def test_zoom_is_where_pixels_meet_the_screen():
    # At zoom 0 the world, 40,075,017 m wide, is one tile of 256 pixels.
    geobox = GeoBox.from_bbox((0, 0, 1000, 1000), "EPSG:3857", resolution=40_075_016.686 / 256 / 8)
    assert WebRaster(np.zeros(geobox.shape, np.float32), geobox).zoom == pytest.approx(3.0)


def test_raster_without_crs_is_refused():
    raster = xr.DataArray(np.zeros((3, 3)), dims=("y", "x"), name="height")
    with pytest.raises(RasterError, match="'height' has no CRS"):
        to_web_mercator(raster, "nearest")
