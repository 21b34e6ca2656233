"""Polygons whose lines cross so often that a geometry library would need hours.

Repairing a polygon of 200 random corners takes seconds, one of 500 takes minutes; and a validity
check looks at all pairs of lines whose boxes meet. Here the number of such pairs is estimated from
a sample beforehand.
"""

import numpy as np
import shapely
from numpy.typing import NDArray

TANGLED = "a polygon whose lines cross too often: draw it anew"
FEWEST, MOST, EFFORT = 16, 32, 20_000_000
"""Size of the sample of lines, and the number of comparisons that limits it."""
SMALL = 1_000
"""Corners up to which there are few pairs."""
MOST_PAIRS = 50_000_000
"""Pairs of lines whose boxes meet, in all polygons of a layer together."""
MOST_CROSSINGS = 300
"""Crossings of lines in one polygon; the time for its repair grows with their square."""
MOST_SQUARES = 1_000_000
"""Sum of the squares of those numbers, over all polygons of a layer."""
MOST_CROSSINGS_OF_TWO = 100_000
"""Crossings of the lines of two polygons; borders drawn twice have some hundreds."""

Lines = NDArray[np.float64]


def are_tangled(polygons: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return which polygons are too tangled to be checked and repaired.

    Parameters
    ----------
    polygons : numpy.ndarray
        (n,) geometries with finite coordinates.

    Returns
    -------
    numpy.ndarray
        (n,) True for tangled ones; where polygons take too long only together, for the later ones.
    """
    tangled = np.zeros(len(polygons), bool)
    pairs = squares = 0.0
    for n in np.flatnonzero(shapely.get_num_coordinates(polygons) > SMALL):
        lines = _lines(polygons[n])
        here = _pairs(lines, lines) / 2.0
        tangled[n] = pairs + here > MOST_PAIRS
        pairs += 0.0 if tangled[n] else here
    invalid = np.flatnonzero(~tangled)
    for n in invalid[~shapely.is_valid(polygons[invalid])]:
        crossings = _crossings(polygons[n])
        tangled[n] = crossings > MOST_CROSSINGS or squares + crossings**2 > MOST_SQUARES
        squares += 0.0 if tangled[n] else crossings**2
    return tangled


def shared_areas(first: NDArray[np.object_], second: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the areas that polygons share pair by pair.

    Parameters
    ----------
    first, second : numpy.ndarray
        (n,) valid polygons.

    Returns
    -------
    numpy.ndarray
        (n,) areas in the square of their unit; NaN where their lines cross too often.
    """
    sizes = shapely.get_num_coordinates(first), shapely.get_num_coordinates(second)
    areas = np.full(len(first), np.nan)
    large = sizes[0].astype(np.int64) * sizes[1] > SMALL**2
    areas[~large] = shapely.area(shapely.intersection(first[~large], second[~large]))
    for n in np.flatnonzero(large):
        if _crossings_of(first[n], second[n]) <= MOST_CROSSINGS_OF_TWO:
            areas[n] = shapely.area(shapely.intersection(first[n], second[n]))
    return areas


def _crossings_of(first: shapely.Geometry, second: shapely.Geometry) -> float:
    """Estimate how often the lines of two polygons cross; an upper bound where that is small."""
    boxes = shapely.bounds([first, second])
    low, high = boxes[:, :2].max(axis=0), boxes[:, 2:].min(axis=0)
    lines, others = (
        found[((_high(found) >= low) & (_low(found) <= high)).all(axis=1)]
        for found in (_lines(first), _lines(second))
    )
    most = float(len(lines) * len(others))
    return most if most <= MOST_CROSSINGS_OF_TWO else _pairs(lines, others, crossing=True)


def _low(lines: Lines) -> Lines:
    return np.minimum(lines[:, :2], lines[:, 2:])


def _high(lines: Lines) -> Lines:
    return np.maximum(lines[:, :2], lines[:, 2:])


def _lines(polygon: shapely.Geometry) -> Lines:
    """Return (n, 4) start and end of every line of a geometry's rings."""
    rings = shapely.get_rings(shapely.get_parts(polygon))
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[:-1] == ring[1:]
    return np.concatenate([corners[:-1][same], corners[1:][same]], axis=1)


def _pairs(lines: Lines, others: Lines, *, crossing: bool = False) -> float:
    """Estimate how many pairs of lines have boxes that meet, or how many cross."""
    if not len(lines) or not len(others):
        return 0.0
    number = int(np.clip(EFFORT // len(others), FEWEST, MOST))
    sample = lines[np.unique(np.linspace(0, len(lines) - 1, number).astype(int))]
    west, east = np.sort(others[:, [0, 2]], axis=1).T.copy()
    south, north = np.sort(others[:, [1, 3]], axis=1).T.copy()
    found = 0
    for line in sample:
        (low_x, high_x), (low_y, high_y) = np.sort(line[[0, 2]]), np.sort(line[[1, 3]])
        near = (west <= high_x) & (east >= low_x) & (south <= high_y) & (north >= low_y)
        found += int((_cross(line, others[near]) if crossing else near).sum())
    return found * len(lines) / len(sample)


def _cross(line: Lines, others: Lines) -> NDArray[np.bool_]:
    """Return which lines a line crosses; touching does not count."""
    start, end, from_, to = line[:2], line[2:], others[:, :2], others[:, 2:]
    of_line = _side(start, end, from_) * _side(start, end, to) < 0
    return of_line & (_side(from_, to, start) * _side(from_, to, end) < 0)


def _side(start: Lines, end: Lines, point: Lines) -> NDArray[np.float64]:
    """Return on which side of lines points lie, by the sign."""
    along, away = end - start, point - start
    return np.sign(along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0])


def _crossings(polygon: shapely.Geometry) -> int:
    """Return how often the lines of a polygon cross, counted until they are too many."""
    segments = np.asarray(shapely.linestrings(_lines(polygon).reshape(-1, 2, 2)), object)
    tree = shapely.STRtree(segments)
    found, step, start = 0, 8, 0
    while start < len(segments) and found <= 2 * MOST_CROSSINGS:
        found += tree.query(segments[start : start + step], predicate="crosses").shape[1]
        start, step = start + step, min(2 * step, 10_000)
    return found // 2
