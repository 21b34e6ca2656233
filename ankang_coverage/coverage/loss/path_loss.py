"""Path loss from one mast to every pixel round it."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from odc.geo.geobox import GeoBox
from pydantic import AfterValidator, Field, model_validator
from scipy import ndimage

from ankang_coverage._jit import log2, njit_vector
from ankang_coverage.coverage.loss.correction import REFERENCE_HEIGHT_M, Calibration, Correction
from ankang_coverage.coverage.loss.ground import NO_TERRAIN, Ground
from ankang_coverage.errors import RasterError
from ankang_coverage.propagation import free_space, hata, itm, p1812, spm, sweep as radial, tr38901
from ankang_coverage.propagation._ranges import ModelRange
from ankang_coverage.settings import Number, Settings

ModelName = Literal[
    "p1812",
    "delta-bullington",
    "itm",
    "spm",
    "rma",
    "uma",
    "umi",
    "okumura-hata",
    "cost231-hata",
    "free-space",
]


class Propagation(Settings):
    """How path loss is predicted: the model, how far it is asked, and for whom."""

    model: ModelName = "p1812"
    """Path-loss model. Over terrain: ``p1812``, ``delta-bullington``, ``itm``, ``spm``; by distance
    alone: ``rma``, ``uma``, ``umi`` (3GPP TR 38.901), ``okumura-hata``, ``cost231-hata``,
    ``free-space``."""
    radius_m: Number = Field(default=15_000.0, gt=0.0, le=100_000.0)
    """Farthest distance from a macro mast that is predicted [m]."""
    micro_radius_m: Number = Field(default=5_000.0, gt=0.0, le=100_000.0)
    """Farthest distance from a micro mast that is predicted [m]."""
    terminal_height_m: Number = Field(default=1.5, ge=1.0, le=10.0)
    """Height of the phone above ground [m]."""
    time_percent: Number = Field(default=50.0, ge=1.0, le=50.0)
    """Time for which the loss is not exceeded, for P.1812 [%]."""
    delta_n: Number = Field(default=p1812.DELTA_N, gt=0.0, lt=157.0)
    """Mean fall of refractivity in the lowest kilometre, for P.1812 [N-units/km]."""
    n0: Number = Field(default=p1812.N0, ge=250.0, le=400.0)
    """Sea-level refractivity, for P.1812 and ITM [N-units]."""
    land_cover_table: Path | None = None
    """CSV of land-cover classes instead of the built-in one."""
    calibration: Path | Annotated[Calibration, AfterValidator(Calibration.essence)] | None = None
    """A fit of this model to measurements, or its JSON file: corrects the loss at the frequencies
    that were measured, and says how large the error is. Of the fit only its essence is kept."""

    @model_validator(mode="after")
    def _fits_its_calibration(self) -> Self:
        if isinstance(self.calibration, Calibration):
            self.calibration.require_fits(self.model, self.terminal_height_m, self.time_percent)
        return self

    def resolved(self) -> "Propagation":
        """Return the settings with the calibration in them, instead of the name of its file.

        Raises
        ------
        FileError
            If the file cannot be read.
        OutOfRangeError
            If the calibration is of another model.
        """
        if not isinstance(self.calibration, Path):
            return self
        calibration = Calibration.load(self.calibration)
        calibration.require_fits(self.model, self.terminal_height_m, self.time_percent)
        return self.model_copy(update={"calibration": calibration.essence()})

    def loss_settings(self, frequency_mhz: float) -> str:
        """Return as JSON what of these settings the loss at one frequency depends on.

        The radius, which a mast has itself, and the land-cover table, which the ground has, are
        left out; of a calibration the correction alone counts.

        Parameters
        ----------
        frequency_mhz
            Carrier frequency [MHz].
        """
        elsewhere = {"radius_m", "micro_radius_m", "land_cover_table", "calibration"}
        correction = self.correction(frequency_mhz)
        told = None if correction is None else correction.model_dump(mode="json")
        return json.dumps({**self.model_dump(mode="json", exclude=elsewhere), "correction": told})

    def correction(self, frequency_mhz: float) -> Correction | None:
        """Return what the calibration adds at a frequency; None where it says nothing of it.

        Parameters
        ----------
        frequency_mhz
            Carrier frequency [MHz].
        """
        calibration = self.resolved().calibration
        if not isinstance(calibration, Calibration):
            return None
        correction = calibration.correction
        return correction if correction.applies_to(frequency_mhz) else None

    def error_sigma_db(self, frequencies_mhz: Sequence[float]) -> float | None:
        """Return the standard deviation of the error as measured [dB].

        Parameters
        ----------
        frequencies_mhz
            Carrier frequencies that are predicted [MHz].

        Returns
        -------
        float or None
            The calibration's, on blocks that were held out; None without one, or where one of
            the frequencies was not measured.
        """
        calibration = self.resolved().calibration
        if not isinstance(calibration, Calibration):
            return None
        return calibration.sigma_db(frequencies_mhz)


@dataclass(frozen=True)
class MastLoss:
    """Path loss and direction of the pixels round one mast.

    Attributes
    ----------
    rows, columns
        The window of the grid that the arrays fill.
    mast_row, mast_column
        The mast's place on the grid [pixels], whole at pixel centres.
    loss_db
        (rows, columns) float32 path loss [dB]; NaN beyond the radius and where terrain is unknown.
    elevation_deg
        (rows, columns) float32 elevation at which the energy leaves the mast [degrees above the
        horizontal]: towards the pixel in sight, towards the ridge that hides it otherwise.
    obstacle_distance_m
        (rows, columns) float32 distance from the mast of the terrain or clutter that blocks the
        path [m]; 0 in sight, where no loss is known, and for models by distance.
    n_clamped
        Pixels whose distance, or whose mast's height, was outside the model's range and was moved
        to its nearest end.
    n_without_terrain
        Pixels within the radius whose path crosses unknown terrain.
    n_short_range
        Pixels nearer than 0.5 km, where free space is blended into the model over terrain.
    """

    rows: slice
    columns: slice
    mast_row: float
    mast_column: float
    loss_db: NDArray[np.float32]
    elevation_deg: NDArray[np.float32]
    obstacle_distance_m: NDArray[np.float32]
    n_clamped: int
    n_without_terrain: int = 0
    n_short_range: int = 0

    @property
    def azimuth_deg(self) -> NDArray[np.float32]:
        """(rows, columns) azimuth of the pixels [degrees clockwise from north]."""
        south = np.arange(self.rows.start, self.rows.stop) - self.mast_row
        east = np.arange(self.columns.start, self.columns.stop) - self.mast_column
        azimuth = np.degrees(np.arctan2(east[None, :], -south[:, None])) % 360.0
        return azimuth.astype(np.float32)


@dataclass(frozen=True)
class Mast:
    """Where an antenna stands and how far its signal is followed.

    Attributes
    ----------
    x_m, y_m
        Position in the grid's CRS [m].
    height_m
        Antenna height above ground [m].
    radius_m
        Farthest distance that is predicted [m].
    """

    x_m: float
    y_m: float
    height_m: float
    radius_m: float


def mast_losses(
    ground: Ground, mast: Mast, frequencies_mhz: Sequence[float], propagation: Propagation
) -> dict[float, MastLoss]:
    """Predict path loss from one mast to the pixels within its radius, at several frequencies.

    Where a pixel is nearer or farther than a model by distance allows, or a height is outside its
    range, the model's nearest valid value is used; the loss is never less than in free space. A
    calibration's correction is added to that.

    Parameters
    ----------
    ground
        The grid, its terrain and land cover.
    mast
        Position, antenna height and radius.
    frequencies_mhz
        Carrier frequencies [MHz].
    propagation
        Model and its settings.

    Returns
    -------
    dict
        `MastLoss` by frequency.

    Raises
    ------
    OutOfRangeError
        If a frequency is outside the model's range.
    RasterError
        If the model needs terrain and the ground has none, or none under the mast.
    """
    settings = propagation.resolved()
    corrections = {f: settings.correction(f) for f in frequencies_mhz}
    return corrected_losses(ground, mast, corrections, settings)


def corrected_losses(
    ground: Ground,
    mast: Mast,
    corrections: Mapping[float, Correction | None],
    propagation: Propagation,
) -> dict[float, MastLoss]:
    """Predict path loss as `mast_losses` does, with other corrections than the calibration's.

    Parameters
    ----------
    ground, mast, propagation
        As for `mast_losses`.
    corrections
        By carrier frequency [MHz] what is added to the model's loss, or None.

    Returns
    -------
    dict
        `MastLoss` by frequency.

    Raises
    ------
    OutOfRangeError, RasterError
        As `mast_losses`.
    """
    if propagation.model in _BY_DISTANCE:
        losses = {f: _by_distance(ground, mast, f, propagation) for f in corrections}
    else:
        require_terrain(ground, propagation)
        losses = _OVER_TERRAIN[propagation.model](ground, mast, corrections, propagation)
    return {
        f: loss if (by := corrections[f]) is None else _corrected(ground, mast, loss, by)
        for f, loss in losses.items()
    }


def _corrected(ground: Ground, mast: Mast, loss: MastLoss, correction: Correction) -> MastLoss:
    around = _surroundings(ground.geobox, mast)
    classes = ground.class_index[around.rows, around.columns]
    added = correction.loss_db(around.distance_m, classes, ground.table)
    return replace(loss, loss_db=(loss.loss_db + added).astype(np.float32))


def looks_at_terrain(propagation: Propagation) -> bool:
    """Return whether a model looks at terrain."""
    return propagation.model not in _BY_DISTANCE


def require_terrain(ground: Ground, propagation: Propagation) -> None:
    """Refuse a model over terrain where none is known.

    Raises
    ------
    RasterError
        If the ground has no elevation at all.
    """
    if looks_at_terrain(propagation) and ground.terrain == NO_TERRAIN:
        raise RasterError(
            f"model {propagation.model!r} needs terrain and the region has none: give elevation, "
            f"or choose a model by distance such as 'rma'"
        )


def stands_on_known_ground(ground: Ground, x_m: float, y_m: float) -> bool:
    """Return whether a place lies among the centres of pixels and its elevation is known."""
    row, column = pixel_of(ground.geobox, x_m, y_m)
    rows, columns = ground.geobox.shape
    inside = 0 <= row <= rows - 1 and 0 <= column <= columns - 1
    return inside and bool(np.isfinite(ground.elevation_m[_nearest(row, column)]))


def window(geobox: GeoBox, x_m: float, y_m: float, radius_m: float) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels whose centres can lie within a radius."""
    row, column = pixel_of(geobox, x_m, y_m)
    reach = radius_m / geobox.resolution.x

    def clip(centre: float, length: int) -> slice:
        first = min(max(int(np.ceil(centre - reach)), 0), length)
        last = max(min(int(np.floor(centre + reach)) + 1, length), first)
        return slice(first, last)

    return clip(row, geobox.shape[0]), clip(column, geobox.shape[1])


