"""`edgeocr bench` as a user types it."""

from __future__ import annotations

import json
import platform
import re
import sys
from pathlib import Path

import pytest

from edgeocr.bench.pictures import SAMPLES
from edgeocr.bench.result import BenchResult
from edgeocr.bench.table import table
from edgeocr.cli.main import main
from tests.support.paths import IMAGES

SAMPLE = IMAGES / "sample.jpg"


@pytest.mark.slow
def test_bench_prints_tables_and_writes_files_without_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    picture, bad = tmp_path / "in" / "a picture.jpg", tmp_path / "bad one.jpg"
    picture.write_bytes(SAMPLE.read_bytes())
    bad.write_bytes(b"no picture")
    made, html = tmp_path / "result.json", tmp_path / "result.html"
    words = ["--providers", "cpu", "--repeat", "1", "--json", str(made), "--html", str(html)]
    assert main(["bench", *words, "--images", str(picture.parent), str(bad), "missing.png"]) == 1
    text = made.read_text(encoding="utf-8")
    result = BenchResult.from_dict(json.loads(text))
    captured = capsys.readouterr()
    assert captured.out == table(result) + "\n" and captured.err == ""
    assert [each.name for each in result.images] == ["a picture.jpg"]
    assert [each.name for each in result.failed] == ["bad one.jpg", "missing.png"]
    assert result.failed[0].error.startswith("bad one.jpg: ")
    assert "missing.png failed: " in captured.out
    assert len(result.working["cpu"].reads_ms) == 1
    for known in (str(tmp_path), str(Path.home()), str(SAMPLES.parent), sys.prefix):
        assert known not in text and known not in html.read_text(encoding="utf-8")
    assert not re.search(r'"/|[ (]/\w+/', text)
    assert len(platform.node()) < 4 or platform.node() not in text


def test_bench_without_pictures_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--images", str(tmp_path)]) == 1
    assert "no pictures in this folder" in capsys.readouterr().err
