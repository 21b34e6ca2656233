"""Cells combined on a tile against a loop over cells in double precision, and ties by hand."""

import math

import numpy as np
import pytest

from ankang_coverage.coverage.loss.store import BEYOND, UNKNOWN, LossWindow
from ankang_coverage.coverage.signal.signals import (
    MOST_OVERLAPPING,
    NO_SERVER,
    CellSetting,
    Signals,
)
from ankang_coverage.propagation.antenna import SectorPattern, sector_gain
from ankang_coverage.propagation.measured_pattern import MeasuredPattern, measured_gain

MACRO = SectorPattern(15.0, 65.0, 15.0, 25.0, 20.0)
ROUND = SectorPattern(8.0, 360.0, 17.0, 0.0, 15.0)
NARROW = SectorPattern(18.0, 33.0, 7.0, 30.0, 18.0)


def cell(position, level=0.0, pattern=MACRO, azimuth=0.0, mechanical=0.0, electrical=0.0, load=0.5):
    return CellSetting(position, level, pattern, azimuth, mechanical, electrical, load)


def window(rows, columns, loss, elevation=0):
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    full = [np.broadcast_to(np.asarray(v, np.int16), shape).copy() for v in (loss, elevation, 0)]
    return LossWindow(rows, columns, *full)


DEGREES = np.arange(360.0)
PANEL = MeasuredPattern(  # lobes, a dip behind, and no symmetry
    "panel",
    17.0,
    14 - 12 * np.cos(np.radians(DEGREES)) - 2 * np.cos(np.radians(5 * DEGREES + 30)),
    13 - 12 * np.cos(np.radians(DEGREES - 4)) - 1.5 * np.cos(np.radians(11 * DEGREES + 70)) + 0.5,
    electrical_tilt_deg=4.0,
)
ROUGH = MeasuredPattern("rough", 12.0, *np.random.default_rng(2).uniform(0.0, 8.0, (2, 360)))


def slow_gain(pattern, azimuth, elevation, c):
    """The direction in the antenna's own frame, by its unit vectors, then two parabolas."""
    if isinstance(pattern, MeasuredPattern):
        own = (c.azimuth_deg, c.mechanical_tilt_deg, c.electrical_tilt_deg)
        return float(measured_gain(pattern, azimuth, elevation, *own))
    a, e, b, t = map(math.radians, (azimuth, elevation, c.azimuth_deg, c.mechanical_tilt_deg))
    d = np.array([math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)])
    facing = np.array([math.sin(b) * math.cos(t), math.cos(b) * math.cos(t), -math.sin(t)])
    right = np.array([math.cos(b), -math.sin(b), 0.0])
    top = np.cross(right, facing)
    phi = math.degrees(math.atan2(d @ right, d @ facing))
    theta = math.degrees(math.asin(max(-1.0, min(1.0, d @ top))))
    lobe = (theta + c.electrical_tilt_deg) / pattern.vertical_beamwidth_deg
    up = min(12 * lobe**2, pattern.side_lobe_suppression_db)
    if pattern.horizontal_beamwidth_deg == 360.0:
        return pattern.gain_dbi - up
    across = min(12 * (phi / pattern.horizontal_beamwidth_deg) ** 2, pattern.front_to_back_db)
    return pattern.gain_dbi - min(across + up, pattern.front_to_back_db)


def slow(shape, heard):
    """Level of each cell at each pixel; NaN where it is not heard."""
    levels = {}
    for loss, row, column, cells in heard:
        for c in cells:
            level = np.full(shape, np.nan)
            for i in range(loss.rows.start, loss.rows.stop):
                for j in range(loss.columns.start, loss.columns.stop):
                    r, k = i - loss.rows.start, j - loss.columns.start
                    if loss.loss_cdb[r, k] in (BEYOND, UNKNOWN):
                        continue
                    azimuth = math.degrees(math.atan2(j - column, row - i))
                    gain = slow_gain(c.pattern, azimuth, loss.elevation_cdeg[r, k] / 100, c)
                    level[i, j] = c.level_dbm + gain - loss.loss_cdb[r, k] / 100
            levels[c.position] = (level, c.load)
    return levels


