"""A coverage computed slowly, cell by cell in double precision, to hold the fast one against.

Nothing here is shared with the library's own computation but path loss and ground: antennas are
read from the catalogue's YAML, and sectors, link budget, throughput, uplink, building entry loss
and the choice of the serving carrier are written out from their sources, one step after another.

`Slow(region, network, of, propagation).figures` holds every variable of a coverage by name, and
`doubt` where two figures are too near to each other for single precision to decide alike.
"""

import math
from pathlib import Path

import numpy as np
import yaml
from scipy.optimize import brentq
from scipy.stats import norm
from shapely import box

import ankang_coverage
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.path_loss import Mast, mast_losses

CATALOGUE = Path(ankang_coverage.__file__).parent / "sites" / "catalogue"
TILE = 256
DOUBT_DB = 3e-4
"""Where two levels are nearer than this, single precision may decide otherwise."""


def read(name):
    """Return the entries of one of the catalogue's files by id."""
    return {entry["id"]: entry for entry in yaml.safe_load((CATALOGUE / name).read_text("utf-8"))}


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
