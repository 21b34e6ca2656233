"""Carriers: which masts reach a tile, under which key, and units that are small when sent."""

import os
import pickle
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from ankang_coverage.coverage.loss import masts, shelf as _shelf
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.masts import Keys, PathLosses, Wanted
from ankang_coverage.coverage.loss.path_loss import Mast, Propagation
from ankang_coverage.coverage.loss.store import StoreWarning
from ankang_coverage.coverage.signal import carriers
from ankang_coverage.coverage.signal.carriers import (
    Carrier,
    MastCells,
    Unit,
    compute_tiles,
    tiles_reached,
)
from ankang_coverage.coverage.signal.signals import NO_SERVER, CellSetting
from ankang_coverage.coverage.signal.tiles import TILE, Tile
from ankang_coverage.propagation.antenna import SectorPattern
from ankang_coverage.propagation.measured_pattern import MeasuredPattern, cosine_pattern

PATTERN = SectorPattern(15.0, 65.0, 15.0, 25.0, 20.0)
MODEL = Propagation(model="free-space")
MOST_BYTES = 200_000


@pytest.fixture
def losses(make_region, store):
    ground = Ground.of(make_region((300, 800), 100.0))
    return PathLosses(store, store.write_ground(ground), MODEL)


def settings(*positions, **changes):
    own = {"level_dbm": 15.0, "pattern": PATTERN, "azimuth_deg": 0.0, "mechanical_tilt_deg": 0.0,
               "electrical_tilt_deg": 4.0, "load": 0.5}  # fmt: skip
    return tuple(CellSetting(position=p, **{**own, **changes}) for p in positions)


def mast_at(losses, row, column, cells, radius_m=5_000.0, frequency_mhz=900.0):
    geobox = losses.ground.geobox
    x, y = geobox.transform * (column + 0.5, row + 0.5)
    mast = Mast(x, y, 30.0, radius_m)
    return MastCells(Keys(losses.ground, MODEL).wanted(mast, frequency_mhz), row, column, cells)


def carrier(losses, *masts, tiles=None):
    geobox = losses.ground.geobox
    everywhere = [Tile(r, c) for r in range(2) for c in range(4)]
    return Carrier.over(losses, "lte-b8", geobox, masts, tiles or everywhere)


