"""Input files: opened only where they are files, and read only as far as their limit.

Every reader of the library begins here, and lets libraries of others look into a file only inside
`reading`, which makes one sentence of whatever they raise.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ankang_coverage.errors import AnkangCoverageError, FileError
from ankang_coverage.limits import require_within

ENCODINGS = ("utf-8-sig", "gb18030")
"""Tried in this order: GB18030 (and so GBK and GB2312) accepts nearly any bytes, UTF-8 does not."""
LONGEST_MESSAGE = 300
"""Characters of another library's message that a sentence of ours takes in."""


def require_file(path: str | os.PathLike[str], limit: str | None = None) -> Path:
    """Refuse what is no file that can be read: a folder, a device, a pipe, nothing at all.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    limit : str, optional
        Name of the limit of its size, a field of `Limits`.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    FileError
        If there is no such file, it is no regular file, or it may not be read.
    LimitError
        If it is larger than allowed.
    """
    file = Path(path)
    try:
        state = file.stat()
    except FileNotFoundError as error:
        raise FileError(f"cannot read {file}: there is no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise FileError(f"cannot read {file}: {said(error)}") from error
    if stat.S_ISDIR(state.st_mode):
        raise FileError(f"cannot read {file}: it is a folder; name a file in it")
    if not stat.S_ISREG(state.st_mode):
        raise FileError(f"cannot read {file}: it is a device or a pipe; name a file")
    if not os.access(file, os.R_OK):
        raise FileError(f"cannot read {file}: you may not; change its rights")
    if limit is not None:
        require_within(limit, state.st_size, f"{file} has too many bytes")
    return file


def read_bytes(path: str | os.PathLike[str], limit: str) -> bytes:
    """Read a file that is no larger than allowed.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    limit : str
        Name of the limit of its size, a field of `Limits`.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    FileError
        If the file cannot be read.
    LimitError
        If it is larger than allowed.
    """
    file = require_file(path, limit)
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {file}: {said(error)}") from error


def read_text(path: str | os.PathLike[str], limit: str = "text_bytes") -> str:
    r"""Read a text file that is UTF-8, with or without a byte order mark, or GB18030.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    limit : str
        Name of the limit of its size, a field of `Limits`.

    Returns
    -------
    str
        Its text without the byte order mark, line ends as they are in the file.

    Raises
    ------
    FileError
        If the file cannot be read or is not text in one of these encodings.
    LimitError
        If it is larger than allowed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "sites.csv")
    ...     _ = table.write_bytes("站名\n紫阳".encode("gbk"))
    ...     read_text(table)
    '站名\n紫阳'
    """
    content = read_bytes(path, limit)
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise FileError(f"{path} is not text in UTF-8 or GB18030 (GBK): save it again as UTF-8")


@contextmanager
def reading(
    path: str | os.PathLike[str],
    what: str,
    remedy: str,
    kind: type[AnkangCoverageError] = FileError,
) -> Iterator[None]:
    """Make one sentence of whatever another library raises about a file.

    A damaged file raises nearly anything, for its bytes decide how far a library gets: so every
    exception counts as the file's fault here. Put nothing but the other library's calls inside.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    what : str
        What it is read as, such as ``a raster``.
    remedy : str
        What to do about it, such as ``export it again``.
    kind : type
        The error to raise.

    Raises
    ------
    AnkangCoverageError
        Of the kind asked for; one of ours passes through as it is.

    Examples
    --------
    >>> with reading("a.xlsx", "a workbook", "save it again"):
    ...     raise KeyError("styles")
    Traceback (most recent call last):
    ankang_coverage.errors.FileError: cannot read a.xlsx as a workbook ('styles'): save it again
    """
    try:
        yield
    except AnkangCoverageError:
        raise
    except Exception as error:
        raise kind(f"cannot read {path} as {what} ({said(error)}): {remedy}") from error


def said(error: BaseException) -> str:
    """Return what an exception says, in one line that is not too long.

    Parameters
    ----------
    error : BaseException
        The exception.

    Returns
    -------
    str
        Its message; its kind where it has none.

    Examples
    --------
    >>> said(MemoryError())
    'MemoryError'
    """
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    line = " ".join(words.split()) or type(error).__name__
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]}…"
