"""Villages that are left out alone, and files of which nothing is left."""

import geopandas as gpd
import pytest
import shapely

from ankang_coverage.errors import LimitError
from ankang_coverage.limits import use_limits
from ankang_coverage.region import Region


def villages(path, *, far_km=(), n=12):
    """Villages of 1 × 1 km in a row, and some far to the east of them."""
    places = [*(float(k) for k in range(n)), *far_km]
    codes = [f"610902101{901 + k}" for k in range(len(places))]
    boxes = [shapely.box(5e5 + x * 1e3, 3.6e6, 5e5 + (x + 1) * 1e3, 3.601e6) for x in places]
    table = {"code": codes, "name": codes, "people": 10}
    gpd.GeoDataFrame(table, geometry=boxes, crs=32649).to_file(path)
    return path


def test_a_village_far_from_all_others_is_listed_and_the_grid_stays_small(tmp_path):
    path = villages(tmp_path / "v.gpkg", far_km=[500.0])
    region = Region.from_files("far", path, resolution_m=300.0)
    assert len(region.villages) == 12
    (row,) = region.rejected.to_dict("records")
    assert (row["file"], row["feature"], row["code"]) == ("v.gpkg", 13, "610902101913")
    assert "500 km" in row["reason"] or "494 km" in row["reason"]
    assert region.geobox.shape[1] < 100
    assert any("rejected_villages.csv" in note for note in region.notes)


def test_the_limit_of_the_spread_can_be_raised(tmp_path):
    path = villages(tmp_path / "v.gpkg", far_km=[150.0])
    with use_limits(spread=100.0):
        region = Region.from_files("far", path, resolution_m=1000.0)
    assert len(region.villages) == 13
    assert region.rejected.empty


def test_two_clusters_are_no_mistake_to_be_dropped_in_silence(tmp_path):
    path = villages(tmp_path / "v.gpkg", far_km=[900.0 + k for k in range(11)], n=40)
    with pytest.raises(LimitError, match="11 villages too far.*spread under"):
        Region.from_files("two", path, resolution_m=1000.0)


def test_nothing_is_rejected_of_a_good_file(tmp_path):
    region = Region.from_files("good", villages(tmp_path / "v.gpkg"), resolution_m=300.0)
    assert list(region.rejected.columns) == ["file", "feature", "code", "name", "reason"]
    assert region.rejected.empty
