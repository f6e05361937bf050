"""A pool of threads that do many small pieces of work side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..errors import ClosedError

Item = TypeVar("Item")
Result = TypeVar("Result")

# What errors call a pool.
NAME = "the thread pool"


class ThreadPool:
    """Threads that start when they are first needed. Safe to share between threads.

    Attributes:
        threads: Number of threads.
    """

    def __init__(self, threads: int) -> None:
        """Make a pool, without starting any thread.

        Args:
            threads: Number of threads, at least 1. A single thread is the caller's own.
        """
        self.threads = threads
        self._executor: ThreadPoolExecutor | None = None
        self._closed = False
        self._lock = threading.RLock()  # a signal handler may close what it interrupts

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> Iterable[Result]:
        """Do the work for each item.

        Args:
            work: What to do, in one of the threads; in the calling thread if there is a single
                thread or a single item.
            items: The items. They are begun in their order, so put the longest first.

        Returns:
            The results in the order of the items. An error is raised in place of its result.

        Raises:
            ClosedError: The pool is closed, or the interpreter is ending.
        """
        with self._lock:
            if self._closed:
                raise ClosedError(NAME)
            if self.threads == 1 or len(items) < 2:
                return map(work, items)
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="edgeocr")
            try:
                return self._executor.map(work, items)
            except RuntimeError:  # a pool that isn't shut down refuses work for no other reason
                raise ClosedError(NAME, ending=True) from None

    def close(self) -> None:
        """Wait for the work that has begun, and end the threads. Closing again does nothing."""
        with self._lock:
            self._closed = True
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()


def all_of(work: Mapping[str, Callable[[], Result]], threads: int) -> dict[str, Result]:
    """Do a few pieces of work, side by side in threads that end with them.

    Args:
        work: The pieces by name.
        threads: The most threads; 1 for the caller's own.

    Returns:
        What each piece returns, by name. If some fail, the error of the first one is raised once
        all have ended.
    """
    if threads == 1 or len(work) < 2:
        return {name: each() for name, each in work.items()}
    with ThreadPoolExecutor(min(threads, len(work)), thread_name_prefix="edgeocr-open") as executor:
        begun = {name: executor.submit(each) for name, each in work.items()}
    return {name: each.result() for name, each in begun.items()}
