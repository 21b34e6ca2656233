"""3GPP TR 38.901: path loss and line-of-sight probability of RMa, UMa, UMi and InH-office.

Distances are given as horizontal (2-D); the formulas take the slant (3-D) distance where the
report does. Each scenario has the same order: range, line-of-sight probability, the
public loss, then its two states.
"""

from dataclasses import replace
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.propagation._ranges import FloatOrArray, ModelRange, checked, require_word

Office: TypeAlias = Literal["mixed", "open"]
_Array: TypeAlias = NDArray[np.float64]

_LOSS_TABLE = "3GPP TR 38.901 table 7.4.1-1"
_LOS_TABLE = "3GPP TR 38.901 table 7.4.2-1"

RMA_LOS_RANGE = ModelRange(
    clause=f"{_LOSS_TABLE}, RMa",
    distance_m=(10.0, 10_000.0),
    frequency_mhz=(500.0, 30_000.0),
    base_height_m=(10.0, 150.0),
    terminal_height_m=(1.0, 10.0),
)
RMA_NLOS_RANGE = replace(
    RMA_LOS_RANGE, clause=f"{_LOSS_TABLE}, RMa NLOS", distance_m=(10.0, 5_000.0)
)
UMA_RANGE = ModelRange(
    clause=f"{_LOSS_TABLE}, UMa",
    distance_m=(10.0, 5_000.0),
    frequency_mhz=(500.0, 100_000.0),
    base_height_m=(25.0, 25.0),
    terminal_height_m=(1.5, 22.5),
)
UMI_RANGE = replace(
    UMA_RANGE, clause=f"{_LOSS_TABLE}, UMi street canyon", base_height_m=(10.0, 10.0)
)
INH_RANGE = ModelRange(
    clause=f"{_LOSS_TABLE}, InH-office",
    distance_m=(0.0, 150.0),
    frequency_mhz=(500.0, 100_000.0),
    base_height_m=(0.0, np.inf),
    terminal_height_m=(0.0, np.inf),
)
"""The report limits InH by the slant distance alone, 1 to 150 m; `inh_loss` holds it to that."""

_SLANT_RANGE_INH_M = (1.0, 150.0)
_STREET_WIDTH_RANGE_M = (5.0, 50.0)
_BUILDING_HEIGHT_RANGE_M = (5.0, 50.0)
_UMA_LOS_TERMINAL_HEIGHT_RANGE_M = (0.0, 23.0)
_ANY_DISTANCE_M = (0.0, np.inf)

_SPEED_OF_LIGHT_M_S = 3.0e8  # the report's rounded value, part of its break-point distances
_ENVIRONMENT_HEIGHT_M = 1.0


def rma_los_probability(distance_m: ArrayLike) -> FloatOrArray:
    """Return the line-of-sight probability of TR 38.901 RMa (table 7.4.2-1).

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m], 0 or more.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Probability [0 to 1]: 1 up to 10 m, then exp(−(d − 10) / 1000).

    Raises
    ------
    OutOfRangeError
        If a distance is negative or not finite.

    Examples
    --------
    >>> round(float(rma_los_probability(1010.0)), 4)
    0.3679
    """
    distance = checked("distance_m", distance_m, _ANY_DISTANCE_M, f"{_LOS_TABLE}, RMa")
    probability: FloatOrArray = np.exp(-(np.maximum(distance, 10.0) - 10.0) / 1000.0)
    return probability