def pixel_of(geobox: GeoBox, x_m: float, y_m: float) -> tuple[float, float]:
    """Return row and column of a place on a grid, whole at pixel centres."""
    size = geobox.resolution.x
    return (
        (geobox.transform.f - y_m) / size - 0.5,
        (x_m - geobox.transform.c) / size - 0.5,
    )


def _nearest(row: float, column: float) -> tuple[int, int]:
    """Return the pixel of a place on the grid, as the sweep rounds."""
    return int(row + 0.5), int(column + 0.5)


@dataclass(frozen=True)
class _Surroundings:
    """The pixels round a mast as it sees them on a map."""

    rows: slice
    columns: slice
    distance_m: NDArray[np.float64]


def _surroundings(geobox: GeoBox, mast: Mast) -> _Surroundings:
    rows, columns = window(geobox, mast.x_m, mast.y_m, mast.radius_m)
    east = geobox.transform.c + geobox.transform.a * _centres(columns) - mast.x_m
    north = geobox.transform.f + geobox.transform.e * _centres(rows) - mast.y_m
    return _Surroundings(rows, columns, np.hypot(north[:, None], east[None, :]))


def _centres(span: slice) -> NDArray[np.float64]:
    return np.arange(span.start, span.stop) + 0.5


_DB_PER_OCTAVE = np.float32(20.0 * math.log10(2.0))


