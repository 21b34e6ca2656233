"""The path loss of one mast on a window of the grid, and the blocks that files keep it in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.errors import RasterError

BEYOND = -32768
"""Stands in all bands of a `LossWindow` for pixels outside the radius."""
UNKNOWN = -32767
"""Stands in `LossWindow.loss_cdb` for pixels that no path over known terrain reaches."""

FILE_BLOCK = 128
"""Rows and columns of a block of a raster file, a divisor of the side of a tile.

Path losses begin at a multiple of it on the region's grid, so that a block belongs to one tile. Of
64, 128 and 256 none is faster for a macro mast at 30 m; smaller ones suit a pole's surroundings,
where 256 takes half as long again to read, and larger ones compress better, by 4 % at most.
"""

LOSS_BANDS = (
    # Scale and unit turn the whole numbers into figures wherever the file is opened.
    ("loss_cdb", 0.01, "dB"),
    ("elevation_cdeg", 0.01, "degree"),
    ("obstacle_dam", 10.0, "m"),
)
"""Bands of a file of a path loss, in their order."""


@dataclass(frozen=True)
class LossWindow:
    """Path loss and direction from one mast at one frequency, on a window of the region's grid.

    Attributes
    ----------
    rows, columns : slice
        The window, within the grid.
    loss_cdb : numpy.ndarray
        (rows, columns) int16 path loss [0.01 dB]; `BEYOND` outside the radius, `UNKNOWN` where
        terrain is unknown.
    elevation_cdeg : numpy.ndarray
        (rows, columns) int16 elevation at which the energy leaves the mast, up positive
        [0.01 degrees].
    obstacle_dam : numpy.ndarray
        (rows, columns) int16 distance from the mast of the terrain that blocks the path [10 m];
        0 in sight.

    Raises
    ------
    RasterError
        If an array does not fill the window.
    """

    rows: slice
    columns: slice
    loss_cdb: NDArray[np.int16]
    elevation_cdeg: NDArray[np.int16]
    obstacle_dam: NDArray[np.int16]

    def __post_init__(self) -> None:
        window = (self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)
        for band, (name, _, _) in zip(self.bands, LOSS_BANDS, strict=True):
            if band.shape != window or band.dtype != np.int16:
                raise RasterError(
                    f"{name} is {band.dtype} {band.shape}, the window int16 {window}: they must "
                    f"be alike"
                )

    @property
    def bands(self) -> tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]]:
        """The arrays in the order of a file's bands."""
        return self.loss_cdb, self.elevation_cdeg, self.obstacle_dam


def length_of(span: slice) -> int:
    """Return how many pixels a span holds.

    Parameters
    ----------
    span : slice
        Rows or columns.

    Returns
    -------
    int
        Their number.
    """
    return int(span.stop - span.start)


def block_start(pixel: int) -> int:
    """Return the first pixel of the block that a pixel is in.

    Parameters
    ----------
    pixel : int
        A row or column.

    Returns
    -------
    int
        The first of its block.
    """
    return pixel // FILE_BLOCK * FILE_BLOCK


def widened(span: slice, length: int) -> slice:
    """Return the blocks that a span touches, at least one, as far as the grid goes.

    Parameters
    ----------
    span : slice
        Rows or columns.
    length : int
        Number of rows or columns of the grid.

    Returns
    -------
    slice
        Whole blocks.
    """
    start = block_start(min(span.start, length - 1))
    stop = -(-span.stop // FILE_BLOCK) * FILE_BLOCK
    return slice(start, min(max(stop, start + FILE_BLOCK), length))


def within(span: slice, outer: slice) -> slice:
    """Return a span counted from the start of another.

    Parameters
    ----------
    span : slice
        Rows or columns.
    outer : slice
        Rows or columns that hold them.

    Returns
    -------
    slice
        The same, counted from the start of `outer`.
    """
    return slice(span.start - outer.start, span.stop - outer.start)


def common(span: slice, other: slice | None) -> slice:
    """Return what a span has in common with another, all of it where there is none.

    Parameters
    ----------
    span : slice
        Rows or columns.
    other : slice, optional
        Other rows or columns.

    Returns
    -------
    slice
        Those in both; empty where there are none.
    """
    if other is None:
        return span
    start = min(max(span.start, other.start), span.stop)
    return slice(start, max(min(span.stop, other.stop), start))


def span_of(text: str) -> slice:
    """Return the span that is written as its two ends.

    Parameters
    ----------
    text : str
        First and past-the-last row or column, a blank between them.

    Returns
    -------
    slice
        Rows or columns.
    """
    start, stop = text.split()
    return slice(int(start), int(stop))
