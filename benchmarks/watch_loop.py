"""What a watch costs while nothing changes: CPU time for each frame, and memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median
from time import process_time, time

import cv2
import numpy as np

from edgeocr import OCR
from edgeocr.images import Image
from edgeocr.watch import Frame, WatchOptions, events_of

from .watch_drawing import own_picture
from .watch_truth import FPS

SIZES = ((640, 480), (1280, 720), (1920, 1080))
# After this many frames, the first frame has been read, and one-time allocations have happened.
_WARM = 2 * FPS
_MEASURED = 10 * FPS
_NOISES = 8


@dataclass(frozen=True)
class LoopRow:
    """What a watch costs for each frame of a picture that stays the same.

    Attributes:
        width, height: The picture's size in pixels.
        noise: Standard deviation of the sensor's noise, in levels of brightness.
        median_ms: Median CPU time of a frame, in milliseconds.
        mean_ms: Mean CPU time of a frame, in milliseconds, including what is read again now and
            then.
        held_mib: What Python and NumPy hold between two frames, in MiB, including the newest frame,
            without what they held before the watch and without the networks.
        peak_mib: The most that they hold at any time after the first frames, in MiB.
    """

    width: int
    height: int
    noise: float
    median_ms: float
    mean_ms: float
    held_mib: float
    peak_mib: float


def measure_loop(ocr: OCR, sizes: Sequence[tuple[int, int]] = SIZES) -> Iterator[LoopRow]:
    """Watch a sign in several sizes, without noise and with it, and yield a row for each."""
    for width, height in sizes:
        picture = cv2.resize(own_picture("poster.jpg"), (width, height))
        for noise in (0.0, 3.0):
            images = _noisy(np.asarray(picture, np.uint8), noise)
            times = _times(ocr, images)
            held, peak = _memory(ocr, images)
            yield LoopRow(
                width,
                height,
                noise,
                round(1000 * median(times), 3),
                round(1000 * mean(times), 3),
                round(held / 2**20, 2),
                round(peak / 2**20, 2),
            )


def _noisy(picture: Image, noise: float) -> list[Image]:
    random = np.random.default_rng(3)
    noises = (random.standard_normal(picture.shape, np.float32) * noise for _ in range(_NOISES))
    return [np.asarray(np.clip(picture + each, 0, 255), np.uint8) for each in noises]


def _watch(ocr: OCR, images: Sequence[Image], number: int, each: Callable[[int], None]) -> None:
    """Watch some frames in turn, and call a function before each one."""

    def frames() -> Iterator[Frame]:
        for i in range(number):
            each(i)
            # A camera writes each frame into memory of its own.
            yield Frame(images[i % len(images)].copy(), i, i / FPS, time())

    for _ in events_of(frames(), ocr, WatchOptions()):
        pass


def _times(ocr: OCR, images: Sequence[Image]) -> list[float]:
    """Return the CPU time of each frame after the first ones, without the time to copy it."""
    moments: list[float] = []
    _watch(ocr, images, _WARM + _MEASURED + 1, lambda _: moments.append(process_time()))
    copied = []
    for image in [*images] * 4:
        began = process_time()
        image.copy()
        copied.append(process_time() - began)
    return [max(0.0, each - median(copied)) for each in np.diff(moments[_WARM:]).tolist()]


def _memory(ocr: OCR, images: Sequence[Image]) -> tuple[int, int]:
    """Return what a watch holds after some frames and the most that it held, in bytes."""
    held: list[int] = []

    def note(number: int) -> None:
        if number == _WARM:
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.reset_peak()

    tracemalloc.start()
    try:
        _watch(ocr, images, 2 * _WARM, note)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return held[0], peak


def loop_table(rows: Sequence[LoopRow]) -> str:
    """Format the rows as a table of Markdown."""
    lines = [
        "| Picture | Noise | CPU per frame, median | mean | Holds | Peak |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {row.width} × {row.height} | {row.noise:g} | {row.median_ms:.2f} ms "
            f"| {row.mean_ms:.2f} ms | {row.held_mib:.1f} MiB | {row.peak_mib:.1f} MiB |"
            for row in rows
        ),
    ]
    return "\n".join(lines)
