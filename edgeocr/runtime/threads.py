"""Threads that do many small pieces of work side by side, on no more cores than they are given."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from ..errors import ClosedError

Raw = TypeVar("Raw")
Item = TypeVar("Item")
Result = TypeVar("Result")

# What errors call a pool.
NAME = "the thread pool"


class ThreadPool:
    """A number of cores that callers share, and threads that help where a core is free.

    Whoever has several pieces of work does them in its own thread, one after the other. Threads of
    the pool take pieces from the same list only while fewer threads work than the pool has cores.
    So one page is shared by all cores, and as many pages as cores are read one in each thread,
    without handing work over and waiting for it.

    Helpers start when they are first needed. Threads may share a pool.

    Attributes:
        threads: Number of threads that work at a time, the callers' own among them.
    """

    def __init__(self, threads: int) -> None:
        """Make a pool, without starting any thread.

        Args:
            threads: Number of threads that work at a time, at least 1.
        """
        self.threads = threads
        self._executor: ThreadPoolExecutor | None = None
        self._closed = False
        self._lock = threading.RLock()  # a signal handler may close what it interrupts
        # All that follows is changed in single steps of the interpreter, without the lock: a helper
        # that waited for it would hang while a signal handler, which has it, waits for the helper.
        self._callers: set[int] = set()  # the identifiers of the threads with work of their own
        self._helpers: set[object] = set()  # one for each helper that is at work
        self._shared: list[_Work[Any, Any]] = []  # what helpers may take pieces of, in order

    @property
    def is_full(self) -> bool:
        """Whether no core is free, because as many callers work as there are cores."""
        return len(self._callers) >= self.threads

    @contextmanager
    def working(self) -> Iterator[None]:
        """Let the calling thread count as one that keeps a core busy while the block runs."""
        thread = threading.get_ident()
        if thread in self._callers:
            yield
            return
        try:
            self._callers.add(thread)
            yield
        finally:
            self._callers.discard(thread)
            self._call_helpers()

    @contextmanager
    def resting(self) -> Iterator[Callable[[], None]]:
        """Leave the core of the calling thread to helpers while the thread waits for something.

        Yields:
            A function to call as soon as the thread goes on with its work.
        """
        thread = threading.get_ident()
        counted = thread in self._callers

        def resume() -> None:
            if counted:
                self._callers.add(thread)

        try:
            self._callers.discard(thread)
            self._call_helpers()
            yield resume
        finally:
            resume()

    def map(self, work: Callable[[Item], Result], items: Sequence[Item]) -> Iterable[Result]:
        """Do the work for each item.

        Args:
            work: What to do, in the calling thread and in helpers.
            items: The items. They are begun in their order, so put the longest first.

        Returns:
            The results in the order of the items. An error is raised in place of its result, and
            keeps the items that have not begun from being done.

        Raises:
            ClosedError: The pool is closed, or the interpreter is ending.
        """
        if self._closed:
            raise ClosedError(NAME)
        if self.threads == 1 or len(items) < 2:
            return map(work, items)
        shared = _Work(work)
        shared.add(items)
        with self._sharing(shared):
            self._call_helpers(raises=True)
            shared.do_all()
        return shared.results()

    def map_prepared(
        self,
        work: Callable[[Item], Result],
        raw: Sequence[Raw],
        prepare: Callable[[Raw], Item],
    ) -> Iterable[Result]:
        """Prepare items in the calling thread, and do the work for each of them.

        Helpers begin with the items that are ready while the calling thread prepares the others. It
        takes items itself once it has prepared all.

        Args:
            work: What to do, in the calling thread and in helpers.
            raw: What the items are made from. They are begun in this order, as for `map`.
            prepare: Makes an item, in the calling thread.

        Returns:
            The results as `map` returns them. An error of `prepare` is raised by this call.

        Raises:
            ClosedError: The pool is closed, or the interpreter is ending.
        """
        if self.threads == 1 or len(raw) < 2:
            return self.map(work, [prepare(each) for each in raw])
        if self._closed:
            raise ClosedError(NAME)
        shared = _Work(work)
        with self._sharing(shared):
            try:
                for each in raw:
                    shared.add([prepare(each)])
                    self._call_helpers(raises=True)
            except BaseException:
                shared.give_up()
                raise
            shared.do_all()
        return shared.results()

    def close(self) -> None:
        """Wait for the work that helpers have begun, and end them. Closing again does nothing."""
        with self._lock:
            self._closed = True
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()

    @contextmanager
    def _sharing(self, shared: _Work[Any, Any]) -> Iterator[None]:
        """Let helpers take part in the calling thread's work while the block runs."""
        with self.working():
            try:
                self._shared.append(shared)
                yield
            finally:
                with suppress(ValueError):
                    self._shared.remove(shared)

    def _call_helpers(self, *, raises: bool = False) -> None:
        """Let a helper work on each core that is free, as far as there is work.

        Args:
            raises: Raise an error if the interpreter is ending, instead of doing without helpers.

        Raises:
            ClosedError: The pool is closed, or the interpreter is ending.
        """
        wanted = min(sum(each.left for each in list(self._shared)), self._free_cores())
        if wanted < 1:
            return
        with self._lock:
            if self._closed:
                if raises:
                    raise ClosedError(NAME)
                return
            if (executor := self._executor) is None:
                executor = ThreadPoolExecutor(self.threads, thread_name_prefix="edgeocr")
                self._executor = executor
            for _ in range(wanted):
                helper = object()
                self._helpers.add(helper)
                try:
                    executor.submit(self._help, helper)
                except RuntimeError:  # a signal handler closed the pool, or the interpreter ends
                    self._helpers.discard(helper)
                    if raises:
                        raise ClosedError(NAME, ending=not self._closed) from None
                    return

    def _free_cores(self) -> int:
        return self.threads - len(self._callers) - len(self._helpers)

    def _help(self, helper: object) -> None:
        """Do pieces of work while there are some, and a core for this thread."""
        while True:
            while self._free_cores() >= 0:
                if not any(each.do_one() for each in list(self._shared)):
                    break
            self._helpers.discard(helper)
            # Work that was added before the line above has counted on this helper.
            if self._free_cores() < 1 or not any(each.left for each in list(self._shared)):
                return
            self._helpers.add(helper)


