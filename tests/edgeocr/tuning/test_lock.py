"""Two tunings at the same time on one device."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from edgeocr import EdgeOCRError
from edgeocr.tuning.lock import only_tuning


@pytest.mark.skipif(sys.platform == "win32", reason="needs flock")
def test_a_second_tuning_names_the_first_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said = f"process number {os.getpid()}, "
    with only_tuning(), pytest.raises(EdgeOCRError, match=said), only_tuning():
        pass
    with only_tuning():  # the first one has ended
        pass


def test_a_cache_that_cannot_be_written_keeps_nobody_from_tuning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    with only_tuning():
        pass
