"""Bins: which measurements make one, which are left out, and how many are enough."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from drives import RMA, drive
from odc.geo.geobox import GeoBox

from ankang_coverage.coverage import HeldOut, Propagation
from ankang_coverage.coverage.calibration.bins import (
    FEWEST_BINS,
    FEWEST_BLOCKS,
    LeftOut,
    binned,
    block_numbers,
    excess_db,
    on_pixels,
)
from ankang_coverage.coverage.calibration.fit import calibrate
from ankang_coverage.errors import NetworkError


def test_too_few_measurements_are_refused_with_counts(small_region, air, fit):
    measurements = drive(small_region, air(RMA), n=90)
    points = measurements.points
    points.loc[points.index[:20], "cell"] = "460-00-1-1"
    points.loc[points.index[20:30], "rsrp_dbm"] = -155.0
    with pytest.raises(NetworkError, match=r"90 make \d\d usable bins .* 100 bins in 10") as error:
        fit(measurements)
    assert "20: the network has no such cell" in str(error.value)
    assert "10: RSRP is below the sensitivity of -150 dBm" in str(error.value)


def test_many_measurements_of_one_spot_are_too_few(small_region, air, fit):
    with pytest.raises(NetworkError, match=r"in \d blocks of 3000 m"):
        fit(drive(small_region, air(RMA)), held_out=HeldOut(block_m=3000.0))


def test_places_and_cells_that_cannot_be_used_are_counted(small_region, network, air):
    measurements = drive(small_region, air(RMA), seed=3)
    sites = network.sites.assign(kind=["macro", "macro", "indoor"])
    points = measurements.points.copy()
    points.loc[points.index[:30], "geometry"] = gpd.points_from_xy([109.0] * 30, [32.0] * 30)
    found = calibrate(
        small_region,
        replace(network, sites=sites),
        replace(measurements, points=points),
        propagation=Propagation(model="rma", radius_m=2500.0),
        held_out=HeldOut(block_m=500.0),
        check_coordinates=False,
        serving_only=False,
        sensitivity_dbm=-300.0,
    )
    reasons = {one.reason: one.n_measurements for one in found.unused}
    assert reasons["the place is outside the region's grid"] == 30
    assert reasons["the place is beyond the radius of prediction"] > 100
    of_c = measurements.points["cell"].str.startswith("C-")
    assert reasons["the cell is indoors and serves its building only"] == of_c[30:].sum()
    assert found.n_measurements + sum(reasons.values()) == len(points)


GRID = GeoBox.from_bbox((500_000, 3_600_000, 500_300, 3_600_200), "EPSG:32649", resolution=100)


def at(*places, crs=32649):
    """Return points at (x, y) metres from the grid's north-western corner, southwards."""
    x, y = np.array(places, float).T
    return gpd.GeoSeries.from_xy(500_000 + x, 3_600_200 - y, crs=crs)


def test_a_bin_is_the_median_of_a_cell_on_a_pixel():
    places = at((10, 10), (90, 20), (50, 60), (150, 150), (10, 10), (299, 199), (301, 10))
    points = gpd.GeoDataFrame(
        {"cell": list("aaaabaa"), "rsrp_dbm": [-80.0, -90.0, -84.0, -95.0, -70.0, -130.0, -80.0]},
        geometry=places.to_crs(4326),
    )
    left_out = LeftOut(len(points), 500.0)
    bins = binned(points, GRID, -125.0, left_out).set_index(["cell", "row", "column"])
    assert bins["measured_dbm"].to_dict() == {
        ("a", 0, 0): -84.0, ("a", 1, 1): -95.0, ("b", 0, 0): -70.0
    }  # fmt: skip
    assert bins["n"].tolist() == [3, 1, 1]
    middle = points.geometry[:3]
    assert bins["longitude"].iloc[0] == pytest.approx(middle.x.mean())
    assert bins["latitude"].iloc[0] == pytest.approx(middle.y.mean())
    assert left_out.counts == {
        "RSRP is below the sensitivity of -125 dBm": 1,
        "the place is outside the region's grid": 1,
    }


def test_places_get_the_pixel_they_are_on_and_those_outside_are_counted():
    lonlat = at((0.5, 0.5), (299.5, 199.5), (-1, 50), (50, 201)).to_crs(4326)
    places = pd.DataFrame({"longitude": lonlat.x, "latitude": lonlat.y, "name": list("abcd")})
    found, n_outside = on_pixels(places, GRID)
    assert n_outside == 2
    assert found[["name", "row", "column"]].to_numpy().tolist() == [["a", 0, 0], ["b", 1, 2]]


def test_blocks_are_numbered_by_where_their_bins_lie():
    bins = pd.DataFrame({"x_m": [10.0, 490.0, 510.0, 10.0], "y_m": [10.0, 490.0, 10.0, -10.0]})
    numbers = block_numbers(bins, 500.0)
    assert numbers[0] == numbers[1]
    assert len(set(numbers[[0, 2, 3]])) == 3
    assert set(numbers) == {0, 1, 2}


def test_excess_is_how_much_larger_the_loss_is_than_predicted():
    bins = pd.DataFrame({"predicted_dbm": [-80.0, -90.0], "measured_dbm": [-85.0, -88.0]})
    assert excess_db(bins).tolist() == [5.0, -2.0]


def test_enough_are_enough_bins_in_enough_blocks():
    left_out = LeftOut(999, 500.0)
    left_out.note("too weak", 3)
    left_out.note("too weak", 4)
    left_out.note("none", 0)
    assert left_out.counts == {"too weak": 7}
    enough = pd.DataFrame({"block": np.arange(FEWEST_BINS) % FEWEST_BLOCKS})
    left_out.require_enough(enough)
    for few in (enough.iloc[1:], enough.assign(block=np.arange(FEWEST_BINS) % 9)):
        with pytest.raises(NetworkError, match=r"999 make .* left out: 7: too weak"):
            left_out.require_enough(few)
