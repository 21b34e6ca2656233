import json
import math
import pickle

import numpy as np
import pytest
from pydantic import ValidationError

from ankang_coverage.errors import CatalogueError, FileError
from ankang_coverage.propagation import (
    array_gain,
    downlink_mbps,
    lte_downlink_overhead,
    lte_uplink_overhead,
    uplink_limit_db,
)
from ankang_coverage.propagation.antenna_files import write_antenna_file
from ankang_coverage.propagation.measured_pattern import MeasuredPattern, cosine_pattern
from ankang_coverage.sites.catalogue import (
    Antenna,
    MeasuredAntenna,
    RadioLayer,
    Service,
    Sharing,
    antenna,
    antennas,
    as_antenna,
    builtin_catalogue,
    radio_layer,
    radio_layers,
    read_catalogue,
    service,
    services,
)

# Downlink of the bands [MHz]: 3GPP TS 36.101 table 5.5-1, TS 38.101-1 table 5.2-1.
DOWNLINK_MHZ = {
    ("lte", 1): (2110, 2170),
    ("lte", 3): (1805, 1880),
    ("lte", 5): (869, 894),
    ("lte", 8): (925, 960),
    ("lte", 39): (1880, 1920),
    ("lte", 41): (2496, 2690),
    ("nr", 1): (2110, 2170),
    ("nr", 28): (758, 803),
    ("nr", 41): (2496, 2690),
    ("nr", 78): (3300, 3800),
}
# Blocks the operators hold in China [MHz].
BLOCKS_MHZ = {
    "lte-b8": (934, 949),
    "lte-b1": (2110, 2130),
    "lte-b5": (869, 880),
    "lte-b41": (2515, 2675),
    "nr-n28": (758, 788),
    "nr-n1": (2130, 2155),
    "nr-n41": (2515, 2675),
    "nr-n78": (3400, 3500),
}


def fields(entry):
    return entry.model_dump()


def test_the_layers_asked_for_are_there():
    assert set(radio_layers()) == {
        f"{tech}-{'b' if tech == 'lte' else 'n'}{band}" for tech, band in DOWNLINK_MHZ
    }


@pytest.mark.parametrize("layer", radio_layers().values(), ids=list(radio_layers()))
class TestRadioLayers:
    def test_carrier_lies_in_its_band(self, layer):
        low, high = DOWNLINK_MHZ[layer.technology, layer.band]
        assert low <= layer.frequency_mhz - layer.bandwidth_mhz / 2
        assert layer.frequency_mhz + layer.bandwidth_mhz / 2 <= high

    def test_carrier_lies_in_its_operators_block(self, layer):
        low, high = BLOCKS_MHZ.get(layer.id, DOWNLINK_MHZ[layer.technology, layer.band])
        assert low <= layer.frequency_mhz - layer.bandwidth_mhz / 2
        assert layer.frequency_mhz + layer.bandwidth_mhz / 2 <= high

    def test_bands_from_33_to_53_and_78_are_tdd(self, layer):
        assert (layer.duplex == "tdd") == (33 <= layer.band <= 53 or layer.band in {77, 78, 79})

    def test_blocks_fill_most_of_the_bandwidth_and_not_more(self, layer):
        occupied_mhz = layer.n_resource_blocks * 12 * layer.subcarrier_spacing_khz / 1e3
        assert 0.9 <= occupied_mhz / layer.bandwidth_mhz < 1.0

    def test_equipment_exists_and_fits_the_kind_of_site(self, layer):
        assert layer.antenna_for("macro") in antennas()
        assert antenna(layer.antenna_for("micro")).gain_dbi < antenna(layer.antenna).gain_dbi
        assert layer.re_power_dbm("micro") < layer.re_power_dbm("macro")

    def test_overhead_is_the_standards(self, layer):
        if layer.technology == "nr":  # TS 38.306, section 4.1.2, frequency range 1
            assert (layer.downlink_overhead, layer.uplink_overhead) == (0.14, 0.08)
        else:
            blocks = layer.n_resource_blocks
            down = lte_downlink_overhead(blocks, layer.ports)
            up = lte_uplink_overhead(blocks, round(0.04 * blocks))
            assert layer.downlink_overhead == pytest.approx(down, abs=0.0006)
            assert layer.uplink_overhead == pytest.approx(up, abs=0.0006)

    def test_directions_share_the_time_in_tdd_only(self, layer):
        shares = (layer.downlink_share, layer.uplink_share)
        if layer.duplex == "fdd":
            assert shares == (1.0, 1.0)
        else:
            assert 0.6 < shares[0] < 0.8
            assert 0.8 < sum(shares) < 1.0

    def test_link_carries_the_entry(self, layer):
        link = layer.link
        assert link.reference_elements == (2 if layer.technology == "lte" else 12)
        assert (link.downlink.layers, link.uplink.layers) == (
            layer.downlink_layers,
            layer.uplink_layers,
        )
        # −173.975 dBm/Hz, and 9 and 5 dB of noise figure
        density = -173.975 + 10 * math.log10(layer.subcarrier_spacing_khz * 1e3)
        assert link.noise_dbm == pytest.approx(density + 9.0, abs=0.001)
        assert link.base_noise_dbm == pytest.approx(density + 5.0, abs=0.001)

    def test_uplink_does_not_fall_short_where_rsrp_suffices(self, layer):
        rule = service("4g" if layer.technology == "lte" else "5g")
        rsrp_dbm = rule.rsrp_threshold_dbm + rule.edge_margin_db()
        coupling_db = layer.re_power_dbm("macro") - rsrp_dbm
        assert coupling_db <= uplink_limit_db(rule.uplink_mbps, layer.link)

    def test_indoor_has_no_entry_and_says_so(self, layer):
        with pytest.raises(CatalogueError, match=f"{layer.id} .* not for 'indoor'"):
            layer.re_power_dbm("indoor")
        with pytest.raises(CatalogueError, match=f"{layer.id} .* not for 'indoor'"):
            layer.antenna_for("indoor")


