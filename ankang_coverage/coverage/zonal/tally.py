"""From pixels to divisions: values at the parts of pixels, added up and put in order.

The part of a pixel that lies in a village is an entry of the shares (`PixelShares`): a share of the
pixel's area, and people. `gather` takes a raster's values to the entries, block by block;
`sums_by_code`, `levels_reached` and `strongest_sites` make figures of them, for the villages or
for divisions made of villages.

All weights are whole: square centimetres and thousandths of a person. So no sum depends on the
order of the work, and a parent's figures are exactly those of its children together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import njit
from ankang_coverage.coverage.zonal.blocks import Block
from ankang_coverage.region import PixelShares

CM2_PER_M2 = 10_000
NO_LEVEL = -(2**15)
"""Level of an entry without a signal: weaker than any other."""

HIGHEST_LEVEL = 2**15 - 1

_N_LEVELS = 2**16


@dataclass(frozen=True)
class Entries:
    """Parts of pixels in villages.

    Attributes
    ----------
    indptr : numpy.ndarray
        (n_villages + 1) where each village's entries begin.
    pixels : numpy.ndarray
        (n_entries,) pixel of each, rising within a village.
    fraction : numpy.ndarray
        (n_entries,) share of the pixel's area [0–1].
    people : numpy.ndarray
        (n_entries,) people [1/1000 person].
    pixel_area_m2 : float
        Area of one pixel [m²].
    n_columns : int
        Width of the grid [pixels].
    """

    indptr: NDArray[np.int64]
    pixels: NDArray[np.integer[Any]]
    fraction: NDArray[np.float64]
    people: NDArray[np.int64]
    pixel_area_m2: float
    n_columns: int

    @classmethod
    def of(
        cls, shares: PixelShares, n_columns: int, villages: NDArray[np.intp] | None = None
    ) -> "Entries":
        """Take the entries of villages.

        Parameters
        ----------
        shares : PixelShares
            Shares of pixels in villages.
        n_columns : int
            Width of the grid [pixels].
        villages : numpy.ndarray, optional
            Positions of the villages in the shares; all when omitted.

        Returns
        -------
        Entries
            The entries.
        """
        area, people = shares.area, shares.people
        if villages is not None:
            area, people = area[villages], people[villages]
        return cls(
            indptr=area.indptr.astype(np.int64),
            # Some rows of a matrix may have narrower indices: kernels would be compiled anew.
            pixels=area.indices.astype(shares.area.indices.dtype, copy=False),
            fraction=area.data,
            people=people.data,
            pixel_area_m2=shares.pixel_area_m2,
            n_columns=n_columns,
        )

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def n_villages(self) -> int:
        """Number of villages."""
        return len(self.indptr) - 1

    @property
    def weights(self) -> dict[str, tuple[NDArray[Any], float]]:
        """Weights of the entries, and what to multiply them by to have whole numbers."""
        return {
            "area": (self.fraction, self.pixel_area_m2 * CM2_PER_M2),
            "people": (self.people, 1.0),
        }

    @cached_property
    def extents(self) -> NDArray[np.int64]:
        """(n_villages, 4) first and past-the-last row and column of each village."""
        return _extents(self.indptr, self.pixels, self.n_columns)

    def gather(self, values: NDArray[np.generic], block: Block, out: NDArray[np.generic]) -> None:
        """Take a raster's values in a block of the grid to the entries there.

        Parameters
        ----------
        values : numpy.ndarray
            (rows, columns) of the block.
        block : Block
            The window.
        out : numpy.ndarray
            (n_entries,) array to fill where an entry lies in the block.
        """
        _gather(
            self.indptr,
            self.pixels,
            self.n_columns,
            self.meeting(block),
            block.rows.start,
            block.columns.start,
            values,
            out,
        )

    def meeting(self, block: Block) -> NDArray[np.intp]:
        """Return the villages whose extent meets a block.

        Parameters
        ----------
        block : Block
            The window.

        Returns
        -------
        numpy.ndarray
            Their positions.
        """
        top, bottom, left, right = self.extents.T
        return np.flatnonzero(
            (top < block.rows.stop)
            & (bottom > block.rows.start)
            & (left < block.columns.stop)
            & (right > block.columns.start)
        )


@dataclass(frozen=True)
class Groups:
    """Villages in the order of the divisions that they make up.

    Attributes
    ----------
    order : numpy.ndarray
        Positions of the villages, those of a division together.
    bounds : numpy.ndarray
        (n_divisions + 1) where each division's villages begin in `order`.
    """

    order: NDArray[np.int64]
    bounds: NDArray[np.int64]

    @classmethod
    def by(cls, owner: NDArray[np.intp], n_divisions: int) -> "Groups":
        """Group villages by division.

        Parameters
        ----------
        owner : numpy.ndarray
            (n_villages,) position of the division that owns each.
        n_divisions : int
            How many divisions there are.

        Returns
        -------
        Groups
            The villages in groups.
        """
        counts = np.bincount(owner, minlength=n_divisions)
        return cls(
            order=np.argsort(owner, kind="stable").astype(np.int64),
            bounds=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        )

    def total(self, by_village: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add up figures of the villages by division.

        Parameters
        ----------
        by_village : numpy.ndarray
            (n_villages, ...) whole figures.

        Returns
        -------
        numpy.ndarray
            (n_divisions, ...) sums.
        """
        sums = np.zeros((len(self.bounds) - 1, *by_village.shape[1:]), np.int64)
        owner = np.repeat(np.arange(len(sums)), np.diff(self.bounds))
        np.add.at(sums, owner, by_village[self.order])
        return sums


