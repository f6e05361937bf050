"""What a forked process can't use of its parent: locks, threads and sessions.

`fork` copies the memory of a process but only the thread that calls it. In the child, a lock that
another thread held stays locked, a pool has no threads, and a session waits for ever for threads
that it believes to have. So whatever holds one of these notes the process that made it, and a child
makes its own. The process id tells them apart; hooks of `os.register_at_fork` would not, because
programs such as uWSGI fork without Python's knowledge. The exception is a lock inside
a native library, which a child can't replace: a hook lets forks wait until no thread holds it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from time import monotonic, sleep
from typing import Generic, TypeVar

Value = TypeVar("Value")

# The most seconds that a fork waits for threads in `forks_wait`. A session on the CPU opens in less
# than a second; a TensorRT engine may take minutes.
PATIENCE = 10.0
# Seconds between two looks at these threads.
POLL = 0.002


class PerProcess(Generic[Value]):
    """A value that each process makes for itself when it first asks. Threads may share it."""

    def __init__(self, make: Callable[[], Value]) -> None:
        """Store how the value is made; it is made when a process first asks for it.

        Args:
            make: Makes a process's value, quickly and without any effect: if two threads ask at
                the same moment, one of their values is thrown away.
        """
        self._make = make
        self._values: dict[int, Value] = {}

    def get(self) -> Value:
        """Return the value of this process."""
        pid = os.getpid()
        try:
            return self._values[pid]
        except KeyError:
            # `setdefault` is a single step of the interpreter, so that all threads get one value.
            return self._values.setdefault(pid, self._make())


class ProcessLock:
    """A lock between the threads of one process; in a forked child, nobody holds it at first."""

    def __init__(self) -> None:
        """Create the lock, which nobody holds."""
        self._lock = PerProcess(threading.Lock)

    def __enter__(self) -> None:
        """Wait for the lock and take it."""
        self._lock.get().acquire()

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        self._lock.get().release()


@contextmanager
def forks_wait() -> Iterator[None]:
    """Let forks of this process wait until the block has ended, for at most `PATIENCE` seconds.

    It is for calls into a native library that hold a lock of the library's own. Threads may be in
    such blocks side by side. A fork by the thread that is in the block, from a signal handler, does
    not wait, and neither does one that Python doesn't know of.
    """
    _register()
    blocks, block = _blocks.get(), object()
    try:
        with blocks.entering:
            blocks.threads[block] = threading.get_ident()
        yield
    finally:
        blocks.threads.pop(block, None)


class _Blocks:
    """The blocks of `forks_wait` that threads of one process are in.

    Attributes:
        entering: Held to enter a block, and by a fork, so that no thread enters one meanwhile.
        threads: The identifier of the thread in each block.
    """

    def __init__(self) -> None:
        self.entering = threading.RLock()
        self.threads: dict[object, int] = {}


_blocks = PerProcess(_Blocks)


@cache
def _register() -> None:
    if hasattr(os, "register_at_fork"):
        # A forked child has blocks of its own, which no thread is in.
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork)


def _before_fork() -> None:
    blocks, own, deadline = _blocks.get(), threading.get_ident(), monotonic() + PATIENCE
    blocks.entering.acquire()
    while any(each != own for each in list(blocks.threads.values())) and monotonic() < deadline:
        sleep(POLL)


def _after_fork() -> None:
    _blocks.get().entering.release()


def free_in_own_process(held: list[object], pid: int) -> None:
    """Drop what a list holds; in another process than the one that made it, keep it for ever.

    To free a session, ONNX Runtime waits for the session's threads. A forked child has none of
    them, so it would hang, or crash.

    Args:
        held: The objects, which are taken out of the list.
        pid: The process that made them.
    """
    if os.getpid() != pid:
        import ctypes

        for each in held:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))
    held.clear()
