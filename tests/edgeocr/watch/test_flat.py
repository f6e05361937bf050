"""Memory, descriptors and threads of a watch stay the same over 20 000 frames."""

from __future__ import annotations

import gc
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.watch_drawing import Sensor, lettering, put
from edgeocr import OCR
from edgeocr.images import Image
from edgeocr.memory.limit import resident_bytes
from edgeocr.watch import Event, Frame, WatchOptions, events_of
from edgeocr.watch.sources import open_source

DESCRIPTORS = Path("/proc/self/fd")

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="only Linux has these files"),
]

FRAMES, FPS = 20_000, 25
WIDTH, HEIGHT = 320, 240
# After as many frames the text changes.
STANDS = 250
# After as many frames everything that is allocated once has been allocated.
WARM = FRAMES // 4
# A watch that keeps one of a hundred frames exceeds this.
MOST_GROWTH = WIDTH * HEIGHT * 3 * (FRAMES - WARM) // 200


@dataclass(frozen=True)
class Held:
    """What this process holds."""

    memory: int
    descriptors: int
    threads: int


def images() -> Iterator[Image]:
    """Yield a panel whose number changes now and then, seen by a noisy sensor."""
    sensor = Sensor(np.random.default_rng(5), 2)
    for change in range(FRAMES // STANDS):
        drawn = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
        cv2.rectangle(drawn, (20, 70), (300, 170), (30, 30, 26), -1)
        put(drawn, "", lettering(text_after(change), 52, (230, 230, 230)), 60, 95)
        for _ in range(STANDS):
            yield sensor.take(drawn)


def text_after(changes: int) -> str:
    return f"{10_000 + 37 * changes}"


class Watched:
    """Notes what the process holds when a watch is warm, and in the end."""

    def __init__(self) -> None:
        self.held: list[Held] = []

    def frames(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        for number, frame in enumerate(frames, 1):
            if number in (WARM, FRAMES):
                gc.collect()
                descriptors = len(list(DESCRIPTORS.iterdir()))
                self.held.append(Held(resident_bytes(), descriptors, threading.active_count()))
            yield frame

    def check(self, events: list[Event]) -> None:
        begin, end = self.held
        assert end.memory - begin.memory < MOST_GROWTH
        assert end.descriptors <= begin.descriptors
        assert end.threads <= begin.threads
        told = {event.text for event in events}
        shown = set(map(text_after, range(FRAMES // STANDS)))
        assert len(told & shown) > 0.95 * len(shown)


def test_frames_of_the_caller(ocr: OCR) -> None:
    watched = Watched()
    frames = (Frame(image, i, i / FPS, 0.0) for i, image in enumerate(images()))
    watched.check(list(events_of(watched.frames(frames), ocr)))


class Recording(io.RawIOBase):
    """A file of JPEG pictures, which are made when they are read."""

    def __init__(self) -> None:
        self._images = images()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest and (image := next(self._images, None)) is not None:
            self._rest = cv2.imencode(".jpg", image)[1].tobytes()
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def test_frames_of_a_source_with_its_thread(ocr: OCR) -> None:
    watched = Watched()
    options = WatchOptions(pace="all")
    with open_source(io.BufferedReader(Recording()), options) as frames:
        events = list(events_of(watched.frames(frames), ocr, options))
    watched.check(events)
