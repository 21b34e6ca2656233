"""Area fractions against shapely, and people that always add up."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from hypothesis import given, strategies as st
from odc.geo.geobox import GeoBox

from ankang_coverage.errors import DivisionError, RasterError
from ankang_coverage.region import area_fractions, as_raster, pixel_shares

GRID = GeoBox.from_bbox((500_000, 3_600_000, 500_800, 3_600_600), "EPSG:32649", resolution=100)


def divisions(*polygons, people=None):
    return gpd.GeoDataFrame(
        {"people": np.asarray(people or [100] * len(polygons), np.int64)},
        geometry=list(polygons),
        crs="EPSG:32649",
        index=pd.Index([f"d{n}" for n in range(len(polygons))]),
    )


def blob(x, y, radius, corners):
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return shapely.Polygon(
        [(500_000 + x + radius * np.cos(a), 3_600_000 + y + radius * np.sin(a)) for a in angles]
    )


def pixel_boxes():
    rows, columns = GRID.shape
    return [
        shapely.box(
            500_000 + 100 * c,
            3_600_600 - 100 * (r + 1),
            500_000 + 100 * (c + 1),
            3_600_600 - 100 * r,
        )
        for r in range(rows)
        for c in range(columns)
    ]


@pytest.mark.parametrize("corners", [3, 5, 17])
def test_area_fractions_equal_shapely_intersections(corners):
    polygons = divisions(blob(310, 280, 230, corners), blob(620, 330, 150, corners))
    fractions = area_fractions(polygons, GRID).toarray()
    expected = [
        [pixel.intersection(polygon).area / 1e4 for pixel in pixel_boxes()]
        for polygon in polygons.geometry
    ]
    assert fractions == pytest.approx(np.array(expected), abs=1e-6)


def test_fractions_stop_at_the_grid():
    inside_half = divisions(shapely.box(500_700, 3_600_000, 500_900, 3_600_100))
    assert area_fractions(inside_half, GRID).sum() == pytest.approx(1.0)


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32 - 1),
    people=st.lists(st.integers(0, 10**7), min_size=2, max_size=2),
    empty=st.booleans(),
)
def test_people_of_a_division_always_add_up(seed, people, empty):
    density = (
        np.zeros(GRID.shape) if empty else np.random.default_rng(seed).gamma(0.2, 1, GRID.shape)
    )
    polygons = divisions(blob(310, 280, 230, 7), blob(620, 330, 150, 5), people=people)
    shares = pixel_shares(polygons, as_raster(density, GRID, "population"))
    assert shares.people.sum(axis=1).tolist() == [1000 * n for n in people]
    assert shares.people.data.min() >= 0
    assert np.array_equal(shares.people.indices, shares.area.indices)


def test_people_follow_density_within_a_thousandth_of_a_person():
    density = np.random.default_rng(1).gamma(0.5, 1, GRID.shape)
    polygon = divisions(blob(400, 300, 250, 9), people=[5000])
    shares = pixel_shares(polygon, as_raster(density, GRID, "population"))
    fractions = np.array(
        [p.intersection(polygon.geometry.iloc[0]).area / 1e4 for p in pixel_boxes()]
    )
    weight = fractions * density.astype(np.float32).ravel()
    expected = 5000 * weight / weight.sum()
    assert shares.people.toarray()[0] / 1000 == pytest.approx(expected, abs=0.002)


def test_huge_weights_in_one_division_leave_another_its_people():
    left, right = (divisions(shapely.box(x, 3_600_000, x + 400, 3_600_600)) for x in (5e5, 500_400))
    density = np.random.default_rng(2).gamma(0.5, 1, GRID.shape)
    alone = pixel_shares(right, as_raster(density, GRID, "population"))
    density[:, :4] = 1e30
    both = pixel_shares(pd.concat([left, right]), as_raster(density, GRID, "population"))
    assert np.array_equal(both.people[[1]].toarray(), alone.people.toarray())


def test_no_data_counts_as_nobody():
    density = np.full(GRID.shape, np.nan)
    density[2, 3] = 4.0
    shares = pixel_shares(
        divisions(shapely.box(500_000, 3_600_000, 500_800, 3_600_600)),
        as_raster(density, GRID, "population"),
    )
    assert shares.people.toarray().reshape(GRID.shape)[2, 3] == 100_000


def raster(value=1.0):
    return as_raster(np.full(GRID.shape, value), GRID, "population")


ONE = divisions(blob(400, 300, 250, 9))


@pytest.mark.parametrize(
    ("polygons", "population", "error", "says"),
    [
        (ONE.to_crs(4326), raster(), RasterError, r"EPSG:4326.*to_crs\('EPSG:32649'\)"),
        (ONE.drop(columns="people"), raster(), DivisionError, "no column 'people'"),
        (ONE.assign(people=-1), raster(), DivisionError, "none negative"),
        (ONE.assign(people=1.5), raster(), DivisionError, "whole numbers"),
        (ONE, raster(-1.0), RasterError, "negative or infinite"),
        (ONE, raster(np.inf), RasterError, "negative or infinite"),
        (
            ONE.translate(9e4, 0).to_frame("geometry").assign(people=5),
            raster(),
            DivisionError,
            r"1 divisions lie outside the rasters \(d0; 100% of the first\)",
        ),
    ],
)
def test_wrong_input_is_named(polygons, population, error, says):
    with pytest.raises(error, match=says):
        pixel_shares(polygons, population)


def test_rasters_without_crs_are_refused():
    bare = xr.DataArray(np.ones(GRID.shape), dims=("y", "x"))
    with pytest.raises(RasterError, match="no grid"):
        pixel_shares(ONE, bare)
