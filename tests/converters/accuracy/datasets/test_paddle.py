"""Test reading sets in PaddleOCR's format: Label.txt, and the label files of its training data."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy.datasets import folder, paddle
from converters.accuracy.labels import LabelledPages
from edgeocr import DatasetError

REGION = '{"transcription": "%s", "points": [[0, 1], [9, 1], [9, 5.5], [0, 5]], "difficult": false}'


def test_training_data_of_paddleocr_is_recognized_by_its_label_file(tmp_path: Path) -> None:
    root = tmp_path / "train_data" / "icdar2015"
    (root / "ch4_test_images").mkdir(parents=True)
    (root / "ch4_test_images" / "img_61.jpg").touch()
    row = f"ch4_test_images/img_61.jpg\t[{REGION % 'MASA'}]\r\n"
    (root / "test_icdar2015_label.txt").write_text("\ufeff" + row, "utf-8")
    for path, name in (
        (root, "icdar2015"),
        (root / "test_icdar2015_label.txt", "test_icdar2015_label"),
    ):
        (read,) = folder.read(path)
        assert isinstance(read, LabelledPages)
        assert (read.kind, read.name) == ("paddle", name)
        assert [line.text for line in read.pictures[root / "ch4_test_images" / "img_61.jpg"]] == [
            "MASA"
        ]
    (root / "train_icdar2015_label.txt").write_text(row, "utf-8")
    with pytest.raises(DatasetError, match=r"name one: test_icdar2015_label\.txt, train_icdar"):
        folder.read(root)


def test_pictures_may_be_in_a_folder_of_their_own(tmp_path: Path) -> None:
    elsewhere = tmp_path / "pictures"
    (tmp_path / "test.txt").write_text(f"rgb/img1.jpg\t[{REGION % 'a'}]\n")
    (read,) = paddle.read(tmp_path / "test.txt", elsewhere)
    assert list(read.pictures) == [elsewhere / "rgb/img1.jpg"]
