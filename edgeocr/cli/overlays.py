"""Write overlay pictures: each source with its regions and texts drawn."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from ..errors import EdgeOCRError, FontError

if TYPE_CHECKING:
    from ..images import Image, Source
    from ..ocr import OCR
    from ..page import Detections, Page
    from .sources import NamedSource

JPEG_QUALITY = 90


class OverlayFolder:
    """A folder with one overlay picture for each source or frame, under its name."""

    def __init__(self, folder: Path, ocr: OCR, sources: Collection[Path], *, texts: bool) -> None:
        """Create the folder if it does not exist.

        Args:
            folder: The folder.
            ocr: Draws the pictures.
            sources: Resolved paths of the sources, which are never overwritten.
            texts: Whether to add a sheet with the texts.

        Raises:
            EdgeOCRError: If the folder cannot be created.
        """
        self._folder = folder
        self._ocr = ocr
        self._sources = sources
        self._texts = texts
        self._taken: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise EdgeOCRError(f"{folder}: the folder can't be created: {reason}") from error

    def write(self, source: NamedSource, result: Page | Detections) -> None:
        """Draw and write one picture.

        Args:
            source: The source.
            result: What was found in it.

        Raises:
            EdgeOCRError: If the picture cannot be drawn or written, or would replace a source.
        """
        path = self._folder / self._free_name(source.stem)
        if path.resolve() in self._sources:
            raise EdgeOCRError(f"{path} is one of the sources: the overlay would overwrite it")
        try:
            picture = self._draw(source.picture, result)
            encoded, content = cv2.imencode(
                ".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
            )
            if not encoded:
                raise EdgeOCRError("OpenCV can't encode the picture")
            path.write_bytes(content.tobytes())
        except (EdgeOCRError, MemoryError, cv2.error) as error:
            raise EdgeOCRError(f"{path}: can't be drawn: {error}") from error
        except OSError as error:
            raise EdgeOCRError(f"{path}: can't be written: {error.strerror or error}") from error

    def _draw(self, source: Source, result: Page | Detections) -> Image:
        """Draw a result; once no font covers a picture's texts, draw all without texts."""
        if self._texts:
            try:
                return self._ocr.draw(source, result, texts=True)
            except FontError as error:
                print(f"edgeocr: overlays have no texts: {error}", file=sys.stderr)
                self._texts = False
        return self._ocr.draw(source, result)

    def _free_name(self, stem: str) -> str:
        name, number = f"{stem}.jpg", 2
        while name in self._taken:
            name, number = f"{stem}-{number}.jpg", number + 1
        self._taken.add(name)
        return name
