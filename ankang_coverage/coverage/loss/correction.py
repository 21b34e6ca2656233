"""What a calibration is: a correction of the predicted loss, and how wrong it still is."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, Field, ValidationError, model_validator

from ankang_coverage.errors import FileError, OutOfRangeError
from ankang_coverage.files import atomic_path
from ankang_coverage.propagation.models.spm import DIFFRACTION, HEIGHT_SLOPE, Spm
from ankang_coverage.propagation.spm import REFERENCE_HEIGHT_M, SpmCoefficients
from ankang_coverage.region import LandCoverTable, Source
from ankang_coverage.settings import Number, Settings, Whole, explain, read_json
from ankang_coverage.sites import Network

NEAR_FREQUENCY = 1.25
"""A correction holds for frequencies within this ratio of one that was measured; an assumption,
wide enough for bands that share antennas and sites, such as 800 and 900 MHz."""


_KEYS_OF_0_1 = {"height_slope_db": HEIGHT_SLOPE, "diffraction_factor": DIFFRACTION}


# Bounds far beyond what any fit gives: they keep sums finite, and reveal other files.
Decibels = Annotated[Number, Field(ge=-1e4, le=1e4)]
Figure = Annotated[Number, Field(ge=-1e9, le=1e9)]
Metres = Annotated[Number, Field(gt=0.0, le=1e7)]
Megahertz = Annotated[Number, Field(gt=0.0, le=1e6)]
Count = Annotated[Whole, Field(ge=0, le=10**12)]


class LandCoverLoss(Settings):
    """What a correction adds at receivers on one class of land cover."""

    code: Whole = Field(ge=0, le=255)
    """Code of the class in the land-cover table."""
    loss_db: Decibels
    """Added loss [dB]."""


class ModelTerm(Settings):
    """A coefficient of a term that the model itself has (`PathLossModel.terms`)."""

    name: str
    """Of the term, such as ``height slope``."""
    value: Decibels
    """Its coefficient."""


class Correction(Settings):
    """What a calibration adds to the loss of a model, pixel by pixel.

    It is added last: to a loss that the model has already held to that of free space, because
    it also makes up for powers, antennas and phones that are not as the tables say.
    """

    frequencies_mhz: tuple[Megahertz, ...] = Field(min_length=1)
    """Carrier frequencies that were measured [MHz]."""
    offset_db: Decibels = 0.0
    """Added everywhere [dB]."""
    distance_slope_db: Decibels = 0.0
    """Added for each decade of distance beyond `reference_distance_m` [dB]."""
    reference_distance_m: Metres = 1_000.0
    """Geometric mean of the measured distances [m]."""
    nearest_m: Metres = 1.0
    """Nearest measured distance; the slope goes no farther in [m]."""
    farthest_m: Metres = 100_000.0
    """Farthest measured distance; the slope goes no farther out [m]."""
    land_cover: tuple[LandCoverLoss, ...] = ()
    """By class at the receiver; classes not named add nothing."""
    terms: tuple[ModelTerm, ...] = ()
    """Of the model's own terms. Those of ``spm``: ``height slope`` is added to K3, counted from an
    effective height of 30 m [dB/decade], ``diffraction`` to K4."""

    @model_validator(mode="before")
    @classmethod
    def _as_of_0_1(cls, given: object) -> object:
        """Take the terms of ``spm`` as version 0.1 wrote them, each a key of its own."""
        if not isinstance(given, Mapping) or not given.keys() & _KEYS_OF_0_1.keys():
            return given
        values = [(name, given[key]) for key, name in _KEYS_OF_0_1.items() if given.get(key)]
        others = {key: value for key, value in given.items() if key not in _KEYS_OF_0_1}
        return {**others, "terms": [{"name": name, "value": value} for name, value in values]}

    def term(self, name: str) -> float:
        """Return the coefficient of one of the model's own terms; 0 where it was not fitted.

        Parameters
        ----------
        name : str
            Name of the term.

        Returns
        -------
        float
            Its coefficient.
        """
        return next((term.value for term in self.terms if term.name == name), 0.0)

    def applies_to(self, frequency_mhz: float) -> bool:
        """Return whether a frequency is near one that was measured.

        Parameters
        ----------
        frequency_mhz : float
            Carrier frequency [MHz].

        Returns
        -------
        bool
            Whether the correction is for it.

        Examples
        --------
        >>> [Correction(frequencies_mhz=(941.5,)).applies_to(f) for f in (875.0, 1842.5)]
        [True, False]
        """
        return any(
            1.0 / NEAR_FREQUENCY <= frequency_mhz / measured <= NEAR_FREQUENCY
            for measured in self.frequencies_mhz
        )

    def log_distance(self, distance_m: ArrayLike) -> NDArray[np.float64]:
        """Return decades of distance beyond the reference, no farther than was measured.

        Parameters
        ----------
        distance_m : array_like
            Distances from the mast [m].

        Returns
        -------
        numpy.ndarray
            Decades, of the same shape.
        """
        within = np.clip(distance_m, self.nearest_m, self.farthest_m)
        return np.asarray(np.log10(within / self.reference_distance_m))

    def loss_db(
        self, distance_m: ArrayLike, class_index: NDArray[np.uint8], table: LandCoverTable
    ) -> NDArray[np.float64]:
        """Return the loss to add by distance and land cover [dB].

        Parameters
        ----------
        distance_m : array_like
            Distances from the mast [m].
        class_index : numpy.ndarray
            Position of the receivers' classes in `table`, of the same shape.
        table : LandCoverTable
            Land-cover classes.

        Returns
        -------
        numpy.ndarray
            Loss [dB], of the same shape.
        """
        added = {cover.code: cover.loss_db for cover in self.land_cover}
        by_class = np.array([added.get(cover.code, 0.0) for cover in table.classes])
        by_distance = self.distance_slope_db * self.log_distance(distance_m)
        return np.asarray(self.offset_db + by_distance + by_class[class_index])


class Estimate(Settings):
    """One fitted term of a correction."""

    term: str
    """``offset``, ``distance slope``, ``class 10`` …, ``height slope`` or ``diffraction``."""
    value: Figure
    """As in the correction [dB, or dB per decade; none for the diffraction's factor]."""
    standard_error: Figure
    """Its standard error, neighbouring measurements counted as one block."""
    n_bins: Count
    """Bins that the term is fitted to."""


class CellOffset(Settings):
    """How much stronger a cell is than predicted."""

    cell: str
    """Id in the network."""
    offset_db: Decibels
    """What to add to its power [dB]; shrunk towards 0, more where less was measured."""
    n_bins: Count
    """Bins of the cell."""
    n_blocks: Count
    """Blocks they lie in."""


class ErrorFigures(Settings):
    """Errors of predictions for places that the fit had not seen; predicted less measured."""

    by: str
    """``all``, ``distance``, ``land cover``, ``sight``, ``radio layer`` or ``cell offsets``."""
    value: str
    """Which part of the bins."""
    n_bins: Count
    """Their number."""
    mean_before_db: Figure
    """Mean error without calibration [dB]."""
    sd_before_db: Figure
    """Its standard deviation [dB]."""
    rms_before_db: Figure
    """Its root mean square [dB]."""
    correlation_before: Figure | None
    """Correlation of predicted and measured; none where either is constant."""
    mean_after_db: Figure
    """Mean error with calibration [dB]."""
    sd_after_db: Figure
    """Its standard deviation [dB]."""
    rms_after_db: Figure
    """Its root mean square [dB]."""
    correlation_after: Figure | None
    """Correlation of predicted and measured, with calibration."""


class Unused(Settings):
    """Measurements that were not used, by reason."""

    reason: str
    """Why."""
    n_measurements: Count
    """How many."""


class Calibration(Settings):
    """A model fitted to measurements, and the error that is left.

    Made by `calibrate`, kept as JSON, and given to ``Propagation(calibration=…)``.
    """

    model: str = Field(max_length=60)
    """The path-loss model that was fitted."""
    terminal_height_m: Metres
    """Height of the phone it was fitted with [m]."""
    time_percent: Number = Field(ge=0.0, le=100.0)
    """Percentage of time it was fitted with [%]."""
    correction: Correction
    """What is added to the loss: all of the calibration that a prediction depends on."""
    error_sigma_db: Number = Field(gt=0.0, le=1e3)
    """Standard deviation of the error on blocks that were held out [dB]."""
    estimates: tuple[Estimate, ...]
    """The fitted terms with their standard errors."""
    errors: tuple[ErrorFigures, ...]
    """Errors on held-out blocks, before and after."""
    cell_offsets: tuple[CellOffset, ...]
    """Offsets of single cells, used only by `applied_to`."""
    unused: tuple[Unused, ...]
    """What was left out, and why."""
    n_measurements: Count
    """Measurements used."""
    n_bins: Count
    """Bins (pixels of one cell) they make."""
    n_blocks: Count
    """Blocks the bins lie in."""
    block_m: Metres
    """Side of a block [m]."""
    folds: Count
    """Parts that were held out in turn."""
    seed: Whole = Field(ge=-(2**63), lt=2**64)
    """Of the drawing of the parts."""
    sensitivity_dbm: Decibels
    """Weakest measurement that was used [dBm]."""
    sources: tuple[Source, ...]
    """Where the measurements come from; synthetic ones say so."""

    def report(self) -> pd.DataFrame:
        """Return the errors on held-out blocks, one row for each part of the bins.

        Returns
        -------
        pandas.DataFrame
            Columns as in `ErrorFigures`; errors are predicted less measured [dB].
        """
        return _table(self.errors, ErrorFigures)

    def terms(self) -> pd.DataFrame:
        """Return the fitted terms, one a row, with standard errors.

        Returns
        -------
        pandas.DataFrame
            Columns as in `Estimate`.
        """
        return _table(self.estimates, Estimate)

    def offsets(self) -> pd.DataFrame:
        """Return the offsets of the cells that were measured, indexed by cell.

        Returns
        -------
        pandas.DataFrame
            Columns as in `CellOffset`.
        """
        return _table(self.cell_offsets, CellOffset).set_index("cell")

    def applied_to(self, network: Network) -> Network:
        """Return a network whose cells are as much stronger as they were measured to be.

        The report's row ``cell offsets`` says whether that helps where nothing was measured.

        Parameters
        ----------
        network : Network
            Sites and cells; cells that were not measured stay as they are.

        Returns
        -------
        Network
            The same sites, with other powers.
        """
        offset = self.offsets()["offset_db"].reindex(network.cells.index, fill_value=0.0)
        power = network.cells["re_power_dbm"] + offset
        return replace(network, cells=network.cells.assign(re_power_dbm=power))

    def essence(self) -> "Calibration":
        """Return what a prediction needs, without tables that may be long.

        Returns
        -------
        Calibration
            With the correction and σ alone.
        """
        return self.model_copy(
            update={"estimates": (), "errors": (), "cell_offsets": (), "unused": ()}
        )

    def sigma_db(self, frequencies_mhz: Iterable[float]) -> float | None:
        """Return the error's standard deviation, or none where a frequency was not measured.

        Parameters
        ----------
        frequencies_mhz : iterable of float
            Carrier frequencies that are predicted [MHz].

        Returns
        -------
        float or None
            Standard deviation [dB].
        """
        applies = all(map(self.correction.applies_to, frequencies_mhz))
        return self.error_sigma_db if applies else None

    def spm_coefficients(self, frequency_mhz: float) -> SpmCoefficients:
        """Return the standard propagation model's coefficients as they were tuned.

        Parameters
        ----------
        frequency_mhz : float
            Carrier frequency [MHz], one that was measured or near it.

        Returns
        -------
        SpmCoefficients
            K1 to K4 tuned; K5 to K7 as before, as a drive test hardly distinguishes K5 from K2 and
            K3. The losses by class are those of the land-cover table and the correction's.

        Raises
        ------
        OutOfRangeError
            If another model was fitted, or the frequency is far from those that were measured.
        """
        fitted = self.correction
        if self.model != Spm.name or not fitted.applies_to(frequency_mhz):
            raise OutOfRangeError(
                f"this calibration is of model {self.model!r} at {_mhz(fitted.frequencies_mhz)}: "
                f"it has no coefficients of {Spm.name!r} at {frequency_mhz:g} MHz"
            )
        start = SpmCoefficients.for_frequency(frequency_mhz, environment="open")
        at_one_metre = fitted.offset_db - fitted.distance_slope_db * np.log10(
            fitted.reference_distance_m
        )
        return replace(
            start,
            k1=float(
                start.k1 + at_one_metre - fitted.term(HEIGHT_SLOPE) * np.log10(REFERENCE_HEIGHT_M)
            ),
            k2=start.k2 + fitted.distance_slope_db,
            k3=start.k3 + fitted.term(HEIGHT_SLOPE),
            k4=start.k4 + fitted.term(DIFFRACTION),
        )

    def require_fits(self, model: str, terminal_height_m: float, time_percent: float) -> None:
        """Refuse settings other than those that were fitted.

        Parameters
        ----------
        model : str
            Identity of the path-loss model.
        terminal_height_m : float
            Height of the phone [m].
        time_percent : float
            Percentage of time [%].

        Raises
        ------
        OutOfRangeError
            If the model or a setting that changes its loss differs.
        """
        for name, given, fitted in (
            ("model", model, self.model),
            ("terminal_height_m", terminal_height_m, self.terminal_height_m),
            ("time_percent", time_percent, self.time_percent),
        ):
            if given != fitted:
                raise OutOfRangeError(
                    f"the calibration was fitted with {name} {fitted!r}, but the propagation has "
                    f"{given!r}: use {fitted!r}, or calibrate again"
                )

    def save(self, path: str | Path) -> None:
        """Write the calibration as JSON.

        Parameters
        ----------
        path : str or pathlib.Path
            The file; one already there is replaced.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        with atomic_path(path) as unfinished:
            unfinished.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "Calibration":
        """Read a calibration that was saved.

        Parameters
        ----------
        path : str or pathlib.Path
            The file.

        Returns
        -------
        Calibration
            The calibration.

        Raises
        ------
        FileError
            If the file is missing or no calibration.
        """
        content = read_json(path, "calibration_bytes")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            why = explain(error, f"{path} is no calibration", content, cls)
            raise FileError(f"{why}; make it with calibrate()") from error


def _table(rows: Iterable[BaseModel], model: type[BaseModel]) -> pd.DataFrame:
    return pd.DataFrame([row.model_dump() for row in rows], columns=list(model.model_fields))


def _mhz(frequencies_mhz: Iterable[float]) -> str:
    return ", ".join(f"{f:g}" for f in frequencies_mhz) + " MHz"
