"""Test reading PaddleOCR's Label.txt, and the label files of its training data."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy.datasets import folder, paddle
from converters.accuracy.labels import LabelledPages
from converters.errors import DatasetError
from tests.support.paths import IMAGES

REGION = '{"transcription": "%s", "points": [[0, 1], [9, 1], [9, 5.5], [0, 5]], "difficult": false}'


def write(folder: Path, text: str) -> None:
    (folder / "Label.txt").write_text(text, encoding="utf-8")


def test_pictures_and_their_lines_are_read(tmp_path: Path) -> None:
    write(tmp_path, f"a.jpg\t[{REGION % '茶 tea'}, {REGION % 'b'}]\n\nsub/c.png\t[]\n")
    read = paddle.labels_of(tmp_path / "Label.txt")
    assert list(read) == [tmp_path / "a.jpg", tmp_path / "sub/c.png"]
    first, second = read[tmp_path / "a.jpg"]
    assert (first.text, second.text) == ("茶 tea", "b")
    assert first.polygon.tolist() == [[0, 1], [9, 1], [9, 5.5], [0, 5]]
    assert first.polygon.dtype == float
    assert read[tmp_path / "sub/c.png"] == []


@pytest.mark.parametrize(("text", "care"), [("###", False), ("*", False), ("a*", True), ("", True)])
def test_transcriptions_that_must_not_count(tmp_path: Path, text: str, care: bool) -> None:
    write(tmp_path, f"a.jpg\t[{REGION % text}]")
    assert paddle.labels_of(tmp_path / "Label.txt")[tmp_path / "a.jpg"][0].care is care


def test_picture_names_may_begin_with_the_folders_name(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    (shop / "shop").mkdir(parents=True)
    for path in (shop / "a.jpg", shop / "b.jpg", shop / "shop" / "b.jpg"):
        path.touch()
    write(shop, "shop/a.jpg\t[]\nshop/b.jpg\t[]\nother/c.jpg\t[]\n")
    assert list(paddle.labels_of(shop / "Label.txt")) == [
        shop / "a.jpg",
        shop / "shop" / "b.jpg",
        shop / "other" / "c.jpg",
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("x", "a JSON list of labelled lines must follow"),
        ('{"a": 1}', "a JSON list of labelled lines must follow"),
        ("5", "a JSON list of labelled lines must follow"),
        ('[{"transcription": "A"}]', "'points'"),
        ('[{"transcription": "A", "points": 5}]', "4 or more pairs"),
        ('[{"transcription": "A", "points": [[0, 0], [9, 0], [9, 9]]}]', "4 or more pairs"),
        ('[{"transcription": "A", "points": [[0, 0], [9, 0], [9, 9], [0]]}]', "inhomogeneous"),
        ('[{"transcription": "A", "points": [[0, 0], [9, 0], [9, 9], [0, NaN]]}]', "be finite"),
        (
            '[{"transcription": 3, "points": [[0, 0], [9, 0], [9, 9], [0, 9]]}]',
            "must be a string, not 3",
        ),
    ],
)
def test_error_names_a_row_that_is_not_a_label(row: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, f"a.jpg\t{row}\n")
    with pytest.raises(DatasetError, match=f"Label.txt, row 1: a.jpg: .*{message}"):
        paddle.labels_of(tmp_path / "Label.txt")


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Label.txt").write_bytes("a.jpg\t[]\nß.jpg\t[]\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="must be text in UTF-8"):
        paddle.labels_of(tmp_path / "Label.txt")


def test_line_separator_inside_a_text_is_kept(tmp_path: Path) -> None:
    text = "a\u2028b"
    write(tmp_path, f"a.jpg\t[{REGION % text}]\n")
    assert paddle.labels_of(tmp_path / "Label.txt")[tmp_path / "a.jpg"][0].text == text


def test_labels_of_the_test_pictures_name_files_that_exist() -> None:
    read = paddle.labels_of(IMAGES / "Label.txt")
    assert all(path.is_file() for path in read)
    assert all(line.polygon.shape[1:] == (2,) for lines in read.values() for line in lines)


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


def test_names_may_be_relative_to_a_folder_further_up(tmp_path: Path) -> None:
    root = tmp_path / "train_data" / "total_text" / "test"
    (root / "rgb").mkdir(parents=True)
    (root / "rgb" / "img1.jpg").touch()
    (root / "test.txt").write_text(f"train_data/total_text/test/rgb/img1.jpg\t[{REGION % 'a'}]\n")
    assert list(paddle.labels_of(root / "test.txt")) == [root / "rgb" / "img1.jpg"]
    elsewhere = tmp_path / "pictures"
    (read,) = paddle.read(root / "test.txt", elsewhere)
    assert list(read.pictures) == [elsewhere / "train_data/total_text/test/rgb/img1.jpg"]
