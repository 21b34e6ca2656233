"""Coordinates of another datum are noticed, and true ones are not accused."""

from dataclasses import replace

import geopandas as gpd
import pytest
from drives import P1812, RMA, drive

from ankang_coverage.coverage.calibration.measurements import to_wgs84
from ankang_coverage.errors import NetworkError


@pytest.mark.parametrize("propagation", [RMA, P1812], ids=lambda p: p.model)
@pytest.mark.parametrize(("datum", "name"), [("gcj02", "GCJ-02"), ("bd09", "BD-09")])
def test_shifted_coordinates_are_noticed_and_named(
    small_region, air, fit, propagation, datum, name
):
    measurements = drive(small_region, air(propagation), seed=1, datum=datum)
    with pytest.raises(NetworkError, match=f"seem to be in {name}, not in WGS-84.*{datum!r}"):
        fit(measurements, propagation, check_coordinates=True)


@pytest.mark.parametrize("seed", range(6))
def test_true_coordinates_are_not_accused(small_region, air, fit, seed):
    measurements = drive(small_region, air(RMA), seed=seed, n=2000, shadow_db=10.0, shadow_pixels=6)
    fit(measurements, check_coordinates=True)


def test_coordinates_that_were_turned_needlessly_are_noticed(small_region, air, fit):
    """The file is WGS-84 but was read as GCJ-02."""
    right = drive(small_region, air(P1812), seed=2)
    places = right.points.geometry
    turned = to_wgs84(places.x.to_numpy(), places.y.to_numpy(), "gcj02")
    wrong = replace(
        right,
        points=right.points.set_geometry(gpd.points_from_xy(*turned, crs="EPSG:4326")),
        coordinates="gcj02",
    )
    with pytest.raises(NetworkError, match="seem to be in WGS-84, not in GCJ-02"):
        fit(wrong, P1812, check_coordinates=True)
