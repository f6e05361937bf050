"""The pages of a PDF file: how many there are, how large they are, and their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..decoding.formats import PDF
from ..decoding.limits import Limits
from ..errors import DocumentError
from . import pdfium
from .options import DEFAULT_OPTIONS, PdfOptions
from .pdfium import File, OpenPage, opened_page

# Units of a PDF page per inch.
POINTS = 72
# Bytes per pixel that rendering takes: the picture, and PDFium's layers for transparency.
RENDERING_BYTES = 12


@dataclass(frozen=True)
class PdfPage:
    """A page of a PDF file.

    Attributes:
        file: The path of the file, or its content.
        number: The number of the page, from 1.
        options: How it is read.
    """

    file: File = field(repr=False)
    number: int = 1
    options: PdfOptions = DEFAULT_OPTIONS

    def size(self) -> tuple[int, int]:
        """Return the width and the height in pixels, turned as the page says.

        Raises:
            DocumentError: The page can't be opened.
        """
        with opened_page(self.file, self.number, self.options.password) as page:
            return self.size_of(page)

    def size_of(self, page: OpenPage) -> tuple[int, int]:
        """Return the width and the height in pixels of the page when it is open."""
        scale = self.options.dpi / POINTS
        width, height = (side * scale for side in page.size)
        if not (math.isfinite(width) and math.isfinite(height)):
            raise DocumentError("the page has no size: the document is damaged")
        return max(1, round(width)), max(1, round(height))

    def render(self, limits: Limits) -> NDArray[np.uint8]:
        """Render the page with its annotations and the fields of its form.

        Args:
            limits: How large the picture may be.

        Returns:
            uint8 [H, W, 3] BGR.

        Raises:
            DocumentError: The page can't be opened, or has too many pixels.
        """
        with opened_page(self.file, self.number, self.options.password, forms=True) as page:
            width, height = self.size_of(page)
            self._check(width, height, limits)
            image = np.full((height, width, 3), 255, np.uint8)
            raw = page.raw
            bitmap = raw.FPDFBitmap_CreateEx(
                width, height, raw.FPDFBitmap_BGR, image.ctypes.data, 3 * width
            )
            if not bitmap:
                raise DocumentError(f"PDFium can't render {width} × {height} pixels: lower the dpi")
            try:
                place = (bitmap, page.handle, 0, 0, width, height, 0, raw.FPDF_ANNOT)
                raw.FPDF_RenderPageBitmap(*place)
                if page.form is not None:
                    raw.FPDF_FFLDraw(page.form, *place)
            finally:
                raw.FPDFBitmap_Destroy(bitmap)
        return image

    def _check(self, width: int, height: int, limits: Limits) -> None:
        if limits.pixels is None or width * height <= limits.pixels:
            return
        lower = int(self.options.dpi * math.sqrt(limits.pixels / (width * height)))
        advice = (
            f"render it with no more than {lower} dpi (dpi= of frames_of, or --dpi)"
            if lower >= 1
            else "the document may be damaged"
        )
        raise DocumentError(
            f"at {self.options.dpi} dpi the page has {width} × {height} pixels, the limit is "
            f"{limits.pixels} pixels: {advice}, or raise max_image_pixels if you trust it"
        )


def page_count(file: File, options: PdfOptions = DEFAULT_OPTIONS) -> int:
    """Return the number of pages that a PDF file says it has.

    Raises:
        DocumentError: It can't be opened, or says that it has no pages.
    """
    count = pdfium.page_count(file, options.password)
    if count < 1:
        raise DocumentError(
            "the PDF document has no pages: it is empty or damaged; open it in a PDF viewer to see "
            "whether anything is in it"
        )
    return count


def is_pdf(start: bytes) -> bool:
    """Tell whether a file that begins like this is a PDF document."""
    return PDF.matches(start)
