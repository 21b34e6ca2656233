"""Writing output files: complete or not at all, alone or as a set.

Files are written in a folder ``.unfinished.…`` beside their places, and moved when complete. The
process that works there holds a lock on a file in it, which the system releases when the process
ends in any way. So the next process that writes there can recognise and remove leftovers.

A set cannot be moved in one step. All old files are moved away before the first new one is moved
in, so old and new files are never side by side; the last file of a set is removed first and added
last. A process killed in these milliseconds leaves a folder with missing files and a journal: the
next process that writes there, or `recover`, moves the rest.
"""

import errno
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ankang_coverage.errors import FileError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# In the folder of the files: workplaces, where they are written, and a lock held during moves.
_WORKPLACE, _LOCK = ".unfinished.", ".unfinished.lock"
# In a workplace: the new files, the old ones during replacement, the lock of its process, and
# the journal of moves.
_NEW, _OLD, _OWNER, _JOURNAL, _DRAFT = "new", "old", "owner", "journal", "journal.draft"

_REMEDIES = {
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "; make room, or name another folder"
    ),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS), "; change its rights, or name another folder"
    ),
    errno.ENAMETOOLONG: "; give a shorter name",
}

_PATIENCE_S = 60.0
_DAY_S = 86_400.0
_NOT_THROUGH_LINKS = getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path to write to, and move the file to its place only when it is complete.

    Parameters
    ----------
    path : str or os.PathLike
        The file; an existing one is replaced. Its folder must exist.

    Yields
    ------
    Path
        A path of the same name in a temporary folder beside it. So a name that some formats store,
        such as the layer of a GeoPackage, is right, and other files that a driver leaves beside it
        are removed with the folder.

    Raises
    ------
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder, "plan.csv")) as unfinished:
    ...         _ = unfinished.write_text("site,order")
    ...     Path(folder, "plan.csv").read_text()
    'site,order'
    """
    target = Path(path)
    require_utf8(target)
    try:
        with _workplace(target.parent) as place:
            unfinished = place / _NEW / target.name
            yield unfinished
            _flush(unfinished)
            unfinished.replace(target)
    except OSError as error:
        raise FileError(_cannot_write(target, error)) from error


def write_together(
    folder: str | os.PathLike[str],
    writers: Mapping[str, Callable[[Path], None]],
    *,
    obsolete: Callable[[Path], Collection[str]] = lambda _: (),
) -> None:
    """Write files that belong together, and move them to their places only when all are complete.

    If a file cannot be moved, everything is put back. Several processes that write into one folder
    at the same time move their sets one after the other. A process killed while it moves files, a
    matter of milliseconds, leaves a folder with some files missing, never with files of two sets;
    if the last file of `writers` is there, all are. The next process that writes there moves the
    rest first, as does `recover`.

    Ctrl-C and SIGTERM are delayed until the files have been moved, and their exception then has a
    note that says so; without a note, the folder has not been changed.

    Parameters
    ----------
    folder : str or os.PathLike
        Folder of the files; files of the same names are replaced. It must exist.
    writers : mapping of str to callable
        Function that writes a file to a given path, by the file's name.
    obsolete : callable, optional
        Returns the names of files in the folder to remove when the others are moved in.

    Raises
    ------
    FileError
        If one of the files cannot be written or moved to its place.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "old.csv").write_text("site")
    ...     write_together(folder, {"new.csv": Path.touch}, obsolete=lambda _: ["old.csv"])
    ...     os.listdir(folder)
    ['new.csv']
    """
    home = Path(folder)
    require_utf8(home)
    placed = f"all files were put in place in {home}"
    try:
        _require_no_folders(home, writers)
        with _interrupts(placed) as let_wait, _workplace(home) as place:
            for name, write in writers.items():
                try:
                    write(place / _NEW / name)
                    _flush(place / _NEW / name)
                except OSError as error:
                    raise FileError(_cannot_write(home / name, error)) from error
            with _locked(home):
                _clean(home)
                _require_no_folders(home, writers)
                gone = [name for name in obsolete(home) if name not in writers]
                let_wait()
                _write_journal(place, list(writers), gone)
                _exchange(home, place)
    except OSError as error:
        raise FileError(_cannot_write_into(home, error)) from error


def recover(folder: str | os.PathLike[str]) -> None:
    """Finish the moves of a killed process in a folder, and remove what it left there.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder; nothing happens where it does not exist.

    Raises
    ------
    FileError
        If that is not possible; the old files have been put back.
    """
    home = Path(folder)
    if home.is_dir():
        try:
            with _locked(home):
                _clean(home)
        except OSError as error:
            raise FileError(_cannot_write_into(home, error)) from error


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Write bytes, flush them to disk, and refuse a file that is shorter.

    A C library that writes a file itself may lose the error of its last write.

    Parameters
    ----------
    path : Path
        File to write.
    content : bytes or memoryview
        Its content.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        if os.fstat(file.fileno()).st_size != memoryview(content).nbytes:
            raise OSError(errno.EIO, "it was cut off", str(path))


@contextmanager
def _workplace(home: Path) -> Iterator[Path]:
    """Yield a folder to write in, which is removed at the end unless its files are still needed."""
    with ExitStack() as stack:
        with _locked(home):
            _clean(home)
            place = Path(tempfile.mkdtemp(prefix=_WORKPLACE, dir=home))
            stack.callback(_remove_workplace, place)
            owner = os.open(place / _OWNER, os.O_RDWR | os.O_CREAT, 0o666)
            stack.callback(os.close, owner)
            _lock(owner)
        for part in (_NEW, _OLD):
            (place / part).mkdir()
        yield place


def _remove_workplace(place: Path) -> None:
    if not (place / _JOURNAL).exists():
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Lock a folder against moves by other processes; wait for one that moves files."""
    path, until = home / _LOCK, time.monotonic() + _PATIENCE_S
    while True:
        file = _opened(path)
        if _lock(file) is not False and _is_at(path, file):
            break
        os.close(file)
        if time.monotonic() > until:
            raise FileError(
                f"cannot write into folder {home}: another process has been moving files there "
                f"for {_PATIENCE_S:.0f} s; wait for it, or end it"
            )
        time.sleep(0.002)
    try:
        yield
    finally:
        if sys.platform == "win32":  # an open file cannot be removed there
            os.close(file)
        with suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(file)


