"""The irregular terrain model over bare ground, one profile to every pixel."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ankang_coverage.propagation._ranges import ModelRange
from ankang_coverage.propagation.itm import itm_loss
from ankang_coverage.propagation.models.base import (
    SHORTEST_M,
    Conditions,
    PathLossModel,
    PixelLoss,
    Surroundings,
)
from ankang_coverage.propagation.models.over_terrain import pixel_losses, swept


class Itm(PathLossModel):
    """Longley–Rice along a bare profile to every pixel; the directions come from the sweep."""

    name = "itm"
    title_zh, title_en = "不规则地形模型", "irregular terrain model (Longley–Rice)"
    model_range = ModelRange(
        clause="irregular terrain model, NTIA Report 82-100, design ranges",
        distance_m=(0.0, np.inf),
        frequency_mhz=(20.0, 20_000.0),
        base_height_m=(0.5, 3_000.0),
        terminal_height_m=(0.5, 3_000.0),
    )
    settings = ("delta_n", "n0")

    def losses(self, around: Surroundings, conditions: Conditions) -> dict[float, PixelLoss]:
        """Return the losses round a mast; see `PathLossModel.losses`."""
        over = pixel_losses(swept(around, conditions, "delta-bullington"), around)
        return {
            f: _loss(around, f, conditions, around.terminal_loss_db(n), loss)
            for n, (f, loss) in enumerate(over.items())
        }


def _loss(
    around: Surroundings,
    frequency_mhz: float,
    conditions: Conditions,
    terminal_loss_db: NDArray[np.float64],
    swept_loss: PixelLoss,
) -> PixelLoss:
    wanted = np.isfinite(swept_loss.loss_db)
    loss = _along_profiles(around, frequency_mhz, conditions, wanted)
    least = around.free_space_db(frequency_mhz, conditions.terminal_height_m)
    total = np.maximum(loss + terminal_loss_db, least + terminal_loss_db)
    n_crossing = int(np.count_nonzero(wanted)) - int(np.count_nonzero(np.isfinite(loss)))
    assert swept_loss.obstacle_distance_m is not None
    return replace(
        swept_loss,
        loss_db=total,
        obstacle_distance_m=np.where(
            np.isfinite(total), swept_loss.obstacle_distance_m, np.float32(0.0)
        ),
        n_without_terrain=swept_loss.n_without_terrain + n_crossing,
    )


def _along_profiles(
    around: Surroundings,
    frequency_mhz: float,
    conditions: Conditions,
    wanted: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Return the loss along profiles to the wanted pixels; NaN across unknown ground."""
    to_row, to_column = np.nonzero(wanted)
    distance = np.maximum(around.distance_m[to_row, to_column], SHORTEST_M)
    steps = np.maximum(np.rint(distance / around.terrain.pixel_size_m).astype(int), 2)
    start = around.mast.row, around.mast.col
    ends = to_row + around.rows.start, to_column + around.columns.start
    loss = np.full(wanted.shape, np.nan, np.float32)
    for n in np.unique(steps):
        ring = np.flatnonzero(steps == n)
        part = np.linspace(0.0, 1.0, n + 1)
        line = [a + (b[ring, None] - a) * part for a, b in zip(start, ends, strict=True)]
        profiles = _heights(around.terrain.elevation_m, line)
        known = np.isfinite(profiles).all(axis=1)
        profiles, ring = profiles[known], ring[known]
        loss[to_row[ring], to_column[ring]] = itm_loss(
            profiles,
            distance[ring] / n,
            frequency_mhz=frequency_mhz,
            transmitter_height_m=around.mast.height_m,
            receiver_height_m=conditions.terminal_height_m,
            n0=conditions.n0,
        ).loss_db
    return loss


def _heights(
    elevation_m: NDArray[np.float32], line: list[NDArray[np.float64]]
) -> NDArray[np.float32]:
    """Return heights along lines; beside unknown ground the nearest pixel's counts."""
    heights = ndimage.map_coordinates(elevation_m, line, order=1, mode="nearest")
    if np.isnan(heights).any():
        nearest = ndimage.map_coordinates(elevation_m, line, order=0, mode="nearest")
        heights = np.where(np.isnan(heights), nearest, heights)
    return heights
