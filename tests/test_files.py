import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ankang_coverage import files
from ankang_coverage.errors import FileError
from ankang_coverage.files import (
    atomic_path,
    recover,
    require_folder,
    write_bytes,
    write_together,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


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


NAMES = ("a", "b", "c")


def _content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def _set(text):
    return {name: lambda path: path.write_text(text) for name in NAMES}


@pytest.fixture
def stuck(monkeypatch):
    """Let renames of a file called b to or from its place fail, once or ever."""

    def let_fail(times):
        rename, left = Path.replace, [times]

        def fails(self, target):
            if self.name == "b" and left[0] and self.parent.name == "new":
                left[0] -= 1
                raise OSError(28, "No space left on device")
            if self.name == "b" and times > 1 and self.parent.name == "old":
                raise OSError(28, "No space left on device")
            return rename(self, target)

        monkeypatch.setattr(Path, "replace", fails)

    return let_fail


def test_files_that_belong_together_replace_the_earlier_ones(tmp_path):
    for name in ("a", "b", "gone", "mine"):
        (tmp_path / name).write_text("old")
    write_together(tmp_path, _set("new"), obsolete=lambda _: ("gone", "never there"))
    assert _content(tmp_path) == {"a": "new", "b": "new", "c": "new", "mine": "old"}


def test_a_rename_that_fails_in_the_middle_puts_the_earlier_files_back(tmp_path, stuck):
    for name in ("b", "gone"):
        (tmp_path / name).write_text("old")
    stuck(1)
    with pytest.raises(FileError, match=r"cannot write .*b: No space left on device; make room"):
        write_together(tmp_path, _set("new"), obsolete=lambda _: ("gone",))
    assert _content(tmp_path) == {"b": "old", "gone": "old"}


def test_what_cannot_be_put_back_is_named_and_the_next_run_puts_the_new_in_place(
    tmp_path, stuck, monkeypatch
):
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").write_text("old")
    stuck(2)
    with pytest.raises(FileError, match=r"nor put back what was there before: b in .*old$"):
        write_together(tmp_path, _set("new"))
    assert (tmp_path / "a").read_text() == "old"
    assert [path.read_text() for path in tmp_path.glob(".unfinished.*/old/b")] == ["old"]
    monkeypatch.undo()
    recover(tmp_path)
    assert _content(tmp_path) == dict.fromkeys(NAMES, "new")


def test_an_interrupted_exchange_is_undone(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")
    rename = Path.replace

    def interrupted(self, target):
        rename(self, target)
        if self.name == "b" and self.parent.name == "new":
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt) as stopped:
        write_together(tmp_path, _set("new"))
    assert not hasattr(stopped.value, "__notes__")
    assert _content(tmp_path) == {"a": "old"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_all_is_in_place(tmp_path, monkeypatch, number):
    (tmp_path / "a").write_text("old")
    rename = Path.replace

    def signalled(self, target):
        signal.raise_signal(number)
        return rename(self, target)

    def stop(*_):
        raise KeyboardInterrupt

    previous = signal.signal(number, stop)
    try:
        monkeypatch.setattr(Path, "replace", signalled)
        with pytest.raises(KeyboardInterrupt) as stopped:
            write_together(tmp_path, _set("new"))
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, previous)
    assert stopped.value.__notes__ == [f"all files were put in place in {tmp_path}"]
    assert _content(tmp_path) == dict.fromkeys(NAMES, "new")


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
    write_together(tmp_path, _set("new"), obsolete=lambda _: ("gone",))
    assert (tmp_path / "gone" / "mine").is_dir()


KILLED = """
import os, signal, sys
from pathlib import Path
from ankang_coverage.files import recover, write_together
folder, steps = sys.argv[1], int(sys.argv[2])
move = Path.replace
def killed(self, target):
    global steps
    if not steps:
        os.kill(os.getpid(), signal.SIGKILL)
    steps -= 1
    return move(self, target)
Path.replace = killed
if sys.argv[3] == "recover":
    recover(folder)
else:
    new = {name: lambda path: path.write_text("new") for name in "abc"}
    write_together(folder, new, obsolete=lambda _: ["gone"])
"""
MOVES = 7
"""Of the journal, of three old files (b is not there), of three new ones."""


def _killed(folder, steps, what="write"):
    command = [sys.executable, "-c", KILLED, folder, str(steps), what]
    return subprocess.run(command, check=False).returncode == -signal.SIGKILL


@pytest.fixture
def earlier(tmp_path):
    for name in ("a", "c", "gone"):
        (tmp_path / name).write_text("old")
    return tmp_path


def _visible(folder):
    return {p.name: p.read_text() for p in folder.iterdir() if not p.name.startswith(".")}


@posix
@pytest.mark.parametrize("steps", range(MOVES))
def test_a_kill_at_any_move_mixes_nothing_and_is_mended(earlier, steps):
    assert _killed(earlier, steps)
    left = _visible(earlier)
    assert len(set(left.values())) < 2
    assert left.get("c") != "new"  # the last file comes last
    recover(earlier)
    mended = _content(earlier)
    old, new = dict.fromkeys(("a", "c", "gone"), "old"), dict.fromkeys(NAMES, "new")
    assert mended == (new if steps else old)


@posix
def test_the_kills_above_are_all_there_are(earlier):
    assert not _killed(earlier, MOVES)
    assert _content(earlier) == dict.fromkeys(NAMES, "new")


@posix
def test_a_kill_while_that_is_mended_is_mended_too(earlier):
    assert _killed(earlier, 3)
    while _killed(earlier, 1, "recover"):
        assert len(set(_visible(earlier).values())) < 2
    assert _content(earlier) == dict.fromkeys(NAMES, "new")


@posix
def test_the_next_run_mends_before_it_writes(earlier):
    assert _killed(earlier, 5)
    write_together(earlier, {"d": lambda path: path.write_text("newer")})
    assert _content(earlier) == dict.fromkeys(NAMES, "new") | {"d": "newer"}


def test_two_that_write_at_the_same_time_do_not_mix(tmp_path, monkeypatch):
    start, move = threading.Barrier(2), Path.replace

    def moved_slowly(self, target):
        time.sleep(0.001)
        return move(self, target)

    def write(text):
        start.wait()
        write_together(tmp_path, _set(text))

    monkeypatch.setattr(Path, "replace", moved_slowly)
    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, ("one", "other")))
        content = _content(tmp_path)
        assert content.keys() == set(NAMES)
        assert len(set(content.values())) == 1


