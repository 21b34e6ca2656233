"""Settings: what TOML, YAML and JSON may hold, and one line for whatever is wrong in them."""

import math
import pickle
from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from ankang_coverage.errors import ArgumentTypeError, FileError, LimitError, SettingsError
from ankang_coverage.limits import use_limits
from ankang_coverage.settings import (
    MOST_PROBLEMS,
    Number,
    Settings,
    Whole,
    explain,
    read_json,
    read_toml,
    read_yaml,
    with_paths_from,
)

READERS = {".toml": read_toml, ".yaml": read_yaml, ".json": read_json}


@pytest.fixture
def read(tmp_path):
    """Write a text as a file of settings and read it."""

    def read(suffix, text):
        path = tmp_path / f"my{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return READERS[suffix](path)

    return read


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".toml", "a = 1\nb = [1.5, 'x']\n[c]\nd = true"),
        (".yaml", "a: 1\nb: [1.5, x]\nc: {d: true}"),
        (".yaml", "c: &c {d: true}\na: 1\nb: [1.5, x]\nc2: *c\n".replace("\nc2: *c", "")),
        (".json", '{"a": 1, "b": [1.5, "x"], "c": {"d": true}}'),
    ],
)
def test_plain_values_are_read(read, suffix, text):
    assert read(suffix, text) == {"a": 1, "b": [1.5, "x"], "c": {"d": True}}


def test_aliases_and_merged_mappings_are_followed(read):
    text = "base: &b {x: 1, y: 2}\nother: {<<: *b, y: 3}\nsame: *b"
    assert read(".yaml", text)["other"] == {"x": 1, "y": 3}


def test_chinese_in_gbk_and_with_a_byte_order_mark(read):
    assert read(".yaml", "name: 安康".encode("gbk")) == {"name": "安康"}
    assert read(".toml", "name = '安康'".encode("utf-8-sig")) == {"name": "安康"}