def _opened(path: Path) -> int:
    """Open the lock file, which others may have made."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | _NOT_THROUGH_LINKS, 0o666)
    except PermissionError:
        if not path.exists():
            raise
        return os.open(path, os.O_RDONLY | _NOT_THROUGH_LINKS)  # another user's


def _lock(file: int) -> bool | None:
    """Lock an open file; return whether that succeeded, None where locks are not supported."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK) else None
    return True


def _is_at(path: Path, file: int) -> bool:
    """Return whether an open file is still at its path."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def _clean(home: Path) -> None:
    """Do what `recover` does, in a folder that is locked."""
    for place in home.glob(f"{_WORKPLACE}????????"):
        if _is_abandoned(place):
            if (place / _JOURNAL).exists():
                _exchange(home, place)
            shutil.rmtree(place, ignore_errors=True)


def _is_abandoned(place: Path) -> bool:
    """Return whether a folder is a workplace whose process has ended."""
    try:
        if not _is_workplace(place):
            return False
        if not (
            place / _OWNER
        ).exists():  # always made and locked before the folder lock is released
            return True
        owner = os.open(place / _OWNER, os.O_RDWR)
        try:
            is_free = _lock(owner)
        finally:
            os.close(owner)
        return time.time() - place.stat().st_mtime > _DAY_S if is_free is None else is_free
    except OSError:  # another user's
        return False


def _is_workplace(place: Path) -> bool:
    """Return whether a folder holds only the parts of a workplace, and so is not a user's."""
    folders, files = {_NEW, _OLD}, {_OWNER, _JOURNAL, _DRAFT}
    return _is_real_folder(place) and all(
        (path.name in folders and _is_real_folder(path))
        or (path.name in files and path.is_file() and not path.is_symlink())
        for path in place.iterdir()
    )


def _is_real_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _write_journal(place: Path, names: Sequence[str], obsolete: Sequence[str]) -> None:
    """Record what is about to be moved."""
    text = json.dumps({"names": names, "obsolete": obsolete})
    write_bytes(place / _DRAFT, text.encode())
    (place / _DRAFT).replace(place / _JOURNAL)


def _read_journal(place: Path) -> tuple[list[str], list[str]]:
    """Return names to add and to remove; none where the journal is not one of ours."""
    try:
        journal = json.loads((place / _JOURNAL).read_bytes())
        names, obsolete = journal["names"], journal["obsolete"]
        if all(Path(name).name == name for name in (*names, *obsolete)):
            return names, obsolete
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return [], []


