"""Whole coverages against a slow computation in double precision, and what must not matter."""

import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError
from scipy.optimize import brentq
from scipy.stats import norm
from shapely import box

import ankang_coverage
from ankang_coverage.coverage import add_network, is_covered
from ankang_coverage.coverage.ground import Ground
from ankang_coverage.coverage.path_loss import Mast, mast_losses
from ankang_coverage.coverage.predict import catalogue_of
from ankang_coverage.coverage.store import StoreWarning
from ankang_coverage.errors import CatalogueError, NetworkError, RasterError

# By distance alone: fast, and every pixel can be computed again by hand.
RMA = ankang_coverage.Propagation(model="rma", radius_m=5000.0)
predict = partial(ankang_coverage.predict, propagation=RMA)

CATALOGUE = Path(ankang_coverage.__file__).parent / "sites" / "catalogue"
TILE = 256
DOUBT_DB = 3e-4
"""Where two levels are nearer than this, single precision may decide otherwise."""


def read(name):
    return {entry["id"]: entry for entry in yaml.safe_load((CATALOGUE / name).read_text("utf-8"))}


# The slow computation -----------------------------------------------------------------------------


def slow_cut(cut, angle):
    """A cut between two of its degrees, the share of each by how far the other is."""
    below = np.floor(np.nan_to_num(angle))
    at, beside = (below % 360).astype(int), ((below + 1) % 360).astype(int)
    return cut[at] * (below + 1 - angle) + cut[beside] * (angle - below)


def slow_gain_dbi(antenna, azimuth, elevation, boresight, mechanical, electrical):
    """Parabolas with floors, or two cuts weighed by the azimuth, of an antenna that is rotated by
    its mechanical tilt with plain matrices."""
    a, e, t = np.radians(azimuth - boresight), np.radians(elevation), math.radians(mechanical)
    x, y, z = np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)
    x, z = x * math.cos(t) - z * math.sin(t), x * math.sin(t) + z * math.cos(t)
    phi, theta = np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))
    if antenna["kind"] == "measured":
        level, through = antenna["cuts"]
        down, behind = -theta - (electrical - antenna["electrical_tilt_deg"]), np.abs(phi) / 180
        ahead = slow_cut(through, down) - level[0]
        astern = slow_cut(through, 180 - down) - level[180]
        off = slow_cut(level, phi) + (1 - behind) * ahead + behind * astern
        return antenna["gain_dbi"] - np.maximum(off, 0.0)
    a_v = np.minimum(
        12 * ((theta + electrical) / antenna["vertical_beamwidth_deg"]) ** 2,
        antenna["side_lobe_suppression_db"],
    )
    if antenna["kind"] == "omni":
        return antenna["gain_dbi"] - a_v
    back = antenna["front_to_back_db"]
    a_h = np.minimum(12 * (phi / antenna["horizontal_beamwidth_deg"]) ** 2, back)
    return antenna["gain_dbi"] - np.minimum(a_h + a_v, back)


def slow_bits(sinr, layers, modulation, alpha):
    """TR 36.942 annex A up to 948/1024 of the modulation, as many layers as carry most."""
    highest = {"64qam": 6, "256qam": 8}[modulation] * 948 / 1024
    bits = [n * np.minimum(alpha * np.log2(1 + sinr / n**2), highest) for n in (1, 2, 4)]
    return np.where(sinr >= 0.1, np.max(bits[: {1: 1, 2: 2, 4: 3}[layers]], axis=0), 0.0)


def slow_share(layer, direction):
    """Share of an FDD carrier or of a TDD frame, counted symbol by symbol."""
    if not layer.get("tdd_pattern"):
        return 1.0
    slots, special = layer["tdd_pattern"].split()
    down, guard, up = map(int, special.split(":"))
    frame = "".join({"D": "D" * 14, "U": "U" * 14, "S": "D" * down + "G" * guard + "U" * up}[s]
                    for s in slots)  # fmt: skip
    return frame.count(direction) / len(frame)


def slow_mbps(layer, direction, bits_of_blocks):
    name = {"D": "downlink", "U": "uplink"}[direction]
    elements_per_second = 12 * 14 * 1000 * layer["subcarrier_spacing_khz"] / 15
    share = slow_share(layer, direction) * (1 - layer[f"{name}_overhead"])
    return bits_of_blocks * elements_per_second * share / 1e6


def slow_noise_dbm(layer, figure):
    return 10 * math.log10(1.380649e-23 * 290 * layer["subcarrier_spacing_khz"] * 1e6) + figure


def slow_uplink_mbps(layer, coupling_db):
    """Spread 23 dBm over every number of blocks in turn, and take the best."""
    noise = slow_noise_dbm(layer, layer["base_noise_figure_db"]) + layer["uplink_interference_db"]
    snr = 10 ** ((23.0 - 10 * math.log10(12) - coupling_db - noise) / 10)
    rates = [
        n * slow_bits(snr / n, layer["uplink_layers"], layer["uplink_modulation"], 0.4)
        for n in range(1, layer["n_resource_blocks"] + 1)
    ]
    return slow_mbps(layer, "U", np.max(rates, axis=0))


