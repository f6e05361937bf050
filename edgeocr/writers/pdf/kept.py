"""Pages of PDF files that are kept: where text goes on them, and which words they have already."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...decoding.formats import ENOUGH
from ...documents import text_layer
from ...documents.pdf import PdfPage, is_pdf
from ...errors import DocumentError
from ...images import Frame, Source
from ...postprocess.geometry import Float32
from ...results.lines import Line
from ...results.read_page import ReadPage
from ..divided import words_of

if TYPE_CHECKING:
    import pikepdf

# A word counts as present on the page if its centre lies in the box of one of the page's characters
# or beside this box, by no more than this share of the box's height.
MARGIN = 0.25


def pdf_page_of(source: Source) -> PdfPage | None:
    """Return the page of a PDF file that a frame or the file's content stands for, or None."""
    if isinstance(source, Frame):
        return source.held if isinstance(source.held, PdfPage) else None
    if isinstance(source, (bytes, bytearray, memoryview)) and is_pdf(bytes(source[:ENOUGH])):
        return PdfPage(bytes(source))
    return None


def without_its_own(lines: Sequence[Line], held: PdfPage, page: ReadPage) -> list[Line]:
    """Leave out the words that a page of a PDF file has as characters already.

    Args:
        lines: What was read on the page.
        held: The page of the file.
        page: The result that the lines are from.
    """
    boxes = _boxes_of_characters(held, page)
    if not len(boxes):
        return list(lines)
    left, top, right, bottom = boxes.T
    margin = MARGIN * (bottom - top)

    def is_there(quad: Float32) -> bool:
        x, y = quad.mean(axis=0)
        beside = (left - margin <= x) & (x <= right + margin)
        return bool((beside & (top - margin <= y) & (y <= bottom + margin)).any())

    found = []
    for line in lines:
        words = tuple(word for word in words_of(line) if not is_there(word.quad))
        if words:
            found.append(replace(line, words=words))
    return found


def opened(held: PdfPage) -> pikepdf.Pdf:
    """Open the file of a page.

    Raises:
        pikepdf.PdfError: pikepdf can't open what PDFium could.
    """
    import pikepdf

    file = io.BytesIO(held.file) if isinstance(held.file, bytes) else Path(held.file)
    return pikepdf.Pdf.open(file, password=held.options.password or "")


def placed(page: pikepdf.Page) -> tuple[tuple[float, float], str]:
    """Return the size of a page as it is shown, and where that is in the units of the page.

    Args:
        page: A page, which may be turned and cropped.

    Returns:
        Width and height in units of the page, and the six numbers of a matrix that takes points
        from the lower left of what is shown to the page.
    """
    x, y, right, top = _rectangle(page)
    width, height = right - x, top - y
    turned = rotation_of(page)
    matrix = {
        0: (1, 0, 0, 1, x, y),
        90: (0, 1, -1, 0, right, y),
        180: (-1, 0, 0, -1, right, top),
        270: (0, -1, 1, 0, x, top),
    }[turned]
    size = (height, width) if turned in (90, 270) else (width, height)
    return size, " ".join(f"{number:.4f}" for number in matrix)


def rotation_of(page: pikepdf.Page) -> int:
    """Return by how many degrees, 0, 90, 180 or 270, a page is shown turned clockwise."""
    return int(page.obj.get("/Rotate", 0)) // 90 * 90 % 360


def _rectangle(page: pikepdf.Page) -> list[float]:
    """Return the left, bottom, right and top of the part of a page that is shown."""
    media = _sorted([float(each) for each in page.mediabox])
    crop = _sorted([float(each) for each in page.cropbox])
    inner = [max(media[0], crop[0]), max(media[1], crop[1])]
    inner += [min(media[2], crop[2]), min(media[3], crop[3])]
    return inner if inner[0] < inner[2] and inner[1] < inner[3] else media


def _sorted(box: Sequence[float]) -> list[float]:
    (left, right), (bottom, top) = sorted(box[::2]), sorted(box[1::2])
    return [left, bottom, right, top]


def _boxes_of_characters(held: PdfPage, page: ReadPage) -> Float32:
    """Return left, top, right and bottom of each character in pixels, float32 [N, 4]."""
    try:
        layer = text_layer.read(held)
    except DocumentError:  # it has more characters than can be looked at
        return np.zeros((0, 4), np.float32)
    scale = np.array([page.width / layer.width, page.height / layer.height])
    quads = [glyph.quad for line in layer.lines for glyph in line.glyphs if glyph.quad is not None]
    points = np.array(quads, np.float64).reshape(-1, 4, 2) * scale
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1).astype(np.float32)
