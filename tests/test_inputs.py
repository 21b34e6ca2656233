"""Input files: what is no file, too large or no text is refused in one sentence."""

import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import ArgumentTypeError, FileError, LimitError, MissingFileError
from ankang_coverage.inputs import (
    listed,
    quoted,
    read_bytes,
    read_text,
    reading,
    require_file,
    require_type,
    said,
)
from ankang_coverage.limits import use_limits


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312"])
def test_chinese_is_read_in_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    text = "站名,经度\r\n安康汉滨,109.03\r\n"
    table = tmp_path / "table.csv"
    table.write_bytes(text.encode(encoding))
    assert read_text(table) == text


@given(st.text(st.characters(exclude_characters="\0\ufeff", codec="utf-8")))
def test_utf8_is_never_taken_for_something_else(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    table = tmp_path_factory.mktemp("text") / "table.txt"
    table.write_bytes(text.encode())
    assert read_text(table) == text


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("站名".encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param("name".encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(b"PK\x03\x04\x14\x00\x06\x00", id="a spreadsheet named .csv"),
        pytest.param("站名".encode("gbk")[:-1], id="GBK cut in the middle"),
    ],
)
def test_what_is_not_text_is_refused_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    with pytest.raises(FileError, match=r"table\.csv.*save it again as UTF-8"):
        read_text(table)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot read .*missing\.csv"):
        read_text(tmp_path / "missing.csv")


def test_a_device_a_pipe_and_a_folder_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path, what in [
        (Path("/dev/zero"), "device or a pipe"),
        (tmp_path / "pipe.csv", "device or a pipe"),
        (tmp_path, "it is a folder"),
    ]:
        with pytest.raises(FileError, match=what):
            read_text(path)


@pytest.mark.parametrize("name", ["a\0b", "v" * 300, "/vsicurl/http://127.0.0.1/a.tif", "a/b/c"])
def test_a_name_that_no_file_can_have_is_no_file(name: str) -> None:
    with pytest.raises(FileError, match="cannot read"):
        require_file(name)


def test_a_link_that_turns_in_a_circle_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "a")
    with pytest.raises(FileError, match="cannot read"):
        require_file(tmp_path / "a")


def test_a_file_above_its_limit_is_refused_and_the_limit_can_be_raised(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(b"a,b\n1,2\n")
    with use_limits(text_bytes=7), pytest.raises(LimitError, match=r"8 where 7.*text_bytes under"):
        read_bytes(table, "text_bytes")
    with use_limits(text_bytes=8):
        assert read_text(table) == "a,b\n1,2\n"


@pytest.mark.parametrize(
    "error", [KeyError("x"), MemoryError(), RecursionError("deep"), OSError(5, "I/O")]
)
def test_whatever_a_library_raises_becomes_one_sentence(error: Exception) -> None:
    with (
        pytest.raises(FileError, match=r"cannot read a\.xlsx as a workbook \(.+\): save it again"),
        reading("a.xlsx", "a workbook", "save it again"),
    ):
        raise error


def test_our_own_errors_pass_through_reading() -> None:
    with pytest.raises(LimitError, match="too much"), reading("a", "b", "c"):
        raise LimitError("too much")


def test_what_an_error_says_is_one_short_line() -> None:
    assert said(ValueError("a\n  b")) == "a b"
    assert len(said(ValueError("x" * 10_000))) < 400


def test_only_what_is_not_there_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="there is no such file"):
        require_file(tmp_path / "missing.csv")
    with pytest.raises(FileError, match="it is a folder") as error:
        require_file(tmp_path)
    assert not isinstance(error.value, MissingFileError)


def test_many_names_and_long_ones_are_listed_in_short() -> None:
    names = listed(f"column {n}" for n in range(100))
    assert names.endswith(", column 39 and 60 more")
    assert len(listed(["x" * 10_000])) < 100
    assert quoted("a\x1b[2J") == r"'a\x1b[2J'"


@pytest.mark.parametrize(
    ("value", "wanted", "says"),
    [
        (3, str, "path must be a str, not an int: read(path)"),
        (None, Path, "path must be a Path, not a NoneType: read(path)"),
        ("a", (int, float), "path must be an int or a float, not a str: read(path)"),
        (Path, Path, "path must be a Path, not a type: read(path)"),
    ],
)
def test_an_argument_of_another_type_is_named_with_the_order_of_all(
    value: object, wanted: type | tuple[type, ...], says: str
) -> None:
    with pytest.raises(ArgumentTypeError) as error:
        require_type(value, wanted, "path", "read(path)")
    assert str(error.value) == says
    assert isinstance(error.value, TypeError)


@pytest.mark.parametrize(
    ("value", "wanted"), [("a", str), (True, int), (3, (str, int)), (Path("a"), os.PathLike)]
)
def test_an_argument_of_the_type_or_one_derived_from_it_passes(
    value: object, wanted: type | tuple[type, ...]
) -> None:
    require_type(value, wanted, "path", "read(path)")
