"""A cluster is reached, checked and watched; whatever is wrong with it ends in one line, soon."""

import logging
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

import ankang_coverage
from ankang_coverage.coverage.execution import cluster as cluster_module
from ankang_coverage.coverage.execution.cluster import cluster
from ankang_coverage.coverage.execution.in_order import in_order
from ankang_coverage.coverage.loss.computation import unit_computation
from ankang_coverage.coverage.loss.store import Store
from ankang_coverage.errors import ClusterError, StoreError

PATIENCE_S = 120


def error_of(scheduler, store):
    """What comes of opening a cluster: one line, in good time, and nothing written."""
    begun = time.monotonic()
    with pytest.raises(ClusterError) as error, cluster(scheduler, store):
        pass
    assert time.monotonic() - begun < 2 * cluster_module.WAIT_S + 5  # a busy machine's slack
    assert "\n" not in str(error.value)
    assert not store.folder.exists()
    return str(error.value)


@pytest.fixture
def hurry(monkeypatch):
    monkeypatch.setattr(cluster_module, "WAIT_S", 0.5)


# What is no scheduler -----------------------------------------------------------------------------


def stay_silent(_connection, over):
    over.wait()


def hang_up(_connection, _over):
    pass


def speak_http(connection, _over):
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def speak_ssh(connection, over):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    over.wait()


def echo(connection, _over):
    while said := connection.recv(1000):
        connection.sendall(said)


def send_zeros(connection, over):
    connection.sendall(bytes(64))
    over.wait()


def drip(connection, over):
    while not over.wait(0.05):
        connection.sendall(b"\1")


@pytest.fixture
def listen():
    """Listen on this machine, and treat each connection in a way of one's own."""
    over, listeners = threading.Event(), []

    def serve(listener, behave):
        with suppress(OSError):  # closed at the end
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=attend, args=(connection, behave), daemon=True).start()

    def attend(connection, behave):
        with connection, suppress(OSError):
            behave(connection, over)

    def start(behave):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, behave), daemon=True).start()
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    over.set()
    for listener in listeners:
        listener.close()


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (stay_silent, "does not answer"),
        (hang_up, "is no scheduler"),
        (speak_http, "is no scheduler"),
        (speak_ssh, "is no scheduler"),
        (echo, "is no scheduler"),
        (send_zeros, "is no scheduler"),
        (drip, "is no scheduler|does not answer"),
    ],
)
def test_what_listens_and_is_no_scheduler_is_told_soon(listen, store, behave, said):
    address = listen(behave)
    told = error_of(address, store)
    assert re.match(rf"what listens at {address} ({said}): start one \('dask scheduler'\)", told)


@pytest.mark.usefixtures("hurry")
def test_where_nobody_listens_is_told_soon(free_port, store):
    address = f"tcp://127.0.0.1:{free_port()}"
    assert error_of(address, store).startswith(f"no scheduler answers at {address}: start one")


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "tcp://127.0.0.1", "http://x:1", "tcp://:1"])
def test_what_is_no_address_is_said_at_once(store, address):
    assert "give tcp://HOST:PORT" in error_of(address, store)


def test_an_address_that_takes_certificates_asks_for_them(store):
    assert "distributed.comm.tls" in error_of("tls://127.0.0.1:8786", store)


