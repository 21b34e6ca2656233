"""The store: what comes out is what went in, whatever happens to files, disks and processes."""

import errno
import hashlib
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings, strategies as st
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage.loss import shelf as _shelf
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.store import BEYOND, UNKNOWN, LossWindow, Store, StoreWarning
from ankang_coverage.errors import RasterError, StoreError

GRID = GeoBox.from_bbox((300_000, 3_600_000, 330_000, 3_621_000), "EPSG:32649", resolution=30)
KEY = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
TRAILER_BYTES = 40
DAYS_AGO = time.time() - 2 * 86_400


def window_of(rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    loss = rng.integers(8_000, 20_000, shape, np.int16)
    loss[rng.random(shape) < 0.1] = BEYOND
    loss[rng.random(shape) < 0.1] = UNKNOWN
    elevation = rng.integers(-9_000, 9_000, shape, np.int16)
    return LossWindow(rows, columns, loss, elevation, rng.integers(0, 1_500, shape, np.int16))


WINDOW = window_of(slice(100, 300), slice(500, 700))


def assert_same(found, expected):
    assert (found.rows, found.columns) == (expected.rows, expected.columns)
    for one, other in zip(found.bands, expected.bands, strict=True):
        assert np.array_equal(one, other)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def forget(monkeypatch):
    """Make this process forget what it knows of folders, as another process would."""
    return lambda: monkeypatch.setattr(_shelf, "_shelves", {})


def file_of(store, key=KEY, kind="loss"):
    return store.folder / kind / key[:2] / f"{key}.tif"


def write(store, key=KEY, window=WINDOW):
    store.write_loss(key, window, GRID, {"height_m": "35.0"})
    return file_of(store, key)


def n_of_store(said):
    return sum(issubclass(one.category, StoreWarning) for one in said)


def age(path, moment=DAYS_AGO):
    os.utime(path, (moment, moment))


# What goes in comes out ---------------------------------------------------------------------------


def test_a_path_loss_comes_back_with_its_tags(store):
    tags = {"height_m": "35.0", "propagation": '{"model":"p1812"}', "note": "安康 <&>"}
    assert store.read_loss(KEY) is None
    assert store.tags(KEY) is None
    assert not store.has(KEY)
    store.write_loss(KEY, WINDOW, GRID, tags)
    assert store.has(KEY)
    assert store.tags(KEY) == tags
    assert_same(store.read_loss(KEY), WINDOW)


def spans(length):
    """Spans within a length, empty ones too."""
    ends = st.tuples(st.integers(0, length), st.integers(0, length))
    return ends.map(sorted).map(lambda pair: slice(*pair))


@settings(max_examples=40)
@given(spans(700), spans(1000), spans(700), spans(1000))
def test_any_window_of_any_path_loss(tmp_path_factory, rows, columns, asked_rows, asked_columns):
    store = Store(tmp_path_factory.mktemp("store"))
    written = window_of(rows, columns)
    write(store, window=written)
    assert_same(store.read_loss(KEY), written)
    found = store.read_loss(KEY, asked_rows, asked_columns)
    grid = np.full((3, *GRID.shape), -1, np.int16)
    grid[:, rows, columns] = written.bands
    assert np.array_equal(np.stack(found.bands), grid[:, found.rows, found.columns])
    mine = np.zeros(GRID.shape, bool)
    mine[rows, columns] = True
    assert found.loss_cdb.size == np.count_nonzero(mine[asked_rows, asked_columns])


def test_the_file_opens_in_a_gis(store):
    """GDAL takes no notice of the trailer; place, figures and units are those of the mast."""
    path = write(store)
    with rasterio.open(path) as raster:
        assert raster.crs.to_epsg() == 32649
        assert raster.nodata == BEYOND
        assert raster.block_shapes == [(128, 128)] * 3
        assert raster.profile["compress"] == "zstd"
        assert raster.descriptions == ("loss_cdb", "elevation_cdeg", "obstacle_dam")
        assert raster.scales == (0.01, 0.01, 10.0)
        assert raster.units == ("dB", "degree", "m")
        # Blocks lie on multiples of 128 pixels of the grid.
        assert ~GRID.transform * (raster.bounds.left, raster.bounds.top) == (384, 0)
        row, column = 123, 614
        place = GRID.transform * (column + 0.5, row + 0.5)
        expected = [band[row - 100, column - 500] for band in WINDOW.bands]
        assert next(raster.sample([place])).tolist() == expected
        outside = GRID.transform * (480.5, 90.5)
        assert next(raster.sample([outside])).tolist() == [BEYOND] * 3
    content = path.read_bytes()
    digest = hashlib.sha256(path.name.encode() + content[:-TRAILER_BYTES]).digest()
    assert content[-TRAILER_BYTES:] == b"ankangc1" + digest


def test_the_same_path_loss_is_the_same_bytes(store, tmp_path):
    assert write(store).read_bytes() == write(Store(tmp_path / "other")).read_bytes()


def test_a_tile_comes_back(store):
    rng = np.random.default_rng(1)
    bands = {
        "rsrp_dbm": rng.normal(-100, 10, (256, 200)).astype(np.float32),
        "sinr_db": np.full((256, 200), np.nan, np.float32),
        "best_server": rng.integers(-1, 18_000, (256, 200)).astype(np.float32),
    }
    bands["rsrp_dbm"][:100] = np.nan
    assert store.read_tile(KEY) is None
    store.write_tile(KEY, bands, GRID[:256, :200], {"service": "4g"})
    found = store.read_tile(KEY)
    assert list(found) == list(bands)
    for name, values in bands.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], values, equal_nan=True)
    assert store.tags(KEY) == {"service": "4g"}
    assert store.verify() == []


