"""The table that is the API: complete, consistent, and knowing the headers in use."""

import csv

import pytest

from ankang_coverage.sites.attributes import (
    CATALOGUE,
    REQUIRED,
    attributes,
    find_attributes,
    plain_header,
)
from ankang_coverage.sites.network import CELL_COLUMNS, SITE_COLUMNS, SITE_KIND

# Canonical names of the collected headers → attributes; the rest is not read.
COLLECTED = {
    "site_name": "name",
    "enodeb_id": "base_station",
    "gnodeb_id": "base_station",
    "cgi": "cell",
    "cell_id": "cell",
    "local_cell_id": "cell",
    "cell_name": "cell_name",
    "longitude": "longitude",
    "latitude": "latitude",
    "height_m": "height_m",
    "azimuth_deg": "azimuth_deg",
    "tilt_total_deg": "total_tilt_deg",
    "tilt_mech_deg": "mechanical_tilt_deg",
    "tilt_elec_deg": "electrical_tilt_deg",
    "band": "band",
    "rs_power": "re_power_dbm",
    "status": "status",
}


def test_everything_a_network_holds_is_described():
    # The source of a site is the name of its file.
    assert set(SITE_COLUMNS) - {"source"} <= attributes().keys()
    assert set(CELL_COLUMNS) <= attributes().keys()


@pytest.mark.parametrize("attribute", attributes().values(), ids=lambda attribute: attribute.name)
def test_every_attribute_is_consistent(attribute):
    assert attribute.type in {"text", "word", "number", "angle"}
    assert attribute.description.endswith(".")
    assert plain_header(attribute.name) == plain_header(attribute.headers[0])
    is_number = attribute.type in {"number", "angle"}
    assert (attribute.minimum is not None) == (attribute.maximum is not None) == is_number
    for kind in SITE_KIND:
        default = attribute.default_for(kind)
        if is_number and default not in {"", REQUIRED, CATALOGUE}:
            assert attribute.minimum <= float(default) <= attribute.maximum


def test_no_header_means_two_attributes():
    headers = [plain_header(h) for attribute in attributes().values() for h in attribute.headers]
    assert len(headers) == len(set(headers))


def test_headers_collected_from_operators_are_known(shared):
    path = shared / "data/site_table_headers/site_table_headers.csv"
    with path.open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["canonical"] in COLLECTED]
    assert len(rows) == len(COLLECTED)
    for row in rows:
        headers = f"{row['chinese_headers_seen']}|{row['english_headers_seen']}".split("|")
        for header in filter(None, headers):
            assert find_attributes([header]) == {COLLECTED[row["canonical"]]: [0]}, header


@pytest.mark.parametrize(
    ("header", "attribute"),
    [
        ("天线挂高（米）", "height_m"),
        ("天线挂高 (m)", "height_m"),
        ("ＣＧＩ", "cell"),
        (" * gNB ID ", "base_station"),
        ("LONGITUDE", "longitude"),
        ("经 度", "longitude"),
        ("ssb发送功率(dbm)", "re_power_dbm"),
        ("方位角【度】", "azimuth_deg"),
    ],
)
def test_case_width_spaces_and_units_do_not_matter(header, attribute):
    assert find_attributes([header]) == {attribute: [0]}


def test_the_preferred_header_wins_wherever_it_stands():
    assert find_attributes(["CellID", "小区CGI"])["cell"] == [1]
    assert find_attributes(["下倾角", "总下倾角"])["total_tilt_deg"] == [1]


def test_the_same_header_twice_is_told():
    assert find_attributes(["经度(WGS84)", "备注", "经度(GCJ02)"])["longitude"] == [0, 2]


def test_what_is_no_attribute_is_not_found():
    assert find_attributes(["备注", "", None, 5, "PCI"]) == {}
