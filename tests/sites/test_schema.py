"""The schema: complete, consistent, knowing the headers in use, and open to attributes."""

import csv
import pickle
from importlib import resources

import pytest

from ankang_coverage.errors import NetworkError
from ankang_coverage.sites import Attribute, Network, builtin_schema, read_sites
from ankang_coverage.sites.attributes import plain_header
from ankang_coverage.sites.catalogue import OPERATORS
from ankang_coverage.sites.schema import schema_of

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


@pytest.mark.parametrize("about", builtin_schema().attributes, ids=lambda about: about.name)
def test_every_attribute_is_consistent(about):
    assert about.description.endswith(".")
    assert about.heading_zh
    assert about.heading_en
    # What only the library fills has no headers.
    assert plain_header(about.name) == plain_header(([*about.headers, about.name])[0])
    assert (about.minimum is not None) == (about.maximum is not None) == about.is_number
    for kind in builtin_schema()["kind"].words:
        if about.is_number and about.has_default_value:
            assert about.minimum <= float(about.default_for(kind)) <= about.maximum


@pytest.mark.parametrize("about", builtin_schema().attributes, ids=lambda about: about.name)
def test_what_changes_a_signal_is_in_every_network(about):
    """A prediction takes it of each cell; the place of a site is its geometry."""
    if about.changes_signal and about.name not in {"longitude", "latitude"}:
        assert about.table
        assert about.needed or about.has_default_value


def test_operators_are_those_of_the_catalogue():
    assert tuple(builtin_schema()["operator"].words) == OPERATORS


def test_headers_collected_from_operators_are_known(shared):
    path = shared / "data/site_table_headers/site_table_headers.csv"
    with path.open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["canonical"] in COLLECTED]
    assert len(rows) == len(COLLECTED)
    for row in rows:
        headers = f"{row['chinese_headers_seen']}|{row['english_headers_seen']}".split("|")
        for header in filter(None, headers):
            assert builtin_schema().find([header]) == {COLLECTED[row["canonical"]]: [0]}, header


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
    assert builtin_schema().find([header]) == {attribute: [0]}


def test_the_preferred_header_wins_wherever_it_stands():
    assert builtin_schema().find(["CellID", "小区CGI"])["cell"] == [1]
    assert builtin_schema().find(["下倾角", "总下倾角"])["total_tilt_deg"] == [1]


def test_the_same_header_twice_is_told():
    assert builtin_schema().find(["经度(WGS84)", "备注", "经度(GCJ02)"])["longitude"] == [0, 2]


def test_what_is_no_attribute_is_not_found():
    assert builtin_schema().find(["备注", "", None, 5, "PCI"]) == {}


# Attributes from outside --------------------------------------------------------------------------

RENT = Attribute(
    "rent_yuan", "number", "sites", headers=("租金",), unit="CNY", default="macro 30; micro 5; "
    "indoor 0", minimum=0, maximum=100, heading_zh="租金（元）", heading_en="Rent (CNY)",
)  # fmt: skip
SHARED = Attribute("sharing", "word", "cells", words={"shared": ("共享", "yes"), "own": ("独用",)})
PORTS = Attribute("ports", "number", "cells")
HEADER = "站名,小区CGI,经度,纬度,频段,方位角,站点类型,租金(元),sharing,PORTS"
ROWS = (
    "甲,c1,109.02,32.69,B8,0,宏站,20,共享,4",
    "甲,c2,109.02,32.69,B8,120,宏站,20,,",
    "乙,c3,109.10,32.69,B8,0,微站,,yes,2",
    "乙,c4,109.10,32.69,B8,0,微站,-1,yes,2",
    "乙,c5,109.10,32.69,B8,0,微站,1,maybe,2",
    "乙,c6,109.10,32.69,B8,0,微站,1,,two",
)


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text("\n".join([HEADER, *ROWS]), "utf-8")
    return read_sites(path, schema=builtin_schema().with_attributes(RENT, SHARED, PORTS))


