"""What counts and how it is shared out, and rules that say nothing or contradict themselves."""

import pytest
from builders import micro_target
from pydantic import ValidationError

from ankang_coverage.planning.rules import Objective, QuotaRule


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"quotas": [{"minimum": 2}]}, "needs a county, an owner or a construction"),
        ({"quotas": [{"county": "甲"}]}, "quota 甲 has neither minimum nor maximum"),
        (
            {"quotas": [{"county": "甲", "minimum": 3, "maximum": 2}]},
            "quota 甲 asks for at least 3 and at most 2",
        ),
        ({"objectives": ["cars"]}, "objective 'cars' is none of people, villages, area"),
        ({"objectives": [{"people": 0}]}, "needs a worth above 0"),
        ({"floors": [{"people_share": 1.2}]}, "less than or equal to 1"),
    ],
)
def test_what_says_nothing_or_contradicts_itself_is_named(settings, says):
    with pytest.raises(ValidationError, match=says):
        micro_target(**settings)


def test_objectives_have_names():
    named = micro_target(objectives=["people", {"people": 1, "villages": 200}, "area"]).objectives
    assert named == (
        Objective(people=1),
        Objective(people=1, villages=200),
        Objective(area_km2=1),
    )
    assert [one.label for one in named] == ["people", "people + 200 villages", "km²"]


def test_a_quota_is_called_by_the_group_it_is_about():
    assert QuotaRule(county="甲", maximum=1).label == "甲"
    whole = QuotaRule(county="甲", owner="移动", construction="pole", minimum=1)
    assert whole.label == "甲, 移动, pole"
