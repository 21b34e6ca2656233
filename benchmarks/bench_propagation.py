"""How fast the sweep is, and how its peers do in the same run.

    python benchmarks/bench_propagation.py [--tile N44W072.hgt] [--radius-km 3 10 15] [--quick]

Prints, for a mast in the middle of an SRTM tile whose pixels are taken as 30 m (made-up mountains
where there is none): pixels a second on one core and how the time for a pixel grows with the
radius, the gain of a second core, memory, the first call with and without the cache on disk, and
what pycraf's area map and itmlogic (extra ``bench``) reach. Times are medians; ratios are medians
of ratios of neighbouring runs, so that a busy machine disturbs them least.
"""

import argparse
import contextlib
import importlib.util
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np

from ankang_coverage._jit import CACHE_SWITCH
from ankang_coverage.propagation.sweep import Clutter, Mast, Sweep, Terrain, sweep, sweep_many

TILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "dem_formats" / "N44W072.hgt"
PIXEL_M = 30.0
MAST = Mast(600.0, 600.0, 30.0)
LINK = {"frequency_mhz": 900.0, "latitude_deg": 44.5}

FIRST_CALL = """
import time; start = time.perf_counter()
import numpy as np
from ankang_coverage.propagation.sweep import Mast, Terrain, sweep
terrain = Terrain(np.zeros((201, 201), np.float32), 30.0)
start = time.perf_counter()
sweep(terrain, Mast(100, 100, 30.0), radius_m=2000, frequency_mhz=900, latitude_deg=33)
print(time.perf_counter() - start)
"""


def read_tile(path: Path) -> np.ndarray:
    if path.is_file():
        heights = np.fromfile(path, ">i2").reshape(1201, 1201).astype(np.float32)
        return np.where(heights > -1000, heights, np.nan)
    row, col = np.mgrid[:1201, :1201] / 1200
    waves = [
        400 / (1 + k) * np.sin(k * 7 * row + 3 * k) * np.cos(k * 5 * col + k) for k in range(1, 9)
    ]
    return (600 + sum(waves)).astype(np.float32)


def with_clutter(elevation: np.ndarray) -> Terrain:
    """Patches of 300 m with heights up to 20 m."""
    classes = np.random.default_rng(1).integers(0, 4, (121, 121), dtype=np.uint8)
    index = np.ascontiguousarray(classes.repeat(10, 0).repeat(10, 1)[:1201, :1201])
    table = [0.0, 5.0, 12.0, 20.0], [0.0, 40.0, 50.0, 80.0], [0.0, 3.0, 8.0, 15.0]
    return Terrain(elevation, PIXEL_M, Clutter(index, *table))


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def run_sweep(terrain: Terrain, radius_km: float) -> Sweep:
    return sweep(terrain, MAST, radius_m=1e3 * radius_km, **LINK)


def pixels(result: Sweep) -> int:
    return int(np.isfinite(result.loss_db[0, 0]).sum())


def bench_radius(terrains: dict[str, Terrain], radii_km: list[float], repeats: int) -> None:
    print("\nmedian P.1812, one core, terrain extraction included")
    for name, terrain in terrains.items():
        counts = [pixels(run_sweep(terrain, radius)) for radius in radii_km]
        runs = [
            [
                seconds(partial(run_sweep, terrain, radius)) / count
                for radius, count in zip(radii_km, counts, strict=True)
            ]
            for _ in range(repeats)
        ]
        for position, (radius, count) in enumerate(zip(radii_km, counts, strict=True)):
            each = [run[position] for run in runs]
            growth = statistics.median(run[position] / run[0] for run in runs)
            print(
                f"  {name:14} {radius:5.1f} km {count:8,} pixels  "
                f"{1e-6 / statistics.median(each):5.2f} M/s (best {1e-6 / min(each):.2f})  "
                f"{1e9 * statistics.median(each):4.0f} ns each, ×{growth:.2f}"
            )


def bench_threads(terrain: Terrain, repeats: int) -> None:
    masts = [Mast(400.0 + 50 * i, 800.0 - 50 * i, 30.0) for i in range(8)]
    options = {"radius_m": 10_000.0, **LINK}
    print(f"\n{len(masts)} masts of 10 km on threads ({os.cpu_count()} processors)")
    counts = [1, 2]
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
        runs = [
            [
                seconds(partial(sweep_many, terrain, masts, executor=executor, **options))
                for executor in (one, two)
            ]
            for _ in range(repeats)
        ]
    for position, count in enumerate(counts):
        gain = statistics.median(run[0] / run[position] for run in runs)
        taken = statistics.median(run[position] for run in runs)
        print(f"  {count} thread(s) {taken:.3f} s  ×{gain:.2f}, efficiency {gain / count:.0%}")