def test_element_power_by_hand():
    # 46 − 10 log 600 − 10 log 2 = 15.208; 53 − 10 log 3276 = 17.847
    assert radio_layer("lte-b8").re_power_dbm("macro") == pytest.approx(15.208, abs=0.001)
    assert radio_layer("nr-n78").re_power_dbm("macro") == pytest.approx(17.847, abs=0.001)


@pytest.mark.parametrize(
    ("layer", "share", "peak"),
    [
        # TS 38.306, section 4.1.2: 4 · 8 · 948/1024 · 91.728 · 0.86 = 2,337.0 Mbit/s
        ("nr-n41", 104 / 140, 2337.0),
        ("nr-n78", 90 / 140, 2337.0),
        # 2 · 8 · 948/1024 · 160 · 0.168 · 0.86
        ("nr-n28", 1.0, 342.42),
    ],
)
def test_peak_rate_by_hand(layer, share, peak):
    found = downlink_mbps(100.0, radio_layer(layer).link)
    assert float(found) == pytest.approx(share * peak, rel=1e-4)


@pytest.mark.parametrize("item", antennas().values(), ids=list(antennas()))
def test_gain_is_within_reach_of_the_beamwidths(item):
    if item.kind == "omni":
        # McDonald: D = 101.5 / (θ − 0.00272 θ²), θ in degrees
        theta = item.vertical_beamwidth_deg
        assert item.gain_dbi <= 10 * math.log10(101.5 / (theta - 0.00272 * theta**2)) + 0.1
    elif item.kind == "sector":
        # Kraus: D = 41,253 / (φ θ) is what a pattern without side lobes reaches
        limit = 41_253 / (item.horizontal_beamwidth_deg * item.vertical_beamwidth_deg)
        assert item.gain_dbi <= 10 * math.log10(limit)
    else:
        # an aperture of 8 × 8 cells of half a wavelength: D = 4π·16
        assert item.gain_dbi == pytest.approx(10 * math.log10(4 * math.pi * 16), abs=0.05)