def test_without_the_extra_the_error_says_how_to_get_it(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'ankang-coverage[distributed]'" in error_of("tcp://127.0.0.1:8786", store)


# What is one --------------------------------------------------------------------------------------


def test_a_scheduler_without_workers_is_an_error(dask, store, monkeypatch):
    _, scheduler = dask.scheduler()
    monkeypatch.setattr(cluster_module, "WAIT_S", 2.0)
    assert error_of(scheduler, store) == (
        f"the scheduler at {scheduler} has no workers: start some ('dask worker {scheduler}')"
    )


def test_the_address_of_a_worker_is_told_from_that_of_its_scheduler(workers, store, tmp_path):
    with cluster(workers, Store(tmp_path / "other")) as executor:
        worker = min(executor._client.nthreads())
    assert error_of(worker, store).startswith(f"{worker} is a worker and no scheduler: start one")


def test_a_worker_of_another_version_or_without_the_store_is_an_error(
    workers, store, monkeypatch, tmp_path
):
    monkeypatch.setattr(cluster_module, "unit_computation", lambda: "tiles 0, another")
    with (
        pytest.raises(ClusterError, match=r"worker tcp://127\S+ has tiles \d, .* where this run"),
        cluster(workers, store),
    ):
        pass
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
    monkeypatch.undo()
    flaw = cluster_module._flaw
    note = tmp_path / "note"
    assert f"does not see the store {store.folder}: give" in flaw(store, note, "a", "")
    note.write_text("b")
    assert "does not see the store" in flaw(store, note, "a", "")
    assert flaw(store, note, "b", unit_computation()) is None
    assert "would give other figures" in flaw(store, note, "b", "tiles 0")
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
    (tmp_path / "file").touch()
    assert "cannot use the store" in flaw(Store(tmp_path / "file"), note, "b", "")


def test_a_store_that_cannot_be_written_is_an_error(workers, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with (
        pytest.raises(StoreError, match="cannot write"),
        cluster(workers, Store(tmp_path / "file" / "store")),
    ):
        pass


@pytest.fixture
def hanging(monkeypatch):
    """A client none of whose questions is ever answered."""
    for name in ("WAIT_S", "CHECK_S"):
        monkeypatch.setattr(cluster_module, name, 0.1)
    over = threading.Event()
    yield SimpleNamespace(
        Client=lambda *_, **__: over.wait(),
        run=lambda *_, **__: over.wait(),
        wait_for_workers=lambda *_, **__: over.wait(),
        nthreads=over.wait,
        futures={"unit": SimpleNamespace(status="pending")},
    )
    over.set()


def test_what_hangs_while_it_is_checked_is_given_up_on(hanging, store, monkeypatch, caplog):
    with pytest.raises(ClusterError, match="tcp://a:1 stopped answering"):
        cluster_module._connected(hanging, "tcp://a:1")
    with pytest.raises(ClusterError, match="tcp://a:1 has no workers"):
        cluster_module._require_workers(hanging, "tcp://a:1")
    monkeypatch.setattr(cluster_module, "WORD_S", 0.03)
    with pytest.raises(ClusterError, match="workers of tcp://a:1 do not answer"):
        cluster_module._require_same_store(hanging, "tcp://a:1", store)
    assert "workers of tcp://a:1 take long to answer: waiting for them" in caplog.messages
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


# While it works -----------------------------------------------------------------------------------


@pytest.fixture
def words(monkeypatch, caplog):
    """Watch a client for a while; return what was said."""
    monkeypatch.setattr(cluster_module, "WORD_S", 0.3)

    def watch(client, seconds=1.0):
        caplog.clear()
        with caplog.at_level(logging.WARNING), cluster_module._watched(client, "tcp://a:1"):
            time.sleep(seconds)
        return [record.getMessage() for record in caplog.records]

    return watch


def test_what_a_run_waits_for_is_said_every_so_often(words, hanging):
    waiting, done = ({"unit": SimpleNamespace(status=s)} for s in ("pending", "finished"))
    gone = SimpleNamespace(futures=waiting, nthreads=dict)
    said = words(gone)
    assert set(said) == {
        "the scheduler at tcp://a:1 has no workers: waiting for some ('dask worker tcp://a:1')"
    }
    assert 2 <= len(said) <= 4
    assert set(words(hanging)) == {"the scheduler at tcp://a:1 does not answer: waiting for it"}
    assert words(SimpleNamespace(futures=waiting, nthreads=lambda: {"a": 2})) == []
    assert words(SimpleNamespace(futures=done, nthreads=dict)) == []


def of_another_version(folder):
    """A copy of this library whose tiles are of another version."""
    package = Path(ankang_coverage.__file__).parent
    shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    module = folder / package.name / "coverage" / "loss" / "computation.py"
    text = module.read_text("utf-8")
    assert "\nTILES_VERSION = " in text
    module.write_text(text.replace("\nTILES_VERSION = ", "\nTILES_VERSION = 1000 + "), "utf-8")
    return folder


def test_a_worker_of_another_version_that_comes_later_does_nothing(
    dask, store, tmp_path, monkeypatch, caplog, wait_until
):
    """All others gone, units wait, and it is said; then it comes, and refuses what it is given."""
    monkeypatch.setattr(cluster_module, "WORD_S", 1.0)
    _, scheduler = dask.scheduler()
    first = dask.worker(scheduler, "--nthreads", 1, "--no-nanny")
    store.folder.mkdir()
    marks = [store.folder / f"{n}" for n in range(3)]

    def bring_another():
        wait_until(lambda: "has no workers: waiting" in caplog.text)
        dask.worker(scheduler, "--no-nanny", python_path=of_another_version(tmp_path))

    late = threading.Thread(target=bring_another)

    def work():
        with cluster(scheduler, store) as executor:
            assert list(in_order(Path.touch, marks[:1], executor)) == [None]
            first.kill()
            late.start()
            list(in_order(Path.touch, marks[1:], executor))

    with pytest.raises(
        ClusterError, match=r"worker tcp://\S+ has tiles 100\d.* where this run has"
    ):
        work()
    late.join()
    assert [mark.exists() for mark in marks] == [True, False, False]


WORK = """
import sys, time
from ankang_coverage.coverage.execution.cluster import cluster
from ankang_coverage.coverage.loss.store import Store
from ankang_coverage.coverage.execution.in_order import in_order
from ankang_coverage.errors import ClusterError

try:
    with cluster(sys.argv[1], Store(sys.argv[2])) as executor:
        for _ in in_order(time.sleep, [0.3] * 1000, executor):
            print("one", flush=True)
except ClusterError as error:
    sys.exit(f"error: {error}")
"""


def test_a_scheduler_that_is_killed_is_one_line(dask, store):
    leader, scheduler = dask.scheduler()
    dask.worker(scheduler, "--nthreads", 1, "--no-nanny")
    run = subprocess.Popen(
        [sys.executable, "-c", WORK, scheduler, store.folder],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stdout.readline() == "one\n"
    leader.kill()
    _, said = run.communicate(timeout=PATIENCE_S)
    assert said == (
        f"error: the scheduler at {scheduler} went away; what was done is in the store: the same "
        f"command goes on from there\n"
    )