def test_who_is_at_work_is_left_alone(tmp_path):
    def disturbed(path):
        recover(tmp_path)
        write_together(tmp_path, {"other": Path.touch})
        path.write_text("new")

    write_together(tmp_path, {"a": disturbed})
    assert _content(tmp_path) == {"a": "new", "other": ""}


def test_what_earlier_versions_left_is_removed_and_what_others_made_is_not(tmp_path):
    for part in ("new", "old"):
        (tmp_path / ".unfinished.abcdefgh" / part).mkdir(parents=True)
        (tmp_path / ".unfinished.abcdefgh" / part / "a").write_text("left")
    (tmp_path / ".unfinished.my_novel").mkdir()
    (tmp_path / ".unfinished.my_novel" / "chapter").write_text("mine")
    recover(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".unfinished.my_novel"]
    assert _content(tmp_path / ".unfinished.my_novel") == {"chapter": "mine"}


@pytest.mark.parametrize(
    "journal",
    ['{"names": ["old/../../../up"], "obsolete": []}', "[" * 100_000, "{", '["a"]', "\0", ""],
)
def test_a_journal_that_is_not_ours_moves_nothing(tmp_path, journal):
    home, place = tmp_path / "home", tmp_path / "home" / ".unfinished.abcdefgh"
    for part in ("new/old", "old"):
        (place / part).mkdir(parents=True)
    (home / "up").write_text("evil")
    (place / "journal").write_text(journal)
    recover(home)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert _content(home) == {"up": "evil"}


@posix
@pytest.mark.parametrize("name", ["owner", "journal", "new"])
def test_a_pipe_or_a_link_in_an_unfinished_folder_is_left_alone(tmp_path, name):
    place = tmp_path / "home" / ".unfinished.abcdefgh"
    place.mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    if name == "new":
        (place / "new").symlink_to(tmp_path / "mine")
    else:
        os.mkfifo(place / name)
    write_together(tmp_path / "home", {"a": lambda path: path.write_text("new")})
    assert (tmp_path / "home" / "a").read_text() == "new"
    assert place.exists()


def test_what_cannot_even_be_begun_leaves_nothing(tmp_path, monkeypatch):
    opened = os.open

    def full(path, *more, **named):
        if Path(path).name == "owner":
            raise OSError(28, "No space left on device")
        return opened(path, *more, **named)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(FileError, match=r"cannot write into folder .*: No space left"):
        write_together(tmp_path, {"a": Path.touch})
    assert not list(tmp_path.iterdir())


def test_a_lock_that_is_never_given_back_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_PATIENCE_S", 0.05)

    def waits(_):
        with files._locked(tmp_path), pytest.raises(FileError, match=r"wait for it, or end it"):
            recover(tmp_path)

    waits(tmp_path)
    assert not list(tmp_path.iterdir())


def test_recovery_of_a_folder_that_is_not_there_makes_none(tmp_path):
    recover(tmp_path / "none")
    assert not list(tmp_path.iterdir())


@posix
def test_a_file_that_grows_too_large_is_named(tmp_path, small_files):
    (tmp_path / "plan.csv").write_text("old")
    with small_files(1000), pytest.raises(FileError, match=r"plan\.csv: File too large; make room"):
        write_together(tmp_path, {"plan.csv": lambda path: write_bytes(path, bytes(1001))})
    assert _content(tmp_path) == {"plan.csv": "old"}


@posix
@pytest.mark.parametrize("name", ["\udcff", "x" * 300])
def test_a_name_that_no_file_can_have_is_told(tmp_path, name):
    for write in (lambda: write_together(tmp_path / name, {}), lambda: _touched(tmp_path / name)):
        with pytest.raises(FileError, match=r"is not UTF-8|too long"):
            write()
    with pytest.raises(FileError, match="too long"):
        require_folder(tmp_path / ("x" * 300))


def _touched(path):
    with atomic_path(path) as unfinished:
        unfinished.touch()
