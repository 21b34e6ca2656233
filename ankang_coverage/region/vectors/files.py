"""The reader of each kind of vector file."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import ModuleType

from ankang_coverage.errors import FileError
from ankang_coverage.inputs import reading, require_file
from ankang_coverage.region.vectors import geojson, geopackage, shapefile
from ankang_coverage.region.vectors.layer import VectorLayer

READERS: Mapping[str, ModuleType] = {
    ".gpkg": geopackage,
    ".geojson": geojson,
    ".json": geojson,
    ".shp": shapefile,
}
SUFFIXES = tuple(READERS)


def layers_of(path: str | PathLike[str]) -> dict[str, bool]:
    """Return the layers of a vector file by name, and whether each has shapes.

    Parameters
    ----------
    path : str or os.PathLike
        GeoPackage, GeoJSON or Shapefile.

    Returns
    -------
    dict
        Whether a layer has shapes, by its name.

    Raises
    ------
    FileError
        If the file is missing, empty, damaged or of another kind.
    LimitError
        If it is larger than allowed.
    """
    file = _checked(path)
    with reading(file, "a vector file", "export it again"):
        found: dict[str, bool] = READERS[file.suffix.lower()].layers_of(file)
        return found


def read_layer(path: str | PathLike[str], name: str | None = None) -> VectorLayer:
    """Read a layer of a vector file.

    Parameters
    ----------
    path : str or os.PathLike
        GeoPackage, GeoJSON or Shapefile.
    name : str, optional
        The layer; the first with shapes when omitted.

    Returns
    -------
    VectorLayer
        Its features.

    Raises
    ------
    FileError
        If the file is missing, empty, damaged or of another kind, or has no such layer.
    LimitError
        If it holds more than allowed.
    """
    file = _checked(path)
    with reading(file, "a vector file", "export it again"):
        reader = READERS[file.suffix.lower()]
        layers = reader.layers_of(file)
        chosen = name or next((layer for layer, has_shapes in layers.items() if has_shapes), None)
        if chosen not in layers:
            raise FileError(f"{file} has no layer {chosen or 'with shapes'}: export it again")
        result: VectorLayer = reader.read_layer(file, chosen)
        return result


def _checked(path: str | PathLike[str]) -> Path:
    file = require_file(path)
    if file.suffix.lower() not in READERS:
        raise FileError(
            f"{file} is not a vector file this library reads: save it as one of "
            f"{', '.join(SUFFIXES)}"
        )
    if file.stat().st_size == 0:
        raise FileError(f"{file} is empty: export it again")
    return file
