"""Path loss from one mast to every pixel round it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pydantic import (
    AfterValidator,
    Field,
    field_serializer,
    field_validator,
    model_validator,
)

from ankang_coverage.coverage.loss.correction import Calibration, Correction
from ankang_coverage.coverage.loss.ground import NO_TERRAIN, Ground
from ankang_coverage.errors import RasterError
from ankang_coverage.propagation import models, p1812, sweep
from ankang_coverage.propagation.models import Conditions, PathLossModel, PixelLoss, Surroundings
from ankang_coverage.settings import Number, Settings


class Propagation(Settings):
    """How path loss is predicted: the model, how far from a mast, and for which terminal."""

    model: str | PathLossModel = models.DEFAULT
    """Path-loss model: a name from `propagation.MODELS`, or an object of one's own. Over terrain:
    ``p1812``, ``delta-bullington``, ``itm``, ``spm``; by distance alone: ``rma``, ``uma``, ``umi``
    (3GPP TR 38.901), ``okumura-hata``, ``cost231-hata``, ``free-space``."""
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

    @field_validator("model", mode="plain")
    @classmethod
    def _known(cls, model: object) -> str | PathLossModel:
        if isinstance(model, PathLossModel):
            return model.name if models.MODELS.get(model.name) == model else model
        if isinstance(model, str) and model in models.MODELS:
            return model
        raise ValueError(
            f"there is no path-loss model {model!r}: choose one of {', '.join(models.MODELS)}, or "
            f"give a PathLossModel object"
        )

    @field_serializer("model")
    def _identity(self, model: str | PathLossModel) -> str:
        return model if isinstance(model, str) else model.identity

    @model_validator(mode="after")
    def _fits_its_calibration(self) -> Self:
        if isinstance(self.calibration, Calibration):
            self._require_fits(self.calibration)
        return self

    def _require_fits(self, calibration: Calibration) -> None:
        identity = self.path_loss_model.identity
        calibration.require_fits(identity, self.terminal_height_m, self.time_percent)

    @property
    def path_loss_model(self) -> PathLossModel:
        """The model itself, where `model` may be its name."""
        return self.model if isinstance(self.model, PathLossModel) else models.MODELS[self.model]

    def conditions(self, frequencies_mhz: Sequence[float]) -> Conditions:
        """Return what a model needs to know besides mast and ground.

        Parameters
        ----------
        frequencies_mhz : sequence of float
            Carrier frequencies [MHz].

        Returns
        -------
        Conditions
            The frequencies, the terminals' height and what concerns the air.
        """
        return Conditions(
            frequencies_mhz=tuple(frequencies_mhz),
            terminal_height_m=self.terminal_height_m,
            time_percent=self.time_percent,
            delta_n=self.delta_n,
            n0=self.n0,
        )

    def resolved(self) -> "Propagation":
        """Return the settings with the calibration in them, instead of the name of its file.

        Returns
        -------
        Propagation
            The same settings.

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
        self._require_fits(calibration)
        return self.model_copy(update={"calibration": calibration.essence()})

    def loss_settings(self, frequency_mhz: float) -> str:
        """Return as JSON what of these settings the loss at one frequency depends on.

        The radius, which a mast has itself, and the land-cover table, which the ground has, are
        left out; of a calibration the correction alone counts.

        Parameters
        ----------
        frequency_mhz : float
            Carrier frequency [MHz].

        Returns
        -------
        str
            The settings as JSON.
        """
        elsewhere = {"radius_m", "micro_radius_m", "land_cover_table", "calibration"}
        correction = self.correction(frequency_mhz)
        settings = self.model_dump(mode="json", exclude=elsewhere)
        settings["model_version"] = self.path_loss_model.version
        settings["correction"] = correction and correction.model_dump(mode="json")
        return json.dumps(settings)

    def correction(self, frequency_mhz: float) -> Correction | None:
        """Return what the calibration adds at a frequency; None where it was not measured.

        Parameters
        ----------
        frequency_mhz : float
            Carrier frequency [MHz].

        Returns
        -------
        Correction or None
            The correction.
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
        frequencies_mhz : sequence of float
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
    rows, columns : slice
        The window of the grid that the arrays fill.
    mast_row, mast_column : float
        The mast's place on the grid [pixels], whole at pixel centres.
    loss_db : numpy.ndarray
        (rows, columns) float32 path loss [dB]; NaN beyond the radius and where terrain is unknown.
    elevation_deg : numpy.ndarray
        (rows, columns) float32 elevation at which the energy leaves the mast [degrees above the
        horizontal]: towards the pixel in sight, otherwise towards the top of the terrain or
        clutter that hides it.
    obstacle_distance_m : numpy.ndarray
        (rows, columns) float32 distance from the mast of the terrain or clutter that blocks the
        path [m]; 0 in sight, where no loss is known, and for models by distance.
    n_clamped : int
        Pixels whose distance, or whose mast's height, was outside the model's range and was moved
        to its nearest end.
    n_without_terrain : int
        Pixels within the radius whose path crosses unknown terrain.
    n_short_range : int
        Pixels nearer than 0.5 km, where free space is blended into the model over terrain.
    terms : mapping of str to numpy.ndarray
        What one unit of each of the model's own terms of calibration adds [dB], by their names.
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
    terms: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

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
    x_m, y_m : float
        Position in the grid's CRS [m].
    height_m : float
        Antenna height above ground [m].
    radius_m : float
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
    ground : Ground
        The grid, its terrain and land cover.
    mast : Mast
        Position, antenna height and radius.
    frequencies_mhz : sequence of float
        Carrier frequencies [MHz].
    propagation : Propagation
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
    ground : Ground
        As for `mast_losses`.
    mast : Mast
        As for `mast_losses`.
    corrections : mapping of float to Correction, optional
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
    require_terrain(ground, propagation)
    model, frequencies = propagation.path_loss_model, tuple(corrections)
    around = _surroundings(ground, mast, frequencies, model)
    losses = model.losses(around, propagation.conditions(frequencies))
    _require_whole(model, around, frequencies, losses)
    return {
        f: _mast_loss(ground, around, losses[f], correction, propagation)
        for f, correction in corrections.items()
    }


def looks_at_terrain(propagation: Propagation) -> bool:
    """Return whether a model uses terrain.

    Parameters
    ----------
    propagation : Propagation
        The model and its settings.

    Returns
    -------
    bool
        Whether it does.
    """
    return propagation.path_loss_model.looks_at_terrain


def require_terrain(ground: Ground, propagation: Propagation) -> None:
    """Refuse a model over terrain where none is known.

    Parameters
    ----------
    ground : Ground
        The ground.
    propagation : Propagation
        The model and its settings.

    Raises
    ------
    RasterError
        If the ground has no elevation at all.
    """
    if looks_at_terrain(propagation) and ground.terrain == NO_TERRAIN:
        by_distance = next(m.name for m in models.MODELS.values() if not m.looks_at_terrain)
        raise RasterError(
            f"model {propagation.path_loss_model.name!r} needs terrain and the region has none: "
            f"give elevation, or choose a model by distance such as {by_distance!r}"
        )


def stands_on_known_ground(ground: Ground, x_m: float, y_m: float) -> bool:
    """Return whether a place lies among the centres of pixels and its elevation is known.

    Parameters
    ----------
    ground : Ground
        The ground.
    x_m, y_m : float
        The place in the grid's CRS [m].

    Returns
    -------
    bool
        Whether a mast can stand there.
    """
    row, column = pixel_of(ground.geobox, x_m, y_m)
    rows, columns = ground.geobox.shape
    inside = 0 <= row <= rows - 1 and 0 <= column <= columns - 1
    return inside and bool(np.isfinite(ground.elevation_m[int(row + 0.5), int(column + 0.5)]))


def window(geobox: GeoBox, x_m: float, y_m: float, radius_m: float) -> tuple[slice, slice]:
    """Return the rows and columns of the pixels whose centres can lie within a radius.

    Parameters
    ----------
    geobox : odc.geo.geobox.GeoBox
        The grid.
    x_m, y_m : float
        The middle in the grid's CRS [m].
    radius_m : float
        The radius [m].

    Returns
    -------
    tuple of slice
        Rows and columns, within the grid.
    """
    row, column = pixel_of(geobox, x_m, y_m)
    reach = radius_m / geobox.resolution.x

    def clip(centre: float, length: int) -> slice:
        first = min(max(int(np.ceil(centre - reach)), 0), length)
        last = max(min(int(np.floor(centre + reach)) + 1, length), first)
        return slice(first, last)

    return clip(row, geobox.shape[0]), clip(column, geobox.shape[1])


def pixel_of(geobox: GeoBox, x_m: float, y_m: float) -> tuple[float, float]:
    """Return row and column of a place on a grid.

    Parameters
    ----------
    geobox : odc.geo.geobox.GeoBox
        The grid.
    x_m, y_m : float
        The place in the grid's CRS [m].

    Returns
    -------
    tuple of float
        Row and column, whole at pixel centres.
    """
    size = geobox.resolution.x
    return (
        (geobox.transform.f - y_m) / size - 0.5,
        (x_m - geobox.transform.c) / size - 0.5,
    )


def _surroundings(
    ground: Ground, mast: Mast, frequencies_mhz: Sequence[float], model: PathLossModel
) -> Surroundings:
    """Return what a model is given of a mast and the ground round it."""
    geobox = ground.geobox
    row, column = pixel_of(geobox, mast.x_m, mast.y_m)
    rows, columns = window(geobox, mast.x_m, mast.y_m, mast.radius_m)
    east = geobox.transform.c + geobox.transform.a * _centres(columns) - mast.x_m
    north = geobox.transform.f + geobox.transform.e * _centres(rows) - mast.y_m
    clutter = None
    if model.looks_at_terrain:
        clutter = sweep.Clutter(
            class_index=ground.class_index,
            height_m=ground.class_height_m,
            clearing_m=ground.table.clearing_m,
            terminal_loss_db=np.stack([ground.table.terminal_loss_db(f) for f in frequencies_mhz]),
        )
    return Surroundings(
        terrain=sweep.Terrain(ground.elevation_m, geobox.resolution.x, clutter),
        mast=sweep.Mast(row=row, col=column, height_m=mast.height_m),
        radius_m=mast.radius_m,
        rows=rows,
        columns=columns,
        distance_m=np.hypot(north[:, None], east[None, :]),
        latitude_deg=ground.latitude_deg,
    )


def _centres(span: slice) -> NDArray[np.float64]:
    return np.arange(span.start, span.stop) + 0.5


def _require_whole(
    model: PathLossModel,
    around: Surroundings,
    frequencies_mhz: Sequence[float],
    losses: Mapping[float, PixelLoss],
) -> None:
    """Refuse what a model of a user's own returns by mistake."""
    wanted = around.distance_m.shape
    for frequency in frequencies_mhz:
        found = losses[frequency].loss_db.shape if frequency in losses else None
        if found != wanted:
            raise RasterError(
                f"model {model.name!r} was asked for the loss at {frequency:g} MHz on a window of "
                f"{wanted[0]} × {wanted[1]} pixels and returned "
                f"{'nothing' if found is None else f'an array of shape {found}'}"
            )
        missing = {term.name for term in model.terms} - set(losses[frequency].terms)
        if missing:
            raise RasterError(f"model {model.name!r} returned no terms {sorted(missing)}")


