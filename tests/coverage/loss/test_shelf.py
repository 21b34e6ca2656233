"""Files on a shelf: whole or absent, whatever stands in their place and whoever left what."""

import errno
import os
import shutil
import signal
import socket
import stat
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ankang_coverage.coverage.loss import shelf as _shelf
from ankang_coverage.coverage.loss.shelf import Shelf, StoreWarning
from ankang_coverage.errors import StoreError

NAME = "0123456789abcdef.tif"
CONTENT = b"what is kept" * 100
DAYS_AGO = time.time() - 2 * 86_400

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "store")


def again(shelf):
    """The same folder, as another process finds it."""
    return Shelf(shelf.folder)


def put(shelf, name=NAME):
    path = shelf.path("loss", name)
    shelf.write(path, [CONTENT], 10**9)
    return path


def assert_kept(shelf, path):
    assert shelf.holds(path)
    assert path.read_bytes().startswith(CONTENT)
    assert shelf.contents().in_the_way == []


# What killed processes leave ----------------------------------------------------------------------


def left_by(path, writer):
    """What a writer leaves of a file, where it is left now and where 0.1 left it."""
    left = [
        path.parents[1] / "unfinished" / f"{path.name}.{writer}.part",
        path.parent / f".{path.name}.{writer}.part",
    ]
    for one in left:
        one.write_bytes(b"half")
    return left


def test_nothing_is_left_beside_the_files(shelf):
    path = put(shelf)
    files = [one for one in shelf.folder.rglob("*") if one.is_file()]
    assert files == [path]


def test_what_another_writes_is_left_alone_for_a_day(shelf):
    path = put(shelf)
    left = [
        *left_by(path, "elsewhere.1.0"),
        *left_by(path, f"{_shelf._HOST}.{os.getppid()}.9"),
        *left_by(path, f"{_shelf._HOST}.{os.getpid()}.{_shelf._TOKEN}9"),
    ]
    other = again(shelf)
    assert other.has(path)
    assert other.contents().abandoned == []
    assert all(one.exists() for one in left)
    for one in left:
        os.utime(one, (DAYS_AGO, DAYS_AGO))
    assert len(other.contents().abandoned) == 6
    assert again(shelf).has(path)
    assert [one.exists() for one in left] == [False, True] * 3


def test_what_an_earlier_process_of_the_same_number_left_goes_at_once(shelf):
    path = put(shelf)
    new, old = left_by(path, f"{_shelf._HOST}.{os.getpid()}.0123456789abcdef")
    other = again(shelf)
    assert other.has(path)
    assert not new.exists()
    assert [entry.path for entry in other.contents().abandoned] == [old]  # for prune


def test_a_folder_is_tidied_once(shelf, monkeypatch):
    path, looked = put(shelf), []
    standing = _shelf._standing
    monkeypatch.setattr(_shelf, "_standing", lambda folders: looked.append(1) or standing(folders))
    other = again(shelf)
    for _ in range(3):
        assert other.holds(path)
    put(other, "ab" + NAME)
    assert len(looked) == 2  # the second time to make room


def test_a_note_is_read_by_others_and_goes_with_its_writer(shelf, monkeypatch):
    note = shelf.write_note("here")
    assert note.read_text("ascii") == "here"
    again(shelf).has(shelf.path("loss", NAME))
    assert note.exists()
    monkeypatch.setattr(_shelf, "_TOKEN", "another")
    again(shelf).has(shelf.path("loss", NAME))
    assert not note.exists()


# What is no file, or no folder --------------------------------------------------------------------


