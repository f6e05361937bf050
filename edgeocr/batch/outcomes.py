"""Run the networks on many named sources, and yield what came of each."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import EdgeOCRError
from ..runtime.outcomes import outcome
from .sources import NamedSource

if TYPE_CHECKING:
    from ..images import Source
    from ..ocr import OCR
    from ..page import Detections, Page
    from ..results.lines import Reading

# What the networks make of a picture.
Result: TypeAlias = "Page | Detections | Reading"
# The number of crops that `recognize` reads together, so that all threads have work.
CROPS_AT_ONCE = 32


@dataclass(frozen=True)
class NamedReading:
    """The reading of a crop, with the crop's name.

    Attributes:
        source: Name of the crop.
        reading: What was read in it.
    """

    source: str
    reading: Reading

    def to_dict(self) -> dict[str, Any]:
        """Return what `edgeocr recognize` writes as JSON, as a dictionary."""
        return {"source": self.source, **self.reading.to_dict()}

    def to_text(self) -> str:
        """Return what `edgeocr recognize` writes as text."""
        from ..writers.text import text_of_reading

        return text_of_reading(self.reading)


@dataclass(frozen=True)
class Outcome:
    """The result of one source, or the reason why it failed.

    Attributes:
        source: The source.
        result: The result; None for a failure.
        error: The message of a failure.
        fault: The error of a failure, whose message may lack the source's name.
    """

    source: NamedSource
    result: Page | Detections | NamedReading | None = None
    error: str | None = None
    fault: EdgeOCRError | None = None

    @property
    def drawable(self) -> Page | Detections | None:
        """The result if it can be drawn onto its picture."""
        return None if isinstance(self.result, NamedReading) else self.result


def outcomes(
    read: Callable[[Iterable[Source]], Iterable[Result | EdgeOCRError]],
    sources: Sequence[NamedSource],
    frames: Callable[[NamedSource], Iterator[NamedSource]],
    done: Collection[str] = (),
) -> Iterator[Outcome]:
    """Yield the outcome of each frame of each source, in order.

    Args:
        read: Runs the networks on pictures, and yields the result or the error of each in order,
            as `OCR.read_many`, `detections` and `readings` do.
        sources: The sources. A source that fails does not keep the others from being read.
        frames: Finds the frames of a source.
        done: The names of the frames that already have a result. They are not read, and their
            outcomes have neither a result nor an error.
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

    for result in read(pictures()):
        while not (frame := waiting.popleft()).is_read:
            yield _without_result(frame)
        yield _outcome(frame, result)
    for frame in waiting:
        yield _without_result(frame)


def detections(
    detect: Callable[[Source], Detections], pictures: Iterable[Source]
) -> Iterator[Detections | EdgeOCRError]:
    """Yield the regions of each picture, or its error.

    Args:
        detect: Finds the regions of a picture, as `OCR.detect` does.
        pictures: The pictures.
    """
    return (outcome(detect, picture) for picture in pictures)


def readings(ocr: OCR, pictures: Iterable[Source]) -> Iterator[Reading | EdgeOCRError]:
    """Yield the reading of each picture, which holds one line, or its error."""
    rest = iter(pictures)
    while crops := list(itertools.islice(rest, CROPS_AT_ONCE)):
        yield from ocr.recognize(crops, on_error="return")


def _without_result(source: NamedSource) -> Outcome:
    if source.error is not None:
        return _outcome(source, source.error)
    return Outcome(source)


def _outcome(source: NamedSource, result: Result | EdgeOCRError) -> Outcome:
    from ..page import Detections, Page

    name = source.name
    if isinstance(result, EdgeOCRError):
        message = str(result) if str(result).startswith(name) else f"{name}: {result}"
        return Outcome(source, error=message, fault=result)
    if isinstance(result, (Page, Detections)):
        return Outcome(source, replace(result, source=name))
    return Outcome(source, NamedReading(name, result))
