"""P.1812 against the published example calculations: the loss and every intermediate."""

import csv
import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.p1812 import (
    median_radius_km,
    p1812_loss,
    path_centre_latitude,
)

DATA_SETS = [
    *[
        (name, index)
        for name in (
            "b2iseac",
            "b2iseac_dense_urban_land",
            "b2iseac_eqdist",
            "b2iseac_rural_land_100km",
            "b2iseac_rural_land_10km",
            "b2iseac_rural_land_1km",
            "rburg",
            "rburg_rural_noclutter",
            "rburg_rural_noclutter_los",
            "rburg_rural_with_clutter",
        )
        for index in range(3)
    ],
    *[("rburg_urban_with_clutter", index) for index in range(6)],
]

# Attribute of the result, row of the log, the log's reference to an equation. The log's row
# "Lbd" is left out: the program that wrote it prints Lbda there.
ROWS = [
    ("d_km", "d (km)", ""),
    ("dlt_km", "dlt (km)", "Eq (78)"),
    ("dlr_km", "dlr (km)", "Eq (81a)"),
    ("theta_t_mrad", "th_t (mrad)", "Eqs (76-78)"),
    ("theta_r_mrad", "th_r (mrad)", "Eqs (79-81)"),
    ("theta_mrad", "th (mrad)", "Eq (82)"),
    ("hts_m", "hts (m)", ""),
    ("hrs_m", "hrs (m)", ""),
    ("omega", "w", "Table 5"),
    ("dtm_km", "dtm (km)", "Sec 3.6"),
    ("dlm_km", "dlm (km)", "Sec 3.6"),
    ("phi_deg", "phi (deg)", "Eq (4)"),
    ("b0_percent", "b0 (%)", "Eq (5)"),
    ("ae_km", "ae (km)", "Eq (7a)"),
    ("hst_fit_m", "hst (m)", "Eq (85)"),
    ("hsr_fit_m", "hsr (m)", "Eq (86)"),
    ("hst_m", "hst (m)", "Eq (90a)"),
    ("hsr_m", "hsr (m)", "Eq (90b)"),
    ("hstd_m", "hstd (m)", "Eq (89)"),
    ("hsrd_m", "hsrd (m)", "Eq (89)"),
    ("htc_m", "htc (m)", "Eq (37a)"),
    ("hrc_m", "hrc (m)", "Eq (37b)"),
    ("hte_m", "hte (m)", "Eq (92a)"),
    ("hre_m", "hre (m)", "Eq (92b)"),
    ("hm_m", "hm (m)", "Eq (93)"),
    ("fi", "Fi", "Eq (40)"),
    ("fj", "Fj", "Eq (57)"),
    ("fk", "Fk", "Eq (58)"),
    ("lbfs_db", "Lbfs", "Eq (8)"),
    ("lb0p_db", "Lb0p", "Eq (10)"),
    ("lb0b_db", "Lb0b", "Eq (11)"),
    ("ld50_db", "Ld50 (dB)", "Eq (39)"),
    ("ldb_db", "Ldb (dB)", "Eq (39)"),
    ("ldp_db", "Ldp (dB)", "Eq (41)"),
    ("lbd50_db", "Lbd50 (dB)", "Eq (42)"),
    ("lminb0p_db", "Lminb0p (dB)", "Eq (59)"),
    ("lba_db", "Lba (dB)", "Eq (46)"),
    ("lminbap_db", "Lminbap (dB)", "Eq (60)"),
    ("lbda_db", "Lbda (dB)", "Eq (61)"),
    ("lbam_db", "Lbam (dB)", "Eq (62)"),
    ("lbs_db", "Lbs (dB)", "Eq (44)"),
    ("lbc_db", "Lbc (dB)", "Eq (63)"),
    ("lb_db", "Lb (dB)", "Eq (69)"),
]
# The parts of diffraction are logged for the effective radius exceeded for β0 of the time.
PARTS = [
    ("bullington_db", "Lbulla (dB)", "Eq (21)"),
    ("smooth_bullington_db", "Lbulls (dB)", "Eq (21)"),
    ("spherical_earth_db", "Ldsph (dB)", "Eq (27)"),
]

