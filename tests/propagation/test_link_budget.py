import numpy as np
import pytest
from scipy.stats import norm

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import (
    coverage_probability,
    edge_margin_db,
    eirp_dbm,
    maximum_allowed_path_loss_db,
    noise_power_dbm,
    resource_element_power_dbm,
    rsrp_dbm,
    rsrq_db,
    sinr_db,
    uplink_snr_db,
)

# Three budgets worked by hand.
#
#                            LTE B8 macro        LTE B3 macro          NR n78 SSB
# carrier power              46 dBm              49 dBm                53 dBm
# resource blocks            50                  100                   273
# subcarriers                600    27.782 dB    1200    30.792 dB     3276   35.153 dB
# ports                      2       3.010 dB    2        3.010 dB     1       0     dB
# power per element          15.208 dBm          15.198 dBm            17.847 dBm
# antenna                    15 dBi              18 dBi                23 dBi
# feeder + body              0.5 dB              0.5 + 3 dB            0 dB
# EIRP less losses           29.708 dBm          29.698 dBm            40.847 dBm
# path loss                  130 dB              135 dB                140 dB
# RSRP                       −100.292 dBm        −105.302 dBm          −99.153 dBm
# threshold, margin          −110 dBm, 8 dB      −110 dBm, 8 dB        −105 dBm, 10 dB
# allowed path loss          131.708 dB          131.698 dB            135.847 dB
BUDGETS = [
    pytest.param(
        (46, 50, 2), 15, 0.5, 130, (-110, 8), (15.208, 29.708, -100.292, 131.708), id="LTE B8"
    ),
    pytest.param(
        (49, 100, 2), 18, 3.5, 135, (-110, 8), (15.198, 29.698, -105.302, 131.698), id="LTE B3"
    ),
    pytest.param(
        (53, 273, 1), 23, 0, 140, (-105, 10), (17.847, 40.847, -99.153, 135.847), id="NR n78"
    ),
]


@pytest.mark.parametrize(("carrier", "gain", "losses", "path_loss", "goal", "worked"), BUDGETS)
def test_budget_by_hand(carrier, gain, losses, path_loss, goal, worked):
    element = resource_element_power_dbm(*carrier)
    results = (
        element,
        eirp_dbm(element, gain, losses),
        rsrp_dbm(element, gain, path_loss, losses),
        maximum_allowed_path_loss_db(element, gain, goal[0], losses, goal[1]),
    )
    assert results == pytest.approx(worked, abs=0.001)


def test_figures_of_practice():
    # 46 dBm over 50 resource blocks is 18.2 dBm, per port of two 15.2
    assert resource_element_power_dbm(46, 50) == pytest.approx(18.2, abs=0.05)
    assert resource_element_power_dbm(46, 50, 2) == pytest.approx(15.2, abs=0.05)


def test_rsrp_at_the_allowed_path_loss_is_the_threshold():
    allowed = maximum_allowed_path_loss_db(15.2, 15.0, -110.0, losses_db=0.5)
    assert rsrp_dbm(15.2, 15.0, allowed, 0.5) == pytest.approx(-110.0, abs=1e-12)


def test_noise_density_at_room_temperature():
    assert noise_power_dbm(1.0) == pytest.approx(-173.975, abs=0.001)
    # ten times the bandwidth is 10 dB, the noise figure is added, double temperature 3.01 dB
    assert noise_power_dbm(10.0, 7.0) == pytest.approx(-156.975, abs=0.001)
    assert noise_power_dbm(1.0, temperature_k=580.0) == pytest.approx(-170.965, abs=0.001)


def test_vector_equals_scalars():
    losses = np.array([[100.0, 120.0], [140.0, 160.0]])
    received = rsrp_dbm(15.2, 15.0, losses)
    assert received.dtype == np.float64
    np.testing.assert_array_equal(
        received, [[rsrp_dbm(15.2, 15.0, loss) for loss in row] for row in losses]
    )


@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (resource_element_power_dbm, (46, 0), "n_resource_blocks"),
        (resource_element_power_dbm, (46, 50, 0), "ports"),
        (resource_element_power_dbm, (np.nan, 50), "total_power_dbm"),
        (eirp_dbm, (15, np.nan), "gain_dbi"),
        (eirp_dbm, (15, -np.inf), "gain_dbi"),
        (rsrp_dbm, (15, 15, [100.0, np.nan]), "path_loss_db"),
        (maximum_allowed_path_loss_db, (15, 15, np.inf), "rsrp_threshold_dbm"),
        (noise_power_dbm, (0.0,), "bandwidth_hz"),
        (noise_power_dbm, (1.0, 0.0, 0.0), "temperature_k"),
        (rsrq_db, (-80.0, -90.0, -120.0, 1.5), "load"),
        (coverage_probability, (-100.0, -110.0, 0.0), "sigma_db"),
        (edge_margin_db, (1.0, 8.0), "probability"),
        (edge_margin_db, (0.75, -1.0), "sigma_db"),
        (uplink_snr_db, (130.0, 23.0, 0, -127.0), "n_resource_blocks"),
        (uplink_snr_db, (130.0, np.nan, 1, -127.0), "total_power_dbm"),
    ],
)
def test_refuses_what_is_no_budget(function, arguments, name):
    with pytest.raises(OutOfRangeError, match=name):
        function(*arguments)


