"""Link budgets: from a carrier's power to level and quality of the signal at either end.

The same functions serve LTE and NR. The power of one resource element is the carrier's power
spread evenly over its subcarriers and, in LTE, over the ports of the reference signal. NR's
synchronisation block leaves through a single port, so there `ports` is 1 and the antenna's gain is
that of the block's beam.

Budgets are added up in double precision and refuse NaN. What is computed for every pixel of a map
(`sinr_db`, `rsrq_db`, `coverage_probability`, `uplink_snr_db`) is single precision, and NaN where
no signal arrives (NaN or −inf dBm).
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ankang_coverage._jit import exp2, log2, njit_inline, njit_vector
from ankang_coverage.propagation._ranges import FloatOrArray, checked

Floats: TypeAlias = NDArray[np.float32]
Float32OrArray: TypeAlias = np.float32 | Floats
"""What a function of pixels returns: a scalar for scalars, an array for arrays."""

BOLTZMANN_J_K = 1.380649e-23
SUBCARRIERS_PER_RESOURCE_BLOCK = 12
LTE_REFERENCE_ELEMENTS = 2
"""Elements of one port's reference signal in a block and symbol: 3GPP TS 36.211, 6.10.1.2."""
_PORTS_IN_ONE_SYMBOL = 2
"""Ports 2 and 3 of four send their reference signals in a symbol of their own."""

_LEVEL = (-np.inf, np.inf)
_COUNT = (1.0, np.inf)
_POSITIVE = (float(np.nextafter(0.0, 1.0)), np.inf)
_SHARE = (0.0, 1.0)
_INNER_SHARE = (float(np.nextafter(0.0, 1.0)), float(np.nextafter(1.0, 0.0)))
_CLAUSE = "a link budget"


def resource_element_power_dbm(
    total_power_dbm: ArrayLike, n_resource_blocks: ArrayLike, ports: ArrayLike = 1
) -> FloatOrArray:
    """Return the power of one resource element on one port.

    Parameters
    ----------
    total_power_dbm : array_like
        Power of the carrier over all its ports [dBm].
    n_resource_blocks : array_like
        Resource blocks of the carrier, 12 subcarriers each.
    ports : array_like
        Ports that share the power: LTE's reference-signal ports; 1 for NR's synchronisation
        block.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Power per resource element and port [dBm], without boost of the reference signal.

    Raises
    ------
    OutOfRangeError
        If a value is not finite or a count below 1.

    References
    ----------
    Subcarriers per resource block: 3GPP TS 36.211, table 6.2.3-1, and TS 38.211, section 4.4.4.1.

    Examples
    --------
    >>> round(float(resource_element_power_dbm(46.0, 50)), 1)
    18.2
    >>> round(float(resource_element_power_dbm(46.0, 50, ports=2)), 1)
    15.2
    """
    subcarriers = SUBCARRIERS_PER_RESOURCE_BLOCK * _count("n_resource_blocks", n_resource_blocks)
    shares = subcarriers * _count("ports", ports)
    power: FloatOrArray = _level("total_power_dbm", total_power_dbm) - 10.0 * np.log10(shares)
    return power


def eirp_dbm(power_dbm: ArrayLike, gain_dbi: ArrayLike, losses_db: ArrayLike = 0.0) -> FloatOrArray:
    """Return the equivalent isotropically radiated power towards a direction.

    Parameters
    ----------
    power_dbm : array_like
        Power at the transmitter's output [dBm], of a resource element or of a carrier.
    gain_dbi : array_like
        Gain of the antenna towards the direction [dBi].
    losses_db : array_like
        Losses between transmitter and antenna [dB].

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Radiated power [dBm].

    Raises
    ------
    OutOfRangeError
        If a value is not finite.

    Examples
    --------
    >>> float(eirp_dbm(15.2, 15.0, 0.5))
    29.7
    """
    power: FloatOrArray = (
        _level("power_dbm", power_dbm)
        + _level("gain_dbi", gain_dbi)
        - _level("losses_db", losses_db)
    )
    return power


