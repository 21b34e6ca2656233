"""The standard propagation model over terrain: Hata, diffraction, and the land cover's loss."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.propagation.models.base import (
    CalibrationTerm,
    Conditions,
    PathLossModel,
    PixelLoss,
    Surroundings,
)
from ankang_coverage.propagation.models.over_terrain import pixel_losses, swept
from ankang_coverage.propagation.spm import (
    REFERENCE_HEIGHT_M,
    SPM_RANGE,
    SpmCoefficients,
    effective_height,
    spm_loss,
)
from ankang_coverage.propagation.sweep import SweepFlag

HEIGHT_SLOPE, DIFFRACTION = "height slope", "diffraction"


class Spm(PathLossModel):
    """Hata for open country, the class's loss, and diffraction where sight is blocked."""

    name = "spm"
    title_zh, title_en = "标准传播模型", "standard propagation model"
    model_range = SPM_RANGE
    settings = ("delta_n",)
    terms = (
        CalibrationTerm(HEIGHT_SLOPE, prior_sd=10.0),
        CalibrationTerm(DIFFRACTION, prior_sd=0.5),
    )

    def losses(self, around: Surroundings, conditions: Conditions) -> dict[float, PixelLoss]:
        """Return the losses round a mast; see `PathLossModel.losses`."""
        bare = swept(around, conditions, "delta-bullington", with_clutter=False)
        in_sight = (bare.flags[0] & SweepFlag.IN_SIGHT) != 0
        terminal_m = conditions.terminal_height_m
        return {
            f: _loss(around, f, terminal_m, around.terminal_loss_db(n), loss, in_sight)
            for n, (f, loss) in enumerate(pixel_losses(bare, around).items())
        }


def _loss(
    around: Surroundings,
    frequency_mhz: float,
    terminal_height_m: float,
    terminal_loss_db: NDArray[np.float64],
    over_bare_ground: PixelLoss,
    in_sight: NDArray[np.bool_],
) -> PixelLoss:
    elevation_m = around.terrain.elevation_m
    least = around.free_space_db(frequency_mhz, terminal_height_m)
    effective = effective_height(
        around.mast.height_m,
        elevation_m[around.mast_pixel],
        np.nan_to_num(elevation_m[around.window]),
    )
    distance = np.clip(around.distance_m, *SPM_RANGE.distance_m)
    base = np.clip(effective, *SPM_RANGE.base_height_m)
    clamped = (distance != around.distance_m) | (base != effective)
    beyond_free_space = np.maximum(np.nan_to_num(over_bare_ground.loss_db - least), 0.0)
    diffraction = np.where(in_sight, 0.0, beyond_free_space)
    predicted = spm_loss(
        SpmCoefficients.for_frequency(frequency_mhz, environment="open"),
        distance,
        base,
        terminal_height_m,
        diffraction,
        terminal_loss_db,
    )
    known = np.isfinite(over_bare_ground.loss_db)
    return replace(
        over_bare_ground,
        loss_db=np.where(known, np.maximum(predicted, least), np.nan),
        n_clamped=int(np.count_nonzero(clamped & known)),
        terms={
            HEIGHT_SLOPE: np.log10(base / REFERENCE_HEIGHT_M),
            DIFFRACTION: diffraction,
        },
    )
