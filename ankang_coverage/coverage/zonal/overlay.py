"""Coverage laid over villages, townships and counties: who is covered, who is not, and why.

A coverage is read once, block by block, and a few bytes are kept of every part of a pixel that lies
in a village. The figures of the divisions on every level are made from these.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ankang_coverage.coverage.zonal.blocks import (
    Block,
    blocks_of,
    each_block,
    grid_of,
    read_block,
    require_same_grid,
    require_variables,
)
from ankang_coverage.coverage.zonal.predicted import Predicted
from ankang_coverage.coverage.zonal.reasons import (
    BLOCKED,
    REASONS,
    TOO_WEAK,
    Demands,
    elevation_looked_at,
    reasons_in_block,
)
from ankang_coverage.coverage.zonal.tally import (
    CM2_PER_M2,
    NO_LEVEL,
    Entries,
    Groups,
    as_levels,
    levels_reached,
    strongest_sites,
    sums_by_code,
)
from ankang_coverage.errors import DivisionError, RasterError
from ankang_coverage.region import Region, as_raster, pixel_shares
from ankang_coverage.region.shares import MILLI
from ankang_coverage.settings import Number, Settings

COVERED = "covered"
PARTLY = "partly"
NOT_COVERED = "not covered"

M2_PER_KM2 = 1_000_000
CDB_PER_DB = 100
M_PER_DAM = 10

_LEVELS = {"villages": None, "townships": "township", "counties": "county"}
"""Levels of a summary, and the column of the villages that names the parent."""

# What an entry keeps in one byte: the reason in the low bits, the rates that are met above it.
_REASON_BITS = 0b00111
_DOWNLINK_MET = 0b01000
_UPLINK_MET = 0b10000
_N_RATES = 4
_CODES = np.arange(_N_RATES * (_REASON_BITS + 1))

_Number = TypeVar("_Number", np.int64, np.float64)


class ClassLimits(Settings):
    """The shares of its people from which a division is covered, and under which it is not."""

    covered_from: Number = Field(default=0.95, gt=0.0, le=1.0)
    """Smallest share of people of a covered division [0–1]."""
    not_covered_under: Number = Field(default=0.05, ge=0.0, le=1.0)
    """Share of people under which a division is not covered [0–1]."""

    @model_validator(mode="after")
    def _ordered(self) -> "ClassLimits":
        if self.not_covered_under > self.covered_from:
            raise ValueError("not_covered_under must not exceed covered_from")
        return self


def summarise(
    coverage: Predicted,
    divisions: gpd.GeoDataFrame,
    population: xr.DataArray | None = None,
    *,
    limits: ClassLimits | None = None,
    complete: bool = False,
    downlink_mbps: float | None = None,
    uplink_mbps: float | None = None,
) -> gpd.GeoDataFrame:
    """Say of each division how much of its area and people a coverage reaches, and why not more.

    Parameters
    ----------
    coverage : Coverage
        The coverage.
    divisions : geopandas.GeoDataFrame
        Polygons with whole ``people``, in the coverage's CRS.
    population : xarray.DataArray, optional
        (y, x) relative density of people on the coverage's grid; even within each division when
        omitted.
    limits : ClassLimits, optional
        Shares of people that make a division covered or not covered.
    complete : bool
        Whether to add the columns under "complete" below. More of the coverage is read for them.
    downlink_mbps, uplink_mbps : float, optional
        Rates [Mbit/s]; whichever is given adds its columns under "rates" below.

    Returns
    -------
    geopandas.GeoDataFrame
        `divisions` with its index, and the columns

        - ``area_km2``, ``people_covered``, ``people_share`` (NaN without people),
          ``area_covered_km2``, ``area_share``;
        - ``median_rsrp_dbm``: half of the area has at least this, to 0.01 dB; NaN where half has
          no signal;
        - ``coverage_class``: covered, partly, not covered; by area where nobody lives;
        - ``best_site``: the site that serves most people, or most area without people.

        Complete:

        - ``area_90_rsrp_dbm``, ``people_90_rsrp_dbm``: 90 % of the area, and of the people, have
          at least this;
        - ``people_<reason>`` and ``area_<reason>_km2`` for each reason of `why_not`: together
          they are exactly what is not covered;
        - ``main_reason``: the reason that keeps most people from being covered, or most area
          where all people are; blank where all is covered;
        - ``median_shortfall_db``: by how much the level misses what the rule needs, over half of
          the area that is blocked or too weak;
        - ``median_obstacle_m``: how far from its mast the terrain stands that blocks, over half
          of the area that is blocked.

        Rates: ``people_downlink_met``, ``people_uplink_met`` and, with both, ``people_rates_met``:
        people where the predicted throughput reaches the rate, whether or not the rule calls the
        place covered.

    Raises
    ------
    DivisionError, RasterError
        If the CRS or the grids differ, ``people`` is missing, or the coverage lacks a variable.

    Notes
    -----
    The divisions alone do not say where terrain is unknown: here a place that no signal reaches is
    beyond range. `summarise_region` distinguishes the two.
    """
    read = coverage.to_dataset()
    wanted = _Wanted.of(coverage, complete, downlink_mbps, uplink_mbps)
    shares = pixel_shares(divisions, _population(read, population))
    signal = _Signal.at(Entries.of(shares, read.sizes["x"]), read, wanted)
    figures = _figures(signal, _Sums.of(signal), np.arange(len(divisions)), divisions.index)
    return _with_figures(divisions, figures, limits or ClassLimits())


def summarise_region(
    coverage: Predicted,
    region: Region,
    *,
    limits: ClassLimits | None = None,
    complete: bool = False,
    downlink_mbps: float | None = None,
    uplink_mbps: float | None = None,
) -> dict[str, gpd.GeoDataFrame]:
    """Summarise a coverage for every level of a region; parents are sums of their villages.

    Parameters
    ----------
    coverage : Coverage
        The coverage, on the region's grid.
    region : Region
        The region.
    limits : ClassLimits, optional
        As for `summarise`.
    complete : bool
        As for `summarise`.
    downlink_mbps, uplink_mbps : float, optional
        As for `summarise`.

    Returns
    -------
    dict
        ``villages``, ``townships`` and ``counties``, each with the columns of `summarise`.

    Raises
    ------
    RasterError
        If the coverage is not on the region's grid or lacks a variable.
    """
    read = coverage.to_dataset()
    require_same_grid(read, region.geobox, "the region")
    wanted = _Wanted.of(coverage, complete, downlink_mbps, uplink_mbps, region)
    signal = _Signal.at(Entries.of(region.shares, read.sizes["x"]), read, wanted)
    return _tables(region, region.villages, signal, tuple(_LEVELS), limits or ClassLimits())


def update_summary(
    summary: Mapping[str, gpd.GeoDataFrame],
    coverage: Predicted,
    region: Region,
    *windows: tuple[slice, slice],
    limits: ClassLimits | None = None,
    complete: bool = False,
    downlink_mbps: float | None = None,
    uplink_mbps: float | None = None,
) -> dict[str, gpd.GeoDataFrame]:
    """Summarise anew only the divisions that a change touches.

    Parameters
    ----------
    summary : mapping of str to geopandas.GeoDataFrame
        What `summarise_region` gave for the coverage before the change; ``villages`` alone, or
        with ``townships`` and ``counties``. Parents cost more: their medians need the levels of
        all their villages.
    coverage : Predicted
        The coverage after the change.
    region : Region
        The region.
    *windows : tuple of slice
        Rows and columns of the grid outside which nothing changed, such as the tiles that were
        computed anew.
    limits : ClassLimits, optional
        As it was for `summary`.
    complete : bool
        As it was for `summary`.
    downlink_mbps, uplink_mbps : float, optional
        As they were for `summary`.

    Returns
    -------
    dict
        What `summarise_region` gives for the changed coverage, for the levels of `summary`.

    Raises
    ------
    DivisionError
        If the summary is not of this region, or was made with other columns.
    RasterError
        If the coverage is not on the region's grid or lacks a variable.
    """
    read = coverage.to_dataset()
    require_same_grid(read, region.geobox, "the region")
    _require_summary_of(summary, region)
    wanted = _Wanted.of(coverage, complete, downlink_mbps, uplink_mbps, region)
    changed = _touched(region, windows)
    if set(summary) != {"villages"}:
        counties = region.villages["county"]
        changed = counties.isin(counties[changed]).to_numpy()
    entries = Entries.of(region.shares, read.sizes["x"], np.flatnonzero(changed))
    signal = _Signal.at(entries, read, wanted)
    villages = region.villages[changed]
    fresh = _tables(region, villages, signal, tuple(summary), limits or ClassLimits())
    return {level: _replaced(table, fresh[level], level) for level, table in summary.items()}


def _population(coverage: xr.Dataset, given: xr.DataArray | None) -> xr.DataArray:
    geobox = grid_of(coverage)
    if given is None:
        return as_raster(np.ones(geobox.shape, np.float32), geobox, "population")
    if given.shape != tuple(geobox.shape):
        raise RasterError(
            f"population has shape {given.shape}, the coverage {tuple(geobox.shape)}: "
            f"bring it onto the coverage's grid"
        )
    return given


# --- From the coverage to entries ---------------------------------------------------------------


@dataclass(frozen=True)
class _Wanted:
    """Which figures are wanted, and what has to be read for them."""

    demands: Demands | None
    downlink_mbps: float | None
    uplink_mbps: float | None
    elevation_m: xr.DataArray | None

    @classmethod
    def of(
        cls,
        coverage: Predicted,
        complete: bool,
        downlink_mbps: float | None,
        uplink_mbps: float | None,
        region: Region | None = None,
    ) -> "_Wanted":
        demands = Demands.of(coverage.rule) if complete else None
        elevation_m = None if region is None else elevation_looked_at(coverage, region)
        wanted = cls(demands, downlink_mbps, uplink_mbps, elevation_m)
        require_variables(
            coverage.to_dataset(),
            [
                *("rsrp_dbm", "best_server", "covered", "site"),
                *(demands.variables if demands else ()),
                *wanted.bits,
            ],
        )
        return wanted

    @property
    def bits(self) -> dict[str, int]:
        """Variables with a wanted rate, and the bit that says that it is met."""
        bits = {"downlink_mbps": _DOWNLINK_MET, "uplink_mbps": _UPLINK_MET}
        return {name: bit for name, bit in bits.items() if getattr(self, name) is not None}

    def codes(self, coverage: xr.Dataset, block: Block) -> NDArray[np.uint8]:
        """Return why pixels are not covered (1 where reasons are not wanted), and the rates met."""
        if self.demands is None:
            codes = np.logical_not(read_block(coverage, "covered", block)).astype(np.uint8)
        else:
            codes = reasons_in_block(coverage, self.elevation_m, self.demands, block)
        for name, bit in self.bits.items():
            codes |= (read_block(coverage, name, block) >= getattr(self, name)) * np.uint8(bit)
        return codes


@dataclass(frozen=True)
class _Signal:
    """What is kept of a coverage at entries.

    Attributes
    ----------
    entries : Entries
        Parts of pixels in villages.
    wanted : _Wanted
        Which figures are wanted.
    level_cdb : numpy.ndarray
        (n_entries,) RSRP [0.01 dBm].
    code : numpy.ndarray
        (n_entries,) `_Wanted.codes`.
    site : numpy.ndarray
        (n_entries,) position in `site_names` of the site that covers; their number where none.
    obstacle_dam : numpy.ndarray
        (n_entries,) distance of the blocking terrain [10 m]; empty where reasons are not wanted.
    site_names : numpy.ndarray
        Ids of the sites, sorted.
    """

    entries: Entries
    wanted: _Wanted
    level_cdb: NDArray[np.int16]
    code: NDArray[np.uint8]
    site: NDArray[Any]
    obstacle_dam: NDArray[np.int16]
    site_names: NDArray[np.str_]

    @classmethod
    def at(cls, entries: Entries, coverage: xr.Dataset, wanted: _Wanted) -> "_Signal":
        """Read a coverage block by block and keep what the entries need of it."""
        site_names, site_of_cell = np.unique(
            coverage["site"].to_numpy().astype(str), return_inverse=True
        )
        n_sites = len(site_names)
        number: Any = np.uint16 if n_sites < 2**16 else np.uint32
        # So that "no server" (-1) finds "no site".
        site_of_cell = np.append(site_of_cell, n_sites).astype(number)
        why = wanted.demands is not None
        signal = cls(
            entries=entries,
            wanted=wanted,
            level_cdb=np.empty(len(entries), np.int16),
            code=np.empty(len(entries), np.uint8),
            site=np.empty(len(entries), number),
            obstacle_dam=np.empty(len(entries) if why else 0, np.int16),
            site_names=site_names,
        )

        def gather(block: Block) -> None:
            codes = wanted.codes(coverage, block)
            covered = codes & _REASON_BITS == 0
            server = np.where(covered, read_block(coverage, "best_server", block), -1)
            entries.gather(codes, block, signal.code)
            entries.gather(site_of_cell[server], block, signal.site)
            rsrp = read_block(coverage, "rsrp_dbm", block)
            entries.gather(as_levels(rsrp, CDB_PER_DB), block, signal.level_cdb)
            if why:
                obstacle = read_block(coverage, "obstacle_distance_m", block)
                entries.gather(as_levels(obstacle, 1 / M_PER_DAM), block, signal.obstacle_dam)

        blocks = [block for block in blocks_of(coverage) if len(entries.meeting(block))]
        for _ in each_block(gather, blocks):
            pass
        return signal


# --- From entries to figures of a level ---------------------------------------------------------


def _tables(
    region: Region,
    villages: gpd.GeoDataFrame,
    signal: _Signal,
    levels: tuple[str, ...],
    limits: ClassLimits,
) -> dict[str, gpd.GeoDataFrame]:
    """Return figures of villages, the entries of `signal`, and of the divisions that they form."""
    sums = _Sums.of(signal)

    def table(level: str) -> gpd.GeoDataFrame:
        parent = _LEVELS[level]
        owner = villages.index if parent is None else villages[parent]
        divisions = getattr(region, level)
        own = divisions[divisions.index.isin(owner)]
        figures = _figures(signal, sums, own.index.get_indexer(owner), own.index)
        return _with_figures(own, figures, limits)

    with ThreadPoolExecutor(len(levels)) as pool:  # kernels let go of the interpreter
        return dict(zip(levels, pool.map(table, levels), strict=True))


@dataclass(frozen=True)
class _Sums:
    """Area [m²] by reason and people [1/1000] by code, of every village."""

    area_m2: NDArray[np.int64]
    people: NDArray[np.int64]

    @classmethod
    def of(cls, signal: _Signal) -> "_Sums":
        area_cm2 = _by_reason(sums_by_code(signal.entries, signal.code, len(_CODES), "area"))
        return cls(
            # Whole in each village, so that its parents show the sum of what it shows.
            area_m2=(area_cm2 + CM2_PER_M2 // 2) // CM2_PER_M2,
            people=sums_by_code(signal.entries, signal.code, len(_CODES), "people"),
        )


def _figures(
    signal: _Signal, sums: _Sums, owner: NDArray[np.intp], index: pd.Index
) -> pd.DataFrame:
    """Return figures of divisions; `owner` is each village's division by position in `index`."""
    groups = Groups.by(owner, len(index))
    people_by_code = groups.total(sums.people) / MILLI
    people, area = _by_reason(people_by_code), groups.total(sums.area_m2) / M2_PER_KM2
    rsrp = _dbm(levels_reached(signal.entries, groups, signal.level_cdb, (5, 9), "area"))
    site = strongest_sites(signal.entries, groups, signal.site, len(signal.site_names))
    figures = {
        "people_total": people_by_code.sum(axis=1),
        "area_km2": area.sum(axis=1),
        "people_covered": people[:, 0],
        "area_covered_km2": area[:, 0],
        "median_rsrp_dbm": rsrp[:, 0],
        "best_site": np.append(signal.site_names, "")[site],
    }
    if signal.wanted.demands is not None:
        figures |= {"area_90_rsrp_dbm": rsrp[:, 1]}
        figures |= _why_figures(signal, groups, people, area, signal.wanted.demands)
    rates = {
        f"people_{name.removesuffix('_mbps')}_met": bit for name, bit in signal.wanted.bits.items()
    }
    if len(rates) > 1:
        rates["people_rates_met"] = _DOWNLINK_MET | _UPLINK_MET
    for name, bits in rates.items():
        figures[name] = people_by_code[:, _CODES & bits == bits].sum(axis=1)
    return pd.DataFrame(figures, index=index)