def test_ssb_beam_has_the_lobe_of_eight_rows():
    item = antenna("aau-n78-ssb")
    elevations = np.linspace(0.0, 30.0, 3001)
    gains = array_gain(8, 8, 0.0, elevations, 0.0)
    lobe = gains - gains[0]
    half_power = elevations[np.argmax(lobe < -10 * math.log10(2))]
    assert 2 * half_power == pytest.approx(item.vertical_beamwidth_deg, abs=0.3)
    beyond_null = lobe[np.argmax(np.diff(lobe) > 0) :]
    assert -beyond_null.max() == pytest.approx(item.side_lobe_suppression_db, abs=1.5)


@pytest.mark.parametrize("item", antennas().values(), ids=list(antennas()))
def test_pattern_carries_the_entry(item):
    for name, value in vars(item.pattern).items():
        assert value == getattr(item, name)


def test_services_follow_practice():
    assert {name: s.rsrp_threshold_dbm for name, s in services().items()} == {
        "4g": -110.0,
        "5g": -105.0,
    }
    for name, technology in (("4g", "lte"), ("5g", "nr")):
        layers = [radio_layer(layer) for layer in service(name).radio_layers]
        assert {layer.technology for layer in layers} == {technology}
        assert len(layers) == sum(x.technology == technology for x in radio_layers().values())


@pytest.mark.parametrize(
    ("find", "typo", "nearest"),
    [
        (antenna, "macro-65-15", "macro-65-15dbi"),
        (radio_layer, "lte-b80", "lte-b8"),
        (service, "4", "4g"),
    ],
)
def test_unknown_ids_name_the_nearest_and_all(find, typo, nearest):
    with pytest.raises(CatalogueError, match=f"did you mean {nearest}") as refusal:
        find(typo)
    everything = {antenna: antennas, radio_layer: radio_layers, service: services}[find]()
    assert all(id_ in str(refusal.value) for id_ in everything)


def test_far_off_ids_get_no_guess():
    with pytest.raises(CatalogueError) as refusal:
        service("television")
    assert "did you mean" not in str(refusal.value)


@pytest.mark.parametrize("everything", [antennas, radio_layers, services])
def test_catalogue_cannot_be_changed(everything):
    assert everything() is everything()
    with pytest.raises(TypeError):
        everything()["new"] = None
    for entry in everything().values():
        assert entry.source.strip()
        with pytest.raises(ValidationError):
            entry.source = "hearsay"


def test_a_rule_takes_its_own_error_then_the_calibrations_then_8_db():
    rule = service("4g")
    assert [rule.sigma_db(), rule.sigma_db(6.5)] == [8.0, 6.5]
    assert rule.with_fields(error_sigma_db=7.0).sigma_db(6.5) == 7.0
    # 0.6745 σ for 75 %, none for the median
    assert rule.edge_margin_db(6.5) == pytest.approx(4.384, abs=0.001)
    assert rule.with_fields(edge_probability=0.5).edge_margin_db() == 0.0


LAYER, MAST, SERVICE = radio_layer("lte-b8"), antenna("macro-65-15dbi"), service("4g")
BAND_41, SHARED = radio_layer("lte-b41"), builtin_catalogue().sharing["mobile-cbn-n28"]