def slow_entry_loss_db(building, f_mhz):
    """ITU-R P.2109 at 50 %: both log-normal parts at their medians, and 3 dB of gain."""
    f = math.log10(f_mhz / 1000)
    one, other = {
        "traditional": (12.64 + 3.72 * f + 0.96 * f**2, 9.1 - 3.0 * f),
        "efficient": (28.19 - 3.00 * f + 8.48 * f**2, 27.8 - 2.9 * f),
        None: (-math.inf, -math.inf),
    }[building]
    return 10 * math.log10(10 ** (one / 10) + 10 ** (other / 10) + 10**-0.3) if building else 0.0


SHARED = {"nr-n78": ("telecom", "unicom"), "nr-n1": ("telecom", "unicom"),
          "nr-n28": ("cbn", "mobile")}  # fmt: skip


class Slow:
    """A service's coverage, carrier by carrier and cell by cell, in double precision."""

    def __init__(self, region, network, service, propagation, operators=(), antennas=None):
        self.region, self.service, self.propagation = region, service, propagation
        self.ground = Ground.of(region)
        self.layers = read("radio_layers.yaml")
        self.antennas = read("antennas.yaml") | (antennas or {})
        kind = network.sites["kind"].loc[network.cells["site"]].to_numpy()
        cells = network.cells.assign(kind=kind)
        cells = cells[cells["radio_layer"].isin(service.radio_layers) & (cells["kind"] != "indoor")]
        owners = [self.owners(c.radio_layer, c.operator) for c in cells.itertuples()]
        if operators:
            heard = [not who or bool(set(who) & set(operators)) for who in owners]
            owners = [who for who, is_heard in zip(owners, heard, strict=True) if is_heard]
            cells = cells[heard]
        self.cells, self.sites = cells, network.sites
        self.carriers = {}
        for n, (cell, who) in enumerate(zip(cells.itertuples(), owners, strict=True)):
            self.carriers.setdefault((cell.radio_layer, who), []).append(n)
        self.n_off_terrain = 0
        self.figures = self.choose()

    def owners(self, layer, operator):
        shared = SHARED.get(layer, ())
        return tuple(shared) if operator in shared else (operator,) if operator else ()

    @property
    def shape(self):
        return self.ground.geobox.shape

    def inside(self):
        """Pixels of tiles that touch a village."""
        t, mask = self.ground.geobox.transform, np.zeros(self.shape, bool)
        for r in range(0, self.shape[0], TILE):
            for c in range(0, self.shape[1], TILE):
                r1, c1 = min(r + TILE, self.shape[0]), min(c + TILE, self.shape[1])
                tile = box(*(t * (c, r1)), *(t * (c1, r)))
                mask[r:r1, c:c1] = self.region.villages.geometry.intersects(tile).any()
        return mask

    def rsrp(self, cell):
        """RSRP of a cell and the obstacle on its path; NaN where it is not heard."""
        layer, mast = self.layers[cell.radio_layer], self.sites.geometry[cell.site]
        settings = self.propagation
        radius = settings.micro_radius_m if cell.kind == "micro" else settings.radius_m
        level, obstacle = np.full(self.shape, np.nan), np.full(self.shape, np.nan)
        if settings.model not in {"rma", "free-space"} and not self.stands_on_ground(mast):
            return level, obstacle
        f = layer["frequency_mhz"]
        loss = mast_losses(
            self.ground, Mast(mast.x, mast.y, cell.height_m, radius), [f], settings
        )[f]  # fmt: skip
        here = (loss.rows, loss.columns)
        t = self.ground.geobox.transform
        x = t.c + t.a * (np.arange(self.shape[1])[loss.columns] + 0.5) - mast.x
        y = t.f + t.e * (np.arange(self.shape[0])[loss.rows] + 0.5) - mast.y
        azimuth = np.degrees(np.arctan2(x[None, :], y[:, None]))
        # At the rounding of the store: 0.01 dB, 0.01 degrees, 10 m.
        stored = np.rint(loss.loss_db * np.float32(100)).astype(np.float64) / 100
        elevation = np.rint(loss.elevation_deg * np.float32(100)).astype(np.float64) / 100
        blocked = loss.obstacle_distance_m
        obstacle[here] = np.maximum(np.rint(blocked * np.float32(0.1)), blocked > 0) * 10.0
        gain = slow_gain_dbi(
            self.antennas[cell.antenna], azimuth, elevation, cell.azimuth_deg,
            cell.mechanical_tilt_deg, cell.electrical_tilt_deg,
        )  # fmt: skip
        level[here] = (
            cell.re_power_dbm - layer["feeder_loss_db"] - layer["body_loss_db"] + gain - stored
        )
        return level, obstacle

    def stands_on_ground(self, mast):
        column, row = ~self.ground.geobox.transform * (mast.x, mast.y)
        return bool(np.isfinite(self.ground.elevation_m[int(row), int(column)]))

    def one_carrier(self, name, numbers):
        layer, service = self.layers[name], self.service
        levels, obstacles = zip(*(self.rsrp(self.cells.iloc[n]) for n in numbers), strict=True)
        level = np.where(np.isnan(levels) | ~self.inside(), -np.inf, levels)
        load = self.cells["load"].to_numpy()[numbers, None, None]
        order = np.argsort(-level, axis=0, kind="stable")
        ranked = np.take_along_axis(level, order, 0)
        heard = np.isfinite(ranked[0])
        best, second = order[0], order[min(1, len(numbers) - 1)]
        first_dbm = ranked[0]
        second_dbm = ranked[1] if len(numbers) > 1 else np.full(self.shape, -np.inf)
        others_mw = np.zeros(self.shape)
        for k in range(len(numbers)):
            others_mw += np.where(best == k, 0.0, load[k] * 10 ** (level[k] / 10))
        entry = slow_entry_loss_db(service.indoor, layer["frequency_mhz"])
        position = np.append(np.array(numbers), -1)
        rsrp = np.where(heard, first_dbm - entry, np.nan)
        re_power = self.cells["re_power_dbm"].to_numpy()[numbers][best]
        noise_mw = 10 ** (slow_noise_dbm(layer, layer["terminal_noise_figure_db"]) / 10)
        others_mw *= 10 ** (-entry / 10)
        signal = 10 ** (rsrp / 10)
        sinr = signal / (others_mw + noise_mw)
        p = layer["ports"]
        reference = (2 if layer["technology"] == "lte" else 12) * min(p, 2)
        rssi = (
            reference * signal
            + (12 - reference) * p * load[best, 0, 0] * signal
            + 12 * (p * others_mw + noise_mw)
        )
        coupling = re_power - rsrp
        target = service.uplink_mbps

        def to_spare(loss):
            rate = float(slow_uplink_mbps(layer, np.float64(loss)))
            return rate - target if target else rate - 1e-9

        limit = brentq(to_spare, 80.0, 220.0, xtol=1e-7)
        sigma = service.error_sigma_db or 8.0
        needed = service.rsrp_threshold_dbm + norm.ppf(service.edge_probability) * sigma
        ratios = [(rsrp, needed)]
        if service.sinr_threshold_db is not None:
            ratios.append((10 * np.log10(sinr), service.sinr_threshold_db))
        if target is not None:
            ratios.append((limit - coupling, 0.0))
        with np.errstate(invalid="ignore"):
            covered = heard & np.all([value >= least for value, least in ratios], axis=0)
            gaps = np.abs(ranked[1:3] - ranked[:-1][: len(ranked[1:3])])
            doubt = np.any([np.abs(value - least) < DOUBT_DB for value, least in ratios], axis=0)
            doubt |= ((gaps > 0) & (gaps < DOUBT_DB)).any(0)
            doubt |= (np.abs(ranked - ranked[0] + 6.0) < DOUBT_DB).any(0)
        uplink_mbps = np.full(self.shape, np.nan)
        uplink_mbps[heard] = slow_uplink_mbps(layer, coupling[heard])
        values = {
            "rsrp_dbm": rsrp,
            "best_server": np.where(heard, position[best], -1),
            "second_rsrp_dbm": np.where(np.isfinite(second_dbm), second_dbm - entry, np.nan),
            "second_server": np.where(np.isfinite(second_dbm), position[second], -1),
            "n_within_6_db": np.where(heard, (ranked >= ranked[0] - 6.0).sum(0), 0),
            "sinr_db": 10 * np.log10(sinr),
            "rsrq_db": 10 * np.log10(signal / rssi),
            "downlink_mbps": np.where(
                heard,
                slow_mbps(layer, "D", layer["n_resource_blocks"] * slow_bits(
                    sinr, layer["downlink_layers"], layer["downlink_modulation"], 0.6)),
                np.nan,
            ),
            "uplink_mbps": uplink_mbps,
            "uplink_margin_db": limit - coupling,
            "coverage_probability": norm.cdf((rsrp - service.rsrp_threshold_dbm) / sigma),
            "obstacle_distance_m": np.where(
                heard, np.take_along_axis(np.array(obstacles), best[None], 0)[0], np.nan
            ),
            "covered": covered,
        }  # fmt: skip
        return values, doubt

    def choose(self):
        """Cover first, then the stronger, then the earlier."""
        chosen, self.doubt = None, np.zeros(self.shape, bool)
        for (layer, _), numbers in self.carriers.items():
            values, doubt = self.one_carrier(layer, numbers)
            self.doubt |= doubt
            if chosen is None:
                chosen = values
                continue
            mine, theirs = values["rsrp_dbm"], chosen["rsrp_dbm"]
            with np.errstate(invalid="ignore"):
                stronger = (mine > theirs) | (np.isnan(theirs) & np.isfinite(mine))
                near = np.abs(mine - theirs) < DOUBT_DB
            self.doubt |= near & (mine != theirs)
            same = values["covered"] == chosen["covered"]
            take = np.where(same, stronger, values["covered"])
            chosen = {k: np.where(take, values[k], chosen[k]) for k in chosen}
        return chosen


