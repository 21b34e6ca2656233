"""The signals of a carrier on each tile: computed once, kept in the store, again when lost."""

import hashlib
import pickle
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage.loss.computation import tiles_computation
from ankang_coverage.coverage.loss.loss_window import LossWindow
from ankang_coverage.coverage.loss.masts import PathLosses, Wanted, does_not_keep
from ankang_coverage.coverage.signal.signals import NO_SERVER, CellSetting, Signals
from ankang_coverage.coverage.signal.tiles import TILE, Tile
from ankang_coverage.propagation.measured_pattern import MeasuredPattern

TOGETHER = 4
"""Side of the squares that are computed together, each mast opened once for all [tiles]."""


_OF_A_CELL = tuple(field.name for field in fields(CellSetting) if field.name != "position")
"""All that a tile takes of a cell: what is added to `CellSetting` is in the key of its tiles."""


class MastCells(NamedTuple):
    """The cells of one carrier on one mast.

    Attributes
    ----------
    wanted : Wanted
        The mast's path loss.
    row, column : float
        Its place on the grid [pixels], whole at pixel centres.
    cells : tuple of CellSetting
        The cells, by ascending position.
    columns : bytes
        Digest of all columns of the cells that change signals by the schema of the site table, so
        that a new column is in the key of a tile whatever is computed from it.
    """

    wanted: Wanted
    row: float
    column: float
    cells: tuple[CellSetting, ...]
    columns: bytes = b""


class TileMasts(NamedTuple):
    """A tile and the masts that reach it.

    Attributes
    ----------
    tile : Tile
        The tile.
    key : str
        Names its signals in the store.
    masts : tuple of int
        Numbers of the masts, in the order in which they are added.
    """

    tile: Tile
    key: str
    masts: tuple[int, ...]


class Unit(NamedTuple):
    """Neighbouring tiles that are computed together, so that a mast is opened once for all."""

    tiles: tuple[TileMasts, ...]
    masts: tuple[MastCells, ...]

    @property
    def weight(self) -> int:
        """How often a mast is added to a tile."""
        return sum(len(reached.masts) for reached in self.tiles)

    def __reduce__(self) -> "tuple[Callable[[bytes], Unit], tuple[bytes]]":
        """Compress what is sent to another process: a thousand similar masts take a quarter."""
        return _unpacked, (zlib.compress(pickle.dumps(tuple(self))),)


def _unpacked(packed: bytes) -> Unit:
    return Unit(*pickle.loads(zlib.decompress(packed)))  # noqa: S301  in a pickle already


class TileSignals(NamedTuple):
    """The signals of one carrier on a tile; rows × columns each.

    Attributes
    ----------
    rsrp_dbm, second_dbm : numpy.ndarray
        Of the best and of the second server [dBm]; NaN where there is none.
    best, second : numpy.ndarray
        Positions of these cells among all; −1 where there is none.
    best_mw, others_mw : numpy.ndarray
        Interference to others from the best server, and from all cells but it [mW].
    n_near : numpy.ndarray
        Cells within 6 dB of the best, itself included.
    obstacle_m : numpy.ndarray
        Distance from the best server's mast of what blocks its path; 0 in sight [m].
    """

    rsrp_dbm: NDArray[np.float32]
    best: NDArray[np.int32]
    second_dbm: NDArray[np.float32]
    second: NDArray[np.int32]
    best_mw: NDArray[np.float32]
    others_mw: NDArray[np.float32]
    n_near: NDArray[np.uint8]
    obstacle_m: NDArray[np.float32]


