"""Plan mobile coverage over mountains: polygons, terrain, sites, and where to build next.

>>> import ankang_coverage as ac
>>> ac.service("4g").rsrp_threshold_dbm
-110.0
"""

from importlib import import_module
from importlib.metadata import version

# Public name → module that defines it. Modules load when a name is first used, so that importing
# the package costs next to nothing.
_PUBLIC = {
    "AnkangCoverageError": "errors",
    "Region": "region",
    "Source": "region",
    "Network": "sites",
    "equip": "sites",
    "read_sites": "sites",
    "antenna": "sites.catalogue",
    "radio_layer": "sites.catalogue",
    "service": "sites.catalogue",
    "builtin_catalogue": "sites.catalogue",
    "read_catalogue": "sites.catalogue",
    "Limits": "limits",
    "use_limits": "limits",
    "usable_by": "sites.operators",
    "Calibration": "coverage",
    "ClassLimits": "coverage",
    "Propagation": "coverage",
    "Store": "coverage",
    "add_network": "coverage",
    "calibrate": "coverage",
    "changed_villages": "coverage",
    "changed_windows": "coverage",
    "difference": "coverage",
    "is_covered": "coverage",
    "judge": "coverage",
    "people_changed": "coverage",
    "predict": "coverage",
    "read_measurements": "coverage",
    "reasons_in": "coverage",
    "summarise": "coverage",
    "summarise_region": "coverage",
    "universal_service": "coverage",
    "update_summary": "coverage",
    "why_not": "coverage",
    "Plan": "planning",
    "Programme": "planning",
    "Target": "planning",
    "compare": "planning",
    "plan": "planning",
    "coverage_map": "reporting.maps",
    "localised": "reporting.tables",
    "plan_map": "reporting.maps",
    "write_plan": "reporting.exports",
    "no_progress": "progress",
    "progress_bars": "progress",
    "Scenario": "scenario",
    "run": "scenario",
}
_PACKAGES = ("covering", "datasets", "propagation")

__version__ = version("ankang_coverage")
__all__ = ["__version__", *_PACKAGES, *_PUBLIC]  # noqa: PLE0604  (names are strings)


def __getattr__(name: str) -> object:
    if name in _PACKAGES:
        return import_module(f"ankang_coverage.{name}")
    if name in _PUBLIC:
        return getattr(import_module(f"ankang_coverage.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'ankang_coverage' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