def test_not_a_number_is_left_for_the_models_to_refuse(read):
    values = [read(".toml", "a = nan")["a"], read(".yaml", "a: .nan")["a"]]
    values.append(read(".json", '{"a": NaN}')["a"])
    assert all(map(math.isnan, values))


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("suffix", "text", "says"),
    [
        (".toml", "a = 2024-13-01", r"my\.toml as TOML \(.*line 1, column 9"),
        (".toml", "a = 1\nb = 2024-02-30", "Invalid date or datetime .at line 2"),
        (".toml", "b = 1\na = " + "[" * 2000, r"as TOML \(line 2: values are nested too deeply"),
        (".toml", "a = " + "{a = " * 2000, "nested too deeply"),
        (".toml", "b = 1\na = " + "9" * 5000, r"\(line 2: Exceeds the limit"),
        (".toml", "a = '\x1b'", "as TOML"),
        (".toml", "a = [1,\n2", "as TOML"),
        (".toml", "a = 1\na = 2\n", "Cannot overwrite a value .at line 2"),
        (".toml", b"a = '\xc4\xff'", "not UTF-8"),
        (".yaml", "a: 1\nsource: 2024-13-01", r"line 2: '2024-13-01' is a date: put it in quot"),
        (".yaml", "source: 2024-12-01", "is a date"),
        (".yaml", "a: 1\nb: " + "9" * 5000, "line 2: Exceeds the limit"),
        (".yaml", "a: 1:" + "1:" * 400 + "1.5", r"line 1: int too large"),
        (".yaml", "a: [", "line 2"),
        (".yaml", "a:\n\t- b", "line 2"),
        (".yaml", "a: \x1b[2J", "control characters"),
        (".yaml", b"a: \0", "not text"),
        (".yaml", "a: &a [1, *a]", "line 1: the alias 'a' is inside what it repeats"),
        (".yaml", "a: *nothing", "undefined alias"),
        (".yaml", "a: 1\n---\nb: 2", "line 2: a second document"),
        (".yaml", "a: 1\nb: 2\na: 3", "line 1: the key 'a' occurs twice"),
        (".yaml", "? [1]\n: 2", "unhashable"),
        (".yaml", "a: !!python/name:os.system x", r"line 1: the tag '.*os\.system' is not allowed"),
        (".yaml", "a: !!binary aGk=", "tag"),
        (".yaml", "a: !!set {b}", "tag"),
        (".yaml", "a: !!omap [b: 1]", "tag"),
        (".yaml", "a: !own b", "tag '!own' is not allowed"),
        (".json", "[" * 100_000, "nested too deeply"),
        (".json", '{"a": ' + "9" * 5000 + "}", "Exceeds the limit"),
        (".json", '{"a": 1, "a": 2}', "the key 'a' occurs twice"),
        (".json", '{"a": "\\ud800"}', "is no text"),
        (".json", "{", "line 1"),
    ],
)
def test_whatever_a_parser_says_is_one_line_with_the_place(read, suffix, text, says):
    with pytest.raises(FileError, match=says) as error:
        read(suffix, text)
    assert f"my{suffix}" in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    ("suffix", "text", "limit"),
    [
        (".yaml", LAUGHS, "settings_values"),
        (".yaml", "a: &a {x: 1}\nb: [" + ", ".join(["{<<: *a}"] * 70_000) + "]", "settings_values"),
        (".json", "[" + "1," * 300_000 + "1]", "settings_values"),
        (".toml", "a = [" + "1," * 300_000 + "1]", "settings_values"),
        (".yaml", "a: " + "[" * 50, "settings_depth"),
        (".yaml", "- " * 50 + "a", "settings_depth"),
        (".yaml", "a: &a [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\nb: [[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]",
         "settings_depth"),
        (".json", "[" * 50 + "]" * 50, "settings_depth"),
        (".toml", "a = " + "[" * 50 + "]" * 50, "settings_depth"),
        (".toml", "x = 1\n" + "a." * 200_000 + "a = 1", "settings_depth"),
        (".toml", "[" + '"a" . ' * 40 + "a]", "settings_depth"),
        (".yaml", "a: " + "x" * 20_000, "field_characters"),
        (".toml", f"a = '{'x' * 20_000}'", "field_characters"),
        (".toml", f"{'x' * 20_000} = 1", "field_characters"),
        (".json", "#" * 1_100_000, "settings_bytes"),
    ],
)  # fmt: skip
def test_what_would_exhaust_is_refused_with_its_limit(read, suffix, text, limit):
    with pytest.raises(LimitError, match=rf"my\{suffix}.*{limit} under \[limits\]"):
        read(suffix, text)


def test_a_limit_can_be_raised(read):
    with use_limits(settings_depth=60):
        assert read(".yaml", "[" * 50 + "]" * 50)
    with use_limits(settings_values=3), pytest.raises(LimitError, match="settings_values"):
        read(".yaml", "a: &a [1]\nb: *a")


def test_long_whole_numbers_are_refused(read):
    for suffix, text in ((".toml", f"a = {10**100}"), (".json", f'{{"a": {10**100}}}')):
        with pytest.raises(FileError, match="a whole number of more than 60 digits"):
            read(suffix, text)


class _Member(Settings):
    id: str = ""
    share: Number = Field(default=0.5, ge=0.0, le=1.0)


class _Model(Settings):
    number: Whole = Field(default=1, ge=1, le=10)
    members: tuple[_Member, ...] = ()


class _WithFiles(Settings):
    file: Path | None = None
    files: tuple[Path, ...] = ()
    inside: "_WithFiles | None" = None


