"""Divide polygons among seeds so that the parts cover them exactly.

Every boundary and every edge between seeds is noded together on one grid of a hundredth of a
metre, so neighbours share each vertex, within a parent and across parents.
"""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

PRECISION_M = 0.01
"""Spacing of the grid on which every vertex lies [m]."""


def spread_seeds(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    count: int,
    rng: np.random.Generator,
    rounds: int = 5,
) -> NDArray[np.float64]:
    """Choose seeds among points so that each has a similar share of the weight around it.

    Parameters
    ----------
    points : numpy.ndarray
        (n, 2) places a seed may take [m].
    weights : numpy.ndarray
        (n,) positive weight of each place [1].
    count : int
        Number of seeds, at most n.
    rng : np.random.Generator
        Random numbers for the first draw.
    rounds : int, default 5
        Steps towards the weighted middles (Lloyd's algorithm).

    Returns
    -------
    numpy.ndarray
        (count, 2) distinct points, from north to south.
    """
    chosen = rng.choice(len(points), count, replace=False, p=weights / weights.sum())
    for _ in range(rounds):
        owner = cKDTree(points[chosen]).query(points)[1]
        total, x, y = (
            np.bincount(owner, weights * value, minlength=count)
            for value in (np.ones(len(points)), points[:, 0], points[:, 1])
        )
        chosen = _distinct_nearest(points, np.column_stack([x / total, y / total]))
    seeds = points[chosen]
    return seeds[np.lexsort((seeds[:, 0], -seeds[:, 1]))]


def farthest_seeds(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    taken: NDArray[np.float64],
    count: int,
) -> NDArray[np.float64]:
    """Add seeds one by one where weight times distance from the nearest seed is greatest.

    Parameters
    ----------
    points : numpy.ndarray
        (n, 2) places a seed may take [m].
    weights : numpy.ndarray
        (n,) weight of each place [1].
    taken : numpy.ndarray
        (m, 2) existing seeds, at least one [m].
    count : int
        Number of seeds to add.

    Returns
    -------
    numpy.ndarray
        (count, 2) the added seeds in the order of choice.
    """
    distance = cKDTree(taken).query(points)[0]
    added = np.empty((count, 2))
    for k in range(count):
        added[k] = points[np.argmax(weights * distance)]
        distance = np.minimum(distance, np.hypot(*(points - added[k]).T))
    return added


def tessellate(
    parents: Sequence[shapely.Geometry], seeds: Sequence[NDArray[np.float64]]
) -> list[list[shapely.Geometry]]:
    """Divide each parent among its seeds: each gets the nearest area, in one piece.

    Parameters
    ----------
    parents : sequence of shapely.Geometry
        Polygons that do not overlap and share their borders' vertices [m].
    seeds : sequence of numpy.ndarray
        For each parent (k, 2) distinct points [m]; one outside moves to the nearest point inside.

    Returns
    -------
    list of list of shapely.Geometry
        For each parent its k parts. All parts of all parents form a valid coverage on the grid of
        `PRECISION_M`; a piece cut off from its seed goes to the neighbour with the longest common
        border, unless it touches none.
    """
    parents = list(shapely.set_precision(np.asarray(parents, object), PRECISION_M))
    inside = [_moved_inside(own, parent) for own, parent in zip(seeds, parents, strict=True)]
    faces = _faces(parents, inside)
    owner = _parent_of(faces, parents)
    return [_parts(faces[owner == number], own) for number, own in enumerate(inside)]


def _distinct_nearest(
    points: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Index of the point nearest to each wanted place, no point twice."""
    tree = cKDTree(points)
    chosen: dict[int, None] = {}
    for place in wanted:
        near = np.atleast_1d(tree.query(place, k=min(len(chosen) + 1, len(points)))[1])
        chosen[next(int(index) for index in near if int(index) not in chosen)] = None
    return np.array(list(chosen), np.int64)


def _points(xy: NDArray[np.float64]) -> NDArray[np.object_]:
    return np.array(shapely.points(xy), object, ndmin=1)


def _moved_inside(seeds: NDArray[np.float64], parent: shapely.Geometry) -> NDArray[np.float64]:
    points = _points(seeds)
    moved = seeds.copy()
    for index in np.flatnonzero(~shapely.contains_properly(parent, points)):
        # Slightly inside the border, so that the seed's part is not empty.
        core = shapely.buffer(parent, -100.0)
        near = parent if shapely.is_empty(core) else core
        moved[index] = shapely.get_coordinates(shapely.shortest_line(near, points[index]))[0]
    return moved


def _faces(
    parents: Sequence[shapely.Geometry], seeds: Sequence[NDArray[np.float64]]
) -> NDArray[np.object_]:
    """Node all borders and edges together, and return the faces between them."""
    lines = list(shapely.boundary(np.asarray(parents, object)))
    for parent, own in zip(parents, seeds, strict=True):
        if len(own) > 1:
            edges = shapely.voronoi_polygons(
                shapely.multipoints(own), extend_to=shapely.buffer(parent, 1000.0), only_edges=True
            )
            lines.append(shapely.intersection(edges, parent))
    noded = shapely.union_all(lines, grid_size=PRECISION_M)
    return shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))


def _parent_of(
    faces: NDArray[np.object_], parents: Sequence[shapely.Geometry]
) -> NDArray[np.int64]:
    """Number of the parent that each face lies in; −1 for a hole between parents."""
    face, parent = shapely.STRtree(parents).query(
        shapely.point_on_surface(faces), predicate="intersects"
    )
    owner = np.full(len(faces), -1, np.int64)
    owner[face] = parent
    return owner


def _parts(faces: NDArray[np.object_], seeds: NDArray[np.float64]) -> list[shapely.Geometry]:
    """Merge a parent's faces into one part per seed."""
    middles = shapely.get_coordinates(shapely.point_on_surface(faces))
    nearest = cKDTree(seeds).query(middles)[1]
    parts: list[shapely.Geometry] = []
    loose: list[tuple[shapely.Geometry, int]] = []
    for number, seed in enumerate(_points(seeds)):
        pieces = shapely.get_parts(shapely.coverage_union_all(faces[nearest == number]))
        home = int(np.argmin(shapely.distance(pieces, seed)))
        parts.append(pieces[home])
        loose.extend((piece, number) for k, piece in enumerate(pieces) if k != home)
    for piece, number in sorted(loose, key=lambda pair: -shapely.area(pair[0])):
        border = [shapely.intersection(piece, part).length for part in parts]
        neighbour = int(np.argmax(border)) if max(border) > 0 else number
        parts[neighbour] = shapely.coverage_union_all([parts[neighbour], piece])
    return parts
