"""A Dask cluster as an executor, reached and checked before the work begins.

Nothing waits for ever or in silence. A question that should be answered soon is put in a thread of
its own with a time limit, for any program may listen at an address, and a machine may stop in the
middle of an answer. While workers are gone, which may come back, the log says so.
"""

import asyncio
import logging
import math
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from threading import Event, Thread
from typing import Any, TypeVar

from ankang_coverage.coverage.loss.computation import difference, unit_computation
from ankang_coverage.coverage.loss.store import Store
from ankang_coverage.errors import AnkangCoverageError, ClusterError, StoreError

WAIT_S = 5.0
"""How long a scheduler, and then its first worker, may take to answer [s]."""
CHECK_S = 300.0
"""How long the workers may take to load this library and look at the store [s]; busy ones with a
slow disk take a minute, and after five Dask itself gives up on a worker that is silent."""
WORD_S = 30.0
"""How often the log says that a run waits for workers or for the scheduler [s]."""

_ADDRESS = re.compile(r"(tcp|tls)://[^/\s]+:\d+")
_TALKATIVE = ("distributed", "tornado", "asyncio")
"""Packages that log a traceback for a connection that is lost."""
_logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


@contextmanager
def cluster(scheduler: str, store: Store) -> Iterator[Executor]:
    """Open a Dask cluster as an executor, for `predict` and everything that takes one.

    While work waits and no worker is there, or the scheduler does not answer, this module's
    logger says so every 30 seconds.

    Parameters
    ----------
    scheduler : str
        Address of a running scheduler, such as ``tcp://10.0.0.5:8786``.
    store : Store
        Where the workers read and write; its folder must be on a file system that they share
        with this process, under the same path.

    Yields
    ------
    concurrent.futures.Executor
        Runs what is submitted on the workers. A worker that dies costs what it was doing: that is
        done again by another.

    Raises
    ------
    ClusterError
        If the package distributed is not installed, no scheduler answers at the address, there
        are no workers, or one of them does not see the store or computes differently from this
        process; and later, if the scheduler goes away, a unit of work kills worker after worker,
        or a worker joins that computes differently.
    StoreError
        If the store cannot be written from here.

    Examples
    --------
    >>> with cluster("tcp://10.0.0.5:8786", store) as executor:  # doctest: +SKIP
    ...     predict(region, network, "4g", work=Work(store, executor))
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise ClusterError(
            "a scheduler is reached by the package distributed, which is not installed: "
            "pip install 'ankang-coverage[distributed]'"
        ) from error
    if not _ADDRESS.fullmatch(scheduler):
        raise ClusterError(f"{scheduler!r} is no address of a scheduler: give tcp://HOST:PORT")
    with _silenced():
        _require_scheduler(distributed, scheduler)
        client = _connected(distributed, scheduler)
        try:
            _require_workers(client, scheduler)
            _require_same_store(client, scheduler, store)
            with _watched(client, scheduler):
                yield client.get_executor(pure=False)  # equal units are not the same unit
        except AnkangCoverageError:
            raise
        except distributed.KilledWorker as error:
            raise ClusterError(
                f"workers of {scheduler} died again and again over one unit of work; is their "
                f"memory enough? What was done is in the store: the same command goes on from "
                f"there"
            ) from error
        except Exception as error:
            if isinstance(error, CancelledError) or client.status != "running":
                raise ClusterError(
                    f"the scheduler at {scheduler} went away; what was done is in the store: the "
                    f"same command goes on from there"
                ) from error
            raise
        finally:
            with suppress(Exception):  # the scheduler may be gone
                _asked(client.close).result(WAIT_S)


def _asked(ask: Callable[[], Answer]) -> "Future[Answer]":
    """Call in a thread of its own, which ends with the process if there is never an answer."""
    answer: Future[Answer] = Future()

    def wait() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=wait, daemon=True).start()
    return answer


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep the log of lost connections off the terminal: errors say it in one line."""
    known = [
        logging.getLogger(name)
        for name in {*_TALKATIVE, *logging.root.manager.loggerDict}
        if name.partition(".")[0] in _TALKATIVE
    ]
    levels = [(logger, logger.level) for logger in known]
    for logger in known:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in levels:
            logger.setLevel(level)


# Before the work ----------------------------------------------------------------------------------


