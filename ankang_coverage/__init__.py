"""Plan mobile coverage over mountains: polygons, terrain, sites, and where to build next.

>>> import ankang_coverage as ac
>>> ac.service("4g").rsrp_threshold_dbm
-110.0
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what editors and type checkers see; at run time names load when first used
    from ankang_coverage import (
        covering as covering,
        datasets as datasets,
        propagation as propagation,
    )
    from ankang_coverage.coverage import (
        Calibration as Calibration,
        Change as Change,
        ClassLimits as ClassLimits,
        Coverage as Coverage,
        HeldOut as HeldOut,
        Propagation as Propagation,
        Store as Store,
        Work as Work,
        add_network as add_network,
        calibrate as calibrate,
        changed_villages as changed_villages,
        changed_windows as changed_windows,
        check_universal_service as check_universal_service,
        difference as difference,
        is_covered as is_covered,
        judge as judge,
        people_changed as people_changed,
        predict as predict,
        read_measurements as read_measurements,
        summarise as summarise,
        summarise_region as summarise_region,
        universal_service as universal_service,
        update_summary as update_summary,
        why_not as why_not,
    )
    from ankang_coverage.errors import AnkangCoverageError as AnkangCoverageError
    from ankang_coverage.limits import Limits as Limits, use_limits as use_limits
    from ankang_coverage.planning import (
        MicroTarget as MicroTarget,
        Plan as Plan,
        Programme as Programme,
        SupportingTarget as SupportingTarget,
        Target as Target,
        compare as compare,
        plan as plan,
    )
    from ankang_coverage.progress import (
        no_progress as no_progress,
        progress_bars as progress_bars,
    )
    from ankang_coverage.region import Region as Region, Source as Source
    from ankang_coverage.reporting.exports import write_plan as write_plan
    from ankang_coverage.reporting.maps import (
        coverage_map as coverage_map,
        explore as explore,
        plan_map as plan_map,
    )
    from ankang_coverage.reporting.tables import localised as localised
    from ankang_coverage.scenario import Scenario as Scenario, run as run
    from ankang_coverage.sites import (
        Attribute as Attribute,
        Network as Network,
        Schema as Schema,
        builtin_schema as builtin_schema,
        equip as equip,
        make_cells as make_cells,
        read_sites as read_sites,
    )
    from ankang_coverage.sites.catalogue import (
        antenna as antenna,
        builtin_catalogue as builtin_catalogue,
        radio_layer as radio_layer,
        read_catalogue as read_catalogue,
        service as service,
    )
    from ankang_coverage.sites.operators import usable_by as usable_by

# Public name → module that defines it. Modules load when a name is first used, so that importing
# the package costs next to nothing.
_PUBLIC = {
    "AnkangCoverageError": "errors",
    "Region": "region",
    "Source": "region",
    "Network": "sites",
    "Attribute": "sites",
    "Schema": "sites",
    "builtin_schema": "sites",
    "equip": "sites",
    "make_cells": "sites",
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
    "Change": "coverage",
    "ClassLimits": "coverage",
    "Coverage": "coverage",
    "HeldOut": "coverage",
    "Work": "coverage",
    "Propagation": "coverage",
    "Store": "coverage",
    "add_network": "coverage",
    "calibrate": "coverage",
    "changed_villages": "coverage",
    "changed_windows": "coverage",
    "check_universal_service": "coverage",
    "difference": "coverage",
    "is_covered": "coverage",
    "judge": "coverage",
    "people_changed": "coverage",
    "predict": "coverage",
    "read_measurements": "coverage",
    "summarise": "coverage",
    "summarise_region": "coverage",
    "universal_service": "coverage",
    "update_summary": "coverage",
    "why_not": "coverage",
    "MicroTarget": "planning",
    "Plan": "planning",
    "Programme": "planning",
    "SupportingTarget": "planning",
    "Target": "planning",
    "compare": "planning",
    "plan": "planning",
    "coverage_map": "reporting.maps",
    "explore": "reporting.maps",
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
