"""Cells that count in a prediction, and the masts they hang on."""

from dataclasses import replace

import numpy as np
import pytest

from ankang_coverage.coverage import Propagation
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.masts import Keys
from ankang_coverage.coverage.loss.path_loss import Mast
from ankang_coverage.coverage.signal.cells import (
    Cell,
    cells_of_network,
    masts_of_cells,
    sites_of_masts,
)
from ankang_coverage.errors import RasterError

MODEL = Propagation(model="free-space", radius_m=4_000.0, micro_radius_m=1_500.0)


def masts_on(region, network, radio_layers, propagation=MODEL):
    ground = Ground.of(region)
    cells = cells_of_network(network, radio_layers, region.geobox)
    masts, n_off_terrain = masts_of_cells(
        cells, network.catalogue, ground, Keys(ground, propagation)
    )
    return cells, masts, n_off_terrain


def test_cells_of_the_layers_asked_for_count_with_their_place(small_region, small_network):
    cells = cells_of_network(small_network, ["nr-n28", "lte-b3"], small_region.geobox)
    assert set(cells) == set(Cell._fields)
    assert cells.index.tolist() == ["A-nr-n28-1", "A-nr-n28-2", "A-nr-n28-3"]
    place = small_network.sites.geometry["A"]
    assert set(zip(cells["x_m"], cells["y_m"], strict=True)) == {(place.x, place.y)}
    assert set(cells["kind"]) == {"macro"}
    both = cells_of_network(small_network, ["nr-n28", "lte-b8"], small_region.geobox)
    assert both.index.tolist() == small_network.cells.index.tolist()  # in the network's order


def test_sites_indoors_serve_their_building_only(small_region, small_network):
    sites = small_network.sites.assign(kind=["macro", "indoor", "micro"])
    network = replace(small_network, sites=sites)
    cells = cells_of_network(network, ["lte-b8"], small_region.geobox)
    assert set(cells["site"]) == {"A", "C"}
    assert cells.groupby("site")["kind"].first().to_dict() == {"A": "macro", "C": "micro"}


def test_no_cell_is_no_error_in_any_crs(small_region, small_network):
    nothing = small_network.with_sites([])
    assert cells_of_network(nothing, ["lte-b8"], small_region.geobox).empty
    abroad = replace(small_network, sites=small_network.sites.to_crs(4326))
    assert cells_of_network(abroad, ["lte-b3"], small_region.geobox).empty
    with pytest.raises(RasterError, match="sites are in EPSG:4326"):
        cells_of_network(abroad, ["lte-b8"], small_region.geobox)


def test_cells_of_a_site_and_carrier_share_a_mast(small_region, small_network):
    cells, masts, n_off_terrain = masts_on(small_region, small_network, ["lte-b8", "nr-n28"])
    assert n_off_terrain == 0
    assert {carrier: len(on_air) for carrier, on_air in masts.items()} == {
        carrier: of.nunique() for carrier, of in cells.groupby("carrier")["site"]
    }
    positions = sorted(
        cell.position for on_air in masts.values() for mast in on_air for cell in mast.cells
    )
    assert positions == list(range(len(cells)))
    layers = {id_: small_network.catalogue.radio_layer(id_) for id_ in ("lte-b8", "nr-n28")}
    for carrier, on_air in masts.items():
        for mast in on_air:
            for cell in mast.cells:
                row = cells.iloc[cell.position]
                layer = layers[row["radio_layer"]]
                lost = layer.feeder_loss_db + layer.body_loss_db
                assert row["carrier"] == carrier
                assert mast.wanted.frequency_mhz == layer.frequency_mhz
                assert mast.wanted.mast == Mast(row["x_m"], row["y_m"], row["height_m"], 4_000.0)
                assert cell.level_dbm == row["re_power_dbm"] - lost
                assert cell.azimuth_deg == row["azimuth_deg"]
            x, y = small_region.geobox.transform * (mast.column + 0.5, mast.row + 0.5)
            assert (x, y) == pytest.approx((mast.wanted.mast.x_m, mast.wanted.mast.y_m))


def test_cells_at_two_heights_hang_on_two_masts(small_region, small_network):
    heights = np.where(small_network.cells.index.str.endswith("-1"), 20.0, 30.0)
    network = replace(small_network, cells=small_network.cells.assign(height_m=heights))
    _, masts, _ = masts_on(small_region, network.with_sites(["B"]), ["lte-b8"])
    (on_air,) = masts.values()
    assert [mast.wanted.mast.height_m for mast in on_air] == [20.0, 30.0]
    assert [len(mast.cells) for mast in on_air] == [1, 2]


def test_a_micro_site_is_followed_less_far(small_region, small_network):
    sites = small_network.sites.assign(kind=["macro", "macro", "micro"])
    cells, masts, _ = masts_on(small_region, replace(small_network, sites=sites), ["lte-b8"])
    named = sites_of_masts(masts, cells)
    radius = {site: wanted.mast.radius_m for wanted, site in named.items()}
    assert radius == {"A": 4_000.0, "B": 4_000.0, "C": 1_500.0}


@pytest.mark.parametrize(("model", "n_off"), [("p1812", 1), ("free-space", 0)])
def test_a_site_on_unknown_ground_reaches_nothing_where_terrain_counts(
    small_region, small_network, model, n_off
):
    elevation = small_region.rasters["elevation_m"].copy()
    place = small_network.sites.geometry["B"]
    column, row = (int(v) for v in ~small_region.geobox.transform * (place.x, place.y))
    elevation[row - 2 : row + 3, column - 2 : column + 3] = np.nan
    region = replace(small_region, rasters=small_region.rasters.assign(elevation_m=elevation))
    settings = MODEL.model_copy(update={"model": model})
    cells, masts, n_off_terrain = masts_on(region, small_network, ["lte-b8"], settings)
    assert n_off_terrain == n_off
    assert set(sites_of_masts(masts, cells).values()) == set("ABC"[:: 1 + n_off])
