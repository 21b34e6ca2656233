"""Villages that are left out of a region: too far from all others, or with a wrong feature."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer

from ankang_coverage.errors import DivisionError
from ankang_coverage.limits import limits, require_within
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.vectors import Reasons

REJECTED_COLUMNS = {"file": object, "feature": np.int64, "code": object, "name": object}
REJECTED = "rejected"
"""Key of a table's ``attrs`` that holds the rows left out, as tuples."""
NEAR_KM = 100.0
"""Distance from the middle of all villages within which no village is too far."""
FEW = 10
"""Number of villages, or percent of all where that is more, that may be too far by mistake."""

_VALUES = re.compile(r"'[^']*'|[\d.,-]+")
"""What differs between reasons of the same kind: quoted texts and numbers."""

Rejected = tuple[tuple[str, int, str, str, str], ...]


def rejected_table(rows: Rejected = ()) -> pd.DataFrame:
    """Return the villages that were left out as a table for ``Region.rejected``.

    Parameters
    ----------
    rows : tuple
        File, number of the feature, code, name and reason of each.

    Returns
    -------
    pandas.DataFrame
        Columns ``file``, ``feature`` (counted from 1), ``code``, ``name``, ``reason``.
    """
    table = pd.DataFrame(list(rows), columns=[*REJECTED_COLUMNS, "reason"])
    return table.astype({**REJECTED_COLUMNS, "reason": object})


def rejected_rows(
    path: Path, index: pd.Index, codes: pd.Series, names: pd.Series, reasons: Reasons
) -> Rejected:
    """Return the rows of a file that are left out.

    Parameters
    ----------
    path : Path
        The file.
    index : pandas.Index
        (n,) numbers of the features.
    codes : pandas.Series
        (n,) codes.
    names : pandas.Series
        (n,) names.
    reasons : Reasons
        Why features cannot be used.

    Returns
    -------
    Rejected
        File, number of the feature, code, name and reason of each row left out.
    """
    return tuple(
        (path.name, int(number), codes.iloc[n], names.iloc[n], reasons.texts[n])
        for n, number in enumerate(index)
        if reasons.texts[n]
    )


def require_some(path: Path, index: pd.Index, reasons: Reasons) -> None:
    """Refuse a file in which nothing can be used.

    Parameters
    ----------
    path : Path
        The file.
    index : pandas.Index
        (n,) numbers of the features.
    reasons : Reasons
        Why features cannot be used.

    Raises
    ------
    DivisionError
        With the most frequent reason, and the first feature that has it.
    """
    if reasons.fine.any():
        return
    kinds = pd.Series(reasons.texts).str.replace(_VALUES, "", regex=True)
    commonest = kinds.value_counts().index[0]
    first = int(np.argmax(kinds == commonest))
    raise DivisionError(
        f"none of the {len(index)} features of {path} can be used; the commonest fault, of "
        f"{(kinds == commonest).sum()} of them, the first in feature {index[first]}: "
        f"{reasons.texts[first]}"
    )


def reject_far(
    path: Path, codes: pd.Series, polygons: NDArray[np.object_], crs: CRS, reasons: Reasons
) -> None:
    """Leave out villages far from all others, because they would make the grid enormous.

    Parameters
    ----------
    path : pathlib.Path
        Their file, for messages.
    codes : pandas.Series
        (n,) their codes.
    polygons : numpy.ndarray
        (n,) their polygons.
    crs : pyproj.CRS
        CRS of the polygons.
    reasons : Reasons
        Faults found so far; a reason is added for villages that are too far.

    Raises
    ------
    LimitError
        If so many are too far that it cannot be a mistake.
    """
    fine = np.flatnonzero(reasons.fine)
    boxes = shapely.bounds(polygons[fine])
    to_degrees = Transformer.from_crs(crs, WGS84, always_xy=True)
    longitude, latitude = to_degrees.transform(*(boxes[:, :2] + boxes[:, 2:]).T / 2.0)
    middle = np.full((2, len(fine)), [[np.median(longitude)], [np.median(latitude)]])
    metres = Geod(ellps="WGS84").inv(longitude, latitude, middle[0], middle[1])[2]
    away_km = metres / 1000.0
    typical_km = max(float(np.median(away_km)), NEAR_KM / limits().spread)
    far = away_km > limits().spread * typical_km
    if far.sum() > max(FEW, len(fine) // 100):
        first = int(np.argmax(far))
        require_within(
            "spread",
            round(away_km[first] / typical_km, 1),
            f"{path} has {far.sum()} villages too far from the others, such as "
            f"{codes.iloc[fine[first]]}, {away_km[first]:,.0f} km from the middle of all, in "
            f"medians of such distances",
        )
    reasons.add(
        np.isin(np.arange(len(codes)), fine[far]),
        [
            f"too far from the others: {away:,.0f} km from the middle of all, above "
            f"{limits().spread * typical_km:,.0f} km (spread under [limits])"
            for away in _spread_over(away_km, fine, len(codes))
        ],
    )


def _spread_over(
    values: NDArray[np.float64], places: NDArray[np.intp], number: int
) -> NDArray[np.float64]:
    wide = np.full(number, np.nan)
    wide[places] = values
    return wide