def _by_reason(by_code: NDArray[_Number]) -> NDArray[_Number]:
    """Add up what has the same reason, whatever rates it meets."""
    by_rates = by_code.reshape(len(by_code), _N_RATES, _REASON_BITS + 1)
    return by_rates.sum(axis=1)[:, : len(REASONS)]


def _why_figures(
    signal: _Signal,
    groups: Groups,
    people: NDArray[np.float64],
    area: NDArray[np.float64],
    demands: Demands,
) -> dict[str, NDArray[np.generic]]:
    """Return what keeps a division from being covered, and by how much."""
    entries = signal.entries

    def median(levels: NDArray[np.int16], *reasons: int) -> NDArray[np.int64]:
        among = np.isin(_CODES & _REASON_BITS, reasons), signal.code
        return levels_reached(entries, groups, levels, (5,), "area", among)[:, 0]

    of_people = levels_reached(entries, groups, signal.level_cdb, (9,), "people")
    obstacle_dam = median(signal.obstacle_dam, BLOCKED)
    missing = np.where(people[:, 1:].any(axis=1, keepdims=True), people, area)
    missing[:, 0] = 0.0  # so that it comes first only where nothing is missing
    words = np.array(["", *REASONS[1:]])
    return {
        "people_90_rsrp_dbm": _dbm(of_people)[:, 0],
        **{f"people_{name}": people[:, i] for i, name in enumerate(REASONS) if i},
        **{f"area_{name}_km2": area[:, i] for i, name in enumerate(REASONS) if i},
        "main_reason": words[missing.argmax(axis=1)],
        "median_shortfall_db": (
            demands.needed_dbm - _dbm(median(signal.level_cdb, BLOCKED, TOO_WEAK))
        ).round(2),
        "median_obstacle_m": np.where(
            obstacle_dam == NO_LEVEL, np.nan, obstacle_dam * float(M_PER_DAM)
        ),
    }