@pytest.mark.parametrize("seed", range(5))
def test_a_tile_hears_the_masts_within_reach_of_one_of_its_pixels(losses, seed):
    rng = np.random.default_rng(seed)
    shape = losses.ground.geobox.shape
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for _ in range(20):
        row, column = float(rng.uniform(-60, 360)), float(rng.uniform(-60, 860))
        reach = float(rng.choice([3.0, 50.0, 100.0, rng.uniform(1, 400)]))
        mast = mast_at(losses, row, column, settings(0), radius_m=reach * 100.0)
        within = np.hypot(rows - row, columns - column) <= reach
        expected = {
            Tile(int(r), int(c)) for r, c in zip(*(np.nonzero(within)), strict=True)
            for r, c in [(r // TILE, c // TILE)]
        }  # fmt: skip
        on_grid = {
            t for t in tiles_reached(mast, losses.ground.geobox) if t.row < 2 and t.column < 4
        }
        # A tile at the grid's end is taken for a whole one, so it may be named without a pixel.
        assert expected <= on_grid
        beyond = on_grid - expected
        assert all(tile.row == 1 or tile.column == 3 for tile in beyond)


def test_keys_change_with_all_that_is_heard_and_with_nothing_else(losses):
    near, far = (60.0, 100.0), (60.0, 700.0)

    def key(cells=(0, 1), tile=(0, 0), row=near[0], others=(), order=1, **changes):
        own = mast_at(losses, row, near[1], settings(*cells, **changes))
        there = [mast_at(losses, *far, settings(7)), *others]
        return carrier(losses, *[own, *there][::order]).tiles[Tile(*tile)].key

    first = key()
    assert first == key()
    assert first == key(order=-1)
    assert first == key(cells=(3, 5))  # other numbers, the same cells
    assert first == key(others=[mast_at(losses, 60.0, 760.0, settings(9))])  # not heard here
    heard_too = mast_at(losses, 70.0, 90.0, settings(9))
    keys = {
        first,
        key(cells=(0,)),
        key(row=61.0),
        key(load=0.6),
        key(azimuth_deg=1.0),
        key(mechanical_tilt_deg=1.0),
        key(electrical_tilt_deg=5.0),
        key(level_dbm=16.0),
        key(pattern=replace(PATTERN, gain_dbi=16.0)),
        key(others=[heard_too]),
        key(cells=(20, 21), others=[heard_too]),  # a tie goes to the other
        key(tile=(0, 2)),
    }
    assert len(keys) == 12


def test_the_key_of_a_measured_antenna_is_that_of_all_it_radiates(losses):
    def key(pattern):
        own = mast_at(losses, 60.0, 100.0, settings(0, pattern=pattern))
        return carrier(losses, own).tiles[Tile(0, 0)].key

    panel = cosine_pattern(17.0, 65.0, 7.0, electrical_tilt_deg=4.0)
    cut = panel.vertical_attenuation_db.copy()
    cut[200] += 0.01  # in the middle of what numpy prints
    assert key(panel) == key(replace(panel)) == key(replace(panel, name="b", comment="c"))
    keys = {
        key(PATTERN),
        key(panel),
        key(replace(panel, gain_dbi=17.5)),
        key(replace(panel, electrical_tilt_deg=5.0)),
        key(replace(panel, horizontal_attenuation_db=cut)),
        key(replace(panel, vertical_attenuation_db=cut)),
    }
    assert len(keys) == 6


def test_only_what_is_missing_is_heard_and_what_is_read_is_by_position(losses, written):
    own = carrier(
        losses,
        mast_at(losses, 60.0, 100.0, settings(3, 8)),
        mast_at(losses, 60.0, 250.0, settings(5)),
        mast_at(losses, 250.0, 700.0, settings(4)),
    )
    assert sorted(own.tiles) == [Tile(0, 0), Tile(0, 1), Tile(0, 2), Tile(1, 2)]
    for unit in own.missing():
        compute_tiles(losses, own.shape, unit)
    assert len(written["tiles"]) == 4
    assert list(own.missing()) == []
    assert own.read(Tile(1, 0)) is None
    heard = own.read(Tile(0, 0))
    assert set(np.unique(heard.best)) == {NO_SERVER, 3, 5}  # 3 and 8 are equal: the lower
    assert set(np.unique(heard.second)) == {NO_SERVER, 8}
    assert set(np.unique(own.read(Tile(1, 2)).best)) == {NO_SERVER, 4}
    assert len(written["tiles"]) == 4
    more = carrier(losses, *own.masts, mast_at(losses, 60.0, 650.0, settings(9)))
    assert [tile.tile for unit in more.missing() for tile in unit.tiles] == [Tile(0, 2)]


def test_tiles_heard_together_have_the_bits_of_tiles_heard_alone(losses, tmp_path):
    rng = np.random.default_rng(3)
    masts = [
        mast_at(losses, *map(float, rng.uniform((0, 0), (300, 800))), settings(2 * n, 2 * n + 1),
                radius_m=30_000.0)
        for n in range(5)
    ]  # fmt: skip
    own = carrier(losses, *masts)
    units = list(own.missing())
    assert any(len(unit.tiles) > 1 for unit in units)
    for unit in units:
        compute_tiles(losses, own.shape, unit)
    alone_store = type(losses.store)(tmp_path / "alone")
    alone_losses = PathLosses(alone_store, alone_store.write_ground(losses.ground), MODEL)
    alone = carrier(alone_losses, *masts)
    for tile, heard in alone.tiles.items():
        compute_tiles(alone_losses, alone.shape, alone._unit([heard]))
        for one, other in zip(own.read(tile), alone.read(tile), strict=True):
            assert np.array_equal(one, other, equal_nan=True)


def test_a_damaged_tile_and_a_damaged_loss_are_computed_again(losses):
    own = carrier(losses, mast_at(losses, 60.0, 100.0, settings(0)))
    before = own.read(Tile(0, 0))
    for file in losses.store.folder.glob("[lt]*/*/*.tif"):
        file.write_bytes(file.read_bytes()[::-1])
    with pytest.warns(StoreWarning, match="damaged or cut off"):
        after = own.read(Tile(0, 0))
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one, other, equal_nan=True)
    assert losses.store.verify() == []


def test_what_is_no_file_in_the_store_is_computed_again(losses, monkeypatch):
    own = carrier(losses, mast_at(losses, 60.0, 100.0, settings(0)))
    before = own.read(Tile(0, 0))
    monkeypatch.setattr(_shelf, "_shelves", {})  # as another process
    for file in losses.store.folder.glob("[lt]*/*/*.tif"):
        file.unlink()
        os.mkfifo(file)
    ground = losses.store.folder / "ground"
    shutil.rmtree(ground)
    ground.symlink_to("ground")
    with pytest.warns(StoreWarning, match="was a pipe"):
        after = own.read(Tile(0, 0))
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one, other, equal_nan=True)
    with pytest.warns(StoreWarning, match="was a link"):
        losses.store.write_ground(losses.ground)
    assert losses.store.verify() == []


def test_keys_hold_the_computation(losses, monkeypatch):
    def keys():
        own = carrier(losses, mast_at(losses, 60.0, 100.0, settings(0)))
        return own.masts[0].wanted.key, own.tiles[Tile(0, 0)].key

    loss, tile = keys()
    with monkeypatch.context() as other:
        other.setattr(carriers, "tiles_computation", lambda: "tiles of another version")
        assert keys()[0] == loss
        assert keys()[1] != tile
    monkeypatch.setattr(masts, "path_loss_computation", lambda: "without fused multiply-add")
    assert keys()[0] != loss
    assert keys()[1] != tile


MEASURED = MeasuredPattern("panel", 17.0, *np.random.default_rng(1).uniform(0, 30, (2, 360)))


@pytest.mark.parametrize("pattern", [PATTERN, MEASURED], ids=["formula", "measured"])
def test_units_of_a_dense_network_travel_light(losses, pattern):
    """1500 masts of three sectors each on nine tiles, more than a city has within 15 km."""
    rng = np.random.default_rng(0)
    masts = tuple(
        MastCells(
            Wanted(
                Mast(float(x), float(y), float(rng.integers(20, 50)), 15_000.0),
                941.5,
                rng.bytes(20).hex(),
            ),
            float(x) / 30.0,
            float(y) / 30.0,
            tuple(
                CellSetting(3 * n + k, 14.7, pattern, float(azimuth), 2.0, 3.0, 0.5)
                for k, azimuth in enumerate(rng.integers(0, 360, 3))
            ),
        )
        for n, (x, y) in enumerate(rng.uniform(0, 30_000, (1500, 2)))
    )
    whole = carrier(losses, *masts, tiles=[Tile(r, c) for r in range(3) for c in range(3)])
    unit = whole._unit(list(whole.tiles.values()))
    assert len(unit.masts) > 1000
    work = pickle.dumps((partial(compute_tiles, losses, (5000, 5000)), unit))
    assert len(work) < MOST_BYTES
    assert pickle.loads(work)[1] == unit
    assert isinstance(pickle.loads(work)[1], Unit)
