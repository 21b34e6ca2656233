"""Free space: the loss where nothing stands in the way (ITU-R P.525)."""

import numpy as np
from numpy.typing import ArrayLike

from ankang_coverage.propagation._ranges import FloatOrArray, checked

SPEED_OF_LIGHT_M_S = 299_792_458.0

_CLAUSE = "ITU-R P.525, section 2.2"
_POSITIVE = (float(np.nextafter(0.0, 1.0)), np.inf)


def free_space_loss(distance_m: ArrayLike, frequency_mhz: ArrayLike) -> FloatOrArray:
    """Return the free-space basic transmission loss of ITU-R P.525, section 2.2.

    Parameters
    ----------
    distance_m : array_like
        Length of the path, antenna to antenna [m], above 0.
    frequency_mhz : array_like
        Carrier frequency [MHz], above 0.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Loss between isotropic antennas [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not finite or not above 0.

    Notes
    -----
    Lbf = 20 log10(4π d / λ). The formula holds in the far field; nearer than λ / 4π it turns
    negative, which is not physical; it is returned as it is.

    References
    ----------
    Recommendation ITU-R P.525-4 (2019), "Calculation of free-space attenuation".

    Examples
    --------
    >>> round(float(free_space_loss(1000.0, 900.0)), 2)
    91.53
    """
    distance = checked("distance_m", distance_m, _POSITIVE, _CLAUSE)
    frequency = checked("frequency_mhz", frequency_mhz, _POSITIVE, _CLAUSE)
    turns = 4e6 * np.pi / SPEED_OF_LIGHT_M_S * distance * frequency
    loss: FloatOrArray = 20.0 * np.log10(turns)
    return loss
