"""Well-known binary is looked through: vertices as shapely counts them, damage told."""

import struct

import pytest
import shapely

from ankang_coverage.region.vectors.wkb import count_vertices

SHAPES = [
    shapely.Point(1, 2),
    shapely.Point(1, 2, 3),
    shapely.LineString([(0, 0), (1, 1), (2, 0)]),
    shapely.box(0, 0, 1, 1).difference(shapely.box(0.2, 0.2, 0.4, 0.4)),
    shapely.MultiPoint([(0, 0), (1, 1)]),
    shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)]),
    shapely.GeometryCollection([shapely.Point(0, 0), shapely.MultiPoint([(1, 1)])]),
    shapely.Polygon(),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "form",
    [{}, {"byte_order": 0}, {"flavor": "iso"}, {"include_srid": True}],
)
def test_vertices_are_those_that_shapely_counts(shape, form):
    wkb = shapely.to_wkb(shapely.set_srid(shape, 4326), **form)
    assert count_vertices(wkb) == shapely.get_num_coordinates(shape)
    assert shapely.from_wkb(wkb).equals_exact(shape, 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_cut_is_told(shape):
    wkb = shapely.to_wkb(shape)
    for length in range(len(wkb)):
        with pytest.raises(ValueError, match="cut off or damaged"):
            count_vertices(wkb[:length])


@pytest.mark.parametrize(
    ("wkb", "says"),
    [
        (struct.pack("<BII", 1, 7, 1) * 100_000, "collections in collections"),
        (struct.pack("<BII", 1, 6, 1) * 100_000, "collections in collections"),
        (struct.pack("<BII", 1, 3, 0xFFFFFFFF), "cut off or damaged"),
        (struct.pack("<BIII", 1, 3, 1, 0xFFFFFFFF), "cut off or damaged"),
        (struct.pack("<BII", 1, 10, 1), "with arcs"),
        (struct.pack("<BII", 1, 9001, 1), "cut off or damaged"),
        (b"\x07" * 30, "cut off or damaged"),
        (b"", "cut off or damaged"),
    ],
)
def test_what_geos_would_choke_on_is_told(wkb, says):
    with pytest.raises(ValueError, match=says):
        count_vertices(wkb)
