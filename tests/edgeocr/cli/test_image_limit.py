"""The command line refuses pictures that are too large by their headers."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgeocr.cli.main import main
from edgeocr.decoding import limits
from tests.support import hostile_pictures as hostile

# A picture of 960 × 720 pixels.
PIXELS = 960 * 720


@pytest.mark.parametrize("command", ["read", "detect", "recognize"])
def test_error_says_what_to_pass_and_the_rest_is_read(
    command: str, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bomb = tmp_path / "bomb.gif"
    bomb.write_bytes(hostile.gif(32767, 32767))
    sample = str(pictures / "sample.jpg")
    assert main([command, str(bomb), sample, "--provider", "cpu"]) == 1
    captured = capsys.readouterr()
    assert f"error: {bomb}: it has 32767 × 32767 pixels" in captured.err
    assert f"--max-image-pixels {32767**2}" in captured.err
    assert captured.out


def test_limit_is_set_and_lifted(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read = ["detect", str(pictures / "sample.jpg"), "--provider", "cpu", "--max-image-pixels"]
    assert main([*read, str(PIXELS - 1)]) == 1
    assert "960 × 720" in capsys.readouterr().err
    assert main([*read, str(PIXELS)]) == main([*read, "none"]) == 0


@pytest.mark.parametrize("value", ["0", "-5", "many", "9" * 30])
def test_wrong_limit_is_a_usage_error(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["read", "x.jpg", f"--max-image-pixels={value}"])
    assert end.value.code == 2 and "must be" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (hostile.gif(32767, 32767), "32767 × 32767"),
        (bytes(3 << 20), "zeros only"),
        (b"\x89PNG\r\n\x1a\n" + bytes(4 << 20), "has more than"),
    ],
)
def test_standard_input_is_read_within_limits(
    content: bytes,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 3 << 20)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert main(["read", "-", "--provider", "cpu", "--format", "json"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("edgeocr: error: -: ") and words in captured.err
    assert '"source": "-"' in captured.out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_among_other_sources_are_read_once(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, pipes = (pictures / "sample.jpg").read_bytes(), [tmp_path / "a", tmp_path / "b"]
    for pipe, written in zip(pipes, (content, b"no picture"), strict=True):
        os.mkfifo(pipe)
        threading.Thread(target=pipe.write_bytes, args=(written,), daemon=True).start()
    assert main(["read", *map(str, pipes), "--provider", "cpu"]) == 1
    captured = capsys.readouterr()
    assert "NOODLE" in captured.out
    assert captured.err.startswith(f"edgeocr: error: {pipes[1]}: this is text")
