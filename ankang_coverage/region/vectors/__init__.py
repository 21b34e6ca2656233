"""Reading vector files: GeoPackage, GeoJSON and Shapefile, each with its own reader.

GDAL opens a vector file with any of its 60 drivers that accepts it, and Python cannot restrict
that: a view in a GeoPackage runs as a program, and a text file named like a GeoJSON can make GDAL
contact a server. So GeoPackage and GeoJSON are read here without GDAL, and only files that begin
like a Shapefile are passed to it.
"""

from ankang_coverage.region.vectors.faults import Reasons, faults_of_shapes
from ankang_coverage.region.vectors.files import SUFFIXES, layers_of, read_layer
from ankang_coverage.region.vectors.layer import VectorLayer

__all__ = ["SUFFIXES", "Reasons", "VectorLayer", "faults_of_shapes", "layers_of", "read_layer"]
