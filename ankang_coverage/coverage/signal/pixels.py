"""The signal of a mast's cells at single pixels, by the same code as on tiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.coverage.loss.loss_window import BEYOND, LossWindow
from ankang_coverage.coverage.signal.carriers import MastCells
from ankang_coverage.coverage.signal.signals import CellSetting, Signals


@dataclass(frozen=True)
class Pixels:
    """Pixels of the grid, in any order.

    Attributes
    ----------
    rows, columns : numpy.ndarray
        (n,) rows and columns on the grid.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the smallest window that holds all pixels; there is one at least."""
        return (
            slice(int(self.rows.min()), int(self.rows.max()) + 1),
            slice(int(self.columns.min()), int(self.columns.max()) + 1),
        )

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "Pixels":
        """Return some of the pixels."""
        return Pixels(self.rows[chosen], self.columns[chosen])


def values_at(
    pixels: Pixels, rows: slice, columns: slice, values: NDArray[np.generic], outside: float
) -> NDArray[np.float64]:
    """Return the values of a window at pixels.

    Parameters
    ----------
    pixels : Pixels
        The n pixels.
    rows, columns : slice
        The window.
    values : numpy.ndarray
        (rows, columns) values on the window.
    outside : float
        Value of the pixels outside the window.

    Returns
    -------
    numpy.ndarray
        (n,) float64 values.
    """
    found = np.full(len(pixels.rows), outside)
    inside = _inside(pixels, rows, columns)
    found[inside] = values[pixels.rows[inside] - rows.start, pixels.columns[inside] - columns.start]
    return found


def strongest_dbm(
    loss: LossWindow, mast: MastCells, cells: Sequence[CellSetting], pixels: Pixels
) -> NDArray[np.float64]:
    """Return the RSRP of the strongest of a mast's cells at pixels.

    Parameters
    ----------
    loss : LossWindow
        Path loss of the mast, on a window that holds every pixel in its reach.
    mast : MastCells
        The mast.
    cells : sequence of CellSetting
        Some of its cells, by ascending position.
    pixels : Pixels
        The n pixels.

    Returns
    -------
    numpy.ndarray
        (n,) RSRP [dBm]; NaN where no path loss is known.
    """
    # The kernel passes over rows without a known loss: only the rows of the pixels take time.
    loss_cdb = np.full_like(loss.loss_cdb, BEYOND)
    inside = pixels[_inside(pixels, loss.rows, loss.columns)]
    here = inside.rows - loss.rows.start, inside.columns - loss.columns.start
    loss_cdb[here] = loss.loss_cdb[here]
    alone = LossWindow(loss.rows, loss.columns, loss_cdb, loss.elevation_cdeg, loss.obstacle_dam)
    signals = Signals.silent(loss.rows, loss.columns, overlap=False)
    signals.add(alone, mast.row, mast.column, cells)
    found = values_at(pixels, loss.rows, loss.columns, signals.best_dbm, -np.inf)
    return np.where(np.isfinite(found), found, np.nan)


def _inside(pixels: Pixels, rows: slice, columns: slice) -> NDArray[np.bool_]:
    return (
        (pixels.rows >= rows.start)
        & (pixels.rows < rows.stop)
        & (pixels.columns >= columns.start)
        & (pixels.columns < columns.stop)
    )
