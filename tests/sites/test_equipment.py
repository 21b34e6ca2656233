"""Cells come out site by site, with the catalogue's power and antenna."""

import pytest

from ankang_coverage.errors import CatalogueError
from ankang_coverage.propagation.measured_pattern import cosine_pattern
from ankang_coverage.sites import equip
from ankang_coverage.sites.catalogue import MeasuredAntenna, builtin_catalogue, radio_layer


def test_values_per_site_reach_all_its_sectors():
    cells = equip(
        ["A", "B"],
        "lte-b3",
        azimuths_deg=[[0, 120, 240], [30, 150, 390]],
        height_m=[30, 40],
        electrical_tilt_deg=[2, 4],
    )
    assert cells["site"].tolist() == ["A"] * 3 + ["B"] * 3
    assert cells["azimuth_deg"].tolist() == [0, 120, 240, 30, 150, 30]
    assert cells["height_m"].tolist() == [30] * 3 + [40] * 3
    assert cells["electrical_tilt_deg"].tolist() == [2] * 3 + [4] * 3


@pytest.mark.parametrize("kind", ["macro", "micro"])
def test_power_and_antenna_are_the_catalogues(kind):
    cells = equip(["P"], "lte-b8", kind=kind, azimuths_deg=[0], height_m=12.0)
    layer = radio_layer("lte-b8")
    assert cells["re_power_dbm"].tolist() == [layer.re_power_dbm(kind)]
    assert cells["antenna"].tolist() == [layer.antenna_for(kind)]


def test_load_is_the_layers_and_operator_open_unless_given():
    usual = equip(["A"], "nr-n78", azimuths_deg=[0, 120], height_m=30)
    assert usual["load"].tolist() == [radio_layer("nr-n78").load] * 2
    assert usual["operator"].tolist() == ["", ""]
    own = equip(["A"], "nr-n78", azimuths_deg=[0], height_m=30, load=0.0, operator="unicom")
    assert own["load"].tolist() == [0.0]
    assert own["operator"].tolist() == ["unicom"]


def test_unknown_layers_are_named():
    with pytest.raises(CatalogueError, match="lte-b88"):
        equip(["A"], "lte-b88", azimuths_deg=[0], height_m=30)


def test_the_electrical_tilt_is_the_antennas_own_unless_given():
    pattern = cosine_pattern(17.0, 65.0, 7.0, electrical_tilt_deg=6.0)
    measured = MeasuredAntenna(id="panel", source="a test", kind="measured", pattern=pattern)
    layer = radio_layer("lte-b8").with_fields(antenna="panel")
    own = builtin_catalogue().with_entries(measured, layer)

    def tilt(**settings):
        cells = equip(["A"], "lte-b8", azimuths_deg=[0, 120], height_m=30, **settings)
        return cells["electrical_tilt_deg"].tolist()

    assert tilt() == [0.0, 0.0]
    assert tilt(catalogue=own) == [6.0, 6.0]
    assert tilt(catalogue=own, kind="micro") == [0.0, 0.0]
    assert tilt(catalogue=own, electrical_tilt_deg=0.0) == [0.0, 0.0]
