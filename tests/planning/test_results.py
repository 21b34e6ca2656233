"""How good a choice is: against its bound, and against chance."""

import dataclasses

import pytest


def test_the_choice_beats_chance(planned):
    for result in planned.results:
        assert result.people_gained >= max(result.random_people_gained) - 1e-9
        assert len(result.random_people_gained) == 20


@pytest.mark.parametrize(
    ("at_random", "times"), [((1.0, 2.0, 4.0), 5.0), ((0.0, 0.0, 9.0), float("inf"))]
)
def test_a_choice_is_compared_with_the_median_of_chance(planned, at_random, times):
    result = dataclasses.replace(
        planned.results[1], people_gained=10.0, random_people_gained=at_random
    )
    assert result.times_random == times


def test_the_gap_of_joint_targets_is_that_of_the_whole_choice(planned):
    result = planned.results[1]
    assert result.gap == result.selection.gap
    whole = dataclasses.replace(result.selection, objective=90, upper_bound=100)
    part = dataclasses.replace(result.selection, upper_bound=None)
    assert dataclasses.replace(result, selection=part, joint=whole).gap == pytest.approx(0.1)
    assert dataclasses.replace(result, selection=part).gap is None
    assert "at most" not in repr(dataclasses.replace(result, selection=part))


def test_a_plan_counts_what_it_has(planned):
    for result in planned.results:
        assert result.n_candidates == len(result.candidates.table) >= len(result.selection.chosen)
        chosen = planned.chosen[planned.chosen["programme"] == result.target.id]
        assert result.cost_yuan == chosen["cost_yuan"].sum()
        assert result.people_gained == pytest.approx(chosen["people_gained"].sum())
    assert set(planned.seconds) >= {"candidates", "coverage before", "overlay"}
    assert not planned.interrupted
