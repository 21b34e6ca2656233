"""Throughput: the rates of a terminal, down and up, and all figures of a link at once.

Rates are those of one terminal that has the carrier to itself while other cells bear their load.

A stream carries α·log2(1 + SINR) bits per resource element: the attenuated Shannon bound of 3GPP
TR 36.942, annex A, in which α stands for the losses of a real link over a fading channel. Below
SINR_min it carries nothing. Its highest value is that of the modulation and coding tables
in force, not that of the report, which ends with the modulations of its time. What
remains after overhead and the other direction's share of time is the rate.

TR 36.942 counts its efficiency per hertz; taken here per resource element, of which a hertz holds
14 / 15, it is a little lower than the report's.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage._jit import log2, njit_inline, njit_vector
from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation._ranges import checked
from ankang_coverage.propagation.frames import (
    NR_DOWNLINK_OVERHEAD,
    NR_UPLINK_OVERHEAD,
    lte_downlink_overhead,
    lte_uplink_overhead,
    tdd_shares,
)
from ankang_coverage.propagation.link import (
    BITS_PER_SYMBOL,
    DOWNLINK_ATTENUATION,
    HIGHEST_CODE_RATE,
    SINR_MIN_DB,
    UPLINK_ATTENUATION,
    Direction,
    Link,
    Modulation,
)
from ankang_coverage.propagation.link_budget import (
    Float32OrArray,
    Floats,
    elements_of_block,
    flattened,
    from_db,
    inverse_rsrq,
    is_heard,
    normal_probability,
    over_pixels,
    to_db,
)

__all__ = [
    "BITS_PER_SYMBOL",
    "DOWNLINK_ATTENUATION",
    "HIGHEST_CODE_RATE",
    "NR_DOWNLINK_OVERHEAD",
    "NR_UPLINK_OVERHEAD",
    "SINR_MIN_DB",
    "UPLINK_ATTENUATION",
    "Direction",
    "Link",
    "LinkFigures",
    "Modulation",
    "downlink_mbps",
    "link_figures",
    "lte_downlink_overhead",
    "lte_uplink_overhead",
    "spectral_efficiency",
    "tdd_shares",
    "uplink_limit_db",
    "uplink_mbps",
]


class LinkFigures(NamedTuple):
    """All that follows from RSRP and interference; single precision, NaN without a signal.

    Attributes
    ----------
    sinr_db, rsrq_db : numpy.ndarray
        Ratio to interference and noise, and received quality [dB].
    downlink_mbps, uplink_mbps : numpy.ndarray
        Rates of a terminal that has the carrier to itself [Mbit/s].
    uplink_margin_db : numpy.ndarray
        Loss that could be added before the uplink breaks [dB]; it closes from 0 on.
    coverage_probability : numpy.ndarray
        Probability that RSRP reaches the threshold [0–1].
    """

    sinr_db: Floats
    rsrq_db: Floats
    downlink_mbps: Floats
    uplink_mbps: Floats
    uplink_margin_db: Floats
    coverage_probability: Floats


# --- Kernels -----------------------------------------------------------------------------------

_ZERO, _ONE, _NAN = np.float32(0.0), np.float32(1.0), np.float32(np.nan)
_HALF, _QUARTER, _SIXTEENTH = np.float32(0.5), np.float32(0.25), np.float32(0.0625)
_TWO, _FOUR = np.float32(2.0), np.float32(4.0)


@njit_inline
def _stream(sinr: np.float32, attenuation: np.float32, highest: np.float32) -> np.float32:
    """Return the bits per resource element of one stream, not looking at the least SINR."""
    bits = attenuation * log2(_ONE + sinr)
    return min(highest, bits)


@njit_inline
def _efficiency(
    sinr: np.float32,
    least: np.float32,
    attenuation: np.float32,
    highest: np.float32,
    layers: np.float32,
) -> np.float32:
    """Return the bits per resource element of all layers together, as many as carry most."""
    one = _stream(sinr, attenuation, highest)
    two = _TWO * _stream(sinr * _QUARTER, attenuation, highest)
    four = _FOUR * _stream(sinr * _SIXTEENTH, attenuation, highest)
    bits = one
    bits = two if layers >= _TWO and two > bits else bits
    bits = four if layers >= _FOUR and four > bits else bits
    return bits if sinr >= least else _ZERO


@njit_inline
def _uplink_bits(
    block_snr: np.float32,
    blocks: np.float32,
    least: np.float32,
    attenuation: np.float32,
    highest: np.float32,
    layers: np.float32,
) -> np.float32:
    """Return the bits per element of one block times the blocks that the power is spread over."""
    affordable = np.floor(block_snr / least)
    spread = min(blocks, affordable)
    spread = max(_ONE, spread)
    # The least SINR is tested as blocks that can be afforded, lest rounding undo the choice.
    bits = _efficiency(block_snr / spread, _ZERO, attenuation, highest, layers)
    return spread * bits if affordable >= _ONE else _ZERO


@njit_vector
def _efficiency_kernel(
    sinr: Floats,
    least: np.float32,
    attenuation: np.float32,
    highest: np.float32,
    layers: np.float32,
    scale: np.float32,
    result: Floats,
) -> None:
    for i in range(len(result)):
        bits = _efficiency(from_db(sinr[i]), least, attenuation, highest, layers)
        result[i] = scale * bits if is_heard(sinr[i]) else _NAN


@njit_vector
def _uplink_kernel(
    block_snr: Floats,
    blocks: np.float32,
    least: np.float32,
    attenuation: np.float32,
    highest: np.float32,
    layers: np.float32,
    scale: np.float32,
    result: Floats,
) -> None:
    for i in range(len(result)):
        snr = from_db(block_snr[i])
        bits = _uplink_bits(snr, blocks, least, attenuation, highest, layers)
        result[i] = scale * bits if is_heard(block_snr[i]) else _NAN


@njit_vector
def _figures_kernel(
    rsrp: Floats,
    interference: Floats,
    re_power: Floats,
    load: Floats,
    received: tuple[np.float32, ...],
    down: tuple[np.float32, ...],
    up: tuple[np.float32, ...],
    rule: tuple[np.float32, ...],
    sinr_db: Floats,
    rsrq_db: Floats,
    downlink: Floats,
    uplink: Floats,
    margin: Floats,
    probability: Floats,
) -> None:
    noise, ports, reference, spare = received
    down_least, down_attenuation, down_highest, down_layers, down_scale = down
    up_least, up_attenuation, up_highest, up_layers, up_scale, blocks, one_block_limit = up
    threshold, inverse_sigma, uplink_limit = rule
    for i in range(len(rsrp)):
        heard = is_heard(rsrp[i])
        signal = from_db(rsrp[i])
        sinr = signal / (interference[i] + noise)
        inverse = inverse_rsrq(signal, interference[i], noise, load[i], ports, reference, spare)
        bits = _efficiency(sinr, down_least, down_attenuation, down_highest, down_layers)
        coupling = re_power[i] - rsrp[i]
        snr = from_db(one_block_limit - coupling)
        bits_up = _uplink_bits(snr, blocks, up_least, up_attenuation, up_highest, up_layers)
        chance = normal_probability((rsrp[i] - threshold) * inverse_sigma)
        sinr_db[i] = to_db(sinr) if heard else _NAN
        rsrq_db[i] = -to_db(inverse) if heard else _NAN
        downlink[i] = down_scale * bits if heard else _NAN
        uplink[i] = up_scale * bits_up if heard else _NAN
        margin[i] = uplink_limit - coupling if heard else _NAN
        probability[i] = chance if heard else _NAN


# --- Public functions --------------------------------------------------------------------------


def spectral_efficiency(sinr_db: ArrayLike, direction: Direction) -> Float32OrArray:
    """Return the bits per resource element by the link curve of 3GPP TR 36.942, annex A.

    Parameters
    ----------
    sinr_db : array_like
        SINR per resource element [dB].
    direction : Direction
        Its curve, modulation and layers.

    Returns
    -------
    numpy.float32 or numpy.ndarray
        Bits per resource element, all layers together; 0 below the least SINR, NaN for NaN.

    Notes
    -----
    One layer carries min(α·log2(1 + SINR), highest), with the receiver's two branches adding up
    their signals, as the report assumes. With ν layers each has 1/ν of the power, and separating
    them costs the receiver the gain of adding up its branches, another 1/ν:
    ν·min(α·log2(1 + SINR/ν²), highest). Of 1, 2 and 4 layers, as far as the carrier has them, the
    number that carries most is used: two from SINR = 8 on (9.0 dB), four from 32 (15.1 dB).

    References
    ----------
    3GPP TR 36.942, annex A.1 and table A.2, and TR 38.803, section 5.2; TS 36.213, tables
    7.1.7.1-1, 7.1.7.1-1A, 7.2.3-1 and 7.2.3-2; TS 38.214, tables 5.1.3.1-1, 5.1.3.1-2, 6.1.4.1-1.

    Examples
    --------
    >>> one = Direction(1, "64qam", overhead=0.0, share=1.0, attenuation=0.6)
    >>> round(float(spectral_efficiency(10 * np.log10(3.0), one)), 4)  # 0.6 · log2(4)
    1.2
    >>> round(float(spectral_efficiency(60.0, one)), 4)
    5.5547
    """
    return over_pixels(_efficiency_kernel, sinr_db, scalars=(*_curve(direction), 1.0))


def downlink_mbps(sinr_db: ArrayLike, link: Link) -> Float32OrArray:
    """Return the downlink rate of a terminal that has the carrier to itself.

    Parameters
    ----------
    sinr_db : array_like
        SINR per resource element [dB].
    link : Link
        The carrier's link.

    Returns
    -------
    numpy.float32 or numpy.ndarray
        Rate [Mbit/s]; NaN where there is no signal.

    References
    ----------
    The curve as in `spectral_efficiency`; resource elements per second and, for NR, overhead by
    3GPP TS 38.306, section 4.1.2.
    """
    scale = link.n_resource_blocks * link.block_mbps(link.downlink)
    return over_pixels(_efficiency_kernel, sinr_db, scalars=(*_curve(link.downlink), scale))


def uplink_mbps(coupling_loss_db: ArrayLike, link: Link) -> Float32OrArray:
    """Return the uplink rate of a terminal at full power that has the carrier to itself.

    Parameters
    ----------
    coupling_loss_db : array_like
        Loss between the ports of base and terminal, as in `uplink_snr_db` [dB].
    link : Link
        The carrier's link.

    Returns
    -------
    numpy.float32 or numpy.ndarray
        Rate [Mbit/s]; 0 where not even one block gets through, NaN where there is no signal.

    Notes
    -----
    Power spread over n blocks gives n·f(SNR/n) with f the link curve. n·log2(1 + c/n) grows with
    n, as does n times a constant, so the rate is largest over as many blocks as keep
    SNR/n ≥ SINR_min, at most all.
    """
    limit = np.float32(link.one_block_limit_db)
    snr_db = limit - np.asarray(coupling_loss_db, np.float32)
    least, *curve = _curve(link.uplink)
    return over_pixels(
        _uplink_kernel,
        snr_db,
        scalars=(link.n_resource_blocks, least, *curve, link.block_mbps(link.uplink)),
    )


def uplink_limit_db(mbps: float | None, link: Link) -> float:
    """Return the largest coupling loss at which the uplink reaches a rate.

    Parameters
    ----------
    mbps : float, optional
        Rate [Mbit/s]; None where one resource block that gets through is enough.
    link : Link
        The carrier's link.

    Returns
    -------
    float
        Coupling loss [dB]; −inf where the carrier never reaches the rate.

    Raises
    ------
    OutOfRangeError
        If the rate is not above 0.
    """
    up = link.uplink
    least = 10.0 ** (up.sinr_min_db / 10.0)
    if mbps is None:
        return link.one_block_limit_db - up.sinr_min_db
    checked("mbps", mbps, (float(np.nextafter(0.0, 1.0)), np.inf), "an uplink's rate")
    blocks = np.arange(1.0, link.n_resource_blocks + 1.0)
    bits = mbps / (blocks * link.block_mbps(up))
    needed = np.full(len(blocks), np.inf)
    for layers in _layer_counts(up.layers):
        per_layer = np.minimum(bits / layers, up.highest_efficiency)
        sinr = layers**2 * (2.0 ** (per_layer / up.attenuation) - 1.0)
        possible = bits <= layers * up.highest_efficiency
        needed = np.minimum(needed, np.where(possible, np.maximum(sinr, least), np.inf))
    fewest = float(np.min(blocks * needed))
    return link.one_block_limit_db - 10.0 * math.log10(fewest)


def link_figures(
    rsrp_dbm: ArrayLike,
    interference_mw: ArrayLike,
    re_power_dbm: ArrayLike,
    load: ArrayLike,
    link: Link,
    *,
    threshold_dbm: float,
    sigma_db: float,
    uplink_mbps: float | None = None,
) -> LinkFigures:
    """Return all figures of the links to one carrier's serving cells, in one pass over the pixels.

    The same as `sinr_db`, `rsrq_db`, `downlink_mbps`, `uplink_mbps` and `coverage_probability`
    one after the other.

    Parameters
    ----------
    rsrp_dbm : array_like
        RSRP of the serving cell [dBm]; NaN or −inf where there is none.
    interference_mw : array_like
        Sum of the other cells' RSRP, each times its load [mW].
    re_power_dbm, load : array_like
        Of the serving cell: power of a resource element and port at the transmitter's output
        [dBm], and share of its resource elements in use [0–1].
    link : Link
        The carrier's link.
    threshold_dbm : float
        Lowest RSRP that counts as covered [dBm].
    sigma_db : float
        Standard deviation of the total error [dB].
    uplink_mbps : float, optional
        Rate that the uplink must reach to close [Mbit/s]; None for one block that gets through.

    Returns
    -------
    LinkFigures
        Arrays of the arguments' common shape.

    Raises
    ------
    OutOfRangeError
        If the standard deviation or the uplink's rate is not above 0.
    """
    if not sigma_db > 0.0:
        raise OutOfRangeError(f"sigma_db is {sigma_db:g} but must be above 0 (a link's figures)")
    (rsrp, interference, power, loads), shape = flattened(
        rsrp_dbm, interference_mw, re_power_dbm, load
    )
    figures = LinkFigures(*(np.empty(rsrp.shape, np.float32) for _ in LinkFigures._fields))
    elements = elements_of_block(link.ports, link.reference_elements)
    down, up = link.downlink, link.uplink
    down_scale = link.n_resource_blocks * link.block_mbps(down)
    _figures_kernel(
        rsrp,
        interference,
        power,
        loads,
        _float32(10.0 ** (link.noise_dbm / 10.0), link.ports, *elements),
        _float32(*_curve(down), down_scale),
        _float32(*_curve(up), link.block_mbps(up), link.n_resource_blocks, link.one_block_limit_db),
        _float32(threshold_dbm, 1.0 / sigma_db, uplink_limit_db(uplink_mbps, link)),
        *figures,
    )
    return LinkFigures(*(figure.reshape(shape) for figure in figures))


def _curve(direction: Direction) -> tuple[float, float, float, float]:
    """Return the least SINR, α, the highest efficiency of a layer and the most layers."""
    least = 10.0 ** (direction.sinr_min_db / 10.0)
    return least, direction.attenuation, direction.highest_efficiency, float(direction.layers)


def _float32(*numbers: float) -> tuple[np.float32, ...]:
    return tuple(map(np.float32, numbers))


def _layer_counts(most: int) -> NDArray[np.int64]:
    return 2 ** np.arange(most.bit_length())
