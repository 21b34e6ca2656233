"""What a sweep returns."""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.propagation.sweep import _kernel


class SweepFlag(IntFlag):
    """Flags of a pixel of a `Sweep`."""

    COMPUTED = _kernel.COMPUTED
    """The pixel has a loss."""
    IN_SIGHT = _kernel.IN_SIGHT
    """Neither ground nor clutter along the path reaches the direct ray."""
    SHORT_RANGE = _kernel.SHORT_RANGE
    """Nearer than 0.5 km: free space below 0.25 km, from there on blended into the model."""
    ACROSS_NO_DATA = _kernel.ACROSS_NO_DATA
    """The path crosses ground of unknown height, for which the last known height stands in."""
    NO_DATA = _kernel.NO_DATA
    """Within the radius, but the pixel's own height is unknown: no result."""
    BEYOND_RADIUS = _kernel.BEYOND
    """Farther from the mast than the radius: no result."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """Loss round one mast, on the pixels of a window of the grid.

    Attributes
    ----------
    row_start, col_start : int
        Place of the window's first pixel on the grid.
    frequencies_mhz, receiver_heights_m : tuple of float
        What the first and second axis of the results stand for.
    loss_db : numpy.ndarray
        Loss between isotropic antennas, with terminal loss [dB]; frequency × receiver height ×
        row × column. NaN where there is no result.
    launch_elevation_deg : numpy.ndarray
        Elevation at which the ray leaves the mast, up is positive [deg]: towards the receiver in
        sight, else towards the mast's horizon; receiver height × row × column.
    obstacle_distance_m : numpy.ndarray
        Distance from the mast to the point that blocks the path [m], 0 in sight; receiver height
        × row × column.
    required_height_m : numpy.ndarray
        Height above ground from which a receiver sees the mast [m]; row × column.
    flags : numpy.ndarray
        `SweepFlag` of each pixel, uint8; receiver height × row × column.
    """

    row_start: int
    col_start: int
    frequencies_mhz: tuple[float, ...]
    receiver_heights_m: tuple[float, ...]
    loss_db: NDArray[np.float32]
    launch_elevation_deg: NDArray[np.float32]
    obstacle_distance_m: NDArray[np.float32]
    required_height_m: NDArray[np.float32]
    flags: NDArray[np.uint8]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the grid that the results are for."""
        rows, cols = self.required_height_m.shape
        return (
            slice(self.row_start, self.row_start + rows),
            slice(self.col_start, self.col_start + cols),
        )


@dataclass(frozen=True, eq=False)
class SweepProfile:
    """The profile that a sweep used for a pixel.

    Attributes
    ----------
    distance_km : numpy.ndarray
        Distances from the mast [km].
    ground_m : numpy.ndarray
        Bare ground [m above sea level].
    clutter_height_m : numpy.ndarray
        Clutter that counts along the path [m]: none within the receiver's clearing.
    crosses_no_data : bool
        Whether a height was unknown and the last known one stands in.
    """

    distance_km: NDArray[np.float64]
    ground_m: NDArray[np.float64]
    clutter_height_m: NDArray[np.float64]
    crosses_no_data: bool
