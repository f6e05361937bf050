"""The pages of a PDF file: how many there are, how large they are, and their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ..decoding.formats import PDF
from ..decoding.limits import Limits
from ..errors import DocumentError
from . import pdfium
from .pdfium import File, OpenPage, opened_page

# What becomes of a page's own text: it is never used, used where it seems to be the whole text of
# the page, or always used, so that nothing is recognized.
TextLayerUse: TypeAlias = Literal["never", "auto", "only"]
TEXT_LAYER_USES: tuple[TextLayerUse, ...] = get_args(TextLayerUse)
# Pixels per inch at which pages are rendered: the lowest at which print of 8 points is read as well
# as at 300 (`python -m benchmarks resolutions`).
DPI = 200
MOST_DPI = 2400
# Units of a PDF page per inch.
POINTS = 72
# Bytes per pixel that rendering takes: the picture, and PDFium's layers for transparency.
RENDERING_BYTES = 12


@dataclass(frozen=True)
class PdfOptions:
    """How the pages of PDF files are read.

    Attributes:
        dpi: Pixels per inch at which they are rendered.
        text: What becomes of their own text.
        password: What opens encrypted documents.
    """

    dpi: int = DPI
    text: TextLayerUse = "never"
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: One of them is impossible.
            TypeError: The resolution is not a whole number.
        """
        if not isinstance(self.dpi, int) or isinstance(self.dpi, bool):
            raise TypeError(f"dpi must be a whole number, not {self.dpi!r:.40}")
        if not 1 <= self.dpi <= MOST_DPI:
            raise ValueError(f"dpi must be from 1 to {MOST_DPI}, not {self.dpi}")
        if self.text not in TEXT_LAYER_USES:
            raise ValueError(f"pdf_text must be one of {TEXT_LAYER_USES}, not {self.text!r:.40}")
        if self.password is not None and not isinstance(self.password, str):
            raise TypeError("the password must be a text or None")


DEFAULT_OPTIONS = PdfOptions()


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
