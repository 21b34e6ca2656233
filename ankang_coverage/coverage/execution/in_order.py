"""Units of work through any executor: results in order, few units in flight.

A unit that is sent to another process carries the computation that its result must come from, and
a process that computes differently refuses the unit before it unpacks it. So no worker of another
version, whenever it joins, can write its results under the keys of this version.
"""

import os
import pickle
import platform
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar

from ankang_coverage.coverage.loss.computation import difference, unit_computation
from ankang_coverage.errors import ClusterError

Unit = TypeVar("Unit")
Result = TypeVar("Result")

IN_FLIGHT = 256
"""Units handed to an executor before the first of them has to be done; bounds memory."""


def in_order(
    work: Callable[[Unit], Result], units: Iterable[Unit], executor: Executor | None = None
) -> Iterator[Result]:
    """Yield what `work` returns for each unit, in the order of the units.

    Parameters
    ----------
    work : callable
        A function of a module, so that any executor can send it to another process.
    units : iterable
        What it is called with; small, and picklable for executors that need it.
    executor : concurrent.futures.Executor, optional
        Where it is called; a thread for each processor when omitted.

    Yields
    ------
    object
        What `work` returns.

    Raises
    ------
    ClusterError
        If a process of the executor computes differently from this one.
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
            pending.append(executor.submit(_done, _Task(work, unit)))
            if len(pending) >= IN_FLIGHT:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


@dataclass(frozen=True)
class _Task(Generic[Unit, Result]):
    """Work and what it is done on; becomes a `_SentTask` on its way to another process."""

    work: Callable[[Unit], Result]
    unit: Unit

    def __reduce__(self) -> tuple[type["_SentTask"], tuple[str, bytes]]:
        return _SentTask, (unit_computation(), pickle.dumps((self.work, self.unit)))


@dataclass(frozen=True)
class _SentTask:
    """A task that stays packed until a process has checked that it may do it."""

    computation: str
    packed: bytes


def _done(task: "_Task[Any, Any] | _SentTask") -> Any:
    """Do a task, unless it was sent by a process that computes differently."""
    if isinstance(task, _Task):
        return task.work(task.unit)
    differs = difference(unit_computation(), task.computation)
    if differs is not None:
        raise ClusterError(f"{_this_process()} {differs}")
    work, unit = pickle.loads(task.packed)  # noqa: S301  in a pickle already
    return work(unit)


def _this_process() -> str:
    if "distributed" in sys.modules:
        distributed: Any = import_module("distributed")
        with suppress(ValueError):  # not at work for a cluster
            return f"worker {distributed.get_worker().address}"
    return f"process {os.getpid()} on {platform.node()}"
