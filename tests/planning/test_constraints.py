"""What targets ask for, in the solver's terms."""

import numpy as np
import pytest
from builders import asked, county_code, greedy_target

from ankang_coverage.errors import CoveringError, PlanningError
from ankang_coverage.planning import Programme
from ankang_coverage.planning.constraints import (
    FORBIDDEN,
    FORCED,
    NUMBER_OF,
    SPACING,
    exactly,
    label_of,
    naming,
    rules_of,
    without_each,
)

COUNTY = ["610901", "610901", "610902", "610902"]


def rules(*many, **programme):
    targets = tuple(request.target for request in many)
    order = "joint" if len(many) > 1 else "sequence"
    return rules_of(many, Programme(targets=targets, order=order, **programme), county_code)


def members_of(constraints):
    return {quota.name: np.asarray(quota.candidates).tolist() for quota in constraints.quotas}


def test_rules_of_one_target_are_about_its_rows():
    target = greedy_target(
        number=2,
        budget_yuan=100,
        minimum_spacing_m=50.0,
        quotas=[{"county": "乙县", "minimum": 1}, {"owner": "移动", "maximum": 1}],
        exclusive=[["t-0", "t-3", "t-9"]],
        forbidden=["t-1"],
    )
    owners = ["移动", "联通", "移动", "联通"]
    found = rules(asked(target, [0.0, 10.0, 900.0, 2e3], county=COUNTY, owners=owners))
    assert (found.number, found.budget) == (2, 100)
    assert np.asarray(found.costs).tolist() == [10] * 4
    assert members_of(found) == {
        "quota 乙县": [2, 3],
        "quota 移动": [0, 2],
        "exclusive 1": [0, 3],  # what is no candidate excludes nothing
    }
    assert np.asarray(found.forbidden).tolist() == [1]
    assert np.argwhere(found.conflicts.toarray()).tolist() == [[0, 1], [1, 0]]
    assert found.floors == ()


def test_rows_of_joint_targets_follow_one_another():
    first = asked(greedy_target("a", number=1, forced=("a-1",)), [0.0, 1e3])
    second = asked(
        greedy_target("b", number=2, quotas=[{"county": "乙县", "maximum": 1}]),
        [0.0, 1e3, 2e3, 3e3],
        county=COUNTY,
    )
    whole = rules(first, second, budget_yuan=50, quotas=({"construction": "pole", "maximum": 3},))
    assert (whole.number, whole.budget) == (3, 50)
    assert members_of(whole) == {
        f"{NUMBER_OF}a": [0, 1],
        f"{NUMBER_OF}b": [2, 3, 4, 5],
        "quota b: 乙县": [4, 5],
        "quota pole": [0, 1, 2, 3, 4, 5],
    }
    assert np.asarray(whole.forced).tolist() == [1]
    assert whole.conflicts is None  # those of one place are other sites


def test_with_a_budget_alone_there_is_no_number():
    target = greedy_target(number=None, budget_yuan=30)
    found = rules(asked(target, [0.0, 1e3], costs=[10, 20]))
    assert (found.number, found.budget) == (None, 30)
    assert np.asarray(found.costs).tolist() == [10, 20]


def test_each_rule_can_be_left_out_but_for_the_number():
    target = greedy_target(
        number=2, minimum_spacing_m=50.0, quotas=[{"county": "甲县", "maximum": 1}],
        forced=["t-0"], forbidden=["t-3"],
    )  # fmt: skip
    found = exactly(rules(asked(target, [0.0, 10.0, 900.0, 2e3], county=COUNTY)), 4)
    without = dict(without_each(found))
    assert list(without) == [SPACING, "quota 甲县", FORCED, FORBIDDEN]
    assert without[SPACING].conflicts is None
    assert list(members_of(without["quota 甲县"])) == [f"{NUMBER_OF}sites"]
    assert np.size(without[FORCED].forced) == np.size(without[FORBIDDEN].forbidden) == 0
    for others in without.values():
        assert others.number == 2
    assert list(without_each(rules(asked(greedy_target(), [0.0, 1e3])))) == []


def test_the_number_can_be_a_minimum_too():
    (quota,) = exactly(rules(asked(greedy_target(number=2), [0.0, 1e3, 2e3])), 3).quotas
    assert (quota.minimum, quota.maximum) == (2, None)
    assert np.asarray(quota.candidates).tolist() == [0, 1, 2]


def test_an_error_of_the_solver_names_the_targets():
    many = [asked(greedy_target(id_), [0.0]) for id_ in "ab"]
    assert label_of(many) == "a + b"
    with pytest.raises(PlanningError, match=r"^target a \+ b: no way$"), naming(many):
        raise CoveringError("no way")
