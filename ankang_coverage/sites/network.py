"""Network: towers and their cells as tables, and the rows that could not be used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from ankang_coverage.errors import NetworkError
from ankang_coverage.inputs import listed, require_type
from ankang_coverage.region import Source
from ankang_coverage.shown import Shown
from ankang_coverage.sites.attributes import Attribute, TableName
from ankang_coverage.sites.catalogue import OPERATORS, Catalogue, builtin_catalogue
from ankang_coverage.sites.schema import Schema, builtin_schema

TABLES: tuple[Literal["sites", "cells"], ...] = ("sites", "cells")


@dataclass(frozen=True, repr=False)
class Network(Shown):
    """Sites and their cells.

    The columns of both tables are those of the schema. A table may have more: they are kept, and
    come out again where sites are written.

    Attributes
    ----------
    sites : geopandas.GeoDataFrame
        One row per site, indexed by site id (str): ``name``, ``status`` (existing, planned or
        candidate), ``kind`` (macro, micro or indoor), ``source`` (``synthetic`` where made up),
        points in a projected CRS.
    cells : pandas.DataFrame
        One row per cell, indexed by cell id (str): ``site`` (site id), ``radio_layer`` and
        ``antenna`` (catalogue ids), ``height_m`` above ground, ``azimuth_deg`` clockwise from
        north, ``mechanical_tilt_deg`` and ``electrical_tilt_deg`` (down positive),
        ``re_power_dbm`` per resource element and port, at the transmitter's output, ``load``
        (average share of the downlink's resource elements in use, 0–1), ``operator`` (mobile,
        unicom, telecom or cbn; blank where not known, and then open to everyone).
    rejected : pandas.DataFrame
        Rows of the input that were not used: ``row`` (1-based, as a spreadsheet counts),
        ``column``, ``value``, ``reason``.
    sources : tuple of Source
        Where the tables come from.
    catalogue : Catalogue
        What the ids of radio layers and antennas mean; the built-in catalogue by default.
    unread : tuple of str
        Headers of the table that it was read from that no attribute names, or that another column
        gives already. Their columns are kept, and nothing is computed from them.
    schema : Schema
        What columns there are; the built-in schema by default.

    Raises
    ------
    NetworkError
        If a column is missing, an id occurs twice or is not known, a number is missing or outside
        the limits of the schema, or a site has no point.
    ArgumentTypeError
        If an argument is of another type.
    """

    sites: gpd.GeoDataFrame
    cells: pd.DataFrame
    rejected: pd.DataFrame
    sources: tuple[Source, ...] = field(default=())
    catalogue: Catalogue = field(default_factory=builtin_catalogue, repr=False)
    unread: tuple[str, ...] = field(default=())
    schema: Schema = field(default_factory=builtin_schema, repr=False)

    def _figures(self) -> dict[str, object]:
        return {
            "sites": f"{len(self.sites):,}",
            "cells": f"{len(self.cells):,}",
            "radio layers": ", ".join(sorted(set(self.cells["radio_layer"]))),
            "rows rejected": f"{len(self.rejected):,}",
        }

    def __post_init__(self) -> None:
        order = "Network(sites, cells, rejected)"
        require_type(self.sites, gpd.GeoDataFrame, "sites", order)
        require_type(self.cells, pd.DataFrame, "cells", order)
        require_type(self.rejected, pd.DataFrame, "rejected", f"{order}, such as no_rejections()")
        require_type(self.catalogue, Catalogue, "catalogue", "builtin_catalogue() is one")
        require_type(self.schema, Schema, "schema", "builtin_schema() is one")
        for table in TABLES:
            _require_columns(table, getattr(self, table), self.schema)
        _require_unique("site", self.sites)
        _require_unique("cell", self.cells)
        _require_points(self.sites)
        _require_known("site", self.cells["site"], self.sites.index)
        _require_known("radio layer", self.cells["radio_layer"], self.catalogue.radio_layers)
        _require_known("antenna", self.cells["antenna"], self.catalogue.antennas)
        kinds = self.sites["kind"]
        for table, of_rows in (("sites", kinds), ("cells", self.cells["site"].map(kinds))):
            completed = self.schema.completed(table, getattr(self, table), of_rows)
            object.__setattr__(self, table, completed)
            for about in self.schema.columns(table):
                if about.name in completed:
                    _require_allowed(about, completed[about.name])

    def extra_columns(self, table: Literal["sites", "cells"]) -> list[str]:
        """Return the columns of a table that are not built in: a user's own.

        Parameters
        ----------
        table : str
            ``sites`` or ``cells``.

        Returns
        -------
        list of str
        """
        known = {about.name for about in builtin_schema().columns(table)} | {"geometry"}
        return [column for column in getattr(self, table) if column not in known]

    def with_radio_layers(self, layers: str | Sequence[str]) -> "Network":
        """Return the cells of the given radio layers and the sites that carry them.

        Parameters
        ----------
        layers : str or sequence of str
            Ids of radio layers.

        Returns
        -------
        Network
        """
        return self.with_cells(self.cells["radio_layer"].isin(_listed(layers)))

    def with_sites(self, site_ids: str | Sequence[str]) -> "Network":
        """Return the given sites and their cells, in the order of this network.

        Parameters
        ----------
        site_ids : str or sequence of str
            Ids of sites.

        Returns
        -------
        Network

        Raises
        ------
        NetworkError
            If there is no such site.
        """
        wanted = _listed(site_ids)
        _require_known("site", pd.Series(wanted, dtype=object), self.sites.index)
        return self.with_cells(self.cells["site"].isin(wanted))

    def with_operators(self, operators: str | Sequence[str]) -> "Network":
        """Return the cells that subscribers of operators can use, and the sites they stand on.

        Parameters
        ----------
        operators : str or sequence of str
            ``mobile``, ``unicom``, ``telecom`` or ``cbn``, or several of them.

        Returns
        -------
        Network
            Their own cells, those of radio layers that the catalogue says they share, and those
            whose operator is not known.

        Raises
        ------
        NetworkError
            If an operator is none of the four.
        """
        wanted = set(_listed(operators))
        if unknown := wanted - set(OPERATORS):
            raise NetworkError(
                f"there is no operator {min(unknown)!r}; known are {', '.join(OPERATORS)}"
            )
        usable = [not who or not wanted.isdisjoint(who) for who in self.owners()]
        return self.with_cells(pd.Series(usable, index=self.cells.index, dtype=bool))

    def owners(self) -> pd.Series:
        """Return the operators that run each cell as one network.

        Returns
        -------
        pandas.Series
            By cell, a tuple of operators; an empty one where they are not known.
        """
        pairs = self.cells[["radio_layer", "operator"]]
        known = {
            (layer, operator): self.catalogue.partners(layer, operator) if operator else ()
            for layer, operator in pairs.drop_duplicates().itertuples(index=False)
        }
        owners = [known[pair] for pair in pairs.itertuples(index=False, name=None)]
        return pd.Series(owners, index=pairs.index, dtype=object)

    def with_cells(self, wanted: "pd.Series[bool]") -> "Network":
        """Return the cells that are wanted and the sites they stand on.

        Parameters
        ----------
        wanted : pandas.Series
            A mask over the table of cells.

        Returns
        -------
        Network
        """
        cells = self.cells[wanted]
        sites = self.sites[self.sites.index.isin(cells["site"].unique())]
        return replace(self, sites=sites, cells=cells)

    def plus(self, other: "Network") -> "Network":
        """Return this network with the cells of another.

        Parameters
        ----------
        other : Network
            Its radio layers and antennas must be in the catalogue of this network. Of a site in
            both, this network's row is kept.

        Returns
        -------
        Network
            A column that only one of the two has is blank in the rows of the other.
        """
        require_type(other, Network, "other", "network.plus(other)")
        other = replace(other, schema=self.schema, catalogue=self.catalogue)
        added = other.sites[~other.sites.index.isin(self.sites.index)]
        if len(added) and added.crs != self.sites.crs:
            added = added.to_crs(self.sites.crs)
        sites = pd.concat([self.sites, added])
        return replace(
            self,
            sites=gpd.GeoDataFrame(sites, geometry="geometry", crs=self.sites.crs),
            cells=pd.concat([self.cells, other.cells]),
            rejected=pd.concat([self.rejected, other.rejected], ignore_index=True),
            sources=(*self.sources, *(s for s in other.sources if s not in self.sources)),
        )


def no_rejections() -> pd.DataFrame:
    """Return the empty table of rejected rows.

    Returns
    -------
    pandas.DataFrame
        With the columns of ``Network.rejected``.
    """
    return pd.DataFrame({"row": [], "column": [], "value": [], "reason": []}).astype(
        {"row": "int64", "column": "str", "value": "str", "reason": "str"}
    )


def _listed(ids: str | Sequence[str]) -> list[str]:
    return [ids] if isinstance(ids, str) else list(ids)


def _require_columns(table: TableName, frame: pd.DataFrame, schema: Schema) -> None:
    for about in schema.columns(table):
        if about.needed and about.name not in frame:
            raise NetworkError(
                f"table of {table} lacks column {about.name!r}; it has {listed(frame)}"
            )
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise NetworkError(f"table of {table} has column {twice!r} twice: rename one of them")


def _require_unique(thing: str, frame: pd.DataFrame) -> None:
    duplicates = frame.index[frame.index.duplicated()]
    if len(duplicates):
        raise NetworkError(f"{thing} id {duplicates[0]!r} occurs twice; ids must be unique")


def _require_points(sites: gpd.GeoDataFrame) -> None:
    if sites.active_geometry_name != "geometry":
        raise NetworkError(
            f"table of sites has no points in a column geometry: call sites.set_geometry or "
            f"sites.rename_geometry('geometry'); it has {listed(sites)}"
        )
    if sites.crs is None:
        raise NetworkError("table of sites has no CRS: name it with sites.set_crs")
    wrong = sites.index[(sites.geom_type != "Point") | sites.is_empty]
    if len(wrong):
        raise NetworkError(f"site {wrong[0]!r} has no point: give each site one")


def _require_known(thing: str, values: pd.Series, known: Iterable[str]) -> None:
    unknown = values[~values.isin(list(known))]
    if len(unknown):
        shown = ", ".join(map(str, list(known)[:10]))
        raise NetworkError(
            f"row {unknown.index[0]!r} names {thing} {unknown.iloc[0]!r}; known are: {shown}"
        )


def _require_allowed(about: Attribute, values: pd.Series) -> None:
    """Refuse values outside the attribute's; only columns that are not needed may have blanks."""
    if not about.needed and not about.changes_signal:
        values = values.dropna()
    if about.type == "word":
        known = [*about.words] if about.default else [*about.words, ""]
        _require_known(about.name, values, known)
    elif about.is_number:
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        wrong = values[~about.allows(numbers)]
        if len(wrong):
            limits = f" from {about.limits}" if about.limits else ""
            raise NetworkError(
                f"row {wrong.index[0]!r} has {about.name} {wrong.iloc[0]}; give a number{limits}"
            )
