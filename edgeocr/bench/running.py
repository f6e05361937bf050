"""A cell that is being measured: its process, and what that has found out so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..accuracy.agreement import Agreement
from ..bundle.fields import parse
from ..bundle.manifest import Stage
from ..results.lines import Line
from .cell import (
    Accuracy,
    ColdStart,
    Measured,
    PictureFailure,
    StreamTurn,
    Taken,
    stream_throughput,
    throughput,
)
from .cell_process import STARTING_PATIENCE, CellProcess
from .readings import Reading
from .spread import Spread
from .sustained import Sustained
from .worker import REST, Request


class Running:
    """A cell's process and its figures.

    Every method raises `CellError` if the process fails.

    Attributes:
        process: The process.
        taken: What really runs in each stage.
        reading: What the pictures say, as they were read once before the rounds.
        peak_rss_bytes: The largest resident set of the process so far; None where it is unknown.
    """

    def __init__(self, request: Request, stages: Mapping[str, Stage]) -> None:
        """Start the process, which opens the bundle and reads its first picture.

        Args:
            request: What to open.
            stages: The bundle's stages, by name.
        """
        self.process = CellProcess(request)
        answer = self.process.answer
        start = parse(ColdStart, answer["cold_start_ms"])
        self._cold_start = ColdStart(
            round(self.process.start_ms, 1), start.importing, start.opening, start.first_page
        )
        self._threads: int = answer["threads"]
        self.taken = {
            name: Taken(provider, answer["variants"].get(name, stages[name].precision))
            for name, provider in answer["providers"].items()
        }
        self.reading: Reading = []
        self.peak_rss_bytes: int | None = None
        self._images = request.images
        self._reads_ms: list[list[float | None]] = [[] for _ in request.images]
        self._pages: list[dict[str, float]] = []
        self._stream: list[StreamTurn] = []
        self._joules: list[float | None] = []
        self._power_source: str | None = None

    def warm_up(self) -> None:
        """Run all stages on all input shapes."""
        self._warm_up_ms: float = self.process.ask("warm_up", STARTING_PATIENCE)["ms"]

    def read(self, on_page: Callable[[int], None] | None = None) -> None:
        """Read each picture once, before the rounds."""
        answer = self.process.ask("read", on_page=on_page)
        self.reading = [
            None if lines is None else [Line.from_dict(line) for line in lines]
            for lines in answer["lines"]
        ]
        self.peak_rss_bytes = answer["peak_rss_bytes"]

    def round(self, on_page: Callable[[int], None] | None = None) -> None:
        """Read each picture once, and keep the times."""
        answer = self.process.ask("round", on_page=on_page)
        for reads, stages in zip(self._reads_ms, answer["pages"], strict=True):
            reads.append(None if stages is None else round(sum(stages.values()), 3))
            if stages is not None:
                self._pages.append(stages)

    def stream(self, times: int, on_page: Callable[[int], None] | None = None) -> None:
        """Read the pictures as a stream.

        Args:
            times: How often to read each picture.
            on_page: Called with the number of pages so far.
        """
        answer = self.process.ask("stream", on_page=on_page, times=times)
        self._stream.append(StreamTurn(answer["pages"], answer["ms"]))
        self._joules.append(answer["joules"])
        self._power_source = answer["source"]

    def load(self, minutes: float, on_page: Callable[[int], None] | None = None) -> Sustained:
        """Read pictures without a pause for some minutes."""
        answer = self.process.ask("load", on_page=on_page, minutes=minutes)
        return parse(Sustained, answer)

    def measured(self, agreement: Agreement | None, accuracy: Accuracy | None) -> Measured:
        """Return the figures, when all rounds and streams are done.

        Args:
            agreement: How well the cell's reading agrees with the bundle's reference.
            accuracy: How well it agrees with labels.
        """
        last: dict[str, Any] = self.process.ask("figures")
        stages = dict.fromkeys(stage for page in self._pages for stage in page if stage != REST)
        pages = sum(turn.pages for turn in self._stream)
        joules = [each for each in self._joules if each is not None]
        metered = len(joules) == len(self._joules)
        return Measured(
            taken=self.taken,
            threads=self._threads,
            cold_start_ms=self._cold_start,
            warm_up_ms=self._warm_up_ms,
            page_ms=Spread.of([ms for reads in self._reads_ms for ms in reads if ms is not None]),
            stages_ms={
                stage: Spread.of([page.get(stage, 0.0) for page in self._pages])
                for stage in (*stages, REST)
            },
            reads_ms=self._reads_ms,
            pages_per_second=throughput(self._reads_ms),
            stream=self._stream,
            stream_pages_per_second=stream_throughput(self._stream),
            peak_rss_bytes=last["peak_rss_bytes"],
            gpu_bytes=last["gpu_bytes"],
            joules_per_page=round(sum(joules) / pages, 4) if metered else None,
            power_source=self._power_source if metered else None,
            lines=last["lines"],
            texts_sha256=last["texts_sha256"],
            same_each_time=last["same_each_time"],
            agreement=agreement,
            accuracy=accuracy,
            failed=[PictureFailure(self._images[i], error) for i, error in last["failed"]],
            sustained=None,
        )
