"""Elevation, land cover and population on one pixel grid."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import rasterio
import xarray as xr
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from pyproj import CRS
from rasterio.features import geometry_mask
from rasterio.warp import Resampling, reproject

from ankang_coverage.errors import RasterError
from ankang_coverage.region.coordinates import WGS84

RasterName = Literal["elevation_m", "land_cover", "population"]

ELEVATIONS_M = (-500.0, 9000.0)
"""Below and above every place on land [m]."""

ATTRIBUTES: dict[RasterName, dict[str, str]] = {
    "elevation_m": {"units": "m", "long_name": "height above sea level"},
    "land_cover": {"units": "1", "long_name": "land cover, ESA WorldCover code"},
    "population": {"units": "1", "long_name": "relative people per pixel"},
}
MOST_PIXELS = 1_000_000_000
"""Pixels of the largest grid; a larger one comes from a polygon in the wrong place."""
UNKNOWN_SHARE = 0.01
"""Share of a region's pixels that a file may leave without data."""


def grid_around(polygons: gpd.GeoDataFrame, resolution_m: float, margin_m: float = 0.0) -> GeoBox:
    """Return the north-up grid that covers polygons, its edges on multiples of a pixel.

    Parameters
    ----------
    polygons
        Polygons in a projected CRS in metres.
    resolution_m
        Side of a pixel [m].
    margin_m
        Width of the strip added all round [m].

    Raises
    ------
    RasterError
        If the resolution is not positive, the CRS is not projected, or the grid is too large.
    """
    if not resolution_m > 0:
        raise RasterError(f"resolution_m = {resolution_m} must be positive")
    in_metres = polygons.crs is not None and polygons.crs.axis_info[0].unit_name == "metre"
    if polygons.crs is None or not polygons.crs.is_projected or not in_metres:
        raise RasterError(f"polygons must be in a projected CRS in metres, not {polygons.crs}")
    west, south, east, north = polygons.total_bounds
    grid = GeoBox.from_bbox(
        (west - margin_m, south - margin_m, east + margin_m, north + margin_m),
        crs=polygons.crs.to_string(),
        resolution=resolution_m,
    )
    if grid.shape[0] * grid.shape[1] > MOST_PIXELS:
        raise RasterError(
            f"the polygons span {(east - west) / 1000:,.0f} × {(north - south) / 1000:,.0f} km, "
            f"too much for pixels of {resolution_m:g} m: correct the polygon that stands far from "
            f"the others, or use a coarser resolution_m"
        )
    return grid


def read_raster(
    paths: str | Path | Sequence[str | Path], geobox: GeoBox, name: RasterName
) -> xr.DataArray:
    """Read GeoTIFFs, mosaic and resample them onto a grid.

    Parameters
    ----------
    paths
        One file, or tiles that together cover the grid. Where tiles overlap, the first with data
        is used; people of tiles that meet inside a pixel are added.
    geobox
        The grid to fill.
    name
        What the file holds: elevation is averaged or interpolated, land cover takes the most
        frequent or nearest class, population is summed so that people are neither made nor lost.

    Returns
    -------
    xarray.DataArray
        (y, x) on `geobox`; float32 with NaN where no file has data, land cover uint8 with 0.

    Raises
    ------
    RasterError
        If a file is missing, is no raster, has no CRS, none overlaps the grid, or a value cannot
        be what the raster is said to hold.
    """
    files = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    if not files:
        raise RasterError(f"{name}: no file is given")
    filled = np.full(geobox.shape, np.nan, np.float32)
    for file in files:
        layer = _read_one(file, geobox, name)
        both = filled + layer if name == "population" else filled
        filled = np.where(np.isnan(filled), layer, np.where(np.isnan(layer), filled, both))
    if np.isnan(filled).all():
        shown = ", ".join(file.name for file in files)
        west, south, east, north = geobox.geographic_extent.boundingbox.bbox
        raise RasterError(
            f"{name}: {shown} has no data for 100% of the region, which reaches from "
            f"{west:.3f} to {east:.3f}°E and from {south:.3f} to {north:.3f}°N: give a file that "
            f"covers it"
        )
    return as_raster(filled, geobox, name)


def as_raster(values: NDArray[np.generic], geobox: GeoBox, name: RasterName) -> xr.DataArray:
    """Wrap an array as the named raster of a region, with its units.

    Parameters
    ----------
    values
        (y, x) array on the grid.
    geobox
        The grid.
    name
        Which raster of a region this is; it decides data type and attributes.

    Raises
    ------
    RasterError
        If the shape is not the grid's, an elevation is higher or lower than any on earth, or a
        land-cover code is no whole number from 0 to 255.
    """
    if values.shape != tuple(geobox.shape):
        raise RasterError(f"{name} has shape {values.shape}, its grid {tuple(geobox.shape)}")
    _require_plausible(values, name)
    if name == "land_cover":
        cast = np.nan_to_num(values, nan=0).astype(np.uint8)
    else:
        cast = values.astype(np.float32)
    return xr.DataArray(
        cast,
        dims=("y", "x"),
        coords=xr_coords(geobox),
        name=name,
        attrs={**ATTRIBUTES[name], "grid_mapping": "spatial_ref"},
    )


