"""Test reading PaddleOCR's label files of single lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy.datasets import folder
from converters.accuracy.labels import LabelledWords
from edgeocr import DatasetError
from tests.support.datasets import picture, text


def words(path: Path, kind: str | None = None) -> LabelledWords:
    (found,) = folder.read(path, kind)
    assert isinstance(found, LabelledWords) and found.kind == "rec_gt"
    return found


def test_pictures_and_texts_are_read(tmp_path: Path) -> None:
    root = tmp_path / "rec"
    first = picture(root / "train" / "word_001.jpg")
    picture(root / "train" / "word_002.jpg")
    file = text(
        root / "rec_gt_test.txt",
        "train/word_001.jpg\t简单可依赖",
        "rec/train/word_002.jpg\ttab\tand space ",
    )
    for path, name in ((root, "rec"), (file, "rec_gt_test")):
        found = words(path)
        assert found.name == name
        assert [word.text for word in found.words] == ["简单可依赖", "tab\tand space "]
        assert found.words[0].content() == first.read_bytes()


def test_label_txt_beside_it_comes_first_unless_the_kind_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "crop_img" / "a_crop_0.jpg")
    picture(tmp_path / "a.jpg")
    text(tmp_path / "rec_gt.txt", "crop_img/a_crop_0.jpg\ttext")
    points = "[[0, 0], [9, 0], [9, 9], [0, 9]]"
    text(tmp_path / "Label.txt", f'a.jpg\t[{{"transcription": "text", "points": {points}}}]')
    assert [each.kind for each in folder.read(tmp_path)] == ["paddle"]
    assert [word.text for word in words(tmp_path, "rec_gt").words] == ["text"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("b.jpg text", "a row must have a name, a tab and a text: 'b.jpg text'"),
        ("b.jpg\ttext", r"the picture .*b\.jpg is missing"),
    ],
)
def test_wrong_row_is_named(row: str, message: str, tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    text(tmp_path / "rec_gt.txt", "a.jpg\ttext", row)
    with pytest.raises(DatasetError, match=rf"rec_gt\.txt, row 2: {message}"):
        folder.read(tmp_path)


def test_several_label_files_must_be_told_apart(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    for name in ("train_gt.txt", "test_gt.txt"):
        text(tmp_path / name, "a.jpg\ttext")
    with pytest.raises(DatasetError, match=r"name one: test_gt\.txt, train_gt\.txt"):
        folder.read(tmp_path)
