"""Profiles across land whose every height is known."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from pyproj import Transformer

from ankang_coverage.errors import OutOfRangeError, RasterError
from ankang_coverage.propagation import p1812_loss
from ankang_coverage.region import as_raster
from ankang_coverage.region.land_cover import LandCoverTable
from ankang_coverage.region.profiles import profile_along

TABLE = LandCoverTable.default()


@pytest.fixture
def land(small_region):
    """Makes the small region's land anew from functions of x and y, metres from its corner."""

    def make(elevation=lambda _x, _y: 500.0, land_cover=lambda _x, _y: 30, kind="dtm"):
        geobox = small_region.geobox
        y, x = np.mgrid[0 : geobox.shape[0], 0 : geobox.shape[1]] * 90.0 + 45.0
        y = y[::-1]
        made = {
            "elevation_m": np.broadcast_to(elevation(x, y), x.shape).astype(float),
            "land_cover": np.broadcast_to(land_cover(x, y), x.shape),
            "population": np.ones(x.shape),
        }
        rasters = xr.Dataset({k: as_raster(v, geobox, k) for k, v in made.items()})
        return replace(small_region, rasters=rasters, elevation_kind=kind)

    return make


@pytest.fixture
def lonlat(small_region):
    """Turns metres from the region's south-western corner into longitude and latitude."""
    west, south, _, _ = small_region.geobox.boundingbox.bbox
    to_degrees = Transformer.from_crs("EPSG:32649", "EPSG:4326", always_xy=True)
    return lambda x, y: to_degrees.transform(west + x, south + y)


def test_a_plane_is_sampled_exactly(land, lonlat):
    region = land(elevation=lambda x, y: 300.0 + 0.05 * x - 0.02 * y)
    start, end = (333.0, 410.0), (4_321.0, 3_999.0)
    profile = profile_along(region, lonlat(*start), lonlat(*end), spacing_m=37.0)
    length = np.hypot(end[0] - start[0], end[1] - start[1])
    along = np.linspace(0.0, 1.0, profile.distance_m.size)
    assert profile.distance_m == pytest.approx(along * length, abs=1e-4)
    assert np.diff(profile.distance_m).max() <= 37.0
    assert profile.distance_m.size == np.ceil(length / 37.0) + 1
    x, y = (start[i] + along * (end[i] - start[i]) for i in (0, 1))
    assert profile.ground_m == pytest.approx(300.0 + 0.05 * x - 0.02 * y, abs=1e-3)


def test_a_step_rises_between_the_centres_of_two_pixels(land, lonlat):
    region = land(elevation=lambda x, _y: np.where(x < 2700.0, 400.0, 490.0))
    profile = profile_along(region, lonlat(2_565.0, 1000.0), lonlat(2_835.0, 1000.0), spacing_m=9.0)
    x = 2_565.0 + profile.distance_m
    expected = 400.0 + np.clip(x - 2_655.0, 0.0, 90.0)
    assert profile.ground_m == pytest.approx(expected, abs=1e-3)


def test_land_cover_changes_at_the_border_of_two_pixels(land, lonlat):
    region = land(land_cover=lambda x, _y: np.where(x < 2700.0, 10, 80))
    profile = profile_along(region, lonlat(900.0, 1000.0), lonlat(4_500.0, 1000.0), spacing_m=20.0)
    trees, water = TABLE.class_index([10, 80])
    beyond = 900.0 + profile.distance_m > 2700.0
    at_border = np.abs(900.0 + profile.distance_m - 2700.0) < 0.01
    expected = np.where(beyond, water, trees)
    assert (profile.class_index == expected)[~at_border].all()
    assert profile.n_default == 0


def test_spacing_is_a_pixel_unless_given_and_three_points_the_least(land, lonlat):
    region = land()
    even = profile_along(region, lonlat(900.0, 900.0), lonlat(1800.0, 900.0))
    assert even.distance_m == pytest.approx(np.arange(11) * 90.0, abs=1e-4)
    short = profile_along(region, lonlat(900.0, 900.0), lonlat(905.0, 900.0))
    assert short.distance_m == pytest.approx([0.0, 2.5, 5.0], abs=1e-4)


def test_clutter_counts_up_to_the_clearing_of_the_class_at_the_end(land, lonlat):
    for code, clearing, height in ((10, 90.0, 10.0), (50, 180.0, 10.0), (30, 90.0, 0.0)):
        region = land(land_cover=lambda _x, _y, code=code: code)
        profile = profile_along(region, lonlat(900.0, 900.0), lonlat(2_700.0, 900.0))
        back = profile.distance_m[-1] - profile.distance_m
        expected = np.where(back > clearing - 0.01, height, 0.0)
        expected[0] = 0.0
        assert profile.clutter_height_m.tolist() == expected.tolist()