def _dbm(level_cdb: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(level_cdb == NO_LEVEL, np.nan, level_cdb / CDB_PER_DB)


def _with_figures(
    divisions: gpd.GeoDataFrame, figures: pd.DataFrame, limits: ClassLimits
) -> gpd.GeoDataFrame:
    with np.errstate(invalid="ignore", divide="ignore"):
        people_share = (figures["people_covered"] / figures["people_total"]).to_numpy()
        area_share = (figures["area_covered_km2"] / figures["area_km2"]).to_numpy()
    decisive = np.where(np.isnan(people_share), area_share, people_share)
    columns = {
        "area_km2": figures["area_km2"],
        "people_covered": figures["people_covered"],
        "people_share": people_share,
        "area_covered_km2": figures["area_covered_km2"],
        "area_share": area_share,
        "median_rsrp_dbm": figures["median_rsrp_dbm"],
        "coverage_class": np.select(
            [decisive >= limits.covered_from, decisive < limits.not_covered_under],
            [COVERED, NOT_COVERED],
            PARTLY,
        ),
        "best_site": figures["best_site"],
    }
    further = figures.drop(columns=["people_total", *(c for c in columns if c in figures)])
    return divisions.assign(**columns, **further)


# --- Only what changed --------------------------------------------------------------------------


def _touched(region: Region, windows: tuple[tuple[slice, slice], ...]) -> NDArray[np.bool_]:
    """Return which villages have a pixel in a window, by the rectangles round them."""
    to_pixel = ~region.geobox.transform
    west, south, east, north = region.villages.bounds.to_numpy().T
    left, top = to_pixel @ (west, north)
    right, bottom = to_pixel @ (east, south)
    touched = np.zeros(len(region.villages), np.bool_)
    for rows, columns in windows:
        top_row, bottom_row, _ = rows.indices(region.geobox.shape[0])
        first_column, last_column, _ = columns.indices(region.geobox.shape[1])
        touched |= (
            (top < bottom_row) & (bottom > top_row) & (left < last_column) & (right > first_column)
        )
    return touched


def _require_summary_of(summary: Mapping[str, gpd.GeoDataFrame], region: Region) -> None:
    if "villages" not in summary or not set(summary) <= set(_LEVELS):
        raise DivisionError(
            f"a summary holds 'villages', and may hold 'townships' and 'counties', not "
            f"{sorted(summary)}: give what summarise_region returned"
        )
    for level, table in summary.items():
        if not table.index.equals(getattr(region, level).index):
            raise DivisionError(
                f"the {level} of the summary are not those of {region.name}: summarise the region "
                f"first, with summarise_region"
            )


def _replaced(table: gpd.GeoDataFrame, fresh: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
    """Return the table with the fresh rows in place of its own."""
    if list(table) != list(fresh):
        differing = sorted(set(table) ^ set(fresh)) or ["in another order"]
        raise DivisionError(
            f"the columns of the {level} differ ({', '.join(differing[:3])}): give complete, "
            f"downlink_mbps and uplink_mbps as they were for the summary"
        )
    both = pd.concat([table.drop(index=fresh.index), fresh])
    return gpd.GeoDataFrame(both.loc[table.index], geometry="geometry", crs=table.crs)
