"""Rows of a table while they are read: their text, numbers and words, faults and assumptions."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ankang_coverage.errors import NetworkError
from ankang_coverage.inputs import LONGEST_VALUE, listed, printable, quoted, shortened
from ankang_coverage.limits import limits
from ankang_coverage.region.coordinates import parse_angle
from ankang_coverage.sites.attributes import REQUIRED, Attribute
from ankang_coverage.sites.network import no_rejections
from ankang_coverage.sites.schema import Schema, builtin_schema
from ankang_coverage.sites.tables import Table

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Texts = NDArray[np.object_]

UNIT_WORDS = {"m": ("m", "米"), "dBm": ("dbm",)}
"""Units that may stand behind a number, in lower case."""
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
LONGEST_SHOWN = 1_000
"""Characters of a value that the list of rejected rows keeps."""


class Rows:
    """The rows of one table; every row keeps the first fault found in it.

    Parameters
    ----------
    table : Table
        The table.
    schema : Schema, optional
        What attributes there are; the built-in ones when omitted.

    Raises
    ------
    NetworkError
        If two columns give the same attribute.
    """

    def __init__(self, table: Table, schema: Schema | None = None) -> None:
        self.table = table
        self.schema = schema or builtin_schema()
        self._position = positions_of(table.name, table.headers, self.schema)
        self._texts: dict[str, Texts] = {}
        self._assumed: dict[str, Mask] = {}
        self._column, self._value, self._reason = self._blank(), self._blank(), self._blank()
        self.reject(table.faults != "", "", table.faults)

    def has(self, attribute: str) -> bool:
        """Tell whether the table has a column for an attribute."""
        return attribute in self._position

    @property
    def unread(self) -> dict[int, str]:
        """Headers that name no attribute, or one that a preferred header names, by position."""
        read = set(self._position.values())
        return {n: h for n, h in enumerate(self.table.headers) if h and n not in read}

    def text(self, attribute: str) -> Texts:
        """Return what the rows say, without spaces round it; blank without a column."""
        if attribute not in self._texts:
            texts = self._blank()
            if self.has(attribute):
                texts[:] = [text_of(cell) for cell in self.table.cells[self._position[attribute]]]
            self._texts[attribute] = texts
        return self._texts[attribute]

    def short(self, attribute: str) -> Texts:
        """Return what the rows say where it may be a number; reject what is longer than any.

        To look for a number in a text may take time by the square of its length.
        """
        text, longest = self.text(attribute), limits().digits
        is_long = np.array([len(value) > longest for value in text], dtype=bool)
        self.reject(is_long, attribute, f"{attribute} has more than {longest} characters")
        return np.where(is_long, "", text)

    def parsed(self, attribute: str) -> Numbers:
        """Return numbers or angles, NaN where blank; reject values that are not."""
        about, text = self.schema[attribute], self.short(attribute)
        numbers = pd.to_numeric(pd.Series(text), errors="coerce").to_numpy(np.float64, copy=True)
        odd = (text != "") & ~np.isfinite(numbers) & self.is_usable()
        if odd.any():
            is_angle = about.type == "angle"
            numbers[odd] = (
                parse_angle(text[odd]) if is_angle else _parse_numbers(text[odd], about.unit)
            )
            wrong = odd & ~np.isfinite(numbers)
            self.reject(wrong, attribute, f"{attribute} is no {about.type}")
        return numbers

    def limited(self, attribute: str, numbers: Numbers) -> Numbers:
        """Return the numbers; reject those outside the attribute's limits."""
        about = self.schema[attribute]
        reason = f"{attribute} is outside {about.limits}"
        self.reject(~np.isnan(numbers) & ~about.allows(numbers), attribute, reason)
        return numbers

    def numbers(self, attribute: str) -> Numbers:
        """Return numbers or angles within the attribute's limits, NaN where blank."""
        return self.limited(attribute, self.parsed(attribute))

    def filled(self, attribute: str, numbers: Numbers, kind: Texts) -> Numbers:
        """Return numbers with the default of the kind of site where they are NaN."""
        about = self.schema[attribute]
        defaults = {known: float(about.default_for(known)) for known in set(kind) - {""}}
        blank = np.isnan(numbers)
        self.assume(attribute, blank)
        return np.where(blank, pd.Series(kind).map(defaults).to_numpy(np.float64), numbers)

    def words(self, attribute: str) -> Texts:
        """Return what words mean, the default where blank; reject unknown words."""
        text, about, longest = self.text(attribute), self.schema[attribute], limits().digits
        default = about.default
        meanings = {called: value for value, words in about.words.items() for called in words}
        plain = {_plain_word(called): value for called, value in meanings.items()}
        known = {word for word in set(text) if len(word) <= longest}
        meant = {word: plain.get(_plain_word(word), "") for word in known}
        meant[""] = default
        if default:
            self.assume(attribute, text == "")
        words = pd.Series(text, dtype=object).map(meant).fillna("").to_numpy(object)
        unknown = (words == "") & (text != "")
        self.reject(unknown, attribute, f"{attribute} is none of {', '.join(meanings)}")
        return words

    def values(self, about: Attribute, kind: Texts) -> Texts | Numbers:
        """Return the values of an attribute as its type and default say, with no rule of its own.

        Parameters
        ----------
        about : Attribute
            The attribute.
        kind : numpy.ndarray
            Kind of site of each row.

        Returns
        -------
        numpy.ndarray
            Numbers, NaN where blank without a default; or texts.
        """
        if about.default == REQUIRED:
            self.reject(self.text(about.name) == "", about.name, f"{about.name} is blank")
        if about.is_number:
            numbers = self.numbers(about.name)
            return self.filled(about.name, numbers, kind) if about.has_default_value else numbers
        if about.type == "word":
            return self.words(about.name)
        text = self.text(about.name)
        if about.has_default_value:
            self.assume(about.name, text == "")
            text = np.where(text == "", about.default, text)
        return text

    def reject(self, where: Mask, attribute: str, reason: str | Texts) -> None:
        """Note a fault of some rows; a row that has one already keeps that."""
        new = where & self.is_usable()
        position = self._position.get(attribute)
        self._column[new] = attribute if position is None else self.table.headers[position]
        self._value[new] = [shortened(text, LONGEST_SHOWN) for text in self.text(attribute)[new]]
        self._reason[new] = reason if isinstance(reason, str) else reason[new]

    def is_usable(self) -> Mask:
        """Return which rows have no fault so far."""
        return np.asarray(self._reason == "")

    def usable(self) -> NDArray[np.intp]:
        """Return the positions of the rows without a fault.

        Raises
        ------
        NetworkError
            If there is none; the message names the commonest fault and the first.
        """
        if not self.is_usable().any():
            rejected = self.rejected()
            counts = rejected["reason"].value_counts()
            first = rejected.iloc[0]
            raise NetworkError(
                f"none of the {len(rejected)} rows of {self.table.name} can be used; the "
                f"commonest fault ({counts.iloc[0]} rows): {counts.index[0]}; the first: row "
                f"{first['row']}, column {printable(first['column'], LONGEST_VALUE)}, "
                f"{quoted(first['value'])}: {first['reason']}"
            )
        return np.flatnonzero(self.is_usable())

    def rejected(self) -> pd.DataFrame:
        """Return the rows with a fault, as ``Network.rejected`` lists them."""
        faulty = ~self.is_usable()
        faults = {
            "row": self.table.rows[faulty],
            "column": self._column[faulty],
            "value": self._value[faulty],
            "reason": self._reason[faulty],
        }
        return pd.DataFrame(faults).astype(no_rejections().dtypes.to_dict())

    def assume(self, attribute: str, where: Mask) -> None:
        """Note which rows did not give an attribute."""
        self._assumed[attribute] = where

    def assumed(self) -> Texts:
        """Return the attributes that each row did not give, separated by commas."""
        names = self._blank()
        for attribute, where in self._assumed.items():
            names[where] += np.where(names[where] == "", attribute, f",{attribute}").astype(object)
        return names

    def _blank(self) -> Texts:
        return np.full(len(self.table.rows), "", dtype=object)


