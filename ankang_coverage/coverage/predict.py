"""RSRP and best server of a network on a region's grid."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from ankang_coverage.coverage.ground import NO_TERRAIN, Ground
from ankang_coverage.coverage.path_loss import (
    Mast,
    MastLoss,
    Propagation,
    looks_at_terrain,
    mast_losses,
    require_terrain,
    stands_on_known_ground,
)
from ankang_coverage.errors import NetworkError
from ankang_coverage.propagation.antenna import sector_gain
from ankang_coverage.region import Region
from ankang_coverage.region.land_cover import LandCoverTable
from ankang_coverage.region.rasters import require_same_crs
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import Service, antenna, radio_layer, service

NO_SERVER = -1
"""``best_server`` of a pixel that no cell reaches."""

COUNTS = ("n_clamped", "n_without_terrain", "n_short_range", "n_off_terrain")
"""What a coverage Dataset counts of the pixels and sites that were not predicted as others."""

Progress = Callable[[Sequence[str], str], Iterator[str]]
"""Wraps the ids that a stage goes through, given what it does, to show how far it is."""


@dataclass(frozen=True)
class SiteSignal:
    """The strongest signal of one site round its mast.

    Attributes
    ----------
    rows, columns
        The window of the grid that the arrays fill.
    rsrp_dbm
        (rows, columns) float32 strongest RSRP of the site's cells [dBm]; NaN beyond the radius.
    cell
        (rows, columns) int32 position of that cell in the table of cells.
    n_clamped
        Pixels, counted once per mast and carrier, outside the model's range of distance.
    n_without_terrain
        Pixels, counted once per mast and carrier, whose path crosses unknown terrain.
    n_short_range
        Pixels, counted likewise, nearer than a model over terrain reaches by itself.
    n_off_terrain
        1 where the mast itself stands on unknown terrain and reaches nothing, else 0.
    """

    rows: slice
    columns: slice
    rsrp_dbm: NDArray[np.float32]
    cell: NDArray[np.int32]
    n_clamped: int = 0
    n_without_terrain: int = 0
    n_short_range: int = 0
    n_off_terrain: int = 0


def predict(
    region: Region,
    network: Network,
    of: str | Service = "4g",
    *,
    propagation: Propagation | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Predict RSRP and best server of a service or radio layer.

    Parameters
    ----------
    region
        Where: its grid is predicted.
    network
        What is built; candidates count as built, so leave them out to predict without them.
        Indoor sites serve their building only and are left out.
    of
        A service (``4g``, ``5g``, or a Service with another rule) or one radio layer
        (``lte-b8``), judged by the rule of the service it belongs to.
    propagation
        Path-loss model and its settings.
    executor
        Where masts are computed: any ``concurrent.futures.Executor`` of threads; two threads by
        default. The result does not depend on it.
    progress
        Wraps the site ids to show how far the prediction is.

    Returns
    -------
    xarray.Dataset
        (y, x) on the region's grid: ``rsrp_dbm`` float32 [dBm], NaN where no cell reaches;
        ``best_server`` int32, position in the coordinate ``cell`` (with ``site`` beside it), the
        lower on a tie, −1 where none. Attributes: ``service``, ``rsrp_threshold_dbm``, ``model``,
        ``terrain`` (``dtm`` or ``dsm``; ``none``: no terrain was looked at), ``land_cover``
        (``classes``, ``default class`` or ``none``), and the counts ``n_clamped``,
        ``n_without_terrain`` and ``n_short_range`` (pixels, once per mast and carrier) and
        ``n_off_terrain`` (sites that stand on unknown terrain and reach nothing).

    Raises
    ------
    CatalogueError
        If `of` is neither a service nor a radio layer.
    OutOfRangeError
        If a carrier's frequency is outside the model's range.
    RasterError
        If the model needs terrain and the region has none.
    """
    rule = as_service(of)
    settings = propagation or Propagation()
    empty = _empty(region, rule, settings)
    return add_network(region, empty, network, executor=executor, progress=progress)


