"""Output and exit of a command: plain text, one line for a mistake, and an exit code.

Exit codes: 0 for success; 1 for damaged files found by a check, or for a fault of the program; 2
for a mistake the user can correct; 130 after Ctrl-C and 143 after SIGTERM, as in shells; 141,
without a message, when the reader of the output has closed it, such as ``| head -1``.
"""

import errno
import os
import re
import signal
import sys
import threading
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, TextIO, cast

from ankang_coverage.errors import AnkangCoverageError, FileError
from ankang_coverage.files import require_utf8

TRACEBACK = "ANKANG_COVERAGE_TRACEBACK"
"""Environment variable; ``1`` prints the traceback of an error."""

# Control characters, format characters (which hide or reorder text), surrogates and line
# separators: a terminal acts on these instead of showing them.
_ACTIVE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LAYOUT = frozenset("\n\r\t")
_READER_GONE = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)


class Terminated(BaseException):
    """SIGTERM was received."""


class _ReaderGone(BaseException):
    """The reader of the standard output has closed it."""


INTERRUPTS = (KeyboardInterrupt, Terminated, SystemError)
"""Exceptions of a signal; a compiled function turns them into a SystemError."""


def plain(text: str) -> str:
    r"""Return text as one line without characters that a terminal acts on.

    Parameters
    ----------
    text : str
        Any text, such as a name from a file.

    Returns
    -------
    str
        The text with spaces for line ends, and escapes for characters that cannot be shown.

    Examples
    --------
    >>> plain("\x1b[2J红")
    '\\x1b[2J红'
    """
    lines = re.split(r"[\n\r]+", text)
    if len(lines) > 1:
        text = " ".join(line for line in map(str.strip, lines) if line)
    return _escaped(text, frozenset())


def _escaped(text: str, allowed: frozenset[str]) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _ACTIVE and character not in allowed
        else character
        for character in text
    )


def say(text: str, *, err: bool = False) -> None:
    """Print one line.

    Parameters
    ----------
    text : str
        The line, printed as by `plain`.
    err : bool, default False
        Print to standard error instead of standard output.
    """
    print(plain(text), file=sys.stderr if err else sys.stdout, flush=True)


class _PlainStream:
    """A standard stream that escapes characters a terminal would act on.

    It is for the output of other packages too, and so lets line breaks pass.
    """

    def __init__(self, stream: TextIO, *, is_needed: bool) -> None:
        self._stream = stream
        self._is_needed = is_needed
        self._flaw: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        encoding = self._stream.encoding or "utf-8"
        safe = _escaped(text, _LAYOUT).encode(encoding, "backslashreplace").decode(encoding)
        self._do(lambda: self._stream.write(safe))
        return len(text)

    def flush(self) -> None:
        self._do(self._stream.flush)

    def _do(self, action: Callable[[], object]) -> None:
        """Stop when the output is lost; where only messages are lost, continue."""
        try:
            action()
        except OSError as error:
            self._flaw = error
            with suppress(OSError):  # discards what is left in the buffer
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)
        if self._flaw is not None and self._is_needed:
            if self._flaw.errno in _READER_GONE:
                raise _ReaderGone from self._flaw
            raise FileError(
                f"cannot write to the standard output: {self._flaw.strerror or self._flaw}"
            ) from self._flaw


def main(command: Callable[[], object]) -> NoReturn:
    """Run a command and end the process; any error ends in one line and an exit code.

    Parameters
    ----------
    command : callable
        The command.
    """
    code = attended(command)
    # The interpreter takes a while to end, and a signal then would turn success into failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def attended(command: Callable[[], object]) -> int:
    """Run a command; any error ends in one line.

    Parameters
    ----------
    command : callable
        The command.

    Returns
    -------
    int
        The exit code.
    """
    with _plain_streams(), _terminated_by_signal():
        try:
            for path in (str(Path.cwd()), *sys.argv[1:]):
                require_utf8(path)
            command()
            sys.stdout.flush()
        except BaseException as error:
            return _ended(error)
    return 0


def _ended(error: BaseException) -> int:
    """Print in one line why a command ended, where needed, and return its exit code."""
    chain = list(_chain(error))
    if isinstance(error, AnkangCoverageError):
        message, code = f"error: {error}", 2
    elif any(isinstance(cause, _ReaderGone) for cause in chain):
        return 141
    # Typer turns a signal's exception into an exit, and a compiled function into a SystemError.
    elif any(isinstance(cause, KeyboardInterrupt) for cause in chain):
        message, code = "interrupted", 130
    elif any(isinstance(cause, Terminated) for cause in chain):
        message, code = "terminated", 143
    elif isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0
    elif isinstance(error, MemoryError):
        message, code = f"error: not enough memory: {error}", 2
    elif isinstance(error, OSError):
        where = "" if error.filename is None else f"{error.filename}: "
        message, code = f"error: {where}{error.strerror or error}", 2
    else:
        message, code = (
            (
                f"error: {type(error).__name__}: {error}: a fault of ankang-coverage; set "
                f"{TRACEBACK}=1 to see where, and report it"
            ),
            1,
        )
    if os.environ.get(TRACEBACK) == "1":
        traceback.print_exception(error)
    notes = [note for cause in chain for note in getattr(cause, "__notes__", ())]
    say("; ".join([message, *notes]), err=True)
    return code


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and its causes; a chain may lead back into itself."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def _plain_streams() -> Iterator[None]:
    """Print only plain text to the terminal, and warnings in one line."""
    streams = sys.stdout, sys.stderr
    # No file may get the number of a closed standard stream, because C libraries print there.
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(spare)
    with Path(os.devnull).open("w") as nowhere, warnings.catch_warnings():
        sys.stdout = cast("TextIO", _PlainStream(sys.stdout or nowhere, is_needed=True))
        sys.stderr = cast("TextIO", _PlainStream(sys.stderr or nowhere, is_needed=False))
        warnings.showwarning = _say_warning
        try:
            yield
        finally:
            sys.stdout, sys.stderr = streams


def _say_warning(message: Warning | str, *_: object, **__: object) -> None:
    say(f"warning: {message}", err=True)


@contextmanager
def _terminated_by_signal() -> Iterator[None]:
    """Raise `Terminated` on SIGTERM, which otherwise ends a process without a message."""

    def stop(*_: object) -> None:
        raise Terminated

    is_ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if is_ours:
        signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
