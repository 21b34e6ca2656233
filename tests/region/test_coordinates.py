"""Shifted coordinates against other programs' values; angles against arithmetic."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given, strategies as st
from pyproj import Geod

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.region.coordinates import (
    bd09_to_gcj02,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    parse_angle,
    utm_crs,
    wgs84_to_gcj02,
)

ROOT = Path(__file__).resolve().parents[2]
MICROMETRE_DEG = 1e-6 / 111_000.0

longitudes = st.floats(73.0, 136.0)
latitudes = st.floats(3.0, 54.0)


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        # Test vectors of github.com/googollee/eviltransform: Shanghai, Shenzhen, Beijing.
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
        # Readme of github.com/wandergis/coordtransform.
        ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
        # Outside China nothing is shifted.
        ((-104.9903, 39.7392), (-104.9903, 39.7392)),
        ((151.2, -33.9), (151.2, -33.9)),
    ],
)
def test_gcj02_equals_other_programs(wgs84, gcj02):
    assert wgs84_to_gcj02(*wgs84) == pytest.approx(gcj02, abs=1e-12)
    assert gcj02_to_wgs84(*gcj02) == pytest.approx(wgs84, abs=MICROMETRE_DEG)


def test_bd09_equals_other_programs():
    # Readme of github.com/wandergis/coordtransform.
    assert gcj02_to_bd09(116.404, 39.915) == pytest.approx(
        (116.41036949371029, 39.92133699351021), abs=1e-12
    )
    assert gcj02_to_bd09(*wgs84_to_gcj02(116.404, 39.915)) == pytest.approx(
        (116.41662724378733, 39.922699552216216), abs=1e-12
    )


def test_displacement_over_ankang():
    ankang = gpd.read_file(ROOT / "data/boundaries/counties.geojson").union_all()
    west, south, east, north = ankang.bounds
    longitude, latitude = np.meshgrid(np.linspace(west, east, 201), np.linspace(south, north, 201))
    inside = shapely.contains_xy(ankang, longitude, latitude)
    longitude, latitude = longitude[inside], latitude[inside]
    azimuth_deg, _, distance_m = Geod(ellps="WGS84").inv(
        longitude, latitude, *wgs84_to_gcj02(longitude, latitude)
    )
    east_m = distance_m * np.sin(np.radians(azimuth_deg))
    south_m = -distance_m * np.cos(np.radians(azimuth_deg))
    # 402 to 497 m east and 153 to 269 m south, as found by others.
    assert (east_m.min(), east_m.max()) == pytest.approx((403.0, 496.5), abs=1.5)
    assert (south_m.min(), south_m.max()) == pytest.approx((154.0, 268.5), abs=1.5)


@given(longitude=longitudes, latitude=latitudes)
@example(longitude=105.0, latitude=36.0)  # the cusp of GCJ-02
def test_round_trips_are_below_a_micrometre(longitude, latitude):
    for there, back in ((wgs84_to_gcj02, gcj02_to_wgs84), (gcj02_to_bd09, bd09_to_gcj02)):
        returned = back(*there(longitude, latitude))
        assert returned == pytest.approx((longitude, latitude), rel=0, abs=MICROMETRE_DEG)


def test_arrays_equal_scalars_and_keep_their_shape():
    longitude = np.array([[108.5, 109.0], [109.5, 30.0]])
    latitude = np.array([32.5, 33.0])
    for convert in (wgs84_to_gcj02, gcj02_to_wgs84, gcj02_to_bd09, bd09_to_gcj02):
        shifted = np.stack(convert(longitude, latitude))
        assert shifted.shape == (2, 2, 2)
        for row in range(2):
            for column in range(2):
                alone = np.array(convert(longitude[row, column], latitude[column]))
                np.testing.assert_allclose(shifted[:, row, column], alone, rtol=1e-15)


def test_missing_coordinates_stay_missing():
    assert np.isnan(gcj02_to_wgs84([np.nan], [32.0])[0]).all()


@pytest.mark.parametrize(
    ("text", "angle_deg"),
    [
        ("109°01'30\"E", 109.025),
        ("109°01′30″", 109.025),
        ("109º1’30”", 109.025),
        ("109°01'30''", 109.025),
        ("１０９°０１＇３０＂", 109.025),
        ("１０９．０２５", 109.025),
        ("东经109度1分30秒", 109.025),
        ("E109°01'30.0\"", 109.025),
        ("109:01:30", 109.025),
        (" 109 01 30 e ", 109.025),
        ("109° 1.5'", 109.025),
        ("109°", 109.0),
        ("35度", 35.0),
        ("32.69N", 32.69),
        ("北纬32.69", 32.69),
        ("33°51'24\"S", -33.856666666666667),
        ("-5°30'", -5.5),
        ("−5.5", -5.5),
        ("西经0度30分", -0.5),
    ],
)
def test_parse_angle(text, angle_deg):
    assert parse_angle(text) == pytest.approx(angle_deg, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "东经",
        "109°61'",
        "109°01'60\"",
        "109.5°30'",
        "E109W",
        "-5S",
        "109°01'30\"30",
        "12m",
        "nan",
    ],
)
def test_what_is_no_angle_is_nan(text):
    assert np.isnan(parse_angle(text))


@given(degrees=st.integers(0, 179), minutes=st.integers(0, 59), seconds=st.integers(0, 59))
def test_parse_angle_is_base_sixty(degrees, minutes, seconds):
    text = f"{degrees}°{minutes:02d}'{seconds:02d}\""
    assert parse_angle([text, text + "W"]) == pytest.approx(
        np.array([1.0, -1.0]) * (degrees * 3600 + minutes * 60 + seconds) / 3600.0, abs=1e-12
    )


def test_utm_zone_of_ankang():
    assert utm_crs(109.02, 32.69).to_epsg() == 32649
    assert utm_crs(109.02, -32.69).to_epsg() == 32749
    with pytest.raises(OutOfRangeError, match="swapped"):
        utm_crs(32.69, 109.02)
