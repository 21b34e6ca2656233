"""What the cells of one carrier put on a tile: the best server, the rest, and their interference.

Masts are added to a tile one after another, so that it needs no more memory for three thousand
masts than for one. Everything is recomputed from the stored path loss; nothing is ever subtracted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import atan, exp2, njit, njit_inline, njit_vector, uncounted
from ankang_coverage.coverage.loss.loss_window import UNKNOWN, LossWindow
from ankang_coverage.propagation.measured_pattern import MeasuredPattern, Pattern

NO_SERVER = -1
"""``best_server`` of a pixel that no cell reaches."""
OVERLAP_DB = 6.0
"""Cells at most this much weaker than the best server overlap with it [dB]."""
MOST_OVERLAPPING = 24
"""More overlapping cells than these are counted as these."""

_Floats = NDArray[np.float32]
_Whole = NDArray[np.int16]
_Index = int | np.uintp


@dataclass(frozen=True)
class CellSetting:
    """How one cell radiates, and how much of the time.

    Attributes
    ----------
    position : int
        Its number on the tile.
    level_dbm : float
        Power of a resource element less feeder and body losses [dBm].
    pattern : Pattern
        The antenna.
    azimuth_deg, mechanical_tilt_deg, electrical_tilt_deg : float
        Where it faces.
    load : float
        Share of its resource elements in use, which are interference to others [0–1].
    """

    position: int
    level_dbm: float
    pattern: Pattern
    azimuth_deg: float
    mechanical_tilt_deg: float
    electrical_tilt_deg: float
    load: float


@dataclass(frozen=True)
class Signals:
    """The signals of one carrier on a tile, while masts are being added.

    Attributes
    ----------
    first_row, first_column : int
        Where the tile begins on the grid.
    best_dbm, second_dbm : numpy.ndarray
        RSRP of the best and of the second server [dBm]; −inf where there is none.
    best, second : numpy.ndarray
        Their positions; −1 where there is none.
    best_mw : numpy.ndarray
        What the best server adds to the interference that others suffer [mW].
    others_mw : numpy.ndarray
        Interference from all cells but the best [mW].
    obstacle_dam : numpy.ndarray
        Distance from the best server's mast of what blocks its path [10 m]; 0 in sight.
    near_dbm, n_near : numpy.ndarray
        (rows, columns, most) RSRP of cells that may be within `OVERLAP_DB` of the best, and how
        many of them there are.
    """

    first_row: int
    first_column: int
    best_dbm: _Floats
    second_dbm: _Floats
    best: NDArray[np.int32]
    second: NDArray[np.int32]
    best_mw: _Floats
    others_mw: _Floats
    obstacle_dam: _Whole
    near_dbm: _Floats
    n_near: NDArray[np.uint8]

    @classmethod
    def silent(cls, rows: slice, columns: slice, *, overlap: bool = True) -> "Signals":
        """Return a tile without any signal.

        Parameters
        ----------
        rows, columns : slice
            The tile's window of the grid.
        overlap : bool
            Whether overlapping cells are to be counted, which takes most of the memory.

        Returns
        -------
        Signals
            To add masts to.
        """
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        return cls(
            first_row=rows.start,
            first_column=columns.start,
            best_dbm=np.full(shape, -np.inf, np.float32),
            second_dbm=np.full(shape, -np.inf, np.float32),
            best=np.full(shape, NO_SERVER, np.int32),
            second=np.full(shape, NO_SERVER, np.int32),
            best_mw=np.zeros(shape, np.float32),
            others_mw=np.zeros(shape, np.float32),
            obstacle_dam=np.zeros(shape, np.int16),
            near_dbm=np.empty((*shape, MOST_OVERLAPPING if overlap else 0), np.float32),
            n_near=np.zeros(shape, np.uint8),
        )

    def add(
        self, loss: LossWindow, row: float, column: float, cells: Sequence[CellSetting]
    ) -> None:
        """Add the cells on one mast.

        Parameters
        ----------
        loss : LossWindow
            Path loss of the mast at the carrier's frequency, within the tile.
        row, column : float
            The mast's place on the grid [pixels], whole at pixel centres.
        cells : sequence of CellSetting
            The cells, by ascending position.
        """
        settings, cuts = settings_table(cells)
        _add_cells(
            np.empty((8, loss.loss_cdb.shape[1]), np.float32),
            loss.loss_cdb,
            loss.elevation_cdeg,
            loss.obstacle_dam,
            loss.rows.start - row,
            loss.columns.start - column,
            loss.rows.start - self.first_row,
            loss.columns.start - self.first_column,
            np.array([cell.position for cell in cells], np.int32),
            settings,
            cuts,
            self.best_dbm,
            self.second_dbm,
            self.best,
            self.second,
            self.best_mw,
            self.others_mw,
            self.obstacle_dam,
            self.near_dbm,
            self.n_near,
        )

    def n_within_overlap(self) -> NDArray[np.uint8]:
        """Return how many cells are within `OVERLAP_DB` of the best, itself included.

        Returns
        -------
        numpy.ndarray
            (rows, columns) uint8 counts.
        """
        count = np.empty(self.n_near.shape, np.uint8)
        _count_near(self.best_dbm, self.near_dbm, self.n_near, count)
        return count


def settings_table(cells: Sequence[CellSetting]) -> tuple[_Floats, _Floats]:
    """Return cells as the rows of numbers that the kernels read.

    Parameters
    ----------
    cells : sequence of CellSetting
        The cells.

    Returns
    -------
    settings : numpy.ndarray
        (cells, 14), one column for each name below.
    cuts : numpy.ndarray
        (measured patterns, 2, 361) horizontal and vertical cut [dB], closed with 360°.
    """
    patterns = dict.fromkeys(cell.pattern for cell in cells)
    measured = [pattern for pattern in patterns if isinstance(pattern, MeasuredPattern)]
    rows = [
        (
            cell.level_dbm + cell.pattern.gain_dbi,
            cell.load,
            cell.azimuth_deg,
            np.sin(np.radians(cell.azimuth_deg)),
            np.cos(np.radians(cell.azimuth_deg)),
            np.sin(np.radians(cell.mechanical_tilt_deg)),
            np.cos(np.radians(cell.mechanical_tilt_deg)),
            cell.electrical_tilt_deg - cell.pattern.electrical_tilt_deg,
            *_shape(cell.pattern, measured),
        )
        for cell in cells
    ]
    cuts = np.empty((len(measured), 2, 361), np.float32)
    for own, pattern in zip(cuts, measured, strict=True):
        own[0, :360] = pattern.horizontal_attenuation_db
        own[1, :360] = pattern.vertical_attenuation_db
    cuts[..., 360] = cuts[..., 0]
    return np.array(rows, np.float32).reshape(len(cells), 14), cuts


def _shape(pattern: Pattern, measured: Sequence[MeasuredPattern]) -> tuple[float, ...]:
    """Return how a pattern falls off: the numbers of its formula, or its place among the cuts."""
    if isinstance(pattern, MeasuredPattern):
        return 0.0, 0.0, 0.0, 0.0, 0.0, measured.index(pattern)
    return (
        0.0 if pattern.omnidirectional else 12.0 / pattern.horizontal_beamwidth_deg**2,
        12.0 / pattern.vertical_beamwidth_deg**2,
        pattern.front_to_back_db,
        pattern.side_lobe_suppression_db,
        pattern.floor_db,
        _BY_FORMULA,
    )


# --- the kernels -----------------------------------------------------------------------------

(
    _LEVEL, _LOAD, _AZIMUTH, _FACING_EAST, _FACING_NORTH, _SINE, _COSINE, _TILT, _ACROSS, _UP,
    _BACK, _SIDE, _FLOOR, _CUTS,
) = range(14)  # fmt: skip
"""Columns of a table of cells: see `settings_table`."""

_BY_FORMULA = -1
"""Stands in the column `_CUTS` of a cell whose antenna was not measured."""

_TOWARDS, _RSRP, _POWER, _EAST, _NORTH, _HIGH, _OFF, _LOBE = range(8)
"""Rows of the kernel's memory: per pixel of a row the azimuth [degrees], the level [dBm], the
interference [mW], the direction as a vector of length 1, and, for measured antennas, how far it
is off the boresight and above the tilted equator [degrees]."""

_DEGREES = np.float32(180.0 / math.pi)
_HUNDREDTH_DEGREE = np.float32(math.pi / 18_000.0)
# The sine's series
_S3, _S5, _S7, _S9 = (np.float32(1.0 / math.prod(range(n - 1, n + 1))) for n in (3, 5, 7, 9))
_LOG2_10_TENTH = np.float32(math.log2(10.0) / 10.0)
_HUNDREDTH = np.float32(0.01)
_NEAR_DB = np.float32(OVERLAP_DB)
_STRETCH = 64
_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_RIGHT_ANGLE, _HALF_TURN, _TURN = np.float32(90.0), np.float32(180.0), np.float32(360.0)
_LAST_DEGREE = np.float32(359.0)


@njit_vector
def _add_cells(
    work: _Floats, loss: _Whole, elevation: _Whole, obstacle: _Whole,
    row_from_mast: float, column_from_mast: float,
    first_row: int, first_column: int, positions: NDArray[np.int32], cells: _Floats,
    cuts: _Floats,
    best_dbm: _Floats, second_dbm: _Floats, best: NDArray[np.int32], second: NDArray[np.int32],
    best_mw: _Floats, others_mw: _Floats, obstacle_dam: _Whole,
    near_dbm: _Floats, n_near: NDArray[np.uint8],
) -> None:  # fmt: skip
    rows, columns = loss.shape
    work, loss, elevation = uncounted(work), uncounted(loss), uncounted(elevation)
    best_dbm, second_dbm = uncounted(best_dbm), uncounted(second_dbm)
    best, second = uncounted(best), uncounted(second)
    best_mw, others_mw = uncounted(best_mw), uncounted(others_mw)
    obstacle, obstacle_dam = uncounted(obstacle), uncounted(obstacle_dam)
    near_dbm, n_near = uncounted(near_dbm), uncounted(n_near)
    any_tilted = False
    for k in range(positions.size):
        any_tilted = any_tilted or cells[k, _SINE] != _ZERO
    # Unsigned, because an index that may be negative keeps a loop from becoming vector code.
    step, right = np.uintp(1), np.uintp(first_column)
    for r in range(np.uintp(rows)):
        first, last = np.uintp(0), np.uintp(columns)
        while first < last and loss[r, first] <= UNKNOWN:
            first += step
        while last > first and loss[r, last - step] <= UNKNOWN:
            last -= step
        if first == last:
            continue
        i = np.uintp(first_row) + r
        north = -(row_from_mast + r)
        _directions(work, elevation, r, first, last, column_from_mast, north, any_tilted)
        for k in range(np.uintp(positions.size)):
            if cells[k, _CUTS] == _BY_FORMULA:
                _rsrp_and_power(work, loss, elevation, r, first, last, cells, k)
            else:
                _measured_rsrp_and_power(work, loss, elevation, r, first, last, cells, k, cuts)
            # Most cells are far below the best on most pixels: there nothing but the
            # interference changes, many pixels at once.
            for start in range(first, last, np.uintp(_STRETCH)):
                end = min(start + np.uintp(_STRETCH), last)
                n_strong = np.int32(0)
                for c in range(start, end):
                    j = right + c
                    enough = min(second_dbm[i, j], best_dbm[i, j] - _NEAR_DB)
                    n_strong += np.int32((work[_RSRP, c] >= enough) & (loss[r, c] > UNKNOWN))
                if n_strong == 0:
                    for c in range(start, end):
                        others_mw[i, right + c] += work[_POWER, c]
                    continue
                _rank(
                    work, loss, obstacle, r, start, end, positions[k], i, right,
                    best_dbm, second_dbm, best, second, best_mw, others_mw, obstacle_dam,
                    near_dbm, n_near,
                )  # fmt: skip


@njit_inline
def _angle(up: np.float32, along: np.float32) -> np.float32:
    """Return the angle of the point (along, up) in ±180 [degrees], as arctan2 does."""
    steep, flat = abs(up), abs(along)
    longer = max(steep, flat)
    angle = atan(min(steep, flat) / (longer if longer > _ZERO else _ONE)) * _DEGREES
    angle = _RIGHT_ANGLE - angle if steep > flat else angle
    angle = _HALF_TURN - angle if along < _ZERO else angle
    return -angle if up < _ZERO else angle


@njit_inline
def _directions(
    work: _Floats, elevation: _Whole, r: _Index, first: _Index, last: _Index,
    column_from_mast: float, north: float, any_tilted: bool,
) -> None:  # fmt: skip
    """Write where the energy to each pixel of a row leaves, as an angle and as a vector."""
    northward = np.float32(north)
    for c in range(first, last):
        eastward = np.float32(column_from_mast + c)
        work[_TOWARDS, c] = _angle(eastward, northward)
    if not any_tilted:
        return
    for c in range(first, last):
        eastward = np.float32(column_from_mast + c)
        distance = np.sqrt(eastward * eastward + northward * northward)
        x = np.float32(elevation[r, c]) * _HUNDREDTH_DEGREE
        q = x * x
        up = x * (_ONE - q * _S3 * (_ONE - q * _S5 * (_ONE - q * _S7 * (_ONE - q * _S9))))
        level = np.sqrt(max(_ONE - up * up, _ZERO)) / (distance if distance > _ZERO else _ONE)
        work[_EAST, c] = level * eastward
        work[_NORTH, c] = level * northward
        work[_HIGH, c] = up


@njit_inline
def _off_boresight(towards: np.float32, boresight: np.float32) -> np.float32:
    """Return how far an azimuth is off another, in ±180 [degrees]."""
    off = towards - boresight
    return off - _TURN * np.floor(off / _TURN + _HALF)


@njit_inline
def _own_direction(
    work: _Floats, c: _Index, facing_east: np.float32, facing_north: np.float32,
    sine_tilt: np.float32, cosine_tilt: np.float32,
) -> tuple[np.float32, np.float32]:  # fmt: skip
    """Return a direction as a tilted antenna sees it: off its boresight, above its equator."""
    forward = work[_NORTH, c] * facing_north + work[_EAST, c] * facing_east
    sideways = work[_EAST, c] * facing_north - work[_NORTH, c] * facing_east
    own_forward = forward * cosine_tilt - work[_HIGH, c] * sine_tilt
    own_up = forward * sine_tilt + work[_HIGH, c] * cosine_tilt
    off = _angle(sideways, own_forward)
    return off, _angle(own_up, np.sqrt(own_forward * own_forward + sideways * sideways))


@njit_inline
def _rsrp_and_power(
    work: _Floats, loss: _Whole, elevation: _Whole, r: _Index, first: _Index, last: _Index,
    cells: _Floats, k: _Index,
) -> None:  # fmt: skip
    """Write the RSRP of a cell along a row [dBm], and what it adds to the interference [mW]."""
    level, load, boresight, tilt = (
        cells[k, _LEVEL], cells[k, _LOAD], cells[k, _AZIMUTH], cells[k, _TILT],
    )  # fmt: skip
    across, upward = cells[k, _ACROSS], cells[k, _UP]
    back, side, floor = cells[k, _BACK], cells[k, _SIDE], cells[k, _FLOOR]
    sine_tilt, cosine_tilt = cells[k, _SINE], cells[k, _COSINE]
    facing_east, facing_north = cells[k, _FACING_EAST], cells[k, _FACING_NORTH]
    if sine_tilt == _ZERO:
        for c in range(first, last):
            off = _off_boresight(work[_TOWARDS, c], boresight)
            lobe = np.float32(elevation[r, c]) * _HUNDREDTH + tilt
            horizontal = min(across * off * off, back)
            vertical = min(upward * lobe * lobe, side)
            rsrp = level - min(horizontal + vertical, floor) - np.float32(loss[r, c]) * _HUNDREDTH
            work[_RSRP, c] = rsrp
            power = load * exp2(rsrp * _LOG2_10_TENTH)
            work[_POWER, c] = power if loss[r, c] > UNKNOWN else _ZERO
        return
    # Tilted mechanically, directions turn into the antenna's own frame.
    for c in range(first, last):
        off, above = _own_direction(work, c, facing_east, facing_north, sine_tilt, cosine_tilt)
        lobe = above + tilt
        horizontal = min(across * off * off, back)
        vertical = min(upward * lobe * lobe, side)
        rsrp = level - min(horizontal + vertical, floor) - np.float32(loss[r, c]) * _HUNDREDTH
        work[_RSRP, c] = rsrp
        power = load * exp2(rsrp * _LOG2_10_TENTH)
        work[_POWER, c] = power if loss[r, c] > UNKNOWN else _ZERO


@njit_vector
def _measured_rsrp_and_power(
    work: _Floats, loss: _Whole, elevation: _Whole, r: _Index, first: _Index, last: _Index,
    cells: _Floats, k: _Index, cuts: _Floats,
) -> None:  # fmt: skip
    """Do as `_rsrp_and_power` for a measured antenna, by the rule of `measured_gain`.

    A function of its own, so that the loops of the others stay as short as they are.
    """
    level, load, boresight, tilt = (
        cells[k, _LEVEL], cells[k, _LOAD], cells[k, _AZIMUTH], cells[k, _TILT],
    )  # fmt: skip
    sine_tilt, cosine_tilt = cells[k, _SINE], cells[k, _COSINE]
    facing_east, facing_north = cells[k, _FACING_EAST], cells[k, _FACING_NORTH]
    if sine_tilt == _ZERO:
        for c in range(first, last):
            work[_OFF, c] = _off_boresight(work[_TOWARDS, c], boresight)
            work[_LOBE, c] = np.float32(elevation[r, c]) * _HUNDREDTH + tilt
    else:
        for c in range(first, last):
            off, above = _own_direction(work, c, facing_east, facing_north, sine_tilt, cosine_tilt)
            work[_OFF, c], work[_LOBE, c] = off, above + tilt
    own = uncounted(cuts)[np.uintp(cells[k, _CUTS])]
    horizontal, vertical = own[0], own[1]
    ahead, astern = horizontal[0], horizontal[180]
    for c in range(first, last):
        off, lobe = work[_OFF, c], work[_LOBE, c]
        behind = abs(off) / _HALF_TURN
        attenuation = (
            _around(horizontal, off)
            + (_ONE - behind) * (_around(vertical, -lobe) - ahead)
            + behind * (_around(vertical, _HALF_TURN + lobe) - astern)
        )
        rsrp = level - max(attenuation, _ZERO) - np.float32(loss[r, c]) * _HUNDREDTH
        work[_RSRP, c] = rsrp
        power = load * exp2(rsrp * _LOG2_10_TENTH)
        work[_POWER, c] = power if loss[r, c] > UNKNOWN else _ZERO


@njit_inline
def _around(cut: _Floats, angle: np.float32) -> np.float32:
    """Return a closed cut at any angle, straight lines between whole degrees."""
    around = angle - _TURN * np.floor(angle / _TURN)
    # Rounded, an angle just short of a whole turn may come out on either side of it.
    below = min(max(np.floor(around), _ZERO), _LAST_DEGREE)
    i = np.uintp(np.int32(below))
    return cut[i] + (around - below) * (cut[i + np.uintp(1)] - cut[i])


@njit
def _rank(
    work: _Floats, loss: _Whole, obstacle: _Whole, r: _Index, first: _Index, last: _Index,
    position: int,
    i: _Index, first_column: _Index,
    best_dbm: _Floats, second_dbm: _Floats, best: NDArray[np.int32], second: NDArray[np.int32],
    best_mw: _Floats, others_mw: _Floats, obstacle_dam: _Whole,
    near_dbm: _Floats, n_near: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Give a cell its place among those added before, on some pixels of a row."""
    for c in range(first, last):
        if loss[r, c] <= UNKNOWN:
            continue
        j = first_column + c
        level, power = work[_RSRP, c], work[_POWER, c]
        strongest = best_dbm[i, j]
        if level > strongest or (level == strongest and position < best[i, j]):
            second_dbm[i, j], second[i, j] = strongest, best[i, j]
            others_mw[i, j] += best_mw[i, j]
            best_dbm[i, j], best[i, j], best_mw[i, j] = level, position, power
            obstacle_dam[i, j] = obstacle[r, c]
        else:
            others_mw[i, j] += power
            weaker = second_dbm[i, j]
            if level > weaker or (level == weaker and position < second[i, j]):
                second_dbm[i, j], second[i, j] = level, position
            if level < strongest - _NEAR_DB:
                continue
        _keep_near(level, best_dbm[i, j], i, j, near_dbm, n_near)


@njit
def _keep_near(
    level: np.float32, best: np.float32, i: _Index, j: _Index, near_dbm: _Floats,
    n_near: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Note a cell near the best of a pixel; what a stronger best left behind makes room."""
    most = near_dbm.shape[2]
    if most == 0:
        return
    n = n_near[i, j]
    if n == most:
        kept = 0
        for m in range(n):
            if near_dbm[i, j, m] >= best - _NEAR_DB:
                near_dbm[i, j, kept] = near_dbm[i, j, m]
                kept += 1
        n = min(kept, most - 1)
    near_dbm[i, j, n] = level
    n_near[i, j] = n + 1


@njit
def _count_near(
    best_dbm: _Floats, near_dbm: _Floats, n_near: NDArray[np.uint8], count: NDArray[np.uint8]
) -> None:
    rows, columns = count.shape
    for i in range(rows):
        for j in range(columns):
            within = 0
            for m in range(n_near[i, j]):
                if near_dbm[i, j, m] >= best_dbm[i, j] - _NEAR_DB:
                    within += 1
            count[i, j] = within
