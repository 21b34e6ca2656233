"""Threads, processes, a Dask cluster, killed or not: the same bits, and nothing broken."""

import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

import ankang_coverage
from ankang_coverage.coverage import Work, predict
from ankang_coverage.coverage.execution.cluster import cluster
from ankang_coverage.coverage.loss.store import Store
from ankang_coverage.coverage.site_reach import reach

TERRAIN = ankang_coverage.Propagation(radius_m=4000.0, micro_radius_m=2500.0)
MOST_BYTES = 200_000
PATIENCE_S = 120
"""After which a test that waits for another process gives up."""

# One answer, whoever works it out -----------------------------------------------------------------


@pytest.fixture(scope="module")
def scene(make_region, make_network):
    """Sixteen towers and eight candidates over hills, on four tiles."""
    region = make_region((300, 300), 90.0, holes=((0.4, 0.4, 0.45, 0.45),), seed=8)
    rng = np.random.default_rng(8)

    def sites(prefix, n, kind):
        return [
            (
                f"{prefix}{i}",
                *rng.uniform(5, 295, 2),
                kind,
                [
                    (layer, {"azimuths_deg": rng.uniform(0, 360, 2), "height_m": 25.0 + i})
                    for layer in ("lte-b8", "lte-b3")
                ],
            )
            for i in range(n)
        ]

    return (
        region,
        make_network(region, sites("S", 16, "macro")),
        make_network(region, sites("C", 8, "micro")),
    )


def answer(scene, store, executor, progress=None):
    """Everything a scene comes to: all pixels of all variables, and reach; as bytes."""
    region, network, new = scene
    coverage = predict(
        region, network, "4g", propagation=TERRAIN, work=Work(store, executor, progress)
    )  # fmt: skip
    pixels = {name: coverage[name].to_numpy().tobytes() for name in coverage.to_dataset().data_vars}
    reached = [p.tobytes() for p in reach(coverage, new)]
    counts = dict(coverage.counts)
    return pixels, reached, counts


def files_of(store):
    """Whatever a store holds, by name."""
    found = {p.name: p.read_bytes() for p in store.folder.rglob("*") if p.is_file()}
    assert len(found) > 40
    return found


@pytest.fixture(scope="module")
def expected(scene, tmp_path_factory):
    """One thread's answer, and its store."""
    store = Store(tmp_path_factory.mktemp("one"))
    with ThreadPoolExecutor(1) as one:
        return answer(scene, store, one), files_of(store)


