"""Models by distance alone: what all of them do with distances, heights and free space."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.propagation._ranges import checked
from ankang_coverage.propagation.models.base import (
    Conditions,
    PathLossModel,
    PixelLoss,
    Surroundings,
)


class Paths(NamedTuple):
    """Paths from one mast, in the order in which the models' functions take them.

    Attributes
    ----------
    distance_m : numpy.ndarray
        Horizontal distances [m].
    frequency_mhz : float
        Carrier frequency [MHz].
    base_height_m, terminal_height_m : float
        Heights of the antennas above ground [m].
    """

    distance_m: NDArray[np.float64]
    frequency_mhz: float
    base_height_m: float
    terminal_height_m: float


@dataclass(frozen=True)
class DistanceModel(PathLossModel):
    """A model whose loss depends on distance, frequency and heights alone.

    Where a pixel is nearer or farther than its range allows, or a height is outside it, the
    nearest valid value is used; the loss is never less than in free space.
    """

    looks_at_terrain: ClassVar[bool] = False

    @abstractmethod
    def loss_db(self, paths: Paths) -> ArrayLike:
        """Return the loss of paths that lie within the model's range.

        Parameters
        ----------
        paths : Paths
            Distances, frequency and heights.

        Returns
        -------
        array_like
            Path loss [dB], of the distances' shape.
        """

    def losses(self, around: Surroundings, conditions: Conditions) -> dict[float, PixelLoss]:
        """Return the losses round a mast; see `PathLossModel.losses`."""
        terminal_m = conditions.terminal_height_m
        return {f: self._pixel_loss(around, f, terminal_m) for f in conditions.frequencies_mhz}

    def _pixel_loss(
        self, around: Surroundings, frequency_mhz: float, terminal_height_m: float
    ) -> PixelLoss:
        holds = self.model_range
        checked("frequency_mhz", frequency_mhz, holds.frequency_mhz, holds.clause)
        within = around.distance_m <= around.radius_m
        distance = np.clip(around.distance_m, *holds.distance_m)
        base = float(np.clip(around.mast.height_m, *holds.base_height_m))
        terminal = float(np.clip(terminal_height_m, *holds.terminal_height_m))
        clamped = distance != around.distance_m
        if base != around.mast.height_m or terminal != terminal_height_m:
            clamped[:] = True
        predicted = self.loss_db(Paths(distance, frequency_mhz, base, terminal))
        least = around.free_space_db(frequency_mhz, terminal_height_m)
        loss = np.asarray(np.maximum(predicted, least), np.float64)
        return PixelLoss(
            loss_db=np.where(within, loss, np.nan),
            n_clamped=int(np.count_nonzero(clamped & within)),
        )
