"""The equations of P.1812 over thousands of receivers.

Straight-line code in single precision, one loop iteration for each receiver, so that the compiler
turns it into vector code. The same equations stand in `p1812`, written to be read; the comments
use its equation numbers.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ankang_coverage._jit import atan, exp2, log2, njit_inline, njit_vector
from ankang_coverage.propagation.diffraction import LAND, WAVELENGTH_M_GHZ, Polarisation
from ankang_coverage.propagation.p1812 import beta0, ducting_exponent, falling_step, inverse_normal
from ankang_coverage.propagation.sweep._layout import (
    ABOVE_R,
    ABOVE_T,
    ALPHA,
    DLR,
    DLT,
    FI,
    FK,
    FREE_SPACE,
    GAMMA_LENGTH,
    HRE,
    HTE,
    LAUNCH,
    LD50,
    LDB,
    LENGTH,
    LOG2_LENGTH,
    LOG10_B0,
    LOSS,
    NU,
    NU_B0,
    P1812,
    RISE,
    ROUGHNESS,
    SLOPE_R,
    SLOPE_T,
    STEP,
    Floats,
    Link,
)

# P.1812 counts from here on and alone from there on; in between it is blended with free space.
FIRST_P1812_KM = np.float32(0.25)
FULL_P1812_KM = np.float32(0.5)

# Single-precision constants, so that no expression of the second pass is widened to double.
_DB_PER_OCTAVE = np.float32(20.0 * math.log10(2.0))
_LOG10_2 = np.float32(math.log10(2.0))
_LOG2_10 = np.float32(math.log2(10.0))
_LOG2_E = np.float32(math.log2(math.e))
_LOG10_E = np.float32(math.log10(math.e))
_F0, _F1, _F2, _HALF, _TINY = (np.float32(x) for x in (0.0, 1.0, 2.0, 0.5, 1e-6))
_THIRD = np.float32(1.0 / 3.0)
_DEGREES = np.float32(180.0 / math.pi)


@njit_inline
def _knife_edge(nu: np.float32) -> np.float32:
    """J(ν), equation (12)."""
    shifted = nu - np.float32(0.1)
    loss = np.float32(6.9) + _DB_PER_OCTAVE * log2(np.sqrt(shifted * shifted + _F1) + shifted)
    return loss if nu > np.float32(-0.78) else _F0


@njit_inline
def _bullington(nu: np.float32, d: np.float32) -> np.float32:
    """Bullington loss of an edge, equation (21)."""
    edge = _knife_edge(nu)
    share = _F1 - exp2(edge * (-_LOG2_E / np.float32(6.0)))
    return edge + share * (np.float32(10.0) + np.float32(0.02) * d)


@njit_inline
def _smooth_slope(
    height: np.float32, d: np.float32, steps: np.float32, step_km: np.float32, k: np.float32
) -> np.float32:
    """Steepest ray from an antenna to the samples of the smooth path, k (d − x) − h/x.

    The function is concave; its maximum at √(h / k) lies between two samples.
    """
    below = min(max(np.floor(np.sqrt(height / k) / step_km), _F1), steps - _F1)
    x1 = below * step_km
    x2 = min(below + _F1, steps - _F1) * step_km
    return max(k * (d - x1) - height / x1, k * (d - x2) - height / x2)


@njit_inline
def _smooth_nu_at(
    sample: np.float32,
    above_t: np.float32,
    above_r: np.float32,
    steps: np.float32,
    bulge: np.float32,
) -> np.float32:
    """Height of a smooth path's sample above the direct ray over √(t (1 − t)), t = d1 / d."""
    t = sample / steps
    product = t * (_F1 - t)
    above = bulge * product - above_t * (_F1 - t) - above_r * t
    nu: np.float32 = above / np.sqrt(product)
    return nu


@njit_inline
def _towards_largest_nu(
    s: np.float32, above_t: np.float32, above_r: np.float32, bulge: np.float32
) -> np.float32:
    """One step of Newton's method for the cubic of `_smooth_nu`."""
    b = _F2 * above_r - above_t + bulge
    c = above_r - _F2 * above_t - bulge
    value = ((above_r * s + b) * s + c) * s - above_t
    slope = (np.float32(3.0) * above_r * s + _F2 * b) * s + c
    return max(s - value / max(slope, _TINY), _TINY)


