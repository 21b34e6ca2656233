"""The summary: what was asked, what it rests on, and how good the choice is."""

import dataclasses
import json

import pytest

from ankang_coverage.reporting.outputs.key_figures import summary


def test_what_is_synthetic_and_without_terrain_is_said(planned):
    figures = summary(planned)
    assert figures["synthetic"] == ["everything"]
    assert figures["services"]["4g"]["terrain"] == "none"


def test_a_plan_that_chance_gains_nothing_of_is_still_plain_json(planned):
    blind = dataclasses.replace(planned.results[0], random_people_gained=(0.0,))
    figures = summary(dataclasses.replace(planned, results=(blind,)))
    assert figures["chosen"]["micro"]["times_random_median"] is None
    json.dumps(figures, allow_nan=False)


def test_settings_and_assumptions_are_in_the_summary(planned):
    cells = planned.network.cells.assign(assumed=["antenna,height_m"] + [""] * 11)
    network = dataclasses.replace(planned.network, cells=cells)
    figures = summary(dataclasses.replace(planned, network=network))
    assert figures["propagation"]["model"] == "rma"
    assert figures["propagation"]["radius_m"] == 5000.0
    assert figures["targets"][0]["minimum_spacing_m"] == 500
    assert figures["network"]["values_assumed"] == {"antenna": 1, "height_m": 1}


def test_the_summary_says_how_good_the_choice_is(planned):
    told = summary(planned)["chosen"]["micro"]
    assert told["objective_reached"] == told["people_gained"]
    assert told["upper_bound"] >= told["people_gained"]
    short = told["upper_bound"] - told["people_gained"]
    assert told["gap"] == pytest.approx(short / told["upper_bound"], abs=1e-6)
    assert told["cost_yuan"] == planned.chosen["cost_yuan"].sum()
    assert told["objective"] == "people"


def test_people_covered_are_those_of_the_tables(planned):
    figures = summary(planned)["services"]["4g"]
    for state in ("before", "after"):
        people = planned.villages[f"people_covered_4g_{state}"].sum()
        assert figures[state]["all"]["people_covered"] == pytest.approx(people, abs=1e-3)
