"""Bands against the channel numbers of the standards, and against each other."""

import pytest

from ankang_coverage.errors import CatalogueError
from ankang_coverage.sites.bands import DOWNLINK_CHANNELS
from ankang_coverage.sites.catalogue import BANDS, LTE_RESOURCE_BLOCKS, NR_RESOURCE_BLOCKS, band

# Lowest downlink frequency [MHz] and its channel number: TS 36.101 table 5.7.3-1.
LTE_OFFSETS = {
    1: (2110, 0),
    3: (1805, 1200),
    5: (869, 2400),
    8: (925, 3450),
    34: (2010, 36200),
    39: (1880, 38250),
    40: (2300, 38650),
    41: (2496, 39650),
}
# Distance of uplink from downlink [MHz]: TS 36.101 table 5.7.4-1, TS 38.101-1 table 5.4.4-1.
DUPLEX_DISTANCE_MHZ = {1: 190, 3: 95, 5: 45, 8: 45, 28: 55}


def downlink_mhz(technology, number, channel):
    """Return the frequency of a channel number: TS 36.101, 5.7.3; TS 38.104, 5.4.2.1."""
    if technology == "lte":
        lowest_mhz, offset = LTE_OFFSETS[number]
        return lowest_mhz + 0.1 * (channel - offset)
    return 0.005 * channel if channel < 600_000 else 3000 + 0.015 * (channel - 600_000)


@pytest.mark.parametrize(("technology", "number", "first", "last"), DOWNLINK_CHANNELS)
def test_bands_end_where_their_channel_numbers_do(technology, number, first, last):
    low, high = band(technology, number).downlink_mhz
    assert downlink_mhz(technology, number, first) == pytest.approx(low, abs=0.02)
    # the last number of LTE is a step before the end
    assert downlink_mhz(technology, number, last) == pytest.approx(high, abs=0.11)


def test_every_band_has_channel_numbers():
    assert set(BANDS) == {(technology, number) for technology, number, *_ in DOWNLINK_CHANNELS}


@pytest.mark.parametrize("one", BANDS.values(), ids=lambda one: one.name)
def test_directions_are_apart_as_the_standard_says(one):
    distance = DUPLEX_DISTANCE_MHZ.get(one.number, 0)
    assert (one.duplex == "tdd") == (distance == 0)
    assert [high - low for low, high in zip(one.uplink_mhz, one.downlink_mhz, strict=True)] == [
        distance,
        distance,
    ]


@pytest.mark.parametrize("one", BANDS.values(), ids=lambda one: one.name)
def test_bandwidths_are_carriers_that_fit(one):
    table = LTE_RESOURCE_BLOCKS if one.technology == "lte" else NR_RESOURCE_BLOCKS
    low, high = one.downlink_mhz
    for bandwidth in one.bandwidths_mhz:
        assert bandwidth <= high - low
        assert any(known == bandwidth for _, known in table)


def test_other_bands_are_named():
    with pytest.raises(CatalogueError, match="band 20 of LTE is not in use in China; known are B1"):
        band("lte", 20)
