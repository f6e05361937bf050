"""The line of progress: rate, time left, and what it counts."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from edgeocr.cli.main import main
from edgeocr.cli.progress import ProgressLine, duration
from tests.support import pdfs


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"), (5400, "1 h 30 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_rate_and_time_left_follow_from_what_was_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 102.0, 110.0, 130.0, 140.0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with ProgressLine() as line:
        line.show_bar(1, 100, "a.jpg")
        line.show_bar(20, 100, "b.jpg")
        line.show_bar(60, 100, "c.jpg", skipped=50)
        line.show_bar(100, 100, "d.jpg", skipped=80)
    shown = capsys.readouterr().err.split("\r\x1b[K")
    assert [each.split("· ")[-1].split("█ ")[-1] for each in shown[1:]] == [
        "1/100 a.jpg",
        "20/100 2.0/s, 40 s left b.jpg",
        "60/100 3.0 s each, 2 min left c.jpg",
        "100/100 2.0 s each d.jpg",
        "",
    ]


def test_pages_of_a_document_are_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "five.pdf"
    path.write_bytes(pdfs.numbered(5))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(["detect", str(path), str(path), "--pages", "1,4-"]) == 0
    shown = capsys.readouterr().err
    assert "1/4 five.pdf#1" in shown and "3/4 " in shown and "4/6 " in shown and "6/6 " in shown
