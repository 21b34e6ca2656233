"""County, township and village polygons: read, repair, check the codes, know the parents.

Chinese division codes nest: the first 6 of a village's 12 digits are its county, the first 9 its
township.
"""

import re
import unicodedata
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from ankang_coverage.errors import DivisionError, FileError

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
"""What the layer of a level is called in a file of several."""
REPAIRED = "repaired"
"""Key of a table's ``attrs`` that lists the codes of repaired polygons."""
SLIVER = 0.01
"""Share of a polygon that generalised borders may make two neighbours overlap [0–1]."""
INSIDE = 0.5
"""Least share of a child that must lie inside its parent [0–1]."""

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
    """Read one level of administrative polygons from any vector file.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, Shapefile or another format of GDAL, with a CRS, a code column
        (``code``, ``区划代码`` …), a name column and, for villages, a column of people. Of
        several layers the one called after the level is read, such as ``villages``.
    level
        ``county``, ``township`` or ``village``.
    crs
        Projected CRS to bring the polygons into; the file's own when omitted.

    Returns
    -------
    geopandas.GeoDataFrame
        Indexed by code, columns ``name``, ``kind``, ``people`` (where given), the parents' codes,
        ``geometry_source`` (``user``) and ``geometry``; invalid polygons repaired, their codes
        in ``attrs["repaired"]``.

    Raises
    ------
    FileError
        If the file cannot be read, or leaves open which of its layers to read.
    DivisionError
        If a column, the CRS, a code or a polygon is missing or wrong; the row is named.
    """
    table = _read_layer(Path(path), level)
    if not isinstance(table, gpd.GeoDataFrame) or table.crs is None:
        raise DivisionError(f"{path} has no polygons with a CRS: export it again with its CRS")
    if table.empty:
        raise DivisionError(f"{path} holds no polygons: export it again")
    divisions = gpd.GeoDataFrame(
        {
            "name": _names(table, path),
            "kind": _kinds(table, level, path),
            **_people(table, path),
            "geometry_source": "user",
        },
        geometry=table.geometry.to_numpy(),
        crs=table.crs,
        index=pd.Index(_codes(table, level, path), name=level),
    )
    repaired = divisions.index[~divisions.geometry.is_valid]
    checked = as_divisions(divisions if crs is None else divisions.to_crs(crs), level)
    checked.attrs[REPAIRED] = tuple(repaired)
    return checked


def _read_layer(path: Path, level: Level) -> pd.DataFrame:
    """Read the polygons of a level from a vector file."""
    if not path.exists():
        raise FileError(f"cannot read {path}: there is no such file")
    if path.is_dir() and path.suffix.lower() != ".gdb":
        raise FileError(f"cannot read {path}: it is a folder; name the file of the polygons")
    if path.is_file() and path.stat().st_size == 0:
        raise FileError(f"{path} is empty: export it again")
    try:
        layers = [str(name) for name, geometry in pyogrio.list_layers(path) if geometry is not None]
        named = [name for name in layers if name.lower() in LAYER_NAMES[level]]
        if len(layers) > 1 and len(named) != 1:
            raise FileError(
                f"{path} has several layers, {', '.join(layers)}: call the one of this level "
                f"{LAYER_NAMES[level][0]!r}, or save it in a file of its own"
            )
        return pyogrio.read_dataframe(path, layer=next(iter(named or layers), None))
    except (pyogrio.errors.DataSourceError, OSError) as error:
        raise FileError(f"cannot read {path} as a vector file: {error}") from error


