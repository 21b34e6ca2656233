"""Free space and delta-Bullington diffraction alone, by the radial sweep."""

from ankang_coverage.propagation.models.base import (
    Conditions,
    PathLossModel,
    PixelLoss,
    Surroundings,
)
from ankang_coverage.propagation.models.over_terrain import pixel_losses, swept
from ankang_coverage.propagation.models.p1812 import P1812


class DeltaBullington(PathLossModel):
    """ITU-R P.526: how much of a loss is terrain and clutter alone."""

    name = "delta-bullington"
    title_zh, title_en = "绕射", "delta-Bullington diffraction"
    model_range = P1812.model_range
    settings = ("delta_n",)

    def losses(self, around: Surroundings, conditions: Conditions) -> dict[float, PixelLoss]:
        """Return the losses round a mast; see `PathLossModel.losses`."""
        return pixel_losses(swept(around, conditions, "delta-bullington"), around)
