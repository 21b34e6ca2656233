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
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import Resampling, reproject

from ankang_coverage.errors import RasterError
from ankang_coverage.limits import require_within
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.raster_files import open_raster, require_modest, require_whole

RasterName = Literal["elevation_m", "land_cover", "population"]

ELEVATIONS_M = (-500.0, 9000.0)
"""Lowest and highest elevation, below and above every place on land [m]."""

ATTRIBUTES: dict[RasterName, dict[str, str]] = {
    "elevation_m": {"units": "m", "long_name": "height above sea level"},
    "land_cover": {"units": "1", "long_name": "land cover, ESA WorldCover code"},
    "population": {"units": "1", "long_name": "relative people per pixel"},
}
UNKNOWN_SHARE = 0.01
"""Largest share of a region's pixels without data."""
SMALL_KINDS = ("uint8", "int8", "uint16", "int16")
"""Number types whose most frequent value GDAL finds by counting, which is fast."""


def grid_around(polygons: gpd.GeoDataFrame, resolution_m: float, margin_m: float = 0.0) -> GeoBox:
    """Return the north-up grid that covers polygons, aligned to multiples of a pixel.

    Parameters
    ----------
    polygons : geopandas.GeoDataFrame
        Polygons in a projected CRS in metres.
    resolution_m : float
        Side of a pixel [m].
    margin_m : float, default 0.0
        Width of the strip added all round [m].

    Returns
    -------
    GeoBox
        The grid.

    Raises
    ------
    RasterError
        If the resolution is not positive, or the CRS is not projected.
    LimitError
        If the grid has more than ``grid_pixels``.
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
    require_within(
        "grid_pixels",
        grid.shape[0] * grid.shape[1],
        f"the polygons span {(east - west) / 1000:,.0f} × {(north - south) / 1000:,.0f} km, which "
        f"makes too many pixels of {resolution_m:g} m (correct a polygon that is far from the "
        f"others, or use a coarser resolution_m)",
    )
    return grid


def read_raster(
    paths: str | Path | Sequence[str | Path], geobox: GeoBox, name: RasterName
) -> xr.DataArray:
    """Read GeoTIFFs, mosaic and resample them onto a grid.

    Parameters
    ----------
    paths : str or Path or sequence of str or Path
        One file, or tiles that together cover the grid. Where tiles overlap, the first with data
        is used; people of tiles that meet inside a pixel are added.
    geobox : GeoBox
        The grid to fill.
    name : RasterName
        Kind of raster: elevation is averaged or interpolated, land cover takes the most frequent or
        nearest class, population is summed so that the number of people is kept.

    Returns
    -------
    xarray.DataArray
        (y, x) on `geobox`; float32 with NaN where no file has data, land cover uint8 with 0.

    Raises
    ------
    RasterError
        If a file is missing, is not a raster or has no CRS, none overlaps the grid, or a value is
        impossible for this kind of raster.
    """
    files = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    if not files:
        raise RasterError(f"{name}: no file is given")
    filled = _read_one(files[0], geobox, name)
    for file in files[1:]:
        layer = _read_one(file, geobox, name)
        both = np.add(filled, layer) if name == "population" else filled
        filled = np.where(_unknown(filled), layer, np.where(_unknown(layer), filled, both))
    if _unknown(filled).all():
        names = ", ".join(file.name for file in files)
        west, south, east, north = geobox.geographic_extent.boundingbox.bbox
        raise RasterError(
            f"{name}: {names} has no data for 100% of the region, which reaches from "
            f"{west:.3f} to {east:.3f}°E and from {south:.3f} to {north:.3f}°N: give a file that "
            f"covers it"
        )
    return as_raster(filled, geobox, name)


def as_raster(values: NDArray[np.generic], geobox: GeoBox, name: RasterName) -> xr.DataArray:
    """Wrap an array as the named raster of a region, with its units.

    Parameters
    ----------
    values : numpy.ndarray
        (y, x) array on the grid.
    geobox : GeoBox
        The grid.
    name : RasterName
        Kind of raster, which decides data type and attributes.

    Returns
    -------
    xarray.DataArray
        (y, x) on `geobox`.

    Raises
    ------
    RasterError
        If the shape is not the grid's, an elevation is higher or lower than any on earth, or a
        land-cover code is not a whole number from 0 to 255.
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
    known = values[np.isfinite(values)]
    if name == "elevation_m":
        wrong = known[(known < ELEVATIONS_M[0]) | (known > ELEVATIONS_M[1])]
        remedy = "declare its no-data value with gdal_edit.py -a_nodata, or give metres"
    elif name == "land_cover":
        wrong = known[(known < 0) | (known > 255) | (known != np.rint(known))]
        remedy = "give ESA WorldCover codes"
    else:
        return
    if wrong.size:
        raise RasterError(f"{name} holds {wrong[0]:g}, which is impossible: {remedy}")


