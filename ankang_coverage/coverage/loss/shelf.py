"""Files that are whole or absent, checked when first read, and together no larger than allowed.

`store.py` knows what is in them. Here a file is bytes under a name, followed by a trailer: eight
letters and a digest of the name and all bytes before. GDAL and numpy read as much as the header
says and ignore the end, so a GeoTIFF with a trailer is still a GeoTIFF. A file that was cut off,
overwritten, damaged or put there by another program is found by one pass over its bytes, made once
for each file and process.

Several processes may use one folder. They share nothing but the file system: a file is written in
the folder `UNFINISHED` of its kind and appears by a rename, its time of modification says when it
was last used, and the folder is walked again after each twentieth of its allowed size that a
process has written. When a process first uses the folder, it removes what killed processes left
unfinished.

Something else in the place of a file or folder does not stop a run: if it can hold nothing it is
removed, otherwise it is set aside under another name, and a warning says so.
"""

import errno
import hashlib
import os
import platform
import re
import stat
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import NamedTuple

from ankang_coverage.errors import StoreError

KINDS = ("loss", "tiles", "ground")
"""Folders of the store; nothing outside them is ever touched."""
UNFINISHED = "unfinished"
"""Folder in each of them for files that are being written."""

_MAGIC = b"ankangc1"
TRAILER_BYTES = len(_MAGIC) + hashlib.sha256().digest_size
_CHUNK_BYTES = 1 << 20

_HOUR, _DAY = 3_600.0, 86_400.0
_STARTED = time.time()
_HOST = platform.node()
_OWN_PART = re.compile(r"[0-9a-f]{2}")
_OWN_NAME = re.compile(r"[0-9a-f]{3,}(?:\.[a-z_]+)?\.(?:tif|npy|json)")
_SUFFIX_WHILE_WRITTEN = ".part"
_TOKEN = token_hex(4)
"""Distinguishes unfinished files of this process from those of an earlier one of its number."""
# In 0.1 unfinished files stood beside the finished ones, with a dot before their names.
_OF_THIS_HOST = re.compile(
    rf"\.?.+\.{re.escape(_HOST)}\.(\d+)\.([0-9a-f]+)\{_SUFFIX_WHILE_WRITTEN}"
)

_UNREADABLE = {errno.EACCES, errno.EPERM, errno.EIO, errno.ELOOP, errno.ENXIO}
"""Errors that one file is to blame for, not the disk or the machine."""
_NO_FOLDER = {errno.ENOTDIR, errno.ELOOP}
_READ_ONLY = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")
)
"""How a file is opened: not waiting for the writer of a pipe, and not following a link."""
_WORDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}

Bytes = bytes | memoryview
"""What a file is written from."""


class StoreWarning(UserWarning):
    """A file was damaged, something stood in the place of one, or the store is too small."""


@dataclass(frozen=True)
class Entry:
    """A file on the shelf.

    Attributes
    ----------
    path : pathlib.Path
        Where it stands.
    n_bytes : int
        Its size.
    used : float
        When it was last used, to the hour [s since 1970].
    """

    path: Path
    n_bytes: int
    used: float


class Contents(NamedTuple):
    """What stands on a shelf.

    Attributes
    ----------
    files : list of Entry
        The files, the least recently used first.
    abandoned : list of Entry
        Unfinished files that a process left behind: one of this host that runs no more, or any
        that has not touched them for a day.
    in_the_way : list of pathlib.Path
        What stands in the place of a file or folder and is none.
    """

    files: list[Entry]
    abandoned: list[Entry]
    in_the_way: list[Path]

    @property
    def n_bytes(self) -> int:
        """Size of the files together."""
        return sum(entry.n_bytes for entry in self.files)


