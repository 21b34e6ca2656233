"""Which pixels a division owns, and how many of its people live in each.

One sparse matrix of exact area fractions (divisions × pixels) serves the overlay and the demand.
People are counted in thousandths so that every sum is an exact integer: a village's entries add
to its people, a county's to its villages'.
"""

from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import CRS
from scipy import sparse

from ankang_coverage.errors import DivisionError, RasterError
from ankang_coverage.region.rasters import require_same_crs

ON_GRID = 0.99
"""Least share of a division that must lie on the pixel grid [0–1]."""
MILLI = 1000
"""Thousandths of a person in one person: the integer unit of every people figure."""


@dataclass(frozen=True)
class PixelShares:
    """Area fractions and people of divisions on a pixel grid.

    Attributes
    ----------
    index : pandas.Index
        Codes of the divisions, one per matrix row.
    area : scipy.sparse.csr_array
        (n_divisions, n_pixels) fraction of each pixel's area inside each division [0–1].
    people : scipy.sparse.csr_array
        (n_divisions, n_pixels) people in each division's part of each pixel [1/1000 person],
        int64, with the same stored positions as `area`. A row's sum is the division's people.
    pixel_area_m2 : float
        Area of one pixel [m²].
    """

    index: pd.Index
    area: sparse.csr_array
    people: sparse.csr_array
    pixel_area_m2: float


def pixel_shares(divisions: gpd.GeoDataFrame, population: xr.DataArray) -> PixelShares:
    """Overlay divisions on a population raster, with exact pixel fractions.

    Parameters
    ----------
    divisions : geopandas.GeoDataFrame
        Polygons with an integer column ``people``, in the raster's CRS.
    population : xarray.DataArray
        (y, x) relative density: people per pixel, or any non-negative weight [1]. Only its
        proportions inside a division matter; the division's ``people`` sets the total. Where a
        division has people but no weight, they spread evenly over its area.

    Returns
    -------
    PixelShares
        Area fractions and people, by division and pixel.

    Raises
    ------
    RasterError
        If the raster has no grid or negative or infinite values, or the CRS differ.
    DivisionError
        If ``people`` is missing or negative, or a division lies outside the raster by more than
        a hundredth of its area.
    """
    geobox = population.odc.geobox
    if geobox is None:
        raise RasterError("population has no grid: make it with as_raster or read_raster")
    require_same_crs(divisions, geobox, "divisions")
    people = _require_people(divisions)
    density = _require_density(population)
    area = area_fractions(divisions, geobox)
    pixel_area_m2 = abs(geobox.resolution.x * geobox.resolution.y)
    _require_on_grid(divisions, area.sum(axis=1) * pixel_area_m2)
    return PixelShares(
        index=divisions.index,
        area=area,
        people=_apportion(area, people, density),
        pixel_area_m2=pixel_area_m2,
    )


def area_fractions(divisions: gpd.GeoDataFrame, geobox: GeoBox) -> sparse.csr_array:
    """Exact fraction of every pixel that lies in every division.

    Parameters
    ----------
    divisions : geopandas.GeoDataFrame
        Polygons in the CRS of `geobox`.
    geobox : GeoBox
        The pixel grid.

    Returns
    -------
    scipy.sparse.csr_array
        (n_divisions, n_pixels) float64, pixels numbered row by row from the north-west.
    """
    import exactextract
    from exactextract.raster import NumPyRasterSource

    rows, columns = geobox.shape
    left, bottom, right, top = geobox.extent.boundingbox
    source = NumPyRasterSource(
        np.broadcast_to(np.int8(0), (rows, columns)),
        xmin=left,
        ymin=bottom,
        xmax=right,
        ymax=top,
        srs_wkt=CRS.from_user_input(str(geobox.crs)).to_wkt(),
    )
    shapes = divisions[[divisions.geometry.name]].reset_index(drop=True)
    results = exactextract.exact_extract(source, shapes, ["cell_id", "coverage"], output="pandas")
    counts = [len(cells) for cells in results["cell_id"]]
    indptr = np.concatenate([[0], np.cumsum(counts)])
    if indptr[-1] <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)  # otherwise scipy keeps the pixels in 64 bits too
    fractions = np.concatenate([*results["coverage"], np.empty(0)]).astype(np.float64)
    pixels = np.concatenate([*results["cell_id"], np.empty(0, np.int64)]).astype(np.int32)
    matrix = sparse.csr_array((fractions, pixels, indptr), shape=(len(divisions), rows * columns))
    matrix.sort_indices()
    return matrix


def _apportion(
    area: sparse.csr_array, people: NDArray[np.int64], density: NDArray[np.floating]
) -> sparse.csr_array:
    """Split each division's people over its pixels; every row sums exactly to its people."""
    split = np.zeros(area.nnz, np.int64)
    for row, (start, end) in enumerate(pairwise(area.indptr)):
        if start < end:
            fractions, pixels = area.data[start:end], area.indices[start:end]
            weight = fractions * np.nan_to_num(density[pixels].astype(np.float64))
            if not weight.any():
                weight = fractions
            # Rounding the running total, not each entry, keeps the sum exact and spreads the
            # remainder. Dividing by the sum first keeps huge weights finite.
            running = np.cumsum(weight / weight.sum())
            share = np.minimum(running / running[-1], 1.0)
            split[start:end] = np.diff(np.rint(share * (people[row] * MILLI)), prepend=0)
    return sparse.csr_array((split, area.indices, area.indptr), shape=area.shape)


def _require_on_grid(divisions: gpd.GeoDataFrame, area_m2: NDArray[np.float64]) -> None:
    share = area_m2 / divisions.geometry.area.to_numpy()
    outside = share < ON_GRID
    if outside.any():
        names = ", ".join(map(str, divisions.index[outside][:3]))
        raise DivisionError(
            f"{int(outside.sum())} divisions lie outside the rasters ({names}; "
            f"{1 - share[outside][0]:.0%} of the first): give rasters that cover the whole region"
        )


def _require_people(divisions: gpd.GeoDataFrame) -> NDArray[np.int64]:
    if "people" not in divisions:
        raise DivisionError("divisions have no column 'people': add the population of each")
    people = divisions["people"].to_numpy()
    if not np.issubdtype(people.dtype, np.integer) or (people < 0).any():
        raise DivisionError("column 'people' must hold whole numbers, none negative")
    return people.astype(np.int64)


def _require_density(population: xr.DataArray) -> NDArray[np.floating]:
    density = population.to_numpy().ravel()
    if (density < 0).any() or np.isinf(density).any():
        raise RasterError("population holds negative or infinite values: mask them as no data")
    return density
