"""The sizes of the tags of a TIFF, checked before GDAL reads them all.

Opening a TIFF reads every tag of every image in it, whatever size the file declares, and a sparse
file can declare far more than it takes on disk.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""First bytes of a TIFF and a BigTIFF, in either order of bytes."""
BLOCK_TAGS = (273, 279, 324, 325)
"""Places and sizes of strips and tiles; GDAL reads these only as needed."""
MOST_IMAGES = 65_535
"""Images of a file whose tags are counted."""

MOST_TAGS = 65_535
CUT_OFF = "it is cut off or damaged: a tag lies beyond its end"
BYTES_OF_TYPE = dict(
    zip(range(1, 19), (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 1, 1, 8, 8, 8), strict=True)
)
"""Size of a tag's value by its type; an unknown type counts one byte."""


def tag_bytes(path: Path) -> int:
    """Return the bytes of all tags of a TIFF except those that locate its pixels.

    Parameters
    ----------
    path : pathlib.Path
        A file that begins like a TIFF.

    Returns
    -------
    int
        Their size as declared in the file.

    Raises
    ------
    ValueError
        If a table of tags, or a tag, lies beyond the end of the file.
    """
    size = path.stat().st_size
    total = 0
    with path.open("rb") as file:
        for number, n_bytes, place in _tags(file, size):
            if place + n_bytes > size:
                raise ValueError(CUT_OFF)
            total += n_bytes if number not in BLOCK_TAGS else 0
    return total


def _tags(file: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
    """Return number, bytes and place of every tag whose value is outside its own entry."""
    start = file.read(4)
    order = "<" if start.startswith(b"I") else ">"
    is_big = b"+" in start
    address = struct.Struct(f"{order}{'Q' if is_big else 'I'}")
    entry = struct.Struct(f"{order}HH{'QQ' if is_big else 'II'}")
    count = struct.Struct(f"{order}{'Q' if is_big else 'H'}")
    if is_big:
        file.seek(8)
    seen: set[int] = set()
    while len(seen) < MOST_IMAGES:
        (here,) = address.unpack(_exactly(file, address.size))
        if here == 0 or here in seen:
            return
        if here >= size:
            raise ValueError(CUT_OFF)
        seen.add(here)
        file.seek(here)
        (n_tags,) = count.unpack(_exactly(file, count.size))
        for number, kind, length, place in entry.iter_unpack(
            _exactly(file, min(n_tags, MOST_TAGS + 1) * entry.size)
        ):
            n_bytes = length * BYTES_OF_TYPE.get(kind, 1)
            if n_bytes > address.size:
                yield number, n_bytes, place


def _exactly(file: BinaryIO, n_bytes: int) -> bytes:
    content = file.read(n_bytes)
    if len(content) < n_bytes:
        raise ValueError(CUT_OFF)
    return content