def random_masts(seed, shape, patterns=(MACRO, ROUND, NARROW)):
    rng = np.random.default_rng(seed)
    heard, position = [], 0
    for _ in range(6):
        top, left = rng.integers(0, shape[0] - 4), rng.integers(0, shape[1] - 4)
        rows = slice(int(top), int(rng.integers(top + 1, shape[0] + 1)))
        columns = slice(int(left), int(rng.integers(left + 1, shape[1] + 1)))
        loss = rng.integers(9_000, 11_500, (rows.stop - rows.start, columns.stop - columns.start))
        holes = rng.random(loss.shape)
        loss[holes < 0.15], loss[holes > 0.9] = BEYOND, UNKNOWN
        loss[:, 0] = np.where(rng.random(len(loss)) < 0.5, BEYOND, loss[:, 0])
        elevation = rng.integers(-2500, 2500, loss.shape)
        cells = []
        for _ in range(int(rng.integers(1, 4))):
            cells.append(
                cell(
                    position,
                    float(rng.uniform(0, 18)),
                    patterns[rng.integers(len(patterns))],
                    float(rng.uniform(0, 360)),
                    float(rng.choice([0.0, rng.uniform(-10, 15)])),
                    float(rng.uniform(-2, 10)),
                    float(rng.choice([0.0, 0.37, 1.0])),
                )
            )
            position += int(rng.integers(1, 3))
        place = rng.choice([rng.uniform(-5, 45), float(rng.integers(0, shape[0]))], 2)
        heard.append((window(rows, columns, loss, elevation), *map(float, place), tuple(cells)))
    return heard


@pytest.mark.parametrize(
    ("seed", "patterns"),
    [*((seed, (MACRO, ROUND, NARROW)) for seed in range(5)),
     *((seed, (MACRO, PANEL, ROUGH, ROUND)) for seed in range(3))],
)  # fmt: skip
def test_random_masts_equal_a_loop_over_cells(seed, patterns):
    shape = (33, 41)
    heard = random_masts(seed, shape, patterns)
    state = Signals.silent(slice(0, shape[0]), slice(0, shape[1]))
    for mast in heard:
        state.add(*mast)
    levels = slow(shape, heard)
    near = state.n_within_overlap()
    n_compared = 0
    for i, j in np.ndindex(shape):
        here = sorted(
            ((-v[i, j], n, load) for n, (v, load) in levels.items() if not np.isnan(v[i, j]))
        )
        if not here:
            assert (state.best[i, j], state.second[i, j]) == (NO_SERVER, NO_SERVER)
            assert state.best_dbm[i, j] == state.second_dbm[i, j] == -np.inf
            assert state.best_mw[i, j] == state.others_mw[i, j] == near[i, j] == 0
            continue
        gaps = np.diff([level for level, *_ in here[:3]])
        assert state.best_dbm[i, j] == pytest.approx(-here[0][0], abs=1e-3)
        milliwatts = [10 ** (-level / 10) * load for level, _, load in here]
        if (gaps > 1e-3).all():
            assert state.best[i, j] == here[0][1]
            assert state.best_mw[i, j] == pytest.approx(milliwatts[0], rel=3e-4)
            assert state.others_mw[i, j] == pytest.approx(sum(milliwatts[1:]), rel=3e-4, abs=1e-30)
            if len(here) > 1:
                assert state.second[i, j] == here[1][1]
                assert state.second_dbm[i, j] == pytest.approx(-here[1][0], abs=1e-3)
            n_compared += 1
        edge = [abs(level - here[0][0] - 6.0) for level, *_ in here]
        if min(edge) > 1e-3:
            assert near[i, j] == sum(level - here[0][0] <= 6.0 for level, *_ in here)
    assert n_compared > 250


