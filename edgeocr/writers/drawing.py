"""A page's picture with the outlines drawn, as a file of some image format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, ClassVar, Protocol

import cv2

from ..errors import EdgeOCRError
from ..images import Image, Source
from .named import picture_of


class Drawable(Protocol):
    """A page or detections: a result whose outlines can be drawn onto its picture."""

    @property
    def source(self) -> str:
        """Name of the picture."""

    def draw(self, image: Source) -> Image:
        """Draw the outlines onto the picture."""


class DrawingWriter:
    """A file with one picture; the subclasses encode it."""

    ending: ClassVar[str]

    def __init__(self, stream: IO[bytes]) -> None:
        """Begin without a picture.

        Args:
            stream: Where to write it.
        """
        self._stream = stream
        self._drawn = False

    def add(self, page: Drawable, picture: Source | None = None) -> None:
        """Draw the one page of the file.

        Args:
            page: What was found in the picture.
            picture: The picture; None for the file that the page's source names.

        Raises:
            ImageError: The picture can't be loaded.
            EdgeOCRError: OpenCV can't encode the picture.
            ValueError: There is a page already.
        """
        if self._drawn:
            raise ValueError("an overlay picture shows one page: write a file for each page")
        self._stream.write(self.encoded(page.draw(picture_of(page.source, picture))))
        self._drawn = True

    def close(self) -> None:
        """Do nothing: the file is complete."""

    def encoded(self, overlay: Image) -> bytes:
        """Return a drawn picture, uint8 [H, W, 3] BGR, as the content of a file."""
        return encoded_image(overlay, self.ending)

    @classmethod
    def write(cls, pages: Iterable[Drawable], stream: IO[bytes]) -> None:
        """Draw one page onto the file that its source names, and write the picture."""
        writer = cls(stream)
        for page in pages:
            writer.add(page)


def encoded_image(overlay: Image, ending: str, options: tuple[int, ...] = ()) -> bytes:
    """Encode a picture with OpenCV.

    Args:
        overlay: uint8 [H, W, 3] BGR.
        ending: The ending of the format's files, with its dot.
        options: Pairs of OpenCV's flags and their values.

    Raises:
        EdgeOCRError: OpenCV can't encode the picture.
    """
    try:
        encoded, array = cv2.imencode(ending, overlay, list(options))
    except cv2.error as error:
        raise EdgeOCRError(f"OpenCV can't encode the picture: {error}") from error
    if not encoded:
        raise EdgeOCRError("OpenCV can't encode the picture")
    return array.tobytes()