def as_levels(values: NDArray[np.float32], levels_per_unit: float) -> NDArray[np.int16]:
    """Round a raster's values to levels.

    Parameters
    ----------
    values : numpy.ndarray
        (rows, columns) values, NaN where there is none.
    levels_per_unit : float
        Levels that make one unit of the values.

    Returns
    -------
    numpy.ndarray
        (rows, columns) levels, `NO_LEVEL` for NaN; values beyond the highest or lowest level
        have that.
    """
    return _as_levels(values, levels_per_unit)


def sums_by_code(
    entries: Entries, codes: NDArray[np.uint8], n_codes: int, of: Literal["area", "people"]
) -> NDArray[np.int64]:
    """Add up area or people of every village by a code of its entries.

    Parameters
    ----------
    entries : Entries
        The entries.
    codes : numpy.ndarray
        (n_entries,) codes under `n_codes`.
    n_codes : int
        How many there are.
    of : {'area', 'people'}
        What to add up.

    Returns
    -------
    numpy.ndarray
        (n_villages, n_codes) int64 [cm², or 1/1000 person].
    """
    weight, unit = entries.weights[of]
    return _sums_by_code(entries.indptr, codes, weight, unit, n_codes)


def levels_reached(
    entries: Entries,
    groups: Groups,
    levels: NDArray[np.int16],
    tenths: Sequence[int],
    of: Literal["area", "people"],
    among: tuple[NDArray[np.bool_], NDArray[np.uint8]] | None = None,
) -> NDArray[np.int64]:
    """Return the levels that some tenths of each division's area or people reach.

    Parameters
    ----------
    entries : Entries
        The entries.
    groups : Groups
        The divisions.
    levels : numpy.ndarray
        (n_entries,) levels; `NO_LEVEL` is below all.
    tenths : sequence of int
        Tenths of the area or people: 5 gives the median.
    of : {'area', 'people'}
        What to weigh by.
    among : tuple of numpy.ndarray, optional
        Which codes count, and the entries' codes; all entries when omitted.

    Returns
    -------
    numpy.ndarray
        (n_divisions, n_tenths) the highest level that so much of the weight has or exceeds;
        `NO_LEVEL` where there is no weight.
    """
    weight, unit = entries.weights[of]
    counts, codes = among or (np.empty(0, np.bool_), np.empty(0, np.uint8))
    return _levels_reached(
        groups.order,
        groups.bounds,
        entries.indptr,
        levels,
        weight,
        unit,
        counts,
        codes,
        np.asarray(tenths, np.int64),
    )


def strongest_sites(
    entries: Entries, groups: Groups, sites: NDArray[Any], n_sites: int
) -> NDArray[np.int64]:
    """Return the site that serves most people of each division, or most area without people.

    Parameters
    ----------
    entries : Entries
        The entries.
    groups : Groups
        The divisions.
    sites : numpy.ndarray
        (n_entries,) position of the site that covers each entry; `n_sites` where none does.
    n_sites : int
        How many sites there are.

    Returns
    -------
    numpy.ndarray
        (n_divisions,) position of the site, the lowest of equals; `n_sites` where none covers.
    """
    area, unit = entries.weights["area"]
    return _strongest_sites(
        groups.order,
        groups.bounds,
        entries.indptr,
        sites,
        n_sites,
        area,
        unit,
        entries.people,
    )


@njit
def _extents(
    indptr: NDArray[np.int64], pixels: NDArray[np.integer[Any]], n_columns: int
) -> NDArray[np.int64]:
    extents = np.zeros((len(indptr) - 1, 4), np.int64)
    for v in range(len(indptr) - 1):
        if indptr[v] == indptr[v + 1]:
            continue
        row = pixels[indptr[v]] // n_columns
        first = row * n_columns
        left, right = n_columns, 0
        extents[v, 0] = row
        for k in range(indptr[v], indptr[v + 1]):
            while pixels[k] >= first + n_columns:
                first += n_columns
            left = min(left, pixels[k] - first)
            right = max(right, pixels[k] - first + 1)
        extents[v, 1] = first // n_columns + 1
        extents[v, 2] = left
        extents[v, 3] = right
    return extents