def _require_scheduler(distributed: Any, scheduler: str) -> None:
    """Require that a scheduler listens at an address, before a client waits for its answer."""
    start = (
        "start one ('dask scheduler') and give the address it prints, such as tcp://10.0.0.5:8786"
    )
    tls = distributed.Security().get_connection_args("client")
    if scheduler.startswith("tls:") and tls.get("ssl_context") is None:
        raise ClusterError(
            f"{scheduler} takes certificates: name them in Dask's settings, distributed.comm.tls"
        )

    async def ask() -> Any:
        comm = await distributed.comm.connect(scheduler, timeout=WAIT_S, **tls)
        try:
            await comm.write({"op": "identity", "reply": True})
            return await comm.read()
        finally:
            comm.abort()

    async def ask_in_time() -> Any:
        # Longer than connecting may take, to distinguish a silent listener from none.
        return await asyncio.wait_for(ask(), 1.2 * WAIT_S)

    try:
        kind = _asked(lambda: asyncio.run(ask_in_time())).result(2.0 * WAIT_S)["type"]
    except TimeoutError as error:
        raise ClusterError(f"what listens at {scheduler} does not answer: {start}") from error
    except Exception as error:  # whatever another protocol, read as Dask's, leads to
        if isinstance(error, OSError) and not isinstance(error, distributed.comm.CommClosedError):
            raise ClusterError(f"no scheduler answers at {scheduler}: {start}") from error
        raise ClusterError(f"what listens at {scheduler} is no scheduler: {start}") from error
    if kind != "Scheduler":
        raise ClusterError(f"{scheduler} is a {str(kind).lower()} and no scheduler: {start}")


def _connected(distributed: Any, scheduler: str) -> Any:
    """Return a client of a scheduler."""
    connect = partial(distributed.Client, scheduler, timeout=WAIT_S, set_as_default=False)
    try:
        return _asked(connect).result(2.0 * WAIT_S)
    except Exception as error:  # of any kind: it answered a moment ago
        raise ClusterError(
            f"the scheduler at {scheduler} stopped answering: look at what it prints, or start it "
            f"again"
        ) from error


def _require_workers(client: Any, scheduler: str) -> None:
    try:
        _asked(lambda: client.wait_for_workers(1, timeout=WAIT_S)).result(2.0 * WAIT_S)
    except TimeoutError as error:
        raise ClusterError(
            f"the scheduler at {scheduler} has no workers: start some ('dask worker {scheduler}')"
        ) from error


def _require_same_store(client: Any, scheduler: str, store: Store) -> None:
    """Write a note into the store, and require that every worker reads it and computes alike."""
    token = token_hex(8)
    note = store.write_note(token)
    ask = partial(client.run, _flaw, store, note, token, unit_computation(), on_error="return")
    try:
        answers = _awaited(_asked(ask), scheduler)
    finally:
        note.unlink(missing_ok=True)
    for worker, flaw in answers.items():
        if isinstance(flaw, BaseException):
            raise ClusterError(
                f"worker {worker} cannot be asked ({type(flaw).__name__}): {_INSTALL}"
            ) from flaw
        if flaw is not None:
            raise ClusterError(f"worker {worker} {flaw}")


def _awaited(answers: "Future[dict[str, Any]]", scheduler: str) -> dict[str, Any]:
    """Return what the workers answer, with a word now and then about those that take long."""
    begun = time.monotonic()
    while True:
        try:
            return answers.result(min(WORD_S, CHECK_S))
        except TimeoutError as error:
            if answers.done() or time.monotonic() >= begun + CHECK_S:
                raise ClusterError(
                    f"workers of {scheduler} do not answer for {CHECK_S:.0f} seconds: end those "
                    f"that hang"
                ) from error
        _logger.warning("workers of %s take long to answer: waiting for them", scheduler)


_INSTALL = "install the same version of ankang_coverage wherever the cluster runs"


def _flaw(store: Store, note: Path, token: str, computation: str) -> str | None:
    """Return why this process cannot work on a store, None where it can."""
    try:
        seen = note.read_text("ascii")
    except OSError:
        seen = ""
    if seen != token:
        return (
            f"does not see the store {store.folder}: give a folder that all of them share, under "
            f"the same path (--store, or the variable ANKANG_COVERAGE_STORE)"
        )
    try:
        store.write_note("").unlink(missing_ok=True)
    except StoreError as error:
        return f"cannot use the store: it {error}"
    return difference(unit_computation(), computation)


# During the work ----------------------------------------------------------------------------------


@contextmanager
def _watched(client: Any, scheduler: str) -> Iterator[None]:
    """Log every so often what the work waits for, while it waits."""
    over = Event()
    Thread(target=_watch, args=(client, scheduler, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _watch(client: Any, scheduler: str, over: Event) -> None:
    asked: Future[dict[str, int]] | None = None
    said = -math.inf
    while not over.wait(WORD_S / 6.0):
        if not any(state.status == "pending" for state in list(client.futures.values())):
            continue
        asked = asked or _asked(client.nthreads)
        word = None
        try:
            if not asked.result(WAIT_S):
                word = f"has no workers: waiting for some ('dask worker {scheduler}')"
            asked = None
        except TimeoutError:
            word = "does not answer: waiting for it"
        except Exception:  # the client itself will come to say what
            return
        if word and time.monotonic() >= said + WORD_S and not over.is_set():
            said = time.monotonic()
            _logger.warning("the scheduler at %s %s", scheduler, word)
