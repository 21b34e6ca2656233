"""Output files that are whole or absent, alone or as a set."""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ankang_coverage.errors import FileError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write to, and put the file in its place only when it is complete.

    Parameters
    ----------
    path
        Where the file shall stand; a file already there is replaced. Its folder must exist.

    Yields
    ------
    Path
        A path of the same name in a temporary folder beside it: a name some formats store, such
        as the layer of a GeoPackage, stays the same, and what a driver leaves next to the file
        goes away with the folder.

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
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise FileError(_cannot_write(target, error)) from error
    try:
        yield folder / target.name
        (folder / target.name).replace(target)
    except OSError as error:
        raise FileError(_cannot_write(target, error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_together(
    folder: str | os.PathLike[str],
    writers: Mapping[str, Callable[[Path], None]],
    *,
    obsolete: Collection[str] = (),
) -> None:
    """Write files that belong together, and put them in their places only when all are complete.

    What cannot be put in its place puts everything back as it was. Only a process that is killed
    between two renames leaves a mixed set, with the earlier files in a folder ``.unfinished.…``.

    Parameters
    ----------
    folder
        Where the files shall stand; files of the same names are replaced. It must exist.
    writers
        What writes a file to the path it is given, by the file's name.
    obsolete
        Names of files that go away when the others are in place, where they are there.

    Raises
    ------
    FileError
        If one of the files cannot be written or put in its place.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "old.csv").write_text("site")
    ...     write_together(folder, {"new.csv": Path.touch}, obsolete=["old.csv"])
    ...     os.listdir(folder)
    ['new.csv']
    """
    home = Path(folder)
    _require_no_folders(home, writers)
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished.", dir=home))
    except OSError as error:
        raise FileError(f"cannot write into folder {home}: {error.strerror or error}") from error
    new, old = unfinished / "new", unfinished / "old"
    try:
        for part in (new, old):
            part.mkdir()
        for name, write in writers.items():
            try:
                write(new / name)
            except OSError as error:
                raise FileError(_cannot_write(home / name, error)) from error
        _require_no_folders(home, writers)
        _exchange(home, new, old, list(writers), [n for n in obsolete if n not in writers])
        shutil.rmtree(old, ignore_errors=True)
    finally:
        if not old.is_dir() or not any(old.iterdir()):  # else it holds all there is of the old
            shutil.rmtree(unfinished, ignore_errors=True)


def _require_no_folders(home: Path, names: Collection[str]) -> None:
    for name in names:
        if (home / name).is_dir():
            raise FileError(f"cannot write {home / name}: a folder has that name; move it away")


def _exchange(
    home: Path, new: Path, old: Path, names: Sequence[str], obsolete: Sequence[str]
) -> None:
    """Put new files in their places and what stood there aside: all of them, or none."""
    name = ""
    try:
        for name in (*names, *obsolete):
            if _is_file(home / name):
                (home / name).replace(old / name)
            if name in names:
                (new / name).replace(home / name)
    except BaseException as error:
        stuck = _put_back(home, new, old, names, obsolete)
        if not stuck and not isinstance(error, OSError):
            raise
        told = _cannot_write(home / name, error) if isinstance(error, OSError) else "interrupted"
        if stuck:
            told += f"; nor put back what was there before: {', '.join(stuck)} in {old}"
        raise FileError(told) from error


def _put_back(
    home: Path, new: Path, old: Path, names: Sequence[str], obsolete: Sequence[str]
) -> list[str]:
    """Undo an exchange wherever it stopped; return what could not be put back."""
    stuck = []
    for name in (*names, *obsolete):
        try:
            if _is_file(old / name):
                (old / name).replace(home / name)
            elif name in names and not _is_file(new / name):
                (home / name).unlink()
        except OSError:
            stuck.append(name)
    return stuck


def _is_file(path: Path) -> bool:
    return path.is_file() or path.is_symlink()


def require_folder(path: str | os.PathLike[str]) -> None:
    """Refuse a folder that cannot be made or written into, without making it.

    Parameters
    ----------
    path
        The folder, there already or not.

    Raises
    ------
    FileError
        If a file stands in its place or above it, or the nearest folder above is not writable.
    """
    folder = Path(path)
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise FileError(f"cannot make folder {folder}: {nearest} is a file; name another folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise FileError(f"cannot write into folder {nearest}: name another, or change its rights")


def _cannot_write(target: Path, error: OSError) -> str:
    if not target.parent.is_dir():
        return f"cannot write {target}: there is no folder {target.parent}; make it first"
    return f"cannot write {target}: {error.strerror or error}"
