"""County, township and village polygons: reading, repair, codes and parents.

Chinese division codes nest: the first 6 of a village's 12 digits are its county, the first 9 its
township.
"""

import unicodedata
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from ankang_coverage.errors import DivisionError, FileError
from ankang_coverage.region.rejections import (
    REJECTED,
    reject_far,
    rejected_rows,
    require_some,
)
from ankang_coverage.region.tangles import shared_areas
from ankang_coverage.region.vectors import (
    Reasons,
    faults_of_shapes,
    layers_of,
    read_layer,
)

Level = Literal["county", "township", "village"]

CODE_DIGITS: dict[Level, int] = {"county": 6, "township": 9, "village": 12}
KINDS: dict[Level, tuple[str, ...]] = {
    "county": ("county",),
    "township": ("town", "subdistrict"),
    "village": ("village", "community"),
}
HEADERS = {
    "code": ("code", "adcode", "区划代码", "行政区划代码", "代码", "编码"),
    "name": ("name", "名称", "行政区名称", "村名", "乡镇名称"),
    "kind": ("kind", "类型", "城乡类型"),
    "people": ("people", "population", "人口", "常住人口", "总人口"),
}
LAYER_NAMES: dict[Level, tuple[str, ...]] = {
    "county": ("counties", "county"),
    "township": ("townships", "township"),
    "village": ("villages", "village"),
}
"""Names of the layer of each level, in a file with several layers."""
REPAIRED = "repaired"
"""Key of a table's ``attrs`` that lists the codes of repaired polygons."""
SLIVER = 0.01
"""Largest overlap of two neighbours by generalised borders, as a share of the smaller one [0–1]."""
MOST_PEOPLE = 100_000_000
"""Largest number of people of a division, more than live in any."""
INSIDE = 0.5
"""Smallest share of a child that must lie inside its parent [0–1]."""

KIND_WORDS = {
    "行政村": "village",
    "村": "village",
    "社区": "community",
    "居委会": "community",
    "镇": "town",
    "乡": "town",
    "街道": "subdistrict",
    "区县": "county",
}


def read_divisions(path: str | Path, level: Level, crs: CRS | None = None) -> gpd.GeoDataFrame:
    """Read one level of administrative polygons from a vector file.

    Parameters
    ----------
    path : str or Path
        GeoPackage, GeoJSON or Shapefile with a CRS, a code column (``code``, ``区划代码`` …), a
        name column and, for villages, a column of people. Where there are several layers, the one
        named after the level is read, such as ``villages``.
    level : Level
        ``county``, ``township`` or ``village``.
    crs : CRS, optional
        Projected CRS of the result; that of the file when omitted.

    Returns
    -------
    geopandas.GeoDataFrame
        Indexed by code, columns ``name``, ``kind``, ``people`` (where given), the parents' codes,
        ``geometry_source`` (``user``) and ``geometry``; invalid polygons repaired, their codes in
        ``attrs["repaired"]``. Villages with a wrong feature are left out, and listed in
        ``attrs["rejected"]``.

    Raises
    ------
    FileError
        If the file cannot be read, or it is not clear which of its layers to read.
    DivisionError
        If a column or the CRS is missing, a county or township is wrong, or every village is.
    """
    file = Path(path)
    layer = read_layer(file, _layer_of(file, level))
    if layer.crs is None:
        raise DivisionError(f"{path} has no polygons with a CRS: export it again with its CRS")
    if layer.table.empty:
        raise DivisionError(f"{path} holds no polygons: export it again")
    reasons = faults_of_shapes(layer, ["polygon"])
    codes, names = _codes(layer.table, level, file, reasons), _names(layer.table, file)
    columns = {
        "name": names.to_numpy(object),
        "kind": _kinds(layer.table, level, file, reasons),
        **_people(layer.table, file, reasons),
    }
    polygons, was_invalid = _repaired(layer.shapes, reasons)
    require_some(file, layer.table.index, reasons)
    if level == "village":
        reject_far(file, codes, polygons, layer.crs, reasons)
    elif not reasons.fine.all():
        first = int(np.argmin(reasons.fine))
        raise DivisionError(f"{path}, feature {layer.table.index[first]}: {reasons.texts[first]}")
    divisions = gpd.GeoDataFrame(
        {**columns, "geometry_source": "user"},
        geometry=polygons,
        crs=layer.crs,
        index=pd.Index(codes, name=level),
    )[reasons.fine]
    checked = as_divisions(_brought_into(divisions, crs, file), level)
    checked.attrs[REPAIRED] = tuple(codes[was_invalid & reasons.fine])
    checked.attrs[REJECTED] = rejected_rows(file, layer.table.index, codes, names, reasons)
    return checked


