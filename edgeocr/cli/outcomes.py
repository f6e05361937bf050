"""Run the networks on the sources of a command, and yield what came of each."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import EdgeOCRError
from .sources import NamedSource, frames_in

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
    *,
    words: bool = False,
    characters: bool = False,
) -> Iterator[Outcome]:
    """Yield the outcome of each frame of each source, in order.

    Args:
        command: "read", "detect" or "recognize".
        ocr: Has the networks.
        sources: The sources. A source that fails does not keep the others from being read.
        words: Whether "read" gives lines their words.
        characters: Whether "read" gives lines their words and characters.
    """
    # Frames are found while earlier ones are read: the results of these are still to come.
    waiting: deque[NamedSource] = deque()

    def pictures() -> Iterator[Source]:
        for source in sources:
            for frame in frames_in(source, ocr.limits):
                waiting.append(frame)
                if frame.error is None:
                    yield frame.picture

    def pages(ocr: OCR, pictures: Iterable[Source]) -> Iterator[Page | EdgeOCRError]:
        return ocr.read_many(pictures, words=words, characters=characters)

    results = {"read": pages, "detect": _detections, "recognize": _readings}[command](
        ocr, pictures()
    )
    for result in results:
        while (failed := waiting.popleft()).error is not None:
            yield _outcome(failed, failed.error)
        yield _outcome(failed, result)
    for source in waiting:
        assert source.error is not None
        yield _outcome(source, source.error)


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
