"""The process that reads: one `OCR` for all requests, which arrive as messages.

Standard input brings the messages of the front, and what was standard output takes the answers.
"""

from __future__ import annotations

import faulthandler
import io
import json
import logging
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import IO, Any, NoReturn

from ..batch.document import Document
from ..batch.outcomes import Result, detections, outcomes, readings
from ..batch.sources import NamedBytes, NamedSource, frames_in
from ..bundle.archive import MANIFEST
from ..bundle.bundle import Bundle
from ..bundle.postprocess_settings import Shape
from ..detect import Detector
from ..errors import EdgeOCRError, StoppedError
from ..images import Source
from ..ocr import OCR
from ..runtime.onnx_runtime import import_onnxruntime
from ..runtime.outcomes import outcome
from ..runtime.stopping import stoppable
from ..stages.opening import check_spotted, open_bundle
from ..version import __version__
from ..writers.formats import FORMATS
from . import messages
from .errors import InternalError, ParameterError, ServiceError, TooLargeError, status_of
from .messages import Message
from .options import ReaderOptions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Job:
    """A request that is to be read.

    Attributes:
        number: The number by which front and reader know it.
        header: What is wanted: see `Request` in `dispatch.py`.
        files: The names and contents of its files.
        stop: Set when the front no longer wants the answer.
    """

    number: int
    header: Mapping[str, Any]
    files: list[tuple[str, bytes]]
    stop: threading.Event = field(default_factory=threading.Event)


class Reader:
    """Answers jobs in a few threads."""

    def __init__(self, options: ReaderOptions, send: Callable[[dict[str, Any], bytes], None]):
        """Open the bundle, and warm the networks up.

        Args:
            options: How to read.
            send: Sends a message to the front; several threads call it.

        Raises:
            EdgeOCRError: The bundle or the provider doesn't work.
            ValueError: An option has an impossible value.
        """
        bundle = open_bundle(options.bundle, options.require_signature, options.expect_digest)
        self._ocr = OCR(bundle, **options.for_ocr())
        if options.warm_up:
            self._ocr.warm_up()
        self._frame_options = {"dpi": options.dpi, "pdf_text": options.pdf_text}
        self._send = send
        self._waiting: SimpleQueue[Job] = SimpleQueue()
        self._jobs: dict[int, Job] = {}
        self.threads = self._ocr.pages_at_once
        self.bundle = self._describe(bundle)
        for number in range(self.threads):
            name = f"edgeocr-serve-{number}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def take(self, message: Message) -> None:
        """Begin a job, or give one up."""
        number = message.header["number"]
        if message.header["do"] == "stop":
            if (stopped := self._jobs.get(number)) is not None:
                stopped.stop.set()
            return
        files, begin = [], 0
        for each in message.header["files"]:
            end = begin + each["size"]
            files.append((each["name"], message.payload[begin:end]))
            begin = end
        self._jobs[number] = job = Job(number, message.header, files)
        self._waiting.put(job)

    def _work(self) -> None:
        while True:
            job = self._waiting.get()
            header, document = self._answer(job)
            del self._jobs[job.number]
            self._send({**header, "number": job.number}, document)
            del job, document  # what they hold is freed before the next job arrives

    def _answer(self, job: Job) -> tuple[dict[str, Any], bytes]:
        try:
            with stoppable(job.stop.is_set):
                return self._read(job)
        except StoppedError:
            return {"is": "stopped"}, b""
        except (EdgeOCRError, ServiceError) as error:
            return failure(error, str(error), error.source), b""
        except Exception:
            logger.exception("a request failed")
            internal = InternalError()
            return failure(internal, str(internal)), b""

    def _read(self, job: Job) -> tuple[dict[str, Any], bytes]:
        """Read the files of a job, and write the document."""
        header = job.header
        self._check_shape(header["shape"])
        format_ = FORMATS[header["format"]]
        sources = [NamedSource(name, NamedBytes(content, name)) for name, content in job.files]
        stream = io.BytesIO()
        document = Document(format_, stream, several=len(sources) > 1)
        stages: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        pages, first = 0, None
        words = header["words"] or format_.needs_words
        frames = partial(self._frames, _PageLimit(header["max_pages"]))
        for each in outcomes(self._reading(job, words), sources, frames):
            if each.fault is not None:
                first = first or each
                failed[type(each.fault).__name__] += 1
                if len(sources) == 1 and each.source.frames == 1:
                    break
            else:
                pages += 1
            if each.drawable is not None:
                stages.update(each.drawable.milliseconds)
            if document.holds(each):
                document.add(each)
        if first is not None and document.is_empty:
            assert first.fault is not None
            return failure(first.fault, first.error or "", first.source.name), b""
        document.close()
        counts = {"pages": pages, "stages": stages, "failed": failed}
        return {"is": "done", **counts}, stream.getvalue()

    def _check_shape(self, shape: Shape | None) -> None:
        """Raise `ParameterError` if the bundle can't find regions of a shape."""
        detector = self._ocr.stages.get("detection")
        try:
            if "spotting" in self._ocr.stages:
                check_spotted(shape)
            elif isinstance(detector, Detector) and shape is not None:
                detector.finding(shape)
        except ValueError as error:
            raise ParameterError(f"shape: {error}") from None

    def _reading(
        self, job: Job, words: bool
    ) -> Callable[[Iterable[Source]], Iterable[Result | EdgeOCRError]]:
        header, ocr = job.header, self._ocr
        if header["do"] == "detect":
            return partial(detections, partial(ocr.detect, shape=header["shape"]))
        if header["do"] == "recognize":
            return partial(readings, ocr)
        options = {"characters": header["characters"], "shape": header["shape"]}
        read = partial(ocr.read, words=words, **options)
        return lambda pictures: (outcome(read, picture) for picture in pictures)

    def _frames(self, limit: _PageLimit, source: NamedSource) -> Iterator[NamedSource]:
        for frame in frames_in(source, self._ocr.limits, self._frame_options):
            limit.count(frame)
            yield frame

    def _describe(self, bundle: Bundle) -> dict[str, Any]:
        """Return what `GET /v1/bundle` answers."""
        return {
            "name": self._ocr.bundle_name,
            "digest": self._ocr.bundle_digest,
            "providers": dict(self._ocr.providers),
            "variants": dict(self._ocr.variants),
            "threads": self._ocr.threads,
            "edgeocr": __version__,
            "onnxruntime": import_onnxruntime().__version__,
            "manifest": json.loads(bundle.files()[MANIFEST]),
        }