def _layer_of(file: Path, level: Level) -> str | None:
    """Return the layer of a level in a file with several layers, ``None`` in a file with one."""
    layers = [name for name, has_shapes in layers_of(file).items() if has_shapes]
    named = [name for name in layers if name.lower() in LAYER_NAMES[level]]
    if len(layers) > 1 and len(named) != 1:
        raise FileError(
            f"{file} has several layers, {', '.join(layers)}: call the one of this level "
            f"{LAYER_NAMES[level][0]!r}, or save it in a file of its own"
        )
    return next(iter(named or layers), None)


def _repaired(
    shapes: NDArray[np.object_], reasons: Reasons
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Return the repaired polygons, and which were invalid; those without an area get a reason."""
    polygons = shapes.copy()
    fine, wrong = reasons.fine, reasons.fine
    wrong[fine] = ~shapely.is_valid(shapes[fine])
    polygons[wrong] = shapely.make_valid(shapes[wrong])
    polygons[fine] = _without_lines(polygons[fine])
    no_area = reasons.fine
    no_area[no_area] = ~(shapely.area(polygons[no_area]) > 0)
    reasons.add(no_area, "a polygon without an area")
    return polygons, wrong


def _brought_into(divisions: gpd.GeoDataFrame, crs: CRS | None, file: Path) -> gpd.GeoDataFrame:
    """Return polygons in a CRS; refuse those that it cannot represent."""
    if crs is None:
        return divisions
    moved = divisions.to_crs(crs)
    lost = ~np.isfinite(moved.geometry.bounds.to_numpy()).all(axis=1)
    if lost.any():
        raise DivisionError(
            f"{file}: {moved.index[lost][0]} lies too far away for {crs.name}, the CRS of the "
            f"region: correct its place, or the file's CRS"
        )
    return moved


def as_divisions(divisions: gpd.GeoDataFrame, level: Level) -> gpd.GeoDataFrame:
    """Repair polygons, add the parents' codes and sort by code.

    Parameters
    ----------
    divisions : geopandas.GeoDataFrame
        Polygons indexed by code.
    level : Level
        ``county``, ``township`` or ``village``.

    Returns
    -------
    geopandas.GeoDataFrame
        Sorted by code, with the parents' codes.

    Raises
    ------
    DivisionError
        If a polygon is empty or not a polygon, or a code occurs twice.
    """
    repaired = divisions.sort_index()
    duplicates = repaired.index[repaired.index.duplicated()]
    if len(duplicates):
        raise DivisionError(
            f"{level} code {duplicates[0]} occurs twice; codes must be unique: "
            f"join the polygons of one {level}, or correct a code"
        )
    polygons = _without_lines(shapely.make_valid(repaired.geometry.to_numpy()))
    wrong = ~(shapely.area(polygons) > 0)
    if wrong.any():
        raise DivisionError(
            f"{level} {repaired.index[wrong][0]} has no polygon with an area "
            f"({int(wrong.sum())} such): draw it, or leave its row out"
        )
    repaired = repaired.set_geometry(gpd.GeoSeries(polygons, repaired.index, repaired.crs))
    codes = repaired.index.astype(str)
    if level != "county":
        repaired["county"] = codes.str[: CODE_DIGITS["county"]]
    if level == "village":
        repaired["township"] = codes.str[: CODE_DIGITS["township"]]
    return repaired


def check_hierarchy(
    counties: gpd.GeoDataFrame, townships: gpd.GeoDataFrame, villages: gpd.GeoDataFrame
) -> None:
    """Check that every child has a parent and lies inside it, and that people add up.

    Parameters
    ----------
    counties, townships, villages : geopandas.GeoDataFrame
        Polygons indexed by code.

    Raises
    ------
    DivisionError
        Naming the first two villages that overlap, the first child without a parent or outside
        it, or the first parent whose people differ from the sum of its children.
    """
    require_no_overlap(villages)
    for children, column, parents in (
        (townships, "county", counties),
        (villages, "county", counties),
        (villages, "township", townships),
    ):
        orphans = children.index[~children[column].isin(parents.index)]
        if len(orphans):
            raise DivisionError(
                f"{column} {children.at[orphans[0], column]} of {orphans[0]} is not among the "
                f"{len(parents)} {column} polygons: add it or correct the code"
            )
        _require_inside(children, column, parents)
        sums = villages.groupby(column)["people"].sum().reindex(parents.index, fill_value=0)
        wrong = parents.index[parents["people"] != sums]
        if len(wrong):
            raise DivisionError(
                f"{column} {wrong[0]} has {parents.at[wrong[0], 'people']} people, its villages "
                f"{sums[wrong[0]]}: parents must be the sum of their children"
            )


def require_no_overlap(villages: gpd.GeoDataFrame) -> None:
    """Refuse villages that overlap by more than generalised borders may.

    Parameters
    ----------
    villages : geopandas.GeoDataFrame
        Polygons indexed by code.

    Raises
    ------
    DivisionError
        Naming the first two that overlap.
    """
    polygons = villages.geometry.to_numpy()
    first, second = villages.sindex.query(polygons, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared = shared_areas(polygons[first], polygons[second])
    areas = shapely.area(polygons)
    overlaps = ~(shared <= SLIVER * np.minimum(areas[first], areas[second]))
    if overlaps.any():
        here, other = (villages.index[part[overlaps][0]] for part in (first, second))
        raise DivisionError(
            f"village {here} and village {other} overlap ({int(overlaps.sum())} such pairs): "
            f"correct the polygons so that every place belongs to one village"
        )


def _require_inside(children: gpd.GeoDataFrame, column: str, parents: gpd.GeoDataFrame) -> None:
    polygons = children.geometry.to_numpy()
    owners = parents.geometry.to_numpy()[parents.index.get_indexer(children[column])]
    inside = np.nan_to_num(shared_areas(polygons, owners) / shapely.area(polygons))
    if (inside < INSIDE).any():
        child = children.index[inside < INSIDE][0]
        raise DivisionError(
            f"{child} lies outside its {column} {children.at[child, column]} "
            f"({np.min(inside):.0%} of it inside; {int((inside < INSIDE).sum())} such polygons): "
            f"correct its code or its polygon"
        )


def dissolve(villages: gpd.GeoDataFrame, level: Level) -> gpd.GeoDataFrame:
    """Make the polygons and people of a parent level from those of the villages.

    Parameters
    ----------
    villages : geopandas.GeoDataFrame
        Villages with ``people`` and the parents' codes.
    level : Level
        ``county`` or ``township``.

    Returns
    -------
    geopandas.GeoDataFrame
        As `as_divisions`.
    """
    merged = villages.dissolve(by=level, aggfunc={"people": "sum"}, sort=True)
    merged["name"] = merged.index
    merged["kind"] = KINDS[level][0]
    merged["geometry_source"] = "user"
    return as_divisions(merged, level)


def _without_lines(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes without the lines and points that a repair may add to polygons."""
    kept = shapes.copy()
    for n in np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION):
        parts = shapely.get_parts(shapes[n])
        kept[n] = shapely.union_all(parts[shapely.area(parts) > 0])
    return kept


