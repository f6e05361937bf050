"""A cell of the matrix that `edgeocr bench` measures: one bundle, run in one way.

The names of the fields are the keys of the result file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from ..accuracy.agreement import Agreement
from ..bundle.fields import Natural, Positive, Range, Share
from .spread import Milliseconds, Spread
from .sustained import Sustained

# The graphs that a cell is asked to run; "auto" leaves the choice to `OCR`.
Precision: TypeAlias = Literal["auto", "fp32", "int8", "fp16"]
PRECISIONS: tuple[Precision, ...] = ("auto", "fp32", "int8", "fp16")

# Why a cell has no figures: the combination means nothing or repeats another one, the process
# would not have fitted into memory, or it failed.
Why: TypeAlias = Literal["no meaning", "no memory", "failed"]


@dataclass(frozen=True)
class ColdStart:
    """The time from starting a process to the text of its first picture.

    Attributes:
        total: Milliseconds from starting the process to the end of the first page.
        importing: Milliseconds that importing edgeocr and ONNX Runtime takes.
        opening: Milliseconds that opening the bundle and its sessions takes.
        first_page: Milliseconds that reading the first picture takes.
    """

    total: Milliseconds
    importing: Milliseconds
    opening: Milliseconds
    first_page: Milliseconds


@dataclass(frozen=True)
class Taken:
    """What really runs in a stage.

    Attributes:
        provider: The execution provider.
        precision: The precision of the graph.
    """

    provider: str
    precision: str


@dataclass(frozen=True)
class StreamTurn:
    """Pictures that were read as one stream with `OCR.read_many`.

    Attributes:
        pages: The number of pages.
        ms: The milliseconds that they took together.
    """

    pages: Positive
    ms: Milliseconds


@dataclass(frozen=True)
class Accuracy:
    """How well labelled pictures were read.

    Attributes:
        pictures: The number of labelled pictures that were read.
        lines: The number of their labelled lines.
        detection_hmean: The Hmean of finding the lines, from 0 to 1.
        hmean: The Hmean of finding and reading the lines, from 0 to 1.
        cer: The character error rate: wrong characters per labelled character.
    """

    pictures: Natural
    lines: Natural
    detection_hmean: Share
    hmean: Share
    cer: Annotated[float, Range(0)]


@dataclass(frozen=True)
class Reference:
    """The reading with which the cells of a bundle are compared: fp32 graphs on the CPU.

    Exactly one of `lines` and `error` is None.

    Attributes:
        lines: The number of its lines, over all pictures.
        accuracy: How well it reads labelled pictures; None if no picture is labelled.
        error: Why there is no such reading.
    """

    lines: Natural | None
    accuracy: Accuracy | None
    error: str | None


@dataclass(frozen=True)
class PictureFailure:
    """A picture that one cell could not read.

    Attributes:
        image: The picture's file name.
        error: The reason.
    """

    image: str
    error: str


@dataclass(frozen=True)
class NotMeasured:
    """Why a cell has no figures.

    Attributes:
        why: "no meaning" if the combination means nothing or is the same as another one,
            "no memory" if the process would not have fitted, "failed" if it failed.
        reason: The reason in words.
    """

    why: Why
    reason: str


@dataclass(frozen=True)
class Measured:
    """What was measured in one cell.

    Times are wall time. Spreads are taken over all reads of all pictures.

    Attributes:
        taken: What really ran in each stage.
        threads: The number of CPU threads that were used.
        cold_start_ms: The cold start and its parts.
        warm_up_ms: Milliseconds of `OCR.warm_up`, which runs after the first page.
        page_ms: The spread of whole pages.
        stages_ms: The spread of each stage. A page that did not need a stage counts as 0 ms of it.
            The stage "rest" is the time of a page that no stage accounts for.
        reads_ms: For each picture and each round, the milliseconds of the read; None where it
            failed or was left out, because the picture had failed before.
        pages_per_second: Pages read one by one, per second.
        stream: The turns in which the pictures were read as a stream.
        stream_pages_per_second: Pages of all these turns, per second.
        peak_rss_bytes: The largest resident set of the process; None where it is unknown.
        gpu_bytes: GPU memory that the process holds after the last page; None where it is unknown.
        joules_per_page: Energy of the whole board or processor package per page of the stream;
            None without a sensor.
        power_source: The sensor that measured the energy; None without a sensor.
        lines: The number of lines read, over all pictures.
        texts_sha256: SHA-256 of the pictures' texts, which shows whether two devices read the same.
        same_each_time: Whether every read of a picture, also in the stream, gave the same text.
        agreement: How many lines are those of the bundle's reference; None without a reference.
        accuracy: How well labelled pictures were read; None if no picture is labelled.
        failed: The pictures that could not be read.
        sustained: How pages did under a sustained load; None if there was none.
    """

    taken: dict[str, Taken]
    threads: Positive
    cold_start_ms: ColdStart
    warm_up_ms: Milliseconds
    page_ms: Spread
    stages_ms: dict[str, Spread]
    reads_ms: list[list[Milliseconds | None]]
    pages_per_second: Annotated[float, Range(0)]
    stream: list[StreamTurn]
    stream_pages_per_second: Annotated[float, Range(0)]
    peak_rss_bytes: Natural | None
    gpu_bytes: Natural | None
    joules_per_page: Annotated[float, Range(0)] | None
    power_source: str | None
    lines: Natural
    texts_sha256: str
    same_each_time: bool
    agreement: Agreement | None
    accuracy: Accuracy | None
    failed: list[PictureFailure]
    sustained: Sustained | None

    @property
    def times_ms(self) -> list[list[float]]:
        """For each picture the milliseconds of its successful reads, in the order of the rounds."""
        return [[ms for ms in reads if ms is not None] for reads in self.reads_ms]


@dataclass(frozen=True)
class Combination:
    """A bundle, and one way to run it.

    Attributes:
        bundle: The bundle's name in `BenchResult.bundles`.
        provider: The execution provider that was asked for, or "auto".
        precision: The precision that was asked for, or "auto".
        threads: The CPU threads that were asked for; None for the default.
    """

    bundle: str
    provider: str
    precision: Precision
    threads: Positive | None


@dataclass(frozen=True)
class Cell(Combination):
    """A combination of bundle, execution provider, precision and threads, and its figures.

    Exactly one of `measured` and `not_measured` is None.

    Attributes:
        measured: What was measured.
        not_measured: Why nothing was measured.
    """

    measured: Measured | None
    not_measured: NotMeasured | None


def names_of(cells: Sequence[Combination]) -> list[str]:
    """Return a name for each cell, which says in what it differs from the others."""
    bundles = len({cell.bundle for cell in cells}) > 1
    precisions = len({cell.precision for cell in cells}) > 1
    threads = len({cell.threads for cell in cells}) > 1
    names = []
    for cell in cells:
        words = [cell.bundle] * bundles + [cell.provider] + [cell.precision] * precisions
        if threads:
            words.append(f"{cell.threads or 'default'} thread{'s' * (cell.threads != 1)}")
        names.append(" ".join(words))
    return names


def throughput(reads_ms: Sequence[Sequence[float | None]]) -> float:
    """Return the pages per second of pages that were read one by one.

    Args:
        reads_ms: The milliseconds of each picture and round, of which at least one isn't None.
    """
    times = [ms for reads in reads_ms for ms in reads if ms is not None]
    return round(1000 * len(times) / max(sum(times), 1e-3), 3)


def stream_throughput(turns: Sequence[StreamTurn]) -> float:
    """Return the pages per second of one or more turns of a stream."""
    pages, ms = sum(turn.pages for turn in turns), sum(turn.ms for turn in turns)
    return round(1000 * pages / max(ms, 1e-3), 3)
