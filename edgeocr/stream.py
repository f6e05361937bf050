"""One item after the other, while the next ones are already worked on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Iterable[Item], ahead: int) -> Iterator[Result]:
    """The results of `work` in the order of the items.

    ahead: how many items may be in work, or done and not asked for yet. Items are taken by other
        threads, one at a time, as results are asked for; with 1 nothing is taken or done ahead.

    What `items` or `work` raises comes where the result would have come, and ends it.
    """
    if ahead < 2:
        for item in items:
            yield work(item)
        return
    iterator = iter(items)
    room, turn, stopped = threading.Semaphore(ahead), threading.Lock(), threading.Event()
    results: SimpleQueue[Future[Result] | None] = SimpleQueue()

    def take_and_work() -> None:
        while True:
            room.acquire()
            with turn:
                if stopped.is_set():
                    return
                result: Future[Result] = Future()
                try:
                    item = next(iterator)
                except StopIteration:
                    stopped.set()
                    results.put(None)
                    return
                except BaseException as error:
                    stopped.set()
                    result.set_exception(error)
                    results.put(result)
                    return
                if stopped.is_set():  # while the item was waited for
                    return
                results.put(result)
            try:
                result.set_result(work(item))
            except BaseException as error:
                result.set_exception(error)
            del item, result  # or they would stay until there is room for the next ones

    # Daemons: an item that never comes must not keep the process from ending.
    for number in range(ahead):
        name = f"edgeocr-stream-{number}"
        threading.Thread(target=take_and_work, name=name, daemon=True).start()
    try:
        while (result := results.get()) is not None:
            value = result.result()
            room.release()
            yield value
    finally:
        stopped.set()
        room.release(ahead)