def rma_loss(
    distance_m: ArrayLike,
    frequency_mhz: ArrayLike,
    base_height_m: ArrayLike,
    terminal_height_m: ArrayLike,
    line_of_sight: ArrayLike | None = None,
    extrapolate: bool = False,
    *,
    street_width_m: ArrayLike = 20.0,
    building_height_m: ArrayLike = 5.0,
) -> FloatOrArray:
    """Return the path loss of TR 38.901 RMa, rural macro (table 7.4.1-1).

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m], 10 to 10,000 in line of sight, 10 to 5,000 otherwise.
    frequency_mhz : array_like
        Carrier frequency [MHz], 500 to 30,000.
    base_height_m : array_like
        Height of the base station's antenna [m], 10 to 150.
    terminal_height_m : array_like
        Height of the terminal [m], 1 to 10.
    line_of_sight : array_like, optional
        True, False or an array of them: the loss of that state. None: the expected loss, the
        two states' decibels weighted by `rma_los_probability`; it needs both states' ranges.
    extrapolate : bool
        Allow values outside the ranges.
    street_width_m, building_height_m : array_like
        Average street width and building height [m], each 5 to 50.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Path loss without shadow fading [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    Notes
    -----
    The break point lies at d_BP = 2π h_BS h_UT f / c, a horizontal distance, and the report
    puts this same d_BP into the formula of the near side, which expects a slant distance: the
    curve steps by the ratio of the two, under 0.05 dB in the range.

    References
    ----------
    3GPP TR 38.901 V17.0.0, table 7.4.1-1 with notes 5 and 6.

    Examples
    --------
    >>> round(float(rma_loss(1000.0, 5000.0, 35.0, 1.5, line_of_sight=False)), 2)
    133.52
    """
    distance, frequency, base_height, terminal_height = RMA_LOS_RANGE.checked(
        distance_m, frequency_mhz, base_height_m, terminal_height_m, extrapolate=extrapolate
    )
    clause = RMA_LOS_RANGE.clause
    street_width = checked(
        "street_width_m", street_width_m, _STREET_WIDTH_RANGE_M, clause, extrapolate
    )
    building_height = checked(
        "building_height_m", building_height_m, _BUILDING_HEIGHT_RANGE_M, clause, extrapolate
    )
    _check_rma_nlos_distance(distance, line_of_sight, extrapolate)

    slant = np.hypot(distance, base_height - terminal_height)
    sighted = _rma_los(distance, slant, frequency, base_height, terminal_height, building_height)
    obstructed = np.maximum(
        sighted,
        _rma_nlos(slant, frequency, base_height, terminal_height, street_width, building_height),
    )
    return _of_state(line_of_sight, sighted, obstructed, rma_los_probability(distance))


def _check_rma_nlos_distance(
    distance: _Array, line_of_sight: ArrayLike | None, extrapolate: bool
) -> None:
    sighted = np.asarray(False if line_of_sight is None else line_of_sight, dtype=np.bool_)
    allowed = RMA_NLOS_RANGE.distance_m
    obstructed = np.where(sighted, allowed[0], distance)
    checked("distance_m", obstructed, allowed, RMA_NLOS_RANGE.clause, extrapolate)


def _rma_los(
    distance: _Array,
    slant: _Array,
    frequency: _Array,
    base_height: _Array,
    terminal_height: _Array,
    building_height: _Array,
) -> _Array:
    def near(slant: _Array) -> _Array:
        loss: _Array = (
            20.0 * np.log10(40.0 * np.pi / 3.0 * slant * frequency / 1e3)
            + np.minimum(0.03 * building_height**1.72, 10.0) * np.log10(slant)
            - np.minimum(0.044 * building_height**1.72, 14.77)
            + 0.002 * np.log10(building_height) * slant
        )
        return loss

    break_point = (
        2.0 * np.pi * base_height * terminal_height * frequency * 1e6 / _SPEED_OF_LIGHT_M_S
    )
    beyond = near(break_point) + 40.0 * np.log10(slant / break_point)
    return np.where(distance <= break_point, near(slant), beyond)


def _rma_nlos(
    slant: _Array,
    frequency: _Array,
    base_height: _Array,
    terminal_height: _Array,
    street_width: _Array,
    building_height: _Array,
) -> _Array:
    log_base = np.log10(base_height)
    loss: _Array = (
        161.04
        - 7.1 * np.log10(street_width)
        + 7.5 * np.log10(building_height)
        - (24.37 - 3.7 * (building_height / base_height) ** 2) * log_base
        + (43.42 - 3.1 * log_base) * (np.log10(slant) - 3.0)
        + 20.0 * np.log10(frequency / 1e3)
        - (3.2 * np.log10(11.75 * terminal_height) ** 2 - 4.97)
    )
    return loss


