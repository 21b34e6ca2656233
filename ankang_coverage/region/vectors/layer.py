"""A layer of a vector file, and the limits that every reader of one keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS

from ankang_coverage.errors import LimitError
from ankang_coverage.limits import limits, require_within

BROKEN = "a broken shape: a ring that is not closed or has too few corners"
DAMAGED = "a shape that is cut off or damaged"


@dataclass(frozen=True)
class VectorLayer:
    """The features of one layer, in the order of the file.

    Attributes
    ----------
    path
        The file, for messages.
    table
        (n, columns) what is written beside the shapes, as numbers, texts and ``None``; the index
        counts the features from 1.
    shapes
        (n,) geometries, ``None`` where there is none or it cannot be read.
    faults
        (n,) why a shape that is there cannot be read, blank for all others.
    crs
        The CRS, if the file says it.
    """

    path: Path
    table: pd.DataFrame
    shapes: NDArray[np.object_]
    faults: NDArray[np.object_]
    crs: CRS | None

    def frame(self) -> gpd.GeoDataFrame:
        """Return table and shapes as one table, without what is wrong with a shape."""
        return gpd.GeoDataFrame(
            self.table, geometry=gpd.GeoSeries(list(self.shapes), self.table.index, self.crs)
        )


class Budget:
    """What may still be read of a file; every reader counts what it takes.

    Parameters
    ----------
    path : pathlib.Path
        The file, for messages.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.features = self.vertices = self.characters = 0

    def columns(self, number: int) -> None:
        """Refuse more columns than allowed."""
        require_within("columns", number, f"{self.path} has too many columns")

    def feature(self, n_columns: int) -> None:
        """Count a feature with its cells."""
        self.features += 1
        require_within("features", self.features, f"{self.path} has too many features")
        require_within("cells", self.features * n_columns, f"{self.path} has too many cells")

    def shape(self, n_vertices: int) -> None:
        """Count the vertices of a shape."""
        self.vertices += n_vertices
        require_within("vertices", self.vertices, f"{self.path} has too many vertices")

    def texts(self, cells: Sequence[object]) -> None:
        """Count the characters of the texts among cells."""
        for cell in cells:
            if isinstance(cell, str):
                self.characters += len(cell)
                if len(cell) > limits().field_characters:
                    require_within(
                        "field_characters",
                        len(cell),
                        f"{self.path}, feature {self.features} has a text of too many characters",
                    )
        require_within("text_bytes", self.characters, f"{self.path} has too many characters")

    def too_long(self, most_bytes: int) -> LimitError:
        """Return the refusal of a single value that is longer than any that is read."""
        return LimitError(
            f"{self.path} has a value of more than {most_bytes:,} bytes; if it is meant, raise the "
            f"limit: vertices under [limits] in the study, or use_limits(vertices=…) in Python"
        )


def as_table(columns: dict[str, list[object]], n_features: int) -> pd.DataFrame:
    """Return columns as a table of objects, its rows counted from 1."""
    index = pd.RangeIndex(1, n_features + 1)
    return pd.DataFrame(
        {name: pd.Series(cells, index, dtype=object) for name, cells in columns.items()},
        index=index,
    )


def as_shapes(shapes: Sequence[object]) -> NDArray[np.object_]:
    """Return shapes as an array; numpy would look into collections if it made one itself."""
    array = np.empty(len(shapes), object)
    array[:] = shapes
    return array
