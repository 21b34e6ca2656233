"""The built-in region: real counties and counts, synthetic terrain, villages and people."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import rasterio.features
import xarray as xr
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.warp import Resampling, reproject

from ankang_coverage.datasets.divisions import make_divisions
from ankang_coverage.datasets.facts import county_facts
from ankang_coverage.datasets.settlement import (
    BUILT,
    WATER,
    Centre,
    crowd,
    habitability,
    land_cover as land_cover_of,
)
from ankang_coverage.datasets.terrain import synthetic_terrain
from ankang_coverage.errors import OutOfRangeError, RasterError
from ankang_coverage.region import Region, Source, as_raster, grid_around, read_raster
from ankang_coverage.region.rasters import require_cover
from ankang_coverage.region.region import ElevationKind

_Value = TypeVar("_Value", np.float32, np.uint8)
Paths = str | Path | Sequence[str | Path]

PIXEL_M = 90.0
"""Side of a pixel of the grid on which the synthetic rasters are made [m]."""
MARGIN_M = 6000.0
"""Width of the land beyond the prefecture's border [m]."""
FINEST_M, COARSEST_M = 10.0, 3000.0
BUILT_DRAW = np.float32(8.0)
"""Factor by which more people live on a pixel that a given land cover calls built-up."""

TIANDITU = (
    "天地图 / National Platform for Common Geospatial Information Services; CGCS2000, "
    "generalised (borders up to about 240 m off)"
)
REGISTER = "National Bureau of Statistics of China, division codes, cut-off 2023-06-30"
CENSUS = "Seventh National Population Census of China, 2020-11-01"


@dataclass(frozen=True)
class _Land:
    """Everything made from one seed on the grid of `PIXEL_M`."""

    geobox: GeoBox
    counties: gpd.GeoDataFrame
    townships: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    centres: tuple[Centre, ...]
    elevation_m: NDArray[np.float32]
    population: NDArray[np.float32]
    land_cover: NDArray[np.uint8]


def ankang(
    resolution_m: float = PIXEL_M,
    *,
    elevation: Paths | None = None,
    land_cover: Paths | None = None,
    elevation_kind: ElevationKind = "dtm",
    seed: int = 2021,
) -> Region:
    """Return the prefecture of Ankang (安康), Shaanxi, as a region.

    Parameters
    ----------
    resolution_m : float, optional
        Side of a pixel, 10–3,000 [m]. The synthetic rasters are made at 90 m and resampled, so that
        every resolution has the same mountains.
    elevation, land_cover : Paths, optional
        GeoTIFFs to use instead of the synthetic rasters: one path, or tiles that together cover the
        prefecture. Elevation in metres, land cover in ESA WorldCover codes.
    elevation_kind : ElevationKind, default "dtm"
        Kind of `elevation`: ``dtm`` or ``dsm``. The synthetic terrain is a ``dtm``.
    seed : int, default 2021
        Seed of the synthetic data; the same seed gives the same bytes.

    Returns
    -------
    Region
        In EPSG:32649: 10 real counties, 139 townships (real names and codes, approximate polygons),
        1,924 synthetic villages, with the number and kinds that the register lists. People of each
        county, and of the 28 townships known, are those of the 2020 census; within these they are
        synthetic. ``sources`` lists the nature of each kind of data.

    Raises
    ------
    OutOfRangeError
        If `resolution_m` is outside 10–3,000 m.
    RasterError
        If a file is missing, has no CRS, or does not cover the prefecture; or if
        `elevation_kind` is ``dsm`` without a file.

    Notes
    -----
    Village polygons are not those of real villages: their codes end in 901–998, unlike any real
    village of Ankang, and their names contain 模拟村 (simulated village).

    Examples
    --------
    >>> region = ankang(900.0)
    >>> len(region.villages), int(region.counties["people"].sum()), region.is_synthetic
    (1924, 2493436, True)
    """
    if not FINEST_M <= resolution_m <= COARSEST_M:
        raise OutOfRangeError(
            f"resolution_m = {resolution_m} is outside {FINEST_M:g}–{COARSEST_M:g} m"
        )
    if elevation is None and elevation_kind != "dtm":
        raise RasterError(
            "the synthetic terrain is bare ground: leave elevation_kind at 'dtm', or give the "
            "surface model's file as elevation"
        )
    land = _land(seed)
    geobox = _grid(land.counties, resolution_m)
    if elevation is None and land_cover is None:
        rasters = _resampled_land(land, geobox)
    else:
        rasters = _given_land(land, geobox, elevation, land_cover, seed)
    return Region(
        name="安康市",
        counties=land.counties.copy(),
        townships=land.townships.copy(),
        villages=land.villages.copy(),
        rasters=rasters,
        elevation_kind=elevation_kind,
        sources=_sources(elevation, land_cover, seed),
    )


@lru_cache(maxsize=1)
def _land(seed: int) -> _Land:
    """Make everything that depends only on the seed; callers must not change it."""
    geobox = grid_around(county_facts(), PIXEL_M, MARGIN_M)
    terrain = synthetic_terrain(geobox, seed)
    ground = habitability(terrain.elevation_m, terrain.water, PIXEL_M)
    counties, townships, villages, centres = make_divisions(ground, geobox, seed)
    population = _population(ground, geobox, villages, centres)
    cover = land_cover_of(terrain.elevation_m, terrain.water, population, PIXEL_M, seed)
    return _Land(
        geobox,
        counties,
        townships,
        villages,
        tuple(centres),
        terrain.elevation_m,
        population,
        cover,
    )


