"""A plan as files: tables, rasters, GeoPackage, map and summary."""

import csv
import json
import re
import sqlite3
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import rasterio.shutil
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from ankang_coverage.coverage.loss.ground import DEFAULT_CLASS, NO_TERRAIN
from ankang_coverage.errors import FileError
from ankang_coverage.files import write_bytes, write_together
from ankang_coverage.planning import Plan, Target
from ankang_coverage.planning.pipeline import LEVELS, TargetResult
from ankang_coverage.region.rasters import crs_label
from ankang_coverage.region.shares import MILLI
from ankang_coverage.reporting.maps import plan_map
from ankang_coverage.reporting.tables import Table

CHOSEN_COLUMNS = {
    "programme": "programme",
    "order": "order",
    "id": "id",
    "name": "name",
    "county": "county",
    "county_name": "county_name",
    "township": "township",
    "township_name": "township_name",
    "longitude": "lon",
    "latitude": "lat",
    "people_gained": "people_gained",
    "people_gained_total": "people_gained_total",
    "cost_yuan": "cost_yuan",
    "cost_yuan_total": "cost_yuan_total",
    "service": "service",
    "kind": "kind",
    "construction": "construction",
    "owner": "owner",
    "reason": "reason",
    "source": "source",
    "prediction": "prediction",
    "synthetic": "synthetic",
}
FORMULA_STARTS = ("=", "+", "-", "@")
"""Excel takes their full-width forms for formulas too where it runs in Chinese or Japanese."""
_SHOWS_NOTHING = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and a sign that are blank, beside the categories of Unicode that are."""
_NOT_FOR_GDAL = re.compile("[\0\ud800-\udfff]")
PACKAGES = ("numpy", "scipy", "pandas", "geopandas", "rasterio", "odc-geo", "numba", "xarray")
_EXPLAINED = (
    "plan_curve.csv",
    "plan_counties.csv",
    "plan_constraints.csv",
    "uncovered_villages.csv",
    "dropped_candidates.csv",
)
_FIXED_TIME = "2021-01-01T00:00:00Z"


def write_plan(plan: Plan, out: str | Path, *, lang: str = "zh") -> dict[str, Path]:
    """Write a plan's files into a folder, all of them whole or none.

    What an earlier plan left there and this one does not write goes away with what it replaces:
    ``rejected_sites.csv``, ``rejected_villages.csv``, and rasters of services that are no longer
    predicted.

    Parameters
    ----------
    plan
        The plan.
    out
        Folder, made when missing; files of the same names are replaced.
    lang
        Language of the map: ``zh`` or ``en``. Column names are the same in every language.

    Returns
    -------
    dict
        Path by file name: ``chosen_sites.csv``, ``villages.csv``, ``townships.csv``,
        ``counties.csv``, ``rsrp_<service>.tif`` (bands before and after), ``plan.gpkg``,
        ``map.html`` and ``summary.json``; what explains the choice, ``plan_curve.csv``,
        ``plan_counties.csv``, ``plan_constraints.csv``, ``uncovered_villages.csv`` and
        ``dropped_candidates.csv``; ``rejected_sites.csv`` and ``rejected_villages.csv`` where
        rows of the table of sites or features of the file of villages could not be used.

    Raises
    ------
    FileError
        If the folder cannot be made or written.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make folder {folder}: {error.strerror}") from error
    writers: dict[str, Callable[[Path], None]] = {
        "chosen_sites.csv": lambda path: write_csv(chosen_table(plan), path),
        **{f"{level}.csv": partial(_write_division_csv, plan, level) for level in LEVELS},
        **{f"rsrp_{id_}.tif": partial(write_rsrp, plan, id_) for id_ in plan.coverage_before},
        **{name: partial(write_csv, table) for name, table in explanation_tables(plan).items()},
        "plan.gpkg": lambda path: write_geopackage(plan, path),
        "map.html": lambda path: plan_map(plan, lang=lang).save(str(path)),
        "summary.json": lambda path: _write_json(summary(plan), path),
    }
    if len(plan.network.rejected):
        writers["rejected_sites.csv"] = partial(write_csv, plan.network.rejected)
    if len(plan.region.rejected):
        writers["rejected_villages.csv"] = partial(write_csv, plan.region.rejected)
    write_together(folder, writers, obsolete=_not_always_written)
    return {name: folder / name for name in writers}


def _not_always_written(folder: Path) -> list[str]:
    """Return what only some plans write: of others' rasters none has the tags of `write_rsrp`."""
    found = ["rejected_sites.csv", "rejected_villages.csv"]
    for path in sorted(folder.glob("rsrp_*.tif")):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                with rasterio.open(path) as raster:
                    tags = raster.tags()
        except RasterioIOError:
            continue
        if path.name == f"rsrp_{tags.get('service')}.tif" and "note" in tags:
            found.append(path.name)
    return found


