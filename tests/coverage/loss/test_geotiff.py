"""GeoTIFFs of the store: their pixels, tags and digests."""

import hashlib

import numpy as np
import pytest
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError

from ankang_coverage.coverage.loss.geotiff import (
    as_bytes,
    digest_of,
    input_tags,
    loss_pixels,
    own_window,
    pixel_flaw,
    raster_crs,
    read_raster,
)
from ankang_coverage.coverage.loss.loss_window import LossWindow

GRID = GeoBox.from_bbox((300_000, 3_600_000, 330_000, 3_621_000), "EPSG:32649", resolution=30)
KEY = "0123456789abcdef" * 2
ROWS, COLUMNS = slice(100, 300), slice(500, 700)


@pytest.fixture
def bands():
    return np.random.default_rng(0).integers(0, 9_000, (3, 200, 200), np.int16)


@pytest.fixture
def kept(store, bands):
    """A path loss as the store writes it."""
    store.write_loss(KEY, LossWindow(ROWS, COLUMNS, *bands), GRID, {"note": "安康 <&>"})
    return store.folder / "loss" / KEY[:2] / f"{KEY}.tif"


def test_tags_say_what_a_raster_depends_on_and_where_it_lies(kept):
    assert read_raster(kept, input_tags) == {"note": "安康 <&>"}
    assert read_raster(kept, own_window) == (ROWS, COLUMNS)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (ROWS, COLUMNS),
        (slice(120, 131), slice(640, 660)),  # over the edge of two blocks
        (slice(299, 300), slice(500, 501)),
        (slice(150, 150), slice(500, 700)),  # nothing
    ],
)
def test_a_window_of_the_grid_has_the_pixels_that_were_given(kept, bands, rows, columns):
    found = read_raster(kept, lambda raster: loss_pixels(raster, rows, columns))
    expected = bands[
        :, rows.start - 100 : rows.stop - 100, columns.start - 500 : columns.stop - 500
    ]
    assert found.dtype == np.int16
    assert np.array_equal(found, expected)


def test_a_raster_opens_without_its_place_which_others_find_in_it(kept):
    assert read_raster(kept, lambda raster: raster.crs) is None
    with rasterio.open(kept) as raster:
        assert raster.crs == raster_crs("EPSG:32649")


def test_a_crs_is_that_of_its_code_and_of_its_text():
    by_code = raster_crs("EPSG:32649")
    assert by_code == raster_crs(by_code.to_wkt())
    assert by_code is raster_crs("EPSG:32649")  # parsed once


def test_whole_pixels_have_no_flaw_and_others_are_told(kept, tmp_path):
    assert pixel_flaw(kept) is None
    assert pixel_flaw(tmp_path / "ground.npy") is None  # no raster
    copy = tmp_path / kept.name
    copy.write_bytes(kept.read_bytes())
    with rasterio.open(copy, "r+") as raster:
        band = raster.read(1)
        band[100, 200] += 1
        raster.write(band, 1)
    assert pixel_flaw(copy) == "pixels differ from their digest"
    copy.write_bytes(kept.read_bytes()[:100])
    assert pixel_flaw(copy)
    copy.unlink()
    assert pixel_flaw(copy) is None  # gone since, which is no flaw


def test_what_is_no_raster_is_rasterios_error(tmp_path):
    (tmp_path / "a.tif").write_text("nothing")
    with pytest.raises(RasterioError):
        read_raster(tmp_path / "a.tif", input_tags)


def test_a_digest_is_that_of_all_bytes_in_order():
    first, second = np.arange(6, dtype=np.int16).reshape(2, 3), np.float32([1.5])
    expected = hashlib.sha256(b"head" + first.tobytes() + second.tobytes()).hexdigest()
    assert digest_of([first, second], b"head") == expected
    assert digest_of([second, first], b"head") != expected
    assert digest_of([first.T.copy().T, second], b"head") == expected  # whatever its layout
    assert bytes(as_bytes(first)) == first.tobytes()
