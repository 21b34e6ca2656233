"""Spacing, thinning and the place names of candidates."""

import geopandas as gpd
import numpy as np
from hypothesis import given, strategies as st

from ankang_coverage.planning.candidates import locate, too_near
from ankang_coverage.planning.places import merged_into

coordinates = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=25)


def points(pairs):
    x, y = np.array(pairs, float).T
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=32649)


@given(coordinates, st.sampled_from([1.0, 5.0, 13.0]))
def test_too_near_is_exactly_the_pairs_below_the_spacing(pairs, spacing):
    pattern = too_near(points(pairs), spacing)
    array = np.zeros((len(pairs), len(pairs)), bool) if pattern is None else pattern.toarray() != 0
    for i, a in enumerate(pairs):
        for j, b in enumerate(pairs):
            assert array[i, j] == (i != j and np.hypot(a[0] - b[0], a[1] - b[1]) < spacing)


@given(coordinates, st.sampled_from([3.0, 10.0]))
def test_thinning_keeps_the_first_of_every_crowd(pairs, spacing):
    x, y = np.array(pairs, float).T
    into = merged_into(x, y, spacing)
    kept = np.flatnonzero(into == np.arange(len(into)))
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    assert (distance[np.ix_(kept, kept)] + 1e9 * np.eye(len(kept)) > spacing).all()
    for dropped in set(range(len(pairs))) - set(kept):
        assert into[dropped] < dropped
        assert into[dropped] in kept
        assert distance[dropped, into[dropped]] <= spacing


def test_sites_know_their_township_and_county(small_region):
    inside = small_region.villages.representative_point()
    sites = gpd.GeoDataFrame(geometry=inside, crs=small_region.villages.crs)
    place = locate(sites, small_region)
    assert place["township"].tolist() == small_region.villages["township"].tolist()
    assert place["county"].tolist() == small_region.villages["county"].tolist()


def test_a_site_just_outside_belongs_to_the_nearest_township(small_region):
    west, south, _, _ = small_region.villages.total_bounds
    outside = gpd.GeoDataFrame(geometry=gpd.points_from_xy([west - 50], [south + 10]), crs=32649)
    assert locate(outside, small_region)["township"].tolist() == ["610901101"]


def test_no_spacing_means_no_conflict():
    assert too_near(points([(0, 0), (0, 0)]), 0.0) is None
