"""A service's rule and the choice among its carriers, from figures set by hand."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.stats import norm

from ankang_coverage.coverage.signal.carriers import TileSignals
from ankang_coverage.coverage.signal.service import VARIABLES, Rule, ServedTiles
from ankang_coverage.coverage.signal.tiles import TILE, Tile
from ankang_coverage.propagation import uplink_mbps
from ankang_coverage.sites.catalogue import radio_layer, service

B8, B3, N78 = (radio_layer(id_) for id_ in ("lte-b8", "lte-b3", "nr-n78"))
RE_POWER_DBM = 15.2
NOISE_DBM = -174.0 + 10 * math.log10(15e3) + 9.0


@dataclass
class ByHand:
    """A carrier that is heard on one tile as told."""

    levels: list
    servers: list
    others_mw: list
    reads: list = field(default_factory=list)

    def read(self, tile):
        self.reads.append(tile)
        if tile != Tile(0, 0):
            return None
        n = len(self.levels)
        level = np.array(self.levels, np.float32)[None]
        heard = ~np.isnan(level)
        return TileSignals(
            rsrp_dbm=level,
            best=np.where(heard, np.array(self.servers)[None], -1).astype(np.int32),
            second_dbm=level - np.float32(3.0),
            second=np.where(heard, 9, -1).astype(np.int32),
            best_mw=np.zeros((1, n), np.float32),
            others_mw=np.array(self.others_mw, np.float32)[None],
            n_near=np.where(heard, 2, 0).astype(np.uint8),
            obstacle_m=np.full((1, n), 120.0, np.float32),
        )


def served(carriers, rule=None, sigma_db=8.0, cells=10):
    return ServedTiles(
        carriers=carriers,
        rule=Rule(rule or service("4g"), sigma_db),
        re_power_dbm=np.array([RE_POWER_DBM] * cells + [np.nan], np.float32),
        load=np.array([0.5] * cells + [np.nan], np.float32),
    )


def figures(levels, rule=None, layer=B8, others_mw=None, sigma_db=8.0):
    quiet = [0.0] * len(levels)
    own = ByHand(levels, [0] * len(levels), others_mw or quiet)
    return served([(own, layer)], rule, sigma_db).read(Tile(0, 0))


def plain(**parts):
    """A rule of RSRP alone, its median, with other parts where given."""
    rule = {"edge_probability": 0.5, "sinr_threshold_db": None, "uplink_mbps": None} | parts
    return service("4g").with_fields(**rule)


def test_a_median_suffices_at_even_odds_and_a_margin_is_kept_at_others():
    levels = [-110.01, -109.99, -104.61, -104.59]
    assert figures(levels, plain())["covered"].tolist() == [[False, True, True, True]]
    # 0.6745 · 8 dB = 5.40 dB
    three_in_four = plain(edge_probability=0.75)
    assert figures(levels, three_in_four)["covered"].tolist() == [[False, False, False, True]]
    assert figures(levels, three_in_four, sigma_db=4.0)["covered"].tolist() == [
        [False, False, True, True]
    ]
    found = figures(levels, three_in_four)["coverage_probability"][0]
    assert found == pytest.approx(norm.cdf((np.array(levels) + 110.0) / 8.0), abs=2e-6)


def test_interference_takes_cover_away_at_3_db_above_the_signal():
    noise = 10 ** (NOISE_DBM / 10)
    just = 1e-9 * 10**0.3 - noise  # −90 dBm against 3 dB more
    found = figures(
        [-90.0, -90.0], plain(sinr_threshold_db=-3.0), others_mw=[just * 0.999, just * 1.001]
    )
    assert found["sinr_db"][0] == pytest.approx([-3.0, -3.0], abs=0.01)
    assert found["covered"].tolist() == [[True, False]]


def test_the_uplink_closes_exactly_where_it_carries_the_rate():
    rule = plain(uplink_mbps=0.256, rsrp_threshold_dbm=-140.0)
    margin = figures([-120.0], rule)["uplink_margin_db"][0, 0]
    edge = -120.0 - float(margin)
    found = figures([edge - 0.01, edge + 0.01], rule)
    assert found["covered"].tolist() == [[False, True]]
    low, high = (float(uplink_mbps(RE_POWER_DBM - edge + d, B8.link)) for d in (0.05, -0.05))
    assert low < 0.256 < high
    assert found["uplink_mbps"][0] == pytest.approx([0.256, 0.256], rel=0.01)


@pytest.mark.parametrize(
    ("building", "layer", "loss_db"),
    [
        # P.2109 equations 1 to 9 at P = 0.5, worked out on paper for 0.9415 and 3.45 GHz
        ("traditional", B8, 14.27),
        ("efficient", N78, 30.87),
    ],
)
def test_indoors_the_entry_loss_is_on_signal_and_interference_alike(building, layer, loss_db):
    rule = plain(indoor=building, rsrp_threshold_dbm=-140.0)
    outdoors = figures([-70.0], plain(), layer, [1e-9])
    indoors = figures([-70.0], rule, layer, [1e-9])
    entry = -70.0 - indoors["rsrp_dbm"][0, 0]
    assert entry == pytest.approx(loss_db, abs=0.01)
    assert indoors["second_rsrp_dbm"][0, 0] == pytest.approx(-73.0 - entry, abs=1e-4)
    noise = 10 ** (layer.link.noise_dbm / 10)
    fade = 10 ** (-entry / 10)
    expected = 10 * math.log10(1e-7 * fade / (1e-9 * fade + noise))
    assert indoors["sinr_db"][0, 0] == pytest.approx(expected, abs=1e-3)
    assert indoors["sinr_db"] < outdoors["sinr_db"]
    assert indoors["uplink_margin_db"][0, 0] == pytest.approx(
        outdoors["uplink_margin_db"][0, 0] - entry, abs=1e-3
    )


NAN = math.nan
CHOICES = [
    # first: level, interference; second: level, interference; who serves (0, 1 or none)
    (-80.0, 0.0, -85.0, 0.0, 0),  # both cover: the stronger
    (-85.0, 0.0, -80.0, 0.0, 1),
    (-80.0, 0.0, -80.0, 0.0, 0),  # equal: the earlier
    (-80.0, 1e-6, -95.0, 0.0, 1),  # the stronger is drowned: the one that covers
    (-95.0, 0.0, -80.0, 1e-6, 0),
    (-120.0, 0.0, -115.0, 0.0, 1),  # neither covers: the stronger
    (-115.0, 0.0, -120.0, 0.0, 0),
    (NAN, 0.0, -120.0, 0.0, 1),  # one is not heard
    (-120.0, 0.0, NAN, 0.0, 0),
    (NAN, 0.0, NAN, 0.0, -1),
]


def test_the_carrier_that_covers_serves_then_the_stronger_then_the_earlier():
    one = ByHand([c[0] for c in CHOICES], [0] * len(CHOICES), [c[1] for c in CHOICES])
    two = ByHand([c[2] for c in CHOICES], [1] * len(CHOICES), [c[3] for c in CHOICES])
    found = served([(one, B8), (two, B3)], plain(sinr_threshold_db=-3.0)).read(Tile(0, 0))
    assert found["best_server"][0].tolist() == [c[4] for c in CHOICES]
    for n, (first, _, second, _, winner) in enumerate(CHOICES):
        if winner < 0:
            assert np.isnan(found["rsrp_dbm"][0, n])
            assert np.isnan(found["obstacle_distance_m"][0, n])
            assert not found["covered"][0, n]
            assert found["n_within_6_db"][0, n] == 0
        else:
            assert found["rsrp_dbm"][0, n] == np.float32((first, second)[winner])
            assert found["obstacle_distance_m"][0, n] == 120.0
    # All figures come from one and the same carrier: rates differ with bandwidth.
    rate = {0: B8, 1: B3}
    alone = {
        winner: figures([level], plain(), rate[winner])["downlink_mbps"][0, 0]
        for level, winner in ((-80.0, 0), (-80.0, 1))
    }
    assert found["downlink_mbps"][0, 0] == alone[0]
    assert found["downlink_mbps"][0, 1] == alone[1]
    assert alone[1] > 1.9 * alone[0]


def test_types_are_those_that_are_promised_and_silence_is_empty():
    own = ByHand([-80.0], [0], [0.0])
    tiles = served([(own, B8)])
    here, nowhere = tiles.read(Tile(0, 0)), tiles.read(Tile(5, 5))
    for variable in VARIABLES:
        assert here[variable.name].dtype == variable.dtype, variable.name
        assert nowhere[variable.name].shape == (TILE, TILE)
        assert nowhere[variable.name].dtype == variable.dtype
    assert (nowhere["best_server"] == -1).all()
    assert np.isnan(nowhere["sinr_db"]).all()


def test_a_tile_is_worked_out_once_while_it_is_at_hand():
    own = ByHand([-80.0], [0], [0.0])
    tiles = served([(own, B8)])
    assert tiles.read(Tile(0, 0)) is tiles.read(Tile(0, 0))
    assert own.reads == [Tile(0, 0)]
    for n in range(60):
        tiles.read(Tile(1, n))
    tiles.read(Tile(0, 0))
    assert own.reads.count(Tile(0, 0)) == 2
