"""The divisions as tables, with what is synthetic in them."""

import dataclasses

import pytest

from ankang_coverage.region import Source
from ankang_coverage.reporting.outputs.divisions import division_table


def test_several_synthetic_ingredients_are_listed(planned):
    made = (Source("land cover", "synthetic", ""), Source("elevation", "synthetic", ""))
    table = division_table(dataclasses.replace(planned, sources=made), "counties")
    assert set(table["synthetic"]) == {"land cover; elevation"}


@pytest.mark.parametrize("level", ["villages", "townships", "counties"])
def test_a_level_has_a_row_for_each_division_and_no_geometry(planned, level):
    table, divisions = division_table(planned, level), getattr(planned, level)
    assert table["code"].tolist() == divisions.index.tolist()
    assert table["people"].tolist() == divisions["people"].tolist()
    assert set(divisions) - {"geometry"} < set(table)
    assert "geometry" not in table
    share = divisions["people_share_4g_after"].to_numpy()
    assert table["people_share_4g_after"].to_numpy() == pytest.approx(share, abs=5e-5)
