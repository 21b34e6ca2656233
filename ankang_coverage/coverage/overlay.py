"""Coverage laid over villages, townships and counties: who is covered and who is not."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ankang_coverage.coverage.predict import NO_SERVER, is_covered
from ankang_coverage.errors import RasterError
from ankang_coverage.region import PixelShares, Region, pixel_shares
from ankang_coverage.region.shares import MILLI

COVERED = "covered"
PARTLY = "partly"
NOT_COVERED = "not covered"
M2_PER_KM2 = 1_000_000


class ClassLimits(BaseModel):
    """From which share of its people a division counts as covered, and under which it does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    covered_from: float = Field(default=0.95, gt=0.0, le=1.0)
    """Smallest share of people of a covered division [0–1]."""
    not_covered_under: float = Field(default=0.05, ge=0.0, le=1.0)
    """Share of people under which a division is not covered [0–1]."""

    @model_validator(mode="after")
    def _ordered(self) -> "ClassLimits":
        if self.not_covered_under > self.covered_from:
            raise ValueError("not_covered_under must not exceed covered_from")
        return self


def summarise(
    coverage: xr.Dataset,
    divisions: gpd.GeoDataFrame,
    population: xr.DataArray | None = None,
    *,
    limits: ClassLimits | None = None,
) -> gpd.GeoDataFrame:
    """Say of each division how much of its area and people a coverage reaches.

    Parameters
    ----------
    coverage
        A Dataset of `predict`.
    divisions
        Polygons with whole ``people``, in the coverage's CRS.
    population
        (y, x) relative density of people on the coverage's grid; even within each division when
        omitted.
    limits
        Shares of people that make a division covered or not covered.

    Returns
    -------
    geopandas.GeoDataFrame
        `divisions` with its index, and the columns ``area_km2``, ``people_covered``,
        ``people_share`` (NaN without people), ``area_covered_km2``, ``area_share``,
        ``median_rsrp_dbm`` (half of the area has at least this; NaN where half has no signal),
        ``coverage_class`` (covered, partly, not covered; by area where nobody lives) and
        ``best_site``, the site that serves most people, or most area without people.

    Raises
    ------
    DivisionError, RasterError
        If the CRS differ or ``people`` is missing.
    """
    weight = xr.ones_like(coverage["rsrp_dbm"]) if population is None else population
    if weight.shape != coverage["rsrp_dbm"].shape:
        raise RasterError(
            f"population has shape {weight.shape}, the coverage {coverage['rsrp_dbm'].shape}: "
            f"bring it onto the coverage's grid"
        )
    shares = pixel_shares(divisions, weight)
    figures = _figures(_entries(coverage, shares), np.arange(len(divisions)), divisions.index)
    return _with_figures(divisions, figures, limits or ClassLimits())


def summarise_region(
    coverage: xr.Dataset, region: Region, *, limits: ClassLimits | None = None
) -> dict[str, gpd.GeoDataFrame]:
    """Summarise a coverage for every level of a region; parents are sums of their villages.

    Parameters
    ----------
    coverage
        A Dataset of `predict` on the region's grid.
    region
        The region.
    limits
        As for `summarise`.

    Returns
    -------
    dict
        ``villages``, ``townships`` and ``counties``, each with the columns of `summarise`.
    """
    entries = _entries(coverage, region.shares)
    levels = {
        "villages": (region.villages, region.villages.index),
        "townships": (region.townships, region.villages["township"]),
        "counties": (region.counties, region.villages["county"]),
    }
    return {
        level: _with_figures(
            divisions,
            _figures(entries, divisions.index.get_indexer(owner), divisions.index),
            limits or ClassLimits(),
        )
        for level, (divisions, owner) in levels.items()
    }


@dataclass(frozen=True)
class _Entries:
    """One row per part of a pixel inside a village: all that the figures need of it."""

    village: NDArray[np.intp]
    area_m2: NDArray[np.float64]
    people: NDArray[np.int64]
    rsrp_dbm: NDArray[np.float32]
    covered: NDArray[np.bool_]
    site: NDArray[np.intp]
    site_names: NDArray[np.str_]
    strongest_first: NDArray[np.intp]
    n_villages: int


