"""Run edgeocr with a bundle on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import measure

if TYPE_CHECKING:
    from edgeocr import Page


def start(request: measure.Request) -> tuple[measure.Read, measure.Lines]:
    """Open the bundle; see `measure.main`."""
    from edgeocr import OCR

    ocr = OCR(
        request["bundle"],
        provider="cpu",
        threads=request["threads"],
        orientation=request["orientation"],
    )
    return ocr.read, _lines


def _lines(page: Page) -> list[measure.Line]:
    """Return the lines of a page."""
    return [
        {
            "text": line.text,
            "polygon": (line.quad if line.polygon is None else line.polygon).tolist(),
        }
        for line in page
    ]


if __name__ == "__main__":
    measure.main(start)
