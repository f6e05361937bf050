"""Watch a source: look at its frames, read what has changed, and report what happened."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ..ocr import OCR
from .events import Event
from .frames import Frame
from .options import WatchOptions
from .scene import Scene
from .sources import open_source

logger = logging.getLogger(__name__)


def watch(
    source: str | int | os.PathLike[str] | BinaryIO,
    ocr: OCR | None = None,
    options: WatchOptions | None = None,
) -> Iterator[Event]:
    """Watch a camera, a stream, a video or a folder, and yield what happens to its texts.

    >>> for event in watch("rtsp://192.168.1.20/stream"):
    ...     print(event.kind, event.text)

    Args:
        source: What `open_source` takes.
        ocr: Reads the frames; by default the bundle in the package.
        options: What to look at, what to report and when to end.

    Raises:
        VideoError: The source can't be opened, or gives no more pictures.
        EdgeOCRError: The bundle can't be opened, or a network failed.
    """
    chosen = options or WatchOptions()
    with open_source(source, chosen) as frames:
        yield from events_of(frames, ocr or OCR(), chosen)


def events_of(
    frames: Iterable[Frame], ocr: OCR, options: WatchOptions | None = None
) -> Iterator[Event]:
    """Yield what happens to the texts in frames that the caller provides.

    Args:
        frames: The frames in their order. The next one is requested when one has been read.
        ocr: Reads the frames.
        options: What to look at, what to report and when to end. Options about the source, such as
            `every` and `pace`, have no effect.

    Raises:
        EdgeOCRError: A network failed.
        ValueError: The region does not lie in the first frame.
    """
    chosen = options or WatchOptions()
    scene, told = Scene(ocr, chosen), 0
    size: tuple[int, ...] | None = None
    for frame in frames:
        if frame.image.shape != size:
            fits = _region_fits(frame, chosen, is_first=size is None)
            size = frame.image.shape
        if not fits:
            continue
        for event in scene.look(frame):
            yield event
            told += 1
            if told == chosen.until:
                return


def _region_fits(frame: Frame, options: WatchOptions, *, is_first: bool) -> bool:
    """Tell whether the region of the options lies inside a frame.

    Raises:
        ValueError: It does not, and this is the first frame.
    """
    if options.region is None:
        return True
    left, top, width, height = options.region
    high, wide = frame.image.shape[:2]
    if left + width <= wide and top + height <= high:
        return True
    problem = (
        f"the region {left},{top},{width},{height} does not lie in the frames, which have "
        f"{wide} × {high} pixels"
    )
    if is_first:
        raise ValueError(problem)
    logger.warning("%s: frames of this size are left out", problem)
    return False
