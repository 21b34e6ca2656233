"""What maps are drawn of, made by hand, and what their pages hold."""

import json
import re
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from builders import HandmadeCoverage
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from ankang_coverage.region.region import Region, Source
from ankang_coverage.reporting import style
from ankang_coverage.sites.network import Network, no_rejections

CRS = "EPSG:32649"
PIXEL_M = 300.0
ROWS, COLUMNS = 40, 50
# South-west corner near 109.0° E, 32.7° N.
WEST, SOUTH = 312_600.0, 3_619_500.0
EAST, NORTH = WEST + COLUMNS * PIXEL_M, SOUTH + ROWS * PIXEL_M
EVIL = "</script><b>x"
THRESHOLDS = {"4g": -110.0, "5g": -105.0}


def make_region():
    geobox = GeoBox.from_bbox((WEST, SOUTH, EAST, NORTH), CRS, resolution=PIXEL_M)
    row, column = np.mgrid[:ROWS, :COLUMNS]
    elevation = 600 + 400 * np.sin(column / 6) * np.cos(row / 5) + 8 * row
    rasters = xr.Dataset(
        {
            "elevation_m": (("y", "x"), elevation.astype(np.float32)),
            "land_cover": (("y", "x"), np.full((ROWS, COLUMNS), 10, np.uint8)),
            "population": (("y", "x"), np.ones((ROWS, COLUMNS), np.float32)),
        },
        coords=xr_coords(geobox),
    )
    villages = gpd.GeoDataFrame(
        {
            "name": ["一村", "二村", EVIL, "四村", "A & B", "六社区"],
            "kind": ["village"] * 5 + ["community"],
            "people": [1200, 800, 350, 40, 0, 5110],
            "county": ["610902"] * 4 + ["610921"] * 2,
            "township": ["610902001"] * 2 + ["610902002"] * 2 + ["610921001"] * 2,
            "geometry_source": "synthetic",
        },
        index=[f"61{number:010d}" for number in range(6)],
        geometry=[
            shapely.box(
                WEST + 5e3 * i, SOUTH + 6e3 * j, WEST + 5e3 * (i + 1), SOUTH + 6e3 * (j + 1)
            )
            for i in range(3)
            for j in range(2)
        ],
        crs=CRS,
    )
    return Region(
        name="试验区",
        counties=_parents(villages, "county", ["汉滨区", "汉阴县"]),
        townships=_parents(villages, "township", ["甲镇", "乙镇", "丙街道"]),
        villages=villages,
        rasters=rasters,
        sources=(
            Source("county polygons", "real", "天地图 <b>2023</b>"),
            Source("village polygons", "synthetic", "made from seed 1"),
        ),
    )


def _parents(villages, column, names):
    keep = ["people", "county", "geometry"] if column == "township" else ["people", "geometry"]
    grouped = villages[[*dict.fromkeys([*keep, column])]].dissolve(
        column, aggfunc={"people": "sum", **({"county": "first"} if "county" in keep else {})}
    )
    return grouped.assign(name=names, kind="", geometry_source="synthetic")


def make_coverage(region, service, shift_db=0.0):
    """RSRP that falls by 1 dB per pixel from −70 dBm in the west; the last column is unknown."""
    rsrp = np.broadcast_to(-70.0 - np.arange(COLUMNS) + shift_db, (ROWS, COLUMNS)).copy()
    rsrp[:, -1] = np.nan
    return xr.Dataset(
        {
            "rsrp_dbm": (("y", "x"), rsrp.astype(np.float32)),
            "best_server": (("y", "x"), np.zeros((ROWS, COLUMNS), np.int32)),
        },
        coords=xr_coords(region.geobox),
        attrs={
            "service": service,
            "rsrp_threshold_dbm": THRESHOLDS[service],
            "model": "hata",
            "terrain": "none",
        },
    )


def make_network(number=3):
    ids = [f"S{i}" for i in range(number)]
    sites = gpd.GeoDataFrame(
        {
            "name": [EVIL, *(f"站{i}" for i in range(1, number))],
            "status": "existing",
            "kind": "macro",
            "source": "synthetic",
        },
        index=ids,
        geometry=gpd.points_from_xy(
            WEST + 14e3 * np.modf(np.arange(1, number + 1) * 0.618)[0],
            SOUTH + 11e3 * np.modf(np.arange(1, number + 1) * 0.414)[0],
        ),
        crs=CRS,
    )
    cells = pd.DataFrame(
        columns=[
            *("site", "radio_layer", "antenna", "height_m", "azimuth_deg"),
            *("mechanical_tilt_deg", "electrical_tilt_deg", "re_power_dbm"),
            *("load", "operator"),
        ]
    )
    return Network(sites=sites, cells=cells, rejected=no_rejections())


def make_plan(region):
    titles = {
        "micro-4g": {"zh": "农村微基站", "en": "Rural micro sites"},
        "supporting-5g": {"zh": "5G 配套站点", "en": "5G supporting sites"},
    }
    targets = [SimpleNamespace(id=id_, title=title.get) for id_, title in titles.items()]
    chosen = gpd.GeoDataFrame(
        {
            "programme": ["micro-4g", "micro-4g", "supporting-5g"],
            "order": [1, 2, 1],
            "name": ["甲站", EVIL, "丙站"],
            "service": ["4g", "4g", "5g"],
            "kind": ["micro", "micro", "macro"],
            "county": "610902",
            "county_name": "汉滨区",
            "township": "610902001",
            "township_name": EVIL,
            "longitude": [109.02, 109.05, 109.1],
            "latitude": [32.72, 32.75, 32.74],
            "people_gained": [1234.567, 200.0, 4000.0],
            "people_gained_total": [1234.567, 1434.567, 4000.0],
            "reason": ["valley", EVIL, "ridge"],
            "source": "synthetic",
        },
        index=["M1", EVIL, "S1"],
        geometry=gpd.points_from_xy([WEST + 2e3, WEST + 5e3, WEST + 9e3], [SOUTH + 2e3] * 3),
        crs=CRS,
    )
    return SimpleNamespace(
        region=region,
        programme=SimpleNamespace(targets=()),
        network=make_network(),
        chosen=chosen,
        results=tuple(SimpleNamespace(target=target) for target in targets),
        coverage_before={s: HandmadeCoverage(make_coverage(region, s, -5.0)) for s in THRESHOLDS},
        coverage_after={s: HandmadeCoverage(make_coverage(region, s)) for s in THRESHOLDS},
        villages=_with_figures(region.villages),
        townships=_with_figures(region.townships),
        counties=_with_figures(region.counties),
        sources=(*region.sources, Source("sites", "synthetic", "seed 2")),
    )


def _with_figures(divisions):
    number = len(divisions)
    figures = {}
    for service in THRESHOLDS:
        for state, share in [("before", 0.25), ("after", 0.9996)]:
            end = f"_{service}_{state}"
            figures |= {
                f"people_covered{end}": divisions["people"] * share,
                f"people_share{end}": np.where(divisions["people"] > 0, share, np.nan),
                f"area_share{end}": np.full(number, share / 2),
                f"median_rsrp_dbm{end}": np.full(number, -90.0),
                f"coverage_class{end}": [*style.AREA_COLOURS, *style.AREA_COLOURS][:number],
            }
    return divisions.assign(**figures)


def page_of(drawn):
    """The values that the page holds for its script, read as the script reads them."""
    block = re.search(
        r'<script type="application/json" id="\w+">(.*?)</script>', drawn.get_root().render()
    )
    return json.loads(block[1])


def layers_of(drawn):
    return {layer["id"]: layer for layer in page_of(drawn)["layers"]}