def test_attributes_from_outside_are_read_and_checked_like_the_built_in_ones(own):
    assert own.sites["rent_yuan"].to_dict() == {"甲": 20.0, "乙": 5.0}
    assert own.cells["sharing"].to_dict() == {"c1": "shared", "c2": "", "c3": "shared"}
    assert own.cells["ports"].fillna(-1).to_dict() == {"c1": 4.0, "c2": -1.0, "c3": 2.0}
    assert own.cells["assumed"].str.contains("rent_yuan").to_list() == [False, False, True]
    assert own.rejected[["column", "value", "reason"]].to_numpy().tolist() == [
        ["租金(元)", "-1", "rent_yuan is outside 0 to 100 CNY"],
        ["sharing", "maybe", "sharing is none of 共享, yes, 独用"],
        ["PORTS", "two", "ports is no number"],
    ]
    assert own.unread == ()
    assert own.extra_columns("sites") == ["rent_yuan"]


def test_attributes_from_outside_stay_in_every_network_that_follows(own, small_network):
    both = own.plus(small_network.with_sites("A"))
    assert both.sites["rent_yuan"].to_dict() == {"甲": 20.0, "乙": 5.0, "A": 30.0}
    assert both.cells["sharing"].isna().sum() == len(small_network.with_sites("A").cells)
    assert pickle.loads(pickle.dumps(both)).schema == own.schema
    with pytest.raises(NetworkError, match="'甲' has rent_yuan 101; give a number from 0 to 100"):
        Network(own.sites.assign(rent_yuan=101), own.cells, own.rejected, schema=own.schema)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"name": "Rent"}, "'Rent': name it in small letters"),
        ({"name": "geometry"}, "and not geometry"),
        ({"type": "money"}, "type 'money' is none of text, word, number, angle"),
        ({"table": "towers"}, "table 'towers' is neither sites nor cells"),
        ({"headers": "租金"}, "headers is one text"),
        ({"type": "word"}, "words go with the type word"),
        ({"words": {"a": ("b",)}}, "words go with the type word"),
        ({"minimum": 0.0}, "limits go with numbers"),
        ({"type": "number", "default": "free"}, "default 'free' is no number"),
        ({"type": "number", "default": "-1", "minimum": 0}, "default '-1' is outside 0 or more"),
        ({"type": "word", "words": {"a": ("b",)}, "default": "b"}, "default 'b' is none of a"),
    ],
)
def test_an_attribute_that_contradicts_itself_is_refused(parts, says):
    with pytest.raises(NetworkError, match=says):
        Attribute(**{"name": "rent", **parts})


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        (Attribute("load"), "attributes load and load share the name or header 'load'"),
        (Attribute("rent", headers=("挂高",)), "height_m and rent share the name or header '挂高'"),
        (Attribute("gain_db", "number", changes_signal=True), "no prediction uses it"),
        (Attribute("gain", table=""), "attribute gain: give table sites or cells"),
    ],
)
def test_an_attribute_that_does_not_fit_the_schema_is_refused(attribute, says):
    with pytest.raises(NetworkError, match=says):
        builtin_schema().with_attributes(attribute)


def test_an_unknown_attribute_is_named():
    with pytest.raises(NetworkError, match="no attribute 'hight'; there are site, name, status"):
        builtin_schema()["hight"]


def test_one_line_of_the_csv_is_a_column(tmp_path, small_network):
    """A new line with a default is read, checked and in every network, and touches nothing else."""
    text = (resources.files("ankang_coverage.sites") / "attributes.csv").read_text("utf-8")
    line = "backup_h,number,h,4,0,72,sites,,,,backup_h|后备时长,后备时长（h）,Backup (h),Battery."
    schema = schema_of(f"{text}{line}\n")
    path = tmp_path / "sites.csv"
    path.write_text("站名,经度,纬度,频段,方位角,后备时长\n甲,109.02,32.69,B8,0,8", "utf-8")
    read = read_sites(path, schema=schema)
    assert read.sites["backup_h"].tolist() == [8.0]
    made = Network(small_network.sites, small_network.cells, small_network.rejected, schema=schema)
    assert made.sites["backup_h"].tolist() == [4.0, 4.0, 4.0]
    assert read.plus(made).sites["backup_h"].tolist() == [8.0, 4.0, 4.0, 4.0]