def explained(**given):
    with pytest.raises(ValidationError) as error:
        _Model.model_validate(given)
    return explain(error.value, "my.toml", given, _Model)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"number": 11}, "number: Input should be less than or equal to 10, not 11"),
        ({"number": "3"}, "number: Input should be a valid integer, not '3'"),
        ({"number": True}, "number: Input should be a valid integer, not true"),
        ({"number": 2.0}, "number: Input should be a valid integer, not 2.0"),
        ({"nummer": 2}, "nummer: unknown key; did you mean number?"),
        ({"members": [{"share": "x"}]}, "members.1.share: Input should be a valid number, not 'x'"),
        ({"members": [{"id": "a", "share": math.inf}]},
         "members.a.share: Input should be a finite number, not inf"),
        ({"members": [{"id": "a\nb", "share": 2}]},
         "members.1.share: Input should be less than or equal to 1, not 2"),
        ({"members": 3}, "members: Input should be a list, not 3"),
        ({"a\x1b[2J": 3}, r"'a\x1b[2J': unknown key; remove it or correct its spelling"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_key_and_what_was_given(given, says):
    assert explained(**given) == f"my.toml: {says}"


def test_of_many_mistakes_the_first_are_told_and_the_rest_counted():
    told = explained(**{f"key{n}": n for n in range(5_000)})
    assert told.endswith(f"; and {5_000 - MOST_PROBLEMS} more")
    assert len(told) < 2_000


# Settings made in Python --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"number": 11}, "number: Input should be less than or equal to 10, not 11"),
        ({"nummer": 2}, "nummer: unknown key; did you mean number?"),
        ({"members": [{"share": "x"}]}, "members.1.share: Input should be a valid number, not 'x'"),
        ({"members": ({"id": "a", "share": 2.0},)},
         "members.a.share: Input should be less than or equal to 1, not 2.0"),
        ({"number": 0, "member": ()}, (
            "number: Input should be greater than or equal to 1, not 0; "
            "member: unknown key; did you mean members?")),
    ],
)  # fmt: skip
def test_settings_made_in_python_tell_their_mistakes_in_one_line(given, says):
    with pytest.raises(SettingsError) as error:
        _Model(**given)
    assert str(error.value) == f"_Model: {says}"
    assert not isinstance(error.value, ValidationError)


def test_settings_that_lack_a_key_name_it():
    class Needs(Settings):
        radius_m: Number

    with pytest.raises(SettingsError, match=r"^Needs: radius_m: Field required$"):
        Needs()


def test_settings_inside_settings_made_in_python_are_named_by_their_own_type():
    with pytest.raises(SettingsError, match=r"^_Member: share: Input should be a finite number"):
        _Model(members=(_Member(share=math.nan),))


def test_settings_are_given_by_name():
    with pytest.raises(ArgumentTypeError) as error:
        _Model(3)
    assert str(error.value) == "_Model takes its settings by name: _Model(number=…)"


def test_settings_never_change_and_travel_to_other_processes():
    made = _Model(number=3, members=(_Member(id="a"),))
    with pytest.raises(ValueError, match="frozen"):
        made.number = 4
    assert pickle.loads(pickle.dumps(made)) == made


def test_relative_paths_start_from_a_folder_at_every_depth():
    inside = _WithFiles(file="a.csv", files=("b.csv", "/c.csv"))
    moved = with_paths_from(_WithFiles(inside=inside), Path("/study"))
    assert moved.file is None
    assert moved.inside.file == Path("/study/a.csv")
    assert moved.inside.files == (Path("/study/b.csv"), Path("/c.csv"))


# Bytes of any kind --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "text"),
    [(".toml", b"a = [1, 'x']\n"), (".yaml", b"a: [1, x]\n"), (".json", b'["a"]')],
)
def test_a_byte_of_any_kind_in_any_place_raises_an_error_of_ours_or_none(read, suffix, text):
    n_refused = 0
    for place in range(len(text)):
        for byte in (0, 9, 10, 27, 34, 38, 42, 45, 58, 91, 123, 200, 255):
            try:
                read(suffix, text[:place] + bytes([byte]) + text[place + 1 :])
            except FileError:
                n_refused += 1
    assert n_refused > len(text)
