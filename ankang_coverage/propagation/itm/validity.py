"""Warnings for inputs outside the region that the model was fitted to."""

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.propagation.itm._path import Array
from ankang_coverage.propagation.itm.inputs import Links
from ankang_coverage.propagation.itm.variability import Deviates


class ItmWarning(IntFlag):
    """Inputs or results outside the region that the model was fitted to."""

    NONE = 0
    TRANSMITTER_HEIGHT = 1
    """Transmitter height outside 1 to 1000 m."""
    RECEIVER_HEIGHT = 2
    """Receiver height outside 1 to 1000 m."""
    FREQUENCY = 4
    """Frequency outside 40 MHz to 10 GHz."""
    HORIZON_ANGLE = 8
    """A horizon steeper than 0.2 rad: the small-angle approximations suffer."""
    HORIZON_DISTANCE = 16
    """A horizon nearer than a tenth or further than three times that of a smooth earth."""
    SURFACE_REFRACTIVITY = 32
    """Refractivity at the path's height below 250 N-units."""
    SHORT_PATH = 64
    """Path under 1 km, or so short that the effective heights make it steeper than 0.2 rad."""
    LONG_PATH = 128
    """Path over 1000 km."""
    EXTREME_PERCENTAGE = 256
    """A percentage beyond 3.1 standard deviations, where the distributions are guesses."""
    NO_LOSS = 512
    """The loss is NaN: its series for the rounded earth has no value for this ground and horizon,
    as happens over sea, vertically polarised, behind a near hill."""


def warnings_of(
    links: Links,
    terrain: Array,
    radius: Array,
    surface_refractivity: Array,
    deviates: Deviates,
    loss: Array,
) -> NDArray[np.int64]:
    """Return the `ItmWarning` flags of paths.

    The rows of `terrain` are, by pairs of transmitter and receiver, effective heights [m],
    distances [m] and angles [rad] of the horizons.
    """
    effective_heights, horizon_distances, horizon_angles = terrain.reshape(3, 2, -1)
    transmitter, receiver, distance = (
        links.transmitter_height,
        links.receiver_height,
        links.distance,
    )
    stretch = horizon_distances / np.sqrt(2.0 * effective_heights * radius)
    steepest = np.abs(effective_heights[0] - effective_heights[1]) / distance
    conditions = {
        ItmWarning.TRANSMITTER_HEIGHT: (transmitter < 1.0) | (transmitter > 1000.0),
        ItmWarning.RECEIVER_HEIGHT: (receiver < 1.0) | (receiver > 1000.0),
        ItmWarning.FREQUENCY: (links.frequency < 40.0) | (links.frequency > 10_000.0),
        ItmWarning.HORIZON_ANGLE: np.abs(horizon_angles).max(axis=0) > 0.2,
        ItmWarning.HORIZON_DISTANCE: ((stretch < 0.1) | (stretch > 3.0)).any(axis=0),
        ItmWarning.SURFACE_REFRACTIVITY: surface_refractivity < 250.0,
        ItmWarning.SHORT_PATH: (distance < 1e3) | (steepest > 0.2),
        ItmWarning.LONG_PATH: distance > 1000e3,
        ItmWarning.EXTREME_PERCENTAGE: np.abs(np.array(deviates)).max(axis=0) > 3.1,
        ItmWarning.NO_LOSS: np.isnan(loss),
    }
    flags = np.zeros(loss.shape, dtype=np.int64)
    for warning, holds in conditions.items():
        flags |= np.where(holds, int(warning), 0)
    return flags
