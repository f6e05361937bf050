"""Test reading SROIE's receipts in both published forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy.datasets import folder
from converters.accuracy.labels import LabelledPages
from edgeocr import DatasetError
from tests.support.datasets import ROW, picture, text

ROWS = (
    "72,25,326,25,326,64,72,64,TAN WOON YANN",
    "50,342,470,342,470,380,50,380,NO.53 55,57 & 59, JALAN SAGU 18",
    '1,1,9,1,9,9,1,9,"SIZE 5""',
)


@pytest.mark.parametrize(
    ("labels", "image"), [("box/000.csv", "img/000.jpg"), ("X510.txt", "X510.jpg")]
)
def test_receipts_are_read(labels: str, image: str, tmp_path: Path) -> None:
    path = picture(tmp_path / image)
    text(tmp_path / labels, *ROWS)
    (found,) = folder.read(tmp_path)
    assert isinstance(found, LabelledPages) and found.kind == "sroie"
    lines = found.pictures[path]
    assert [line.text for line in lines] == [
        *("TAN WOON YANN", "NO.53 55,57 & 59, JALAN SAGU 18", '"SIZE 5""')
    ]
    assert lines[0].polygon.tolist() == [[72, 25], [326, 25], [326, 64], [72, 64]]
    assert all(line.care for line in lines)


def test_file_in_windows_encoding_is_read(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "1.jpg")
    text(tmp_path / "box" / "1.csv", ROW.format("CAFÉ €5"), encoding="cp1252")
    (found,) = folder.read(tmp_path)
    assert isinstance(found, LabelledPages)
    assert [line.text for lines in found.pictures.values() for line in lines] == ["CAFÉ €5"]


@pytest.mark.parametrize(("labels", "images"), [("box/{}.csv", "img/{}.jpg"), ("{}.txt", "{}.jpg")])
@pytest.mark.parametrize(
    ("rows", "number"), [(("1,2,3,TOTAL", ROW.format("a")), 1), ((ROW.format("a"), "TOTAL"), 2)]
)
def test_wrong_row_is_named(
    labels: str, images: str, rows: tuple[str, ...], number: int, tmp_path: Path
) -> None:
    for name in "ab":
        picture(tmp_path / images.format(name))
    text(tmp_path / labels.format("a"), ROW.format("a"))
    wrong = text(tmp_path / labels.format("b"), *rows)
    with pytest.raises(DatasetError, match="8 numbers and a text") as caught:
        folder.read(tmp_path)
    assert (caught.value.path, caught.value.row) == (wrong, number)


def test_receipt_without_lines_counts_as_a_picture_and_notes_do_not(tmp_path: Path) -> None:
    for name in "ab":
        picture(tmp_path / f"{name}.jpg")
    text(tmp_path / "a.txt", ROW.format("a"))
    text(tmp_path / "b.txt")
    text(tmp_path / "README.txt", "where these are from")
    (found,) = folder.read(tmp_path)
    assert isinstance(found, LabelledPages)
    assert [len(lines) for lines in found.pictures.values()] == [1, 0]
