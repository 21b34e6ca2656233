"""Words and figures that people read: the same in both languages, and honest where one is none."""

import math
import string

import pytest
from builders import micro_target

from ankang_coverage.errors import AnkangCoverageError, UnknownNameError
from ankang_coverage.planning import MicroTarget
from ankang_coverage.planning.kinds import KINDS
from ankang_coverage.planning.sources import SOURCES
from ankang_coverage.reporting.words import (
    UNKNOWN,
    dbm,
    percent,
    text,
    translated,
    vocabulary,
    whole,
)
from ankang_coverage.words import Words


def fields_of(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_both_languages_have_the_same_words_with_the_same_figures_in_them():
    zh, en = vocabulary("zh"), vocabulary("en")
    assert zh.keys() == en.keys()
    assert all(zh.values())
    assert all(en.values())
    for key, words in zh.items():
        assert fields_of(words) == fields_of(en[key]), key


def test_kinds_and_sources_bring_their_own_words():
    for lang in ("zh", "en"):
        known = vocabulary(lang)
        for made in (*KINDS.values(), *SOURCES.values()):
            for key, words in made.words.items():
                assert known[key] == getattr(words, lang)


def test_a_kind_of_ones_own_is_read_where_a_target_is_of_it():
    class Blimp(MicroTarget):
        words = {"lake": Words("湖面", "lake"), "covered": Words("别的", "something else")}  # noqa: RUF012

    blimp = Blimp(**micro_target().model_dump(exclude={"candidates", "objectives"}))
    assert "lake" not in vocabulary("zh")
    assert vocabulary("zh", [blimp])["lake"] == "湖面"
    assert vocabulary("en", [blimp])["covered"] == "Covered"  # the words of maps stay


@pytest.mark.parametrize("lang", ["fr", "", "ZH"])
def test_an_unknown_language_is_no_number_out_of_range(lang):
    with pytest.raises(UnknownNameError, match=f"lang '{lang}' .* choose 'zh' or 'en'") as error:
        vocabulary(lang)
    assert isinstance(error.value, LookupError)
    assert isinstance(error.value, AnkangCoverageError)


def test_what_has_a_word_is_translated_and_the_rest_stays():
    words = vocabulary("zh")
    assert translated("valley", words) == "河谷"
    assert translated("汉滨区", words) == "汉滨区"
    assert translated(None, words) == UNKNOWN


@pytest.mark.parametrize("nothing", [None, "", math.nan])
def test_where_there_is_no_value_a_dash_stands(nothing):
    assert text(nothing) == UNKNOWN
    assert text(0) == "0"


@pytest.mark.parametrize(
    ("level", "shown"), [(-110.0, "−110"), (-92.5, "−92.5"), (0.0, "0"), (3.0, "3")]
)
def test_a_level_has_the_minus_sign_of_typesetters(level, shown):
    assert dbm(level) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(26_971.593, "26,972"), (0.4, "0"), (-1_234.0, "-1,234"), (math.nan, "–")]
)
def test_a_figure_is_shown_to_the_nearest_whole(value, shown):
    assert whole(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (1.0, "100.0 %"),
        (0.99999, "99.9 %"),  # not everybody
        (0.29, "29.0 %"),  # a hair below in binary
        (0.0, "0.0 %"),
        (math.nan, "–"),
    ],
)
def test_a_share_is_rounded_down(share, shown):
    assert percent(share) == shown