def _column(table: pd.DataFrame, name: str, path: str | Path) -> pd.Series:
    for header in table.columns:
        if str(header).strip().lower() in HEADERS[name]:
            return table[header]
    raise DivisionError(
        f"{path} has no column for {name}: name one of {', '.join(HEADERS[name])}; "
        f"it has {', '.join(str(header)[:60] for header in table.columns[:40])}"
    )


def _names(table: pd.DataFrame, path: Path) -> pd.Series:
    """Return the names; a division without a name is named by its code."""
    names, codes = _column(table, "name", path), _column(table, "code", path)
    return names.where(names.notna(), codes).astype(str)


def _codes(table: pd.DataFrame, level: Level, path: Path, reasons: Reasons) -> pd.Series:
    """Return the codes as texts; those of the wrong length get a reason."""
    column = _column(table, "code", path)
    given = column.where(column.notna(), "").astype(str).str.strip().str.removesuffix(".0")
    codes = given.map(lambda code: unicodedata.normalize("NFKC", code))
    digits = CODE_DIGITS[level]
    texts = [
        f"{level} code {code[:60]!r} needs {digits} digits"
        + (": a spreadsheet has rounded it; keep codes as text" if "E+" in code else "")
        for code in codes
    ]
    reasons.add(~codes.str.fullmatch(rf"[0-9]{{{digits}}}").to_numpy(bool), texts)
    return codes


def _kinds(table: pd.DataFrame, level: Level, path: Path, reasons: Reasons) -> NDArray[np.object_]:
    try:
        column = _column(table, "kind", path)
    except DivisionError:
        return np.full(len(table), KINDS[level][0], object)
    given = column.where(column.notna(), "").astype(str).str.strip()
    kinds = given.map(lambda word: KIND_WORDS.get(word, word))
    texts = [f"kind {kind[:60]!r} is none of {', '.join(KINDS[level])}" for kind in kinds]
    reasons.add(~kinds.isin(KINDS[level]).to_numpy(bool), texts)
    return kinds.to_numpy(object)


def _people(table: pd.DataFrame, path: Path, reasons: Reasons) -> dict[str, NDArray[np.int64]]:
    try:
        column = _column(table, "people", path)
    except DivisionError:
        return {}
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    fine = (numbers >= 0) & (numbers <= MOST_PEOPLE)
    texts = [
        f"people {str(people)[:60]!r} is no number from 0 to {MOST_PEOPLE:,}" for people in column
    ]
    reasons.add(~fine, texts)
    return {"people": np.rint(np.where(fine, numbers, 0.0)).astype(np.int64)}
