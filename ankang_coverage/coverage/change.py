"""What changes from one coverage to another, as a value."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import xarray as xr

from ankang_coverage.coverage.zonal.changes import changed_villages, difference, people_changed

if TYPE_CHECKING:
    from ankang_coverage.coverage.coverage import Coverage


@dataclass(frozen=True, eq=False, repr=False)
class Change:
    """What changes from one coverage to another of the same service and rule.

    Attributes
    ----------
    before, after : Coverage
        The coverages. Their cells may differ.

    Examples
    --------
    >>> change = coverage.difference(coverage.with_network(edited))  # doctest: +SKIP
    >>> change.people()["people_gained"].sum()  # doctest: +SKIP
    """

    before: "Coverage"
    after: "Coverage"

    def to_dataset(self) -> xr.Dataset:
        """Return what changes pixel by pixel; see `ankang_coverage.difference`.

        Returns
        -------
        xarray.Dataset
            Computed tile by tile when read.
        """
        return difference(self.before, self.after)

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return one variable of the Dataset, such as ``change``."""
        return self.to_dataset()[name]

    def people(self) -> pd.DataFrame:
        """Count the people of each village who gain and who lose coverage.

        Returns
        -------
        pandas.DataFrame
            As `ankang_coverage.people_changed`.
        """
        return people_changed(self.before, self.after, self.after.region)

    def villages(self) -> gpd.GeoDataFrame:
        """Return the villages whose class or people covered change.

        Returns
        -------
        geopandas.GeoDataFrame
            As `ankang_coverage.changed_villages`.
        """
        before, after = (one.summarise()["villages"] for one in (self.before, self.after))
        return changed_villages(before, after)

    def __repr__(self) -> str:
        added = self.after.cells.index.difference(self.before.cells.index)
        removed = self.before.cells.index.difference(self.after.cells.index)
        return (
            f"Change({self.after.service.id} of {self.after.region.name}; "
            f"{len(added):,} cells more, {len(removed):,} less)"
        )

    def _repr_html_(self) -> str:
        return f"<code>{escape(repr(self))}</code>"
