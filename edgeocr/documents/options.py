"""The options with which callers choose how the pages of PDF files are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

# What becomes of a page's own text: it is never used, used where it seems to be the whole text of
# the page, or always used, so that nothing is recognized.
TextLayerUse: TypeAlias = Literal["never", "auto", "only"]
TEXT_LAYER_USES: tuple[TextLayerUse, ...] = get_args(TextLayerUse)
# Pixels per inch at which pages are rendered: the lowest at which print of 8 points is read as well
# as at 300 (`python -m benchmarks resolutions`).
DPI = 200
MOST_DPI = 2400


@dataclass(frozen=True)
class PdfOptions:
    """How the pages of PDF files are read.

    Attributes:
        dpi: Pixels per inch at which they are rendered.
        text: What becomes of their own text.
        password: The password of encrypted documents.
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