def require_same_crs(table: gpd.GeoDataFrame, geobox: GeoBox, what: str) -> None:
    """Refuse polygons or points that are not in the CRS of a grid.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        The polygons or points.
    geobox : GeoBox
        The grid.
    what : str
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
    raster : xarray.DataArray
        (y, x) as from `read_raster`.
    polygons : geopandas.GeoDataFrame
        Polygons it has to cover, in its CRS.
    paths : str or Path or sequence of str or Path
        Files it was read from, for the message.

    Raises
    ------
    RasterError
        With the percentage that is missing and the extent that is needed.
    """
    geobox = raster.odc.geobox
    unknown = _unknown(raster.to_numpy())
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
    """Return the short name of a CRS.

    Parameters
    ----------
    crs : CRS
        The CRS.

    Returns
    -------
    str
        Such as ``EPSG:32649`` where it has a code, else its name.
    """
    authority = crs.to_authority()
    return ":".join(authority) if authority else crs.name


def _unknown(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return where a raster has no data: 0 in integers, which are land-cover codes, else NaN."""
    return values == 0 if values.dtype.kind in "iu" else np.isnan(values)


def _read_one(file: Path, geobox: GeoBox, name: RasterName) -> NDArray[np.generic]:
    """Return a file on the grid: float32 with NaN, land cover int32 with 0 where it is unknown."""
    with open_raster(file, name) as source:
        require_modest(source, file, geobox, name)
        require_whole(source, file, geobox, name)
        if name == "land_cover":
            return _land_cover_on(geobox, source)
        return _warped(source, geobox, _resampling(name, coarse=_is_coarse(source, geobox)))


def _land_cover_on(geobox: GeoBox, source: DatasetReader) -> NDArray[np.int32]:
    """Return codes, in the file's own number type where it is small, which is fastest in GDAL."""
    how = _resampling("land_cover", coarse=_is_coarse(source, geobox))
    if source.dtypes[0] in SMALL_KINDS and float(source.nodata or 0.0).is_integer():
        return _codes_on(geobox, source, how)
    sample = _warped(source, geobox, Resampling.nearest)
    _require_plausible(sample, "land_cover")  # before conversion drops fractions and large numbers
    grid = {"transform": source.transform, "width": source.width, "height": source.height}
    with WarpedVRT(source, crs=source.crs, **grid, dtype="int16", nodata=-1) as codes:
        return _codes_on(geobox, codes, how)


def _codes_on(geobox: GeoBox, source: DatasetReader, how: Resampling) -> NDArray[np.int32]:
    # GDAL fills gaps with the file's own no-data value, even where another is requested.
    no_data = int(source.nodata or 0)
    values = _warped(source, geobox, how, np.full(geobox.shape, no_data, source.dtypes[0]), no_data)
    return np.where(values == no_data, 0, values.astype(np.int32))


def _warped(
    source: DatasetReader,
    geobox: GeoBox,
    how: Resampling,
    target: NDArray[np.generic] | None = None,
    no_data: float = np.nan,
) -> NDArray[np.generic]:
    """Fill an array on the grid, a float32 one when omitted, from the first band of a raster."""
    values = np.full(geobox.shape, no_data, np.float32) if target is None else target
    reproject(
        rasterio.band(source, 1),
        values,
        dst_transform=geobox.transform,
        dst_crs=str(geobox.crs),
        dst_nodata=no_data,
        init_dest_nodata=True,
        resampling=how,
    )
    return values


def _resampling(name: RasterName, *, coarse: bool) -> Resampling:
    """Interpolate sources coarser than the grid, aggregate finer ones."""
    if name == "population":
        return Resampling.sum
    if name == "land_cover":
        return Resampling.nearest if coarse else Resampling.mode
    return Resampling.bilinear if coarse else Resampling.average


def _is_coarse(source: DatasetReader, geobox: GeoBox) -> bool:
    step = float(np.hypot(source.transform.b, source.transform.e))
    return step * (111_320.0 if source.crs.is_geographic else 1.0) > geobox.resolution.x
