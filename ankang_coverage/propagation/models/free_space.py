"""Free space, the least loss there can be."""

import numpy as np

from ankang_coverage.propagation._ranges import FloatOrArray, ModelRange
from ankang_coverage.propagation.free_space import free_space_loss
from ankang_coverage.propagation.models.base import SHORTEST_M
from ankang_coverage.propagation.models.by_distance import DistanceModel, Paths


class FreeSpace(DistanceModel):
    """ITU-R P.525: nothing stands in the way."""

    name = "free-space"
    title_zh, title_en = "自由空间", "free space"
    model_range = ModelRange(
        clause="ITU-R P.525",
        distance_m=(SHORTEST_M, np.inf),
        frequency_mhz=(0.0, np.inf),
        base_height_m=(0.0, np.inf),
        terminal_height_m=(0.0, np.inf),
    )

    def loss_db(self, paths: Paths) -> FloatOrArray:
        """Return the loss of paths; see `DistanceModel.loss_db`."""
        return free_space_loss(paths.distance_m, paths.frequency_mhz)