def bench_memory(terrain: Terrain) -> None:
    tracemalloc.start()
    result = sweep(terrain, MAST, radius_m=10_000, **LINK)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"\nmemory {peak / result.required_height_m.size:.1f} bytes for a pixel of the window")


def bench_first_call() -> None:
    print("\nfirst call, imports not included")
    with tempfile.TemporaryDirectory() as folder:
        for name, switch in (("compiled", "1"), ("from disk", "1"), ("no cache", "0")):
            environment = os.environ | {"NUMBA_CACHE_DIR": folder, CACHE_SWITCH: switch}
            command = [sys.executable, "-c", FIRST_CALL]
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=True
            )
            print(f"  {name:10} {float(done.stdout):5.1f} s")


def bench_pycraf(folder: Path) -> None:
    """P.452's area map, the nearest thing in Python, profiles included."""
    u, pathprof = import_module("astropy.units"), import_module("pycraf.pathprof")
    with pathprof.SrtmConf.set(srtm_dir=str(folder), download="never", server="viewpano"):
        start = time.perf_counter()
        with contextlib.redirect_stdout(None):
            data = pathprof.height_map_data(
                -71.5 * u.deg, 44.5 * u.deg, 0.12 * u.deg, 0.09 * u.deg, map_resolution=3 * u.arcsec
            )
        losses = pathprof.atten_map_fast(
            0.9 * u.GHz, 290 * u.K, 1013 * u.hPa, 30 * u.m, 1.5 * u.m, 50 * u.percent, data
        )
        taken = time.perf_counter() - start
    count = losses["L_b"].size
    print(f"  pycraf, P.452 over {count:,} pixels of 3″ to 5 km: {count / taken:,.0f} a second")


def bench_itmlogic(elevation: np.ndarray, count: int) -> None:
    """The irregular terrain model, point to point along a row of the tile."""
    qlrpfl = import_module("itmlogic.preparatory_subroutines.qlrpfl").qlrpfl
    wave_number = 900.0 / 47.7
    permittivity = complex(15.0, 376.62 * 0.005 / wave_number)
    start = time.perf_counter()
    for row in range(count):
        heights = elevation[300 + row, 400:623].tolist()
        qlrpfl(
            {
                "pfl": [len(heights) - 1, PIXEL_M, *heights],
                "fmhz": 900.0,
                "hg": [30.0, 1.5],
                "ipol": 1,
                "klimx": 5,
                "mdvarx": 11,
                "lvarx": 0,
                "lvar": 5,
                "kwx": 0,
                "mdp": -1,
                "wn": wave_number,
                "ens": 315.0,
                "gme": 157e-9 * (1 - 0.04665 * math.exp(315.0 / 179.3)),
                "zgnd": np.sqrt(permittivity - 1) / permittivity,
            }
        )
    taken = time.perf_counter() - start
    print(f"  itmlogic, 223 samples: {count / taken:,.0f} paths a second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tile", type=Path, default=TILE)
    parser.add_argument("--radius-km", type=float, nargs="+", default=[3.0, 10.0, 15.0])
    parser.add_argument("--quick", action="store_true", help="few repetitions, no first calls")
    arguments = parser.parse_args()
    elevation = read_tile(arguments.tile)
    repeats = 3 if arguments.quick else 15
    terrains = {
        "mountains": Terrain(elevation, PIXEL_M),
        "with clutter": with_clutter(elevation),
        "plain": Terrain(np.full_like(elevation, 200.0), PIXEL_M),
    }
    bench_radius(terrains, arguments.radius_km, repeats)
    bench_threads(terrains["with clutter"], repeats // 2 + 1)
    bench_memory(terrains["with clutter"])
    if not arguments.quick:
        bench_first_call()
    print("\npeers, one core")
    if importlib.util.find_spec("pycraf") and arguments.tile.is_file():
        bench_pycraf(arguments.tile.parent)
    else:
        print("  pycraf is not installed, or there is no tile")
    if importlib.util.find_spec("itmlogic"):
        bench_itmlogic(elevation, 20 if arguments.quick else 200)
    else:
        print("  itmlogic is not installed")


if __name__ == "__main__":
    main()
