"""The places of a service: how many requests it holds at a time.

A request takes a place before its body is read, and frees it when the reader is done with it. So
memory is bounded by the number of places times the largest body.
"""

from __future__ import annotations

import math
from collections import deque

from .errors import BusyError

# The reading times from which the next one is estimated.
REMEMBERED = 32
# The longest time, in seconds, after which a client is asked to come back.
LONGEST_WAIT = 120


class Places:
    """A number of places.

    Attributes:
        queue: How many requests may wait while others are read.
        at_once: How many are read at a time; 0 while no reader has been ready.
        taken: How many places are taken.
    """

    def __init__(self, queue: int) -> None:
        """Create places, all of them free."""
        self.queue = queue
        self.at_once = 0
        self.taken = 0
        self._seconds: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def number(self) -> int:
        """How many places there are."""
        # A service with no places to wait still takes a request while its reader starts.
        return max(1, self.queue + self.at_once)

    def take(self) -> Place:
        """Take a place.

        Raises:
            BusyError: None is free.
        """
        if self.taken >= self.number:
            raise BusyError(self.number, self.seconds_until_free())
        return Place(self)

    def record(self, seconds: float) -> None:
        """Remember how long reading a request took."""
        self._seconds.append(seconds)

    def seconds_until_free(self) -> int:
        """Estimate after how many seconds those that wait now have been read."""
        mean = sum(self._seconds) / len(self._seconds) if self._seconds else 1.0
        rounds = self.taken / max(1, self.at_once)
        return min(LONGEST_WAIT, max(1, math.ceil(mean * rounds)))


class Place:
    """A place that is taken until it is freed."""

    def __init__(self, places: Places) -> None:
        """Take the place."""
        self._places: Places | None = places
        places.taken += 1

    def free(self) -> None:
        """Free the place; again, this does nothing."""
        if self._places is not None:
            self._places.taken -= 1
            self._places = None
