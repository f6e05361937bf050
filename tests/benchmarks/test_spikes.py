"""The pages that spikes are looked for on, and what counts as one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.spikes import LINES, pages, record_shapes, summarize
from edgeocr import OCR


def test_pages_are_the_same_each_time_and_of_many_sizes() -> None:
    first, second = list(pages(20)), list(pages(20))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert len({page.shape for page in first}) == 20


def test_most_lines_of_a_page_are_found(ocr: OCR) -> None:
    found = [len(ocr.detect(page)) for page in pages(4)]
    assert sum(found) >= 3 * LINES


def test_what_is_a_spike() -> None:
    figures = summarize([10.0] * 98 + [29.0, 31.0])
    assert figures["median ms"] == 10 and figures["spikes"] == 1
    assert figures["most ÷ median"] == pytest.approx(3.1)


def test_shapes_are_recorded() -> None:
    ocr = OCR(provider="cpu", threads=1, few_shapes=True)
    seen = record_shapes(ocr)
    for page in pages(3):
        ocr.read(page)
    assert seen["detection"] and seen["recognition"]
    for stage, session in ocr._sessions().items():
        assert seen[stage] <= set(session.shapes)
