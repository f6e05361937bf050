"""The threads that do many small pieces of work side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """`threads` threads, which start when first needed. Safe to share by threads."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> Iterable[Result]:
        """The results in the items' order. Items start in their order, so put the longest first."""
        if self.threads == 1 or len(items) < 2:
            return map(work, items)
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="edgeocr")
        return self._pool.map(work, items)
