"""Horizons and roughness, by the unit values of ITM's own tests (NTIA/itm, tests/Test*.cpp)."""

import numpy as np
import pytest

from ankang_coverage.propagation.itm._terrain import _irregularity, terrain_of


def test_terrain_of_a_small_profile():
    ground = np.array([1.0, 2.0, 3.0, 5.0, 3.0, 5.0, 3.0, 2.0, 1.0])
    terrain = terrain_of(ground, 100.0, 7860e3, 6.0, 5.0)
    assert terrain.effective_heights == (6.0, 5.0)
    assert terrain.horizon_distances == pytest.approx((8764.4253963572828, 7922.7879168398858))
    assert terrain.horizon_angles == pytest.approx((-0.0011422640014581357, -0.0010153790362535343))
    assert terrain.irregularity == pytest.approx(12.901387666337202)


CUP = np.array([100.0, *[1.0] * 8, 100.0])
COMB = np.array(
    [100.0] + [1.0] * 8 + [2.0] * 3 + [1.0] * 4 + [2.0] * 3 + [1.0] * 3 + [2.0] * 3
    + [1.0] * 5 + [2.0] * 3 + [100.0]
)  # fmt: skip


@pytest.mark.parametrize(
    ("ground", "start", "end", "irregularity"),
    [
        (CUP, 10.0, 90.0, 130.80086741994160),
        (CUP, 15.0, 85.0, 41.639683828192240),
        (COMB, 10.0, 320.0, 5.5481498660992807),
        (COMB, 15.0, 315.0, 5.4395216034312366),
        (np.arange(1.0, 6.0), 40.0, 50.0, 0.0),  # too short to have any
    ],
)
def test_irregularity(ground, start, end, irregularity):
    assert _irregularity(ground, 10.0, start, end) == pytest.approx(irregularity, abs=1e-9)
