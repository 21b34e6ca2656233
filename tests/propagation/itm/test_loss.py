"""The irregular terrain model against published values and another program."""

import csv

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.itm import Climate, ItmMode, ItmWarning, itm_loss

PLAIN = {
    "frequency_mhz": 700.0,
    "transmitter_height_m": 30.0,
    "receiver_height_m": 1.5,
}


def profile(points, spacing, *waves):
    """Heights of 300 m plus sines, given as (height, wavelength in metres)."""
    distance = spacing * np.arange(points)
    return 300.0 + sum(height * np.sin(2 * np.pi * distance / length) for height, length in waves)


# --- published values


@pytest.mark.slow
@pytest.mark.parametrize("case", range(5))
def test_published_paths(shared, case):
    folder = shared / "validation" / "itm"
    with (folder / "p2p.csv").open(newline="") as file:
        row = {name: float(value) for name, value in list(csv.DictReader(file))[case].items()}
    values = np.array((folder / "pfls.csv").read_text().splitlines()[case].split(","), dtype=float)
    intervals, spacing, ground = values[0], values[1], values[2:]
    assert ground.size == intervals + 1
    result = itm_loss(
        ground,
        spacing,
        frequency_mhz=row["f__mhz"],
        transmitter_height_m=row["h_tx__meter"],
        receiver_height_m=row["h_rx__meter"],
        n0=row["N_0"],
        climate=int(row["climate"]),
        polarisation=("horizontal", "vertical")[int(row["pol"])],
        permittivity=row["epsilon"],
        conductivity_s_m=row["sigma"],
        time_percent=row["time"],
        location_percent=row["location"],
        situation_percent=row["situation"],
        variability=int(row["mdvar"]),
    )
    assert result.loss_db == pytest.approx(row["A__db"], abs=0.01)


# The example path of the ITM 1.4 driver (NTIA/itm, tests/cmd_examples): 143 heights 25.6 m apart,
# each given with the number of points it lasts.
EXAMPLE_STEPS = (
    (1692, 2), (1693, 6), (1694, 9), (1695, 8), (1696, 6), (1697, 10), (1698, 10), (1699, 6),
    (1700, 7), (1701, 6), (1702, 8), (1703, 9), (1704, 8), (1705, 10), (1706, 9), (1707, 7),
    (1708, 8), (1709, 5), (1710, 8), (1709, 1),
)  # fmt: skip
EXAMPLE = {
    "ground_m": np.concatenate([[height] * count for height, count in EXAMPLE_STEPS]),
    "spacing_m": 25.6,
    "frequency_mhz": 3500.0,
    "transmitter_height_m": 15.0,
    "receiver_height_m": 3.0,
    "variability": 1,
}


def test_example_path_with_its_intermediate_values():
    result = itm_loss(**EXAMPLE)
    assert ItmMode(result.mode) is ItmMode.LINE_OF_SIGHT
    assert ItmWarning(int(result.warnings)) is ItmWarning.NONE
    assert result.loss_db == pytest.approx(114.5, abs=0.05)
    assert result.free_space_loss_db == pytest.approx(114.5, abs=0.05)
    assert result.distance_m == pytest.approx(3635, abs=0.5)
    assert result.transmitter_horizon_angle_rad == pytest.approx(-1.949e-3, abs=5e-7)
    assert result.receiver_horizon_angle_rad == pytest.approx(-0.856e-3, abs=5e-7)
    assert result.transmitter_horizon_distance_m == pytest.approx(14868, abs=0.5)
    assert result.receiver_horizon_distance_m == pytest.approx(6494, abs=0.5)
    assert result.transmitter_effective_height_m == pytest.approx(15.0, abs=0.05)
    assert result.receiver_effective_height_m == pytest.approx(3.0, abs=0.05)
    assert result.surface_refractivity == pytest.approx(251.5, abs=0.05)
    assert result.terrain_irregularity_m == pytest.approx(3.2, abs=0.05)
    assert result.reference_attenuation_db == 0.0


def test_example_path_with_reliability_and_confidence():
    result = itm_loss(
        **EXAMPLE,
        time_percent=[[10.0], [65.0], [90.0]],
        situation_percent=[10.0, 60.0, 90.0],
    )
    published = [[110.9, 117.2, 129.1], [110.9, 117.4, 129.2], [110.9, 117.5, 129.3]]
    np.testing.assert_allclose(result.loss_db, published, atol=0.0501)


