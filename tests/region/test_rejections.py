"""Villages that are left out, far ones among them, and files of which nothing is left."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from ankang_coverage.errors import DivisionError, LimitError
from ankang_coverage.limits import use_limits
from ankang_coverage.region import Region
from ankang_coverage.region.rejections import reject_far, rejected_table, require_some
from ankang_coverage.region.vectors import Reasons

FILE = Path("villages.gpkg")
UTM = CRS.from_epsg(32649)


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


def boxes(away_km):
    """Return villages of a kilometre, each so many kilometres east of the first."""
    return np.array([shapely.box(x, 3.6e6, x + 1e3, 3.601e6) for x in np.multiply(away_km, 1e3)])


def judged(away_km):
    reasons = Reasons(np.full(len(away_km), "", object))
    codes = pd.Series([f"6109{n:08d}" for n in range(len(away_km))])
    reject_far(FILE, codes, boxes(np.add(away_km, 400)), UTM, reasons)
    return reasons


def test_a_village_a_world_away_is_told_with_its_distance():
    reasons = judged([*range(0, 60, 10), 600])
    assert reasons.fine.tolist() == [True] * 6 + [False]
    assert reasons.texts[-1] == (
        "too far from the others: 570 km from the middle of all, above 200 km (spread under "
        "[limits])"
    )


def test_what_is_far_goes_by_the_median_and_never_is_within_a_hundred_km():
    assert judged([*range(0, 60, 2), 120]).fine.all()
    assert judged([*range(0, 600, 100), 1400]).fine.all()
    with use_limits(spread=3):
        assert not judged([*range(0, 600, 100), 1400]).fine.all()


def test_more_than_a_few_far_ones_are_an_error_that_names_the_limit():
    assert (~judged([*range(30), *range(700, 710)]).fine).sum() == 10
    says = r"villages\.gpkg has 11 villages too far .* 610900000030, .* spread under \[limits\]"
    with pytest.raises(LimitError, match=says):
        judged([*range(30), *range(700, 711)])


def test_what_is_wrong_already_does_not_count():
    reasons = Reasons(np.array(["", "", "no shape"], object))
    polygons = boxes([400, 401, 402])
    polygons[2] = None
    reject_far(FILE, pd.Series(["a", "b", "c"]), polygons, UTM, reasons)
    assert reasons.texts.tolist() == ["", "", "no shape"]


def test_the_commonest_fault_is_one_of_a_kind():
    reasons = Reasons(np.array(["no shape", "people 'x' is none", "people 'y' is none"], object))
    with pytest.raises(DivisionError, match="of 2 of them, the first in feature 2: people 'x' is"):
        require_some(FILE, pd.RangeIndex(1, 4), reasons)


def test_a_table_of_nothing_has_its_columns():
    assert rejected_table().columns.tolist() == ["file", "feature", "code", "name", "reason"]
    assert rejected_table().dtypes.equals(rejected_table((("f", 1, "c", "n", "r"),)).dtypes)
