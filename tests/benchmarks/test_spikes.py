"""Spikes: the pages, the figures and the recorded shapes."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.spikes import LINES, PageTimes, pages, record_shapes
from edgeocr import OCR, RuntimeOptions


def test_pages_are_always_the_same_and_of_many_sizes() -> None:
    first, second = list(pages(20)), list(pages(20))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert len({page.shape for page in first}) == 20


def test_most_lines_of_a_page_are_found(ocr: OCR) -> None:
    found = [len(ocr.detect(page)) for page in pages(4)]
    assert sum(found) >= 3 * LINES


def test_page_of_more_than_three_times_the_median_is_a_spike() -> None:
    times = PageTimes.from_milliseconds([10.0] * 98 + [29.0, 31.0])
    assert times.median_ms == 10 and times.longest_ms == 31 and times.spikes == 1
    assert times.p99_ms == pytest.approx(29.02)
    assert str(times).startswith("median 10.0 ms") and str(times).endswith("spikes 1")
    assert "3.1 times the median" in str(times)


def test_recorded_shapes_are_in_the_fixed_set() -> None:
    with OCR(provider="cpu", threads=1, runtime=RuntimeOptions(fixed_shapes=True)) as ocr:
        seen = record_shapes(ocr)
        for page in pages(2):
            ocr.read(page)
        assert seen["detection"] and seen["recognition"]
        for name, stage in ocr.stages.items():
            assert seen[name] <= set(stage.session.shapes)
