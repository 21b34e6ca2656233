"""Keys of the candidates of a target: those that all sources share, and those of one alone."""

from pathlib import Path

import pytest
from builders import micro_target
from pydantic import ValidationError

from ankang_coverage.errors import SettingsError
from ankang_coverage.planning.sources import SOURCES
from ankang_coverage.planning.sources.settings import CandidateSettings


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"candidates": {"sources": ["roads"]}}, "sources names 'roads': give roads = a file"),
        (
            {"candidates": {"farthest_from_road_m": 100}},
            "farthest_from_road_m needs roads = a file of lines",
        ),
        ({"candidates": {"slope": 3}}, "Extra inputs"),
    ],
)
def test_a_key_that_is_missing_or_unknown_is_named(settings, says):
    with pytest.raises(ValidationError, match=says):
        micro_target(**settings)


def test_a_key_of_a_source_goes_to_the_source_that_is_named():
    settings = CandidateSettings(sources=("people", "high points"), high_points=5)
    people, high_points = settings.places_from
    assert (people.name, high_points.name) == ("people", "high points")
    assert high_points.high_points == 5
    with pytest.raises(SettingsError, match="high_points needs 'high points' in sources"):
        CandidateSettings(sources=("people",), high_points=5)


def test_an_unknown_source_is_named_with_those_there_are():
    with pytest.raises(SettingsError, match=f"source 'lakes' is none of {', '.join(SOURCES)}"):
        CandidateSettings(sources=("people", "lakes"))


def test_settings_are_written_as_a_study_has_them():
    settings = CandidateSettings(sources=("people", "high points"), high_points=5)
    keys = settings.model_dump()
    assert keys["sources"] == ["people", "high points"]
    assert keys["high_points"] == 5
    assert CandidateSettings(**keys) == settings


def test_roads_are_read_where_a_source_or_a_limit_needs_them():
    file = Path("roads.gpkg")
    assert not CandidateSettings().reads_roads
    assert not CandidateSettings(roads=file).reads_roads
    assert CandidateSettings(roads=file, farthest_from_road_m=100.0).reads_roads
    assert CandidateSettings(roads=file, sources=("roads",)).reads_roads
