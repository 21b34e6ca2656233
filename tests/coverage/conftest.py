"""Regions and networks of several tiles, made by hand, on which every path loss is quick."""

import os
import socket
import subprocess
import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from odc.geo.geobox import GeoBox
from shapely import box

from ankang_coverage.coverage.loss.store import Store
from ankang_coverage.region import Region, Source, as_divisions, as_raster
from ankang_coverage.region.divisions import dissolve
from ankang_coverage.sites import Network, make_cells, no_rejections

CRS = "EPSG:32649"
WEST, NORTH = 480_000.0, 3_660_000.0
WIDE = {"shape": (300, 800), "pixel_m": 100.0, "villages": ((0.02, 0.05, 0.98, 0.5),)}
PATIENCE_S = 120
"""After which a test that waits for another process gives up."""


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture(scope="session")
def make_region():
    """Make hills of (rows, columns) pixels with villages on given parts of them."""

    def make(
        shape=(300, 560), pixel_m=100.0, *, villages=((0.0, 0.0, 1.0, 1.0),), holes=(), seed=0
    ):
        """`villages` are (west, north, east, south) in shares of the grid; `holes` likewise."""
        rng = np.random.default_rng(seed)
        rows, columns = shape
        # The origin is no whole number of pixels, so that snapping would show.
        east, south = WEST + columns * pixel_m, NORTH - rows * pixel_m
        geobox = GeoBox.from_bbox((WEST, south, east, NORTH), CRS, shape=shape)
        codes = [f"610901101{901 + n}" for n in range(len(villages))]
        table = gpd.GeoDataFrame(
            {
                "name": [f"模拟村{code[-2:]}" for code in codes],
                "kind": "village",
                "people": rng.integers(100, 2000, len(codes)),
                "geometry_source": "synthetic",
            },
            geometry=[
                box(
                    WEST + w * columns * pixel_m,
                    NORTH - s * rows * pixel_m,
                    WEST + e * columns * pixel_m,
                    NORTH - n * rows * pixel_m,
                )
                for w, n, e, s in villages
            ],
            crs=CRS,
            index=pd.Index(codes, name="village"),
        )
        table = as_divisions(table, "village")
        y, x = np.mgrid[0:rows, 0:columns] * pixel_m
        elevation = 600 + sum(
            rng.uniform(20, 90) * np.sin(x / rng.uniform(600, 3000) + y / rng.uniform(600, 3000))
            for _ in range(6)
        )
        for w, n, e, s in holes:
            elevation[int(n * rows) : int(s * rows), int(w * columns) : int(e * columns)] = np.nan
        rasters = {
            "elevation_m": elevation,
            "land_cover": rng.choice([10, 40, 50], shape),
            "population": rng.gamma(0.3, 1.0, shape),
        }
        return Region(
            name="hills",
            counties=dissolve(table, "county"),
            townships=dissolve(table, "township"),
            villages=table,
            rasters=xr.Dataset({k: as_raster(v, geobox, k) for k, v in rasters.items()}),
            sources=(Source("everything", "synthetic", "made by hand for tests"),),
        )

    return make


@pytest.fixture(scope="session")
def wide(make_region):
    """Return a region of two by four tiles, whose villages leave the second row empty."""
    return make_region(**WIDE)


@pytest.fixture(scope="session")
def make_network():
    """Make a network of (id, x px, y px, kind, cells) on a region, for cells as `make_cells`."""

    def make(region, rows):
        geobox = region.geobox
        places = [geobox.transform * (x, y) for _, x, y, _, _ in rows]
        sites = gpd.GeoDataFrame(
            {
                "name": [id_ for id_, *_ in rows],
                "status": "existing",
                "kind": [kind for *_, kind, _ in rows],
                "source": "synthetic",
            },
            index=pd.Index([id_ for id_, *_ in rows], name="site"),
            geometry=gpd.points_from_xy([x for x, _ in places], [y for _, y in places]),
            crs=CRS,
        )
        cells = [
            make_cells([id_], layer, kind=kind, **settings)
            for id_, _, _, kind, on_air in rows
            for layer, settings in on_air
        ]
        return Network(sites=sites, cells=pd.concat(cells), rejected=no_rejections())

    return make


@pytest.fixture
def written(monkeypatch):
    """Count what is written into stores, by kind."""
    counts = {"loss": [], "tiles": []}
    for kind, name in (("loss", "write_loss"), ("tiles", "write_tile")):
        original = getattr(Store, name)

        def counted(self, key, *args, _original=original, _kind=kind):
            counts[_kind].append(key)
            return _original(self, key, *args)

        monkeypatch.setattr(Store, name, counted)
    return counts


# Other processes ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wait_until():
    """Wait for what another process or thread does."""

    def wait(happened):
        end = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < end, "nothing happened"
            time.sleep(0.005)

    return wait


@pytest.fixture(scope="session")
def free_port():
    """Return a port of this machine that nobody listens at."""

    def port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return port


class Dask:
    """Dask's commands, started as one would by hand."""

    def __init__(self, folder, free_port, wait_until):
        self.folder = folder
        self.free_port, self.wait_until = free_port, wait_until
        self.started = []

    def start(self, *arguments, python_path=None):
        """Start a command, with modules of another folder before all others if one is given."""
        paths = [str(python_path), os.environ.get("PYTHONPATH", "")]
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *map(str, arguments), "--no-dashboard"],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | ({"PYTHONPATH": os.pathsep.join(paths)} if python_path else {}),
            )
        self.started.append(process)
        return process

    def scheduler(self):
        """Start a scheduler; return its process and address."""
        port = self.free_port()
        process = self.start("scheduler", "--host", "127.0.0.1", "--port", port)
        self.wait_until(lambda: _answers(port))
        return process, f"tcp://127.0.0.1:{port}"

    def worker(self, scheduler, *options, **others):
        """Start a worker of a scheduler, and wait until it is there."""
        from distributed import Client

        with Client(scheduler, timeout=PATIENCE_S, set_as_default=False) as client:
            before = len(client.nthreads())
            process = self.start("worker", scheduler, *options, **others)
            self.wait_until(lambda: len(client.nthreads()) > before)
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def end(self):
        for process in reversed(self.started):
            self.stop(process)


def _answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def dask(tmp_path_factory, free_port, wait_until):
    """Start schedulers and workers that end with the module's tests."""
    dask = Dask(tmp_path_factory.mktemp("dask"), free_port, wait_until)
    try:
        yield dask
    finally:
        dask.end()


@pytest.fixture(scope="module")
def workers(dask):
    """Address of a scheduler with two workers of two threads each."""
    _, scheduler = dask.scheduler()
    dask.worker(scheduler, "--nworkers", 2, "--nthreads", 2)
    from distributed import Client

    with Client(scheduler, timeout=PATIENCE_S, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=PATIENCE_S)
    return scheduler