def add_network(
    region: Region,
    coverage: xr.Dataset,
    network: Network,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a coverage with a network's cells added to those it already has.

    The result equals the prediction of both networks together, by the same model.

    Parameters
    ----------
    region
        The region that was predicted.
    coverage
        A Dataset of `predict`.
    network
        What is added; only cells of the service's radio layers count.
    executor, progress
        As for `predict`.

    Raises
    ------
    NetworkError
        If a cell is in the coverage already, or no site reaches the region.
    """
    settings = propagation_of(coverage)
    ground = ground_of(region, settings)
    added = _relevant(network, coverage.attrs["radio_layers"], ground.geobox)
    known = pd.Index(coverage["cell"].to_numpy())
    twice = added.cells.index.intersection(known)
    if len(twice):
        raise NetworkError(f"cell {twice[0]!r} is in this coverage already")
    best = coverage["rsrp_dbm"].to_numpy().copy()
    server = coverage["best_server"].to_numpy().copy()
    counts = {name: int(coverage.attrs[name]) for name in COUNTS}
    reached = not len(added.sites)
    for signal in site_signals(
        ground, added, propagation=settings, executor=executor, progress=progress
    ):
        _keep_stronger(best, server, signal, first_cell=len(known))
        for name in COUNTS:
            counts[name] += getattr(signal, name)
        reached |= bool(np.isfinite(signal.rsrp_dbm).any())
    if not reached:
        raise NetworkError(
            f"none of {len(added.sites)} sites reaches region {region.name}: check their "
            f"coordinates, the region's terrain and the radius"
        )
    cells = known.append(added.cells.index)
    sites = np.concatenate([coverage["site"].to_numpy(), added.cells["site"].to_numpy(str)])
    return _dataset(ground.geobox, best, server, cells, sites, {**coverage.attrs, **counts})


def is_covered(coverage: xr.Dataset) -> NDArray[np.bool_]:
    """Return where a coverage meets its service's rule, (y, x)."""
    return coverage["rsrp_dbm"].to_numpy() >= np.float32(coverage.attrs["rsrp_threshold_dbm"])


def propagation_of(coverage: xr.Dataset) -> Propagation:
    """Return the path-loss settings that a coverage was predicted with."""
    return Propagation.model_validate_json(coverage.attrs["propagation"])


def as_service(of: str | Service) -> Service:
    """Return the service of an id, or the one-layer service of a radio layer's id."""
    if isinstance(of, Service):
        return of
    if "-" in of:
        layer = radio_layer(of)
        whole = service("4g" if layer.technology == "lte" else "5g")
        return whole.model_copy(update={"id": of, "radio_layers": (of,)})
    return service(of)


def site_signals(
    ground: Ground,
    network: Network,
    *,
    propagation: Propagation,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[SiteSignal]:
    """Yield each site's strongest signal, in the order of the network's sites.

    Parameters
    ----------
    ground
        The grid, its terrain and land cover.
    network
        Sites and cells; every cell is used.
    propagation, executor, progress
        As for `predict`.
    """
    equipped = _equipped(network)

    def one(site: str) -> SiteSignal:
        return _site_signal(ground, equipped[site], propagation)

    sites = [site for site in network.sites.index if site in equipped]
    shown = iter(sites) if progress is None else progress(sites, "predict")
    if executor is not None:
        yield from _in_order(executor, one, shown)
        return
    with ThreadPoolExecutor(max_workers=2) as threads:
        yield from _in_order(threads, one, shown)


def _in_order(
    executor: Executor, one: Callable[[str], SiteSignal], sites: Iterator[str]
) -> Iterator[SiteSignal]:
    """Map over sites with few results in memory at a time."""
    batch: list[str] = []
    for site in sites:
        batch.append(site)
        if len(batch) == _BATCH:
            yield from executor.map(one, batch)
            batch = []
    yield from executor.map(one, batch)


_BATCH = 64
"""Sites in flight at once; bounds memory, not the result."""


class _Cell(NamedTuple):
    """A row of the table of cells, as the loops want it."""

    position: int
    antenna: str
    radio_layer: str
    height_m: float
    azimuth_deg: float
    mechanical_tilt_deg: float
    electrical_tilt_deg: float
    re_power_dbm: float


class _Site(NamedTuple):
    x_m: float
    y_m: float
    kind: str
    cells: list[_Cell]


def _equipped(network: Network) -> dict[str, _Site]:
    """Return each site with its cells by id; tables are too slow to ask once per site."""
    points = network.sites.geometry
    rows = zip(network.sites.index, points.x, points.y, network.sites["kind"], strict=True)
    sites = {id_: _Site(x, y, kind, []) for id_, x, y, kind in rows}
    columns = [network.cells[name] for name in _Cell._fields[1:]]
    for position, (id_, *values) in enumerate(zip(network.cells["site"], *columns, strict=True)):
        sites[id_].cells.append(_Cell(position, *values))
    return {id_: site for id_, site in sites.items() if site.cells}


def _site_signal(ground: Ground, site: _Site, propagation: Propagation) -> SiteSignal:
    if looks_at_terrain(propagation) and not stands_on_known_ground(ground, site.x_m, site.y_m):
        return _NOTHING
    losses = _site_losses(ground, site, propagation)
    strongest: NDArray[np.float32] | None = None
    server: NDArray[np.int32] | None = None
    for cell in site.cells:
        layer = radio_layer(cell.radio_layer)
        loss = losses[cell.height_m, layer.frequency_mhz]
        rsrp = _cell_rsrp(loss, cell, layer.feeder_loss_db + layer.body_loss_db)
        if strongest is None or server is None:
            strongest = rsrp
            server = np.where(np.isnan(rsrp), NO_SERVER, cell.position).astype(np.int32)
        else:
            better = rsrp > strongest  # cells come by position: an equal one stays behind
            np.copyto(strongest, rsrp, where=better)
            server[better] = cell.position
    assert strongest is not None  # a site has cells
    assert server is not None
    return SiteSignal(
        rows=loss.rows,
        columns=loss.columns,
        rsrp_dbm=strongest,
        cell=server,
        n_clamped=sum(loss.n_clamped for loss in losses.values()),
        n_without_terrain=sum(loss.n_without_terrain for loss in losses.values()),
        n_short_range=sum(loss.n_short_range for loss in losses.values()),
    )


_NOTHING = SiteSignal(
    rows=slice(0, 0),
    columns=slice(0, 0),
    rsrp_dbm=np.empty((0, 0), np.float32),
    cell=np.empty((0, 0), np.int32),
    n_off_terrain=1,
)


def _site_losses(
    ground: Ground, site: _Site, propagation: Propagation
) -> dict[tuple[float, float], MastLoss]:
    """Return path loss by antenna height and frequency; frequencies share a height's geometry."""
    wanted: dict[float, dict[float, None]] = {}
    for cell in site.cells:
        frequency = radio_layer(cell.radio_layer).frequency_mhz
        wanted.setdefault(cell.height_m, {})[frequency] = None
    radius_m = propagation.micro_radius_m if site.kind == "micro" else propagation.radius_m
    return {
        (height_m, frequency): loss
        for height_m, frequencies in wanted.items()
        for frequency, loss in mast_losses(
            ground, Mast(site.x_m, site.y_m, height_m, radius_m), list(frequencies), propagation
        ).items()
    }


def _cell_rsrp(loss: MastLoss, cell: _Cell, losses_db: float) -> NDArray[np.float32]:
    gain = sector_gain(
        antenna(cell.antenna).pattern,
        loss.azimuth_deg,
        loss.elevation_deg,
        cell.azimuth_deg,
        cell.mechanical_tilt_deg,
        cell.electrical_tilt_deg,
    )
    return np.asarray(gain - loss.loss_db + np.float32(cell.re_power_dbm - losses_db), np.float32)


def _keep_stronger(
    best: NDArray[np.float32], server: NDArray[np.int32], signal: SiteSignal, first_cell: int
) -> None:
    here = (signal.rows, signal.columns)
    cell = signal.cell + np.int32(first_cell)
    with np.errstate(invalid="ignore"):
        better = (signal.rsrp_dbm > best[here]) | (
            (signal.rsrp_dbm == best[here]) & (cell < server[here])
        )
    better |= ~np.isnan(signal.rsrp_dbm) & np.isnan(best[here])
    best[here] = np.where(better, signal.rsrp_dbm, best[here])
    server[here] = np.where(better, cell, server[here])


def _relevant(network: Network, radio_layers: Sequence[str], geobox: GeoBox) -> Network:
    indoor = network.sites.index[network.sites["kind"] == "indoor"]
    outdoor = network.cells["radio_layer"].isin(radio_layers) & ~network.cells["site"].isin(indoor)
    relevant = network.with_cells(outdoor)
    if len(relevant.sites):
        require_same_crs(relevant.sites, geobox, "sites")
    return relevant


def ground_of(region: Region, propagation: Propagation) -> Ground:
    """Return the ground of a region with the settings' land-cover classes.

    Raises
    ------
    RasterError
        If the model needs terrain and the region has none.
    """
    path = propagation.land_cover_table
    ground = Ground.of(region, None if path is None else LandCoverTable.from_csv(path))
    require_terrain(ground, propagation)
    return ground


def _empty(region: Region, rule: Service, propagation: Propagation) -> xr.Dataset:
    ground = ground_of(region, propagation)
    over_terrain = looks_at_terrain(propagation)
    return _dataset(
        ground.geobox,
        np.full(ground.geobox.shape, np.nan, np.float32),
        np.full(ground.geobox.shape, NO_SERVER, np.int32),
        pd.Index([], dtype=str),
        np.empty(0, str),
        {
            "service": rule.id,
            "radio_layers": list(rule.radio_layers),
            "rsrp_threshold_dbm": rule.rsrp_threshold_dbm,
            "model": propagation.model,
            "propagation": propagation.model_dump_json(),
            "terrain": ground.terrain if over_terrain else NO_TERRAIN,
            "land_cover": ground.land_cover if over_terrain else NO_TERRAIN,
            **dict.fromkeys(COUNTS, 0),
        },
    )


def _dataset(
    geobox: GeoBox,
    rsrp: NDArray[np.float32],
    server: NDArray[np.int32],
    cells: pd.Index,
    sites: NDArray[np.str_],
    attributes: dict[str, object],
) -> xr.Dataset:
    grid = {"grid_mapping": "spatial_ref"}
    return xr.Dataset(
        {
            "rsrp_dbm": (
                ("y", "x"),
                rsrp,
                {"units": "dBm", "long_name": "RSRP of the best server", **grid},
            ),
            "best_server": (
                ("y", "x"),
                server,
                {"units": "1", "long_name": "best server, position in cell", **grid},
            ),
        },
        coords={
            **xr_coords(geobox),
            "cell": ("cell", cells.to_numpy(str)),
            "site": ("cell", sites),
        },
        attrs=attributes,
    )
