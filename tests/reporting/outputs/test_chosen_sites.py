"""The chosen sites as a table: where they stand, and what they rest on."""

import dataclasses
from types import SimpleNamespace

import geopandas as gpd
import pandas as pd

import ankang_coverage
from ankang_coverage.region import Source
from ankang_coverage.reporting.outputs.chosen_sites import CHOSEN_COLUMNS, chosen_table


def test_positions_are_wgs84(written, planned):
    chosen = pd.read_csv(written["chosen_sites.csv"])
    back = gpd.GeoSeries.from_xy(chosen["lon"], chosen["lat"], crs=4326).to_crs(planned.chosen.crs)
    assert back.distance(planned.chosen.geometry.reset_index(drop=True)).max() < 0.2


def test_an_unknown_land_cover_is_said_in_every_row(planned):
    unknown = SimpleNamespace(
        terrain="dtm", land_cover="default class", propagation=ankang_coverage.Propagation()
    )
    table = chosen_table(dataclasses.replace(planned, coverage_after={"4g": unknown}))
    assert set(table["prediction"]) == {"p1812, over dtm, default land cover"}


def test_sites_of_real_ingredients_are_not_called_synthetic(planned):
    real = dataclasses.replace(planned, sources=(Source("everything", "real", "surveyed"),))
    assert set(chosen_table(real)["synthetic"]) == {""}


def test_sites_come_in_order_with_the_columns_that_are_promised(planned):
    table = chosen_table(planned)
    assert list(table) == list(CHOSEN_COLUMNS.values())
    assert table["id"].tolist() == planned.chosen.index.tolist()
    assert table["order"].tolist() == [1, 2, 3]