def rsrp_dbm(
    re_power_dbm: ArrayLike,
    gain_dbi: ArrayLike,
    path_loss_db: ArrayLike,
    losses_db: ArrayLike = 0.0,
) -> FloatOrArray:
    """Return the reference signal received power: RSRP of LTE, SS-RSRP of NR.

    Parameters
    ----------
    re_power_dbm : array_like
        Power per resource element and port at the transmitter's output [dBm].
    gain_dbi : array_like
        Gain of the antenna, in NR of the beam, towards the terminal [dBi].
    path_loss_db : array_like
        Basic transmission loss [dB].
    losses_db : array_like
        Feeder, body and other losses, added up [dB].

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Received power per resource element at an isotropic terminal antenna [dBm].

    Raises
    ------
    OutOfRangeError
        If a value is not finite.

    References
    ----------
    3GPP TS 36.214, section 5.1.1 (RSRP), and TS 38.215, section 5.1.1 (SS-RSRP).

    Examples
    --------
    >>> float(rsrp_dbm(15.2, 15.0, 130.0, 0.5))
    -100.3
    """
    received: FloatOrArray = eirp_dbm(re_power_dbm, gain_dbi, losses_db) - _level(
        "path_loss_db", path_loss_db
    )
    return received


def maximum_allowed_path_loss_db(
    re_power_dbm: ArrayLike,
    gain_dbi: ArrayLike,
    rsrp_threshold_dbm: ArrayLike,
    losses_db: ArrayLike = 0.0,
    margin_db: ArrayLike = 0.0,
) -> FloatOrArray:
    """Return the maximum allowed path loss (MAPL), at which RSRP meets its threshold.

    Parameters
    ----------
    re_power_dbm : array_like
        Power per resource element and port at the transmitter's output [dBm].
    gain_dbi : array_like
        Gain of the antenna, in NR of the beam, towards the terminal [dBi].
    rsrp_threshold_dbm : array_like
        Lowest RSRP that counts as covered [dBm].
    losses_db : array_like
        Feeder, body and other losses, added up [dB].
    margin_db : array_like
        Margin for shadowing and all else that the median does not include [dB].

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Path loss [dB].

    Raises
    ------
    OutOfRangeError
        If a value is not finite.

    Examples
    --------
    >>> float(maximum_allowed_path_loss_db(15.2, 15.0, -110.0, losses_db=0.5))
    139.7
    """
    allowed: FloatOrArray = (
        eirp_dbm(re_power_dbm, gain_dbi, losses_db)
        - _level("rsrp_threshold_dbm", rsrp_threshold_dbm)
        - _level("margin_db", margin_db)
    )
    return allowed


def noise_power_dbm(
    bandwidth_hz: ArrayLike, noise_figure_db: ArrayLike = 0.0, temperature_k: ArrayLike = 290.0
) -> FloatOrArray:
    """Return the thermal noise power k T B at a receiver, raised by its noise figure.

    Parameters
    ----------
    bandwidth_hz : array_like
        Bandwidth [Hz]: that of one subcarrier to compare with RSRP.
    noise_figure_db : array_like
        Noise figure of the receiver [dB].
    temperature_k : array_like
        Noise temperature of the source [K].

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Noise power [dBm].

    Raises
    ------
    OutOfRangeError
        If a value is not finite, or bandwidth or temperature not above 0.

    Examples
    --------
    >>> round(float(noise_power_dbm(15_000.0, 7.0)), 2)  # one LTE subcarrier
    -125.21
    """
    bandwidth = checked("bandwidth_hz", bandwidth_hz, _POSITIVE, _CLAUSE)
    temperature = checked("temperature_k", temperature_k, _POSITIVE, _CLAUSE)
    thermal = 10.0 * np.log10(BOLTZMANN_J_K * temperature * bandwidth * 1e3)
    power: FloatOrArray = thermal + _level("noise_figure_db", noise_figure_db)
    return power


# --- Pixels: kernels, runners, public functions -------------------------------------------------

_OCTAVES_PER_DB = np.float32(math.log2(10.0) / 10.0)
_DB_PER_OCTAVE = np.float32(10.0 * math.log10(2.0))
_NAN = np.float32(np.nan)
_LOWEST = np.float32(np.finfo(np.float32).min)
_HALF, _ONE = np.float32(0.5), np.float32(1.0)
_BLOCK = np.float32(SUBCARRIERS_PER_RESOURCE_BLOCK)

