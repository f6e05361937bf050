"""The command line with a bundle that lacks stages."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from edgeocr.cli.main import main
from tests.support import frozen, systems
from tests.support.systems import picture


@pytest.mark.slow
def test_command_that_needs_a_missing_stage_fails_and_others_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen.stored(systems.bundle("CRNN"), tmp_path / "reader.edgeocr")
    cv2.imwrite(str(tmp_path / "part.png"), picture("part"))
    arguments = [str(tmp_path / "part.png"), "--bundle", str(tmp_path / "reader.edgeocr")]
    assert main(["read", *arguments]) == 1
    assert "has no detection stage, only recognition" in capsys.readouterr().err
    assert main(["recognize", *arguments]) == 0
    assert main(["bundle", "show", str(tmp_path / "reader.edgeocr")]) == 0
    assert "algorithm   CTC" in capsys.readouterr().out
