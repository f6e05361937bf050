"""What a process holds while it reads many pictures, in windows that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """What the process held, and how fast it read, during a part of the soak.

    Attributes:
        pictures: How many pictures were read.
        rss: Median of the resident memory, in bytes.
        descriptors: The least number of open file descriptors: those that are never closed.
        threads: The least number of threads, of Python and of libraries.
        milliseconds: Median time of a picture.
    """

    pictures: int
    rss: float
    descriptors: int
    threads: int
    milliseconds: float

    def __str__(self) -> str:
        """Return the figures as a row of the table."""
        return (
            f"{self.pictures:8}  {self.rss / 1e6:6.0f}  {self.descriptors:11}  {self.threads:7}  "
            f"{self.milliseconds:9.1f}"
        )


def findings(windows: Sequence[Window], most_growth: float, most_drift: float) -> list[str]:
    """Say what the last window has more of than the first.

    Args:
        windows: The windows in their order.
        most_growth: The share by which resident memory may grow.
        most_drift: The share by which the median time of a picture may grow.

    Returns:
        A sentence for each finding.
    """
    if len(windows) < 2:
        return ["too few pictures were read to compare two windows: allow more time"]
    first, last = windows[0], windows[-1]
    found = []
    if last.rss > first.rss * (1 + most_growth):
        found.append(f"resident memory grew from {first.rss / 1e6:.0f} to {last.rss / 1e6:.0f} MB")
    for name in ("descriptors", "threads"):
        before, after = getattr(first, name), getattr(last, name)
        if after > before:
            found.append(f"the number of {name} grew from {before} to {after}")
    if last.milliseconds > first.milliseconds * (1 + most_drift):
        found.append(
            f"the median time of a picture grew from {first.milliseconds:.1f} to "
            f"{last.milliseconds:.1f} ms"
        )
    return found