def test_nothing_hangs_on_a_point_just_within_the_clearing(land, lonlat):
    """Of points 88 m apart the last but one shows what would stand at 90 m, and no more."""
    region = land(elevation=lambda _x, _y: 300.0, land_cover=lambda _x, _y: 10)
    profile = profile_along(region, lonlat(900.0, 900.0), lonlat(2_660.0, 900.0))
    assert np.diff(profile.distance_m) == pytest.approx(88.0, abs=1e-3)
    assert profile.clutter_height_m[-3:] == pytest.approx([10.0, 10.0 * 88 / 90, 0.0], abs=1e-3)


def test_a_table_of_ones_own_decides_heights(land, lonlat):
    classes = tuple(replace(c, height_m=21.0, clearing_m=0.0) for c in TABLE.classes)
    profile = profile_along(
        land(),
        lonlat(900.0, 900.0),
        lonlat(1800.0, 900.0),
        table=LandCoverTable(classes, TABLE.frequencies_mhz),
    )
    assert profile.clutter_height_m.tolist() == [0.0, *[21.0] * 9, 0.0]


def test_a_surface_model_is_split_and_nothing_is_added_to_it(land, lonlat):
    wood = {"land_cover": lambda x, _y: np.where(x < 2700.0, 10, 40)}
    region = land(elevation=lambda x, _y: np.where(x < 2700.0, 510.0, 500.0), kind="dsm", **wood)
    profile = profile_along(region, lonlat(900.0, 900.0), lonlat(4_500.0, 900.0))
    x = 900.0 + profile.distance_m
    assert profile.ground_m == pytest.approx(500.0)
    assert (profile.clutter_height_m[1:][x[1:] < 2699.0] == 10.0).all()
    assert (profile.clutter_height_m[x > 2701.0] == 0.0).all()


def test_an_unknown_land_cover_is_counted(land, lonlat):
    region = land(land_cover=lambda _x, _y: 0)
    profile = profile_along(region, lonlat(900.0, 900.0), lonlat(1800.0, 900.0))
    assert profile.n_default == profile.distance_m.size
    assert profile.clutter_height_m[1] == TABLE.height_m[0]


def test_a_profile_goes_into_p1812_as_it_is(land, lonlat):
    region = land(elevation=lambda x, _y: 500.0 + 200.0 * (np.abs(x - 2700.0) < 200.0))
    profile = profile_along(region, lonlat(900.0, 900.0), lonlat(4_500.0, 900.0))
    loss = p1812_loss(
        profile.distance_m / 1e3,
        profile.ground_m,
        profile.clutter_height_m,
        frequency_mhz=700.0,
        transmitter_height_m=30.0,
        receiver_height_m=1.5,
        latitude_deg=32.7,
    )
    assert not loss.in_sight
    assert loss.d_km == pytest.approx(3.6, abs=1e-6)


def test_the_edge_of_the_raster_is_still_inside_and_beyond_it_is_not(land, lonlat):
    region = land(elevation=lambda x, _y: x)
    profile = profile_along(region, lonlat(1.0, 900.0), lonlat(5_399.0, 900.0))
    assert profile.ground_m[[0, -1]] == pytest.approx([45.0, 5_355.0])
    for start, end, name in (
        ((-50.0, 900.0), (900.0, 900.0), "start"),
        ((900.0, 900.0), (900.0, 5_600.0), "end"),
    ):
        with pytest.raises(RasterError, match=rf"{name} .* outside the region's rasters"):
            profile_along(region, lonlat(*start), lonlat(*end))


def test_a_gap_in_the_elevation_is_named_by_distance(land, lonlat):
    region = land(elevation=lambda x, _y: np.where(np.abs(x - 2_700.0) < 91.0, np.nan, 500.0))
    with pytest.raises(RasterError, match=r"no elevation from 1710 m to 1890 m .*3 of 41 points"):
        profile_along(region, lonlat(900.0, 900.0), lonlat(4_500.0, 900.0))
    # Where the four pixels around a point are known, the gap beside them does not matter.
    beside = profile_along(region, lonlat(2_560.0, 900.0), lonlat(2_560.0, 3_000.0))
    assert beside.ground_m == pytest.approx(500.0)


def test_places_that_are_none_are_refused(land, lonlat):
    region, here = land(), lonlat(900.0, 900.0)
    for wrong in ((32.7, 109.0), (float("nan"), 32.7), (200.0, 32.7)):
        with pytest.raises((OutOfRangeError, RasterError), match=r"swapped|outside"):
            profile_along(region, here, wrong)
    with pytest.raises(OutOfRangeError, match="the same place"):
        profile_along(region, here, here)
    for spacing in (0.0, -5.0, float("nan"), float("inf")):
        with pytest.raises(OutOfRangeError, match="spacing_m"):
            profile_along(region, here, lonlat(1800.0, 900.0), spacing_m=spacing)
