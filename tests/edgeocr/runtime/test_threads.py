"""The thread pool: order, errors, number of threads, and closing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import sleep

import pytest

from edgeocr.runtime.threads import ThreadPool, all_of

# Seconds that are enough on any machine; only a failing test waits so long.
PATIENCE = 20.0


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    pool = ThreadPool(3)
    yield pool
    pool.close()


def test_results_come_in_the_order_of_the_items(pool: ThreadPool) -> None:
    def work(item: int) -> int:
        sleep(0.01 if item % 3 == 0 else 0)
        return -item

    assert list(pool.map(work, range(20))) == [-item for item in range(20)]


@pytest.mark.parametrize("threads", [1, 3])
def test_no_items_give_no_results(threads: int) -> None:
    assert list(ThreadPool(threads).map(abs, [])) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_is_raised_in_place_of_its_result(threads: int) -> None:
    error = ValueError("the third")

    def work(item: int) -> int:
        if item == 2:
            raise error
        sleep(0.005)
        return item

    pool = ThreadPool(threads)
    found: list[int] = []
    with pytest.raises(ValueError) as caught:
        found.extend(pool.map(work, range(3)))
    assert caught.value is error
    results = iter(pool.map(work, range(3)))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError):
        next(results)
    # The pool can still be used.
    assert list(pool.map(work, [0, 1])) == [0, 1]
    pool.close()


def thread_of(item: int) -> threading.Thread:
    return threading.current_thread()


def test_a_pool_of_one_thread_uses_the_calling_thread() -> None:
    pool = ThreadPool(1)
    assert set(pool.map(thread_of, range(5))) == {threading.current_thread()}
    assert pool._executor is None


def test_a_single_item_is_done_by_the_calling_thread(pool: ThreadPool) -> None:
    assert list(pool.map(thread_of, [0])) == [threading.current_thread()]
    assert pool._executor is None


def test_several_threads_work_at_once(pool: ThreadPool) -> None:
    together = threading.Barrier(3)

    def work(item: int) -> threading.Thread:
        together.wait(PATIENCE)  # breaks when fewer come
        return threading.current_thread()

    used = set(pool.map(work, range(6)))
    assert len(used) == 3
    assert threading.current_thread() not in used


def test_no_more_threads_are_used_than_the_pool_has(pool: ThreadPool) -> None:
    def work(item: int) -> threading.Thread:
        sleep(0.002)
        return threading.current_thread()

    used = set(pool.map(work, range(30))) | set(pool.map(work, range(30)))
    assert len(used) <= 3


def test_threads_start_when_first_needed_and_stay() -> None:
    before = set(threading.enumerate())
    pool = ThreadPool(2)
    list(pool.map(abs, [1]))
    assert set(threading.enumerate()) == before
    list(pool.map(abs, [1, 2]))
    started = set(threading.enumerate()) - before
    assert 1 <= len(started) <= 2
    assert all(thread.name.startswith("edgeocr") for thread in started)
    executor = pool._executor
    list(pool.map(abs, [1, 2]))
    assert pool._executor is executor
    pool.close()
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize("threads", [1, 2])
def test_a_closed_pool_refuses_work(threads: int) -> None:
    pool = ThreadPool(threads)
    assert list(pool.map(abs, [-1, -2])) == [1, 2]
    pool.close()
    pool.close()
    with pytest.raises(ValueError, match="the thread pool is closed"):
        pool.map(abs, [-1, -2])


def test_pieces_of_work_are_done_side_by_side() -> None:
    """Each piece waits for the other, so that they would never end one after the other."""
    met = threading.Barrier(2, timeout=PATIENCE)
    work = {"a": lambda: (met.wait(), "A")[1], "b": lambda: (met.wait(), "B")[1]}
    assert all_of(work, 2) == {"a": "A", "b": "B"}


def test_one_thread_does_pieces_of_work_in_the_callers_own() -> None:
    work = dict.fromkeys("abc", threading.current_thread)
    assert set(all_of(work, 1).values()) == {threading.current_thread()}


@pytest.mark.parametrize("threads", [1, 2])
def test_the_error_of_the_first_piece_that_fails_is_raised(threads: int) -> None:
    def fail(error: Exception) -> None:
        raise error

    first, second = ValueError("first"), KeyError("second")
    work: dict[str, Callable[[], object]] = {
        "a": list,
        "b": lambda: fail(first),
        "c": lambda: fail(second),
    }
    with pytest.raises(ValueError, match="first"):
        all_of(work, threads)
