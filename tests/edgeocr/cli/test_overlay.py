"""The option --overlay of the command line."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from edgeocr.cli.main import main
from edgeocr.writers import overlay
from tests.support.paths import IMAGES


def test_outlines_are_drawn_when_no_font_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(overlay, "_installed", tuple)
    assert main(["read", str(IMAGES / "sample.jpg"), "--overlay", str(tmp_path)]) == 0
    assert "overlays have no texts: none of the 0 installed fonts" in capsys.readouterr().err
    drawn = cv2.imread(str(tmp_path / "sample.jpg"))
    assert drawn is not None and drawn.shape == (720, 960, 3)
