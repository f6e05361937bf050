"""What a forked process can't use of its parent: locks, threads and sessions.

`fork` copies the memory of a process but only the thread that calls it. In the child, a lock that
another thread held stays locked, a pool has no threads, and a session waits for ever for threads
that it believes to have. So whatever holds one of these notes the process that made it, and a child
makes its own. The process id tells them apart; hooks of `os.register_at_fork` would not, because
programs such as uWSGI fork without Python's knowledge.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


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
