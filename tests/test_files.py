import re
import stat
from pathlib import Path

import pytest

from ankang_coverage.errors import FileError
from ankang_coverage.files import atomic_path, require_folder, write_together


def test_a_complete_file_takes_its_place(tmp_path: Path) -> None:
    target = tmp_path / "plan.csv"
    with atomic_path(target) as unfinished:
        unfinished.write_text("site")
        assert not target.exists()
    assert target.read_text() == "site"
    assert list(tmp_path.iterdir()) == [target]


def test_the_temporary_file_has_the_same_name_on_the_same_disk(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "plan.gpkg") as unfinished:
        unfinished.write_bytes(b"")
        assert unfinished.name == "plan.gpkg"
        assert unfinished.stat().st_dev == tmp_path.stat().st_dev


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "plan.csv"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(target) as unfinished:
        _write_half(unfinished)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def _write_half(path: Path) -> None:
    path.write_text("ne")
    raise KeyboardInterrupt


def test_a_written_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    ordinary, target = tmp_path / "ordinary", tmp_path / "atomic"
    ordinary.write_text("")
    with atomic_path(target) as unfinished:
        unfinished.write_text("")
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "plan.csv"
    message = f"cannot write {target}: there is no folder {target.parent}"
    with pytest.raises(FileError, match=re.escape(message)), atomic_path(target):
        pytest.fail("there was nowhere to write")


def test_a_path_that_cannot_be_replaced_is_named(tmp_path: Path) -> None:
    target = tmp_path / "plan.csv"
    target.mkdir()
    message = re.escape(f"cannot write {target}")
    with pytest.raises(FileError, match=message), atomic_path(target) as unfinished:
        unfinished.write_text("site")


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"plan\.csv"), atomic_path(tmp_path / "plan.csv"):
        pass


def test_other_errors_pass_through(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "plan.csv"):
        raise ZeroDivisionError


def test_a_folder_for_results_is_looked_at_without_being_made(tmp_path: Path) -> None:
    require_folder(tmp_path / "new" / "er")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileError, match=r"cannot make folder .*file is a file"):
            require_folder(path)


def _content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def _set(text):
    return {name: lambda path: path.write_text(text) for name in ("a", "b", "c")}


@pytest.fixture
def stuck(monkeypatch):
    """Let renames of a file called b fail, once or ever."""

    def let_fail(times):
        rename, left = Path.replace, [times]

        def fails(self, target):
            if self.name == "b" and left[0] and Path(target).parent.name != "old":
                left[0] -= 1
                raise OSError(28, "No space left on device")
            return rename(self, target)

        monkeypatch.setattr(Path, "replace", fails)

    return let_fail


def test_files_that_belong_together_replace_the_earlier_ones(tmp_path):
    for name in ("a", "b", "gone", "mine"):
        (tmp_path / name).write_text("old")
    write_together(tmp_path, _set("new"), obsolete=("gone", "never there"))
    assert _content(tmp_path) == {"a": "new", "b": "new", "c": "new", "mine": "old"}


def test_a_rename_that_fails_in_the_middle_puts_the_earlier_files_back(tmp_path, stuck):
    for name in ("b", "gone"):
        (tmp_path / name).write_text("old")
    stuck(1)
    with pytest.raises(FileError, match=r"cannot write .*b: No space left on device$"):
        write_together(tmp_path, _set("new"), obsolete=("gone",))
    assert _content(tmp_path) == {"b": "old", "gone": "old"}


def test_what_cannot_be_put_back_is_kept_and_named(tmp_path, stuck):
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").write_text("old")
    stuck(2)
    with pytest.raises(FileError, match=r"nor put back what was there before: b in .*old$"):
        write_together(tmp_path, _set("new"))
    assert (tmp_path / "a").read_text() == "old"
    assert [path.read_text() for path in tmp_path.glob(".unfinished.*/old/b")] == ["old"]


def test_an_interrupted_exchange_is_undone(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")
    rename = Path.replace

    def interrupted(self, target):
        rename(self, target)
        if self.name == "b":
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_together(tmp_path, _set("new"))
    assert _content(tmp_path) == {"a": "old"}


def test_a_writer_that_fails_leaves_all_as_it_was(tmp_path):
    (tmp_path / "a").write_text("old")

    def fails(_):
        raise OSError(28, "No space left on device")

    with pytest.raises(FileError, match=r"cannot write .*b: No space"):
        write_together(tmp_path, {**_set("new"), "b": fails})
    assert _content(tmp_path) == {"a": "old"}


def test_a_folder_in_the_way_is_named_before_anything_is_written(tmp_path):
    (tmp_path / "c").mkdir()

    def never(_):
        raise AssertionError

    with pytest.raises(FileError, match=r"cannot write .*c: a folder has that name"):
        write_together(tmp_path, dict.fromkeys(("a", "c"), never))
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_folder_of_an_obsolete_name_stays(tmp_path):
    (tmp_path / "gone" / "mine").mkdir(parents=True)
    write_together(tmp_path, _set("new"), obsolete=("gone",))
    assert (tmp_path / "gone" / "mine").is_dir()
