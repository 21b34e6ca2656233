"""A layer of a vector file, and the limits that every reader checks."""

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
    path : Path
        The file, for messages.
    table : pandas.DataFrame
        (n, columns) the attributes of the features: numbers, texts and ``None``. The index counts
        the features from 1.
    shapes : numpy.ndarray
        (n,) geometries, ``None`` where one is missing or cannot be read.
    faults : numpy.ndarray
        (n,) why a shape cannot be read, blank for all others.
    crs : CRS or None
        The CRS, if the file names one.
    """

    path: Path
    table: pd.DataFrame
    shapes: NDArray[np.object_]
    faults: NDArray[np.object_]
    crs: CRS | None

    def frame(self) -> gpd.GeoDataFrame:
        """Return table and shapes together, without the faults of shapes.

        Returns
        -------
        geopandas.GeoDataFrame
            Indexed by the number of the feature.
        """
        return gpd.GeoDataFrame(
            self.table, geometry=gpd.GeoSeries(list(self.shapes), self.table.index, self.crs)
        )


class Budget:
    """Counts what a reader takes from a file, and refuses more than allowed.

    Parameters
    ----------
    path : pathlib.Path
        The file, for messages.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.features = self.vertices = self.characters = 0

    def columns(self, number: int) -> None:
        """Refuse more columns than allowed.

        Parameters
        ----------
        number : int
            Columns of the layer.
        """
        require_within("columns", number, f"{self.path} has too many columns")

    def feature(self, n_columns: int) -> None:
        """Count a feature with its cells.

        Parameters
        ----------
        n_columns : int
            Columns of the layer.
        """
        self.features += 1
        require_within("features", self.features, f"{self.path} has too many features")
        require_within("cells", self.features * n_columns, f"{self.path} has too many cells")

    def shape(self, n_vertices: int) -> None:
        """Count the vertices of a shape.

        Parameters
        ----------
        n_vertices : int
            Vertices of the shape.
        """
        self.vertices += n_vertices
        require_within("vertices", self.vertices, f"{self.path} has too many vertices")

    def texts(self, cells: Sequence[object]) -> None:
        """Count the characters of the texts among cells.

        Parameters
        ----------
        cells : sequence of object
            Cells of a feature.
        """
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
        """Return the error for a single value that is longer than allowed.

        Parameters
        ----------
        most_bytes : int
            Longest value that is read.

        Returns
        -------
        LimitError
            The error, to be raised.
        """
        return LimitError(
            f"{self.path} has a value of more than {most_bytes:,} bytes; if it is intended, raise "
            f"the limit: vertices under [limits] in the study, or use_limits(vertices=…) in Python"
        )


def as_table(columns: dict[str, list[object]], n_features: int) -> pd.DataFrame:
    """Return columns as a table of objects, with rows counted from 1.

    Parameters
    ----------
    columns : dict of str to list of object
        Cells by column.
    n_features : int
        Number of rows.

    Returns
    -------
    pandas.DataFrame
        The table.
    """
    index = pd.RangeIndex(1, n_features + 1)
    return pd.DataFrame(
        {name: pd.Series(cells, index, dtype=object) for name, cells in columns.items()},
        index=index,
    )


def as_shapes(shapes: Sequence[object]) -> NDArray[np.object_]:
    """Return shapes as an array of objects.

    numpy would split up collections if it made the array itself.

    Parameters
    ----------
    shapes : sequence of object
        Geometries, or their encoded bytes.

    Returns
    -------
    numpy.ndarray
        (n,) objects.
    """
    array = np.empty(len(shapes), object)
    array[:] = shapes
    return array