class _PageLimit:
    """Counts the pages of a request, and refuses more than a number of them."""

    def __init__(self, most: int) -> None:
        self._most, self._seen = most, 0

    def count(self, frame: NamedSource) -> None:
        self._seen += 1
        total = self._seen + frame.left
        if total > self._most:
            raise TooLargeError(
                f"the request has {total} pages or more, the limit is {self._most}: send fewer at "
                "a time, or start the service with a higher --max-pages"
            )


def failure(error: BaseException, message: str, source: str | None = None) -> dict[str, Any]:
    """Return the header of an answer that reports an error."""
    return {
        "is": "failed",
        "type": type(error).__name__,
        "status": status_of(error),
        "message": message,
        "source": source,
    }


def main() -> NoReturn:
    """Answer the front's messages until it closes the pipe."""
    # Signals to the whole group of processes, such as Ctrl+C, are for the front, which then closes
    # the pipe.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    faulthandler.enable()  # a crash in a library shows in the log where it was
    source, target = _own_pipes()
    lock = threading.Lock()

    def send(header: dict[str, Any], document: bytes = b"") -> None:
        with lock, suppress(BrokenPipeError):  # the front has ended, which `read` reports
            target.write(messages.start_of(header, len(document)))
            target.write(document)
            target.flush()

    first = messages.read(source)
    if first is None:
        os._exit(0)
    try:
        reader = Reader(ReaderOptions.from_dict(first.header), send)
    except (EdgeOCRError, ValueError, TypeError, OSError) as error:
        send(failure(error, str(error)))
        os._exit(1)
    send({"is": "ready", "threads": reader.threads, "bundle": reader.bundle})
    while (message := messages.read(source)) is not None:
        reader.take(message)
        del message  # its files are freed once they are read, and not when the next message comes
    # Threads may be inside a network: what they read interests nobody any more.
    os._exit(0)


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Take the pipes to the front away from libraries that print or read.

    Returns:
        The stream of messages, and the stream for answers.
    """
    source, target = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(source, "rb"), os.fdopen(target, "wb")
