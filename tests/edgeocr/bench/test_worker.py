"""What the measuring process of `edgeocr bench` does, without a network."""

from __future__ import annotations

import io
import json
import os
import signal
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr import EdgeOCRError, GraphError, Page, ocr
from edgeocr.bench import worker
from edgeocr.bench.matrix import Graphs
from edgeocr.bench.process_memory import gpu_bytes
from edgeocr.bench.settings import Settings
from edgeocr.bench.spread import Spread
from edgeocr.bench.worker import Request, Worker, main


class FakePage(Page):
    """A page whose text is its source."""

    @property
    def text(self) -> str:
        return self.source


class FakeOCR:
    """Reads names: "bad" never, "late" four times, "moody" never twice alike."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.providers = {"recognition": "cpu"}
        self.variants: dict[str, str] = {"recognition": "int8"}
        self.threads = 3
        self.times: dict[str, int] = {}

    def warm_up(self) -> None:
        return None

    def read(self, source: str) -> Page:
        times = self.times[source] = self.times.get(source, 0) + 1
        if source == "bad" or (source == "late" and times > 4):
            raise GraphError(f"{source}: no")
        text = f"{source} {times}" if source == "moody" else source
        return FakePage(text, 1, 1, (), {"load": 1.0})

    def read_many(self, sources: Sequence[str]) -> list[Page | EdgeOCRError]:
        found: list[Page | EdgeOCRError] = []
        for source in sources:
            try:
                found.append(self.read(source))
            except EdgeOCRError as error:
                found.append(error)
        return found


def request(images: list[str]) -> Request:
    return Request("cpu", None, Graphs(None, fp16=False), 3, Settings(), images, "first")


def started(
    monkeypatch: pytest.MonkeyPatch, images: list[str], reader: type[FakeOCR] = FakeOCR
) -> tuple[Worker, list[Any]]:
    """Return a worker with an OCR that stands in for the real one, and what it sends."""
    monkeypatch.setattr(ocr, "OCR", reader)
    sent: list[Any] = []
    found = Worker(request(images), sent.append)
    found.start()
    return found, sent


def test_times_are_those_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0

    class TimedOCR(FakeOCR):
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

        def read_many(self, sources: Sequence[str]) -> list[Page | EdgeOCRError]:
            nonlocal now
            now += 0.1 * len(sources)
            return [super(TimedOCR, self).read(source) for source in sources]

    monkeypatch.setattr(worker, "perf_counter", lambda: now)
    monkeypatch.setattr(ocr, "OCR", TimedOCR)
    sent: list[Any] = []
    found = Worker(request(["plain", "other"]), sent.append)
    answer = found.start()
    assert answer["cold_start_ms"] == pytest.approx(
        {"total": 2250, "importing": 0, "opening": 2000, "first_page": 250}
    )
    assert (answer["threads"], answer["variants"]) == (3, {"recognition": "int8"})
    assert found.obey({"command": "warm_up"}) == {"ms": 3000}
    pages = found.obey({"command": "round"})["pages"]
    assert pages == [{"load": 1.0, "rest": pytest.approx(249)}] * 2
    stream = found.obey({"command": "stream", "times": 5})
    assert (stream["pages"], stream["ms"]) == (10, pytest.approx(1000))


def test_pictures_that_fail_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found, sent = started(monkeypatch, ["good", "bad", "late"])
    assert found.obey({"command": "read"})["lines"] == [[], None, []]
    for _ in range(3):
        pages = found.obey({"command": "round"})["pages"]
        assert [page is not None for page in pages] == [True, False, True]
    pages = found.obey({"command": "round"})["pages"]
    assert [page is not None for page in pages] == [True, False, False]
    assert found.obey({"command": "stream", "times": 2})["pages"] == 2
    assert found.obey({"command": "figures"})["failed"] == [[1, "bad: no"], [2, "late: no"]]
    assert sent[:3] == [{"page": 1}, {"page": 2}, {"page": 3}]


def test_picture_that_fails_in_the_stream_only_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = started(monkeypatch, ["good", "late"])
    found.obey({"command": "round"})
    # The first stream, which reads each picture twice, isn't timed.
    assert found.obey({"command": "stream", "times": 2})["pages"] == 3
    assert found.obey({"command": "figures"})["failed"] == [[1, "late: no"]]


def test_no_readable_picture_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = started(monkeypatch, ["bad"])
    with pytest.raises(EdgeOCRError, match="bad: no"):
        found.obey({"command": "read"})


def test_texts_that_change_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for picture, same in (("good", True), ("moody", False)):
        found, _ = started(monkeypatch, [picture])
        found.obey({"command": "read"})
        found.obey({"command": "round"})
        assert found.obey({"command": "figures"})["same_each_time"] is same


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that runs `main` on rows of input and returns its code and messages."""

    def run(*rows: str) -> tuple[int, list[Any]]:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{row}\n" for row in rows)))
        output = tmp_path / "output"
        # `main` moves the process's file descriptor 1, so it is put back afterwards.
        kept, handler = os.dup(1), signal.getsignal(signal.SIGINT)
        with output.open("wb") as file:
            os.dup2(file.fileno(), 1)
        try:
            code = main()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            signal.signal(signal.SIGINT, handler)
        return code, [json.loads(row) for row in output.read_text().splitlines()]

    return run


def test_messages_follow_the_protocol(streams: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "OCR", FakeOCR)
    opened = request(["good"]).to_json()
    code, messages = streams(opened, '{"command": "read"}')
    assert code == 0 and [list(message) for message in messages] == [["done"], ["page"], ["done"]]
    code, messages = streams(request(["bad"]).to_json(), '{"command": "round"}')
    assert code == 0 and messages[-1] == {"error": "bad: no"}
    code, messages = streams(opened, '{"command": "dance"}')
    assert code == 1 and list(messages[-1]) == ["done"]


def test_percentiles_equal_those_of_numpy() -> None:
    chance = np.random.default_rng(5)
    for size in (1, 2, 3, 10, 57, 200):
        values = chance.lognormal(3, 1, size)
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
