"""Path loss from one mast to every pixel round it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from odc.geo.geobox import GeoBox
from pydantic import BaseModel, ConfigDict, Field

from ankang_coverage.propagation import free_space, hata, tr38901
from ankang_coverage.propagation._ranges import ModelRange

ModelName = Literal["rma", "uma", "umi", "okumura-hata", "cost231-hata", "free-space"]
NO_TERRAIN = "none"
"""What a coverage Dataset says of its terrain when the model looked at none."""


class Propagation(BaseModel):
    """How path loss is predicted: the model, how far it is asked, and for whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelName = "rma"
    """Path-loss model; ``rma`` is 3GPP TR 38.901 rural macro, expected over line of sight."""
    radius_m: float = Field(default=5000.0, gt=0.0, le=100_000.0)
    """Farthest distance from a mast that is predicted [m]."""
    terminal_height_m: float = Field(default=1.5, ge=1.0, le=10.0)
    """Height of the phone above ground [m]."""


@dataclass(frozen=True)
class MastLoss:
    """Path loss and direction of the pixels round one mast.

    Attributes
    ----------
    rows, columns
        The window of the grid that the arrays fill.
    loss_db
        (rows, columns) float32 path loss [dB]; NaN beyond the radius.
    azimuth_deg, elevation_deg
        (rows, columns) float32 direction in which the energy leaves the mast [degrees clockwise
        from north; degrees above the horizontal].
    n_clamped
        Pixels whose distance, or whose mast's height, was outside the model's range and was moved
        to its nearest end.
    """

    rows: slice
    columns: slice
    loss_db: NDArray[np.float32]
    azimuth_deg: NDArray[np.float32]
    elevation_deg: NDArray[np.float32]
    n_clamped: int


Loss = Callable[[NDArray[np.float64], float, float, float], ArrayLike]

_SHORTEST_M = 1.0
"""Nearest a terminal can be to a mast; keeps the logarithm of a distance finite."""

_MODELS: dict[ModelName, tuple[Loss, ModelRange]] = {
    "rma": (tr38901.rma_loss, tr38901.RMA_NLOS_RANGE),
    "uma": (tr38901.uma_loss, tr38901.UMA_RANGE),
    "umi": (tr38901.umi_loss, tr38901.UMI_RANGE),
    "okumura-hata": (hata.okumura_hata_loss, hata.OKUMURA_HATA_RANGE),
    "cost231-hata": (hata.cost231_hata_loss, hata.COST231_HATA_RANGE),
    "free-space": (
        lambda distance, frequency, _base, _terminal: free_space.free_space_loss(
            distance, frequency
        ),
        ModelRange(
            "ITU-R P.525", (_SHORTEST_M, np.inf), (0.0, np.inf), (0.0, np.inf), (0.0, np.inf)
        ),
    ),
}


def mast_loss(
    geobox: GeoBox,
    x_m: float,
    y_m: float,
    height_m: float,
    frequency_mhz: float,
    propagation: Propagation,
) -> MastLoss:
    """Predict path loss from one mast to the pixels within the radius.

    Where a pixel is nearer or farther than the model allows, or a height is outside its range,
    the model's nearest valid value is used, and the loss is never less than in free space.

    Parameters
    ----------
    geobox
        The pixel grid.
    x_m, y_m
        Position of the mast in the grid's CRS [m].
    height_m
        Antenna height above ground [m].
    frequency_mhz
        Carrier frequency [MHz].
    propagation
        Model, radius and terminal height.

    Returns
    -------
    MastLoss

    Raises
    ------
    OutOfRangeError
        If the frequency is outside the model's range.
    """
    rows, columns = window(geobox, x_m, y_m, propagation.radius_m)
    east = geobox.transform.c + geobox.transform.a * (_centres(columns)) - x_m
    north = geobox.transform.f + geobox.transform.e * (_centres(rows)) - y_m
    distance = np.hypot(north[:, None], east[None, :])
    loss, n_clamped = _clamped_loss(distance, height_m, frequency_mhz, propagation)
    loss[distance > propagation.radius_m] = np.nan
    azimuth = np.degrees(np.arctan2(east[None, :], north[:, None])) % 360.0
    drop = height_m - propagation.terminal_height_m
    elevation = -np.degrees(np.arctan2(drop, np.maximum(distance, _SHORTEST_M)))
    return MastLoss(
        rows=rows,
        columns=columns,
        loss_db=loss.astype(np.float32),
        azimuth_deg=azimuth.astype(np.float32),
        elevation_deg=elevation.astype(np.float32),
        n_clamped=n_clamped,
    )


def window(geobox: GeoBox, x_m: float, y_m: float, radius_m: float) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels whose centres can lie within a radius."""
    size = geobox.resolution.x
    column = (x_m - geobox.transform.c) / size - 0.5
    row = (geobox.transform.f - y_m) / size - 0.5
    reach = radius_m / size

    def clip(centre: float, length: int) -> slice:
        first = min(max(int(np.ceil(centre - reach)), 0), length)
        last = min(max(int(np.floor(centre + reach)) + 1, first), length)
        return slice(first, last)

    return clip(row, geobox.shape[0]), clip(column, geobox.shape[1])


def _centres(span: slice) -> NDArray[np.float64]:
    return np.arange(span.start, span.stop) + 0.5


def _clamped_loss(
    distance_m: NDArray[np.float64],
    height_m: float,
    frequency_mhz: float,
    propagation: Propagation,
) -> tuple[NDArray[np.float64], int]:
    loss, model_range = _MODELS[propagation.model]
    low, high = model_range.distance_m
    distance = np.clip(distance_m, low, high)
    base = float(np.clip(height_m, *model_range.base_height_m))
    terminal = float(np.clip(propagation.terminal_height_m, *model_range.terminal_height_m))
    clamped = distance != distance_m
    if base != height_m or terminal != propagation.terminal_height_m:
        clamped[:] = True
    n_clamped = int(np.count_nonzero(clamped & (distance_m <= propagation.radius_m)))
    predicted = loss(distance, frequency_mhz, base, terminal)
    slant = np.hypot(np.maximum(distance_m, _SHORTEST_M), height_m - propagation.terminal_height_m)
    floor = free_space.free_space_loss(slant, frequency_mhz)
    return np.asarray(np.maximum(predicted, floor), np.float64), n_clamped
