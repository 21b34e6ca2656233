"""Facts against published counts."""

import re

import pandas as pd
import pytest
import shapely

from ankang_coverage.datasets import ankang_register
from ankang_coverage.datasets.facts import (
    county_facts,
    fact_path,
    seat_facts,
    township_facts,
)
from ankang_coverage.errors import FileError

# code, people 2020, km², townships, 行政村, 社区: census of 2020-11-01 and the register of the
# National Bureau of Statistics, cut-off 2023-06-30.
COUNTIES = [
    ("610902", 894_853, 3_644, 28, 423, 106),
    ("610921", 240_188, 1_365, 10, 139, 21),
    ("610922", 153_221, 1_516, 11, 140, 24),
    ("610923", 59_905, 3_664, 11, 69, 11),
    ("610924", 260_971, 2_242, 17, 175, 32),
    ("610925", 135_006, 1_956, 12, 121, 15),
    ("610926", 181_286, 2_648, 11, 137, 15),
    ("610927", 47_356, 1_502, 7, 58, 7),
    ("610929", 162_774, 1_441, 11, 106, 16),
    ("610981", 357_876, 3_533, 21, 253, 56),
]


@pytest.mark.parametrize(
    ("code", "people", "km2", "townships", "villages", "communities"), COUNTIES
)
def test_counts_of_a_county(code, people, km2, townships, villages, communities):
    register = ankang_register()
    own = register[register["county"] == code]
    assert county_facts()["people"][code] == people
    assert (township_facts()["county"] == code).sum() == townships
    assert own["kind"].value_counts().to_dict() == {"village": villages, "community": communities}
    area_km2 = county_facts().to_crs("EPSG:6933").area[code] / 1e6
    assert area_km2 == pytest.approx(km2, rel=0.015), "generalised borders"


def test_register_names_and_parents():
    register = ankang_register()
    assert register.index.is_unique
    assert list(register.index) == sorted(register.index)
    assert (register.index.str[:9] == register["township"]).all()
    assert (register["township"].str[:6] == register["county"]).all()
    assert register.loc["610902001003", "name"] == "西大街社区居委会"
    assert set(register["township"]) == set(township_facts().index)
    assert register.index.str[-3:].astype(int).max() < 901, "synthetic codes begin at 901"


def test_known_townships_add_to_their_counties():
    townships = township_facts()
    known = townships.dropna(subset="people")
    sums = known.groupby("county")["people"].sum()
    assert sums.to_dict() == {"610924": 260_971, "610926": 181_286}
    assert townships["longitude"].notna().sum() == 88


def test_counties_form_a_coverage_and_hold_their_seats():
    counties = county_facts()
    assert shapely.coverage_is_valid(counties.geometry.to_numpy())
    assert counties.contains(seat_facts()).all()


def test_every_file_is_described_beside_it():
    for folder in ("boundaries", "sites"):
        readme = fact_path(f"{folder}/README.md")
        described = set(re.findall(r"`([\w.]+\.(?:csv|geojson))`", readme.read_text("utf-8")))
        assert described == {p.name for p in readme.parent.iterdir()} - {"README.md"}


def test_base_stations_carry_a_source():
    table = pd.read_csv(fact_path("sites/base_stations.csv"))
    assert table["source"].notna().all()
    assert 15_250 in set(table["value"])


def test_missing_fact_says_where_it_looked():
    with pytest.raises(FileError, match=r"nowhere\.csv is missing .*data"):
        fact_path("boundaries/nowhere.csv")
