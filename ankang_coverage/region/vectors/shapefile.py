"""Shapefiles, read by GDAL once it is seen that they are some and how much they hold."""

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
"""Where in the header the file's size, in words of two bytes, and the kind of the shapes stand."""
VERTEX_BYTES = (16, 24, 24, 16)
"""Size of a vertex by the tens of the kind: plain, with height, with measure, of surfaces."""
PARTS_AT = 44
"""Where in a record of polygons the number of their rings stands [bytes]."""
POLYGONS = (5, 15, 25)
MOST_RINGS = 15_000
"""Rings in a polygon; which of them are holes is sought among all pairs."""
CHINESE = "gb18030"
"""Encoding of texts where no .cpg says another: so are Shapefiles made in China."""
CODE_PAGE = re.compile(r"(?:ansi|oem|cp|windows)?[ -]*(\d{3,5})", re.IGNORECASE)
UTF8_PAGE = "65001"

logging.getLogger("pyogrio").addHandler(logging.NullHandler())  # or it writes to the terminal


def layers_of(file: Path) -> dict[str, bool]:
    """Return the one layer, called after the file."""
    return {file.stem: True}


def read_layer(file: Path, _: str) -> VectorLayer:
    """Read the features of the one layer."""
    budget = Budget(file)
    _require_modest(file, budget)
    beside = _beside(file, ".dbf")
    if beside is not None:
        require_file(beside, "vector_bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told, _, encoded, cells = pyogrio.raw.read(file.absolute(), encoding=_encoding(file))
    if encoded is None:
        raise FileError(f"cannot read {file} as a vector file: it has no shapes: export it again")
    budget.columns(len(told["fields"]))
    columns = {
        str(header): _objects(values) for header, values in zip(told["fields"], cells, strict=True)
    }
    for row in zip(*columns.values(), strict=True) if columns else [()] * len(encoded):
        budget.feature(len(columns))
        budget.texts(row)
    with np.errstate(invalid="ignore"):  # NaN is told later
        shapes = shapely.from_wkb(encoded, on_invalid="ignore")
    is_broken = np.array([one is not None for one in encoded]) & shapely.is_missing(shapes)
    return VectorLayer(
        file,
        as_table(columns, len(shapes)),
        shapes,
        np.where(is_broken, BROKEN, "").astype(object),
        None if told["crs"] is None else CRS.from_user_input(told["crs"]),
    )


def _require_modest(file: Path, budget: Budget) -> None:
    """Refuse what is no Shapefile, and what would be too much to hand to GDAL."""
    if {"!", ";"} & set(str(file.absolute())):
        raise FileError(f"cannot read {file}: rename what has ! or ; in its name")
    index = _beside(file, ".shx")
    if index is None:
        raise FileError(f"{file} lacks the .shx beside it: copy all files of the Shapefile")
    for one in (file, index):
        require_file(one, "vector_bytes")
        with one.open("rb") as content:
            start = content.read(HEADER_BYTES)
        if len(start) < HEADER_BYTES or int.from_bytes(start[:4], "big") != MAGIC:
            raise FileError(f"{one} is no part of a Shapefile: export it again")
        if 2 * int.from_bytes(start[SIZE_AT : SIZE_AT + 4], "big") > one.stat().st_size:
            raise FileError(f"{one} is cut off: export it again")
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
    """Return a file of the same name with another ending, written large or small."""
    names = (file.with_suffix(suffix), file.with_suffix(suffix.upper()))
    return next((one for one in names if one.exists()), None)


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
