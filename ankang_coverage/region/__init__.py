"""The divisions and rasters of one study area."""

from ankang_coverage.region.divisions import as_divisions, check_hierarchy, read_divisions
from ankang_coverage.region.land_cover import LandCoverClass, LandCoverTable, bare_ground
from ankang_coverage.region.profiles import TerrainProfile, profile_along
from ankang_coverage.region.rasters import as_raster, grid_around, read_raster
from ankang_coverage.region.region import Region, Source
from ankang_coverage.region.shares import PixelShares, area_fractions, pixel_shares

__all__ = [
    "LandCoverClass",
    "LandCoverTable",
    "PixelShares",
    "Region",
    "Source",
    "TerrainProfile",
    "area_fractions",
    "as_divisions",
    "as_raster",
    "bare_ground",
    "check_hierarchy",
    "grid_around",
    "pixel_shares",
    "profile_along",
    "read_divisions",
    "read_raster",
]
