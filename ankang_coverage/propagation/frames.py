"""How time and resource elements are shared: patterns of TDD, and what carries no data."""

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.link_budget import SUBCARRIERS_PER_RESOURCE_BLOCK

NR_DOWNLINK_OVERHEAD, NR_UPLINK_OVERHEAD = 0.14, 0.08
"""In frequency range 1: 3GPP TS 38.306, section 4.1.2."""

SYMBOLS_PER_SLOT = 14
ELEMENTS_PER_BLOCK_AND_MS = SUBCARRIERS_PER_RESOURCE_BLOCK * SYMBOLS_PER_SLOT
_LTE_REFERENCE_ELEMENTS = {1: 8, 2: 16, 4: 24}
"""In a pair of resource blocks, by ports: TS 36.211, section 6.10.1.2."""
_LTE_REFERENCE_IN_CONTROL = {1: 2, 2: 4, 4: 8}
"""Of these, in the first two symbols, which control holds."""
_LTE_BROADCAST_PER_FRAME = 528
"""Synchronisation signals (4 × 72) and broadcast (240) in a frame: TS 36.211, 6.6 and 6.11."""


def tdd_shares(pattern: str) -> tuple[float, float]:
    """Return the shares of time that a slot pattern of TDD gives to downlink and uplink.

    Parameters
    ----------
    pattern : str
        Slots ``D`` (downlink), ``U`` (uplink) and ``S`` (special), a space, and the special
        slot's symbols of downlink, guard and uplink: ``DDDDDDDSUU 6:4:4``. Symbols that carry no
        data count as guard.

    Returns
    -------
    tuple of float
        Downlink and uplink.

    Raises
    ------
    OutOfRangeError
        If the pattern is none, or the special slot's symbols are not 14.

    Examples
    --------
    >>> [round(share, 3) for share in tdd_shares("DDDDDDDSUU 6:4:4")]  # 104 and 32 of 140
    [0.743, 0.229]
    """
    slots, _, special = pattern.partition(" ")
    symbols = special.split(":")
    well_formed = (
        {"D", "U"} <= set(slots) <= {"D", "S", "U"}
        and len(symbols) == 3
        and all(count.isdecimal() for count in symbols)
        and sum(map(int, symbols)) == SYMBOLS_PER_SLOT
    )
    if not well_formed:
        raise OutOfRangeError(
            f"TDD pattern {pattern!r} is none: write slots and the symbols of the special slot, "
            f"{SYMBOLS_PER_SLOT} together, as in 'DDDDDDDSUU 6:4:4'"
        )
    down, _, up = map(int, symbols)
    special_slots, total = slots.count("S"), SYMBOLS_PER_SLOT * len(slots)
    return (
        (SYMBOLS_PER_SLOT * slots.count("D") + down * special_slots) / total,
        (SYMBOLS_PER_SLOT * slots.count("U") + up * special_slots) / total,
    )


def lte_downlink_overhead(n_resource_blocks: int, ports: int) -> float:
    """Return the share of LTE's downlink elements that carry no data.

    Parameters
    ----------
    n_resource_blocks : int
        Resource blocks of the carrier.
    ports : int
        Ports of the cell-specific reference signal: 1, 2 or 4.

    Returns
    -------
    float
        Share of the first two symbols of each subframe, held by control, of the reference signals
        in the others, and of synchronisation and broadcast.

    References
    ----------
    3GPP TS 36.211, sections 6.6 (broadcast), 6.7 (control), 6.10.1 (reference), 6.11
    (synchronisation).

    Examples
    --------
    >>> round(lte_downlink_overhead(100, 2), 3)  # (24 + 12) / 168 + 528 / 168000
    0.217
    """
    control = 2 * SUBCARRIERS_PER_RESOURCE_BLOCK
    reference = _LTE_REFERENCE_ELEMENTS[ports] - _LTE_REFERENCE_IN_CONTROL[ports]
    frame = 10 * ELEMENTS_PER_BLOCK_AND_MS * n_resource_blocks
    return (control + reference) / ELEMENTS_PER_BLOCK_AND_MS + _LTE_BROADCAST_PER_FRAME / frame


def lte_uplink_overhead(n_resource_blocks: int, control_blocks: int) -> float:
    """Return the share of LTE's uplink elements that carry no data.

    Parameters
    ----------
    n_resource_blocks, control_blocks : int
        Resource blocks of the carrier, and how many of them control takes.

    Returns
    -------
    float
        Share of the control blocks, and of the two symbols with reference signals in the others.

    References
    ----------
    3GPP TS 36.211, sections 5.4 (control) and 5.5.2.1 (demodulation reference signal).

    Examples
    --------
    >>> round(lte_uplink_overhead(100, 4), 3)  # 1 − 0.96 · 12/14
    0.177
    """
    data = 1.0 - control_blocks / n_resource_blocks
    return 1.0 - data * (SYMBOLS_PER_SLOT - 2) / SYMBOLS_PER_SLOT