# Abramowitz and Stegun 7.1.26, with x / √2 taken into p
_P = np.float32(0.3275911 / math.sqrt(2.0))
_A1, _A2, _A3 = np.float32(0.254829592), np.float32(-0.284496736), np.float32(1.421413741)
_A4, _A5 = np.float32(-1.453152027), np.float32(1.061405429)
_HALF_SQUARE_IN_OCTAVES = np.float32(0.5 / math.log(2.0))


@njit_inline
def from_db(level_db: np.float32) -> np.float32:
    """Return the power or ratio of a level in decibels."""
    return exp2(level_db * _OCTAVES_PER_DB)


@njit_inline
def to_db(ratio: np.float32) -> np.float32:
    """Return a positive power or ratio in decibels."""
    return log2(ratio) * _DB_PER_OCTAVE


@njit_inline
def is_heard(level_dbm: np.float32) -> np.bool:
    """Return whether there is a level: neither NaN nor −inf."""
    return level_dbm >= _LOWEST


@njit_inline
def inverse_rsrq(
    signal_mw: np.float32,
    interference_mw: np.float32,
    noise_mw: np.float32,
    load: np.float32,
    ports: np.float32,
    reference: np.float32,
    spare: np.float32,
) -> np.float32:
    """Return 1 / RSRQ as `rsrq_db` derives it."""
    others = _BLOCK * (ports * interference_mw + noise_mw)
    return reference + spare * load + others / signal_mw


@njit_inline
def normal_probability(x: np.float32) -> np.float32:
    """Return the probability that a standard normal number is below x."""
    t = _ONE / (_ONE + _P * abs(x))
    series = t * (_A1 + t * (_A2 + t * (_A3 + t * (_A4 + t * _A5))))
    tail = _HALF * series * exp2(-x * x * _HALF_SQUARE_IN_OCTAVES)
    return _ONE - tail if x >= np.float32(0.0) else tail


@njit_vector
def _sinr_kernel(signal: Floats, interference: Floats, noise: Floats, result: Floats) -> None:
    for i in range(len(result)):
        ratio = from_db(signal[i]) / (from_db(interference[i]) + from_db(noise[i]))
        result[i] = to_db(ratio) if is_heard(signal[i]) else _NAN


@njit_vector
def _rsrq_kernel(
    rsrp: Floats,
    interference: Floats,
    noise: Floats,
    load: Floats,
    ports: np.float32,
    reference: np.float32,
    spare: np.float32,
    result: Floats,
) -> None:
    for i in range(len(result)):
        inverse = inverse_rsrq(
            from_db(rsrp[i]),
            from_db(interference[i]),
            from_db(noise[i]),
            load[i],
            ports,
            reference,
            spare,
        )
        result[i] = -to_db(inverse) if is_heard(rsrp[i]) else _NAN


@njit_vector
def _probability_kernel(rsrp: Floats, threshold: Floats, sigma: Floats, result: Floats) -> None:
    for i in range(len(result)):
        probability = normal_probability((rsrp[i] - threshold[i]) / sigma[i])
        result[i] = probability if is_heard(rsrp[i]) else _NAN


def over_pixels(
    kernel: Callable[..., None], *pixels: ArrayLike, scalars: tuple[float, ...] = ()
) -> Float32OrArray:
    """Run a kernel over arrays of pixels, broadcast to one shape and made single precision."""
    flat, shape = flattened(*pixels)
    result = np.empty(flat[0].shape, np.float32)
    kernel(*flat, *(np.float32(scalar) for scalar in scalars), result)
    return as_scalar_or_array(result.reshape(shape))


def flattened(*pixels: ArrayLike) -> tuple[list[Floats], tuple[int, ...]]:
    """Return arrays broadcast to one shape, flat and in single precision, and that shape."""
    arrays = np.broadcast_arrays(*(np.asarray(values, np.float32) for values in pixels))
    return [np.ascontiguousarray(array).reshape(-1) for array in arrays], arrays[0].shape


def as_scalar_or_array(values: Floats) -> Float32OrArray:
    """Return a scalar for an array without dimensions, else the array."""
    return np.float32(values) if values.ndim == 0 else values


