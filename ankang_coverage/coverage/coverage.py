"""Coverage: what a network's cells put on every pixel, and what can be done with it."""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from xarray.core import indexing

from ankang_coverage.coverage.change import Change
from ankang_coverage.coverage.execution.work import Work
from ankang_coverage.coverage.loss.ground import NO_TERRAIN
from ankang_coverage.coverage.loss.masts import COUNTED as COUNTED_OF_MASTS
from ankang_coverage.coverage.loss.path_loss import Propagation, looks_at_terrain
from ankang_coverage.coverage.predictor import Predictor
from ankang_coverage.coverage.signal.carriers import Carrier
from ankang_coverage.coverage.signal.cells import cells_of_network, sites_of_masts
from ankang_coverage.coverage.signal.service import VARIABLES, Rule, ServedTiles
from ankang_coverage.coverage.signal.tiles import TILE, Tile, TiledArray
from ankang_coverage.coverage.zonal.overlay import ClassLimits, summarise_region
from ankang_coverage.coverage.zonal.reasons import why_not
from ankang_coverage.coverage.zonal.universal_service import VillageRule, judge, universal_service
from ankang_coverage.errors import NetworkError, RasterError
from ankang_coverage.region import Region
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import Catalogue, Service

COUNTED = (*COUNTED_OF_MASTS, "n_off_terrain")
"""What a coverage counts of the pixels and sites that were not predicted as others."""


