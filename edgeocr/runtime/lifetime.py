"""The time from opening to closing: uses by threads, forked children, the interpreter's end."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import inf
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from ..errors import ClosedError
from .forks import PerProcess


class Closable(Protocol):
    """Something that can be closed."""

    def close(self) -> None:
        """Free what it holds."""


Opened = TypeVar("Opened", bound=Closable)

# Seconds for which the interpreter's end waits for everything that is in use in daemon threads.
PATIENCE = 10.0
# Seconds after which closing looks again whether the uses have ended, because a KeyboardInterrupt
# can keep a thread from notifying.
POLL = 1.0


class Lifetime(Generic[Opened]):
    """Something that is open until it is closed, and that threads use in the meantime.

    Closing waits until nobody uses it any more. A forked child opens its own when it first needs
    it. Before the interpreter ends, what is open refuses further use and is closed: a daemon thread
    that is inside a native library at that time would abort the process.
    """

    def __init__(self, opened: Opened, reopen: Callable[[Opened], Opened], name: str) -> None:
        """Begin with what this process has opened.

        Args:
            opened: What is open.
            reopen: Opens the same in a forked child, given what the parent opened. It must not hold
                a reference to the owner of this object.
            name: What errors call it.
        """
        self._reopen, self._name = reopen, name
        self._newest = opened
        self._uses: PerProcess[_Uses[Opened]] = PerProcess(_Uses)
        self._closed = self._ending = False
        self._uses.get().opened = opened
        _open.add(self)
        _register()

    @contextmanager
    def using(self) -> Iterator[Opened]:
        """Keep it open while the block runs.

        Yields:
            What is open in this process.

        Raises:
            ClosedError: It is closed, or the interpreter is ending.
            EdgeOCRError: It can't be opened in a forked child.
        """
        uses, use = self._uses.get(), object()
        try:
            with uses.lock:
                opened = self._opened_in(uses)
                uses.threads[use] = threading.get_ident()
            yield opened
        finally:
            # A single step, which a KeyboardInterrupt can't divide and which needs no lock.
            uses.threads.pop(use, None)
            if self._closed:
                with uses.lock:
                    uses.change.notify_all()

    def opened(self) -> Opened:
        """Return what is open in this process, or what was last open if it is closed."""
        if self._closed:
            return self._newest
        uses = self._uses.get()
        with uses.lock:
            return self._opened_in(uses)

    def check(self) -> None:
        """Raise the error that `using` would raise."""
        uses = self._uses.get()
        with uses.lock:
            self._opened_in(uses)

    def close(self) -> None:
        """Refuse further use, wait until no other thread uses it, and close it.

        Closing again waits, too, and does nothing else.
        """
        self._closed = True
        self._close(inf)

    def end(self, deadline: float) -> None:
        """Close it before the interpreter ends, unless it is in use even after a deadline.

        Args:
            deadline: A time of `monotonic`.
        """
        self._closed = self._ending = True
        self._close(deadline)

    def _close(self, deadline: float) -> None:
        uses, thread = self._uses.get(), threading.get_ident()

        def others_are_done() -> bool:
            # A signal handler may close what the thread that it interrupts is using.
            return all(each == thread for each in list(uses.threads.values()))

        with uses.lock:
            while not others_are_done():
                left = deadline - monotonic()
                if left <= 0:
                    return
                uses.change.wait(min(left, POLL))
            if uses.opened is not None:
                opened, uses.opened = uses.opened, None
                opened.close()

    def _opened_in(self, uses: _Uses[Opened]) -> Opened:
        if self._closed:
            raise ClosedError(self._name, ending=self._ending)
        if uses.opened is None:
            uses.opened = self._newest = self._reopen(self._newest)
        return uses.opened


class _Uses(Generic[Opened]):
    """The use of a `Lifetime` in one process.

    Attributes:
        lock: Held to begin a use, and to open and close. A thread may take it again, so that a
            signal handler can close what the thread that it interrupts is opening.
        change: Notified when a use ends after closing has begun.
        opened: What this process has opened; None in a child before its first use.
        threads: The identifier of the thread of each use that has begun and not ended.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.change = threading.Condition(self.lock)
        self.opened: Opened | None = None
        self.threads: dict[object, int] = {}


_open: WeakSet[Lifetime[Any]] = WeakSet()


@cache
def _register() -> None:
    atexit.register(_end_all)


def _end_all() -> None:
    """Close whatever is still open, after all threads but daemons have ended."""
    deadline = monotonic() + PATIENCE
    for lifetime in list(_open):
        lifetime.end(deadline)
