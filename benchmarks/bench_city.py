"""How long a city takes: its first prediction, the next one, and a site that moves.

    python benchmarks/bench_city.py                 # one county at 30 m, about a sixteenth
    python benchmarks/bench_city.py --full          # 3,000 towers, 10,000 candidates, 30 m
    python benchmarks/bench_city.py --growth        # how time grows with sites and with area

Three sectors on two radio layers stand on every tower, predicted over 15 km; candidates are poles
with one carrier, over 5 km. Land, people and sites are synthetic. Cold: nothing is stored.
Warm: path losses are stored, everything after them is computed again. Each step runs in a process
of its own, whose peak of memory is printed with its time.
"""

import argparse
import dataclasses
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.affinity import translate

import ankang_coverage as ac
from ankang_coverage import datasets
from ankang_coverage.coverage import reach, update_summary
from ankang_coverage.coverage.loss.store import Store
from ankang_coverage.region import Region
from ankang_coverage.sites import Network, make_cells, no_rejections

COUNTY = "610921"  # 汉阴县, 1,365 of 23,442 km²
STEPS = ("cold", "warm", "moved")
RADIO_LAYER = "lte-b8"


def cut(region: Region, county: str) -> Region:
    """Return one county of a region with the land round it."""
    counties = region.counties.loc[[county]]
    west, south, east, north = counties.total_bounds
    round_it = {"x": slice(west - 3000, east + 3000), "y": slice(north + 3000, south - 3000)}
    grid = region.rasters.sel(round_it)
    return dataclasses.replace(
        region,
        counties=counties,
        townships=region.townships[region.townships["county"] == county],
        villages=region.villages[region.villages["county"] == county],
        rasters=grid,
    )


def towers(region: Region, whole: Region, share: float) -> Network:
    """Return every n-th tower of the built-in network that stands in a region, 4G only."""
    network = datasets.ankang_network(whole).with_radio_layers(["lte-b8", "lte-b3"])
    inside = network.sites.within(region.counties.union_all())
    ids = network.sites.index[inside]
    return network.with_sites(ids[:: round(1 / share)])


def candidates(region: Region, number: int, seed: int = 4) -> Network:
    """Return poles at random places where people live, by how many."""
    rng = np.random.default_rng(seed)
    people = region.rasters["population"].to_numpy().ravel().astype(float)
    pixels = rng.choice(people.size, number, replace=False, p=people / people.sum())
    row, column = np.divmod(pixels, region.geobox.shape[1])
    x, y = region.geobox.transform * (column + 0.5, row + 0.5)
    ids = pd.Index([f"candidate-{n:05d}" for n in range(number)], name="site")
    sites = gpd.GeoDataFrame(
        {"name": ids, "status": "candidate", "kind": "micro", "source": "synthetic"},
        index=ids,
        geometry=gpd.points_from_xy(x, y),
        crs=region.villages.crs,
    )
    cells = make_cells(ids, RADIO_LAYER, kind="micro", azimuths_deg=[0.0], height_m=10.0)
    return Network(sites=sites, cells=cells, rejected=no_rejections())


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(step: str, options: argparse.Namespace) -> dict[str, float]:
    """Do one step in this process."""
    whole = datasets.ankang(options.resolution)
    region = cut(whole, COUNTY) if options.county else whole
    network = towers(region, whole, options.share)
    poles = candidates(region, options.candidates)
    region.shares  # noqa: B018  laying villages over pixels is no part of predicting
    store = Store(options.store)
    figures: dict[str, float] = {
        "towers": len(network.sites),
        "pixels": region.geobox.shape[0] * region.geobox.shape[1],
        "region_mb": peak_mb(),
    }

    def timed(name: str, start: float) -> None:
        figures[name] = time.perf_counter() - start

    with ThreadPoolExecutor(max_workers=options.threads) as threads:
        start = time.perf_counter()
        coverage = ac.predict(region, network, "4g", work=ac.Work(store, threads))
        timed("predict_s", start)
        overlay = time.perf_counter()
        summary = ac.summarise_region(coverage, region)
        timed("villages_s", overlay)
        if step == "moved":
            network = moved(network)
            start = time.perf_counter()
            after = ac.predict(region, network, "4g", work=ac.Work(store, threads))
            update_summary(summary, after, region, *coverage.changed_windows(after))
            timed("moved_s", start)
        elif len(poles.sites):
            reached = time.perf_counter()
            figures["pairs"] = float(sum(len(p) for p in reach(coverage, poles)))
            timed("candidates_s", reached)
        timed("total_s", start)
    figures["people_covered"] = float(summary["counties"]["people_covered"].sum())
    figures["peak_mb"] = peak_mb()
    figures["store_gb"] = sum(f.stat().st_size for f in Path(options.store).rglob("*.*")) / 1e9
    return figures


def moved(network: Network) -> Network:
    """Return the network with the tower in its middle moved by 300 m."""
    sites = network.sites.copy()
    place = sites.columns.get_loc("geometry")
    middle = len(sites) // 2
    sites.iloc[middle, place] = translate(sites.geometry.iloc[middle], 300.0)
    return dataclasses.replace(network, sites=sites)


def run(step: str, options: argparse.Namespace) -> dict[str, float]:
    """Do one step in a process of its own."""
    arguments = [
        *(sys.executable, __file__, "--step", step, "--store", str(options.store)),
        *("--share", str(options.share), "--candidates", str(options.candidates)),
        *("--resolution", str(options.resolution), "--threads", str(options.threads)),
        *(["--county"] if options.county else []),
    ]
    told = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    figures: dict[str, float] = json.loads(told.splitlines()[-1])
    print(f"{step:6}", "  ".join(f"{name} {value:,.1f}" for name, value in figures.items()))
    return figures


def city(options: argparse.Namespace) -> None:
    """Cold, warm, and a tower that moves."""
    for step in STEPS:
        if step == "warm":
            shutil.rmtree(Path(options.store) / "tiles")
        run(step, options)


def growth(options: argparse.Namespace) -> None:
    """Print how the time of a cold prediction grows with the number of towers."""
    seconds = {}
    for share in (0.25, 0.5, 1.0):
        with tempfile.TemporaryDirectory() as folder:
            changed = argparse.Namespace(**{**vars(options), "share": share, "store": folder})
            figures = run("cold", changed)
            seconds[figures["towers"]] = figures["predict_s"]
    towers_, times = np.log(list(seconds)), np.log(list(seconds.values()))
    print(f"time grows with towers to the power {np.polyfit(towers_, times, 1)[0]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the whole city")
    parser.add_argument("--growth", action="store_true", help="time against towers")
    parser.add_argument("--share", type=float, default=1.0, help="of the towers")
    parser.add_argument("--candidates", type=int, help="10,000, or 600 in the county")
    parser.add_argument("--resolution", type=float, default=30.0, help="side of a pixel [m]")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--store", help="folder; a temporary one when omitted")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--county", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(measured(options.step, options)))
        return
    options.county = not options.full
    if options.candidates is None:
        options.candidates = 10_000 if options.full else 600
    if options.growth:
        growth(options)
    elif options.store:
        city(options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            options.store = folder
            city(options)


if __name__ == "__main__":
    main()
