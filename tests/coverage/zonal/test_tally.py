"""Sums and levels of weighted entries against plain loops and sorting."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from scipy import sparse

from ankang_coverage.coverage.zonal.blocks import Block
from ankang_coverage.coverage.zonal.tally import (
    NO_LEVEL,
    Entries,
    Groups,
    as_levels,
    levels_reached,
    strongest_sites,
    sums_by_code,
)
from ankang_coverage.region import PixelShares

ROWS, COLUMNS = 9, 7


@st.composite
def entries(draw):
    """A few villages with random parts of a small grid, some without any."""
    seed = draw(st.integers(0, 10_000))
    n = draw(st.integers(1, 5))
    rng = np.random.default_rng(seed)
    inside = rng.random((n, ROWS * COLUMNS)) < draw(st.sampled_from([0.0, 0.1, 0.6]))
    fraction = np.where(inside, rng.integers(1, 5, inside.shape) / 4, 0)
    area = sparse.csr_array(fraction)
    people = sparse.csr_array(
        (rng.integers(0, 3000, area.nnz), area.indices, area.indptr), shape=area.shape
    )
    shares = PixelShares(pd.RangeIndex(n), area, people, pixel_area_m2=100.0)
    return Entries.of(shares, COLUMNS), rng


def village_of(own):
    return np.repeat(np.arange(own.n_villages), np.diff(own.indptr))


@given(entries())
def test_what_is_gathered_in_blocks_is_what_stands_there(made):
    own, rng = made
    raster = rng.integers(-100, 100, (ROWS, COLUMNS)).astype(np.int16)
    out = np.full(len(own), 999, np.int16)
    for rows in (slice(0, 4), slice(4, 5), slice(5, ROWS)):
        for columns in (slice(0, 3), slice(3, COLUMNS)):
            own.gather(np.ascontiguousarray(raster[rows, columns]), Block(rows, columns), out)
    assert out.tolist() == raster.ravel()[own.pixels].tolist()


@given(entries())
def test_sums_equal_a_loop(made):
    own, rng = made
    codes = rng.integers(0, 4, len(own)).astype(np.uint8)
    for of, weight in (("area", own.fraction * 1e6), ("people", own.people)):
        expected = np.zeros((own.n_villages, 4), np.int64)
        for village, code, value in zip(village_of(own), codes, weight, strict=True):
            expected[village, code] += int(value)
        assert sums_by_code(own, codes, 4, of).tolist() == expected.tolist()


@given(entries(), st.sampled_from(["area", "people"]), st.booleans())
def test_levels_equal_sorting(made, of, some):
    own, rng = made
    n_divisions = 2
    owner = rng.integers(0, n_divisions, own.n_villages)
    levels = rng.choice([NO_LEVEL, -11_050, -11_000, -9_999, -9_000, 0, 32_767], len(own))
    codes = rng.integers(0, 3, len(own)).astype(np.uint8)
    counts = np.array([True, False, True])
    found = levels_reached(
        own,
        Groups.by(owner, n_divisions),
        levels.astype(np.int16),
        (1, 5, 9),
        of,
        (counts, codes) if some else None,
    )
    weight = own.people if of == "people" else (own.fraction * 1e6).astype(np.int64)
    for division in range(n_divisions):
        here = owner[village_of(own)] == division
        if some:
            here &= counts[codes]
        order = np.argsort(-levels[here], kind="stable")
        running = np.cumsum(weight[here][order])
        for place, tenths in enumerate((1, 5, 9)):
            if running.size == 0 or running[-1] == 0:
                assert found[division, place] == NO_LEVEL
            else:
                first = np.argmax(10 * running >= tenths * running[-1])
                assert found[division, place] == levels[here][order][first]


@given(entries())
def test_strongest_sites_equal_a_search(made):
    own, rng = made
    n_sites = 3
    owner = rng.integers(0, 2, own.n_villages)
    sites = rng.integers(0, n_sites + 1, len(own)).astype(np.uint16)
    found = strongest_sites(own, Groups.by(owner, 2), sites, n_sites)
    for division in range(2):
        here = owner[village_of(own)] == division
        served = {
            site: (
                int(own.people[here & (sites == site)].sum()),
                float(own.fraction[here & (sites == site)].sum()),
            )
            for site in range(n_sites)
        }
        best = max(range(n_sites), key=lambda site: (served[site], -site))
        assert found[division] == (best if any(served[best]) else n_sites)


def test_levels_are_rounded_and_held():
    values = np.array([[-110.004, -110.006, np.nan], [1e6, -1e6, 0.0]], np.float32)
    assert as_levels(values, 100).tolist() == [[-11_000, -11_001, NO_LEVEL], [32_767, -32_767, 0]]


def test_a_choice_of_villages_has_their_entries_only(small_region):
    shares = small_region.shares
    columns = small_region.geobox.shape[1]
    some = Entries.of(shares, columns, np.array([1, 4]))
    assert some.n_villages == 2
    code = np.zeros(len(some), np.uint8)
    people = small_region.villages["people"].to_numpy()[[1, 4]]
    assert sums_by_code(some, code, 1, "people")[:, 0].tolist() == (people * 1000).tolist()
    area_cm2 = sums_by_code(some, code, 1, "area")[:, 0]
    expected = small_region.villages.geometry.area.to_numpy()[[1, 4]] * 10_000
    assert area_cm2 == pytest.approx(expected, abs=10_000)
