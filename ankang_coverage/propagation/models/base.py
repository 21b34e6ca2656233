"""What a path-loss model is: an object with a name, the words about it, and a loss round a mast.

A model is a frozen dataclass derived from `PathLossModel`, or from `DistanceModel` where the loss
depends on distance, frequency and heights alone. Its fields are its parameters; what is true of
every object of its kind stands in class attributes.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.propagation._ranges import ModelRange
from ankang_coverage.propagation.free_space import free_space_loss
from ankang_coverage.propagation.sweep.terrain import Mast, Terrain

SHORTEST_M = 1.0
"""Nearest a terminal can be to a mast; keeps the logarithm of a distance finite."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """One mast and the pixels round it.

    Attributes
    ----------
    terrain : Terrain
        Heights and land cover of the whole grid; terminal losses in the order of the frequencies.
        A model that does not look at terrain is given no land cover.
    mast : Mast
        Place and height of the antenna on the grid.
    radius_m : float
        Farthest distance that is predicted [m].
    rows, columns : slice
        Window of the grid that a loss is wanted on: the pixels that can lie within the radius.
    distance_m : numpy.ndarray
        Distances of the window's pixels from the mast [m], float64.
    latitude_deg : float
        Latitude of the grid's middle [deg].
    """

    terrain: Terrain
    mast: Mast
    radius_m: float
    rows: slice
    columns: slice
    distance_m: NDArray[np.float64]
    latitude_deg: float

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the window."""
        return self.rows, self.columns

    @property
    def mast_pixel(self) -> tuple[int, int]:
        """Row and column of the pixel that the mast stands on, as the sweep rounds."""
        return int(self.mast.row + 0.5), int(self.mast.col + 0.5)

    def direct_elevation_deg(self, terminal_height_m: float) -> NDArray[np.float32]:
        """Return the elevation of straight lines from the antenna to the terminals.

        Parameters
        ----------
        terminal_height_m : float
            Height of the terminals above ground, which counts as flat [m].

        Returns
        -------
        numpy.ndarray
            Degrees above the horizontal, float32, on the window.
        """
        drop = self.mast.height_m - terminal_height_m
        elevation = -np.degrees(np.arctan2(drop, np.maximum(self.distance_m, SHORTEST_M)))
        return elevation.astype(np.float32)

    def terminal_loss_db(self, position: int) -> NDArray[np.float64]:
        """Return the terminal loss by land cover at one of the frequencies.

        Parameters
        ----------
        position : int
            The frequency's place among those that are predicted.

        Returns
        -------
        numpy.ndarray
            Loss [dB], float64, on the window.
        """
        clutter = self.terrain.clutter
        assert clutter is not None
        by_class = np.asarray(clutter.terminal_loss_db)[position]
        return np.asarray(by_class[clutter.class_index[self.window]])

    def free_space_db(self, frequency_mhz: float, terminal_height_m: float) -> NDArray[np.float64]:
        """Return the loss of straight lines from the antenna to the terminals.

        Parameters
        ----------
        frequency_mhz : float
            Carrier frequency [MHz].
        terminal_height_m : float
            Height of the terminals above ground, which counts as flat [m].

        Returns
        -------
        numpy.ndarray
            Loss [dB], float64, on the window.
        """
        drop = self.mast.height_m - terminal_height_m
        slant = np.hypot(np.maximum(self.distance_m, SHORTEST_M), drop)
        return np.asarray(free_space_loss(slant, frequency_mhz))


@dataclass(frozen=True)
class Conditions:
    """What a loss is wanted for, the same for every mast.

    Attributes
    ----------
    frequencies_mhz : tuple of float
        Carrier frequencies [MHz].
    terminal_height_m : float
        Height of the terminals above ground [m].
    time_percent : float
        Percentage of time for which the loss is not exceeded.
    delta_n : float
        Fall of refractivity over the lowest kilometre [N-units/km].
    n0 : float
        Surface refractivity at sea level [N-units].
    """

    frequencies_mhz: tuple[float, ...]
    terminal_height_m: float
    time_percent: float
    delta_n: float
    n0: float


