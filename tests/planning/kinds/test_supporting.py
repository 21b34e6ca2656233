"""Towers without 5G get it on the frame they have."""

from dataclasses import replace

import pytest

from ankang_coverage.planning.target import Situation, Target


@pytest.mark.parametrize("by", ["site", "azimuth_deg"])
def test_only_towers_without_the_service_and_on_their_own_azimuths(small_network, by):
    cells = small_network.cells.sort_values(["radio_layer", by, "site"])
    turn = cells["site"].map({"A": 0.0, "B": 20.0, "C": 50.0})
    cells["azimuth_deg"] = (cells["azimuth_deg"] + turn) % 360.0
    small_network = replace(small_network, cells=cells)
    target = Target(
        id="s",
        kind="supporting",
        number=1,
        service="5g",
        radio_layers=("nr-n28",),
        minimum_spacing_m=0,
    )
    found = target.propose(Situation(None, small_network))
    assert found.network.sites.index.tolist() == ["B", "C"]  # A has n28 already
    cells = found.network.cells
    assert set(cells["radio_layer"]) == {"nr-n28"}
    for site in ("B", "C"):
        old = small_network.cells[small_network.cells["site"] == site]
        new = cells[cells["site"] == site]
        for column in ("azimuth_deg", "height_m", "mechanical_tilt_deg", "electrical_tilt_deg"):
            assert new[column].tolist() == old[column].tolist()


def test_when_all_have_it_nothing_is_left(small_network):
    target = Target(
        id="s",
        kind="supporting",
        number=1,
        service="4g",
        radio_layers=("lte-b3",),
        minimum_spacing_m=0,
    )
    assert target.propose(Situation(None, small_network)).network.sites.empty
