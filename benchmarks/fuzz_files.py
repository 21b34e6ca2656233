"""Good files of every kind the library reads, small and made from a seed, and their readers."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

STUDY = """\
lang = "en"
[region]
name = "tiny"
villages = "villages.gpkg"
elevation = ["elevation.tif"]
elevation_kind = "dtm"
land_cover = ["land_cover.tif"]
population = ["population.tif"]
resolution_m = 300
[network]
file = "sites.csv"
coordinates = "wgs84"
catalogue = "own.yaml"
[propagation]
model = "rma"
radius_m = 3000
[services.4g]
rsrp_threshold_dbm = -84
edge_probability = 0.75
[programme]
name = "p"
[[programme.targets]]
id = "micro-4g"
kind = "micro"
number = 2
service = "4g"
radio_layers = ["lte-b8"]
minimum_spacing_m = 500
height_m = 12
title_en = "Micro"
objectives = ["people", {villages = 2}]
quotas = [{ construction = "pole", maximum = 5 }]
[programme.targets.candidates]
people_within_m = 2000
sources = ["people", "villages", "high points", "own", "roads"]
own = "own.csv"
roads = "roads.gpkg"
costs = "costs.yaml"
[[programme.targets]]
id = "supporting-5g"
kind = "supporting"
number = 1
service = "5g"
radio_layers = ["nr-n28"]
minimum_spacing_m = 500
"""

CATALOGUE = """\
antennas:
  - id: panel-17dbi
    kind: measured
    pattern_file: panel.msi
    source: data sheet
  - id: own-65
    kind: sector
    gain_dbi: 15
    horizontal_beamwidth_deg: 65
    vertical_beamwidth_deg: 8
    front_to_back_db: 25
    side_lobe_suppression_db: 18
    source: data sheet
sharing:
  - id: telecom-unicom-b5
    radio_layer: lte-b5
    operators: [telecom, unicom]
    source: our agreement of this year
