"""The example scripts run on the test pictures and print what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from tests.support.paths import IMAGES, ROOT

EXAMPLES = ROOT / "examples"
Run = Callable[..., str]


def test_read_one_prints_the_lines_of_the_picture(run: Run) -> None:
    printed = run("read_one.py", IMAGES / "sample.jpg")
    assert "营业时间" in printed
    assert "16 lines in a picture of 960 x 720 pixels" in printed


def test_read_folder_goes_on_after_a_damaged_picture(run: Run, tmp_path: Path) -> None:
    (tmp_path / "damaged.jpg").write_bytes(b"not a picture")
    (tmp_path / "good.jpg").write_bytes((IMAGES / "poster.jpg").read_bytes())
    assert run("read_folder.py", tmp_path) == "good.jpg: 10 lines\n"


def test_boxes_to_csv_writes_a_row_for_each_line(run: Run) -> None:
    rows = run("boxes_to_csv.py", IMAGES / "receipt.jpg").splitlines()
    assert rows[0].startswith("text,score,x1")
    assert len(rows) == 45
    assert all(row.count(",") >= 9 for row in rows)


def test_draw_overlay_writes_a_picture_of_the_same_size(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "overlay.png"
    assert "lines drawn" in run("draw_overlay.py", IMAGES / "badge.jpg", target)
    drawn, original = cv2.imread(str(target)), cv2.imread(str(IMAGES / "badge.jpg"))
    assert drawn is not None and original is not None
    assert drawn.shape == original.shape and (drawn != original).any()


@pytest.mark.slow
def test_choose_device_names_the_provider_of_each_stage() -> None:
    # A process of its own: the example's memory limit counts what the tests before it still hold.
    command = [
        sys.executable,
        str(EXAMPLES / "choose_device.py"),
        str(IMAGES / "sample.jpg"),
        "cpu",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    printed = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert "recognition runs on cpu" in printed and "16 lines" in printed


def test_decode_your_own_network_finds_the_lines(run: Run) -> None:
    printed = run("decode_your_own_network.py", IMAGES / "sample.jpg")
    assert 14 <= len(printed.splitlines()) <= 18


def test_examples_are_short_and_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 40, path.name
        assert f"]({path.name})" in listed