def _exchange(home: Path, place: Path) -> None:
    """Move old files aside and new files to their places, from wherever it was stopped.

    All are moved, or none. In between there are some files of one set, never of both.
    """
    names, obsolete = _read_journal(place)
    new, old, name = place / _NEW, place / _OLD, ""
    try:
        if all(_is_file(new / name) for name in names):
            for name in (*reversed(names), *obsolete):
                if _is_file(home / name):
                    (home / name).replace(old / name)
        for name in names:
            if _is_file(new / name):
                (new / name).replace(home / name)
        _flush_folder(home)
    except BaseException as error:
        stuck = _put_back(home, place, names, obsolete)
        if not stuck and not isinstance(error, OSError):
            raise
        fault = _cannot_write(home / name, error) if isinstance(error, OSError) else "interrupted"
        if stuck:
            fault += f"; nor put back what was there before: {', '.join(stuck)} in {old}"
        raise FileError(fault) from error
    (place / _JOURNAL).unlink()


def _put_back(home: Path, place: Path, names: Sequence[str], obsolete: Sequence[str]) -> list[str]:
    """Undo an exchange wherever it stopped; return what could not be put back."""
    new, old, stuck = place / _NEW, place / _OLD, set()
    for name in reversed(names):
        if not (_is_file(new / name) or _is_moved(home / name, new / name)):
            stuck.add(name)
    for name in (*obsolete, *names):
        if _is_file(old / name):
            if _is_moved(old / name, home / name):
                stuck.discard(name)
            else:
                stuck.add(name)
    if not stuck:
        with suppress(OSError):  # otherwise the next run moves the new files in, all of them
            (place / _JOURNAL).unlink()
    return sorted(stuck)


def _is_moved(path: Path, target: Path) -> bool:
    """Move a file; return whether that succeeded."""
    try:
        path.replace(target)
    except OSError:
        return False
    return True


@contextmanager
def _interrupts(note: str) -> Iterator[Callable[[], None]]:
    """Yield a function that delays Ctrl-C and SIGTERM, from its call to the end of the block.

    Their exception at the end of a successful block has the note.
    """
    arrived: list[int] = []
    handlers = {}

    def let_wait() -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (None, signal.SIG_IGN):
                    handlers[number] = signal.signal(
                        number, lambda received, _: arrived.append(received)
                    )

    is_done = False
    try:
        yield let_wait
        is_done = True
    finally:
        try:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            for arrival in arrived:
                signal.raise_signal(arrival)
        except BaseException as stop:
            if is_done:
                stop.add_note(note)
            raise


def _flush(path: Path) -> None:
    """Flush a file to disk, because a full disk may show only then."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Flush a folder's entries to disk."""
    if sys.platform != "win32":
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _require_no_folders(home: Path, names: Collection[str]) -> None:
    for name in names:
        if (home / name).is_dir():
            raise FileError(f"cannot write {home / name}: a folder has that name; move it away")


def require_utf8(path: str | os.PathLike[str]) -> None:
    """Refuse a path that is not UTF-8, because neither GDAL nor a table can hold it.

    Parameters
    ----------
    path : str or os.PathLike
        The path, with Python's surrogates for other bytes.

    Raises
    ------
    FileError
        If it is not UTF-8.
    """
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError as error:
        raise FileError(f"{path} is not UTF-8: give that file or folder another name") from error


def _is_file(path: Path) -> bool:
    return path.is_file() or path.is_symlink()


def require_folder(path: str | os.PathLike[str]) -> None:
    """Refuse a folder that cannot be made or written into, without making it.

    Parameters
    ----------
    path : str or os.PathLike
        The folder, existing or not.

    Raises
    ------
    FileError
        If a file has its name or that of a folder above, or the nearest folder above is not
        writable.
    """
    folder = Path(path)
    try:
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        is_folder = nearest.is_dir()
    except OSError as error:
        raise FileError(_cannot_write_into(folder, error)) from error
    if not is_folder:
        raise FileError(f"cannot make folder {folder}: {nearest} is a file; name another folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise FileError(f"cannot write into folder {nearest}: name another, or change its rights")


def _cannot_write(target: Path, error: OSError) -> str:
    with suppress(OSError):
        if not target.parent.is_dir():
            return f"cannot write {target}: there is no folder {target.parent}; make it first"
    return f"cannot write {target}: {_reason(error)}"


def _cannot_write_into(folder: Path, error: OSError) -> str:
    return f"cannot write into folder {folder}: {_reason(error)}"


def _reason(error: OSError) -> str:
    """Return what is wrong, and the remedy where it is known."""
    remedy = _REMEDIES.get(error.errno or 0, "")
    return f"{error.strerror or error}{remedy}"