@njit
def _as_levels(values: NDArray[np.float32], levels_per_unit: float) -> NDArray[np.int16]:
    levels = np.empty(values.shape, np.int16)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column] * levels_per_unit
            if np.isnan(value):
                levels[row, column] = NO_LEVEL
            else:
                held = min(max(value, -HIGHEST_LEVEL), HIGHEST_LEVEL)
                levels[row, column] = np.int16(np.rint(held))
    return levels


@njit
def _gather(
    indptr: NDArray[np.int64],
    pixels: NDArray[np.integer[Any]],
    n_columns: int,
    villages: NDArray[np.int64],
    first_row: int,
    first_column: int,
    values: NDArray[Any],
    out: NDArray[Any],
) -> None:
    height, width = values.shape
    start, stop = first_row * n_columns, (first_row + height) * n_columns
    for v in villages:
        own = pixels[indptr[v] : indptr[v + 1]]
        row, first = 0, start + first_column
        for k in range(np.searchsorted(own, start), np.searchsorted(own, stop)):
            while own[k] >= first - first_column + n_columns:
                row += 1
                first += n_columns
            column = own[k] - first
            if 0 <= column < width:
                out[indptr[v] + k] = values[row, column]


@njit
def _sums_by_code(
    indptr: NDArray[np.int64],
    codes: NDArray[np.uint8],
    weight: NDArray[Any],
    unit: float,
    n_codes: int,
) -> NDArray[np.int64]:
    sums = np.zeros((len(indptr) - 1, n_codes), np.int64)
    for v in range(len(indptr) - 1):
        for k in range(indptr[v], indptr[v + 1]):
            sums[v, codes[k]] += np.int64(np.rint(weight[k] * unit))
    return sums


@njit
def _levels_reached(
    order: NDArray[np.int64],
    bounds: NDArray[np.int64],
    indptr: NDArray[np.int64],
    levels: NDArray[np.int16],
    weight: NDArray[Any],
    unit: float,
    counts: NDArray[np.bool_],
    codes: NDArray[np.uint8],
    tenths: NDArray[np.int64],
) -> NDArray[np.int64]:
    n = len(bounds) - 1
    reached = np.full((n, len(tenths)), NO_LEVEL, np.int64)
    histogram = np.zeros(_N_LEVELS, np.int64)
    for division in range(n):
        total, lowest, highest = np.int64(0), np.int64(_N_LEVELS), np.int64(-1)
        for v in order[bounds[division] : bounds[division + 1]]:
            for k in range(indptr[v], indptr[v + 1]):
                if len(codes) and not counts[codes[k]]:
                    continue
                here = np.int64(np.rint(weight[k] * unit))
                place = np.int64(levels[k]) - NO_LEVEL
                histogram[place] += here
                total += here
                lowest, highest = min(lowest, place), max(highest, place)
        if total:
            for t in range(len(tenths)):
                wanted = (tenths[t] * total + 9) // 10
                place, running = highest, histogram[highest]
                while running < wanted:
                    place = place - 1
                    running += histogram[place]
                reached[division, t] = place + NO_LEVEL
        histogram[lowest : highest + 1] = 0
    return reached


@njit
def _strongest_sites(
    order: NDArray[np.int64],
    bounds: NDArray[np.int64],
    indptr: NDArray[np.int64],
    sites: NDArray[Any],
    n_sites: int,
    area: NDArray[np.float64],
    cm2_per_pixel: float,
    people: NDArray[np.int64],
) -> NDArray[np.int64]:
    n = len(bounds) - 1
    strongest = np.full(n, n_sites)
    by_area, by_people = np.zeros(n_sites, np.int64), np.zeros(n_sites, np.int64)
    for division in range(n):
        by_area[:], by_people[:] = 0, 0
        for v in order[bounds[division] : bounds[division + 1]]:
            for k in range(indptr[v], indptr[v + 1]):
                site = np.int64(sites[k])
                if site < n_sites:
                    by_area[site] += np.int64(np.rint(area[k] * cm2_per_pixel))
                    by_people[site] += people[k]
        most_people, most_area = np.int64(0), np.int64(0)
        for site in np.arange(n_sites):
            more = by_people[site] > most_people or (
                by_people[site] == most_people and by_area[site] > most_area
            )
            if more:
                strongest[division] = site
                most_people, most_area = by_people[site], by_area[site]
    return strongest
