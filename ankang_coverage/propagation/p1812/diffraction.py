"""Diffraction over terrain and clutter (ITU-R P.1812-8, section 4.3)."""

from dataclasses import dataclass

from ankang_coverage.propagation.diffraction import DeltaBullington, delta_bullington
from ankang_coverage.propagation.p1812.climate import Climate
from ankang_coverage.propagation.p1812.geometry import Heights
from ankang_coverage.propagation.p1812.inputs import Link, Profile
from ankang_coverage.propagation.p1812.line_of_sight import LineOfSight
from ankang_coverage.propagation.p1812.locations import inverse_normal


@dataclass(frozen=True)
class Diffraction:
    """Losses by diffraction; attributes as in `P1812Loss`."""

    fi: float
    diffraction_50: DeltaBullington
    diffraction_b0: DeltaBullington
    ld50_db: float
    ldb_db: float
    ldp_db: float
    lbd50_db: float
    lbd_db: float


def diffraction(
    profile: Profile, link: Link, climate: Climate, heights: Heights, sight: LineOfSight
) -> Diffraction:
    """Return the diffraction losses with both effective radii, and for p % of the time."""
    surface = heights.hstd_m, heights.hsrd_m
    median, rare = (
        delta_bullington(
            profile.distance_km,
            profile.over_m,
            heights.hts_m,
            heights.hrs_m,
            surface,
            radius,
            link.frequency_ghz * 1e3,
            link.polarisation,
            climate.omega,
        )
        for radius in (climate.ae_km, climate.ab_km)
    )
    p, b0 = link.time_percent, climate.b0_percent
    fi = 1.0 if p <= b0 else float(inverse_normal(p / 100.0) / inverse_normal(b0 / 100.0))  # (40)
    ldp = median.loss_db
    if p < 50.0:
        ldp += fi * (rare.loss_db - median.loss_db)  # (41)
    return Diffraction(
        fi=fi,
        diffraction_50=median,
        diffraction_b0=rare,
        ld50_db=median.loss_db,
        ldb_db=rare.loss_db,
        ldp_db=ldp,
        lbd50_db=sight.lbfs_db + median.loss_db,  # (42)
        lbd_db=sight.lb0p_db + ldp,  # (43)
    )
