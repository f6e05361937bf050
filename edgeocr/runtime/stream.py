"""Results in the order of their items, while the next items are already being worked on."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

from ..errors import ForkedError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Seconds for which a stream that ends waits for the item that is being taken at that moment.
PATIENCE = 1.0


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Generator[Result, None, None]:
    """Yield the results of `work` in the order of the items.

    Whatever `items` or `work` raises is raised in place of the result, and ends the stream. Leaving
    the stream early waits for the items that are being worked on.

    Args:
        work: What to do with each item.
        items: The items. Another thread takes them as results are asked for.
        ahead: How many items may be in work, or done and not asked for yet. With 1, the calling
            thread takes and does one item after the other.

    Yields:
        The result of each item.

    Raises:
        ForkedError: The stream has threads and was begun before this process was forked.
    """
    if ahead < 2:
        for item in items:
            yield work(item)
        return
    iterator = iter(items)
    room, stopped = threading.Semaphore(ahead), threading.Event()
    results: SimpleQueue[Future[Result] | None] = SimpleQueue()
    # The interpreter waits for an executor's threads at its end. A daemon thread that is inside
    # ONNX Runtime at that time would abort the process.
    executor = ThreadPoolExecutor(ahead, thread_name_prefix="edgeocr-stream")

    def take() -> None:
        while True:
            room.acquire()
            if stopped.is_set():
                return
            try:
                item = next(iterator)
            except StopIteration:
                results.put(None)
                return
            except BaseException as error:
                failed: Future[Result] = Future()
                failed.set_exception(error)
                results.put(failed)
                return
            if stopped.is_set():  # the stream has ended while the item was being taken
                return
            try:
                results.put(executor.submit(work, item))
            except RuntimeError:  # the executor has been shut down since the check above
                return
            del item  # a reference here would keep the item until there is room for the next one

    # A daemon thread: an item that never comes must not keep the process from ending.
    taker = threading.Thread(target=take, name="edgeocr-stream-items", daemon=True)
    pid = os.getpid()
    # The interpreter calls this at its end if the stream is still open: afterwards no thread may be
    # inside a native library, which taking an item may call.
    stop = weakref.finalize(results, _stop, stopped, room, taker, pid)
    taker.start()
    try:
        while True:
            if os.getpid() != pid:
                raise ForkedError("this stream has its threads in the process that began it")
            result = results.get()
            if result is None:
                return
            value = result.result()
            room.release()
            yield value
    finally:
        if os.getpid() == pid:
            stopped.set()
            room.release()
            # The garbage collector may close the stream in one of the stream's own threads, which
            # can't wait for itself.
            with suppress(RuntimeError):
                executor.shutdown(cancel_futures=True)
                stop()


def _stop(
    stopped: threading.Event, room: threading.Semaphore, taker: threading.Thread, pid: int
) -> None:
    """End the thread that takes the items, unless it belongs to the parent of this process.

    Args:
        stopped: Tells the thread to end.
        room: What the thread may be waiting for.
        taker: The thread.
        pid: The process that has the thread.
    """
    if os.getpid() == pid:
        stopped.set()
        room.release()
        taker.join(PATIENCE)