def test_a_window_must_be_filled():
    with pytest.raises(RasterError, match="elevation_cdeg is int16"):
        replace(WINDOW, elevation_cdeg=WINDOW.elevation_cdeg[:1])
    with pytest.raises(RasterError, match="loss_cdb is float64"):
        replace(WINDOW, loss_cdb=WINDOW.loss_cdb.astype(float))


def test_a_key_is_a_digest(store):
    with pytest.raises(StoreError, match="keys are hexadecimal"):
        store.has("../../etc/passwd")


def test_a_store_of_nothing_is_refused(tmp_path):
    with pytest.raises(StoreError, match="0 bytes"):
        Store(tmp_path, max_bytes=0)


def test_where_the_default_is(monkeypatch, tmp_path):
    monkeypatch.setenv("ANKANG_COVERAGE_STORE", str(tmp_path / "mine"))
    assert Store.default().folder == tmp_path / "mine"
    monkeypatch.setenv("ANKANG_COVERAGE_STORE", "")
    assert "ankang-coverage" in str(Store.default().folder)


def test_a_store_travels_light(store):
    write(store)
    packed = pickle.dumps(store)
    assert len(packed) < 500
    assert_same(pickle.loads(packed).read_loss(KEY), WINDOW)


# Damage -------------------------------------------------------------------------------------------


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1000])


def append(path):
    path.write_bytes(path.read_bytes() + b"\0")


def empty(path):
    path.write_bytes(b"")


def without_trailer(path):
    path.write_bytes(path.read_bytes()[:-TRAILER_BYTES])


def of_another_key(path):
    store = Store(path.parents[2])
    path.write_bytes(write(store, OTHER, window_of(slice(0, 9), slice(0, 9))).read_bytes())


HARMS = [flip, truncate, append, empty, without_trailer, of_another_key]


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("seen_before", [False, True])
def test_a_damaged_file_is_removed_reported_and_written_again(store, forget, harm, seen_before):
    path = write(store)
    if seen_before:
        store.read_loss(KEY)
    harm(path)
    if not seen_before:
        forget()
    assert store.has(KEY)  # existence is not looked into
    with pytest.warns(StoreWarning, match=KEY) as said:
        assert store.read_loss(KEY, slice(100, 110)) is None
    assert n_of_store(said) == 1
    assert not path.exists()
    assert not store.has(KEY)
    assert store.read_loss(KEY) is None  # absent now, and nothing more to say
    assert store.damaged == 1
    write(store)
    assert_same(store.read_loss(KEY), WINDOW)


