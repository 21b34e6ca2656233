"""Input files: only regular files are opened, and only within their limits.

Every reader of the library starts here, and calls other libraries on a file only inside `reading`,
which turns any of their exceptions into one sentence.
"""

import codecs
import io
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ankang_coverage.errors import (
    AnkangCoverageError,
    ArgumentTypeError,
    FileError,
    MissingFileError,
)
from ankang_coverage.limits import require_within

ENCODINGS = ("utf-8-sig", "gb18030")
"""Tried in this order: GB18030 (and so GBK and GB2312) accepts nearly any bytes, UTF-8 does not."""
LONGEST_MESSAGE = 300
"""Most characters of another library's message in one of ours."""
LONGEST_VALUE = 60
"""Most characters of a file's value or name in a message."""
MOST_NAMES = 40
"""Most names of a file's columns, sheets or keys in a message."""
_CHUNK_BYTES = 1_000_000


def require_file(path: str | os.PathLike[str], limit: str | None = None) -> Path:
    """Refuse a path that is not a readable file: a folder, a device, a pipe, or nothing.

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
        If there is no such file, it is not a regular file, or it is not readable.
    LimitError
        If it is larger than allowed.
    """
    file, name = Path(path), printable(str(path))
    try:
        state = file.stat()
    except FileNotFoundError as error:
        raise MissingFileError(f"cannot read {name}: there is no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise FileError(f"cannot read {name}: {said(error)}") from error
    if stat.S_ISDIR(state.st_mode):
        raise FileError(f"cannot read {name}: it is a folder; name a file in it")
    if not stat.S_ISREG(state.st_mode):
        raise FileError(f"cannot read {name}: it is a device or a pipe; name a file")
    if not os.access(file, os.R_OK):
        raise FileError(f"cannot read {name}: you may not; change its rights")
    if limit is not None:
        require_within(limit, state.st_size, f"{name} has too many bytes")
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
    return open_text(path, limit).read()


def open_text(path: str | os.PathLike[str], limit: str = "text_bytes") -> io.TextIOWrapper:
    """Open a text file that is UTF-8, with or without a byte order mark, or GB18030.

    The whole text can need four times the memory of its bytes; read line by line it needs less.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    limit : str
        Name of the limit of its size, a field of `Limits`.

    Returns
    -------
    io.TextIOWrapper
        Its text, line ends as they are in the file.

    Raises
    ------
    FileError
        If the file cannot be read or is not text in one of these encodings.
    LimitError
        If it is larger than allowed.
    """
    content = read_bytes(path, limit)
    for encoding in ENCODINGS:
        if b"\0" not in content and _is_text(content, encoding):
            return io.TextIOWrapper(io.BytesIO(content), encoding, newline="")
    raise FileError(
        f"{printable(str(path))} is not text in UTF-8 or GB18030 (GBK): save it again as UTF-8"
    )


def _is_text(content: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _CHUNK_BYTES):
            decoder.decode(content[start : start + _CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def reading(
    path: str | os.PathLike[str],
    what: str,
    remedy: str,
    kind: type[AnkangCoverageError] = FileError,
) -> Iterator[None]:
    """Turn any exception of another library about a file into one sentence.

    A damaged file can raise nearly anything, so every exception here is taken as a fault of the
    file. Put only calls of the other library inside.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    what : str
        Kind of file, such as ``a raster``.
    remedy : str
        What to do about it, such as ``export it again``.
    kind : type
        The error to raise.

    Yields
    ------
    None

    Raises
    ------
    AnkangCoverageError
        Of the given kind; one of our own passes unchanged.

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
        name = printable(str(path))
        raise kind(f"cannot read {name} as {what} ({said(error)}): {remedy}") from error


def said(error: BaseException) -> str:
    """Return the message of an exception, in one line that is not too long.

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
    return printable(" ".join(words.split()), LONGEST_MESSAGE) or type(error).__name__


def quoted(text: str) -> str:
    r"""Return a text from a file for a message: quoted, escaped and short.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    str
        The text in quotation marks, without characters that a terminal acts on.

    Examples
    --------
    >>> print(quoted("紫阳"), quoted("a" * 100)[-5:], quoted("\x1b[2J"))
    '紫阳' aaa…' '\x1b[2J'
    """
    return repr(shortened(text, LONGEST_VALUE))


def listed(names: Iterable[object]) -> str:
    """Return names from a file for a message: escaped, short and not too many.

    Parameters
    ----------
    names : iterable
        Headers, sheets, keys.

    Returns
    -------
    str
        The names, separated by commas.

    Examples
    --------
    >>> listed(["lon", "lat"])
    'lon, lat'
    """
    known = [printable(str(name), LONGEST_VALUE) for name in names]
    more = len(known) - MOST_NAMES
    return ", ".join(known[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def printable(text: str, most: int | None = None) -> str:
    r"""Return a text in one line, without characters that a terminal acts on.

    Parameters
    ----------
    text : str
        The text.
    most : int, optional
        Characters to keep; all when omitted.

    Returns
    -------
    str
        The text, with characters other than letters, signs and blanks escaped.

    Examples
    --------
    >>> printable("a\nb"), printable("abc", 2)
    ('a\\nb', 'ab…')
    """
    short = text if most is None else shortened(text, most)
    if short.isprintable():
        return short
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in short
    )


def shortened(text: str, most: int) -> str:
    """Return the beginning of a text, and an ellipsis where there is more.

    Parameters
    ----------
    text : str
        The text.
    most : int
        Characters to keep.

    Returns
    -------
    str
        The text, or its beginning.
    """
    return text if len(text) <= most else f"{text[:most]}…"


def require_type(value: object, wanted: type | tuple[type, ...], name: str, of: str) -> None:
    """Refuse an argument of the wrong type, such as one of two swapped ones.

    Parameters
    ----------
    value : object
        The argument.
    wanted : type or tuple of type
        The type it must have.
    name : str
        Name of the argument.
    of : str
        The call to make, with the arguments in order, for the message.

    Raises
    ------
    ArgumentTypeError
        If it has another type.

    Examples
    --------
    >>> require_type(3, str, "path", "read(path)")
    Traceback (most recent call last):
    ...
    ankang_coverage.errors.ArgumentTypeError: path must be a str, not an int: read(path)
    """
    if not isinstance(value, wanted):
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        names = " or ".join(f"{_article(kind.__name__)} {kind.__name__}" for kind in kinds)
        given = type(value).__name__
        raise ArgumentTypeError(f"{name} must be {names}, not {_article(given)} {given}: {of}")


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiouAEIO" else "a"
