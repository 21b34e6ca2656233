"""Work: store, executor and progress in one value, which everything computes by."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ankang_coverage.coverage import Store, Work
from ankang_coverage.coverage.execution.work import work_of


def double(unit):
    return 2 * unit


@pytest.mark.parametrize("n_threads", [None, 1, 4])
def test_results_come_in_the_order_of_the_units_and_progress_sees_each(store, n_threads):
    seen = []

    def progress(ids, stage):
        for id_ in ids:
            seen.append((stage, id_))
            yield id_

    executor = n_threads and ThreadPoolExecutor(n_threads)
    try:
        work = Work(store, executor or None, progress)
        ids = [f"unit {n}" for n in range(50)]
        assert list(work.each(double, range(50), ids, "doubling")) == [2 * n for n in range(50)]
    finally:
        if executor:
            executor.shutdown()
    assert seen == [("doubling", id_) for id_ in ids]


def test_where_there_is_nothing_to_do_nothing_is_shown(store):
    def progress(_ids, _stage):
        raise AssertionError("shown")

    work = Work(store, progress=progress)
    assert list(work.each(double, [], [], "doubling")) == []
    assert list(work.shown([], "doubling")) == []


def test_an_error_of_a_unit_is_the_callers(store):
    def fail(unit):
        if unit == 3:
            raise ZeroDivisionError("three")
        return unit

    results = Work(store).each(fail, range(9), [str(n) for n in range(9)], "failing")
    with pytest.raises(ZeroDivisionError, match="three"):
        list(results)


def test_progress_that_shows_too_few_is_noticed(store):
    work = Work(store, progress=lambda ids, _stage: list(ids)[:2])
    with pytest.raises(ValueError, match="zip"):
        list(work.each(double, range(4), list("abcd"), "doubling"))


def test_without_a_store_it_is_the_default_one(monkeypatch, tmp_path):
    monkeypatch.setenv("ANKANG_COVERAGE_STORE", str(tmp_path / "mine"))
    assert Work().store.folder == tmp_path / "mine"
    assert work_of(None, {}).store.folder == tmp_path / "mine"


def test_the_work_that_is_given_is_the_one_used(tmp_path):
    work = Work(Store(tmp_path, max_bytes=50_000_000))
    assert work_of(work, {}) is work


def test_parts_given_one_by_one_as_in_0_1_make_a_work(store):
    with pytest.warns(DeprecationWarning, match=r"executor, store as arguments .* work=Work\("):
        work = work_of(None, {"store": store, "executor": None})
    assert work == Work(store)
    with pytest.warns(DeprecationWarning, match="progress as arguments of their own"):
        assert work_of(None, {"progress": iter}).progress is iter


@pytest.mark.parametrize(
    ("separate", "says"),
    [
        ({"stores": None}, "unexpected keyword argument 'stores'"),
        ({"store": None, "executor": None}, "give work, or executor, store, not both"),
    ],
)
def test_parts_that_are_none_or_come_beside_a_work_are_refused(store, separate, says):
    with pytest.raises(TypeError, match=says):
        work_of(Work(store), separate)
