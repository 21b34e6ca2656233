"""The synthetic network: counts, places, equipment."""

import numpy as np
import pytest
import shapely
from scipy.spatial import cKDTree

from ankang_coverage.datasets import ankang, ankang_network
from ankang_coverage.datasets.facts import seat_facts
from ankang_coverage.datasets.network import SPACING_M
from ankang_coverage.errors import RasterError
from ankang_coverage.region import Region
from ankang_coverage.sites.catalogue import radio_layer
from ankang_coverage.sites.network import Network


@pytest.fixture(scope="module")
def region() -> Region:
    return ankang(180.0)


@pytest.fixture(scope="module")
def network(region) -> Network:
    return ankang_network(region)


@pytest.fixture(scope="module")
def away_m(region, network):
    """Distance of every pixel with people from the nearest tower, and its people."""
    population = region.rasters["population"]
    row, column = np.nonzero(population.to_numpy() > 0)
    places = np.column_stack([population.x[column], population.y[row]])
    towers = network.sites.get_coordinates().to_numpy()
    return cKDTree(towers).query(places)[0], population.to_numpy()[row, column]


def test_counts_and_marks(network):
    assert len(network.sites) == 3_000
    assert set(network.sites["source"]) == {"synthetic"}
    assert [source.nature for source in network.sources] == ["synthetic"]
    assert set(network.sites["status"]) == {"existing"}
    assert network.sites["name"].str.contains("模拟站").all()
    assert network.sites["name"].is_unique
    assert network.rejected.empty


def test_equipment(network):
    cells = network.cells
    on = cells.groupby("radio_layer")["site"].nunique()
    assert on["lte-b8"] == on["lte-b3"] == 3_000
    assert on["nr-n78"] + on["nr-n41"] == 900
    assert cells[cells["radio_layer"].str.startswith("nr")]["site"].nunique() == 900
    assert (cells.groupby(["site", "radio_layer"]).size() == 3).all()
    for layer, own in cells.groupby("radio_layer"):
        assert set(own["antenna"]) == {radio_layer(layer).antenna_for("macro")}
        assert set(own["re_power_dbm"]) == {radio_layer(layer).re_power_dbm("macro")}
    assert cells["height_m"].between(25, 45).all()
    assert cells["azimuth_deg"].between(0, 359.999).all()
    sectors = np.sort(cells["azimuth_deg"].to_numpy().reshape(-1, 3), axis=1)
    gaps = np.diff(sectors, axis=1, append=sectors[:, :1] + 360)
    assert gaps.min() >= 100


def test_every_tower_stands_in_a_village_and_every_township_has_one(region, network):
    points = network.sites.geometry.to_numpy()
    villages = shapely.STRtree(region.villages.geometry.to_numpy())
    assert len(np.unique(villages.query(points, predicate="intersects")[0])) == 3_000
    townships = shapely.STRtree(region.townships.geometry.to_numpy())
    assert len(np.unique(townships.query(points, predicate="intersects")[1])) == 139


def test_towers_keep_their_distance(network):
    towers = network.sites.get_coordinates().to_numpy()
    nearest = cKDTree(towers).query(towers, k=2)[0][:, 1]
    assert nearest.min() >= SPACING_M[0]


def test_most_people_are_near_a_tower_and_much_of_the_land_is_not(away_m):
    distance, people = away_m
    near = distance < 3_000
    assert 0.80 <= people[near].sum() / people.sum() <= 0.92
    assert near.mean() < 0.6
    assert people[distance > 4_000].sum() > 50_000, "remote villages wait for their first tower"


def test_towers_follow_people(region, network):
    joined = network.sites.sjoin(region.townships[["geometry"]], predicate="intersects")
    towers = joined["index_right" if "index_right" in joined else "code"].value_counts()
    towers = towers.reindex(region.townships.index, fill_value=0)
    density = region.townships["people"] / region.townships.area
    assert (towers / region.townships.area).corr(density) > 0.9


def test_5g_stands_mostly_in_and_round_the_county_seats(network):
    seats = seat_facts()
    sites = network.with_radio_layers(["nr-n78", "nr-n41"]).sites
    towers = sites.get_coordinates().to_numpy()
    distance = cKDTree(np.column_stack([seats.x, seats.y])).query(towers)[0]
    assert np.mean(distance < 8_000) > 0.6
    assert (np.bincount(cKDTree(np.column_stack([seats.x, seats.y])).query(towers)[1]) > 0).all()


def test_the_same_seed_gives_the_same_network(region, network):
    again = ankang_network(region)
    assert again.sites.equals(network.sites)
    assert again.cells.equals(network.cells)
    assert not ankang_network(region, seed=1).sites.geometry.equals(network.sites.geometry)


def test_a_grid_too_coarse_is_refused():
    with pytest.raises(RasterError, match="finer resolution_m"):
        ankang_network(ankang(3_000.0))