def sinr_db(
    signal_dbm: ArrayLike, interference_dbm: ArrayLike, noise_dbm: ArrayLike
) -> Float32OrArray:
    """Return the ratio of a signal to interference and noise, per resource element.

    Parameters
    ----------
    signal_dbm : array_like
        Signal of the serving cell: RSRP [dBm].
    interference_dbm : array_like
        Sum of what the other cells put on the same resource element, each times its load [dBm];
        −inf where there is none.
    noise_dbm : array_like
        Noise of one subcarrier, with the receiver's noise figure [dBm].

    Returns
    -------
    numpy.float32 or numpy.ndarray
        SINR [dB]; NaN where there is no signal.

    References
    ----------
    3GPP TS 36.214, section 5.1.13 (RS-SINR), and TS 38.215, section 5.1.5 (SS-SINR).

    Examples
    --------
    >>> round(float(sinr_db(-100.0, -110.0, -120.0)), 2)  # 10 dB less 10 log (1 + 0.1)
    9.59
    """
    return over_pixels(_sinr_kernel, signal_dbm, interference_dbm, noise_dbm)


def rsrq_db(
    rsrp_dbm: ArrayLike,
    interference_dbm: ArrayLike,
    noise_dbm: ArrayLike,
    load: ArrayLike,
    ports: int = 1,
    reference_elements: int = LTE_REFERENCE_ELEMENTS,
) -> Float32OrArray:
    """Return the reference signal received quality: RSRQ of LTE, SS-RSRQ of NR.

    Parameters
    ----------
    rsrp_dbm : array_like
        RSRP of the serving cell [dBm].
    interference_dbm : array_like
        As in `sinr_db`: what the other cells put on a resource element through one port [dBm].
    noise_dbm : array_like
        Noise of one subcarrier [dBm].
    load : array_like
        Share of the serving cell's resource elements that carry data [0–1].
    ports : int
        Ports that share the reference signal's power.
    reference_elements : int
        Elements of a resource block, in a symbol that is measured, that carry one port's
        reference signal: 2 in LTE; 12 in NR, where the synchronisation block fills its symbols.

    Returns
    -------
    numpy.float32 or numpy.ndarray
        RSRQ [dB]; NaN where there is no signal.

    Raises
    ------
    OutOfRangeError
        If the load is not 0 to 1.

    Notes
    -----
    RSRQ = N · RSRP / RSSI over the same N resource blocks. RSSI is counted per block, in symbols
    that carry the reference signal of port 0. Of the 12 elements there m · min(p, 2) belong to
    the reference signals of the first two of p ports, each at RSRP; the others, where in use,
    carry the power of all p ports, p · RSRP. Other cells add p · I and the receiver N to each of
    the 12. So 1 / RSRQ = m·min(p, 2) + (12 − m·min(p, 2))·p·load + 12·(p·I + N) / RSRP.

    References
    ----------
    3GPP TS 36.214, section 5.1.3, and TS 38.215, section 5.1.3.

    Examples
    --------
    >>> round(float(rsrq_db(-80.0, -np.inf, -125.0, load=0.0)), 2)  # 1 of 2 elements in use
    -3.01
    >>> round(float(rsrq_db(-80.0, -np.inf, -125.0, load=1.0)), 2)  # 1 of 12
    -10.79
    """
    checked("load", load, _SHARE, _CLAUSE)
    reference, spare = elements_of_block(ports, reference_elements)
    return over_pixels(
        _rsrq_kernel, rsrp_dbm, interference_dbm, noise_dbm, load, scalars=(ports, reference, spare)
    )


def elements_of_block(ports: int, reference_elements: int) -> tuple[float, float]:
    """Return the power on a resource block's elements in a measured symbol, over that of one.

    Parameters
    ----------
    ports, reference_elements : int
        As for `rsrq_db`.

    Returns
    -------
    tuple of float
        Of the elements with reference signals, and of the others where all are in use.
    """
    reference = reference_elements * min(ports, _PORTS_IN_ONE_SYMBOL)
    return float(reference), float((SUBCARRIERS_PER_RESOURCE_BLOCK - reference) * ports)


