"""Tables that fit together, and ones that do not."""

import pickle

import pandas as pd
import pytest

from ankang_coverage.errors import AnkangCoverageError, ArgumentTypeError, NetworkError
from ankang_coverage.sites import Network, make_cells
from ankang_coverage.sites.catalogue import builtin_catalogue, radio_layer


def test_keeping_layers_keeps_their_sites(small_network):
    fifth = small_network.with_radio_layers(["nr-n28"])
    assert fifth.sites.index.tolist() == ["A"]
    assert len(fifth.cells) == 3
    assert len(small_network.cells) == 12


def test_parts_put_together_are_the_whole(small_network):
    parts = small_network.with_sites(["A"]).plus(small_network.with_sites(["B", "C"]))
    pd.testing.assert_frame_equal(
        parts.cells.sort_index(), small_network.cells.sort_index(), check_like=True
    )
    assert parts.sites.index.tolist() == ["A", "B", "C"]


def test_a_site_in_both_keeps_the_first_row(small_network):
    lte, nr = (small_network.with_radio_layers([layer]) for layer in ("lte-b8", "nr-n28"))
    together = lte.plus(nr)
    assert len(together.sites) == 3
    assert len(together.cells) == 12


def test_another_crs_is_reprojected_when_added(small_network):
    a, b = small_network.with_sites(["A"]), small_network.with_sites(["B"])
    far = Network(sites=b.sites.to_crs(4326), cells=b.cells, rejected=b.rejected)
    both = a.plus(far)
    assert both.sites.crs == a.sites.crs
    assert both.sites.geometry["B"].distance(b.sites.geometry["B"]) < 0.001


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s, c: (s.drop(columns="kind"), c), "sites lacks column 'kind'"),
        (lambda s, c: (s, c.drop(columns="height_m")), "cells lacks column 'height_m'"),
        (lambda s, c: (pd.concat([s, s[:1]]), c), "site id 'A' occurs twice"),
        (lambda s, c: (s, pd.concat([c, c[:1]])), "cell id 'A-lte-b8-1' occurs twice"),
        (lambda s, c: (s[1:], c), "row 'A-lte-b8-1' names site 'A'; known are: B, C"),
        (lambda s, c: (s, c.assign(radio_layer="lte-b99")), "names radio layer 'lte-b99'"),
        (lambda s, c: (s, c.assign(antenna="dish")), "names antenna 'dish'"),
        (lambda s, c: (s, c.assign(operator="tower company")), "names operator 'tower company'"),
        (lambda s, c: (s, c.assign(load=1.2)), "'A-lte-b8-1' has load 1.2; give a number from 0"),
        (lambda s, c: (s, c.assign(load=float("nan"))), "has load nan"),
        (lambda s, c: (s, c.assign(load="half")), "has load half"),
        (lambda s, c: (s, c.assign(azimuth_deg=400.0)), "has azimuth_deg 400.0; .* 0 to 360 deg"),
        (lambda s, c: (s, c.assign(azimuth_deg=float("nan"))), "has azimuth_deg nan"),
        (lambda s, c: (s, c.assign(re_power_dbm=1000.0)), "has re_power_dbm 1000.0"),
        (lambda s, c: (s, c.assign(height_m=-5.0)), "has height_m -5.0"),
        (lambda s, c: (s.assign(status="gone"), c), "names status 'gone'"),
        (lambda s, c: (s.assign(kind="balloon"), c), "names kind 'balloon'"),
    ],
)
def test_wrong_tables_are_named(small_network, change, says):
    sites, cells = change(small_network.sites, small_network.cells)
    with pytest.raises(NetworkError, match=says):
        Network(sites=sites, cells=cells, rejected=small_network.rejected)


def test_a_network_keeps_its_own_catalogue(small_network):
    wide = radio_layer("nr-n1").with_fields(
        id="nr-n1-40", bandwidth_mhz=40.0, n_resource_blocks=216
    )
    own = builtin_catalogue().with_entries(wide)
    cells = make_cells(["A"], "nr-n1-40", azimuths_deg=[0], height_m=30.0, catalogue=own)
    sites = small_network.sites.loc[["A"]]
    network = Network(sites, cells, small_network.rejected, catalogue=own)
    kept = (
        network.with_sites(["A"]),
        network.plus(small_network),
        pickle.loads(pickle.dumps(network)),
    )
    for one in kept:
        assert one.catalogue.radio_layer("nr-n1-40") == wide
    with pytest.raises(NetworkError, match="names radio layer 'nr-n1-40'"):
        small_network.plus(network)


def test_a_site_that_is_not_there_is_named(small_network):
    with pytest.raises(NetworkError, match="names site 'nope'; known are: A, B, C"):
        small_network.with_sites(["A", "nope"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s, c: (str(s), c), "sites must be a GeoDataFrame, not a str: Network"),
        (lambda s, c: (c, s), "sites must be a GeoDataFrame, not a DataFrame"),
        (lambda s, c: (s, list(c)), "cells must be a DataFrame, not a list"),
        (lambda s, c: (s, c.rename(columns={"load": "site"})), "lacks column 'load'"),
        (lambda s, c: (s, pd.concat([c, c["load"]], axis=1)), "has column 'load' twice"),
        (lambda s, c: (s.set_crs(None, allow_override=True), c), "no CRS: name it with"),
        (lambda s, c: (s.rename_geometry("place"), c), "no points in a column geometry"),
        (lambda s, c: (s.set_geometry(s.buffer(1)), c), "site 'A' has no point"),
        (lambda s, c: (s.assign(geometry=[None, *s.geometry[1:]]), c), "site 'A' has no point"),
    ],
)
def test_what_is_no_table_of_sites_or_cells_is_named(small_network, change, says):
    sites, cells = change(small_network.sites, small_network.cells)
    with pytest.raises(AnkangCoverageError, match=says):
        Network(sites, cells, small_network.rejected)


def test_other_arguments_of_another_type_are_named(small_network):
    sites, cells, rejected = small_network.sites, small_network.cells, small_network.rejected
    with pytest.raises(ArgumentTypeError, match="catalogue must be a Catalogue, not a str"):
        Network(sites, cells, rejected, catalogue="own.yaml")
    with pytest.raises(ArgumentTypeError, match="schema must be a Schema, not a dict"):
        Network(sites, cells, rejected, schema={})
    with pytest.raises(ArgumentTypeError, match="other must be a Network, not a DataFrame"):
        small_network.plus(cells)


def test_one_id_need_not_be_a_list(small_network):
    assert small_network.with_sites("A").sites.index.tolist() == ["A"]
    assert set(small_network.with_radio_layers("nr-n28").cells["radio_layer"]) == {"nr-n28"}
