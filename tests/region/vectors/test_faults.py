"""What is wrong with one shape alone: the first reason is told, and what is well stays."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from ankang_coverage.errors import FileError
from ankang_coverage.region.vectors import Reasons, VectorLayer, faults_of_shapes

HERE = shapely.box(500_000, 3_600_000, 501_000, 3_601_000)


def layer(*shapes, crs="EPSG:32649", faults=None):
    array = np.empty(len(shapes), object)
    array[:] = shapes
    told = np.array(faults or [""] * len(shapes), object)
    return VectorLayer(
        Path("v.gpkg"), pd.DataFrame(index=range(1, len(shapes) + 1)), array, told, CRS(crs)
    )


@pytest.mark.parametrize(
    ("corner", "crs"),
    [
        ((3.7e12, 3_600_000), "EPSG:32649"),
        ((3.7e9, 3_600_000), "EPSG:32649"),
        ((500_000, -1e8), "EPSG:32649"),
        ((1e9, 3_600_000), "EPSG:3857"),
        ((1e6, 32.0), "EPSG:4326"),
        ((109.0, 95.0), "EPSG:4490"),
    ],
)
def test_a_corner_off_the_earth_is_told_in_any_crs(corner, crs):
    x, y = (500_000.0, 3_600_000.0) if abs(corner[0]) > 1e5 or corner[1] < 0 else (109.0, 32.0)
    x, y = (109.0, 32.0) if crs in ("EPSG:4326", "EPSG:4490") else (x, y)
    fine = shapely.box(x, y, x + 0.1, y + 0.1)
    wrong = shapely.Polygon([(x, y), (x + 0.1, y), corner])
    first, second = faults_of_shapes(layer(wrong, fine, crs=crs), ["polygon"]).texts
    assert first.startswith("a corner off the earth, at x = ")
    assert second == ""


@pytest.mark.parametrize("crs", ["EPSG:32649", "EPSG:4546", "EPSG:3857", "EPSG:32650"])
def test_villages_of_ankang_are_on_the_earth_in_every_crs(crs):
    there = CRS(crs)
    box = shapely.box(108.5, 32.5, 108.6, 32.6)
    moved = gpd.GeoSeries([box], crs=4326).to_crs(there).iloc[0]
    assert faults_of_shapes(layer(moved, crs=crs), ["polygon"]).fine.all()


def test_a_crs_without_a_place_on_earth_is_named():
    local = 'LOCAL_CS["site",UNIT["metre",1]]'
    with pytest.raises(FileError, match=r"v\.gpkg is in a CRS without a place on earth, 'site'"):
        faults_of_shapes(layer(HERE, crs=local), ["polygon"])


def test_lines_and_polygons_are_told_apart():
    line = shapely.LineString([(500_000, 3_600_000), (501_000, 3_600_000)])
    both = layer(HERE, line)
    assert faults_of_shapes(both, ["polygon"]).fine.tolist() == [True, False]
    assert faults_of_shapes(both, ["line"]).fine.tolist() == [False, True]
    assert faults_of_shapes(both, ["line", "polygon"]).fine.all()


def test_what_the_reader_found_comes_first():
    told = faults_of_shapes(layer(None, None, faults=["", "broken"]), ["polygon"]).texts
    assert told.tolist() == ["no shape", "broken"]


def test_a_reason_once_given_stays():
    reasons = Reasons(np.array(["", "a", ""], object))
    reasons.add(np.array([True, True, False]), ["x", "y", "z"])
    reasons.add(np.array([True, True, True]), "later")
    assert reasons.texts.tolist() == ["x", "a", "later"]
