"""ITU-R P.1812 over terrain and land cover, by the radial sweep."""

import numpy as np

from ankang_coverage.propagation._ranges import ModelRange
from ankang_coverage.propagation.models.base import (
    Conditions,
    PathLossModel,
    PixelLoss,
    Surroundings,
)
from ankang_coverage.propagation.models.over_terrain import pixel_losses, swept


class P1812(PathLossModel):
    """ITU-R P.1812: line of sight, diffraction, ducting and troposcatter over terrain."""

    name = "p1812"
    title_zh, title_en = "P.1812", "ITU-R P.1812"
    model_range = ModelRange(
        clause="ITU-R P.1812-8, Annex 1",
        distance_m=(0.0, np.inf),
        frequency_mhz=(30.0, 6_000.0),
        base_height_m=(1.0, 3_000.0),
        terminal_height_m=(1.0, 3_000.0),
    )
    settings = ("time_percent", "delta_n", "n0")

    def losses(self, around: Surroundings, conditions: Conditions) -> dict[float, PixelLoss]:
        """Return the losses round a mast; see `PathLossModel.losses`."""
        return pixel_losses(swept(around, conditions, "p1812"), around)
