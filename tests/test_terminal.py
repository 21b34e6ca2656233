"""What reaches a terminal is plain text, and whatever happens ends in one line and a code."""

import errno
import os
import signal
import subprocess
import sys
import warnings

import pytest
import typer

from ankang_coverage.errors import FileError
from ankang_coverage.terminal import TRACEBACK, Terminated, attended, plain, say

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and devices of POSIX")

EVIL = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u2066\u200f\u2028\udcff\0\x7f紫阳\u3000é😀"
HARMLESS = r"\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u2066\u200f\u2028\udcff\x00\x7f紫阳" + "\u3000é😀"


@pytest.fixture(autouse=True)
def _no_arguments(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ankang-coverage"])


def raising(error):
    def command():
        raise error

    return command


def ended(error, capsys):
    code = attended(raising(error))
    return code, capsys.readouterr().err


def test_text_is_shown_and_not_obeyed():
    assert plain(EVIL) == HARMLESS


def test_text_is_one_line():
    assert plain("no such\n  thing:\r\n\tname") == "no such thing: name"


def test_what_is_said_is_plain_on_both_streams(capsys):
    say(f"{EVIL}\nerror: forged")
    say(f"{EVIL}\r", err=True)
    said = capsys.readouterr()
    assert said.out == f"{HARMLESS} error: forged\n"
    assert said.err == f"{HARMLESS}\n"


def test_what_others_print_is_plain_too(capsys):
    def command():
        print(f"{EVIL}\r\n\tand on")
        sys.stderr.write(EVIL)

    assert attended(command) == 0
    said = capsys.readouterr()
    assert said.out == f"{HARMLESS}\r\n\tand on\n"
    assert said.err == HARMLESS


def test_a_warning_is_one_plain_line(capsys):
    assert attended(lambda: warnings.warn(f"a\nb {EVIL}", UserWarning, stacklevel=1)) == 0
    assert capsys.readouterr().err == f"warning: a b {HARMLESS}\n"


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (FileError("x.csv: row 1\n  is\x1bbad"), 2, r"error: x.csv: row 1 is\x1bbad"),
        (OSError(28, "No space left on device", "x"), 2, "error: x: No space left on device"),
        (PermissionError(13, "Permission denied"), 2, "error: Permission denied"),
        (MemoryError("13 GiB"), 2, "error: not enough memory: 13 GiB"),
        (RecursionError("too deep"), 1, "error: RecursionError: too deep: a fault of ankang"),
        (UnicodeError("a\nb"), 1, "error: UnicodeError: a b: a fault of ankang-coverage; set"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (Terminated(), 143, "terminated"),
    ],
)
def test_whatever_happens_ends_in_one_line_and_a_code(capsys, error, code, says):
    error.add_note("and what became of it")
    found, told = ended(error, capsys)
    assert found == code
    assert told.startswith(says)
    assert told.endswith("; and what became of it\n")
    assert told.count("\n") == 1


def test_a_chain_of_reasons_that_leads_back_into_itself_ends(capsys):
    error, reason = FileError("damaged"), OSError("gone")
    error.__cause__, reason.__cause__ = reason, error
    assert ended(error, capsys) == (2, "error: damaged\n")


@pytest.mark.parametrize("code", [0, 1, 2])
def test_an_exit_stays_as_it_is(capsys, code):
    assert ended(SystemExit(code), capsys) == (code, "")


def test_a_traceback_is_shown_when_asked_for(capsys, monkeypatch):
    monkeypatch.setenv(TRACEBACK, "1")
    _, told = ended(ZeroDivisionError(EVIL), capsys)
    assert told.startswith("Traceback")
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("stop", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)], ids=["Ctrl-C", "SIGTERM"]
)
@pytest.mark.parametrize("inside_a_kernel", [False, True])
def test_a_stop_is_told_through_typer_and_kernels(capsys, stop, code, inside_a_kernel):
    app = typer.Typer()

    @app.command()
    def stopped():
        try:
            raise stop
        except stop as error:
            if inside_a_kernel:
                raise SystemError("returned a result with an exception set") from error
            raise

    assert attended(lambda: app(args=[])) == code
    assert capsys.readouterr().err == ("interrupted\n" if code == 130 else "terminated\n")


def test_sigterm_stops_what_an_interrupt_would_only_shorten(capsys):
    def command():
        try:
            signal.raise_signal(signal.SIGTERM)
        except (Exception, KeyboardInterrupt):
            pytest.fail("the search would go on")

    before = signal.getsignal(signal.SIGTERM)
    assert attended(command) == 143
    assert capsys.readouterr().err == "terminated\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_argument_that_is_not_utf8_is_refused(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ankang-coverage", "run", os.fsdecode(b"\xe5\xae.toml")])
    assert attended(lambda: pytest.fail("not refused")) == 2
    assert capsys.readouterr().err == (
        "error: \\udce5\\udcae.toml is not UTF-8: give that file or folder another name\n"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such names")
def test_a_current_folder_that_is_not_utf8_is_refused(tmp_path, capsys, monkeypatch):
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert attended(lambda: pytest.fail("not refused")) == 2
    assert capsys.readouterr().err.endswith(
        "\\udcff is not UTF-8: give that file or folder another name\n"
    )


BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def call(code, redirect="", environment=BUFFERED):
    """Run a command of one line in a shell, with an output of its own."""
    script = (
        f"import sys, typer\nfrom ankang_coverage.terminal import main, say\nmain(lambda: {code})"
    )
    return subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {redirect}', sys.executable, script],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


@posix
@pytest.mark.parametrize(
    "what", ["say('x')", "print('x')", "print('x' * 100000)", "typer.echo('x')"]
)
def test_an_output_that_is_full_is_told_in_one_line(what):
    done = call(what, ">/dev/full")
    assert (
        done.stderr == f"error: cannot write to the standard output: {os.strerror(errno.ENOSPC)}\n"
    )
    assert done.returncode == 2


@posix
@pytest.mark.parametrize("redirect", ["2>/dev/full", "2>&-"])
def test_without_a_place_for_messages_the_work_goes_on(redirect):
    done = call("(say('lost', err=True), say('result'))", redirect)
    assert (done.returncode, done.stdout) == (0, "result\n")


@posix
def test_without_a_standard_output_the_work_goes_on():
    done = call("(say('lost'), say('told', err=True))", ">&-")
    assert (done.returncode, done.stderr) == (0, "told\n")


@posix
def test_no_file_gets_the_number_of_a_closed_stream():
    done = call("sys.__stdout__ is None and sys.exit(open('/dev/null').fileno())", ">&- 2>&-")
    assert done.returncode > 2


@posix
@pytest.mark.parametrize("what", ["say('x')", "print('x' * 100000)"])
def test_a_reader_that_has_gone_ends_it_without_a_word(what):
    reading, writing = os.pipe()
    os.close(reading)
    script = f"from ankang_coverage.terminal import main, say\nmain(lambda: {what})"
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@posix
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_when_all_is_said_changes_nothing(number):
    done = call(
        "(__import__('atexit').register(lambda: __import__('signal').raise_signal("
        f"__import__('signal').{number})), say('done'))"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@posix
def test_names_are_told_where_the_terminal_knows_no_chinese():
    environment = BUFFERED | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = call("say('\u7d2b\u9633')", environment=environment)
    assert (done.returncode, done.stdout) == (0, "\\u7d2b\\u9633\n")
