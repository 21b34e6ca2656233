"""What a target may ask, and what is wrong with what it may not."""

import pytest
from pydantic import ValidationError

from ankang_coverage.errors import SettingsError
from ankang_coverage.planning import Programme, Target
from ankang_coverage.planning.rules import Objective


def target(**settings):
    given = {
        "id": "t",
        "kind": "micro",
        "number": 10,
        "service": "4g",
        "radio_layers": ("lte-b8",),
        "minimum_spacing_m": 500,
    }
    return Target.model_validate({**given, **settings})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"number": None}, "give number, how many to build, or budget_yuan"),
        ({"quotas": [{"minimum": 2}]}, "needs a county, an owner or a construction"),
        ({"quotas": [{"county": "甲"}]}, "quota 甲 has neither minimum nor maximum"),
        (
            {"quotas": [{"county": "甲", "minimum": 3, "maximum": 2}]},
            "quota 甲 asks for at least 3 and at most 2",
        ),
        (
            {"quotas": [{"county": "甲", "minimum": 6}, {"county": "乙", "minimum": 7}]},
            r"number is 10, but the minima of the quotas by county add up to 13 \(甲 6, 乙 7\)",
        ),
        (
            {"quotas": [{"county": "甲", "minimum": 1}, {"county": "甲", "maximum": 7}]},
            "quota 甲 occurs twice",
        ),
        ({"forced": ["a", "a"]}, "forced names 'a' twice"),
        ({"forced": ["a"], "forbidden": ["a"]}, "site 'a' is both forced and forbidden"),
        ({"number": 1, "forced": ["a", "b"]}, "number is 1, but 2 sites are forced"),
        (
            {"forced": ["a", "b"], "exclusive": [["a", "b", "c"]]},
            "'a' and 'b' are exclusive, but both are forced",
        ),
        ({"objectives": ["cars"]}, "objective 'cars' is none of people, villages, area"),
        ({"objectives": [{"people": 0}]}, "needs a worth above 0"),
        ({"floors": [{"people_share": 1.2}]}, "less than or equal to 1"),
        ({"towers_of": ["x"]}, "towers_of\n  Extra inputs are not permitted"),
        ({"candidates": {"sources": ["roads"]}}, "sources names 'roads': give roads = a file"),
        (
            {"candidates": {"farthest_from_road_m": 100}},
            "farthest_from_road_m needs roads = a file of lines",
        ),
        ({"candidates": {"slope": 3}}, "Extra inputs"),
    ],
)
def test_what_contradicts_itself_is_named(settings, says):
    with pytest.raises(ValidationError, match=says):
        target(**settings)


@pytest.mark.parametrize(
    ("programme", "says"),
    [
        ({"targets": [target()], "budget_yuan": 5}, "budget_yuan of a programme needs order"),
        (
            {
                "targets": [target(), target(id="u", improve="greedy")],
                "order": "joint",
            },
            "targets that choose jointly have one improve",
        ),
        (
            {"targets": [target(budget_yuan=5), target(id="u")], "order": "joint"},
            "target t chooses jointly: give the programme budget_yuan",
        ),
        (
            {"targets": [target(kind="supporting", towers_of=["u"]), target(id="u")]},
            "needs the sites of 'u', which must be an earlier target",
        ),
    ],
)
def test_targets_that_do_not_go_together_are_named(programme, says):
    with pytest.raises(SettingsError, match=says):
        Programme(**programme)


def test_objectives_have_names():
    named = target(objectives=["people", {"people": 1, "villages": 200}, "area"]).objectives
    assert named == (
        Objective(people=1),
        Objective(people=1, villages=200),
        Objective(area_km2=1),
    )
    assert [one.label for one in named] == ["people", "people + 200 villages", "km²"]
