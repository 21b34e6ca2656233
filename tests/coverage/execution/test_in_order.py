"""Units through an executor: in order, few in flight, and nothing left running after a failure."""

import os
import pickle
import re
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import pytest

from ankang_coverage.coverage.execution import in_order as work
from ankang_coverage.coverage.execution.in_order import in_order
from ankang_coverage.coverage.loss.computation import unit_computation
from ankang_coverage.errors import ClusterError


class ByHand(Executor):
    """Runs a unit only when told to."""

    def __init__(self):
        self.given = []

    def submit(self, fn, /, *args):
        future = Future()
        self.given.append((future, fn, args))
        return future

    def run(self, n):
        future, fn, args = self.given[n]
        if future.set_running_or_notify_cancel():
            future.set_result(fn(*args))


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_results_come_in_the_order_of_the_units(threads):
    last_first = threading.Barrier(threads)

    def square(n):
        if n < threads:
            last_first.wait()  # as many as there are threads are under way together
        return n * n

    with ThreadPoolExecutor(threads) as executor:
        assert list(in_order(square, range(50), executor)) == [n * n for n in range(50)]


def test_without_an_executor_threads_do_it():
    seen = set()

    def note(n):
        seen.add(threading.current_thread().name)
        return n

    assert list(in_order(note, range(20))) == list(range(20))
    assert threading.current_thread().name not in seen
    assert list(in_order(note, [])) == []


def test_no_more_than_a_few_are_in_flight(monkeypatch):
    monkeypatch.setattr(work, "IN_FLIGHT", 3)
    executor, asked = ByHand(), []

    def units():
        for n in range(10):
            asked.append(n)
            yield n

    results = in_order(str, units(), executor)
    executor_runs = threading.Thread(target=lambda: results_of.append(next(results)))
    results_of = []
    executor_runs.start()
    while len(executor.given) < 3:
        pass
    assert asked == [0, 1, 2]
    executor.run(0)
    executor_runs.join()
    assert results_of == ["0"]
    for n in (1, 2):
        executor.run(n)
    assert next(results) == "1"
    assert asked == [0, 1, 2, 3]


def test_a_failure_is_raised_and_what_was_not_begun_is_cancelled():
    executor = ByHand()

    def fail(n):
        raise ArithmeticError(f"unit {n}")

    results = in_order(fail, range(5), executor)
    caught = []

    def take():
        with pytest.raises(ArithmeticError) as error:
            next(results)
        caught.append(error)

    waiting = threading.Thread(target=take)
    waiting.start()
    while len(executor.given) < 5:
        pass
    future, _, _ = executor.given[0]
    future.set_exception(ArithmeticError("unit 0"))
    waiting.join()
    assert "unit 0" in str(caught[0].value)
    assert all(future.cancelled() for future, *_ in executor.given[1:])


def test_leaving_early_cancels_the_rest():
    executor = ByHand()
    results = in_order(str, range(3), executor)
    taker = threading.Thread(target=lambda: next(results))
    taker.start()
    while len(executor.given) < 3:
        pass
    executor.run(0)
    taker.join()
    results.close()
    assert [future.cancelled() for future, *_ in executor.given] == [False, True, True]


# What leaves the process --------------------------------------------------------------------------


class Packing(Executor):
    """Pickles what is submitted, as one of other processes does, and does it when asked."""

    def submit(self, fn, /, *args):
        parcel, future = pickle.dumps((fn, args)), Future()
        function, arguments = pickle.loads(parcel)
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def test_what_leaves_the_process_says_what_it_computes_by():
    assert list(in_order(str, range(3), Packing())) == ["0", "1", "2"]
    sent = pickle.loads(pickle.dumps(work._Task(str, 3)))
    assert sent.computation == unit_computation()
    assert pickle.loads(pickle.dumps(sent)) == sent  # a scheduler may pass it on as it is
    assert work._done(sent) == "3"


opened = []


class Note:
    """Tells when it is unpacked."""

    def __reduce__(self):
        return opened.append, ("opened",)


def test_a_process_that_computes_otherwise_refuses_without_opening_it(monkeypatch):
    own = unit_computation()
    sent = work._Task(str, Note()).__reduce__()
    parcel = sent[0](*sent[1])
    monkeypatch.setattr(work, "unit_computation", lambda: own.replace("tiles ", "tiles of ", 1))
    with pytest.raises(ClusterError) as error:
        work._done(parcel)
    assert opened == []
    assert re.fullmatch(
        rf"process {os.getpid()} on \S+ has tiles of \d+ where this run has tiles \d+, and would "
        r"give other figures: install the same versions everywhere, on processors of one kind",
        str(error.value),
    )


def test_what_stays_in_the_process_is_not_packed():
    with ThreadPoolExecutor(1) as executor:
        assert list(in_order(lambda n: n + 1, range(3), executor)) == [1, 2, 3]