def uma_los_probability(distance_m: ArrayLike, terminal_height_m: ArrayLike = 1.5) -> FloatOrArray:
    """Return the line-of-sight probability of TR 38.901 UMa (table 7.4.2-1).

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m], 0 or more.
    terminal_height_m : array_like
        Height of the terminal [m], 0 to 23; it counts above 13.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Probability [0 to 1]; 1 up to 18 m.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    Examples
    --------
    >>> round(float(uma_los_probability(100.0)), 4)
    0.3477
    """
    clause = f"{_LOS_TABLE}, UMa"
    return _uma_los_probability(
        checked("distance_m", distance_m, _ANY_DISTANCE_M, clause),
        checked("terminal_height_m", terminal_height_m, _UMA_LOS_TERMINAL_HEIGHT_RANGE_M, clause),
    )


def _uma_los_probability(distance: _Array, terminal_height: _Array) -> FloatOrArray:
    above_roofs = (np.maximum(terminal_height - 13.0, 0.0) / 10.0) ** 1.5
    boost = 1.0 + above_roofs * 1.25 * (distance / 100.0) ** 3 * np.exp(-distance / 150.0)
    raised = _street_los_probability(distance, 63.0) * boost
    probability: FloatOrArray = np.where(distance <= 18.0, 1.0, np.minimum(raised, 1.0))[()]
    return probability


def _street_los_probability(distance: _Array, decay_m: float) -> _Array:
    far = np.maximum(distance, 18.0)
    probability: _Array = 18.0 / far + np.exp(-far / decay_m) * (1.0 - 18.0 / far)
    return probability


