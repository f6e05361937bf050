"""Write overlay pictures: each source with its regions and texts drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from ..errors import EdgeOCRError, FontError
from ..outputs.devices import output_errors
from ..outputs.replacement import write_file
from ..writers import jpeg
from .streams import tell

if TYPE_CHECKING:
    from ..batch.sources import NamedSource
    from ..images import Image, Source
    from ..ocr import OCR
    from ..outputs.guard import OutputGuard
    from ..page import Detections, Page


class OverlayFolder:
    """A folder with one overlay picture for each source or frame, under its name."""

    def __init__(
        self, folder: Path, ocr: OCR, guard: OutputGuard, *, texts: bool, words: bool = False
    ) -> None:
        """Create the folder if it does not exist.

        Args:
            folder: The folder.
            ocr: Draws the pictures.
            guard: Knows what must not be written to.
            texts: Whether to add a sheet with the texts.
            words: Whether to draw the words of the lines.

        Raises:
            OutputError: If the folder cannot be created.
        """
        self._folder = folder
        self._ocr = ocr
        self._guard = guard
        self._texts = texts
        self._words = words
        self._taken: set[str] = set()
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def write(self, source: NamedSource, result: Page | Detections) -> None:
        """Draw and write one picture.

        Args:
            source: The source.
            result: What was found in it.

        Raises:
            EdgeOCRError: If the picture cannot be drawn or written, or would replace a source or a
                file that is no overlay.
        """
        path = self._folder / self._free_name(source.stem)
        self._guard.check(path, jpeg.is_ours, "the overlay")
        try:
            content = jpeg.encode(self._draw(source.picture, result))
        except (EdgeOCRError, MemoryError, cv2.error) as error:
            raise EdgeOCRError(f"{path}: can't be drawn: {error}") from error
        # An overlay can be drawn again, and waiting for the disk takes long on slow cards.
        write_file(path, content, durable=False)

    def skip(self, source: NamedSource) -> None:
        """Keep the name of a picture that was drawn before, so that no other one gets it."""
        self._free_name(source.stem)

    def _draw(self, source: Source, result: Page | Detections) -> Image:
        """Draw a result; once no font covers a picture's texts, draw all without texts."""
        if self._texts:
            try:
                return self._ocr.draw(source, result, texts=True, words=self._words)
            except FontError as error:
                tell(f"edgeocr: overlays have no texts: {error}")
                self._texts = False
        return self._ocr.draw(source, result, words=self._words)

    def _free_name(self, stem: str) -> str:
        name, number = f"{stem}.jpg", 2
        # Some file systems do not distinguish capital letters.
        while name.casefold() in self._taken:
            name, number = f"{stem}-{number}.jpg", number + 1
        self._taken.add(name.casefold())
        return name
