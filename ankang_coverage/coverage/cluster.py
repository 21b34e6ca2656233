"""A Dask cluster as the place where work is done: reached and checked before anything begins."""

import re
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import Any

from ankang_coverage.coverage.carriers import code_digest
from ankang_coverage.coverage.store import Store
from ankang_coverage.errors import ClusterError, StoreError

WAIT_S = 5
"""How long a scheduler, and then its first worker, may take to answer [s]."""

_ADDRESS = re.compile(r"(tcp|tls)://[^/\s]+:\d+")


@contextmanager
def cluster(scheduler: str, store: Store) -> Iterator[Executor]:
    """Open a Dask cluster as an executor, for `predict` and everything that takes one.

    Parameters
    ----------
    scheduler
        Address of a running scheduler, such as ``tcp://10.0.0.5:8786``.
    store
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
        If the package distributed is not installed, nobody answers at the address, there are no
        workers, or one of them does not see the store or has another version of this library; and
        later, if the scheduler goes away or a unit of work kills worker after worker.
    StoreError
        If the store cannot be written from here.

    Examples
    --------
    >>> with cluster("tcp://10.0.0.5:8786", store) as executor:  # doctest: +SKIP
    ...     predict(region, network, "4g", store=store, executor=executor)
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
    try:
        client = distributed.Client(scheduler, timeout=WAIT_S, set_as_default=False)
    except OSError as error:
        raise ClusterError(
            f"no scheduler answers at {scheduler}: start one ('dask scheduler') and give the "
            f"address it prints, such as tcp://10.0.0.5:8786"
        ) from error
    try:
        _require_workers(client, scheduler)
        _require_same_store(client, store)
        yield client.get_executor(pure=False)  # equal units are not the same unit
    except distributed.KilledWorker as error:
        raise ClusterError(
            f"workers of {scheduler} died again and again over one unit of work; is their memory "
            f"enough? What was done is in the store: the same command goes on from there"
        ) from error
    except (CancelledError, distributed.comm.CommClosedError) as error:
        raise ClusterError(
            f"the scheduler at {scheduler} went away; what was done is in the store: the same "
            f"command goes on from there"
        ) from error
    finally:
        client.close()


def _require_workers(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=WAIT_S)
    except TimeoutError as error:
        raise ClusterError(
            f"the scheduler at {scheduler} has no workers: start some ('dask worker {scheduler}')"
        ) from error


def _require_same_store(client: Any, store: Store) -> None:
    """Leave a file in the store and ask every worker for it."""
    note, token = store.folder / f".seen-by-workers.{token_hex(8)}", token_hex(8)
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
        note.write_text(token, "ascii")
    except OSError as error:
        raise StoreError(f"cannot write {note}: {error.strerror or error}") from error
    try:
        answers = client.run(_flaw, note, token, code_digest(), on_error="return")
    finally:
        note.unlink(missing_ok=True)
    for worker, flaw in answers.items():
        if flaw is not None:
            raise ClusterError(f"worker {worker} {flaw or type(flaw).__name__}")


def _flaw(note: Path, token: str, software: str) -> str | None:
    """Return what keeps this process from working on a store, None where nothing does."""
    try:
        seen = note.read_text("ascii")
    except OSError:
        seen = ""
    if seen != token:
        return (
            f"does not see the store {note.parent}: give a folder that all of them share, under "
            f"the same path (--store, or the variable ANKANG_COVERAGE_STORE)"
        )
    own = note.with_name(f"{note.name}.{token_hex(8)}")
    try:
        own.touch()
    except OSError as error:
        return f"cannot write into the store {note.parent}: {error.strerror or error}"
    finally:
        with suppress(OSError):
            own.unlink()
    if code_digest() != software:
        return (
            "has another version of ankang_coverage, which would give other figures: install the "
            "same everywhere"
        )
    return None
