"""The measuring process of `edgeocr bench`, which measures one cell.

The process reads one JSON object per line from standard input: first a `Request`, then commands
such as `{"command": "round"}`. It writes one JSON object per line to standard output: `{"page": 3}`
after each page, and for the request and for each command an answer, `{"done": …}`. When a bundle, a
provider or a network fails, it writes `{"error": "the reason"}` and ends. It also ends when its
standard input does.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..bundle.fields import parse
from ..errors import EdgeOCRError
from .cell import ColdStart
from .load import sustained_load
from .matrix import Graphs
from .process_memory import gpu_bytes, peak_rss_bytes
from .settings import Settings

if TYPE_CHECKING:
    from ..ocr import OCR
    from ..page import Page

# The name under which the time that no stage accounts for is recorded, like a stage.
REST = "rest"

Message: TypeAlias = Mapping[str, Any]
Send: TypeAlias = Callable[[Message], None]


@dataclass(frozen=True)
class Request:
    """What the measuring process is asked to open.

    Attributes:
        provider: The execution provider, for example "cuda", or "auto".
        bundle: Path of the bundle; None for the one in the package.
        graphs: The graphs to take.
        threads: The number of CPU threads; None for the default of `OCR`.
        settings: The other arguments of `OCR`.
        images: Paths of the pictures.
        first: Path of the picture whose text ends the cold start.
    """

    provider: str
    bundle: str | None
    graphs: Graphs
    threads: int | None
    settings: Settings
    images: list[str]
    first: str

    def to_json(self) -> str:
        """Return the request as the measuring process reads it."""
        return json.dumps(asdict(self))


def main() -> int:
    """Measure what standard input asks for, and return the exit code."""
    return serve(lambda row, send: Worker(parse(Request, row), send))


class Served(Protocol):
    """What a measuring process does, command by command."""

    def start(self) -> Message:
        """Open what was requested, and return the answer."""

    def obey(self, command: Message) -> Message:
        """Carry out a command, and return the answer."""


def serve(prepare: Callable[[Message, Send], Served]) -> int:
    """Serve the request and the commands on standard input, and return the exit code.

    Args:
        prepare: Takes the request and a function that sends messages.
    """
    # Ctrl+C reaches all processes of a terminal. The parent process decides what becomes of this
    # one, which ends with its standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries print to file descriptor 1. The messages get a copy of it, and whatever libraries
    # print goes to the log on standard error.
    with os.fdopen(os.dup(1), "w", encoding="ascii") as channel:
        os.dup2(2, 1)

        def send(message: Message) -> None:
            channel.write(json.dumps(message) + "\n")
            channel.flush()

        try:
            worker = prepare(json.loads(sys.stdin.readline()), send)
            send({"done": worker.start()})
            for row in sys.stdin:
                send({"done": worker.obey(json.loads(row))})
        except EdgeOCRError as error:
            send({"error": str(error)})
        except Exception:
            traceback.print_exc()
            return 1
    return 0


class Worker:
    """What the measuring process does, command by command.

    A picture that fails once is left out from then on.
    """

    def __init__(self, request: Request, send: Send) -> None:
        """Prepare to measure; nothing is opened yet.

        Args:
            request: What to open.
            send: Takes the messages about the progress.
        """
        self._request = request
        self._send = send
        self._ocr: OCR | None = None
        self._failed: dict[int, str] = {}
        self._texts: dict[int, str] = {}
        self._lines: dict[int, int] = {}
        self._same_each_time = True
        self._has_streamed = False

    def start(self) -> Message:
        """Import, open and read the first picture, and time each part.

        Returns:
            `cold_start_ms`, whose total is the sum of the parts, because only the parent process
            knows when this one was started; the `threads` in use; the `providers` by stage; and the
            `variants` of the stages that have several graphs.

        Raises:
            EdgeOCRError: If the bundle or the provider does not work.
        """
        request = self._request
        began = perf_counter()
        from ..runtime.onnx_runtime import import_onnxruntime

        import_module("edgeocr.ocr")  # now, so that opening does not include it
        import_onnxruntime()
        imported = perf_counter()
        ocr = request.settings.open(
            request.bundle, request.provider, request.graphs, request.threads
        )
        opened = perf_counter()
        ocr.read(request.first)
        read = perf_counter()
        self._ocr = ocr
        parts = [1000 * each for each in (imported - began, opened - imported, read - opened)]
        return {
            "cold_start_ms": asdict(ColdStart(*(round(each, 1) for each in (sum(parts), *parts)))),
            "threads": ocr.threads,
            "providers": dict(ocr.providers),
            "variants": dict(ocr.variants),
        }

    def obey(self, command: Message) -> Message:
        """Carry out a command, and return the answer.

        Args:
            command: An object whose `command` names one of the methods below; its other values are
                the method's arguments.

        Raises:
            EdgeOCRError: If no picture can be read.
        """
        rest = dict(command)
        methods: dict[str, Callable[..., Message]] = {
            "warm_up": self._warm_up,
            "read": self._read,
            "round": self._round,
            "stream": self._stream,
            "load": self._load,
            "figures": self._figures,
        }
        return methods[rest.pop("command")](**rest)

    @property
    def _opened(self) -> OCR:
        assert self._ocr is not None
        return self._ocr

    @property
    def _readable(self) -> list[int]:
        """The indices of the pictures that have not failed.

        Raises:
            EdgeOCRError: If all have.
        """
        left = [i for i in range(len(self._request.images)) if i not in self._failed]
        if not left:
            raise EdgeOCRError(self._failed[min(self._failed)])
        return left

    def _warm_up(self) -> Message:
        began = perf_counter()
        self._opened.warm_up()
        return {"ms": round(1000 * (perf_counter() - began), 1)}

    def _read(self) -> Message:
        """Read each picture once without timing it.

        Returns:
            The `lines` of each picture as `Line.to_dict` has them, None for one that failed; and
            `peak_rss_bytes` so far.
        """
        pages = [None if timed is None else timed[0] for timed in self._each_picture()]
        return {
            "lines": [
                None if page is None else [line.to_dict() for line in page.lines] for page in pages
            ],
            "peak_rss_bytes": peak_rss_bytes(),
        }

    def _round(self) -> Message:
        """Read each picture once.

        Returns:
            `pages`: for each picture the milliseconds of each stage and of the rest of the page;
            None for a picture that failed, now or before.
        """
        pages: list[dict[str, float] | None] = []
        for timed in self._each_picture():
            if timed is None:
                pages.append(None)
                continue
            page, ms = timed
            # The clock is read at slightly different moments, so the rest may come out negative.
            rest = max(0.0, ms - sum(page.milliseconds.values()))
            stages = {**page.milliseconds, REST: rest}
            pages.append({stage: round(each, 4) for stage, each in stages.items()})
        return {"pages": pages}

    def _each_picture(self) -> list[tuple[Page, float] | None]:
        """Read each picture once; return the page and its milliseconds, or None if it failed."""
        found: list[tuple[Page, float] | None] = [None] * len(self._request.images)
        for number, index in enumerate(self._readable):
            began = perf_counter()
            try:
                page = self._opened.read(self._request.images[index])
            except EdgeOCRError as error:
                self._failed[index] = str(error)
            else:
                found[index] = page, 1000 * (perf_counter() - began)
                self._note(index, page)
            self._send({"page": number + 1})
        self._readable  # noqa: B018  it raises if all pictures have failed
        return found

    def _stream(self, times: int) -> Message:
        """Read the pictures as one stream, and measure the energy.

        Args:
            times: How often to read each picture.

        Returns:
            The number of `pages`, their `ms` together, the `joules` and their `source`.
        """
        from ..device.power import PowerMeter

        order = self._readable * times
        if not self._has_streamed:
            # What the first stream opens, such as a second session for detection, stays open.
            self._has_streamed = True
            for _ in self._opened.read_many([self._request.images[index] for index in order]):
                pass
        pages = 0
        with PowerMeter() as meter:
            began = perf_counter()
            results = self._opened.read_many([self._request.images[index] for index in order])
            for index, page in zip(order, results, strict=True):
                if isinstance(page, EdgeOCRError):
                    self._failed[index] = str(page)
                else:
                    pages += 1
                    self._note(index, page)
                self._send({"page": pages})
            ms = 1000 * (perf_counter() - began)
        if not pages:
            raise EdgeOCRError(self._failed[order[0]])
        return {
            "pages": pages,
            "ms": round(ms, 3),
            "joules": meter.joules,
            "source": meter.source,
        }

    def _load(self, minutes: float) -> Message:
        """Read pictures continuously, and return a `Sustained` as a dictionary."""
        images: Sequence[str] = [self._request.images[index] for index in self._readable]
        return asdict(sustained_load(self._opened.read, images, minutes, self._send))

    def _figures(self) -> Message:
        """Return the figures that are known when all pages have been read."""
        texts = [self._texts[index] for index in sorted(self._texts)]
        on_cpu = set(self._opened.providers.values()) <= {"cpu"}
        return {
            "peak_rss_bytes": peak_rss_bytes(),
            "gpu_bytes": None if on_cpu else gpu_bytes(),
            "lines": sum(self._lines.values()),
            # A line cannot contain a form feed, so different lists have different digests.
            "texts_sha256": hashlib.sha256("\f".join(texts).encode("utf-8")).hexdigest(),
            "same_each_time": self._same_each_time,
            "failed": [[index, error] for index, error in sorted(self._failed.items())],
        }

    def _note(self, index: int, page: Page) -> None:
        """Compare a page's text with that of the first time."""
        text = page.text
        self._lines[index] = len(page.lines)
        self._same_each_time &= self._texts.setdefault(index, text) == text


if __name__ == "__main__":
    sys.exit(main())
