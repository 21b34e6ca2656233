"""The table of land-cover classes, which decides how clutter enters a prediction.

Clutter counts in one of two ways, never in both. Along the path it has a height, up to a clearing
radius before the receiver. Inside that radius the path is bare ground, and one terminal loss
accounts for all clutter there. Radius and loss depend on the land cover of the receiver's pixel.

The table is ``land_cover.csv`` beside this file: ESA WorldCover's eleven classes and, as code 0,
the default for pixels whose cover is unknown. Each number has its source, and assumptions are
marked as such. Users may give their own table.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import FileError, OutOfRangeError, RasterError
from ankang_coverage.inputs import printable, quoted, read_text, said
from ankang_coverage.limits import limits, require_within

DEFAULT_CODE = 0
"""Code of the class that applies where the land cover is unknown."""
TREES, BUILT, MANGROVES = 10, 50, 95
STANDING = (TREES, BUILT, MANGROVES)
"""Classes whose tops a surface model follows."""

WORLDCOVER: Mapping[int, str] = MappingProxyType(
    {
        TREES: "tree cover",
        20: "shrubland",
        30: "grassland",
        40: "cropland",
        BUILT: "built-up",
        60: "bare or sparse vegetation",
        70: "snow and ice",
        80: "permanent water bodies",
        90: "herbaceous wetland",
        MANGROVES: "mangroves",
        100: "moss and lichen",
    }
)
"""The classes of ESA WorldCover by code (Zanaga et al. 2021, doi 10.5281/zenodo.5571936)."""

_HIGHEST_CODE = 255
_TEXTS = ("name_zh", "name_en", "height_source", "clearing_source", "loss_source")
_HIGHEST = {"height_m": 150.0, "clearing_m": 5_000.0}
_HIGHEST_LOSS_DB = 100.0
_LOSS_COLUMN = re.compile(r"loss_db_([1-9]\d{0,5})_mhz")


@dataclass(frozen=True)
class LandCoverClass:
    """One class of land cover: a row of the table.

    Attributes
    ----------
    code : int
        ESA WorldCover code, or 0: unknown.
    name_zh, name_en : str
        Its name in Chinese and in English.
    height_m : float
        Height of the clutter along a path [m].
    clearing_m : float
        Radius around a receiver in this class within which clutter on the path does not count [m].
    loss_db : tuple of float
        Terminal loss of a receiver in this class at each of the table's frequencies [dB].
    height_source, clearing_source, loss_source : str
        Where the numbers come from; an assumption begins with that word.
    """

    code: int
    name_zh: str
    name_en: str
    height_m: float
    clearing_m: float
    loss_db: tuple[float, ...]
    height_source: str
    clearing_source: str
    loss_source: str


@dataclass(frozen=True)
class LandCoverTable:
    """Clutter height, clearing radius and terminal loss of every class of land cover.

    Attributes
    ----------
    classes : tuple of LandCoverClass
        The classes in the order of their codes; the default, code 0, is first.
    frequencies_mhz : tuple of float
        Frequencies of the terminal losses [MHz], increasing.

    Raises
    ------
    RasterError
        If a class is missing, occurs twice or is out of order, or its losses do not match the
        frequencies.

    Examples
    --------
    >>> table = LandCoverTable.default()
    >>> table.height_m[table.class_index([10, 50, 80])].tolist()
    [10.0, 10.0, 0.0]
    """

    classes: tuple[LandCoverClass, ...]
    frequencies_mhz: tuple[float, ...]

    def __post_init__(self) -> None:
        codes = [cover.code for cover in self.classes]
        for code, name in {DEFAULT_CODE: "unknown, the default", **WORLDCOVER}.items():
            if code not in codes:
                raise RasterError(f"there is no row of class {code} ({name}): add one")
        for before, after in pairwise(codes):
            if after <= before:
                raise RasterError(
                    f"class {after} comes after class {before}: give one row per class, by code"
                )
        for cover in self.classes:
            if len(cover.loss_db) != len(self.frequencies_mhz):
                raise RasterError(
                    f"class {cover.code} has {len(cover.loss_db)} loss(es) for "
                    f"{len(self.frequencies_mhz)} frequency(ies): give one for each"
                )

    @classmethod
    def default(cls) -> "LandCoverTable":
        """Return the table that comes with the library.

        Returns
        -------
        LandCoverTable
            Twelve classes: eleven of ESA WorldCover and the default.

        Examples
        --------
        >>> len(LandCoverTable.default().classes)
        12
        """
        return _default_table()

    @classmethod
    def from_csv(cls, path: str | Path) -> "LandCoverTable":
        """Read your own table, in the format of ``ankang_coverage/region/land_cover.csv``.

        Parameters
        ----------
        path : str or Path
            CSV with the columns ``code``, ``name_zh``, ``name_en``, ``height_m``, ``clearing_m``,
            ``height_source``, ``clearing_source``, ``loss_source`` and one column
            ``loss_db_900_mhz`` for each frequency; a row for code 0 and for every class of
            `WORLDCOVER`. Further codes up to 255 are allowed.

        Returns
        -------
        LandCoverTable
            The table.

        Raises
        ------
        FileError
            If the file cannot be read, a column or class is missing or unknown, or a value does not
            fit its column; the message names the row and the column.
        """
        return _parse(read_text(path, "settings_bytes"), printable(str(path)))

    @cached_property
    def height_m(self) -> NDArray[np.float64]:
        """Clutter height along the path, by class index [m]."""
        return _constant([cover.height_m for cover in self.classes])

    @cached_property
    def standing_height_m(self) -> NDArray[np.float64]:
        """Clutter height that a surface model already includes, by class index [m].

        That of the classes `STANDING`, and zero for all others.
        """
        return _constant([c.height_m if c.code in STANDING else 0.0 for c in self.classes])

    @cached_property
    def clearing_m(self) -> NDArray[np.float64]:
        """Clearing radius before the receiver, by class index [m]."""
        return _constant([cover.clearing_m for cover in self.classes])

    def terminal_loss_db(self, frequency_mhz: float) -> NDArray[np.float64]:
        """Return the terminal loss of each class at a frequency.

        Parameters
        ----------
        frequency_mhz : float
            Carrier frequency [MHz], within those of the table.

        Returns
        -------
        numpy.ndarray
            Loss by class index [dB], interpolated linearly in the logarithm of the frequency.

        Raises
        ------
        OutOfRangeError
            If the frequency lies outside the table's.

        Examples
        --------
        >>> table = LandCoverTable.default()
        >>> trees = int(table.class_index(10))
        >>> round(float(table.terminal_loss_db(900.0)[trees]), 1)
        3.5
        """
        low, high = self.frequencies_mhz[0], self.frequencies_mhz[-1]
        if not low <= frequency_mhz <= high:
            raise OutOfRangeError(
                f"frequency_mhz is {frequency_mhz:g} but the land-cover table has losses for "
                f"{low:g} to {high:g} MHz: give a table with a column of a frequency beyond it"
            )
        log_f, anchors = math.log(frequency_mhz), np.log(self.frequencies_mhz)
        return np.array([np.interp(log_f, anchors, cover.loss_db) for cover in self.classes])

    def class_index(self, land_cover: ArrayLike) -> NDArray[np.uint8]:
        """Return the position in `classes` of each pixel's class.

        Parameters
        ----------
        land_cover : array_like
            Land-cover codes, whole numbers, any shape.

        Returns
        -------
        numpy.ndarray
            uint8 index, same shape; 0, the default class, where the code is 0 or not in the table
            (`n_default` counts these).

        Raises
        ------
        RasterError
            If the codes are not of an integer type.

        Examples
        --------
        >>> LandCoverTable.default().class_index([0, 10, 100, 77]).tolist()
        [0, 1, 11, 0]
        """
        codes = np.asarray(land_cover)
        if codes.dtype.kind not in "iu":
            raise RasterError(
                f"land cover holds {codes.dtype}, not whole numbers: fill gaps with "
                f"{DEFAULT_CODE} and convert it with astype('uint8')"
            )
        index = np.zeros(_HIGHEST_CODE + 1, np.uint8)
        index[[cover.code for cover in self.classes]] = np.arange(len(self.classes))
        known = codes if codes.dtype == np.uint8 else _as_bytes(codes)
        return index[known]

    def n_default(self, land_cover: ArrayLike) -> int:
        """Return the number of pixels with the default class, because their land cover is unknown.

        Parameters
        ----------
        land_cover : array_like
            Land-cover codes, whole numbers, any shape.

        Returns
        -------
        int
            The number of pixels.

        Examples
        --------
        >>> LandCoverTable.default().n_default([0, 10, 100, 77])
        2
        """
        return int(np.count_nonzero(self.class_index(land_cover) == 0))


def bare_ground(
    elevation_m: ArrayLike, land_cover: ArrayLike, table: LandCoverTable
) -> NDArray[np.float32]:
    """Estimate the bare ground under a surface model (``dsm``).

    Parameters
    ----------
    elevation_m : array_like
        Heights of the surface above sea level [m], any shape; NaN where unknown.
    land_cover : array_like
        Land-cover codes, same shape.
    table : LandCoverTable
        Heights of the classes.

    Returns
    -------
    numpy.ndarray
        float32 heights [m]: the surface minus the height of its class for trees and buildings
        (`STANDING`), the surface itself elsewhere.

    Raises
    ------
    RasterError
        If the shapes differ or the codes are not whole numbers.

    Examples
    --------
    >>> bare_ground([510.0, 505.0], [10, 40], LandCoverTable.default()).tolist()
    [500.0, 505.0]
    """
    surface = np.asarray(elevation_m, np.float32)
    codes = np.asarray(land_cover)
    if surface.shape != codes.shape:
        raise RasterError(
            f"elevation has shape {surface.shape}, land cover {codes.shape}: they must be the same"
        )
    return surface - table.standing_height_m.astype(np.float32)[table.class_index(codes)]


def _as_bytes(codes: NDArray[np.integer]) -> NDArray[np.uint8]:
    inside = (codes >= 0) & (codes <= _HIGHEST_CODE)
    return np.where(inside, codes, DEFAULT_CODE).astype(np.uint8)


def _constant(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.array(values, np.float64)
    array.flags.writeable = False
    return array


@cache
def _default_table() -> LandCoverTable:
    file = resources.files("ankang_coverage.region") / "land_cover.csv"
    return _parse(file.read_text("utf-8"), file.name)


def _parse(text: str, file: str) -> LandCoverTable:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [(reader.line_num, row) for row in reader if any(row)]
    except csv.Error as error:
        raise FileError(f"{file}, line {reader.line_num}: {said(error)}") from error
    if not rows:
        raise FileError(f"{file} is empty: start from the library's own table")
    columns = [name.strip() for name in rows[0][1]]
    frequencies = _checked_columns(columns, file)
    classes = tuple(_class(row, columns, f"{file}, row {line}") for line, row in rows[1:])
    try:
        return LandCoverTable(classes, frequencies)
    except RasterError as error:
        raise FileError(f"{file}: {error}") from error


def _checked_columns(columns: Sequence[str], file: str) -> tuple[float, ...]:
    """Check a header, and return the frequencies of its loss columns."""
    require_within("columns", len(columns), f"{file} has too many columns")
    for needed in ("code", *_HIGHEST, *_TEXTS):
        if needed not in columns:
            raise FileError(f"{file} has no column {needed}: add it")
    for column in columns:
        known = column in ("code", *_HIGHEST, *_TEXTS) or _LOSS_COLUMN.fullmatch(column)
        if not known:
            raise FileError(
                f"{file} has an unknown column {quoted(column)}: losses need columns such as "
                f"loss_db_900_mhz"
            )
        if columns.count(column) > 1:
            raise FileError(f"{file} has more than one column {column}: leave one")
    frequencies = tuple(_loss_frequencies(columns))
    if not frequencies:
        raise FileError(f"{file} has no column of losses such as loss_db_900_mhz: add one")
    if any(after <= before for before, after in pairwise(frequencies)):
        raise FileError(f"{file}: the columns of losses must be in the order of frequency")
    return frequencies


def _loss_frequencies(columns: Sequence[str]) -> Iterator[float]:
    for column in columns:
        if found := _LOSS_COLUMN.fullmatch(column):
            yield float(found[1])


def _class(row: Sequence[str], columns: Sequence[str], where: str) -> LandCoverClass:
    if len(row) != len(columns):
        raise FileError(f"{where} has {len(row)} cells but the header {len(columns)}")
    cells = {column: cell.strip() for column, cell in zip(columns, row, strict=True)}
    code = _number(cells, "code", _HIGHEST_CODE, where)
    if code != round(code):
        raise FileError(f"{where}, column code: {code} is not a whole number")
    for column in _TEXTS:
        if not cells[column]:
            raise FileError(f"{where}, column {column} is empty: every class needs one")
    return LandCoverClass(
        code=int(code),
        height_m=_number(cells, "height_m", _HIGHEST["height_m"], where),
        clearing_m=_number(cells, "clearing_m", _HIGHEST["clearing_m"], where),
        loss_db=tuple(
            _number(cells, column, _HIGHEST_LOSS_DB, where)
            for column in columns
            if _LOSS_COLUMN.fullmatch(column)
        ),
        **{column: cells[column] for column in _TEXTS},
    )


def _number(cells: Mapping[str, str], column: str, highest: float, where: str) -> float:
    cell = cells[column]
    try:
        value = float(cell) if len(cell) <= limits().digits else math.nan
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= highest:
        fault = f"{quoted(cell)} must be a number from 0 to {highest:g}"
        raise FileError(f"{where}, column {column}: {fault}")
    return value