# Reference attenuation and loss by another program, itmlogic 1.2: a Python version of ITM 1.2.2,
# whose decibels take 4.343 for 10/ln 10 and differ by up to 0.02 dB.
OTHER_PROGRAM = (
    ("scatter", (301, 500.0, (120.0, 40e3), (20.0, 3e3)),
     (900.0, 60.0, 10.0, 320.0, 2, "horizontal", 25.0, 0.02), (10.0, 90.0, 70.0, 3), 73.12, 205.48),
    ("scatter", (401, 1000.0, (80.0, 90e3), (30.0, 11e3)),
     (2600.0, 40.0, 3.0, 301.0, 5, "vertical", 15.0, 0.005), (90.0, 20.0, 60.0, 1), 84.95, 244.03),
    ("edges", (201, 200.0, (60.0, 23e3), (15.0, 2.3e3)),
     (150.0, 30.0, 2.0, 370.0, 3, "vertical", 15.0, 0.005), (30.0, 50.0, 50.0, 22), 42.54, 145.07),
    ("sight", (101, 300.0, (150.0, 14e3), (10.0, 1e3)),
     (3500.0, 25.0, 1.5, 301.0, 5, "horizontal", 4.0, 0.001), (50.0, 50.0, 80.0, 2), 80.90, 219.56),
    ("sight", (241, 90.0, (40.0, 9e3), (5.0, 700.0)),
     (450.0, 50.0, 5.0, 280.0, 4, "vertical", 15.0, 0.005), (95.0, 40.0, 30.0, 10), 40.08, 148.97),
    ("scatter", (351, 700.0, (25.0, 60e3), (3.0, 4e3)),
     (60.0, 200.0, 30.0, 350.0, 7, "horizontal", 81.0, 5.0), (1.5, 50.0, 50.0, 3), 50.74, 129.87),
    ("sight", (121, 100.0, (300.0, 26e3), (8.0, 900.0)),
     (1800.0, 35.0, 1.5, 360.0, 1, "vertical", 15.0, 0.005), (50.0, 10.0, 5.0, 0), 76.13, 174.41),
    ("scatter", (501, 900.0, (50.0, 300e3), (12.0, 9e3)),
     (700.0, 90.0, 8.0, 320.0, 6, "vertical", 25.0, 0.02), (99.0, 50.0, 20.0, 33), 74.60, 227.54),
)  # fmt: skip
MODES = {
    "sight": ItmMode.LINE_OF_SIGHT,
    "edges": ItmMode.DIFFRACTION,
    "scatter": ItmMode.TROPOSCATTER,
}


@pytest.mark.parametrize(
    ("mode", "ground", "link", "percentages", "attenuation", "loss"), OTHER_PROGRAM
)
def test_another_program(mode, ground, link, percentages, attenuation, loss):
    names = (
        "frequency_mhz", "transmitter_height_m", "receiver_height_m", "n0", "climate",
        "polarisation", "permittivity", "conductivity_s_m",
    )  # fmt: skip
    percentage_names = ("time_percent", "location_percent", "situation_percent", "variability")
    result = itm_loss(
        profile(*ground),
        ground[1],
        **dict(zip(names, link, strict=True)),
        **dict(zip(percentage_names, percentages, strict=True)),
    )
    assert result.mode == MODES[mode]
    assert result.reference_attenuation_db == pytest.approx(attenuation, abs=0.025)
    assert result.loss_db == pytest.approx(loss, abs=0.025)


# --- the shape of the thing


def test_many_profiles_are_each_one_profile():
    grounds = np.stack([profile(61, 250.0, (height, 9e3)) for height in (5.0, 60.0, 200.0)])
    frequencies = np.array([[150.0], [2600.0]])
    together = itm_loss(grounds, 250.0, **PLAIN | {"frequency_mhz": frequencies})
    assert together.loss_db.shape == together.warnings.shape == (2, 3)
    for i, frequency in enumerate((150.0, 2600.0)):
        for k, ground in enumerate(grounds):
            alone = itm_loss(ground, 250.0, **PLAIN | {"frequency_mhz": frequency})
            assert isinstance(alone.loss_db, float)
            for name, value in vars(alone).items():
                assert np.broadcast_to(getattr(together, name), (2, 3))[i, k] == value, name