TOLERANCE = {
    "rsrp_dbm": 1e-4,
    "second_rsrp_dbm": 1e-4,
    "sinr_db": 1e-4,
    "rsrq_db": 1e-4,
    "uplink_margin_db": 1e-4,
    "coverage_probability": 3e-6,
    "obstacle_distance_m": 0.0,
}


def random_network(make_network, region, seed, layers, operators=("",)):
    """Macro and micro sites of many settings, a twin of the first, one site beyond the edge."""
    rng = np.random.default_rng(seed)
    rows, columns = region.geobox.shape
    sites = []
    for n in range(7):
        kind = "micro" if n % 3 == 2 else "macro"
        on_air = [
            (
                layer,
                {
                    "azimuths_deg": rng.uniform(0, 360, 1 if kind == "micro" else 3),
                    "height_m": float(rng.uniform(8, 60)),
                    "mechanical_tilt_deg": float(rng.choice([0.0, rng.uniform(-3, 10)])),
                    "electrical_tilt_deg": float(rng.uniform(0, 9)),
                    "load": float(rng.choice([0.0, 0.3, 0.8, 1.0])),
                    "operator": str(rng.choice(operators)),
                },
            )
            for layer in rng.choice(layers, min(2, len(layers)), replace=False)
        ]
        x, y = rng.uniform(-0.02, 1.02) * columns, rng.uniform(0.02, 0.98) * rows
        x = min(max(x, 1.0), columns - 1.5) if n else 0.3 * columns
        sites.append((f"S{n}", x, y, kind, on_air))
    sites.insert(4, ("TWIN", *sites[0][1:]))
    return make_network(region, sites)


