"""A stopwatch for the stages of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Wall time of named stages.

    Attributes:
        milliseconds: Stage → milliseconds, in the order in which the stages first ended.
    """

    def __init__(self) -> None:
        """Start with no stages."""
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage, unless the block raises."""
        start = perf_counter()
        yield
        self.add(stage, perf_counter() - start)

    def add(self, stage: str, seconds: float) -> None:
        """Add seconds to a stage."""
        self.milliseconds[stage] = self.milliseconds.get(stage, 0.0) + seconds * 1000

    def share(self, seconds: float, work: Mapping[str, float]) -> None:
        """Divide wall time among stages that several threads worked on at once.

        Args:
            seconds: The wall time.
            work: Stage → seconds that all threads together spent on it. Each stage gets a part of
                the wall time in proportion.
        """
        total = sum(work.values())
        for stage, part in work.items():
            self.add(stage, seconds * part / total if total else 0.0)
