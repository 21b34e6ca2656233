"""Regions and networks of several tiles, made by hand, on which every path loss is quick."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from odc.geo.geobox import GeoBox
from shapely import box

from ankang_coverage.coverage.store import Store
from ankang_coverage.region import Region, Source, as_divisions, as_raster
from ankang_coverage.region.divisions import dissolve
from ankang_coverage.sites import Network, equip, no_rejections

CRS = "EPSG:32649"
WEST, NORTH = 480_000.0, 3_660_000.0


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
def make_network():
    """Make a network of (id, x px, y px, kind, cells) on a region, cells as `equip` takes them."""

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
            equip([id_], layer, kind=kind, **settings)
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