@njit_inline
def _smooth_nu(
    above_t: np.float32,
    above_r: np.float32,
    d: np.float32,
    steps: np.float32,
    step_km: np.float32,
    k: np.float32,
) -> np.float32:
    """ν √λ of Bullington's edge on the smooth path.

    In sight, with s = d1 / d2, ν is largest where
    h_r s³ + (2 h_r − h_t + K) s² + (h_r − 2 h_t − K) s − h_t = 0, K = k d². The root moves from
    h_t / h_r on a flat earth to its square root where the ray touches the ground; Newton's
    method starts in between.
    """
    direct = (above_r - above_t) / d
    up = _smooth_slope(above_t, d, steps, step_km, k) - direct
    back = _smooth_slope(above_r, d, steps, step_km, k) + direct
    blocked = np.sqrt(np.float32(0.002) * d * max(up, _F0) * max(back, _F0))
    bulge = k * d * d
    roots = np.sqrt(above_t) + np.sqrt(above_r)
    ratio = above_t / above_r
    s = ratio + min(bulge / (roots * roots), _F1) * (np.sqrt(ratio) - ratio)
    s = _towards_largest_nu(s, above_t, above_r, bulge)
    s = _towards_largest_nu(s, above_t, above_r, bulge)
    s = _towards_largest_nu(s, above_t, above_r, bulge)
    below = min(max(np.floor(steps * s / (_F1 + s)), _F1), steps - _F1)
    beyond = min(below + _F1, steps - _F1)
    clear: np.float32 = max(
        _smooth_nu_at(below, above_t, above_r, steps, bulge),
        _smooth_nu_at(beyond, above_t, above_r, steps, bulge),
    ) * np.sqrt(np.float32(0.002) / d)
    return blocked if up >= _F0 else clear


@njit_inline
def _height_gain(b: np.float32, floor_db: np.float32) -> np.float32:
    """G(Y) for B = β Y, equation (35)."""
    far = b > _F2
    argument = b - np.float32(1.1) if far else b + np.float32(0.1) * b * b * b
    octaves = log2(argument)
    near_gain = _DB_PER_OCTAVE * octaves
    far_gain = (
        np.float32(17.6) * np.sqrt(argument)
        - np.float32(0.25) * _DB_PER_OCTAVE * octaves
        - np.float32(8.0)
    )
    return max(far_gain if far else near_gain, floor_db)


@njit_inline
def _towards_reflection(b: np.float32, m: np.float32, c: np.float32) -> np.float32:
    """One step of Newton's method for the cubic of `_spherical_earth`."""
    square = m * b * b
    slope = min(np.float32(3.0) * square - m - _F1, -_TINY)
    return b - ((square - m - _F1) * b + c) / slope


@njit_inline
def _spherical_earth(
    above_t: np.float32,
    above_r: np.float32,
    d: np.float32,
    k: np.float32,
    wavelength: np.float32,
    cube_root_f: np.float32,
    admittance: np.float32,
) -> np.float32:
    """Spherical-earth loss over land, equations (22) to (36).

    `admittance` is K · a^(1/3). The reflection point is the root b of m b³ − (m + 1) b + c
    between 0 and c; Newton's method climbs to it from c / (m + 1).
    """
    heights = above_t + above_r
    roots = np.sqrt(above_t) + np.sqrt(above_r)
    m = _HALF * k * d * d / heights
    c = (above_t - above_r) / heights
    b = c / (_F1 + m)
    b = _towards_reflection(b, m, c)
    b = _towards_reflection(b, m, c)
    b = _towards_reflection(b, m, c)
    b = _towards_reflection(b, m, c)
    b = _towards_reflection(b, m, c)
    d1 = _HALF * d * (_F1 + b)
    d2 = d - d1
    clearance = ((above_t - k * d1 * d1) * d2 + (above_r - k * d2 * d2) * d1) / d
    required = np.float32(17.456) * np.sqrt(max(d1 * d2, _TINY) * wavelength / d)
    # Within the horizon the earth is thought as small as makes the path just touch it.
    beyond = k * d * d >= roots * roots
    touching = np.float32(500.0) * d * d / (roots * roots)
    inverse_root = exp2(-_THIRD * log2(np.float32(500.0) / k if beyond else touching))
    normalised = admittance * inverse_root
    k2 = normalised * normalised
    beta = (_F1 + k2 * (np.float32(1.6) + np.float32(0.67) * k2)) / (
        _F1 + k2 * (np.float32(4.5) + np.float32(1.53) * k2)
    )
    x = np.float32(21.88) * beta * cube_root_f * inverse_root * inverse_root * d
    octaves = log2(x)
    far_term = np.float32(11.0) + _HALF * _DB_PER_OCTAVE * octaves - np.float32(17.6) * x
    near_term = -_DB_PER_OCTAVE * octaves - np.float32(5.6488) * exp2(np.float32(1.425) * octaves)
    distance_term = far_term if x >= np.float32(1.6) else near_term
    per_metre = np.float32(0.9575) * beta * beta * cube_root_f * cube_root_f * inverse_root
    floor_db = _F2 + _DB_PER_OCTAVE * log2(normalised)
    first_term = -(
        distance_term
        + _height_gain(per_metre * above_t, floor_db)
        + _height_gain(per_metre * above_r, floor_db)
    )
    within = max(first_term, _F0) * max(_F1 - clearance / required, _F0)
    return first_term if beyond else within


