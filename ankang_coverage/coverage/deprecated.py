"""Names of version 0.1 that are something else now; they go in version 0.3."""

import warnings

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.coverage.coverage import Coverage
from ankang_coverage.region import Region
from ankang_coverage.sites import Network


def add_network(region: Region, coverage: Coverage, network: Network, **_: object) -> Coverage:
    """Return ``coverage.add(network)``.

    Parameters
    ----------
    region : Region
        Not used: the coverage knows its region.
    coverage : Coverage
        What stands.
    network : Network
        What is added.

    Returns
    -------
    Coverage
        Both together.
    """
    del region
    _warn("add_network(region, coverage, network)", "coverage.add(network)")
    return coverage.add(network)


def is_covered(coverage: Coverage) -> NDArray[np.bool_]:
    """Return ``coverage.covered.to_numpy()``.

    Parameters
    ----------
    coverage : Coverage
        The coverage.

    Returns
    -------
    numpy.ndarray
        (y, x) whether the rule is met.
    """
    _warn("is_covered(coverage)", "coverage.covered")
    return np.asarray(coverage.covered.to_numpy(), np.bool_)


def changed_windows(before: Coverage, after: Coverage) -> list[tuple[slice, slice]]:
    """Return ``before.changed_windows(after)``.

    Parameters
    ----------
    before, after : Coverage
        Coverages on one grid.

    Returns
    -------
    list of tuple
        Rows and columns of each tile that may differ.
    """
    _warn("changed_windows(before, after)", "before.changed_windows(after)")
    return before.changed_windows(after)


def _warn(old: str, new: str) -> None:
    warnings.warn(f"{old} will go in version 0.3: use {new}", DeprecationWarning, stacklevel=3)
