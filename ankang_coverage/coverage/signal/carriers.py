"""What each tile hears of a carrier: heard once, kept in the store, heard anew when lost."""

import hashlib
import pickle
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage.loss.computation import tiles_computation
from ankang_coverage.coverage.loss.loss_window import LossWindow
from ankang_coverage.coverage.loss.masts import PathLosses, Wanted, does_not_keep
from ankang_coverage.coverage.signal.signals import NO_SERVER, CellSetting, Signals
from ankang_coverage.coverage.signal.tiles import TILE, Tile
from ankang_coverage.propagation.antenna_files import MeasuredPattern

TOGETHER = 4
"""Side of the squares of tiles that are heard in one go, each mast opened once for all [tiles]."""


class HeardMast(NamedTuple):
    """The cells of one carrier on one mast."""

    wanted: Wanted
    row: float
    column: float
    cells: tuple[CellSetting, ...]


class HeardTile(NamedTuple):
    """A tile, the key of what it hears, and the masts it hears by their number in the unit."""

    tile: Tile
    key: str
    masts: tuple[int, ...]


class Unit(NamedTuple):
    """Neighbouring tiles that are heard together, so that a mast is opened once for all."""

    tiles: tuple[HeardTile, ...]
    masts: tuple[HeardMast, ...]

    @property
    def weight(self) -> int:
        """How often a mast is heard on a tile."""
        return sum(len(heard.masts) for heard in self.tiles)

    def __reduce__(self) -> "tuple[Callable[[bytes], Unit], tuple[bytes]]":
        """Travel light: a thousand masts differ in little, and compress to a quarter."""
        return _unpacked, (zlib.compress(pickle.dumps(tuple(self))),)


def _unpacked(packed: bytes) -> Unit:
    return Unit(*pickle.loads(zlib.decompress(packed)))  # noqa: S301  in a pickle already