def coverage_probability(
    rsrp_dbm: ArrayLike, threshold_dbm: ArrayLike, sigma_db: ArrayLike
) -> Float32OrArray:
    """Return the probability that RSRP reaches a threshold, for a normal error of the prediction.

    Parameters
    ----------
    rsrp_dbm : array_like
        Predicted median [dBm].
    threshold_dbm : array_like
        Lowest RSRP that counts as covered [dBm].
    sigma_db : array_like
        Standard deviation of the total error: of shadowing and of the model [dB].

    Returns
    -------
    numpy.float32 or numpy.ndarray
        Probability [0–1], within 1e-6; NaN where there is no signal.

    Raises
    ------
    OutOfRangeError
        If a standard deviation is not above 0.

    References
    ----------
    Normal distribution by M. Abramowitz and I. Stegun, Handbook of Mathematical Functions,
    equation 7.1.26.

    Examples
    --------
    >>> round(float(coverage_probability(-104.6, -110.0, 8.0)), 3)
    0.75
    """
    checked("sigma_db", sigma_db, _POSITIVE, _CLAUSE)
    return over_pixels(_probability_kernel, rsrp_dbm, threshold_dbm, sigma_db)


def edge_margin_db(probability: ArrayLike, sigma_db: ArrayLike) -> FloatOrArray:
    """Return how far a median must exceed a threshold to reach it with a probability.

    Parameters
    ----------
    probability : array_like
        Probability asked for, above 0 and below 1; 0.5 asks for no margin.
    sigma_db : array_like
        Standard deviation of the total error [dB].

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Margin [dB].

    Raises
    ------
    OutOfRangeError
        If a probability is not between 0 and 1, or a standard deviation not above 0.

    Examples
    --------
    >>> round(float(edge_margin_db(0.75, 8.0)), 2)
    5.4
    """
    quantile = ndtri(checked("probability", probability, _INNER_SHARE, _CLAUSE))
    margin: FloatOrArray = quantile * checked("sigma_db", sigma_db, _POSITIVE, _CLAUSE)
    return margin


def uplink_snr_db(
    coupling_loss_db: ArrayLike,
    terminal_power_dbm: ArrayLike,
    n_resource_blocks: ArrayLike,
    noise_dbm: ArrayLike,
    interference_db: ArrayLike = 0.0,
) -> Float32OrArray:
    """Return the signal-to-noise ratio at the base of a terminal at its full power.

    Parameters
    ----------
    coupling_loss_db : array_like
        Loss between the ports of base and terminal, antennas and feeders included [dB]. Down and
        up are the same but for their frequencies, so it is the power of a resource element at
        the transmitter's output less RSRP.
    terminal_power_dbm : array_like
        Power of the terminal [dBm]: 23 in power class 3.
    n_resource_blocks : array_like
        Resource blocks over which it is spread.
    noise_dbm : array_like
        Noise of one subcarrier at the base, with its noise figure [dBm].
    interference_db : array_like
        How far interference of other cells' terminals lifts the noise [dB].

    Returns
    -------
    numpy.float32 or numpy.ndarray
        Ratio per subcarrier [dB]; NaN where there is no signal (a loss of NaN or inf).

    Raises
    ------
    OutOfRangeError
        If anything but the loss is not finite, or a number of blocks below 1.

    References
    ----------
    Power classes: 3GPP TS 36.101, table 6.2.2-1, and TS 38.101-1, table 6.2.1-1.

    Examples
    --------
    >>> round(float(uplink_snr_db(130.0, 23.0, 10, -127.2)), 2)  # 23 − 20.79 − 130 + 127.2
    -0.59
    """
    ratio_db = (
        resource_element_power_dbm(terminal_power_dbm, n_resource_blocks)
        - _level("noise_dbm", noise_dbm)
        - _level("interference_db", interference_db)
        - np.asarray(coupling_loss_db, np.float64)
    )
    return as_scalar_or_array(np.where(np.isfinite(ratio_db), ratio_db, np.nan).astype(np.float32))


def _level(name: str, values: ArrayLike) -> NDArray[np.float64]:
    return checked(name, values, _LEVEL, _CLAUSE)


def _count(name: str, values: ArrayLike) -> NDArray[np.float64]:
    return checked(name, values, _COUNT, _CLAUSE)
