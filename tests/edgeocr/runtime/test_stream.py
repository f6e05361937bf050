"""Streams that work ahead: order, limits, errors, and leaving early."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from random import Random
from time import monotonic, sleep

import pytest

from edgeocr.runtime.stream import in_order
from tests.support.paths import ROOT
from tests.support.scripts import FORKING, run

# Seconds that are enough on any machine; only a failing test waits so long.
PATIENCE = 20.0
# Seconds to wait for something that must not happen.
MOMENT = 0.05


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("edgeocr-stream")]


def wait_until(condition: Callable[[], bool]) -> None:
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, "it never came"
        sleep(0.001)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    assert not threads()
    yield
    gc.collect()
    wait_until(lambda: not threads())


def noted(items: Iterable[int], taken: list[int]) -> Iterator[int]:
    for item in items:
        taken.append(item)
        yield item


def collect(results: Iterator[int]) -> tuple[list[int], BaseException | None]:
    """Return all results and the error that ended them; fail if the stream hangs."""
    found: list[int] = []
    ended: list[BaseException | None] = []

    def consume() -> None:
        try:
            found.extend(results)
            ended.append(None)
        except BaseException as error:
            ended.append(error)

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    consumer.join(PATIENCE)
    assert not consumer.is_alive(), "the stream hangs"
    return found, ended[0]


def negative(item: int) -> int:
    return -item


@pytest.mark.parametrize("ahead", [1, 2, 3, 8])
def test_results_are_in_the_order_of_the_items(ahead: int) -> None:
    def work(item: int) -> int:
        sleep(0.02 if item % 3 == 0 else 0)
        return -item

    assert collect(in_order(work, range(12), ahead)) == ([-item for item in range(12)], None)


@pytest.mark.slow
@pytest.mark.parametrize("ahead", [1, 2, 5])
@pytest.mark.parametrize("length", [0, 1, 2, 4])
def test_fewer_items_than_may_be_worked_ahead_give_all_results(ahead: int, length: int) -> None:
    assert collect(in_order(negative, [3] * length, ahead)) == ([-3] * length, None)


def test_a_result_may_be_none() -> None:
    assert list(in_order(lambda item: None, range(5), 2)) == [None] * 5


@pytest.mark.parametrize("ahead", [2, 4])
def test_as_many_items_as_allowed_are_worked_on_at_once(ahead: int) -> None:
    together = threading.Barrier(ahead)

    def work(item: int) -> int:
        together.wait(PATIENCE)  # breaks when fewer come
        return item

    assert collect(in_order(work, range(3 * ahead), ahead)) == (list(range(3 * ahead)), None)


@pytest.mark.parametrize("ahead", [2, 3, 5])
def test_no_more_items_are_taken_than_allowed(ahead: int) -> None:
    taken: list[int] = []
    gate = threading.Event()

    def work(item: int) -> int:
        assert gate.wait(PATIENCE)
        return item

    def are_taken(number: int) -> None:
        wait_until(lambda: len(taken) >= number)
        sleep(MOMENT)
        assert taken == list(range(number))

    results = in_order(work, noted(count(), taken), ahead)
    first: list[int] = []
    consumer = threading.Thread(target=lambda: first.append(next(results)), daemon=True)
    consumer.start()
    are_taken(ahead)
    gate.set()
    consumer.join(PATIENCE)
    assert first == [0]
    for item in range(1, 4):
        are_taken(item + ahead)
        assert next(results) == item
    results.close()


def test_nothing_happens_before_the_first_result_is_asked_for() -> None:
    taken: list[int] = []
    results = in_order(negative, noted(range(9), taken), 3)
    sleep(MOMENT)
    assert taken == [] and threads() == []
    results.close()
    assert taken == []


@pytest.mark.parametrize("ahead", [0, 1])
def test_no_item_is_taken_ahead_with_a_limit_of_one(ahead: int) -> None:
    taken: list[int] = []
    workers = set()

    def work(item: int) -> int:
        workers.add(threading.current_thread())
        return item

    results = in_order(work, noted(count(), taken), ahead)
    for item in range(4):
        assert next(results) == item
        sleep(0.005)
        assert taken == list(range(item + 1))
    assert workers == {threading.current_thread()}


class Stopped(BaseException):
    """Stands in for `KeyboardInterrupt`, which is no `Exception` either."""


@pytest.mark.parametrize("ahead", [1, 2, 4])
@pytest.mark.parametrize("kind", [ValueError, Stopped])
def test_an_error_of_the_work_is_raised_in_place_of_its_result(
    ahead: int, kind: type[BaseException]
) -> None:
    error = kind("the third")

    def work(item: int) -> int:
        if item == 3:
            raise error
        sleep(0.01)  # the error is there before the results before it
        return item

    results = in_order(work, range(9), ahead)
    assert collect(results) == ([0, 1, 2], error)
    assert next(results, None) is None


@pytest.mark.slow
@pytest.mark.parametrize("ahead", [1, 2, 4])
@pytest.mark.parametrize("kind", [ValueError, Stopped])
def test_an_error_of_the_items_is_raised_in_place_of_a_result(
    ahead: int, kind: type[BaseException]
) -> None:
    error = kind("no more")
    asked: list[int] = []

    class Failing:
        """An iterator that would go on after its error, unlike a generator."""

        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            asked.append(len(asked))
            if len(asked) == 4:
                raise error
            return asked[-1]

    def work(item: int) -> int:
        sleep(0.01)
        return item

    results = in_order(work, Failing(), ahead)
    assert collect(results) == ([0, 1, 2], error)
    assert next(results, None) is None
    wait_until(lambda: not threads())
    assert asked == [0, 1, 2, 3]


def test_items_are_not_asked_again_after_their_end() -> None:
    ends: list[int] = []

    class Ending:
        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            ends.append(1)
            raise StopIteration

    assert collect(in_order(negative, Ending(), 4)) == ([], None)
    wait_until(lambda: not threads())
    assert ends == [1]


@pytest.mark.slow
@pytest.mark.parametrize("ahead", [2, 4])
@pytest.mark.parametrize("how", ["close", "forget", "throw"])
def test_leaving_early_stops_the_threads(ahead: int, how: str) -> None:
    taken: list[int] = []
    results = in_order(negative, noted(count(), taken), ahead)
    assert [next(results) for _ in range(3)] == [0, -1, -2]
    wait_until(lambda: len(taken) == 3 + ahead)  # now all threads wait
    assert threads()
    if how == "close":
        results.close()
    elif how == "throw":
        with pytest.raises(KeyError):
            results.throw(KeyError())
    del results
    gc.collect()
    wait_until(lambda: not threads())
    assert len(taken) == 3 + ahead


@pytest.mark.slow
def test_closing_does_not_wait_for_an_item_that_does_not_come() -> None:
    taken: list[int] = []
    comes = threading.Event()

    def slow() -> Iterator[int]:
        yield 0
        while True:
            assert comes.wait(PATIENCE)
            taken.append(1)
            yield 1

    results = in_order(negative, slow(), 3)
    assert next(results) == 0
    results.close()  # does not wait for the item
    assert not comes.is_set()
    comes.set()
    wait_until(lambda: not threads())
    assert len(taken) <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        # An item that never comes.
        """
