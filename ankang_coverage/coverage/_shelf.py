"""Files that are whole or absent, checked when first read, and together no larger than allowed.

What is in them is `store.py`'s business. Here a file is bytes under a name that says what they
are, followed by a trailer: eight letters and a digest of the name and all bytes before. GDAL and
numpy read what a header tells them to and never look at the end, so a GeoTIFF with a trailer is
still a GeoTIFF; and a file that was cut off, overwritten, damaged or put there by something else
shows it in one pass over its bytes, made once for each file and process.

Several processes may use one folder. They share nothing but the file system: a file appears by a
rename, its time of modification says when it was last used, and the folder is walked again after
each twentieth of its allowed size that a process has written.
"""

import hashlib
import os
import platform
import re
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

_MAGIC = b"ankangc1"
TRAILER_BYTES = len(_MAGIC) + hashlib.sha256().digest_size
_CHUNK_BYTES = 1 << 20

_HOUR, _DAY = 3_600.0, 86_400.0
_STARTED = time.time()
_HOST = platform.node()
_OWN_PART = re.compile(r"[0-9a-f]{2}")
_OWN_NAME = re.compile(r"[0-9a-f]{3,}(?:\.[a-z_]+)?\.(?:tif|npy|json)")
_SUFFIX_WHILE_WRITTEN = ".part"
_OF_THIS_HOST = re.compile(rf"\..+\.{re.escape(_HOST)}\.(\d+)\.[0-9a-f]+\{_SUFFIX_WHILE_WRITTEN}")

Bytes = bytes | memoryview
"""What a file is written from."""


class StoreWarning(UserWarning):
    """A file of the store was damaged and removed, or the store is too small for its use."""


@dataclass(frozen=True)
class Entry:
    """A file on the shelf.

    Attributes
    ----------
    path
        Where it stands.
    n_bytes
        Its size.
    used
        When it was last used, to the hour [s since 1970].
    """

    path: Path
    n_bytes: int
    used: float


class Contents(NamedTuple):
    """What stands on a shelf.

    Attributes
    ----------
    files
        The files, the least recently used first.
    abandoned
        Unfinished files that a process left behind: one of this host that runs no more, or any
        that has not touched them for a day.
    """

    files: list[Entry]
    abandoned: list[Entry]

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

    @property
    def n_damaged(self) -> int:
        """How many files this process has found damaged."""
        return len(self._damaged)

    def path(self, kind: str, name: str) -> Path:
        """Return the place of a file: ``<folder>/<kind>/ab/abcdef….tif``."""
        if not _OWN_NAME.fullmatch(name):
            raise StoreError(f"{name!r} is no name of a file in a store: keys are hexadecimal")
        return self.folder / kind / name[:2] / name

    def has(self, path: Path) -> bool:
        """Return whether a file is there, whole or not; it counts as used."""
        return self._used(path) is not None

    def holds(self, path: Path) -> bool:
        """Return whether a file is there and whole; one that is damaged is removed, and said."""
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
        """
        try:
            with path.open("rb") as file:
                return None if _is_whole(path.name, file.fileno()) else "damaged or cut off"
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(_cannot("read", path, error)) from error

    def write(self, path: Path, parts: Sequence[Bytes], max_bytes: int) -> None:
        """Write a file that appears only when it is complete, and make room where needed."""
        n_bytes = sum(memoryview(part).nbytes for part in parts) + TRAILER_BYTES
        unfinished = path.with_name(
            f".{path.name}.{_HOST}.{os.getpid()}.{token_hex(4)}{_SUFFIX_WHILE_WRITTEN}"
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.writelines(parts)
                file.write(_trailer(path.name, parts))
            state = unfinished.stat()
            unfinished.replace(path)
        except OSError as error:
            raise StoreError(
                f"{_cannot('write', path, error)}; it needs {n_bytes / 1e6:.1f} MB in the store "
                f"{self.folder}. Free space there ('ankang-coverage store prune'), or name another "
                f"folder: --store, or the variable ANKANG_COVERAGE_STORE"
            ) from error
        finally:
            with suppress(OSError):
                unfinished.unlink()
        self._whole[path] = state.st_size, state.st_mtime_ns
        self._take_room(n_bytes, max_bytes)

    def contents(self) -> Contents:
        """Return what stands on the shelf now."""
        whole, abandoned = [], []
        for entry in self._walk():
            if _OWN_NAME.fullmatch(entry.path.name):
                whole.append(entry)
            elif _is_abandoned(entry):
                abandoned.append(entry)
        return Contents(sorted(whole, key=lambda entry: (entry.used, entry.path)), abandoned)

    def remove(self, entries: Iterable[Entry]) -> None:
        """Remove files; one that has gone already is fine."""
        for entry in entries:
            try:
                entry.path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(_cannot("remove", entry.path, error)) from error

    def _used(self, path: Path) -> os.stat_result | None:
        """Return a file's state, and note by its time of modification that it is used."""
        try:
            state = path.stat()
            if time.time() - state.st_mtime > _HOUR:
                with suppress(OSError):  # a store that others keep, or the file has gone
                    os.utime(path)
                state = path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(_cannot("read", path, error)) from error
        return state

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
        self.remove(contents.abandoned)
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
        """Remove the least recently used files, none of this run nor of one beside it."""
        evicted, n_bytes = [], 0
        for entry in entries:
            # Use is noted once an hour, so what this process uses may look an hour older than it.
            if n_bytes >= excess_bytes or entry.used >= _STARTED - _HOUR:
                break
            evicted.append(entry)
            n_bytes += entry.n_bytes
        self.remove(evicted)
        return n_bytes

    def _walk(self) -> Iterator[Entry]:
        for kind in KINDS:
            for part in _listed(self.folder / kind):
                for path in _listed(part) if _OWN_PART.fullmatch(part.name) else ():
                    with suppress(FileNotFoundError):  # removed by another process
                        state = path.stat()
                        yield Entry(path, state.st_size, state.st_mtime)


_shelves: dict[Path, Shelf] = {}
_shelves_lock = Lock()


def shelf_of(folder: Path) -> Shelf:
    """Return what this process knows of a folder, the same for every caller."""
    with _shelves_lock:
        return _shelves.setdefault(folder, Shelf(folder))


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(_cannot("list", folder, error)) from error


def _trailer(name: str, parts: Iterable[Bytes]) -> bytes:
    digest = hashlib.sha256(name.encode())  # the name too: a file renamed is another file
    for part in parts:
        digest.update(part)
    return _MAGIC + digest.digest()


def _is_whole(name: str, file: int) -> bool:
    """Return whether an open file of this name ends in the trailer its bytes call for."""
    left = os.fstat(file).st_size - TRAILER_BYTES
    digest = hashlib.sha256(name.encode())
    while left > 0 and (chunk := os.read(file, min(left, _CHUNK_BYTES))):
        digest.update(chunk)
        left -= len(chunk)
    return left == 0 and os.read(file, TRAILER_BYTES) == _MAGIC + digest.digest()


def _is_abandoned(entry: Entry) -> bool:
    if not entry.path.name.endswith(_SUFFIX_WHILE_WRITTEN):
        return False
    if time.time() - entry.used > _DAY:
        return True
    made_here = _OF_THIS_HOST.fullmatch(entry.path.name)
    return made_here is not None and not _is_running(int(made_here[1]))


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
