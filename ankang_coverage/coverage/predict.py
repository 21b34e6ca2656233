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

from ankang_coverage.coverage.path_loss import NO_TERRAIN, MastLoss, Propagation, mast_loss
from ankang_coverage.errors import NetworkError
from ankang_coverage.propagation.antenna import sector_gain
from ankang_coverage.region import Region
from ankang_coverage.region.rasters import require_same_crs
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import Service, antenna, radio_layer, service

NO_SERVER = -1
"""``best_server`` of a pixel that no cell reaches."""

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
    """

    rows: slice
    columns: slice
    rsrp_dbm: NDArray[np.float32]
    cell: NDArray[np.int32]
    n_clamped: int


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
        ``terrain`` (``none``: no terrain was looked at), ``n_clamped``.

    Raises
    ------
    CatalogueError
        If `of` is neither a service nor a radio layer.
    OutOfRangeError
        If a carrier's frequency is outside the model's range.
    """
    rule = as_service(of)
    settings = propagation or Propagation()
    empty = _empty(region.geobox, rule, settings)
    return add_network(empty, network, propagation=settings, executor=executor, progress=progress)


def add_network(
    coverage: xr.Dataset,
    network: Network,
    *,
    propagation: Propagation | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a coverage with a network's cells added to those it already has.

    The result equals the prediction of both networks together.

    Parameters
    ----------
    coverage
        A Dataset of `predict`.
    network
        What is added; only cells of the service's radio layers count.
    propagation, executor, progress
        As for `predict`.

    Raises
    ------
    NetworkError
        If a cell is in the coverage already.
    """
    settings = propagation or Propagation()
    geobox = coverage.odc.geobox
    added = _relevant(network, coverage.attrs["radio_layers"], geobox)
    known = pd.Index(coverage["cell"].to_numpy())
    twice = added.cells.index.intersection(known)
    if len(twice):
        raise NetworkError(f"cell {twice[0]!r} is in this coverage already")
    best = coverage["rsrp_dbm"].to_numpy().copy()
    server = coverage["best_server"].to_numpy().copy()
    n_clamped = int(coverage.attrs["n_clamped"])
    for signal in site_signals(
        geobox, added, propagation=settings, executor=executor, progress=progress
    ):
        _keep_stronger(best, server, signal, first_cell=len(known))
        n_clamped += signal.n_clamped
    cells = known.append(added.cells.index)
    sites = np.concatenate([coverage["site"].to_numpy(), added.cells["site"].to_numpy(str)])
    return _dataset(geobox, best, server, cells, sites, {**coverage.attrs, "n_clamped": n_clamped})


def is_covered(coverage: xr.Dataset) -> NDArray[np.bool_]:
    """Return where a coverage meets its service's rule, (y, x)."""
    return coverage["rsrp_dbm"].to_numpy() >= np.float32(coverage.attrs["rsrp_threshold_dbm"])


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
    geobox: GeoBox,
    network: Network,
    *,
    propagation: Propagation,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[SiteSignal]:
    """Yield each site's strongest signal, in the order of the network's sites.

    Parameters
    ----------
    geobox
        The pixel grid.
    network
        Sites and cells; every cell is used.
    propagation, executor, progress
        As for `predict`.
    """
    masts = _masts(network)

    def one(site: str) -> SiteSignal:
        return _site_signal(geobox, masts[site], propagation)

    sites = [site for site in network.sites.index if site in masts]
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


class _Mast(NamedTuple):
    x_m: float
    y_m: float
    cells: list[_Cell]


def _masts(network: Network) -> dict[str, _Mast]:
    """Return each site's mast by id; tables are too slow to ask once per mast."""
    x_m, y_m = network.sites.geometry.x, network.sites.geometry.y
    masts = {
        site: _Mast(x, y, []) for site, x, y in zip(network.sites.index, x_m, y_m, strict=True)
    }
    columns = [network.cells[name] for name in _Cell._fields[1:]]
    for position, (site, *values) in enumerate(zip(network.cells["site"], *columns, strict=True)):
        masts[site].cells.append(_Cell(position, *values))
    return {site: mast for site, mast in masts.items() if mast.cells}


def _site_signal(geobox: GeoBox, mast: _Mast, propagation: Propagation) -> SiteSignal:
    losses: dict[tuple[float, float], MastLoss] = {}
    strongest: NDArray[np.float32] | None = None
    server: NDArray[np.int32] | None = None
    for cell in mast.cells:
        layer = radio_layer(cell.radio_layer)
        key = (layer.frequency_mhz, cell.height_m)
        if key not in losses:
            losses[key] = mast_loss(
                geobox, mast.x_m, mast.y_m, cell.height_m, layer.frequency_mhz, propagation
            )
        rsrp = _cell_rsrp(losses[key], cell, layer.feeder_loss_db + layer.body_loss_db)
        if strongest is None or server is None:
            strongest = rsrp
            server = np.where(np.isnan(rsrp), NO_SERVER, cell.position).astype(np.int32)
        else:
            better = rsrp > strongest  # cells come by position: an equal one stays behind
            np.copyto(strongest, rsrp, where=better)
            server[better] = cell.position
    assert strongest is not None  # a mast has cells
    assert server is not None
    loss = next(iter(losses.values()))
    return SiteSignal(
        rows=loss.rows,
        columns=loss.columns,
        rsrp_dbm=strongest,
        cell=server,
        n_clamped=sum(loss.n_clamped for loss in losses.values()),
    )


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


def _empty(geobox: GeoBox, rule: Service, propagation: Propagation) -> xr.Dataset:
    return _dataset(
        geobox,
        np.full(geobox.shape, np.nan, np.float32),
        np.full(geobox.shape, NO_SERVER, np.int32),
        pd.Index([], dtype=str),
        np.empty(0, str),
        {
            "service": rule.id,
            "radio_layers": list(rule.radio_layers),
            "rsrp_threshold_dbm": rule.rsrp_threshold_dbm,
            "model": propagation.model,
            "terrain": NO_TERRAIN,
            "radius_m": propagation.radius_m,
            "n_clamped": 0,
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
