"""GeoTIFFs onto the grid: nothing shifts, people are kept, classes stay classes."""

import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from odc.geo.geobox import GeoBox
from rasterio.transform import from_origin

from ankang_coverage.errors import LimitError, RasterError
from ankang_coverage.region import as_raster, grid_around, read_raster

GRID = GeoBox.from_bbox((500_000, 3_600_000, 502_000, 3_601_000), "EPSG:32649", resolution=100)


def write(path, values, pixel, crs="EPSG:32649", nodata=None, west=500_000, north=3_601_000):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=values.shape[0],
        width=values.shape[1],
        count=1,
        dtype=values.dtype,
        crs=crs,
        transform=from_origin(west, north, pixel, pixel),
        nodata=nodata,
    ) as target:
        target.write(values, 1)
    return path


def ramp(pixel):
    x = np.arange(0, 2000, pixel) + pixel / 2
    y = np.arange(0, 1000, pixel)[::-1] + pixel / 2
    return (0.5 * x[None, :] + 0.25 * y[:, None]).astype(np.float32)


def test_a_plane_stays_the_same_plane_at_any_source_resolution(tmp_path):
    expected = ramp(100.0)
    for pixel in (20.0, 100.0):
        elevation = read_raster(
            write(tmp_path / f"{pixel}.tif", ramp(pixel), pixel), GRID, "elevation_m"
        )
        assert elevation.to_numpy() == pytest.approx(expected, abs=0.1)
    assert elevation.attrs["units"] == "m"


def test_the_first_tile_with_data_wins_and_gaps_stay_gaps(tmp_path):
    left = np.full((10, 10), 7, np.int16)
    left[0, 0] = -32768
    both = np.full((10, 15), 9, np.int16)
    tiles = [
        write(tmp_path / "left.tif", left, 100, nodata=-32768),
        write(tmp_path / "both.tif", both, 100),
    ]
    elevation = read_raster(tiles, GRID, "elevation_m").to_numpy()
    assert elevation[0, 0] == 9
    assert (elevation[1:, :10] == 7).all()
    assert (elevation[:, 10:15] == 9).all()
    assert np.isnan(elevation[:, 15:]).all()


def test_people_are_neither_made_nor_lost(tmp_path):
    people = np.random.default_rng(0).gamma(0.3, 5, (50, 100)).astype(np.float32)
    population = read_raster(write(tmp_path / "p.tif", people, 20), GRID, "population")
    assert float(population.sum()) == pytest.approx(float(people.sum()), rel=1e-5)


def test_land_cover_takes_the_most_frequent_class(tmp_path):
    classes = np.full((50, 100), 10, np.uint8)
    classes[:, ::5] = 40
    cover = read_raster(write(tmp_path / "c.tif", classes, 20), GRID, "land_cover")
    assert cover.dtype == np.uint8
    assert (cover.to_numpy() == 10).all()


KINDS = ["uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "float32", "float64"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nodata", [None, 0, 40])
def test_land_cover_is_counted_alike_in_every_kind_of_number(tmp_path, kind, nodata):
    rng = np.random.default_rng(3)
    classes = np.kron(rng.choice([0, 10, 40, 100], (10, 20)), np.ones((5, 5))).astype(kind)
    few = rng.random(classes.shape) < 0.2
    classes[few] = rng.choice([0, 10, 40, 100], few.sum())
    cover = read_raster(
        write(tmp_path / "c.tif", classes, 20, nodata=nodata), GRID, "land_cover"
    ).to_numpy()
    blocks = classes.reshape(10, 5, 20, 5).swapaxes(1, 2).reshape(10, 20, 25)
    counted = np.stack([(blocks == code).sum(axis=2) for code in (0, 10, 40, 100)])
    if nodata is not None:
        counted[(0, 10, 40, 100).index(nodata)] = 0
    most = counted.max(axis=0)
    alone = (counted == most).sum(axis=0) == 1
    expected = np.array([0, 10, 40, 100])[counted.argmax(axis=0)]
    assert (cover[alone] == expected[alone]).all()
    assert alone.mean() > 0.9


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "float32"])
def test_fine_land_cover_onto_a_coarse_grid_takes_a_moment(tmp_path, kind):
    classes = np.random.default_rng(4).choice([10, 30, 40, 50], (1000, 2000)).astype(kind)
    path = write(tmp_path / "c.tif", classes, 1)
    start = time.process_time()
    grid = GeoBox.from_bbox(GRID.boundingbox, GRID.crs, resolution=500)
    assert set(np.unique(read_raster(path, grid, "land_cover"))) <= {10, 30, 40, 50}
    assert time.process_time() - start < 10  # as float32: minutes


