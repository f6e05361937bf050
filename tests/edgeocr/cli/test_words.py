"""`edgeocr read --words` and `--characters`: JSON and overlays show them, text does not."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr.cli.main import main
from tests.support.paths import IMAGES

BADGE = str(IMAGES / "badge.jpg")


def lines(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, object]]:
    assert main(["read", BADGE, "--format", "jsonl", *options]) == 0
    found = json.loads(capsys.readouterr().out)["lines"]
    assert isinstance(found, list)
    return found


def texts(line: dict[str, object], part: str) -> list[str]:
    parts = line.get(part, [])
    assert isinstance(parts, list)
    return [each["text"] for each in parts]


def test_json_has_words_and_characters_that_were_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for line in lines(capsys):
        assert "words" not in line and "characters" not in line
    chinese, latin = lines(capsys, "--words")
    assert texts(chinese, "words") == ["现磨咖啡"] and texts(latin, "words") == ["OPEN", "07:30"]
    assert texts(chinese, "characters") == list("现磨咖啡") and "characters" not in latin
    _, latin = lines(capsys, "--characters")
    assert texts(latin, "words") == ["OPEN", "07:30"]
    assert texts(latin, "characters") == list("OPEN07:30")


def test_text_does_not_show_words(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for options in ([], ["--words"], ["--characters"]):
        assert main(["read", BADGE, *options]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] == printed[2]


def test_overlays_show_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = []
    for name, options in (("without", []), ("with", ["--words"])):
        assert main(["read", BADGE, "--overlay", str(tmp_path / name), *options]) == 0
        picture = cv2.imread(str(tmp_path / name / "badge.jpg"))
        assert picture is not None
        drawn.append(picture.astype(int))
    assert np.abs(drawn[0] - drawn[1]).max() > 50


@pytest.mark.parametrize("command", ["detect", "recognize"])
def test_only_read_finds_words(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, BADGE, "--words"])
    assert ended.value.code == 2
