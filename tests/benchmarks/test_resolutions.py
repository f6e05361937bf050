"""The benchmark of PDF resolutions draws what it compares with."""

from __future__ import annotations

from random import Random

from benchmarks.resolutions import drawn, measured, rows
from edgeocr import OCR
from tests.support import pdfs


def test_drawn_rows_are_read_and_counted(ocr: OCR) -> None:
    text = rows(36, Random(5))
    content = pdfs.document([drawn(text, 36)])
    row = measured(ocr, content, [text], 36, 72)
    assert row.startswith(f"| 36 | 72 | 0.0 | {len(text)} of {len(text)} |")
    changed = [f"{each}xx" for each in text]
    assert f"| 0 of {len(text)} |" in measured(ocr, content, [changed], 36, 72)