def test_a_damaged_file_in_a_store_that_others_keep_is_told_once(store, forget, monkeypatch):
    flip(write(store))
    forget()

    def refuse(*_args, **_kwargs):
        raise PermissionError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.warns(StoreWarning) as said:
        assert [store.read_loss(KEY) for _ in range(3)] == [None] * 3
    assert n_of_store(said) == 1
    assert store.damaged == 1


def test_a_store_on_a_read_only_disk_is_read(store, forget, monkeypatch):
    age(write(store))
    forget()

    def refuse(*_args, **_kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    assert_same(store.read_loss(KEY), WINDOW)


def test_a_file_is_checked_once(store, forget, monkeypatch):
    checked = []
    is_whole = _shelf._is_whole
    monkeypatch.setattr(
        _shelf, "_is_whole", lambda name, file: checked.append(name) or is_whole(name, file)
    )
    path = write(store)
    store.read_loss(KEY)
    assert checked == []  # what this process wrote it knows
    forget()
    for _ in range(3):
        store.read_loss(KEY)
    assert len(checked) == 1
    age(path, time.time() - 60)
    store.read_loss(KEY)
    assert len(checked) == 2  # for it may have been written anew


def test_verify_finds_what_is_damaged_and_leaves_it(store):
    write(store, OTHER)
    path = write(store)
    assert store.verify() == []
    flip(path)
    (found,) = store.verify()
    assert (found.path, found.reason) == (path, "damaged or cut off")
    assert path.exists()


def test_verify_decodes_the_pixels(store):
    """A file whose bytes are as written but whose pixels are not: as a faulty writer leaves it."""
    path = write(store)
    content = path.read_bytes()[:-TRAILER_BYTES]
    path.write_bytes(content)
    with rasterio.open(path, "r+") as raster:
        band = raster.read(1)
        band[100, 200] += 1
        raster.write(band, 1)
    content = path.read_bytes()
    path.write_bytes(content + _shelf._trailer(path.name, [content]))
    (found,) = store.verify()
    assert (found.path, found.reason) == (path, "pixels differ from their digest")


# Room ---------------------------------------------------------------------------------------------


def keys(n):
    return [hashlib.blake2b(bytes([i]), digest_size=16).hexdigest() for i in range(n)]


def test_the_least_recently_used_go_first(tmp_path, forget):
    store = Store(tmp_path)
    files = [write(store, key) for key in keys(20)]
    for n, path in enumerate(files):
        age(path, DAYS_AGO + n)
    n_bytes = files[0].stat().st_size
    forget()
    small = Store(tmp_path, max_bytes=20 * n_bytes)
    assert small.has(keys(20)[0])  # used: the first becomes the last
    assert_same(small.read_loss(keys(20)[2]), WINDOW)
    write(small, OTHER)
    left = {path for path in files if path.exists()}
    assert {files[0], files[2]} <= left
    assert file_of(small, OTHER).exists()
    gone = [n for n, path in enumerate(files) if path not in left]
    # 21 files where 20 may be: down to nine tenths, oldest first.
    assert gone == [1, 3, 4]


def test_use_is_noted_once_an_hour(store):
    path = write(store)
    a_while = time.time() - 1_800
    age(path, a_while)
    store.read_loss(KEY)
    assert path.stat().st_mtime == pytest.approx(a_while, abs=1e-3)
    age(path, time.time() - 4_000)
    store.read_loss(KEY)
    assert time.time() - path.stat().st_mtime < 600


def test_a_run_never_eats_its_own_files(tmp_path):
    store = Store(tmp_path, max_bytes=300_000)
    with pytest.warns(StoreWarning, match="may hold 0.0003 GB") as said:
        files = [write(store, key) for key in keys(10)]
    assert n_of_store(said) == 1
    assert all(path.exists() for path in files)
    assert sum(store.info().n_bytes.values()) > 300_000


def test_the_folder_is_not_walked_for_each_file(tmp_path, monkeypatch):
    walks = []
    contents = _shelf.Shelf.contents
    monkeypatch.setattr(_shelf.Shelf, "contents", lambda self: walks.append(1) or contents(self))
    roomy = Store(tmp_path / "roomy")
    for key in keys(30):
        write(roomy, key)
    assert len(walks) == 1
    n_bytes = file_of(roomy, keys(1)[0]).stat().st_size
    # A twentieth of the room is what two others may write unseen: it is looked at again then.
    walks.clear()
    shared = Store(tmp_path / "shared", max_bytes=200 * n_bytes)
    for key in keys(30):
        write(shared, key)
    assert len(walks) == 3


def test_prune_makes_the_store_as_small_as_asked(store):
    files = [write(store, key) for key in keys(5)]
    for n, path in enumerate(reversed(files)):
        age(path, DAYS_AGO + n)
    (store.folder / "notes.txt").write_text("mine")
    (store.folder / "loss" / "notes.txt").write_text("mine")
    (files[0].parent / "notes.txt").write_text("mine")
    n_bytes = files[0].stat().st_size
    assert store.prune().n_files == 0
    pruned = store.prune(3 * n_bytes)
    assert (pruned.n_files, pruned.n_bytes) == (2, 2 * n_bytes)
    assert [path.exists() for path in files] == [True] * 3 + [False] * 2
    store.prune(0)
    assert store.info().n_files == {"loss": 0, "tiles": 0, "ground": 0}
    assert len(list(store.folder.rglob("notes.txt"))) == 3


def test_info_counts(store, small_region):
    write(store)
    store.write_tile(OTHER, {"sinr_db": np.zeros((9, 9), np.float32)}, GRID[:9, :9], {})
    store.write_ground(Ground.of(small_region))
    info = store.info()
    assert info.folder == store.folder
    assert info.n_files == {"loss": 1, "tiles": 1, "ground": 3}
    on_disk = sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())
    assert sum(info.n_bytes.values()) == on_disk
    assert info.n_unfinished == 0


