"""A region from the user's own files: parents, sums, notes, and CRS that cannot be right."""

import pytest
import shapely
import shapely.affinity

from ankang_coverage.errors import DivisionError
from ankang_coverage.region import Region, Source


def save(region, folder, level, **change):
    table = getattr(region, level)[["name", "people", "geometry"]].rename_axis("code")
    path = folder / f"{level}.gpkg"
    table.assign(**change).reset_index().to_file(path)
    return path


def test_parents_given_or_made_have_the_villages_people(small_region, tmp_path):
    villages = save(small_region, tmp_path, "villages")
    made = Region.from_files("made", villages, resolution_m=90)
    given = Region.from_files(
        "given",
        villages,
        townships=save(small_region, tmp_path, "townships", people=1),
        counties=save(small_region, tmp_path, "counties", people=1),
    )
    for region in (made, given):
        assert region.counties["people"].sum() == small_region.villages["people"].sum()
        assert region.townships["people"].tolist() == small_region.townships["people"].tolist()
    assert {source.nature for source in made.sources} == {"given"}
    assert made.sources[0] == Source("village polygons and people", "given", "villages.gpkg")


def test_repaired_polygons_are_noted(small_region, tmp_path):
    code = small_region.villages.index[0]
    west, south, east, north = small_region.villages.geometry[code].bounds
    spike = shapely.Polygon(
        [
            (west, south),
            (west, north),
            (east, north),
            (east, south),
            (east + 9, south),
            (east, south),
        ]
    )
    broken = small_region.villages.copy()
    broken.loc[code, "geometry"] = spike
    table = broken[["name", "people", "geometry"]].rename_axis("code").reset_index()
    table.to_file(tmp_path / "villages.gpkg")
    read = Region.from_files("broken", tmp_path / "villages.gpkg")
    assert read.notes == (f"invalid polygons repaired: {code}",)


def test_metres_called_degrees_are_named(small_region, tmp_path):
    wrong = small_region.villages[["name", "people", "geometry"]].rename_axis("code").reset_index()
    wrong.set_crs(4326, allow_override=True).to_file(tmp_path / "wrong.gpkg")
    with pytest.raises(
        DivisionError,
        match=r"none of the 12 .*wrong\.gpkg .* or the CRS is, or x and y are swapped",
    ):
        Region.from_files("wrong", tmp_path / "wrong.gpkg")


def test_villages_left_out_are_listed_and_noted(small_region, tmp_path):
    table = small_region.villages[["name", "people", "geometry"]].rename_axis("code").reset_index()
    table.loc[3, "geometry"] = None
    table.loc[7, "geometry"] = shapely.affinity.translate(table.geometry[7], 1e6, 1e6)
    table.to_file(tmp_path / "villages.gpkg")
    region = Region.from_files("ten", tmp_path / "villages.gpkg", resolution_m=45)
    assert len(region.villages) == 10
    assert region.notes == ("2 features of villages.gpkg rejected: rejected_villages.csv",)
    assert region.rejected["feature"].tolist() == [4, 8]
    assert region.rejected["code"].tolist() == small_region.villages.index[[3, 7]].tolist()
    assert set(region.rejected["file"]) == {"villages.gpkg"}
    assert small_region.rejected.empty
