"""Rows of the user's files that could not be used, as CSV."""

from functools import partial
from pathlib import Path

from ankang_coverage.planning import Plan
from ankang_coverage.reporting.csv_files import write_csv
from ankang_coverage.reporting.outputs.base import Output, Writer


class RejectedRows(Output):
    """Rows and features that could not be used, each with its reason."""

    files = "`rejected_sites.csv`, `rejected_villages.csv`"
    description = "rows of the site table and features of the villages that were not used, and why"

    def writers(self, plan: Plan, lang: str) -> dict[str, Writer]:  # noqa: ARG002
        """Return the writer of each table that has rows; see `Output.writers`."""
        tables = {
            "rejected_sites.csv": plan.network.rejected,
            "rejected_villages.csv": plan.region.rejected,
        }
        return {name: partial(write_csv, table) for name, table in tables.items() if len(table)}

    def obsolete(self, folder: Path) -> tuple[str, ...]:  # noqa: ARG002
        """Return both files, because a plan without rejected rows writes neither.

        Parameters
        ----------
        folder : Path
            The folder.

        Returns
        -------
        tuple of str
            Names of files.
        """
        return "rejected_sites.csv", "rejected_villages.csv"
