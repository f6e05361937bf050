"""Test recognizing the format of labelled pictures; each format's own test shows that it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy.datasets import folder
from edgeocr import DatasetError
from tests.support.datasets import ROW, picture, text
from tests.support.paths import IMAGES


def test_folder_of_the_repository_is_paddleocrs() -> None:
    assert [(each.kind, each.name) for each in folder.read(IMAGES)] == [("paddle", "images")]


@pytest.mark.parametrize("kind", folder.KINDS)
def test_folder_without_labels_of_the_named_kind_is_refused(kind: str, tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    text(tmp_path / "notes.txt", "no labels")
    with pytest.raises(DatasetError, match=f"no labels of the format {kind}$"):
        folder.read(tmp_path, kind)
    with pytest.raises(DatasetError, match="no labels of a known format: lmdb, icdar2015, "):
        folder.read(tmp_path)


def test_what_does_not_exist_or_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such folder or file"):
        folder.read(tmp_path / "none")
    with pytest.raises(DatasetError, match="lmdb is read from a folder, not from a file"):
        folder.read(IMAGES / "Label.txt", "lmdb")
    with pytest.raises(ValueError, match=r"kind must be one of lmdb, .* not 'coco'"):
        folder.read(tmp_path, "coco")


def test_set_of_which_no_line_counts_is_refused(tmp_path: Path) -> None:
    picture(tmp_path / "img_1.jpg")
    text(tmp_path / "gt_img_1.txt", ROW.format("###"))
    with pytest.raises(DatasetError, match="no labelled line counts"):
        folder.read(tmp_path)


def test_missing_pictures_are_counted(tmp_path: Path) -> None:
    points = "[[0, 0], [9, 0], [9, 9], [0, 9]]"
    row = f'\t[{{"transcription": "text", "points": {points}}}]'
    text(tmp_path / "Label.txt", *(f"{name}.jpg{row}" for name in "abc"))
    with pytest.raises(DatasetError, match=r"pictures are missing: .*a\.jpg and 2 more"):
        folder.read(tmp_path)