def test_land_cover_that_is_none_is_named(tmp_path):
    for values in (np.full((50, 100), 10.5, np.float32), np.full((50, 100), 300, np.int32)):
        path = write(tmp_path / "c.tif", values, 20)
        with pytest.raises(RasterError, match=r"land_cover holds (10\.5|300), which is impossible"):
            read_raster(path, GRID, "land_cover")


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(RasterError, match="none.tif"):
        read_raster(tmp_path / "none.tif", GRID, "elevation_m")
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(RasterError, match="text.tif as a raster"):
        read_raster(tmp_path / "text.tif", GRID, "elevation_m")
    bare = write(tmp_path / "bare.tif", ramp(100.0), 100, crs=None)
    with pytest.raises(RasterError, match="bare.tif has no CRS"):
        read_raster(bare, GRID, "elevation_m")
    away = write(tmp_path / "away.tif", ramp(100.0), 100, west=900_000)
    with pytest.raises(RasterError, match=r"away\.tif has no data for 100% of the region"):
        read_raster(away, GRID, "elevation_m")


def test_grid_edges_are_multiples_of_a_pixel():
    square = gpd.GeoDataFrame(
        geometry=[shapely.box(500_013, 3_600_017, 501_000, 3_600_900)], crs=32649
    )
    grid = grid_around(square, 90.0)
    assert [edge % 90 for edge in grid.boundingbox.bbox] == [0, 0, 0, 0]
    assert shapely.box(*grid.boundingbox.bbox).covers(square.geometry.iloc[0])
    with pytest.raises(RasterError, match="must be positive"):
        grid_around(square, 0.0)
    with pytest.raises(RasterError, match="projected CRS"):
        grid_around(square.to_crs(4326), 90.0)
    stray = gpd.GeoDataFrame(geometry=square.translate([-4e6], 0), crs=32649)
    with pytest.raises(
        LimitError, match=r"span 4,001 × 3,001 km, .*too many pixels of 90 m.*grid_p"
    ):
        grid_around(pd.concat([square, stray.translate(0, -3e6).to_frame("geometry")]), 90.0)


def test_an_array_of_another_shape_is_refused():
    with pytest.raises(RasterError, match=r"shape \(3, 3\), its grid \(10, 20\)"):
        as_raster(np.zeros((3, 3)), GRID, "elevation_m")


def test_people_of_tiles_that_meet_inside_a_pixel_are_added(tmp_path):
    people = np.ones((50, 55), np.float32)
    tiles = [
        write(tmp_path / "west.tif", people[:, :52], 20),
        write(tmp_path / "east.tif", people[:, 52:], 20, west=500_000 + 52 * 20),
    ]
    assert float(read_raster(tiles, GRID, "population").sum()) == pytest.approx(people.sum())


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("elevation_m", -32768.0, "elevation_m holds -32768, .*gdal_edit.py -a_nodata"),
        ("elevation_m", 12_000.0, "elevation_m holds 12000"),
        ("land_cover", 300.0, "land_cover holds 300, .*ESA WorldCover"),
        ("land_cover", 10.5, "land_cover holds 10.5"),
    ],
)
def test_values_that_cannot_be_are_named(name, value, says):
    with pytest.raises(RasterError, match=says):
        as_raster(np.full(GRID.shape, value), GRID, name)
