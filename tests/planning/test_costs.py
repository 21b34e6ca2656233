"""Costs are prices of what is built and of the lines to it."""

import geopandas as gpd
import numpy as np
import pytest

from ankang_coverage.errors import FileError, PlanningError
from ankang_coverage.limits import Limits
from ankang_coverage.planning.costs import (
    BUILTIN,
    DEAREST_LINE_YUAN_PER_KM,
    DEAREST_SITE_YUAN,
    UnitPrices,
    line_distances_m,
)
from ankang_coverage.planning.places import centres, most_populated_pixels

PRICES = BUILTIN.read_text("utf-8")


def test_every_built_in_price_says_where_it_comes_from():
    prices = UnitPrices.from_yaml()
    assert set(prices.source) == set(UnitPrices.model_fields) - {"source"}


def test_a_site_costs_what_is_built_and_its_lines():
    prices = UnitPrices(
        tower_yuan=1000,
        pole_yuan=100,
        co_location_yuan=10,
        pole_up_to_m=15,
        power_yuan_per_km=50,
        fibre_yuan_per_km=20,
        detour=1.5,
    )
    kinds = np.array(["tower", "pole", "co-location"], object)
    power, fibre = np.array([2000.0, 0.0, 0.0]), np.array([1000.0, 500.0, 0.0])
    assert prices.of(kinds, power, fibre).tolist() == [1000 + 180, 100 + 15, 10]
    assert [prices.construction(h) for h in (15.0, 15.1)] == ["pole", "tower"]


def test_village_centres_and_sites_have_fibre(small_region, small_network):
    x_m, y_m = centres(most_populated_pixels(small_region), small_region)
    places = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([*x_m, x_m[0] + 30.0], [*y_m, y_m[0]]), crs=32649
    )
    power, fibre = line_distances_m(places, small_network.sites, small_region)
    assert not power[:-1].any()
    assert fibre.tolist() == pytest.approx([0.0] * len(x_m) + [30.0])


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("{", FileError, r"as YAML \(line 2"),
        (
            "pole: 3",
            PlanningError,
            "tower_yuan: Field required.*pole: unknown key; did you mean pole_yuan",
        ),
        (BUILTIN.read_text("utf-8").replace("200000", "-1", 1), PlanningError, "tower_yuan"),
        (
            PRICES.replace("200000", ".inf"),
            PlanningError,
            "tower_yuan: .* a finite number, not inf",
        ),
        (PRICES.replace("200000", "1.0e+300"), PlanningError, "tower_yuan: Input should be less"),
        (
            PRICES.replace("200000", "'200000'"),
            PlanningError,
            "tower_yuan: .* a valid number, not '2",
        ),
        (PRICES.replace("200000", "yes"), PlanningError, "tower_yuan: .* a valid number, not true"),
        (PRICES.replace("200000", "9" * 400), FileError, "whole number of more than 60 digits"),
        (PRICES.replace("200000", "2024-05-01"), FileError, "line 4: '2024-05-01' is a date"),
        ("", PlanningError, "prices.yaml: Input should be a table"),
    ],
)
def test_prices_that_cannot_be_used_are_named(tmp_path, text, error, says):
    path = tmp_path / "prices.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(error, match=says):
        UnitPrices.from_yaml(path)


def test_the_dearest_prices_of_the_most_sites_add_up():
    """So many candidates as a table has rows, each at the highest price and a thousand km off."""
    dearest = UnitPrices.model_validate(
        dict.fromkeys(("tower_yuan", "pole_yuan", "co_location_yuan"), DEAREST_SITE_YUAN)
        | dict.fromkeys(("power_yuan_per_km", "fibre_yuan_per_km"), DEAREST_LINE_YUAN_PER_KM)
        | {"pole_up_to_m": 15.0, "detour": 10.0}
    )
    far_m = np.array([1e6])
    cost = int(dearest.of(np.array(["tower"], object), far_m, far_m)[0])
    assert cost == 2_001_000_000_000
    assert cost * Limits().rows < 2**63
