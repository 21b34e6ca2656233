"""Rates against the standards' peak rates, examples by hand and a search over all choices."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import (
    Direction,
    Link,
    coverage_probability,
    downlink_mbps,
    link_figures,
    lte_downlink_overhead,
    lte_uplink_overhead,
    rsrq_db,
    sinr_db,
    spectral_efficiency,
    uplink_limit_db,
    uplink_mbps,
)

EVERYTHING_DB = 100.0
LTE = Link(
    n_resource_blocks=50,
    subcarrier_spacing_khz=15,
    ports=2,
    reference_elements=2,
    terminal_noise_figure_db=9.0,
    terminal_power_dbm=23.0,
    base_noise_figure_db=5.0,
    uplink_interference_db=3.0,
    downlink=Direction(2, "64qam", overhead=0.221, share=1.0, attenuation=0.6),
    uplink=Direction(1, "64qam", overhead=0.177, share=1.0, attenuation=0.4),
)
NR = replace(
    LTE,
    n_resource_blocks=273,
    subcarrier_spacing_khz=30,
    ports=1,
    reference_elements=12,
    downlink=Direction(4, "256qam", overhead=0.14, share=1.0, attenuation=0.6),
    uplink=Direction(2, "256qam", overhead=0.08, share=1.0, attenuation=0.4),
)
LINKS = pytest.mark.parametrize("link", [LTE, NR], ids=["lte", "nr"])


def with_downlink(link, blocks, **changes):
    return replace(link, n_resource_blocks=blocks, downlink=replace(link.downlink, **changes))


# --- Peak rates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "spacing_khz", "layers", "modulation", "order", "overhead"),
    [
        (273, 30, 4, "256qam", 8, 0.14),  # 100 MHz: 2,337 Mbit/s
        (106, 15, 2, "256qam", 8, 0.14),  # 20 MHz
        (160, 15, 2, "64qam", 6, 0.14),  # 30 MHz
        (51, 30, 1, "64qam", 6, 0.08),  # 20 MHz
    ],
)
def test_peak_of_nr_is_that_of_ts_38306(blocks, spacing_khz, layers, modulation, order, overhead):
    # 10⁻⁶ · v · Q · 948/1024 · 12 N / T, with T = 10⁻³ / (14 · 2^µ): section 4.1.2
    symbol_s = 1e-3 / (14 * spacing_khz / 15)
    peak = 1e-6 * layers * order * 948 / 1024 * 12 * blocks / symbol_s * (1 - overhead)
    link = with_downlink(
        replace(NR, subcarrier_spacing_khz=spacing_khz),
        blocks,
        layers=layers,
        modulation=modulation,
        overhead=overhead,
    )
    assert float(downlink_mbps(EVERYTHING_DB, link)) == pytest.approx(peak, rel=1e-6)
    assert float(downlink_mbps(EVERYTHING_DB, NR)) == pytest.approx(2337.0, abs=0.1)


@pytest.mark.parametrize(
    ("blocks", "modulation", "transport_block"),
    # TS 36.213 table 7.1.7.2.1-1, transport block index 26 (64QAM) and 33 (256QAM); two blocks of
    # 75,376 bits a millisecond are category 4 of TS 36.306 table 4.1-1, 150,752
    [(100, "64qam", 75_376), (50, "64qam", 36_696), (100, "256qam", 97_896)],
)
def test_peak_of_lte_is_that_of_its_transport_blocks(blocks, modulation, transport_block):
    link = with_downlink(
        LTE, blocks, modulation=modulation, overhead=lte_downlink_overhead(blocks, 2)
    )
    peak = 2 * transport_block / 1e3
    assert float(downlink_mbps(EVERYTHING_DB, link)) == pytest.approx(peak, rel=0.035)


def test_peak_of_ltes_uplink_is_that_of_its_transport_block():
    link = replace(
        LTE,
        n_resource_blocks=100,
        uplink=replace(LTE.uplink, overhead=lte_uplink_overhead(100, 4)),
    )
    assert float(uplink_mbps(0.0, link)) == pytest.approx(75.376, rel=0.02)


def test_highest_efficiencies_are_those_of_the_tables():
    # TS 38.214 tables 5.1.3.1-1 and 5.1.3.1-2, TS 36.213 tables 7.2.3-1 and 7.2.3-2: last entries
    assert LTE.uplink.highest_efficiency == pytest.approx(5.5547, abs=5e-5)
    assert NR.uplink.highest_efficiency == pytest.approx(7.4063, abs=5e-5)


# --- By hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sinr", "layers", "bits"),
    [
        pytest.param(0.0999, 1, 0.0, id="below −10 dB"),
        pytest.param(0.1001, 1, 0.6 * math.log2(1.1001), id="above −10 dB"),
        pytest.param(3.0, 4, 1.2, id="one layer of four: 0.6 log 4"),
        pytest.param(7.9, 4, 0.6 * math.log2(8.9), id="one layer up to 8"),
        pytest.param(8.1, 2, 1.2 * math.log2(1 + 8.1 / 4), id="two layers from 8"),
        pytest.param(31.9, 4, 1.2 * math.log2(1 + 31.9 / 4), id="two layers up to 32"),
        pytest.param(32.1, 4, 2.4 * math.log2(1 + 32.1 / 16), id="four layers from 32"),
        pytest.param(1e9, 1, 7.40625, id="highest of one layer"),
        pytest.param(1e9, 4, 29.625, id="highest of four"),
    ],
)
def test_link_curve_by_hand(sinr, layers, bits):
    direction = Direction(layers, "256qam", overhead=0.5, share=0.5, attenuation=0.6)
    found = spectral_efficiency(10 * math.log10(sinr), direction)
    assert float(found) == pytest.approx(bits, rel=1e-5)


def test_downlink_by_hand():
    # 10 dB on two layers: 1.2 log2(1 + 10/4) = 2.1688 bits, on 50 blocks of 168 elements a
    # millisecond, less 22.1 %: 2.1688 · 8.4 · 0.779
    assert float(downlink_mbps(10.0, LTE)) == pytest.approx(14.192, abs=0.001)
    half = replace(LTE, downlink=replace(LTE.downlink, share=0.5))
    assert float(downlink_mbps(10.0, half)) == pytest.approx(7.096, abs=0.001)


def test_uplink_by_hand():
    # One block: 23 − 10.792 + 127.214 − 3 = 136.422 dB; at a loss of 130 dB 6.422 dB remain, 4.387
    # times, which spread over 43 blocks is 0.10203: 0.4 log2(1.10203) = 0.05606 bits on each
    assert LTE.one_block_limit_db == pytest.approx(136.422, abs=0.001)
    assert float(uplink_mbps(130.0, LTE)) == pytest.approx(0.3333, abs=0.0005)
    # one block gets through up to 136.422 + 10 dB
    assert [float(uplink_mbps(loss, LTE)) > 0.0 for loss in (146.41, 146.43)] == [True, False]
    assert uplink_limit_db(None, LTE) == pytest.approx(146.422, abs=0.001)


# --- Against a search over all choices ----------------------------------------------------------


def best_bits(snr, direction):
    """Return the bits per element of the best number of layers, in double precision."""
    if snr < 10 ** (direction.sinr_min_db / 10) * (1 - 1e-9):
        return 0.0
    return max(
        n * min(direction.attenuation * math.log2(1 + snr / n**2), direction.highest_efficiency)
        for n in (1, 2, 4)
        if n <= direction.layers
    )


def best_uplink(loss, link):
    """Return the highest rate over any number of blocks."""
    snr = 10 ** ((link.one_block_limit_db - loss) / 10)
    bits = (n * best_bits(snr / n, link.uplink) for n in range(1, link.n_resource_blocks + 1))
    return max(bits) * link.block_mbps(link.uplink)


@LINKS
def test_no_other_number_of_blocks_gives_more(link):
    losses = np.linspace(60.0, 150.0, 200)
    expected = [best_uplink(loss, link) for loss in losses]
    np.testing.assert_allclose(uplink_mbps(losses, link), expected, rtol=1e-4)


@LINKS
def test_rates_grow_with_the_signal(link):
    levels = np.linspace(-30.0, 60.0, 5_000)
    for rates in (downlink_mbps(levels, link), uplink_mbps(140.0 - levels, link)):
        assert (np.diff(rates) >= 0.0).all()
        assert rates[0] == 0.0
        assert rates[-1] > 10.0


@LINKS
@pytest.mark.parametrize("mbps", [0.064, 0.256, 1.0, 5.0, 20.0])
def test_the_uplink_closes_up_to_its_limit(link, mbps):
    limit = uplink_limit_db(mbps, link)
    below, above = uplink_mbps([limit - 0.01, limit + 0.01], link)
    assert above < mbps <= below


def test_a_rate_beyond_the_carrier_is_never_reached():
    assert uplink_limit_db(1_000.0, LTE) == -math.inf
    with pytest.raises(OutOfRangeError, match="mbps is 0"):
        uplink_limit_db(0.0, LTE)


@LINKS
@given(
    rsrp=st.floats(-150.0, -30.0),
    interference=st.floats(-160.0, -30.0),
    re_power=st.floats(-10.0, 30.0),
    load=st.floats(0.0, 1.0),
)
def test_one_pass_is_what_the_functions_say_one_by_one(link, rsrp, interference, re_power, load):
    figures = link_figures(
        rsrp,
        10 ** (interference / 10),
        re_power,
        load,
        link,
        threshold_dbm=-105.0,
        sigma_db=7.0,
        uplink_mbps=0.5,
    )
    noise = link.noise_dbm
    ratio = sinr_db(rsrp, interference, noise)
    coupling = np.float32(re_power) - np.float32(rsrp)
    for found, expected in zip(
        figures,
        (
            ratio,
            rsrq_db(rsrp, interference, noise, load, link.ports, link.reference_elements),
            downlink_mbps(figures.sinr_db, link),
            uplink_mbps(coupling, link),
            uplink_limit_db(0.5, link) - coupling,
            coverage_probability(rsrp, -105.0, 7.0),
        ),
        strict=True,
    ):
        assert float(found) == pytest.approx(float(expected), rel=1e-4, abs=1e-4)


@LINKS
def test_all_figures_against_double_precision(link):
    rng = np.random.default_rng(3)
    shape = (40, 50)
    rsrp = rng.uniform(-140.0, -50.0, shape).astype(np.float32)
    interference = (10 ** rng.uniform(-16.0, -6.0, shape)).astype(np.float32)
    load = rng.random(shape).astype(np.float32)
    figures = link_figures(rsrp, interference, 15.0, load, link, threshold_dbm=-110.0, sigma_db=8.0)
    signal, noise = 10 ** (rsrp.astype(np.float64) / 10), 10 ** (link.noise_dbm / 10)
    ratio = signal / (interference + noise)
    np.testing.assert_allclose(figures.sinr_db, 10 * np.log10(ratio), atol=1e-4, rtol=0.0)
    blocks = link.n_resource_blocks * link.block_mbps(link.downlink)
    expected = [blocks * best_bits(one, link.downlink) for one in ratio.flat]
    np.testing.assert_allclose(figures.downlink_mbps.ravel(), expected, rtol=1e-4)
    margin = link.one_block_limit_db + 10.0 - (15.0 - rsrp)
    np.testing.assert_allclose(figures.uplink_margin_db, margin, atol=1e-4, rtol=0.0)
    assert all(figure.dtype == np.float32 and figure.shape == shape for figure in figures)


def test_where_no_signal_arrives_no_figure_is_known():
    rsrp = np.array([np.nan, -np.inf, -100.0], np.float32)
    figures = link_figures(rsrp, np.zeros(3), 15.0, 0.5, LTE, threshold_dbm=-110.0, sigma_db=8.0)
    for figure in figures:
        assert np.isnan(figure).tolist() == [True, True, False]


def test_an_error_that_is_none_is_refused():
    with pytest.raises(OutOfRangeError, match="sigma_db is 0"):
        link_figures(-100.0, 0.0, 15.0, 0.5, LTE, threshold_dbm=-110.0, sigma_db=0.0)
