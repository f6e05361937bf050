"""Load the picture that stages work on, and name it in whatever goes wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol

import cv2

from .. import images
from ..decoding.contents import described
from ..decoding.limits import MAX_IMAGE_PIXELS, Limits
from ..device.cpus import confined
from ..errors import EdgeOCRError, ImageError
from ..images import Image, Picture, Source
from ..runtime.stopwatch import Stopwatch
from . import frames

# Bytes per pixel that drawing takes beside the picture: its copy, the sheet and the result.
DRAWING_BYTES = 14


class PictureBudget(Protocol):
    """A memory limit, as far as it determines when and at what size a picture is decoded."""

    def picture(
        self, source: Source, watch: Stopwatch, extra: int, limits: Limits
    ) -> AbstractContextManager[Picture]:
        """Load a picture once there is room for it and for `extra` bytes per pixel."""

    def crops(
        self, sources: Sequence[Source], limits: Limits
    ) -> AbstractContextManager[list[Image]]:
        """Load pictures once there is room for all of them."""

    def admit(self, needed: int) -> EdgeOCRError | None:
        """Return the error to raise if so many bytes of pixels can't be held; else None."""

    def admit_content(self, needed: int) -> EdgeOCRError | None:
        """Return the error to raise if so many bytes of a file object can't be held; else None."""

    def explain(self, error: EdgeOCRError | MemoryError, name: str) -> EdgeOCRError:
        """Return the error to raise; where memory ran out, it says how much is needed."""


class PictureLoader:
    """A loader of the pictures that the stages work on.

    Attributes:
        budget: What the memory limit leaves; None without a limit.
        limits: How large files and pictures may be.
    """

    def __init__(
        self,
        cpus: tuple[int, ...] | None,
        budget: PictureBudget | None,
        max_image_pixels: int | None = MAX_IMAGE_PIXELS,
    ) -> None:
        """Create a loader.

        Args:
            cpus: CPUs to which the thread is confined while it works on a picture; None for all.
            budget: What the memory limit leaves; None without a limit.
            max_image_pixels: The most pixels of a picture; None for no limit.
        """
        self._cpus = cpus
        self.budget = budget
        self.limits = (
            Limits(max_image_pixels, budget.admit, budget.admit_content)
            if budget is not None
            else Limits(max_image_pixels)
        )

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
            with watch("load"), foreign_errors_explained(source):
                frame, count = frames.first_of(source, self.limits)
            if self.budget is not None:
                with self.budget.picture(frame, watch, extra, self.limits) as picture:
                    yield replace(picture, frames=count)
            else:
                with watch("load"):
                    image = self._load(frame)
                yield replace(Picture.whole(image), frames=count)

    def frames(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the frames of each source, or the source itself where it has one frame."""
        for source in sources:
            yield from frames.frames_of(source, self.limits)

    @contextmanager
    def images(self, sources: Sequence[Source]) -> Iterator[list[Image]]:
        """Load pictures, uint8 [H, W, 3] BGR, which are together in memory while the block runs."""
        if self.budget is None:
            yield [self.image(source) for source in sources]
        else:
            with self.budget.crops(sources, self.limits) as loaded:
                yield loaded

    def image(self, source: Source) -> Image:
        """Load a picture without a memory limit, and name it in whatever goes wrong with it.

        Returns:
            uint8 [H, W, 3] BGR.
        """
        with self.errors_named(source):
            return self._load(source)

    def _load(self, source: Source) -> Image:
        with foreign_errors_explained(source):
            return images.load(source, limits=self.limits)

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
                raise named from (error.__cause__ if named is error else error)
            finally:
                # This frame would keep the error, the error keeps the frame, and both the picture.
                del named


@contextmanager
def foreign_errors_explained(source: Source) -> Iterator[None]:
    """Turn whatever a source raises while it is loaded into an `ImageError`.

    A source may be anyone's object, and a batch must not end with one that raises something else.
    """
    try:
        yield
    except (EdgeOCRError, cv2.error, MemoryError):
        raise
    except Exception as error:
        raise ImageError(f"{images.name_of(source)}: can't be read: {described(error)}") from error
