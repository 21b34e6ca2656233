"""CSV files for Excel, safe from text that Excel would run as a formula."""

import csv
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pandas as pd

from ankang_coverage.files import write_bytes

Table = TypeVar("Table", bound=pd.DataFrame)

FORMULA_STARTS = ("=", "+", "-", "@")
"""A Chinese or Japanese Excel takes their full-width forms for formulas too."""
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Blank characters that are not in Unicode's categories of blanks."""


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 CSV for Excel, safe from text that Excel would run as a formula.

    Parameters
    ----------
    table : pandas.DataFrame
        The table; text that begins like a formula gets an apostrophe in front.
    path : Path
        File to write.
    """
    safe = with_text(table, _no_formula).rename(columns=_no_formula)
    text = safe.to_csv(index=False, lineterminator="\n")
    if "\r" in text:  # outside quotation marks it would start a row, perhaps with a formula
        text = safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    write_bytes(path, text.encode("utf-8-sig", errors="replace"))


def with_text(table: Table, change: Callable[[object], object]) -> Table:
    """Change every cell of the columns that may hold text.

    Parameters
    ----------
    table : pandas.DataFrame
        The table; a geometry column is not changed.
    change : callable
        Takes a cell and returns the new one.

    Returns
    -------
    pandas.DataFrame
        A table of the same type.
    """
    kinds = table.dtypes.drop("geometry", errors="ignore")
    texts = [str(name) for name, kind in kinds.items() if kind.kind in "OUT"]
    return table.assign(**{name: table[name].map(change) for name in texts})


def _no_formula(value: object) -> object:
    """Put an apostrophe before text whose first visible character starts a formula."""
    if isinstance(value, str):
        visible = (
            character
            for character in value
            if unicodedata.category(character)[0] not in "CMZ" and character not in _BLANKS
        )
        first = unicodedata.normalize("NFKC", next(visible, ""))
        if first in FORMULA_STARTS or value.startswith(("\t", "\r")):
            return f"'{value}"
    return value