@pytest.mark.parametrize("seed", range(3))
def test_a_tile_in_parts_has_the_same_bits_as_the_whole(seed):
    """A unit may hold one tile or sixteen: what a pixel hears must not depend on it."""
    shape = (33, 41)
    heard = random_masts(seed, shape, (MACRO, ROUND, NARROW, PANEL))
    whole = Signals.silent(slice(0, 33), slice(0, 41))
    for mast in heard:
        whole.add(*mast)
    for rows, columns in ((slice(0, 20), slice(7, 41)), (slice(20, 33), slice(0, 23))):
        part = Signals.silent(rows, columns)
        for loss, row, column, cells in heard:
            top, bottom = max(loss.rows.start, rows.start), min(loss.rows.stop, rows.stop)
            left = max(loss.columns.start, columns.start)
            right = min(loss.columns.stop, columns.stop)
            if top >= bottom or left >= right:
                continue
            cut = np.s_[top - loss.rows.start : bottom - loss.rows.start,
                        left - loss.columns.start : right - loss.columns.start]  # fmt: skip
            bands = [np.ascontiguousarray(band[cut]) for band in loss.bands]
            part.add(LossWindow(slice(top, bottom), slice(left, right), *bands), row, column, cells)
        for name in ("best_dbm", "second_dbm", "best", "second", "best_mw", "others_mw"):
            assert np.array_equal(getattr(part, name), getattr(whole, name)[rows, columns]), name
        assert np.array_equal(part.n_within_overlap(), whole.n_within_overlap()[rows, columns])


def test_equal_cells_go_to_the_lower_position_whatever_is_heard_first():
    rows = columns = slice(0, 4)
    loss = window(rows, columns, 10_000)
    for order in ((4, 1, 9), (1, 4, 9), (9, 4, 1), (4, 9, 1)):
        state = Signals.silent(rows, columns)
        for position in order:
            state.add(loss, 1.0, 1.0, [cell(position, pattern=ROUND, load=1.0)])
        assert (state.best == 1).all()
        assert (state.second == 4).all()
        assert np.array_equal(state.best_dbm, state.second_dbm)
        assert (state.n_within_overlap() == 3).all()
        assert state.others_mw == pytest.approx(2 * state.best_mw, rel=1e-6)


def test_three_cells_by_hand():
    """−100, −104 and −107 dBm: two within 6 dB, and half of the others is interference."""
    rows = columns = slice(0, 1)
    state = Signals.silent(rows, columns)
    for position, loss in ((2, 11_200), (0, 11_500), (1, 10_800)):
        # At the horizon in front of a round antenna of 8 dBi.
        state.add(window(rows, columns, loss), 5.0, 0.0, [cell(position, pattern=ROUND)])
    assert state.best_dbm[0, 0] == pytest.approx(-100.0, abs=1e-5)
    assert state.second_dbm[0, 0] == pytest.approx(-104.0, abs=1e-5)
    assert (state.best[0, 0], state.second[0, 0]) == (1, 2)
    assert state.n_within_overlap()[0, 0] == 2
    assert state.best_mw[0, 0] == pytest.approx(0.5e-10, rel=1e-5)
    assert state.others_mw[0, 0] == pytest.approx(0.5 * (10**-10.4 + 10**-10.7), rel=1e-5)


def test_tilt_turns_the_beam_down_in_front_and_up_behind():
    rows, columns = slice(0, 1), slice(0, 1)
    for row, elevation, mechanical, electrical, expected in (
        (5.0, -1000, 10.0, 0.0, 15.0),  # mast south of the pixel: in front, on the tilted beam
        (5.0, -1000, 0.0, 10.0, 15.0),
        (5.0, -1000, 4.0, 6.0, 15.0),
        (-5.0, 1000, 10.0, 0.0, 15.0 - 25.0),  # behind, the back lobe points up: the floor
        (5.0, 0, 0.0, 7.5, 12.0),  # half the vertical beamwidth off
        (5.0, 9000, 0.0, 0.0, -5.0),  # overhead: the side lobes' floor
    ):
        state = Signals.silent(rows, columns)
        settings = cell(0, mechanical=mechanical, electrical=electrical)
        state.add(window(rows, columns, 10_000, elevation), row, 0.0, [settings])
        assert state.best_dbm[0, 0] == pytest.approx(expected - 100.0, abs=1e-3)


