"""Key figures, settings, sources and versions of a plan as JSON."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from pyproj import CRS

from ankang_coverage.files import write_bytes
from ankang_coverage.planning import Plan, TargetResult
from ankang_coverage.region.rasters import crs_label
from ankang_coverage.region.shares import MILLI
from ankang_coverage.reporting.labels import synthetic
from ankang_coverage.reporting.outputs.base import Output, Writer

PACKAGES = ("numpy", "scipy", "pandas", "geopandas", "rasterio", "odc-geo", "numba", "xarray")


class KeyFigures(Output):
    """The plan's key figures, and what they are based on."""

    files = "`summary.json`"
    description = "key figures, settings, sources, versions and times"

    def writers(self, plan: Plan, lang: str) -> dict[str, Writer]:  # noqa: ARG002
        """Return the writer of the file; see `Output.writers`."""
        return {"summary.json": lambda path: _write_json(summary(plan), path)}


def summary(plan: Plan) -> dict[str, object]:
    """Return the plan's key figures, sources, versions and times as plain values.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    dict of str to object
        Values that JSON can hold.
    """
    any_coverage = next(iter(plan.coverage_after.values()))
    return {
        "programme": plan.programme.name,
        "targets": [_without_folders(target.model_dump()) for target in plan.programme.targets],
        "interrupted": plan.interrupted,
        "propagation": _without_folders(any_coverage.propagation.model_dump()),
        "region": plan.region.name,
        "notes": list(plan.region.notes),
        "synthetic": synthetic(plan),
        "approximate": [s.what for s in plan.sources if s.nature == "approximate"],
        "chosen": {result.target.id: _result_figures(result) for result in plan.results},
        "services": {
            service: {
                "model": coverage.propagation.path_loss_model.identity,
                "terrain": coverage.terrain,
                "rsrp_threshold_dbm": coverage.service.rsrp_threshold_dbm,
                "land_cover": coverage.land_cover,
                "pixels_clamped_to_model_range": coverage.counts["n_clamped"],
                "pixels_without_terrain": coverage.counts["n_without_terrain"],
                "pixels_at_short_range": coverage.counts["n_short_range"],
                "sites_off_terrain": coverage.counts["n_off_terrain"],
                **{
                    state: {
                        "all": _coverage_figures(plan.villages, service, state),
                        "counties": {
                            str(plan.counties.at[county, "name"]): _coverage_figures(
                                villages, service, state
                            )
                            for county, villages in plan.villages.groupby("county")
                        },
                    }
                    for state in ("before", "after")
                },
            }
            for service, coverage in plan.coverage_after.items()
        },
        "network": {
            "sites": len(plan.network.sites),
            "cells": len(plan.network.cells),
            "values_assumed": _assumed(plan.network.cells),
            "sites_by_status": plan.network.sites["status"].value_counts().to_dict(),
            "rows_rejected": len(plan.network.rejected),
            "columns_not_used": list(plan.network.unread),
        },
        "grid": {
            "crs": crs_label(CRS.from_user_input(str(plan.region.geobox.crs))),
            "pixel_m": plan.region.geobox.resolution.x,
            "pixels": int(np.prod(plan.region.geobox.shape)),
        },
        "sources": [{"what": s.what, "nature": s.nature, "credit": s.credit} for s in plan.sources],
        "versions": {package: version(package) for package in ("ankang_coverage", *PACKAGES)},
        "seconds": {stage: round(seconds, 2) for stage, seconds in plan.seconds.items()},
    }


def _without_folders(settings: object) -> object:
    """Return settings with file names instead of paths, which differ between machines."""
    if isinstance(settings, Path):
        return settings.name
    if isinstance(settings, Mapping):
        return {key: _without_folders(value) for key, value in settings.items()}
    return settings


def _assumed(cells: pd.DataFrame) -> dict[str, int]:
    """Count the cells whose table did not give a value, by attribute."""
    if "assumed" not in cells:
        return {}
    names = cells["assumed"].fillna("").str.split(",").explode().str.strip()
    return {str(k): int(v) for k, v in names[names != ""].value_counts().sort_index().items()}


def _result_figures(result: TargetResult) -> dict[str, object]:
    proven = result.joint or result.selection
    bound = proven.upper_bound
    knees = result.explanation.curve
    return {
        "title_zh": result.target.title("zh"),
        "title_en": result.target.title("en"),
        "service": result.target.service,
        "radio_layers": list(result.target.radio_layers),
        "number": len(result.selection.chosen),
        "without_gain": result.selection.n_without_gain,
        "candidates": result.n_candidates,
        "people_unserved_before": result.people_unserved,
        "candidates_per_person": round(result.candidates_per_person, 2),
        "people_gained": result.people_gained,
        "people_gained_net": result.people_gained_net,
        "cost_yuan": result.cost_yuan,
        "objective": result.target.objectives[0].label,
        "objective_reached": proven.objective / MILLI,
        "upper_bound": None if bound is None else bound / MILLI,
        "gap": None if proven.gap is None else round(proven.gap, 6),
        "bound_leaves_out": list(proven.dropped),
        "chosen_jointly": result.joint is not None,
        "search": proven.status,
        "stopped_by": proven.stopped_by,
        "search_seconds": {step: round(s, 3) for step, s in proven.seconds.items()},
        "knee": {
            by: int(knees.loc[knees["knee"].str.contains(by), "order"].max())
            for by in ("number", "cost")
            if knees["knee"].str.contains(by).any()
        },
        "random_plans": len(result.random_people_gained),
        "random_plans_median_people_gained": float(np.median(result.random_people_gained)),
        "times_random_median": (
            round(result.times_random, 3) if np.isfinite(result.times_random) else None
        ),
    }


def _coverage_figures(villages: pd.DataFrame, service: str, state: str) -> dict[str, object]:
    suffix = f"_{service}_{state}"
    people, area = villages["people"].sum(), villages["area_km2"].sum()
    covered = villages[f"people_covered{suffix}"].sum()
    area_covered = villages[f"area_covered_km2{suffix}"].sum()
    classes = villages[f"coverage_class{suffix}"].value_counts()
    return {
        "people": int(people),
        "people_covered": round(float(covered), 3),
        "people_share": round(float(covered / people), 4) if people else None,
        "area_km2": round(float(area), 6),
        "area_covered_km2": round(float(area_covered), 6),
        "area_share": round(float(area_covered / area), 4),
        "villages": {str(name): int(count) for name, count in sorted(classes.items())},
    }


def _write_json(values: Mapping[str, object], path: Path) -> None:
    text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    # Half a surrogate pair cannot be encoded in UTF-8 and becomes a JSON escape.
    write_bytes(path, text.encode(errors="backslashreplace"))
