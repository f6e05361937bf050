"""The time that a tuning may take."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

NO_TIME = "not measured: no time left"


class Deadline:
    """The end of a time that began when the object was made."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        """Begin.

        Args:
            seconds: The time that there is.
            clock: Returns the present time in seconds.
        """
        self.seconds = seconds
        self.clock = clock
        self._began = clock()

    @property
    def used(self) -> float:
        """The seconds that have passed."""
        return self.clock() - self._began

    @property
    def left(self) -> float:
        """The seconds that are left, which may be negative."""
        return self.seconds - self.used
