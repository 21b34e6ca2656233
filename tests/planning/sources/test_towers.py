"""Towers that stand can be shared, with antennas on the frame they have."""

from dataclasses import replace

from builders import micro_target

from ankang_coverage.planning.sources.base import PlaceSearch
from ankang_coverage.planning.sources.towers import Towers, owners, towers_without
from ankang_coverage.planning.target import Situation


def sharing(**asks):
    """Return a target of new antennas on towers that have no n28."""
    return micro_target(
        service="5g", radio_layers=("nr-n28",), candidates={"sources": ("towers",)}, **asks
    )


def test_towers_without_the_layers_can_be_shared(small_region, small_network):
    found = sharing().propose(Situation(small_region, small_network))
    assert found.table.index.tolist() == ["B", "C"]  # A has n28 already
    assert set(found.table["construction"]) == {"co-location"}
    assert set(found.table["cost_yuan"]) == {40_000}
    old = small_network.cells.query("site == 'B'")
    new = found.network.cells.query("site == 'B'")
    assert new["azimuth_deg"].tolist() == old["azimuth_deg"].tolist()


def test_the_owner_of_a_tower_is_told(small_region, small_network):
    owned = replace(small_network, sites=small_network.sites.assign(owner=["移动", "联通", "电信"]))
    found = sharing().propose(Situation(small_region, owned))
    assert found.table["owner"].to_dict() == {"B": "联通", "C": "电信"}


def test_a_tower_whose_owner_nobody_names_belongs_to_the_operators_on_it(small_network):
    operators = small_network.cells["site"].map({"A": "telecom", "B": "", "C": "mobile"})
    operators[small_network.cells["radio_layer"] == "nr-n28"] = "unicom"
    named = replace(small_network, cells=small_network.cells.assign(operator=operators))
    assert owners(named).to_dict() == {"A": "telecom+unicom", "B": "", "C": "mobile"}
    assert owners(small_network).to_dict() == dict.fromkeys("ABC", "")


def test_poles_count_as_towers_when_they_are_named(small_network):
    sites = small_network.sites.assign(kind=["macro", "micro", "micro"])
    network = replace(small_network, sites=sites)
    lacking, added = ["nr-n28"], ["nr-n28", "nr-n78"]
    assert towers_without(network, lacking, added).sites.empty
    found = towers_without(network, lacking, added, also=["C", "A"])
    assert found.sites.index.tolist() == ["C"]  # A has n28 already
    assert set(found.sites["status"]) == {"candidate"}
    assert set(found.cells["radio_layer"]) == set(added)


def test_towers_are_no_places_for_anything_new(small_region, small_network):
    search = PlaceSearch(small_region, small_network, sharing())
    assert Towers().places(search).empty
    assert set(Towers().on_towers(search).table["reason"]) == {"existing_tower_without_nr-n28"}
