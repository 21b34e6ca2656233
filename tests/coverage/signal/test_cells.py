"""What the schema says of signals and what predictions use are the same."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import ankang_coverage as ac
from ankang_coverage.coverage.signal.cells import DERIVED, Cell, cells_of_network
from ankang_coverage.sites import Network, builtin_schema

ATTRIBUTES = {about.name: about for about in builtin_schema()}
CHANGING = [name for name, about in ATTRIBUTES.items() if about.changes_signal]
KEPT = [name for name, about in ATTRIBUTES.items() if about.table and name not in CHANGING]
PLACE = ("longitude", "latitude")
OTHER = {"antenna": "micro-65-12dbi", "radio_layer": "lte-b3", "operator": "mobile"}
"""What to put in place of an id, or of a blank."""


@pytest.fixture(scope="module")
def region(make_region):
    return make_region((60, 90), 100.0)


@pytest.fixture(scope="module")
def network(region, make_network):
    def three(height_m):
        return [("lte-b8", {"azimuths_deg": [0, 120, 240], "height_m": height_m})]

    return make_network(
        region, [("A", 30.3, 30.4, "macro", three(30.0)), ("B", 60.6, 28.1, "macro", three(35.0))]
    )


@pytest.fixture(scope="module")
def predict(region, tmp_path_factory):
    work = ac.Work(ac.Store(tmp_path_factory.mktemp("store")))
    model = ac.Propagation(model="rma", radius_m=4_000.0, micro_radius_m=1_500.0)
    return lambda network: ac.predict(region, network, "4g", propagation=model, work=work)


@pytest.fixture(scope="module")
def before(predict, network):
    return predict(network)


def changed(network, name):
    """Return the network with another value of an attribute at its first site or cell."""
    sites, cells = network.sites.copy(), network.cells.copy()
    if name in PLACE:
        sites["geometry"] = sites.geometry.translate(500.0 * (name == PLACE[0]), 500.0)
    elif name == "site":
        sites, cells = sites.rename(index={"A": "Z"}), cells.replace({"site": {"A": "Z"}})
    else:
        about = ATTRIBUTES[name]
        table = sites if about.table == "sites" else cells
        value = table[name].iloc[0] if name in table else ""
        if about.is_number:
            value += (about.maximum - value) / 10.0
        elif name in OTHER:
            value = OTHER[name]
        elif about.words:
            value = next(word for word in about.words if word != value)
        else:
            value = "another"
        others = table[name].iloc[1:] if name in table else [""] * (len(table) - 1)
        table[name] = [value, *others]
    return replace(network, sites=sites, cells=cells)


def figures(coverage):
    return [np.asarray(values) for values in coverage.to_dataset().data_vars.values()]


def differ(first, second):
    pairs = zip(figures(first), figures(second), strict=True)
    return any(not np.array_equal(*pair, equal_nan=pair[0].dtype.kind == "f") for pair in pairs)


def test_a_prediction_takes_of_a_cell_what_the_schema_says(network, region):
    assert {*Cell._fields} - {*DERIVED} == {*CHANGING} - {*PLACE}
    cells = cells_of_network(network, ["lte-b8"], region.geobox)
    assert {*cells} == {*Cell._fields}


@pytest.mark.parametrize("name", CHANGING)
def test_what_changes_signals_changes_figures_and_keys(network, before, predict, name):
    after = predict(changed(network, name))
    assert differ(before, after)
    assert len(before.changed_windows(after)) > 0


@pytest.mark.parametrize("name", KEPT)
def test_what_changes_no_signal_changes_neither_figures_nor_keys(network, before, predict, name):
    after = predict(changed(network, name))
    assert not differ(before, after)
    assert before.changed_windows(after) == []


def test_a_users_columns_change_neither_figures_nor_keys(network, before, predict):
    sites = network.sites.assign(owner="铁塔", x_m=0.0, carrier="mine")
    cells = network.cells.assign(PCI=range(len(network.cells)), x_m=0.0, kind="indoor")
    after = predict(Network(sites, cells, network.rejected))
    assert not differ(before, after)
    assert before.changed_windows(after) == []


def test_a_new_column_that_changes_signals_is_in_every_key(network, predict):
    """Whatever is computed from it: a tile is never served for another value."""
    gain = ac.Attribute("gain_db", "number", default="0", minimum=-10, maximum=10)
    schema = ac.Schema((*builtin_schema().attributes, replace(gain, changes_signal=True)))

    def with_gain(gain_db):
        return predict(replace(network, schema=schema, cells=network.cells.assign(gain_db=gain_db)))

    usual = with_gain(0.0)
    assert usual.changed_windows(with_gain(0)) == []
    assert len(usual.changed_windows(with_gain(3.0))) > 0
    assert "gain_db" in usual.to_dataset().coords


def test_whole_numbers_and_others_are_the_same(network, before, predict):
    whole = network.cells.assign(height_m=network.cells["height_m"].astype(int))
    assert before.changed_windows(predict(replace(network, cells=whole))) == []


def test_cells_that_do_not_count_are_left_out(network, region):
    indoors = replace(network, sites=network.sites.assign(kind=["macro", "indoor"]))
    assert set(cells_of_network(indoors, ["lte-b8"], region.geobox)["site"]) == {"A"}
    assert len(cells_of_network(network, ["nr-n78"], region.geobox)) == 0
    none = cells_of_network(network.with_radio_layers([]), ["lte-b8"], region.geobox)
    assert isinstance(none, pd.DataFrame)
    assert not isinstance(none, gpd.GeoDataFrame)