def all_of(work: Mapping[str, Callable[[], Result]], threads: int) -> dict[str, Result]:
    """Do a few pieces of work, side by side in threads that end with them.

    Where no thread can be started, as while the interpreter ends, the calling thread does the work.

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
        results: dict[str, Callable[[], Result]] = {}
        for name, each in work.items():
            try:
                results[name] = executor.submit(each).result
            except RuntimeError:
                results[name] = each
    return {name: result() for name, result in results.items()}


class _Work(Generic[Item, Result]):
    """Items that several threads work on."""

    def __init__(self, work: Callable[[Item], Result]) -> None:
        self._work = work
        self._items: list[Item] = []
        self._waiting: deque[int] = deque()
        self._results: dict[int, Result] = {}
        self._errors: dict[int, BaseException] = {}
        self._helped: SimpleQueue[None] = SimpleQueue()

    @property
    def left(self) -> int:
        """The number of items that no thread has begun."""
        return len(self._waiting)

    def add(self, items: Sequence[Item]) -> None:
        """Add items, behind those that were added before."""
        first = len(self._items)
        self._items += items
        self._waiting.extend(range(first, len(self._items)))

    def do_one(self) -> bool:
        """Do the next item in a helper, and return whether there was one."""
        try:
            i = self._waiting.popleft()
        except IndexError:
            return False
        try:
            self._do(i)
        finally:
            self._helped.put(None)
        return True

    def do_all(self) -> None:
        """Do items in the calling thread until none is left, and wait for those of helpers."""
        own = 0
        with suppress(IndexError):
            while True:
                i = self._waiting.popleft()
                own += 1
                self._do(i)
        for _ in range(len(self._items) - own):
            self._helped.get()

    def give_up(self) -> None:
        """Drop the items that no thread has begun, and wait for those of helpers."""
        dropped = 0
        with suppress(IndexError):
            while True:
                self._waiting.popleft()
                dropped += 1
        for _ in range(len(self._items) - dropped):
            self._helped.get()

    def results(self) -> Iterator[Result]:
        """Yield the results in the order of the items; raise an error in place of its result."""
        for i in range(len(self._items)):
            if (error := self._errors.get(i)) is not None:
                # An error keeps the frames that it passed, and they keep this object and the items.
                self._errors.clear()
                try:
                    raise error
                finally:
                    del error
            yield self._results.pop(i)

    def _do(self, i: int) -> None:
        # Items are begun in their order, but another thread may have failed at a later one since.
        if any(failed < i for failed in list(self._errors)):
            return
        try:
            self._results[i] = self._work(self._items[i])
        except BaseException as error:
            self._errors[i] = error
