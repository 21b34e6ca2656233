"""The profile analysed: horizons and effective heights (ITU-R P.1812-8, section 5)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ankang_coverage.propagation._ranges import FloatOrArray
from ankang_coverage.propagation.diffraction import (
    WAVELENGTH_M_GHZ,
    smooth_earth_fit,
    smooth_surface,
)
from ankang_coverage.propagation.p1812.inputs import Link, Profile


@dataclass(frozen=True)
class Horizons:
    """What the terminals see of the bare ground (section 5.3); attributes as in `P1812Loss`."""

    in_sight: bool
    dlt_km: float
    dlr_km: float
    theta_t_mrad: float
    theta_r_mrad: float
    theta_mrad: float
    hm_m: float


@dataclass(frozen=True)
class Heights:
    """Heights of the antennas and of the smooth earth; attributes as in `P1812Loss`."""

    hts_m: float
    hrs_m: float
    hst_fit_m: float
    hsr_fit_m: float
    hst_m: float
    hsr_m: float
    hstd_m: float
    hsrd_m: float
    htc_m: float
    hrc_m: float
    hte_m: float
    hre_m: float


def heights_of(profile: Profile, link: Link) -> Heights:
    """Return the heights of sections 5.6.1 to 5.6.3."""
    d, ground = profile.distance_km, profile.ground_m
    foot_t, foot_r = float(ground[0]), float(ground[-1])
    hts, hrs = foot_t + link.transmitter_height_m, foot_r + link.receiver_height_m
    fit_t, fit_r = smooth_earth_fit(d, ground)
    surface_t, surface_r = smooth_surface(d, ground, hts, hrs)
    hst, hsr = min(fit_t, foot_t), min(fit_r, foot_r)
    return Heights(
        hts_m=hts,
        hrs_m=hrs,
        hst_fit_m=fit_t,
        hsr_fit_m=fit_r,
        hst_m=hst,
        hsr_m=hsr,
        hstd_m=surface_t,
        hsrd_m=surface_r,
        htc_m=hts - surface_t,
        hrc_m=hrs - surface_r,
        hte_m=link.transmitter_height_m + foot_t - hst,
        hre_m=link.receiver_height_m + foot_r - hsr,
    )


def horizons_of(profile: Profile, heights: Heights, ae_km: float, f: float) -> Horizons:
    """Return the horizons, or in sight the point nearest to blocking the path (section 5.3)."""
    d, h, total = profile.distance_km, profile.ground_m, profile.length_km
    hts, hrs = heights.hts_m, heights.hrs_m
    inner, ahead, inner_h = d[1:-1], total - d[1:-1], h[1:-1]

    def elevation(
        rise_m: NDArray[np.float64] | float, along_km: NDArray[np.float64] | float
    ) -> FloatOrArray:
        return 1e3 * np.arctan(np.divide(rise_m, 1e3 * along_km) - along_km / (2.0 * ae_km))

    from_t = np.asarray(elevation(inner_h - hts, inner))
    theta_td = float(elevation(hrs - hts, total))  # (77)
    theta_max = float(np.max(from_t))  # (76)
    in_sight = theta_max <= theta_td
    if in_sight:
        theta_t, theta_r = theta_td, float(elevation(hts - hrs, total))  # (80)
        ray = (hts * ahead + hrs * inner) / total
        wavelength = WAVELENGTH_M_GHZ / f
        nu = (inner_h + 500.0 / ae_km * inner * ahead - ray) * np.sqrt(
            0.002 * total / (wavelength * inner * ahead)
        )
        point_t = point_r = _last_maximum(nu)
    else:
        from_r = np.asarray(elevation(inner_h - hrs, ahead))
        theta_t, theta_r = theta_max, float(np.max(from_r))
        point_t = 1 + int(np.argmax(from_t))
        # Where all points graze one ray, rounding may put the receiver's first.
        point_r = max(_last_maximum(from_r), point_t)
    return Horizons(
        in_sight=in_sight,
        dlt_km=float(d[point_t]),
        dlr_km=total - float(d[point_r]),
        theta_t_mrad=theta_t,
        theta_r_mrad=theta_r,
        theta_mrad=1e3 * total / ae_km + theta_t + theta_r,  # (82)
        hm_m=_roughness_m(profile, heights, point_t, point_r),
    )


def _roughness_m(profile: Profile, heights: Heights, point_t: int, point_r: int) -> float:
    """Largest height of the ground above the smooth earth between the horizons, (93)."""
    slope = (heights.hsr_m - heights.hst_m) / profile.length_km  # (91)
    between = slice(point_t, point_r + 1)
    smooth = heights.hst_m + slope * profile.distance_km[between]
    return float(np.max(profile.ground_m[between] - smooth))


def _last_maximum(inner: NDArray[np.float64]) -> int:
    """Index along the whole profile of the last greatest value at its inner points."""
    return inner.size - int(np.argmax(inner[::-1]))
