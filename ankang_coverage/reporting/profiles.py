"""A chart of one path: terrain, first Fresnel zone, obstacles and the parts of the loss."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.files import atomic_path
from ankang_coverage.propagation.diffraction import WAVELENGTH_M_GHZ, checked_profile
from ankang_coverage.propagation.p1812 import P1812Loss
from ankang_coverage.reporting.style import set_chart_font
from ankang_coverage.reporting.words import vocabulary

_SIZE_INCHES = (11.0, 5.4)
_DOTS_PER_INCH = 120
_BELOW_GROUND, _ABOVE_GROUND = 0.12, 0.35
"""Margins below the lowest ground and above the highest point, as a share of the heights
between."""

_GROUND, _UNDERGROUND, _CLUTTER = "#d9c8a9", "#b49a72", "#7fb069"
_RAY, _ZONE, _OBSTACLE, _MAST = "#0072b2", "#56b4e9", "#d55e00", "#2e3440"
_LABEL_BOX = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.0}

# Chinese first, English second.
_WORDS: dict[str, tuple[str, str]] = {
    "distance": ("距离（km）", "Distance (km)"),
    "height": ("海拔（m）", "Height above sea level (m)"),
    "ground": ("地面", "Ground"),
    "clutter": ("地物", "Clutter"),
    "bulge": ("地球凸起，最高 {bulge:.1f} m", "Earth bulge, up to {bulge:.1f} m"),
    "ray": ("直射线", "Direct ray"),
    "fresnel": ("第一菲涅耳区", "First Fresnel zone"),
    "mast": ("天线", "Antenna"),
    "horizons": ("两端地平射线", "Rays over the horizons"),
    "main": ("主要障碍", "Main obstacle"),
    "edge": ("等效障碍（Bullington）", "Equivalent edge (Bullington)"),
    "closest": ("最接近阻挡处", "Closest to blocking"),
    "model": ("ITU-R P.1812-8", "ITU-R P.1812-8"),
    "length": ("路径长度", "Path length"),
    "frequency": ("频率", "Frequency"),
    "sight": ("地形通视", "In sight over bare ground"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "free_space": ("自由空间", "Free space"),
    "bullington": ("绕射：障碍", "Diffraction, obstacles"),
    "smooth_earth": ("绕射：光滑地球", "Diffraction, smooth earth"),
    "other": ("其他机制与百分比", "Other modes, percentages"),
    "terminal": ("终端损耗", "Terminal loss"),
    "total": ("总损耗", "Total loss"),
}


@dataclass(frozen=True)
class _Obstacles:
    """The obstacles that decide the diffraction loss; heights as drawn, above the chord.

    ``main`` is the point that reaches farthest into the Fresnel zones (largest ν). Where the ray is
    blocked, ``edge`` is Bullington's point (distance [km], height [m]) and ``touched`` are the
    points touched by the rays that meet there.
    """

    main: int
    edge: tuple[float, float] | None
    touched: tuple[int, ...]


def loss_components(
    loss: P1812Loss, terminal_loss_db: float = 0.0, lang: str = "zh"
) -> tuple[tuple[str, float], ...]:
    """Split the loss of a path into parts that add up to it.

    Parameters
    ----------
    loss : P1812Loss
        Loss of the path by ITU-R P.1812.
    terminal_loss_db : float, default 0.0
        Loss by the land cover at the receiver [dB].
    lang : str, default "zh"
        ``zh`` or ``en``.

    Returns
    -------
    tuple of (str, float)
        Name and value [dB]: free space; diffraction over obstacles (Bullington's construction on
        the profile); the addition of delta-Bullington for the smooth earth; the effect of ducting,
        layer reflection, troposcatter and percentages other than 50; the terminal loss; and last
        the total.

    Raises
    ------
    UnknownNameError
        If there are no words in that language.
    """
    words = _words(lang)
    diffraction = loss.diffraction_50
    parts = {
        "free_space": loss.lbfs_db,
        "bullington": diffraction.bullington_db,
        "smooth_earth": diffraction.loss_db - diffraction.bullington_db,
        "other": loss.lb_db - loss.lbd50_db,
        "terminal": terminal_loss_db,
        "total": loss.lb_db + terminal_loss_db,
    }
    return tuple((words[key], value) for key, value in parts.items())


def profile_figure(
    distance_km: ArrayLike,
    ground_m: ArrayLike,
    clutter_height_m: ArrayLike,
    loss: P1812Loss,
    *,
    frequency_mhz: float,
    terminal_loss_db: float = 0.0,
    title: str = "",
    note: str = "",
    lang: str = "zh",
) -> Figure:
    """Draw a path: terrain and clutter, ray and first Fresnel zone, obstacles, loss by component.

    Parameters
    ----------
    distance_km, ground_m, clutter_height_m : array_like
        The profile that the loss was computed on: distances from the transmitter [km], bare ground
        above sea level [m], height of the clutter [m].
    loss : P1812Loss
        Loss of the path by ITU-R P.1812.
    frequency_mhz : float
        Carrier frequency [MHz].
    terminal_loss_db : float, default 0.0
        Loss by the land cover at the receiver, added to the total [dB].
    title : str, default ""
        Title, such as the names of the two ends.
    note : str, default ""
        A line under the title: where the terrain comes from, or that it is synthetic.
    lang : str, default "zh"
        ``zh`` or ``en``.

    Returns
    -------
    matplotlib.figure.Figure
        The figure: `save_profile` writes it, a notebook shows it, and it need not be closed.

    Raises
    ------
    OutOfRangeError
        If the profile is invalid or not that of the loss, the frequency is not positive, or there
        are no words in that language.

    Notes
    -----
    Heights are drawn with the bulge 500 d (D − d) / a of the earth of median effective radius a, so
    that rays are straight; the bulge itself is drawn under the lowest ground. The main obstacle is
    the point with the largest ν. Where the ray is blocked, Bullington's edge, where the rays over
    the two horizons meet, is marked too, at the upper rim if it is higher. Both are found over
    ground with clutter, as in the diffraction loss.
    """
    d, ground = checked_profile(distance_km, ground_m=ground_m)
    _, clutter = checked_profile(d, clutter_height_m=clutter_height_m)
    if not math.isclose(d[-1], loss.d_km):
        raise OutOfRangeError(
            f"the profile is {d[-1]:g} km long, the path of the loss {loss.d_km:g} km: give the "
            "profile that the loss was computed on"
        )
    if not (math.isfinite(frequency_mhz) and frequency_mhz > 0.0):
        raise OutOfRangeError(f"frequency_mhz is {frequency_mhz} but must be above 0")
    words = _words(lang)
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.075, 0.24, 0.62, 0.62))
    _draw_land(axes, d, ground, clutter, loss, words)
    _draw_rays(axes, d, ground, loss, frequency_mhz, words)
    _draw_obstacles(axes, d, _over(d, ground, clutter, loss), loss, words)
    _finish(axes, d, words)
    side = figure.add_axes((0.725, 0.24, 0.255, 0.62))
    _draw_losses(side, loss, frequency_mhz, terminal_loss_db, words, lang)
    figure.legend(*axes.get_legend_handles_labels(), loc="lower center", ncols=4, frameon=False)
    # Names are not formulas, whatever characters they contain.
    plain: dict[str, Any] = {"parse_math": False, "usetex": False}
    figure.text(0.075, 0.935, title, fontsize="x-large", **plain)
    figure.text(0.075, 0.885, note, fontsize="small", color="#4c566a", **plain)
    set_chart_font(figure)
    return figure


def save_profile(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, the same bytes for the same figure.

    Parameters
    ----------
    figure : Figure
        The result of `profile_figure`.
    path : str or Path
        The file.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    with atomic_path(path) as unfinished:
        # Without the version of matplotlib the bytes do not depend on it.
        figure.savefig(unfinished, format="png", metadata={"Software": None})


def _words(lang: str) -> dict[str, str]:
    vocabulary(lang)  # raises for an unknown language
    return {key: texts[0 if lang == "zh" else 1] for key, texts in _WORDS.items()}


def _bulge(d: NDArray[np.float64], loss: P1812Loss) -> NDArray[np.float64]:
    return 500.0 / loss.ae_km * d * (d[-1] - d)


def _over(
    d: NDArray[np.float64],
    ground: NDArray[np.float64],
    clutter: NDArray[np.float64],
    loss: P1812Loss,
) -> NDArray[np.float64]:
    """Ground with clutter and bulge; P.1812 counts no clutter at the two ends."""
    over = ground + _bulge(d, loss)
    over[1:-1] += clutter[1:-1]
    return over


def _obstacles(d: NDArray[np.float64], over: NDArray[np.float64], loss: P1812Loss) -> _Obstacles:
    """Find the obstacles over ground with clutter and bulge."""
    total = float(d[-1])
    inner, ahead, heights = d[1:-1], total - d[1:-1], over[1:-1]
    direct = (loss.hrs_m - loss.hts_m) / total
    main = 1 + int(np.argmax((heights - loss.hts_m - direct * inner) / np.sqrt(inner * ahead)))
    up, back = (heights - loss.hts_m) / inner, (heights - loss.hrs_m) / ahead
    steepest_up, steepest_back = float(np.max(up)), float(np.max(back))
    if steepest_up < direct:
        return _Obstacles(main, None, ())
    steepness = steepest_up + steepest_back
    edge = (direct + steepest_back) * total / steepness if steepness > 0.0 else float(inner[0])
    edge = min(max(edge, float(inner[0])), float(inner[-1]))
    return _Obstacles(
        main=main,
        edge=(edge, loss.hts_m + steepest_up * edge),
        touched=(1 + int(np.argmax(up)), 1 + int(np.argmax(back))),
    )


def _draw_land(
    axes: Axes,
    d: NDArray[np.float64],
    ground: NDArray[np.float64],
    clutter: NDArray[np.float64],
    loss: P1812Loss,
    words: dict[str, str],
) -> None:
    bulge = _bulge(d, loss)
    bare, over = ground + bulge, _over(d, ground, clutter, loss)
    lowest, highest = float(bare.min()), max(float(over.max()), loss.hts_m, loss.hrs_m)
    base = lowest - _BELOW_GROUND * (highest - lowest)
    axes.fill_between(d, base + bulge, bare, color=_GROUND, lw=0, label=words["ground"])
    if clutter[1:-1].any():
        axes.fill_between(d, bare, over, color=_CLUTTER, lw=0, label=words["clutter"])
    axes.plot(d, bare, color=_UNDERGROUND, lw=0.8)
    axes.fill_between(
        d,
        base,
        base + bulge,
        color=_UNDERGROUND,
        label=words["bulge"].format(bulge=float(bulge.max())),
    )
    # Bullington's edge may be far above all ground: it gets some room, but not all it needs.
    axes.set_ylim(base, highest + _ABOVE_GROUND * (highest - lowest))


def _draw_rays(
    axes: Axes,
    d: NDArray[np.float64],
    ground: NDArray[np.float64],
    loss: P1812Loss,
    frequency_mhz: float,
    words: dict[str, str],
) -> None:
    total = float(d[-1])
    along = np.linspace(0.0, total, 201)
    ray = loss.hts_m + (loss.hrs_m - loss.hts_m) * along / total
    wavelength = WAVELENGTH_M_GHZ / (frequency_mhz / 1e3)
    radius = np.sqrt(1e3 * wavelength * along * (total - along) / total)
    axes.fill_between(
        along, ray - radius, ray + radius, color=_ZONE, alpha=0.3, lw=0, label=words["fresnel"]
    )
    axes.plot(along, ray, color=_RAY, lw=1.4, label=words["ray"])

    for end, antenna in ((0, loss.hts_m), (-1, loss.hrs_m)):
        axes.plot(
            [d[end], d[end]],
            [ground[end], antenna],
            color=_MAST,
            lw=2.5,
            marker="o",
            ms=4,
            markevery=[1],
            label=words["mast"] if end == 0 else None,
            clip_on=False,
        )
        axes.annotate(
            f"{antenna - ground[end]:g} m",
            (d[end], antenna),
            xytext=(6 if end == 0 else -6, 7),
            textcoords="offset points",
            ha="left" if end == 0 else "right",
            fontsize="small",
            bbox=_LABEL_BOX,
        )


def _draw_obstacles(
    axes: Axes,
    d: NDArray[np.float64],
    over: NDArray[np.float64],
    loss: P1812Loss,
    words: dict[str, str],
) -> None:
    """Mark what blocks the ray, or comes closest to it."""
    found = _obstacles(d, over, loss)
    if found.edge is not None:
        distance, height = found.edge
        axes.plot(
            [0.0, distance, d[-1]],
            [loss.hts_m, height, loss.hrs_m],
            color=_OBSTACLE,
            lw=1.0,
            ls="--",
            label=words["horizons"],
        )
        points = list(dict.fromkeys(found.touched))
        axes.plot(d[points], over[points], "^", color=_OBSTACLE, mec="white", ms=6)
        top = axes.get_ylim()[1]
        axes.plot(
            [distance],
            [min(height, top)],
            "X",
            color=_OBSTACLE,
            mec="white",
            ms=9,
            clip_on=False,
            label=words["edge"],
        )
        if height > top:
            axes.annotate(
                f"{height:,.0f} m ↑",
                (distance, top),
                xytext=(8, 1),  # above the frame, clear of the rays
                textcoords="offset points",
                fontsize="small",
            )
    axes.plot(
        [d[found.main]],
        [over[found.main]],
        "v",
        color=_MAST,
        mec="white",
        ms=9,
        label=words["closest" if found.edge is None else "main"],
    )


def _finish(axes: Axes, d: NDArray[np.float64], words: dict[str, str]) -> None:
    axes.set_xlim(0.0, float(d[-1]))
    axes.set_xlabel(words["distance"])
    axes.set_ylabel(words["height"])
    axes.grid(alpha=0.3, lw=0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_losses(
    side: Axes,
    loss: P1812Loss,
    frequency_mhz: float,
    terminal_loss_db: float,
    words: dict[str, str],
    lang: str,
) -> None:
    """Write the path and its loss by component as two columns, the total last."""
    rows = [
        (words["length"], f"{loss.d_km:.2f} km"),
        (words["frequency"], f"{frequency_mhz:g} MHz"),
        (words["sight"], words["yes" if loss.in_sight else "no"]),
    ]
    parts = loss_components(loss, terminal_loss_db, lang)
    rows += [(name, f"{value:z.1f} dB") for name, value in parts]
    side.set_axis_off()
    side.set(xlim=(0.0, 1.0), ylim=(len(rows) + 1.0, 0.0))
    side.text(0.0, 0.5, words["model"], va="center", fontsize="large")
    for line, (name, value) in enumerate(rows, start=1):
        size = "large" if line == len(rows) else "medium"
        side.text(0.0, line + 0.5, name, va="center", fontsize=size)
        side.text(1.0, line + 0.5, value, va="center", ha="right", fontsize=size)
    for line in (1, 4, len(rows)):
        side.axhline(line, color="#4c566a", lw=0.6)
