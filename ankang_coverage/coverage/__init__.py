"""WHAT SIGNAL REACHES WHOM: prediction on the grid, and its overlay on divisions."""

from ankang_coverage.coverage.calibration.fit import calibrate
from ankang_coverage.coverage.calibration.held_out import HeldOut
from ankang_coverage.coverage.calibration.measurements import Measurements, read_measurements
from ankang_coverage.coverage.change import Change
from ankang_coverage.coverage.coverage import Coverage
from ankang_coverage.coverage.deprecated import add_network, changed_windows, is_covered
from ankang_coverage.coverage.execution.work import Work
from ankang_coverage.coverage.loss.correction import Calibration
from ankang_coverage.coverage.loss.path_loss import Propagation
from ankang_coverage.coverage.loss.store import Store
from ankang_coverage.coverage.prediction import predict
from ankang_coverage.coverage.predictor import Predictor
from ankang_coverage.coverage.site_reach import reach
from ankang_coverage.coverage.zonal.changes import changed_villages, difference, people_changed
from ankang_coverage.coverage.zonal.overlay import (
    ClassLimits,
    summarise,
    summarise_region,
    update_summary,
)
from ankang_coverage.coverage.zonal.reasons import why_not
from ankang_coverage.coverage.zonal.universal_service import (
    check_universal_service,
    judge,
    universal_service,
)

__all__ = [
    "Calibration",
    "Change",
    "ClassLimits",
    "Coverage",
    "HeldOut",
    "Measurements",
    "Predictor",
    "Propagation",
    "Store",
    "Work",
    "add_network",
    "calibrate",
    "changed_villages",
    "changed_windows",
    "check_universal_service",
    "difference",
    "is_covered",
    "judge",
    "people_changed",
    "predict",
    "reach",
    "read_measurements",
    "summarise",
    "summarise_region",
    "universal_service",
    "update_summary",
    "why_not",
]
