"""High points are the highest places from which a village's centre is in sight."""

from dataclasses import replace

import numpy as np

from ankang_coverage.planning.places import most_populated_pixels, pixels_at
from ankang_coverage.planning.sources.villages import high_points, village_centres


def test_every_village_of_the_kinds_has_its_centre(small_region):
    kinds = small_region.villages["kind"].to_numpy()
    found = village_centres(small_region, ("village",))
    pixels = pixels_at(found.geometry.x.to_numpy(), found.geometry.y.to_numpy(), small_region)
    expected = most_populated_pixels(small_region)[kinds == "village"]
    assert sorted(pixels) == sorted(set(expected))
    assert set(found["reason"]) == {"village_centre"}


def sees(elevation, a, b, height_a, height_b):
    """Whether the straight line between two antennas clears the ground, by dense sampling."""
    t = np.linspace(0.0, 1.0, 400)[1:-1]
    rows, columns = a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])
    r, c = np.floor(rows).astype(int), np.floor(columns).astype(int)
    r, c = np.clip(r, 0, elevation.shape[0] - 2), np.clip(c, 0, elevation.shape[1] - 2)
    u, v = rows - r, columns - c
    ground = (
        elevation[r, c] * (1 - u) * (1 - v)
        + elevation[r + 1, c] * u * (1 - v)
        + elevation[r, c + 1] * (1 - u) * v
        + elevation[r + 1, c + 1] * u * v
    )
    line = (elevation[a] + height_a) * (1 - t) + (elevation[b] + height_b) * t
    return (ground <= line + 1.0).all()  # curvature and sampling stay below a metre here


def test_high_points_see_their_village_and_are_high(small_region):
    found = high_points(small_region, ("village",), height_m=12.0, within_m=1200.0, number=2)
    elevation = small_region.rasters["elevation_m"].to_numpy()
    kinds = small_region.villages["kind"].to_numpy()
    villages = [
        np.unravel_index(pixel, elevation.shape)
        for pixel in most_populated_pixels(small_region)[kinds == "village"]
    ]
    assert len(found) > len(villages)
    pixels = pixels_at(found.geometry.x.to_numpy(), found.geometry.y.to_numpy(), small_region)
    for pixel in pixels:
        place = np.unravel_index(pixel, elevation.shape)
        near = [v for v in villages if np.hypot(v[0] - place[0], v[1] - place[1]) <= 1200 / 90]
        assert any(sees(elevation, place, village, 12.0, 1.5) for village in near)
        assert any(elevation[place] >= elevation[village] for village in near)


def test_the_first_high_point_is_the_highest_in_sight(small_region):
    one = high_points(small_region, ("village",), height_m=12.0, within_m=1200.0, number=1)
    two = high_points(small_region, ("village",), height_m=12.0, within_m=1200.0, number=2)
    assert set(one.geometry.to_wkt()) <= set(two.geometry.to_wkt())


def test_without_terrain_there_is_no_high_point(small_region):
    unknown = small_region.rasters["elevation_m"] * np.nan
    flat = replace(small_region, rasters=small_region.rasters.assign(elevation_m=unknown))
    assert high_points(flat, ("village",), height_m=12, within_m=900, number=2).empty
