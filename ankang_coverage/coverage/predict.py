"""Coverage: what a network's cells put on every pixel, and whether that will do."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from xarray.core import indexing

from ankang_coverage.coverage.carriers import Carrier, HeardMast, hear
from ankang_coverage.coverage.ground import NO_TERRAIN, Ground
from ankang_coverage.coverage.masts import COUNTS as MAST_COUNTS
from ankang_coverage.coverage.masts import Keys, PathLosses, Wanted, missing
from ankang_coverage.coverage.path_loss import (
    Mast,
    Propagation,
    looks_at_terrain,
    pixel_of,
    require_terrain,
    stands_on_known_ground,
)
from ankang_coverage.coverage.service import VARIABLES, Rule, ServedTiles
from ankang_coverage.coverage.signals import CellSetting
from ankang_coverage.coverage.store import Store
from ankang_coverage.coverage.tiles import TILE, Tile, TiledArray, tiles_of
from ankang_coverage.coverage.work import in_order
from ankang_coverage.errors import NetworkError, RasterError
from ankang_coverage.region import Region
from ankang_coverage.region.land_cover import LandCoverTable
from ankang_coverage.region.rasters import require_same_crs
from ankang_coverage.sites import Network
from ankang_coverage.sites.catalogue import (
    Catalogue,
    Entry,
    RadioLayer,
    Service,
    as_antenna,
    builtin_catalogue,
)
from ankang_coverage.sites.operators import carriers as carriers_of
from ankang_coverage.sites.operators import usable_by

COUNTS = (*MAST_COUNTS, "n_off_terrain")
"""What a coverage Dataset counts of the pixels and sites that were not predicted as others."""


class Cell(NamedTuple):
    """All that a coverage keeps of a cell beside its id, as coordinates; units as in `Network`."""

    site: str
    x_m: float
    y_m: float
    kind: str
    carrier: str
    radio_layer: str
    operator: str
    antenna: str
    height_m: float
    azimuth_deg: float
    mechanical_tilt_deg: float
    electrical_tilt_deg: float
    re_power_dbm: float
    load: float


Progress = Callable[[Sequence[str], str], Iterator[str]]
"""Wraps the ids that a stage goes through, given what it does, to show how far it is."""


def predict(
    region: Region,
    network: Network,
    of: str | Service = "4g",
    *,
    operators: str | Sequence[str] | None = None,
    propagation: Propagation | None = None,
    store: Store | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Predict the coverage of a service or radio layer.

    Path losses and tiles that the store holds already are not computed again, so that editing a
    network costs no more than the tiles it touches, and a run that was interrupted goes on.

    Parameters
    ----------
    region
        Where: the tiles of its grid that its villages touch are predicted.
    network
        What is built; candidates count as built, so leave them out to predict without them.
        Indoor sites serve their building only and are left out.
    of
        A service (``4g``, ``5g``, or a Service with another rule) or one radio layer
        (``lte-b8``), judged by the rule of the service it belongs to.
    operators
        Whose subscribers are asked about: the cells they can use, their own and those shared with
        them. All cells when omitted.
    propagation
        Path-loss model and its settings.
    store
        Where path losses and tiles are kept; `Store.default` when omitted.
    executor
        Where the work is done: any ``concurrent.futures.Executor``, of other processes or
        machines too if they see the store; threads by default. The result does not depend on it.
    progress
        Wraps the site ids to show how far the prediction is.

    Returns
    -------
    xarray.Dataset
        (y, x) on the region's grid, read from the store tile by tile when asked for. At each
        pixel, of the carrier that serves there (one that meets the rule before one that does
        not, then the stronger): ``rsrp_dbm``, ``best_server`` (position in the coordinate
        ``cell``, the lower on a tie, −1 where none), ``second_rsrp_dbm``, ``second_server``,
        ``n_within_6_db``, ``sinr_db``, ``rsrq_db``, ``downlink_mbps``, ``uplink_mbps``,
        ``uplink_margin_db``, ``coverage_probability``, ``obstacle_distance_m`` and ``covered``,
        each with its unit. Levels are NaN where no cell reaches. Coordinates beside ``cell`` say
        all of each cell that the prediction used; ``tile_key`` says of each tile of 256 × 256
        pixels what it depends on. Attributes: ``service``, ``radio_layers``,
        ``rule``, ``rsrp_threshold_dbm``, ``error_sigma_db``, ``model``, ``propagation``,
        ``equipment``, ``store``, ``terrain`` (``dtm`` or ``dsm``; ``none``: no terrain was looked
        at), ``land_cover`` (``classes``, ``default class`` or ``none``), and the counts
        ``n_clamped``, ``n_without_terrain`` and ``n_short_range`` (pixels, once per mast and
        carrier) and ``n_off_terrain`` (sites that stand on unknown terrain and reach nothing).

    Raises
    ------
    CatalogueError
        If `of` is neither a service nor a radio layer, or an operator is unknown.
    NetworkError
        If no site reaches the region.
    OutOfRangeError
        If a carrier's frequency is outside the model's range.
    RasterError
        If the model needs terrain and the region has none.
    StoreError
        If the store cannot be written.
    """
    service = as_service(of, network.catalogue)
    heard = network if operators is None else usable_by(network, operators)
    cells = cells_of_network(heard, service.radio_layers, region.geobox)
    return _coverage(
        region,
        cells,
        network.catalogue,
        service,
        (propagation or Propagation()).resolved(),
        store or Store.default(),
        executor,
        progress,
        n_asked=len(cells),
    )