def uma_loss(
    distance_m: ArrayLike,
    frequency_mhz: ArrayLike,
    base_height_m: ArrayLike,
    terminal_height_m: ArrayLike,
    line_of_sight: ArrayLike | None = None,
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the path loss of TR 38.901 UMa, urban macro (table 7.4.1-1).

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m], 10 to 5,000.
    frequency_mhz : array_like
        Carrier frequency [MHz], 500 to 100,000.
    base_height_m : array_like
        Height of the base station's antenna [m]: 25, the report's only value; others above 1
        are an extrapolation.
    terminal_height_m : array_like
        Height of the terminal [m], 1.5 to 22.5.
    line_of_sight : array_like, optional
        True, False or an array of them: the loss of that state. None: the expected loss, the
        two states' decibels weighted by `uma_los_probability`.
    extrapolate : bool
        Allow values outside the ranges.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Path loss without shadow fading [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    Notes
    -----
    The break point lies at d'_BP = 4 (h_BS − h_E) (h_UT − h_E) f / c with h_E = 1 m. The report
    draws h_E at random for terminals from 13 m up (1 m or, with a probability that grows with
    height, a roof height of 12 m or more); here it stays 1 m, the report's most probable value,
    so that equal inputs give equal losses.

    References
    ----------
    3GPP TR 38.901 V17.0.0, table 7.4.1-1 with note 1.

    Examples
    --------
    >>> round(float(uma_loss(1000.0, 5000.0, 25.0, 1.5, line_of_sight=True)), 2)
    109.73
    """
    distance, frequency, base_height, terminal_height = UMA_RANGE.checked(
        distance_m, frequency_mhz, base_height_m, terminal_height_m, extrapolate=extrapolate
    )
    height_difference = base_height - terminal_height
    slant = np.hypot(distance, height_difference)
    log_frequency = np.log10(frequency / 1e3)
    break_point = _break_point(frequency, base_height, terminal_height, UMA_RANGE.clause)
    sighted = (
        28.0
        + 20.0 * log_frequency
        + np.where(
            distance <= break_point,
            22.0 * np.log10(slant),
            40.0 * np.log10(slant) - 9.0 * np.log10(break_point**2 + height_difference**2),
        )
    )
    obstructed = np.maximum(
        sighted,
        13.54 + 39.08 * np.log10(slant) + 20.0 * log_frequency - 0.6 * (terminal_height - 1.5),
    )
    probability = _uma_los_probability(distance, terminal_height)
    return _of_state(line_of_sight, sighted, obstructed, probability)


def umi_los_probability(distance_m: ArrayLike) -> FloatOrArray:
    """Return the line-of-sight probability of TR 38.901 UMi (table 7.4.2-1).

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m], 0 or more.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Probability [0 to 1]; 1 up to 18 m.

    Raises
    ------
    OutOfRangeError
        If a distance is negative or not finite.

    Examples
    --------
    >>> round(float(umi_los_probability(100.0)), 4)
    0.231
    """
    distance = checked("distance_m", distance_m, _ANY_DISTANCE_M, f"{_LOS_TABLE}, UMi")
    return _street_los_probability(distance, 36.0)


def umi_loss(
    distance_m: ArrayLike,
    frequency_mhz: ArrayLike,
    base_height_m: ArrayLike,
    terminal_height_m: ArrayLike,
    line_of_sight: ArrayLike | None = None,
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the path loss of TR 38.901 UMi, street canyon (table 7.4.1-1).

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m], 10 to 5,000.
    frequency_mhz : array_like
        Carrier frequency [MHz], 500 to 100,000.
    base_height_m : array_like
        Height of the base station's antenna [m]: 10, the report's only value; others above 1
        are an extrapolation.
    terminal_height_m : array_like
        Height of the terminal [m], 1.5 to 22.5.
    line_of_sight : array_like, optional
        True, False or an array of them: the loss of that state. None: the expected loss, the
        two states' decibels weighted by `umi_los_probability`.
    extrapolate : bool
        Allow values outside the ranges.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Path loss without shadow fading [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    Notes
    -----
    The break point lies at d'_BP = 4 (h_BS − h_E) (h_UT − h_E) f / c with h_E = 1 m.

    References
    ----------
    3GPP TR 38.901 V17.0.0, table 7.4.1-1 with note 1.

    Examples
    --------
    >>> round(float(umi_loss(100.0, 5000.0, 10.0, 1.5, line_of_sight=False)), 2)
    107.94
    """
    distance, frequency, base_height, terminal_height = UMI_RANGE.checked(
        distance_m, frequency_mhz, base_height_m, terminal_height_m, extrapolate=extrapolate
    )
    height_difference = base_height - terminal_height
    slant = np.hypot(distance, height_difference)
    log_frequency = np.log10(frequency / 1e3)
    break_point = _break_point(frequency, base_height, terminal_height, UMI_RANGE.clause)
    sighted = (
        32.4
        + 20.0 * log_frequency
        + np.where(
            distance <= break_point,
            21.0 * np.log10(slant),
            40.0 * np.log10(slant) - 9.5 * np.log10(break_point**2 + height_difference**2),
        )
    )
    obstructed = np.maximum(
        sighted,
        22.4 + 35.3 * np.log10(slant) + 21.3 * log_frequency - 0.3 * (terminal_height - 1.5),
    )
    probability = _street_los_probability(distance, 36.0)
    return _of_state(line_of_sight, sighted, obstructed, probability)


def inh_los_probability(distance_m: ArrayLike, office: Office = "mixed") -> FloatOrArray:
    """Return the line-of-sight probability of TR 38.901 InH-office (table 7.4.2-1).

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m], 0 or more.
    office : {'mixed', 'open'}
        ``mixed`` or ``open``.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Probability [0 to 1].

    Raises
    ------
    OutOfRangeError
        If a distance is negative or not finite, or the office is unknown.

    Examples
    --------
    >>> round(float(inh_los_probability(49.0, "open")), 4)
    0.5372
    """
    distance = checked("distance_m", distance_m, _ANY_DISTANCE_M, f"{_LOS_TABLE}, InH")
    require_word("office", office, get_args(Office))
    if office == "mixed":
        probability = np.where(
            distance < 6.5,
            np.exp(-(np.maximum(distance, 1.2) - 1.2) / 4.7),
            0.32 * np.exp(-(distance - 6.5) / 32.6),
        )
    else:
        probability = np.where(
            distance <= 49.0,
            np.exp(-(np.maximum(distance, 5.0) - 5.0) / 70.8),
            0.54 * np.exp(-(distance - 49.0) / 211.7),
        )
    scalar_or_array: FloatOrArray = probability[()]
    return scalar_or_array


