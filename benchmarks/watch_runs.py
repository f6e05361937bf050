"""Run a watch over a rendered video: frame by frame, or as fast as a camera shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time, sleep, time

from edgeocr import OCR
from edgeocr.images import Image
from edgeocr.memory.limit import resident_bytes
from edgeocr.page import Page
from edgeocr.watch import Frame, WatchOptions, events_of

from . import peak_memory
from .watch_scoring import Told
from .watch_truth import FPS


@dataclass(frozen=True, eq=False)
class Run:
    """One watch.

    Attributes:
        told: The events.
        cpu: CPU time of this process, in seconds.
        frames: How many frames the watch was given.
        grown: By how many MiB the peak of the resident memory was above the memory before; None if
            the system doesn't report it.
    """

    told: Sequence[Told]
    cpu: float
    frames: int
    grown: float | None


class _Reel:
    """The frames of a video, which notes how many it has given."""

    def __init__(self, images: Sequence[Image], live: bool) -> None:
        self._images, self._live = images, live
        self.number, self.given = -1, 0
        self.began = 0.0

    def frames(self) -> Iterator[Frame]:
        """Yield every frame; if live, wait for a new frame and yield the newest one."""
        self.began = perf_counter()
        while True:
            number = self.number + 1
            if self._live:
                number = max(number, int((perf_counter() - self.began) * FPS))
                if number < len(self._images):
                    sleep(max(0.0, self.began + number / FPS - perf_counter()))
            if number >= len(self._images):
                return
            self.number = number
            self.given += 1
            yield Frame(self._images[number], number, number / FPS, time())


def watch_images(
    ocr: OCR, images: Sequence[Image], options: WatchOptions, live: bool = False
) -> Run:
    """Watch frames, and measure CPU time and memory.

    Args:
        ocr: Reads the frames. It must have read a picture before, so that one-time allocations are
            not measured.
        images: uint8 [H, W, 3] BGR, the frames.
        options: The options of the watch.
        live: Whether the frames are shown at their own speed, and the watch skips those for which
            it has no time. The clock chooses the frames; with a camera, a thread would choose them,
            which would cost more.
    """
    reel = _Reel(images, live)
    before = resident_bytes() if peak_memory.reset() else None
    began = process_time()
    told = [
        Told(event, reel.number, perf_counter() - reel.began if live else None)
        for event in events_of(reel.frames(), ocr, options)
    ]
    cpu = process_time() - began
    grown = None if before is None else round(peak_memory.mib() - before / 2**20, 1)
    return Run(told, cpu, reel.given, grown)


def read_frames(
    ocr: OCR, images: Sequence[Image], numbers: Sequence[int]
) -> tuple[dict[int, Page], float]:
    """Read frames one by one with `OCR.read`.

    Returns:
        The pages by the numbers of the frames, and the CPU time of this process, in seconds.
    """
    began = process_time()
    pages = {number: ocr.read(images[number]) for number in numbers}
    return pages, process_time() - began
