"""The standard propagation model of planning tools: Hata's shape with tunable coefficients.

L = K1 + K2 log d + K3 log h_eff + K4 · diffraction + K5 log d · log h_eff + K6 h_m + K7 log h_m
  + K_clutter · clutter, d in metres.

Its coefficients are meant to be fitted to a drive test. Those given here are Hata's and those of
COST 231, rewritten for distances in metres.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation._ranges import (
    FloatOrArray,
    Interval,
    ModelRange,
    checked,
    require_word,
)

EffectiveHeight: TypeAlias = Literal["above-ground", "spot-difference"]

SPM_RANGE = ModelRange(
    clause="standard propagation model, after Hata 1980",
    distance_m=(1_000.0, 20_000.0),
    frequency_mhz=(150.0, 3_500.0),
    base_height_m=(30.0, 200.0),
    terminal_height_m=(1.0, 10.0),
)

REFERENCE_HEIGHT_M = 30.0
"""Effective height from which a calibration counts its slope by height [m]."""

_HATA_LIMIT_MHZ = 1_500.0
_LOSS_RANGE_DB: Interval = (-1_000.0, 1_000.0)
_GROUND_RANGE_M: Interval = (-500.0, 9_000.0)
_POSITIVE: Interval = (float(np.nextafter(0.0, 1.0)), np.inf)


@dataclass(frozen=True)
class SpmCoefficients:
    """Coefficients of the standard propagation model.

    Attributes
    ----------
    k1 : float
        Constant, by frequency [dB].
    k2 : float
        Of log d [dB per decade].
    k3 : float
        Of log h_eff.
    k4 : float
        Of the diffraction loss.
    k5 : float
        Of log d · log h_eff.
    k6 : float
        Of the terminal's height [dB/m].
    k7 : float
        Of the logarithm of the terminal's height.
    k_clutter : float
        Of the clutter loss.

    Raises
    ------
    OutOfRangeError
        If a coefficient is not a finite number.
    """

    k1: float
    k2: float = 44.9
    k3: float = 5.83
    k4: float = 1.0
    k5: float = -6.55
    k6: float = 0.0
    k7: float = 0.0
    k_clutter: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not math.isfinite(value):
                raise OutOfRangeError(f"{name} is {value!r} but must be a finite number")

    @classmethod
    def for_frequency(
        cls,
        frequency_mhz: float,
        extrapolate: bool = False,
        environment: Literal["urban", "open"] = "urban",
    ) -> "SpmCoefficients":
        """Return the coefficients that make the model Hata's, in an urban area or open country.

        Parameters
        ----------
        frequency_mhz : float
            Carrier frequency [MHz], 150 to 3500: Hata 1980 up to 1500, COST 231 above, which
            itself was fitted up to 2000.
        extrapolate : bool
            Allow frequencies outside the range.
        environment : {'urban', 'open'}
            ``urban``, or ``open``: K1 less 4.78 (log f)² − 18.33 log f + 40.94, Hata's correction
            for open country.

        Returns
        -------
        SpmCoefficients
            K1 = A + B log f − 3 · 44.9, the last term turning kilometres into metres;
            K3 = −13.82 + 3 · 6.55. K6 = K7 = 0: for a terminal at 1.5 m Hata's correction is
            within 0.1 dB of zero.

        Raises
        ------
        OutOfRangeError
            If the frequency is not a number or outside its range.

        References
        ----------
        M. Hata, "Empirical formula for propagation loss in land mobile radio services", IEEE
        Trans. Veh. Technol. 29(3), 1980. COST Action 231, final report, EUR 18957, 1999, section
        4.4.1.

        Examples
        --------
        >>> round(SpmCoefficients.for_frequency(935.0).k1, 2)
        12.57
        """
        checked(
            "frequency_mhz", frequency_mhz, SPM_RANGE.frequency_mhz, SPM_RANGE.clause, extrapolate
        )
        constant, slope = (69.55, 26.16) if frequency_mhz <= _HATA_LIMIT_MHZ else (46.3, 33.9)
        log_f = math.log10(frequency_mhz)
        correction = 4.78 * log_f**2 - 18.33 * log_f + 40.94 if environment == "open" else 0.0
        return cls(k1=constant + slope * log_f - 3.0 * 44.9 - correction)


SPM_LTE_B8 = SpmCoefficients.for_frequency(941.5)
"""Middle of China Mobile's downlink in band 8, 934–949 MHz."""
SPM_LTE_B3 = SpmCoefficients.for_frequency(1_842.5)
"""Middle of the downlink of band 3, 1805–1880 MHz."""
SPM_NR_N41 = SpmCoefficients.for_frequency(2_595.0)
"""Middle of China Mobile's part of band n41, 2515–2675 MHz; beyond COST 231's 2000 MHz."""


