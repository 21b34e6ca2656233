"""Tables that explain a plan."""

import dataclasses

import pandas as pd
import pytest

from ankang_coverage.reporting.exports import write_plan
from ankang_coverage.reporting.outputs.explanations import explanation_tables


def test_what_explains_the_plan_is_written_with_its_programme(planned, written):
    curve = pd.read_csv(written["plan_curve.csv"])
    assert curve["programme"].tolist() == ["micro"] * 3
    assert curve["id"].tolist() == planned.chosen.index.tolist()
    assert curve["people_gained_total"].tolist() == planned.chosen["people_gained_total"].tolist()
    counties = pd.read_csv(written["plan_counties.csv"])
    assert counties["people_gained"].sum() == pytest.approx(planned.results[0].people_gained)
    constraints = pd.read_csv(written["plan_constraints.csv"])
    assert constraints["constraint"].tolist() == ["minimum spacing"]
    assert (constraints["difference"] >= 0).all()
    dropped = pd.read_csv(written["dropped_candidates.csv"])
    assert {"id", "candidate_source", "lon", "lat", "reason"} <= set(dropped)
    assert "source" not in dropped
    assert "why" in pd.read_csv(written["uncovered_villages.csv"])


def test_names_of_villages_stay_text_in_what_explains_the_plan(planned, tmp_path):
    told = planned.results[0].explanation
    evil = told.villages.assign(name="=1+1") if len(told.villages) else told.villages
    result = dataclasses.replace(
        planned.results[0], explanation=dataclasses.replace(told, villages=evil)
    )
    files = write_plan(dataclasses.replace(planned, results=(result,)), tmp_path)
    names = pd.read_csv(files["uncovered_villages.csv"])["name"]
    assert len(names)
    assert set(names) == {"'=1+1"}


def test_joint_targets_share_their_constraints(planned):
    first = dataclasses.replace(planned.results[0], joint=planned.results[0].selection)
    target = first.target.model_copy(update={"id": "second"})
    second = dataclasses.replace(first, target=target)
    tables = explanation_tables(dataclasses.replace(planned, results=(first, second)))
    assert set(tables["plan_constraints.csv"]["programme"]) == {"micro + second"}
    assert len(tables["plan_constraints.csv"]) == len(first.explanation.constraints)
    for name in ("plan_curve.csv", "plan_counties.csv"):
        assert set(tables[name]["programme"]) == {"micro", "second"}