@pytest.mark.parametrize("load", [0.0, 1.0])
def test_load_scales_interference_and_nothing_else(load):
    rows = columns = slice(0, 3)
    state = Signals.silent(rows, columns)
    for position in range(3):
        own = cell(position, level=-float(position), pattern=ROUND, load=load)
        state.add(window(rows, columns, 10_000), 1.0, 1.0, [own])
    assert (state.best == 0).all()
    assert (state.n_within_overlap() == 3).all()
    full = sum(10 ** ((8.0 - p - 100.0) / 10) for p in (1, 2))
    assert state.others_mw == pytest.approx(np.full((3, 3), load * full), rel=1e-5)


@pytest.mark.parametrize("weakest_first", [True, False])
def test_overlap_is_counted_up_to_its_bound(weakest_first):
    rows = columns = slice(0, 2)
    for n, spread in ((MOST_OVERLAPPING - 1, 5.0), (MOST_OVERLAPPING, 5.0), (40, 5.0), (40, 20.0)):
        state = Signals.silent(rows, columns)
        levels = np.linspace(-spread, 0.0, n)
        for position, level in enumerate(levels if weakest_first else levels[::-1]):
            own = cell(position, level=float(level), pattern=ROUND)
            state.add(window(rows, columns, 10_000), 0.0, 0.0, [own])
        expected = min(int((levels >= -6.0).sum()), MOST_OVERLAPPING)
        assert (state.n_within_overlap() == expected).all()


def test_a_mast_on_the_pixel_itself_is_heard():
    rows = columns = slice(0, 3)
    state = Signals.silent(rows, columns)
    state.add(window(rows, columns, 6_000, -9_000), 1.0, 1.0, [cell(0, mechanical=3.0)])
    assert np.isfinite(state.best_dbm).all()
    assert state.best_dbm[1, 1] <= -45.0


# Measured antennas -------------------------------------------------------------------------------


def heard_alone(c, elevation_cdeg, row=100.3, column=77.7):
    """Gain that the kernel hears of one cell round its mast, and the directions."""
    shape = elevation_cdeg.shape
    rows, columns = slice(0, shape[0]), slice(0, shape[1])
    state = Signals.silent(rows, columns)
    state.add(window(rows, columns, 10_000, elevation_cdeg), row, column, [c])
    i, j = np.mgrid[rows, columns]
    return state.best_dbm.astype(float) + 100.0, np.degrees(np.arctan2(j - column, row - i))


@pytest.mark.parametrize("mechanical", [0.0, 7.0, -5.0, 12.0])
@pytest.mark.parametrize("pattern", [PANEL, ROUGH], ids=lambda pattern: pattern.name)
def test_a_measured_antenna_is_heard_as_measured_gain_has_it(pattern, mechanical):
    rng = np.random.default_rng(0)
    elevation = rng.integers(-3000, 3000, (200, 190))
    for boresight, electrical in ((0.0, 4.0), (33.3, 9.5), (180.0, -2.0), (359.9, 0.0)):
        own = cell(0, 0.0, pattern, boresight, mechanical, electrical)
        found, azimuth = heard_alone(own, elevation)
        expected = measured_gain(
            pattern, azimuth, elevation / 100.0, boresight, mechanical, electrical
        )
        assert np.ptp(expected) > 8.0
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=2e-3)


def test_a_cut_is_closed_where_its_circle_ends():
    """Straight ahead and behind, just beside them, and at each end of the vertical cut."""
    for row, column in ((10.0, 0.0), (-10.0, 0.0), (10.0, 1e-6), (10.0, -1e-6), (-10.0, -1e-6),
                        (0.0, 10.0), (0.0, -10.0)):  # fmt: skip
        for tilt in (0.0, 4.0, 3.999999, 4.000001, -90.0, 90.0):
            for elevation in (0, 1, -1, 9000, -9000):
                own = cell(0, 0.0, ROUGH, 0.0, 0.0, tilt)
                found, azimuth = heard_alone(own, np.full((1, 1), elevation), row, column)
                expected = measured_gain(ROUGH, azimuth, elevation / 100.0, 0.0, 0.0, tilt)
                np.testing.assert_allclose(found, expected, rtol=0.0, atol=2e-3)


