"""Network: towers and their cells as tables, and the rows that could not be used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import geopandas as gpd
import pandas as pd

from ankang_coverage.errors import NetworkError
from ankang_coverage.region import Source
from ankang_coverage.shown import Shown
from ankang_coverage.sites.attributes import attributes
from ankang_coverage.sites.catalogue import OPERATORS, Catalogue, builtin_catalogue

SITE_STATUS = ("existing", "planned", "candidate")
SITE_KIND = ("macro", "micro", "indoor")
SITE_COLUMNS = ("name", "status", "kind", "source")
CELL_COLUMNS = (
    "site",
    "radio_layer",
    "antenna",
    "height_m",
    "azimuth_deg",
    "mechanical_tilt_deg",
    "electrical_tilt_deg",
    "re_power_dbm",
    "load",
    "operator",
)
NUMBERS = (
    "height_m",
    "azimuth_deg",
    "mechanical_tilt_deg",
    "electrical_tilt_deg",
    "re_power_dbm",
    "load",
)
"""Columns of cells that hold numbers within the limits of ``attributes.csv``."""


@dataclass(frozen=True, repr=False)
class Network(Shown):
    """Sites and their cells.

    Attributes
    ----------
    sites
        One row per site, indexed by site id (str): ``name``, ``status`` (existing, planned or
        candidate), ``kind`` (macro, micro or indoor), ``source`` (``synthetic`` where made up),
        point geometry in a projected CRS.
    cells
        One row per cell, indexed by cell id (str): ``site`` (site id), ``radio_layer`` and
        ``antenna`` (catalogue ids), ``height_m`` above ground, ``azimuth_deg`` clockwise from
        north, ``mechanical_tilt_deg`` and ``electrical_tilt_deg`` (down positive),
        ``re_power_dbm`` per resource element and port, at the transmitter's output, ``load``
        (average share of the downlink's resource elements in use, 0–1), ``operator`` (mobile,
        unicom, telecom or cbn; blank where not known, and then open to everyone).
    rejected
        Rows of the input that were not used: ``row`` (1-based, as a spreadsheet counts),
        ``column``, ``value``, ``reason``.
    sources
        Where the tables come from.
    catalogue
        What the ids of radio layers and antennas mean; the built-in catalogue by default.
    unread
        Headers of the table that it was read from that were not used: they say nothing this
        library knows, or what another column says already.

    Raises
    ------
    NetworkError
        If a column is missing, an id occurs twice or is not known, or a number is none or
        outside the limits of ``attributes.csv``.
    """

    sites: gpd.GeoDataFrame
    cells: pd.DataFrame
    rejected: pd.DataFrame
    sources: tuple[Source, ...] = field(default=())
    catalogue: Catalogue = field(default_factory=builtin_catalogue, repr=False)
    unread: tuple[str, ...] = field(default=())

    def _figures(self) -> dict[str, object]:
        return {
            "sites": f"{len(self.sites):,}",
            "cells": f"{len(self.cells):,}",
            "radio layers": ", ".join(sorted(set(self.cells["radio_layer"]))),
            "rows rejected": f"{len(self.rejected):,}",
        }

    def __post_init__(self) -> None:
        _require_columns("sites", self.sites, SITE_COLUMNS)
        _require_columns("cells", self.cells, CELL_COLUMNS)
        _require_unique("site", self.sites)
        _require_unique("cell", self.cells)
        _require_known("site", self.cells["site"], self.sites.index)
        _require_known("radio layer", self.cells["radio_layer"], self.catalogue.radio_layers)
        _require_known("antenna", self.cells["antenna"], self.catalogue.antennas)
        _require_known("operator", self.cells["operator"], (*OPERATORS, ""))
        for column in NUMBERS:
            _require_within(column, self.cells[column])
        _require_known("status", self.sites["status"], SITE_STATUS)
        _require_known("kind", self.sites["kind"], SITE_KIND)

    def with_radio_layers(self, layers: Sequence[str]) -> "Network":
        """Return the cells of the given radio layers and the sites that carry them."""
        return self.with_cells(self.cells["radio_layer"].isin(list(layers)))

    def with_sites(self, site_ids: Sequence[str]) -> "Network":
        """Return the given sites and their cells, in the order of this network.

        Raises
        ------
        NetworkError
            If there is no such site.
        """
        _require_known("site", pd.Series(list(site_ids), dtype=object), self.sites.index)
        return self.with_cells(self.cells["site"].isin(list(site_ids)))

    def with_cells(self, wanted: "pd.Series[bool]") -> "Network":
        """Return the cells that are wanted, a mask over the table, and the sites they stand on."""
        cells = self.cells[wanted]
        sites = self.sites[self.sites.index.isin(cells["site"].unique())]
        return replace(self, sites=sites, cells=cells)

    def plus(self, other: "Network") -> "Network":
        """Return this network with `other`'s cells; a site in both keeps this one's row.

        The radio layers and antennas of `other` must be in the catalogue of this network.
        """
        added = other.sites[~other.sites.index.isin(self.sites.index)]
        if len(added) and added.crs != self.sites.crs:
            added = added.to_crs(self.sites.crs)
        sites = pd.concat([self.sites, added])
        return Network(
            sites=gpd.GeoDataFrame(sites, geometry="geometry", crs=self.sites.crs),
            cells=pd.concat([self.cells, other.cells]),
            rejected=pd.concat([self.rejected, other.rejected], ignore_index=True),
            sources=(*self.sources, *(s for s in other.sources if s not in self.sources)),
            catalogue=self.catalogue,
            unread=self.unread,
        )


def no_rejections() -> pd.DataFrame:
    """Return the empty table of rejected rows."""
    return pd.DataFrame({"row": [], "column": [], "value": [], "reason": []}).astype(
        {"row": "int64", "column": "str", "value": "str", "reason": "str"}
    )


def _require_columns(table: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in frame]
    if missing:
        raise NetworkError(f"table of {table} lacks column {missing[0]!r}; it has {list(frame)}")


def _require_unique(thing: str, frame: pd.DataFrame) -> None:
    duplicates = frame.index[frame.index.duplicated()]
    if len(duplicates):
        raise NetworkError(f"{thing} id {duplicates[0]!r} occurs twice; ids must be unique")


def _require_known(thing: str, values: pd.Series, known: Iterable[str]) -> None:
    unknown = values[~values.isin(list(known))]
    if len(unknown):
        shown = ", ".join(map(str, list(known)[:10]))
        raise NetworkError(
            f"row {unknown.index[0]!r} names {thing} {unknown.iloc[0]!r}; known are: {shown}"
        )


def _require_within(column: str, values: pd.Series) -> None:
    about = attributes()[column]
    assert about.minimum is not None
    assert about.maximum is not None
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = values[~numbers.between(about.minimum, about.maximum)]
    if len(wrong):
        unit = f" {about.unit}" if about.unit else ""
        raise NetworkError(
            f"row {wrong.index[0]!r} has {column} {wrong.iloc[0]}; give a number from "
            f"{about.minimum:g} to {about.maximum:g}{unit}"
        )
