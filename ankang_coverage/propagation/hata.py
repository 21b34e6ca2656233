"""Okumura-Hata and COST 231-Hata: median loss over quasi-flat built-up or open country."""

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.propagation._ranges import FloatOrArray, ModelRange, require_word

Environment: TypeAlias = Literal["urban", "suburban", "open"]
City: TypeAlias = Literal["small", "large"]

OKUMURA_HATA_RANGE = ModelRange(
    clause="Okumura-Hata, Hata 1980",
    distance_m=(1_000.0, 20_000.0),
    frequency_mhz=(150.0, 1_500.0),
    base_height_m=(30.0, 200.0),
    terminal_height_m=(1.0, 10.0),
)
COST231_HATA_RANGE = ModelRange(
    clause="COST 231 final report, section 4.4.1",
    distance_m=(1_000.0, 20_000.0),
    frequency_mhz=(1_500.0, 2_000.0),
    base_height_m=(30.0, 200.0),
    terminal_height_m=(1.0, 10.0),
)

# Hata gives the large-city correction below 200 and above 400 MHz; between them either may be
# taken, and 300 MHz is the usual border.
_LARGE_CITY_BORDER_MHZ = 300.0
_METROPOLITAN_LOSS_DB = 3.0


def okumura_hata_loss(
    distance_m: ArrayLike,
    frequency_mhz: ArrayLike,
    base_height_m: ArrayLike,
    terminal_height_m: ArrayLike,
    environment: Environment = "urban",
    city: City = "small",
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the median path loss of Okumura-Hata (Hata 1980), 150 to 1500 MHz.

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m], 1,000 to 20,000.
    frequency_mhz : array_like
        Carrier frequency [MHz], 150 to 1500.
    base_height_m : array_like
        Effective height of the base station's antenna [m], 30 to 200.
    terminal_height_m : array_like
        Height of the terminal above ground [m], 1 to 10.
    environment : {'urban', 'suburban', 'open'}
        ``urban``, ``suburban`` or ``open``.
    city : {'small', 'large'}
        ``small`` (small or medium-sized) or ``large``: the correction for the terminal's height
        in an urban environment. The suburban and open corrections are defined on a small city.
    extrapolate : bool
        Allow values outside the ranges.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Basic transmission loss [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range, or a word is unknown.

    Notes
    -----
    With f in MHz, heights in m, d in km:
    L = 69.55 + 26.16 log f − 13.82 log h_b − a(h_m) + (44.9 − 6.55 log h_b) log d, from which
    2 (log(f/28))² + 5.4 is taken in suburban and 4.78 (log f)² − 18.33 log f + 40.94 in open
    country. In a large city a(h_m) = 8.29 (log 1.54 h_m)² − 1.1 below 300 MHz and
    3.2 (log 11.75 h_m)² − 4.97 from there on.

    References
    ----------
    M. Hata, "Empirical formula for propagation loss in land mobile radio services", IEEE Trans.
    Veh. Technol. 29(3), 1980.

    Examples
    --------
    >>> round(float(okumura_hata_loss(2000.0, 869.0, 30.0, 1.0)), 2)
    137.88
    """
    distance, frequency, base_height, terminal_height = OKUMURA_HATA_RANGE.checked(
        distance_m, frequency_mhz, base_height_m, terminal_height_m, extrapolate=extrapolate
    )
    require_word("environment", environment, get_args(Environment))
    require_word("city", city, get_args(City))
    if environment == "urban" and city == "large":
        height_gain = _large_city_height_gain(frequency, terminal_height)
    else:
        height_gain = _small_city_height_gain(frequency, terminal_height)
    loss: FloatOrArray = (
        69.55
        + 26.16 * np.log10(frequency)
        + _distance_term(distance, base_height)
        - height_gain
        - _environment_gain(frequency, environment)
    )
    return loss


def cost231_hata_loss(
    distance_m: ArrayLike,
    frequency_mhz: ArrayLike,
    base_height_m: ArrayLike,
    terminal_height_m: ArrayLike,
    environment: Environment = "urban",
    city: City = "small",
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the median path loss of COST 231-Hata (section 4.4.1), 1500 to 2000 MHz.

    Parameters
    ----------
    distance_m : array_like
        Horizontal distance [m], 1,000 to 20,000.
    frequency_mhz : array_like
        Carrier frequency [MHz], 1500 to 2000.
    base_height_m : array_like
        Effective height of the base station's antenna [m], 30 to 200.
    terminal_height_m : array_like
        Height of the terminal above ground [m], 1 to 10.
    environment : {'urban', 'suburban', 'open'}
        ``urban``, ``suburban`` or ``open``.
    city : {'small', 'large'}
        ``small`` (medium-sized city, C_m = 0 dB) or ``large`` (metropolitan centre, C_m = 3 dB,
        in an urban environment).
    extrapolate : bool
        Allow values outside the ranges.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Basic transmission loss [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range, or a word is unknown.

    Notes
    -----
    With f in MHz, heights in m, d in km:
    L = 46.3 + 33.9 log f − 13.82 log h_b − a(h_m) + (44.9 − 6.55 log h_b) log d + C_m, a(h_m)
    being that of a small city. COST 231 knows built-up areas only; ``suburban`` and ``open``
    subtract Hata's corrections, which were fitted up to 1500 MHz.

    References
    ----------
    COST Action 231, "Digital mobile radio towards future generation systems", final report,
    EUR 18957, 1999, section 4.4.1.

    Examples
    --------
    >>> round(float(cost231_hata_loss(2000.0, 1800.0, 30.0, 1.5)), 2)
    146.8
    """
    distance, frequency, base_height, terminal_height = COST231_HATA_RANGE.checked(
        distance_m, frequency_mhz, base_height_m, terminal_height_m, extrapolate=extrapolate
    )
    require_word("environment", environment, get_args(Environment))
    require_word("city", city, get_args(City))
    metropolitan = _METROPOLITAN_LOSS_DB if (environment, city) == ("urban", "large") else 0.0
    loss: FloatOrArray = (
        46.3
        + 33.9 * np.log10(frequency)
        + _distance_term(distance, base_height)
        - _small_city_height_gain(frequency, terminal_height)
        + metropolitan
        - _environment_gain(frequency, environment)
    )
    return loss


def _distance_term(
    distance: NDArray[np.float64], base_height: NDArray[np.float64]
) -> NDArray[np.float64]:
    log_height = np.log10(base_height)
    term: NDArray[np.float64] = (44.9 - 6.55 * log_height) * np.log10(distance / 1e3)
    return term - 13.82 * log_height


def _small_city_height_gain(
    frequency: NDArray[np.float64], terminal_height: NDArray[np.float64]
) -> NDArray[np.float64]:
    log_frequency = np.log10(frequency)
    return (1.1 * log_frequency - 0.7) * terminal_height - (1.56 * log_frequency - 0.8)


def _large_city_height_gain(
    frequency: NDArray[np.float64], terminal_height: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.where(
        frequency < _LARGE_CITY_BORDER_MHZ,
        8.29 * np.log10(1.54 * terminal_height) ** 2 - 1.1,
        3.2 * np.log10(11.75 * terminal_height) ** 2 - 4.97,
    )


def _environment_gain(
    frequency: NDArray[np.float64], environment: Environment
) -> NDArray[np.float64]:
    log_frequency = np.log10(frequency)
    if environment == "suburban":
        return np.asarray(2.0 * np.log10(frequency / 28.0) ** 2 + 5.4)
    if environment == "open":
        return np.asarray(4.78 * log_frequency**2 - 18.33 * log_frequency + 40.94)
    return np.zeros_like(frequency)
