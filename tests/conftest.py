"""What every test may ask for, and the rules every test keeps: no skips in CI, no network."""

import os
import shutil
import socket
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib
settings.register_profile("ankang_coverage", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ankang_coverage")

ROOT = Path(__file__).resolve().parents[1]
collect_ignore = ["typing/users_script.py"]  # for type checkers: its files do not exist
SLOW = (
    "coverage/",
    "datasets/test_builtin.py",
    "datasets/test_network.py",
    "planning/",
    "reporting/",
    "test_cli",
    "test_docs.py",
    "test_fuzz.py",
    "test_packaging.py",
    "test_scenario.py",
)
"""Folders and files whose tests take more than a second of processor time, or share what does."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of other people's data and published values, beside the repository."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("there is no folder ../shared with data to test against")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser that opens maps and reports."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return Path(found)
    pytest.skip(f"none of the browsers {', '.join(BROWSERS)} is installed")


_STORE = pytest.StashKey[TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests compute out of the user's store, and their results off what it holds.

    Processes that test at the same time share one, as processes may: what a test finds there is
    what it would have computed.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.stash[_STORE] = TemporaryDirectory(prefix="ankang-coverage-")
        os.environ["ANKANG_COVERAGE_STORE"] = config.stash[_STORE].name


def pytest_unconfigure(config: pytest.Config) -> None:
    if _STORE in config.stash:
        config.stash[_STORE].cleanup()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-all", action="store_true", help="a skipped test is a failure")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test-fast` leaves out; single slow tests carry the mark themselves."""
    slow = tuple(str(ROOT / "tests" / place) for place in SLOW)
    for item in items:
        if str(item.path).startswith(slow):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected_to_fail = hasattr(report, "wasxfail")
    if not expected_to_fail and item.config.getoption("--require-all"):
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if collector.config.getoption("--require-all"):
        _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"--require-all allows no skips, but: {reason}"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test reach this machine only: a result must not depend on somebody's server."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        # A datagram socket sends nothing when it connects; that is how programs learn their own
        # address.
        if self.family != socket.AF_UNIX and self.type != socket.SOCK_DGRAM:
            _require_loopback(address[0])
        connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        _require_loopback(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


def _require_loopback(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost", "0.0.0.0", "::", socket.gethostname()}:
        return
    try:
        if ip_address(name).is_loopback:
            return
    except ValueError:
        pass
    raise OSError(f"tests must not use the network, but this one asks for {name}")


@pytest.fixture
def small_files() -> Callable[[int], AbstractContextManager[None]]:
    """Give a block in which no file may grow beyond a number of bytes, as on a full disk."""

    @contextmanager
    def limited(n_bytes: int) -> Generator[None, None, None]:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


@pytest.fixture(scope="session")
def small_region() -> Any:
    """5.4 × 5.4 km by hand: 2 counties × 2 townships × 3 villages, rolling terrain, 90 m."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import xarray as xr
    from odc.geo.geobox import GeoBox
    from shapely import box

    from ankang_coverage.region import Region, Source, as_divisions, as_raster
    from ankang_coverage.region.divisions import dissolve

    rng = np.random.default_rng(7)
    west, north, pixel, n = 500_040.0, 3_620_070.0, 90.0, 60
    west, north = west // pixel * pixel, north // pixel * pixel
    half = n * pixel / 2
    geobox = GeoBox.from_bbox(
        (west, north - 2 * half, west + 2 * half, north), "EPSG:32649", resolution=pixel
    )
    codes, boxes = [], []
    for county in range(2):
        for township in range(2):
            for village in range(3):
                # Borders off the pixel edges, so that fractions matter.
                start, end = (0.0, 0.31, 0.68, 1.0)[village : village + 2]
                x, y = west + county * half, north - (township + 1) * half
                codes.append(f"61090{county + 1}10{township}90{village + 1}")
                boxes.append(box(x + start * half, y, x + end * half, y + half))
    villages = gpd.GeoDataFrame(
        {
            "name": [f"模拟村{code[-2:]}" for code in codes],
            "kind": ["community" if code.endswith("1") else "village" for code in codes],
            "people": rng.integers(100, 2000, len(codes)),
            "geometry_source": "synthetic",
        },
        geometry=boxes,
        crs="EPSG:32649",
        index=pd.Index(codes, name="village"),
    )
    villages = as_divisions(villages, "village")
    y, x = np.mgrid[0:n, 0:n] / 10.0
    rasters = {
        "elevation_m": 500 + 80 * np.sin(x) * np.cos(y),
        "land_cover": np.where(np.sin(x) * np.cos(y) > 0, 10, 40),
        "population": rng.gamma(0.3, 1.0, geobox.shape),
    }
    return Region(
        name="small",
        counties=dissolve(villages, "county"),
        townships=dissolve(villages, "township"),
        villages=villages,
        rasters=xr.Dataset({k: as_raster(v, geobox, k) for k, v in rasters.items()}),
        sources=(Source("everything", "synthetic", "made by hand for tests"),),
    )


@pytest.fixture(scope="session")
def small_network(small_region: Any) -> Any:
    """Three macro sites with band 8 on the small region, the first with n28 too."""
    import geopandas as gpd
    import pandas as pd

    from ankang_coverage.sites import Network, make_cells, no_rejections

    ids = ["A", "B", "C"]
    west, _, _, north = small_region.geobox.boundingbox
    sites = gpd.GeoDataFrame(
        {
            "name": ["甲站", "乙站", "丙站"],
            "status": "existing",
            "kind": "macro",
            "source": "synthetic",
        },
        index=pd.Index(ids, name="site"),
        geometry=gpd.points_from_xy(
            [west + 1013.0, west + 2711.0, west + 4507.0], [north - 900, north - 3300, north - 4800]
        ),
        crs="EPSG:32649",
    )
    cells = [
        make_cells(
            ids,
            "lte-b8",
            azimuths_deg=[0, 120, 240],
            height_m=[35.0, 30.0, 40.0],
            mechanical_tilt_deg=2.0,
            electrical_tilt_deg=3.0,
        ),
        make_cells(["A"], "nr-n28", azimuths_deg=[10, 130, 250], height_m=35.0),
    ]
    return Network(sites=sites, cells=pd.concat(cells), rejected=no_rejections())