def chosen_table(plan: Plan) -> pd.DataFrame:
    """Return the chosen sites as a plain table in order of choice, positions in WGS-84."""
    chosen = plan.chosen.drop(columns="geometry").rename_axis("id").reset_index()
    table = _labelled(plan, chosen).assign(synthetic=_synthetic_text(plan))
    return table[list(CHOSEN_COLUMNS)].rename(columns=CHOSEN_COLUMNS)


def explanation_tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """Return what explains a plan as plain tables by file name, each row with its programme.

    Parameters
    ----------
    plan
        The plan.

    Returns
    -------
    dict
        ``plan_curve.csv``, ``plan_counties.csv``, ``plan_constraints.csv``,
        ``uncovered_villages.csv`` and ``dropped_candidates.csv``. Targets that choose jointly
        share their constraints.
    """
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in _EXPLAINED}
    jointly = " + ".join(result.target.id for result in plan.results)
    for n, result in enumerate(plan.results):
        told = result.explanation
        found = {
            "plan_curve.csv": told.curve,
            "plan_counties.csv": told.counties.reset_index(),
            "plan_constraints.csv": told.constraints,
            "uncovered_villages.csv": told.villages.rename_axis("code").reset_index(),
            "dropped_candidates.csv": result.candidates.dropped.rename(
                columns={"longitude": "lon", "latitude": "lat", "source": "candidate_source"}
            ),
        }
        for name, table in found.items():
            shared = name == "plan_constraints.csv" and result.joint is not None
            if not (shared and n):
                labelled = _labelled(plan, table).assign(synthetic=_synthetic_text(plan))
                labelled.insert(0, "programme", jointly if shared else result.target.id)
                tables[name].append(labelled)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def division_table(plan: Plan, level: str) -> pd.DataFrame:
    """Return the figures of one level (villages, townships or counties) as a plain table."""
    divisions: gpd.GeoDataFrame = getattr(plan, level)
    plain = divisions.drop(columns="geometry").rename_axis("code").reset_index()
    table = _labelled(plan, plain).assign(synthetic=_synthetic_text(plan))
    shares = [column for column in table if "share" in column]
    medians = [column for column in table if column.startswith(("median_rsrp", "median_short"))]
    areas = [column for column in table if "km2" in column]
    return table.round(
        {**dict.fromkeys(shares, 4), **dict.fromkeys(medians, 1), **dict.fromkeys(areas, 6)}
    )


def _labelled(plan: Plan, table: Table) -> Table:
    """Say in every row what the figures rest on, such as ``rma, no terrain``."""
    coverage = next(iter(plan.coverage_after.values()))
    terrain = "no terrain" if coverage.terrain == NO_TERRAIN else f"over {coverage.terrain}"
    cover = ", default land cover" if coverage.land_cover == DEFAULT_CLASS else ""
    return table.assign(
        prediction=f"{coverage.propagation.path_loss_model.identity}, {terrain}{cover}"
    )


def _synthetic(plan: Plan) -> list[str]:
    return [source.what for source in plan.sources if source.nature == "synthetic"]


def _synthetic_text(plan: Plan) -> str:
    """List what is synthetic; names of ingredients have commas in them."""
    return "; ".join(_synthetic(plan))


