import numpy as np
import pytest

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import (
    eirp_dbm,
    maximum_allowed_path_loss_db,
    noise_power_dbm,
    resource_element_power_dbm,
    rsrp_dbm,
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
    ],
)
def test_refuses_what_is_no_budget(function, arguments, name):
    with pytest.raises(OutOfRangeError, match=name):
        function(*arguments)
