"""Why a choice is as it is: what constraints cost, who is left, where a curve bends."""

import numpy as np
import pandas as pd
import pytest
from builders import asked, greedy_target, posed

from ankang_coverage.coverage import summarise_region
from ankang_coverage.planning.choice import solve
from ankang_coverage.planning.constraints import SPACING
from ankang_coverage.planning.explanation import (
    cost_of_constraints,
    curve,
    knee,
    what_is_left,
)


def test_what_a_constraint_costs_is_what_is_gained_without_it():
    ask = greedy_target(number=2, minimum_spacing_m=50.0, forbidden=("t-3",))
    matrix = np.eye(4, dtype=int)
    choice = posed([asked(ask, [0.0, 10.0, 900.0, 2e3])], [matrix], np.array([9, 8, 1, 7]) * 1000)
    selection = solve(choice, choice.rules)
    told = cost_of_constraints(choice, selection).set_index("constraint")
    assert selection.objective == 10_000
    assert told["difference"].to_dict() == {SPACING: 7.0, "forbidden sites": 6.0}


def test_what_is_left_says_why_each_candidate_was_not_chosen():
    ask = greedy_target(number=2, minimum_spacing_m=50.0, forbidden=("t-3",))
    matrix = np.eye(5, dtype=int)
    one = asked(ask, [0.0, 10.0, 900.0, 2e3, 3e3])
    choice = posed([one], [matrix], np.array([9, 8, 3, 7, 1]))
    left = what_is_left(choice, solve(choice, choice.rules))
    assert left.why.tolist() == ["", "spacing", "", "forbidden", "outranked"]
    assert left.gains.tolist() == [0, 8, 0, 7, 1]


def test_the_knee_is_farthest_above_the_chord():
    gained = np.cumsum([50, 30, 10, 5, 5])
    assert knee([1, 2, 3, 4, 5], gained) == 1
    assert knee([1, 2, 3], [1, 2, 3]) is None
    assert knee([], []) is None
    by_cost = curve(
        pd.Index(["a", "b", "c"]), np.array([50_000, 40_000, 10_000]), np.array([1, 80, 19])
    )
    assert by_cost["knee"].tolist() == ["cost", "number", ""]
    assert by_cost["people_gained_total"].tolist() == [50.0, 90.0, 100.0]


def test_villages_that_stay_uncovered_say_who_would_reach_them(planned):
    told = planned.results[1].explanation.villages
    assert len(told)
    assert set(told["why"]) <= {"no_candidate", "outranked", "spacing"}
    assert (told["best_people"] <= told["people_left"] + 1e-9).all()
    assert (told["best_gain"] >= told["best_people"] - 1e-9).all()
    left = planned.villages["people"] - planned.villages["people_covered_4g_after"]
    assert told["people_left"].to_numpy() == pytest.approx(left[told.index].to_numpy())


def test_villages_that_stay_uncovered_say_what_keeps_them_so(planned):
    told = planned.results[1].explanation.villages
    whole = summarise_region(planned.coverage_after["4g"], planned.region, complete=True)
    for name in ("main_reason", "median_shortfall_db", "median_obstacle_m"):
        expected = whole["villages"].loc[told.index, name]
        assert told[name].equals(expected.rename_axis("village"))
        for level, table in whole.items():
            assert getattr(planned, level)[f"{name}_4g_after"].equals(table[name]), level
    assert set(told["main_reason"]) <= {"too_weak", "beyond_range", "interference", "uplink_fails"}
    assert not [column for column in planned.villages if column.startswith("main_reason_4g_b")]


def test_without_a_constraint_nothing_is_said_of_any():
    choice = posed([asked(greedy_target(number=1), [0.0, 1e3])], [np.eye(2)], np.array([5, 4]))
    told = cost_of_constraints(choice, solve(choice, choice.rules))
    assert told.empty
    assert list(told) == ["constraint", "objective", "objective_without", "difference"]


def test_a_budget_that_is_spent_is_why_the_dearer_were_not_chosen():
    ask = greedy_target(number=None, budget_yuan=12)
    one = asked(ask, [0.0, 1e3, 2e3], costs=[10, 5, 2])
    choice = posed([one], [np.eye(3, dtype=int)], np.array([9, 5, 1]))
    left = what_is_left(choice, solve(choice, choice.rules))
    assert left.why.tolist() == ["", "budget", ""]
    assert left.people.tolist() == [0, 5, 0]


def test_counties_add_up_to_what_is_chosen(planned):
    for result in planned.results:
        counties = result.explanation.counties
        assert counties["sites"].sum() == len(result.selection.chosen)
        assert counties["cost_yuan"].sum() == result.cost_yuan
        assert counties["people_gained"].sum() == pytest.approx(result.people_gained)
        assert counties["people_gained_net"].sum() == pytest.approx(result.people_gained_net)
        assert not set(counties["next_site"]) & set(planned.chosen.index)
