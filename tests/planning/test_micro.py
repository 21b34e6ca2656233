"""Candidates stand where people are and on the heights above them."""

import numpy as np
import pytest

from ankang_coverage.planning.programme import Target
from ankang_coverage.planning.targets.micro import REACH_M, THINNING_M, micro_candidates
from ankang_coverage.region.shares import MILLI


@pytest.fixture
def target():
    return Target(
        id="micro",
        kind="micro",
        number=1,
        service="4g",
        radio_layers=("lte-b8", "lte-b3"),
        minimum_spacing_m=500,
        height_m=12,
    )


def hamlets(region, *places, people=50):
    unserved = np.zeros(region.geobox.shape, np.int64)
    for row, column in places:
        unserved[row, column] = people * MILLI
    return unserved.ravel()


def pixel_of(point, region):
    t = region.geobox.transform
    return int((point.y - t.f) / t.e), int((point.x - t.c) / t.a)


def test_every_hamlet_gets_a_pole_among_it_and_one_on_the_height_above(small_region, target):
    places = [(10, 12), (45, 40)]
    found = micro_candidates(small_region, hamlets(small_region, *places), target)
    valley = found.network.sites[found.reasons == "valley"]
    assert sorted(pixel_of(p, small_region) for p in valley.geometry) == places
    elevation = small_region.rasters["elevation_m"].to_numpy()
    reach = round(REACH_M / 90)
    for point in found.network.sites.geometry[found.reasons == "ridge"]:
        row, column = pixel_of(point, small_region)
        near = min(places, key=lambda place: np.hypot(place[0] - row, place[1] - column))
        around = elevation[
            max(near[0] - reach, 0) : near[0] + reach + 1,
            max(near[1] - reach, 0) : near[1] + reach + 1,
        ]
        assert elevation[row, column] > np.percentile(around, 90)
        assert np.hypot(near[0] - row, near[1] - column) <= reach


def test_candidates_are_equipped_and_keep_apart(small_region, target):
    rng = np.random.default_rng(5)
    places = [tuple(p) for p in rng.integers(0, 60, (40, 2))]
    found = micro_candidates(small_region, hamlets(small_region, *places), target)
    sites = found.network.sites
    assert set(sites["kind"]) == {"micro"}
    assert set(sites["status"]) == {"candidate"}
    assert len(found.network.cells) == 2 * len(sites)
    assert set(found.network.cells["height_m"]) == {12.0}
    x, y = sites.geometry.x.to_numpy(), sites.geometry.y.to_numpy()
    distance = np.hypot(x[:, None] - x, y[:, None] - y) + 1e9 * np.eye(len(x))
    assert distance.min() > THINNING_M


def test_a_pole_with_panels_has_two_back_to_back(small_region, target):
    panels = target.model_copy(update={"service": "5g", "radio_layers": ("nr-n78",)})
    cells = micro_candidates(small_region, hamlets(small_region, (20, 20)), panels).network.cells
    assert set(cells["antenna"]) == {"micro-65-12dbi"}
    for _, pole in cells.groupby("site"):
        assert pole["azimuth_deg"].tolist() == [0.0, 180.0]


def test_a_lonely_farm_is_not_worth_a_candidate(small_region, target):
    found = micro_candidates(small_region, hamlets(small_region, (30, 30), people=5), target)
    assert found.network.sites.empty


def test_unknown_ground_gives_no_ridge(small_region, target):
    flat = small_region.rasters.assign(elevation_m=small_region.rasters["elevation_m"] * np.nan)
    region = type(small_region)(
        name="no terrain",
        counties=small_region.counties,
        townships=small_region.townships,
        villages=small_region.villages,
        rasters=flat,
    )
    found = micro_candidates(region, hamlets(region, (20, 20)), target)
    assert set(found.reasons) == {"valley"}