@njit_vector
def _delta_bullington(
    batch: Floats,
    count: int,
    edge: np.uintp,
    loss: np.uintp,
    step_km: np.float32,
    k: np.float32,
    wavelength: np.float32,
    cube_root_f: np.float32,
    admittance: np.float32,
) -> None:
    """Delta-Bullington loss of every receiver from row `edge` into row `loss`, equation (39)."""
    per_root_wavelength = _F1 / np.sqrt(wavelength)
    for j in range(np.uintp(count)):
        d, above_t, above_r = batch[LENGTH + j], batch[ABOVE_T + j], batch[ABOVE_R + j]
        actual = _bullington(batch[edge + j] * per_root_wavelength, d)
        smooth_nu = _smooth_nu(above_t, above_r, d, batch[STEP + j], step_km, k)
        smooth = _bullington(smooth_nu * per_root_wavelength, d)
        sphere = _spherical_earth(above_t, above_r, d, k, wavelength, cube_root_f, admittance)
        batch[loss + j] = actual + max(sphere - smooth, _F0)


@njit_inline
def _site_shielding(
    excess: np.float32, horizon_km: np.float32, f: np.float32, cube_root_f: np.float32
) -> np.float32:
    """Loss behind a horizon by its excess elevation [mrad], equation (48)."""
    held = max(excess, _F0)
    edge = log2(_F1 + np.float32(0.361) * held * np.sqrt(f * horizon_km))
    return _DB_PER_OCTAVE * edge + np.float32(0.264) * held * cube_root_f


@njit_inline
def _log10_corrections(
    log2_power: np.float32,
    exponent: np.float32,
    root_heights: np.float32,
    roughness: np.float32,
    between: np.float32,
) -> np.float32:
    """Logarithm of the corrections μ2 μ3 for path geometry and roughness, (55) and (56).

    `log2_power` is the part of μ2 that does not depend on the heights.
    """
    log2_mu2 = min(log2_power - _F2 * exponent * log2(root_heights), _F0)
    rough = max(roughness - np.float32(10.0), _F0)
    per_metre = np.float32(43.0) + np.float32(6.0) * min(between, np.float32(40.0))
    return _LOG10_2 * log2_mu2 - np.float32(4.6e-5) * _LOG10_E * rough * per_metre


@njit_inline
def _time_loss(
    log10_p: np.float32, log10_beta: np.float32, d: np.float32, gamma_length: np.float32
) -> np.float32:
    """Loss by percentage of time within ducting, (53) and (53a)."""
    decay = np.float32(9.51) + log10_beta * (np.float32(-4.8) + np.float32(0.198) * log10_beta)
    log2_gamma = np.float32(-1.012) * log2(np.float32(2.0058) - log10_beta)
    gamma = np.float32(1.076) * exp2(log2_gamma - _LOG2_E * gamma_length * decay)
    rarity = log10_p - log10_beta
    return (
        (np.float32(1.2) + np.float32(3.7e-3) * d) * rarity
        + np.float32(12.0) * exp2(_LOG2_10 * gamma * rarity)
        - np.float32(12.0)
    )


