"""Work: the store of predictions, the executor that computes them, and the display of progress."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypedDict, TypeVar

from ankang_coverage.coverage.execution.in_order import in_order
from ankang_coverage.coverage.loss.store import Store
from ankang_coverage.progress import Progress, default_progress

Unit = TypeVar("Unit")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Work:
    """The store of predictions, the executor that computes them, and the display of progress.

    Attributes
    ----------
    store : Store
        Where path losses and tiles are kept; `Store.default` when omitted.
    executor : concurrent.futures.Executor, optional
        What computes: any executor, of other processes or machines too if they see the store;
        a thread for each processor when omitted. Results do not depend on it.
    progress : callable, optional
        Shows how far a stage is: `progress_bars`, `no_progress`, or any function that wraps the
        ids a stage goes through. Bars in a notebook, else nothing, when omitted.
    """

    store: Store = field(default_factory=Store.default)
    executor: Executor | None = None
    progress: Progress | None = None

    def each(
        self,
        compute: Callable[[Unit], Result],
        units: Iterable[Unit],
        ids: Sequence[str],
        stage: str,
    ) -> Iterator[Result]:
        """Yield what is computed of each unit, in the order of the units.

        Parameters
        ----------
        compute : callable
            A function of a module, so that any executor can send it to another process.
        units : iterable
            What it is called with.
        ids : sequence of str
            What the units are called while progress is shown.
        stage : str
            What is done.

        Yields
        ------
        object
            The results.
        """
        shown = self.shown(ids, stage)
        for result, _ in zip(in_order(compute, units, self.executor), shown, strict=True):
            yield result

    def shown(self, ids: Sequence[str], stage: str) -> Iterator[str]:
        """Go through ids and show how far that is.

        Parameters
        ----------
        ids : sequence of str
            What a stage goes through.
        stage : str
            What is done.

        Returns
        -------
        iterator of str
            The ids.
        """
        return (self.progress or default_progress())(ids, stage) if ids else iter(ids)


class SeparateWork(TypedDict, total=False):
    """The parts of `Work` as arguments of their own, as version 0.1 took them."""

    store: Store | None
    executor: Executor | None
    progress: Progress | None


def work_of(work: Work | None, separate: SeparateWork) -> Work:
    """Return the work that a function was given, or the default.

    Parameters
    ----------
    work : Work, optional
        The work.
    separate : SeparateWork
        Its parts, given one by one as in version 0.1.

    Returns
    -------
    Work
        The work.

    Raises
    ------
    TypeError
        If both are given, or a part is none of ``store``, ``executor`` and ``progress``.
    """
    strange = separate.keys() - SeparateWork.__annotations__.keys()
    if strange:
        raise TypeError(f"unexpected keyword argument {min(strange)!r}")
    given = {name: part for name, part in separate.items() if part is not None}
    if not separate:
        return work or Work()
    if work is not None:
        raise TypeError(f"give work, or {', '.join(sorted(separate))}, not both")
    names = ", ".join(sorted(separate))
    warnings.warn(
        f"{names} as arguments of their own will go in version 0.3: give work=Work({names}=…)",
        DeprecationWarning,
        stacklevel=3,
    )
    return Work(**given)  # type: ignore[arg-type]