# Disks --------------------------------------------------------------------------------------------


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    store = Store(tmp_path / "file")
    with pytest.raises(StoreError, match=r"cannot write .*/file/loss/01/.*--store"):
        write(store)
    with pytest.raises(StoreError, match="cannot read"):
        store.read_loss(KEY)
    with pytest.raises(StoreError, match="cannot list"):
        store.info()


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "No space left on device"), (errno.EROFS, "Read-only file system")],
)
def test_a_full_or_read_only_disk(store, monkeypatch, code, words):
    write(store, OTHER)

    def refuse(*_args, **_kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreError) as error:
        write(store)
    for told in (str(store.folder), KEY, words, " MB", "prune", "--store", "ANKANG_COVERAGE_STORE"):
        assert told in str(error.value)
    monkeypatch.undo()
    assert [path.stem for path in store.folder.rglob("*") if path.is_file()] == [OTHER]


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX stands in for a full disk")
def test_a_disk_that_is_full_in_the_middle_of_a_file(store, small_region):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, limits[1]))
    try:
        with pytest.raises(StoreError, match="cannot write"):
            write(store)
        with pytest.raises(StoreError, match="cannot write"):
            store.write_ground(Ground.of(small_region))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not [path for path in store.folder.rglob("*") if path.is_file()]


# Threads and processes ----------------------------------------------------------------------------


def test_threads_may_write_and_read_the_same_keys(store):
    def work(n):
        key = keys(4)[n % 4]
        write(store, key)
        return store.read_loss(key)

    with ThreadPoolExecutor(8) as threads:
        for found in threads.map(work, range(48)):
            assert_same(found, WINDOW)
    assert store.info().n_files["loss"] == 4
    assert not list(store.folder.rglob("*.part"))