@njit_inline
def _fixed_coupling(f: float) -> float:
    """Sum up what of the coupling losses depends on the frequency alone, (47) and (47a)."""
    low = 45.375 - 137.0 * f + 92.5 * f * f if f < 0.5 else 0.0
    return 102.45 + 20.0 * math.log10(f) + low


@njit_inline
def _fixed_troposcatter(f: float, p: float, n0: float) -> float:
    """Sum up what of the troposcatter loss does not depend on the path, (44) and (45)."""
    lf = 25.0 * math.log10(f) - 2.5 * math.log10(f / 2.0) ** 2
    return 190.1 + lf - 0.15 * n0 - 10.125 * math.pow(math.log10(50.0 / p), 0.7)


@njit_vector
def _p1812_losses(
    batch: Floats,
    count: int,
    frequency_ghz: float,
    time_percent: float,
    ae: float,
    n0: float,
    variation_db: float,
) -> None:
    """Compute the loss of every receiver, equations (8) to (11) and (40) to (69)."""
    f = np.float32(frequency_ghz)
    cube_root_f = np.float32(frequency_ghz ** (1.0 / 3.0))
    log10_p = np.float32(math.log10(time_percent))
    log10_p_50 = np.float32(math.log10(time_percent / 50.0))
    log10_50 = np.float32(math.log10(50.0))
    median = time_percent >= 50.0
    free_space_0 = np.float32(92.4 + 20.0 * math.log10(frequency_ghz))
    coupling = np.float32(_fixed_coupling(frequency_ghz))
    per_mrad = np.float32(5e-5 * ae * frequency_ghz ** (1.0 / 3.0))
    mrad_per_km = np.float32(1e3 / ae)
    log2_k = np.float32(math.log2(500.0 / ae))
    troposcatter = np.float32(_fixed_troposcatter(frequency_ghz, time_percent, n0))
    variation = np.float32(variation_db)
    per_2_5 = np.float32(math.log2(math.e) / 2.5)
    for j in range(np.uintp(count)):
        d, log2_d, log10_b0 = batch[LENGTH + j], batch[LOG2_LENGTH + j], batch[LOG10_B0 + j]
        dlt, dlr = batch[DLT + j], batch[DLR + j]
        theta_t = np.float32(1e3) * atan(np.float32(1e-3) * batch[SLOPE_T + j])
        theta_r = np.float32(1e3) * atan(np.float32(1e-3) * batch[SLOPE_R + j])
        theta = mrad_per_km * d + theta_t + theta_r

        rise_km = np.float32(1e-3) * batch[RISE + j]
        free_space = free_space_0 + _HALF * _DB_PER_OCTAVE * log2(d * d + rise_km * rise_km)
        focusing = np.float32(2.6) * (_F1 - exp2(np.float32(-0.1) * _LOG2_E * (dlt + dlr)))
        lb0p = free_space + focusing * log10_p_50
        lb0b = free_space + focusing * (log10_b0 - log10_50)

        # Ducting and layer reflection
        limit_t, limit_r = np.float32(0.1) * dlt, np.float32(0.1) * dlr
        angle = mrad_per_km * d + min(theta_t, limit_t) + min(theta_r, limit_r)
        log10_beta = log10_b0 + _log10_corrections(
            batch[ALPHA + j] * (log2_k + _F2 * log2_d),
            batch[ALPHA + j],
            np.sqrt(batch[HTE + j]) + np.sqrt(batch[HRE + j]),
            batch[ROUGHNESS + j],
            d - dlt - dlr,
        )
        time_loss = _time_loss(log10_p, log10_beta, d, batch[GAMMA_LENGTH + j])
        lba = (
            coupling
            + _DB_PER_OCTAVE * log2(dlt + dlr)
            + _site_shielding(theta_t - limit_t, dlt, f, cube_root_f)
            + _site_shielding(theta_r - limit_r, dlr, f, cube_root_f)
            + per_mrad * angle
            + time_loss
        )

        # Everything together
        ld50, ldb = batch[LD50 + j], batch[LDB + j]
        fi = batch[FI + j]
        ldp = ld50 if median else ld50 + fi * (ldb - ld50)
        lbd = lb0p + ldp
        lbd50 = free_space + ld50
        lminb0p = lbd if log10_p < log10_b0 else lbd50 + (lb0b + ldp - lbd50) * fi
        lminbap = max(lba, lb0p) + log2(_F1 + exp2(-per_2_5 * abs(lba - lb0p))) / per_2_5
        enhanced = lminbap + (lbd - lminbap) * batch[FK + j]
        lbda = enhanced if lminbap <= lbd else lbd
        # 1 − (1 + tanh x) / 2 = 1 / (1 + exp(2 x))
        fj = _F1 / (_F1 + exp2(np.float32(16.0) * _LOG2_E * (theta - np.float32(0.3))))
        lbam = lbda + (lminb0p - lbda) * fj
        lbs = troposcatter + _DB_PER_OCTAVE * log2_d + np.float32(0.573) * theta
        lbc = min(lbs, lbam) - np.float32(0.25) * _DB_PER_OCTAVE * log2(
            _F1 + exp2(np.float32(-0.2) * _LOG2_10 * abs(lbs - lbam))
        )
        batch[LOSS + j] = max(lb0p, lbc + variation)