@dataclass(frozen=True, eq=False)
class PixelLoss:
    """Loss round one mast at one frequency, on the window of its surroundings.

    Attributes
    ----------
    loss_db : numpy.ndarray
        Path loss [dB]; NaN beyond the radius and where there is none.
    elevation_deg : numpy.ndarray, optional
        Elevation at which the energy leaves the mast [degrees above the horizontal], float32; the
        straight line to each pixel where left out.
    obstacle_distance_m : numpy.ndarray, optional
        Distance from the mast of what blocks the path [m], float32, 0 in sight; in sight
        everywhere where left out.
    terms : mapping of str to numpy.ndarray
        By name of each of the model's own terms of calibration, what one unit of it adds [dB].
    n_clamped : int
        Pixels whose distance or height was moved to the nearest that the model allows.
    n_without_terrain : int
        Pixels within the radius whose path crosses unknown terrain.
    n_short_range : int
        Pixels too near for the model, where free space is blended into it.
    """

    loss_db: NDArray[np.floating]
    elevation_deg: NDArray[np.float32] | None = None
    obstacle_distance_m: NDArray[np.float32] | None = None
    terms: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    n_clamped: int = 0
    n_without_terrain: int = 0
    n_short_range: int = 0


class CalibrationTerm(NamedTuple):
    """A term that a calibration can fit beside offset, distance slope and classes of land cover.

    Attributes
    ----------
    name : str
        Its name, such as ``height slope``.
    prior_sd : float
        How far from 0 it may be expected to be before anything was measured.
    """

    name: str
    prior_sd: float


@dataclass(frozen=True)
class PathLossModel(ABC):
    """A way to predict path loss round a mast.

    Attributes
    ----------
    name : str
        What a study calls it.
    title_zh, title_en : str
        What people call it, in Chinese and English.
    model_range : ModelRange
        What it holds for, and the clause that says so.
    looks_at_terrain : bool
        Whether it looks at terrain and land cover; a loss that was stored is then used again only
        where both are the same.
    settings : tuple of str
        Fields of `Conditions` that it takes besides frequencies and the terminals' height.
    terms : tuple of CalibrationTerm
        Terms of calibration of its own.
    version : int
        Raised when its losses change, so that those that were stored are computed again.
    """

    name: ClassVar[str]
    title_zh: ClassVar[str]
    title_en: ClassVar[str]
    model_range: ClassVar[ModelRange]
    looks_at_terrain: ClassVar[bool] = True
    settings: ClassVar[tuple[str, ...]] = ()
    terms: ClassVar[tuple[CalibrationTerm, ...]] = ()
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        needed = "name", "title_zh", "title_en", "model_range"
        missing = [name for name in needed if not hasattr(self, name)]
        if missing:
            raise TypeError(f"{type(self).__name__} lacks {', '.join(missing)}")

    @property
    def identity(self) -> str:
        """Name and parameters: models of one identity and version predict the same losses.

        A model whose parameters JSON cannot write says here what tells it from others.
        """
        parameters = asdict(self)
        return f"{self.name} {json.dumps(parameters)}" if parameters else self.name

    @property
    def documentation(self) -> tuple[str, ...]:
        """Its row in the table of ``docs/propagation.md``."""
        low, high = self.model_range.frequency_mhz
        return (
            f"`{self.name}`",
            self.title_en,
            "over terrain" if self.looks_at_terrain else "by distance",
            "any" if np.isinf(high) else f"{low:g}–{high:g} MHz",
            ", ".join(f"`{setting}`" for setting in self.settings) or "–",
            ", ".join(term.name for term in self.terms) or "–",
        )

    @abstractmethod
    def losses(self, around: Surroundings, conditions: Conditions) -> dict[float, PixelLoss]:
        """Return the losses round a mast.

        Parameters
        ----------
        around : Surroundings
            The mast and the ground round it.
        conditions : Conditions
            Frequencies, and what else is the same for every mast.

        Returns
        -------
        dict of float to PixelLoss
            Losses by frequency.
        """
