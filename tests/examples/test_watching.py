"""The example scripts that watch something, on short videos."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import srt

from tests.support.clips import clip
from tests.support.paths import IMAGES

Run = Callable[..., str]


def test_meter_to_csv_writes_a_row_for_each_value(run: Run) -> None:
    rows = list(csv.DictReader(run("meter_to_csv.py", IMAGES / "meter.mp4").splitlines()))
    assert [row["bar"] for row in rows] == ["6.14", "6.97", "8.32", "7.05"]
    shown = [1.0, 2.5, 4.0, 5.5]
    assert all(abs(float(row["seconds"]) - at) < 0.15 for row, at in zip(rows, shown, strict=True))


def test_door_sign_says_when_the_shop_opens_and_closes(run: Run, tmp_path: Path) -> None:
    video = clip(
        tmp_path / "door.avi",
        # Somebody walks past; then the sign is turned, and in the end taken away.
        [(1, "OPEN"), (0.5, ""), (1, "OPEN"), (1.5, "CLOSED"), (3, "")],
    )
    printed = run("door_sign.py", video, "0,20,480,160").splitlines()
    assert [line.partition(": ")[2] for line in printed] == [
        "the shop is open",
        "the shop is closed",
        "the sign can't be seen",
    ]


def test_conveyor_codes_tells_each_parcel_once(run: Run, tmp_path: Path) -> None:
    codes = ["KX-4820", "", "LB-1177", "", "KX-4820", ""]
    video = clip(tmp_path / "belt.avi", [(1, code) for code in codes])
    pictures = tmp_path / "parcels"
    assert run("conveyor_codes.py", video, pictures).splitlines() == [
        "KX-4820",
        "LB-1177",
        "KX-4820 again",
    ]
    assert len(list(pictures.iterdir())) == 3


def test_subtitles_to_srt_writes_what_was_shown(run: Run, tmp_path: Path) -> None:
    scenes = [(0.5, ""), (1.5, "Where are you going?"), (1, ""), (1.5, "Home, for tea.")]
    target = tmp_path / "film.srt"
    assert "appeared" in run(
        "subtitles_to_srt.py", clip(tmp_path / "film.avi", scenes, 130), target
    )
    cues = list(srt.parse(target.read_text("utf-8"), ignore_errors=False))
    assert [cue.content for cue in cues] == ["Where are you going?", "Home, for tea."]
    times = [cue.start.total_seconds() for cue in cues] + [cues[0].end.total_seconds()]
    assert all(abs(a - b) < 0.15 for a, b in zip(times, [0.5, 3.0, 2.0], strict=True))
