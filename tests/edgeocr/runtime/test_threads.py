"""The thread pool: order, errors, number of threads, and closing."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from edgeocr.runtime.threads import ThreadPool, _Work, all_of

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


def test_several_threads_work_at_once_and_the_calling_one_is_among_them(pool: ThreadPool) -> None:
    together = threading.Barrier(3)

    def work(item: int) -> threading.Thread:
        together.wait(PATIENCE)  # breaks when fewer come
        return threading.current_thread()

    used = set(pool.map(work, range(6)))
    assert len(used) == 3
    assert threading.current_thread() in used


def test_a_caller_with_work_of_its_own_takes_the_place_of_a_helper() -> None:
    pool = ThreadPool(2)
    inside, leave = threading.Barrier(2), threading.Event()

    def other() -> None:
        with pool.working(), pool.working():
            inside.wait(PATIENCE)
            leave.wait(PATIENCE)

    caller = threading.Thread(target=other)
    caller.start()
    inside.wait(PATIENCE)
    with pool.working():
        assert pool.is_full
        # Both cores are taken, so nobody helps.
        assert set(pool.map(thread_of, range(8))) == {threading.current_thread()}

        def work(item: int) -> threading.Thread:
            if item == 0:
                leave.set()  # the other caller ends, and a helper takes its place
                caller.join(PATIENCE)
                assert helped.wait(PATIENCE)
            elif threading.current_thread() is not threading.main_thread():
                helped.set()
            return threading.current_thread()

        helped = threading.Event()
        assert len(set(pool.map(work, range(8)))) == 2
        assert not pool.is_full
    pool.close()


def test_a_caller_that_waits_leaves_its_core_to_a_helper() -> None:
    pool = ThreadPool(2)
    helped, waits = threading.Event(), threading.Event()

    def other() -> None:
        with pool.working(), pool.resting() as resume:
            waits.set()
            assert helped.wait(PATIENCE)
            resume()
            assert threading.get_ident() in pool._callers

    def work(item: int) -> None:
        if threading.current_thread() is threading.main_thread():
            assert helped.wait(PATIENCE)
        else:
            helped.set()

    caller = threading.Thread(target=other)
    caller.start()
    assert waits.wait(PATIENCE)
    list(pool.map(work, range(4)))
    caller.join(PATIENCE)
    assert helped.is_set() and not pool._callers
    pool.close()


def test_many_callers_get_all_their_results() -> None:
    pool = ThreadPool(3)

    def call(caller: int) -> list[int]:
        with pool.working():
            if caller % 2:
                return list(pool.map_prepared(lambda item: caller * 1000 + item, range(50), int))
            return list(pool.map(lambda item: caller * 1000 + item, range(50)))

    with ThreadPoolExecutor(6) as callers:
        found = list(callers.map(call, range(60)))
    assert found == [[caller * 1000 + item for item in range(50)] for caller in range(60)]
    pool.close()
    assert not pool._callers and not pool._helpers and not pool._shared


@pytest.mark.parametrize("threads", [2, 3])
def test_nothing_is_begun_after_an_error(threads: int) -> None:
    pool, begun = ThreadPool(threads), []

    def work(item: int) -> None:
        begun.append(item)
        raise ValueError(str(item))

    with pytest.raises(ValueError, match="0"):
        list(pool.map(work, range(100)))
    assert len(begun) <= threads
    pool.close()


def test_an_item_that_was_taken_before_a_later_one_failed_is_done() -> None:
    def work(item: int) -> int:
        if item:
            raise ValueError(str(item))
        return item

    shared = _Work(work)
    shared.add(range(3))
    for item in (2, 1, 0):  # three threads have taken one each, and the last one is the fastest
        shared._do(item)
    results = shared.results()
    assert next(results) == 0
    with pytest.raises(ValueError, match="1"):
        next(results)
    assert not shared._errors  # they would keep the items alive


def test_an_error_keeps_nothing_alive(pool: ThreadPool) -> None:
    class Large:
        pass

    items = [Large() for _ in range(4)]
    kept = weakref.ref(items[0])

    def work(item: Large) -> None:
        raise ValueError

    gc.disable()
    try:
        with pytest.raises(ValueError):
            list(pool.map(work, items))
        del items
        assert kept() is None
    finally:
        gc.enable()


def test_helpers_begin_while_the_caller_still_prepares() -> None:
    pool, begun = ThreadPool(2), threading.Event()

    def prepare(item: int) -> int:
        if item == 2:
            assert begun.wait(PATIENCE)
        return -item

    def work(item: int) -> tuple[int, threading.Thread]:
        begun.set()
        return item, threading.current_thread()

    found = list(pool.map_prepared(work, range(3), prepare))
    assert [item for item, _ in found] == [0, -1, -2]
    assert found[0][1] is not threading.current_thread()
    pool.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_without_a_free_core_everything_is_prepared_before_work_begins(threads: int) -> None:
    pool, done = ThreadPool(threads), list[tuple[str, int]]()
    inside, leave = threading.Barrier(2), threading.Event()

    def other() -> None:
        with pool.working():
            inside.wait(PATIENCE)
            leave.wait(PATIENCE)

    caller = threading.Thread(target=other)
    caller.start()
    inside.wait(PATIENCE)

    def prepare(item: int) -> int:
        done.append(("prepare", item))
        return item

    list(pool.map_prepared(lambda item: done.append(("work", item)), range(3), prepare))
    leave.set()
    caller.join(PATIENCE)
    assert done == [(step, item) for step in ("prepare", "work") for item in range(3)]
    pool.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_preparing_drops_what_was_not_begun(threads: int) -> None:
    pool, begun = ThreadPool(threads), threading.Event()
    ended: list[int] = []

    def prepare(item: int) -> int:
        if item == 3:
            assert threads == 1 or begun.wait(PATIENCE)
            raise ValueError("the fourth")
        return item

    def work(item: int) -> None:
        begun.set()
        patience = monotonic() + PATIENCE
        while any(each.left for each in pool._shared) and monotonic() < patience:
            sleep(0.001)
        sleep(0.01)
        ended.append(item)

    with pytest.raises(ValueError, match="the fourth"):
        pool.map_prepared(work, range(5), prepare)
    # The call has waited for what the helper had begun, and nothing else is done.
    assert ended == ([] if threads == 1 else [0])
    assert not pool._shared and not pool._callers
    pool.close()


def test_a_pool_that_is_closed_while_a_caller_prepares_refuses_work() -> None:
    pool = ThreadPool(2)

    def prepare(item: int) -> int:
        pool.close()
        return item

    with pytest.raises(ValueError, match="the thread pool is closed"):
        pool.map_prepared(abs, [1, 2, 3], prepare)
    assert not pool._shared and not pool._callers


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
    assert len(started) <= 1  # the calling thread is the other one
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


def test_a_pool_that_closes_while_it_calls_helpers_refuses_work() -> None:
    """A signal handler, which runs in the thread that it interrupts, may close the pool."""
    pool = ThreadPool(2)

    class Helpers(set[object]):
        def add(self, helper: object) -> None:
            super().add(helper)
            pool.close()

    pool._helpers = Helpers()
    with pytest.raises(ValueError, match="the thread pool is closed: create a new one"):
        list(pool.map(abs, [1, 2]))


def test_pieces_of_work_are_done_side_by_side() -> None:
    """Each piece waits for the other, so that they would never end one after the other."""
    met = threading.Barrier(2, timeout=PATIENCE)
    work = {"a": lambda: (met.wait(), "A")[1], "b": lambda: (met.wait(), "B")[1]}
    assert all_of(work, 2) == {"a": "A", "b": "B"}


def test_pieces_of_work_are_done_while_the_interpreter_ends() -> None:
    code = """
import atexit
from edgeocr.runtime.threads import all_of
atexit.register(lambda: print(all_of({"a": "one".upper, "b": "two".upper}, 2)))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("{'a': 'ONE', 'b': 'TWO'}\n", "")


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
