"""Test reading PaddleOCR's Label.txt."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy import labels
from converters.errors import ConverterError
from tests.support.paths import IMAGES

REGION = '{"transcription": "%s", "points": [[0, 1], [9, 1], [9, 5.5], [0, 5]], "difficult": false}'


def write(folder: Path, text: str) -> None:
    (folder / "Label.txt").write_text(text, encoding="utf-8")


def test_pictures_and_their_lines_are_read(tmp_path: Path) -> None:
    write(tmp_path, f"a.jpg\t[{REGION % '茶 tea'}, {REGION % 'b'}]\n\nsub/c.png\t[]\n")
    read = labels.read(tmp_path)
    assert list(read) == [tmp_path / "a.jpg", tmp_path / "sub/c.png"]
    first, second = read[tmp_path / "a.jpg"]
    assert (first.text, second.text) == ("茶 tea", "b")
    assert first.polygon.tolist() == [[0, 1], [9, 1], [9, 5.5], [0, 5]]
    assert first.polygon.dtype == float
    assert read[tmp_path / "sub/c.png"] == []


@pytest.mark.parametrize(("text", "care"), [("###", False), ("*", False), ("a*", True), ("", True)])
def test_transcriptions_that_must_not_count(tmp_path: Path, text: str, care: bool) -> None:
    write(tmp_path, f"a.jpg\t[{REGION % text}]")
    assert labels.read(tmp_path)[tmp_path / "a.jpg"][0].care is care


def test_picture_names_may_begin_with_the_folders_name(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    (folder / "shop").mkdir(parents=True)
    for path in (folder / "a.jpg", folder / "b.jpg", folder / "shop" / "b.jpg"):
        path.touch()
    write(folder, "shop/a.jpg\t[]\nshop/b.jpg\t[]\nother/c.jpg\t[]\n")
    assert list(labels.read(folder)) == [
        folder / "a.jpg",
        folder / "shop" / "b.jpg",
        folder / "other" / "c.jpg",
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
    with pytest.raises(ConverterError, match=f"Label.txt: a.jpg: .*{message}"):
        labels.read(tmp_path)


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Label.txt").write_bytes("a.jpg\t[]\nß.jpg\t[]\n".encode("latin-1"))
    with pytest.raises(ConverterError, match="must be text in UTF-8"):
        labels.read(tmp_path)


def test_line_separator_inside_a_text_is_kept(tmp_path: Path) -> None:
    text = "a\u2028b"
    write(tmp_path, f"a.jpg\t[{REGION % text}]\n")
    assert labels.read(tmp_path)[tmp_path / "a.jpg"][0].text == text


def test_labels_of_the_test_pictures_name_files_that_exist() -> None:
    folder = IMAGES
    read = labels.read(folder)
    assert all(path.is_file() for path in read)
    assert all(line.polygon.shape[1:] == (2,) for lines in read.values() for line in lines)
