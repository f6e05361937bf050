"""Room that threads take and return, and the runs that wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..errors import GraphError, MemoryLimitError, is_memory_error

Result = TypeVar("Result")

# Seconds after which a thread looks again for room, because a KeyboardInterrupt can keep the thread
# that returns it from notifying.
POLL = 1.0


class Room:
    """A number of bytes of which threads take parts and return them.

    Attributes:
        total: Bytes in all.
    """

    def __init__(self, total: int) -> None:
        """Create room of `total` bytes."""
        self.total = total
        self._parts: dict[object, int] = {}
        self._lock = threading.RLock()
        self._change = threading.Condition(self._lock)

    @property
    def free(self) -> int:
        """Bytes that no thread has taken."""
        return self.total - sum(list(self._parts.values()))

    @contextmanager
    def taken(self, number: int) -> Iterator[None]:
        """Wait until `number` bytes are free, and keep them while the block runs.

        Args:
            number: Bytes, no more than `total`.
        """
        assert number <= self.total
        part = object()
        try:
            with self._lock:
                while self.free < number:
                    self._change.wait(POLL)
                self._parts[part] = number
            yield
        finally:
            # A single step: a KeyboardInterrupt must not keep the bytes from coming back.
            self._parts.pop(part, None)
            with self._lock:
                self._change.notify_all()


class RunAdmission:
    """The admission of one stage's runs, each of which starts when there is room for it."""

    def __init__(
        self, room: Room, bytes_per_pixel: int, refuse: Callable[[int], MemoryLimitError]
    ) -> None:
        """Create the admission of one stage.

        Args:
            room: Room that all stages share.
            bytes_per_pixel: Bytes that a run takes for each pixel of its input.
            refuse: Creates the error for a run that needs this many bytes.
        """
        self._room, self._bytes_per_pixel, self._refuse = room, bytes_per_pixel, refuse

    def run(self, pixels: int, extra_bytes: int, work: Callable[[], Result]) -> Result:
        """Wait for room, do a run and return its result.

        A run that fails because the arena was too fragmented is repeated once with the whole room.

        Args:
            pixels: Pixels of the run's input.
            extra_bytes: Bytes that preparing the input takes.
            work: Does the run.

        Raises:
            MemoryLimitError: There can never be room for the run.
        """
        needed = pixels * self._bytes_per_pixel + extra_bytes
        if needed > self._room.total:
            raise self._refuse(needed)
        try:
            with self._room.taken(needed):
                return work()
        except (GraphError, MemoryError) as error:
            if not is_memory_error(error):
                raise
        try:
            with self._room.taken(self._room.total):
                return work()
        except (GraphError, MemoryError) as error:
            if is_memory_error(error):
                raise self._refuse(max(needed, self._room.total * 5 // 4)) from error
            raise