def write_and_read(store):
    """Return how many of the files that two processes write at once come back as they should."""
    whole = 0
    for _ in range(3):
        for key in keys(6):
            write(store, key)
            found = store.read_loss(key)
            whole += found is not None and np.array_equal(found.loss_cdb, WINDOW.loss_cdb)
    return whole


WORKER = """
import importlib.util, os, pickle, signal, sys
spec = importlib.util.spec_from_file_location("of_store", sys.argv[1])
tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tests)
store = tests.Store(sys.argv[2])
"""


def process(store, code):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER + code, __file__, store.folder],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_may_write_and_read_the_same_keys(store):
    both = [process(store, "print(tests.write_and_read(store))") for _ in range(2)]
    assert [int(one.communicate()[0]) for one in both] == [18, 18]
    assert store.verify() == []
    assert store.info().n_files["loss"] == 6


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
def test_what_a_killed_run_leaves_is_whole_and_the_rest_is_cleared(store):
    """Killed between writing and renaming: the one moment at which something is left behind."""
    one = process(
        store,
        "tests.write(store, tests.OTHER)\n"
        "tests.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "tests.write(store)\n",
    )
    assert one.wait() == -9
    (left,) = store.folder.rglob("*.part")
    assert store.verify() == []
    assert store.info().n_unfinished == 1
    assert left.exists()
    assert not store.has(KEY)  # a later run, though it writes nothing
    assert not left.exists()
    write(store)
    assert_same(store.read_loss(KEY), WINDOW)
    assert_same(store.read_loss(OTHER), WINDOW)
    assert not list(store.folder.rglob("*.part"))


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe of POSIX")
def test_what_is_no_file_is_found_and_cleared(store):
    path = write(store)
    path.unlink()
    os.mkfifo(path)
    (store.folder / "tiles").symlink_to("tiles")
    assert {one.path: one.reason for one in store.verify()} == dict.fromkeys(
        [path, store.folder / "tiles"], "no file or folder of the store"
    )
    assert store.info().n_files == {"loss": 0, "tiles": 0, "ground": 0}
    with pytest.warns(StoreWarning) as said:
        store.prune()
    assert n_of_store(said) == 2
    assert store.verify() == []
    write(store)
    assert_same(store.read_loss(KEY), WINDOW)


# Grounds ------------------------------------------------------------------------------------------


def test_a_ground_comes_back_mapped_into_memory(store, small_region):
    ground = Ground.of(replace(small_region, elevation_kind="dsm"))
    digest = store.write_ground(ground)
    found = store.read_ground(digest)
    assert found.geobox == ground.geobox
    assert found.table == ground.table
    assert (found.terrain, found.land_cover) == ("dsm", "classes")
    assert np.array_equal(found.elevation_m, ground.elevation_m)
    assert np.array_equal(found.class_index, ground.class_index)
    assert np.array_equal(found.class_height_m, ground.class_height_m)
    assert isinstance(found.elevation_m.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found.elevation_m[0, 0] = 0.0
    assert store.write_ground(found) == digest


def test_another_ground_has_another_digest(store, small_region):
    ground = Ground.of(small_region)
    higher = replace(ground, elevation_m=ground.elevation_m + 1)
    moved = replace(ground, geobox=ground.geobox.translate_pix(1, 0))
    digests = {store.write_ground(one) for one in (ground, higher, moved, ground)}
    assert len(digests) == 3
    assert np.array_equal(
        store.read_ground(store.write_ground(higher)).elevation_m, higher.elevation_m
    )


@pytest.mark.parametrize("suffix", [".json", ".elevation_m.npy", ".class_index.npy"])
def test_a_damaged_ground_is_refused_and_written_again(store, small_region, forget, suffix):
    ground = Ground.of(small_region)
    digest = store.write_ground(ground)
    flip(store.folder / "ground" / digest[:2] / (digest + suffix))
    forget()
    with pytest.warns(StoreWarning), pytest.raises(StoreError, match="Start the run again"):
        store.read_ground(digest)
    assert store.write_ground(ground) == digest
    assert np.array_equal(store.read_ground(digest).class_index, ground.class_index)
    assert store.verify() == []