@pytest.mark.parametrize(
    ("model", "entry", "change", "complaint"),
    [
        (RadioLayer, LAYER, {"n_resource_blocks": 52}, "52 resource blocks do not make 10 MHz"),
        (RadioLayer, LAYER, {"technology": "nr"}, "50 resource blocks do not make 10 MHz"),
        (RadioLayer, LAYER, {"bandwidth_mhz": 7.0}, "which has None"),
        (RadioLayer, LAYER, {"technology": "nr", "n_resource_blocks": 52}, "has 1 port"),
        (RadioLayer, LAYER, {"ports": 3}, "ports"),
        (RadioLayer, LAYER, {"power_dbm": 99.0}, "power_dbm"),
        (RadioLayer, LAYER, {"power_dbm": math.nan}, "power_dbm"),
        (RadioLayer, LAYER, {"operators": []}, "operators"),
        (RadioLayer, LAYER, {"frequency": 900.0}, "frequency"),
        (RadioLayer, LAYER, {"id": "LTE B8"}, "id"),
        (RadioLayer, LAYER, {"band": 20}, "band 20 of LTE is not in use in China; known are B1"),
        (RadioLayer, LAYER, {"duplex": "tdd"}, "band B8 is FDD, not TDD"),
        (RadioLayer, LAYER, {"band": 3}, "are not within the downlink of band B3, 1805 to 1880"),
        (RadioLayer, LAYER, {"frequency_mhz": 956.0}, "10 MHz at 956 MHz are not within"),
        (
            RadioLayer,
            LAYER,
            {"bandwidth_mhz": 20.0, "n_resource_blocks": 100},
            "carriers of band B8 are 1.4, 3, 5, 10 MHz wide, not 20",
        ),
        (RadioLayer, LAYER, {"tdd_pattern": "DSUDD 10:2:2"}, "a TDD carrier, and no other"),
        (RadioLayer, BAND_41, {"tdd_pattern": ""}, "a TDD carrier, and no other"),
        (RadioLayer, BAND_41, {"tdd_pattern": "DSUDD"}, "write slots and the symbols"),
        (RadioLayer, LAYER, {"load": 1.2}, "load"),
        (RadioLayer, LAYER, {"downlink_layers": 3}, "downlink_layers"),
        (RadioLayer, LAYER, {"uplink_modulation": "1024qam"}, "uplink_modulation"),
        (Sharing, SHARED, {"operators": ["mobile"]}, "operators"),
        (Service, SERVICE, {"edge_probability": 1.0}, "edge_probability"),
        (Service, SERVICE, {"error_sigma_db": 0.0}, "error_sigma_db"),
        (Service, SERVICE, {"uplink_mbps": 0.0}, "uplink_mbps"),
        (Service, SERVICE, {"indoor": "tent"}, "indoor"),
        (Antenna, MAST, {"kind": "omni"}, "an omni antenna, and no other"),
        (Antenna, MAST, {"front_to_back_db": 0.0}, "front-to-back ratio of 0"),
        (Antenna, MAST, {"horizontal_beamwidth_deg": 360.0}, "beamwidth of 360"),
        (Antenna, MAST, {"source": ""}, "source"),
        (Service, SERVICE, {"layers": []}, "layers"),
        (Service, SERVICE, {"rsrp_threshold_dbm": 110.0}, "rsrp_threshold_dbm"),
    ],
)
def test_wrong_entries_are_refused(model, entry, change, complaint):
    with pytest.raises(ValidationError, match=complaint):
        model.model_validate(fields(entry) | change)


# --- One's own entries ---------------------------------------------------------------------------

ANTENNA = """
antennas:
- id: dish
  kind: sector
  gain_dbi: 20.0
  horizontal_beamwidth_deg: 30.0
  vertical_beamwidth_deg: 10.0
  front_to_back_db: 30.0
  side_lobe_suppression_db: 20.0
  source: a test
"""
SERVICES = """
services:
- {id: 4g, radio_layers: [lte-b8], rsrp_threshold_dbm: -105.0, source: a test}
"""


def test_ones_own_entries_stand_beside_the_built_in_ones(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(ANTENNA + SERVICES)
    own = read_catalogue(path)
    assert own.antenna("dish").gain_dbi == 20.0
    assert own.service("4g").radio_layers == ("lte-b8",)
    assert own.radio_layers == radio_layers()
    assert service("4g").rsrp_threshold_dbm == -110.0
    layer = radio_layer("nr-n78").with_fields(antenna="dish")
    assert own.with_entries(layer).radio_layer("nr-n78").antenna == "dish"


def test_a_catalogue_survives_pickling():
    own = builtin_catalogue().with_entries(radio_layer("lte-b3").with_fields(load=0.25))
    again = pickle.loads(pickle.dumps(own))
    assert again == own
    assert again.radio_layer("lte-b3").load == 0.25


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (LAYER.with_fields(antenna="dish"), "no antenna 'dish'"),
        (SERVICE.with_fields(radio_layers=["lte-b99"]), "no radio layer 'lte-b99'"),
        (SHARED.with_fields(id="new", radio_layer="lte-b99"), "no radio layer 'lte-b99'"),
        (
            SHARED.with_fields(id="new", operators=["cbn", "unicom"]),
            "cbn shares nr-n28 twice, the second time in new",
        ),
    ],
)
def test_entries_that_do_not_hold_together_are_refused(entry, complaint):
    with pytest.raises(CatalogueError, match=complaint):
        builtin_catalogue().with_entries(entry)


