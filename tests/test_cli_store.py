"""The command `store`: what is kept, whether it is whole, and how to make it smaller."""

import subprocess
import sys

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage.loss.store import LossWindow, Store

GRID = GeoBox.from_bbox((300_000, 3_600_000, 315_000, 3_615_000), "EPSG:32649", resolution=30)
KEYS = ("0123456789abcdef", "fedcba9876543210")


def call(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "ankang_coverage", "store", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


@pytest.fixture
def folder(tmp_path):
    store = Store(tmp_path / "store")
    band = np.random.default_rng(0).integers(8_000, 20_000, (200, 200), np.int16)
    window = LossWindow(slice(0, 200), slice(100, 300), band, band, band)
    for key in KEYS:
        store.write_loss(key, window, GRID, {})
    return store.folder


def test_info_says_how_large_the_store_is(folder):
    done = call("info", "--store", folder)
    assert done.returncode == 0, done.stderr
    first, loss, tiles, ground, total = done.stdout.splitlines()
    assert first == str(folder)
    assert loss == "loss: 2 files, 0.000 GB"
    assert tiles.startswith("tiles: 0 files")
    assert ground.startswith("ground: 0 files")
    assert total == "all: 0.000 GB of the 12 GB allowed"


def test_a_store_that_is_not_there_yet_is_empty(tmp_path):
    done = call("info", "--store", tmp_path / "none")
    assert done.returncode == 0
    assert "loss: 0 files" in done.stdout
    done = call("verify", "--store", tmp_path / "none")
    assert done.returncode == 0
    assert done.stdout == f"there is no store at {tmp_path / 'none'}: nothing to check\n"
    assert not (tmp_path / "none").exists()


def test_verify_names_what_is_damaged(folder):
    path = folder / "loss" / KEYS[0][:2] / f"{KEYS[0]}.tif"
    path.write_bytes(path.read_bytes()[:-1])
    done = call("verify", "--store", folder)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == f"{path}: damaged or cut off"
    assert "damaged: 1 of 2 files" in done.stdout
    path.unlink()
    done = call("verify", "--store", folder)
    assert (done.returncode, done.stdout) == (0, "damaged: 0 of 1 files\n")


def test_prune_makes_it_smaller(folder):
    done = call("prune", "--store", folder, "--max-gb", 0)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 files removed, 0.000 GB, and 0 unfinished ones; 0.000 GB")
    assert not list(folder.rglob("*.tif"))


@pytest.mark.parametrize("size", ["inf", "nan", "-1"])
def test_a_size_that_is_none_ends_in_one_line(folder, size):
    done = call("prune", "--store", folder, "--max-gb", size)
    assert done.returncode == 2
    assert done.stderr == f"error: --max-gb {size}: give the gigabytes that may stay, 0 or more\n"
    assert len(list(folder.rglob("*.tif"))) == 2


def test_a_file_in_place_of_the_folder_ends_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    done = call("info", "--store", tmp_path / "file")
    assert done.returncode == 2
    assert done.stderr == f"error: --store {tmp_path / 'file'} is a file: name a folder\n"
