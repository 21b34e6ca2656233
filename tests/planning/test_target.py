"""What a target may ask, and what contradicts itself."""

from pathlib import Path

import pytest
from builders import micro_target
from pydantic import ValidationError

from ankang_coverage.errors import SettingsError
from ankang_coverage.planning import MicroTarget, SupportingTarget, Target
from ankang_coverage.planning.target import Situation, first_twice


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"number": None}, "give number, how many to build, or budget_yuan"),
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
        ({"towers_of": ["x"]}, "towers_of\n  Extra inputs are not permitted"),
    ],
)
def test_what_contradicts_itself_is_named(settings, says):
    with pytest.raises(ValidationError, match=says):
        micro_target(**settings)


def test_a_target_is_of_the_kind_it_names():
    given = {"id": "t", "number": 1, "service": "5g", "radio_layers": ("nr-n28",),
             "minimum_spacing_m": 0}  # fmt: skip
    for kind, class_ in (("micro", MicroTarget), ("supporting", SupportingTarget)):
        for made in (Target(kind=kind, **given), Target.model_validate({"kind": kind, **given})):
            assert type(made) is class_
            assert made == class_(**given)


@pytest.mark.parametrize("kind", ["macro", 3])
def test_an_unknown_kind_is_named_with_those_there_are(kind):
    with pytest.raises(SettingsError, match=r"kind .* is unknown: choose one of micro, supporting"):
        Target(id="t", kind=kind, number=1)


def test_a_target_without_a_kind_is_told_which_there_are():
    with pytest.raises(SettingsError, match="kind is missing: choose one of micro, supporting"):
        Target(id="t", number=1)


def test_a_title_is_the_id_where_there_is_none():
    plain, titled = micro_target(), micro_target(title_zh="微站")
    assert [plain.title(lang) for lang in ("zh", "en")] == ["t", "t"]
    assert [titled.title(lang) for lang in ("zh", "en")] == ["微站", "t"]


def test_paths_of_its_candidates_start_from_the_folder_of_the_file():
    files = {"costs": Path("costs.yaml"), "forbidden_areas": Path("/areas.gpkg")}
    moved = micro_target(candidates=files).relative_to(Path("/study"))
    assert moved.candidates.costs == Path("/study/costs.yaml")
    assert moved.candidates.forbidden_areas == Path("/areas.gpkg")
    assert moved.candidates.roads is None


def test_a_situation_knows_the_ids_that_are_locked(planned):
    region, network, chosen = planned.region, planned.network, planned.chosen
    assert Situation(region, network).locked_ids == []
    assert Situation(region, network, locked=chosen).locked_ids == chosen.index.tolist()


@pytest.mark.parametrize(("names", "twice"), [("abcbc", "b"), ("abc", None), ("", None)])
def test_the_first_name_that_occurs_twice(names, twice):
    assert first_twice(names) == twice
