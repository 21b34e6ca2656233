"""What masts and people stand on, over a terrain model and over a surface model."""

import dataclasses

import numpy as np
import pytest

from ankang_coverage.coverage.loss.ground import DEFAULT_CLASS, NO_TERRAIN, Ground
from ankang_coverage.region import LandCoverTable, as_raster

TABLE = LandCoverTable.default()


def with_rasters(region, **values):
    rasters = {name: as_raster(value, region.geobox, name) for name, value in values.items()}
    return dataclasses.replace(region, rasters=region.rasters.assign(rasters))


def test_a_terrain_model_carries_the_classes_heights(small_region):
    ground = Ground.of(small_region)
    assert ground.terrain == "dtm"
    assert ground.land_cover == "classes"
    assert np.array_equal(ground.elevation_m, small_region.rasters["elevation_m"])
    assert np.array_equal(ground.class_height_m, TABLE.height_m)


def test_a_surface_model_is_never_added_to(small_region):
    """Ground plus what stands on it is the surface as it was given."""
    dsm = dataclasses.replace(small_region, elevation_kind="dsm")
    ground = Ground.of(dsm)
    on_top = ground.elevation_m + ground.class_height_m[ground.class_index]
    assert np.allclose(on_top, small_region.rasters["elevation_m"])
    trees = small_region.rasters["land_cover"].to_numpy() == 10
    under_trees = (small_region.rasters["elevation_m"].to_numpy() - ground.elevation_m)[trees]
    assert np.allclose(under_trees, TABLE.height_m[TABLE.class_index(np.array([10]))[0]], atol=1e-3)


@pytest.mark.parametrize("code", [0, 3])  # 3 is a class of other products, not of WorldCover
def test_unknown_land_cover_is_said(small_region, code):
    bare = with_rasters(small_region, land_cover=np.full(small_region.geobox.shape, code))
    ground = Ground.of(bare)
    assert ground.land_cover == DEFAULT_CLASS
    assert not ground.class_index.any()


def test_unknown_elevation_is_said(small_region):
    blind = with_rasters(small_region, elevation_m=np.full(small_region.geobox.shape, np.nan))
    assert Ground.of(blind).terrain == NO_TERRAIN


def test_latitude_is_the_middles(small_region):
    middle = small_region.villages.to_crs(4326).total_bounds[[1, 3]].mean()
    assert abs(Ground.of(small_region).latitude_deg - middle) < 0.01