def test_a_wrong_change_is_refused():
    with pytest.raises(CatalogueError, match="(?s)lte-b8 cannot be changed so: .*make 7 MHz"):
        LAYER.with_fields(bandwidth_mhz=7.0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (SERVICES + SERVICES[11:], "my.yaml, services, entry 2: the id 4g is taken"),
        (SERVICES.replace("layers", "layer"), "(?s)my.yaml, services, entry 1: .*layers"),
        ("masts: []", "must hold some of the lists antennas, radio_layers, services, sharing"),
        ("- 1", "must hold some of the lists"),
        ("services: 4g", "my.yaml, services is no list of entries"),
        ("services: [", r"cannot read .*my.yaml as YAML \(line 2"),
    ],
)
def test_faults_of_a_file_name_file_and_entry(tmp_path, text, complaint):
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises((CatalogueError, FileError), match=complaint) as error:
        read_catalogue(path)
    assert "\n" not in str(error.value)
    assert "pydantic" not in str(error.value)


# --- Antennas with a pattern file ----------------------------------------------------------------

MEASURED = """
antennas:
- id: kathrein
  kind: measured
  pattern_file: patterns/kathrein.msi
  source: a test
"""
CUTS = np.random.default_rng(1).uniform(0.0, 30.0, (2, 360))


@pytest.fixture
def with_pattern(tmp_path):
    """Write a catalogue, and a pattern file of many digits in a folder beside it."""
    (tmp_path / "patterns").mkdir()
    pattern = MeasuredPattern("K 739", 16.1, *CUTS, 1 / 3 * 1e3, 5.7, "某厂", "two  words")
    write_antenna_file(pattern, tmp_path / "patterns" / "kathrein.msi")
    path = tmp_path / "my.yaml"
    path.write_text(MEASURED)
    return path


def test_a_pattern_file_is_read_into_the_catalogue(with_pattern, monkeypatch, tmp_path):
    monkeypatch.chdir("/")  # the path is relative to the catalogue, not to where one stands
    own = read_catalogue(with_pattern).antenna("kathrein")
    assert (own.kind, own.gain_dbi, own.pattern.gain_dbi) == ("measured", 16.1, 16.1)
    assert (own.pattern.name, own.pattern.make) == ("K 739", "某厂")
    assert (own.pattern.frequency_mhz, own.pattern.electrical_tilt_deg) == (1 / 3 * 1e3, 5.7)
    np.testing.assert_array_equal(own.pattern.horizontal_attenuation_db, CUTS[0])
    np.testing.assert_array_equal(own.pattern.vertical_attenuation_db, CUTS[1])
    below = tmp_path / "below"
    below.mkdir()
    (below / "my.yaml").write_text(MEASURED.replace("patterns/", "../patterns/"))
    assert read_catalogue(below / "my.yaml").antenna("kathrein") == own


def test_a_measured_antenna_travels_whole_and_without_its_path(with_pattern, tmp_path):
    (tmp_path / "patterns" / "kathrein.msi").write_bytes(
        (tmp_path / "patterns" / "kathrein.msi").read_bytes().partition(b"\n")[2]
    )  # its name: what else could it be called after but the path?
    own = read_catalogue(with_pattern)
    (tmp_path / "patterns" / "kathrein.msi").unlink()
    entry = own.antenna("kathrein")
    assert entry.pattern.name == "kathrein.msi"
    told = json.dumps(entry.model_dump(mode="json"))
    assert str(tmp_path) not in told
    assert "patterns" not in told
    for again in (
        as_antenna(json.loads(told)),
        as_antenna(entry.model_dump()),
        MeasuredAntenna.model_validate_json(entry.model_dump_json()),
        pickle.loads(pickle.dumps(own)).antenna("kathrein"),
    ):
        assert again == entry
        for cut in ("horizontal_attenuation_db", "vertical_attenuation_db"):
            kept, was = getattr(again.pattern, cut), getattr(entry.pattern, cut)
            assert kept.tobytes() == was.tobytes()
            assert not kept.flags.writeable
    assert pickle.loads(pickle.dumps(own)) == own


