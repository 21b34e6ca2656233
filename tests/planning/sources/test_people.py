"""Places stand where people concentrate and on the heights above them."""

import numpy as np

from ankang_coverage.planning.places import pixels_at
from ankang_coverage.planning.sources.people import people_within, places_among_people
from ankang_coverage.region.shares import MILLI

WITHIN_M = 1_500.0


def hamlets(region, *places, people=50):
    living = np.zeros(region.geobox.shape, np.int64)
    for row, column in places:
        living[row, column] = people * MILLI
    return living.ravel()


def pixels_of(places, region):
    x_m, y_m = places.geometry.x.to_numpy(), places.geometry.y.to_numpy()
    rows, columns = np.unravel_index(pixels_at(x_m, y_m, region), region.geobox.shape)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def test_every_hamlet_gets_a_place_among_it_and_one_on_the_height_above(small_region):
    hamlet = [(10, 12), (45, 40)]
    found = places_among_people(small_region, hamlets(small_region, *hamlet), WITHIN_M, 10)
    assert sorted(pixels_of(found[found["reason"] == "valley"], small_region)) == hamlet
    elevation = small_region.rasters["elevation_m"].to_numpy()
    reach = round(WITHIN_M / 90)
    for row, column in pixels_of(found[found["reason"] == "ridge"], small_region):
        near = min(hamlet, key=lambda place: np.hypot(place[0] - row, place[1] - column))
        around = elevation[
            max(near[0] - reach, 0) : near[0] + reach + 1,
            max(near[1] - reach, 0) : near[1] + reach + 1,
        ]
        assert elevation[row, column] > np.percentile(around, 90)
        assert np.hypot(near[0] - row, near[1] - column) <= reach


def test_a_lonely_farm_is_not_worth_a_place(small_region):
    farm = hamlets(small_region, (30, 30), people=5)
    assert places_among_people(small_region, farm, WITHIN_M, 10).empty


def test_people_within_a_distance_are_all_counted(small_region):
    near = people_within(small_region, hamlets(small_region, (30, 30), (32, 30)), 450.0)
    assert near[31, 30] == 100.0
    assert near[30 - 4, 30] == 50.0
    assert near[20, 30] == 0.0
