"""The part of a coverage that figures by village use."""

from typing import Protocol

import xarray as xr

from ankang_coverage.coverage.signal.service import Rule


class Predicted(Protocol):
    """A coverage, as far as figures by village need it."""

    @property
    def rule(self) -> Rule:
        """When a place is covered."""
        ...

    @property
    def terrain(self) -> str:
        """``dtm`` or ``dsm``; ``none`` where no terrain was looked at."""
        ...

    def to_dataset(self) -> xr.Dataset:
        """Return the figures on the grid, with the cells along ``cell``.

        Returns
        -------
        xarray.Dataset
            (y, x) figures.
        """
        ...
