"""The threads that work side by side."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import sleep

import pytest

from edgeocr.runtime.threads import Workers

# Long enough for any machine; only a failing test waits so long.
PATIENCE = 20.0


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(3)
    yield workers
    if workers._pool is not None:
        workers._pool.shutdown()


def test_results_come_in_the_order_of_the_items(workers: Workers) -> None:
    def work(item: int) -> int:
        sleep(0.01 if item % 3 == 0 else 0)
        return -item

    assert list(workers.map(work, range(20))) == [-item for item in range(20)]


@pytest.mark.parametrize("threads", [1, 3])
def test_no_items(threads: int) -> None:
    assert list(Workers(threads).map(abs, [])) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_comes_at_its_place(threads: int) -> None:
    error = ValueError("the third")

    def work(item: int) -> int:
        if item == 2:
            raise error
        sleep(0.005)
        return item

    workers, found = Workers(threads), []
    with pytest.raises(ValueError) as caught:
        found.extend(workers.map(work, range(3)))
    assert caught.value is error
    results = iter(workers.map(work, range(3)))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError):
        next(results)
    # It can be used again.
    assert list(workers.map(work, [0, 1])) == [0, 1]
    if threads > 1:
        workers._pool.shutdown()


def thread_of(item: int) -> threading.Thread:
    return threading.current_thread()


def test_one_thread_is_the_calling_one() -> None:
    workers = Workers(1)
    assert set(workers.map(thread_of, range(5))) == {threading.current_thread()}
    assert workers._pool is None


def test_a_single_item_is_done_by_the_calling_thread(workers: Workers) -> None:
    assert list(workers.map(thread_of, [0])) == [threading.current_thread()]
    assert workers._pool is None


def test_several_threads_work_at_once(workers: Workers) -> None:
    together = threading.Barrier(3)

    def work(item: int) -> threading.Thread:
        together.wait(PATIENCE)  # breaks when fewer come
        return threading.current_thread()

    used = set(workers.map(work, range(6)))
    assert len(used) == 3
    assert threading.current_thread() not in used


def test_no_more_threads_than_said(workers: Workers) -> None:
    def work(item: int) -> threading.Thread:
        sleep(0.002)
        return threading.current_thread()

    used = set(workers.map(work, range(30))) | set(workers.map(work, range(30)))
    assert len(used) <= 3


def test_threads_start_when_first_needed_and_stay() -> None:
    before = set(threading.enumerate())
    workers = Workers(2)
    list(workers.map(abs, [1]))
    assert set(threading.enumerate()) == before
    list(workers.map(abs, [1, 2]))
    started = set(threading.enumerate()) - before
    assert 1 <= len(started) <= 2
    assert all(thread.name.startswith("edgeocr") for thread in started)
    pool = workers._pool
    list(workers.map(abs, [1, 2]))
    assert workers._pool is pool
    pool.shutdown()
    assert set(threading.enumerate()) == before