def _write_division_csv(plan: Plan, level: str, path: Path) -> None:
    write_csv(division_table(plan, level), path)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 CSV that Excel reads, with no text it takes for a formula.

    Parameters
    ----------
    table
        The table; text that begins like a formula gets an apostrophe in front.
    path
        File to write.
    """
    safe = _with_text(table, _no_formula).rename(columns=_no_formula)
    text = safe.to_csv(index=False, lineterminator="\n")
    if "\r" in text:  # it would end a row outside quotation marks, and the next may be a formula
        text = safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    write_bytes(path, text.encode("utf-8-sig", errors="replace"))


def write_rsrp(plan: Plan, service: str, path: Path) -> None:
    """Write RSRP before and after as a cloud-optimised GeoTIFF of two bands [dBm].

    Its tags say the service, model and terrain, and what is synthetic.

    Parameters
    ----------
    plan
        The plan.
    service
        Service id.
    path
        File to write.
    """
    geobox = plan.region.geobox
    states = {"before": plan.coverage_before[service], "after": plan.coverage_after[service]}
    layout = {
        "driver": "GTiff",
        "height": geobox.shape[0],
        "width": geobox.shape[1],
        "count": len(states),
        "dtype": "float32",
        "crs": str(geobox.crs),
        "transform": geobox.transform,
        "nodata": np.nan,
    }
    with rasterio.MemoryFile() as memory, rasterio.MemoryFile() as optimised:
        with memory.open(**layout) as bands:
            for band, (state, coverage) in enumerate(states.items(), start=1):
                bands.write(coverage["rsrp_dbm"].to_numpy(), band)
                bands.set_band_description(band, f"RSRP {state}")
                bands.set_band_unit(band, "dBm")
            note = (
                f"model {coverage.propagation.path_loss_model.identity}, terrain {coverage.terrain}"
            )
            bands.update_tags(service=service, note=note, synthetic=_synthetic_text(plan))
        with memory.open() as bands:
            rasterio.shutil.copy(
                bands,
                optimised.name,
                driver="COG",
                compress="DEFLATE",
                predictor="FLOATING_POINT",
                overview_resampling="NEAREST",
            )
        write_bytes(path, optimised.getbuffer())
    with rasterio.open(path) as raster:
        for band, coverage in enumerate(states.values(), start=1):
            if not np.array_equal(raster.read(band), coverage["rsrp_dbm"], equal_nan=True):
                raise FileError(f"cannot write {path.name}: band {band} does not read as written")


def write_geopackage(plan: Plan, path: Path) -> None:
    """Write chosen and existing sites, villages, townships and counties into one GeoPackage.

    Parameters
    ----------
    plan
        The plan.
    path
        File to write.

    Raises
    ------
    FileError
        If it cannot be written, such as on a full disk.
    """
    tables = {
        "chosen_sites": _labelled(plan, plan.chosen).rename_axis("id").reset_index(),
        "existing_sites": plan.network.sites.rename_axis("id").reset_index(),
        **{
            level: _labelled(plan, getattr(plan, level)).rename_axis("code").reset_index()
            for level in LEVELS
        },
    }
    date = "OGR_CURRENT_DATE"
    previous = pyogrio.get_gdal_config_option(date)
    pyogrio.set_gdal_config_options({date: _FIXED_TIME})
    try:
        for layer, table in tables.items():
            _with_text(table, _for_gdal).to_file(path, layer=layer, driver="GPKG", engine="pyogrio")
        _require_whole(path, tables)
    except (DataSourceError, DataLayerError, sqlite3.Error) as error:
        raise FileError(
            f"cannot write {path.name}: {error}; is there room in its folder?"
        ) from error
    finally:
        pyogrio.set_gdal_config_options({date: previous})


def _require_whole(path: Path, tables: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Read a GeoPackage back: GDAL says nothing when it cannot write the last spatial index."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        for layer, table in tables.items():
            indexed = table.geometry.notna() & ~table.geometry.is_empty
            expected = {layer: len(table), f"rtree_{layer}_geom_rowid": indexed.sum()}
            for name, n_rows in expected.items():
                (found,) = database.execute(f'SELECT count(*) FROM "{name}"').fetchone()  # noqa: S608
                if found != n_rows:
                    raise sqlite3.DatabaseError(f"{name} has {found} rows, not {n_rows}")


def summary(plan: Plan) -> dict[str, object]:
    """Return the plan's key figures, sources, versions and times as plain values."""
    return {
        "programme": plan.programme.name,
        "targets": [_settings(target) for target in plan.programme.targets],
        "interrupted": plan.interrupted,
        "propagation": _propagation(plan),
        "region": plan.region.name,
        "notes": list(plan.region.notes),
        "synthetic": _synthetic(plan),
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


def _settings(target: Target) -> dict[str, object]:
    """Return what a target asks; of files the name only."""
    settings = target.model_dump()
    settings["candidates"] = {
        key: value.name if isinstance(value, Path) else value
        for key, value in settings["candidates"].items()
    }
    return settings


def _propagation(plan: Plan) -> dict[str, object]:
    """Return the settings of the prediction; of files the name only."""
    settings = next(iter(plan.coverage_after.values())).propagation.model_dump()
    table = settings["land_cover_table"]
    return {**settings, "land_cover_table": None if table is None else table.name}


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
    # Half a surrogate pair is no UTF-8: it becomes the escape that JSON has for it.
    write_bytes(path, text.encode(errors="backslashreplace"))


def _with_text(table: Table, change: Callable[[object], object]) -> Table:
    """Change every cell of the columns that may hold text."""
    kinds = table.dtypes.drop("geometry", errors="ignore")
    texts = [str(name) for name, kind in kinds.items() if kind.kind in "OUT"]
    return table.assign(**{name: table[name].map(change) for name in texts})


def _for_gdal(value: object) -> object:
    """Mark the characters that GDAL cannot write; it would end the text at a NUL in silence."""
    return _NOT_FOR_GDAL.sub("\ufffd", value) if isinstance(value, str) else value


def _no_formula(value: object) -> object:
    """Put an apostrophe before text whose first visible character starts a formula."""
    if isinstance(value, str):
        visible = (
            one
            for one in value
            if unicodedata.category(one)[0] not in "CMZ" and one not in _SHOWS_NOTHING
        )
        first = unicodedata.normalize("NFKC", next(visible, ""))
        if first in FORMULA_STARTS or value.startswith(("\t", "\r")):
            return f"'{value}"
    return value