def test_inputs_stay_as_they_are():
    ground = profile(50, 100.0, (40.0, 2e3))
    ground.setflags(write=False)
    before = ground.copy()
    itm_loss(ground, 100.0, **PLAIN)
    np.testing.assert_array_equal(ground, before)


def test_both_directions_of_a_path_lose_the_same():
    ground = profile(301, 100.0, (80.0, 13e3), (9.0, 1.7e3))
    there = itm_loss(ground, 100.0, **PLAIN)
    back = itm_loss(
        ground[::-1],
        100.0,
        frequency_mhz=700.0,
        transmitter_height_m=PLAIN["receiver_height_m"],
        receiver_height_m=PLAIN["transmitter_height_m"],
    )
    assert there.transmitter_horizon_distance_m == back.receiver_horizon_distance_m
    assert there.loss_db == pytest.approx(back.loss_db, abs=0.5)


@given(
    percent=st.floats(1.0, 98.0),
    step=st.floats(0.1, 1.0),
    climate=st.sampled_from(Climate),
    which=st.sampled_from(["time_percent", "location_percent", "situation_percent"]),
)
def test_more_certainty_costs_more(percent, step, climate, which):
    ground = profile(201, 200.0, (60.0, 23e3), (15.0, 2.3e3))
    low, high = itm_loss(
        ground, 200.0, **PLAIN, climate=climate, **{which: [percent, percent + step]}
    ).loss_db
    assert high > low


def test_single_message_counts_the_situation_alone():
    ground = profile(101, 100.0, (60.0, 3e3))
    losses = itm_loss(
        ground, 100.0, **PLAIN, variability=0, situation_percent=90.0,
        time_percent=[5.0, 50.0, 95.0], location_percent=[20.0, 30.0, 99.0],
    ).loss_db  # fmt: skip
    assert np.ptp(losses) == 0.0


def test_nothing_varies_without_variability():
    # Only the residue of the situation's own deviation is left when it is taken out, and with
    # every other percentage at 50 there is none.
    ground = profile(101, 100.0, (60.0, 3e3))
    losses = itm_loss(ground, 100.0, **PLAIN, variability=33, situation_percent=[1.0, 50.0, 99.0])
    np.testing.assert_allclose(losses.loss_db, losses.loss_db[1], atol=0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"frequency_mhz": 19.9},
        {"frequency_mhz": 20_001.0},
        {"transmitter_height_m": 0.4},
        {"transmitter_height_m": 3001.0},
        {"receiver_height_m": 0.4},
        {"receiver_height_m": np.nan},
        {"n0": 249.0},
        {"n0": 401.0},
        {"permittivity": 0.9},
        {"permittivity": 1.0},
        {"conductivity_s_m": 0.0},
        {"time_percent": 0.0},
        {"location_percent": 100.0},
        {"situation_percent": -1.0},
        {"climate": 0},
        {"climate": 8},
        {"polarisation": "circular"},
        {"variability": 4},
        {"variability": 34},
        {"variability": -1},
        {"spacing_m": 0.0},
        {"ground_m": [300.0]},
        {"ground_m": 300.0},
        {"ground_m": [300.0, np.nan, 310.0]},
        {"ground_m": [300.0, 9500.0, 310.0]},
        {"ground_m": [7000.0, 7000.0, 7000.0]},  # the air is too thin there: N_s under 150
    ],
)
def test_refusals(wrong):
    inputs = {"ground_m": [300.0, 305.0, 310.0], "spacing_m": 500.0} | PLAIN | wrong
    name = next(iter(wrong))
    with pytest.raises(OutOfRangeError, match=f"{name}|surface_refractivity"):
        itm_loss(**inputs)


def test_where_the_theory_has_no_value_the_result_says_so():
    """Over sea, vertically polarised, behind a near hill: the series takes a negative logarithm."""
    ground = np.zeros(401)
    ground[5] = 20.0
    link = {"transmitter_height_m": 10.0, "receiver_height_m": 10.0, "conductivity_s_m": 5.0}
    loss = itm_loss(ground, 50.0, frequency_mhz=25.0, permittivity=81.0, **link)
    assert np.isnan(loss.loss_db)
    assert ItmWarning.NO_LOSS in ItmWarning(int(loss.warnings))
