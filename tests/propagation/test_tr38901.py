import csv

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import (
    inh_los_probability,
    inh_loss,
    rma_los_probability,
    rma_loss,
    uma_los_probability,
    uma_loss,
    umi_los_probability,
    umi_loss,
)

MODELS = {"RMa": rma_loss, "UMa": uma_loss, "UMi": umi_loss}


def test_published_values(shared):
    with (shared / "validation/tr38901/pathloss.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    for row in rows:
        loss = MODELS[row["scenario"]](
            float(row["d2d_m"]),
            float(row["freq_ghz"]) * 1e3,
            float(row["h_bs_m"]),
            float(row["h_ut_m"]),
            line_of_sight=row["los"] == "1",
        )
        assert loss == pytest.approx(float(row["pathloss_db"]), abs=0.05), row


def test_inh_by_hand():
    # Slant 10.19804 m at 3.5 GHz: log d = 1.008517, log f = 0.544068.
    # LOS 32.4 + 17.3·1.008517 + 10.88136 = 60.7287; NLOS 17.3 + 38.3·1.008517 + 13.54729 = 69.4735
    assert inh_loss(10.0, 3500.0, 3.0, 1.0, True) == pytest.approx(60.729, abs=0.001)
    assert inh_loss(10.0, 3500.0, 3.0, 1.0, False) == pytest.approx(69.473, abs=0.001)


# 2π·35·1.5·900e6/3e8, and 4·24·0.5·900e6/3e8 and 4·9·0.5·900e6/3e8
RMA_BREAK_POINT_M = 2 * np.pi * 35.0 * 1.5 * 3.0
UMA_BREAK_POINT_M = 4 * 24.0 * 0.5 * 3.0
UMI_BREAK_POINT_M = 4 * 9.0 * 0.5 * 3.0


@pytest.mark.parametrize(
    ("model", "base", "break_point", "step"),
    [
        # the report's near side takes the break point for a slant distance: a step of 0.005 dB
        pytest.param(rma_loss, 35.0, RMA_BREAK_POINT_M, 0.01, id="RMa"),
        pytest.param(uma_loss, 25.0, UMA_BREAK_POINT_M, 1e-6, id="UMa"),
        pytest.param(umi_loss, 10.0, UMI_BREAK_POINT_M, 1e-6, id="UMi"),
    ],
)
def test_continuous_at_the_break_point(model, base, break_point, step):
    around = break_point * np.array([1 - 1e-9, 1 + 1e-9])
    before, after = model(around, 900.0, base, 1.5, True)
    assert after == pytest.approx(before, abs=step)


@pytest.mark.parametrize(
    ("model", "base", "break_point", "near_slope"),
    [
        # RMa, h = 5 m: 20 + 0.03 h^1.72, and ln 10 · 0.002 log h · slant from the linear term
        pytest.param(
            rma_loss,
            35.0,
            RMA_BREAK_POINT_M,
            20 + 0.03 * 5**1.72 + np.log(10) * 0.002 * np.log10(5) * 0.99 * RMA_BREAK_POINT_M,
            id="RMa",
        ),
        pytest.param(uma_loss, 25.0, UMA_BREAK_POINT_M, 22.0, id="UMa"),
        pytest.param(umi_loss, 10.0, UMI_BREAK_POINT_M, 21.0, id="UMi"),
    ],
)
def test_slope_changes_at_the_break_point(model, base, break_point, near_slope):
    def slope(distance):
        distances = distance * np.array([0.9999, 1.0001])
        losses = model(distances, 900.0, base, 1.5, True)
        return np.diff(losses)[0] / np.diff(np.log10(np.hypot(distances, base - 1.5)))[0]

    assert slope(break_point * 0.99) == pytest.approx(near_slope, abs=0.01)
    assert slope(break_point * 1.01) == pytest.approx(40.0, abs=0.01)


LOSSES = {
    "RMa": (rma_loss, (10.0, 5e3), 35.0),
    "UMa": (uma_loss, (10.0, 5e3), 25.0),
    "UMi": (umi_loss, (10.0, 5e3), 10.0),
    "InH": (inh_loss, (1.0, 149.0), 3.0),
}
PROBABILITIES = {
    "RMa": rma_los_probability,
    "UMa": uma_los_probability,
    "UMi": umi_los_probability,
    "InH": inh_los_probability,
}


@pytest.mark.parametrize("scenario", LOSSES)
def test_expected_loss_lies_between_the_states(scenario):
    model, distances, base = LOSSES[scenario]
    away = np.geomspace(*distances, 200)
    sighted, obstructed = (model(away, 900.0, base, 1.5, state) for state in (True, False))
    expected = model(away, 900.0, base, 1.5)
    assert (sighted <= obstructed).all()
    assert (sighted - 1e-9 <= expected).all()
    assert (expected <= obstructed + 1e-9).all()
    share = PROBABILITIES[scenario](away)
    np.testing.assert_allclose(expected, obstructed - share * (obstructed - sighted))


@pytest.mark.parametrize("scenario", LOSSES)
def test_array_of_states_picks_each(scenario):
    model, distances, base = LOSSES[scenario]
    away = np.geomspace(*distances, 6)
    states = [True, False, True, False, True, False]
    mixed = model(away, 900.0, base, 1.5, states)
    single = [model(d, 900.0, base, 1.5, state) for d, state in zip(away, states, strict=True)]
    np.testing.assert_allclose(mixed, single, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scenario", PROBABILITIES)
def test_probability_falls_from_one(scenario):
    share = PROBABILITIES[scenario](np.concatenate([[0.0], np.geomspace(0.5, 1e5, 400)]))
    assert share[0] == 1.0
    assert (share >= 0.0).all()
    # The tabulated pieces of InH do not quite meet: open offices step up by 0.003 at 49 m.
    assert (np.diff(share) <= 0.003).all()


@pytest.mark.parametrize("scenario", PROBABILITIES)
@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_probability_refuses_what_is_no_distance(scenario, bad):
    with pytest.raises(OutOfRangeError, match=r"distance_m .*table 7\.4\.2-1"):
        PROBABILITIES[scenario](bad)


@pytest.mark.parametrize(
    ("probability", "arguments", "expected"),
    [
        (rma_los_probability, (10.0,), 1.0),
        (rma_los_probability, (1010.0,), np.exp(-1.0)),
        (umi_los_probability, (18.0,), 1.0),
        (umi_los_probability, (36.0,), 0.5 + np.exp(-1.0) * 0.5),
        (uma_los_probability, (18.0,), 1.0),
        (uma_los_probability, (63.0,), 18 / 63 + np.exp(-1.0) * 45 / 63),
        (uma_los_probability, (18.0, 23.0), 1.0),  # g is 0 up to 18 m however high
        (  # 23 m: C' = 1, 1.25·(150/100)³·exp(−1) = 1.5520 more
            uma_los_probability,
            (150.0, 23.0),
            (0.12 + np.exp(-150 / 63) * 0.88) * (1 + 1.25 * 3.375 * np.exp(-1.0)),
        ),
        (inh_los_probability, (1.2, "mixed"), 1.0),
        (inh_los_probability, (5.9, "mixed"), np.exp(-1.0)),
        (inh_los_probability, (39.1, "mixed"), 0.32 * np.exp(-1.0)),
        (inh_los_probability, (5.0, "open"), 1.0),
        (inh_los_probability, (49.0, "open"), np.exp(-44 / 70.8)),
        (inh_los_probability, (260.7, "open"), 0.54 * np.exp(-1.0)),
    ],
)
def test_probability_closed_forms(probability, arguments, expected):
    assert probability(*arguments) == pytest.approx(expected, abs=1e-12)


def test_office_counts_for_the_expected_loss_only():
    assert inh_loss(20.0, 3500.0, 3.0, 1.0, office="open") < inh_loss(20.0, 3500.0, 3.0, 1.0)
    with pytest.raises(OutOfRangeError, match="office is 'home'"):
        inh_loss(20.0, 3500.0, 3.0, 1.0, office="home")


def test_uma_probability_ends_at_23_m():
    with pytest.raises(OutOfRangeError, match="terminal_height_m is 23.5"):
        uma_los_probability(100.0, 23.5)


@given(
    distance=st.floats(10.0, 5e3),
    frequency=st.floats(500.0, 30e3),
    base=st.floats(10.0, 150.0),
    terminal=st.floats(1.0, 10.0),
)
def test_rma_obstruction_never_helps(distance, frequency, base, terminal):
    sighted, obstructed = (
        rma_loss(distance, frequency, base, terminal, state) for state in (True, False)
    )
    assert obstructed >= sighted
