"""Columns of a user's table that no attribute names: kept under their headers, with their types.

A column whose values agree within every site belongs to the site, any other to the cell.
"""

import re
from collections.abc import Hashable, Iterable
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ankang_coverage.sites.rows import Rows, text_of

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")


def extra_columns(rows: Rows, used: NDArray[np.intp]) -> pd.DataFrame:
    """Return the columns of a table that no attribute names.

    Parameters
    ----------
    rows : Rows
        The table.
    used : numpy.ndarray
        Positions of the rows that are wanted.

    Returns
    -------
    pandas.DataFrame
        In the table's order, one row for each of `used`. A header that is the name of another
        column gets a number: ``source_2``.
    """
    headers = rows.unread
    taken = [*(attribute.name for attribute in rows.schema), "geometry"]
    names = distinct_names(headers.values(), taken)
    cells = rows.table.cells
    columns = {
        name: typed(cells[position].to_numpy(object)[used], has_types=rows.table.has_types)
        for name, position in zip(names, headers, strict=True)
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(len(used)))


def of_sites(extra: pd.DataFrame, first: NDArray[np.intp]) -> list[Hashable]:
    """Return the columns whose values agree within every site.

    Parameters
    ----------
    extra : pandas.DataFrame
        Columns, one row a cell.
    first : numpy.ndarray
        Position of the first row of each row's site.

    Returns
    -------
    list
        Their names.
    """
    same = []
    for name, values in extra.items():
        codes, _ = pd.factorize(values)
        if (codes == codes[first]).all():
            same.append(name)
    return same


def distinct_names(names: Iterable[object], taken: Iterable[object]) -> list[str]:
    """Return names that differ from each other and from those taken, whatever their case.

    Parameters
    ----------
    names : iterable
        Names; one that is taken gets ``_2``, ``_3``, … behind it.
    taken : iterable
        Names that others have.

    Returns
    -------
    list of str

    Examples
    --------
    >>> distinct_names(["PCI", "source", "pci"], ["name", "source"])
    ['PCI', 'source_2', 'pci_2']
    """
    known = {str(name).casefold() for name in taken}
    distinct = []
    for name in map(str, names):
        candidate, number = name, 1
        while candidate.casefold() in known:
            number += 1
            candidate = f"{name}_{number}"
        known.add(candidate.casefold())
        distinct.append(candidate)
    return distinct


def typed(values: NDArray[np.object_], *, has_types: bool = True) -> pd.Series:
    """Return the values of a column in the type that all of them have.

    Parameters
    ----------
    values : numpy.ndarray
        Texts, numbers, dates, truth values or nothing, as the file has them.
    has_types : bool
        Whether the file distinguishes numbers from texts. A text file does not: there a column
        holds numbers if each is written so that nothing is lost by reading it as one, without
        leading zeros or a plus sign.

    Returns
    -------
    pandas.Series
        Truth values, whole numbers, numbers or dates, missing where blank; otherwise text.

    Examples
    --------
    >>> typed(np.array(["12", "", "7"], object), has_types=False).tolist()
    [12, <NA>, 7]
    >>> typed(np.array(["0012", "", "7"], object), has_types=False).tolist()
    ['0012', '', '7']
    """
    texts = [text_of(value) for value in values]
    given = [value if text else None for value, text in zip(values, texts, strict=True)]
    kind_of = _kind if has_types else _kind_of_text
    kinds = {kind_of(value) for value in given if value is not None}
    if kinds == {"truth value"}:
        return pd.Series(given, dtype="boolean")
    if kinds == {"whole number"}:
        return pd.Series([None if v is None else int(v) for v in given], dtype="Int64")
    if kinds and kinds <= {"whole number", "number"}:
        return pd.Series([np.nan if v is None else float(v) for v in given], dtype="float64")
    if len(kinds) == 1 and kinds.pop().startswith("date"):
        return pd.Series(pd.to_datetime(np.array(given, dtype=object)))
    return pd.Series(texts, dtype=object)


def _kind(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "truth value"
    if isinstance(value, int | np.integer):
        return "whole number" if -(2**63) <= value < 2**63 else "text"
    if isinstance(value, float | np.floating):
        return "number"
    return f"date {value.tzinfo}" if isinstance(value, datetime) else "text"


def _kind_of_text(value: object) -> str:
    text = text_of(value)
    if _WHOLE.fullmatch(text):
        return "whole number"
    return "number" if _DECIMAL.fullmatch(text) and repr(float(text)) == text else "text"