@dataclass(frozen=True, eq=False, repr=False)
class Coverage:
    """What a network's cells put on every pixel of a region: made by `predict`, never changed.

    Each figure is a DataArray on the region's grid, read from the store tile by tile when it is
    used. They are of the carrier that serves at the pixel: one that meets the rule before one
    that does not, then the stronger.

    Attributes
    ----------
    predictor : Predictor
        Region, path-loss model and work.
    network : Network
        The sites and cells that were given.
    cells : pandas.DataFrame
        The cells that count, as `cells_of_network` gives them; a server's number is its row.
    catalogue : Catalogue
        What the cells' radio layers and antennas are.
    rule : Rule
        When a place is covered, with the standard deviation of the error.
    carriers : tuple of Carrier
        What each carrier's masts send to each tile.
    counts : mapping
        ``n_clamped``, ``n_without_terrain`` and ``n_short_range`` (pixels, once per mast and
        carrier), ``n_off_terrain`` (sites that stand on unknown terrain and reach nothing).
    """

    predictor: Predictor
    network: Network
    cells: pd.DataFrame
    catalogue: Catalogue
    rule: Rule
    carriers: tuple[Carrier, ...]
    counts: Mapping[str, int]

    @classmethod
    def of(
        cls,
        predictor: Predictor,
        network: Network,
        cells: pd.DataFrame,
        catalogue: Catalogue,
        service: Service,
        *,
        n_asked: int,
    ) -> Self:
        """Predict cells; what the store holds already is not computed again.

        Parameters
        ----------
        predictor : Predictor
            Region, path-loss model and work.
        network : Network
            The sites and cells that were given.
        cells : pandas.DataFrame
            The cells that count, with the columns of `Cell`.
        catalogue : Catalogue
            What the cells' radio layers and antennas are.
        service : Service
            The rule that decides what is covered.
        n_asked : int
            How many of the cells are new; of these one at least must reach the region.

        Returns
        -------
        Coverage
            The coverage.

        Raises
        ------
        NetworkError
            If no site reaches the region.
        """
        masts, n_off_terrain = predictor.masts(cells, catalogue)
        carriers = predictor.carriers(masts)
        if n_asked and not any(carrier.tiles for carrier in carriers):
            raise NetworkError(
                f"none of {cells['site'].nunique()} sites reaches region {predictor.region.name}: "
                f"check their coordinates, the region's terrain and the radius"
            )
        predictor.compute_losses(sites_of_masts(masts, cells))
        predictor.compute_tiles(carriers)
        frequencies = [
            catalogue.radio_layer(id_).frequency_mhz for id_ in cells["radio_layer"].unique()
        ]
        sigma_db = service.sigma_db(predictor.propagation.error_sigma_db(frequencies))
        counts = dict.fromkeys(COUNTED_OF_MASTS, 0)
        for wanted in {mast.wanted for on_air in masts.values() for mast in on_air}:
            for name, count in predictor.counts(wanted).items():
                counts[name] += count
        return cls(
            predictor=predictor,
            network=network,
            cells=cells,
            catalogue=catalogue,
            rule=Rule(service, sigma_db),
            carriers=tuple(carriers),
            counts={**counts, "n_off_terrain": n_off_terrain},
        )

    @property
    def region(self) -> Region:
        """Where."""
        return self.predictor.region

    @property
    def propagation(self) -> Propagation:
        """Path-loss model and its settings."""
        return self.predictor.propagation

    @property
    def work(self) -> Work:
        """Where path losses are kept, who computes, who is shown progress."""
        return self.predictor.work

    @property
    def service(self) -> Service:
        """The service, with its rule."""
        return self.rule.service

    @property
    def geobox(self) -> GeoBox:
        """The pixel grid."""
        return self.region.geobox

    @property
    def terrain(self) -> str:
        """``dtm`` or ``dsm``; ``none`` where no terrain was looked at."""
        return self.predictor.ground.terrain if looks_at_terrain(self.propagation) else NO_TERRAIN

    @property
    def land_cover(self) -> str:
        """``classes`` or ``default class``; ``none`` where no terrain was looked at."""
        over_terrain = looks_at_terrain(self.propagation)
        return self.predictor.ground.land_cover if over_terrain else NO_TERRAIN

    # Figures on the grid --------------------------------------------------------------------------

    def to_dataset(self) -> xr.Dataset:
        """Return all figures as one Dataset.

        Returns
        -------
        xarray.Dataset
            (y, x) figures, the cells as coordinates along ``cell``, and attributes that say in
            words what it is of.
        """
        return self._figures

    @cached_property
    def _figures(self) -> xr.Dataset:
        service = self.service
        text = self.cells.select_dtypes(exclude="number").columns
        of_cells = {
            name: ("cell", self.cells[name].to_numpy(str if name in text else None))
            for name in self.cells
        }
        return xr.Dataset(
            {variable.name: self._variable(variable) for variable in VARIABLES},
            coords={
                **xr_coords(self.geobox),
                "cell": ("cell", self.cells.index.to_numpy(str)),
                **of_cells,
            },
            attrs={
                "service": service.id,
                "radio_layers": ", ".join(service.radio_layers),
                "rule": self.rule.in_words,
                "rsrp_threshold_dbm": service.rsrp_threshold_dbm,
                "error_sigma_db": self.rule.sigma_db,
                "model": self.propagation.path_loss_model.identity,
                "terrain": self.terrain,
                "land_cover": self.land_cover,
                **self.counts,
            },
        )

    def _variable(self, variable: Any) -> xr.Variable:
        tiles = sorted({tile for carrier in self.carriers for tile in carrier.tiles})

        def read(tile: Any) -> NDArray[Any]:
            return self._served.read(tile)[variable.name]

        shape = (self.geobox.shape[0], self.geobox.shape[1])
        array = TiledArray(shape, variable.dtype, variable.empty, tiles, read)
        return xr.Variable(
            ("y", "x"),
            indexing.LazilyIndexedArray(array),
            {
                "units": variable.units,
                "long_name": variable.long_name,
                "grid_mapping": "spatial_ref",
            },
            encoding={"preferred_chunks": {"y": TILE, "x": TILE}},
        )

    @cached_property
    def _served(self) -> ServedTiles:
        layer_of = self.cells.drop_duplicates("carrier").set_index("carrier")["radio_layer"]
        return ServedTiles(
            carriers=[
                (carrier, self.catalogue.radio_layer(layer_of[carrier.name]))
                for carrier in self.carriers
            ],
            rule=self.rule,
            re_power_dbm=np.append(self.cells["re_power_dbm"], np.nan).astype(np.float32),
            load=np.append(self.cells["load"], np.nan).astype(np.float32),
        )

    @property
    def rsrp_dbm(self) -> xr.DataArray:
        """(y, x) RSRP of the best server [dBm]; NaN where no cell reaches."""
        return self._figures["rsrp_dbm"]

    @property
    def best_server(self) -> xr.DataArray:
        """(y, x) row of the serving cell in `cells`, the lower on a tie; −1 where none."""
        return self._figures["best_server"]

    @property
    def second_rsrp_dbm(self) -> xr.DataArray:
        """(y, x) RSRP of the second server [dBm]."""
        return self._figures["second_rsrp_dbm"]

    @property
    def second_server(self) -> xr.DataArray:
        """(y, x) row of the second server in `cells`; −1 where none."""
        return self._figures["second_server"]

    @property
    def n_within_6_db(self) -> xr.DataArray:
        """(y, x) cells of the carrier within 6 dB of the best, itself included."""
        return self._figures["n_within_6_db"]

    @property
    def sinr_db(self) -> xr.DataArray:
        """(y, x) SINR [dB]."""
        return self._figures["sinr_db"]

    @property
    def rsrq_db(self) -> xr.DataArray:
        """(y, x) RSRQ [dB]."""
        return self._figures["rsrq_db"]

    @property
    def downlink_mbps(self) -> xr.DataArray:
        """(y, x) throughput of the downlink [Mbit/s]."""
        return self._figures["downlink_mbps"]

    @property
    def uplink_mbps(self) -> xr.DataArray:
        """(y, x) throughput of the uplink [Mbit/s]."""
        return self._figures["uplink_mbps"]

    @property
    def uplink_margin_db(self) -> xr.DataArray:
        """(y, x) what the uplink has to spare [dB]."""
        return self._figures["uplink_margin_db"]

    @property
    def coverage_probability(self) -> xr.DataArray:
        """(y, x) probability of enough RSRP [0–1]."""
        return self._figures["coverage_probability"]

    @property
    def obstacle_distance_m(self) -> xr.DataArray:
        """(y, x) distance from the mast of what blocks the path [m]; 0 in sight."""
        return self._figures["obstacle_distance_m"]

    @property
    def covered(self) -> xr.DataArray:
        """(y, x) whether the service's rule is met."""
        return self._figures["covered"]

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return one figure by name.

        Parameters
        ----------
        name : str
            Name of the figure, such as ``rsrp_dbm``.

        Returns
        -------
        xarray.DataArray
            (y, x) values.
        """
        return self._figures[name]

    @property
    def attrs(self) -> dict[str, Any]:
        """Attributes of the Dataset, as version 0.1 had them; use the properties instead."""
        warnings.warn(
            "Coverage.attrs will go in version 0.3: use the properties, such as coverage.service",
            DeprecationWarning,
            stacklevel=2,
        )
        return dict(self._figures.attrs)

    # Verbs ----------------------------------------------------------------------------------------

    def summarise(
        self,
        *,
        limits: ClassLimits | None = None,
        complete: bool = False,
        downlink_mbps: float | None = None,
        uplink_mbps: float | None = None,
    ) -> dict[str, gpd.GeoDataFrame]:
        """Return the figures of villages, townships and counties; see `summarise_region`.

        Parameters
        ----------
        limits : ClassLimits, optional
            As for `summarise_region`.
        complete : bool
            As for `summarise_region`.
        downlink_mbps, uplink_mbps : float, optional
            As for `summarise_region` [Mbit/s].

        Returns
        -------
        dict
            ``villages``, ``townships`` and ``counties``.
        """
        return summarise_region(
            self,
            self.region,
            limits=limits,
            complete=complete,
            downlink_mbps=downlink_mbps,
            uplink_mbps=uplink_mbps,
        )

    def why_not(self) -> xr.DataArray:
        """Return why each pixel is not covered; see `ankang_coverage.why_not`.

        Returns
        -------
        xarray.DataArray
            (y, x) codes of the reasons.
        """
        return why_not(self, self.region)

    def judge(self, rule: VillageRule | None = None) -> pd.DataFrame:
        """Judge every administrative village, by the universal-service rule when none is given.

        Parameters
        ----------
        rule : VillageRule, optional
            The rule.

        Returns
        -------
        pandas.DataFrame
            By village: ``fulfilled``, ``reason`` and figures.
        """
        return judge(rule or universal_service(), self.region, self, self.network)

    def check_universal_service(self, rule: VillageRule | None = None) -> pd.DataFrame:
        """Say of every administrative village whether it has the service that everybody is owed.

        Parameters
        ----------
        rule : VillageRule, optional
            `universal_service()` when omitted.

        Returns
        -------
        pandas.DataFrame
            By village: ``fulfilled``, ``reason`` and figures.
        """
        return self.judge(rule)

    def difference(self, after: "Coverage") -> Change:
        """Return what changes from this coverage to another.

        Parameters
        ----------
        after : Coverage
            Of the same service and rule on the same grid.

        Returns
        -------
        Change
            By pixel, people and village; `ankang_coverage.explore` draws it.
        """
        return Change(self, after)

    def add(self, network: Network) -> "Coverage":
        """Return this coverage with a network's cells added to those it has.

        Parameters
        ----------
        network : Network
            What is added; only cells of the service's radio layers count.

        Returns
        -------
        Coverage
            Equal to the prediction of both networks together; only the tiles that the added cells
            reach are computed.

        Raises
        ------
        NetworkError
            If a cell is in the coverage already, or no site reaches the region.
        """
        added = cells_of_network(network, self.service.radio_layers, self.geobox)
        twice = added.index.intersection(self.cells.index)
        if len(twice):
            raise NetworkError(f"cell {twice[0]!r} is in this coverage already")
        known = _with_used(self.network.catalogue, network.catalogue, network.cells)
        both = replace(self.network, catalogue=known).plus(network)
        return type(self).of(
            self.predictor,
            both,
            pd.concat([self.cells, added]),
            _with_used(self.catalogue, network.catalogue, added),
            self.service,
            n_asked=len(added),
        )

    def with_network(self, network: Network) -> "Coverage":
        """Return the coverage of another network, by the same rule, model and work.

        Parameters
        ----------
        network : Network
            What is built; only the tiles on which it differs are computed.

        Returns
        -------
        Coverage
            Equal to a prediction of the network.
        """
        cells = cells_of_network(network, self.service.radio_layers, self.geobox)
        return type(self).of(
            self.predictor, network, cells, network.catalogue, self.service, n_asked=len(cells)
        )

    def changed_windows(self, after: "Coverage") -> list[tuple[slice, slice]]:
        """Return the tiles on which another coverage may differ from this one.

        Parameters
        ----------
        after : Coverage
            A coverage on the same grid.

        Returns
        -------
        list of tuple
            Rows and columns of each tile that has other signals, or is judged by another rule.

        Raises
        ------
        RasterError
            If the coverages are not on one grid.
        """
        shape, other = tuple(self.geobox.shape), tuple(after.geobox.shape)
        if shape != other:
            raise RasterError(
                f"the coverages have {shape[0]} × {shape[1]} and {other[0]} × {other[1]} pixels: "
                f"predict both on one grid"
            )
        differs = self._tile_keys != after._tile_keys
        return [Tile(int(row), int(column)).window(shape) for row, column in np.argwhere(differs)]

    @cached_property
    def _tile_keys(self) -> NDArray[np.str_]:
        """A digest of the signals on each tile and of its rule; blank where no mast reaches."""
        keys = np.full([-(-length // TILE) for length in self.geobox.shape], "", "U16")
        rule = self.service.model_dump_json() + repr(self.rule.sigma_db)
        carriers = self._served.carriers
        for tile in {tile for carrier in self.carriers for tile in carrier.tiles}:
            signals = [
                (carrier.name, layer, carrier.tiles[tile].key)
                for carrier, layer in carriers
                if tile in carrier.tiles
            ]
            digest = hashlib.blake2b(f"{rule}{signals}".encode(), digest_size=8)
            keys[tile.row, tile.column] = digest.hexdigest()
        return keys

    # How it is shown ------------------------------------------------------------------------------

    def __repr__(self) -> str:
        rows, columns = self.geobox.shape
        return (
            f"Coverage({self.service.id} of {self.cells['site'].nunique():,} sites, "
            f"{len(self.cells):,} cells; {self.region.name}, {rows} × {columns} pixels of "
            f"{self.geobox.resolution.x:g} m; {self.propagation.path_loss_model.identity})"
        )

    def _repr_html_(self) -> str:
        return f"<code>{escape(repr(self))}</code>"


def _with_used(known: Catalogue, other: Catalogue, cells: pd.DataFrame) -> Catalogue:
    """Return a catalogue with what cells use of another beside it; its own entries stay."""
    return known.with_entries(
        *(other.antenna(id_) for id_ in cells["antenna"].unique() if id_ not in known.antennas),
        *(
            other.radio_layer(id_)
            for id_ in cells["radio_layer"].unique()
            if id_ not in known.radio_layers
        ),
    )