@njit_vector
def launch_elevations(batch: Floats, count: int) -> None:
    """Turn the slopes of the rays that leave the mast into degrees."""
    for j in range(np.uintp(count)):
        batch[LAUNCH + j] = _DEGREES * atan(np.float32(1e-3) * batch[LAUNCH + j])


@njit_vector
def losses(batch: Floats, count: int, link: Link, frequency_index: int, step_km: float) -> None:
    """Loss of every receiver of a batch, without its terminal loss."""
    frequency_ghz = link.frequencies_ghz[frequency_index]
    free_space_0 = np.float32(92.4 + 20.0 * math.log10(frequency_ghz))
    step = np.float32(step_km)
    wavelength = np.float32(WAVELENGTH_M_GHZ / frequency_ghz)
    cube_root_f = np.float32(frequency_ghz ** (1.0 / 3.0))
    admittance = np.float32(link.admittances[frequency_index])
    k50, k_b0 = np.float32(500.0 / link.median_radius_km), np.float32(500.0 / link.b0_radius_km)
    if link.model != FREE_SPACE:
        _delta_bullington(batch, count, NU, LD50, step, k50, wavelength, cube_root_f, admittance)
    if link.model == P1812:
        if link.time_percent < 50.0:
            _delta_bullington(
                batch, count, NU_B0, LDB, step, k_b0, wavelength, cube_root_f, admittance
            )
        _p1812_losses(
            batch,
            count,
            frequency_ghz,
            link.time_percent,
            link.median_radius_km,
            link.n0,
            link.variation_db,
        )
    for j in range(np.uintp(count)):
        d, rise_km = batch[LENGTH + j], np.float32(1e-3) * batch[RISE + j]
        square = max(d * d + rise_km * rise_km, _TINY)
        free_space = free_space_0 + _HALF * _DB_PER_OCTAVE * log2(square)
        over_terrain = batch[LOSS + j] if link.model == P1812 else free_space + batch[LD50 + j]
        weight = min((d - FIRST_P1812_KM) / (FULL_P1812_KM - FIRST_P1812_KM), _F1)
        blended = free_space + weight * (over_terrain - free_space)
        batch[LOSS + j] = free_space if weight <= _F0 or link.model == FREE_SPACE else blended


def admittance(frequency_ghz: float, polarisation: Polarisation) -> float:
    """K · a^(1/3) of dry ground, equations (29a) and (29b)."""
    permittivity, conductivity = LAND
    loss_term = (18.0 * conductivity / frequency_ghz) ** 2
    horizontal = 0.036 / math.cbrt(frequency_ghz)
    horizontal /= math.pow((permittivity - 1.0) ** 2 + loss_term, 0.25)
    if polarisation == "horizontal":
        return horizontal
    return horizontal * math.sqrt(permittivity**2 + loss_term)


def step_table(step_km: float, d: NDArray[np.float64], latitude_deg: float, p: float) -> Floats:
    """Return the step rows of the batch for each distance; `d` is not zero at the mast."""
    b0 = beta0(latitude_deg, d, d)
    rare = inverse_normal(p / 100.0) / inverse_normal(b0 / 100.0)
    steps = np.arange(d.size)
    rows = [
        steps,
        steps * step_km,
        np.log2(d),
        np.log10(b0),
        ducting_exponent(d, d),
        1e-6 * d**1.13,
        falling_step(1.5, d, 20.0),
        np.where(p <= b0, 1.0, rare),
    ]
    return np.stack(rows, axis=1).astype(np.float32)
