"""Run the networks on the sources of a command, and yield what came of each."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import EdgeOCRError
from .sources import NamedSource

if TYPE_CHECKING:
    from ..images import Source
    from ..ocr import OCR
    from ..page import Detections, Page
    from ..results.lines import Reading

# The number of crops that `recognize` reads together, so that all threads have work.
CROPS_AT_ONCE = 32


@dataclass(frozen=True)
class Outcome:
    """The result of one source, or the reason why it failed.

    Attributes:
        source: The source.
        record: The result, or the failure, for JSON.
        text: The result as plain text; empty for a failure.
        drawable: The result if it can be drawn onto its picture.
        error: The message of a failure.
    """

    source: NamedSource
    record: Mapping[str, Any]
    text: str
    drawable: Page | Detections | None = None
    error: str | None = None


def outcomes(
    command: str,
    ocr: OCR,
    sources: Sequence[NamedSource],
    frames: Callable[[NamedSource], Iterator[NamedSource]],
    done: Collection[str] = (),
) -> Iterator[Outcome]:
    """Yield the outcome of each frame of each source, in order.

    Args:
        command: "read", "detect" or "recognize".
        ocr: Has the networks.
        sources: The sources. A source that fails does not keep the others from being read.
        frames: Finds the frames of a source.
        done: The names of the frames that have a result already: their outcomes are empty.
    """
    # Frames are found while earlier ones are read: the results of these are still to come.
    waiting: deque[NamedSource] = deque()

    def pictures() -> Iterator[Source]:
        for following, source in zip(range(len(sources))[::-1], sources, strict=True):
            # A file with one picture need not be opened to be known.
            for frame in [source] if source.name in done else frames(source):
                is_done = frame.error is None and frame.name in done
                waiting.append(replace(frame, left=frame.left + following, done=is_done))
                if frame.error is None and not is_done:
                    yield frame.picture

    results = {"read": _pages, "detect": _detections, "recognize": _readings}[command](
        ocr, pictures()
    )
    for result in results:
        while not (frame := waiting.popleft()).is_read:
            yield _without_result(frame)
        yield _outcome(frame, result)
    for frame in waiting:
        yield _without_result(frame)


def _without_result(source: NamedSource) -> Outcome:
    if source.error is not None:
        return _outcome(source, source.error)
    return Outcome(source, {}, "")


def _pages(ocr: OCR, pictures: Iterable[Source]) -> Iterator[Page | EdgeOCRError]:
    return ocr.read_many(pictures)


def _detections(ocr: OCR, pictures: Iterable[Source]) -> Iterator[Detections | EdgeOCRError]:
    for picture in pictures:
        try:
            yield ocr.detect(picture)
        except EdgeOCRError as error:
            yield error


def _readings(ocr: OCR, pictures: Iterable[Source]) -> Iterator[Reading | EdgeOCRError]:
    rest = iter(pictures)
    while crops := list(itertools.islice(rest, CROPS_AT_ONCE)):
        yield from ocr.recognize(crops, on_error="return")


def _outcome(source: NamedSource, result: Page | Detections | Reading | EdgeOCRError) -> Outcome:
    from ..page import Detections, Page
    from ..writers import text

    name = source.name
    if isinstance(result, EdgeOCRError):
        message = str(result) if str(result).startswith(name) else f"{name}: {result}"
        return Outcome(source, {"source": name, "error": message}, "", error=message)
    if isinstance(result, Page):
        page = replace(result, source=name)
        return Outcome(source, page.to_dict(), text.text_of_page(page), page)
    if isinstance(result, Detections):
        found = replace(result, source=name)
        return Outcome(source, found.to_dict(), text.text_of_detections(found), found)
    record = {"source": name, **result.to_dict()}
    return Outcome(source, record, text.text_of_reading(result))