class TileSignals(NamedTuple):
    """What a tile hears of one carrier; rows × columns each.

    Attributes
    ----------
    rsrp_dbm, second_dbm
        Of the best and of the second server [dBm]; NaN where there is none.
    best, second
        Positions of these cells among all; −1 where there is none.
    best_mw, others_mw
        Interference to others from the best server, and from all cells but it [mW].
    n_near
        Cells within 6 dB of the best, itself included.
    obstacle_m
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
    losses
        Where path losses come from.
    name
        Its name.
    shape
        Of the grid.
    masts
        Its masts, by their first cell.
    heard
        Which masts each tile hears, in which order, and under which key; a tile that hears none
        is not in it.
    """

    losses: PathLosses
    name: str
    shape: tuple[int, int]
    masts: tuple[HeardMast, ...]
    heard: Mapping[Tile, HeardTile]

    @classmethod
    def over(
        cls,
        losses: PathLosses,
        name: str,
        geobox: GeoBox,
        masts: Iterable[HeardMast],
        tiles: Sequence[Tile],
    ) -> "Carrier":
        """Lay masts over tiles.

        Parameters
        ----------
        losses, name, geobox
            As the attributes, and the grid.
        masts
            The carrier's masts, in any order.
        tiles
            The tiles that are asked for.
        """
        ordered = tuple(sorted(masts, key=lambda mast: mast.cells[0].position))
        reached: dict[Tile, list[int]] = {tile: [] for tile in tiles}
        for n, mast in enumerate(ordered):
            for tile in tiles_reached(mast, geobox):
                if tile in reached:
                    reached[tile].append(n)
        digests = [_digest(mast) for mast in ordered]
        heard = {}
        for tile, numbers in reached.items():
            if numbers:
                numbers.sort(key=lambda n: (_away_from_middle(ordered[n], tile), n))
                key = _key(tile, numbers, ordered, digests)
                heard[tile] = HeardTile(tile, key, tuple(numbers))
        return cls(losses, name, (geobox.shape[0], geobox.shape[1]), ordered, heard)

    def missing(self) -> Iterator[Unit]:
        """Yield what the store does not yet know of this carrier's tiles."""
        together: dict[tuple[int, int], list[HeardTile]] = {}
        for heard in self.heard.values():
            if not self.losses.store.has(heard.key):
                place = (heard.tile.row // TOGETHER, heard.tile.column // TOGETHER)
                together.setdefault(place, []).append(heard)
        for tiles in together.values():
            yield self._unit(tiles)

    def read(self, tile: Tile) -> TileSignals | None:
        """Return what a tile hears; None where it hears nothing."""
        if tile not in self.heard:
            return None
        heard = self.heard[tile]
        bands = self.losses.store.read_tile(heard.key)
        if bands is None:
            hear(self.losses, self.shape, self._unit([heard]))
            bands = self.losses.store.read_tile(heard.key)
        if bands is None:
            raise does_not_keep(self.losses.store)
        own = np.append(_positions(self.masts[n] for n in heard.masts), NO_SERVER)
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

    def _unit(self, tiles: Sequence[HeardTile]) -> Unit:
        """Return tiles of a square with just the masts they hear, numbered anew."""
        numbers = sorted(
            {n for heard in tiles for n in heard.masts},
            key=lambda n: (_away_from_middle(self.masts[n], tiles[0].tile), n),
        )
        place = {n: m for m, n in enumerate(numbers)}
        return Unit(
            tuple(heard._replace(masts=tuple(place[n] for n in heard.masts)) for heard in tiles),
            tuple(self.masts[n] for n in numbers),
        )


def hear(losses: PathLosses, shape: tuple[int, int], unit: Unit) -> None:
    """Hear the masts of a unit on its tiles and put the result into the store.

    Parameters
    ----------
    losses
        Where path losses come from.
    shape
        Of the grid.
    unit
        Tiles and masts.
    """
    windows = [heard.tile.window(shape) for heard in unit.tiles]
    states = [Signals.silent(*window) for window in windows]
    hearers: list[list[int]] = [[] for _ in unit.masts]
    for t, heard in enumerate(unit.tiles):
        for m in heard.masts:
            hearers[m].append(t)
    for mast, tiles in zip(unit.masts, hearers, strict=True):
        loss = losses.read(mast.wanted, *around(windows[t] for t in tiles))
        for t in tiles:
            part = _part(loss, *windows[t])
            if part is not None:
                states[t].hear(part, mast.row, mast.column, mast.cells)
    for heard, window, state in zip(unit.tiles, windows, states, strict=True):
        positions = _positions(unit.masts[m] for m in heard.masts)
        losses.store.write_tile(
            heard.key,
            _bands(state, positions),
            losses.ground.geobox[window],
            {"tile": f"{heard.tile.row} {heard.tile.column}"},
        )


def _bands(state: Signals, positions: NDArray[np.int32]) -> dict[str, NDArray[np.float32]]:
    """Return a tile as it is kept, its cells numbered among those that it hears."""

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


def _positions(masts: Iterable[HeardMast]) -> NDArray[np.int32]:
    return np.sort(np.array([cell.position for mast in masts for cell in mast.cells], np.int32))


def tiles_reached(mast: HeardMast, geobox: GeoBox) -> Iterator[Tile]:
    """Yield the tiles that hold a pixel within a mast's radius."""
    reach = mast.wanted.mast.radius_m / geobox.resolution.x
    top, bottom = (_tile_at(mast.row + sign * reach) for sign in (-1.0, 1.0))
    left, right = (_tile_at(mast.column + sign * reach) for sign in (-1.0, 1.0))
    for row in range(max(top, 0), bottom + 1):
        south = _away(mast.row, row)
        for column in range(max(left, 0), right + 1):
            if np.hypot(south, _away(mast.column, column)) <= reach:
                yield Tile(row, column)


def _away_from_middle(mast: HeardMast, tile: Tile) -> float:
    """Return how far a mast is from the middle of the square that a tile is heard in [pixels].

    Near masts are heard first: then few of the others come near the best, and most are added to
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
    """Return the smallest window that holds all of some windows."""
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


def _digest(mast: HeardMast) -> bytes:
    """Digest what a tile hears of a mast, whatever the numbers of its cells."""
    cells = [
        (
            c.level_dbm,
            c.pattern.digest if isinstance(c.pattern, MeasuredPattern) else c.pattern,
            c.azimuth_deg,
            c.mechanical_tilt_deg,
            c.electrical_tilt_deg,
            c.load,
        )
        for c in mast.cells
    ]
    told = repr((mast.wanted.key, mast.row, mast.column, cells))
    return hashlib.blake2b(told.encode(), digest_size=16).digest()


def _key(
    tile: Tile,
    numbers: Sequence[int],
    masts: Sequence[HeardMast],
    digests: Sequence[bytes],
) -> str:
    digest = hashlib.blake2b(f"{tiles_computation()} {tile}".encode(), digest_size=20)
    own = _positions(masts[n] for n in numbers)
    for n in numbers:
        digest.update(digests[n])
        cells = [cell.position for cell in masts[n].cells]
        digest.update(np.searchsorted(own, cells).astype(np.int32).tobytes())
    return digest.hexdigest()
