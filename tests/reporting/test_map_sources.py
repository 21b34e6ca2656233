"""What a map says of its data."""

import pytest
from drawn import make_coverage, make_network, make_plan, make_region, page_of

from ankang_coverage.region.region import Region, Source
from ankang_coverage.reporting.maps import coverage_map, plan_map


@pytest.fixture
def region():
    return make_region()


@pytest.fixture
def plan(region):
    return make_plan(region)


@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", ["合成", "站点", "未计地形"]), ("en", ["Synthetic", "sites", "No terrain"])],
)
def test_what_is_made_up_stands_on_the_map(plan, lang, words):
    notes = " ".join(page_of(plan_map(plan, lang=lang))["notes"])
    assert all(word in notes for word in words)


def test_made_up_sites_are_named_even_if_no_source_does(region):
    real = Region(**{**vars(region), "sources": (Source("elevation", "real", "someone"),)})
    coverage = make_coverage(real, "4g")
    coverage.attrs["terrain"] = "profile"
    assert page_of(coverage_map(real, coverage))["notes"] == ["传播模型：hata"]
    notes = page_of(coverage_map(real, coverage, make_network(), lang="en"))["notes"]
    assert notes == ["Synthetic, for demonstration only: sites", "Path-loss model: hata"]
