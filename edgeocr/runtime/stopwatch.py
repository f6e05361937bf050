"""Wall time of named stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Wall time of named stages in milliseconds, in the order in which they first ran."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        start = perf_counter()
        yield
        self.add(stage, perf_counter() - start)

    def add(self, stage: str, seconds: float) -> None:
        """Add to a stage."""
        self.milliseconds[stage] = self.milliseconds.get(stage, 0.0) + seconds * 1000

    def share(self, seconds: float, work: Mapping[str, float]) -> None:
        """Add wall time in which several threads did the work of several stages, to each stage as
        much as it had of the threads' time.
        """
        total = sum(work.values())
        for stage, part in work.items():
            self.add(stage, seconds * part / total if total else 0.0)
