"""Test measuring bundles on pictures whose texts and places are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from converters.accuracy import measure as accuracy
from edgeocr import ImageError
from edgeocr.accuracy import label_file
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.bundle.provenance import Accuracy
from tests.support.frozen import frozen
from tests.support.paths import IMAGES, TRAINED_EXPORTS
from tests.trained import words

EXPORTS = TRAINED_EXPORTS


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twelve words below each other, one labelled wrongly and one ignored."""
    folder = tmp_path_factory.mktemp("lines")
    given = words.clean(12, 9)
    width = max(word.crop.shape[1] for word in given)
    rows: list[np.ndarray] = []
    regions: list[dict[str, Any]] = []
    y = 0
    for word in given:
        high, wide = word.crop.shape[:2]
        rows.append(cv2.copyMakeBorder(word.crop, 0, 8, 0, width - wide, cv2.BORDER_REPLICATE))
        corners = [[0, y], [wide, y], [wide, y + high], [0, y + high]]
        regions.append({"transcription": word.text, "points": corners})
        y += high + 8
    regions[3]["transcription"] += "Q"
    regions[5]["transcription"] = "###"
    assert cv2.imwrite(str(folder / "a.png"), np.vstack(rows))
    (folder / "Label.txt").write_text(f"a.png\t{json.dumps(regions)}\n", encoding="utf-8")
    return folder


def test_bundle_that_only_reads_is_given_the_labelled_lines(lines: Path, tmp_path: Path) -> None:
    bundle = frozen(tmp_path / "a.edgeocr", recognition=str(EXPORTS / "crnn"))
    found = accuracy.measure(bundle, lines, threads=1)
    labelled = label_file.labels_of(lines / "Label.txt")
    characters = sum(len(line.text) for line in labelled[lines / "a.png"] if line.care)
    assert found == Accuracy(
        data=lines.name,
        sha256=accuracy.digest([lines / "Label.txt", lines / "a.png"]),
        pictures=1,
        lines=11,
        detection_hmean=1.0,
        hmean=round(10 / 11, 4),
        cer=round(1 / characters, 4),
    )


def test_bundle_that_only_detects_is_scored_by_detection(tmp_path: Path) -> None:
    bundle = frozen(tmp_path / "a.edgeocr", detection=str(EXPORTS / "db"))
    found = accuracy.measure(bundle, IMAGES, threads=1)
    assert found.hmean == found.detection_hmean > 0.5 and found.cer == 0


def test_digest_covers_names_and_contents(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1"), second.write_text("2")
    before = accuracy.digest([first, second])
    assert accuracy.digest([second, first]) == before
    first.write_text("2"), second.write_text("1")
    assert accuracy.digest([first, second]) != before


def test_curved_line_is_straightened_and_short_one_cut_as_a_rectangle() -> None:
    long = [[20, 20], [100, 10], [200, 20], [200, 50], [100, 40], [20, 50]]
    short = [[50, 50], [55, 48], [60, 50], [60, 60], [55, 62], [50, 60]]
    given = [LabelledLine(np.array(each, float), "a", True) for each in (long, short)]
    straight, small = (crop.pixels.shape for crop in accuracy.crops(IMAGES / "sample.jpg", given))
    assert straight[1] > 170 and 25 <= straight[0] <= 40
    assert sorted(small[:2]) == [10, 14]


def test_unreadable_picture_is_refused(lines: Path, tmp_path: Path) -> None:
    bundle = frozen(tmp_path / "a.edgeocr", recognition=str(EXPORTS / "crnn"))
    (tmp_path / "Label.txt").write_bytes((lines / "Label.txt").read_bytes())
    (tmp_path / "a.png").write_bytes(b"none")
    with pytest.raises(ImageError, match=r"a\.png"):
        accuracy.measure(bundle, tmp_path)