# Published results of the same program for these profiles in other conditions: profile,
# measurement that gives frequency, height and time, changes, loss [dB] or field [dB(µV/m)].
# Source: Py1812 (I. Stevanovic, OFCOM), tests/validation_results.
MORE_RESULTS = [
    ("b2iseac", 0, {"polarisation": "vertical"}, 49.71941069),
    ("b2iseac", 1, {"polarisation": "vertical"}, 40.40580540),
    ("b2iseac", 2, {"polarisation": "vertical"}, 19.45997309),
    ("b2iseac_eqdist", 1, {"polarisation": "vertical"}, 40.41131262),
    ("rburg_urban_with_clutter", 1, {"polarisation": "vertical"}, -3.36795650),
    ("rburg_urban_with_clutter", 2, {"polarisation": "vertical"}, -18.51652276),
    ("rburg_urban_with_clutter", 4, {"polarisation": "vertical"}, -18.01852218),
    (
        "rburg_rural_noclutter_los",
        0,
        {"transmitter_height_m": 200.0, "receiver_height_m": 200.0},
        56.69832516,
    ),
    (
        "rburg_rural_noclutter_los",
        1,
        {"transmitter_height_m": 200.0, "receiver_height_m": 200.0},
        50.28923281,
    ),
    (
        "rburg_rural_noclutter_los",
        2,
        {"transmitter_height_m": 200.0, "receiver_height_m": 200.0},
        45.65511454,
    ),
]

RIDGE = ([0.0, 0.5, 1.0, 1.5, 2.0], [300.0, 310.0, 360.0, 320.0, 300.0])
LINK = {
    "frequency_mhz": 900.0,
    "transmitter_height_m": 30.0,
    "receiver_height_m": 1.5,
    "latitude_deg": 32.7,
}


@dataclass
class Published:
    profile: np.ndarray
    link: dict
    log: dict
    loss_db: float
    field_strength: float


def published(shared, name, index):
    """One data set of the example calculations."""
    folder = shared / "validation" / "itu_p1812"
    header, points, measurements, part = {}, [], [], "header"
    with (folder / "profiles" / f"{name}.csv").open() as file:
        for row in csv.reader(file):
            key = row[0].strip() if row else ""
            if key.startswith("{Begin of Profile"):
                part = "profile"
            elif key.startswith("{Begin of Measurements"):
                part = "measurements"
            elif key.startswith("{End"):
                part = "header"
            elif part == "profile" and key != "Number of Points:":
                points.append([float(value) for value in row[:5]])
            elif part == "measurements":
                measurements.append(row)
            elif len(row) > 1:
                header[key.rstrip(":")] = row[1]
    with (folder / "results" / f"{name}_{index}_log.csv").open() as file:
        log = {
            (row[0].strip(), row[1].strip()): float(row[3])
            for row in csv.reader(file)
            if len(row) > 3 and row[3] not in ("", "Value")
        }
    profile = np.array(points)
    row = measurements[index]
    ends = [(float(header[f"{end} LON"]), float(header[f"{end} LAT"])) for end in ("Tx", "Rx")]
    link = {
        "frequency_mhz": float(row[0]),
        "transmitter_height_m": float(row[1]),
        "receiver_height_m": float(row[3]),
        "polarisation": {"1": "horizontal", "2": "vertical"}[row[4].strip()],
        "time_percent": float(row[14]),
        "latitude_deg": path_centre_latitude(*ends, profile[-1, 0]),
        "delta_n": log["DN", ""],
        "n0": log["N0", ""],
        "transmitter_power_kw": log["Ptx (kW)", ""],
    }
    return Published(profile, link, log, float(row[17]), float(row[16]))


def loss_of(case, **changes):
    distance, ground, _, clutter, zone = case.profile.T
    return p1812_loss(distance, ground, clutter, zone, **(case.link | changes))


@pytest.mark.parametrize(("name", "index"), DATA_SETS)
def test_published_example(shared, name, index):
    case = published(shared, name, index)
    loss = loss_of(case)
    assert loss.lb_db == pytest.approx(case.loss_db, abs=1e-6)
    assert loss.field_strength_dbuv_m == pytest.approx(case.field_strength, abs=1e-6)
    for attribute, row, equation in ROWS:
        assert getattr(loss, attribute) == pytest.approx(case.log[row, equation], abs=1e-6), row
    for attribute, row, equation in PARTS:
        part = getattr(loss.diffraction_b0, attribute)
        assert part == pytest.approx(case.log[row, equation], abs=1e-6), row
    lbd = case.log["Lb0p", "Eq (10)"] + case.log["Ldp (dB)", "Eq (41)"]
    assert loss.lbd_db == pytest.approx(lbd, abs=1e-6)


@pytest.mark.parametrize(("name", "index", "changes", "field_strength"), MORE_RESULTS)
def test_published_results_in_other_conditions(shared, name, index, changes, field_strength):
    loss = loss_of(published(shared, name, index), **changes)
    assert loss.field_strength_dbuv_m == pytest.approx(field_strength, abs=1e-6)


def test_location_variability_shifts_the_loss_but_not_below_line_of_sight():
    median = p1812_loss(*RIDGE, **LINK)
    edge = p1812_loss(*RIDGE, **LINK, location_percent=90.0)
    assert edge.lb_db - median.lb_db == pytest.approx(1.2816 * 5.5, abs=0.01)
    lucky = p1812_loss(*RIDGE, **LINK, location_percent=1.0, location_deviation_db=40.0)
    assert lucky.lb_db == lucky.lb0p_db


