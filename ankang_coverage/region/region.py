"""Region: the divisions and rasters of one study area, immutable."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from odc.geo.geobox import GeoBox

from ankang_coverage.errors import DivisionError, OutOfRangeError
from ankang_coverage.region.coordinates import WGS84, utm_crs
from ankang_coverage.region.divisions import (
    REPAIRED,
    Level,
    check_hierarchy,
    dissolve,
    read_divisions,
    require_no_overlap,
)
from ankang_coverage.region.rasters import (
    RasterName,
    as_raster,
    grid_around,
    read_raster,
    require_cover,
)
from ankang_coverage.region.rejections import REJECTED, rejected_table
from ankang_coverage.region.shares import PixelShares, pixel_shares
from ankang_coverage.shown import Shown

Paths = str | Path | Sequence[str | Path]

GeometrySource = Literal["tianditu", "approximate", "synthetic", "user"]
ElevationKind = Literal["dtm", "dsm"]


_FROM_FILES = (
    "village polygons and people",
    "township polygons",
    "county polygons",
    "elevation",
    "land cover",
    "population raster",
)
"""The data of a region, as its sources name them."""


@dataclass(frozen=True)
class Source:
    """Where one kind of data comes from, for reports and maps."""

    what: str
    """The data, such as ``county polygons``."""
    nature: Literal["real", "given", "approximate", "synthetic"]
    """Whether they are measured, given by the user, inferred from measurements, or synthetic."""
    credit: str
    """Whom to credit, with date and licence; or how they were made and from which seed."""


@dataclass(frozen=True, repr=False)
class Region(Shown):
    """One study area: polygons, people and rasters in one projected CRS.

    Attributes
    ----------
    name : str
        Name of the area, for titles.
    counties, townships, villages : geopandas.GeoDataFrame
        Polygons indexed by code (str), in the CRS of the rasters, each level covering the one
        above. Columns: ``name``, ``kind``, ``people`` (whole numbers, parents the sum of their
        children), ``geometry_source`` (tianditu, approximate, synthetic, user); townships also
        ``county``, villages also ``township`` and ``county``: the parents' codes. A village's
        ``kind`` is ``village`` (行政村) or ``community`` (社区).
    rasters : xarray.Dataset
        One Dataset (y, x) on one GeoBox, metres, north up: ``elevation_m`` (float32, NaN where
        unknown), ``land_cover`` (uint8, ESA WorldCover codes, 0 where unknown), ``population``
        (float32, relative people per pixel).
    elevation_kind : ElevationKind
        ``dtm`` (bare ground) or ``dsm`` (tops of trees and roofs).
    sources : tuple of Source
        Where the data come from.
    notes : tuple of str
        What was repaired when the region was read, for reports.
    rejected : pandas.DataFrame
        Villages left out because their feature is wrong: ``file``, ``feature`` (counted from 1),
        ``code`` and ``name`` as far as known, ``reason``.
    """

    name: str
    counties: gpd.GeoDataFrame
    townships: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    rasters: xr.Dataset
    elevation_kind: ElevationKind = "dtm"
    sources: tuple[Source, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())
    rejected: pd.DataFrame = field(default_factory=rejected_table)

    def _figures(self) -> dict[str, object]:
        rows, columns = self.geobox.shape
        return {
            "name": self.name,
            "villages": f"{len(self.villages):,}",
            "townships": f"{len(self.townships):,}",
            "counties": f"{len(self.counties):,}",
            "people": f"{self.villages['people'].sum():,.0f}",
            "grid": f"{rows:,} × {columns:,} pixels of {self.geobox.resolution.x:g} m",
            "synthetic": "; ".join(s.what for s in self.sources if s.nature == "synthetic") or "no",
        }

    def __post_init__(self) -> None:
        check_hierarchy(self.counties, self.townships, self.villages)

    @classmethod
    def from_files(
        cls,
        name: str,
        villages: str | Path,
        *,
        townships: str | Path | None = None,
        counties: str | Path | None = None,
        elevation: Paths | None = None,
        elevation_kind: ElevationKind = "dtm",
        land_cover: Paths | None = None,
        population: Paths | None = None,
        resolution_m: float = 90.0,
    ) -> "Region":
        """Make a region from the user's own polygons and rasters.

        Parameters
        ----------
        name : str
            Name of the area, for titles.
        villages : str or Path
            Vector file of village polygons with 12-digit codes, names and people.
        townships, counties : str or Path, optional
            Vector files of the parents; made from the villages when omitted. Their people are
            the sums of their villages'.
        elevation, land_cover, population : str, Path or sequence of them, optional
            GeoTIFFs. Without population, people spread evenly over their village.
        elevation_kind : {"dtm", "dsm"}, default "dtm"
            ``dtm`` (bare ground) or ``dsm`` (tops of trees and roofs).
        resolution_m : float, default 90.0
            Side of a pixel [m].

        Returns
        -------
        Region
            The region, in the UTM zone of its middle.

        Raises
        ------
        FileError, DivisionError, RasterError
            If a file cannot be read, codes do not nest, or a raster does not cover the area.

        Notes
        -----
        A village whose feature is wrong (no polygon, an impossible corner, code or number of
        people, a place far from all others) is left out and listed in ``rejected``.
        """
        read = read_divisions(villages, "village")
        rejected = rejected_table(read.attrs[REJECTED])
        lowest = _with_people(_in_utm(read, villages), villages)
        require_no_overlap(lowest)  # joining overlapping ones could take hours
        upper = {
            level: dissolve(lowest, level)
            if file is None
            else _with_sums(read_divisions(file, level, lowest.crs), lowest, level)
            for level, file in _parents(townships, counties).items()
        }
        geobox = grid_around(lowest, resolution_m, margin_m=resolution_m)

        rasters = _rasters_on(geobox, lowest, elevation, land_cover, population)
        files = (villages, townships, counties, elevation, land_cover, population)
        return cls(
            name=name,
            counties=upper["county"],
            townships=upper["township"],
            villages=lowest,
            rasters=rasters,
            elevation_kind=elevation_kind,
            sources=tuple(
                Source(what, "given", _names(file))
                for what, file in zip(_FROM_FILES, files, strict=True)
                if file is not None
            ),
            notes=tuple(
                note
                for note in (*map(_repairs, (lowest, *upper.values())), _left_out(rejected))
                if note
            ),
            rejected=rejected,
        )

    @property
    def geobox(self) -> GeoBox:
        """The pixel grid of every raster."""
        return self.rasters.odc.geobox

    @cached_property
    def shares(self) -> PixelShares:
        """Area fractions and people of the villages on the pixel grid, computed once."""
        return pixel_shares(self.villages, self.rasters["population"])

    @property
    def is_synthetic(self) -> bool:
        """Whether any of the data are synthetic."""
        return any(source.nature == "synthetic" for source in self.sources)


def _rasters_on(
    geobox: GeoBox,
    villages: gpd.GeoDataFrame,
    elevation: Paths | None,
    land_cover: Paths | None,
    population: Paths | None,
) -> xr.Dataset:
    """Read the rasters onto the grid; one that is not given is unknown, or the same everywhere."""

    def raster(name: RasterName, paths: Paths | None, otherwise: float) -> xr.DataArray:
        if paths is None:
            return as_raster(np.full(geobox.shape, otherwise, np.float32), geobox, name)
        values = read_raster(paths, geobox, name)
        if name != "population":  # no data means no people
            require_cover(values, villages, paths)
        return values

    return xr.Dataset(
        {
            "elevation_m": raster("elevation_m", elevation, np.nan),
            "land_cover": raster("land_cover", land_cover, 0.0),
            "population": raster("population", population, 1.0),
        }
    )


def _parents(
    townships: str | Path | None, counties: str | Path | None
) -> dict[Level, str | Path | None]:
    return {"township": townships, "county": counties}


def _in_utm(divisions: gpd.GeoDataFrame, path: str | Path) -> gpd.GeoDataFrame:
    west, south, east, north = divisions.to_crs(WGS84).total_bounds
    try:
        crs = utm_crs((west + east) / 2, (south + north) / 2)
    except OutOfRangeError as error:
        raise DivisionError(f"{path}: its CRS is wrong, or x and y are swapped: {error}") from error
    projected = divisions.to_crs(crs)
    projected.attrs = dict(divisions.attrs)
    return projected


def _names(paths: Paths) -> str:
    files = [paths] if isinstance(paths, str | Path) else paths
    return ", ".join(Path(file).name for file in files)


def _repairs(divisions: gpd.GeoDataFrame) -> str:
    codes = divisions.attrs.get(REPAIRED, ())
    more = f" and {len(codes) - 5} more" if len(codes) > 5 else ""
    return f"invalid polygons repaired: {', '.join(codes[:5])}{more}" if codes else ""


def _left_out(rejected: pd.DataFrame) -> str:
    if rejected.empty:
        return ""
    features = "1 feature" if len(rejected) == 1 else f"{len(rejected):,} features"
    return f"{features} of {rejected['file'].iloc[0]} rejected: rejected_villages.csv"


def _with_people(villages: gpd.GeoDataFrame, path: str | Path) -> gpd.GeoDataFrame:
    if "people" not in villages:
        raise DivisionError(f"{path} has no column of people: add one, such as 'people' or '人口'")
    return villages


def _with_sums(
    parents: gpd.GeoDataFrame, villages: gpd.GeoDataFrame, level: str
) -> gpd.GeoDataFrame:
    sums = villages.groupby(level)["people"].sum().reindex(parents.index, fill_value=0)
    return parents.assign(people=sums)
