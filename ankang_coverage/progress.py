"""Progress of a stage: a bar in a terminal or a notebook, a few lines in a log."""

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from time import monotonic
from typing import Any

from ankang_coverage.inputs import printable

Progress = Callable[[Sequence[str], str], Iterator[str]]
"""Wraps the ids that a stage goes through, given the name of the stage, to show its progress."""

ShowGap = Callable[[str, float, float, float | None], None]
"""Called now and then during a search with its label, seconds, objective, and gap if there is
one."""

SHOWN_AFTER_S = 1.0
"""A stage that is shorter than this is not shown [s]."""

SECONDS_BETWEEN_LINES = 30.0
"""Smallest time between two lines of a stage in a log [s]."""

_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt} [{elapsed}<{remaining}]"


def progress_bars(ids: Sequence[str], stage: str) -> Iterator[str]:
    """Show the progress of a stage, as ``progress=`` of ``predict``, ``plan`` and ``run``.

    A terminal and a notebook show a bar. Where standard error is not a terminal, such as in a log,
    a stage writes one line when it is complete, and one every 30 seconds until then. A stage that
    takes less than a second shows nothing.

    Parameters
    ----------
    ids : sequence of str
        Ids that the stage goes through.
    stage : str
        Name of the stage, such as ``path loss``.

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
        Ids that the stage goes through.
    stage : str
        Name of the stage.

    Returns
    -------
    iterator of str
        The ids.
    """
    return iter(ids)


def default_progress() -> Progress:
    """Return the default way to show progress: bars in a notebook, otherwise nothing.

    Returns
    -------
    callable
        `progress_bars` or `no_progress`.
    """
    return progress_bars if in_notebook() else no_progress


def search_progress(progress: Progress | None) -> ShowGap | None:
    """Return a way to show a search that matches the progress of the other stages.

    Parameters
    ----------
    progress : callable, optional
        Progress of the other stages.

    Returns
    -------
    callable, optional
        A `SearchLine` with `progress_bars`; None with anything else.
    """
    return SearchLine() if (progress or default_progress()) is progress_bars else None


class SearchLine:
    """Show the progress of a search, as ``show_gap=`` of ``plan`` and ``run``.

    A terminal and a notebook show one line that is updated; a log gets a line every 30 seconds.
    """

    def __init__(self) -> None:
        self._written = -SECONDS_BETWEEN_LINES

    def __call__(self, label: str, seconds: float, objective: float, gap: float | None) -> None:
        """Show one report.

        Parameters
        ----------
        label : str
            Ids of the targets.
        seconds : float
            Time since it began [s].
        objective : float
            Best objective so far, such as people.
        gap : float, optional
            Share of the bound by which it may be below the best, where there is a bound [0–1].
        """
        proven = "" if gap is None else f", gap {gap:.2%}"
        text = f"choose {printable(label)}: {seconds:.0f} s, {objective:,.0f}{proven}"
        if in_notebook() or sys.stderr.isatty():
            # The next report overwrites the same line.
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