"""

SITES = """\
站址编号,基站名称,小区CGI,经度,纬度,频段,挂高,方位角,机械下倾角,电子下倾角,站点类型,运营商,状态,负荷,RS功率
S0,站0,460-00-100-0,108.994,32.699,B8,30,0,2,4,宏站,移动,在网,0.4,15.2
S0,站0,460-00-100-1,108.994,32.699,B8,30,120,2,4,宏站,移动,在网,0.4,15.2
S1,站1,460-00-101-0,109°00'10",32°42'05",n28,31,0,2,4,宏站,移动,在网,0.4,15.2
S1,站1,460-00-101-1,109°00'10",32°42'05",n28,31,240,2,4,宏站,移动,规划,0.4,15.2
"""

OWN = """\
id,name,lon,lat,owner,造价,建设方式
a,地点,108.995,32.7,铁塔,"1,000",pole
b,b,109.0,32.701,移动,2000,tower
"""

MEASUREMENTS = """\
time,longitude,latitude,rsrp,ci
2021-06-01 08:00:00,108.9945,32.7001,-95.5,460-00-100-0
2021-06-01 08:00:01,108.9951,32.7002,-97,460-00-100-1
2021-06-01 08:00:02,108.9960,32.7003,-101,460-00-100-0
"""

WEST_M, SOUTH_M, SIDE_M = 499_200.0, 3_618_000.0, 1_200.0
"""South-west corner of the villages in EPSG:32649, and the side of one of the four [m]."""
CODES = ("610902101201", "610902101202", "610902102201", "610902102202")


@dataclass(frozen=True)
class Kind:
    """One kind of input: its files, the one that is named to the reader first, and the reader."""

    name: str
    files: tuple[str, ...]
    read: Callable[[Path], object]


def make_files(folder: Path) -> None:
    """Write a good file of every kind into a folder."""
    for name, text in {
        "study.toml": STUDY,
        "own.yaml": CATALOGUE,
        "sites.csv": SITES,
        "own.csv": OWN,
        "measurements.csv": MEASUREMENTS,
    }.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "gbk.csv").write_bytes(SITES.encode("gb18030"))
    (folder / "calibration.json").write_text(_calibration(), "utf-8")
    package = files("ankang_coverage")
    (folder / "costs.yaml").write_bytes((package / "planning" / "costs.yaml").read_bytes())
    (folder / "classes.csv").write_bytes((package / "region" / "land_cover.csv").read_bytes())
    _write_workbook(folder / "sites.xlsx")
    _write_pattern(folder / "panel.msi")
    _write_vectors(folder)
    _write_rasters(folder)
    _write_store(folder / "store")


def _calibration() -> str:
    from ankang_coverage.coverage.loss.correction import Calibration, Correction
    from ankang_coverage.region import Source

    return Calibration(
        model="p1812",
        terminal_height_m=1.5,
        time_percent=50.0,
        correction=Correction(frequencies_mhz=(941.5,), offset_db=3.0),
        error_sigma_db=7.0,
        estimates=(),
        errors=(),
        cell_offsets=(),
        unused=(),
        n_measurements=3,
        n_bins=3,
        n_blocks=1,
        block_m=2000.0,
        folds=5,
        seed=0,
        sensitivity_dbm=-124.0,
        sources=(Source("measurements", "synthetic", "made for damage"),),
    ).model_dump_json(indent=2)


def _write_workbook(path: Path) -> None:
    import openpyxl

    workbook = openpyxl.Workbook()
    for row in SITES.splitlines():
        workbook.active.append(row.split(","))
    workbook.save(path)


def _write_pattern(path: Path) -> None:
    from ankang_coverage.propagation.antenna_files import write_antenna_file
    from ankang_coverage.propagation.measured_pattern import cosine_pattern

    write_antenna_file(cosine_pattern(15.0, 65.0, 8.0), path)


def _write_vectors(folder: Path) -> None:
    import geopandas as gpd
    from shapely import LineString, box

    squares = [
        box(
            *(WEST_M + i * SIDE_M, SOUTH_M + j * SIDE_M),
            *(WEST_M + (i + 1) * SIDE_M, SOUTH_M + (j + 1) * SIDE_M),
        )
        for j in range(2)
        for i in range(2)
    ]
    villages = gpd.GeoDataFrame(
        {"code": CODES, "name": ["甲村", "乙村", "丙村", "丁村"], "people": [10, 20, 30, 40]},
        geometry=squares,
        crs="EPSG:32649",
    )
    villages.to_file(folder / "villages.gpkg", layer="villages")
    villages.to_file(folder / "villages.shp", encoding="utf-8")
    villages.to_crs("EPSG:4326").to_file(folder / "villages.geojson")
    points = villages.set_geometry(villages.centroid).assign(频段="B8", 方位角=0)
    points.to_file(folder / "points.geojson")
    road = LineString([(WEST_M, SOUTH_M), (WEST_M + SIDE_M, SOUTH_M + SIDE_M)])
    gpd.GeoDataFrame({"kind": ["road"]}, geometry=[road], crs="EPSG:32649").to_file(
        folder / "roads.gpkg", layer="roads"
    )


def _write_rasters(folder: Path) -> None:
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    n, pixel_m = 40, 90.0
    y, x = np.mgrid[:n, :n]
    height_m = 400 + 60 * np.sin(x / 7) * np.cos(y / 5)
    for name, values, more in (
        ("elevation.tif", height_m.astype(np.float32), {}),
        ("tiled.tif", height_m.astype(np.int16), {"tiled": True, "compress": "deflate"}),
        ("land_cover.tif", np.where(x > y, 10, 40).astype(np.uint8), {"compress": "lzw"}),
        ("population.tif", (x % 3).astype(np.float32), {"nodata": -99999.0}),
    ):
        blocks = {"blockxsize": 16, "blockysize": 16} if "tiled" in more else {}
        with rasterio.open(
            folder / name,
            "w",
            driver="GTiff",
            height=n,
            width=n,
            count=1,
            dtype=values.dtype,
            crs="EPSG:32649",
            transform=from_origin(WEST_M - 600, SOUTH_M + 2 * SIDE_M + 600, pixel_m, pixel_m),
            **more,
            **blocks,
        ) as raster:
            raster.write(values, 1)


_KEY = "abc123"


def _write_store(folder: Path) -> None:
    """Keep one path loss, and put its file beside the others."""
    import numpy as np
    from odc.geo.geobox import GeoBox

    from ankang_coverage.coverage.loss.store import LossWindow, Store

    grid = GeoBox.from_bbox((0, 0, 600, 600), "EPSG:32649", resolution=30)
    values = np.arange(400, dtype=np.int16).reshape(20, 20)
    store = Store(folder)
    store.write_loss(_KEY, LossWindow(slice(0, 20), slice(0, 20), *[values] * 3), grid, {})
    shutil.copy(next(folder.rglob(f"{_KEY}*.tif")), folder.parent / "loss.tif")


@cache
def kinds() -> tuple[Kind, ...]:
    """Return every kind of input, in the order in which cases go through them."""
    shapefile = tuple(f"villages.{end}" for end in ("shp", "dbf", "prj", "shx", "cpg"))
    return (
        Kind("study", ("study.toml",), _study),
        Kind("catalogue", ("own.yaml", "panel.msi"), _catalogue),
        Kind("costs", ("costs.yaml",), _costs),
        Kind("calibration", ("calibration.json",), _calibration_file),
        Kind("antenna", ("panel.msi",), _antenna),
        Kind("land-cover table", ("classes.csv",), _classes),
        Kind("sites csv", ("sites.csv",), _sites),
        Kind("sites gbk", ("gbk.csv",), _sites),
        Kind("sites xlsx", ("sites.xlsx",), _sites),
        Kind("sites geojson", ("points.geojson",), _sites),
        Kind("own places", ("own.csv",), _own),
        Kind("measurements", ("measurements.csv",), _measurements),
        Kind("villages gpkg", ("villages.gpkg",), _region),
        Kind("villages geojson", ("villages.geojson",), _region),
        Kind("villages shp", shapefile, _region),
        Kind("roads", ("roads.gpkg",), _roads),
        Kind("elevation", ("elevation.tif",), _elevation),
        Kind("elevation tiled", ("tiled.tif",), _elevation),
        Kind("land cover", ("land_cover.tif",), _land_cover),
        Kind("population", ("population.tif",), _population),
        Kind("store", ("loss.tif",), _store),
    )


def _study(path: Path) -> object:
    from ankang_coverage.scenario import Scenario

    return Scenario.from_toml(path).rules()


def _catalogue(path: Path) -> object:
    from ankang_coverage.sites.catalogue import read_catalogue

    return read_catalogue(path)


def _costs(path: Path) -> object:
    from ankang_coverage.planning.costs import UnitPrices

    return UnitPrices.from_yaml(path)


def _calibration_file(path: Path) -> object:
    from ankang_coverage.coverage.loss.correction import Calibration

    return Calibration.load(path)


def _antenna(path: Path) -> object:
    from ankang_coverage.propagation.antenna_files import read_antenna_file

    return read_antenna_file(path)


def _classes(path: Path) -> object:
    from ankang_coverage.region.land_cover import LandCoverTable

    return LandCoverTable.from_csv(path)


def _sites(path: Path) -> object:
    from ankang_coverage.sites import read_sites

    return read_sites(path)


def _own(path: Path) -> object:
    from ankang_coverage.planning.sources.own import own_places

    return own_places(path, crs="EPSG:32649")


def _measurements(path: Path) -> object:
    from ankang_coverage.coverage.calibration.measurements import read_measurements

    return read_measurements(path)


def _region(path: Path) -> object:
    from ankang_coverage.region import Region

    return Region.from_files("damaged", path, resolution_m=300.0)


def _roads(path: Path) -> object:
    from ankang_coverage.planning.vector_files import read_roads

    return read_roads(path)


def _elevation(path: Path) -> object:
    return _raster(path, "elevation_m")


def _land_cover(path: Path) -> object:
    return _raster(path, "land_cover")


def _population(path: Path) -> object:
    return _raster(path, "population")


def _raster(path: Path, name: str) -> object:
    from odc.geo.geobox import GeoBox

    from ankang_coverage.region.rasters import read_raster

    bounds = (WEST_M, SOUTH_M, WEST_M + 2 * SIDE_M, SOUTH_M + 2 * SIDE_M)
    return read_raster(path, GeoBox.from_bbox(bounds, "EPSG:32649", resolution=300), name)


def _store(path: Path) -> object:
    """Read a damaged path loss from a store: it is computed anew, so that nothing is raised."""
    from ankang_coverage.coverage.loss.store import Store

    store = Store(path.parent / "store")
    shutil.copy(path, next(store.folder.rglob(f"{_KEY}*.tif")))
    return store.verify(), store.read_loss(_KEY)
