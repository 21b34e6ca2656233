"""Names of version 0.1 that are called something else now; they go in version 0.3."""

import warnings
from typing import Any

import pandas as pd

from ankang_coverage.sites.equipment import make_cells


def equip(*args: Any, **keywords: Any) -> pd.DataFrame:
    """Return ``make_cells(...)``, with the same arguments.

    Parameters
    ----------
    *args, **keywords : Any
        As for `make_cells`.

    Returns
    -------
    pandas.DataFrame
    """
    warnings.warn(
        "equip will go in version 0.3: use make_cells, with the same arguments",
        DeprecationWarning,
        stacklevel=2,
    )
    return make_cells(*args, **keywords)
