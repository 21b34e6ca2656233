"""How far a stage is: a bar in a terminal or a notebook, a few lines in a log."""

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from time import monotonic
from typing import Any

from ankang_coverage.inputs import printable

Progress = Callable[[Sequence[str], str], Iterator[str]]
"""Wraps the ids that a stage goes through, given what it does, to show how far it is."""

ShowGap = Callable[[str, float, float, float | None], None]
"""Told now and then of a search: what it is for, seconds, objective, and gap if it is proven."""

SHOWN_AFTER_S = 1.0
"""A stage that is shorter than this is not shown [s]."""

SECONDS_BETWEEN_LINES = 30.0
"""Least time between two lines that a stage writes into a log [s]."""

_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt} [{elapsed}<{remaining}]"


def progress_bars(ids: Sequence[str], stage: str) -> Iterator[str]:
    """Show how far a stage is, as ``progress=`` of ``predict``, ``plan`` and ``run``.

    A terminal and a notebook show a bar. Where standard error is no terminal, such as in a log, a
    stage writes one line when it is complete, and one every 30 seconds until then. A stage that
    takes less than a second shows nothing.

    Parameters
    ----------
    ids : sequence of str
        What the stage goes through.
    stage : str
        What it does, such as ``path loss``.

    Returns
    -------
    iterator of str
        The ids.
    """
    notebook = in_notebook()
    if not notebook and not sys.stderr.isatty():
        return _lines(ids, stage)
    bar: Any
    # Without ipywidgets, tqdm.notebook fails and tqdm.auto warns.
    if notebook and find_spec("ipywidgets"):
        from tqdm.notebook import tqdm as bar
    else:
        from tqdm import tqdm as bar
    return iter(bar(ids, desc=stage, bar_format=_BAR, mininterval=0.5, delay=SHOWN_AFTER_S))


def no_progress(ids: Sequence[str], stage: str) -> Iterator[str]:  # noqa: ARG001  (a Progress)
    """Show nothing, in a notebook too: ``progress=no_progress``.

    Parameters
    ----------
    ids : sequence of str
        What a stage goes through.
    stage : str
        What it does.

    Returns
    -------
    iterator of str
        The ids.
    """
    return iter(ids)


def default_progress() -> Progress:
    """Return what shows progress where nobody said how: bars in a notebook, else nothing.

    Returns
    -------
    callable
        `progress_bars` or `no_progress`.
    """
    return progress_bars if in_notebook() else no_progress


def search_progress(progress: Progress | None) -> ShowGap | None:
    """Return what shows a search beside what shows the other stages.

    Parameters
    ----------
    progress : callable, optional
        What shows the other stages.

    Returns
    -------
    callable, optional
        A `SearchLine` beside `progress_bars`; None beside anything else.
    """
    return SearchLine() if (progress or default_progress()) is progress_bars else None


class SearchLine:
    """Show how far a search is, as ``show_gap=`` of ``plan`` and ``run``.

    A terminal and a notebook show one line that is written again and again; a log gets a line
    every 30 seconds.
    """

    def __init__(self) -> None:
        self._written = -SECONDS_BETWEEN_LINES

    def __call__(self, label: str, seconds: float, objective: float, gap: float | None) -> None:
        """Show one report.

        Parameters
        ----------
        label : str
            What the search is for.
        seconds : float
            How long it has taken [s].
        objective : float
            What it has found, such as people.
        gap : float, optional
            By what share of the bound that may fall short of the best, if it is proven [0–1].
        """
        proven = "" if gap is None else f", gap {gap:.2%}"
        text = f"choose {printable(label)}: {seconds:.0f} s, {objective:,.0f}{proven}"
        if in_notebook() or sys.stderr.isatty():
            # The next report, or whatever is written then, takes the same line.
            print(f"{text:<79}", end="\r", file=sys.stderr, flush=True)
        elif min(seconds, monotonic() - self._written) >= SECONDS_BETWEEN_LINES:
            self._written = monotonic()
            _write(text)


def in_notebook() -> bool:
    """Return whether the code runs in a Jupyter kernel.

    Returns
    -------
    bool
        False in a script, and in IPython in a terminal.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in shell.config


def _lines(ids: Sequence[str], stage: str) -> Iterator[str]:
    began = written = monotonic()
    for n_done, id_ in enumerate(ids, start=1):
        yield id_
        now = monotonic()
        if now - written >= SECONDS_BETWEEN_LINES and n_done < len(ids):
            _write(f"{stage}: {n_done:,} of {len(ids):,}, {now - began:.0f} s")
            written = now
    seconds = monotonic() - began
    if seconds >= SHOWN_AFTER_S:
        _write(f"{stage}: {len(ids):,} in {seconds:.0f} s")


def _write(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
