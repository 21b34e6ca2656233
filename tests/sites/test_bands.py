"""What operators call a radio layer."""

from itertools import pairwise

import pytest

from ankang_coverage.errors import NetworkError
from ankang_coverage.sites.bands import DOWNLINK_CHANNELS, find_radio_layer
from ankang_coverage.sites.catalogue import radio_layers


@pytest.mark.parametrize(
    ("band", "technology", "expected"),
    [
        ("B8", "", "lte-b8"),
        ("b8", "4G", "lte-b8"),
        ("Band 8", "", "lte-b8"),
        ("8", "", "lte-b8"),
        ("FDD900", "", "lte-b8"),
        ("FDD-900", "", "lte-b8"),
        ("LTE FDD 900", "", "lte-b8"),
        ("900M", "", "lte-b8"),
        ("９００ＭＨｚ", "", "lte-b8"),
        ("FDD1800", "", "lte-b3"),
        ("1.8G", "", "lte-b3"),
        ("800M", "", "lte-b5"),
        ("F频段", "", "lte-b39"),
        ("F1", "TD-LTE", "lte-b39"),
        ("D频段", "LTE", "lte-b41"),
        ("D频段", "5G", "nr-n41"),
        ("B41", "", "lte-b41"),
        ("B41（D频段）", "", "lte-b41"),
        ("41", "NR", "nr-n41"),
        ("Band41", "NR", "nr-n41"),
        ("n41", "", "nr-n41"),
        ("2.6G", "NR", "nr-n41"),
        ("5G 2.6G", "", "nr-n41"),
        ("4G2.6G", "", "lte-b41"),
        ("n78", "", "nr-n78"),
        ("N78(3.5G)", "", "nr-n78"),
        ("3.5G", "", "nr-n78"),
        ("3.5GHz", "", "nr-n78"),
        ("NR3.5G", "", "nr-n78"),
        ("700M", "", "nr-n28"),
        ("n28", "5G", "nr-n28"),
        ("NR2100", "", "nr-n1"),
        ("2.1G", "4G", "lte-b1"),
    ],
)
def test_band_text(band, technology, expected):
    assert find_radio_layer(band=band, technology=technology) == expected


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        # First and last downlink channels: 3GPP TS 36.101 table 5.7.3-1.
        ("0", "lte-b1"),
        ("1200", "lte-b3"),
        ("1949", "lte-b3"),
        ("2649", "lte-b5"),
        ("3450", "lte-b8"),
        ("38250", "lte-b39"),
        ("41589", "lte-b41"),
        # TS 38.104 table 5.4.2.3-1.
        ("151600", "nr-n28"),
        ("434000", "nr-n1"),
        ("499200", "nr-n41"),
        ("653333", "nr-n78"),
    ],
)
def test_channel_number(channel, expected):
    assert find_radio_layer(channel=channel) == expected


def test_channels_lie_where_the_frequencies_of_the_catalogue_do():
    # TS 38.104 section 5.4.2.1: 5 kHz a channel up to 3 GHz, 15 kHz a channel from there.
    for layer in radio_layers().values():
        if layer.technology == "nr":
            khz = layer.frequency_mhz * 1000
            channel = khz / 5 if khz < 3e6 else 600_000 + (khz - 3e6) / 15
            assert find_radio_layer(channel=str(round(channel))) == layer.id


def test_channel_ranges_do_not_overlap():
    ranges = sorted((first, last) for _, _, first, last in DOWNLINK_CHANNELS)
    assert all(last < first for (_, last), (first, _) in pairwise(ranges))


def test_the_channel_decides_where_the_band_does_not():
    assert find_radio_layer(band="2.6G", channel="40936") == "lte-b41"
    assert find_radio_layer(band="2.6G", channel="513000") == "nr-n41"
    assert find_radio_layer(band="B8", channel="not asked") == "lte-b8"


def test_the_radio_layer_alone_decides():
    assert find_radio_layer("LTE-B3", band="n78") == "lte-b3"


@pytest.mark.parametrize(
    ("clues", "reason"),
    [
        ({}, "nothing tells the radio layer"),
        ({"technology": "5G"}, "nothing tells the radio layer"),
        ({"radio_layer": "lte-b99"}, "'lte-b99' is not in the catalogue: use one of lte-b8"),
        ({"band": "GSM900"}, "'GSM900' is no radio layer"),
        ({"band": "900M", "technology": "GSM"}, "technology 'GSM' is neither LTE"),
        ({"band": "n8"}, "'n8' is no radio layer"),
        ({"band": "E频段"}, "is no radio layer"),
        ({"band": "n41", "technology": "LTE"}, "'LTE n41' is no radio layer"),
        ({"band": "1.8G/900M"}, "is no radio layer"),
        ({"band": "2.6G"}, "'2.6G' may be lte-b41 or nr-n41"),
        ({"channel": "700000"}, "is no radio layer"),
        ({"channel": "abc"}, "is no radio layer"),
    ],
)
def test_what_tells_no_radio_layer(clues, reason):
    with pytest.raises(NetworkError, match=reason):
        find_radio_layer(**clues)