def _grid(counties: gpd.GeoDataFrame, resolution_m: float) -> GeoBox:
    """Return the grid of a resolution, inside the grid of the synthetic rasters."""
    same = resolution_m == PIXEL_M
    return grid_around(counties, resolution_m, MARGIN_M if same else MARGIN_M - resolution_m)


def _population(
    ground: NDArray[np.float32],
    geobox: GeoBox,
    villages: gpd.GeoDataFrame,
    centres: Sequence[Centre],
) -> NDArray[np.float32]:
    """Spread each village's people over its pixels; 0 outside the region."""
    density = crowd(ground, geobox, centres)
    label = rasterio.features.rasterize(
        zip(villages.geometry, range(len(villages)), strict=True),
        out_shape=tuple(geobox.shape),
        transform=geobox.transform,
        fill=len(villages),
        dtype="int32",
    )
    total = np.bincount(label.ravel(), density.ravel(), minlength=len(villages) + 1)
    people = np.append(villages["people"].to_numpy(np.float64), 0.0)
    scale = np.divide(people, total, out=np.zeros_like(total), where=total > 0)
    return (density * scale[label]).astype(np.float32)


def _resampled_land(land: _Land, geobox: GeoBox) -> xr.Dataset:
    """Resample the synthetic rasters onto a grid."""
    coarser = geobox.resolution.x > PIXEL_M
    mean = Resampling.average if coarser else Resampling.bilinear
    cover = Resampling.mode if coarser else Resampling.nearest
    pixels = np.float32((geobox.resolution.x / PIXEL_M) ** 2)
    return _dataset(
        geobox,
        _resampled(land.elevation_m, land.geobox, geobox, mean),
        _resampled(land.land_cover, land.geobox, geobox, cover),
        _resampled(land.population, land.geobox, geobox, mean) * pixels,
    )


def _given_land(
    land: _Land,
    geobox: GeoBox,
    elevation: Paths | None,
    cover: Paths | None,
    seed: int,
) -> xr.Dataset:
    """Read the user's rasters, and make the missing ones to match."""
    synthetic = _resampled_land(land, geobox)
    height = synthetic["elevation_m"].to_numpy()
    classes = synthetic["land_cover"].to_numpy()
    if elevation is not None:
        given = read_raster(elevation, geobox, "elevation_m")
        require_cover(given, land.counties, elevation)
        height = given.to_numpy()
        # The sketched rivers may not match the valleys of the given terrain.
        classes = np.zeros_like(classes)
    if cover is not None:
        given = read_raster(cover, geobox, "land_cover")
        require_cover(given, land.counties, cover)
        classes = given.to_numpy()
    water = classes == WATER
    ground = habitability(height, water, geobox.resolution.x)
    if cover is not None:
        ground = np.where(classes == BUILT, BUILT_DRAW * ground, ground)
    population = _population(ground, geobox, land.villages, land.centres)
    if cover is None:
        classes = land_cover_of(height, water, population, geobox.resolution.x, seed)
    return _dataset(geobox, height, classes, population)


def _dataset(
    geobox: GeoBox,
    elevation_m: NDArray[np.float32],
    cover: NDArray[np.uint8],
    population: NDArray[np.float32],
) -> xr.Dataset:
    return xr.Dataset(
        {
            "elevation_m": as_raster(elevation_m, geobox, "elevation_m"),
            "land_cover": as_raster(cover, geobox, "land_cover"),
            "population": as_raster(population, geobox, "population"),
        }
    )


def _resampled(
    values: NDArray[_Value], source: GeoBox, target: GeoBox, how: Resampling
) -> NDArray[_Value]:
    if source == target:
        return values.copy()
    resampled = np.zeros(tuple(target.shape), values.dtype)
    reproject(
        values,
        resampled,
        src_transform=source.transform,
        src_crs=str(source.crs),
        dst_transform=target.transform,
        dst_crs=str(target.crs),
        resampling=how,
    )
    return resampled


def _sources(elevation: Paths | None, cover: Paths | None, seed: int) -> tuple[Source, ...]:
    made = f"made by ankang_coverage from seed {seed}"
    return (
        Source("county polygons", "real", TIANDITU),
        Source("township names, codes and kinds", "real", REGISTER),
        Source(
            "township polygons",
            "approximate",
            "nearest-seed division of the counties; seeds at the middles of 88 known extents "
            "(package sizhi, MIT) and at the county seats (GeoNames, CC BY 4.0), the others in "
            "the valleys left over",
        ),
        Source("number and kinds of villages", "real", REGISTER),
        Source("village polygons", "synthetic", made),
        Source("people of counties and of 28 townships", "real", CENSUS),
        Source("people of other townships and of villages", "synthetic", f"{made}; {CENSUS}"),
        Source("population raster", "synthetic", made),
        _raster_source("elevation", elevation, made),
        _raster_source("land cover", cover, made),
    )


def _raster_source(what: str, paths: Paths | None, made: str) -> Source:
    if paths is None:
        return Source(what, "synthetic", made)
    files = [paths] if isinstance(paths, str | Path) else paths
    names = ", ".join(Path(file).name for file in files)
    return Source(what, "given", names)
