"""Who can use a cell, and with which others it interferes."""

import pandas as pd
import pytest

from ankang_coverage.errors import NetworkError
from ankang_coverage.sites import Network, carriers, make_cells, usable_by

OWNERS = {
    "lte-b3": ("mobile", "unicom", "telecom", ""),
    "nr-n28": ("mobile", "cbn", "unicom"),
    "nr-n78": ("telecom", "unicom", ""),
}


@pytest.fixture(scope="module")
def network(small_network):
    """Each radio layer on one site, a sector for each operator in the order of `OWNERS`."""
    tables = []
    for layer, owners in OWNERS.items():
        cells = make_cells(["A"], layer, azimuths_deg=range(len(owners)), height_m=30.0)
        tables.append(cells.assign(operator=list(owners)))
    return Network(small_network.sites, pd.concat(tables), small_network.rejected)


def owned(network):
    return [(*pair,) for pair in network.cells[["radio_layer", "operator"]].to_numpy()]


def test_cells_of_one_carrier_belong_to_one_owner_or_to_those_who_share(network):
    assert carriers(network).tolist() == [
        "lte-b3 mobile",
        "lte-b3 unicom",
        "lte-b3 telecom",
        "lte-b3",
        "nr-n28 mobile+cbn",
        "nr-n28 mobile+cbn",
        "nr-n28 unicom",
        "nr-n78 telecom+unicom",
        "nr-n78 telecom+unicom",
        "nr-n78",
    ]
    assert carriers(network).index.equals(network.cells.index)


@pytest.mark.parametrize(
    ("operators", "usable"),
    [
        (
            "unicom",
            [
                ("lte-b3", "unicom"),
                ("lte-b3", ""),
                ("nr-n28", "unicom"),
                ("nr-n78", "telecom"),
                ("nr-n78", "unicom"),
                ("nr-n78", ""),
            ],
        ),
        ("cbn", [("lte-b3", ""), ("nr-n28", "mobile"), ("nr-n28", "cbn"), ("nr-n78", "")]),
    ],
)
def test_a_subscriber_uses_own_shared_and_open_cells(network, operators, usable):
    assert owned(network.with_operators(operators)) == usable
    assert owned(usable_by(network, operators)) == usable


def test_a_set_of_operators_uses_what_any_of_them_does(network):
    assert len(usable_by(network, ["mobile", "unicom", "telecom", "cbn"]).cells) == 10
    both = set(owned(usable_by(network, ["unicom", "cbn"])))
    assert both == set(owned(usable_by(network, "unicom"))) | set(owned(usable_by(network, "cbn")))


def test_cells_without_operator_are_everyones(small_network):
    for operator in ("mobile", "cbn"):
        assert len(usable_by(small_network, operator).cells) == len(small_network.cells)
    assert set(carriers(small_network)) == {"lte-b8", "nr-n28"}


def test_a_network_without_cells_stays_one(small_network):
    empty = small_network.with_radio_layers([])
    assert len(usable_by(empty, "mobile").cells) == 0
    assert len(carriers(empty)) == 0


def test_unknown_operators_are_named(network):
    with pytest.raises(NetworkError, match="no operator 'china'; known are mobile, unicom"):
        usable_by(network, ["mobile", "china"])
