"""Pixels, their centres, and where most people of a village live."""

import numpy as np
from hypothesis import given, strategies as st

from ankang_coverage.planning.places import OUTSIDE, centres, most_populated_pixels, pixels_at


@given(st.integers(0, 3599))
def test_the_centre_of_a_pixel_is_on_it(small_region, pixel):
    assert pixels_at(*centres(np.array([pixel]), small_region), small_region)[0] == pixel


def test_points_beyond_the_grid_have_no_pixel(small_region):
    west, south, east, north = small_region.geobox.boundingbox
    x_m = np.array([west - 1, east + 1, west + 1, west + 1])
    y_m = np.array([south + 1, south + 1, north + 1, south - 1])
    assert (pixels_at(x_m, y_m, small_region) == OUTSIDE).all()


def test_nobody_has_more_of_the_village_than_its_centre(small_region):
    people = small_region.shares.people.toarray()
    found = most_populated_pixels(small_region)
    assert (people[np.arange(len(found)), found] == people.max(axis=1)).all()
    assert found.tolist() == people.argmax(axis=1).tolist()