def test_clutter_counts_between_the_ends_only():
    bare = p1812_loss(*RIDGE, **LINK)
    ends = p1812_loss(*RIDGE, [20, 0, 0, 0, 20], **LINK)
    under_way = p1812_loss(*RIDGE, [0, 0, 20, 0, 0], **LINK)
    assert ends == bare
    assert under_way.lb_db > bare.lb_db + 1.0


@given(
    heights=st.lists(st.floats(0.0, 800.0), min_size=20, max_size=20),
    step=st.floats(0.1, 3.0),
    percents=st.tuples(st.floats(1.0, 50.0), st.floats(1.0, 50.0)),
)
def test_less_time_never_means_more_loss(heights, step, percents):
    distance = np.arange(20) * step
    low, high = (
        p1812_loss(distance, heights, **LINK, time_percent=p).lb_db for p in sorted(percents)
    )
    # The recommendation's approximate normal distribution is 4e-4 off zero at 50 %.
    assert low <= high + 0.05


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frequency_mhz": 20.0}, "frequency_mhz is 20 but must be 30 to 6000.*P.1812"),
        ({"frequency_mhz": 6001.0}, "frequency_mhz is 6001"),
        ({"frequency_mhz": math.nan}, "frequency_mhz is not a number"),
        ({"time_percent": 0.5}, "time_percent is 0.5 but must be 1 to 50.*Table 1"),
        ({"time_percent": 60.0}, "time_percent is 60"),
        ({"location_percent": 99.5}, "location_percent is 99.5 but must be 1 to 99"),
        ({"transmitter_height_m": 0.5}, "transmitter_height_m is 0.5 but must be 1 to 3000"),
        ({"receiver_height_m": 3001.0}, "receiver_height_m is 3001 but must be 1 to 3000"),
        ({"latitude_deg": 91.0}, "latitude_deg is 91"),
        ({"delta_n": 157.0}, "delta_n is 157"),
        ({"polarisation": "slant"}, "polarisation is 'slant'"),
        ({"zone": [4, 4, 2, 4, 4]}, "zone is 2 at point 2"),
        ({"clutter_height_m": [0, -1, 0, 0, 0]}, "clutter_height_m is -1 at point 1"),
        ({"clutter_height_m": [0, 1]}, "clutter_height_m has 2 value"),
    ],
)
def test_wrong_input_is_refused_with_range_and_clause(changes, message):
    with pytest.raises(OutOfRangeError, match=message):
        p1812_loss(*RIDGE, **(LINK | changes))


def test_path_outside_the_distances_is_refused_unless_extrapolated():
    distance, ground = [0.0, 0.1, 0.2], [5.0, 5.0, 5.0]
    with pytest.raises(OutOfRangeError, match=r"path_km is 0\.2 but must be 0\.25 to 3000"):
        p1812_loss(distance, ground, **LINK)
    assert p1812_loss(distance, ground, **LINK, extrapolate=True).lb_db == pytest.approx(
        92.4 + 20 * math.log10(0.9 * 0.2), abs=5.0
    )


def test_extrapolated_frequency_is_allowed_but_nonsense_is_not():
    assert p1812_loss(*RIDGE, **(LINK | {"frequency_mhz": 8000.0}), extrapolate=True).lb_db > 100
    with pytest.raises(OutOfRangeError, match="frequency_mhz"):
        p1812_loss(*RIDGE, **(LINK | {"frequency_mhz": -1.0}), extrapolate=True)


def test_extrapolated_time_stays_within_the_half_for_which_it_is_defined():
    """Equation (44) holds log(50 / p) to a fractional power."""
    hills = [0.0, 10.0, 20.0, 30.0], [0.0, 100.0, 50.0, 0.0]
    link = {"transmitter_height_m": 30.0, "receiver_height_m": 1.5, "latitude_deg": 30.0}
    loss = partial(p1812_loss, *hills, frequency_mhz=900.0, extrapolate=True, **link)
    assert loss(time_percent=0.1).lb_db < loss(time_percent=1.0).lb_db
    with pytest.raises(OutOfRangeError, match="time_percent is 60"):
        loss(time_percent=60.0)


def test_a_path_that_grazes_every_point_has_a_loss():
    """Every inner point lies on one ray, so which is the horizon is left to rounding."""
    for length in np.linspace(20.0, 120.0, 41):
        d = np.linspace(0.0, length, 5)
        h = 1000.0 - 500.0 / median_radius_km(40.0) * d * (length - d)
        h[1:-1] += 30.0
        link = {"frequency_mhz": 900.0, "latitude_deg": 30.0}
        loss = p1812_loss(d, h, transmitter_height_m=30.0, receiver_height_m=30.0, **link)
        assert np.isfinite(loss.lb_db)
