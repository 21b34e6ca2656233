"""What a run leaves that is killed, and what two runs make of one folder at the same time.

    python benchmarks/kills.py                              # 60 kills, 20 of them in the exchange
    python benchmarks/kills.py --kills 9 --in-exchange 3 --seed 7
    python benchmarks/kills.py --pairs 400                  # pairs of writers too

Two studies of the same small area, which differ in every file, share one folder of results. A run
of the one that does not stand there is killed by SIGKILL, at a random moment or, in the exchange,
when its journal is seen; then one of the two runs to its end. Every third run that is killed at a
random moment begins without a store. Counted are

- mixed: folders that hold files of both studies right after the kill, or after the next run;
- incomplete: folders that lack files right after the kill;
- left over: unfinished files, in the folder or the store, after the next run.

Of pairs of writers: how many left a mixed folder, and of how many one was refused.
"""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from rasterio.transform import from_origin
from shapely import box

X0, Y0, SIDE, CRS = 499_500.0, 3_618_000.0, 5_400.0, "EPSG:32649"
STUDY = """
lang = "{lang}"
[region]
name = "{name}"
villages = "villages.gpkg"
elevation = "elevation.tif"
resolution_m = 300
[network]
file = "sites.csv"
[propagation]
radius_m = 3000
time_percent = {time_percent}
[programme]
name = "{name}"
[[programme.targets]]
id = "micro-{name}"
kind = "micro"
number = {number}
service = "4g"
radio_layers = ["lte-b8"]
minimum_spacing_m = 500
[[programme.targets]]
id = "supporting-{name}"
kind = "supporting"
number = 1
service = "5g"
radio_layers = ["nr-n28"]
minimum_spacing_m = 500
"""
STUDIES = {
    "one": {"lang": "en", "time_percent": 50, "number": 2},
    "other": {"lang": "zh", "time_percent": 10, "number": 3},
}


