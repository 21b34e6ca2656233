"""Files that are either whole or absent, and text in whatever encoding it came."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ankang_coverage.errors import FileError

ENCODINGS = ("utf-8-sig", "gb18030")
"""Tried in this order: GB18030 (and so GBK and GB2312) accepts nearly any bytes, UTF-8 does not."""


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


def read_text(path: str | os.PathLike[str]) -> str:
    r"""Read a text file that is UTF-8, with or without a byte order mark, or GB18030.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        Its text without the byte order mark, line ends as they are in the file.

    Raises
    ------
    FileError
        If the file cannot be read or is not text in one of these encodings.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "sites.csv")
    ...     _ = table.write_bytes("站名\n紫阳".encode("gbk"))
    ...     read_text(table)
    '站名\n紫阳'
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise FileError(f"{path} is not text in UTF-8 or GB18030 (GBK): save it again as UTF-8")