def inh_loss(
    distance_m: ArrayLike,
    frequency_mhz: ArrayLike,
    base_height_m: ArrayLike,
    terminal_height_m: ArrayLike,
    line_of_sight: ArrayLike | None = None,
    extrapolate: bool = False,
    *,
    office: Office = "mixed",
) -> FloatOrArray:
    """Return the path loss of TR 38.901 InH, indoor hotspot in an office (table 7.4.1-1).

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m]; the slant distance it makes with the heights must lie within
        1 to 150 m.
    frequency_mhz : array_like
        Carrier frequency [MHz], 500 to 100,000.
    base_height_m, terminal_height_m : array_like
        Antenna heights above the floor [m]; the report evaluates 3 and 1.
    line_of_sight : array_like, optional
        True, False or an array of them: the loss of that state. None: the expected loss, the
        two states' decibels weighted by `inh_los_probability`.
    extrapolate : bool
        Allow values outside the ranges.
    office : {'mixed', 'open'}
        ``mixed`` or ``open``; it counts for the expected loss only.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Path loss without shadow fading [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range, or the office is unknown.

    References
    ----------
    3GPP TR 38.901 V17.0.0, table 7.4.1-1.

    Examples
    --------
    >>> round(float(inh_loss(10.0, 3500.0, 3.0, 1.0, line_of_sight=True)), 2)
    60.73
    """
    distance, frequency, base_height, terminal_height = INH_RANGE.checked(
        distance_m, frequency_mhz, base_height_m, terminal_height_m, extrapolate=extrapolate
    )
    slant = checked(
        "slant distance of distance_m and the heights [m]",
        np.hypot(distance, base_height - terminal_height),
        _SLANT_RANGE_INH_M,
        INH_RANGE.clause,
        extrapolate,
    )
    log_slant, log_frequency = np.log10(slant), np.log10(frequency / 1e3)
    sighted = 32.4 + 17.3 * log_slant + 20.0 * log_frequency
    obstructed = np.maximum(sighted, 17.3 + 38.3 * log_slant + 24.9 * log_frequency)
    return _of_state(line_of_sight, sighted, obstructed, inh_los_probability(distance, office))


def _break_point(
    frequency: _Array, base_height: _Array, terminal_height: _Array, clause: str
) -> _Array:
    """Return d'_BP of note 1 [m]; heights count from the environment height up."""
    above_environment = (float(np.nextafter(_ENVIRONMENT_HEIGHT_M, np.inf)), np.inf)
    base = checked("base_height_m", base_height, above_environment, clause)
    terminal = checked("terminal_height_m", terminal_height, above_environment, clause)
    break_point: _Array = (
        4.0
        * (base - _ENVIRONMENT_HEIGHT_M)
        * (terminal - _ENVIRONMENT_HEIGHT_M)
        * frequency
        * 1e6
        / _SPEED_OF_LIGHT_M_S
    )
    return break_point


def _of_state(
    line_of_sight: ArrayLike | None,
    sighted: _Array,
    obstructed: _Array,
    probability: FloatOrArray,
) -> FloatOrArray:
    """Return the loss of the given state, or the expected loss where none is given."""
    if line_of_sight is None:
        expected: FloatOrArray = probability * sighted + (1.0 - probability) * obstructed
        return expected
    chosen = np.where(np.asarray(line_of_sight, dtype=np.bool_), sighted, obstructed)
    loss: FloatOrArray = chosen[()]
    return loss
