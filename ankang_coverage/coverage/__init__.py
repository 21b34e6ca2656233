"""WHAT SIGNAL REACHES WHOM: prediction on the grid, and its overlay on divisions."""

from ankang_coverage.coverage.calibrate import calibrate
from ankang_coverage.coverage.calibration import Calibration
from ankang_coverage.coverage.changes import changed_villages, difference, people_changed
from ankang_coverage.coverage.measurements import Measurements, read_measurements
from ankang_coverage.coverage.overlay import (
    ClassLimits,
    summarise,
    summarise_region,
    update_summary,
)
from ankang_coverage.coverage.path_loss import Propagation
from ankang_coverage.coverage.predict import (
    add_network,
    changed_windows,
    is_covered,
    predict,
)
from ankang_coverage.coverage.reach import reach
from ankang_coverage.coverage.reasons import reasons_in, why_not
from ankang_coverage.coverage.store import Store
from ankang_coverage.coverage.universal_service import judge, universal_service

__all__ = [
    "Calibration",
    "ClassLimits",
    "Measurements",
    "Propagation",
    "Store",
    "add_network",
    "calibrate",
    "changed_villages",
    "changed_windows",
    "difference",
    "is_covered",
    "judge",
    "people_changed",
    "predict",
    "reach",
    "read_measurements",
    "reasons_in",
    "summarise",
    "summarise_region",
    "universal_service",
    "update_summary",
    "why_not",
]
