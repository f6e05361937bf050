"""The command line within a memory limit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr.cli.main import main

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are kept on Linux")


@pytest.mark.parametrize(
    "option",
    [
        *(["--memory-limit", "much"], ["--memory-limit", "9" * 400 + "MB"]),
        *(["--max-pixels", "12"], ["--max-pixels", "9" * 5000]),
    ],
)
@pytest.mark.parametrize("command", [["read", "x.jpg"], ["detect", "x.jpg"], ["warm"], ["bench"]])
def test_impossible_limits_are_usage_errors(
    command: list[str], option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, *option])
    assert end.value.code == 2
    assert "must be" in capsys.readouterr().err


@linux
def test_limit_below_what_opening_takes_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "x.jpg", "--memory-limit", "30MB"]) == 1
    assert "error: tiny: needs" in capsys.readouterr().err


@linux
@pytest.mark.slow
def test_overlay_of_a_large_page_is_drawn_at_a_part_of_its_size(tmp_path: Path) -> None:
    page = np.full((6000, 4500, 3), 255, np.uint8)
    cv2.putText(page, "EDGE OCR", (400, 1000), 0, 20, (0, 0, 0), 40)
    cv2.imwrite(str(tmp_path / "page.jpg"), page)
    page_path, drawn_path = str(tmp_path / "page.jpg"), str(tmp_path / "drawn")
    limit = ["--provider", "cpu", "--memory-limit", "300MB"]
    done = subprocess.run(
        [sys.executable, "-m", "edgeocr", "detect", page_path, "--overlay", drawn_path, *limit],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and not done.stderr and done.stdout
    drawn = cv2.imread(str(tmp_path / "drawn" / "page.jpg"))
    assert drawn is not None and drawn.shape[0] < 6000
