"""Where work is done: units through any executor, results in order, little in flight."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

Unit = TypeVar("Unit")
Result = TypeVar("Result")

IN_FLIGHT = 256
"""Units handed to an executor before the first of them has to be done; bounds memory."""


def in_order(
    work: Callable[[Unit], Result], units: Iterable[Unit], executor: Executor | None = None
) -> Iterator[Result]:
    """Yield what `work` makes of each unit, in the order of the units.

    Parameters
    ----------
    work
        A function of a module, so that any executor can send it to another process.
    units
        What it is called with; small, and picklable for executors that need it.
    executor
        Any ``concurrent.futures.Executor``; a thread for each processor when omitted.

    Raises
    ------
    Exception
        What a unit raises; units not yet begun are cancelled.
    """
    if executor is None:
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
            yield from in_order(work, units, threads)
        return
    pending: deque[Future[Result]] = deque()
    try:
        for unit in units:
            pending.append(executor.submit(work, unit))
            if len(pending) >= IN_FLIGHT:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