def add_network(
    region: Region,
    coverage: xr.Dataset,
    network: Network,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return a coverage with a network's cells added to those it already has.

    The result equals the prediction of both networks together, by the same model; only the tiles
    that the added cells reach are computed.

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
    service = service_of(coverage)
    known = cells_of(coverage)
    added = cells_of_network(network, service.radio_layers, region.geobox)
    twice = added.index.intersection(known.index)
    if len(twice):
        raise NetworkError(f"cell {twice[0]!r} is in this coverage already")
    return _coverage(
        region,
        pd.concat([known, added]),
        _both(catalogue_of(coverage), network.catalogue, added),
        service,
        propagation_of(coverage),
        Store(coverage.attrs["store"]),
        executor,
        progress,
        n_asked=len(added),
    )


def is_covered(coverage: xr.Dataset) -> NDArray[np.bool_]:
    """Return where a coverage meets its service's rule, (y, x)."""
    return np.asarray(coverage["covered"].to_numpy(), np.bool_)


def changed_windows(before: xr.Dataset, after: xr.Dataset) -> list[tuple[slice, slice]]:
    """Return the tiles on which two coverages may differ.

    Parameters
    ----------
    before, after
        Datasets of `predict` on one grid.

    Returns
    -------
    list
        Rows and columns of each tile that hears other signals, or is judged by another rule, in
        one than in the other; everywhere else they are equal.

    Raises
    ------
    RasterError
        If the coverages are not on one grid.
    """
    sizes = [coverage.sizes for coverage in (before, after)]
    if any(sizes[0][name] != sizes[1][name] for name in ("y", "x")):
        raise RasterError(
            f"the coverages have {sizes[0]['y']} × {sizes[0]['x']} and {sizes[1]['y']} × "
            f"{sizes[1]['x']} pixels: predict both on one grid"
        )
    differs = before["tile_key"].to_numpy() != after["tile_key"].to_numpy()
    shape = (before.sizes["y"], before.sizes["x"])
    return [Tile(int(row), int(column)).window(shape) for row, column in np.argwhere(differs)]


def cells_of(coverage: xr.Dataset) -> pd.DataFrame:
    """Return the cells of a coverage, by id, with all that was used of them."""
    return pd.DataFrame(
        {name: coverage[name].to_numpy() for name in Cell._fields},
        index=pd.Index(coverage["cell"].to_numpy(), name="cell"),
    )


def propagation_of(coverage: xr.Dataset) -> Propagation:
    """Return the path-loss settings that a coverage was predicted with."""
    return Propagation.model_validate_json(coverage.attrs["propagation"])


def service_of(coverage: xr.Dataset) -> Service:
    """Return the service, with its rule, that a coverage is of."""
    return Service.model_validate_json(coverage.attrs["rule"])


def catalogue_of(coverage: xr.Dataset) -> Catalogue:
    """Return the catalogue with the radio layers and antennas that a coverage was made with."""
    told = json.loads(coverage.attrs["equipment"])
    return builtin_catalogue().with_entries(
        *(as_antenna(entry) for entry in told["antennas"]),
        *(RadioLayer.model_validate(entry) for entry in told["radio_layers"]),
    )


def rule_of(coverage: xr.Dataset) -> Rule:
    """Return the rule of a coverage in numbers."""
    return Rule(service_of(coverage), float(coverage.attrs["error_sigma_db"]))


def as_service(of: str | Service, catalogue: Catalogue) -> Service:
    """Return the service of an id, or the one-layer service of a radio layer's id."""
    if isinstance(of, Service):
        return of
    if "-" in of:
        layer = catalogue.radio_layer(of)
        whole = catalogue.service("4g" if layer.technology == "lte" else "5g")
        return whole.model_copy(update={"id": of, "radio_layers": (of,)})
    return catalogue.service(of)


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


def path_losses(ground: Ground, propagation: Propagation, store: Store) -> PathLosses:
    """Return where path losses over a ground are found, the ground put into the store."""
    return PathLosses(store, store.write_ground(ground), propagation)


def heard_masts(
    cells: pd.DataFrame, catalogue: Catalogue, ground: Ground, keys: Keys
) -> tuple[dict[str, list[HeardMast]], int]:
    """Set the cells of a coverage on their masts.

    Parameters
    ----------
    cells
        As `cells_of` gives them; a cell's position is its row.
    catalogue
        Radio layers and antennas.
    ground
        The grid and its terrain.
    keys
        Names the path losses.

    Returns
    -------
    masts : dict
        Masts by carrier.
    n_off_terrain : int
        Sites that stand on unknown terrain and are heard nowhere.
    """
    settings = keys.propagation
    layers = {id_: catalogue.radio_layer(id_) for id_ in cells["radio_layer"].unique()}
    patterns = {id_: catalogue.antenna(id_).pattern for id_ in cells["antenna"].unique()}
    together: dict[tuple[str, Mast, float], list[CellSetting]] = {}
    sites: dict[Mast, str] = {}
    columns = [cells[name].tolist() for name in Cell._fields]
    for position, cell in enumerate(map(Cell._make, zip(*columns, strict=True))):
        layer = layers[cell.radio_layer]
        radius_m = settings.micro_radius_m if cell.kind == "micro" else settings.radius_m
        mast = Mast(cell.x_m, cell.y_m, cell.height_m, radius_m)
        sites[mast] = cell.site
        together.setdefault((cell.carrier, mast, layer.frequency_mhz), []).append(
            CellSetting(
                position=position,
                level_dbm=cell.re_power_dbm - layer.feeder_loss_db - layer.body_loss_db,
                pattern=patterns[cell.antenna],
                azimuth_deg=cell.azimuth_deg,
                mechanical_tilt_deg=cell.mechanical_tilt_deg,
                electrical_tilt_deg=cell.electrical_tilt_deg,
                load=cell.load,
            )
        )
    off_terrain = {
        mast: site
        for mast, site in sites.items()
        if looks_at_terrain(settings) and not stands_on_known_ground(ground, mast.x_m, mast.y_m)
    }
    masts: dict[str, list[HeardMast]] = {}
    for (carrier, mast, frequency_mhz), settled in together.items():
        if mast not in off_terrain:
            row, column = pixel_of(ground.geobox, mast.x_m, mast.y_m)
            masts.setdefault(carrier, []).append(
                HeardMast(keys.wanted(mast, frequency_mhz), row, column, tuple(settled))
            )
    return masts, len(set(off_terrain.values()))


def compute_together(
    region: Region,
    asked: Iterable[tuple[Network, Sequence[str]]],
    *,
    propagation: Propagation | None = None,
    store: Store | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> None:
    """Put path losses of several networks into the store, all frequencies of a mast in one go.

    What is predicted of these networks afterwards finds them there. Asked for one after another,
    services and candidates on one tower would each trace the same paths again.

    Parameters
    ----------
    region
        Where.
    asked
        Networks, and of each the ids of the radio layers to be predicted.
    propagation, store, executor, progress
        As for `predict`.

    Raises
    ------
    OutOfRangeError, RasterError, StoreError
        As `predict`.
    """
    settings = (propagation or Propagation()).resolved()
    ground = ground_of(region, settings)
    losses = path_losses(ground, settings, store or Store.default())
    keys = Keys(ground, settings)
    site_of: dict[Wanted, str] = {}
    for network, radio_layers in asked:
        cells = cells_of_network(network, radio_layers, ground.geobox)
        masts, _ = heard_masts(cells, network.catalogue, ground, keys)
        site_of |= _site_of(masts, cells)
    _compute_missing(losses, site_of, executor, progress)


def _site_of(masts: Mapping[str, Sequence[HeardMast]], cells: pd.DataFrame) -> dict[Wanted, str]:
    """Return whose mast each path loss is of."""
    return {
        mast.wanted: str(cells["site"].iloc[mast.cells[0].position])
        for on_air in masts.values()
        for mast in on_air
    }


def _compute_missing(
    losses: PathLosses,
    site_of: Mapping[Wanted, str],
    executor: Executor | None,
    progress: Progress | None,
) -> None:
    """Compute the path losses that the store lacks."""
    units = list(missing(losses.store, list(site_of)))
    done = in_order(losses.compute, units, executor)
    _shown(done, [site_of[unit[0]] for unit in units], "path loss", progress)


def carriers_of_coverage(
    region: Region, coverage: xr.Dataset, losses: PathLosses, ground: Ground, keys: Keys
) -> dict[str, Carrier]:
    """Return the carriers of a coverage, laid over its tiles.

    Parameters
    ----------
    region
        The region that was predicted.
    coverage
        A Dataset of `predict`.
    losses, ground, keys
        Of its settings.
    """
    masts, _ = heard_masts(cells_of(coverage), catalogue_of(coverage), ground, keys)
    tiles = tiles_of(region)
    return {
        name: Carrier.over(losses, name, ground.geobox, on_air, tiles)
        for name, on_air in masts.items()
    }


def _shown(done: Iterator[None], ids: Sequence[str], stage: str, progress: Progress | None) -> None:
    for _ in zip(done, ids if progress is None or not ids else progress(ids, stage), strict=True):
        pass


def _coverage(
    region: Region,
    cells: pd.DataFrame,
    catalogue: Catalogue,
    service: Service,
    propagation: Propagation,
    store: Store,
    executor: Executor | None,
    progress: Progress | None,
    *,
    n_asked: int,
) -> xr.Dataset:
    ground = ground_of(region, propagation)
    losses = path_losses(ground, propagation, store)
    masts, n_off_terrain = heard_masts(cells, catalogue, ground, Keys(ground, propagation))
    tiles = tiles_of(region)
    carriers = [
        Carrier.over(losses, name, ground.geobox, on_air, tiles) for name, on_air in masts.items()
    ]
    if n_asked and not any(carrier.heard for carrier in carriers):
        raise NetworkError(
            f"none of {cells['site'].nunique()} sites reaches region {region.name}: check their "
            f"coordinates, the region's terrain and the radius"
        )
    _compute_missing(losses, _site_of(masts, cells), executor, progress)
    units = [unit for carrier in carriers for unit in carrier.missing()]
    # The heaviest first, so that at the end no processor waits for another.
    units.sort(key=lambda unit: unit.weight, reverse=True)
    shape = (ground.geobox.shape[0], ground.geobox.shape[1])
    heard = in_order(partial(hear, losses, shape), units, executor)
    _shown(heard, [_name(unit.tiles[0].tile) for unit in units], "signals", progress)
    frequencies = [
        catalogue.radio_layer(id_).frequency_mhz for id_ in cells["radio_layer"].unique()
    ]
    rule = Rule(service, service.sigma_db(propagation.error_sigma_db(frequencies)))
    layer_of = cells.drop_duplicates("carrier").set_index("carrier")["radio_layer"]
    served = ServedTiles(
        carriers=[(carrier, catalogue.radio_layer(layer_of[carrier.name])) for carrier in carriers],
        rule=rule,
        re_power_dbm=np.append(cells["re_power_dbm"], np.nan).astype(np.float32),
        load=np.append(cells["load"], np.nan).astype(np.float32),
    )
    counts = dict.fromkeys(MAST_COUNTS, 0)
    for one in {mast.wanted for on_air in masts.values() for mast in on_air}:
        for name, count in losses.counts(one).items():
            counts[name] += count
    over_terrain = looks_at_terrain(propagation)
    return _dataset(
        ground.geobox,
        served,
        cells,
        {
            "service": service.id,
            "radio_layers": list(service.radio_layers),
            "rule": service.model_dump_json(),
            "rsrp_threshold_dbm": service.rsrp_threshold_dbm,
            "error_sigma_db": rule.sigma_db,
            "model": propagation.path_loss_model.identity,
            "propagation": propagation.model_dump_json(),
            "equipment": _equipment(catalogue, cells),
            "store": str(store.folder),
            "terrain": ground.terrain if over_terrain else NO_TERRAIN,
            "land_cover": ground.land_cover if over_terrain else NO_TERRAIN,
            **counts,
            "n_off_terrain": n_off_terrain,
        },
    )


def _name(tile: tuple[int, int]) -> str:
    return f"tile {tile[0]},{tile[1]}"


def cells_of_network(network: Network, radio_layers: Sequence[str], geobox: GeoBox) -> pd.DataFrame:
    """Return the cells of a network that count, with the columns of `Cell`.

    Raises
    ------
    RasterError
        If the sites are not in the grid's CRS.
    """
    indoor = network.sites.index[network.sites["kind"] == "indoor"]
    relevant = network.cells["radio_layer"].isin(list(radio_layers))
    outdoor = network.with_cells(relevant & ~network.cells["site"].isin(indoor))
    if len(outdoor.sites):
        require_same_crs(outdoor.sites, geobox, "sites")
    cells = outdoor.cells
    points = outdoor.sites.geometry.loc[cells["site"]]
    return cells.assign(
        x_m=points.x.to_numpy(np.float64),
        y_m=points.y.to_numpy(np.float64),
        kind=outdoor.sites["kind"].loc[cells["site"]].to_numpy(),
        carrier=carriers_of(outdoor),
    )[list(Cell._fields)]


def _equipment(catalogue: Catalogue, cells: pd.DataFrame) -> str:
    """Return the entries of a catalogue that cells use, as JSON."""
    used: dict[str, list[Entry]] = {
        "antennas": [catalogue.antenna(id_) for id_ in sorted(cells["antenna"].unique())],
        "radio_layers": [
            catalogue.radio_layer(id_) for id_ in sorted(cells["radio_layer"].unique())
        ],
    }
    return json.dumps(
        {
            what: [entry.model_dump(mode="json") for entry in entries]
            for what, entries in used.items()
        }
    )


def _both(known: Catalogue, other: Catalogue, added: pd.DataFrame) -> Catalogue:
    """Return a coverage's catalogue with what added cells use beside it."""
    return known.with_entries(
        *(other.antenna(id_) for id_ in added["antenna"].unique() if id_ not in known.antennas),
        *(
            other.radio_layer(id_)
            for id_ in added["radio_layer"].unique()
            if id_ not in known.radio_layers
        ),
    )


def _tile_keys(served: ServedTiles, shape: tuple[int, int]) -> NDArray[np.str_]:
    """Return a digest of all that each tile hears and is judged by; nothing where it hears none."""
    keys = np.full([-(-length // TILE) for length in shape], "", "U16")
    rule = served.rule.service.model_dump_json() + repr(served.rule.sigma_db)
    for tile in {tile for carrier, _ in served.carriers for tile in carrier.heard}:
        heard = [
            (carrier.name, layer, carrier.heard[tile].key)
            for carrier, layer in served.carriers
            if tile in carrier.heard
        ]
        digest = hashlib.blake2b(f"{rule}{heard}".encode(), digest_size=8)
        keys[tile.row, tile.column] = digest.hexdigest()
    return keys


def _dataset(
    geobox: GeoBox, served: ServedTiles, cells: pd.DataFrame, attributes: Mapping[str, Any]
) -> xr.Dataset:
    shape = (geobox.shape[0], geobox.shape[1])
    tiles = sorted({tile for carrier, _ in served.carriers for tile in carrier.heard})
    variables = {}
    for variable in VARIABLES:

        def read(tile: Any, name: str = variable.name) -> NDArray[Any]:
            return served.read(tile)[name]

        array = TiledArray(shape, variable.dtype, variable.empty, tiles, read)
        variables[variable.name] = xr.Variable(
            ("y", "x"),
            indexing.LazilyIndexedArray(array),
            {
                "units": variable.units,
                "long_name": variable.long_name,
                "grid_mapping": "spatial_ref",
            },
            encoding={"preferred_chunks": {"y": TILE, "x": TILE}},
        )
    text = cells.select_dtypes(exclude="number").columns
    beside = {
        name: ("cell", cells[name].to_numpy(str if name in text else None)) for name in Cell._fields
    }
    return xr.Dataset(
        variables,
        coords={
            **xr_coords(geobox),
            "cell": ("cell", cells.index.to_numpy(str)),
            **beside,
            "tile_key": (("tile_row", "tile_column"), _tile_keys(served, shape)),
        },
        attrs=dict(attributes),
    )
