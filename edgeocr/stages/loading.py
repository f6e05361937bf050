"""Load the picture that stages work on, and name it in whatever goes wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol

import cv2

from .. import images
from ..device.cpus import confined
from ..errors import EdgeOCRError
from ..images import Picture, Source
from ..runtime.stopwatch import Stopwatch
from . import frames


class PictureBudget(Protocol):
    """A memory limit, as far as it determines when and at what size a picture is decoded."""

    def picture(
        self, source: Source, watch: Stopwatch, extra: int = 0
    ) -> AbstractContextManager[Picture]:
        """Load a picture once there is room for it and for `extra` bytes per pixel."""

    def admit(self, needed: int) -> EdgeOCRError | None:
        """Return the error to raise if so many bytes of pixels can't be held; else None."""

    def explain(self, error: EdgeOCRError | MemoryError, name: str) -> EdgeOCRError:
        """Return the error to raise; where memory ran out, it says how much is needed."""


class PictureLoader:
    """A loader of the pictures that the stages work on.

    Attributes:
        budget: What the memory limit leaves; None without a limit.
    """

    def __init__(self, cpus: tuple[int, ...] | None, budget: PictureBudget | None) -> None:
        """Create a loader.

        Args:
            cpus: CPUs to which the thread is confined while it works on a picture; None for all.
            budget: What the memory limit leaves; None without a limit.
        """
        self._cpus = cpus
        self.budget = budget

    @contextmanager
    def picture(self, source: Source, watch: Stopwatch, extra: int = 0) -> Iterator[Picture]:
        """Load a picture, and turn what the block raises into an error that names the picture.

        Args:
            source: The picture.
            watch: Records the time of loading.
            extra: Bytes per pixel that the block needs beside the picture.

        Raises:
            ImageError: The source is no image.
            MemoryLimitError: There is no room for the picture within the memory limit.
        """
        with self.errors_named(source), confined(self._cpus):
            with watch("load"):
                frame, count = frames.first_of(source)
            if self.budget is not None:
                with self.budget.picture(frame, watch, extra) as picture:
                    yield replace(picture, frames=count)
            else:
                with watch("load"):
                    image = images.load(frame)
                yield replace(Picture.whole(image), frames=count)

    def frames(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the frames of each source, or the source itself where it has one frame."""
        admission = self.budget.admit if self.budget is not None else None
        for source in sources:
            yield from frames.frames_of(source, admission)

    @contextmanager
    def errors_named(self, source: Source) -> Iterator[None]:
        """Turn whatever a source can cause into an `EdgeOCRError` that names it."""
        try:
            yield
        except (EdgeOCRError, cv2.error, MemoryError) as error:
            name = images.name_of(source)
            named = error if isinstance(error, EdgeOCRError) else EdgeOCRError(f"{name}: {error}")
            if self.budget is not None:
                named = self.budget.explain(named, name)
            named.source = name
            try:
                raise named from (None if named is error else error)
            finally:
                # This frame would keep the error, the error keeps the frame, and both the picture.
                del named
