"""Pages made by hand, their PDFs, and what PDFium, the reader of Chrome, finds in them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pypdfium2

from edgeocr import Line, Page, Word
from edgeocr.images import Image, Source
from edgeocr.writers import pdf


def rectangle(
    left: float, top: float, width: float, height: float, degrees: float = 0
) -> np.ndarray:
    """Return the corners of a rectangle that is turned clockwise around its top left corner."""
    angle = np.radians(degrees)
    along, down = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    start = np.array([left, top])
    corners = [start, start + width * along, start + width * along + height * down]
    return np.array([*corners, start + height * down], np.float32)


def line_of(text: str, quad: np.ndarray, words: Sequence[tuple[str, np.ndarray]] = ()) -> Line:
    return Line(text, 0.9, quad, words=tuple(Word(word, 0.9, corners) for word, corners in words))


def page_of(size: tuple[int, int], lines: Iterable[Line] = (), rotation: int = 0) -> Page:
    """Return a page of a picture with this width and height."""
    return Page("page.png", *size, tuple(lines), rotation=rotation)


def pdf_of(*pages: tuple[Page, Source]) -> bytes:
    """Return a PDF of pages with their pictures."""
    stream = io.BytesIO()
    writer = pdf.Writer(stream)
    for page, picture in pages:
        writer.add(page, picture)
    writer.close()
    return stream.getvalue()


@contextmanager
def opened(content: bytes) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(content)
    try:
        yield document
    finally:
        document.close()


def rendered(content: bytes, size: tuple[int, int], number: int = 0) -> Image:
    """Return a page as PDFium draws it, uint8 [H, W, 3] BGR, with this width in pixels."""
    with opened(content) as document:
        page = document[number]
        # Sides are rounded up, and those of a page are close to whole numbers of pixels.
        scale = size[0] / page.get_width() * (1 - 1e-6)
        return np.ascontiguousarray(
            page.render(scale=scale, rev_byteorder=False).to_numpy()[..., :3]
        )


def texts(content: bytes) -> list[str]:
    """Return the text of each page as PDFium extracts it."""
    with opened(content) as document:
        return [page.get_textpage().get_text_range() for page in document]


def boxes(content: bytes, picture: tuple[int, int]) -> list[np.ndarray]:
    """Return the box of each word on the first page, in the order of the file, as PDFium has it.

    Args:
        content: The PDF.
        picture: Width and height of the picture in pixels.

    Returns:
        Boxes as left, top, right, bottom in pixels of the picture as it was given.
    """
    with opened(content) as document:
        page = document[0]
        text, (_, _, width, height) = page.get_textpage(), page.get_mediabox()
        across, down = picture[0] / width, picture[1] / height
        found = []
        for word in page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_TEXT], textpage=text):
            left, bottom, right, top = word.get_bounds()
            if word.extract().strip():
                top, bottom = height - top, height - bottom
                found.append(np.array([left * across, top * down, right * across, bottom * down]))
        return found
