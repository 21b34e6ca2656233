"""What a command says to its user, and how it ends: plain text, one line for a mistake, a code.

Exit codes: 0 when all went well; 1 for damaged files that were looked for, or for a fault of our
own; 2 for what the user can mend; 130 after Ctrl-C and 143 after SIGTERM, as shells have it; 141,
without a word, when whoever reads the output has gone, such as ``| head -1``.
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
"""Environment variable; ``1`` shows where in the code an error arose."""

# Control characters, format characters (which reorder text, or hide), halves of characters, and
# what ends a line: all of these do something to a terminal instead of standing in it.
_ACTIVE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LAYOUT = frozenset("\n\r\t")
_READER_GONE = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)


class Terminated(BaseException):
    """SIGTERM has come."""


class _ReaderGone(BaseException):
    """Nobody reads the standard output any more."""


INTERRUPTS = (KeyboardInterrupt, Terminated, SystemError)
"""What a signal raises; a compiled function makes a SystemError of it."""


def plain(text: str) -> str:
    r"""Return text as one line that a terminal shows and does not obey.

    Parameters
    ----------
    text
        Any text, such as a name from a file.

    Returns
    -------
    str
        The text with spaces for line ends, and escapes for characters that are not shown.

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
    text
        What to say, see `plain`.
    err
        On the standard error instead of the standard output.
    """
    print(plain(text), file=sys.stderr if err else sys.stdout, flush=True)


class _PlainStream:
    """A standard stream through which nothing passes that a terminal would obey.

    It is the last gate, for what other packages print, and so lets them break lines.
    """

    def __init__(self, stream: TextIO, *, is_needed: bool) -> None:
        self._stream = stream
        self._is_needed = is_needed
        self._flaw: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        encoding = self._stream.encoding or "utf-8"
        shown = _escaped(text, _LAYOUT).encode(encoding, "backslashreplace").decode(encoding)
        self._do(lambda: self._stream.write(shown))
        return len(text)

    def flush(self) -> None:
        self._do(self._stream.flush)

    def _do(self, action: Callable[[], object]) -> None:
        """Stop for an output that is lost; where only messages are, the work goes on."""
        try:
            action()
        except OSError as error:
            self._flaw = error
            with suppress(OSError):  # what is left in the buffer goes nowhere, without a word
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
    """Run a command and end the process; whatever happens ends in one line and an exit code.

    Parameters
    ----------
    command
        What to do.
    """
    code = attended(command)
    # All has been said. The interpreter takes a while to end, in which a signal would only turn
    # a finished command into a failed one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def attended(command: Callable[[], object]) -> int:
    """Run a command; whatever happens ends in one line.

    Parameters
    ----------
    command
        What to do.

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
    """Say in one line why a command ended, where that has to be said, and return its exit code."""
    chain = list(_chain(error))
    if isinstance(error, AnkangCoverageError):
        told, code = f"error: {error}", 2
    elif any(isinstance(cause, _ReaderGone) for cause in chain):
        return 141
    # Typer makes an exit of what a signal raises, and a compiled function a SystemError.
    elif any(isinstance(cause, KeyboardInterrupt) for cause in chain):
        told, code = "interrupted", 130
    elif any(isinstance(cause, Terminated) for cause in chain):
        told, code = "terminated", 143
    elif isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0
    elif isinstance(error, MemoryError):
        told, code = f"error: not enough memory: {error}", 2
    elif isinstance(error, OSError):
        where = "" if error.filename is None else f"{error.filename}: "
        told, code = f"error: {where}{error.strerror or error}", 2
    else:
        told, code = (
            (
                f"error: {type(error).__name__}: {error}: a fault of ankang-coverage; set "
                f"{TRACEBACK}=1 to see where, and report it"
            ),
            1,
        )
    if os.environ.get(TRACEBACK) == "1":
        traceback.print_exception(error)
    notes = [note for cause in chain for note in getattr(cause, "__notes__", ())]
    say("; ".join([told, *notes]), err=True)
    return code


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, and what it was raised because of; a chain may lead back into itself."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def _plain_streams() -> Iterator[None]:
    """Let only plain text through to the terminal, and say warnings in one line."""
    streams = sys.stdout, sys.stderr
    # No file may get the number of a standard stream that is closed: libraries in C print there.
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
    """Raise `Terminated` when SIGTERM comes, which else ends a process without a word."""

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
