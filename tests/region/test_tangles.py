"""Polygons that would keep a geometry library busy for hours are told in a moment."""

import numpy as np
import shapely

from ankang_coverage.region.tangles import are_tangled


def as_array(*shapes):
    array = np.empty(len(shapes), object)
    array[:] = shapes
    return array


def test_random_corners_are_tangled_and_borders_are_not():
    rng = np.random.default_rng(0)
    tangle = shapely.Polygon(rng.uniform(0, 1, (2000, 2)))
    angle = np.linspace(0, 2 * np.pi, 20_001)
    radius = 1 + 0.1 * np.sin(40 * angle)
    border = shapely.Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    assert are_tangled(as_array(tangle, border, bow_tie)).tolist() == [True, False, False]
