"""Reading a coverage in blocks: all of it, once, and along its tiles."""

import numpy as np
import pytest
import xarray as xr
from odc.geo.xr import xr_coords

from ankang_coverage.coverage.zonal.blocks import (
    BLOCK_PIXELS,
    Block,
    blocks_of,
    each_block,
    grid_of,
    read_block,
    require_same_grid,
)
from ankang_coverage.errors import RasterError


def of_shape(rows, columns):
    return xr.Dataset({"rsrp_dbm": (("y", "x"), np.zeros((rows, columns)))})


@pytest.mark.parametrize("chunks", [None, {"y": 300, "x": 700}, {"y": 5000, "x": 5000}])
def test_blocks_cover_the_grid_once(chunks):
    coverage = of_shape(BLOCK_PIXELS + 77, 2 * BLOCK_PIXELS)
    times = np.zeros(coverage["rsrp_dbm"].shape, int)
    for block in blocks_of(coverage if chunks is None else coverage.chunk(chunks)):
        times[block] += 1
    assert (times == 1).all()


def test_blocks_are_the_tiles():
    tiled = of_shape(100, 90).chunk({"y": 40, "x": 50})
    assert [block.rows.stop for block in blocks_of(tiled)] == [40, 40, 80, 80, 100, 100]
    assert [block.columns.stop for block in blocks_of(tiled)] == [50, 90] * 3
    lazy = of_shape(100, 90)
    lazy["rsrp_dbm"].encoding["preferred_chunks"] = {"y": 64, "x": 32}
    assert blocks_of(lazy)[0] == Block(slice(0, 64), slice(0, 32))


def test_results_come_in_order_and_errors_come_through():
    blocks = [Block(slice(n, n + 1), slice(0, 1)) for n in range(50)]
    assert list(each_block(lambda block: block.rows.start, blocks)) == list(range(50))
    with pytest.raises(ZeroDivisionError):
        list(each_block(lambda block: 1 / (block.rows.start - 30), blocks))


def test_a_block_is_read_with_the_type_of_its_variable():
    values = np.arange(12.0).reshape(3, 4)
    names = ("rsrp_dbm", "best_server", "covered")
    coverage = xr.Dataset(dict.fromkeys(names, (("y", "x"), values)))
    block = Block(slice(1, 3), slice(2, 4))
    for name, dtype in zip(names, (np.float32, np.int32, np.bool_), strict=True):
        read = read_block(coverage, name, block)
        assert read.dtype == dtype
        assert read.flags.c_contiguous
        assert read.tolist() == values[1:3, 2:4].astype(dtype).tolist()


def test_a_coverage_needs_a_grid(small_region):
    with pytest.raises(RasterError, match="has no variable 'rsrp_dbm'"):
        grid_of(xr.Dataset())
    with pytest.raises(RasterError, match="has no grid: keep its coordinates"):
        grid_of(of_shape(3, 4))
    coverage = of_shape(60, 60).assign_coords(xr_coords(small_region.geobox))
    require_same_grid(coverage, small_region.geobox, "the region")
    with pytest.raises(RasterError, match=r"from \(500040, 3620070\) in EPSG:32649, the region on"):
        require_same_grid(coverage, small_region.geobox.pad(1), "the region")
