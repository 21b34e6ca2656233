"""Link budgets: from a carrier's power to the reference signal a terminal receives.

LTE and NR read alike. The power of one resource element is the carrier's power spread evenly
over its subcarriers and, in LTE, over the ports of the reference signal. NR's synchronisation
block leaves through a single port, so there `ports` is 1 and the antenna's gain is that of the
block's beam.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.propagation._ranges import FloatOrArray, checked

BOLTZMANN_J_K = 1.380649e-23
SUBCARRIERS_PER_RESOURCE_BLOCK = 12

_LEVEL = (-np.inf, np.inf)
_COUNT = (1.0, np.inf)
_POSITIVE = (float(np.nextafter(0.0, 1.0)), np.inf)
_CLAUSE = "a link budget"


def resource_element_power_dbm(
    total_power_dbm: ArrayLike, n_resource_blocks: ArrayLike, ports: ArrayLike = 1
) -> FloatOrArray:
    """Return the power of one resource element on one port.

    Parameters
    ----------
    total_power_dbm
        Power of the carrier over all its ports [dBm].
    n_resource_blocks
        Resource blocks of the carrier, 12 subcarriers each.
    ports
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
    power_dbm
        Power at the transmitter's output [dBm], of a resource element or of a carrier.
    gain_dbi
        Gain of the antenna towards the direction [dBi].
    losses_db
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
    re_power_dbm
        Power per resource element and port at the transmitter's output [dBm].
    gain_dbi
        Gain of the antenna, in NR of the beam, towards the terminal [dBi].
    path_loss_db
        Basic transmission loss [dB].
    losses_db
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
    re_power_dbm
        Power per resource element and port at the transmitter's output [dBm].
    gain_dbi
        Gain of the antenna, in NR of the beam, towards the terminal [dBi].
    rsrp_threshold_dbm
        Lowest RSRP that counts as covered [dBm].
    losses_db
        Feeder, body and other losses, added up [dB].
    margin_db
        What is kept for shadowing and whatever else the median does not know [dB].

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
    bandwidth_hz
        Bandwidth [Hz]: that of one subcarrier to compare with RSRP.
    noise_figure_db
        Noise figure of the receiver [dB].
    temperature_k
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


def _level(name: str, values: ArrayLike) -> NDArray[np.float64]:
    return checked(name, values, _LEVEL, _CLAUSE)


def _count(name: str, values: ArrayLike) -> NDArray[np.float64]:
    return checked(name, values, _COUNT, _CLAUSE)
