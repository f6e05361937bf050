"""What the measuring process of `edgeocr bench` computes, without a network."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr import EdgeOCRError, GraphError, Page, ocr
from edgeocr.bench import worker
from edgeocr.bench.process_memory import gpu_bytes
from edgeocr.bench.provider_result import PictureFailure, ProviderResult, Spread
from edgeocr.bench.settings import Settings
from edgeocr.bench.worker import Request, measure


class FakePage(Page):
    """A page whose text is its source."""

    @property
    def text(self) -> str:
        return self.source


class FakeOCR:
    """Reads names: "bad" never, "late" only at first, "moody" never twice alike."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.providers = {"recognition": "cpu"}
        self.variants: dict[str, str] = {}
        self.times = 0

    def warm_up(self) -> None:
        return None

    def read(self, source: str) -> Page:
        self.times += 1
        if source == "bad" or (source == "late" and self.times > 7):
            raise GraphError(f"{source}: no")
        stages = {"load": 1.0} if source == "plain" else {"load": 1.0, "decoding": 1e5}
        text = f"{source} {self.times}" if source == "moody" else source
        return FakePage(text, 1, 1, (), stages)

    def read_many(self, sources: Sequence[str]) -> list[Page]:
        return [self.read(source) for source in sources]


def measured(
    monkeypatch: pytest.MonkeyPatch,
    images: list[str],
    repeat: int,
    reader: type[FakeOCR] = FakeOCR,
) -> tuple[ProviderResult, list[Any]]:
    """Measure with an OCR that stands in for the real one; return the result and what was sent."""
    monkeypatch.setattr(ocr, "OCR", reader)
    sent: list[Any] = []
    request = Request("cpu", None, Settings(), images, repeat, "first")
    return measure(request, sent.append), sent


def test_stage_that_a_page_did_not_need_counts_as_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = measured(monkeypatch, ["plain", "other", "plain"], 1)
    assert result.stages_ms["load"] == Spread(1.0, 1.0, 1.0, 1.0)
    assert result.stages_ms["decoding"].p50 == 0.0
    assert result.stages_ms["decoding"].p90 == pytest.approx(8e4)
    assert list(result.stages_ms) == ["load", "decoding", "rest"]


def test_times_are_those_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0

    class TimedOCR(FakeOCR):
        """Takes 2 s to open, 3 s to warm up, 0.25 s for a page, and 0.1 s for one in a stream."""

        def __init__(self, *given: Any, **named: Any) -> None:
            nonlocal now
            super().__init__(*given, **named)
            now += 2

        def warm_up(self) -> None:
            nonlocal now
            now += 3

        def read(self, source: str) -> Page:
            nonlocal now
            now += 0.25
            return super().read(source)

        def read_many(self, sources: Sequence[str]) -> list[Page]:
            nonlocal now
            now += 0.1 * len(sources)
            return [super(TimedOCR, self).read(source) for source in sources]

    monkeypatch.setattr(worker, "perf_counter", lambda: now)
    result, _ = measured(monkeypatch, ["plain", "plain"], 2, TimedOCR)
    assert result.cold_start_ms.to_dict() == pytest.approx(
        {"total": 2250, "import": 0, "open": 2000, "first_page": 250}
    )
    assert result.warm_up_ms == pytest.approx(3000)
    assert np.array(result.reads_ms) == pytest.approx(np.full((2, 2), 250.0))
    assert result.stages_ms["load"].p50 == 1 and result.stages_ms["rest"].p50 == 249
    assert result.pages_per_second == 4 and result.stream_pages_per_second == 10


def test_pictures_that_fail_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    result, sent = measured(monkeypatch, ["good", "bad", "late"], 3)
    # The first page was read before them, so that "late" fails in its third turn.
    assert [len(times) for times in result.reads_ms] == [3, 0, 2]
    assert result.failed == [PictureFailure("bad", "bad: no"), PictureFailure("late", "late: no")]
    assert sent[0] == {"first_page": True}
    assert sent[-1] == {"read": 7, "of": 9}
    with pytest.raises(EdgeOCRError, match="bad: no"):
        measured(monkeypatch, ["bad"], 2)


def test_texts_that_change_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert measured(monkeypatch, ["good"], 2)[0].same_each_time
    assert not measured(monkeypatch, ["moody"], 1)[0].same_each_time


def test_percentiles_equal_those_of_numpy() -> None:
    random = np.random.default_rng(5)
    for size in (1, 2, 3, 10, 57, 200):
        values = random.lognormal(3, 1, size)
        spread = Spread.of(values.tolist())
        expected = [values.min(), *np.percentile(values, [50, 90, 99])]
        assert [spread.min, spread.p50, spread.p90, spread.p99] == pytest.approx(
            expected, abs=5.1e-4
        )


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for nvidia-smi")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [("17, 100\n42, 512\n42, 8\n", 520 << 20), ("42, [N/A]\n", None), ("17, 100\n", None)],
)
def test_gpu_memory_is_that_of_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, expected: int | None
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\nprintf '{answer}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert gpu_bytes(42) == expected


def test_gpu_memory_is_unknown_without_nvidia_smi(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_bytes() is None
