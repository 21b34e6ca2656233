import math

import numpy as np
import pytest
from pydantic import ValidationError

from ankang_coverage.errors import CatalogueError
from ankang_coverage.propagation import array_gain
from ankang_coverage.sites import catalogue
from ankang_coverage.sites.catalogue import (
    Antenna,
    RadioLayer,
    Service,
    antenna,
    antennas,
    radio_layer,
    radio_layers,
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

    def test_indoor_has_no_entry_and_says_so(self, layer):
        with pytest.raises(CatalogueError, match=f"{layer.id} .* not for 'indoor'"):
            layer.re_power_dbm("indoor")
        with pytest.raises(CatalogueError, match=f"{layer.id} .* not for 'indoor'"):
            layer.antenna_for("indoor")


def test_element_power_by_hand():
    # 46 − 10 log 600 − 10 log 2 = 15.208; 53 − 10 log 3276 = 17.847
    assert radio_layer("lte-b8").re_power_dbm("macro") == pytest.approx(15.208, abs=0.001)
    assert radio_layer("nr-n78").re_power_dbm("macro") == pytest.approx(17.847, abs=0.001)


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


LAYER, MAST, SERVICE = radio_layer("lte-b8"), antenna("macro-65-15dbi"), service("4g")


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


def test_faults_of_a_file_name_file_and_entry():
    text = "- {id: 4g, radio_layers: [lte-b8], rsrp_threshold_dbm: -110.0, source: a test}\n"
    with pytest.raises(CatalogueError, match="my.yaml, entry 2: the id 4g is taken"):
        catalogue._entries("my.yaml", text * 2, Service)
    with pytest.raises(CatalogueError, match="(?s)my.yaml, entry 1: .*layers"):
        catalogue._entries("my.yaml", text.replace("layers", "layer"), Service)
