"""Well-known binary, checked before it is passed to GEOS, which does not limit its nesting."""

import struct

from ankang_coverage.region.vectors.layer import DAMAGED

POINT, LINE, POLYGON, COLLECTION = 1, 2, 3, 7
DEEPEST = 8
"""Most collections within collections; no program nests them deeper."""

_Z_FLAG, _M_FLAG, _SRID_FLAG = 0x80000000, 0x40000000, 0x20000000
_DIMENSIONS = (2, 3, 3, 4)
"""By the thousands of ISO's kind of geometry: plain, with Z, with M, with both."""
_UNSIGNED = {0: struct.Struct(">I"), 1: struct.Struct("<I")}


def count_vertices(wkb: bytes) -> int:
    """Return the number of vertices of a geometry, and check that it is complete.

    Parameters
    ----------
    wkb : bytes
        Points, lines, polygons and collections of them, in the form of ISO or PostGIS.

    Returns
    -------
    int
        Vertices of all parts.

    Raises
    ------
    ValueError
        If it is cut off, nested deeper than `DEEPEST`, or of another kind, such as with arcs.

    Examples
    --------
    >>> import shapely
    >>> count_vertices(shapely.to_wkb(shapely.box(0, 0, 1, 1)))
    5
    """
    try:
        end, n_vertices = _walk(wkb, 0, 0)
    except (struct.error, LookupError) as error:
        raise ValueError(DAMAGED) from error
    if end > len(wkb):
        raise ValueError(DAMAGED)
    return n_vertices


def _walk(wkb: bytes, start: int, depth: int) -> tuple[int, int]:
    """Return where a geometry ends, which can be beyond the bytes, and its vertices."""
    if depth > DEEPEST:
        raise ValueError("a shape of collections in collections")
    unsigned = _UNSIGNED[wkb[start]]
    (kind,) = unsigned.unpack_from(wkb, start + 1)
    place = start + (9 if kind & _SRID_FLAG else 5)
    thousands, kind_of_all = divmod(kind & 0x0FFFFFFF, 1000)
    vertex = 8 * (_DIMENSIONS[thousands] + bool(kind & _Z_FLAG) + bool(kind & _M_FLAG))
    if kind_of_all == POINT:
        return place + vertex, 1
    if not LINE <= kind_of_all <= COLLECTION:
        raise ValueError("a shape with arcs, or of a kind that is not read: make lines of them")
    (n_parts,) = unsigned.unpack_from(wkb, place)
    place += 4
    if kind_of_all == LINE:
        return place + n_parts * vertex, n_parts
    n_vertices = 0
    for _ in range(n_parts):
        if kind_of_all == POLYGON:
            (n_here,) = unsigned.unpack_from(wkb, place)
            place += 4 + n_here * vertex
        else:
            place, n_here = _walk(wkb, place, depth + 1)
        n_vertices += n_here
    return place, n_vertices
