"""One item after the other, while the next ones are already worked on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Seconds that the end waits for an item that is just being taken.
PATIENCE = 1.0


def in_order(work: Callable[[Item], Result], items: Iterable[Item], ahead: int) -> Iterator[Result]:
    """The results of `work` in the order of the items.

    ahead: how many items may be in work, or done and not asked for yet. Items are taken by another
        thread, as results are asked for; with 1 nothing is taken or done ahead.

    What `items` or `work` raises comes where the result would have come, and ends it. Ending early
    waits for the items in work.
    """
    if ahead < 2:
        for item in items:
            yield work(item)
        return
    iterator = iter(items)
    room, stopped = threading.Semaphore(ahead), threading.Event()
    results: SimpleQueue[Future[Result] | None] = SimpleQueue()
    # At its end the interpreter waits for these threads. A thread that is in ONNX Runtime then
    # would end the process with an abort.
    workers = ThreadPoolExecutor(ahead, thread_name_prefix="edgeocr-stream")

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
            if stopped.is_set():  # while the item was waited for
                return
            try:
                results.put(workers.submit(work, item))
            except RuntimeError:  # it ended in this moment
                return
            del item  # or it would stay until there is room for the next one

    # A daemon: an item that never comes must not keep the process from ending.
    taker = threading.Thread(target=take, name="edgeocr-stream-items", daemon=True)
    taker.start()
    try:
        while (result := results.get()) is not None:
            value = result.result()
            room.release()
            yield value
    finally:
        stopped.set()
        room.release()
        workers.shutdown(cancel_futures=True)
        taker.join(PATIENCE)