def _mast_loss(
    ground: Ground,
    around: Surroundings,
    loss: PixelLoss,
    correction: Correction | None,
    propagation: Propagation,
) -> MastLoss:
    """Return a model's loss, corrected, on the window of its mast."""
    elevation_deg, obstacle_m = loss.elevation_deg, loss.obstacle_distance_m
    if elevation_deg is None:
        elevation_deg = around.direct_elevation_deg(propagation.terminal_height_m)
    if obstacle_m is None:
        obstacle_m = np.zeros(around.distance_m.shape, np.float32)
    return MastLoss(
        rows=around.rows,
        columns=around.columns,
        mast_row=around.mast.row,
        mast_column=around.mast.col,
        loss_db=_corrected(ground, around, loss, correction),
        elevation_deg=elevation_deg,
        obstacle_distance_m=obstacle_m,
        n_clamped=loss.n_clamped,
        n_without_terrain=loss.n_without_terrain,
        n_short_range=loss.n_short_range,
        terms=loss.terms,
    )


def _corrected(
    ground: Ground, around: Surroundings, loss: PixelLoss, correction: Correction | None
) -> NDArray[np.float32]:
    if correction is None:
        return loss.loss_db.astype(np.float32)
    own = loss.loss_db
    for name, unit in loss.terms.items():
        own = own + correction.term(name) * unit
    classes = ground.class_index[around.window]
    added = correction.loss_db(around.distance_m, classes, ground.table)
    return (own.astype(np.float32) + added).astype(np.float32)
