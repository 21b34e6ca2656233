"""The ranges that models are valid in, and the one check of their inputs."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import OutOfRangeError

Interval: TypeAlias = tuple[float, float]
"""Lowest and highest value, both allowed."""

FloatOrArray: TypeAlias = np.float64 | NDArray[np.float64]
"""What a model returns: a scalar for scalars, an array for arrays."""


_HERTZ = 1e6
"""From here a number of megahertz can only have been meant in hertz."""


@dataclass(frozen=True)
class ModelRange:
    """Range of a path loss model's inputs, with the clause that sets it.

    Attributes
    ----------
    clause : str
        Recommendation or report, its table or section, and the case it is about.
    distance_m : tuple of float
        Horizontal distance between base station and terminal [m].
    frequency_mhz : tuple of float
        Carrier frequency [MHz].
    base_height_m, terminal_height_m : tuple of float
        Antenna heights above ground [m].
    """

    clause: str
    distance_m: Interval
    frequency_mhz: Interval
    base_height_m: Interval
    terminal_height_m: Interval

    def checked(
        self,
        distance_m: ArrayLike,
        frequency_mhz: ArrayLike,
        base_height_m: ArrayLike,
        terminal_height_m: ArrayLike,
        *,
        extrapolate: bool = False,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the four inputs as float64 arrays, each held to its range.

        Raises
        ------
        OutOfRangeError
            If a value is not a number or outside its range (see `checked`).
        """
        return (
            checked("distance_m", distance_m, self.distance_m, self.clause, extrapolate),
            checked("frequency_mhz", frequency_mhz, self.frequency_mhz, self.clause, extrapolate),
            checked("base_height_m", base_height_m, self.base_height_m, self.clause, extrapolate),
            checked(
                "terminal_height_m",
                terminal_height_m,
                self.terminal_height_m,
                self.clause,
                extrapolate,
            ),
        )


def checked(
    name: str,
    values: ArrayLike,
    allowed: Interval,
    clause: str,
    extrapolate: bool = False,
) -> NDArray[np.float64]:
    """Return `values` as a float64 array if every one of them lies in `allowed`.

    Parameters
    ----------
    name : str
        Name of the quantity with its unit, such as ``distance_m``.
    values : array_like
        Values to check, any shape.
    allowed : tuple of float
        Lowest and highest allowed value.
    clause : str
        Where the range is set; it ends the error's message.
    extrapolate : bool
        Allow values outside `allowed` as long as they are finite and above zero: the quantities
        of the models stand in logarithms.

    Returns
    -------
    numpy.ndarray
        The values, float64, in their shape; not a copy if they already were that.

    Raises
    ------
    OutOfRangeError
        If a value is not a number, not finite, or outside the range.

    Examples
    --------
    >>> checked("distance_m", 50.0, (10.0, 100.0), "an example")
    array(50.)
    >>> checked("distance_m", 5.0, (10.0, 100.0), "an example")
    Traceback (most recent call last):
    ...
    ankang_coverage.errors.OutOfRangeError: distance_m is 5 but must be 10 to 100 (an example)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return array
    low, high = allowed
    smallest, largest = float(array.min()), float(array.max())
    finite = math.isfinite(smallest) and math.isfinite(largest)
    if finite and low <= smallest and largest <= high:
        return array
    if finite and extrapolate and (smallest > 0.0 or smallest >= low):
        return array
    raise OutOfRangeError(_message(name, array, allowed, clause, extrapolate))


def require_word(name: str, word: str, known: tuple[str, ...]) -> None:
    """Refuse an unknown word."""
    if word not in known:
        raise OutOfRangeError(f"{name} is {word!r} but must be one of {', '.join(known)}")


def _message(
    name: str, array: NDArray[np.float64], allowed: Interval, clause: str, extrapolate: bool
) -> str:
    low, high = allowed
    inside = np.isfinite(array)
    inside &= (array >= low) | (array > 0.0) if extrapolate else (array >= low) & (array <= high)
    first = int(np.argmin(inside))
    value = array.ravel()[first]
    what = "not a number (NaN)" if math.isnan(value) else f"{value:g}"
    where = f" at position {first}" if array.ndim else ""
    rule = "finite and above 0, even with extrapolate=True" if extrapolate else _in_words(low, high)
    hertz = "; is it in Hz? give MHz" if name.endswith("_mhz") and value >= _HERTZ else ""
    return f"{name} is {what}{where} but must be {rule} ({clause}){hertz}"


def _in_words(low: float, high: float) -> str:
    """Return the rule of a range; a bound next to a whole number leaves that number out."""
    if low == high:
        return f"{low:g}"
    above = low == np.nextafter(np.rint(low), np.inf)
    below = high == np.nextafter(np.rint(high), -np.inf)
    from_low = f"{'above' if above else 'at least'} {np.rint(low) if above else low:g}"
    to_high = f"{'below' if below else 'at most'} {np.rint(high) if below else high:g}"
    if math.isinf(low):
        return "finite"
    if math.isinf(high):
        return f"finite and {from_low}"
    if above or below:
        return f"{from_low} and {to_high}"
    return f"{low:g} to {high:g}"
