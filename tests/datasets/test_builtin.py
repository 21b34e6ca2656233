"""The built-in region against the register, the census and its own rules."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_bounds

from ankang_coverage.datasets import ankang, ankang_register
from ankang_coverage.datasets.facts import county_facts, seat_facts, township_facts
from ankang_coverage.errors import OutOfRangeError, RasterError
from ankang_coverage.region import Region

COARSE_M = 900.0


@pytest.fixture(scope="module")
def region() -> Region:
    return ankang(COARSE_M)


@pytest.fixture(scope="module")
def fine() -> Region:
    return ankang()


def write_tif(path: Path, values: np.ndarray, bounds: tuple[float, ...], crs: str | None) -> Path:
    rows, columns = values.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=rows,
        width=columns,
        count=1,
        dtype=values.dtype,
        crs=crs,
        transform=from_bounds(*bounds, columns, rows),
    ) as file:
        file.write(values, 1)
    return path


WHOLE = (107.5, 31.3, 110.8, 34.3)


def test_counties_and_townships_are_the_register_s(region):
    facts = township_facts()
    assert list(region.counties.index) == list(county_facts().index)
    assert list(region.townships.index) == list(facts.index)
    for column in ("name", "kind", "county"):
        assert list(region.townships[column]) == list(facts[column])
    assert set(region.counties["kind"]) == {"county"}
    assert set(region.counties["geometry_source"]) == {"tianditu"}
    assert set(region.townships["geometry_source"]) == {"approximate"}


def test_villages_are_as_many_and_of_the_kinds_the_register_lists(region):
    register, villages = ankang_register(), region.villages
    assert len(villages) == 1_924
    counted = villages.groupby(["township", "kind"]).size()
    assert counted.to_dict() == register.groupby(["township", "kind"]).size().to_dict()
    assert set(villages["geometry_source"]) == {"synthetic"}


def test_no_village_passes_for_a_real_one(region):
    villages = region.villages
    assert not set(villages.index) & set(ankang_register().index)
    assert villages.index.is_unique
    assert villages.index.str[9].unique().tolist() == ["9"]
    township = region.townships["name"][villages["township"]].to_numpy()
    assert list(villages["name"]) == list(township + "·模拟村" + villages.index.str[10:])


@pytest.mark.parametrize("level", ["counties", "townships", "villages"])
def test_each_level_is_a_valid_coverage_on_the_precision_grid(region, level):
    shapes = getattr(region, level).geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.is_valid(shapes).all()
    corners = shapely.get_coordinates(shapes)
    assert np.abs(corners - np.round(corners, 2)).max() < 1e-6


@pytest.mark.parametrize(
    ("children", "parents", "column"),
    [
        ("villages", "townships", "township"),
        ("townships", "counties", "county"),
    ],
)
def test_children_cover_their_parents_exactly_and_their_people_add_up(
    region, children, parents, column
):
    children, parents = getattr(region, children), getattr(region, parents)
    for code, own in children.groupby(column):
        union = shapely.union_all(own.geometry.to_numpy())
        assert union.symmetric_difference(parents.geometry[code]).area < 1.0
    sums = children.groupby(column)["people"].sum()
    assert sums.to_dict() == parents["people"].to_dict()


def test_counties_are_where_they_were_published(region):
    published = county_facts()
    for code, polygon in region.counties.geometry.items():
        assert polygon.symmetric_difference(published.geometry[code]).area < 5_000.0  # of 1.4e9 m²


def test_known_townships_lie_at_the_middle_of_their_extent(region):
    import geopandas as gpd

    known = township_facts().dropna(subset="longitude")
    points = gpd.GeoSeries(
        gpd.points_from_xy(known["longitude"], known["latitude"], crs="EPSG:4326"),
        index=known.index,
    ).to_crs(region.townships.crs)
    inside = region.townships.geometry.loc[known.index].covers(points)
    # Two extents' middles lie across a county border.
    assert inside.sum() >= 86


def test_communities_lie_nearer_the_centre_than_the_villages_of_their_township(region):
    seats = seat_facts()
    own = region.villages[region.villages["township"] == "610926100"]  # 平利县城关镇
    away = own.centroid.distance(seats["610926"])
    assert away[own["kind"] == "community"].mean() < 0.6 * away[own["kind"] == "village"].mean()


def test_census_is_exact(region):
    assert region.counties["people"].to_dict() == county_facts()["people"].to_dict()
    known = township_facts().dropna(subset="people")
    assert len(known) == 28
    assert (region.townships["people"].loc[known.index] == known["people"]).all()
    assert region.villages["people"].dtype == np.int64
    assert region.villages["people"].min() >= 60
    assert region.shares.people.sum() == 2_493_436 * 1000


def test_people_live_low_and_on_gentle_ground(fine):
    rasters = fine.rasters
    people = rasters["population"].to_numpy()
    height = rasters["elevation_m"].to_numpy()
    slope = np.degrees(np.arctan(np.hypot(*np.gradient(height, 90.0))))
    inside = people > 0
    assert np.average(height[inside], weights=people[inside]) < height[inside].mean() - 300
    assert np.average(slope[inside], weights=people[inside]) < slope[inside].mean() - 8
    assert people.sum() == pytest.approx(2_493_436, rel=1e-4)


def test_land_cover_matches_the_terrain(fine):
    cover = fine.rasters["land_cover"].to_numpy()
    height = fine.rasters["elevation_m"].to_numpy()
    slope = np.degrees(np.arctan(np.hypot(*np.gradient(height, 90.0))))
    assert set(np.unique(cover)) <= {10, 20, 30, 40, 50, 60, 80, 90}
    assert {10, 20, 30, 40, 50, 60, 80} <= set(np.unique(cover))
    share = {code: (cover == code).mean() for code in (10, 40, 50, 80)}
    assert share[10] > 0.6
    assert 0.05 < share[40] < 0.2
    assert 0.003 < share[50] < 0.03
    assert 0.001 < share[80] < 0.02
    assert slope[cover == 40].mean() < 12
    assert slope[cover == 10].mean() > 20
    assert height[cover == 80].mean() < height[cover == 10].mean() - 500


@pytest.mark.parametrize("resolution_m", [300.0, 900.0, 1_000.0])
def test_a_coarse_grid_shows_the_same_land(fine, resolution_m):
    coarse = ankang(resolution_m)
    assert coarse.geobox.resolution.x == resolution_m
    assert list(coarse.villages.people) == list(fine.villages.people)
    assert coarse.villages.geometry.geom_equals_exact(fine.villages.geometry, 0).all()
    covered = coarse.geobox.extent.geom
    assert covered.covers(shapely.box(*coarse.villages.total_bounds))
    # Block means of the fine grid, taken pixel by pixel.
    height = fine.rasters["elevation_m"]
    x = ((height.x - coarse.geobox.transform.c) // resolution_m).astype(int).to_numpy()
    y = ((coarse.geobox.transform.f - height.y) // resolution_m).astype(int).to_numpy()
    rows, columns = coarse.geobox.shape
    keep = np.ix_((y >= 0) & (y < rows), (x >= 0) & (x < columns))
    block = (y[:, None] * columns + x[None, :])[keep].ravel()
    count = np.bincount(block, minlength=rows * columns)
    mean = np.bincount(block, height.to_numpy()[keep].ravel(), rows * columns) / count
    difference = coarse.rasters["elevation_m"].to_numpy().ravel() - mean
    assert np.abs(np.median(difference)) < 1.0
    assert np.std(difference) < 15.0
    people = coarse.rasters["population"].to_numpy().sum()
    assert people == pytest.approx(2_493_436, rel=1e-3)


def test_the_same_seed_gives_the_same_bytes(region):
    from ankang_coverage.datasets import builtin

    builtin._land.cache_clear()
    again = ankang(COARSE_M)
    for name, raster in region.rasters.data_vars.items():
        assert again.rasters[name].to_numpy().tobytes() == raster.to_numpy().tobytes()
    assert again.villages.to_wkb().equals(region.villages.to_wkb())
    assert again.townships.to_wkb().equals(region.townships.to_wkb())


def test_a_caller_cannot_spoil_the_next_caller_s_region():
    changed = ankang(COARSE_M)
    changed.villages["people"] = 0
    changed.rasters["elevation_m"].values[:] = 0.0
    again = ankang(COARSE_M)
    assert again.villages["people"].sum() == 2_493_436
    assert again.rasters["elevation_m"].max() > 2_000


def test_sources_say_what_is_made_up(region):
    assert region.is_synthetic
    assert region.name == "安康市"
    natures = {source.what: source.nature for source in region.sources}
    assert natures["county polygons"] == "real"
    assert natures["township polygons"] == "approximate"
    assert natures["village polygons"] == natures["elevation"] == "synthetic"
    assert any("天地图" in source.credit for source in region.sources)
    assert any("2021" in source.credit for source in region.sources)


def test_a_user_s_elevation_is_taken(region, shared):
    path = shared / "data/ankang/dem15s/ankang_dem15s_wgs84.tif"
    real = ankang(COARSE_M, elevation=path, elevation_kind="dsm")
    assert real.elevation_kind == "dsm"
    height = real.rasters["elevation_m"].to_numpy()
    seats = seat_facts()
    column = ((seats.x - real.geobox.transform.c) / COARSE_M).astype(int)
    row = ((real.geobox.transform.f - seats.y) / COARSE_M).astype(int)
    for r, c in zip(row, column, strict=True):
        # A seat's point is known to about a pixel.
        seat = height[r - 1 : r + 2, c - 1 : c + 2].min()
        assert seat < np.percentile(height[r - 8 : r + 9, c - 8 : c + 9], 15)
    with rasterio.open(path) as file:
        direct = [v[0] for v in file.sample(seats.to_crs("EPSG:4326").get_coordinates().to_numpy())]
    assert height[row, column] == pytest.approx(direct, abs=150)
    # The people move with the valleys, the polygons stay.
    assert real.villages["people"].equals(region.villages["people"])
    people = real.rasters["population"].to_numpy()
    inside = people > 0
    assert np.average(height[inside], weights=people[inside]) < height[inside].mean() - 200
    natures = {source.what: source.nature for source in real.sources}
    assert natures["elevation"] == "given"
    assert natures["land cover"] == "synthetic"


def test_a_user_s_land_cover_is_taken(tmp_path, region):
    classes = np.full((400, 400), 10, np.uint8)
    classes[:, 200:] = 80
    region_ = ankang(
        COARSE_M, land_cover=write_tif(tmp_path / "cover.tif", classes, WHOLE, "EPSG:4326")
    )
    cover = region_.rasters["land_cover"].to_numpy()
    assert set(np.unique(cover)) == {10, 80}
    assert (region_.rasters["population"].to_numpy()[cover == 80] == 0).all()
    assert region_.rasters["elevation_m"].equals(region.rasters["elevation_m"])


def test_tiles_are_put_together(tmp_path):
    west, south, east, north = WHOLE
    flat = np.full((80, 80), 500.0, np.float32)
    tiles = [
        write_tif(tmp_path / "west.tif", flat, (west, south, 109.2, north), "EPSG:4326"),
        write_tif(tmp_path / "east.tif", flat + 100, (109.1, south, east, north), "EPSG:4326"),
    ]
    height = ankang(COARSE_M, elevation=tiles).rasters["elevation_m"].to_numpy()
    assert {500.0, 600.0} <= set(np.unique(height))


def test_bad_files_are_refused(tmp_path):
    values = np.full((50, 50), 500.0, np.float32)
    west, south, _, north = WHOLE
    half = write_tif(tmp_path / "half.tif", values, (west, south, 109.0, north), "EPSG:4326")
    bare = write_tif(tmp_path / "bare.tif", values, WHOLE, None)
    away = write_tif(tmp_path / "away.tif", values, (0.0, 0.0, 1.0, 1.0), "EPSG:4326")
    with pytest.raises(RasterError, match=r"half\.tif has no data for \d+% of the region.*108"):
        ankang(COARSE_M, elevation=half)
    with pytest.raises(RasterError, match=r"bare\.tif has no CRS"):
        ankang(COARSE_M, elevation=bare)
    with pytest.raises(RasterError, match=r"away\.tif has no data for 100% of the region"):
        ankang(COARSE_M, elevation=away)
    with pytest.raises(RasterError, match=r"missing\.tif"):
        ankang(COARSE_M, land_cover=tmp_path / "missing.tif")


def test_bad_settings_are_refused():
    with pytest.raises(OutOfRangeError, match="10–3000 m"):
        ankang(5.0)
    with pytest.raises(OutOfRangeError, match="nan"):
        ankang(float("nan"))
    with pytest.raises(RasterError, match="bare ground"):
        ankang(COARSE_M, elevation_kind="dsm")
