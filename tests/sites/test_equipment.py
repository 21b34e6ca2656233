"""Cells come out site by site, with the catalogue's power and antenna."""

import pytest

from ankang_coverage.errors import CatalogueError, NetworkError
from ankang_coverage.propagation.measured_pattern import cosine_pattern
from ankang_coverage.sites import builtin_schema, equip, make_cells
from ankang_coverage.sites.catalogue import MeasuredAntenna, builtin_catalogue, radio_layer


def test_values_per_site_reach_all_its_sectors():
    cells = make_cells(
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
    cells = make_cells(["P"], "lte-b8", kind=kind, azimuths_deg=[0], height_m=12.0)
    layer = radio_layer("lte-b8")
    assert cells["re_power_dbm"].tolist() == [layer.re_power_dbm(kind)]
    assert cells["antenna"].tolist() == [layer.antenna_for(kind)]


def test_load_is_the_layers_and_operator_open_unless_given():
    usual = make_cells(["A"], "nr-n78", azimuths_deg=[0, 120], height_m=30)
    assert usual["load"].tolist() == [radio_layer("nr-n78").load] * 2
    assert usual["operator"].tolist() == ["", ""]
    own = make_cells(["A"], "nr-n78", azimuths_deg=[0], height_m=30, load=0.0, operator="unicom")
    assert own["load"].tolist() == [0.0]
    assert own["operator"].tolist() == ["unicom"]


def test_unknown_layers_are_named():
    with pytest.raises(CatalogueError, match="lte-b88"):
        make_cells(["A"], "lte-b88", azimuths_deg=[0], height_m=30)


def test_the_electrical_tilt_is_the_antennas_own_unless_given():
    pattern = cosine_pattern(17.0, 65.0, 7.0, electrical_tilt_deg=6.0)
    measured = MeasuredAntenna(id="panel", source="a test", kind="measured", pattern=pattern)
    layer = radio_layer("lte-b8").with_fields(antenna="panel")
    own = builtin_catalogue().with_entries(measured, layer)

    def tilt(**settings):
        cells = make_cells(["A"], "lte-b8", azimuths_deg=[0, 120], height_m=30, **settings)
        return cells["electrical_tilt_deg"].tolist()

    assert tilt() == [0.0, 0.0]
    assert tilt(catalogue=own) == [6.0, 6.0]
    assert tilt(catalogue=own, kind="micro") == [0.0, 0.0]
    assert tilt(catalogue=own, electrical_tilt_deg=0.0) == [0.0, 0.0]


def test_the_columns_are_those_of_a_network():
    cells = make_cells("A", "lte-b8", azimuths_deg=0, height_m=30)
    needed = [about.name for about in builtin_schema().columns("cells") if about.needed]
    assert list(cells) == needed
    assert cells["site"].tolist() == ["A"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"height_m": [30, 31, 32]}, r"height_m has the shape \(3,\): give one number, or one for"),
        ({"mechanical_tilt_deg": [[1, 2]]}, r"mechanical_tilt_deg has the shape \(1, 2\)"),
        ({"azimuths_deg": [[0], [1], [2]]}, r"azimuths_deg has the shape \(3, 1\)"),
    ],
)
def test_values_that_do_not_go_with_the_sites_are_named(values, says):
    with pytest.raises(NetworkError, match=says):
        make_cells(["A", "B"], "lte-b8", **{"azimuths_deg": [0], "height_m": 30, **values})


def test_the_old_name_works_and_says_the_new_one():
    with pytest.warns(DeprecationWarning, match="use make_cells"):
        old = equip(["A"], "lte-b8", azimuths_deg=[0], height_m=30)
    assert old.equals(make_cells(["A"], "lte-b8", azimuths_deg=[0], height_m=30))
