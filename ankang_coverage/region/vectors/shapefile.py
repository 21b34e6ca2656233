"""Shapefiles, read by GDAL after a check of their format and size."""

import codecs
import logging
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from ankang_coverage.errors import FileError
from ankang_coverage.inputs import require_file
from ankang_coverage.limits import require_within
from ankang_coverage.region.vectors.layer import BROKEN, Budget, VectorLayer, as_table

MAGIC = 9994
"""First number of a .shp and a .shx."""
HEADER_BYTES = 100
SIZE_AT, KIND_AT = 24, 32
"""Positions in the header of the file's size, in words of two bytes, and of the kind of shape."""
VERTEX_BYTES = (16, 24, 24, 16)
"""Size of a vertex by the tens of the kind: plain, with height, with measure, of surfaces."""
PARTS_AT = 44
"""Position of the number of rings in a record of polygons [bytes]."""
POLYGONS = (5, 15, 25)
MOST_RINGS = 15_000
"""Most rings in a polygon; GDAL compares all pairs of them to find holes."""
CHINESE = "gb18030"
"""Encoding of texts without a .cpg, as in Shapefiles made in China."""
CODE_PAGE = re.compile(r"(?:ansi|oem|cp|windows)?[ -]*(\d{3,5})", re.IGNORECASE)
UTF8_PAGE = "65001"

logging.getLogger("pyogrio").addHandler(
    logging.NullHandler()
)  # otherwise it writes to the terminal


def layers_of(file: Path) -> dict[str, bool]:
    """Return the one layer, called after the file.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    dict of str to bool
        True, because a Shapefile has shapes, by the name of the layer.
    """
    return {file.stem: True}


def read_layer(file: Path, _: str) -> VectorLayer:
    """Read the features of the one layer.

    Parameters
    ----------
    file : Path
        The file.
    _ : str
        Not used, because there is only one layer.

    Returns
    -------
    VectorLayer
        Its features.
    """
    budget = Budget(file)
    _require_modest(file, budget)
    beside = _beside(file, ".dbf")
    if beside is not None:
        require_file(beside, "vector_bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metadata, _, encoded, cells = pyogrio.raw.read(file.absolute(), encoding=_encoding(file))
    if encoded is None:
        raise FileError(f"cannot read {file} as a vector file: it has no shapes: export it again")
    budget.columns(len(metadata["fields"]))
    columns = {
        str(header): _objects(values)
        for header, values in zip(metadata["fields"], cells, strict=True)
    }
    for row in zip(*columns.values(), strict=True) if columns else [()] * len(encoded):
        budget.feature(len(columns))
        budget.texts(row)
    with np.errstate(invalid="ignore"):  # NaN is reported later
        shapes = shapely.from_wkb(encoded, on_invalid="ignore")
    is_broken = np.array([wkb is not None for wkb in encoded]) & shapely.is_missing(shapes)
    return VectorLayer(
        file,
        as_table(columns, len(shapes)),
        shapes,
        np.where(is_broken, BROKEN, "").astype(object),
        None if metadata["crs"] is None else CRS.from_user_input(metadata["crs"]),
    )


def _require_modest(file: Path, budget: Budget) -> None:
    """Refuse a file that is not a Shapefile, or is too large to pass to GDAL."""
    if {"!", ";"} & set(str(file.absolute())):
        raise FileError(f"cannot read {file}: rename the file or folder with ! or ; in its name")
    index = _beside(file, ".shx")
    if index is None:
        raise FileError(f"{file} lacks the .shx beside it: copy all files of the Shapefile")
    for part in (file, index):
        require_file(part, "vector_bytes")
        with part.open("rb") as content:
            start = content.read(HEADER_BYTES)
        if len(start) < HEADER_BYTES or int.from_bytes(start[:4], "big") != MAGIC:
            raise FileError(f"{part} is not part of a Shapefile: export it again")
        if 2 * int.from_bytes(start[SIZE_AT : SIZE_AT + 4], "big") > part.stat().st_size:
            raise FileError(f"{part} is cut off: export it again")
    kind = int.from_bytes(start[KIND_AT : KIND_AT + 4], "little")
    records = np.fromfile(index, ">u4", offset=HEADER_BYTES)
    places, lengths = records[: len(records) // 2 * 2].reshape(-1, 2).astype(np.int64).T * 2
    require_within("features", len(places), f"{file} has too many features")
    budget.shape(int(lengths.sum()) // VERTEX_BYTES[min(kind // 10, 3)])
    if kind in POLYGONS and len(places):
        most = int(_rings(file, places).max())
        if most > MOST_RINGS:
            raise FileError(
                f"{file} has a polygon of {most:,} rings, more than {MOST_RINGS:,}: split it"
            )
    budget.vertices = 0


def _rings(file: Path, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of rings of each polygon, 0 where the file is too short for it."""
    content = np.memmap(file, np.uint8, mode="r")
    here = places + 8 + PARTS_AT - 8
    here = here[here + 4 <= len(content)]
    found = content[here[:, None] + np.arange(4)]
    return np.append(found.copy().view("<u4").ravel().astype(np.int64), 0)


def _beside(file: Path, suffix: str) -> Path | None:
    """Return a file of the same name with another ending, in lower or upper case."""
    names = (file.with_suffix(suffix), file.with_suffix(suffix.upper()))
    return next((path for path in names if path.exists()), None)


def _encoding(file: Path) -> str:
    """Return the encoding that the .cpg names, if Python knows it."""
    beside = _beside(file, ".cpg")
    if beside is None:
        return CHINESE
    with require_file(beside).open("rb") as content:
        name = content.read(HEADER_BYTES).decode("latin-1").strip().strip("\0")
    page = CODE_PAGE.fullmatch(name)
    if page is not None:
        name = "utf-8" if page[1] == UTF8_PAGE else f"cp{page[1]}"
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return CHINESE


def _objects(values: NDArray[np.generic]) -> list[object]:
    """Return the cells of a column, ``None`` where there is nothing."""
    column = pd.Series(values)
    return list(column.astype(object).where(column.notna(), None))
