"""Tessellation against exact areas and brute-force nearest seeds."""

import numpy as np
import pytest
import shapely
from hypothesis import given, strategies as st

from ankang_coverage.datasets.tessellation import (
    PRECISION_M,
    farthest_seeds,
    spread_seeds,
    tessellate,
)

LEFT = shapely.Polygon([(0, 0), (5_000, 0), (6_000, 4_000), (4_500, 9_000), (0, 10_000)])
RIGHT = shapely.Polygon([(5_000, 0), (12_000, 0), (12_000, 9_500), (4_500, 9_000), (6_000, 4_000)])


@given(seed=st.integers(0, 10_000), count=st.integers(1, 30))
def test_parts_cover_each_parent_exactly(seed, count):
    rng = np.random.default_rng(seed)
    seeds = [rng.uniform(100, 4_000, (count, 2)), rng.uniform(6_500, 9_000, (count, 2))]
    parts = tessellate([LEFT, RIGHT], seeds)
    assert [len(own) for own in parts] == [count, count]
    assert shapely.coverage_is_valid(np.array([*parts[0], *parts[1]]))
    for parent, own, points in zip((LEFT, RIGHT), parts, seeds, strict=True):
        # A vertex that an edge adds to a long border lies up to half a grid step beside it.
        moved = PRECISION_M / 2 * parent.length
        assert shapely.union_all(own).symmetric_difference(parent).area < moved
        assert sum(part.area for part in own) == pytest.approx(parent.area, abs=moved)
        assert shapely.covers(own, shapely.points(points)).all()
        assert {part.geom_type for part in own} == {"Polygon"}


def test_a_convex_parent_is_divided_by_the_nearest_seed():
    square = shapely.box(0, 0, 10_000, 10_000)
    rng = np.random.default_rng(5)
    seeds = rng.uniform(0, 10_000, (12, 2))
    (parts,) = tessellate([square], [seeds])
    places = rng.uniform(0, 10_000, (2_000, 2))
    nearest = np.hypot(*(places[:, None] - seeds).transpose(2, 0, 1)).argmin(axis=1)
    distance = shapely.distance(np.array(parts)[nearest], shapely.points(places))
    assert distance.max() < 0.02


def test_a_piece_cut_off_from_its_seed_joins_the_longest_neighbour():
    # A U: the right arm's tip is nearer to the left arm's seed than to the one at the bottom.
    u_shape = shapely.union_all(
        [
            shapely.box(0, 0, 1_000, 5_000),
            shapely.box(1_500, 0, 2_500, 5_000),
            shapely.box(0, 0, 2_500, 500),
        ]
    )
    (parts,) = tessellate([u_shape], [np.array([[900.0, 4_000.0], [1_250.0, 200.0]])])
    assert [part.geom_type for part in parts] == ["Polygon", "Polygon"]
    assert parts[1].covers(shapely.Point(2_000, 4_500))
    assert sum(part.area for part in parts) == pytest.approx(u_shape.area, abs=0.01)


def test_an_island_without_a_seed_stays_with_the_nearest():
    island = shapely.box(20_000, 0, 21_000, 1_000)
    parent = shapely.MultiPolygon([LEFT, island])
    (parts,) = tessellate([parent], [np.array([[500.0, 500.0], [4_000.0, 500.0]])])
    assert parts[1].covers(island)


def test_a_seed_outside_moves_to_the_nearest_inside():
    (parts,) = tessellate([LEFT], [np.array([[-3_000.0, 5_000.0], [4_000.0, 500.0]])])
    assert parts[0].covers(shapely.Point(100.0, 5_000.0))
    assert min(part.area for part in parts) > 1e6


def test_spread_seeds_share_the_weight_evenly():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1_000, (2_000, 2))
    weights = np.where(points[:, 0] < 500, 9.0, 1.0)
    seeds = spread_seeds(points, weights, 20, rng)
    assert len(np.unique(seeds, axis=0)) == 20
    assert (seeds[:, 0] < 500).sum() > 10
    assert (np.diff(seeds[:, 1]) <= 0).all(), "from north to south"
    assert (seeds[:, None] == points).all(axis=2).any(axis=1).all()


def test_farthest_seeds_by_brute_force():
    points = np.array([[0.0, 0.0], [3.0, 0.0], [10.0, 0.0], [6.0, 0.0]])
    added = farthest_seeds(points, np.array([1.0, 1.0, 1.0, 2.0]), points[:1], 2)
    assert added.tolist() == [[6.0, 0.0], [10.0, 0.0]]
