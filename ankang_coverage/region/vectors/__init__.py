"""The door for vector files: GeoPackage, GeoJSON and Shapefile, each by a reader of its own.

GDAL opens a vector file with whatever of its 60 drivers takes it, and cannot be told otherwise
from Python: so a view in a GeoPackage runs as a program, and a text with the name of a GeoJSON
can send it to a server. GeoPackages and GeoJSON are therefore read here without it, and of a
Shapefile it gets to see only what begins like one.
"""

from ankang_coverage.region.vectors.faults import Reasons, faults_of_shapes
from ankang_coverage.region.vectors.files import SUFFIXES, layers_of, read_layer
from ankang_coverage.region.vectors.layer import VectorLayer

__all__ = ["SUFFIXES", "Reasons", "VectorLayer", "faults_of_shapes", "layers_of", "read_layer"]