@dataclass(frozen=True)
class Carrier:
    """A carrier's masts laid over tiles.

    Attributes
    ----------
    losses : PathLosses
        Where path losses come from.
    name : str
        Its name.
    shape : tuple of int
        Of the grid.
    masts : tuple of MastCells
        Its masts, by their first cell.
    tiles : mapping of Tile to TileMasts
        Which masts reach each tile, in which order, and under which key; a tile that none reaches
        is not in it.
    """

    losses: PathLosses
    name: str
    shape: tuple[int, int]
    masts: tuple[MastCells, ...]
    tiles: Mapping[Tile, TileMasts]

    @classmethod
    def over(
        cls,
        losses: PathLosses,
        name: str,
        geobox: GeoBox,
        masts: Iterable[MastCells],
        tiles: Sequence[Tile],
    ) -> "Carrier":
        """Lay masts over tiles.

        Parameters
        ----------
        losses : PathLosses
            Where path losses come from.
        name : str
            The carrier's name.
        geobox : odc.geo.geobox.GeoBox
            The grid.
        masts : iterable of MastCells
            The carrier's masts, in any order.
        tiles : sequence of Tile
            The tiles that are wanted.

        Returns
        -------
        Carrier
            The masts on the tiles.
        """
        ordered = tuple(sorted(masts, key=lambda mast: mast.cells[0].position))
        numbers_on: dict[Tile, list[int]] = {tile: [] for tile in tiles}
        for n, mast in enumerate(ordered):
            for tile in tiles_reached(mast, geobox):
                if tile in numbers_on:
                    numbers_on[tile].append(n)
        digests = [_digest(mast) for mast in ordered]
        reached = {}
        for tile, numbers in numbers_on.items():
            if numbers:
                numbers.sort(key=lambda n: (_away_from_middle(ordered[n], tile), n))
                key = _key(tile, numbers, ordered, digests)
                reached[tile] = TileMasts(tile, key, tuple(numbers))
        return cls(losses, name, (geobox.shape[0], geobox.shape[1]), ordered, reached)

    def missing(self) -> Iterator[Unit]:
        """Yield the tiles of this carrier that the store lacks.

        Yields
        ------
        Unit
            Neighbouring tiles with the masts that reach them.
        """
        together: dict[tuple[int, int], list[TileMasts]] = {}
        for reached in self.tiles.values():
            if not self.losses.store.has(reached.key):
                place = (reached.tile.row // TOGETHER, reached.tile.column // TOGETHER)
                together.setdefault(place, []).append(reached)
        for tiles in together.values():
            yield self._unit(tiles)

    def read(self, tile: Tile) -> TileSignals | None:
        """Return the signals on a tile, computed again where the store has lost them.

        Parameters
        ----------
        tile : Tile
            The tile.

        Returns
        -------
        TileSignals or None
            None where no mast reaches.

        Raises
        ------
        StoreError
            If the store does not keep what is written to it.
        """
        if tile not in self.tiles:
            return None
        reached = self.tiles[tile]
        bands = self.losses.store.read_tile(reached.key)
        if bands is None:
            compute_tiles(self.losses, self.shape, self._unit([reached]))
            bands = self.losses.store.read_tile(reached.key)
        if bands is None:
            raise does_not_keep(self.losses.store)
        own = np.append(_positions(self.masts[n] for n in reached.masts), NO_SERVER)
        return TileSignals(
            rsrp_dbm=bands["rsrp_dbm"],
            best=own[bands["best"].astype(np.int32)],
            second_dbm=bands["second_dbm"],
            second=own[bands["second"].astype(np.int32)],
            best_mw=bands["best_mw"],
            others_mw=bands["others_mw"],
            n_near=bands["n_near"].astype(np.uint8),
            obstacle_m=bands["obstacle_m"],
        )

    def _unit(self, tiles: Sequence[TileMasts]) -> Unit:
        """Return tiles of a square with just the masts that reach them, numbered anew."""
        numbers = sorted(
            {n for reached in tiles for n in reached.masts},
            key=lambda n: (_away_from_middle(self.masts[n], tiles[0].tile), n),
        )
        place = {n: m for m, n in enumerate(numbers)}
        return Unit(
            tuple(
                reached._replace(masts=tuple(place[n] for n in reached.masts)) for reached in tiles
            ),
            tuple(self.masts[n] for n in numbers),
        )


def compute_tiles(losses: PathLosses, shape: tuple[int, int], unit: Unit) -> None:
    """Compute the signals of a unit's masts on its tiles into the store.

    Parameters
    ----------
    losses : PathLosses
        Where path losses come from.
    shape : tuple of int
        Of the grid.
    unit : Unit
        Tiles and masts.
    """
    windows = [reached.tile.window(shape) for reached in unit.tiles]
    states = [Signals.silent(*window) for window in windows]
    tiles_of: list[list[int]] = [[] for _ in unit.masts]
    for t, reached in enumerate(unit.tiles):
        for m in reached.masts:
            tiles_of[m].append(t)
    for mast, tiles in zip(unit.masts, tiles_of, strict=True):
        loss = losses.read(mast.wanted, *around(windows[t] for t in tiles))
        for t in tiles:
            part = _part(loss, *windows[t])
            if part is not None:
                states[t].add(part, mast.row, mast.column, mast.cells)
    for reached, window, state in zip(unit.tiles, windows, states, strict=True):
        positions = _positions(unit.masts[m] for m in reached.masts)
        losses.store.write_tile(
            reached.key,
            _bands(state, positions),
            losses.ground.geobox[window],
            {"tile": f"{reached.tile.row} {reached.tile.column}"},
        )


def _bands(state: Signals, positions: NDArray[np.int32]) -> dict[str, NDArray[np.float32]]:
    """Return a tile as it is kept, its cells numbered among those that reach it."""

    def level(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.where(np.isfinite(values), values, np.float32(np.nan))

    def number(servers: NDArray[np.int32]) -> NDArray[np.float32]:
        place = np.searchsorted(positions, servers)
        return np.where(servers == NO_SERVER, NO_SERVER, place).astype(np.float32)

    return {
        "rsrp_dbm": level(state.best_dbm),
        "best": number(state.best),
        "second_dbm": level(state.second_dbm),
        "second": number(state.second),
        "best_mw": state.best_mw,
        "others_mw": state.others_mw,
        "n_near": state.n_within_overlap().astype(np.float32),
        "obstacle_m": state.obstacle_dam * np.float32(10.0),
    }


def _positions(masts: Iterable[MastCells]) -> NDArray[np.int32]:
    return np.sort(np.array([cell.position for mast in masts for cell in mast.cells], np.int32))


def tiles_reached(mast: MastCells, geobox: GeoBox) -> Iterator[Tile]:
    """Yield the tiles that hold a pixel within a mast's radius.

    Parameters
    ----------
    mast : MastCells
        The mast.
    geobox : odc.geo.geobox.GeoBox
        The grid.

    Yields
    ------
    Tile
        Row by row.
    """
    reach = mast.wanted.mast.radius_m / geobox.resolution.x
    top, bottom = (_tile_at(mast.row + sign * reach) for sign in (-1.0, 1.0))
    left, right = (_tile_at(mast.column + sign * reach) for sign in (-1.0, 1.0))
    for row in range(max(top, 0), bottom + 1):
        south = _away(mast.row, row)
        for column in range(max(left, 0), right + 1):
            if np.hypot(south, _away(mast.column, column)) <= reach:
                yield Tile(row, column)


def _away_from_middle(mast: MastCells, tile: Tile) -> float:
    """Return how far a mast is from the middle of the square of tiles that a tile is in [pixels].

    Near masts are added first: then few of the others come near the best, and most are added to
    the interference many pixels at once.
    """
    row, column = ((place // TOGETHER + 0.5) * TOGETHER * TILE - 0.5 for place in tile)
    return float(np.hypot(mast.row - row, mast.column - column))


def _tile_at(pixel: float) -> int:
    return int(np.floor((pixel + 0.5) / TILE))


def _away(pixel: float, tile: int) -> float:
    """Return how far a tile's nearest pixel is along one axis [pixels]."""
    return max(tile * TILE - pixel, pixel - ((tile + 1) * TILE - 1), 0.0)


def around(windows: Iterable[tuple[slice, slice]]) -> tuple[slice, slice]:
    """Return the smallest window that holds all of some windows.

    Parameters
    ----------
    windows : iterable of tuple
        Rows and columns of each, one window at least.

    Returns
    -------
    tuple of slice
        Rows and columns.
    """
    rows, columns = zip(*windows, strict=True)
    return (
        slice(min(r.start for r in rows), max(r.stop for r in rows)),
        slice(min(c.start for c in columns), max(c.stop for c in columns)),
    )


def _part(loss: LossWindow, rows: slice, columns: slice) -> LossWindow | None:
    """Return what of a window lies on a tile, laid out as the kernels are compiled for."""
    top, bottom = max(loss.rows.start, rows.start), min(loss.rows.stop, rows.stop)
    left, right = max(loss.columns.start, columns.start), min(loss.columns.stop, columns.stop)
    if top >= bottom or left >= right:
        return None
    here = np.s_[
        top - loss.rows.start : bottom - loss.rows.start,
        left - loss.columns.start : right - loss.columns.start,
    ]
    return LossWindow(
        rows=slice(top, bottom),
        columns=slice(left, right),
        loss_cdb=np.ascontiguousarray(loss.loss_cdb[here]),
        elevation_cdeg=np.ascontiguousarray(loss.elevation_cdeg[here]),
        obstacle_dam=np.ascontiguousarray(loss.obstacle_dam[here]),
    )


def _known_by(value: object) -> object:
    """Return what tells a value from others: numpy shortens what it prints of a measured cut."""
    return value.digest if isinstance(value, MeasuredPattern) else value


def _digest(mast: MastCells) -> bytes:
    """Digest what a mast puts on a tile, whatever the numbers of its cells."""
    cells = [[_known_by(getattr(cell, name)) for name in _OF_A_CELL] for cell in mast.cells]
    described = repr((mast.wanted.key, mast.row, mast.column, mast.columns, cells))
    return hashlib.blake2b(described.encode(), digest_size=16).digest()


def _key(
    tile: Tile,
    numbers: Sequence[int],
    masts: Sequence[MastCells],
    digests: Sequence[bytes],
) -> str:
    digest = hashlib.blake2b(f"{tiles_computation()} {tile}".encode(), digest_size=20)
    own = _positions(masts[n] for n in numbers)
    for n in numbers:
        digest.update(digests[n])
        cells = [cell.position for cell in masts[n].cells]
        digest.update(np.searchsorted(own, cells).astype(np.int32).tobytes())
    return digest.hexdigest()
