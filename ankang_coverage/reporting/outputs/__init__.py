"""The outputs of a plan.

An output is an object of a class derived from `Output`. To add one, write a module here and add a
line to `OUTPUTS`. Your own output outside the library needs no line: ``write_plan(plan, out,
outputs=(*OUTPUTS, Mine()))``.
"""

from typing import Final

from ankang_coverage.reporting.outputs.base import Output
from ankang_coverage.reporting.outputs.chosen_sites import ChosenSites
from ankang_coverage.reporting.outputs.coverage_rasters import CoverageRasters
from ankang_coverage.reporting.outputs.divisions import Divisions
from ankang_coverage.reporting.outputs.explanations import Explanations
from ankang_coverage.reporting.outputs.geopackage import GeoPackage
from ankang_coverage.reporting.outputs.key_figures import KeyFigures
from ankang_coverage.reporting.outputs.map_page import MapPage
from ankang_coverage.reporting.outputs.rejected_rows import RejectedRows

__all__ = ["OUTPUTS", "Output"]

OUTPUTS: Final[tuple[Output, ...]] = (
    ChosenSites(),
    Divisions(),
    CoverageRasters(),
    Explanations(),
    GeoPackage(),
    MapPage(),
    KeyFigures(),
    RejectedRows(),
)
"""The outputs that come with the library, in the order in which they are written."""