def spm_loss(
    coefficients: SpmCoefficients,
    distance_m: ArrayLike,
    effective_height_m: ArrayLike,
    terminal_height_m: ArrayLike = 1.5,
    diffraction_loss_db: ArrayLike = 0.0,
    clutter_loss_db: ArrayLike = 0.0,
    extrapolate: bool = False,
) -> FloatOrArray:
    """Return the path loss of the standard propagation model, K1 to K7.

    Parameters
    ----------
    coefficients : SpmCoefficients
        `SpmCoefficients`, fitted or by frequency.
    distance_m : array_like
        Horizontal distance [m], 1,000 to 20,000.
    effective_height_m : array_like
        Effective height of the base station's antenna [m], 30 to 200.
    terminal_height_m : array_like
        Height of the terminal above ground [m], 1 to 10.
    diffraction_loss_db : array_like
        Diffraction loss over the terrain, calculated by the caller [dB].
    clutter_loss_db : array_like
        Loss by land cover, relative to what the coefficients were fitted in [dB]; may be
        negative.
    extrapolate : bool
        Allow distances and heights outside the ranges, which are Hata's.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Path loss [dB], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range.

    Examples
    --------
    >>> round(float(spm_loss(SPM_LTE_B8, 5000.0, 30.0)), 1)
    151.6
    """
    clause = SPM_RANGE.clause
    distance = checked("distance_m", distance_m, SPM_RANGE.distance_m, clause, extrapolate)
    height = checked(
        "effective_height_m", effective_height_m, SPM_RANGE.base_height_m, clause, extrapolate
    )
    terminal = checked(
        "terminal_height_m", terminal_height_m, SPM_RANGE.terminal_height_m, clause, extrapolate
    )
    diffraction = checked("diffraction_loss_db", diffraction_loss_db, _LOSS_RANGE_DB, clause)
    clutter = checked("clutter_loss_db", clutter_loss_db, _LOSS_RANGE_DB, clause)
    k = coefficients
    log_distance, log_height = np.log10(distance), np.log10(height)
    loss: FloatOrArray = (
        k.k1
        + k.k2 * log_distance
        + k.k3 * log_height
        + k.k4 * diffraction
        + k.k5 * log_distance * log_height
        + k.k6 * terminal
        + k.k7 * np.log10(terminal)
        + k.k_clutter * clutter
    )
    return loss


def effective_height(
    base_height_m: ArrayLike,
    base_ground_m: ArrayLike = 0.0,
    terminal_ground_m: ArrayLike = 0.0,
    method: EffectiveHeight = "spot-difference",
) -> FloatOrArray:
    """Return the effective height of a base station for the standard propagation model.

    Parameters
    ----------
    base_height_m : array_like
        Height of the antenna above ground [m], above 0.
    base_ground_m, terminal_ground_m : array_like
        Ground heights above sea level [m].
    method : {'above-ground', 'spot-difference'}
        ``above-ground``: the height as it is. ``spot-difference``: plus what the ground at the
        mast rises above the ground at the terminal, and never less than the height as it is.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        Effective height [m], of the inputs' common shape.

    Raises
    ------
    OutOfRangeError
        If a value is not a number or outside its range, or the word is unknown.

    Examples
    --------
    >>> float(effective_height(30.0, base_ground_m=400.0, terminal_ground_m=320.0))
    110.0
    """
    require_word("method", method, get_args(EffectiveHeight))
    clause = "effective height above ground"
    height = checked("base_height_m", base_height_m, _POSITIVE, clause)
    base = checked("base_ground_m", base_ground_m, _GROUND_RANGE_M, clause)
    terminal = checked("terminal_ground_m", terminal_ground_m, _GROUND_RANGE_M, clause)
    rise: NDArray[np.float64] = np.maximum(base - terminal, 0.0)
    effective: FloatOrArray = height + rise * float(method == "spot-difference")
    return effective
