"""GeoJSON, read as a whole: its size in the file and in memory is limited."""

import json
import re
from pathlib import Path

import numpy as np
import shapely
import shapely.geometry
from pyproj import CRS

from ankang_coverage.errors import FileError
from ankang_coverage.inputs import read_text
from ankang_coverage.limits import limits, require_within
from ankang_coverage.region.coordinates import WGS84
from ankang_coverage.region.vectors.layer import Budget, VectorLayer, as_shapes, as_table

UNPACKED_BYTES = {"[": 72, "{": 232, ",": 36}
"""Memory for the list, object or number that begins with a sign of JSON."""

UNCLOSED = "a ring that is not closed"

DEPTHS = {
    "Point": 0,
    "MultiPoint": 0,
    "LineString": 0,
    "MultiLineString": 1,
    "Polygon": 1,
    "MultiPolygon": 2,
}
"""Levels of lists in a shape's coordinates above the lists of positions."""
COLLECTION = "GeometryCollection"

_EPSG = re.compile(
    r"(?:urn:ogc:def:crs:EPSG:[^:]*:|EPSG:|https?://www\.opengis\.net/def/crs/EPSG/[^/]*/)(\d{4,6})",
    re.IGNORECASE,
)
_DEGREES = re.compile(r"(?:urn:ogc:def:crs:|https?://www\.opengis\.net/def/crs/)?OGC.*CRS84")


class UnclosedError(ValueError):
    """A ring does not end where it begins."""


def layers_of(file: Path) -> dict[str, bool]:
    """Return the one layer, called after the file.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    dict of str to bool
        True, because a GeoJSON has shapes, by the name of the layer.
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
    content = _parsed(file)
    features = _features(content, file)
    budget = Budget(file)
    headers = _headers(features, budget)
    columns: dict[str, list[object]] = {header: [] for header in headers}
    shapes: list[object] = []
    faults: list[str] = []
    for feature in features:
        budget.feature(len(headers))
        properties = _properties(feature)
        cells = [_cell(properties.get(header)) for header in headers]
        budget.texts(cells)
        for column, cell in zip(columns.values(), cells, strict=True):
            column.append(cell)
        shape, fault = _shape(feature, budget)
        shapes.append(shape)
        faults.append(fault)
    return VectorLayer(
        file,
        as_table(columns, len(features)),
        as_shapes(shapes),
        np.array(faults, object),
        _crs(content, file),
    )


def _parsed(file: Path) -> dict[str, object]:
    text = read_text(file, "json_bytes")
    require_within(
        "json_unpacked_bytes",
        sum(text.count(sign) * n_bytes for sign, n_bytes in UNPACKED_BYTES.items()),
        f"{file} unpacks to too many bytes",
    )
    for number in re.finditer(rf"\d{{{limits().digits + 1},}}", text):
        require_within(
            "digits",
            len(number[0]),
            f"{file}, character {number.start() + 1:,} begins a number of too many digits",
        )
    content = json.loads(text)
    return content if isinstance(content, dict) else {}


def _features(content: dict[str, object], file: Path) -> list[object]:
    """Return the features of any of the three kinds of GeoJSON."""
    kind = content.get("type")
    features = content.get("features")
    if kind == "FeatureCollection" and isinstance(features, list):
        return features
    if kind == "Feature":
        return [content]
    if kind in DEPTHS or kind == COLLECTION:
        return [{"type": "Feature", "geometry": content}]
    raise FileError(
        f"cannot read {file} as a vector file: it is not a FeatureCollection: export it again as "
        f"GeoJSON"
    )


def _headers(features: list[object], budget: Budget) -> list[str]:
    """Return the names of all properties in the order in which they occur."""
    headers: dict[str, None] = {}
    for feature in features:
        headers.update(dict.fromkeys(_properties(feature)))
        budget.columns(len(headers))
    return list(headers)


def _properties(feature: object) -> dict[str, object]:
    """Return the properties of a feature, with its id where that is a text."""
    if not isinstance(feature, dict):
        return {}
    properties = feature.get("properties")
    own = {"id": feature["id"]} if isinstance(feature.get("id"), str) else {}
    return {**own, **properties} if isinstance(properties, dict) else own


def _cell(value: object) -> object:
    """Return a value as a cell of a table; lists and objects as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _shape(feature: object, budget: Budget) -> tuple[object, str]:
    """Return the shape of a feature, or why it cannot be read."""
    if not isinstance(feature, dict):
        return None, "no feature"
    geometry = feature.get("geometry")
    if geometry is None:
        return None, ""
    try:
        with np.errstate(invalid="ignore"):  # NaN is reported later
            shape = _assembled(geometry)
    except UnclosedError:
        return None, UNCLOSED
    except Exception:  # shapely raises many kinds for a wrong shape
        return None, "a shape that is not written as in GeoJSON"
    budget.shape(int(shapely.get_num_coordinates(shape)))
    return shape, ""


def _assembled(geometry: dict[str, object]) -> shapely.Geometry:
    """Return the shape of a GeoJSON geometry.

    Raises
    ------
    UnclosedError
        If a ring is not closed, because shapely would close it. For other faults shapely raises
        various exceptions.
    """
    kind = str(geometry["type"])
    if kind == COLLECTION:
        members = geometry["geometries"]
        assert isinstance(members, list)
        return shapely.GeometryCollection([_assembled(member) for member in members])
    arrays = _as_arrays(geometry["coordinates"], DEPTHS[kind])
    if kind.endswith("Polygon"):
        _require_closed(arrays)
    return shapely.geometry.shape({"type": kind, "coordinates": arrays})


def _as_arrays(coordinates: object, depth: int) -> object:
    """Return coordinates with positions as arrays, which makes shapely far faster."""
    if depth and isinstance(coordinates, list):
        return [_as_arrays(part, depth - 1) for part in coordinates]
    return np.asarray(coordinates, np.float64)


def _require_closed(arrays: object) -> None:
    if isinstance(arrays, list):
        for part in arrays:
            _require_closed(part)
    elif isinstance(arrays, np.ndarray) and len(arrays):
        first, last = arrays[0], arrays[-1]
        if not np.array_equal(first, last, equal_nan=True):
            raise UnclosedError


def _crs(content: dict[str, object], file: Path) -> CRS | None:
    """Return the CRS, which only a GeoJSON from before 2016 can name; since then it is WGS-84."""
    if "crs" not in content:
        return WGS84
    given = content["crs"]
    if given is None:
        return None
    properties = given.get("properties") if isinstance(given, dict) else None
    name = str(properties.get("name")) if isinstance(properties, dict) else ""
    if _DEGREES.fullmatch(name):
        return WGS84
    if found := _EPSG.fullmatch(name):
        return CRS.from_epsg(int(found[1]))
    raise FileError(
        f"cannot read {file} as a vector file: its CRS {name[:60]!r} is not an EPSG code: export "
        f"it again as GeoJSON in WGS 84"
    )
