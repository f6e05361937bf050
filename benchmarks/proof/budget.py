"""The time budget: each claim gets a share of the time that is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TypeAlias

# Seconds below which a claim isn't begun.
LEAST_S = 3.0

Clock: TypeAlias = Callable[[], float]


@dataclass(frozen=True)
class Share:
    """The time that a claim may take.

    Attributes:
        seconds: How long that is.
        end: When it ends, by the clock.
        clock: Returns the time in seconds.
    """

    seconds: float
    end: float
    clock: Clock

    @property
    def left(self) -> float:
        """The seconds that are left; 0 when the time is over."""
        return max(0.0, self.end - self.clock())

    @property
    def enough(self) -> bool:
        """Whether it makes sense to begin with a claim."""
        return self.left >= LEAST_S

    def part(self, number: int) -> Share:
        """Return an equal part of what is left.

        Args:
            number: Into how many parts to divide it.
        """
        seconds = self.left / max(1, number)
        return Share(seconds, self.clock() + seconds, self.clock)


class Budget:
    """The time for all claims. What a claim leaves goes to those after it."""

    def __init__(self, seconds: float, weights: dict[str, float], clock: Clock = monotonic) -> None:
        """Begin now.

        Args:
            seconds: The time for all claims.
            weights: How much time each claim needs, relative to the others; 0 for a claim that
                only looks at what others have measured.
            clock: Returns the time in seconds.
        """
        self._end, self._clock = clock() + seconds, clock
        self._weights = dict(weights)

    @property
    def whole(self) -> Share:
        """All the time that is left."""
        left = max(0.0, self._end - self._clock())
        return Share(left, self._end, self._clock)

    def share(self, claim: str) -> Share:
        """Return the share of a claim, which counts as done from then on.

        Args:
            claim: One of the names in `weights`, which has not had its share yet.
        """
        left = max(0.0, self._end - self._clock())
        weight = self._weights.pop(claim)
        rest = sum(self._weights.values())
        seconds = left * weight / (weight + rest) if weight else 0.0
        return Share(seconds, self._clock() + seconds, self._clock)