@contextmanager
def processes(n):
    with ProcessPoolExecutor(n, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.mark.parametrize(
    "workers",
    [lambda: ThreadPoolExecutor(2), lambda: ThreadPoolExecutor(8), lambda: processes(2)],
    ids=["2 threads", "8 threads", "2 processes"],
)
def test_any_executor_gives_the_same_bits(scene, expected, store, workers):
    with workers() as executor:
        assert answer(scene, store, executor) == expected[0]
    assert files_of(store) == expected[1]


class Weighing(Executor):
    """Pickles what is submitted and what comes back, as a cluster would, and weighs both."""

    def __init__(self):
        self.threads = ThreadPoolExecutor(2)
        self.sent, self.returned = [], []

    def submit(self, fn, /, *args):
        parcel = pickle.dumps((fn, args))
        self.sent.append(len(parcel))

        def unpacked():
            function, arguments = pickle.loads(parcel)
            result = function(*arguments)
            self.returned.append(len(pickle.dumps(result)))
            return result

        return self.threads.submit(unpacked)


def test_no_raster_travels_in_a_task(scene, expected, store):
    executor = Weighing()
    assert answer(scene, store, executor) == expected[0]
    executor.threads.shutdown()
    assert len(executor.sent) > 16  # towers, tiles and candidates
    assert max(executor.sent) < MOST_BYTES
    assert max(executor.returned) < MOST_BYTES


# A Dask cluster -----------------------------------------------------------------------------------


def test_two_dask_workers_of_two_threads_give_the_same_bits(scene, expected, store, workers):
    with cluster(workers, store) as executor:
        assert answer(scene, store, executor) == expected[0]
    assert files_of(store) == expected[1]


def test_a_dask_worker_killed_in_the_middle_costs_its_tasks_only(scene, expected, store, workers):
    killed = []

    def kill_one(ids, _stage):
        for n, id_ in enumerate(ids):
            if n == 2 and not killed:
                killed.append(max(pids.values()))
                os.kill(killed[0], signal.SIGKILL)
            yield id_

    with cluster(workers, store) as executor:
        pids = executor._client.run(os.getpid)
        assert len(set(pids.values())) == 2
        assert answer(scene, store, executor, kill_one) == expected[0]
    assert len(killed) == 1
    assert store.verify() == []
    whole = {name: b for name, b in files_of(store).items() if not name.endswith(".part")}
    assert whole == expected[1]


# A whole study, interrupted -----------------------------------------------------------------------

STUDY = """
lang = "en"
[region]
villages = "villages.gpkg"
elevation = ["dem.tif"]
resolution_m = 90
[network]
file = "sites.csv"
[propagation]
model = "p1812"
radius_m = 3000
micro_radius_m = 2500
[services.4g]
rsrp_threshold_dbm = -84
[programme]
name = "p"
[[programme.targets]]
id = "micro"
kind = "micro"
number = 2
service = "4g"
radio_layers = ["lte-b8"]
minimum_spacing_m = 500
"""

HOST = """
import os, sys
import ankang_coverage.coverage.prediction, ankang_coverage.reporting.exports
import ankang_coverage.scenario
from ankang_coverage.cli import main

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)
        sys.argv = ["ankang-coverage", *line.split()]
        try:
            main()
        except SystemExit as done:
            os._exit(done.code or 0)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs one command after the other, each in a process of its own that has everything imported."""


class Host:
    def __init__(self, folder):
        self.folder = folder
        self.errors = (folder / "host.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.errors, cwd=folder, text=True,
        )  # fmt: skip

    def start(self, out, store):
        self.process.stdin.write(
            f"run study.toml --out {out} --store {store} --quiet --workers 2\n"
        )
        self.process.stdin.flush()
        return int(self._line())

    def exit_code(self):
        return int(self._line())

    def _line(self):
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def study(tmp_path_factory, small_region, small_network):
    """A user's files for a small study over terrain."""
    folder = tmp_path_factory.mktemp("study")
    small_region.villages[["name", "kind", "people", "geometry"]].rename_axis(
        "区划代码"
    ).reset_index().to_file(folder / "villages.gpkg")
    geobox = small_region.geobox
    with rasterio.open(
        folder / "dem.tif", "w", driver="GTiff", height=60, width=60, count=1, dtype="float32",
        crs=str(geobox.crs), transform=geobox.transform,
    ) as dem:  # fmt: skip
        dem.write(small_region.rasters["elevation_m"].to_numpy(), 1)
    lonlat = small_network.sites.geometry.to_crs(4326)
    rows = [
        {
            "基站名称": small_network.sites.at[cell.site, "name"],
            "经度": lonlat[cell.site].x,
            "纬度": lonlat[cell.site].y,
            "挂高": cell.height_m,
            "方位角": cell.azimuth_deg,
            "频段": "B8",
            "站点类型": "宏站",
        }
        for cell in small_network.cells.itertuples()
        if cell.radio_layer == "lte-b8"
    ]
    pd.DataFrame(rows).to_csv(folder / "sites.csv", index=False, encoding="utf-8")
    (folder / "study.toml").write_text(STUDY, "utf-8")
    return folder


def results_of(out):
    """Tables and rasters of a study, by name."""
    found = {p.name: p.read_bytes() for p in Path(out).iterdir() if p.suffix in {".csv", ".tif"}}
    assert len(found) > 4
    return found


@pytest.fixture(scope="module")
def host(study):
    host = Host(study)
    yield host
    host.process.stdin.close()
    host.process.wait(PATIENCE_S)
    host.errors.close()


@pytest.fixture(scope="module")
def uninterrupted(study, host):
    host.start("whole", "whole-store")
    assert host.exit_code() == 0, (study / "host.log").read_text()
    return results_of(study / "whole")


def files_in(folder):
    """Finished files, each with what tells it from another of the same name."""
    found = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    return {(p, p.stat().st_ino) for p in found}


def test_killed_ten_times_a_run_ends_with_the_same_bytes(study, host, uninterrupted, wait_until):
    """Killed outright at ten random moments, two of them while results are written."""
    dice = random.Random(20)
    out, store = study / "killed", study / "killed-store"
    n_killed = 0
    for attempt in range(10):
        place = store if attempt < 8 else out
        before, n_new = files_in(place), dice.randrange(4)
        child = host.start(out, store)
        wait_until(partial(_has_written, n_new, place, before, child))
        time.sleep(dice.random() * 0.05)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        n_killed += host.exit_code() == -signal.SIGKILL
        assert Store(store).verify() == []
    assert n_killed >= 8
    host.start(out, store)
    assert host.exit_code() == 0
    assert results_of(out) == uninterrupted
    assert Store(store).verify() == []
    assert [*store.rglob("*.part"), *store.rglob(".*")] == []


def _has_written(n_new, place, before, child):
    try:
        os.kill(child, 0)
    except ProcessLookupError:
        return True
    with suppress(FileNotFoundError):  # a file on its way to its place
        return len(files_in(place) - before) >= n_new
    return False


def command(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "ankang_coverage", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip


def test_the_command_on_a_cluster_ends_with_the_same_bytes(study, uninterrupted, workers, tmp_path):
    done = command(
        "run", "study.toml", "--out", tmp_path / "out", "--store", tmp_path / "store",
        "--scheduler", workers, "--quiet", cwd=study,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert results_of(tmp_path / "out") == uninterrupted


def test_a_scheduler_that_is_not_there_is_one_line_and_nothing_is_written(
    study, tmp_path, free_port
):
    done = command(
        "run", "study.toml", "--out", tmp_path / "out", "--store", tmp_path / "store",
        "--scheduler", f"tcp://127.0.0.1:{free_port()}", "--quiet", cwd=study,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: no scheduler answers at tcp://127.0.0.1")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
