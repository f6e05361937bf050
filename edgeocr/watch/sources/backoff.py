"""How long to wait before a source is opened again."""

from __future__ import annotations

import random

# The first and the longest wait, in seconds; each wait is twice as long as the one before.
FIRST, MOST = 0.5, 30.0
# Each wait is made longer or shorter by up to this share, so that watches of many cameras that
# dropped at the same time don't all try again at the same moment.
JITTER = 0.2


class Backoff:
    """The waits between attempts."""

    def __init__(self) -> None:
        """Begin with the shortest wait."""
        self._next = FIRST

    def reset(self) -> None:
        """Begin again with the shortest wait, because an attempt has succeeded."""
        self._next = FIRST

    def seconds(self) -> float:
        """Return how many seconds to wait before the next attempt."""
        wait, self._next = self._next, min(MOST, 2 * self._next)
        return wait * random.uniform(1 - JITTER, 1 + JITTER)