def positions_of(name: str, headers: Sequence[str], schema: Schema) -> dict[str, int]:
    """Return the position of each attribute's column.

    Parameters
    ----------
    name : str
        The file, for messages.
    headers : sequence of str
        Its headers.
    schema : Schema
        What a table may have.

    Returns
    -------
    dict
        Position by name of the attribute.

    Raises
    ------
    NetworkError
        If two columns give the same attribute.
    """
    found = schema.find(headers)
    for attribute, positions in found.items():
        if len(positions) > 1:
            twice = listed(headers[position] for position in positions)
            raise NetworkError(f"{name} gives {attribute} twice, in {twice}: keep one column")
    return {attribute: positions[0] for attribute, positions in found.items()}


def is_within(attribute: str, numbers: Numbers) -> Mask:
    """Return which numbers are within the limits of a built-in attribute.

    Parameters
    ----------
    attribute : str
        Its name.
    numbers : numpy.ndarray
        Values.

    Returns
    -------
    numpy.ndarray
    """
    return builtin_schema()[attribute].allows(numbers)


def text_of(cell: object) -> str:
    """Return what a cell of a table says, without spaces round it; blank where it says nothing.

    Parameters
    ----------
    cell : object
        Text, number, date or nothing, as the file has it.

    Returns
    -------
    str
    """
    if isinstance(cell, str):
        return cell.strip()
    if cell is None or cell != cell:  # noqa: PLR0124  NaN and NaT differ from themselves
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _plain_word(word: str) -> str:
    return re.sub(r"[\s_-]", "", unicodedata.normalize("NFKC", word).lower())


def _parse_numbers(texts: Sequence[str], unit: str) -> Numbers:
    """Read numbers in full-width digits or with their unit behind them."""
    plain = [unicodedata.normalize("NFKC", text).replace("−", "-").lower() for text in texts]
    units = "|".join(UNIT_WORDS.get(unit, ("",)))
    found = pd.Series(plain).str.extract(rf"^({NUMBER})\s*(?:{units})?$")[0]
    return found.to_numpy(np.float64)