def _require_plausible(values: NDArray[np.generic], name: RasterName) -> None:
    if name != "population" and np.isinf(values).any():
        raise RasterError(f"{name} holds an infinite value: declare it as no data")
    known = values[np.isfinite(values)].astype(np.float64)
    if name == "elevation_m":
        wrong = known[(known < ELEVATIONS_M[0]) | (known > ELEVATIONS_M[1])]
        remedy = "declare its no-data value with gdal_edit.py -a_nodata, or give metres"
    elif name == "land_cover":
        wrong = known[(known < 0) | (known > 255) | (known != np.rint(known))]
        remedy = "give ESA WorldCover codes"
    else:
        return
    if wrong.size:
        raise RasterError(f"{name} holds {wrong[0]:g}, which it cannot be: {remedy}")


def require_same_crs(table: gpd.GeoDataFrame, geobox: GeoBox, what: str) -> None:
    """Refuse polygons or points that are not in the CRS of a grid.

    Parameters
    ----------
    table
        The polygons or points.
    geobox
        The grid.
    what
        What they are, for the message.

    Raises
    ------
    RasterError
        If a CRS is missing or they differ.
    """
    if table.crs is None or geobox.crs is None:
        raise RasterError(f"{what} and rasters need a CRS: set it with set_crs / assign_crs")
    grid_crs = CRS.from_user_input(str(geobox.crs))
    if not table.crs.equals(grid_crs, ignore_axis_order=True):
        raise RasterError(
            f"{what} are in {crs_label(table.crs)}, the rasters in {crs_label(grid_crs)}: "
            f"reproject with to_crs('{crs_label(grid_crs)}')"
        )


def require_cover(
    raster: xr.DataArray, polygons: gpd.GeoDataFrame, paths: str | Path | Sequence[str | Path]
) -> None:
    """Refuse a raster that leaves more than `UNKNOWN_SHARE` of the polygons without data.

    Parameters
    ----------
    raster
        (y, x) as from `read_raster`.
    polygons
        What it has to cover, in its CRS.
    paths
        Where it was read from, for the message.

    Raises
    ------
    RasterError
        With the percentage that is missing and the extent that is needed.
    """
    geobox = raster.odc.geobox
    unknown = raster.to_numpy() == 0 if raster.name == "land_cover" else np.isnan(raster.to_numpy())
    inside = geometry_mask(polygons.geometry, tuple(geobox.shape), geobox.transform, invert=True)
    share = float(unknown[inside].mean()) if inside.any() else 0.0
    if share > UNKNOWN_SHARE:
        west, south, east, north = polygons.to_crs(WGS84).total_bounds
        files = [paths] if isinstance(paths, str | Path) else paths
        raise RasterError(
            f"{raster.name}: {', '.join(map(str, files))} has no data for {share:.0%} of the "
            f"region: give files that cover {west:.2f}–{east:.2f}°E, {south:.2f}–{north:.2f}°N"
        )


def crs_label(crs: CRS) -> str:
    """Return the short name of a CRS: ``EPSG:32649`` where it has a code."""
    authority = crs.to_authority()
    return ":".join(authority) if authority else crs.name


def _read_one(file: Path, geobox: GeoBox, name: RasterName) -> NDArray[np.float32]:
    try:
        source = rasterio.open(file)
    except rasterio.RasterioIOError as error:
        raise RasterError(f"{name}: cannot read {file} as a raster ({error})") from error
    with source:
        if source.crs is None:
            raise RasterError(f"{name}: {file} has no CRS; write one with gdal_edit.py -a_srs")
        target = np.full(geobox.shape, np.nan, np.float32)
        coarse = _ground_pixel_m(source) > geobox.resolution.x
        reproject(
            rasterio.band(source, 1),
            target,
            dst_transform=geobox.transform,
            dst_crs=str(geobox.crs),
            dst_nodata=np.nan,
            init_dest_nodata=True,
            resampling=_resampling(name, coarse=coarse),
        )
    return target


def _resampling(name: RasterName, *, coarse: bool) -> Resampling:
    """Interpolate sources coarser than the grid, aggregate finer ones."""
    if name == "population":
        return Resampling.sum
    if name == "land_cover":
        return Resampling.nearest if coarse else Resampling.mode
    return Resampling.bilinear if coarse else Resampling.average


def _ground_pixel_m(source: rasterio.DatasetReader) -> float:
    size = abs(source.transform.e)
    return float(size * 111_320.0 if source.crs.is_geographic else size)
