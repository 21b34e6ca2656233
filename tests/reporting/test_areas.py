"""Polygons on a web map: neighbours stay neighbours, the veil leaves the region free."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from ankang_coverage.reporting import areas

CRS = "EPSG:32649"
WEST, SOUTH = 312_600.0, 3_619_500.0


def test_borders_are_simplified_alike_on_both_sides(monkeypatch):
    rng = np.random.default_rng(3)
    across = np.linspace(0, 20_000, 4001)
    border = np.column_stack([across, 5_000 + rng.normal(0, 8, across.size).cumsum()])
    north = shapely.Polygon([*border, (20_000, 20_000), (0, 20_000)])
    south = shapely.Polygon([*border, (20_000, -10_000), (0, -10_000)])
    frame = gpd.GeoDataFrame(geometry=[north, south], crs=CRS)
    monkeypatch.setattr(areas, "MAX_VERTICES", 300)
    shapes = areas.simplified(frame)
    assert shapely.get_num_coordinates(shapes.to_numpy()).sum() <= 300
    assert shapes[0].intersection(shapes[1]).area == 0
    assert shapes.area.sum() == pytest.approx(frame.area.sum())


def test_veil_covers_all_but_the_region():
    counties = gpd.GeoDataFrame(
        geometry=[
            shapely.box(WEST, SOUTH, WEST + 9e3, SOUTH + 9e3),
            shapely.box(WEST + 9e3, SOUTH, WEST + 18e3, SOUTH + 9e3),
        ],
        crs=CRS,
    )
    veil = shape(areas.outside(counties))
    near = counties.to_crs(4326).union_all()
    assert veil.intersection(near).area / near.area < 1e-3
    assert veil.union(near).area == pytest.approx(360 * 170)