import threading
def items():
    yield 1
    threading.Event().wait()
stream = in_order(abs, items(), 2)
assert next(stream) == 1
""",
        # Pages in work: a thread that returns from ONNX Runtime must still find an interpreter.
        """
from itertools import repeat
from edgeocr import OCR
stream = OCR(threads=2).read_many(repeat("tests/images/sample.jpg"))
assert next(stream).lines
""",
    ],
    ids=["waiting", "reading"],
)
@pytest.mark.stress
@pytest.mark.parametrize("leave", ["", "raise SystemExit(0)"])
def test_a_process_can_end_in_the_middle_of_a_stream(script: str, leave: str) -> None:
    code = f"from edgeocr.runtime.stream import in_order\n{script}\n{leave}\n"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_many_items_of_random_duration_keep_their_order() -> None:
    rng = Random(0)
    pauses = [rng.random() * 0.002 for _ in range(200)]
    worked = []

    def work(item: int) -> int:
        sleep(pauses[item])
        worked.append(item)
        return item * item

    def items() -> Iterator[int]:
        # A generator allows one thread at a time.
        for item in range(200):
            sleep(pauses[-item])
            yield item

    assert collect(in_order(work, items(), 4)) == ([item * item for item in range(200)], None)
    assert sorted(worked) == list(range(200))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_forked_child_can_neither_continue_a_stream_nor_hang_on_it() -> None:
    script = """
from itertools import count
from edgeocr import ForkedError
from edgeocr.runtime.stream import in_order
stream = in_order(abs, count(), 3)
assert next(stream) == 0
go_on = '''
try:
    next(stream)
except ForkedError as error:
    assert "this stream has its threads in the process that began it" in str(error)
    sys.exit(7)
'''
print(forked(go_on), forked("del stream"), forked("pass"), next(stream))
"""
    done = run(FORKING + script)
    assert (done.stdout, done.stderr) == ("7 0 0 1\n", "")


@pytest.mark.slow
def test_the_end_of_the_interpreter_waits_for_an_item_that_a_native_library_makes() -> None:
    """A thread that returns from OpenCV must still find an interpreter."""
    script = """
import cv2, numpy, time
from edgeocr.runtime.stream import in_order
picture = numpy.zeros((2000, 2000, 3), numpy.uint8)
def items():
    while True:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            cv2.GaussianBlur(picture, (9, 9), 2)
        yield 1
stream = in_order(abs, items(), 2)
assert next(stream) == 1
"""
    done = run(script)
    assert (done.returncode, done.stderr) == (0, "")
