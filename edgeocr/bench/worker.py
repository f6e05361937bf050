"""The measuring process of `edgeocr bench`, which measures one provider.

The process reads one request as a JSON object from standard input and writes messages to standard
output, one JSON object per line: `{"first_page": true}`, `{"read": 7, "of": 60}`, and at the end
`{"measured": …}` or `{"error": "the reason"}`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from ..bundle.fields import parse
from ..errors import EdgeOCRError
from .process_memory import gpu_bytes, peak_rss_bytes
from .provider_result import (
    ColdStart,
    PictureFailure,
    ProviderResult,
    Spread,
    Temperatures,
    ThrottlingChange,
)
from .settings import Settings

if TYPE_CHECKING:
    from ..images import Source
    from ..ocr import OCR
    from ..page import Page

# The name under which the time that no stage accounts for is recorded, like a stage.
REST = "rest"

Message: TypeAlias = Mapping[str, Any]
Send: TypeAlias = Callable[[Message], None]


@dataclass(frozen=True)
class Request:
    """What the measuring process is asked to do.

    Attributes:
        provider: The execution provider, for example "cuda".
        bundle: Path of the bundle; None for the one in the package.
        settings: The other arguments of `OCR`.
        images: Paths of the pictures.
        repeat: How often each picture is read one by one, and again in a stream.
        first: Path of the picture whose text ends the cold start.
    """

    provider: str
    bundle: str | None
    settings: Settings
    images: list[str]
    repeat: int
    first: str

    def to_json(self) -> str:
        """Return the request as the measuring process reads it."""
        return json.dumps(asdict(self))


def main() -> int:
    """Serve the request on standard input and return the exit code."""
    # Libraries print to file descriptor 1. The messages get a copy of it, and whatever libraries
    # print goes to the log on standard error.
    with os.fdopen(os.dup(1), "w", encoding="ascii") as channel:
        os.dup2(2, 1)

        def send(message: Message) -> None:
            channel.write(json.dumps(message) + "\n")
            channel.flush()

        try:
            request = parse(Request, json.loads(sys.stdin.read()))
            send({"measured": measure(request, send).to_dict()})
        except EdgeOCRError as error:
            send({"error": str(error)})
        except Exception:
            traceback.print_exc()
            return 1
    return 0


def measure(request: Request, send: Send) -> ProviderResult:
    """Measure one provider: open the bundle, warm up, read one by one, then read as a stream.

    Args:
        request: What to measure.
        send: Takes the messages about the progress.

    Returns:
        What was measured. The total of the cold start is the sum of its parts; only the parent
        process knows when this process was started.

    Raises:
        EdgeOCRError: If the bundle or the provider does not work, or no picture can be read.
    """
    cold_start, ocr = _start(request)
    send({"first_page": True})

    from ..device import machine, power

    began = perf_counter()
    ocr.warm_up()
    warm_up = perf_counter() - began

    reads = _Reads(request)
    temperatures, throttling = [machine.temperature_c()], [machine.throttling()]
    with power.PowerMeter() as meter:
        seconds = reads.one_by_one(ocr.read, send)
    temperatures.append(machine.temperature_c())
    throttling.append(machine.throttling())
    streamed, stream_seconds = reads.stream(ocr.read_many)
    pages = [page for own in reads.pages for page in own]
    stages = dict.fromkeys(stage for page in pages for stage in page if stage != REST)
    texts = [own[0] for own in reads.texts if own]
    return ProviderResult(
        cold_start_ms=cold_start,
        warm_up_ms=round(warm_up * 1000, 1),
        page_ms=Spread.of([sum(page.values()) for page in pages]),
        stages_ms={
            stage: Spread.of([page.get(stage, 0.0) for page in pages]) for stage in (*stages, REST)
        },
        reads_ms=[[round(sum(page.values()), 3) for page in own] for own in reads.pages],
        pages_per_second=round(len(pages) / seconds, 3),
        stream_pages_per_second=round(streamed / stream_seconds, 3),
        peak_rss_bytes=peak_rss_bytes(),
        gpu_bytes=None if request.provider == "cpu" else gpu_bytes(),
        joules_per_page=None if meter.joules is None else round(meter.joules / len(pages), 4),
        power_source=meter.source,
        temperature_c=Temperatures(*temperatures),
        throttling=ThrottlingChange(*throttling),
        lines=sum(reads.lines),
        # A line cannot contain a form feed, so different lists of texts have different digests.
        texts_sha256=hashlib.sha256("\f".join(texts).encode("utf-8")).hexdigest(),
        same_each_time=all(len(set(own)) < 2 for own in reads.texts),
        providers=dict(ocr.providers),
        failed=[
            PictureFailure(request.images[index], error)
            for index, error in sorted(reads.failed.items())
        ],
        variants=dict(ocr.variants),
    )


def _start(request: Request) -> tuple[ColdStart, OCR]:
    """Import, open and read the first picture, and time each part."""
    began = perf_counter()
    from ..runtime.onnx_runtime import import_onnxruntime

    import_module("edgeocr.ocr")  # now, so that opening does not include it
    import_onnxruntime()
    imported = perf_counter()
    ocr = request.settings.open(request.bundle, request.provider)
    opened = perf_counter()
    ocr.read(request.first)
    read = perf_counter()
    parts = (imported - began, opened - imported, read - opened)
    importing, opening, first_page = (round(seconds * 1000, 1) for seconds in parts)
    return ColdStart(sum(parts) * 1000, importing, opening, first_page), ocr


class _Reads:
    """The reads of all pictures: the times of their stages, their texts and failures.

    Attributes:
        pages: For each picture and each successful read, the milliseconds of the stages.
        texts: For each picture, the text of each successful read.
        lines: For each picture, the number of lines.
        failed: The reason why a picture could not be read, by the picture's index.
    """

    def __init__(self, request: Request) -> None:
        self._images = request.images
        self._repeat = request.repeat
        self.pages: list[list[dict[str, float]]] = [[] for _ in request.images]
        self.texts: list[list[str]] = [[] for _ in request.images]
        self.lines = [0] * len(request.images)
        self.failed: dict[int, str] = {}

    def one_by_one(self, read: Callable[[Source], Page], send: Send) -> float:
        """Read all pictures in turn, as often as requested.

        Args:
            read: `OCR.read`.
            send: Takes a message after each page.

        Returns:
            The seconds that the pages took.

        Raises:
            EdgeOCRError: If no picture can be read.
        """
        total = 0.0
        for number in range(self._repeat * len(self._images)):
            index = number % len(self._images)
            if index in self.failed:
                continue
            start = perf_counter()
            try:
                page = read(self._images[index])
            except EdgeOCRError as error:
                self.failed[index] = str(error)
                continue
            seconds = perf_counter() - start
            total += seconds
            counted = sum(page.milliseconds.values())
            # The clock is read at slightly different moments, so the rest may come out negative.
            rest = max(0.0, seconds * 1000 - counted)
            self.pages[index].append({**page.milliseconds, REST: rest})
            self.texts[index].append(page.text)
            self.lines[index] = len(page.lines)
            send({"read": number + 1, "of": self._repeat * len(self._images)})
        if not any(self.pages):
            raise EdgeOCRError(self.failed[min(self.failed)])
        return total

    def stream(
        self, read_many: Callable[[Sequence[Source]], Iterable[Page | EdgeOCRError]]
    ) -> tuple[int, float]:
        """Read the same pictures as often again, as one stream.

        Args:
            read_many: `OCR.read_many`.

        Returns:
            The number of pages and the seconds that they took.
        """
        readable = [index for index in range(len(self._images)) if index not in self.failed]
        order = readable * self._repeat
        pages, start = 0, perf_counter()
        results = read_many([self._images[index] for index in order])
        for index, page in zip(order, results, strict=True):
            if isinstance(page, EdgeOCRError):
                self.failed[index] = str(page)
            else:
                pages += 1
                self.texts[index].append(page.text)
        return pages, perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