def test_a_measured_antenna_can_be_changed_like_any_other_entry():
    pattern = cosine_pattern(17.0, 65.0, 7.0)
    own = MeasuredAntenna(id="panel", source="a test", kind="measured", pattern=pattern)
    assert own.with_fields(id="other").pattern == pattern
    assert own.with_fields(id="other") != own
    other = cosine_pattern(17.0, 65.0, 7.5)
    assert own.with_fields(pattern=other).pattern == other
    with pytest.raises(CatalogueError, match="(?s)panel cannot be changed so: .*gain_dbi"):
        own.with_fields(gain_dbi=18.0)
    with pytest.raises(ValidationError):
        own.source = "hearsay"


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ({"name": "a", "gain_dbi": 8.0}, "no measured pattern: .*horizontal_attenuation_db"),
        (7, "no measured pattern"),
        (
            {"name": "a", "gain_dbi": 8.0, "horizontal_attenuation_db": [0.0],
             "vertical_attenuation_db": [0.0]},
            r"shape \(1,\)",
        ),
        (
            {"name": "a", "gain_dbi": 8.0, "horizontal_attenuation_db": [-1.0] * 360,
             "vertical_attenuation_db": [0.0] * 360},
            "horizontal_attenuation_db is -1",
        ),
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(pattern, complaint):
    entry = {"id": "a", "source": "a test", "kind": "measured", "pattern": pattern}
    with pytest.raises(ValidationError, match=complaint):
        as_antenna(entry)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "kathrein.msi",
            "nowhere.msi",
            r"cannot read .*nowhere\.msi: .*; correct .* the folder of my\.yaml$",
        ),
        ("/kathrein.msi", "", "cannot read .*patterns: it is a folder; name a file in it; correct"),
        (
            "  source",
            "  gain_dbi: 15.0\n  vertical_beamwidth_deg: 7.0\n  source",
            "is described by patterns/kathrein.msi: leave out gain_dbi, vertical_beamwidth_deg$",
        ),
        ("kind: measured", "kind: sector", "has a pattern_file: write kind: measured$"),
        ("  kind: measured\n", "", "has a pattern_file: write kind: measured$"),
        (
            "  pattern_file: patterns/kathrein.msi\n",
            "  gain_dbi: 15.0\n",
            "is measured: name its MSI or Planet file in pattern_file$",
        ),
    ],
)
def test_faults_of_a_measured_entry_name_the_antenna_and_what_to_do(
    with_pattern, old, new, complaint
):
    assert old in MEASURED
    with_pattern.write_text(MEASURED.replace(old, new))
    with pytest.raises(CatalogueError, match=rf"my\.yaml, antenna kathrein:? {complaint}") as fault:
        read_catalogue(with_pattern)
    assert "\n" not in str(fault.value)


def test_a_fault_in_a_pattern_file_names_antenna_file_and_line(with_pattern, tmp_path):
    file = tmp_path / "patterns" / "kathrein.msi"
    lines = file.read_text("utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("90 "))
    file.write_text("\n".join([*lines[:at], "90 much", *lines[at + 1 :]]), "utf-8")
    with pytest.raises(
        CatalogueError,
        match=rf"my\.yaml, antenna kathrein: antenna file .*kathrein\.msi, line {at + 1}: .*90 much"
        ".*; correct the file",
    ):
        read_catalogue(with_pattern)


def test_an_unknown_key_beside_a_pattern_file_is_named(with_pattern):
    with_pattern.write_text(MEASURED + "  colour: grey\n")
    with pytest.raises(CatalogueError, match="antenna kathrein .*leave out colour"):
        read_catalogue(with_pattern)
    with_pattern.write_text(MEASURED.replace("  source: a test\n", ""))
    with pytest.raises(CatalogueError, match="(?s)my.yaml, antennas, entry 1: .*source"):
        read_catalogue(with_pattern)