# Models by distance alone ------------------------------------------------------------------------

DistanceLoss = Callable[[NDArray[np.float64], float, float, float], ArrayLike]

_SHORTEST_M = 1.0
"""Nearest a terminal can be to a mast; keeps the logarithm of a distance finite."""

_BY_DISTANCE: dict[str, tuple[DistanceLoss, ModelRange]] = {
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


def _by_distance(
    ground: Ground, mast: Mast, frequency_mhz: float, propagation: Propagation
) -> MastLoss:
    around = _surroundings(ground.geobox, mast)
    loss, n_clamped = _clamped_loss(around.distance_m, mast, frequency_mhz, propagation)
    loss[around.distance_m > mast.radius_m] = np.nan
    drop = mast.height_m - propagation.terminal_height_m
    elevation = -np.degrees(np.arctan2(drop, np.maximum(around.distance_m, _SHORTEST_M)))
    row, column = pixel_of(ground.geobox, mast.x_m, mast.y_m)
    return MastLoss(
        rows=around.rows,
        columns=around.columns,
        mast_row=row,
        mast_column=column,
        loss_db=loss.astype(np.float32),
        elevation_deg=elevation.astype(np.float32),
        obstacle_distance_m=np.zeros(loss.shape, np.float32),
        n_clamped=n_clamped,
    )


def _clamped_loss(
    distance_m: NDArray[np.float64], mast: Mast, frequency_mhz: float, propagation: Propagation
) -> tuple[NDArray[np.float64], int]:
    loss, model_range = _BY_DISTANCE[propagation.model]
    low, high = model_range.distance_m
    distance = np.clip(distance_m, low, high)
    base = float(np.clip(mast.height_m, *model_range.base_height_m))
    terminal = float(np.clip(propagation.terminal_height_m, *model_range.terminal_height_m))
    clamped = distance != distance_m
    if base != mast.height_m or terminal != propagation.terminal_height_m:
        clamped[:] = True
    n_clamped = int(np.count_nonzero(clamped & (distance_m <= mast.radius_m)))
    predicted = loss(distance, frequency_mhz, base, terminal)
    floor = _free_space(distance_m, mast, frequency_mhz, propagation)
    return np.asarray(np.maximum(predicted, floor), np.float64), n_clamped


def _free_space(
    distance_m: NDArray[np.float64], mast: Mast, frequency_mhz: float, propagation: Propagation
) -> NDArray[np.float64]:
    drop = mast.height_m - propagation.terminal_height_m
    slant = np.hypot(np.maximum(distance_m, _SHORTEST_M), drop)
    return np.asarray(free_space.free_space_loss(slant, frequency_mhz))


# Models over terrain -----------------------------------------------------------------------------

_Corrections = Mapping[float, Correction | None]


def _swept(
    ground: Ground,
    mast: Mast,
    frequencies_mhz: Sequence[float],
    propagation: Propagation,
    *,
    with_clutter: bool = True,
) -> radial.Sweep:
    """Sweep once: all frequencies share the geometry of the paths."""
    row, column = pixel_of(ground.geobox, mast.x_m, mast.y_m)
    clutter = radial.Clutter(
        class_index=ground.class_index,
        height_m=ground.class_height_m,
        clearing_m=ground.table.clearing_m,
        terminal_loss_db=np.stack([ground.table.terminal_loss_db(f) for f in frequencies_mhz]),
    )
    return radial.sweep(
        radial.Terrain(
            elevation_m=ground.elevation_m,
            pixel_size_m=ground.geobox.resolution.x,
            clutter=clutter if with_clutter else None,
        ),
        radial.Mast(row=row, col=column, height_m=mast.height_m),
        radius_m=mast.radius_m,
        frequency_mhz=list(frequencies_mhz),
        receiver_height_m=propagation.terminal_height_m,
        latitude_deg=ground.latitude_deg,
        model="p1812" if propagation.model == "p1812" else "delta-bullington",
        time_percent=propagation.time_percent,
        delta_n=propagation.delta_n,
        n0=propagation.n0,
    )


def _by_sweep(
    ground: Ground, mast: Mast, corrections: _Corrections, propagation: Propagation
) -> dict[float, MastLoss]:
    swept = _swept(ground, mast, list(corrections), propagation)
    return _as_mast_losses(swept, ground, mast)


def _as_mast_losses(swept: radial.Sweep, ground: Ground, mast: Mast) -> dict[float, MastLoss]:
    """Bring a sweep's whole steps to the pixels' own distances, and hold it to free space."""
    rows, columns = window(ground.geobox, mast.x_m, mast.y_m, mast.radius_m)
    row, column = pixel_of(ground.geobox, mast.x_m, mast.y_m)
    pixel_m = ground.geobox.resolution.x
    step_m = pixel_m / np.ceil(pixel_m / radial.LONGEST_STEP_M)
    flags = swept.flags[0]
    unknown = (flags & (radial.SweepFlag.NO_DATA | radial.SweepFlag.ACROSS_NO_DATA)) != 0
    short = (flags & radial.SweepFlag.SHORT_RANGE) != 0
    blocked = ((flags & radial.SweepFlag.COMPUTED) != 0) & ~unknown
    obstacle_m = np.where(blocked, swept.obstacle_distance_m[0], np.float32(0.0))
    losses = {}
    for n, frequency in enumerate(swept.frequencies_mhz):
        loss = np.empty(flags.shape, np.float32)
        _at_own_distance(
            np.ascontiguousarray(swept.loss_db[n, 0]),
            rows.start - row,
            columns.start - column,
            pixel_m,
            step_m,
            float(free_space.free_space_loss(1.0, frequency)),
            loss,
        )
        loss[unknown] = np.nan
        losses[frequency] = MastLoss(
            rows=rows,
            columns=columns,
            mast_row=row,
            mast_column=column,
            loss_db=loss,
            elevation_deg=swept.launch_elevation_deg[0],
            obstacle_distance_m=obstacle_m,
            n_clamped=0,
            n_without_terrain=int(np.count_nonzero(unknown)),
            n_short_range=int(np.count_nonzero(short)),
        )
    return losses


@njit_vector
def _at_own_distance(
    swept: NDArray[np.float32],
    south_px: float,
    east_px: float,
    pixel_m: float,
    step_m: float,
    free_at_1_m: float,
    loss: NDArray[np.float32],
) -> None:
    """Add what free space takes from the sweep's whole step to a pixel's own distance."""
    floor = np.float32(free_at_1_m)
    for r in range(np.uintp(swept.shape[0])):
        south = (south_px + r) * pixel_m
        for c in range(np.uintp(swept.shape[1])):
            east = (east_px + c) * pixel_m
            distance = math.sqrt(south * south + east * east)
            stepped = math.floor(distance / step_m + 0.5) * step_m
            own = max(distance, _SHORTEST_M)
            beyond = np.float32(own / stepped if stepped > 0.0 else 1.0)
            at_least = floor + _DB_PER_OCTAVE * log2(np.float32(own))
            value = swept[r, c] + _DB_PER_OCTAVE * log2(beyond)
            loss[r, c] = value if not value < at_least else at_least


def _by_spm(
    ground: Ground, mast: Mast, corrections: _Corrections, propagation: Propagation
) -> dict[float, MastLoss]:
    """Take Hata for open country, the class's loss, and diffraction where sight is blocked."""
    swept = _swept(ground, mast, list(corrections), propagation, with_clutter=False)
    in_sight = (swept.flags[0] & radial.SweepFlag.IN_SIGHT) != 0
    losses = _as_mast_losses(swept, ground, mast)
    return {
        f: _spm_loss(ground, mast, f, propagation, corrections[f], loss, in_sight)
        for f, loss in losses.items()
    }


def _spm_loss(
    ground: Ground,
    mast: Mast,
    frequency_mhz: float,
    propagation: Propagation,
    correction: Correction | None,
    swept: MastLoss,
    in_sight: NDArray[np.bool_],
) -> MastLoss:
    around = _surroundings(ground.geobox, mast)
    here = (around.rows, around.columns)
    foot = ground.elevation_m[_nearest(*pixel_of(ground.geobox, mast.x_m, mast.y_m))]
    floor = _free_space(around.distance_m, mast, frequency_mhz, propagation)
    elevation = np.nan_to_num(ground.elevation_m[here])
    effective = spm.effective_height(mast.height_m, foot, elevation)
    distance = np.clip(around.distance_m, *spm.SPM_RANGE.distance_m)
    base = np.clip(effective, *spm.SPM_RANGE.base_height_m)
    clamped = (distance != around.distance_m) | (base != effective)
    beyond_free_space = np.maximum(np.nan_to_num(swept.loss_db - floor), 0.0)
    diffraction = np.where(in_sight, 0.0, beyond_free_space)
    predicted = spm.spm_loss(
        spm.SpmCoefficients.for_frequency(frequency_mhz, environment="open"),
        distance,
        base,
        propagation.terminal_height_m,
        diffraction,
        ground.table.terminal_loss_db(frequency_mhz)[ground.class_index[here]],
    )
    known = np.isfinite(swept.loss_db)
    loss = np.where(known, np.maximum(predicted, floor), np.nan)
    if correction is not None:
        loss += correction.height_slope_db * np.log10(base / REFERENCE_HEIGHT_M)
        loss += correction.diffraction_factor * diffraction
    return replace(
        swept,
        loss_db=loss.astype(np.float32),
        n_clamped=int(np.count_nonzero(clamped & known)),
    )


def _by_itm(
    ground: Ground, mast: Mast, corrections: _Corrections, propagation: Propagation
) -> dict[float, MastLoss]:
    """Trace a bare profile to every pixel; the directions come from the sweep."""
    swept = _by_sweep(ground, mast, corrections, propagation)
    return {f: _itm_loss(ground, mast, f, propagation, loss) for f, loss in swept.items()}


def _itm_loss(
    ground: Ground, mast: Mast, frequency_mhz: float, propagation: Propagation, swept: MastLoss
) -> MastLoss:
    around = _surroundings(ground.geobox, mast)
    row, column = pixel_of(ground.geobox, mast.x_m, mast.y_m)
    to_row, to_column = np.nonzero(np.isfinite(swept.loss_db))
    distance = np.maximum(around.distance_m[to_row, to_column], _SHORTEST_M)
    steps = np.maximum(np.rint(distance / ground.geobox.resolution.x).astype(int), 2)
    ends = to_row + around.rows.start, to_column + around.columns.start
    loss = np.full(swept.loss_db.shape, np.nan, np.float32)
    for n in np.unique(steps):
        ring = np.flatnonzero(steps == n)
        part = np.linspace(0.0, 1.0, n + 1)
        line = [
            start + (end[ring, None] - start) * part
            for start, end in zip((row, column), ends, strict=True)
        ]
        profiles = ndimage.map_coordinates(ground.elevation_m, line, order=1, mode="nearest")
        if np.isnan(profiles).any():  # beside unknown ground the nearest pixel's height counts
            nearest = ndimage.map_coordinates(ground.elevation_m, line, order=0, mode="nearest")
            profiles = np.where(np.isnan(profiles), nearest, profiles)
            known = np.isfinite(profiles).all(axis=1)
            profiles, ring = profiles[known], ring[known]
        loss[to_row[ring], to_column[ring]] = itm.itm_loss(
            profiles,
            distance[ring] / n,
            frequency_mhz=frequency_mhz,
            transmitter_height_m=mast.height_m,
            receiver_height_m=propagation.terminal_height_m,
            n0=propagation.n0,
        ).loss_db
    classes = ground.class_index[around.rows, around.columns]
    terminal = ground.table.terminal_loss_db(frequency_mhz)[classes]
    floor = _free_space(around.distance_m, mast, frequency_mhz, propagation)
    total = np.maximum(loss + terminal, floor + terminal)
    n_crossing = to_row.size - int(np.count_nonzero(np.isfinite(loss)))
    return replace(
        swept,
        loss_db=total.astype(np.float32),
        obstacle_distance_m=np.where(
            np.isfinite(total), swept.obstacle_distance_m, np.float32(0.0)
        ),
        n_without_terrain=swept.n_without_terrain + n_crossing,
    )


_OVER_TERRAIN: dict[
    str,
    Callable[[Ground, Mast, _Corrections, Propagation], dict[float, MastLoss]],
] = {
    "p1812": _by_sweep,
    "delta-bullington": _by_sweep,
    "spm": _by_spm,
    "itm": _by_itm,
}