def test_a_measured_antenna_leaves_the_bits_of_its_neighbours_alone():
    rng = np.random.default_rng(1)
    elevation = rng.integers(-2000, 2000, (60, 70))
    rows, columns = slice(0, 60), slice(0, 70)
    loss = window(rows, columns, 10_000, elevation)
    for mechanical in (0.0, 6.0):
        alone, beside = (Signals.silent(rows, columns) for _ in range(2))
        sector = cell(1, 0.0, MACRO, 70.0, mechanical, 3.0)
        alone.add(loss, 30.2, 31.7, [sector])
        far_below = cell(0, -300.0, PANEL, 10.0, mechanical, 3.0)
        beside.add(loss, 30.2, 31.7, [far_below, sector, cell(2, -300.0, ROUGH, 1.0, 2.0, 3.0)])
        assert (beside.best == 1).all()
        assert np.array_equal(beside.best_dbm, alone.best_dbm)
        assert np.array_equal(beside.best_mw, alone.best_mw)


def sampled(pattern):
    """The cuts of a sector pattern: level all round, and through the front up and down."""
    level = sector_gain(pattern, DEGREES, 0.0, 0.0)
    front = np.where((DEGREES < 90) | (DEGREES > 270), DEGREES, 180.0 - DEGREES)
    front = (front + 180.0) % 360.0 - 180.0
    ahead = np.where((DEGREES < 90) | (DEGREES > 270), 0.0, 180.0)
    through = sector_gain(pattern, ahead, -front, 0.0)
    return MeasuredPattern(
        "sampled", pattern.gain_dbi, *(pattern.gain_dbi - c for c in (level, through))
    )


def test_a_round_sector_pattern_is_heard_the_same_when_it_is_sampled():
    """Both cuts tell all of it; between whole degrees a chord is 3 dB / θ² off the parabola."""
    rng = np.random.default_rng(3)
    elevation = rng.integers(-2500, 2500, (80, 90))
    for mechanical in (0.0, 5.0):
        own = [cell(0, 0.0, p, 50.0, mechanical, 2.5) for p in (ROUND, sampled(ROUND))]
        by_formula, by_cuts = (heard_alone(c, elevation, 40.2, 41.9)[0] for c in own)
        assert np.abs(by_cuts - by_formula).max() < 3.0 / 17.0**2 + 1e-3


def test_a_sampled_sector_differs_by_what_its_cuts_do_not_tell():
    """Off the boresight the cuts weigh what is ahead by 1 − |φ|/180°, the formula takes it whole.

    So where no floor is within a degree the sampled one gains |φ|/180° of the vertical
    attenuation.
    """
    rng = np.random.default_rng(4)
    elevation = rng.integers(-1200, 1200, (80, 90))
    boresight, tilt = 50.0, 2.5
    own = [cell(0, 0.0, p, boresight, 0.0, tilt) for p in (MACRO, sampled(MACRO))]
    (by_formula, azimuth), (by_cuts, _) = (heard_alone(c, elevation, 40.2, 41.9) for c in own)
    phi = np.abs((azimuth - boresight + 180.0) % 360.0 - 180.0)
    lobe = np.abs(elevation / 100.0 + tilt)
    up = 12.0 * (lobe / 15.0) ** 2
    free = 12.0 * ((phi + 1.0) / 65.0) ** 2 + up < 25.0
    free &= 12.0 * ((lobe + 1.0) / 15.0) ** 2 < 20.0
    assert 0.2 < free.mean() < 0.9
    more = by_cuts - by_formula - phi / 180.0 * up
    chords = 3.0 / 65.0**2 + 3.0 / 15.0**2
    assert np.abs(more[free]).max() < chords + 1e-3
    assert np.abs((by_cuts - by_formula)[free & (phi < 20.0)]).max() < 20.0 / 180.0 * 12.0
    assert np.abs((by_cuts - by_formula)[free]).max() > 0.5  # the residual is there
