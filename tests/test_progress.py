"""A bar where somebody watches, a few lines where nobody does."""

import io
from contextlib import redirect_stderr

import nbformat
import pytest
from nbclient import NotebookClient

from ankang_coverage import progress
from ankang_coverage.progress import (
    SearchLine,
    default_progress,
    no_progress,
    progress_bars,
    search_progress,
)

IDS = [f"site {number}" for number in range(10)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when a test says so."""
    now = [1000.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


def test_a_log_gets_a_line_every_half_minute_and_one_at_the_end(clock, capsys):
    for id_, expected in zip(progress_bars(IDS, "path loss"), IDS, strict=True):
        assert id_ == expected
        clock(12.0)
    assert capsys.readouterr().err.splitlines() == [
        "path loss: 3 of 10, 36 s",
        "path loss: 6 of 10, 72 s",
        "path loss: 9 of 10, 108 s",
        "path loss: 10 in 120 s",
    ]


def test_a_log_does_not_hear_of_a_short_stage(clock, capsys):
    for _ in progress_bars(IDS, "signals"):
        clock(0.05)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(monkeypatch):
    monkeypatch.setattr(progress, "SHOWN_AFTER_S", 0.0)
    with redirect_stderr(Terminal()) as terminal:
        assert list(progress_bars(IDS, "signals")) == IDS
    shown = terminal.getvalue().split("\r")
    assert "signals:   0%|" in shown[1]
    assert "signals: 100%|" in shown[-1]
    assert "| 10 of 10 [00:00<00:00]" in shown[-1]


def test_a_terminal_sees_one_line_of_a_search():
    search = SearchLine()
    with redirect_stderr(Terminal()) as terminal:
        search("4g", 2.0, 123456.0, None)
        search("4g", 3.0, 123999.0, 0.0123)
    first, second, rest = terminal.getvalue().split("\r")
    assert first.rstrip() == "choose 4g: 2 s, 123,456"
    assert second.rstrip() == "choose 4g: 3 s, 123,999, gap 1.23%"
    assert len(first) == len(second) == 79
    assert rest == ""


def test_an_id_does_not_command_the_terminal():
    with redirect_stderr(Terminal()) as terminal:
        SearchLine()("a\n\x1b[2J", 2.0, 1.0, None)
    assert terminal.getvalue().rstrip() == r"choose a\n\x1b[2J: 2 s, 1"


def test_a_log_hears_of_a_search_every_half_minute(clock, capsys):
    search = SearchLine()
    for seconds in range(0, 100, 4):
        search("4g", float(seconds), 1000.0 + seconds, None)
        clock(4.0)
    assert capsys.readouterr().err.splitlines() == [
        "choose 4g: 32 s, 1,032",
        "choose 4g: 64 s, 1,064",
        "choose 4g: 96 s, 1,096",
    ]


def test_a_script_shows_nothing_unless_asked(capsys):
    assert default_progress() is no_progress
    assert search_progress(None) is None
    assert search_progress(no_progress) is None
    assert isinstance(search_progress(progress_bars), SearchLine)
    assert list(no_progress(IDS, "signals")) == IDS
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_a_notebook_shows_a_bar_by_itself_and_text_without_ipywidgets():
    show = (
        "for _ in default_progress()(list('ab'), 'signals'):\n"
        "    time.sleep(0.6)\n"
        "search_progress(None)('4g', 2.0, 5.0, None)"
    )
    cells = [
        "import sys, time\nfrom ankang_coverage.progress import default_progress, search_progress",
        show,
        f"sys.modules['ipywidgets'] = None\n{show}",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    _, with_widgets, without = (cell.outputs for cell in notebook.cells)
    assert "application/vnd.jupyter.widget-view+json" in with_widgets[0].data
    assert [output.output_type for output in without] == ["stream"] * len(without)
    text = "".join(output.text for output in without)
    assert "signals: 100%" in text
    assert "choose 4g: 2 s, 5" in text
    assert "Warning" not in text
