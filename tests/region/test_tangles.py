"""Polygons that would take hours are told in a moment; what people draw is none of them."""

import time

import numpy as np
import pytest
import shapely

from ankang_coverage.region.tangles import are_tangled, shared_areas

RNG = np.random.default_rng(0)
BOW_TIE = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


def scribble(corners):
    return shapely.Polygon(RNG.random((corners, 2)))


def circle(corners):
    angle = np.linspace(0, 2 * np.pi, corners)
    return shapely.Polygon(np.stack([np.cos(angle), np.sin(angle)], axis=1))


def comb(teeth, *, upright):
    """Return a valid polygon of many long teeth."""
    n = np.arange(teeth)
    x = np.stack([n, n, n + 0.5, n + 0.5], axis=1).ravel()
    y = np.stack([n * 0 + 1, n * 0 + teeth, n * 0 + teeth, n * 0 + 1], axis=1).ravel()
    corners = np.stack([[0, *x, teeth], [0, *y, 0]], axis=1)
    return shapely.Polygon(corners if upright else corners[:, ::-1])


@pytest.mark.parametrize("corners", [100, 2_000, pytest.param(300_000, marks=pytest.mark.slow)])
def test_scribbles_are_tangled(corners):
    start = time.process_time()
    assert are_tangled(np.array([scribble(corners), BOW_TIE], object)).tolist() == [True, False]
    assert time.process_time() - start < 5


def test_what_people_draw_is_not():
    drawn = [BOW_TIE, shapely.box(0, 0, 1, 1), scribble(20), circle(200_000), shapely.Polygon()]
    assert not are_tangled(np.array(drawn, object)).any()


@pytest.mark.slow
def test_one_that_is_tangled_does_not_count_against_those_after_it():
    polygons = np.array([scribble(300_000), circle(200_000)], object)
    assert are_tangled(polygons).tolist() == [True, False]


def test_many_polygons_that_cross_themselves_once_are_repaired():
    assert not are_tangled(np.array([BOW_TIE] * 500, object)).any()


def test_polygons_that_together_take_too_long_are_told():
    zigzag = np.where(np.arange(280) % 2, 1.0, -1.0)
    corners = np.stack([[*range(280), 280, 0], [*zigzag, 0.0, 1e-4]], axis=1)
    assert are_tangled(np.array([shapely.Polygon(corners)] * 20, object)).sum() == 8


def test_shared_areas_are_those_of_the_intersections():
    first = np.array([circle(30), circle(3_000), shapely.box(0, 0, 2, 2)], object)
    second = np.array([circle(40), shapely.box(0, 0, 9, 9), shapely.box(1, 1, 3, 3)], object)
    expected = shapely.area(shapely.intersection(first, second))
    assert shared_areas(first, second).tolist() == expected.tolist()
    far = shapely.transform(circle(3_000), lambda corners: corners + 9)
    assert shared_areas(np.array([far]), np.array([circle(3_000)])).tolist() == [0.0]


def test_two_combs_across_each_other_are_not_intersected():
    start = time.process_time()
    first, second = comb(2_000, upright=True), comb(2_000, upright=False)
    assert np.isnan(shared_areas(np.array([first]), np.array([second]))).all()
    assert time.process_time() - start < 5
