"""What cannot be planned is named before anything is predicted."""

import pytest
from builders import RULES, asked, county_code, greedy_target, micro_programme, micro_target, plan

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning import Programme
from ankang_coverage.planning.checks import (
    check_asked,
    check_counties,
    check_equipment,
    county_codes,
)


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        ({"number": 9}, "t asks for 9 sites, but only 4 candidates exist"),
        ({"forced": ["t-9"]}, "forced names 't-9', which is no candidate; did you mean t-"),
        (
            {"forced": ["t-0", "t-1"], "minimum_spacing_m": 50},
            "forced sites t-0 and t-1 are 10 m apart, closer than minimum_spacing_m = 50",
        ),
        (
            {"number": None, "budget_yuan": 15, "forced": ["t-0", "t-1"]},
            "the 2 forced sites cost 20 yuan, more than budget_yuan = 15",
        ),
        (
            {"forced": ["t-0", "t-1"], "quotas": [{"county": "甲县", "maximum": 1}]},
            "quota 甲县 allows at most 1, but 2 of its sites are forced",
        ),
        (
            {"quotas": [{"county": "乙县", "minimum": 1}]},
            "quota 'quota 乙县' asks for at least 1, but only 0 of its 0 candidates",
        ),
        (
            {"quotas": [{"owner": "移劝", "minimum": 1}]},
            "has owner '移劝'; did you mean 移动; owners are 移动",
        ),
        (
            {"quotas": [{"county": "甲县", "maximum": 2}]},
            "only 2 of 3 sites fit with the maxima of its quotas",
        ),
        ({"minimum_spacing_m": 5000}, "only 1 of 3 sites fit with a spacing of 5000 m"),
        (
            {
                "number": None,
                "budget_yuan": 15,
                "quotas": [{"county": "甲县", "minimum": 2}],
            },
            "budget is 15, but the minima of 1 quotas .* cost at least 20",
        ),
    ],
)
def test_what_cannot_be_met_is_named_before_any_search(asks, says):
    one = asked(greedy_target(**asks), [0.0, 10.0, 900.0, 2e3], owners="移动")
    with pytest.raises(PlanningError, match=says):
        check_asked([one], Programme(targets=(one.target,)), county_code)


def no_prediction(*_, **__):
    raise AssertionError("predicted before the rules were checked")


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        (
            {"quotas": [{"county": "61090l", "minimum": 1}]},
            "target micro, quotas: no county '61090l'; did you mean 610902 or 610901; there are",
        ),
        ({"service": "6g"}, "target micro: service '6g' is none of 4g, 5g"),
        ({"radio_layers": ["nr-n28"]}, "radio layer 'nr-n28' is not of service 4g: lte-b8"),
        ({"radio_layers": ["lte-b99"]}, "radio layer 'lte-b99' is unknown to service 4g"),
        ({"floors": [{"county": "x", "people_share": 0.5}]}, "floors: no county 'x'; there are"),
        ({"forced": ["micro-9999-0001"]}, "forced names 'micro-9999-0001', which is no candidate"),
        (
            {"floors": [{"people_share": 0.5}], "objectives": ["villages"]},
            "floors count people, so the first of objectives must be 'people', not villages",
        ),
    ],
)
def test_wrong_rules_are_named_before_any_prediction(
    small_region, small_network, monkeypatch, asks, says
):
    monkeypatch.setattr("ankang_coverage.planning.pipeline.predict_with", no_prediction)
    with pytest.raises(PlanningError, match=says):
        plan(small_region, small_network, micro_programme(**asks), rules=RULES)


def test_a_county_is_known_by_its_code_and_by_its_name(small_region):
    code_of = county_codes(small_region)
    for code, name in small_region.counties["name"].items():
        assert code_of(code) == code_of(name) == code
    with pytest.raises(PlanningError, match=r"no county '61090'; did you mean .*; there are "):
        code_of("61090")


def test_equipment_is_checked_against_the_catalogue_of_the_network(small_network):
    catalogue = small_network.catalogue
    own = catalogue.service("4g").with_fields(id="own", radio_layers=("lte-b3",))
    asks = Programme(targets=(micro_target(service="own", radio_layers=("lte-b3",)),))
    check_equipment(asks, catalogue.with_entries(own))
    with pytest.raises(PlanningError, match="target t: service 'own' is none of 4g, 5g"):
        check_equipment(asks, catalogue)


@pytest.mark.parametrize("differs", [{"serves": ("village",)}, {"village_rule": "share"}])
def test_joint_targets_of_one_service_count_the_same_people(small_region, differs):
    targets = (micro_target(id="a"), micro_target(id="b", **differs))
    code_of = county_codes(small_region)
    with pytest.raises(PlanningError, match="a and b choose jointly for service 4g: give them"):
        check_counties(Programme(targets=targets, order="joint"), code_of)
    check_counties(Programme(targets=targets), code_of)


def test_a_county_of_the_programme_is_checked_too(small_region):
    asks = Programme(
        targets=(micro_target(),), order="joint", quotas=({"county": "丙县", "maximum": 1},)
    )
    with pytest.raises(PlanningError, match="programme, quotas: no county '丙县'"):
        check_counties(asks, county_codes(small_region))


def test_what_is_asked_comes_back_in_the_solvers_terms():
    ask = greedy_target(number=2, quotas=[{"county": "乙县", "maximum": 1}], forbidden=("t-3",))
    one = asked(ask, [0.0, 1e3, 2e3, 3e3], county=["610901", "610901", "610902", "610902"])
    rules = check_asked([one], Programme(targets=(ask,)), county_code)
    assert rules.number == 2
    assert list(rules.forbidden) == [3]
    (quota,) = rules.quotas
    assert (quota.name, quota.maximum) == ("quota 乙县", 1)
    assert list(quota.candidates) == [2, 3]
