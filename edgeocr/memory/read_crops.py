"""Read the crops that a caller gives, each of which holds one line, within the memory limit."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from functools import partial

from ..crops import Crop
from ..device.cpus import confined
from ..errors import EdgeOCRError
from ..images import Source
from ..results.lines import Reading
from ..runtime.outcomes import outcome
from ..runtime.stopwatch import Stopwatch
from .opening import OpenReader


def read_together(
    reader: OpenReader, sources: Sequence[Source], cpus: tuple[int, ...] | None
) -> list[Reading]:
    """Read all crops, or none if one of them fails.

    Args:
        reader: The open stages.
        sources: The crops.
        cpus: CPUs to run on; None for all.

    Raises:
        EdgeOCRError: As for `OCR.read`.
    """
    with confined(cpus), reader.loader.images(sources) as loaded:
        return reader.stages.recognizer.recognize([Crop.whole(image) for image in loaded])


def read_each(
    reader: OpenReader, sources: Iterable[Source], cpus: tuple[int, ...] | None
) -> Generator[Reading | EdgeOCRError, None, None]:
    """Yield the reading of each crop, or the error of one that fails.

    Args:
        reader: The open stages.
        sources: The crops.
        cpus: CPUs to run on; None for all.

    Yields:
        Readings and errors in the order of the crops.

    Raises:
        StageMissingError: The bundle has no recognition stage.
    """
    recognizer = reader.stages.recognizer
    if reader.budget is not None:
        # Each crop waits for room of its own, so that a large one does not fail the others.
        for source in sources:
            yield outcome(partial(_read_one, reader), source)
        return
    loaded = [outcome(reader.loader.image, source) for source in sources]
    whole = [Crop.whole(each) for each in loaded if not isinstance(each, EdgeOCRError)]
    with confined(cpus):
        read = iter(recognizer.recognize(whole))
    for each in loaded:
        yield each if isinstance(each, EdgeOCRError) else next(read)


def _read_one(reader: OpenReader, source: Source) -> Reading:
    with reader.loader.picture(source, Stopwatch()) as picture:
        (reading,) = reader.stages.recognizer.recognize([Crop.whole(picture.image)])
        return reading
