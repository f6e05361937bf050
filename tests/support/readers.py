"""Readers that read nothing: they answer with pages and times that a test sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edgeocr.bench.cell_process import CellError
from edgeocr.results.lines import Line
from edgeocr.tuned.record import Candidate
from edgeocr.tuning.deadline import Deadline
from edgeocr.tuning.gate import Reference, References
from edgeocr.tuning.process import Outcome, Reader, ReadPage
from edgeocr.tuning.trial import Trial
from edgeocr.tuning.way import Way

CPU = Candidate("cpu", "fp32")
INT8 = Candidate("cpu", "int8")
GPU = Candidate("cuda", "fp32")


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def lines(*texts: str) -> list[Line]:
    """Lines below each other, with these texts."""
    corners = np.array([[0, 0], [100, 0], [100, 20], [0, 20]], np.float32)
    return [
        Line(text, 0.9, corners + np.array([0, 30 * row], np.float32))
        for row, text in enumerate(texts)
    ]


@dataclass
class FakeReader:
    """A reader that takes a time for each page and reads some texts.

    Attributes:
        ms: The milliseconds of a page, all of them of the stage "recognition".
        texts: What it reads in each picture.
        clock: Moved by each page.
        fails_after: The number of pages after which it fails; None for never.
        closed: Whether it was closed.
    """

    ms: float
    texts: Sequence[str] = ("one", "two")
    clock: Clock = field(default_factory=Clock)
    fails_after: int | None = None
    providers: Mapping[str, str] = field(default_factory=lambda: {"recognition": "cpu"})
    variants: Mapping[str, str] = field(default_factory=dict)
    threads: int = 2
    closed: bool = False
    pages: int = 0

    def read(self, indices: Sequence[int], patience: float) -> list[Outcome]:
        found: list[Outcome] = []
        for _ in indices:
            if self.pages == self.fails_after:
                raise CellError("the measuring process was killed by signal 11 SIGSEGV")
            self.pages += 1
            self.clock.seconds += self.ms / 1000
            found.append(ReadPage(lines(*self.texts), {"recognition": self.ms}, self.ms))
        return found

    def close(self) -> None:
        self.closed = True


def trial(
    reference: FakeReader,
    open_reader: Callable[[Way, float], Reader],
    seconds: float = 1000.0,
    clock: Clock | None = None,
) -> Trial:
    """A trial of a bundle with recognition alone, on two pictures."""
    usual = Reference.of(reference, 2)
    return Trial(
        open_reader,
        usual,
        {"recognition": CPU},
        [0, 1],
        1.0,
        None,
        Deadline(seconds, clock or reference.clock),
        lambda _: None,
        References(usual, lambda _: usual),
    )