def make_studies(folder: Path) -> None:
    """Write four villages in rolling hills, four sites, and two studies of them."""
    squares = [
        box(X0 + i * SIDE, Y0 + j * SIDE, X0 + (i + 1) * SIDE, Y0 + (j + 1) * SIDE)
        for j in range(2)
        for i in range(2)
    ]
    villages = gpd.GeoDataFrame(
        {
            "code": [f"61090210{n}20{m}" for n in (1, 2) for m in (1, 2)],
            "name": ["甲村", "乙村", "丙村", "丁村"],
            "people": [1000, 2000, 3000, 4000],
        },
        geometry=squares,
        crs=CRS,
    )
    villages.to_file(folder / "villages.gpkg", driver="GPKG")
    pixel, margin = 90.0, 3000.0
    n = int((2 * SIDE + 2 * margin) / pixel)
    y, x = np.mgrid[:n, :n] * pixel
    layout = {
        "driver": "GTiff",
        "width": n,
        "height": n,
        "count": 1,
        "dtype": "float32",
        "crs": CRS,
    }
    north_west = from_origin(X0 - margin, Y0 + 2 * SIDE + margin, pixel, pixel)
    with rasterio.open(folder / "elevation.tif", "w", transform=north_west, **layout) as raster:
        raster.write((400 + 150 * np.sin(x / 1500) * np.cos(y / 1800)).astype("float32"), 1)
    masts = gpd.GeoSeries([square.centroid for square in squares], crs=CRS).to_crs(4326)
    rows = [
        f"{n}-{azimuth},站{n},{mast.x:.6f},{mast.y:.6f},B8,30,{azimuth}"
        for n, mast in enumerate(masts)
        for azimuth in (0, 120, 240)
    ]
    header = "小区CGI,基站名称,经度,纬度,频段,挂高,方位角"
    (folder / "sites.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    for name, settings in STUDIES.items():
        (folder / f"{name}.toml").write_text(STUDY.format(name=name, **settings), "utf-8")


def start(folder: Path, name: str, out: Path) -> "subprocess.Popen[bytes]":
    """Start a run of a study."""
    command = [sys.executable, "-m", "ankang_coverage", "run", f"{name}.toml", "--quiet"]
    return subprocess.Popen(
        [*command, "--workers", "1", "--store", "store", "--out", str(out)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run(folder: Path, name: str, out: Path) -> float:
    """Run a study to its end, and return how long that took [s]."""
    began = time.monotonic()
    running = start(folder, name, out)
    _, told = running.communicate()
    if running.returncode:
        raise SystemExit(f"{name} ended with {running.returncode}: {told.decode()}")
    return time.monotonic() - began


def content(file: Path) -> bytes:
    """Return what is in a file of results, without the times that a summary tells."""
    if file.name != "summary.json":
        return file.read_bytes()
    told = json.loads(file.read_bytes())
    del told["seconds"]
    for result in told["chosen"].values():
        del result["search_seconds"]
    return json.dumps(told).encode()


def whose(out: Path, wholes: dict[str, dict[str, bytes]]) -> dict[str, str]:
    """Return by file of results whose it is: one of the studies, or nobody's."""
    owner = {}
    for file in sorted(out.iterdir()) if out.is_dir() else ():
        if not file.name.startswith("."):
            found = content(file)
            names = (name for name, whole in wholes.items() if whole.get(file.name) == found)
            owner[file.name] = next(names, "nobody")
    return owner


def left_over(folder: Path, out: Path) -> list[str]:
    """Return the names of unfinished files and of locks in results and store."""
    hidden = [path.name for path in out.iterdir() if path.name.startswith(".")]
    return hidden + [path.name for path in (folder / "store").rglob("*.part")]


def kill_at(moment_s: float) -> Callable[["subprocess.Popen[bytes]", Path], None]:
    """Return what kills a run some time after its start."""

    def kill(running: "subprocess.Popen[bytes]", _: Path) -> None:
        time.sleep(moment_s)
        running.kill()

    return kill


def kill_in_exchange(delay_s: float) -> Callable[["subprocess.Popen[bytes]", Path], None]:
    """Return what kills a run some time after it has begun to move files."""

    def kill(running: "subprocess.Popen[bytes]", out: Path) -> None:
        while running.poll() is None and not any(out.glob(".unfinished.*/journal")):
            pass
        until = time.perf_counter() + delay_s
        while time.perf_counter() < until:
            pass
        running.kill()

    return kill


def kills(folder: Path, number: int, in_exchange: int, chance: random.Random) -> Counter[str]:
    """Kill runs, and count what became of their folder."""
    wholes, seconds = {}, 0.0
    for name in STUDIES:
        run(folder, name, folder / name)
        seconds = run(folder, name, folder / name)
        wholes[name] = {file.name: content(file) for file in (folder / name).iterdir()}
    alike = [name for name, found in wholes["one"].items() if wholes["other"].get(name) == found]
    print(f"{len(wholes['one'])} files, alike in both studies: {alike or 'none'}; {seconds:.1f} s")
    out, tally = folder / "out", Counter[str]()
    shutil.copytree(folder / "other", out)
    standing = "other"
    while tally["kills"] < number:
        victim = next(name for name in STUDIES if name != standing)
        aimed = tally["in the exchange"] < in_exchange
        if not aimed and tally["kills"] % 3 == 0:
            shutil.rmtree(folder / "store")
        running = start(folder, victim, out)
        if aimed:
            kill_in_exchange(chance.uniform(0, 0.002))(running, out)
        else:
            kill_at(chance.uniform(0, 1.2 * seconds))(running, out)
        running.communicate()
        if running.returncode != -signal.SIGKILL:  # it was faster
            standing = victim
            continue
        in_it = any(out.glob(".unfinished.*/journal"))
        if aimed and not in_it:
            tally["aimed at the exchange and missed"] += 1
            continue
        tally["kills"] += 1
        tally["in the exchange"] += in_it
        after = whose(out, wholes)
        tally["mixed after the kill"] += len(set(after.values())) > 1
        tally["incomplete after the kill"] += all(
            after.keys() != whole.keys() for whole in wholes.values()
        )
        tally["killed runs that left something"] += bool(left_over(folder, out))
        standing = chance.choice(list(STUDIES))
        seconds = run(folder, standing, out)
        expected = dict.fromkeys(wholes[standing], standing)
        tally["not whole after the next run"] += whose(out, wholes) != expected
        left = left_over(folder, out)
        tally["left over after the next run"] += bool(left)
        if left:
            print(f"left over: {left}")
        print(f"{tally['kills']}: {dict(tally)}", flush=True)
    return tally


WRITER = """
import sys
from ankang_coverage.errors import FileError
from ankang_coverage.files import write_together
folder, text = sys.argv[1:]
for _ in sys.stdin:
    try:
        write_together(folder, {f"{n}.csv": lambda path: path.write_text(text) for n in range(14)})
        print("done", flush=True)
    except FileError as error:
        print(error, flush=True)
"""


def pairs(folder: Path, number: int) -> Counter[str]:
    """Let two processes write a set into one folder at the same time, and count what came of it."""
    tally = Counter[str](pairs=number, mixed=0, refused=0)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), text],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for text in STUDIES
    ]
    for _ in range(number):
        for writer in writers:
            print("go", file=writer.stdin, flush=True)
        said = [writer.stdout.readline() for writer in writers]
        tally["refused"] += said != ["done\n", "done\n"]
        tally["mixed"] += len({path.read_text() for path in folder.glob("*.csv")}) != 1
    for writer in writers:
        writer.communicate()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--in-exchange", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.pairs:
            print(dict(pairs(Path(folder), asked.pairs)))
    with tempfile.TemporaryDirectory() as folder:
        if asked.kills:
            make_studies(Path(folder))
            kills(Path(folder), asked.kills, asked.in_exchange, random.Random(asked.seed))


if __name__ == "__main__":
    main()
