"""Scenes for a watch: a ground with lines of text, as frames, and what a watch makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np

from edgeocr import OCR
from edgeocr.images import Image
from edgeocr.watch import Event, Frame, WatchOptions, events_of

FPS = 10
# Seconds since 1970 of the first frame.
BEGIN = 1795941000.0
# Left and bottom of a line.
Place = tuple[int, int]


def panel(
    lines: Mapping[Place, str],
    *,
    size: tuple[int, int] = (400, 160),
    capitals: int = 24,
    ground: int = 215,
) -> Image:
    """Draw dark lines on a light ground.

    Args:
        lines: The texts by their place.
        size: Width and height of the picture.
        capitals: Height of the capitals and digits in pixels.
        ground: Level of grey of the ground.
    """
    image = np.full((size[1], size[0], 3), ground, np.uint8)
    scale, thick = capitals / 22, max(1, round(capitals / 12))
    for place, text in lines.items():
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (25, 25, 25), thick, 16)
    return image


def noisy(image: Image, random: np.random.Generator, sigma: float = 3.0) -> Image:
    """Add the noise of a sensor, in levels of grey."""
    noise = random.normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def as_frames(images: Iterable[Image], *, first: int = 0, fps: float = FPS) -> Iterator[Frame]:
    """Yield frames of a source that gives so many a second."""
    for number, image in enumerate(images, first):
        yield Frame(image, number, number / fps, BEGIN + number / fps)


@dataclass
class Watched:
    """What a watch told and did.

    Attributes:
        events: The events.
        runs: The pixels that each stage's network saw in each frame.
        frames: How many frames were asked for.
        told_at: The number of the frame at which each event was told.
    """

    events: list[Event] = field(default_factory=list)
    runs: list[dict[str, int]] = field(default_factory=list)
    told_at: list[int] = field(default_factory=list)

    @property
    def told(self) -> list[tuple[str, int, str]]:
        """Kind, track and text of each event."""
        return [(event.kind, event.track, event.text) for event in self.events]

    @property
    def busy(self) -> list[int]:
        """The indices of the frames for which a network ran."""
        return [i for i, runs in enumerate(self.runs) if runs]

    def of(self, kind: str) -> list[Event]:
        """Return the events of a kind."""
        return [event for event in self.events if event.kind == kind]


@contextmanager
def observed(ocr: OCR, runs: list[dict[str, int]]) -> Iterator[None]:
    """Add the pixels of each run of a network to the last of `runs`."""

    def note(stage: str, batch: np.ndarray) -> None:
        runs[-1][stage] = runs[-1].get(stage, 0) + batch.shape[0] * batch.shape[1] * batch.shape[2]

    with ExitStack() as stack:
        for name, stage in ocr.stages.items():
            stage.session.observer = partial(note, name)
            stack.callback(setattr, stage.session, "observer", None)
        yield


def watch_frames(ocr: OCR, frames: Iterable[Frame], options: WatchOptions | None = None) -> Watched:
    """Watch frames to their end."""
    watched = Watched()
    numbers: list[int] = []

    def noted() -> Iterator[Frame]:
        for frame in frames:
            watched.runs.append({})
            numbers.append(frame.number)
            yield frame

    with observed(ocr, watched.runs):
        for event in events_of(noted(), ocr, options):
            watched.events.append(event)
            watched.told_at.append(numbers[-1])
    return watched


def watch_images(ocr: OCR, images: Iterable[Image], options: WatchOptions | None = None) -> Watched:
    """Watch images that come `FPS` times a second."""
    return watch_frames(ocr, as_frames(images), options)
