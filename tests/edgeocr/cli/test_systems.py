"""The command line with a bundle of each family reads what the library reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeocr import OCR
from edgeocr.cli.main import main
from tests.support import frozen
from tests.support.systems import SYSTEMS, bundle, picture, stored


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "trained DB, CRNN",
        pytest.param("trained EAST, RARE", marks=pytest.mark.stress),
        pytest.param("trained SAST, CRNN", marks=pytest.mark.stress),
        "trained PGNet",
    ],
)
def test_command_line_reads_the_same_lines(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = SYSTEMS[name].pictures[0]
    (tmp_path / "page.png").write_bytes(stored()[f"picture {page}"].tobytes())
    frozen.stored(bundle(name), tmp_path / "system.edgeocr")
    bundled = ["--bundle", str(tmp_path / "system.edgeocr")]
    options = [*bundled, "--provider", "cpu", "--format", "json"]
    assert main(["read", str(tmp_path / "page.png"), *options]) == 0
    found = json.loads(capsys.readouterr().out)
    lines = OCR(bundle(name), provider="cpu").read(picture(page)).lines
    assert [line["text"] for line in found["lines"]] == [line.text for line in lines]
    assert lines