class Shelf:
    """The files of one folder as one process knows them; made by `shelf_of`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        self._whole: dict[Path, tuple[int, int]] = {}
        self._damaged: set[Path] = set()
        self._room_bytes = 0
        self._said_too_small = False
        self._is_tidy = False

    @property
    def n_damaged(self) -> int:
        """How many files this process has found damaged."""
        return len(self._damaged)

    def path(self, kind: str, name: str) -> Path:
        """Return the place of a file: ``<folder>/<kind>/ab/abcdef….tif``.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        name : str
            Name of the file.

        Returns
        -------
        pathlib.Path
            The place.
        """
        if not _OWN_NAME.fullmatch(name):
            raise StoreError(f"{name!r} is no name of a file in a store: keys are hexadecimal")
        return self.folder / kind / name[:2] / name

    def has(self, path: Path) -> bool:
        """Return whether a file is there, whole or not; it counts as used.

        Parameters
        ----------
        path : pathlib.Path
            Place of the file.

        Returns
        -------
        bool
            Whether it is there.
        """
        return self._used(path) is not None

    def holds(self, path: Path) -> bool:
        """Return whether a file is there and whole; a damaged file is removed, with a warning.

        Parameters
        ----------
        path : pathlib.Path
            Place of the file.

        Returns
        -------
        bool
            Whether it is there and whole.
        """
        found = self._used(path)
        if found is None:
            return False
        state = found.st_size, found.st_mtime_ns
        if self._whole.get(path) == state:
            return True
        flaw = self.flaw(path)
        if flaw is None:
            self._whole[path] = state
            return True
        self._discard(path, flaw)
        return False

    def flaw(self, path: Path) -> str | None:
        """Return what is wrong with a file's bytes, None where nothing is.

        A file that has gone meanwhile is not there, and so without a flaw.

        Parameters
        ----------
        path : pathlib.Path
            Place of the file.

        Returns
        -------
        str or None
            The fault.
        """
        try:
            file = os.open(path, _READ_ONLY)
            try:
                return None if _is_whole(path.name, file) else "damaged or cut off"
            finally:
                os.close(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in _UNREADABLE:
                return f"unreadable ({error.strerror})"
            raise StoreError(_cannot("read", path, error)) from error

    def write(self, path: Path, parts: Sequence[Bytes], max_bytes: int) -> None:
        """Write a file that appears only when it is complete, and make room where needed.

        Parameters
        ----------
        path : pathlib.Path
            Place of the file.
        parts : sequence of bytes
            What to write, in order.
        max_bytes : int
            What all files may take together [bytes].
        """
        self._tidy()
        n_bytes = sum(memoryview(part).nbytes for part in parts) + TRAILER_BYTES
        try:
            try:
                state = self._put(path, parts)
            except OSError as error:
                # The folder, or what was being written in it, may have been removed by somebody.
                if not (self._make_way(path) or isinstance(error, FileNotFoundError)):
                    raise
                state = self._put(path, parts)
        except OSError as error:
            raise StoreError(
                f"{_cannot('write', path, error)}; it needs {n_bytes / 1e6:.1f} MB in the store "
                f"{self.folder}. Free space there ('ankang-coverage store prune'), or name another "
                f"folder: --store, or the variable ANKANG_COVERAGE_STORE"
            ) from error
        self._whole[path] = state.st_size, state.st_mtime_ns
        self._take_room(n_bytes, max_bytes)

    def write_note(self, text: str) -> Path:
        """Write a short text for other processes to see.

        Parameters
        ----------
        text : str
            ASCII text.

        Returns
        -------
        pathlib.Path
            Where it is.
        """
        note = self._unfinished(KINDS[0], "note")
        try:
            self._make_way(note)
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(text, "ascii")
        except OSError as error:
            raise StoreError(_cannot("write", note, error)) from error
        return note

    def contents(self) -> Contents:
        """Return what stands on the shelf now.

        Returns
        -------
        Contents
            The files, and what is in their way.
        """
        if _is_no_folder(self.folder):
            raise StoreError(f"cannot list {self.folder}: it is no folder")
        kinds = [self.folder / kind for kind in KINDS]
        parts = [part for kind in kinds for part in _listed(kind) if _is_own_folder(part)]
        contents = Contents([], [], [place for place in (*kinds, *parts) if _is_no_folder(place)])
        for path, state in _standing(parts):
            entry = Entry(path, state.st_size, state.st_mtime)
            if not _OWN_NAME.fullmatch(path.name):
                if stat.S_ISREG(state.st_mode) and _is_abandoned(entry):
                    contents.abandoned.append(entry)
            elif stat.S_ISREG(state.st_mode):
                contents.files.append(entry)
            else:
                contents.in_the_way.append(path)
        contents.files.sort(key=lambda entry: (entry.used, entry.path))
        return contents

    def clear(self, place: Path) -> bool:
        """Clear the place of a file or folder of something else, with a warning.

        A link is removed, never what it leads to. What may be somebody's work, a file or a folder
        that is not empty, is set aside.

        Parameters
        ----------
        place : pathlib.Path
            Place of a file or folder of the store.

        Returns
        -------
        bool
            Whether the place is free now.
        """
        try:
            mode = place.lstat().st_mode
            done = _taken_away(place, mode)
        except OSError:
            return False
        warnings.warn(
            f"{place} was {_WORDS.get(stat.S_IFMT(mode), 'a device')}, where the store has its "
            f"own: {done}",
            StoreWarning,
            stacklevel=5,
        )
        return True

    def remove(self, entries: Iterable[Entry]) -> None:
        """Remove files; one that has gone already is fine.

        Parameters
        ----------
        entries : iterable of Entry
            The files.
        """
        for entry in entries:
            try:
                entry.path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(_cannot("remove", entry.path, error)) from error

    def _unfinished(self, kind: str, name: str) -> Path:
        """Return where to write what is to have a name; the end of it says who writes."""
        writer = f"{_HOST}.{os.getpid()}.{_TOKEN}{token_hex(4)}"
        return self.folder / kind / UNFINISHED / f"{name}.{writer}{_SUFFIX_WHILE_WRITTEN}"

    def _put(self, path: Path, parts: Sequence[Bytes]) -> os.stat_result:
        """Write a file where nobody looks for it, and put it in its place."""
        unfinished = self._unfinished(path.parents[1].name, path.name)
        for folder in (unfinished.parent, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("xb") as file:
                file.writelines(parts)
                file.write(_trailer(path.name, parts))
            state = unfinished.stat()
            unfinished.replace(path)
        finally:
            with suppress(OSError):
                unfinished.unlink()
        return state

    def _make_way(self, path: Path) -> bool:
        """Clear the place of a file and those of its folders; return whether one was not free."""
        folders = path.parents[1], path.parents[1] / UNFINISHED, path.parent
        taken = [folder for folder in folders if _is_no_folder(folder)]
        if not taken and path.is_dir():  # anything else is replaced by the file
            taken.append(path)
        cleared = [self.clear(place) for place in taken]
        return any(cleared)

    def _used(self, path: Path) -> os.stat_result | None:
        """Return a file's state, and note by its time of modification that it is used."""
        self._tidy()
        try:
            state = path.lstat()
            if not stat.S_ISREG(state.st_mode):
                self.clear(path)
                return None
            if time.time() - state.st_mtime > _HOUR:
                with suppress(OSError):  # a store that others keep, or the file has gone
                    os.utime(path)
                state = path.lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in _NO_FOLDER and not _is_no_folder(self.folder):  # one within it is
                return None
            raise StoreError(_cannot("read", path, error)) from error
        return state

    def _tidy(self) -> None:
        """Remove what killed runs left unfinished, once in the life of a process."""
        if self._is_tidy:
            return
        self._is_tidy = True
        with suppress(StoreError):  # which whoever uses the store will come upon
            for path, state in _standing(self.folder / kind / UNFINISHED for kind in KINDS):
                entry = Entry(path, state.st_size, state.st_mtime)
                if stat.S_ISREG(state.st_mode) and _is_abandoned(entry):
                    _removed(entry)

    def _discard(self, path: Path, flaw: str) -> None:
        with suppress(OSError):  # a store that others keep: what is damaged is not read
            path.unlink(missing_ok=True)
        with self._lock:
            is_news = path not in self._damaged
            self._damaged.add(path)
        if is_news:
            warnings.warn(
                f"{path} is {flaw}: removed, to be computed again", StoreWarning, stacklevel=5
            )

    def _take_room(self, n_bytes: int, max_bytes: int) -> None:
        """Keep the total bounded without walking the folder for each file."""
        with self._lock:
            self._room_bytes -= n_bytes
            if self._room_bytes < 0:
                self._room_bytes = self._make_room(max_bytes)

    def _make_room(self, max_bytes: int) -> int:
        """Evict if there is too much, and return how much may be written until the next look."""
        contents = self.contents()
        for entry in contents.abandoned:
            _removed(entry)
        total = contents.n_bytes
        if total > max_bytes:
            total -= self._evict(contents.files, total - (max_bytes - max_bytes // 10))
        if total > max_bytes and not self._said_too_small:
            self._said_too_small = True
            warnings.warn(
                f"the store {self.folder} may hold {max_bytes / 1e9:.3g} GB, but what was used "
                f"since an hour before this run began is {total / 1e9:.3g} GB and is kept: allow "
                f"it more, or expect it to grow",
                StoreWarning,
                stacklevel=6,
            )
        step = max_bytes // 20
        return step if total > max_bytes else min(step, max_bytes - total)

    def _evict(self, entries: Iterable[Entry], excess_bytes: int) -> int:
        """Remove the least recently used files, but none of this run or of another under way."""
        n_bytes = 0
        for entry in entries:
            # Use is noted once an hour, so what this process uses may look an hour older than it.
            if n_bytes >= excess_bytes or entry.used >= _STARTED - _HOUR:
                break
            if _removed(entry):
                n_bytes += entry.n_bytes
        return n_bytes


# The one thing that a process keeps of its own here, and it has to: an executor sends a copy of a
# store with every unit of work, and each copy would check every file again and walk the folder
# before it writes. Nothing in it outlives what it is about: a file is known by size and time.
_shelves: dict[Path, Shelf] = {}
_shelves_lock = Lock()


def shelf_of(folder: Path) -> Shelf:
    """Return what this process knows of a folder.

    Parameters
    ----------
    folder : Path
        The folder of a store.

    Returns
    -------
    Shelf
        The same for every store of this folder, and for copies that came from other processes.
    """
    with _shelves_lock:
        return _shelves.setdefault(folder, Shelf(folder))


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        if error.errno in _NO_FOLDER:
            return []
        raise StoreError(_cannot("list", folder, error)) from error


def _standing(folders: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield what stands in some folders, and its state; links are not followed."""
    for path in (path for folder in folders for path in _listed(folder)):
        try:
            state = path.lstat()
        except FileNotFoundError:  # removed by another process
            continue
        except OSError as error:
            raise StoreError(_cannot("read", path, error)) from error
        yield path, state


def _removed(entry: Entry) -> bool:
    """Remove a file, and return whether it has gone: others may keep what is theirs."""
    try:
        entry.path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _is_own_folder(path: Path) -> bool:
    return path.name == UNFINISHED or _OWN_PART.fullmatch(path.name) is not None


def _is_no_folder(place: Path) -> bool:
    # Unlike those of Path, these answer no where rights are missing.
    return os.path.lexists(place) and not os.path.isdir(place)  # noqa: PTH112


def _taken_away(place: Path, mode: int) -> str:
    """Remove what can hold nothing, and set anything else aside; return which was done."""
    with suppress(OSError):  # of a folder: that it is not empty
        if stat.S_ISDIR(mode):
            place.rmdir()
            return "removed"
        if not stat.S_ISREG(mode):
            place.unlink()
            return "removed"
    aside = place.with_name(f"{place.name}.in-the-way.{token_hex(4)}")
    place.rename(aside)
    return f"set aside as {aside.name}"


def _trailer(name: str, parts: Iterable[Bytes]) -> bytes:
    digest = hashlib.sha256(name.encode())  # the name too: a file renamed is another file
    for part in parts:
        digest.update(part)
    return _MAGIC + digest.digest()


def _is_whole(name: str, file: int) -> bool:
    """Return whether an open file of this name ends in the trailer its bytes call for."""
    state = os.fstat(file)
    left = state.st_size - TRAILER_BYTES
    if left < 0 or not stat.S_ISREG(state.st_mode):
        return False
    os.lseek(file, left, os.SEEK_SET)
    trailer = os.read(file, TRAILER_BYTES)
    if not trailer.startswith(_MAGIC):  # found at once, however large the file
        return False
    os.lseek(file, 0, os.SEEK_SET)
    digest = hashlib.sha256(name.encode())
    while left > 0 and (chunk := os.read(file, min(left, _CHUNK_BYTES))):
        digest.update(chunk)
        left -= len(chunk)
    return left == 0 and trailer == _MAGIC + digest.digest()


def _is_abandoned(entry: Entry) -> bool:
    if not entry.path.name.endswith(_SUFFIX_WHILE_WRITTEN):
        return False
    if time.time() - entry.used > _DAY:
        return True
    made_here = _OF_THIS_HOST.fullmatch(entry.path.name)
    if made_here is None:
        return False
    process, token = int(made_here[1]), made_here[2]
    return not (token.startswith(_TOKEN) if process == os.getpid() else _is_running(process))


def _is_running(process: int) -> bool:
    if sys.platform == "win32":  # where signal 0 is not a question; the day decides
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _cannot(verb: str, path: Path, error: OSError) -> str:
    return f"cannot {verb} {path}: {error.strerror or error}"