def _entries(coverage: xr.Dataset, shares: PixelShares) -> _Entries:
    pixels = shares.area.indices
    site_names, site_of_cell = np.unique(coverage["site"].to_numpy(), return_inverse=True)
    server = coverage["best_server"].to_numpy().ravel()[pixels]
    rsrp = coverage["rsrp_dbm"].to_numpy().ravel()[pixels]
    padded = np.append(site_of_cell, NO_SERVER)  # so that "no server" (-1) finds "no site" (-1)
    return _Entries(
        village=np.repeat(np.arange(shares.area.shape[0]), np.diff(shares.area.indptr)),
        area_m2=shares.area.data * shares.pixel_area_m2,
        people=shares.people.data,
        rsrp_dbm=rsrp,
        covered=is_covered(coverage).ravel()[pixels],
        site=padded[server],
        site_names=site_names,
        strongest_first=np.argsort(-np.nan_to_num(rsrp, nan=-np.inf), kind="stable"),
        n_villages=shares.area.shape[0],
    )


def _figures(entries: _Entries, owner: NDArray[np.intp], index: pd.Index) -> pd.DataFrame:
    """Add the entries up by village, then by the division that owns each village."""
    n = len(index)

    def total(values: NDArray[np.generic]) -> NDArray[np.float64]:
        per_village = np.bincount(entries.village, values, minlength=entries.n_villages)
        # Whole square metres and thousandths of a person per village: sums of parents are exact.
        return np.bincount(owner, np.rint(per_village), minlength=n).astype(np.float64)

    division = owner[entries.village]
    return pd.DataFrame(
        {
            "people_total": total(entries.people) / MILLI,
            "area_km2": total(entries.area_m2) / M2_PER_KM2,
            "people_covered": total(entries.people * entries.covered) / MILLI,
            "area_covered_km2": total(entries.area_m2 * entries.covered) / M2_PER_KM2,
            "median_rsrp_dbm": _median_rsrp(division, entries, n),
            "best_site": _best_site(division, entries, n),
        },
        index=index,
    )


def _with_figures(
    divisions: gpd.GeoDataFrame, figures: pd.DataFrame, limits: ClassLimits
) -> gpd.GeoDataFrame:
    with np.errstate(invalid="ignore", divide="ignore"):
        people_share = (figures["people_covered"] / figures["people_total"]).to_numpy()
        area_share = (figures["area_covered_km2"] / figures["area_km2"]).to_numpy()
    decisive = np.where(np.isnan(people_share), area_share, people_share)
    return divisions.assign(
        area_km2=figures["area_km2"],
        people_covered=figures["people_covered"],
        people_share=people_share,
        area_covered_km2=figures["area_covered_km2"],
        area_share=area_share,
        median_rsrp_dbm=figures["median_rsrp_dbm"],
        coverage_class=np.select(
            [decisive >= limits.covered_from, decisive < limits.not_covered_under],
            [COVERED, NOT_COVERED],
            PARTLY,
        ),
        best_site=figures["best_site"],
    )


def _median_rsrp(division: NDArray[np.intp], entries: _Entries, n: int) -> NDArray[np.float64]:
    """RSRP that half of each division's area reaches; no signal counts as the weakest."""
    # Strongest first within each division: both sorts are stable, and codes of 16 bits sort fast.
    code = division[entries.strongest_first]
    order = entries.strongest_first[
        np.argsort(code.astype(np.uint16 if n < 2**16 else np.intp), kind="stable")
    ]
    # In whole hundredths of m², so that a division's half is the same whatever stands before it.
    running = np.cumsum(np.rint(entries.area_m2[order] * 100).astype(np.int64))
    ends = np.cumsum(np.bincount(division, minlength=n))
    after = np.concatenate([[0], running])[ends]
    before = np.concatenate([[0], after[:-1]])
    known = after > before
    first = np.searchsorted(running, (before + (after - before + 1) // 2)[known])
    median = np.full(n, np.nan)
    median[known] = entries.rsrp_dbm[order][first]
    return median


def _best_site(division: NDArray[np.intp], entries: _Entries, n: int) -> NDArray[np.object_]:
    """Site that serves most people of each division where it is covered, then most area."""
    served = entries.covered & (entries.site >= 0)
    n_sites = max(len(entries.site_names), 1)
    pair = division[served] * n_sites + entries.site[served]
    pairs, inverse = np.unique(pair, return_inverse=True)
    people = np.bincount(inverse, entries.people[served], minlength=len(pairs))
    area = np.bincount(inverse, entries.area_m2[served], minlength=len(pairs))
    order = np.lexsort((pairs, -area, -people, pairs // n_sites))
    owners, first = np.unique(pairs[order] // n_sites, return_index=True)
    best = np.full(n, "", object)
    best[owners] = entries.site_names[pairs[order][first] % n_sites]
    return best
