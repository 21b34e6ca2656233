"""WHAT SIGNAL REACHES WHOM: prediction on the grid, and its overlay on divisions."""

from ankang_coverage.coverage.overlay import ClassLimits, summarise, summarise_region
from ankang_coverage.coverage.path_loss import Propagation
from ankang_coverage.coverage.predict import add_network, is_covered, predict

__all__ = [
    "ClassLimits",
    "Propagation",
    "add_network",
    "is_covered",
    "predict",
    "summarise",
    "summarise_region",
]
