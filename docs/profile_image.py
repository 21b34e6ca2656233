"""Draw the picture of the page on propagation: the loss along one path, by several models."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ankang_coverage import datasets
from ankang_coverage.propagation import (
    free_space_loss,
    itm_loss,
    okumura_hata_loss,
    p1812_loss,
    rma_loss,
)
from ankang_coverage.region import Region
from ankang_coverage.region.land_cover import LandCoverTable
from ankang_coverage.region.profiles import TerrainProfile, profile_along
from ankang_coverage.reporting.profiles import save_profile

FOLDER = Path(__file__).parent / "images"
MAST, FAR_END = (109.02, 32.69), (109.10, 32.72)
"""Longitude and latitude, west and in the midst of the prefecture's seat."""
FREQUENCY_MHZ = 946.0
MAST_M, PHONE_M = 35.0, 1.5
FIRST_P1812_KM, FULL_P1812_KM = 0.25, 0.5
LINES = {
    "P.1812 with clutter and terminal loss": ("#0072b2", "-", 1.8),
    "P.1812, bare ground": ("#0072b2", "--", 1.0),
    "ITM, bare ground": ("#d55e00", "-", 1.0),
    "3GPP RMa": ("#009e73", "-", 1.0),
    "Hata, open country": ("#cc79a7", "-", 1.2),
    "Free space": ("#2e3440", ":", 1.2),
}


def main() -> None:
    """Draw the picture from the built-in region."""
    region = datasets.ankang()
    whole = profile_along(region, MAST, FAR_END)
    distance_km = whole.distance_m[2:] / 1e3
    losses = losses_along(region, distance_km / distance_km[-1])
    FOLDER.mkdir(exist_ok=True)
    save_profile(figure(whole, distance_km, losses), FOLDER / "profile.png")


def losses_along(region: Region, shares: np.ndarray) -> dict[str, np.ndarray]:
    """Return the loss to receivers along the path, by model, in the order of `LINES`."""
    table = LandCoverTable.default()
    terminal = table.terminal_loss_db(FREQUENCY_MHZ)
    rows = []
    for share in shares:
        place = tuple(a + share * (b - a) for a, b in zip(MAST, FAR_END, strict=True))
        path = profile_along(region, MAST, place)
        rows.append(one_receiver(path, float(terminal[path.class_index[-1]])))
    return dict(zip(LINES, np.array(rows).T, strict=True))


def one_receiver(path: TerrainProfile, terminal_db: float) -> list[float]:
    """Return the loss to the end of a path by each model; NaN outside a model's range."""
    length_m = float(path.distance_m[-1])
    radio = {
        "frequency_mhz": FREQUENCY_MHZ,
        "transmitter_height_m": MAST_M,
        "receiver_height_m": PHONE_M,
    }
    drop_m = path.ground_m[0] + MAST_M - path.ground_m[-1] - PHONE_M
    free = float(free_space_loss(np.hypot(length_m, drop_m), FREQUENCY_MHZ))
    over_clutter, bare = (
        p1812_loss(
            path.distance_m / 1e3,
            path.ground_m,
            clutter,
            latitude_deg=MAST[1],
            extrapolate=True,
            **radio,
        ).lb_db
        for clutter in (path.clutter_height_m, None)
    )
    weight = (length_m / 1e3 - FIRST_P1812_KM) / (FULL_P1812_KM - FIRST_P1812_KM)
    weight = min(max(weight, 0.0), 1.0)
    itm = itm_loss(path.ground_m, path.distance_m[1], **radio)
    hata_or_rma = (length_m, FREQUENCY_MHZ, MAST_M, PHONE_M)
    return [
        free + weight * (over_clutter - free) + terminal_db,
        bare if weight > 0.0 else np.nan,
        float(itm.loss_db),
        float(rma_loss(*hata_or_rma)) if length_m <= 5e3 else np.nan,
        float(okumura_hata_loss(*hata_or_rma, "open")) if length_m >= 1e3 else np.nan,
        free,
    ]


def figure(path: TerrainProfile, distance_km: np.ndarray, losses: dict[str, np.ndarray]) -> Figure:
    """Draw the terrain above the losses."""
    with mpl.rc_context({"font.size": 9.0}):
        drawn = Figure(figsize=(9.0, 6.4), dpi=110, layout="constrained")
        FigureCanvasAgg(drawn)
        land, loss = drawn.subplots(2, 1, sharex=True, height_ratios=[1.0, 2.0])
        along = path.distance_m / 1e3
        over = path.ground_m + path.clutter_height_m
        low = float(path.ground_m.min()) - 30.0
        land.fill_between(along, low, path.ground_m, color="#d9c8a9", lw=0, label="Ground")
        land.fill_between(along, path.ground_m, over, color="#7fb069", lw=0, label="Clutter")
        mast = [path.ground_m[0], path.ground_m[0] + MAST_M]
        land.plot([0.0, 0.0], mast, color="#2e3440", lw=3.0, clip_on=False)
        land.set(ylabel="Height (m)", ylim=(low, None), xlim=(0.0, float(along[-1])))
        land.legend(frameon=False, ncols=2, loc="upper left")
        land.set_title(
            f"Loss from a mast of {MAST_M:g} m to phones at {PHONE_M:g} m, {FREQUENCY_MHZ:g} MHz"
            " (synthetic terrain and land cover)",
            loc="left",
        )
        for name, (colour, style, width) in LINES.items():
            loss.plot(distance_km, losses[name], style, color=colour, lw=width, label=name)
        loss.set(xlabel="Distance from the mast (km)", ylabel="Path loss (dB)")
        loss.invert_yaxis()
        loss.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.14))
        for axes in (land, loss):
            axes.grid(alpha=0.3, lw=0.5)
            axes.spines[["top", "right"]].set_visible(False)
    return drawn


if __name__ == "__main__":
    main()
