"""What models over terrain share: one sweep for all frequencies, brought to the pixels."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import log2, njit_vector
from ankang_coverage.propagation.free_space import free_space_loss
from ankang_coverage.propagation.models.base import (
    SHORTEST_M,
    Conditions,
    PixelLoss,
    Surroundings,
)
from ankang_coverage.propagation.sweep import LONGEST_STEP_M, Model, Sweep, SweepFlag, sweep

_DB_PER_OCTAVE = np.float32(20.0 * math.log10(2.0))


def swept(
    around: Surroundings, conditions: Conditions, model: Model, *, with_clutter: bool = True
) -> Sweep:
    """Sweep once: all frequencies share the geometry of the paths.

    Parameters
    ----------
    around : Surroundings
        The mast and the ground round it.
    conditions : Conditions
        Frequencies, terminal and air.
    model : {'p1812', 'delta-bullington', 'free-space'}
        What is computed along the paths.
    with_clutter : bool
        Whether land cover counts, along the path and at the terminal.

    Returns
    -------
    Sweep
        The losses at whole steps from the mast.
    """
    terrain = around.terrain if with_clutter else replace(around.terrain, clutter=None)
    return sweep(
        terrain,
        around.mast,
        radius_m=around.radius_m,
        frequency_mhz=list(conditions.frequencies_mhz),
        latitude_deg=around.latitude_deg,
        receiver_height_m=conditions.terminal_height_m,
        model=model,
        time_percent=conditions.time_percent,
        delta_n=conditions.delta_n,
        n0=conditions.n0,
    )


def pixel_losses(result: Sweep, around: Surroundings) -> dict[float, PixelLoss]:
    """Bring a sweep's whole steps to the pixels' own distances, and hold it to free space.

    Parameters
    ----------
    result : Sweep
        A sweep for one height of terminals.
    around : Surroundings
        What was swept.

    Returns
    -------
    dict of float to PixelLoss
        Losses by frequency.
    """
    pixel_m = around.terrain.pixel_size_m
    step_m = pixel_m / np.ceil(pixel_m / LONGEST_STEP_M)
    flags = result.flags[0]
    unknown = (flags & (SweepFlag.NO_DATA | SweepFlag.ACROSS_NO_DATA)) != 0
    short = (flags & SweepFlag.SHORT_RANGE) != 0
    blocked = ((flags & SweepFlag.COMPUTED) != 0) & ~unknown
    obstacle_m = np.where(blocked, result.obstacle_distance_m[0], np.float32(0.0))
    losses = {}
    for n, frequency in enumerate(result.frequencies_mhz):
        loss = np.empty(flags.shape, np.float32)
        _at_own_distance(
            np.ascontiguousarray(result.loss_db[n, 0]),
            around.rows.start - around.mast.row,
            around.columns.start - around.mast.col,
            pixel_m,
            step_m,
            float(free_space_loss(1.0, frequency)),
            loss,
        )
        loss[unknown] = np.nan
        losses[frequency] = PixelLoss(
            loss_db=loss,
            elevation_deg=result.launch_elevation_deg[0],
            obstacle_distance_m=obstacle_m,
            n_without_terrain=int(np.count_nonzero(unknown)),
            n_short_range=int(np.count_nonzero(short)),
        )
    return losses


@njit_vector
def _at_own_distance(
    swept: NDArray[np.float32],
    south_px: float,
    east_px: float,
    pixel_m: float,
    step_m: float,
    free_at_1_m: float,
    loss: NDArray[np.float32],
) -> None:
    """Add what free space takes from the sweep's whole step to a pixel's own distance."""
    floor = np.float32(free_at_1_m)
    for r in range(np.uintp(swept.shape[0])):
        south = (south_px + r) * pixel_m
        for c in range(np.uintp(swept.shape[1])):
            east = (east_px + c) * pixel_m
            distance = math.sqrt(south * south + east * east)
            stepped = math.floor(distance / step_m + 0.5) * step_m
            own = max(distance, SHORTEST_M)
            beyond = np.float32(own / stepped if stepped > 0.0 else 1.0)
            at_least = floor + _DB_PER_OCTAVE * log2(np.float32(own))
            value = swept[r, c] + _DB_PER_OCTAVE * log2(beyond)
            loss[r, c] = value if not value < at_least else at_least
