"""Bins: one median for each cell and pixel, in blocks of ground that are held out together."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from ankang_coverage.errors import NetworkError
from ankang_coverage.region.coordinates import WGS84

FEWEST_BINS, FEWEST_BLOCKS = 100, 10
"""A calibration with fewer is refused."""


class LeftOut:
    """Counts the measurements that cannot be used, and refuses to go on with too few.

    Parameters
    ----------
    n_measurements : int
        How many there are.
    block_m : float
        Side of a block [m].
    """

    def __init__(self, n_measurements: int, block_m: float) -> None:
        self.counts: dict[str, int] = {}
        self._n_measurements = n_measurements
        self._block_m = block_m

    def note(self, reason: str, number: float) -> None:
        """Add measurements that are left out.

        Parameters
        ----------
        reason : str
            Why.
        number : float
            How many.
        """
        if number:
            self.counts[reason] = self.counts.get(reason, 0) + int(number)

    def require_enough(self, bins: pd.DataFrame) -> None:
        """Refuse too few bins or blocks, and say what became of the measurements.

        Parameters
        ----------
        bins : pandas.DataFrame
            What is left, with ``block``.

        Raises
        ------
        NetworkError
            If there are too few.
        """
        n_blocks = bins["block"].nunique()
        if len(bins) >= FEWEST_BINS and n_blocks >= FEWEST_BLOCKS:
            return
        why = "; ".join(f"{n}: {reason}" for reason, n in self.counts.items()) or "none"
        raise NetworkError(
            f"too few measurements to fit: {self._n_measurements} make {len(bins)} usable bins "
            f"(pixels of one cell) in {n_blocks} blocks of {self._block_m:g} m, but {FEWEST_BINS} "
            f"bins in {FEWEST_BLOCKS} blocks are needed. Measurements left out: {why}"
        )


def binned(
    points: gpd.GeoDataFrame, geobox: GeoBox, sensitivity_dbm: float, left_out: LeftOut
) -> pd.DataFrame:
    """Return the median of the measurements of each cell and pixel.

    Parameters
    ----------
    points : geopandas.GeoDataFrame
        Measurements with ``cell`` and ``rsrp_dbm``.
    geobox : odc.geo.geobox.GeoBox
        The grid.
    sensitivity_dbm : float
        Weaker measurements are left out [dBm].
    left_out : LeftOut
        Counts what is not used.

    Returns
    -------
    pandas.DataFrame
        ``cell``, ``row``, ``column``, ``measured_dbm``, ``n`` measurements, and their mean
        ``longitude`` and ``latitude``.
    """
    places = points.to_crs(WGS84).geometry
    table = pd.DataFrame(
        {
            "cell": points["cell"].to_numpy(str),
            "measured_dbm": points["rsrp_dbm"].to_numpy(np.float64),
            "longitude": places.x.to_numpy(),
            "latitude": places.y.to_numpy(),
        }
    )
    weak = (table["measured_dbm"] < sensitivity_dbm).to_numpy()
    left_out.note(f"RSRP is below the sensitivity of {sensitivity_dbm:g} dBm", weak.sum())
    on_grid, n_outside = on_pixels(table[~weak], geobox)
    left_out.note("the place is outside the region's grid", n_outside)
    bins = on_grid.groupby(["cell", "row", "column"])
    return bins.agg(
        measured_dbm=("measured_dbm", "median"),
        n=("measured_dbm", "size"),
        longitude=("longitude", "mean"),
        latitude=("latitude", "mean"),
    ).reset_index()


def on_pixels(places: pd.DataFrame, geobox: GeoBox) -> tuple[pd.DataFrame, int]:
    """Give places their pixels.

    Parameters
    ----------
    places : pandas.DataFrame
        ``longitude`` and ``latitude`` in WGS-84.
    geobox : odc.geo.geobox.GeoBox
        The grid.

    Returns
    -------
    on_grid : pandas.DataFrame
        The places on the grid, with ``row`` and ``column``.
    n_outside : int
        How many are not on it.
    """
    points = gpd.GeoSeries.from_xy(places["longitude"], places["latitude"], crs=WGS84)
    points = points.to_crs(str(geobox.crs))
    transform, (rows, columns) = geobox.transform, geobox.shape
    row = np.floor((points.y.to_numpy() - transform.f) / transform.e).astype(np.intp)
    column = np.floor((points.x.to_numpy() - transform.c) / transform.a).astype(np.intp)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    return places.assign(row=row, column=column)[inside], int((~inside).sum())


def block_numbers(bins: pd.DataFrame, block_m: float) -> NDArray[np.intp]:
    """Return the number of each bin's block.

    Parameters
    ----------
    bins : pandas.DataFrame
        ``x_m`` and ``y_m`` of n bins.
    block_m : float
        Side of a block [m].

    Returns
    -------
    numpy.ndarray
        (n,) numbers, from 0.
    """
    corner = np.floor(bins[["x_m", "y_m"]].to_numpy() / block_m).astype(np.int64)
    return np.unique(corner, axis=0, return_inverse=True)[1].ravel()


def excess_db(bins: pd.DataFrame) -> NDArray[np.float64]:
    """Return by how much the loss is larger than predicted.

    Parameters
    ----------
    bins : pandas.DataFrame
        ``predicted_dbm`` and ``measured_dbm`` of n bins.

    Returns
    -------
    numpy.ndarray
        (n,) predicted less measured RSRP [dB].
    """
    return (bins["predicted_dbm"] - bins["measured_dbm"]).to_numpy(np.float64)