def with_rule(service_id, **parts):
    return ankang_coverage.service(service_id).with_fields(**parts)


SCENES = {
    "4g by distance, operators of their own": {
        "of": with_rule("4g"),
        "layers": ["lte-b8", "lte-b3", "lte-b41"],
        "operators": ("mobile", "unicom", "telecom"),
        "propagation": RMA,
        "seed": 1,
        "region": {
            "shape": (300, 560),
            "pixel_m": 100.0,
            "villages": ((0.02, 0.1, 0.4, 0.9), (0.93, 0.9, 0.99, 0.99)),
        },
    },
    "5g over terrain, shared": {
        "of": with_rule("5g"),
        "layers": ["nr-n78", "nr-n28", "nr-n1"],
        "asked": ["telecom"],
        "operators": ("telecom", "unicom", "mobile", ""),
        "seed": 2,
        "propagation": ankang_coverage.Propagation(radius_m=5_000.0, micro_radius_m=2_500.0),
        "region": {"shape": (270, 530), "pixel_m": 60.0, "holes": ((0.2, 0.2, 0.4, 0.5),)},
    },
    "indoors, coarse, everyone's": {
        "of": with_rule(
            "4g",
            indoor="traditional",
            uplink_mbps=None,
            edge_probability=0.5,
            rsrp_threshold_dbm=-118.0,
        ),
        "layers": ["lte-b8"],
        "operators": ("",),
        "seed": 3,
        "propagation": ankang_coverage.Propagation(model="delta-bullington", radius_m=15_000.0),
        "region": {"shape": (60, 300), "pixel_m": 300.0},
    },
    "one layer, no SINR asked": {
        "of": with_rule(
            "5g",
            id="n41",
            radio_layers=("nr-n41",),
            sinr_threshold_db=None,
            indoor="efficient",
            error_sigma_db=6.0,
            rsrp_threshold_dbm=-120.0,
        ),
        "layers": ["nr-n41"],
        "operators": ("mobile",),
        "seed": 4,
        "propagation": ankang_coverage.Propagation(model="free-space", radius_m=9_000.0),
        "region": {"shape": (257, 256), "pixel_m": 150.0, "villages": ((0.1, 0.1, 0.9, 0.9),)},
    },
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_coverage_equals_a_slow_computation_in_double_precision(
    make_region, make_network, store, scene
):
    told = SCENES[scene]
    region = make_region(**told["region"], seed=told["seed"])
    network = random_network(make_network, region, told["seed"], told["layers"], told["operators"])
    asked = told.get("asked")
    coverage = ankang_coverage.predict(
        region, network, told["of"], operators=asked, propagation=told["propagation"], store=store
    )
    slow = Slow(region, network, told["of"], told["propagation"], asked or ())
    assert_equal(coverage, slow)


def assert_equal(coverage, slow):
    """A coverage is the slow one's, but for pixels where two figures are too near to tell."""
    sure = ~slow.doubt
    assert sure.mean() > 0.99
    assert list(coverage["cell"].to_numpy()) == list(slow.cells.index)
    for name, expected in slow.figures.items():
        found = coverage[name].to_numpy()
        if found.dtype.kind != "f":
            assert np.array_equal(found[sure], expected[sure]), name
            continue
        assert np.array_equal(np.isnan(found[sure]), np.isnan(expected[sure])), name
        heard = sure & ~np.isnan(expected)
        error = np.abs(found[heard] - expected[heard])
        if name.endswith("mbps"):  # where SINR ends and blocks are whole, a rate jumps
            error = error / np.maximum(expected[heard], 0.1)
            assert np.quantile(error, 0.999) < 2e-5, name
        else:
            assert error.max() <= TOLERANCE[name], name
    heard = slow.figures["best_server"] >= 0
    assert 0.02 < slow.figures["covered"][heard].mean() < 0.98
    assert len(np.unique(slow.figures["best_server"][heard])) > 4


def test_a_cell_by_hand(make_region, make_network, store):
    """46 dBm over 1200 elements is 15.2 dBm; 15 dBi, 0.5 dB of feeder and 1 km of free space."""
    region = make_region((21, 21), 100.0)
    network = make_network(
        region, [("A", 10.5, 10.5, "macro", [("lte-b8", {"azimuths_deg": 90.0, "height_m": 1.5})])]
    )
    coverage = ankang_coverage.predict(
        region, network, "4g", store=store,
        propagation=ankang_coverage.Propagation(model="free-space", radius_m=2000.0),
    )  # fmt: skip
    east = coverage.isel(y=10, x=20)
    re_power = 46.0 - 10 * math.log10(1200)  # 15.21 dBm
    loss = 32.45 + 20 * math.log10(941.5)  # P.525: 91.93 dB at 1 km
    rsrp = re_power + 15.0 - 0.5 - loss  # −62.2 dBm
    noise = -173.98 + 10 * math.log10(15e3) + 9.0  # −123.2 dBm
    assert float(east["rsrp_dbm"]) == pytest.approx(rsrp, abs=0.01)
    assert float(east["sinr_db"]) == pytest.approx(rsrp - noise, abs=0.02)
    # 4 elements of reference and 8 · 2 · 0.5 of data, noise far below: −10 log10 12
    assert float(east["rsrq_db"]) == pytest.approx(-10 * math.log10(12), abs=0.01)
    # Two layers at 64QAM: 50 · 168 · 1000 · 2 · 5.5547 · (1 − 0.221)
    assert float(east["downlink_mbps"]) == pytest.approx(72.69, rel=1e-3)
    assert float(east["uplink_mbps"]) == pytest.approx(50 * 0.168 * 5.5547 * 0.823, rel=1e-3)
    assert float(east["coverage_probability"]) == pytest.approx(1.0, abs=1e-6)
    assert int(east["best_server"]) == int(east["n_within_6_db"] - 1) == 0
    assert int(east["second_server"]) == -1
    assert np.isnan(float(east["second_rsrp_dbm"]))
    # Behind the sector 25 dB less, at the same distance.
    west = coverage.isel(y=10, x=0)
    assert float(west["rsrp_dbm"]) == pytest.approx(rsrp - 25.0, abs=0.01)


# Measured antennas --------------------------------------------------------------------------------

ROUND_ABOUT = np.radians(np.arange(360.0))
PANEL = {
    "kind": "measured",
    "gain_dbi": 16.25,
    "electrical_tilt_deg": 4.0,
    # No symmetry, lobes within them, and slopes no steeper than single precision follows.
    "cuts": (
        np.round(13 - 12 * np.cos(ROUND_ABOUT) - np.cos(5 * ROUND_ABOUT + 0.5), 2),
        np.round(13 - 12 * np.cos(ROUND_ABOUT - 0.07) - np.cos(7 * ROUND_ABOUT + 1.2), 2),
    ),
}
CATALOGUE_OF_ONES_OWN = """
antennas:
- {id: panel, kind: measured, pattern_file: panel.msi, source: a test}
"""


def read_panel(folder, panel=PANEL, header="NAME a panel"):
    """Write a pattern file and a catalogue by hand, and read them."""
    lines = [header, f"GAIN {panel['gain_dbi']} dBi",
             f"ELECTRICAL_TILT {panel['electrical_tilt_deg']}"]  # fmt: skip
    for section, cut in zip(("HORIZONTAL", "VERTICAL"), panel["cuts"], strict=True):
        lines += [f"{section} 360", *(f"{degree} {value:.2f}" for degree, value in enumerate(cut))]
    (folder / "panel.msi").write_text("\n".join(lines))
    (folder / "own.yaml").write_text(CATALOGUE_OF_ONES_OWN)
    return ankang_coverage.read_catalogue(folder / "own.yaml")


def equipped(network, catalogue, cells=slice(None)):
    """Give some cells of a network the panel."""
    antenna = network.cells["antenna"].to_numpy(object).copy()
    antenna[cells] = "panel"
    return replace(network, cells=network.cells.assign(antenna=antenna), catalogue=catalogue)


@pytest.mark.parametrize(
    ("seed", "propagation"), [(6, RMA), (7, ankang_coverage.Propagation(radius_m=5_000.0))]
)
def test_measured_antennas_equal_a_slow_computation_in_double_precision(
    make_region, make_network, store, tmp_path, seed, propagation
):
    """Two of three cells have the panel, the others sector and round antennas beside it."""
    region = make_region((270, 330), 60.0, seed=seed)
    network = random_network(make_network, region, seed, ["lte-b8", "lte-b3"])
    numbers = np.arange(len(network.cells))
    network = equipped(network, read_panel(tmp_path), numbers[numbers % 3 < 2])
    rule = with_rule("4g", rsrp_threshold_dbm=-100.0)
    coverage = ankang_coverage.predict(region, network, rule, propagation=propagation, store=store)
    slow = Slow(region, network, rule, propagation, antennas={"panel": PANEL})
    assert_equal(coverage, slow)
    served = coverage["best_server"].to_numpy()
    assert 0.1 < (np.append(coverage["antenna"], "")[served] == "panel").mean() < 0.95


def test_a_coverage_keeps_the_cuts_of_its_antennas(
    make_region, make_network, store, tmp_path, written
):
    region = make_region((60, 70), 90.0)
    on_air = [("lte-b8", {"azimuths_deg": [0.0, 120.0], "height_m": 30.0})]
    both = make_network(
        region, [("A", 20.3, 20.1, "macro", on_air), ("B", 50.3, 40.1, "macro", on_air)]
    )
    catalogue = read_panel(tmp_path)
    for file in ("panel.msi", "own.yaml"):
        (tmp_path / file).unlink()
    both = equipped(both, catalogue)
    first = predict(region, both.with_sites(["A"]), "4g", store=store)
    kept = catalogue_of(first).antenna("panel")
    assert kept == catalogue.antenna("panel")
    for name, cut in zip(("horizontal", "vertical"), PANEL["cuts"], strict=True):
        assert np.array_equal(getattr(kept.pattern, f"{name}_attenuation_db"), cut)
    assert "panel.msi" not in json.dumps({**first.attrs, "store": ""})
    together = predict(region, both, "4g", store=store)
    assert add_network(region, first, both.with_sites(["B"])).identical(together)
    assert catalogue_of(together.copy()) == catalogue_of(first)
    # What the antenna is called changes no tile, what it radiates does.
    for keys in written.values():
        keys.clear()
    again = predict(
        region, equipped(both, read_panel(tmp_path, header="NAME other")), "4g", store=store
    )
    assert written == {"loss": [], "tiles": []}
    assert again.equals(together)
    level, through = PANEL["cuts"]
    dented = {**PANEL, "cuts": (level + 2.0 * (np.arange(360) == 180), through)}
    other = predict(region, equipped(both, read_panel(tmp_path, dented)), "4g", store=store)
    assert (len(written["loss"]), len(written["tiles"])) == (0, 1)
    assert not np.array_equal(other["tile_key"], together["tile_key"])
    assert not other["rsrp_dbm"].equals(together["rsrp_dbm"])


@pytest.mark.parametrize("azimuths", [[0.0], [40.0, 160.0, 280.0]])
def test_a_sampled_sector_predicts_what_its_formula_does_but_for_the_sides(
    make_region, make_network, store, tmp_path, azimuths
):
    """Up to its floor the formula adds the whole vertical attenuation to the horizontal one.

    The cuts leave |φ|/180° of it out, and at the floor, from 94° on, add the rest that the formula
    does not: either is half of it at most. It is none straight ahead, where both are the cut.
    """
    region = make_region((60, 70), 90.0)
    settings = {"azimuths_deg": azimuths, "height_m": 30.0, "electrical_tilt_deg": 3.0}
    network = make_network(region, [("A", 30.3, 30.1, "macro", [("lte-b8", settings)])])
    sector = read("antennas.yaml")["macro-65-15dbi"]
    degrees = np.arange(360.0)
    off = np.minimum(degrees, 360.0 - degrees)
    level = np.minimum(12 * (off / 65.0) ** 2, sector["front_to_back_db"])
    through = np.minimum(
        12 * (off / sector["vertical_beamwidth_deg"]) ** 2, sector["side_lobe_suppression_db"]
    )
    through[91:270] = sector["front_to_back_db"]
    sampled = {**sector, "electrical_tilt_deg": 0.0, "cuts": (level, through)}
    own = equipped(network, read_panel(tmp_path, sampled))
    by_formula, by_cuts = (
        predict(region, one, "4g", store=store)["rsrp_dbm"].to_numpy() for one in (network, own)
    )
    more = by_cuts - by_formula
    far = np.hypot(*np.mgrid[-30:30, -30:40]) > 25  # where elevations are below 1°
    width = sector["vertical_beamwidth_deg"]
    most = 12 * ((1.0 + 3.0) / width) ** 2
    # Chords of whole degrees under the parabolas, the digits of the file, and the floor's corner.
    chords, corner = 3 / 65.0**2 + 3 / width**2 + 0.01, 0.1
    assert np.nanmax(np.abs(more[far])) < 0.53 * most + chords + corner
    assert np.nanmax(np.abs(more[far])) > 0.1
    if azimuths == [0.0]:
        assert np.abs(more[:5, 30]).max() < most / 180.0 + chords


# What is read, and what is computed ---------------------------------------------------------------

WIDE = {"shape": (300, 800), "pixel_m": 100.0, "villages": ((0.02, 0.05, 0.98, 0.5),)}


def one_sector(load=0.5, tilt=3.0, azimuth=0.0):
    return [("lte-b8", {"azimuths_deg": azimuth, "height_m": 30.0, "electrical_tilt_deg": tilt,
                        "load": load})]  # fmt: skip


@pytest.fixture(scope="module")
def wide(make_region):
    return make_region(**WIDE)


def three_sites(make_network, region, *, middle_x=400.0, middle=None, omit=()):
    """Sites of 5 km radius in the first and second column of tiles, and east of the fourth."""
    sites = [
        ("WEST", 100.0, 60.0, "macro", one_sector()),
        ("MIDDLE", middle_x, 60.0, "macro", middle or one_sector()),
        ("EAST", 830.0, 60.0, "macro", one_sector()),
    ]
    return make_network(region, [site for site in sites if site[0] not in omit])


def test_tiles_outside_the_villages_stay_empty_and_reading_opens_only_what_is_asked(
    wide, make_network, store, monkeypatch
):
    coverage = predict(wide, three_sites(make_network, wide), "4g", store=store)
    opened = []
    original = type(store).read_tile
    monkeypatch.setattr(
        type(store), "read_tile", lambda self, key: opened.append(key) or original(self, key)
    )
    assert opened == []
    assert coverage["rsrp_dbm"].shape == (300, 800)
    coverage["rsrp_dbm"].isel(y=slice(20, 40), x=slice(90, 110)).to_numpy()
    assert len(opened) == 1
    coverage["sinr_db"].isel(y=3, x=5).to_numpy()  # the same tile, at hand still
    assert len(opened) == 1
    # Villages end at row 150, so the second row of tiles is not there.
    assert np.isnan(coverage["rsrp_dbm"].isel(y=slice(256, 300)).to_numpy()).all()
    assert (coverage["best_server"].isel(y=slice(256, 300)).to_numpy() == -1).all()
    assert not coverage["covered"].isel(y=slice(256, 300)).to_numpy().any()
    assert len(opened) == 1
    assert np.isfinite(coverage["rsrp_dbm"].isel(y=60).to_numpy()).sum() > 200
    assert len(opened) == 3  # no site reaches the third column of tiles


def test_adding_sites_computes_only_the_tiles_they_touch(wide, make_network, store, written):
    two = three_sites(make_network, wide, omit=["MIDDLE"])
    before = predict(wide, two, "4g", store=store)
    assert (len(written["loss"]), len(written["tiles"])) == (2, 2)
    added = three_sites(make_network, wide, omit=["WEST", "EAST"])
    grown = add_network(wide, before, added)
    assert (len(written["loss"]), len(written["tiles"])) == (3, 3)
    together = predict(wide, two.plus(added), "4g", store=store)
    assert (len(written["loss"]), len(written["tiles"])) == (3, 3)
    assert together.identical(grown)


@pytest.mark.parametrize(
    ("change", "n_losses", "n_tiles"),
    [
        ({"middle_x": 410.0}, 1, 1),  # moved within its tile
        ({"middle_x": 512.0}, 1, 2),  # moved to the edge of two
        ({"middle": one_sector(tilt=7.0)}, 0, 1),
        ({"middle": one_sector(azimuth=120.0)}, 0, 1),
        ({"middle": one_sector(load=1.0)}, 0, 1),
        ({"omit": ["MIDDLE"]}, 0, 0),
    ],
)
def test_a_change_costs_what_it_touches_and_gives_what_a_fresh_prediction_gives(
    wide, make_network, store, tmp_path, written, change, n_losses, n_tiles
):
    predict(wide, three_sites(make_network, wide), "4g", store=store)
    for keys in written.values():
        keys.clear()
    changed = three_sites(make_network, wide, **change)
    found = predict(wide, changed, "4g", store=store)
    assert (len(written["loss"]), len(written["tiles"])) == (n_losses, n_tiles)
    fresh = predict(wide, changed, "4g", store=type(store)(tmp_path / "fresh"))
    assert {**found.attrs, "store": ""} == {**fresh.attrs, "store": ""}
    assert found.equals(fresh)


def test_another_rule_computes_nothing(wide, make_network, store, written):
    network = three_sites(make_network, wide)
    loose = predict(wide, network, "4g", store=store)
    for keys in written.values():
        keys.clear()
    rule = with_rule("4g", rsrp_threshold_dbm=-90.0, sinr_threshold_db=5.0, indoor="traditional")
    strict = predict(wide, network, rule, store=store)
    assert written == {"loss": [], "tiles": []}
    assert 0 < is_covered(strict).sum() < is_covered(loose).sum()


@pytest.mark.parametrize("kinds", [("tiles",), ("loss",), ("tiles", "loss")])
def test_what_the_store_has_lost_is_computed_again(wide, make_network, store, written, kinds):
    network = three_sites(make_network, wide)
    expected = predict(wide, network, "4g", store=store).load()
    for kind in kinds:
        for n, file in enumerate(sorted(store.folder.glob(f"{kind}/*/*.tif"))):
            if n % 2:
                file.unlink()
            else:
                file.write_bytes(file.read_bytes()[:-100])
    for keys in written.values():
        keys.clear()
    if kinds == ("loss",):  # what nobody asks for is not even opened
        assert predict(wide, network, "4g", store=store).identical(expected)
        assert (len(written["loss"]), len(written["tiles"])) == (1, 0)
        return
    with pytest.warns(StoreWarning, match="to be computed again"):
        found = predict(wide, network, "4g", store=store).load()
    assert found.identical(expected)
    assert len(written["tiles"]) == 3
    assert len(written["loss"]) == (3 if "loss" in kinds else 0)
    assert store.verify() == []


@pytest.mark.parametrize("model", ["p1812", "delta-bullington", "spm", "itm"])
def test_a_frequency_alone_has_the_bits_that_it_has_among_others(
    make_region, make_network, store, tmp_path, model
):
    """A run that was stopped between two frequencies of a mast goes on with one."""
    region = make_region((60, 70), 90.0, holes=((0.7, 0.7, 0.8, 0.8),))
    settings = ankang_coverage.Propagation(model=model, radius_m=2500.0)
    on_air = [(layer, {"azimuths_deg": 0.0, "height_m": 30.0}) for layer in ("lte-b8", "lte-b3")]
    network = make_network(region, [("A", 33.3, 30.1, "macro", on_air)])
    work = {"propagation": settings}
    together = ankang_coverage.predict(region, network, "4g", store=store, **work)
    apart = type(store)(tmp_path / "apart")
    for layer in ("lte-b3", "lte-b8"):
        ankang_coverage.predict(
            region, network.with_radio_layers([layer]), "4g", store=apart, **work
        )
    one_by_one = ankang_coverage.predict(region, network, "4g", store=apart, **work)
    assert one_by_one.equals(together)
    names = [file.name for file in sorted(store.folder.glob("loss/*/*.tif"))]
    assert len(names) == 2
    for name in names:
        own = [folder / "loss" / name[:2] / name for folder in (store.folder, apart.folder)]
        assert own[0].read_bytes() == own[1].read_bytes()


def test_a_network_can_grow_from_nothing_by_the_rule_and_the_equipment_of_its_coverage(
    wide, make_network, store
):
    rule = with_rule("4g", rsrp_threshold_dbm=-95.0)
    network = three_sites(make_network, wide)
    empty = predict(wide, network.with_sites([]), rule, store=store)
    assert json.loads(empty.attrs["rule"])["rsrp_threshold_dbm"] == -95.0
    grown = add_network(wide, empty, network)
    assert grown.identical(predict(wide, network, rule, store=store))


def test_sites_on_unknown_ground_are_counted_and_heard_nowhere(make_region, make_network, store):
    region = make_region((60, 60), 100.0, holes=((0.4, 0.4, 0.6, 0.6),))
    network = make_network(
        region,
        [("IN", 30.2, 30.2, "macro", one_sector()), ("OUT", 10.2, 10.2, "macro", one_sector())],
    )
    coverage = ankang_coverage.predict(
        region, network, "4g", store=store, propagation=ankang_coverage.Propagation(radius_m=3000.0)
    )
    assert coverage.attrs["n_off_terrain"] == 1
    assert coverage.attrs["n_without_terrain"] > 0
    served = coverage["best_server"].to_numpy()
    assert set(np.unique(served)) == {-1, 1}
    assert (served[25:35, 25:35] == -1).all()


# What must not matter, and what is refused --------------------------------------------------------


def test_adding_sites_equals_predicting_all_at_once(small_region, small_network):
    first, rest = small_network.with_sites(["B"]), small_network.with_sites(["A", "C"])
    together = predict(small_region, first.plus(rest), "4g")
    grown = add_network(small_region, predict(small_region, first, "4g"), rest)
    assert together.identical(grown)


def test_equal_cells_go_to_the_lower(small_region, small_network):
    site = small_network.with_sites(["B"]).with_radio_layers(["lte-b8"])
    twin = site.plus(
        type(site)(
            sites=site.sites.rename({"B": "Z"}),
            cells=site.cells.assign(site="Z").rename(index=lambda cell: cell.replace("B-", "Z-")),
            rejected=site.rejected,
        )
    )
    coverage = predict(small_region, twin, "4g")
    served = coverage["best_server"].to_numpy()
    assert served.max() == 2  # none of the twin's cells 3, 4, 5


def test_a_layer_is_judged_by_its_service(small_region, small_network):
    coverage = predict(small_region, small_network, "lte-b8")
    assert coverage.attrs["rsrp_threshold_dbm"] == -110.0
    covered = is_covered(coverage)
    needed = np.float32(-110.0 + norm.ppf(0.75) * 8.0)
    assert np.array_equal(
        covered,
        (coverage["rsrp_dbm"].to_numpy() >= needed)
        & (coverage["sinr_db"].to_numpy() >= -3.0)
        & (coverage["uplink_margin_db"].to_numpy() >= 0.0),
    )
    stricter = ankang_coverage.service("4g").model_copy(update={"rsrp_threshold_dbm": -80.0})
    assert is_covered(predict(small_region, small_network, stricter)).sum() < covered.sum()


def test_no_cells_means_no_signal(small_region, small_network):
    coverage = predict(small_region, small_network.with_sites([]), "4g")
    assert np.isnan(coverage["rsrp_dbm"]).all()
    assert (coverage["best_server"] == -1).all()
    assert coverage.attrs["terrain"] == "none"


def test_wrong_input_is_named(small_region, small_network):
    with pytest.raises(CatalogueError, match="6g"):
        predict(small_region, small_network, "6g")
    elsewhere = type(small_network)(
        sites=small_network.sites.to_crs(4326),
        cells=small_network.cells,
        rejected=small_network.rejected,
    )
    with pytest.raises(RasterError, match=r"sites are in EPSG:4326.*to_crs\('EPSG:32649'\)"):
        predict(small_region, elsewhere, "4g")
    coverage = predict(small_region, small_network, "4g")
    with pytest.raises(NetworkError, match="'A-lte-b8-1' is in this coverage already"):
        add_network(small_region, coverage, small_network)


def test_propagation_settings_refuse_nonsense():
    for key, wrong in {
        "model": "magic",
        "radius_m": 0,
        "terminal_height_m": 50,
        "radios_m": 1,
    }.items():
        with pytest.raises(ValidationError, match=key):
            ankang_coverage.Propagation(**{key: wrong})
