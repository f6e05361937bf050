"""The spread of a list of times: their minimum and three percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from ..bundle.fields import Range

# A time in milliseconds, as results record it.
Milliseconds: TypeAlias = Annotated[float, Range(0)]

# Names of the percentiles and the share of the values that lies below each.
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True)
class Spread:
    """The minimum and three percentiles of a list of times.

    Attributes:
        min: The shortest time in milliseconds.
        p50: The median in milliseconds.
        p90: The 90th percentile in milliseconds.
        p99: The 99th percentile in milliseconds.
    """

    min: Milliseconds
    p50: Milliseconds
    p90: Milliseconds
    p99: Milliseconds

    @classmethod
    def of(cls, times: Sequence[float]) -> Spread:
        """Compute the spread of one or more times.

        A percentile between two values is interpolated linearly, as `numpy.percentile` does it.

        Args:
            times: At least one time in milliseconds.

        Returns:
            The spread, rounded to a thousandth of a millisecond.
        """
        ordered = sorted(times)
        percentiles = {}
        for name, share in PERCENTILES.items():
            position = share * (len(ordered) - 1)
            low = int(position)
            high = min(low + 1, len(ordered) - 1)
            value = ordered[low] + (ordered[high] - ordered[low]) * (position - low)
            percentiles[name] = round(value, 3)
        return cls(min=round(ordered[0], 3), **percentiles)