@pytest.fixture(autouse=True)
def alarm():
    """Fail instead of waiting for ever."""

    def ring(*_):
        raise AssertionError("this hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(place):
    os.mkfifo(place)


def local_socket(place):
    with socket.socket(socket.AF_UNIX) as own, TemporaryDirectory(dir="/tmp") as short:
        own.bind(f"{short}/s")  # where the name is short enough
        Path(short, "s").rename(place)


def empty_folder(place):
    place.mkdir()


def full_folder(place):
    place.mkdir()
    (place / "mine").write_bytes(b"mine")


def loop(place):
    place.symlink_to(place.name)


def link_to_nothing(place):
    place.symlink_to("nowhere")


def link_to_a_file(place):
    (place.parent / "elsewhere").write_bytes(b"mine")
    place.symlink_to("elsewhere")


def other_file(place):
    place.write_bytes(b"mine")


NO_FOLDERS = [pipe, local_socket, loop, link_to_nothing, link_to_a_file]
NO_FILES = [*NO_FOLDERS, empty_folder, full_folder]


def replace_by(strange, place):
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    strange(place)


def n_mine(shelf):
    """How many files there are that might be somebody's, wherever they stand now."""
    files = [one for one in shelf.folder.rglob("*") if one.is_file() and not one.is_symlink()]
    return sum(one.read_bytes() == b"mine" for one in files)


@pytest.mark.parametrize("strange", NO_FILES, ids=lambda strange: strange.__name__)
@pytest.mark.parametrize("asked", ["has", "holds", "write"])
def test_what_is_no_file_stops_nobody(shelf, strange, asked):
    path = put(shelf)
    replace_by(strange, path)
    other = again(shelf)
    assert other.contents().files == []
    assert other.contents().in_the_way == [path]
    if asked == "write":  # which replaces all but folders without a word
        with pytest.warns(StoreWarning) if "folder" in strange.__name__ else nullcontext():
            put(other)
    else:
        with pytest.warns(StoreWarning, match=rf"{path} was a \w+, where .*: (removed|set aside)"):
            assert not getattr(other, asked)(path)
        assert not os.path.lexists(path)
        put(other)
    assert_kept(other, path)
    assert n_mine(shelf) == (strange in {full_folder, link_to_a_file})


@pytest.mark.parametrize("strange", [*NO_FOLDERS, other_file], ids=lambda s: s.__name__)
@pytest.mark.parametrize("place", ["loss", "loss/01", "loss/unfinished"])
def test_what_is_no_folder_stops_nobody(shelf, strange, place):
    path = put(shelf)
    replace_by(strange, shelf.folder / place)
    other = again(shelf)
    assert other.contents().in_the_way == [shelf.folder / place]
    assert other.has(path) == (place == "loss/unfinished")
    with pytest.warns(StoreWarning, match=rf"{shelf.folder / place} was a \w+, where"):
        put(other)
    assert_kept(other, path)
    assert n_mine(shelf) == (strange in {other_file, link_to_a_file})


def test_a_note_finds_its_place(shelf):
    put(shelf)
    replace_by(pipe, shelf.folder / "loss" / "unfinished")
    with pytest.warns(StoreWarning, match="was a pipe"):
        assert again(shelf).write_note("here").read_text("ascii") == "here"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a device")
def test_a_device_in_place_of_a_file(shelf):
    path = put(shelf)
    replace_by(lambda place: os.mknod(place, 0o600 | stat.S_IFCHR, os.makedev(1, 5)), path)
    with pytest.warns(StoreWarning, match="was a device, where"):
        assert not again(shelf).holds(path)


def test_what_cannot_be_cleared_is_an_error_of_one_line(shelf, monkeypatch):
    path = put(shelf)
    replace_by(full_folder, path)

    def refuse(*_):
        raise OSError(errno.EBUSY, "Device or resource busy")  # as a mount point is

    monkeypatch.setattr(Path, "rename", refuse)
    other = again(shelf)
    assert not other.holds(path)
    with pytest.raises(StoreError, match=f"cannot write {path}: Is a directory") as error:
        put(other)
    assert "\n" not in str(error.value)


def test_a_file_that_may_not_be_read_is_damaged(shelf, monkeypatch):
    path = put(shelf)

    def refuse(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    other = again(shelf)
    assert other.flaw(path) == "unreadable (Permission denied)"
    with pytest.warns(StoreWarning, match=r"is unreadable \(Permission denied\): removed"):
        assert not other.holds(path)
    monkeypatch.undo()
    assert_kept(other, put(other))


def test_a_disk_that_fails_is_an_error_and_costs_no_file(shelf, monkeypatch):
    path = put(shelf)

    def refuse(*_args, **_kwargs):
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StoreError, match=f"cannot read {path}: Stale file handle"):
        again(shelf).holds(path)
    assert path.exists()


def test_a_terabyte_of_nothing_is_found_at_once(shelf):
    path = put(shelf)
    os.truncate(path, 1 << 40)
    with pytest.warns(StoreWarning, match="damaged or cut off"):
        assert not again(shelf).holds(path)


def test_a_folder_that_goes_away_is_made_again(shelf, monkeypatch):
    path = put(shelf)
    replaced, times = Path.replace, []

    def after_it_has_gone(self, target):
        times.append(target)
        if len(times) == 1:
            shutil.rmtree(shelf.folder)
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", after_it_has_gone)
    assert_kept(shelf, put(shelf))
    assert len(times) == 2
    assert path.exists()


def test_a_folder_among_the_unfinished_files_stops_nobody(shelf):
    path = put(shelf)
    folders = left_by(path, "elsewhere.1.0")
    for one in folders:
        one.unlink()
        one.mkdir()
        os.utime(one, (DAYS_AGO, DAYS_AGO))
    other = again(shelf)
    assert other.holds(path)
    put(other, "ab" + NAME)
    assert other.contents().abandoned == []
    assert all(one.is_dir() for one in folders)


def test_what_others_keep_is_left_to_them(tmp_path, monkeypatch):
    shelf = Shelf(tmp_path)
    first = put(shelf)
    os.utime(first, (DAYS_AGO, DAYS_AGO))
    left = left_by(first, "elsewhere.1.0")
    for one in left:
        os.utime(one, (DAYS_AGO, DAYS_AGO))
    unlink = Path.unlink

    def refuse(self, *args, **others):
        if self in {first, *left}:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        unlink(self, *args, **others)

    monkeypatch.setattr(Path, "unlink", refuse)
    other = again(shelf)
    with pytest.warns(StoreWarning, match="allow it more"):
        other.write(other.path("loss", "ab" + NAME), [CONTENT], len(CONTENT))
    assert first.exists()
    with pytest.raises(StoreError, match="cannot remove"):
        other.remove(other.contents().abandoned)
