"""One attribute of a site or cell: a line of ``attributes.csv``, or one of a user's own."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.errors import NetworkError
from ankang_coverage.inputs import quoted

AttributeType = Literal["text", "word", "number", "angle"]
TableName = Literal["", "sites", "cells"]

REQUIRED = "required"
"""Default of an attribute without which a row is rejected."""
CATALOGUE = "catalogue"
"""Default of an attribute that the catalogue gives, by radio layer, kind of site or antenna."""
LONGEST_HEADER = 200
"""Characters of a header that are looked at: many more than in any that is known."""

_NAME = re.compile("[a-z][a-z0-9_]*")
_NO_ATTRIBUTES = ("geometry",)
"""Names that columns of ``Network.sites`` have without being attributes."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of a cell or its site.

    Attributes
    ----------
    name : str
        Name of its column in `Network`: small letters, digits and underscores.
    type : str
        ``text``; ``word``, one of a few; ``number``; or ``angle``, a number that may be written
        in degrees, minutes and seconds.
    table : str
        ``sites`` or ``cells``: the table of `Network` that has its column. Blank: it only helps to
        find others, and is not kept.
    headers : tuple of str
        Headers that files give it, the preferred first; none where only the library fills it.
    unit : str
        Unit of numbers and angles.
    default : str
        What a blank means: a value, one value for each kind of site
        (``macro 35; micro 12; indoor 3``), ``required``, ``catalogue``, or blank where nothing
        simple can be said.
    minimum, maximum : float, optional
        Smallest and largest value, both allowed.
    words : mapping of str to tuple of str
        Of a ``word``: each value, and the words that mean it in files.
    needed : bool
        Whether `Network` refuses tables without its column. A column that is not needed gets the
        default where the schema states one.
    changes_signal : bool
        Whether a prediction depends on it. Its values are then in the key of every stored tile.
    heading_zh, heading_en : str
        Heading of its column in reports.
    description : str
        What it is.

    Raises
    ------
    NetworkError
        If the parts contradict each other.

    Examples
    --------
    >>> rent = Attribute("rent_yuan", "number", "sites", headers=("租金",), minimum=0)
    >>> rent.limits
    '0 or more'
    """

    name: str
    type: AttributeType = "text"
    table: TableName = "cells"
    headers: tuple[str, ...] = ()
    unit: str = ""
    default: str = ""
    minimum: float | None = None
    maximum: float | None = None
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    needed: bool = False
    changes_signal: bool = False
    heading_zh: str = ""
    heading_en: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        if fault := self._fault():
            raise NetworkError(f"attribute {quoted(self.name)}: {fault}")

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type in ("number", "angle")

    @property
    def has_default_value(self) -> bool:
        """Whether the default is a value, not blank and not said elsewhere."""
        return self.default not in ("", REQUIRED, CATALOGUE)

    @property
    def limits(self) -> str:
        """Smallest and largest value with the unit, in words; blank where there are none."""
        low, high, unit = self.minimum, self.maximum, f" {self.unit}" if self.unit else ""
        if low is not None and high is not None:
            return f"{low:.10g} to {high:.10g}{unit}"
        if low is not None:
            return f"{low:.10g}{unit} or more"
        return "" if high is None else f"{high:.10g}{unit} or less"

    @property
    def documentation(self) -> tuple[str, ...]:
        """Its row in ``docs/nomenclature.md``."""
        return (
            f"`{self.name}`",
            self.heading_zh,
            self.table or "–",
            self.default or "–",
            self.limits or self.unit or "–",
            "yes" if self.changes_signal else "no",
            self.description,
        )

    def default_for(self, kind: str) -> str:
        """Return the default at a kind of site.

        Parameters
        ----------
        kind : str
            ``macro``, ``micro`` or ``indoor``.

        Returns
        -------
        str
            As the table writes it.

        Examples
        --------
        >>> height = Attribute("height_m", "number", default="macro 35; micro 12; indoor 3")
        >>> height.default_for("micro")
        '12'
        """
        if ";" not in self.default:
            return self.default
        return dict(pair.split() for pair in self.default.split("; "))[kind]

    def allows(self, numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which numbers are within the limits; NaN is not.

        Parameters
        ----------
        numbers : numpy.ndarray
            Values.

        Returns
        -------
        numpy.ndarray
        """
        low = -np.inf if self.minimum is None else self.minimum
        high = np.inf if self.maximum is None else self.maximum
        return np.asarray((numbers >= low) & (numbers <= high))

    def _fault(self) -> str:
        """Say what is wrong; blank where nothing is."""
        types, has_limits = get_args(AttributeType), (self.minimum, self.maximum) != (None, None)
        faults = {
            "name it in small letters, digits and underscores, and not geometry": (
                not _NAME.fullmatch(self.name) or self.name in _NO_ATTRIBUTES
            ),
            f"type {quoted(self.type)} is none of {', '.join(types)}": self.type not in types,
            f"table {quoted(self.table)} is neither sites nor cells": (
                self.table not in get_args(TableName)
            ),
            "headers is one text: give a tuple of texts": isinstance(self.headers, str),
            "words go with the type word: give each value, and the words that mean it in files": (
                (self.type == "word") != bool(self.words)
            ),
            f"limits go with numbers, not with the type {self.type}": (
                has_limits and not self.is_number
            ),
        }
        first = next((fault for fault, holds in faults.items() if holds), "")
        return first or (self._fault_of_default() if self.has_default_value else "")

    def _fault_of_default(self) -> str:
        values = [pair.split()[-1] for pair in self.default.split("; ")]
        if self.type == "word" and not set(values) <= set(self.words):
            return f"default {quoted(self.default)} is none of {', '.join(self.words)}"
        if self.is_number:
            try:
                allowed = self.allows(np.array(values, np.float64)).all()
            except ValueError:
                return f"default {quoted(self.default)} is no number"
            if not allowed:
                return f"default {quoted(self.default)} is outside {self.limits}"
        return ""


def plain_header(header: object) -> str:
    """Return a header without what tables differ in: case, width, spaces, brackets.

    Parameters
    ----------
    header : object
        As a file has it.

    Returns
    -------
    str

    Examples
    --------
    >>> plain_header("* Antenna_Height （米）")
    'antennaheight'
    """
    plain = unicodedata.normalize("NFKC", str(header)[:LONGEST_HEADER]).lower()
    return re.sub(r"[(\[【].*?[)\]】]|[\s_*\-]", "", plain)
