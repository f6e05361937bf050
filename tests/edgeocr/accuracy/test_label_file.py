"""Test reading PaddleOCR's Label.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr import DatasetError
from edgeocr.accuracy import label_file
from tests.support.paths import IMAGES

REGION = '{"transcription": "%s", "points": [[0, 1], [9, 1], [9, 5.5], [0, 5]], "difficult": false}'


def write(folder: Path, text: str) -> None:
    (folder / "Label.txt").write_text(text, encoding="utf-8")


def test_pictures_and_their_lines_are_read(tmp_path: Path) -> None:
    write(tmp_path, f"a.jpg\t[{REGION % '茶 tea'}, {REGION % 'b'}]\n\nsub/c.png\t[]\n")
    read = label_file.labels_of(tmp_path / "Label.txt")
    assert list(read) == [tmp_path / "a.jpg", tmp_path / "sub/c.png"]
    first, second = read[tmp_path / "a.jpg"]
    assert (first.text, second.text) == ("茶 tea", "b")
    assert first.polygon.tolist() == [[0, 1], [9, 1], [9, 5.5], [0, 5]]
    assert first.polygon.dtype == float
    assert read[tmp_path / "sub/c.png"] == []


@pytest.mark.parametrize(("text", "care"), [("###", False), ("*", False), ("a*", True), ("", True)])
def test_transcriptions_that_must_not_count(tmp_path: Path, text: str, care: bool) -> None:
    write(tmp_path, f"a.jpg\t[{REGION % text}]")
    assert label_file.labels_of(tmp_path / "Label.txt")[tmp_path / "a.jpg"][0].care is care


def test_picture_names_may_begin_with_the_folders_name(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    (shop / "shop").mkdir(parents=True)
    for path in (shop / "a.jpg", shop / "b.jpg", shop / "shop" / "b.jpg"):
        path.touch()
    write(shop, "shop/a.jpg\t[]\nshop/b.jpg\t[]\nother/c.jpg\t[]\n")
    assert list(label_file.labels_of(shop / "Label.txt")) == [
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
        label_file.labels_of(tmp_path / "Label.txt")


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Label.txt").write_bytes("a.jpg\t[]\nß.jpg\t[]\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="must be text in UTF-8"):
        label_file.labels_of(tmp_path / "Label.txt")


def test_line_separator_inside_a_text_is_kept(tmp_path: Path) -> None:
    text = "a\u2028b"
    write(tmp_path, f"a.jpg\t[{REGION % text}]\n")
    assert label_file.labels_of(tmp_path / "Label.txt")[tmp_path / "a.jpg"][0].text == text


def test_labels_of_the_test_pictures_name_files_that_exist() -> None:
    read = label_file.labels_of(IMAGES / "Label.txt")
    assert all(path.is_file() for path in read)
    assert all(line.polygon.shape[1:] == (2,) for lines in read.values() for line in lines)


def test_names_may_be_relative_to_a_folder_further_up(tmp_path: Path) -> None:
    root = tmp_path / "train_data" / "total_text" / "test"
    (root / "rgb").mkdir(parents=True)
    (root / "rgb" / "img1.jpg").touch()
    (root / "test.txt").write_text(f"train_data/total_text/test/rgb/img1.jpg\t[{REGION % 'a'}]\n")
    assert list(label_file.labels_of(root / "test.txt")) == [root / "rgb" / "img1.jpg"]


def test_labels_to_score_with_are_read_from_a_folder_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    write(tmp_path, f"a.jpg\t[{REGION % 'a'}]")
    read = label_file.read(tmp_path)
    assert [line.text for line in read[tmp_path / "a.jpg"]] == ["a"]
    assert list(label_file.read(tmp_path / "Label.txt")) == list(read)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no labelled line counts"),
        ("a.jpg\t[]", "no labelled line counts"),
        (f"a.jpg\t[{REGION % '###'}]", "no labelled line counts"),
        (f"b.jpg\t[{REGION % 'a'}]\nc.jpg\t[]", r"labelled pictures are missing: .* and 1 more"),
        ("a.jpg", "row 1: a.jpg: a JSON list"),
    ],
)
def test_labels_that_nothing_can_be_scored_with_are_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.jpg").touch()
    write(tmp_path, text)
    with pytest.raises(DatasetError, match=rf"Label\.txt[:,] {message}"):
        label_file.read(tmp_path)


def test_folder_without_a_label_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"Label\.txt: there is no such file.*PaddleOCR"):
        label_file.read(tmp_path)