# --- Pixels ------------------------------------------------------------------------------------

NOTHING = -np.inf
PIXELS = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("signal", "interference", "noise", "expected"),
    [
        pytest.param(-100, NOTHING, -120, 20.0, id="noise only"),
        pytest.param(-100, -100, -160, 0.0, id="as strong as the interference"),
        pytest.param(-100, -110, -120, 9.5861, id="10 − 10 log 1.1"),
        pytest.param(-150, -60, -125, -90.0, id="far below"),
    ],
)
def test_sinr_by_hand(signal, interference, noise, expected):
    assert float(sinr_db(signal, interference, noise)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("load", "ports", "elements", "interference", "noise", "inverse"),
    [
        # one port: the elements in use are 2 of reference signal and 10 · load of data
        pytest.param(0.0, 1, 2, 0.0, 0.0, 2.0, id="unloaded, −3 dB"),
        pytest.param(1.0, 1, 2, 0.0, 0.0, 12.0, id="loaded, −10.8 dB"),
        pytest.param(0.5, 1, 2, 0.1, 0.01, 7.0 + 12 * 0.11, id="half loaded, others, noise"),
        # two ports: 4 of reference signal, 8 · load of data at twice the power
        pytest.param(0.0, 2, 2, 0.0, 0.0, 4.0, id="two ports unloaded, −6 dB"),
        pytest.param(1.0, 2, 2, 0.1, 0.0, 20.0 + 12 * 0.2, id="two ports, others with two"),
        # of four ports two share a symbol: 4 of reference signal, 8 · load at four times
        pytest.param(1.0, 4, 2, 0.0, 0.0, 36.0, id="four ports loaded"),
        # a synchronisation block fills its symbols, whatever the load
        pytest.param(0.0, 1, 12, 0.0, 0.0, 12.0, id="NR unloaded, −10.8 dB"),
        pytest.param(1.0, 1, 12, 0.5, 0.0, 18.0, id="NR, others at half"),
    ],
)
def test_rsrq_by_hand(load, ports, elements, interference, noise, inverse):
    with np.errstate(divide="ignore"):
        others_dbm, noise_dbm = -90.0 + 10.0 * np.log10([interference, noise])
    quality = rsrq_db(-90.0, others_dbm, noise_dbm, load, ports, elements)
    assert float(quality) == pytest.approx(-10.0 * np.log10(inverse), abs=1e-4)


def test_probability_is_the_normal_distributions():
    rsrp = PIXELS.uniform(-160.0, -40.0, 10_000).astype(np.float32)
    chance = coverage_probability(rsrp, -105.0, 8.0)
    expected = norm.cdf((rsrp.astype(np.float64) + 105.0) / 8.0)
    np.testing.assert_allclose(chance, expected, rtol=0.0, atol=1e-6)
    assert chance.min() >= 0.0
    assert chance.max() <= 1.0


@pytest.mark.parametrize(
    ("probability", "sigma", "margin"),
    [(0.5, 8.0, 0.0), (0.75, 8.0, 5.396), (0.9, 8.0, 10.252), (0.9, 6.0, 7.689)],
)
def test_margin_of_the_edge_by_the_table_of_the_normal_distribution(probability, sigma, margin):
    assert float(edge_margin_db(probability, sigma)) == pytest.approx(margin, abs=0.001)
    chance = coverage_probability(-105.0 + margin, -105.0, sigma)
    assert float(chance) == pytest.approx(probability, abs=1e-4)


def test_uplink_by_hand():
    # 23 dBm over 50 blocks is −4.782 dBm a subcarrier; −130 dB, noise −127.214 and 3 dB of others
    noise = noise_power_dbm(15_000.0, 5.0)
    assert float(noise) == pytest.approx(-127.214, abs=0.001)
    assert float(uplink_snr_db(130.0, 23.0, 50, noise, 3.0)) == pytest.approx(-10.568, abs=0.001)


def test_where_no_signal_arrives_nothing_is_known():
    silence = np.array([np.nan, -np.inf, -100.0], np.float32)
    for figures in (
        sinr_db(silence, -110.0, -120.0),
        rsrq_db(silence, -110.0, -120.0, 0.5),
        coverage_probability(silence, -105.0, 8.0),
        uplink_snr_db(15.2 - silence, 23.0, 50, -127.2),
    ):
        assert np.isnan(figures).tolist() == [True, True, False]


def test_pixels_keep_shape_and_precision():
    rsrp = PIXELS.uniform(-130.0, -60.0, (3, 4)).astype(np.float32)
    interference = PIXELS.uniform(-130.0, -60.0, (3, 4)).astype(np.float32)
    ratio = sinr_db(rsrp[:, ::2], interference[:, ::2], -124.0)
    assert (ratio.dtype, ratio.shape) == (np.float32, (3, 2))
    assert ratio[2, 1] == sinr_db(rsrp[2, 2], interference[2, 2], -124.0)
    power = 10.0 ** (np.array([rsrp, interference], np.float64) / 10.0)
    expected = 10.0 * np.log10(power[0] / (power[1] + 10.0**-12.4))
    np.testing.assert_allclose(ratio, expected[:, ::2], rtol=0.0, atol=1e-4)
