"""WHERE: the divisions and the rasters of one study area."""

from ankang_coverage.region.divisions import as_divisions, check_hierarchy, read_divisions
from ankang_coverage.region.rasters import as_raster, grid_around, read_raster
from ankang_coverage.region.region import Region, Source
from ankang_coverage.region.shares import PixelShares, area_fractions, pixel_shares

__all__ = [
    "PixelShares",
    "Region",
    "Source",
    "area_fractions",
    "as_divisions",
    "as_raster",
    "check_hierarchy",
    "grid_around",
    "pixel_shares",
    "read_divisions",
    "read_raster",
]