def as_divisions(divisions: gpd.GeoDataFrame, level: Level) -> gpd.GeoDataFrame:
    """Repair polygons, add the parents' codes and sort by code.

    Parameters
    ----------
    divisions
        Polygons indexed by code.
    level
        ``county``, ``township`` or ``village``.

    Raises
    ------
    DivisionError
        If a polygon is empty or no polygon at all, or a code occurs twice.
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
    """Check that every child has its parent, lies in it, and that people add up.

    Raises
    ------
    DivisionError
        Naming the first two villages that overlap, the first child without a parent or outside
        it, or the first parent whose people differ from the sum of its children.
    """
    _require_no_overlap(villages)
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


def _require_no_overlap(villages: gpd.GeoDataFrame) -> None:
    polygons = villages.geometry.to_numpy()
    first, second = villages.sindex.query(polygons, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared = shapely.area(shapely.intersection(polygons[first], polygons[second]))
    areas = shapely.area(polygons)
    overlaps = shared > SLIVER * np.minimum(areas[first], areas[second])
    if overlaps.any():
        one, other = (villages.index[part[overlaps][0]] for part in (first, second))
        raise DivisionError(
            f"village {one} and village {other} overlap ({int(overlaps.sum())} such pairs): "
            f"correct the polygons so that every place belongs to one village"
        )


def _require_inside(children: gpd.GeoDataFrame, column: str, parents: gpd.GeoDataFrame) -> None:
    polygons = children.geometry.to_numpy()
    owners = parents.geometry.to_numpy()[parents.index.get_indexer(children[column])]
    inside = shapely.area(shapely.intersection(polygons, owners)) / shapely.area(polygons)
    if (inside < INSIDE).any():
        child = children.index[inside < INSIDE][0]
        raise DivisionError(
            f"{child} lies outside its {column} {children.at[child, column]} "
            f"({np.min(inside):.0%} of it inside; {int((inside < INSIDE).sum())} such polygons): "
            f"correct its code or its polygon"
        )


def dissolve(villages: gpd.GeoDataFrame, level: Level) -> gpd.GeoDataFrame:
    """Make the polygons and people of a parent level from the villages'.

    Parameters
    ----------
    villages
        Villages with ``people`` and the parents' codes.
    level
        ``county`` or ``township``.
    """
    merged = villages.dissolve(by=level, aggfunc={"people": "sum"}, sort=True)
    merged["name"] = merged.index
    merged["kind"] = KINDS[level][0]
    merged["geometry_source"] = "user"
    return as_divisions(merged, level)


def _without_lines(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes without the lines and points that a repair leaves beside polygons."""
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
        f"it has {', '.join(map(str, table.columns))}"
    )


def _names(table: pd.DataFrame, path: str | Path) -> NDArray[np.object_]:
    """Return the names; what has none is called by its code."""
    names, codes = _column(table, "name", path), _column(table, "code", path)
    return names.where(names.notna(), codes).astype(str).to_numpy(object)


def _codes(table: pd.DataFrame, level: Level, path: str | Path) -> list[str]:
    given = [str(code).strip().removesuffix(".0") for code in _column(table, "code", path)]
    codes = [unicodedata.normalize("NFKC", code) for code in given]
    digits = CODE_DIGITS[level]
    for row, code in enumerate(codes, start=1):
        if not re.fullmatch(rf"[0-9]{{{digits}}}", code):
            spoilt = ": a spreadsheet has rounded it; keep codes as text" if "E+" in code else ""
            raise DivisionError(
                f"{path}, feature {row}: {level} code {code!r} needs {digits} digits{spoilt}"
            )
    return codes


def _kinds(table: pd.DataFrame, level: Level, path: str | Path) -> list[str]:
    try:
        given = _column(table, "kind", path).astype(str).str.strip()
    except DivisionError:
        return [KINDS[level][0]] * len(table)
    kinds = [KIND_WORDS.get(word, word) for word in given]
    for row, kind in enumerate(kinds, start=1):
        if kind not in KINDS[level]:
            raise DivisionError(
                f"{path}, feature {row}: kind {kind!r} is none of {', '.join(KINDS[level])}"
            )
    return kinds


def _people(table: pd.DataFrame, path: str | Path) -> dict[str, np.ndarray]:
    try:
        column = _column(table, "people", path)
    except DivisionError:
        return {}
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DivisionError(
            f"{path}, feature {row + 1}: people '{column.iloc[row]}' is no number ≥ 0"
        )
    return {"people": np.rint(numbers).astype(np.int64)}
